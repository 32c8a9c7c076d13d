"""Load for the scenarios: the simulated desk, as many times side by side as there are to be agents.

One copy has exactly 100 agents, in 5 teams of 20. What a copy does is taken from a larger simulated desk, at the rate of its agents;
copies are shifted against each other by parts of a minute, so that the time of events advances as slowly as it does at many desks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice
from math import ceil
from typing import Any
from zlib import crc32

import msgspec

from streams.contracts.events import AnyContactEvent, ContactEvent
from streams.sources.simulated import ZONE, simulate
from streams.windows.clock import instant

#: Agents of a copy, and of the desk that they are taken from: not all of it are at work in the morning.
COPY_AGENTS, _DESK_AGENTS, _DESK_TEAMS = 100, 200, 10
_TEAM_AGENTS, _QUEUE_COPIES, _SITE_COPIES = 20, 2, 20
#: The desk is watched from the first moment on; what happens from the second one on is a copy's steady work.
WATCHED_FROM, STEADY_FROM = timedelta(hours=9), timedelta(hours=10)
_SHIFT_MS = 60_000
_to_json = msgspec.json.encode


@dataclass(frozen=True)
class Template:
    """An event of any copy. ``key`` and ``value`` take, as ``%(…)b``, ``copy`` and ``cycle`` (whose contact it is), ``desk``
    (whose agent), ``queue``, ``site`` and ``time``; ``at``: ms since 1970."""

    at: int
    carrier: str
    key: bytes
    value: bytes


@dataclass(frozen=True)
class Copy:
    """One copy. After the events of ``beginning`` each of its agents has occurred and is in the middle of their work; ``steady`` goes on."""

    beginning: list[Template]
    steady: list[Template]


def desk(day: datetime, steady: int) -> Copy:
    """A copy whose steady part has at least ``steady`` events. ``day``: any moment of the simulated day."""
    midnight = day.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = midnight + STEADY_FROM
    events = _contact_events(simulate(7, midnight + WATCHED_FROM, agents=_DESK_AGENTS, teams=_DESK_TEAMS))
    first: list[AnyContactEvent] = []
    after: list[AnyContactEvent] = []
    for event in events:
        if event.time >= begins:
            after.append(event)
            break
        first.append(event)
    agents = _places(first)
    share = COPY_AGENTS / len({event.agent_id for event in first if event.agent_id})
    block = 2 * steady
    while True:
        after += islice(events, block)
        ours = _ours(first + after, agents, share)
        kept = [event for event in after if ours[event.contact_id]]
        if len(kept) >= steady:
            break
        block = max(1000, steady - len(kept))
    open_then = {event.contact_id for event in after}
    covered = {event.agent_id for event in first if ours[event.contact_id] and event.contact_id in open_then}
    needed = _shortest(first, agents.keys() - covered, ours) | {id for id in open_then if ours[id]}
    beginning = [event for event in first if event.contact_id in needed]
    return Copy(
        [_template(event, agents) for event in beginning], [_template(event, agents) for event in kept[:steady]]
    )


def copies_for(agents: int) -> int:
    """How many copies have that many agents."""
    return ceil(agents / COPY_AGENTS)


def side_by_side(templates: list[Template], copies: int, *, same_agents: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """(key, event) of all copies, in order of time. ``same_agents``: as many customers, but one copy's agents serve them all."""
    return ((key, value) for _, key, value in timed(templates, copies, same_agents=same_agents))


