"""The catalogue's formulas as rows: what each KPI is made of under a version of the policy, on a side. No formula is written here: what
``streams.kpi`` binds is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.history.rows import Row
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import Formulas
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound, Side
from streams.kpi.stats.confidence import student
from streams.kpi.stats.percentiles import amounts

_SIDES: tuple[Side, ...] = ("desk", "staff")
#: KPIs that no table says as they are.
NOT_IN_SQL = frozenset(id for id, kpi in KPIS.items() if not kpi.kept)
#: Quantiles that are looked up; beyond them, the view has the expansion that ``student`` has.
LOOKED_UP = 30


def kpis() -> list[Row]:
    """The catalogue: id, names, unit, direction, formulas in words."""
    return [
        (kpi.id, kpi.en, kpi.zh, kpi.unit, kpi.better, kpi.formula_en, kpi.formula_zh)
        for kpi in KPIS.values()
        if kpi.has_contacts
    ]


def formulas(policy: AnyPolicy) -> tuple[list[Row], list[Row]]:
    """Every formula and its terms, for every version of the policy and side."""
    made: list[Row] = []
    terms: list[Row] = []
    for _, values in versions(policy):
        for side in _SIDES:
            for bound in Formulas(values, side).bounds():
                if bound.id in NOT_IN_SQL or bound.bottom == ():
                    continue
                made.append((values.version, side, *_formula(bound)))
                terms += [(values.version, side, *term, bound.kind) for term in _terms(bound)]
    return made, terms


def quantiles() -> list[Row]:
    """Student's t, by degrees of freedom."""
    return [(freedom, student(freedom)) for freedom in range(1, LOOKED_UP + 1)]


def _formula(bound: Bound) -> Row:
    least, most = bound.within
    of_points = KPIS[bound.id.partition("~")[0]].unit == "points"  # scores of different scales are never mixed
    mixing = repr(bound) if of_points else f"{bound.up}/{bound.down}/{bound.per_n}"
    return (
        bound.id, bound.kind, bound.bottom is None, bound.up, bound.down, bound.per_n, bool(bound.squares), bound.grain, least, most,
        bound.percent, bound.only_mature, mixing,
    )  # fmt: skip


def _terms(bound: Bound) -> Iterator[Row]:
    parts = {
        "bottom": bound.bottom or (),
        "base_top": bound.base_top,
        "base_bottom": bound.base_bottom,
        "untold": bound.untold,
    }
    if bound.kind == "percentile":
        for family, times in bound.top:
            for measure, place, amount in amounts(family):
                yield measure, bound.id, "bucket", times, bound.matures, place, amount
    else:
        parts["top"] = bound.top
    for name, squares in (("squares", bound.squares), ("base_squares", bound.base_squares)):
        parts[name] = tuple((measure, times * bound.squared) for measure, times in squares)
    for part, own in parts.items():
        for measure, times in own:
            yield measure, bound.id, part, times, bound.matures, 0, None
