"""What is archived, in the order in which it came, and which of it was in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from heapq import merge
from itertools import dropwhile
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias
from zlib import crc32

import msgspec

from streams.archive.collecting import missing
from streams.archive.files import rows, whole
from streams.archive.store import Span, Store
from streams.contacts.memory import OPEN_FOR_MS
from streams.contacts.rules import rules_of
from streams.contracts.decode import Rejected, decode_contact, decode_presence
from streams.contracts.events import AnyContactEvent, PresenceEvent, milliseconds
from streams.contracts.events.base import Time
from streams.contracts.records import Place
from streams.contracts.topics import AGENTS, EVENT_TOPICS, ROSTER, TICKETS
from streams.kpi.policy.versions import AnyPolicy
from streams.windows.admission import check_lateness
from streams.windows.clock import EventClock

#: What comes of a topic: contacts, agents, the roster.
Kind: TypeAlias = Literal["contact", "agent", "roster"]
_DAY_MS = 86_400_000
#: A partition is read as so many runs at most, each of which is in order of time.
_MOST_RUNS = 8
#: The day of files whose messages have no time.
_TIMELESS = date(1970, 1, 1)


class Told(NamedTuple):
    """A message: when it came (ms since 1970), of which topic and partition, its place there, and what it says."""

    timestamp: int
    place: Place
    offset: int
    key: bytes | None
    value: bytes | None


class Contents(NamedTuple):
    """The files of one operation's archive that concern a period: by partition, in order of offsets. ``prefix``: of its topics."""

    store: Store
    prefix: str
    spans: Mapping[Place, Sequence[Span]]

    def kind(self, topic: str) -> Kind:
        """What comes of a topic."""
        own = topic.removeprefix(self.prefix)
        return "roster" if own == ROSTER.name else "agent" if own == AGENTS.name else "contact"

    @property
    def files(self) -> int:
        """How many files that are."""
        return sum(map(len, self.spans.values()))

    def messages(self) -> int:
        """How many messages there are about, holes counted, too."""
        return sum(span.next - span.first for own in self.spans.values() for span in own)

    def told(self, *kinds: Kind) -> Iterator[Told]:
        """Every message of these kinds in the order in which they came: of a partition by offset, of several by Kafka's timestamps.

        Raises DamagedError, OSError where a file cannot be read.
        """
        parts = [self._part(place) for place in self.spans if self.kind(place[0]) in kinds]
        return merge(*parts, key=itemgetter(0))

    def told_in_time(self, lateness_ms: int, *kinds: Kind) -> Iterator[Told]:
        """The same in the order in which it happened, though much of it may have come long afterwards: a past that was loaded, or what a
        source that was away sent at last. Of a partition, what came in order (as far as lateness allows) stays in that order: what came
        too late for it is read beside it, and so on for what came too late for that, up to so many times.

        Raises as ``told``.
        """
        runs: list[Iterator[tuple[int, Told]]] = []
        for place in self.spans:
            if self.kind(place[0]) in kinds:
                many = max((run for run, _, _ in self._runs(place, lateness_ms)), default=-1) + 1
                runs += [self._run(place, lateness_ms, number) for number in range(many)]
        return (told for _, told in merge(*runs, key=itemgetter(0)))

    def _run(self, place: Place, lateness_ms: int, wanted: int) -> Iterator[tuple[int, Told]]:
        return ((at, told) for run, at, told in self._runs(place, lateness_ms) if run == wanted)

    def _runs(self, place: Place, lateness_ms: int) -> Iterator[tuple[int, int, Told]]:
        """Each message with the number of the run in which it is in time, and how far time had come in that (ms since 1970)."""
        clocks: list[int] = []
        for told in self._part(place):
            at = _time_of(told)
            late = (number for number, clock in enumerate(clocks) if at >= clock - lateness_ms)
            run = next(late, min(len(clocks), _MOST_RUNS - 1))
            if run == len(clocks):
                clocks.append(at)
            clocks[run] = max(clocks[run], at)
            yield run, clocks[run], told

    def _part(self, place: Place) -> Iterator[Told]:
        read = -1
        keyed = self.kind(place[0]) == "roster"
        names = ("offset", "timestamp", "value", *(["key"] if keyed else []))
        for span in self.spans[place]:
            if span.next <= read:
                continue
            for offset, timestamp, value, *key in rows(whole(self.store, span), *names):
                if offset >= read:
                    yield Told(timestamp, place, offset, key[0] if keyed else None, value)
            read = max(read, span.next)


