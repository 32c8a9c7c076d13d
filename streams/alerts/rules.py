"""Alert rules: data that names a KPI, a window and a threshold; reading refuses what is ambiguous and says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, TypeAdapter, ValidationError, model_validator

from streams.alerts.budgets import Budget
from streams.alerts.cusum import Change
from streams.alerts.schedule import AnySchedule, Opening
from streams.alerts.selectors import Selector, selector
from streams.contracts.outputs import (
    AGAINST,
    CHANGE,
    NOW,
    ROLLING,
    WINDOWS,
    Against,
    Baseline,
    EntityKind,
    Figure,
    Severity,
    WatchedWindow,
    entity_id,
    entity_kind,
)
from streams.kpi.catalog import KPIS
from streams.kpi.explained import interval_of
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Kpi
from streams.kpi.staffing import STAFFING_GAP

#: What a rule may select by, and the kinds of entities that this narrows down: an agent is also in a team.
SELECTS: Mapping[str, tuple[EntityKind, ...]] = {
    "agent": ("agent",),
    "team": ("team", "agent"),
    "queue": ("queue",),
    "site": ("site",),
}
#: Name of a route by which people are told: the notifier's file says who that is.
Route: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]
_Word: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class Rule(BaseModel):
    """One rule. Exactly one of ``below`` and ``above`` is the threshold at which it begins to hold: a number, or ``target``, what the
    entity is to reach on the day (``deskpulse targets``); where there is none, the rule does not hold. Or ``usual``: more than ``margin``
    (`by`) beyond the middle half of what the entity itself had at this hour of the week in the last eight; ``peers``: beyond that of those
    alike. Then it resolves when it is back in there; where nothing of the hour is known, there are no data.

    It fires when it has held for ``for_seconds`` with at least ``min_n`` things counted, and resolves when the value is back at
    or past ``clear`` (hysteresis; the threshold itself where absent). Where what fires has had fewer things for ``no_data_for`` seconds,
    it has no data, and is not resolved: whoever was dissatisfied and is silent is not satisfied.

    ``test`` `bound`: the whole 95 % interval must lie on the bad side, so that three ratings ring no bell. `cusum`: instead of a threshold
    and a window, ``usual`` and ``bad`` (`from`, `to`) are shares; it fires when all that has come since the share began to change says that
    it has left the one for the other, so surely that chance alone does so ``false_per_week`` times a week for each entity.

    ``select`` narrows the scope down: ``queue:orders``, ``team:T*``. ``schedule``: when the rule holds at all. Whoever is behind the routes
    ``notify`` is told, and those behind ``escalate_to`` when nobody has acknowledged it for ``escalate_after`` seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: _Word
    zh: Annotated[str, Field(max_length=200)]
    en: Annotated[str, Field(max_length=200)]
    kpi: str
    window: WatchedWindow = CHANGE
    below: float | Literal["target", "usual", "peers"] | None = None
    above: float | Literal["target", "usual", "peers"] | None = None
    margin: Annotated[float, Field(gt=0)] | None = Field(None, alias="by")
    clear: float | None = None
    min_n: Annotated[int, Field(ge=0)] = 1
    for_seconds: Annotated[float, Field(ge=0, alias="for")] = 0
    test: Literal["point", "bound", "cusum"] = "point"
    usual: float | None = Field(None, alias="from")
    bad: float | None = Field(None, alias="to")
    false_per_week: Annotated[float, Field(ge=0.001, le=50)] | None = None
    no_data_for: Annotated[float, Field(ge=0)] = 1800
    scope: tuple[EntityKind, ...]
    select: tuple[str, ...] = ()
    schedule: AnySchedule | None = None
    severity: Severity = "warning"
    labels: dict[_Word, Annotated[str, Field(max_length=64)]] = Field({}, max_length=10)
    notify: Annotated[tuple[Route, ...], Field(max_length=20)] = ()
    escalate_after: Annotated[float, Field(gt=0)] | None = None
    escalate_to: Annotated[tuple[Route, ...], Field(max_length=20)] = ()
    runbook_zh: Annotated[str, Field(max_length=2000)] = ""
    runbook_en: Annotated[str, Field(max_length=2000)] = ""
    #: What its threshold was made of, in the unit and for the span of its window; None: it is a number as the file gives it.
    _beside: Baseline | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _watches_what_there_is(self) -> Rule:
        if self.kpi not in KPIS:
            raise ValueError(f"no KPI is called {self.kpi!r}; see `deskpulse kpi list`")
        if self.test == "cusum":
            self._check_cusum()
            return self
        if (self.below is None) == (self.above is None):
            raise ValueError("give exactly one of `below` and `above`")
        if given := [name for name, value in self._asked.items() if value is not None]:
            raise ValueError(f"{_quoted(given)}: only `test: cusum` has that")
        if self.window == CHANGE:
            raise ValueError(f"give a `window`: {', '.join(WINDOWS)}, or `now` for what waits")
        if KPIS[self.kpi].live:
            self._check_live()
        elif KPIS[self.kpi].only_mature:
            raise ValueError(f"{self.kpi} is known only after days: no window has it; watch it in the days' facts")
        elif self.window == NOW:
            *others, last = (id for id, kpi in KPIS.items() if kpi.live)
            raise ValueError(
                f"`window: now` is for {', '.join(others)} and {last} only; take {', '.join(WINDOWS[:-1])} or {WINDOWS[-1]}"
            )
        return self

    @property
    def _asked(self) -> Mapping[str, float | None]:
        """What only a cusum asks for, by the names that files use."""
        return {"from": self.usual, "to": self.bad, "false_per_week": self.false_per_week}

    def _check_cusum(self) -> None:
        """Is it a share, and are both of its values such, far enough apart?"""
        if missing := [name for name, value in self._asked.items() if value is None]:
            raise ValueError(
                f"`test: cusum` needs {_quoted(missing)}, such as `from: 0.85, to: 0.70, false_per_week: 0.5`"
            )
        given = self.model_fields_set & {"below", "above", "margin", "clear", "window", "for_seconds"}
        if unfit := [_FIELD.get(name, name) for name in sorted(given) if getattr(self, name) not in (None, CHANGE)]:
            raise ValueError(
                f"{_quoted(unfit)}: `test: cusum` goes by all that has come since the change, and by `from` and `to`: leave it out"
            )
        kpi = KPIS[self.kpi]
        bound = kpi.bound(Policy(), "desk")
        if kpi.live or interval_of(bound) != "wilson" or not kpi.formula.part or bound.stands:
            raise ValueError(
                f"{self.kpi} is no share of things that come one by one: take `test: point` or `test: bound`"
            )
        if kpi.matures:
            raise ValueError(f"{self.kpi} is known only later of each thing: take `test: point` or `test: bound`")
        assert self.usual is not None
        assert self.bad is not None
        for name, value in (("from", self.usual), ("to", self.bad)):
            if (why := _impossible(kpi, value)) is not None:
                raise ValueError(f"`{name}: {value:g}`: {why}")
        usual, bad = self.usual * bound.down / bound.up, self.bad * bound.down / bound.up
        if not (0 < usual < 1 and 0 < bad < 1):
            raise ValueError(
                "`from` and `to` must lie between none and all: write 0.99 instead of 1, 0.01 instead of 0"
            )
        if abs(usual - bad) < min(usual, bad, 1 - usual, 1 - bad, 0.02):
            raise ValueError("`from` and `to` are too close to be told apart")
        if kpi.better in ("higher", "lower") and (kpi.better == "higher") != (bad < usual):
            raise ValueError(f"of {self.kpi} {kpi.better} is better: `to` must be worse than `from`")

    def asks(self, bound: Bound) -> Change | None:
        """What its cusum asks of the KPI as it is bound; None: it has none."""
        if self.usual is None or self.bad is None or self.false_per_week is None:
            return None
        return Change(self.usual * bound.down / bound.up, self.bad * bound.down / bound.up, self.false_per_week)

    def _check_live(self) -> None:
        """Of a KPI of this moment: is it watched now, and of whom it has a value?"""
        if self.window != NOW:
            raise ValueError(f"{self.kpi} is a value of this moment: `window: now`")
        if self.kpi == STAFFING_GAP and (unfit := {"agent", "team", "queue"} & set(self.scope)):
            raise ValueError(f"no agents are tied to one {' or '.join(sorted(unfit))}: scope is site or all")
        if unfit := {"agent", "team"} & set(self.scope):
            whom = " or ".join({"agent": "an agent", "team": "a team"}[kind] for kind in sorted(unfit))
            raise ValueError(f"nobody waits for {whom}: scope is queue, site or all")

    @model_validator(mode="after")
    def _targets_on_the_bad_side(self) -> Rule:
        if not self.by_target:
            return self
        better = KPIS[self.kpi].better
        if better == "range":
            raise ValueError(f"of {self.kpi} neither side is better: give a number instead of the target")
        side = "below" if better == "higher" else "above"
        if getattr(self, side) is None:
            raise ValueError(f"of {self.kpi} {better} is better: write `{side}: target`")
        if self.clear is not None:
            raise ValueError("`clear` goes with a number; a rule on the target resolves when it is reached")
        return self

    @model_validator(mode="after")
    def _usual_can_be_known(self) -> Rule:
        if (against := self.against) is None:
            if self.margin is not None:
                raise ValueError("`by` goes with `usual` and `peers`: how far beyond that it must be")
            return self
        kpi = KPIS[self.kpi]
        bound = kpi.bound(Policy(), "desk")
        if self.margin is None:
            raise ValueError(
                f"`{against}` needs `by`: how far beyond that it must be, such as `by: {_EXAMPLES.get(kpi.unit, 10)}`"
            )
        if self.clear is not None:
            raise ValueError(
                f"`clear` goes with a number; a rule on `{against}` resolves when it is back in the middle half"
            )
        if self.window not in ROLLING:
            raise ValueError(f"`{against}` is known by the hour: `window: {'` or `window: '.join(ROLLING)}`")
        if not kpi.has_contacts or bound.stands:
            raise ValueError(f"of {self.kpi} nothing usual is known, as it is no figure of contacts that have come")
        if kpi.matures:
            raise ValueError(f"{self.kpi} is known only later of each thing: what is usual of it says nothing of now")
        if against == "peers" and "all" in self.scope:
            raise ValueError("nobody is like the whole operation: leave `all` out of the scope, or take `usual`")
        return self

    @model_validator(mode="after")
    def _numbers_that_can_be(self) -> Rule:
        for name in ("below", "above", "margin", "clear"):
            if (
                isinstance(value := getattr(self, name), float)
                and (why := _impossible(KPIS[self.kpi], value)) is not None
            ):
                raise ValueError(f"`{_FIELD.get(name, name)}: {value:g}`: {why}")
        if self.clear is not None and (
            self.clear < self.threshold if self.below is not None else self.clear > self.threshold
        ):
            raise ValueError("`clear` must lie on the good side of the threshold")
        return self

    @model_validator(mode="after")
    def _can_be_tested_by_its_interval(self) -> Rule:
        has_none = self.kpi != STAFFING_GAP and interval_of(KPIS[self.kpi].bound(Policy(), "desk")) == "none"
        if self.test == "bound" and has_none:
            raise ValueError(f"{self.kpi} has no interval: leave `test: bound` out")
        return self

    @model_validator(mode="after")
    def _selects_of_its_scope(self) -> Rule:
        for each in self.selectors:
            if not set(SELECTS[each.name]) & set(self.scope):
                raise ValueError(
                    f"`select: {each}`: the rule watches no {each.name}; its scope is {', '.join(self.scope)}"
                )
        return self

    @model_validator(mode="after")
    def _escalates_in_time(self) -> Rule:
        if self.escalate_to and self.escalate_after is None:
            raise ValueError(
                "`escalate_to` needs `escalate_after`: the seconds that nobody may have acknowledged it for"
            )
        return self

    @cached_property
    def selectors(self) -> tuple[Selector, ...]:
        """What narrows the scope down. Raises ValueError where one cannot be read."""
        return tuple(selector(each, SELECTS) for each in self.select)

    def watches(self, entity: str, team: str | None) -> bool:
        """Is this entity, an agent of that team, among those that are selected? Its kind is that of the scope."""
        kind = entity_kind(entity)
        values = (
            {kind: entity_id(entity)} if kind != "agent" or team is None else {kind: entity_id(entity), "team": team}
        )
        own = [each for each in self.selectors if kind in SELECTS[each.name]]
        return all(
            any(each.name == name and each.takes(values[name]) for each in own if name in values)
            for name in {each.name for each in own}
        )

    @cached_property
    def counts(self) -> bool:
        """Is its value a plain count of a window, of which 0 is one as good as any?"""
        return self.window != NOW and KPIS[self.kpi].is_plain_sum

    @cached_property
    def can_fall_silent(self) -> bool:
        """Can there be nothing to judge by while nothing is better? Not where things are counted; at the day's end the day is over."""
        return self.window == CHANGE or (self.window in ROLLING and not self.counts)

    @property
    def falls(self) -> bool:
        """Is what is small bad?"""
        return self.bad < self.usual if self.bad is not None and self.usual is not None else self.below is not None

    @property
    def by_target(self) -> bool:
        """Is what an entity is to reach the threshold?"""
        return "target" in (self.below, self.above)

    @property
    def against(self) -> Against | None:
        """What is usual of whom it is held against; None: it goes by a number or a target."""
        return next((each for each in AGAINST if each in (self.below, self.above)), None)

    @property
    def beside(self) -> Baseline | None:
        """What the threshold was made of (see ``at``), a count's for the span of the window; None: of nothing usual."""
        return self._beside

    @property
    def threshold(self) -> float:
        """The value at which the rule begins to hold; 0 where that is the target or what is usual, as nobody has said whose. Of a cusum:
        midway between what is usual and what is bad, as below that evidence comes together.
        """
        if self.usual is not None and self.bad is not None:
            return round((self.usual + self.bad) / 2, 6)
        end = self.below if self.below is not None else self.above
        return end if isinstance(end, float) else 0.0

    def at(self, mark: float | Baseline) -> Rule:
        """The rule with this target as its threshold, or with one beyond the middle half of what is usual, in which it resolves."""
        if not isinstance(mark, Baseline):
            return self.model_copy(update={self._side: mark})
        times = ROLLING[self.window] / 60 if KPIS[self.kpi].is_plain_sum else 1
        beside = replace(mark, middle=mark.middle * times, low=mark.low * times, high=mark.high * times)
        margin = self.margin or 0.0
        end, clear = (beside.low - margin, beside.low) if self._side == "below" else (beside.high + margin, beside.high)
        made = self.model_copy(update={self._side: round(end, 9), "clear": clear})
        made._beside = beside
        return made

    @property
    def _side(self) -> Literal["below", "above"]:
        return "below" if self.below is not None else "above"

    def breached(self, value: float) -> bool:
        """Does the value lie on the bad side of the threshold?"""
        return value < self.threshold if self.below is not None else value > self.threshold

    def breached_by_bound(self, figure: Figure) -> bool:
        """Does the whole of the figure's interval lie on the bad side?"""
        end = figure.high if self.below is not None else figure.low
        return end is not None and self.breached(end)

    def cleared(self, value: float) -> bool:
        """Is the value good enough for a firing alert to resolve?"""
        clear = self.threshold if self.clear is None else self.clear
        return value >= clear if self.below is not None else value <= clear


