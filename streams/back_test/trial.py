"""What alert rules would have done: how often they fire, for whom and how long, and how many messages people get of it.

The stages and the incidents are those at work; only the events are of the past, each as it was told, and time passes second by second.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from streams.alerts.budgets import Budget
from streams.alerts.rules import Rule
from streams.back_test.budgets import Spent, spent
from streams.back_test.chance import Counted
from streams.back_test.judged import Partitions, run_as_judged
from streams.back_test.weeks import Weeks
from streams.contracts.outputs import NOW, Alert, Contribution, Incident, IncidentStep
from streams.incidents.book import IncidentBook
from streams.incidents.places import Places
from streams.kpi.policy.versions import AnyPolicy
from streams.notifier.config import Config
from streams.notifier.routing import destinations
from streams.people.duty import DutyBook
from streams.pipeline import Run, run_by_second
from streams.roster import Roster
from streams.targets.book import Targets
from streams.windows.clock import instant

T = TypeVar("T")

#: What fires again so soon after it was over has only paused.
FLAP = timedelta(minutes=10)
#: A figure of fewer things is mostly chance: a third of equal agents differ by more than ten points.
FEW = 20
#: Incidents live on after the last event for so long, ms: gathering, settling and growing have ended by then.
_AFTER_MS = 600_000


@dataclass
class Firing:
    """An alert from when it began to fire until it was over, or had no data. ``ended``: None: it fires at the end."""

    rule: str
    entity: str
    began: datetime
    value: float | None
    n: int
    ended: datetime | None = None
    #: It fired for the same entity less than ``FLAP`` before.
    flap: bool = False

    def lasted(self, end: datetime) -> timedelta:
        """How long; until ``end``, where it fires still."""
        return (self.ended or end) - self.began


@dataclass(frozen=True)
class OfRule:
    """What came of one rule. Durations are of its alerts; ``messages``: steps of incidents that people are told; ``steps``: of alerts."""

    rule: Rule
    firings: Sequence[Firing]
    incidents: int
    messages: int
    most_in_a_day: int
    steps: int
    end: datetime
    weeks: float
    #: How often a week chance alone would make it fire; None: that cannot be told of such a rule.
    by_chance: float | None = None
    #: Channel → messages, by the routes of a notifier; none where there was no notifier's file.
    channels: Mapping[str, int] = field(default_factory=dict)

    @property
    def entities(self) -> Counter[str]:
        """For whom it fired how often."""
        return Counter(each.entity for each in self.firings)

    @property
    def flaps(self) -> int:
        """How often it fired again shortly after it was over."""
        return sum(each.flap for each in self.firings)

    @property
    def of_few(self) -> int:
        """How often on a figure of fewer than ``FEW`` things; what is no figure of many (who waits longest) is none."""
        return 0 if self.rule.window == NOW else sum(each.n < FEW for each in self.firings)

    @property
    def durations(self) -> list[timedelta]:
        """How long it fired, the shortest first."""
        return sorted(each.lasted(self.end) for each in self.firings)

    @property
    def typical(self) -> timedelta | None:
        """The median of them; None: it never fired."""
        return timedelta(seconds=median(each.total_seconds() for each in self.durations)) if self.firings else None

    @property
    def longest(self) -> timedelta | None:
        """The longest of them; None: it never fired."""
        return self.durations[-1] if self.firings else None

    def told(self) -> dict[str, object]:
        """The same for programs. Durations in seconds."""
        typical, longest = self.typical, self.longest
        return {
            "rule": self.rule.id,
            "weeks": self.weeks,
            "fired": len(self.firings),
            "entities": dict(self.entities.most_common()),
            "typical_seconds": None if typical is None else typical.total_seconds(),
            "longest_seconds": None if longest is None else longest.total_seconds(),
            "flaps": self.flaps,
            "of_few": self.of_few,
            "incidents": self.incidents,
            "messages": self.messages,
            "most_in_a_day": self.most_in_a_day,
            "steps": self.steps,
            "notify": list(self.rule.notify),
            "by_chance_a_week": self.by_chance,
            "channels": dict(self.channels),
        }

    def a_week(self, count: int) -> float:
        """How many a week that is."""
        return count / self.weeks if self.weeks else 0.0


@dataclass
class Trial:
    """Rules tried on the past. ``first`` and ``last``: the days of which is told what they did; before ``first`` they are only run in."""

    rules: Sequence[Rule]
    zone: ZoneInfo
    first: date = date.min
    last: date = date.max
    firings: list[Firing] = field(default_factory=list)
    #: Messages: when, of which rule, which step.
    messages: list[tuple[datetime, str, IncidentStep]] = field(default_factory=list)
    began: datetime | None = None
    ended: datetime | None = None
    run: Run = field(default_factory=Run)
    #: Rule → how often a week chance alone would make it fire; None: that cannot be told of such a rule.
    by_chance: dict[str, float | None] = field(default_factory=dict)
    #: How many false alarms a week there may be, and what is spent of it by kind.
    budget: Budget | None = None
    spent: list[Spent] = field(default_factory=list)
    #: Rule → channel → messages.
    channels: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _open: dict[tuple[str, str], Firing] = field(default_factory=dict)
    _over: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _incidents: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _steps: Counter[str] = field(default_factory=Counter)

    def within(self, moment: datetime) -> bool:
        """Is a moment in the days of which is told?"""
        return self.first <= moment.astimezone(self.zone).date() <= self.last

    def alert(self, alert: Alert) -> None:
        """A step in the life of an alert, or its present figures, which are none."""
        key = alert.rule, alert.entity
        if alert.update:
            return
        if self.within(alert.at):
            self._steps[alert.rule] += 1
        if alert.status != "firing":  # over, or nothing is known any more
            if (firing := self._open.pop(key, None)) is not None:
                firing.ended = alert.at
                self._over[key] = alert.at
        elif key not in self._open:
            over = self._over.get(key)
            flap = over is not None and alert.at - over < FLAP
            firing = self._open[key] = Firing(alert.rule, alert.entity, alert.at, alert.value, alert.n, flap=flap)
            if self.within(alert.at):
                self.firings.append(firing)

    def step(self, incident: str, rule: str, step: IncidentStep, channels: Iterable[str] = ()) -> None:
        """A step of an incident, and the channels that are told of it."""
        if not self.within(step.at):
            return
        self._incidents[rule].add(incident)
        if not step.quiet:
            self.messages.append((step.at, rule, step))
            self.channels[rule].update(channels)

    @property
    def first_day(self) -> date | None:
        """The first day of which is told; None: there was no event."""
        return None if self.began is None else max(self.first, self.began.astimezone(self.zone).date())

    @property
    def last_day(self) -> date | None:
        """The last one."""
        return None if self.ended is None else min(self.last, self.ended.astimezone(self.zone).date())

    @property
    def weeks(self) -> float:
        """How long these days are, in weeks; parts of days count whole."""
        first, last = self.first_day, self.last_day
        return 0.0 if first is None or last is None else max(0, (last - first).days + 1) / 7

    def of(self, rule: Rule) -> OfRule:
        """What came of one rule."""
        told = [at for at, id, _ in self.messages if id == rule.id]
        days = Counter(at.astimezone(self.zone).date() for at in told)
        return OfRule(
            rule,
            [each for each in self.firings if each.rule == rule.id],
            len(self._incidents[rule.id]),
            len(told),
            max(days.values(), default=0),
            self._steps[rule.id],
            self.ended or instant(0),
            self.weeks,
            self.by_chance.get(rule.id),
            dict(sorted(self.channels[rule.id].items())),
        )

    def reckon(self, counted: Counted) -> None:
        """Work out what chance would make of the rules, on what was counted in these days."""
        first, last = self.first_day, self.last_day
        if first is not None and last is not None and first <= last:
            self.by_chance = {rule.id: counted.a_week(rule, first, last) for rule in self.rules}
            if self.budget is not None:
                self.spent = spent(counted, self.rules, self.budget, first, last)

    def minutes(self, rule: Rule) -> dict[tuple[date, int], int]:
        """Local day and hour → for how many minutes of it the rule fired for anybody, as whole minutes begun."""
        fired: set[datetime] = set()
        for each in self.firings:
            if each.rule == rule.id:
                at = each.began.replace(second=0, microsecond=0)
                while at < (each.ended or self.ended or each.began):
                    fired.add(at)
                    at += timedelta(minutes=1)
        found: Counter[tuple[date, int]] = Counter()
        for at in fired:
            local = at.astimezone(self.zone)
            found[local.date(), local.hour] += 1
        return found


class _Routed:
    """Whom a notifier's routes lead to, where nobody is on duty; without one nowhere."""

    def __init__(self, notifier: Config | None, zone: ZoneInfo) -> None:
        self._notifier, self._duties = notifier, DutyBook(zone)
        #: Incident → channels that have heard of it.
        self._heard: defaultdict[str, set[str]] = defaultdict(set)

    def channels(self, incident: Incident | None, step: IncidentStep) -> set[str]:
        if self._notifier is None or incident is None or step.quiet:
            return set()
        heard = self._heard[incident.id]
        to = destinations(incident, step, heard, self._notifier, self._duties, step.at)
        heard |= (told := {one.channel for one in to})
        return told