def contents(store: Store, prefix: str, policy: AnyPolicy, first: date) -> Contents:
    """What is archived from so long before a day on that it may concern it, to the end: an open ticket is remembered for more than a year,
    whatever else for twice the look-back, and the roster from its beginning.

    Raises ValueError where nothing is archived, or a file is missing.
    """
    names = [f"{prefix}{topic.name}" for topic in (*EVENT_TOPICS, ROSTER)]
    found = store.spans(names)
    if not any(place[0] != f"{prefix}{ROSTER.name}" for place in found):
        raise ValueError(f"no events are archived at {store.place}: is it the right place and prefix?")
    look_back = 2 * rules_of(policy).look_back_ms
    concerned: dict[Place, Sequence[Span]] = {}
    for place, spans in found.items():
        topic = place[0].removeprefix(prefix)
        reach = look_back + (OPEN_FOR_MS if topic in (TICKETS.name, AGENTS.name) else 0)
        # An event may be ahead of its time, and a zone; a file has nothing that came after its day.
        since = date.min if topic == ROSTER.name else first - timedelta(days=reach // _DAY_MS + 3)
        own = list(dropwhile(lambda span, since=since: _TIMELESS < span.day < since, spans))  # type: ignore[misc]
        if gaps := missing(own):
            begin, end = gaps[0]
            raise ValueError(
                f"{place[0]}, partition {place[1]}: a file is missing: no file has the offsets {begin:,} to {end - 1:,}; "
                "see `deskpulse archive verify`"
            )
        concerned[place] = own
    return Contents(store, prefix, concerned)


class _Timed(msgspec.Struct):
    time: Time


_timed = msgspec.json.Decoder(_Timed).decode


def _time_of(told: Told) -> int:
    """When what a message tells happened, ms since 1970; when it came where it tells no time."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return milliseconds(_timed(told.value or b"").time)
    return told.timestamp


class Gate:
    """Judges events as a worker does when they come: by the contract, and by the clock of their partition; a worker on the machine's clock
    is taken to have read a message when it came. ``late``: what came too late for workers is let in.
    """

    def __init__(self, policy: AnyPolicy, *, event_time: bool, late: bool = False) -> None:
        self._policy, self._event_time, self.late = policy, event_time, late
        self._clocks: dict[Place, EventClock] = {}
        self.refused: Counter[str] = Counter()

    @property
    def now(self) -> int | None:
        """The highest time that any partition has come to, ms since 1970; None: nothing was let in."""
        return max((clock.now for clock in self._clocks.values() if clock.now is not None), default=None)

    def contact(self, told: Told) -> tuple[AnyContactEvent, int] | None:
        """The event of a contact, and how far time had come where it was read (ms); None: it is refused."""
        found = self.judged(told)
        if isinstance(found, Rejected):
            self.refused[found.reason] += 1
            return None
        return found

    def judged(self, told: Told) -> tuple[AnyContactEvent, int] | Rejected:
        """The same; why it is refused."""
        event = decode_contact(told.value)
        if isinstance(event, Rejected):
            return event
        now = self._judged(told, milliseconds(event.time), event.contact_id)
        return now if isinstance(now, Rejected) else (event, now)

    def agent(self, told: Told) -> tuple[PresenceEvent, int] | None:
        """The same of an agent's event."""
        event = decode_presence(told.value)
        if isinstance(event, Rejected):
            self.refused[event.reason] += 1
            return None
        now = self._judged(told, event.at, event.agent_id)
        if isinstance(now, Rejected):
            self.refused[now.reason] += 1
            return None
        return event, now

    def _judged(self, told: Told, at: int, who: str) -> int | Rejected:
        clock = self._clocks.get(told.place)
        if clock is None:
            clock = self._clocks[told.place] = EventClock()
        machine = told.timestamp
        now = at if self.late else machine if not self._event_time else at if clock.now is None else clock.now
        if (refused := check_lateness(at, now, machine, self._policy)) is not None:
            return refused
        clock.advance(at, who, self._policy.allowed_lateness_ms)
        return now


class _Named(msgspec.Struct):
    """Of an event of a contact: who tells whose it is."""

    source: str
    contact_id: str
    customer_id: str | None = None


class Together(NamedTuple):
    """What cannot be looked at apart. ``lacking``: sources that have sent events without a customer; ``of``: customers and contacts that
    are to be kept together, as the customer of a contact is told by some of its events only, or several are: id → one that stands for all.
    """

    lacking: frozenset[str] = frozenset()
    of: Mapping[str, str] = {}

    def shard(self, event: AnyContactEvent, shards: int) -> int:
        """Which of so many shards an event belongs to."""
        return self.shard_of(event.customer_id or event.contact_id, shards)

    def shard_of(self, id: str, shards: int) -> int:
        """Which of so many shards a customer, a contact without one, or an agent belongs to."""
        return crc32(self.of.get(id, id).encode()) % shards


def together(read: Callable[[], Iterable[bytes | None]]) -> Together:
    """What belongs together. ``read``: gives the messages about contacts, and is asked twice where any lacks a customer."""
    decode = msgspec.json.Decoder(_Named).decode

    def named() -> Iterator[_Named]:
        for raw in read():
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield decode(raw or b"")

    lacking = frozenset(event.source for event in named() if event.customer_id is None)
    told: dict[str, str] = {}
    parents: dict[str, str] = {}

    def root(id: str) -> str:
        while (parent := parents.get(id, id)) != id:
            parents[id] = id = parents.get(parent, parent)
        return id

    for event in named() if lacking else ():
        if event.source in lacking:
            key = event.customer_id or event.contact_id
            first = told.setdefault(event.contact_id, key)
            if first != key:
                one, other = root(first), root(key)
                parents[one] = parents[other] = min(one, other)
    return Together(lacking, {id: root(id) for id in parents})
