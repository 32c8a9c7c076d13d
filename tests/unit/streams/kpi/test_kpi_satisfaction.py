"""What customers say: promoters and detractors, bad ratings, who answers when asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streams.contracts import events as e
from tests.support.desk import Script, figures, in_any_order, run_events, sums

NPS = {"scale": "0-10", "survey": "nps"}
FIVE = {"scale": "1-5"}


def calls(*scores: float, **fields: str) -> Script:
    """One rated call for each score."""
    script = Script()
    for number, score in enumerate(scores):
        script.call("09:00:00", f"c{number}", agent="a").at(
            f"09:1{number}:00", e.CallRated, f"c{number}", score=score, **fields
        )
    return script


@pytest.mark.parametrize(
    ("scores", "nps"),
    [((), None), ((9,), 100), ((10,), 100), ((8, 7), 0), ((6,), -100), ((0,), -100), ((10, 9, 8, 6), 25), ((3, 3, 10), pytest.approx(-100 / 3))],
)  # fmt: skip
def test_nps(scores: tuple[float, ...], nps: float | None) -> None:
    for entity in ("all|all", "agent|a"):
        found = figures(calls(*scores, **NPS).run(), entity)["nps"]
        assert (found.value, found.n) == (nps, len(scores))
    if len(scores) > 1:
        assert found.low is not None
        assert found.high is not None
        assert -100 <= found.low <= found.value <= found.high <= 100  # type: ignore[operator]


def test_nps_is_of_its_survey_and_scale_and_the_last_answer_stands() -> None:
    assert figures(calls(5, scale="1-5", survey="nps").run())["nps"].value is None
    assert figures(calls(10, scale="0-10", survey="csat").run())["nps"].value is None
    script = calls(2, **NPS).at("10:00:00", e.CallRated, "c0", score=10, **NPS)
    assert figures(script.run())["nps"].value == 100
    in_any_order(script.events)


@pytest.mark.parametrize(
    ("scores", "rate"), [((), None), ((1,), 1), ((2,), 1), ((3,), 0), ((1, 2, 3, 4, 5), 0.4), ((2.5,), 0)]
)
def test_negative_review_rate(scores: tuple[float, ...], rate: float | None) -> None:
    found = figures(calls(*scores, **FIVE).run(), "agent|a")["negative_review_rate"]
    assert (found.value, found.n) == (rate, len(scores))


def test_bad_ratings_are_of_the_scale_of_five_only() -> None:
    assert figures(calls(1, scale="0-10").run())["negative_review_rate"].value is None
    assert figures(calls(2, scale="1-5", survey="ces").run())["negative_review_rate"].value is None


def invited(script: Script, when: str = "09:05:00", **fields: str) -> Script:
    return script.at(when, e.CallInvited, "c0", **fields)


def rated(script: Script, when: str = "09:10:00", **fields: object) -> Script:
    return script.at(when, e.CallRated, "c0", **{"score": 5, "scale": "1-5", **fields})


@pytest.mark.parametrize(
    ("story", "answered", "asked"),
    [
        (lambda s: s, 0, 0),
        (invited, 0, 1),
        (lambda s: rated(invited(s)), 1, 1),
        (rated, 0, 0),
        (lambda s: invited(rated(s, "09:01:00")), 1, 1),
        (lambda s: rated(rated(invited(invited(s), "09:06:00")), "09:20:00"), 1, 1),
        (lambda s: rated(invited(invited(s), survey="nps")), 1, 2),
        (lambda s: rated(invited(s, survey="nps")), 0, 1),
        (lambda s: rated(invited(invited(s), survey="nps"), **NPS), 1, 2),
        (lambda s: rated(invited(s), survey="ces"), 0, 1),
    ],
    ids=[
        "not asked", "asked", "asked and answered", "answered unasked", "asked afterwards", "asked and answered twice", "asked for two, one answered",
        "another survey answered", "the other answered", "neither",
    ],
)  # fmt: skip
def test_survey_response_rate(story: Callable[[Script], Script], answered: int, asked: int) -> None:
    script = story(Script().call("09:00:00", "c0", agent="a"))
    for entity in ("all|all", "agent|a"):
        found = figures(script.run(), entity)["survey_response_rate"]
        assert (found.value, found.n) == (answered / asked if asked else None, asked)
        assert sums(script.run(), entity).get("contacts_invited", 0) == (asked > 0), (
            "once, whatever the number of surveys"
        )
    in_any_order(script.events)


@pytest.mark.parametrize(
    "amend",
    [
        lambda s: s.at("12:00:00", e.CallRetracted, "c0", corrects="e5"),
        lambda s: s.at("12:00:00", e.CallCorrected, "c0", corrects="e5", survey="ces"),
    ],
    ids=["taken back", "was of another survey"],
)
def test_an_answer_that_was_none(amend: Callable[[Script], Script]) -> None:
    script = amend(rated(invited(Script().call("09:00:00", "c0", agent="a").call("09:00:00", "c1")), score=1))
    script.events = [event for event in script.events if event.contact_id == "c0"]  # type: ignore[union-attr]
    wrong = next(event for event in script.events if isinstance(event, e.CallRated))
    amendment = next(event for event in script.events if isinstance(event, e.CallRetracted | e.CallCorrected))
    amendment.corrects = wrong.id
    found = figures(run_events(script.events))
    assert (found["survey_response_rate"].value, found["survey_response_rate"].n) == (0, 1)
    assert found["negative_review_rate"].value is None
    in_any_order(script.events)
