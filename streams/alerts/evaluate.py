"""Rules against one entity as of now: the steps that its alerts take, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from streams.alerts.lifecycle import AlertState, step
from streams.alerts.rules import Rule
from streams.contracts.outputs import Alert, AlertStatus, Figure, Sums, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.labels import NONE
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Side, side_of
from streams.kpi.staffing import STAFFING_GAP, WINDOW, gap
from streams.windows.clock import instant
from streams.windows.rolling import Plain

_WINDOW_WORDS = {
    "5m": ("近5分钟", "in the last 5 min"),
    "30m": ("近30分钟", "in the last 30 min"),
    "today": ("今日", "today"),
    "now": ("当前", "now"),
}


_WAITING = "calls_waiting"

#: KPI → what an entity is to reach now; None: there is no target.
Aim: TypeAlias = Callable[[str], float | None]


def no_target(_: str) -> None:
    """Nobody has set a target."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A rule and the KPI it watches, for one kind of entity; no formula: it is one of this moment."""

    rule: Rule
    bound: Bound | None
    policy: Policy
    #: Can its figure be worked out from the sums as they are kept?
    of_stored: bool
    #: Targets → the rule with each as its threshold.
    at: dict[float, Rule] = field(default_factory=dict)

    def ruled(self, aim: Aim) -> Rule | None:
        """The rule with its threshold; None: it goes by a target, and there is none."""
        if not self.rule.by_target:
            return self.rule
        if (target := aim(self.rule.kpi)) is None:
            return None
        if (ruled := self.at.get(target)) is None:
            ruled = self.at[target] = self.rule.at(target)
        return ruled

    def figure(self, sums: Plain, wait: tuple[int, float | None]) -> Figure:
        """What the rule looks at. ``wait``: how many wait, the longest in seconds."""
        if self.rule.kpi == STAFFING_GAP:
            return gap(sums, self.policy)
        if self.bound is None:
            return Figure(wait[0] if self.rule.kpi == _WAITING else wait[1], wait[0])
        shown = self._shown(sums)
        return self.bound.young(shown) if self.bound.matures else self.bound.figure(shown)

    def too_few(self, sums: Plain, wait: tuple[int, float | None]) -> bool:
        """Are there fewer things than the rule's minimum? Then there is no need to work out their figure."""
        if self.rule.kpi == STAFFING_GAP:
            return sums.stored[WINDOW].get("calls_offered", 0) < self.rule.min_n
        return (wait[0] if self.bound is None else self.bound.n(self._shown(sums))) < self.rule.min_n

    def _shown(self, sums: Plain) -> Sums:
        return sums.stored[self.rule.window] if self.of_stored else sums[self.rule.window]


def watches(rules: Sequence[Rule], by_side: Mapping[Side, Formulas], policy: Policy) -> dict[str, tuple[Watch, ...]]:
    """Entity kind → the rules that watch it, each with its KPI as the policy has it."""

    def watch(rule: Rule, kind: str) -> Watch:
        bound = by_side[side_of(kind)].by_id.get(rule.kpi)
        return Watch(rule, bound, policy, bound is not None and not bound.stands)

    return {
        kind: tuple(watch(rule, kind) for rule in rules if kind in rule.scope)
        for kind in {kind for rule in rules for kind in rule.scope}
    }


def look(
    watched: Sequence[Watch],
    entity: str,
    states: dict[str, AlertState],
    sums: Plain,
    wait: tuple[int, float | None],
    now: int,
    aim: Aim = no_target,
) -> list[Alert]:
    """Bring ``states`` (rule id → state) up to date in place; returns the steps to be told: fired and resolved ones."""
    told = []
    if states:
        for gone in states.keys() - {watch.rule.id for watch in watched}:
            del states[gone]  # its rule is no more, or watches this entity no longer
    for watch in watched:
        before = states.get(watch.rule.id)
        rule = watch.ruled(aim)
        if rule is None:
            if before is not None:
                del states[watch.rule.id]
                if before.status == "firing":
                    told.append(_alert(watch.rule, watch.policy, entity, "resolved", Figure(), before.since, now))
            continue
        if before is None and watch.too_few(sums, wait):
            continue
        figure = watch.figure(sums, wait)
        after = step(rule, before, figure.value, figure.n, now)
        if after is before:
            continue
        if after is None:
            del states[rule.id]
        else:
            states[rule.id] = after
        fired_before = before is not None and before.status == "firing"
        fires = after is not None and after.status == "firing"
        if fires and not fired_before and after is not None:
            told.append(_alert(rule, watch.policy, entity, "firing", figure, after.since, now))
        elif fired_before and not fires and before is not None:
            told.append(_alert(rule, watch.policy, entity, "resolved", figure, before.since, now))
    return told


