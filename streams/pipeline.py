"""The whole way of an event as one plain function: raw messages in, facts, alerts and snapshots out. No Kafka, no machine clock.

Tests, ``deskpulse facts compute`` and trials of a rule call this; the Faust workers run the same two stages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from streams.alerts.baselines import Baselines
from streams.alerts.rules import Rule
from streams.contacts.customer import Customer
from streams.contacts.joining import Lacking
from streams.contacts.records import Recorder
from streams.contacts.shared import customer_of
from streams.contacts.stage import ContactsStage
from streams.contacts.stage import Outcome as ContactsOutcome
from streams.contacts.unknown import Word, count
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Alert, ContactRecord, Contribution, DailyFacts, Snapshot, Totals, entity_kind
from streams.entities.daily_facts import due, plain
from streams.entities.day_parts import new_day
from streams.entities.entity import Entity
from streams.entities.interval_facts import IntervalBook, IntervalFacts
from streams.entities.stage import KpisStage
from streams.kpi.measures import add, merged
from streams.kpi.policy.versions import AnyPolicy
from streams.presence.log import AgentPresence
from streams.presence.stage import Outcome as PresenceOutcome
from streams.presence.stage import PresenceStage
from streams.roster import Roster
from streams.targets.book import Targets
from streams.windows.clock import Days, EventClock, Intervals

#: No event of the past lies beyond this machine clock: the year 2262.
_FAR = 9_214_646_400_000
_decode_record = msgspec.json.Decoder(ContactRecord).decode
_OF_AGENT = re.compile(rb'"type"\s*:\s*"agent\.')


class Customers(dict[str, Customer]):
    """Every customer there is; a new one where there is none."""

    def __missing__(self, key: str) -> Customer:
        customer = self[key] = Customer(customer_of(key))
        return customer

    def starting_with(self, prefix: str) -> list[str]:
        """The keys that begin so."""
        return [key for key in self if key.startswith(prefix)]

    def where(self, _: Callable[[bytes], bool]) -> Iterable[str]:
        """All there are: they are at work."""
        return self

    def all(self) -> Iterable[tuple[str, Customer]]:
        """All there are."""
        return self.items()

    def drop(self, key: str) -> None:
        """Hold nothing under a key any more."""
        self.pop(key, None)


class AgentsPresence(dict[str, AgentPresence]):
    """Every agent there is; a new one where there is none."""

    def __missing__(self, key: str) -> AgentPresence:
        agent = self[key] = AgentPresence()
        return agent


class Entities(dict[str, Entity]):
    """Every entity there is; a new one where there is none."""

    def __missing__(self, key: str) -> Entity:
        entity = self[key] = Entity()
        return entity


class DayBook(dict[str, DailyFacts]):
    """Every day of every entity; an empty one where there is none."""

    def __missing__(self, key: str) -> DailyFacts:
        facts = self[key] = new_day(key)
        return facts


@dataclass
class Run:
    """What a run over events came to. ``now`` is the highest event time, ms since 1970; None: no event was admitted."""

    now: int | None = None
    admitted: int = 0
    duplicates: int = 0
    late: int = 0
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    #: Words for kinds and topics that no list has → in how many events.
    unknown: dict[Word, int] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    facts: dict[str, DailyFacts] = field(default_factory=DayBook)
    entities: dict[str, Entity] = field(default_factory=Entities)
    customers: Customers = field(default_factory=Customers)
    agents: dict[str, AgentPresence] = field(default_factory=AgentsPresence)
    #: Key → contact record as it stands at the end, encoded; of a run that was to make them.
    records: dict[str, bytes] = field(default_factory=dict)
    #: The same of agents' intervals and shifts.
    presence_records: dict[str, bytes] = field(default_factory=dict)
    _totals: Callable[[str, int], Totals] | None = None
    _snapshot: Callable[[str, int], Snapshot] | None = None
    _days: Days | None = None

    def daily_facts(self) -> list[DailyFacts]:
        """Every day's facts as a reader gets them: what grows by itself is as of the end of the run."""
        now, days = self.now, self._days
        if now is None or days is None:
            return []
        begun = (facts for facts in self.facts.values() if facts.sums or not facts.planned)
        return [plain(facts, now, days) for facts in begun]

    def contact_records(self) -> dict[str, ContactRecord]:
        """Key → record of every contact; of a run that was to make them."""
        return {key: _decode_record(raw) for key, raw in self.records.items()}

    def totals(self, entity: str) -> Totals:
        """What screens would be given of an entity at the end of the run. Raises KeyError where nothing was admitted."""
        if self._totals is None or self.now is None:
            raise KeyError(entity)
        return self._totals(entity, self.now)

    def snapshot(self, entity: str) -> Snapshot:
        """What a screen would show of it. Raises KeyError as ``totals``."""
        if self._snapshot is None or self.now is None:
            raise KeyError(entity)
        return self._snapshot(entity, self.now)


