"""Single events that an appeal takes out or puts right: the amendments, and what they change in days that were counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from scoring.period import Period
from streams.contracts.decode import Rejected, decode_contact, encode
from streams.contracts.events import AnyContactEvent, Corrected, Retracted
from streams.contracts.outputs import DailyFacts, entity, entity_id, entity_kind

#: Computes what amendments of events change in the days of agents and teams.
Effect = Callable[[Sequence[bytes], Sequence[bytes]], list[DailyFacts]]


@dataclass(frozen=True)
class Amendment:
    """Amendments of events and what they change.

    ``file``, ``sha256``: of the events as they were handed in. ``events``: the ``*.corrected`` and ``*.retracted`` events, as
    the contract has them; ``effect``: what is to be added to days of agents and teams.
    """

    file: str
    sha256: str
    events: tuple[Mapping[str, Any], ...]
    effect: tuple[DailyFacts, ...] = field(default=())


def amendment(file: Path, without: Sequence[str], amendments: Path | None, effect: Effect) -> Amendment:
    """What leaving events out, or putting them right, changes.

    ``file``: the events of the contacts concerned, a JSON object a line. ``without``: ``CONTACT`` or ``CONTACT/EVENT``.
    ``amendments``: a file of ``*.corrected`` and ``*.retracted`` events. Raises ValueError that says what is wrong where.
    """
    body = file.read_bytes()
    events = list(_read(file.name, body))
    asked: list[AnyContactEvent] = [made for name in without for made in _retracted(name, events, file.name)]
    if amendments is not None:
        asked += _amending(amendments, events, file.name)
    if not asked:
        raise ValueError(f"{file.name} alone changes nothing: say what with --without CONTACT/EVENT or --amend FILE")
    raws = [encode(event) for event in asked]
    changed = effect([encode(event) for event in events], raws)
    return Amendment(
        file.name, sha256(body).hexdigest(), tuple(msgspec.json.decode(raw) for raw in raws), tuple(changed)
    )


def counted(
    amendment: Amendment, period: Period, people: Collection[str], teams: bool, person: str, first: date | None = None
) -> Amendment:
    """The amendment with what it changes within the run: days of the period, people who are scored, teams if they are. ``first``: the day
    from which on the run counts anything, where that is before the period.

    Raises ValueError where it changes nothing of the person's.
    """
    file = amendment.file
    if not amendment.effect:
        raise ValueError(f"{file}: leaving these events out changes no count; they may be retracted already")
    within = [fact for fact in amendment.effect if (first or period.first) <= fact.date <= period.last]
    if not within:
        days = ", ".join(sorted({fact.date.isoformat() for fact in amendment.effect}))
        raise ValueError(f"{file}: these events count on {days}, not in {period}; appeal against that period")
    agents = [fact for fact in within if entity_kind(fact.entity) == "agent"]
    if entity("agent", person) not in {fact.entity for fact in agents} or person not in people:
        whose = ", ".join(sorted({entity_id(fact.entity) for fact in agents}))
        raise ValueError(f"{file}: these events count for {whose or 'nobody'}, not for {person}")

    def scored(fact: DailyFacts) -> bool:
        return teams if entity_kind(fact.entity) == "team" else entity_id(fact.entity) in people

    return replace(amendment, effect=tuple(filter(scored, within)))


def _read(name: str, body: bytes) -> Iterable[AnyContactEvent]:
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        event = decode_contact(line)
        if isinstance(event, Rejected):
            raise ValueError(f"{name}, line {number}: no event of the contract: {event.reason}: {event.detail}")
        yield event


def _retracted(name: str, events: Sequence[AnyContactEvent], file: str) -> Iterable[AnyContactEvent]:
    """Retractions of the contact's events, or of one of them. Ids of contacts may hold a ``/`` themselves."""
    found = [one for one in events if name in (one.contact_id, f"{one.contact_id}/{one.id}")]
    found = [one for one in found if not isinstance(one, (Corrected, Retracted))]
    if not found:
        there = sorted({one.contact_id for one in events})
        shown = ", ".join(there[:10]) + (" …" if len(there) > 10 else "")
        raise ValueError(f"--without {name}: no such event in {file}; it has contacts {shown or '(none)'}")
    last = max(one.time for one in events)
    return (_retraction(one, last) for one in found)


def _retraction(event: AnyContactEvent, time: datetime) -> AnyContactEvent:
    """What takes the event back, told at this time."""
    channel = msgspec.to_builtins(event)["type"].partition(".")[0]
    made: AnyContactEvent = msgspec.convert(
        {
            "type": f"{channel}.retracted",
            "id": f"appeal-{event.id}",
            "source": "appeal",
            "time": time,
            "contact_id": event.contact_id,
            "corrects": event.id,
            **({"customer_id": event.customer_id} if event.customer_id else {}),
        },
        AnyContactEvent,
    )
    return made


def _amending(file: Path, events: Sequence[AnyContactEvent], recorded: str) -> Iterable[AnyContactEvent]:
    there = {(one.contact_id, one.id) for one in events}
    for event in _read(file.name, file.read_bytes()):
        if not isinstance(event, (Corrected, Retracted)):
            raise ValueError(
                f"{file.name}: the event {event.id} amends nothing; give *.corrected and *.retracted events"
            )
        if (event.contact_id, event.corrects) not in there:
            raise ValueError(
                f"{file.name}: {event.id} corrects {event.corrects} of the contact {event.contact_id}, which is not in {recorded}"
            )
        yield event
