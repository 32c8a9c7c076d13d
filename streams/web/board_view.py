"""A board as one scope sees it: a part for each entity, encoded once, and what of them is new since any version."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw, Struct
from sse_starlette import ServerSentEvent

from streams.contracts.events import milliseconds
from streams.contracts.outputs import Presence, Snapshot, entity, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.languages.text import LANGUAGES, Text
from streams.wallboard.items import Item
from streams.wallboard.state import Reading
from streams.wallboard.versioned import Register
from streams.web.board_colours import Colours, Stand
from streams.web.roles import ALL_TEAMS, Scope

_encode = msgspec.json.Encoder().encode
#: Who waits began to wait at a moment that is told to so many ms: what a worker tells again, a little later, is no news.
_ROUNDED = 100


class Shown(Struct, array_like=True, omit_defaults=True):
    """A figure on a board: value, how many things it rests on, how it stands, its target and the side of it, its 95 % interval."""

    value: float | None
    n: int
    stands: Stand
    target: float | None = None
    op: str | None = None
    low: float | None = None
    high: float | None = None


class Part(Struct, omit_defaults=True, kw_only=True):
    """What a board has of an entity. ``cells``: ``kpi@window`` → figure; ``waiting``: in its queue now, ``since`` when the first of them
    (ms since 1970), ``wait``: how that stands; ``channels``: what a queue's contacts of today are.
    """

    team: str | None = None
    cells: dict[str, Shown] = {}
    waiting: int = 0
    since: int | None = None
    wait: Stand | None = None
    needed: int | None = None
    on_duty: int | None = None
    channels: list[str] = []


class Now(Struct, omit_defaults=True, kw_only=True):
    """What is open in a queue, as its contacts' records say. Chats: who waits for people, and since when the first (ms since 1970).
    Tickets: open ones, those past their time, and when the next falls due.
    """

    chats_waiting: int = 0
    chats_since: int | None = None
    tickets_open: int = 0
    tickets_overdue: int = 0
    tickets_due: int | None = None


#: A KPI that has data today says that contacts of its channel came.
_CHANNEL_OF = {
    "offered_calls": "calls",
    "first_response_30s_rate": "chats",
    "avg_response_time": "chats",
    "open_backlog": "tickets",
    "sla_breach_rate": "tickets",
    "time_to_resolve": "tickets",
}


class Parts:
    """Makes the part of a snapshot."""

    def __init__(self, cells: Iterable[str], colours: Colours) -> None:
        """``cells``: every figure of every board, as ``kpi@window``."""
        self._colours = colours
        self.show(cells)

    def show(self, cells: Iterable[str]) -> None:
        """These are the figures now."""
        self._cells = [(cell, *cell.split("@")) for cell in dict.fromkeys(cells)]

    def of(self, snapshot: Snapshot) -> Part:
        """Its figures that a board shows, with how they stand."""
        key, colours = snapshot.entity, self._colours
        cells: dict[str, Shown] = {}
        for cell, kpi, window in self._cells:
            figure = snapshot.windows.get(window, {}).get(kpi)
            if figure is None or (figure.value is None and not figure.pending):
                continue
            target = colours.target(key, snapshot.team, kpi)
            number, op = (None, None) if target is None else (float(target.value or 0), target.op)
            stands = colours.stands(key, cell, figure, target)
            cells[cell] = Shown(
                _short(figure.value), figure.n, stands, number, op, _short(figure.low), _short(figure.high)
            )
        part = Part(team=snapshot.team, cells=cells, waiting=snapshot.waiting)
        if snapshot.longest_wait is not None:
            since = milliseconds(snapshot.as_of) - round(snapshot.longest_wait * 1000)
            part.since = round(since / _ROUNDED) * _ROUNDED
            part.wait = _waits(colours, snapshot)
        if (staffing := snapshot.staffing) is not None:
            part.needed, part.on_duty = staffing.needed, staffing.on_duty
        if entity_kind(key) == "queue":
            today = snapshot.windows.get("today", {})
            found = {
                channel for kpi, channel in _CHANNEL_OF.items() if (one := today.get(kpi)) is not None and one.value
            }
            part.channels = sorted(found | ({"calls"} if snapshot.waiting else set()))
        return part


def _waits(colours: Colours, snapshot: Snapshot) -> Stand | None:
    target = colours.target(snapshot.entity, None, "longest_wait")
    if target is None or snapshot.longest_wait is None:
        return None
    return "bad" if snapshot.longest_wait > float(target.value or 0) else "good"


def _short(value: float | None) -> float | None:
    """As many digits as a screen can show."""
    return None if value is None else float(f"{value:.5g}")


class Encodings:
    """What was encoded for a source is kept while the source is the same."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Item[Any]]] = {}
        self._used: dict[str, tuple[Any, Item[Any]]] = {}

    def of(self, name: str, source: Any, encoded: Callable[[], bytes | Raw]) -> Item[Any]:
        """The encoding of what stands under a name."""
        kept = self._kept.get(name)
        if kept is None or kept[0] is not source:
            kept = source, _item(encoded())
        self._used[name] = kept
        return kept[1]

    def forget(self) -> None:
        """Keep nothing that was not asked for since the last call."""
        self._kept, self._used = self._used, {}


