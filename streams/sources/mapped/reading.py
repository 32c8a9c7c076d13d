"""From records to events: by the mapping, under the operation's names; newer versions as corrections, and what is taken back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from streams.contracts import events as e
from streams.contracts.decode import MAX_EVENT_BYTES, Rejected, encode
from streams.contracts.events import LAST_SEQUENCE, AnyEvent, ContactEvent, Event
from streams.sources.mapped.config import Mapped, TopicSource
from streams.sources.mapped.messages import Change, Stands, changes, key_fields
from streams.sources.mapped.names import Renaming
from streams.sources.table.reader import UnfitError
from streams.sources.table.record import record_rows
from streams.sources.table.rows import ReadRow
from streams.sources.versions import with_corrections

#: Carrier → the event by which another one is taken back.
_RETRACTED: Mapping[str, type[Any]] = {
    type_.carrier: type_ for type_ in get_args(e.AnyEvent) if issubclass(type_, e.Retracted | e.AgentRetracted)
}


@dataclass
class Became:
    """What records came to: events in their order, and how many were left out, because the mapping reads nothing of them, or because
    they are older than anything that the operation still accepts.
    """

    events: list[AnyEvent]
    left_out: int = 0
    too_old: int = 0


class MappedReader:
    """Reads the records of one source.

    :param key: of the customers' pseudonyms.
    """

    def __init__(self, config: Mapped, key: bytes) -> None:
        self._rows = record_rows(config.mapping, key)
        self._names = Renaming(config.agents, config.queues)
        #: ``agents`` and ``queues`` → names that the file does not have, by how often they were met.
        self.unmapped = self._names.unmapped

    def read(self, change: Change, earliest: int | None, *, retract: bool = False) -> Became | Rejected:
        """What a change comes to. ``earliest``: what lies before (ms since 1970) is left out; None: nothing is. ``retract``: what the
        record told before, and tells no more, is taken back.
        """
        if change.now is None and not retract:
            return Became([], 1)
        try:
            row = ReadRow(0, [], kept=False) if change.now is None else self._rows(change.now)
            told = with_corrections(row)
            if retract and change.before is not None:
                told = [*self._taken_back(change.before, row), *told]
        except UnfitError as error:
            return Rejected("unfit", str(error))
        became = Became([], int(not told))
        for event in told:
            if earliest is not None and event.at < earliest:
                became.too_old += 1
                continue
            self._names.rename(event)
            if (size := len(encode(event))) > MAX_EVENT_BYTES:
                return Rejected("too_large", f"{event.id}: {size} bytes, at most {MAX_EVENT_BYTES}")
            became.events.append(event)
        return became

    def read_message(
        self, value: bytes | None, stands: Stands, config: TopicSource, earliest: int | None
    ) -> tuple[Became, Rejected | None]:
        """What a message comes to, and what of it is refused, if anything is: of a list whatever is good goes on."""
        found = changes(value, stands, config.each, debezium=config.debezium)
        if isinstance(found, Rejected):
            return Became([]), found
        whole, refused = Became([], int(not found)), list[Rejected]()
        for number, change in enumerate(found, 1):
            untold = _key_only(change, stands) if config.retract else None
            read = untold or self.read(change, earliest, retract=config.retract)
            if isinstance(read, Rejected):
                where = f"entry {number} of {len(found)}: " if len(found) > 1 else ""
                refused.append(Rejected(read.reason, where + read.detail))
                continue
            whole.events += read.events
            whole.left_out += read.left_out
            whole.too_old += read.too_old
        if len(refused) > 1:
            return whole, Rejected(refused[0].reason, f"{refused[0].detail}; and {len(refused) - 1} more")
        return whole, refused[0] if refused else None

    def _taken_back(self, before: Mapping[str, Any], now: ReadRow) -> list[AnyEvent]:
        """Raises UnfitError."""
        was = self._rows(before)
        version = now.version or was.version
        number = min(version.number, LAST_SEQUENCE) if version is not None else 0
        stays = {(event.carrier, event.id) for event in now.events}
        return [_retraction(event, number) for event in was.events if (event.carrier, event.id) not in stays]


def _key_only(change: Change, stands: Stands) -> Rejected | None:
    """A deletion that does not say what was deleted."""
    if change.now is not None:
        return None
    told = {name for name, value in (change.before or {}).items() if value is not None} - {"kafka", "debezium"}
    if told - key_fields(stands.key).keys():
        return None
    return Rejected(
        "unfit",
        "debezium: of the row that was deleted the key alone is told, and what it had told cannot be taken back: "
        "ALTER TABLE … REPLICA IDENTITY FULL",
    )


def _retraction(event: Event, number: int) -> AnyEvent:
    beside = (
        {"contact_id": event.contact_id, "customer_id": event.customer_id}
        if isinstance(event, ContactEvent)
        else {"agent_id": event.agent_id}  # type: ignore[attr-defined]
    )
    return _RETRACTED[event.carrier](  # type: ignore[no-any-return]
        id=f"{event.id}~{number}-back",
        source=event.source,
        time=event.time,
        sequence=number,
        corrects=event.id,
        **beside,
    )