#: Fields that files have other names for.
_FIELD = {"for_seconds": "for", "margin": "by"}
#: How far beyond what is usual something may be, by unit: for hints.
_EXAMPLES = {"ratio": 0.1, "s": 60}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _impossible(kpi: Kpi, value: float) -> str | None:
    """Why a KPI can never have this value, and what was likely meant; None: it can."""
    low, high = kpi.possible
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    if kpi.unit == "ratio":
        meant = f"; did you mean {value / 100:g}?" if 1 < value <= 100 else ""
        return f"{kpi.id} is a share, {'from 0 to 1' if kpi.formula.part else 'usually from 0 to 1'}{meant}"
    ends = f"from {low:g} to {high:g}" if low is not None and high is not None else f"{low:g} or more"
    return f"{kpi.id} is {ends} ({kpi.unit})"


class Rules(BaseModel):
    """A file of alert rules. ``budget``: how many false alarms a week they may bring in all."""

    rules: list[Rule]
    budget: Budget | None = None


_rules, _budget = TypeAdapter(list[Rule]), TypeAdapter(Budget)


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a file of rules, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Rules.model_json_schema(by_alias=True)}


def require_hours(rules: Iterable[Rule], policy: Policy) -> None:
    """Raises ValueError that names every rule whose schedule this policy does not fill."""
    wrong = []
    for rule in rules:
        if rule.schedule is not None:
            try:
                Opening(rule.schedule, policy)
            except ValueError as error:
                wrong.append(f"{rule.id}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))


def read_rules(raw: object) -> tuple[Rule, ...]:
    """The rules of plain data: a list under ``rules``. Raises ValueError that names every wrong rule and entry."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("rules"), list):
        raise ValueError("expected a list under `rules`")
    try:
        rules = _rules.validate_python(raw["rules"])
    except ValidationError as error:
        wrong = "; ".join(_where(raw["rules"], e["loc"]) + e["msg"] for e in error.errors())
        raise ValueError(wrong) from error
    read_budget(raw)
    ids = [rule.id for rule in rules]
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise ValueError(f"ids used twice: {', '.join(twice)}")
    return tuple(rules)


def read_budget(raw: object) -> Budget | None:
    """The budget of false alarms in the plain data of a file of rules; None: there is none. Raises ValueError that names what is wrong."""
    if not isinstance(raw, Mapping) or raw.get("budget") is None:
        return None
    try:
        return _budget.validate_python(raw["budget"])
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{'.'.join(map(str, ('budget', *e['loc'])))}: {e['msg']}" for e in error.errors())
        ) from error


def _where(raw: list[object], loc: tuple[int | str, ...]) -> str:
    if not loc or not isinstance(loc[0], int):
        return ""
    rule, number = raw[loc[0]], f"number {loc[0] + 1}"
    name = rule.get("id", number) if isinstance(rule, Mapping) else number
    return f"{name}{''.join(f'.{part}' for part in loc[1:])}: "