def run(
    raws: Iterable[bytes | None],
    policy: AnyPolicy,
    rules: tuple[Rule, ...] = (),
    roster: Roster | None = None,
    *,
    look_every: int = 1000,
    machine: int = _FAR,
    targets: Targets | None = None,
    records: bool = False,
) -> Run:
    """Take raw messages in the given order, on the event clock.

    Alerts are looked at after every ``look_every`` messages; 1 looks after each. ``machine``: the machine's clock (ms since 1970),
    behind which an event of the future is refused; no clock where it is not given. ``targets``: what rules on ``target`` compare with.
    ``records``: make records of contacts and presence, too, as workers do.
    """
    result, days = Run(), Days(policy.zone, policy.day_starts_ms)
    kpis = KpisStage(policy, rules, result.entities, result.facts, targets)
    offset = 0
    for contributions in _admitted(raws, policy, roster, days, result, look_every, machine, records=records):
        for key, contribution in contributions:
            kpis.apply(key, contribution, offset)
            offset += 1
        if result.now is None:
            continue
        kpis.advance(result.now)
        if rules:
            result.alerts += kpis.alerts(result.now)
    kpis.settle_all()
    result._totals, result._snapshot = kpis.totals, kpis.snapshot
    result._days = days
    return result


def run_by_interval(
    raws: Iterable[bytes | None],
    policy: AnyPolicy,
    minutes: int,
    roster: Roster | None = None,
    *,
    machine: int = _FAR,
) -> tuple[Run, list[IntervalFacts]]:
    """The same stages, but facts by intervals of so many minutes (a whole number of quarters of an hour); no windows, no alerts.

    What a contact contributes counts in the interval in which it arrived, as it counts on that day: the intervals of a day add up to
    it. Levels are as of the end of the interval.
    """
    result, intervals = Run(), Intervals(policy.zone, policy.day_starts_ms, minutes)
    book = IntervalBook(intervals, policy.zone)
    for contributions in _admitted(raws, policy, roster, intervals, result, 1000, machine):
        for key, contribution in contributions:
            book.apply(key, contribution)
    return result, [] if result.now is None else book.facts(result.now)


def run_by_second(
    told: Iterable[tuple[int, bytes]],
    policy: AnyPolicy,
    rules: tuple[Rule, ...],
    result: Run,
    roster: Roster | None = None,
    *,
    targets: Targets | None = None,
    baselines: Baselines | None = None,
    heard: Callable[[str, Contribution], None] | None = None,
) -> Iterator[tuple[int, list[Alert]]]:
    """As an operation lives through it on the machine's clock: time passes also where nobody says anything.

    ``told``: when each message came (ms since 1970), in that order. Gives the steps of alerts with the whole second (ms) as of which
    they were told, and every minute, also where it has none. Counts go into ``result``. ``heard``: is given what each entity is
    contributed. ``targets``, ``baselines``: what rules on ``target``, ``usual`` and ``peers`` compare with. Ends with the minute of the
    last message.
    """
    days = Days(policy.zone, policy.day_starts_ms)
    stages = _FirstStage(policy, roster, days, result)
    kpis = KpisStage(policy, rules, result.entities, result.facts, targets, baselines)
    coming, offset = iter(told), 0
    upcoming = next(coming, None)
    now = 0 if upcoming is None else _whole(upcoming[0], 1_000)
    while upcoming is not None:
        batch: list[bytes | None] = []
        while upcoming is not None and upcoming[0] <= now:
            batch.append(upcoming[1])
            upcoming = next(coming, None)
        if batch:
            for key, contribution in stages.take(batch, machine=now, event_time=False):
                kpis.apply(key, contribution, offset)
                offset += 1
                if heard is not None:
                    heard(key, contribution)
        result.now = now
        kpis.advance(now)
        steps = kpis.alerts(now)
        if steps or now % 60_000 == 0:
            yield now, steps
        moments = [now - now % 60_000 + 60_000, _whole(max(kpis.stirs_at, now + 1), 1_000)]
        if upcoming is not None:
            moments.append(_whole(upcoming[0], 1_000))
        now = min(moments)
    kpis.settle_all()


def contributed(
    told: Iterable[tuple[int, bytes]], policy: AnyPolicy, result: Run, roster: Roster | None = None
) -> Iterator[tuple[str, Contribution]]:
    """What each entity is contributed; no windows, no days, no alerts. ``told``: see ``run_by_second``; counts go into ``result``."""
    stages = _FirstStage(policy, roster, Days(policy.zone, policy.day_starts_ms), result)
    for now, batch in groupby(told, key=lambda each: _whole(each[0], 1_000)):
        result.now = now
        yield from stages.take([raw for _, raw in batch], machine=now, event_time=False)


