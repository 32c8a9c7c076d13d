"""A period's daily facts from the archive, by the stages that the workers run.

Customers do not concern each other, and neither do agents: they are spread over processes, each of which reads everything, lets the clocks
of the partitions go, and works out its own. What they contribute to an entity's day adds up.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from multiprocessing.connection import Connection, wait
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from streams.archive.replaying import Contents, Gate, Together, Told, contents, together
from streams.archive.store import Store
from streams.contacts.joining import Lacking
from streams.contacts.recorded import digest_in, digest_of
from streams.contacts.records import Recorder
from streams.contacts.shared import customer_of
from streams.contacts.stage import ContactsStage
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Contribution, Counted, DailyFacts
from streams.entities.daily_facts import apply, by_day, due, whole
from streams.entities.day_parts import iso
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import AgentsPresence, Customers, DayBook
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.windows.clock import Days, EventClock

#: What is done with the bytes of an event about a contact before anything looks at them: as they may be taken in, or why they may not.
Screen: TypeAlias = Callable[[bytes | None], "bytes | Rejected | None"]
#: So many events of a kind are handed to a stage at once; so many were read when it is said again how far it has come.
_BATCH, _TOLD_EVERY = 1000, 20_000


@dataclass(frozen=True)
class Task:
    """What is to be computed, of which archive. ``event_time``: the workers are on the event clock. ``screen``: makes what looks at the
    customer ids; None: nothing does. It goes to other processes. ``late``: what came too late for workers is let in, and all is taken in in
    the order in which it happened. ``records``: those of the days, too.
    """

    place: str
    prefix: str
    policy: AnyPolicy
    first: date
    last: date
    event_time: bool
    screen: Callable[[], Screen] | None = None
    late: bool = False
    records: bool = False


class Recorded(msgspec.Struct, frozen=True):
    """A record that says something of the days. ``home``: the id of whose events it is made, which chooses its partition."""

    home: str
    value: bytes


class Result(msgspec.Struct):
    """What came of it. ``facts``: of every entity and day, by both; ``read``: messages; ``refused``: how many events for which reason;
    ``now``: the highest time of an event that was let in, ms since 1970; None: none was. ``contacts``, ``presence``: key → record, where
    they were asked for: of contacts that arrived on one of the days or count for something on it, and so of agents' intervals and shifts.
    """

    facts: list[DailyFacts] = []
    read: int = 0
    admitted: int = 0
    refused: dict[str, int] = {}
    now: int | None = None
    contacts: dict[str, Recorded] = {}
    presence: dict[str, Recorded] = {}


_encode = msgspec.json.Encoder().encode
K = TypeVar("K", str, int)
V = TypeVar("V")
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Result).decode


def recompute(
    task: Task,
    processes: int | None = None,
    machine: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Compute. ``processes``: as many as there are cores where it is not given. ``machine``: the machine's clock (ms since
    1970), up to which what was planned counts where workers are on that clock. ``progress``: is told how many messages are done,
    of how many.

    Raises ValueError where the archive lacks a file or one is damaged, OSError where it cannot be read, RuntimeError where a process ended.
    """
    read = contents(Store(task.place), task.prefix, task.policy, task.first)
    shards = processes or len(os.sched_getaffinity(0))
    say = progress or (lambda done, of: None)
    expected = read.messages()
    if shards == 1:
        parts = [_computed(task, read, 0, 1, Together(), lambda done: say(done, expected))]
    else:
        parts = _spread(task, shards, together(lambda: _raws(task, read)), lambda done: say(done, expected))
    now = max((part.now for part in parts if part.now is not None), default=None)
    clock = now if task.event_time or machine is None else machine
    facts = whole(fact for part in parts for fact in part.facts)
    for fact in facts:
        fact.planned = {at: sums for at, sums in fact.planned.items() if sums}
        if clock is not None:
            due(fact, clock)
    own = sorted((fact for fact in facts if fact.sums or fact.planned), key=_entity_and_day)
    refused: Counter[str] = Counter()
    for part in parts:
        refused.update(part.refused)
    return Result(
        own,
        parts[0].read,
        sum(part.admitted for part in parts),
        dict(refused),
        now,
        {key: record for part in parts for key, record in part.contacts.items()},
        {key: record for part in parts for key, record in part.presence.items()},
    )


def files(task: Task) -> frozenset[str]:
    """The names of the files that concern it. Raises as ``recompute``."""
    read = contents(Store(task.place), task.prefix, task.policy, task.first)
    return frozenset(span.name for own in read.spans.values() for span in own)