def try_rules(  # noqa: PLR0913 - what an operation has
    rules: Sequence[Rule],
    told: Iterable[tuple[int, bytes]],
    policy: AnyPolicy,
    roster: Roster | None = None,
    *,
    judged: Partitions | None = None,
    targets: Targets | None = None,
    notifier: Config | None = None,
    budget: Budget | None = None,
    first: date = date.min,
    last: date = date.max,
    passed: Callable[[datetime], None] = lambda _: None,
) -> Trial:
    """Let an operation live through messages under some rules.

    ``told``: when each message came (ms since 1970), in that order; ``judged``: in their place, what workers judged rules on. ``first``,
    ``last``: see ``Trial``. ``passed`` hears every hour how far it is. ``notifier``: by whose routes channels are told; nobody is on duty,
    and nothing is put together. ``budget``: of false alarms; it is told what is spent of it. What is usual is what was so in the weeks
    that were lived through until then.
    """
    trial = Trial(rules, policy.zone, first, last, budget=budget)
    book, counted = IncidentBook(rules, Places(roster), policy.zone), Counted(rules, policy)
    weeks = Weeks(rules, policy)
    now = hour = 0

    routed = _Routed(notifier, policy.zone)

    def hear(key: str, contribution: Contribution) -> None:
        counted.hear(key, contribution)
        weeks.hear(key, contribution)

    def pass_time(at: int) -> None:
        book.tick(at)
        changes = book.drain(at)
        incidents = {incident.id: incident for incident in changes.incidents}
        for id, rule, step in changes.steps:
            trial.step(id, rule, step, routed.channels(incidents.get(id), step))

    for now, steps in _lived(
        rules, told, judged, policy, trial.run, last, roster=roster, targets=targets, baselines=weeks.book, heard=hear
    ):
        weeks.come_to(now)
        if trial.began is None:
            trial.began = instant(now)
        if now // 3_600_000 > hour:
            hour = now // 3_600_000
            passed(instant(now))
        book.tick(now)
        for alert in steps:
            trial.alert(alert)
            book.alert(alert, now)
        pass_time(now)
    if now:
        trial.ended = instant(now)
        pass_time(now + _AFTER_MS)
    trial.reckon(counted)
    return trial


def _lived(
    rules: Sequence[Rule],
    told: Iterable[tuple[int, bytes]],
    judged: Partitions | None,
    policy: AnyPolicy,
    result: Run,
    last: date,
    *,
    roster: Roster | None,
    **more: Any,
) -> Iterator[tuple[int, list[Alert]]]:
    """The steps of alerts by what came, or by what workers judged rules on, up to the end of a day."""
    if judged is None:
        return run_by_second(_until(told, last, policy.zone), policy, tuple(rules), result, roster, **more)
    return _until(run_as_judged(judged, policy, rules, result, **more), last, policy.zone)


def _until(told: Iterable[tuple[int, T]], last: date, zone: ZoneInfo) -> Iterator[tuple[int, T]]:
    """What came up to the end of a day."""
    end = (
        None
        if last == date.max
        else datetime.combine(last + timedelta(days=1), datetime.min.time(), zone).timestamp() * 1000
    )
    for at, raw in told:
        if end is not None and at >= end:
            return
        yield at, raw
