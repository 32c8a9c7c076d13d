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
from streams.kpi.labels import ENTITIES, NONE, WINDOW_SPANS
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Side, side_of
from streams.kpi.staffing import STAFFING_GAP, WINDOW, gap
from streams.languages.text import Text
from streams.windows.clock import instant
from streams.windows.rolling import Plain

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


def look(  # noqa: C901 - one pass over the rules of every entity that is due
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
                if (since := _fires_since(before)) is not None:
                    told.append(_alert(watch.rule, watch.policy, entity, "resolved", Figure(), since, now))
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
        fired_since, fires_since = _fires_since(before), _fires_since(after)
        if fired_since is None and fires_since is not None:
            told.append(_alert(rule, watch.policy, entity, "firing", figure, fires_since, now))
        elif fired_since is not None and fires_since is None:
            told.append(_alert(rule, watch.policy, entity, "resolved", figure, fired_since, now))
    return told


def _fires_since(state: AlertState | None) -> int | None:
    """Since when an alert fires, ms; None: it does not."""
    return state.since if state is not None and state.status == "firing" else None


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
    reason = _reason(rule, policy, entity, status, figure, (now - since) / 1000, just_now)
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
        reason_zh=reason.zh,
        reason_en=reason.en,
        reasons=reason.others(),
    )


_FIRED = Text(
    "{what} {value}（样本 {n}），{side}告警线 {threshold}，{held_for} {held:.0f} 秒。",
    "{what}: {value} (n={n}), {side} {threshold} for {held:.0f} s.",
)
_RESOLVED = Text("{what}已恢复到 {value}（样本 {n}）。", "{what}: back at {value} (n={n}).")
_TOO_FEW = Text("{what}：数据不足，告警关闭。", "{what}: too little data left, resolved.")
_NO_TARGET = Text("{what}：目标值已取消，告警关闭。", "{what}: no target any more, resolved.")
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
    kind, id = entity_kind(entity), entity_id(entity)
    kpi = KPIS[rule.kpi]
    if rule.by_target:  # with none, or it would be a number by now
        template = _NO_TARGET
    elif status != "resolved":
        template = _FIRED
    else:
        template = _TOO_FEW if figure.value is None or figure.n < rule.min_n else _RESOLVED
    what = (_WHAT_OF_ALL if kind == "all" else _WHAT).format(
        who=ENTITIES[kind].format(id),
        window=WINDOW_SPANS[rule.window],
        name=named(kpi, policy, id if kind == "queue" else None).short,
    )
    return template.format(
        what=what,
        value=_shown(figure.value, kpi.unit),
        n=figure.n,
        side=_BELOW if rule.below is not None else _ABOVE,
        threshold=_shown(rule.threshold, kpi.unit),
        held=held,
        held_for=_WHEN_FIRED if just_now else _UNTIL_NOW,
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
