"""What lies on an end of what is allowed, and how sums become points: where a sign the other way would not be seen elsewhere."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from statistics import stdev

import pytest

from scoring.cards.load import find
from scoring.cards.model import Rater
from scoring.evaluation.peer_comparison import beside
from scoring.evaluation.raters import blend
from scoring.evaluation.sampling import fewer_cases, handed_in, interval, share_interval
from scoring.evaluation.scores import ItemScore, Measured, Weight
from scoring.rules import RefusedError
from streams.contracts.outputs import Figure, RosterEntry
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.spread import Spread
from streams.languages.text import Text
from tests.support.languages import said_in_both

RATERS = (
    Rater(id="boss", name=Text("上级", "superior"), weight=Decimal(50)),
    Rater(id="peers", name=Text("同事", "peers"), weight=Decimal(30)),
)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("0", 0.0, 0.1611), ("100", 0.8389, 1.0), ("100.5", None, None), ("-0.5", None, None), ("0.5", 0.0, 0.1611)],
)
def test_none_and_all_of_what_was_handed_in_have_an_interval(value: str, low: float | None, high: float | None) -> None:
    made = handed_in(Fraction(value), 20, percent=True)
    assert (made.low, made.high) == (
        None if low is None else pytest.approx(low, abs=1e-4),
        None if high is None else pytest.approx(high, abs=1e-4),
    )


@pytest.mark.parametrize(
    ("ratings", "most", "expected"),
    [
        ({"boss": "0", "peers": "10"}, "10", "3.75"),
        ({"boss": "10", "peers": "0"}, "10", "6.25"),
        ({"peers": "0"}, "10", "0"),
        ({"boss": "1000"}, None, "1000"),
    ],
)
def test_a_rating_on_an_end_counts(ratings: dict[str, str], most: str | None, expected: str) -> None:
    made = blend(RATERS, ratings, None if most is None else Fraction(most))
    assert made is not None
    assert made[0] == Fraction(expected)
    assert said_in_both(made[1], made[2])


def test_who_is_absent_is_named() -> None:
    three = (*RATERS, Rater(id="customer", name=Text("客户", "customer"), weight=Decimal(20)))
    made = blend(three, {"boss": "8"}, None)
    assert made is not None
    assert made[1:] == (
        "上级 8 × 100%；同事、客户缺席，权重由其余各方按比例承担",
        "superior 8 × 100 %; peers, customer absent: the others take over the weight",
    )


@pytest.mark.parametrize(
    ("rating", "most", "zh", "en"),
    [
        ("10.01", "10", "上级评分 10.01 超出范围（0～10 分）", "the rating 10.01 by superior is not between 0 and 10"),
        ("-0.01", "10", "上级评分 -0.01 超出范围（0～10 分）", "the rating -0.01 by superior is not between 0 and 10"),
        ("-1", None, "上级评分 -1 超出范围（0 分以上）", "the rating -1 by superior is not at least 0"),
    ],
)
def test_a_rating_beyond_an_end_is_refused(rating: str, most: str | None, zh: str, en: str) -> None:
    with pytest.raises(RefusedError) as refused:
        blend(RATERS, {"boss": rating}, None if most is None else Fraction(most))
    assert (refused.value.zh, refused.value.en) == (zh, en)


def test_points_count_in_the_total_by_what_one_of_them_is_worth() -> None:
    item = find("s2-a-core").items[0]
    weighed = ItemScore(item, Figure(), None, Decimal(5), "", "", Weight(Fraction(40), Fraction(4)))
    assert (weighed.counted, weighed.worth) == (20, 40)
    open_ = ItemScore(item, Figure(), None, Decimal(5), "", "")
    assert (open_.counted, open_.worth) == (None, None)


def test_people_are_compared_with_their_own_team_and_nobody_alone() -> None:
    card = find("s2-a-core")
    good, bad = ({"csat_ratings_1_5": 400, "csat_score_1_5": 400 * stars * 1000} for stars in (5, 2))
    people = {who: Measured(own) for who, own in (("a", good), ("b", bad), ("c", good), ("d", bad), ("e", bad))}
    roster = {
        who: RosterEntry(agent_id=who, valid_from=date(2026, 1, 1), team_id=team)
        for who, team in (("a", "T1"), ("b", "T1"), ("c", "T2"))
    }
    judged = Judged(Policy(), date(2026, 3, 1), date(2026, 3, 31))
    found = beside(card, people, roster, judged)
    assert found.keys() == {"a", "b", "d", "e"}  # c is alone in T2; d and e are in no team
    assert all(own.keys() <= {item.id for item in (*card.items, *card.optional) if item.kpi} for own in found.values())
    assert {who: own["csat"].who for who, own in found.items()} == {who: who for who in found}


def test_a_mean_in_hundreds_has_its_interval_in_hundreds() -> None:
    bound, spread = KPIS["nps"].bound(Policy(), "staff"), Spread()
    days = [{"nps_promoters": of, "nps_detractors": less, "nps_ratings": 10} for of, less in ((6, 1), (8, 0), (5, 2))]
    for day in days:
        spread.add(bound, day)
    found = interval(bound, {name: sum(day[name] for day in days) for name in days[0]}, spread)
    half = 4.302653 * stdev([50, 80, 30]) / 3**0.5
    assert found == pytest.approx((160 / 3 - half, 100), abs=1e-3)  # cut to what it can be
    assert half > 100 - 160 / 3


def test_a_share_whose_days_differ_is_less_sure_than_its_cases_say() -> None:
    bound = KPIS["csat"].bound(Policy(), "staff")

    def ends(*satisfied: int) -> tuple[float, float] | None:
        days = [{"csat_ratings": 10, "csat_satisfied": each} for each in satisfied]
        whole = {"csat_ratings": 10 * len(days), "csat_satisfied": sum(satisfied)}
        return share_interval(bound, whole, fewer_cases(bound, whole, Spread.of(bound, days)))

    by_cases = bound.figure({"csat_ratings": 40, "csat_satisfied": 32})
    assert ends(8, 8, 8, 8) == (by_cases.low, by_cases.high), (
        "days that are more alike than chance makes them are no surer"
    )
    apart = ends(10, 10, 2, 10)
    assert apart is not None
    assert by_cases.low is not None
    assert apart[0] < by_cases.low - 0.2
    assert ends(10, 10, 10, 10) == pytest.approx((0.9124, 1.0), abs=1e-4), "all of them satisfied: days tell nothing"