def _whole(ms: int, unit: int) -> int:
    """The next whole second, minute, or whatever ``unit`` (ms) is; the moment itself where it is one."""
    return -(-ms // unit) * unit


def _admitted(
    raws: Iterable[bytes | None],
    policy: AnyPolicy,
    roster: Roster | None,
    days: Days,
    result: Run,
    look_every: int,
    machine: int,
    *,
    records: bool = False,
) -> Iterator[list[tuple[str, Contribution]]]:
    """What each run of messages contributes to whom, in order; counts and clock go into ``result``."""
    stages = _FirstStage(policy, roster, days, result, records=records)
    for batch in _batches(raws, look_every):
        contributions = stages.take(batch, machine=machine, event_time=True)
        result.now = stages.now
        yield contributions


class _FirstStage:
    """The stages of contacts and of agents side by side, as they are in a worker; counts and records go into ``result``."""

    def __init__(
        self, policy: AnyPolicy, roster: Roster | None, days: Days, result: Run, *, records: bool = False
    ) -> None:
        self._result = result
        self._contacts = ContactsStage(policy, roster or Roster(), days)
        self._presence = PresenceStage(policy, roster or Roster(), days)
        self._recorder = Recorder(self._contacts.rules, on=records)
        self._recorder_of_agents = self._presence.record() if records else None
        # Two clocks, as contacts and agents are two topics: of a batch that spans a week, the contacts come first.
        self._clock, self._clock_of_agents = EventClock(), EventClock()
        self._lacking, self._seen = Lacking(), 0

    @property
    def now(self) -> int | None:
        """The highest event time that was admitted, ms; None: none was."""
        return max((at.now for at in (self._clock, self._clock_of_agents) if at.now is not None), default=None)

    def take(self, batch: Sequence[bytes | None], *, machine: int, event_time: bool) -> list[tuple[str, Contribution]]:
        """What a run of messages contributes to whom, in order."""
        result, seen = self._result, self._seen
        theirs = [index for index, raw in enumerate(batch) if raw is not None and _is_of_agent(raw)]
        others = sorted(set(range(len(batch))).difference(theirs)) if theirs else range(len(batch))
        outcome = self._contacts.process(
            [batch[index] for index in others],
            result.customers,
            self._clock,
            machine=machine,
            event_time=event_time,
            lacking=self._lacking,
        )
        contributions = _taken(result, outcome, [seen + index for index in others])
        _keep(result.records, self._recorder.take(result.customers, outcome.touched))
        if theirs:
            of_agents = self._presence.process(
                [batch[index] for index in theirs],
                result.agents,
                self._clock_of_agents,
                machine=machine,
                event_time=event_time,
            )
            contributions += _taken(result, of_agents, [seen + index for index in theirs])
            if self._recorder_of_agents is not None:
                _keep(result.presence_records, self._recorder_of_agents.take(result.agents, of_agents.touched))
        self._seen += len(batch)
        return contributions


def _keep(records: dict[str, bytes], news: Mapping[str, bytes | None]) -> None:
    for key, record in news.items():
        if record is None:
            records.pop(key, None)
        else:
            records[key] = record


def _taken(
    result: Run, outcome: ContactsOutcome | PresenceOutcome, places: Sequence[int]
) -> list[tuple[str, Contribution]]:
    """Count what a run of messages, which stood at ``places``, came to; returns what it contributes to whom."""
    result.admitted += outcome.admitted
    result.duplicates += outcome.duplicates
    result.late += outcome.late
    if isinstance(outcome, ContactsOutcome):
        for (field_, said), times in outcome.unknown.items():
            count(result.unknown, field_, said, times)
    result.rejected += [(places[index], why) for index, why in outcome.rejected]
    return list(outcome.contributions.items())


def _is_of_agent(raw: bytes) -> bool:
    """Is it an event about an agent, which in Kafka would be on another topic?"""
    return b'"agent.' in raw and _OF_AGENT.search(raw) is not None


def _batches(raws: Iterable[bytes | None], size: int) -> Iterator[list[bytes | None]]:
    batch: list[bytes | None] = []
    for raw in raws:
        batch.append(raw)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def effect(
    events: Sequence[bytes], amendments: Sequence[bytes], policy: AnyPolicy, roster: Roster, now: int
) -> list[DailyFacts]:
    """What amendments (``*.corrected``, ``*.retracted``) of these events change in days of agents and teams: facts to be added.

    ``events``: all of the contacts concerned, and of their customers where repeats are to be seen. ``now``: in ms since
    1970; what was planned up to then counts. Raises ValueError that names the message which is not admitted.
    """
    patient = policy.but(allowed_lateness_days=3660)  # nothing comes too late to be looked at
    before, after = (_settled(raws, patient, roster, now) for raws in (events, [*events, *amendments]))
    changed = []
    for key in sorted({*before.facts, *after.facts}):
        sums = merged([after.facts[key].sums])
        add(sums, before.facts[key].sums, -1)
        fact = after.facts[key]
        if sums and entity_kind(fact.entity) in ("agent", "team"):
            changed.append(DailyFacts(entity=fact.entity, date=fact.date, sums=sums))
    return changed


def _settled(raws: Sequence[bytes], policy: AnyPolicy, roster: Roster, now: int) -> Run:
    result = run(raws, policy, roster=roster, look_every=max(1, len(raws)))
    for number, why in result.rejected:
        raise ValueError(f"event {number + 1} is not admitted ({why.reason}): {why.detail}")
    for fact in result.facts.values():
        due(fact, now)
    return result
