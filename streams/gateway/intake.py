"""From what a source sends to events as the contract has them, or the reasons why not. Pure: time is an argument.

What is good is taken, whatever stands beside it: most senders never mend what they sent, and must not lose a thousand events to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from streams.contracts.decode import MAX_EVENT_BYTES, Rejected, decode_any, encode
from streams.contracts.events import AnyEvent, ContactEvent
from streams.gateway.bodies import as_object, parts
from streams.gateway.config import Known
from streams.kpi.policy.versions import AnyPolicy
from streams.sources.expressions.people import caller, pseudonyms
from streams.sources.mapped.names import Renaming
from streams.sources.table.reader import UnfitError
from streams.sources.table.record import record_reader
from streams.windows.admission import check_lateness
from streams.worker.customer_ids import is_pseudonym

#: Reasons of the gateway's own; all others are those of the contract (``streams.contracts.decode.REASONS``).
REASONS = {
    "other_source": "the event is of another `source` than the one that sends it",
    "may_not_send": "the source may not send events of that kind",
}


class Refusal(NamedTuple):
    """An event or record that is not taken: its line or number, its id where it has one, the reason in a word, and what it is."""

    line: int
    id: str | None
    reason: str
    detail: str


class Taken(NamedTuple):
    """What a request came to: its events, what is refused of it, and how many records tell nothing that is read here."""

    events: list[AnyEvent]
    refused: list[Refusal]
    left_out: int


class Intake:
    """Reads what one source sends."""

    def __init__(self, known: Known, key: bytes, policy: AnyPolicy, *, wall_clock: bool) -> None:
        """``key``: of the customers' pseudonyms. ``wall_clock``: the operation's clock is the machine's: what is too late is known here."""
        self._known, self._policy, self._wall_clock = known, policy, wall_clock
        self._pseudonym = pseudonyms(key)
        self._records = None if known.mapping is None else record_reader(known.mapping, key)
        self._names = Renaming(known.config.agents, known.config.queues, counts=self._records is not None)
        #: Names of agents and queues that the source's file does not have, by how often they were met.
        self.unmapped = self._names.unmapped

    def read(self, body: bytes, content_type: str, headers: Mapping[str, str], now_ms: int) -> Taken:
        """What a request brings, as of now. ``headers``: by their names in small letters. Raises BodyError where none of it can be read."""
        taken = Taken([], [], 0)
        for line, raw in parts(body, content_type, headers):
            found = as_object(raw) if self._records is None else _record(raw)
            told = found if isinstance(found, Rejected) else self._events(found)
            if isinstance(told, Rejected):
                taken.refused.append(Refusal(line, _id(found), *_of(told)))
                continue
            if not told:
                taken = taken._replace(left_out=taken.left_out + 1)
            for event in told:
                if (refused := self._admitted(event, now_ms)) is None:
                    taken.events.append(event)
                else:
                    taken.refused.append(Refusal(line, event.id, *_of(refused)))
        return taken

    def _events(self, found: dict[str, Any]) -> list[AnyEvent] | Rejected:
        if self._records is None:
            event = decode_any(msgspec.json.encode({"source": self._known.source, **found}))
            return event if isinstance(event, Rejected) else [event]
        try:
            return self._records(found)
        except UnfitError as error:
            return Rejected("unfit", str(error))

    def _admitted(self, event: AnyEvent, now_ms: int) -> Rejected | None:
        """Make of an event what is sent of it, in place; or say why it is not."""
        known = self._known
        if event.source != known.source:
            return Rejected(
                "other_source", f"`source` is {event.source!r}, and this is the address of {known.source!r}"
            )
        if event.carrier not in known.config.sends:
            return Rejected(
                "may_not_send", f"{known.name} may send {', '.join(known.config.sends)}, not {event.carrier}"
            )
        now = now_ms if self._wall_clock else event.at
        if (refused := check_lateness(event.at, now, now_ms, self._policy)) is not None:
            return refused
        self._names.rename(event)
        if isinstance(event, ContactEvent) and event.customer_id is not None:
            try:
                event.customer_id = self._customer(event.customer_id)
            except ValueError as error:
                return Rejected("wrong_type", f"customer_id: {error}")
        size = len(encode(event))
        return Rejected("too_large", f"{size} bytes, at most {MAX_EVENT_BYTES}") if size > MAX_EVENT_BYTES else None

    def _customer(self, id: str) -> str | None:
        return id if is_pseudonym(id) else self._pseudonym(caller(id, self._known.config.region or ""))


def _record(raw: bytes) -> dict[str, Any] | Rejected:
    """A record of another system. A key that stands twice is that system's affair: the last counts."""
    try:
        found = msgspec.json.decode(raw)
    except UnicodeDecodeError as error:
        return Rejected("not_utf8", str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejected("not_json", str(error))
    return found if isinstance(found, dict) else Rejected("not_json", "a record is one JSON object")


def _id(found: dict[str, Any] | Rejected) -> str | None:
    id = None if isinstance(found, Rejected) else found.get("id")
    return id if isinstance(id, str) and len(id) <= 256 else None


def _of(refused: Rejected) -> tuple[str, str]:
    return refused.reason, refused.detail
