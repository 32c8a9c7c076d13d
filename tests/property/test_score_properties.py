"""What holds for every rule, every figure and every month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scoring.cards.load import find
from scoring.evaluation.scorer import evaluate
from scoring.period import Month
from scoring.reports.csv_report import to_csv
from scoring.rounding import decimal, total
from scoring.rules import Inputs, Ratio
from scoring.runs.messages import to_messages
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts
from streams.kpi.catalog import KPIS
from streams.kpi.measures import MEASURES, merged
from streams.kpi.policy.model import Policy

CORE = find("s2-a-core")
POLICY = Policy()
FORMS = ("target_over_actual", "actual_over_target", "complement")

points = st.decimals(min_value=0, max_value=1000, places=2)
actuals = st.fractions(min_value=0, max_value=100, max_denominator=1000)
targets = st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=1000)
sums = st.dictionaries(st.sampled_from(sorted(MEASURES)), st.integers(0, 10**9))
policies = st.builds(
    Policy,
    service_level_denominator=st.sampled_from(("offered", "answered", "answered_and_abandoned")),
    csat_mean_scale=st.sampled_from(("1-5", "0-10", "0-100", "binary")),
    first_response_channels=st.sampled_from((("chat",), ("ticket",), ("chat", "ticket"))),
)


@st.composite
def ratios(draw: st.DrawFn) -> Ratio:
    low, high = sorted((draw(points), draw(points)))
    form = draw(st.sampled_from(FORMS))
    return Ratio.model_validate(
        {
            "type": "ratio",
            "form": form,
            "factor": draw(points) + 1,
            "floor": low,
            "cap": high,
        }
    )


@given(ratios(), actuals, targets)
def test_points_stay_between_floor_and_cap(rule: Ratio, actual: Fraction, target: Fraction) -> None:
    earned = rule.score(Inputs(actual, target)).points
    assert earned is not None
    assert rule.floor is not None
    assert rule.cap is not None
    assert rule.floor <= earned <= rule.cap


@given(ratios(), actuals, actuals, targets)
def test_better_never_earns_less(rule: Ratio, one: Fraction, other: Fraction, target: Fraction) -> None:
    worse, better = sorted((one, other), reverse=rule.form != "actual_over_target")
    least, most = (rule.score(Inputs(actual, target)).points for actual in (worse, better))
    assert least is not None
    assert most is not None
    assert least <= most


@given(sums, policies)
def test_the_exact_value_is_the_figures(measured: dict[str, int], policy: Policy) -> None:
    for kpi in KPIS.values():
        figure, exact = kpi.figure(measured, policy, "staff"), kpi.exact(measured, policy, "staff")
        assert (None if exact is None else float(exact)) == figure.value, kpi.id


@given(st.lists(st.fractions(min_value=0, max_value=100, max_denominator=600), min_size=1, max_size=4))
def test_a_total_is_rounded_as_if_nothing_had_been_cut_before(parts: list[Fraction]) -> None:
    half_up = Decimal(floor(sum(parts) * 100 + Fraction(1, 2))) / 100
    assert total(decimal(part) for part in parts) == half_up


@given(sums)
def test_a_score_stays_in_its_bounds(measured: dict[str, int]) -> None:
    # Shares that are none (more resolved than due) are capped like any other figure.
    score = evaluate(CORE, "anna", measured, POLICY)
    for tally in (score.tally, *(part.tally for part in score.sections)):
        assert 0 <= tally.scored_max <= tally.max
        assert (tally.total is None) == (tally.scored_max == 0)
        assert tally.total is None or 0 <= tally.total <= tally.scored_max
    assert score.tally.complete == (not score.unscored)


days = st.dictionaries(
    st.tuples(st.sampled_from(("anna", "ben", "cleo")), st.integers(0, 30)),
    st.dictionaries(
        st.sampled_from(("resolved", "resolution_due", "csat_ratings_1_5", "csat_score_1_5")), st.integers(0, 10**6)
    ),
    max_size=12,
)


@given(days, st.randoms(use_true_random=False))
def test_a_month_is_the_sum_of_its_days_in_any_order(
    month: dict[tuple[str, int], dict[str, int]], random: Random
) -> None:
    first = date(2010, 8, 1)
    facts = [
        DailyFacts(entity=f"agent|{person}", date=first + timedelta(days=day), sums=measured)
        for (person, day), measured in month.items()
    ]
    made = run(CORE, Month(2010, 8), facts, POLICY)
    random.shuffle(facts)
    again = run(CORE, Month(2010, 8), facts, POLICY)
    assert again == made
    assert to_csv(again) == to_csv(made)
    assert to_messages(again) == to_messages(made)
    people = sorted({person for person, _ in month})
    assert [score.person for score in made.people] == people
    for person, score in zip(people, made.people, strict=True):
        together = merged(measured for (who, _), measured in month.items() if who == person)
        assert [i.points for i in score.items] == [i.points for i in evaluate(CORE, person, together, POLICY).items]
