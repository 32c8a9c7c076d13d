"""Rules against one entity as of now: the steps that its alerts take, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.alerts.cusum import Change, Evidence
from streams.alerts.lifecycle import AlertState, next_step_at, step, step_by_evidence
from streams.alerts.rules import Rule
from streams.alerts.schedule import Opening
from streams.contracts.outputs import Alert, AlertStatus, Baseline, Figure, Sums, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.labels import ENTITIES, NONE, WINDOW_SPANS
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Side, side_of
from streams.kpi.staffing import STAFFING_GAP, WINDOW, gap
from streams.languages.text import Text
from streams.windows.clock import NEVER, instant
from streams.windows.rolling import Plain

_WAITING = "calls_waiting"
#: Entities of which it is remembered which rules watch them.
_MOST_KNOWN = 200_000

#: Where nothing of a cusum has come.
_NOTHING = Evidence()
_NO_EVIDENCE: Mapping[str, Evidence] = {}

#: A rule that goes by more than a number → what an entity is held against now: its target, or what is usual; None: there is none.
Aim: TypeAlias = Callable[[Rule], float | Baseline | None]
#: Thresholds of a rule that are remembered.
_MOST_MARKS = 10_000


def no_target(_: Rule) -> None:
    """Nobody has set a target, and nothing usual is known."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule and the KPI it watches, for one kind of entity; no formula: it is one of this moment."""

    rule: Rule
    bound: Bound | None
    policy: Policy
    #: Can its figure be worked out from the sums as they are kept?
    of_stored: bool
    #: When the rule holds at all; None: always.
    opening: Opening | None = None
    #: What a cusum asks for; None: the rule has a threshold.
    asks: Change | None = None
    #: Does it go by a target or by what is usual?
    relative: bool = False
    #: Targets and what is usual → the rule with each as its threshold.
    at: dict[float | Baseline, Rule] = field(default_factory=dict)

    def ruled(self, aim: Aim) -> Rule | None:
        """The rule with its threshold; None: it goes by a target or by what is usual, and there is none."""
        if not self.relative:
            return self.rule
        if (mark := aim(self.rule)) is None:
            return None
        if (ruled := self.at.get(mark)) is None:
            if len(self.at) >= _MOST_MARKS:
                self.at.clear()
            ruled = self.at[mark] = self.rule.at(mark)
        return ruled

    def since(self, found: Evidence) -> Figure:
        """The figure since the change; none where there is nothing of it."""
        return Figure() if self.bound is None or not found.n else self.bound.rate(found.hits, found.n)

    def figure(self, sums: Plain, wait: tuple[int, float | None]) -> Figure:
        """What the rule looks at. ``wait``: how many wait, the longest in seconds."""
        if self.rule.kpi == STAFFING_GAP:
            return gap(sums, self.policy)
        if self.bound is None:
            return Figure(wait[0] if self.rule.kpi == _WAITING else wait[1], wait[0])
        return self.bound.figure(self._shown(sums))

    def too_few(self, sums: Plain, wait: tuple[int, float | None]) -> bool:
        """Are there fewer things than the rule's minimum? Then there is no need to work out their figure."""
        if self.rule.kpi == STAFFING_GAP:
            return sums.stored[WINDOW].get("calls_offered", 0) < self.rule.min_n
        return (wait[0] if self.bound is None else self.bound.n(self._shown(sums))) < self.rule.min_n

    def _shown(self, sums: Plain) -> Sums:
        return sums.stored[self.rule.window] if self.of_stored else sums[self.rule.window]


def watches(rules: Sequence[Rule], by_side: Mapping[Side, Formulas], policy: Policy) -> dict[str, tuple[Watch, ...]]:
    """Entity kind → the rules that watch it, each with its KPI as the policy has it. Raises ValueError where the policy does not fill the
    schedule of one.
    """
    openings = {rule.id: Opening(rule.schedule, policy) for rule in rules if rule.schedule is not None}

    def watch(rule: Rule, kind: str) -> Watch:
        bound = by_side[side_of(kind)].by_id.get(rule.kpi)
        of_stored = bound is not None and not bound.stands
        asks = rule.asks(bound) if bound is not None else None
        return Watch(
            rule, bound, policy, of_stored, openings.get(rule.id), asks, rule.by_target or rule.against is not None
        )

    return {
        kind: tuple(watch(rule, kind) for rule in rules if kind in rule.scope)
        for kind in {kind for rule in rules for kind in rule.scope}
    }


