"""Figures for the mix of people's work: what is expected, what is left of it, and what nobody can tell."""

from __future__ import annotations

import pytest

from streams.contracts.outputs import Sums
from streams.kpi.case_mix import (
    LEAST,
    CaseMix,
    adjustable,
    adjusted_for_mix,
    cases_of,
    in_stratum,
    measures,
    strata_in,
)
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Sample, compare
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound

CSAT = KPIS["csat"].bound(Policy(), "staff")
AHT = KPIS["average_handle_time"].bound(Policy(), "staff")


def rated(**queues: tuple[int, int]) -> Sums:
    """Satisfied and all ratings of each queue; ``none``: of no queue."""
    made: Sums = {}
    for queue, (satisfied, ratings) in queues.items():
        sums = {"csat_satisfied": satisfied, "csat_ratings": ratings}
        add(made, sums)
        if queue != "none":
            add(made, {in_stratum(name, queue): n for name, n in sums.items()})
    return made


def mix(bound: Bound = CSAT, **people: Sums) -> CaseMix:
    return CaseMix(bound, {who: Sample.of(bound, [sums]) for who, sums in people.items()})


def test_what_is_of_a_stratum_stands_under_its_name() -> None:
    sums = rated(loans=(3, 4), none=(1, 2)) | {"csat_ratings@1-5": 6, "calls_offered~vip": 1}
    assert strata_in(sums) == {"loans": {"csat_satisfied": 3, "csat_ratings": 4}}
    assert {stratum: tuple(own) for stratum, own in cases_of(CSAT, sums).items()} == {"loans": (3, 4, 0), "": (1, 2, 0)}


def test_expected_is_what_the_others_reach_on_the_same_work() -> None:
    one = mix(
        easy=rated(simple=(90, 100)),
        hard=rated(simple=(9, 10), loans=(54, 90)),
        other=rated(simple=(90, 100), loans=(60, 100)),
    )
    found = one.of("hard")
    assert found.figure.value == pytest.approx(0.63)
    assert found.expected.value == pytest.approx((10 * 0.9 + 90 * 0.6) / 100)
    assert found.reached.value == found.figure.value
    assert found.share == 1
    assert found.difference is not None
    assert found.difference.value == pytest.approx(0.0)
    assert found.adjusted.value == pytest.approx(one.figure.value or 0.0), "as good as the others on this work"


def test_with_one_kind_of_work_it_says_what_comparing_says() -> None:
    people = {f"a{n}": rated(all=(80 + n, 100)) for n in range(5)}
    people["a5"] = rated(all=(55, 100))
    samples = {who: Sample.of(CSAT, [sums]) for who, sums in people.items()}
    plain = compare(KPIS["csat"], CSAT, samples)
    found = adjusted_for_mix(KPIS["csat"], CaseMix(CSAT, samples))
    assert [one.verdict for one in found] == [one.verdict for one in plain]
    for one, other in zip(found, plain, strict=True):
        assert one.difference is not None
        assert other.difference is not None
        assert one.difference.value == pytest.approx(other.difference.value)
        assert one.difference.low == pytest.approx(other.difference.low, abs=0.015)


def test_work_that_nobody_else_does_cannot_be_told_from_who_does_it() -> None:
    one = mix(
        alone=rated(loans=(10, 40)),
        a=rated(simple=(90, 100)),
        b=rated(simple=(80, 100)),
        part=rated(odd=(1, 9), simple=(9, 10)),
    )
    found = one.of("alone")
    assert (found.share, found.expected.value, found.adjusted.value, found.difference) == (0.0, None, None, None)
    assert {each.who: each.verdict for each in adjusted_for_mix(KPIS["csat"], one)}["alone"] == "no_data"
    part = one.of("part")
    assert part.share == pytest.approx(10 / 19)
    assert part.reached.value == pytest.approx(0.9), "of what could be compared"
    assert part.figure.value == pytest.approx(10 / 19)


def test_kinds_of_work_of_which_others_have_few_are_put_together() -> None:
    few = LEAST // 2
    one = mix(
        a=rated(x=(10, 10), y=(10, 10), simple=(50, 50)),
        b=rated(x=(few - 5, few), y=(5, few), simple=(40, 50)),
    )
    found = one.of("a")
    assert found.expected.value == pytest.approx((20 * few / (2 * few) + 50 * 0.8) / 70)
    assert found.share == pytest.approx(50 / 70), "they are not compared with their like"