def standing(
    watched: Sequence[Watch],
    entity: str,
    states: Mapping[str, AlertState],
    sums: Plain,
    wait: tuple[int, float | None],
    now: int,
    aim: Aim = no_target,
) -> list[Alert]:
    """The alerts of an entity that fire, as they stand now: for a screen that has lost them."""
    return [
        _alert(
            watch.ruled(aim) or watch.rule,
            watch.policy,
            entity,
            "firing",
            watch.figure(sums, wait),
            state.since,
            now,
            just_now=False,
        )
        for watch in watched
        if (state := states.get(watch.rule.id)) is not None and state.status == "firing"
    ]


def _alert(
    rule: Rule,
    policy: Policy,
    entity: str,
    status: AlertStatus,
    figure: Figure,
    since: int,
    now: int,
    just_now: bool = True,
) -> Alert:
    zh, en = _reason(rule, policy, entity, status, figure, (now - since) / 1000, just_now)
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
        reason_zh=zh,
        reason_en=en,
    )


_KIND_WORDS = {"agent": "坐席", "team": "班组", "queue": "队列", "site": "职场", "all": "全中心"}


def _reason(
    rule: Rule, policy: Policy, entity: str, status: AlertStatus, figure: Figure, held: float, just_now: bool
) -> tuple[str, str]:
    kind, id = entity_kind(entity), entity_id(entity)
    who_zh = _KIND_WORDS[kind] + ("" if kind == "all" else f" {id}")
    who_en = "the whole operation" if kind == "all" else f"{kind} {id}"
    window_zh, window_en = _WINDOW_WORDS[rule.window]
    kpi = KPIS[rule.kpi]
    names, unit = named(kpi, policy, id if kind == "queue" else None), kpi.unit
    name_en = names.short_en
    what_zh = f"{who_zh}{'' if kind == 'all' else ' '}{window_zh}{names.short_zh}"
    value_zh, value_en = _shown(figure.value, unit)
    n_zh, n_en = f"（样本 {figure.n}）", f" (n={figure.n})"
    if rule.by_target:  # with none, or it would be a number by now
        return (
            f"{what_zh}：目标值已取消，告警关闭。",
            f"{name_en}, {who_en}, {window_en}: no target any more, resolved.",
        )
    if status == "resolved":
        if figure.value is None or figure.n < rule.min_n:
            return (
                f"{what_zh}：数据不足，告警关闭。",
                f"{name_en}, {who_en}, {window_en}: too little data left, resolved.",
            )
        return (
            f"{what_zh}已恢复到 {value_zh}{n_zh}。",
            f"{name_en}, {who_en}, {window_en}: back at {value_en}{n_en}.",
        )
    # A screen beside it counts on: its reader must see that this is how long it had lasted when it fired.
    held_zh = "触发时已持续" if just_now else "已持续"
    threshold_zh, threshold_en = _shown(rule.threshold, unit)
    side_zh, side_en = ("低于", "below") if rule.below is not None else ("高于", "above")
    return (
        f"{what_zh} {value_zh}{n_zh}，{side_zh}告警线 {threshold_zh}，{held_zh} {held:.0f} 秒。",
        f"{name_en}, {who_en}, {window_en}: {value_en}{n_en}, {side_en} {threshold_en} for {held:.0f} s.",
    )


def _shown(value: float | None, unit: str) -> tuple[str, str]:
    """A value in Chinese and in English: ``66.7%`` and ``66.7 %``."""
    if value is None:
        return NONE, NONE
    match unit:
        case "ratio":
            return f"{value * 100:.1f}%", f"{value * 100:.1f} %"
        case "s":
            return f"{value:.0f} 秒", f"{value:.0f} s"
        case "n":
            return f"{value:.0f}", f"{value:.0f}"
        case "per_mille":
            return f"{value:.2f}‰", f"{value:.2f} ‰"
        case "days":
            return f"{value:.2f} 天", f"{value:.2f}"
        case "points":
            return f"{value:.2f} 分", f"{value:.2f}"
        case "per_hour":
            return f"{value:.2f} 次/小时", f"{value:.2f}"
        case _:
            return f"{value:.2f}", f"{value:.2f}"