class Watching:
    """Which rules watch an entity at present: of its kind, in their hours, and it among those they select."""

    def __init__(self, watched: Mapping[str, tuple[Watch, ...]]) -> None:
        self._all = watched
        self._by_id = {kind: {watch.rule.id: watch for watch in own} for kind, own in watched.items()}
        self._scheduled = any(watch.opening for own in watched.values() for watch in own)
        self._selecting = {kind for kind, own in watched.items() if any(watch.rule.select for watch in own)}
        self._closed: frozenset[str] = frozenset()
        self._open_up()

    def _open_up(self) -> None:
        """Look up anew what is in its hours."""
        self._open = {
            kind: tuple(watch for watch in own if watch.rule.id not in self._closed) for kind, own in self._all.items()
        }
        #: Kinds of which all entities are watched by the same rules → these.
        self.whole_kinds = {kind: own for kind, own in self._open.items() if kind not in self._selecting}
        #: Entity → the team as of which, and what watches it.
        self._of: dict[str, tuple[str | None, tuple[Watch, ...]]] = {}

    def advance(self, now: int) -> bool:
        """Let time pass up to ``now`` (ms). Have the hours of a rule begun or ended?"""
        if not self._scheduled:
            return False
        closed = frozenset(
            watch.rule.id
            for own in self._all.values()
            for watch in own
            if watch.opening is not None and not watch.opening.holds(now)
        )
        if closed == self._closed:
            return False
        self._closed = closed
        self._open_up()
        return True

    def of(self, entity: str, team: str | None) -> tuple[Watch, ...]:
        """What watches an entity, an agent of that team."""
        kind = entity_kind(entity)
        if kind not in self._selecting:
            return self.whole_kinds.get(kind, ())
        known = self._of.get(entity)
        if known is None or known[0] != team:
            if len(self._of) >= _MOST_KNOWN:  # many of these are no more
                self._of.clear()
            own = tuple(watch for watch in self._open[kind] if watch.rule.watches(entity, team))
            known = self._of[entity] = team, own
        return known[1]

    def ever(self, entity: str, rule: str) -> Watch | None:
        """A rule that may watch such an entity at other times, or others of its kind; None: there is none of that id."""
        return self._by_id.get(entity_kind(entity), {}).get(rule)


def leave(
    watched: Sequence[Watch],
    entity: str,
    states: dict[str, AlertState],
    now: int,
    team: str | None,
    ever: Callable[[str, str], Watch | None],
) -> list[Alert]:
    """Take out of ``states`` what none of these rules watches any more; the steps to be told. ``ever``: see ``Watching.ever``."""
    told: list[Alert] = []
    for gone in states.keys() - {watch.rule.id for watch in watched}:
        state = states.pop(gone)
        if state.status != "pending":
            told.append(_left(ever(entity, gone), gone, entity, team, state, now))
    return told


def look(  # noqa: C901, PLR0913, PLR0917 - one pass over the rules of every entity that is due
    watched: Sequence[Watch],
    entity: str,
    states: dict[str, AlertState],
    sums: Plain,
    wait: tuple[int, float | None],
    now: int,
    aim: Aim = no_target,
    team: str | None = None,
    evidence: Mapping[str, Evidence] = _NO_EVIDENCE,
) -> list[Alert]:
    """Bring ``states`` (rule id → state) up to date in place; returns the steps to be told, and present figures of what goes on firing.

    ``evidence``: of each cusum, by its rule's id.
    """
    told: list[Alert] = []
    for watch in watched:
        before = states.get(watch.rule.id)
        if watch.asks is not None:
            found = evidence.get(watch.rule.id, _NOTHING)
            if before is None and found.level < 1:
                continue
            told += _look_at_change(watch, entity, team, states, found, now)
            continue
        rule = watch.ruled(aim)
        if rule is None:
            if before is not None:
                told += _held_against_nothing(watch, entity, team, states, before, now)
            continue
        if before is None and watch.too_few(sums, wait):
            continue
        figure = watch.figure(sums, wait)
        after = step(rule, before, figure, now)
        if after is before:
            continue
        if after is not None:
            states[rule.id] = after
            if after.status != "pending" and (said := _said(rule, watch.policy, entity, team, before, after, now)):
                told.append(said)
        elif before is not None:
            del states[rule.id]
            if before.status != "pending":
                told.append(_alert(rule, watch.policy, entity, team, "resolved", figure, before.since, now))
    return told