class Sight:
    """A look with what all scopes share: who is of which team, and each entity encoded once."""

    def __init__(
        self,
        reading: Reading,
        queues: Mapping[str, Now],
        names: Callable[[str], Text | None],
        kept: Encodings,
    ) -> None:
        """``queues``: what is open in each; ``names``: what an entity is called, people too."""
        self.reading = reading
        self.parts: dict[str, Item[Any]] = {}
        self.places: set[str] = set()
        self.by_team: dict[str, set[str]] = {}
        self.agents: dict[str, str | None] = {}
        for kind, items in reading.snapshots.items():
            for id, item in items.items():
                key = entity(kind, id)
                self.parts[key] = kept.of(f"part {key}", item, lambda item=item: item.json)  # type: ignore[misc]
                if kind == "agent":
                    self.agents[key] = item.value.team
                elif kind != "team":
                    self.places.add(key)
        self.doing = {
            entity("agent", id): kept.of(f"doing {id}", item, lambda item=item: _encode(_doing(item.value)))  # type: ignore[misc]
            for id, item in reading.presence.items()
        }
        for id, there in reading.presence.items():
            key = entity("agent", id)
            self.agents[key] = self.agents.get(key) or there.value.team
        self.differing = {
            entity("agent", id): kept.of(f"differs {id}", item, lambda item=item: item.json)  # type: ignore[misc]
            for id, item in reading.differing.items()
        }
        self.open = {
            entity("queue", id): kept.of(f"open {id}", now, lambda now=now: _encode(now))  # type: ignore[misc]
            for id, now in queues.items()
        }
        self.places |= self.open.keys()
        self._teams()
        self.names = self._named(names, kept)
        kept.forget()

    def _teams(self) -> None:
        for key, team in self.agents.items():
            if team is not None:
                self.by_team.setdefault(team, set()).add(key)
        self.teams = {key for key in self.parts if entity_kind(key) == "team"}
        self.teams |= {entity("team", team) for team in self.reading.staff if team}

    def _named(self, names: Callable[[str], Text | None], kept: Encodings) -> dict[str, Item[Any]]:
        nothing = _item(b"null")
        found: dict[str, Item[Any]] = {}
        for key in (*self.places, *self.teams, *self.agents):
            item = kept.of(f"name {key}", names, lambda key=key: _name(names(key)))  # type: ignore[misc]
            if item.value != nothing.value:
                found[key] = item
        return found

    def seen(self, scope: Scope) -> tuple[set[str], set[str]]:
        """Keys of the entities that a scope sees, and those of them that are agents."""
        agents: set[str] = set()
        if ALL_TEAMS in scope.agents_of:
            agents = set(self.agents)
        for team in scope.agents_of - {ALL_TEAMS}:
            agents |= self.by_team.get(team, set())
        if scope.person is not None and entity("agent", scope.person) in self.agents:
            agents.add(entity("agent", scope.person))
        found = agents | (self.places if scope.places else set())
        found |= self.teams if ALL_TEAMS in scope.teams else {entity("team", one) for one in scope.teams} & self.teams
        return found, agents


