"""Whose rating it is, what counts as satisfied, and which rating stands."""

from __future__ import annotations

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