def _held_against_nothing(
    watch: Watch, entity: str, team: str | None, states: dict[str, AlertState], before: AlertState, now: int
) -> list[Alert]:
    """A target that is taken back resolves what it has fired; where nothing usual is known of an hour, there are no data in it."""
    rule = watch.rule
    after = None if rule.by_target else step(rule, before, Figure(), now)
    if after is None:
        del states[rule.id]
        if before.status == "pending":
            return []
        return [_alert(rule, watch.policy, entity, team, "resolved", Figure(), before.since, now)]
    states[rule.id] = after
    if after.status != "no_data" or before.status == "no_data":
        return []
    return [_silent(rule, watch.policy, entity, team, after, now)]


def _look_at_change(
    watch: Watch, entity: str, team: str | None, states: dict[str, AlertState], found: Evidence, now: int
) -> list[Alert]:
    """The same of a cusum."""
    rule, figure = watch.rule, watch.since(found)
    before = states.get(rule.id)
    after = step_by_evidence(rule, before, found, figure, now)
    if after is before:
        return []
    if after is None:
        assert before is not None
        del states[rule.id]
        reason = _changed_back(watch, entity)
        return [_alert(rule, watch.policy, entity, team, "resolved", figure, before.since, now, reason=reason)]
    states[rule.id] = after
    if after.status == "no_data":
        return [_silent(rule, watch.policy, entity, team, after, now)]
    update = before is not None and before.status == "firing"
    if update and before is not None and after.told == before.told:
        return []
    reason = _changed(watch, entity, figure, found, now)
    return [_alert(rule, watch.policy, entity, team, "firing", figure, after.since, now, update=update, reason=reason)]


def next_look_at(watched: Sequence[Watch], states: Mapping[str, AlertState], now: int) -> int:
    """When time alone may next change the alerts of an entity whose sums stay as they are, and for whom nobody waits, ms; NEVER where it
    cannot.
    """
    moments = (
        next_step_at(watch.rule, state, now) for watch in watched if (state := states.get(watch.rule.id)) is not None
    )
    return min((at for at in moments if at is not None), default=NEVER)


def _said(
    rule: Rule, policy: Policy, entity: str, team: str | None, before: AlertState | None, after: AlertState, now: int
) -> Alert | None:
    """What is to be told of an alert that fires or has no data; None: nothing is new."""
    if after.status == "no_data":
        return _silent(rule, policy, entity, team, after, now)
    figure = Figure(after.value, after.n)
    if before is None or before.status == "pending":
        return _alert(rule, policy, entity, team, "firing", figure, after.since, now)
    update = before.status == "firing"
    if update and after.told == before.told:
        return None  # it has become short of data, or is no more
    return _alert(rule, policy, entity, team, "firing", figure, after.since, now, just_now=False, update=update)


def standing(  # noqa: PLR0913, PLR0917 - as look
    watched: Sequence[Watch],
    entity: str,
    states: Mapping[str, AlertState],
    sums: Plain,
    wait: tuple[int, float | None],
    now: int,
    aim: Aim = no_target,
    team: str | None = None,
    evidence: Mapping[str, Evidence] = _NO_EVIDENCE,
) -> list[Alert]:
    """The alerts of an entity that fire or have no data, as they stand now: for a screen that has lost them. ``evidence``: see ``look``."""
    found = []
    for watch in watched:
        state = states.get(watch.rule.id)
        if state is None or state.status == "pending":
            continue
        rule = watch.ruled(aim) or watch.rule
        if state.status == "no_data":
            found.append(_silent(rule, watch.policy, entity, team, state, now))
            continue
        if watch.asks is not None:
            changes = evidence.get(rule.id, _NOTHING)
            figure = watch.since(changes)
            reason = _changed(watch, entity, figure, changes, now)
            found.append(_alert(rule, watch.policy, entity, team, "firing", figure, state.since, now, reason=reason))
            continue
        figure = Figure(state.value, state.n) if state.short else watch.figure(sums, wait)
        found.append(_alert(rule, watch.policy, entity, team, "firing", figure, state.since, now, just_now=False))
    return found


def _alert(  # noqa: PLR0913 - a step has so much to say
    rule: Rule,
    policy: Policy,
    entity: str,
    team: str | None,
    status: AlertStatus,
    figure: Figure,
    since: int,
    now: int,
    *,
    just_now: bool = True,
    update: bool = False,
    reason: Text | None = None,
) -> Alert:
    said = reason or _reason(rule, policy, entity, status, figure, (now - since) / 1000, just_now)
    return Alert(
        rule=rule.id,
        entity=entity,
        status=status,
        severity=rule.severity,
        at=instant(now),
        since=instant(since),
        kpi=rule.kpi,
        window=rule.window,
        threshold=rule.threshold,
        value=figure.value,
        n=figure.n,
        team=team if entity_kind(entity) == "agent" else None,
        update=update,
        reason_zh=said.zh,
        reason_en=said.en,
        reasons=said.others(),
    )