class View:
    """What everybody of one scope sees; ``version`` rises where it changes."""

    def __init__(self, scope: Scope, people: bool) -> None:
        """``people``: are people called by their names?"""
        self.scope, self.people = scope, people
        self.epoch, self.version = secrets.token_hex(4), 0
        #: Ids of the agents whose figures are seen.
        self.persons: frozenset[str] = frozenset()
        names = ("parts", "doing", "differing", "open", "names")
        self._registers = {name: Register() for name in names}
        self._facts = Register()
        self._made: dict[int, bytes] = {}
        self._news = asyncio.Event()

    async def news(self, seconds: float) -> None:
        """Wait until whoever sees it is woken, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def wake(self) -> None:
        """There is something to tell: wake whoever sees it."""
        woken, self._news = self._news, asyncio.Event()
        woken.set()

    def take(self, sight: Sight) -> None:
        """The newest look."""
        seen, agents = sight.seen(self.scope)
        version = self.version + 1
        for name, register in self._registers.items():
            items: dict[str, Item[Any]] = getattr(sight, name)
            named_only = name == "names" and not self.people
            own = {
                key: items[key]
                for key in (seen if len(seen) < len(items) else items)
                if key in items and key in seen and not (named_only and key in agents)
            }
            register.replace(own, version)
        self._facts.replace({name: _item(_encode(value)) for name, value in self._facts_of(sight).items()}, version)
        persons = frozenset(map(entity_id, agents))
        if persons != self.persons:
            self.persons = persons
        if self.version == 0 or any(register.since(self.version) for register in self._all()):
            self.version = version
            self._made.clear()
            self.wake()

    def event(self, since: int) -> bytes:
        """The event for who has seen up to a version; 0: nothing yet, or nothing that is remembered.

        ``picture`` is all of it, ``change`` what is new (null: gone): ``parts`` (see ``Part``), ``doing`` (agent → state, since, until,
        reason), ``differing`` (agent → KPI → better, worse, higher or lower than the rest of the team), ``open`` (see ``Now``), ``names``,
        and of the whole ``staff``, ``marked``, ``agents``, ``unreadable``.
        """
        if since > self.version or not all(register.knows(since) for register in self._all()):
            since = 0
        if since not in self._made:
            told: dict[str, Any] = {name: register.since(since) for name, register in self._registers.items()}
            if since:
                told = {name: changed for name, changed in told.items() if changed}
            told |= self._facts.since(since)
            name = "change" if since else "picture"
            sent = ServerSentEvent(_encode(told).decode(), event=name, id=f"{self.epoch}-{self.version}", sep="\n")
            self._made[since] = sent.encode()
        return self._made[since]

    def _all(self) -> Iterable[Register]:
        return (*self._registers.values(), self._facts)

    def _facts_of(self, sight: Sight) -> dict[str, Any]:
        reading, scope = sight.reading, self.scope
        wide = ALL_TEAMS in scope.teams
        staff = {team: counts for team, counts in reading.staff.items() if wide or team in scope.teams}
        every = reading.strength.get(None, len(sight.agents)) if ALL_TEAMS in scope.agents_of else len(self.persons)
        return {"staff": staff, "marked": reading.marked, "agents": every, "unreadable": reading.unreadable}


def _doing(presence: Presence) -> list[Any]:
    until = None if presence.until is None else milliseconds(presence.until)
    return [presence.state, milliseconds(presence.since), until, presence.reason]


def _name(text: Text | None) -> bytes:
    return _encode(None if text is None else {language: text[language] for language in LANGUAGES})


def _item(encoded: bytes | Raw) -> Item[Any]:
    said = bytes(encoded)
    return Item(b"", said, Raw(said))


def labels(cells: Iterable[str]) -> dict[str, dict[str, Any]]:
    """KPI → unit, which side is better, and whether contacts are behind it."""
    kpis = dict.fromkeys(cell.partition("@")[0] for cell in cells)
    return {
        id: {"unit": KPIS[id].unit, "better": KPIS[id].better, "kind": KPIS[id].kind, "contacts": KPIS[id].has_contacts}
        for id in kpis
    }
