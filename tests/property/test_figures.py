"""Formulas bound once against the formulas as they are defined, in fractions."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.outputs import Figure, entity
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import figures, formulas
from streams.kpi.intervals import wilson
from streams.kpi.measures import MEASURES
from streams.kpi.measures.measure import SCALE
from streams.kpi.policy import Policy
from streams.kpi.spec import Kpi, Side

_sides: st.SearchStrategy[Side] = st.sampled_from(["desk", "staff"])
#: Big ones too, and sums that no desk has: shares above 1, below 0.
_sums = st.dictionaries(
    st.sampled_from(sorted(MEASURES)), st.integers(-3, 12) | st.integers(0, 2**52), max_size=len(MEASURES)
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
    """A KPI's figure straight from its definition."""
    top, bottom = kpi.formula(policy, side)
    hits = sum(sums.get(measure, 0) * times for measure, times in top.items())
    if bottom is None:
        return Figure(hits, hits)
    n = sum(sums.get(measure, 0) * times for measure, times in bottom.items())
    if n <= 0:
        return Figure()
    if kpi.kind == "percentile":  # none of these sums is a bucket
        return Figure()
    if kpi.kind == "mean":  # seconds and points are stored in thousandths
        scale = max(SCALE[MEASURES[measure].unit] for measure in top)
        return Figure(float(Fraction(hits * kpi.times, n * scale)), n)
    bounds = wilson(hits, n) or ()
    return Figure(float(Fraction(hits * kpi.times, n)), n, *(bound * kpi.times for bound in bounds))


@given(sums=_sums, policy=_policies, side=_sides)
def test_every_figure_is_what_its_definition_says(sums: dict[str, int], policy: Policy, side: Side) -> None:
    expected = {id: defined(kpi, sums, policy, side) for id, kpi in KPIS.items()}
    bound = formulas(policy)[side]
    assert bound.figures(sums) == expected
    assert list(bound.figures(sums)) == list(KPIS), "in the order of the catalogue"
    assert figures(entity("queue" if side == "desk" else "agent", "x"), sums, policy) == expected
    for id, kpi in KPIS.items():
        assert kpi.figure(sums, policy, side) == bound.by_id[id].figure(sums) == expected[id]
        exact = kpi.exact(sums, policy, side)
        assert (None if exact is None else float(exact)) == expected[id].value
        value, n = expected[id].value, expected[id].n
        assert max(bound.by_id[id].n(sums), 0) == n or value is not None or kpi.kind == "percentile"