def test_work_of_an_unknown_kind_is_compared_but_not_with_its_like() -> None:
    one = mix(a=rated(none=(90, 100)), b=rated(none=(80, 100)))
    found = one.of("a")
    assert (found.share, found.expected.value) == (0.0, pytest.approx(0.8))
    assert (one.strata, one.share) == ((), 0.0)


def test_a_small_difference_of_few_cases_is_pulled_and_a_large_one_of_many_hardly() -> None:
    people = {f"a{n}": rated(all=(170 + 3 * n, 200), more=(150 + 3 * n, 200)) for n in range(8)}
    one = mix(**people, few=rated(all=(4, 8)), many=rated(all=(900, 2000)))
    few, many, team = one.of("few"), one.of("many"), one.figure.value or 0.0
    for found in (few, many):
        assert found.difference is not None
        assert found.adjusted.value == pytest.approx(team + found.left * found.difference.value)
    assert few.left < 0.7 < 0.95 < many.left


def test_of_three_people_nothing_is_pulled_and_of_equals_everything() -> None:
    three = mix(a=rated(all=(80, 100)), b=rated(all=(90, 100)), c=rated(all=(85, 100)))
    assert {three.of(who).left for who in "abc"} == {1.0}
    equal = mix(**{f"a{n}": rated(all=(80 + n % 2, 100)) for n in range(20)})
    assert max(equal.of(f"a{n}").left for n in range(20)) < 0.11


def handled(**queues: list[int]) -> Sums:
    made: Sums = {}
    for queue, seconds in queues.items():
        sums = {
            "calls_handled": len(seconds),
            "handle_seconds": sum(seconds) * 1000,
            "handle_seconds_squared": sum(one * one for one in seconds) * 1000,
        }
        add(made, sums | {in_stratum(name, queue): n for name, n in sums.items()})
    return made


def test_means_that_begin_at_0_are_compared_by_their_ratio() -> None:
    one = mix(
        AHT,
        a=handled(short=[100, 140] * 20, long=[500, 700] * 20),
        b=handled(short=[110, 130] * 40),
        c=handled(long=[550, 650] * 40),
        d=handled(long=[600, 1200] * 30),
    )
    found = one.of("d")
    assert found.figure.value == pytest.approx(900)
    assert found.expected.value == pytest.approx(600)
    assert found.adjusted.value == pytest.approx((one.figure.value or 0.0) * (900 / 600) ** found.left)
    assert found.difference is not None
    assert found.difference.low > 0
    assert one.of("a").expected.value == pytest.approx((120 + (80 * 600 + 60 * 900) / 140) / 2)


def test_days_drawn_anew_change_nothing_of_the_others() -> None:
    people = {f"a{n}": rated(x=(40, 50), y=(30, 50)) for n in range(5)}
    one = mix(**people)
    assert one.of("a0", rated(x=(50, 50))).expected.value == pytest.approx(0.8)
    assert one.of("a0").expected.value == pytest.approx(0.7)
    assert one.of("a0", {}).adjusted.value is None


def test_what_is_no_share_or_mean_of_contacts_is_not_adjusted() -> None:
    bounds = {id: kpi.bound(Policy(), "staff") for id, kpi in KPIS.items()}
    found = {id for id, bound in bounds.items() if adjustable(bound)}
    assert {
        "csat",
        "fcr",
        "average_handle_time",
        "transfer_rate",
        "complaint_rate",
        "resolution_rate",
        "qa_score",
    } <= found
    assert found.isdisjoint(
        {"occupancy", "adherence", "calls_waiting", "contacts_per_hour", "away_time", "shared_contacts"}
    )
    assert measures(bounds["csat"]) == {"csat_satisfied", "csat_ratings"}


def test_a_funnel_has_wider_limits_for_fewer_cases_and_draws_in_who_stands_out() -> None:
    people = {f"a{n}": rated(all=(round((60 + 30 * n) * (0.80 + 0.02 * (n % 5))), 60 + 30 * n)) for n in range(20)}
    one = mix(**people, off=rated(all=(100, 400)))
    funnel = one.funnel()
    assert funnel is not None
    assert {point.who for point in funnel.points if abs(point.off) > 3.09} == {"off"}
    narrow, wide = (funnel.limits(worth, 1.96) for worth in (400, 40))
    assert wide[0] < narrow[0] < funnel.centre < narrow[1] < wide[1]
    assert sum(point.worth for point in funnel.points) == pytest.approx(sum(point.n for point in funnel.points))


def test_nobody_has_a_funnel_without_others() -> None:
    assert mix(a=rated(x=(3, 4))).funnel() is None
    assert mix(a={}, b={}).of("a").share is None