def plain_bytes(facts: Iterable[DailyFacts]) -> bytes:
    """Facts as one text that is the same where they are: a line for each entity and day, sorted, without what says how often
    they were written and in which parts. Days of which nothing counts and nothing is planned are left out.
    """
    lines = []
    for fact in sorted(whole(facts), key=_entity_and_day):
        planned = {at: _sorted(sums) for at, sums in _sorted(fact.planned).items() if sums}
        if fact.sums or planned:
            lines.append(
                _encode(DailyFacts(entity=fact.entity, date=fact.date, sums=_sorted(fact.sums), planned=planned))
            )
    return b"".join(line + b"\n" for line in lines)


def digest(facts: Iterable[DailyFacts]) -> str:
    """SHA-256 of ``plain_bytes``."""
    return sha256(plain_bytes(facts)).hexdigest()


def _sorted(values: Mapping[K, V]) -> dict[K, V]:
    return dict(sorted(values.items(), key=itemgetter(0)))


def _entity_and_day(fact: DailyFacts) -> tuple[str, date]:
    return fact.entity, fact.date


# -- one shard -------------------------------------------------------------------------------------------------------------


class _Shard:
    """The part of customers and agents that one process works out."""

    def __init__(self, task: Task, number: int, shards: int, apart: Together) -> None:
        self._number, self._shards, self._apart = number, shards, apart
        days = Days(task.policy.zone, task.policy.day_starts_ms)
        self._roster = Roster()
        self._contacts = ContactsStage(task.policy, self._roster, days)
        self._presence = PresenceStage(task.policy, self._roster, days)
        self._customers, self._agents, self._lacking = Customers(), AgentsPresence(), Lacking(apart.lacking)
        self._recorder = Recorder(self._contacts.rules, on=task.records)
        self._recorder_of_agents = self._presence.record() if task.records else None
        self._days = days
        self._event_time = task.event_time
        self._first, self._last = task.first.toordinal(), task.last.toordinal()
        self._book = DayBook()
        self.gate = Gate(task.policy, event_time=task.event_time, late=task.late)
        self._screen = task.screen() if task.screen is not None else None
        self._of_contacts: list[tuple[bytes | None, int]] = []
        self._of_agents: list[tuple[bytes | None, int]] = []
        self.result = Result()
        self._refused: Counter[str] = Counter()

    def begin(self, roster: Sequence[Told]) -> None:
        """Know the roster's messages before they come. Where some are not there, compacted before they were archived, an agent's
        first is the best that is known of the time before it. Where all is taken in as it happened, the last that is known holds.
        """
        if self.gate.late:
            for told in roster:
                self._rostered(told)
        elif any(told.offset != number for number, told in enumerate(roster)):
            for told in reversed(roster):
                self._rostered(told)

    def take(self, kind: str, told: Told) -> None:
        """Take a message in, in the order in which they came."""
        if kind == "roster":
            self._settle()
            self._rostered(told)
            return
        if kind == "agent":
            if (event := self.gate.agent(told)) is not None and self._apart.shard_of(
                event[0].agent_id, self._shards
            ) == self._number:
                self._of_agents.append((told.value, event[1]))
        else:
            if self._screen is not None:
                screened = self._screen(told.value)
                if isinstance(screened, Rejected):
                    self.gate.refused[screened.reason] += 1
                    return
                told = told._replace(value=screened)
            found = self.gate.contact(told)
            if found is not None and self._apart.shard(found[0], self._shards) == self._number:
                self._of_contacts.append((told.value, found[1]))
        if len(self._of_contacts) >= _BATCH or len(self._of_agents) >= _BATCH:
            self._settle()

    def end(self) -> Result:
        """What it came to."""
        self._settle()
        refused = Counter(self._refused)
        if self._number == 0:  # each has seen what the gate refuses
            refused += self.gate.refused
        self.result.facts = list(self._book.values())
        self.result.refused, self.result.now = dict(refused), self.gate.now
        return self.result

    def _rostered(self, told: Told) -> None:
        if told.key is not None:
            self._roster.load({told.key.decode("utf-8", "replace"): told.value})

    def _settle(self) -> None:
        if self._of_contacts:
            raws, judged = zip(*self._of_contacts, strict=True)
            out = self._contacts.process(
                raws,
                self._customers,
                EventClock(),
                machine=0,
                event_time=self._event_time,
                judged=judged,
                lacking=self._lacking,
            )
            self._keep(out.contributions, out.rejected, out.admitted)
            homes = {digest_of(id): id for id in map(customer_of, out.touched)}
            for key, value in self._recorder.take(self._customers, sorted(out.touched)).items():
                self._record(self.result.contacts, key, value, homes.get(digest_in(key), ""))
            self._of_contacts.clear()
        if self._of_agents:
            raws, judged = zip(*self._of_agents, strict=True)
            told = self._presence.process(
                raws, self._agents, EventClock(), machine=0, event_time=self._event_time, judged=judged
            )
            self._keep(told.contributions, told.rejected, told.admitted)
            if self._recorder_of_agents is not None:
                for name in told.touched:
                    for key, value in self._recorder_of_agents.take(self._agents, (name,)).items():
                        self._record(self.result.presence, key, value, name)
            self._of_agents.clear()

    def _record(self, into: dict[str, Recorded], key: str, value: bytes | None, home: str) -> None:
        if value is not None and concerns(value, self._first, self._last, self._days):
            into[key] = Recorded(home, value)
        else:
            into.pop(key, None)

    def _keep(
        self, contributions: Mapping[str, Contribution], rejected: list[tuple[int, Rejected]], admitted: int
    ) -> None:
        for entity, contribution in contributions.items():
            for day, said in by_day((contribution,)).items():
                if self._first <= day <= self._last:
                    apply(self._book[f"{entity}|{iso(day)}"], said)
        self._refused.update(why.reason for _, why in rejected)
        self.result.admitted += admitted


