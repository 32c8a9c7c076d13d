"""Formulas worked out by hand where no case would notice another sign or another measure."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy

#: 20 calls: 12 answered, 9 of them in time; 5 hung up, 2 of these early, 1 at once; 3 sent on.
CALLS = {
    "calls_offered": 20,
    "calls_answered": 12,
    "calls_answered_within_20s": 9,
    "calls_abandoned": 5,
    "calls_abandoned_within_20s": 2,
    "calls_abandoned_short": 1,
    "calls_flowed_out": 3,
}


@pytest.mark.parametrize(
    ("denominator", "missed", "left_out", "in_time"),
    [
        ("offered", (9, 20), (9, 18), (11, 20)),
        ("offered_less_short_abandons", (9, 19), None, None),
        ("answered", (9, 12), (9, 12), None),
        ("answered_and_flow_outs", (9, 15), (9, 15), None),
        ("answered_and_abandoned", (9, 17), (9, 15), (11, 17)),
        ("answered_abandoned_and_flow_outs", (9, 20), (9, 18), (11, 20)),
    ],
)
def test_a_service_level_by_each_denominator(
    denominator: Any, missed: tuple[int, int], left_out: tuple[int, int] | None, in_time: tuple[int, int] | None
) -> None:
    early: Any
    for early, expected in {"missed": missed, "left_out": left_out, "in_time": in_time}.items():
        try:
            policy = Policy(service_level_denominator=denominator, service_level_early_abandons=early)
        except ValueError:
            assert expected is None, early  # the two would contradict each other
            continue
        assert expected is not None, early
        assert KPIS["service_level_20s"].bound(policy, "desk").exact(CALLS) == Fraction(*expected), early


def test_bad_ratings_are_those_of_all_scales() -> None:
    name = next(id for id, kpi in KPIS.items() if "csat_bad_others" in {m for m, _ in kpi.bound(Policy(), "desk").top})
    sums = {"csat_bad_1_5": 2, "csat_bad_others": 3, "csat_ratings_1_5": 10, "csat_judged_others": 15}
    assert KPIS[name].bound(Policy(), "desk").exact(sums) == Fraction(5, 25)


def test_an_urgent_call_and_an_urgent_chat_weigh_alike() -> None:
    sums = {"urgent_call_responses": 2, "urgent_call_response_seconds": 40_000, "urgent_chat_responses": 1}
    sums["urgent_chat_response_seconds"] = 50_000
    assert KPIS["urgent_response_time"].bound(Policy(), "desk").exact(sums) == 30


def test_switches_and_searches_are_each_of_the_contacts_in_which_they_were_counted() -> None:
    sums = {"page_switches": 12, "page_switch_contacts": 3, "search_seconds": 60_000, "search_contacts": 4}
    found = [KPIS[id].bound(Policy(), "desk").exact(sums) for id in ("page_switch_count", "info_search_time")]
    assert found == [4, 15]


MEANS = [id for id, kpi in KPIS.items() if kpi.kind == "mean" and kpi.bound(Policy(), "staff").squares and id != "nps"]


@pytest.mark.parametrize("id", MEANS)
def test_the_squares_of_a_mean_are_those_of_what_it_is_the_mean_of(id: str) -> None:
    bound = KPIS[id].bound(Policy(), "staff")
    assert bound.squares == tuple((f"{measure}_squared", times) for measure, times in bound.top)


def test_the_squares_of_a_change_are_those_of_both_its_means() -> None:
    bound = KPIS["fatigue_index"].bound(Policy(), "staff")
    assert [
        (m, s)
        for (m, _), (s, _) in zip((*bound.top, *bound.base_top), (*bound.squares, *bound.base_squares), strict=True)
    ] == [
        ("strain_later", "strain_later_squared"),
        ("strain_first_hour", "strain_first_hour_squared"),
    ]


def test_a_square_of_one_or_minus_one_is_one() -> None:
    assert dict(KPIS["nps"].bound(Policy(), "staff").squares) == {"nps_promoters": 1, "nps_detractors": 1}


@pytest.mark.parametrize(
    ("id", "within"),
    [
        ("csat_mean", (1.0, 5.0)),
        ("nps", (-100.0, 100.0)),
        ("qa_score", (0.0, 100.0)),
        ("average_handle_time", (0.0, None)),
        ("customer_emotion_score", (-1.0, 1.0)),
        ("customer_emotion_change", (-2.0, 2.0)),
        ("keyword_coverage_rate", (0.0, 1.0)),
    ],
)
def test_an_interval_ends_where_the_scale_does(id: str, within: tuple[float, float | None]) -> None:
    assert KPIS[id].bound(Policy(), "staff").within == within


def test_what_is_only_a_sign_is_on_no_card() -> None:
    assert {id for id, kpi in KPIS.items() if not kpi.scored} == {"short_call_rate", "fatigue_index"}
