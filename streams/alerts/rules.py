"""Alert rules: data that names a KPI, a window and a threshold; reading refuses what is ambiguous and says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from streams.contracts.outputs import NOW, WINDOWS, WatchedWindow
from streams.kpi.catalog import KPIS
from streams.kpi.spec import Kpi
from streams.kpi.staffing import STAFFING_GAP


class Rule(BaseModel):
    """One rule. Exactly one of ``below`` and ``above`` is the threshold at which it begins to hold: a number, or ``target``, what the
    entity is to reach on the day (``deskpulse targets``); where there is none, the rule does not hold.

    It fires when it has held for ``for_seconds`` with at least ``min_n`` things counted, and resolves when the value is back at
    or past ``clear`` (hysteresis; the threshold itself where absent) or has no data any more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    zh: str
    en: str
    kpi: str
    window: WatchedWindow
    below: float | Literal["target"] | None = None
    above: float | Literal["target"] | None = None
    clear: float | None = None
    min_n: Annotated[int, Field(ge=0)] = 1
    for_seconds: Annotated[float, Field(ge=0, alias="for")] = 0
    scope: tuple[Literal["agent", "team", "queue", "site", "all"], ...]
    severity: Literal["info", "warning", "critical"] = "warning"
    runbook_zh: str = ""
    runbook_en: str = ""

    @model_validator(mode="after")
    def _watches_what_there_is(self) -> Rule:
        if (self.below is None) == (self.above is None):
            raise ValueError("give exactly one of `below` and `above`")
        if self.kpi not in KPIS:
            raise ValueError(f"no KPI is called {self.kpi!r}; see `deskpulse kpi list`")
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
    def _numbers_that_can_be(self) -> Rule:
        for name in ("below", "above", "clear"):
            if (
                isinstance(value := getattr(self, name), float)
                and (why := _impossible(KPIS[self.kpi], value)) is not None
            ):
                raise ValueError(f"`{name}: {value:g}`: {why}")
        if self.clear is not None and (
            self.clear < self.threshold if self.below is not None else self.clear > self.threshold
        ):
            raise ValueError("`clear` must lie on the good side of the threshold")
        return self

    @property
    def by_target(self) -> bool:
        """Is what an entity is to reach the threshold?"""
        return "target" in (self.below, self.above)

    @property
    def threshold(self) -> float:
        """The value at which the rule begins to hold; 0 where that is the target, as nobody has said whose."""
        end = self.below if self.below is not None else self.above
        return end if isinstance(end, float) else 0.0

    def at(self, target: float) -> Rule:
        """The rule with this target as its threshold."""
        return self.model_copy(update={"below" if self.below is not None else "above": target})

    def breached(self, value: float) -> bool:
        """Does the value lie on the bad side of the threshold?"""
        return value < self.threshold if self.below is not None else value > self.threshold

    def cleared(self, value: float) -> bool:
        """Is the value good enough for a firing alert to resolve?"""
        clear = self.threshold if self.clear is None else self.clear
        return value >= clear if self.below is not None else value <= clear


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


_rules = TypeAdapter(list[Rule])


def read_rules(raw: object) -> tuple[Rule, ...]:
    """The rules of plain data: a list under ``rules``. Raises ValueError that names every wrong rule and entry."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("rules"), list):
        raise ValueError("expected a list under `rules`")
    try:
        rules = _rules.validate_python(raw["rules"])
    except ValidationError as error:
        wrong = "; ".join(_where(raw["rules"], e["loc"]) + e["msg"] for e in error.errors())
        raise ValueError(wrong) from error
    ids = [rule.id for rule in rules]
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise ValueError(f"ids used twice: {', '.join(twice)}")
    return tuple(rules)


def _where(raw: list[object], loc: tuple[int | str, ...]) -> str:
    if not loc or not isinstance(loc[0], int):
        return ""
    rule, number = raw[loc[0]], f"number {loc[0] + 1}"
    name = rule.get("id", number) if isinstance(rule, Mapping) else number
    return f"{name}{''.join(f'.{part}' for part in loc[1:])}: "
