"""The whole way of an event as one plain function: raw messages in, facts, alerts and snapshots out. No Kafka, no machine clock.

Tests, ``deskpulse facts compute`` and trials of a rule call this; the Faust workers run the same two stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from streams.alerts.rules import Rule
from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts.decode import Rejected
from streams.contracts.outputs import Alert, DailyFacts, Snapshot, entity_kind
from streams.entity import Entity
from streams.facts import due
from streams.kpi.measures import add, merged
from streams.kpi.policy import Policy
from streams.kpis_stage import KpisStage
from streams.roster import Roster
from streams.windows.clock import EventClock

#: No event of the past lies beyond this machine clock: the year 2262.
_FAR = 9_214_646_400_000


class Customers(dict[str, Customer]):
    """Every customer there is; a new one where there is none."""

    def __missing__(self, key: str) -> Customer:
        customer = self[key] = Customer()
        return customer


class Entities(dict[str, Entity]):
    """Every entity there is; a new one where there is none."""

    def __missing__(self, key: str) -> Entity:
        entity = self[key] = Entity()
        return entity


def new_day(key: str) -> DailyFacts:
    """Empty facts for a key ``entity|date``."""
    entity, day = key.rsplit("|", 1)
    return DailyFacts(entity=entity, date=date.fromisoformat(day))


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
    alerts: list[Alert] = field(default_factory=list)
    facts: dict[str, DailyFacts] = field(default_factory=DayBook)
    entities: dict[str, Entity] = field(default_factory=Entities)
    customers: dict[str, Customer] = field(default_factory=Customers)
    _snapshot: Callable[[str, int], Snapshot] | None = None

    def snapshot(self, entity: str) -> Snapshot:
        """What a screen would show of an entity at the end of the run. Raises KeyError where nothing was admitted."""
        if self._snapshot is None or self.now is None:
            raise KeyError(entity)
        return self._snapshot(entity, self.now)


def run(
    raws: Iterable[bytes | None],
    policy: Policy,
    rules: tuple[Rule, ...] = (),
    roster: Roster | None = None,
    *,
    look_every: int = 1000,
) -> Run:
    """Take raw messages in the given order, on the event clock.

    Alerts are looked at after every ``look_every`` messages; 1 looks after each.
    """
    result = Run()
    contacts = ContactsStage(policy, roster or Roster())
    kpis = KpisStage(policy, rules, result.entities, result.facts)
    customers, clock = result.customers, EventClock()
    offset = seen = 0
    for batch in _batches(raws, look_every):
        outcome = contacts.process(batch, customers, clock, machine=_FAR, event_time=True)
        result.admitted += outcome.admitted
        result.duplicates += outcome.duplicates
        result.late += outcome.late
        result.rejected += [(seen + index, why) for index, why in outcome.rejected]
        seen += len(batch)
        if clock.now is None:
            continue
        for key, contribution in outcome.contributions.items():
            kpis.apply(key, contribution, offset)
            offset += 1
        kpis.advance(clock.now)
        if rules:
            result.alerts += kpis.alerts(clock.now)
    kpis.settle_all()
    result.now = clock.now
    result._snapshot = kpis.snapshot
    return result


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
    events: Sequence[bytes], amendments: Sequence[bytes], policy: Policy, roster: Roster, now: int
) -> list[DailyFacts]:
    """What amendments (``*.corrected``, ``*.retracted``) of these events change in days of agents and teams: facts to be added.

    ``events``: all of the contacts concerned, and of their customers where repeats are to be seen. ``now``: in ms since
    1970; what was planned up to then counts. Raises ValueError that names the message which is not admitted.
    """
    patient = policy.model_copy(update={"allowed_lateness_days": 36_500})  # nothing comes too late to be looked at
    before, after = (_settled(raws, patient, roster, now) for raws in (events, [*events, *amendments]))
    changed = []
    for key in sorted({*before.facts, *after.facts}):
        sums = merged([after.facts[key].sums])
        add(sums, before.facts[key].sums, -1)
        fact = after.facts[key]
        if sums and entity_kind(fact.entity) in ("agent", "team"):
            changed.append(DailyFacts(entity=fact.entity, date=fact.date, sums=sums))
    return changed


def _settled(raws: Sequence[bytes], policy: Policy, roster: Roster, now: int) -> Run:
    result = run(raws, policy, roster=roster, look_every=max(1, len(raws)))
    for number, why in result.rejected:
        raise ValueError(f"event {number + 1} is not admitted ({why.reason}): {why.detail}")
    for fact in result.facts.values():
        due(fact, now)
    return result
