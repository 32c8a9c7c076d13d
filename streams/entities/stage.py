"""The second stage: contributions into panes, windows and daily facts; out come snapshots and alerts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from streams.alerts.baselines import Baselines, half_window
from streams.alerts.cusum import Evidence
from streams.alerts.evaluate import Aim, Watch, Watching, leave, look, next_look_at, no_target, standing, watches
from streams.alerts.rules import Rule
from streams.contracts.outputs import (
    TODAY,
    Alert,
    Baseline,
    Contribution,
    DailyFacts,
    Snapshot,
    Sums,
    Totals,
    entity_kind,
)
from streams.entities import daily_facts as daily
from streams.entities.changes import evidence_of, fold
from streams.entities.day_parts import iso, key_of
from streams.entities.entity import Entity
from streams.entities.snapshot import Snapshots
from streams.entities.wakeups import Keys, Plan, Wakeups
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.targets.book import Targets
from streams.windows.clock import NEVER, Days, instant
from streams.windows.rolling import Plain

_NOTHING: Sums = {}
_QUARTER_MS = 900_000
_NO_EVIDENCE: Mapping[str, Evidence] = {}
#: Contributions that are put aside for one entity at most.
_MOST_PENDING = 64
#: An alert without data stops nobody from being forgotten after this, ms: whoever was told of it has it in an incident.
_SILENT_MS = 86_400_000
#: (offset, contribution, border of its days) put aside, in the order of their coming.
_Pending = list[tuple[int, Contribution, int]]


class Time(NamedTuple):
    """As of which ``second`` (ms since 1970) rules were judged last in a partition; ``highest``: as of which ever, as clocks go back."""

    second: int
    highest: int


class Judgement(NamedTuple):
    """Rules are judged as of ``second`` (ms since 1970), by the message at ``offset`` of a partition: on what lies before it there, and on
    nothing behind. ``clock``: of the partition as of that message; ``before``: what time it was there before; None: nothing was judged.
    """

    second: int
    offset: int
    clock: int | None
    before: Time | None


_offset_of = attrgetter("offset")


class KpisStage:
    """Keeps the entities of the partitions in hand up to date.

    ``entities`` (entity key → Entity) and ``days`` (``entity|date`` → DailyFacts) create what they do not hold; what changed
    is remembered in ``changed`` (entity key → keys of its changed days), which whoever stores it empties.

    Who has changed first is looked at and shown first, so many at a time as the caller has time for: ``awake`` and ``showing``
    say how many there are. An entity that nothing happens to costs nothing: the minute at which a pane next leaves one of
    its windows wakes it.

    Rules are judged in one of two ways. Who has all events at hand lets time pass by ``advance`` and asks for ``alerts`` at will. A worker
    goes by its partition, and by nothing else (``judge_at``): where a message there says so, whoever is awake is due, and is judged as of
    that message's second on exactly what lies before it, though it may be long until there is time for them (``judge_due``). Whoever is due
    is judged before anything that lies behind comes to them. So the steps of alerts follow from what is in the partition, whatever the
    load, and whoever reads it again gets the same.
    """

    def __init__(
        self,
        policy: AnyPolicy,
        rules: Sequence[Rule],
        entities: MutableMapping[str, Entity],
        days: MutableMapping[str, DailyFacts],
        targets: Targets | None = None,
        baselines: Baselines | None = None,
        changed: dict[str, set[str]] | None = None,
    ) -> None:
        """``changed``: where several stages are to share it."""
        self.policy = policy
        self.entities = entities
        self.days = days
        self._rules = rules
        self._targets, self._baselines = targets, baselines
        #: How far before now the hours lie that rules on what is usual go by, ms; none: there are no such rules.
        self._usual_before = sorted({half_window(rule) for rule in rules if rule.against is not None})
        self._relative = bool(self._usual_before) or any(rule.by_target for rule in rules)
        #: By which revisions, day and hours entities were last looked at.
        self._aimed: tuple[int, ...] = ()
        self._snapshots = Snapshots(policy)
        self._judge_by(versions(policy)[0][1])
        self._calendar = Days(policy.zone, policy.day_starts_ms)
        self._wakeups = Wakeups()
        #: What is put aside, by entity; and who has such since the last look.
        self._pending: dict[str, _Pending] = {}
        self._news = self._wakeups.news
        #: Contributions that were known already.
        self.skipped = 0
        self._today = self._minute = 0
        self.changed: dict[str, set[str]] = {} if changed is None else changed
        #: Key of a day → keys of the later parts of it that are in hand.
        self._later: dict[str, Keys] = {}
        #: Who is to be judged, as of when, those of the oldest message first; the steps that came of it; how many have been.
        self._due: dict[str, Judgement] = {}
        #: All since the oldest as of which somebody is due.
        self._judgements: list[Judgement] = []
        self._steps: list[Alert] = []
        self.judged = 0
        #: Is time what messages of the partition say, and nothing before the first that does?
        self.by_messages = False
        #: As of when rules were judged last by a message of the partition; None: by none so far.
        self.time: Time | None = None
        #: Entities of whom anything has come, or that came with the partition.
        self._known: Keys = {}

    def _judge_by(self, policy: Policy) -> None:
        """Windows and alerts use the version of now, also for what a window still holds of yesterday."""
        self._version = policy
        watched_by_kind = watches(self._rules, formulas(policy), policy)
        self._watching = Watching(watched_by_kind)
        self._watching_growth = {
            kind
            for kind, watched in watched_by_kind.items()
            if any(watch.bound and watch.bound.moves for watch in watched)
        }
        #: Kind of entity → the rules that watch it by a cumulative sum.
        self._changes: dict[str, tuple[Watch, ...]] = {
            kind: own
            for kind, watched in watched_by_kind.items()
            if (own := tuple(watch for watch in watched if watch.asks is not None))
        }
        self._longest_wait_ms = policy.max_wait_seconds * 1000

    def adopt(self, keys: Collection[str], days: Iterable[str] = (), judged: tuple[Time, str] | None = None) -> None:
        """Take up entities that came with their partition: their plans, and a first look at each. ``days``: keys of their days.

        ``judged``: as of when rules have been judged on what was stored of all, and by which (``by_rules``). Where these are the rules
        still, those only are looked at who were to be: work goes on as if nobody had ever stopped.
        """
        for name in days:
            if "+" in name.rsplit("|", 1)[1]:
                self._later.setdefault(name.rsplit("+", 1)[0], {})[name] = None
        self._known.update(dict.fromkeys(keys))
        for key in keys:
            for at, day in self.entities[key].planned:
                self._wakeups.plan(at, key, day)
        if judged is None:
            self._wakeups.aged(keys)
            return
        self._resume(judged[0])
        if judged[1] != self.by_rules:
            self._wakeups.aged(keys)
            return
        self._wakeups.shows.others(keys)
        for key in keys:
            entity = self.entities[key]
            if entity.awake:
                self._wakeups.wake(key)
            self._age(key, entity, judged[0].highest)
            self._look_again(key, entity, judged[0].second)

    def _resume(self, time: Time) -> None:
        """Time has come so far before: whatever that changed is done."""
        self.time, second = time, time.second
        self._minute, self._today = second // 60_000, self._calendar.of(second)
        self._wakeups.resume(second)
        if (version := self.policy.current(date.fromordinal(self._today))) is not self._version:
            self._judge_by(version)
        self._watching.advance(second)
        self._aimed = self._aims(second)

    @cached_property
    def by_rules(self) -> str:
        """A digest of what alerts follow from beside what comes; empty where they go by what others say, too: targets, what is usual."""
        if self._relative:
            return ""
        told = [rule.model_dump_json() for rule in self._rules]
        told += [version.model_dump_json() for _, version in versions(self.policy)]
        return sha256("\n".join(told).encode()).hexdigest()[:16]

    def apply(self, key: str, contribution: Contribution, offset: int, border: int = 0) -> None:
        """Take in a contribution (message ``offset`` of its partition); what it says of days before ``border`` (ordinal; never goes
        back within a partition) goes to later parts of them.

        It is put aside until somebody looks at its entity: then what has come together is added up once. What an entity or a day
        already holds by its offset is not added again.
        """
        if key in self._due:  # it lies behind what they are judged on
            self._judge(key)
        pending = self._pending.get(key)
        if pending is None:
            self._pending[key] = [(offset, contribution, border)]
            self._news.append(key)
            self._known[key] = None
        else:
            pending.append((offset, contribution, border))
            if len(pending) >= _MOST_PENDING:
                self.settle(key)
        for plan in contribution.planned:  # its moment may come before anybody looks
            self._wakeups.plan(plan.at, key, plan.day)

    def settle(self, key: str) -> None:
        """Add up what has come for an entity since somebody last looked at it."""
        pending = self._pending.pop(key, None)
        if pending is None:
            return
        for ordinal, said in daily.by_day(contribution for _, contribution, _ in pending).items():
            for name, part in self._parts(key, ordinal, pending):
                day = self.days[name]
                if new := _after(day.offset, part):
                    daily.apply(day, said if len(new) == len(pending) else daily.by_day(new)[ordinal])
                    day.offset = part[-1][0]
                    self._changed(key).add(name)
        entity = self.entities[key]
        new = _after(entity.offset, pending)
        if new:
            if (
                self._changes and entity.rolling.now < self._minute
            ):  # what comes for a minute that has left the windows is too late, whenever somebody looks
                self._bring(key, entity, self._minute)
            entity.apply(new)
            entity.offset = entity.counted = pending[-1][0]
            self._changed(key)
        self.skipped += len(pending) - len(new)

    def _parts(self, key: str, ordinal: int, pending: _Pending) -> Iterable[tuple[str, _Pending]]:
        """The parts of a day to which what is pending goes, each with its share."""
        if ordinal >= pending[-1][2]:
            return ((f"{key}|{iso(ordinal)}", pending),)
        parts: dict[str, _Pending] = {}
        for each in pending:
            parts.setdefault(key_of(key, ordinal, each[2]), []).append(each)
        whole = f"{key}|{iso(ordinal)}"
        self._later.setdefault(whole, {}).update(dict.fromkeys(parts.keys() - {whole}))
        return parts.items()

    def settle_all(self) -> None:
        """Add up everything that has been put aside."""
        for key in list(self._pending):
            self.settle(key)

    @property
    def pending(self) -> Collection[str]:
        """Entities for which something has been put aside."""
        return self._pending.keys()

    def advance(self, now: int) -> None:
        """Let time pass up to ``now`` (ms): plans come due, windows age, days end."""
        self._minute = now // 60_000
        for plan in self._wakeups.due(now):
            self._come_due(plan)
        if self._relative and (aims := self._aims(now)) != self._aimed:
            self._aimed = aims  # other targets may hold for whom nothing happens to, and something else be usual
            self._wakeups.aged(self._all())
        if not self._wakeups.advance(now, self._watching_growth):
            return
        today = self._calendar.of(now)
        if today != self._today:
            if (version := self.policy.current(date.fromordinal(today))) is not self._version:
                self._judge_by(version)
            self._wakeups.aged(self._all())
        self._today = today
        if self._watching.advance(now):  # for whom nothing happens to, too, a rule's hours begin and end
            self._wakeups.aged(self._all())

    @property
    def stirs_at(self) -> int:
        """When time alone next changes something, unless a new minute begins before, ms: see ``Wakeups``."""
        return self._wakeups.stirs_at

    def _come_due(self, plan: Plan) -> None:
        at, key, ordinal = plan
        if key in self._due:
            self._judge(key)
        self.settle(key)
        entity = self.entities.get(key)
        if entity is None:
            return  # its partition has gone to another worker
        whole = f"{key}|{iso(ordinal)}"
        for name in (whole, *self._later.get(whole, ())):
            # An entity that is older than its day, after a crash, may have seen the plan taken back and its day not.
            day = self.days.get(name)
            if day is not None and daily.begin(day, at):
                self._changed(key).add(name)
                self._wakeups.wake(key)
        if entity.begin(at, ordinal):
            self._changed(key)
            self._wakeups.wake(key)

    def quiet(self, key: str, offset: int, now: int) -> bool:
        """Is nothing to be told of an entity any more, neither at ``now`` (ms) nor by itself later, and all of it from contributions
        before ``offset``?
        """
        if key in self._pending or key in self.changed or key in self._due:
            return False
        entity = self.entities.get(key)
        if entity is None or entity.counted >= offset:
            return False
        now = self._shown_at(now)
        self._age(key, entity, now)
        rolling = entity.rolling
        return not (
            rolling.panes
            or entity.planned
            or entity.waiting
            or any(alert.status != "no_data" or now - alert.short < _SILENT_MS for alert in entity.alerts.values())
            or (rolling.levels is not None and any(rolling.levels.values()))
        )

    def _changed(self, key: str) -> set[str]:
        days = self.changed.get(key)
        if days is None:
            days = self.changed[key] = set()
        return days

    # -- alerts --------------------------------------------------------------------------------------------------------

    @property
    def awake(self) -> int:
        """How many entities changed, wait, have an alert open or have aged since they were last looked at."""
        self._wakeups.spread()
        return len(self._wakeups.looks)

    def alerts(self, now: int, limit: int | None = None) -> list[Alert]:
        """Look at those awake, the first ``limit`` of them to have become so; the steps their alerts took, in order of entity.

        They are judged as of the whole second. Who waits is awake again within a second; whose alerts are open, when time alone may take
        one of them further.
        """
        told: list[Alert] = []
        now -= now % 1000
        today, day = self._day(now), self._calendar.of(now)
        self._wakeups.spread()
        for key in sorted(self._wakeups.looks.take(limit)):
            self.settle(key)
            if (entity := self.entities.get(key)) is not None:
                told += self._look(key, entity, now, today, day)[0]
        return told

    def judge_at(self, second: int, offset: int, clock: int | None) -> None:
        """A message (``offset`` of its partition) says that rules are judged as of a whole second (ms since 1970), on what lies before it.
        ``clock``: see ``Judgement``.

        Whoever is awake is due from now on, and whoever was so and still is, as of before, has their turn now.
        """
        time = self.time
        back = time is not None and second < time.second
        if back or second // 60_000 != self._minute:  # windows move on: nobody may be looked at as of before any more
            self.judge_due()
            self.settle_all()
        if back:
            self._wakeups.go_back(second)
        self.advance(second)
        self._wakeups.spread()
        judgement = Judgement(second, offset, clock, time)
        if not self._due:
            self._judgements.clear()
        self._judgements.append(judgement)
        for key in sorted(self._wakeups.looks.take()):
            if key in self._due:
                self._judge(key)
            self._due[key] = judgement
        self.time = Time(second, second if time is None else max(second, time.highest))

    @property
    def has_news(self) -> bool:
        """Has anything come since rules were judged last, or do other targets hold by now, or is something else usual?"""
        return self._wakeups.has_news or (
            self.time is not None and self._relative and self._aims(self.time.second) != self._aimed
        )

    @property
    def due(self) -> int:
        """How many entities are due to be judged."""
        return len(self._due)

    def judge_due(self, limit: int | None = None) -> None:
        """Judge those who are due; the first ``limit`` of them."""
        for key in list(self._due if limit is None else islice(self._due, limit)):
            self._judge(key)

    def drain_steps(self) -> list[Alert]:
        """The steps that alerts took since the last call."""
        steps, self._steps = self._steps, []
        return steps

    def complete(self, key: str) -> None:
        """Have an entity as it is to be stored: with all that has come for it, judged as far as that is due."""
        if key in self._due:
            self._judge(key)
        self.settle(key)
        if (entity := self.entities.get(key)) is not None:
            entity.awake = self._wakeups.is_awake(key)

    def reached(self, offset: int, clock: int | None) -> tuple[int, int | None, Time | None]:
        """From which offset on the partition is to be read again once what has changed is stored, its clock there, and as of when rules had
        been judged. It has been taken in up to ``offset``, with its clock at ``clock``.
        """
        if not self._due:
            return offset, clock, self.time
        oldest = next(iter(self._due.values()))
        return oldest.offset, oldest.clock, oldest.before

    def _judge(self, key: str) -> None:
        """Judge an entity that is due; where it comes late, also as of those seconds since in which time alone would have woken it."""
        judgement: Judgement | None = self._due.pop(key)
        self.settle(key)
        entity = self.entities.get(key)
        if entity is None:
            return
        while judgement is not None:
            self.judged += 1
            second = judgement.second
            self._wakeups.rest(key)
            if entity.offset >= judgement.offset:  # it was, before it was stored
                self._age(key, entity, second)
                again = self._look_again(key, entity, second)
            else:
                steps, again = self._look(key, entity, second, self._day(second), self._calendar.of(second))
                self._steps += steps
                entity.offset = judgement.offset
            judgement = self._next(judgement, again)

    def _next(self, judgement: Judgement, again: int) -> Judgement | None:
        """The first judgement after this one of which the second is not before ``again`` (ms); None: there has been none yet."""
        last = self._judgements[-1]
        if last is judgement or again == NEVER:
            return None
        at = bisect_right(self._judgements, judgement.offset, key=_offset_of)
        return next((each for each in self._judgements[at:] if each.second >= again), None)

    def _look(self, key: str, entity: Entity, now: int, today: str, day: int) -> tuple[list[Alert], int]:
        """Look at one entity as of a whole second (ms): the steps that its alerts took, and when it is to be looked at again; see
        ``_look_again``.
        """
        self._age(key, entity, now)
        entity.forget_lost(now, self._longest_wait_ms)
        watched = self._watched(key, entity)
        if not watched and not entity.alerts:
            return [], NEVER
        told: list[Alert] = []
        wait = entity.longest_wait(now, self._longest_wait_ms)
        had = entity.alerts.copy()
        if had:
            told += leave(watched, key, entity.alerts, now, entity.team, self._watching.ever)
        sums, aim = self._plain(key, entity, today, now), self._aim(key, entity, day, now)
        told += look(watched, key, entity.alerts, sums, wait, now, aim, entity.team, self._evidence(key, entity))
        if had != entity.alerts:
            self._changed(key)
        return told, self._look_again(key, entity, now, watched)

    def _watched(self, key: str, entity: Entity) -> tuple[Watch, ...]:
        watched = self._watching.whole_kinds.get(entity_kind(key))
        return self._watching.of(key, entity.team) if watched is None else watched

    def _look_again(self, key: str, entity: Entity, now: int, watched: tuple[Watch, ...] | None = None) -> int:
        """Have an entity looked at again when time alone may change something of it that was looked at ``now`` (ms); returns when, within
        this minute (ms; NEVER: not by itself).
        """
        if watched is None:
            watched = self._watched(key, entity)
        if not watched and not entity.alerts:
            return NEVER
        grows = entity.rolling.growing and entity_kind(key) in self._watching_growth
        if entity.longest_wait(now, self._longest_wait_ms)[0] or (entity.alerts and grows):
            self._wakeups.keep_looking(key)
            return now + 1
        at = next_look_at(watched, entity.alerts, now) if entity.alerts else NEVER
        if at != NEVER:
            self._wakeups.look_at(at, key)
        return min(at, self._wakeups.grown_after(now)) if grows else at

    def open_alerts(self, now: int) -> list[Alert]:
        """Every alert that fires or has no data, in order of entity."""
        told: list[Alert] = []
        now = self._shown_at(now)
        now -= now % 1000
        today, day = self._day(now), self._calendar.of(now)
        self.settle_all()
        for key in sorted(key for key, entity in self._own() if entity.alerts):
            entity = self.entities[key]
            self._age(key, entity, now)
            wait = entity.longest_wait(now, self._longest_wait_ms)
            watched = self._watching.of(key, entity.team)
            sums, aim = self._plain(key, entity, today, now), self._aim(key, entity, day, now)
            told += standing(
                watched, key, entity.alerts, sums, wait, now, aim, entity.team, self._evidence(key, entity)
            )
        return told

    def _aims(self, now: int) -> tuple[int, ...]:
        """What thresholds of relative rules go by at a moment (ms): it changes when they do."""
        revisions = (book.revision if book is not None else 0 for book in (self._targets, self._baselines))
        return (self._calendar.of(now), *revisions, *((now - before) // _QUARTER_MS for before in self._usual_before))

    def _aim(self, key: str, entity: Entity, day: int, now: int) -> Aim:
        """What the entity is held against on a day (ordinal) and at a moment (ms), for the rules that go by it."""
        if not self._relative:
            return no_target
        targets, baselines, team = self._targets, self._baselines, entity.team

        def aim(rule: Rule) -> float | Baseline | None:
            if rule.by_target:
                return None if targets is None else targets.number(key, team, rule.kpi, day)
            return None if baselines is None else baselines.find(rule, key, team, now)

        return aim

    # -- snapshots -----------------------------------------------------------------------------------------------------

    @property
    def showing(self) -> int:
        """How many entities are to be shown."""
        self._wakeups.spread()
        return len(self._wakeups.shows)

    def take_shown(self, limit: int | None = None) -> list[str]:
        """Keys of the next ``limit`` entities (all) that are to be shown.

        Where someone waits it changes all the time: it is to be shown again within a second.
        """
        self._wakeups.spread()
        taken = self._wakeups.shows.take(limit)
        for key in taken:
            self.settle(key)
            entity = self.entities.get(key)
            if entity is not None and entity.waiting:
                self._wakeups.keep_showing(key)
        return taken

    def show_again(self, keys: Iterable[str]) -> None:
        """These have not been shown after all: they come first."""
        self._wakeups.shows.first(keys)

    def show_all(self) -> None:
        """Everybody is to be shown again: the screens' store was emptied."""
        self._wakeups.shows.others(key for key, _ in self._own())

    def totals(self, key: str, now: int) -> Totals:
        """An entity's sums as of ``now`` (ms), where rules are judged by the partition at most to the end of its minute, as windows are of
        that. They are those at work: to be read before anything else is taken in.
        """
        now = self._shown_at(now)
        self.settle(key)
        entity = self.entities[key]
        self._age(key, entity, now)
        waiting, longest_wait = entity.longest_wait(now, self._longest_wait_ms)
        return Totals(
            entity=key,
            as_of=instant(now),
            windows=self._stored(key, entity, self._day(now)),
            policy=self._version.version,
            levels=entity.rolling.levels,
            team=entity.team,
            waiting=waiting,
            longest_wait=longest_wait,
        )

    def snapshot(self, key: str, now: int) -> Snapshot:
        """All KPIs of an entity as of ``now`` (ms)."""
        return self._snapshots.of(self.totals(key, now))

    def _shown_at(self, now: int) -> int:
        """``now`` (ms), or the end of the minute of the last judgement by the partition, whose windows must not move on before it does."""
        return now if self.time is None else min(now, self._minute * 60_000 + 59_999)

    def _all(self) -> list[str]:
        """Keys of all entities that are kept; those that are kept no more are known no more. What has only been put aside is none yet."""
        kept = [key for key in self._known if key in self.entities]
        self._known = dict.fromkeys(kept) | dict.fromkeys(key for key in self._pending if key in self._known)
        return kept

    def _own(self) -> Iterator[tuple[str, Entity]]:
        return ((key, self.entities[key]) for key in self._all())

    # -- windows -------------------------------------------------------------------------------------------------------

    def _age(self, key: str, entity: Entity, now: int) -> None:
        """Bring an entity's windows to ``now`` (ms), and have it woken when they next change by themselves."""
        if self.by_messages and self.time is None:
            return
        self._bring(key, entity, now // 60_000)
        self._wakeups.follow(key, entity.rolling)

    def _bring(self, key: str, entity: Entity, minute: int) -> None:
        """Bring an entity's windows, and what adds up what leaves them, to a minute."""
        if minute <= entity.rolling.now:
            return
        if self._changes and (watched := self._changes.get(entity_kind(key))) is not None:
            fold(watched, key, entity, minute, self._calendar.of)
        entity.rolling.advance(minute)

    def _evidence(self, key: str, entity: Entity) -> Mapping[str, Evidence]:
        """What the entity's cumulative sums say, by rule; none where there are none."""
        if not entity.changes:
            return _NO_EVIDENCE
        return evidence_of(self._changes.get(entity_kind(key), ()), entity)

    def _stored(self, key: str, entity: Entity, today: str) -> dict[str, Sums]:
        facts = self.days.get(f"{key}|{today}")
        return {**entity.rolling.sums, TODAY: facts.sums if facts is not None else _NOTHING}

    def _plain(self, key: str, entity: Entity, today: str, now: int) -> Plain:
        return Plain(self._stored(key, entity, today), entity.rolling.levels, now)

    def _day(self, now: int) -> str:
        return iso(self._calendar.of(now))


def _after(offset: int, pending: _Pending) -> list[Contribution]:
    """Those contributions that follow an offset, each once."""
    new = []
    for at, contribution, _ in pending:
        if at > offset:
            new.append(contribution)
            offset = at
    return new