class _Dated(msgspec.Struct):
    """What a record says of days."""

    counts: dict[str, Counted]
    date: date | None = None
    since: int = 0


_dated = msgspec.json.Decoder(_Dated).decode


def concerns(record: bytes, first: int, last: int, days: Days) -> bool:
    """Does a record of a contact or of presence say something of days (ordinals): did it arrive or begin on one, or count on it?"""
    told = _dated(record)
    own = days.of(told.since) if told.date is None else told.date.toordinal()
    return first <= own <= last or any(
        first <= day <= last for slot in told.counts.values() for day in (slot.day, *(day for _, day in slot.again))
    )


def _computed(
    task: Task, read: Contents, number: int, shards: int, apart: Together, say: Callable[[int], None]
) -> Result:
    shard = _Shard(task, number, shards, apart)
    shard.begin(list(read.told("roster")))
    kinds = {place: read.kind(place[0]) for place in read.spans}
    done = 0
    # A past that is loaded knows the roster already.
    coming = (
        read.told_in_time(task.policy.allowed_lateness_ms, "contact", "agent")
        if task.late
        else read.told("contact", "agent", "roster")
    )
    for told in coming:
        shard.take(kinds[told.place], told)
        done += 1
        if not done % _TOLD_EVERY:
            say(done)
    result = shard.end()
    result.read = done
    return result


def _raws(task: Task, read: Contents) -> Iterator[bytes | None]:
    """The messages about contacts, as they may be taken in."""
    screen = task.screen() if task.screen is not None else None
    for told in read.told("contact"):
        value = told.value if screen is None else screen(told.value)
        if not isinstance(value, Rejected):
            yield value


# -- many processes --------------------------------------------------------------------------------------------------------


def _spread(task: Task, shards: int, apart: Together, say: Callable[[int], None]) -> list[Result]:
    """Every shard's result, each by a process of its own."""
    new = multiprocessing.get_context("spawn")  # pyarrow has threads, which no fork survives
    processes: dict[Connection, Any] = {}
    for number in range(shards):
        ours, theirs = new.Pipe(duplex=False)
        process = new.Process(target=_work, args=(theirs, task, number, shards, apart), daemon=True)
        process.start()
        theirs.close()
        processes[ours] = process
    try:
        return _awaited(processes, say)
    finally:
        for connection, process in processes.items():
            connection.close()
            process.terminate()
            process.join()


def _awaited(processes: Mapping[Connection, Any], say: Callable[[int], None]) -> list[Result]:
    done = dict.fromkeys(processes, 0)
    results: dict[Connection, Result] = {}
    while len(results) < len(processes):
        for ready in wait([one for one in processes if one not in results]):
            connection = cast("Connection", ready)
            try:
                told = connection.recv()
            except EOFError as error:
                raise RuntimeError("a process that computes has ended: is there enough memory?") from error
            match told:
                case int():
                    done[connection] = told
                    say(sum(done.values()) // len(done))
                case bytes():
                    results[connection] = _unpack(told)
                case Exception():
                    raise told
    return [results[connection] for connection in processes]


def _work(connection: Connection, task: Task, number: int, shards: int, apart: Together) -> None:
    gc.set_threshold(100_000, 50, 1_000_000)  # as in a worker: nearly nothing is a cycle
    try:
        read = contents(Store(task.place), task.prefix, task.policy, task.first)
        connection.send(_pack(_computed(task, read, number, shards, apart, connection.send)))
    except (ValueError, OSError) as error:  # what whoever asked can mend
        connection.send(type(error)(str(error)) if isinstance(error, ValueError) else OSError(str(error)))
