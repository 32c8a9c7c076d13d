"""Whose rating it is, what counts as satisfied, and which rating stands."""

from __future__ import annotations

from typing import Any

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from tests.support.desk import Script, figures, sums


def rated(*scores: float, scale: str = "1-5", survey: str = "csat") -> Script:
    script = Script().call("09:00:00", "c1", agent="a")
    for number, score in enumerate(scores):
        script.at(f"09:1{number}:00", e.CallRated, "c1", score=score, scale=scale, survey=survey)
    return script


@pytest.mark.parametrize(
    ("scale", "score", "satisfied"),
    [("1-5", 4, 1), ("1-5", 3.9, 0), ("1-5", 5, 1), ("0-10", 9, 1), ("0-10", 8, 0), ("0-100", 80, 1), ("0-100", 79, 0), ("binary", 1, 1), ("binary", 0, 0)],
)  # fmt: skip
def test_satisfied_by_scale(scale: str, score: float, satisfied: int) -> None:
    figure = figures(rated(score, scale=scale).run(), "agent|a")["csat"]
    assert (figure.value, figure.n) == (satisfied, 1)


def test_satisfied_from_is_policy() -> None:
    policy = Policy(time_zone="UTC", satisfied_from={"1-5": 5, "0-10": 9, "0-100": 80, "binary": 1})
    assert figures(rated(4).run(policy))["csat"].value == 0


def test_an_answer_in_a_follow_up_leaves_the_agents_word_and_who_asks_does_not_get_the_contact() -> None:
    script = Script().call("09:00:00", "c1", agent="a").at("09:20:00", e.CallResolved, "c1", agent_id="a")
    script.at("10:00:00", e.CallFollowedUp, "c1", resolved=False, agent_id="b")
    assert {name: figures(script.run(), name)["resolution_rate"].value for name in ("agent|a", "agent|b")} == {
        "agent|a": 1,
        "agent|b": None,
    }
    told = figures(script.run(), "agent|a")["confirmed_resolution_rate"]
    assert (told.value, told.n) == (0, 1)
    again = figures(script.at("11:00:00", e.CallFollowedUp, "c1", resolved=True, agent_id="b").run(), "agent|a")
    assert (again["confirmed_resolution_rate"].value, again["confirmed_resolution_rate"].n) == (1, 1)


@pytest.mark.parametrize(("scale", "scores"), [("1-10", {8: 1, 7: 0, 4: -1, 5: 0}), ("3-1", {1: 1, 2: 1, 3: -1})])
def test_scales_of_ones_own_have_the_bounds_that_the_policy_gives_them(scale: str, scores: dict[int, int]) -> None:
    policy = Policy(time_zone="UTC", satisfied_from={"1-10": 8, "3-1": 2}, negative_to={"1-10": 4, "3-1": 3})
    for score, verdict in scores.items():
        shown = figures(rated(score, scale=scale).run(policy), policy=policy)
        assert (shown["csat"].value, shown["negative_review_rate"].value) == (verdict == 1, verdict == -1)


@pytest.mark.parametrize("word", ["rated", "corrected"])
def test_a_scale_that_the_policy_does_not_know_is_refused_with_what_to_set(word: str) -> None:
    script = rated(4)
    if word == "rated":
        script.at("11:00:00", e.CallRated, "c1", score=1, scale="1-7")
    else:
        script.at("11:00:00", e.CallCorrected, "c1", score=1, scale="1-7", corrects=script.events[-1].id)
    run = script.run()
    ((_, refused),) = run.rejected
    assert refused.reason == "not_covered"
    assert "the scale 1-7: add it to satisfied_from" in refused.detail
    assert figures(run)["csat"].value == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"satisfied_from": {"1-10": 11}}, "11 is not on the scale 1-10"),
        ({"satisfied_from": {"5-5": 5}}, "a scale from 5 to 5 is none"),
        ({"satisfied_from": {"1 to 5": 4}}, "String should match pattern"),
        ({"negative_to": {"1-5": 4}}, "4 on the scale 1-5 is satisfied already"),
        ({"satisfied_from": {"3-1": 2}, "negative_to": {"3-1": 2}}, "2 on the scale 3-1 is satisfied already"),
        ({"negative_to": {"1-7": 2}}, "the scale 1-7 stands not in satisfied_from"),
        ({"csat_mean_scale": "1-7"}, "no mean is shown: it stands not in satisfied_from"),
        ({"csat_mean_scale": "3-1", "satisfied_from": {"3-1": 2}}, "no mean is shown: its best score is the lowest"),
    ],
)
def test_bounds_that_do_not_fit_their_scales_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Policy(**values)


def test_the_last_rating_stands() -> None:
    figure = figures(rated(1, 5).run(), "agent|a")
    assert (figure["csat"].value, figure["csat"].n, figure["csat_mean"].value) == (1, 1, 5)


def test_scales_are_never_mixed() -> None:
    script = rated(4).call("10:00:00", "c2", agent="a").at("10:10:00", e.CallRated, "c2", score=10, scale="0-10")
    shown = figures(script.run())
    assert (shown["csat_mean"].value, shown["csat_mean"].n, shown["csat"].n) == (4, 1, 2)
    ten = Policy(time_zone="UTC", csat_mean_scale="0-10")
    assert figures(script.run(), policy=ten)["csat_mean"].value == 10


def test_other_surveys_are_not_satisfaction() -> None:
    assert figures(rated(9, scale="0-10", survey="nps").run())["csat"].value is None


def test_credited_to_the_agent_at_the_end_of_the_contact() -> None:
    script = Script().at("09:00:00", e.CallAnswered, agent_id="a").at("09:02:00", e.CallRated, score=5, scale="1-5")
    assert sums(script.run(), "agent|a")["csat_ratings"] == 1
    script.at("09:03:00", e.CallTransferred, agent_id="a").at("09:04:00", e.CallAnswered, agent_id="b")
    assert sums(script.run(), "agent|a").get("csat_ratings") is None
    assert sums(script.run(), "agent|b")["csat_ratings"] == 1


def test_no_ratings_is_no_data() -> None:
    shown = figures(Script().call("09:00:00", "c1", agent="a").run())
    assert shown["csat"].value is None
    assert shown["csat_mean"].value is None