def timed(templates: list[Template], copies: int, *, same_agents: bool = False) -> Iterator[tuple[int, bytes, bytes]]:
    """The same, each with its time (ms since 1970). Copies lie up to a minute apart: in the first and in the last one not all are at work."""
    each = len(templates)
    order = [
        ((template.at + _SHIFT_MS * copy // copies) * copies + copy) * each + index
        for copy in range(copies)
        for index, template in enumerate(templates)
    ]
    order.sort()
    names = [_names(copy) | ({b"desk": b"0"} if same_agents else {}) for copy in range(copies)]
    for place in order:
        rest, index = divmod(place, each)
        at, copy = divmod(rest, copies)
        fields, template = names[copy], templates[index]
        fields[b"time"] = stamp(at)
        yield at, template.key % fields, template.value % fields


def over_and_over(templates: list[Template], copies: int, run: str) -> Iterator[tuple[Template, dict[bytes, bytes]]]:
    """Template and fields of all copies' events without end, ``time`` left to whoever sends them.

    Every cycle has customers and contacts of its own; the agents stay who they are. ``run``: no two runs have a contact in common.
    """
    for cycle in count():
        names = [_names(copy) | {b"cycle": b"%b%d-" % (run.encode(), cycle)} for copy in range(copies)]
        for template in templates:
            for fields in names:
                yield template, fields


def stamp(ms: int) -> bytes:
    """A time as events have it."""
    second, rest = divmod(ms, 1000)
    known = _seconds.get(second)
    if known is None:
        known = _seconds[second] = instant(second * 1000).strftime("%Y-%m-%dT%H:%M:%S").encode()
    return b"%b.%03dZ" % (known, rest)


_seconds: dict[int, bytes] = {}


def _names(copy: int) -> dict[bytes, bytes]:
    return {
        b"copy": b"%d" % copy,
        b"desk": b"%d" % copy,
        b"cycle": b"",
        b"queue": b"queue-%d" % (copy // _QUEUE_COPIES),
        b"site": b"site-%d" % (copy // _SITE_COPIES),
    }


def _contact_events(events: Iterator[Any]) -> Iterator[AnyContactEvent]:
    return (event for event in events if isinstance(event, ContactEvent))  # type: ignore[misc]


def _places(events: list[AnyContactEvent]) -> dict[str, int]:
    """The copy's agents with their numbers: the first that occur. Raises RuntimeError where too few do."""
    found: dict[str, int] = {}
    for event in events:
        if event.agent_id and event.agent_id not in found and len(found) < COPY_AGENTS:
            found[event.agent_id] = len(found)
    if len(found) < COPY_AGENTS:
        raise RuntimeError(
            f"only {len(found)} agents of the simulated desk are at work by {STEADY_FROM}, not {COPY_AGENTS}"
        )
    return found


def _ours(events: list[AnyContactEvent], agents: dict[str, int], share: float) -> dict[str, bool]:
    """Contact id → is it the copy's? Those are that only its agents had in hand; of those that met nobody, its share."""
    met: dict[str, set[str]] = {}
    for event in events:
        met.setdefault(event.contact_id, set()).update(filter(None, [event.agent_id]))
    return {id: people <= agents.keys() if people else crc32(id.encode()) < share * 2**32 for id, people in met.items()}


def _shortest(events: list[AnyContactEvent], agents: set[str], ours: dict[str, bool]) -> set[str]:
    """For each of these agents the contact of the fewest events."""
    told: dict[str, int] = {}
    met: dict[str, set[str]] = {}
    for event in events:
        told[event.contact_id] = told.get(event.contact_id, 0) + 1
        if event.agent_id in agents:
            met.setdefault(event.agent_id, set()).add(event.contact_id)
    return {min(contacts, key=lambda id: (not ours[id], told[id])) for contacts in met.values()}


def _template(event: AnyContactEvent, agents: dict[str, int]) -> Template:
    def person(id: str | None) -> str | None:
        return None if id is None else f"«desk»-agent-{agents.get(id, 0)}"

    fields = msgspec.to_builtins(event)
    mine = {
        "id": f"«copy»-«cycle»{event.id}",
        "contact_id": f"«copy»-«cycle»{event.contact_id}",
        "customer_id": event.customer_id and f"«copy»-«cycle»{event.customer_id}",
        "agent_id": person(event.agent_id),
        "to_agent_id": person(fields.get("to_agent_id")),
        "team_id": event.agent_id and f"«desk»-team-{agents.get(event.agent_id, 0) // _TEAM_AGENTS}",
        "queue_id": event.queue_id and "«queue»",
        "to_queue_id": fields.get("to_queue_id") and "«queue»",
        "site_id": event.site_id and "«site»",
        "time": "«time»",
    }
    value = {**fields, **{name: text for name, text in mine.items() if text is not None}}
    key = value.get("customer_id") or value["contact_id"]
    return Template(event.at, event.carrier, _format(key.encode()), _format(_to_json(value)))


def _format(text: bytes) -> bytes:
    return text.replace(b"%", b"%%").replace("«".encode(), b"%(").replace("»".encode(), b")b")