def _silent(rule: Rule, policy: Policy, entity: str, team: str | None, state: AlertState, now: int) -> Alert:
    """It has no data, and had these last."""
    figure = Figure(state.value, state.n)
    reason = _NO_DATA.format(
        what=_what(rule, policy, entity),
        minutes=(now - state.short) // 60_000,
        value=_shown(state.value, KPIS[rule.kpi].unit),
        n=state.n,
    )
    return _alert(rule, policy, entity, team, "no_data", figure, state.since, now, reason=reason)


def _left(watch: Watch | None, rule: str, entity: str, team: str | None, state: AlertState, now: int) -> Alert:
    """Its rule watches the entity no longer: it is closed at this hour, has been changed, or is no more."""
    figure = Figure(state.value, state.n)
    if watch is not None:
        reason = _CLOSED.format(what=_what(watch.rule, watch.policy, entity))
        return _alert(watch.rule, watch.policy, entity, team, "resolved", figure, state.since, now, reason=reason)
    reason = _REMOVED.format(rule=rule)
    return Alert(
        rule=rule, entity=entity, status="resolved", severity="info", at=instant(now), since=instant(state.since), kpi="",
        window="", threshold=0.0, value=state.value, n=state.n, team=team if entity_kind(entity) == "agent" else None,
        reason_zh=reason.zh, reason_en=reason.en, reasons=reason.others(),
    )  # fmt: skip


_FIRED = Text(
    "{what} {value}（样本 {n}），{side}告警线 {threshold}，{held_for} {held:.0f} 秒。",
    "{what}: {value} (n={n}), {side} {threshold} for {held:.0f} s.",
)
_NOT_BACK = Text(
    "{what} {value}（样本 {n}），尚未恢复到 {clear}，已持续 {held:.0f} 秒。",
    "{what}: {value} (n={n}), not yet back at {clear}, for {held:.0f} s.",
)
_RESOLVED = Text("{what}已恢复到 {value}（样本 {n}）。", "{what}: back at {value} (n={n}).")
_TOO_FEW = Text("{what}：数据不足，告警关闭。", "{what}: too little data left, resolved.")
_NO_DATA = Text(
    "{what}：已 {minutes} 分钟没有足够数据，最近一次为 {value}（样本 {n}）。",
    "{what}: no data for {minutes} min, last {value} (n={n}).",
)
_CLOSED = Text(
    "{what}：该规则当前不再监测此对象，告警关闭。", "{what}: its rule does not watch it at this time, resolved."
)
_REMOVED = Text("告警规则 {rule} 已删除，告警关闭。", "The alert rule {rule} is no more, resolved.")
_CHANGED = Text(
    "{what} {value}（样本 {n}，自 {since} 起），已从通常的 {usual} 趋向 {bad}；若一切如常，此类告警每周约误报 {often:g} 次。",
    "{what}: {value} (n={n}, since {since}), on the way from the usual {usual} to {bad}; where nothing changes, "
    "such an alert comes {often:g} times a week.",
)
_CHANGED_BACK = Text(
    "{what}：近期数据不再支持已偏离通常的 {usual}，告警关闭。",
    "{what}: what came last no longer says that it has left the usual {usual}, resolved.",
)
_NO_TARGET = Text("{what}：目标值已取消，告警关闭。", "{what}: no target any more, resolved.")
_NOTHING_USUAL = Text(
    "{what}：该时段没有可比的历史数据，告警关闭。", "{what}: nothing usual is known of this hour, resolved."
)
_LAST = Text(
    "{what}：该时段没有可比的历史数据，最近一次为 {value}（样本 {n}）。",
    "{what}: nothing usual is known of this hour; last {value} (n={n}).",
)
#: What the figure is held against, behind what it is.
_USUAL = Text(
    "{reason}与自身平时相比：近 {n} 个{day} {hour} 时段，中位数 {middle}，多在 {low} 至 {high} 之间。",
    "{reason} Its own usual: {middle}, mostly {low} to {high} ({n} {day}s at {hour}).",
)
_PEERS = Text(
    "{reason}与同类相比：{n} 个同类对象近 8 周{day} {hour} 时段，中位数 {middle}，多在 {low} 至 {high} 之间。",
    "{reason} Those alike: {middle}, mostly {low} to {high} ({n} of them, {day}s at {hour}, 8 weeks).",
)
_DAYS = (
    Text("周一", "Monday"), Text("周二", "Tuesday"), Text("周三", "Wednesday"), Text("周四", "Thursday"), Text("周五", "Friday"),
    Text("周六", "Saturday"), Text("周日", "Sunday"),
)  # fmt: skip
_WHAT, _WHAT_OF_ALL = (
    Text("{who} {window}{name}", "{name}, {who}, {window}"),
    Text("{who}{window}{name}", "{name}, {who}, {window}"),
)
_BELOW, _ABOVE = Text("低于", "below"), Text("高于", "above")
#: A screen beside it counts on: its reader must see that this is how long it had lasted when it fired.
_WHEN_FIRED, _UNTIL_NOW = Text("触发时已持续", ""), Text("已持续", "")


