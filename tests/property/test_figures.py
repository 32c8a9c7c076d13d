"""Formulas bound once against the formulas as they are defined, in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp, inf, isclose, sqrt

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.outputs import Figure, entity
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import figures, formulas
from streams.kpi.measures import MEASURES
from streams.kpi.measures.measure import SCALE
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Formula, Kpi, Side
from streams.kpi.stats.confidence import student, wilson
from streams.kpi.stats.percentiles import bucket

_FAMILIES = [measure.id for measure in MEASURES.values() if measure.family]
_sides: st.SearchStrategy[Side] = st.sampled_from(["desk", "staff"])
#: Big ones too, and sums that no desk has: shares above 1, below 0.
_sums = st.dictionaries(
    st.sampled_from(sorted(MEASURES)) | st.builds(bucket, st.sampled_from(_FAMILIES), st.integers(0, 2**40)),
    st.integers(-3, 12) | st.integers(0, 2**52),
    max_size=len(MEASURES),
)
_policies = st.builds(
    Policy,
    service_level_denominator=st.sampled_from(
        ["offered", "answered", "answered_and_abandoned", "offered_less_short_abandons"]
    ),
    csat_mean_scale=st.sampled_from(["1-5", "0-10", "0-100", "binary"]),
    first_response_channels=st.sampled_from([(), ("chat",), ("ticket",), ("chat", "ticket")]),
)


def defined(kpi: Kpi, sums: dict[str, int], policy: Policy, side: Side) -> Figure:
    """A KPI's figure straight from its definition; a mean's interval from its amounts in fractions."""
    top, bottom = kpi.formula(policy, side)
    hits = sum(Fraction(sums.get(measure, 0) * times, SCALE[MEASURES[measure].unit]) for measure, times in top.items())
    if bottom is None:
        return Figure(float(hits), int(hits // 1))
    n = sum(Fraction(sums.get(measure, 0) * times, SCALE[MEASURES[measure].unit]) for measure, times in bottom.items())
    if n <= 0:
        return Figure()
    if kpi.kind == "percentile":
        return kpi.figure(sums, policy, side)  # tests/unit/streams/kpi/test_percentiles.py
    if kpi.formula.baseline is not None:
        above, below = (
            sum(Fraction(sums.get(m, 0) * times, SCALE[MEASURES[m].unit]) for m, times in terms.items())
            for terms in kpi.formula.baseline(policy, side)
        )
        if above <= 0 or below <= 0:
            return Figure()
        value = float((hits / n) / (above / below) - 1)
        half = _half_of_change(kpi.formula, sums, policy, side, ((hits, n), (above, below)))
        return Figure(
            value, int(n), *(() if half is None else ((value + 1) * exp(-half) - 1, (value + 1) * exp(half) - 1))
        )
    value = float(hits * kpi.formula.times / n)
    if kpi.kind == "rate" and any(MEASURES[measure].unit == "s" for measure in bottom):
        return Figure(value, int(n))  # a share of time
    if kpi.kind == "rate":
        return Figure(value, int(n), *(end * kpi.formula.times for end in wilson(int(hits), int(n)) or ()))
    terms = kpi.formula.squares(policy, side) if kpi.formula.squares is not None else {}
    squares = sum(
        Fraction(sums.get(measure, 0) * times, SCALE[MEASURES[measure].unit]) for measure, times in terms.items()
    )
    units = [MEASURES[measure].unit for measure in terms]
    rounded = max((Fraction(1, SCALE[unit]) for unit in units if unit != "n"), default=Fraction(0))
    if not terms or n < 2 or (most := squares - hits**2 / n + n * rounded / 2) < 0:
        return Figure(value, int(n))
    half = kpi.formula.times * student(int(n) - 1) * sqrt(most / (n - 1) / n)
    least, most = kpi.formula.ends(policy)
    ends = max(value - half, -inf if least is None else least), min(value + half, inf if most is None else most)
    return Figure(value, int(n), *ends)


def _half_of_change(
    formula: Formula,
    sums: dict[str, int],
    policy: Policy,
    side: Side,
    means: Sequence[tuple[Fraction | int, Fraction | int]],
) -> float | None:
    """Half of the interval of a change's logarithm, by both means' amounts and n, in fractions."""
    assert formula.baseline is not None
    assert formula.untold is not None
    if sum(sums.get(measure, 0) * times for measure, times in formula.untold(policy, side).items()):
        return None
    error = Fraction()
    exact = [(Fraction(amount), Fraction(n)) for amount, n in means]
    for own, (amount, n) in zip((formula, formula.baseline), exact, strict=True):
        assert own.squares is not None
        squares = sum(
            Fraction(sums.get(measure, 0) * times, 1000) for measure, times in own.squares(policy, side).items()
        )
        if n < 2 or amount <= 0 or (most := squares - amount**2 / n + n * Fraction(1, 2000)) < 0:
            return None
        error += most / (n - 1) * n / amount**2
    half = student(int(min(n for _, n in exact)) - 1) * sqrt(error)
    return half if half < 20 else None


def alike(one: Figure, other: Figure) -> bool:
    """The same, but for the last digits of an interval."""
    ends = (one.low, one.high), (other.low, other.high)
    near = all(
        a == b if a is None or b is None else isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        for a, b in zip(*ends, strict=True)
    )
    return (one.value, one.n) == (other.value, other.n) and near


@given(sums=_sums, policy=_policies, side=_sides)
def test_every_figure_is_what_its_definition_says(sums: dict[str, int], policy: Policy, side: Side) -> None:
    kpis = {id: kpi for id, kpi in KPIS.items() if not kpi.live}
    bound = formulas(policy)[side]
    found = bound.figures(sums)
    assert list(found)[: len(kpis)] == list(kpis), "in the order of the catalogue"
    assert {id.partition("~")[0] for id in list(found)[len(kpis) :]} <= {id for id, kpi in kpis.items() if kpi.apart}
    assert figures(entity("queue" if side == "desk" else "agent", "x"), sums, policy) == found
    for id, kpi in kpis.items():
        expected = defined(kpi, sums, policy, side)
        assert alike(found[id], expected), (id, found[id], expected)
        assert kpi.figure(sums, policy, side) == bound.by_id[id].figure(sums) == found[id]
        exact = kpi.exact(sums, policy, side)
        assert (None if exact is None else float(exact)) == found[id].value
        assert (
            max(bound.by_id[id].n(sums), 0) == found[id].n
            or found[id].value is not None
            or kpi.kind in ("percentile", "change")
        )


@given(sums=_sums, policy=_policies, side=_sides)
def test_a_window_shows_what_has_data_and_nothing_in_it_has_matured(
    sums: dict[str, int], policy: Policy, side: Side
) -> None:
    bound = formulas(policy)[side]
    shown = bound.live(sums)
    for id, own in bound.by_id.items():
        figure = own.figure(sums, {own.matures: sums} if own.matures else {})
        assert shown.get(id, Figure(0, 0) if own.bottom is None else Figure()) == figure
        if own.matures:
            assert figure.pending == max(own.n(sums), 0)
            assert not own.only_mature or figure.value is None