def _reason(
    rule: Rule, policy: Policy, entity: str, status: AlertStatus, figure: Figure, held: float, just_now: bool
) -> Text:
    if rule.by_target:  # with none, or it would be a number by now
        template = _NO_TARGET
    elif rule.against is not None:  # so it is with what is usual
        template = _NOTHING_USUAL if status == "resolved" else _LAST
    elif status != "resolved":
        between = figure.value is not None and not rule.breached(figure.value)
        template = _NOT_BACK if between else _FIRED
    else:
        too_few = figure.value is None or (figure.n < rule.min_n and not rule.counts)
        template = _TOO_FEW if too_few else _RESOLVED
    unit = KPIS[rule.kpi].unit
    reason = template.format(
        what=_what(rule, policy, entity),
        value=_shown(figure.value, unit),
        n=figure.n,
        side=_BELOW if rule.below is not None else _ABOVE,
        threshold=_shown(rule.threshold, unit),
        clear=_shown(rule.threshold if rule.clear is None else rule.clear, unit),
        held=held,
        held_for=_WHEN_FIRED if just_now else _UNTIL_NOW,
    )
    return reason if rule.beside is None or status == "resolved" else _held_against(reason, rule.beside, unit)


def _held_against(reason: Text, beside: Baseline, unit: str) -> Text:
    """A reason that says what is usual."""
    return (_USUAL if beside.against == "usual" else _PEERS).format(
        reason=reason, n=beside.n, day=_DAYS[beside.weekday - 1], hour=beside.hour, middle=_shown(beside.middle, unit),
        low=_shown(beside.low, unit), high=_shown(beside.high, unit),
    )  # fmt: skip


def _changed(watch: Watch, entity: str, figure: Figure, found: Evidence, now: int) -> Text:
    """That a share has changed, since when, and what chance would do."""
    rule, policy = watch.rule, watch.policy
    unit = KPIS[rule.kpi].unit
    since, today = (instant(at).astimezone(policy.zone) for at in (found.since * 60_000, now))
    return _CHANGED.format(
        what=_what(rule, policy, entity),
        value=_shown(figure.value, unit),
        n=figure.n,
        since=f"{since:%H:%M}" if since.date() == today.date() else f"{since:%Y-%m-%d %H:%M}",
        usual=_shown(rule.usual, unit),
        bad=_shown(rule.bad, unit),
        often=rule.false_per_week or 0.0,
    )


def _changed_back(watch: Watch, entity: str) -> Text:
    rule = watch.rule
    return _CHANGED_BACK.format(what=_what(rule, watch.policy, entity), usual=_shown(rule.usual, KPIS[rule.kpi].unit))


def _what(rule: Rule, policy: Policy, entity: str) -> Text:
    """Whose figure of which window."""
    kind, id = entity_kind(entity), entity_id(entity)
    return (_WHAT_OF_ALL if kind == "all" else _WHAT).format(
        who=ENTITIES[kind].format(id),
        window=WINDOW_SPANS[rule.window],
        name=named(KPIS[rule.kpi], policy, id if kind == "queue" else None).short,
    )


#: A value in a sentence, by its KPI's unit.
_SHOWN: Mapping[str, Text] = {
    "ratio": Text("{:.1f}%", "{:.1f} %"),
    "s": Text("{:.0f} 秒", "{:.0f} s"),
    "n": Text("{:.0f}", "{:.0f}"),
    "per_mille": Text("{:.2f}‰", "{:.2f} ‰"),
    "days": Text("{:.2f} 天", "{:.2f}"),
    "points": Text("{:.2f} 分", "{:.2f}"),
    "per_hour": Text("{:.2f} 次/小时", "{:.2f}"),
}
_PLAIN = Text("{:.2f}", "{:.2f}")


def _shown(value: float | None, unit: str) -> Text:
    """A value as sentences have it: ``66.7%`` in Chinese and ``66.7 %`` in English."""
    if value is None:
        return Text(NONE, NONE)
    return _SHOWN.get(unit, _PLAIN).format(value * 100 if unit == "ratio" else value)
