"""Quality reviews, and what analytics say of contacts."""

from __future__ import annotations

import pytest

from streams.contracts import events as e
from tests.support.desk import Script, figures, in_any_order, sums


def call() -> Script:
    """A call of agent a, over at 9:01."""
    return Script().call("09:00:00", "c1", agent="a", wait=0)


def reviewed(
    script: Script, score: float = 80, when: str = "12:00:00", contact: str = "c1", **fields: object
) -> Script:
    return script.at(when, e.CallReviewed, contact, score=score, **fields)


def figure(script: Script, id: str, entity: str = "agent|a") -> tuple[float | None, int]:
    found = figures(script.run(), entity)[id]
    return found.value, found.n


@pytest.mark.parametrize(
    ("script", "score", "n"),
    [
        (call(), None, 0),
        (reviewed(call(), 80), 80, 1),
        (reviewed(call(), 0), 0, 1),
        (reviewed(reviewed(call(), 60), 90, "13:00:00"), 90, 1),
        (reviewed(reviewed(call(), 60, form="x"), 90, "13:00:00", form="x"), 90, 1),
        (reviewed(reviewed(call(), 60, form="x"), 90, "13:00:00", form="y"), 75, 2),
        (reviewed(reviewed(call(), 60), 90, "11:00:00"), 60, 1),
        (reviewed(call(), 80).at("13:00:00", e.CallRetracted, "c1", corrects="e3"), None, 0),
        (reviewed(call(), 80).at("13:00:00", e.CallCorrected, "c1", corrects="e3", score=0), 0, 1),
        (reviewed(call(), 80).at("13:00:00", e.CallCorrected, "c1", corrects="e3", score=101), 80, 1),
    ],
    ids=[
        "none", "one", "nothing right", "again: replaces", "again by the same form", "by two forms", "told backwards", "taken back",
        "corrected", "above the scale",
    ],
)  # fmt: skip
def test_qa_score(script: Script, score: float | None, n: int) -> None:
    for entity in ("all|all", "agent|a"):
        assert figure(script, "qa_score", entity) == (score, n)
    in_any_order(script.events)


def test_a_review_goes_with_the_contact_to_its_agent_at_the_end() -> None:
    script = reviewed(reviewed(call(), 70, form="x"), 50, "12:30:00")
    script.at("13:00:00", e.CallTransferred, agent_id="a").at("13:01:00", e.CallAnswered, agent_id="b")
    assert figure(script, "qa_score") == (None, 0)
    assert figure(script, "qa_score", "agent|b") == (60, 2)
    alone = Script().at("09:00:00", e.TicketReviewed, score=40, agent_id="z")
    assert figure(alone, "qa_score", "agent|z") == (40, 1)


def test_verdicts_fatal_errors_and_the_script() -> None:
    script = Script()
    for number, fields in enumerate((
        {"passed": True, "items": {"script": True, "greeting": False}},
        {"passed": False, "fatal": True, "items": {"script": False}},
        {"items": {"greeting": True}},
        {},
    )):  # fmt: skip
        reviewed(script.call("09:00:00", f"c{number}", agent="a"), contact=f"c{number}", **fields)
    assert figure(script, "qa_pass_rate") == (0.5, 2)
    assert figure(script, "fatal_error_rate") == (0.25, 4)
    assert figure(script, "script_compliance_rate") == (0.5, 2)
    in_any_order(script.events)


def test_what_a_review_said_wrongly_can_be_corrected_both_ways() -> None:
    script = reviewed(call(), passed=False, fatal=True, items={"script": False})
    script.at("13:00:00", e.CallCorrected, "c1", corrects="e3", passed=True, fatal=False, items={"script": True})
    assert [figure(script, id)[0] for id in ("qa_pass_rate", "fatal_error_rate", "script_compliance_rate")] == [1, 0, 1]
    in_any_order(script.events)


def test_coverage_counts_a_contact_once_and_only_when_it_was_handled() -> None:
    script = reviewed(reviewed(call(), form="x"), form="y").call("10:00:00", "c2", agent="a")
    reviewed(script.call("10:00:00", "c3"), contact="c3")
    assert figure(script, "qa_coverage_rate") == (0.5, 2)
    assert figure(script, "qa_coverage_rate", "all|all") == (0.5, 2)
    in_any_order(script.events)


def analysed(script: Script, when: str = "12:00:00", contact: str = "c1", **fields: float) -> Script:
    return script.at(when, e.CallAnalysed, contact, **fields)


@pytest.mark.parametrize(
    ("script", "id", "value", "n"),
    [
        (call(), "customer_emotion_score", None, 0),
        (analysed(call(), emotion=-0.25), "customer_emotion_score", -0.25, 1),
        (analysed(call(), emotion=0), "customer_emotion_score", 0, 1),
        (analysed(analysed(call(), emotion=-0.5), "13:00:00", emotion=0.5), "customer_emotion_score", 0.5, 1),
        (analysed(analysed(call(), emotion=-0.5), "13:00:00", silences=3), "customer_emotion_score", -0.5, 1),
        (analysed(call(), emotion_start=-0.5, emotion_end=0.25), "customer_emotion_change", 0.75, 1),
        (analysed(analysed(call(), emotion_start=-0.5), "13:00:00", emotion_end=-0.75), "customer_emotion_change", -0.25, 1),
        (analysed(call(), emotion_start=-0.5), "customer_emotion_change", None, 0),
        (analysed(call(), keyword_coverage=0.8), "keyword_coverage_rate", 0.8, 1),
        (analysed(call(), keyword_coverage=0), "keyword_coverage_rate", 0, 1),
        (analysed(call(), page_switches=12), "page_switch_count", 12, 1),
        (analysed(call(), page_switches=0), "page_switch_count", 0, 1),
        (analysed(call(), search_seconds=31.5), "info_search_time", 31.5, 1),
        (analysed(Script().call("09:00:00", "c1"), page_switches=12, search_seconds=3), "page_switch_count", None, 0),
    ],
    ids=[
        "none", "emotion", "neither glad nor angry", "a later analysis", "that says nothing of it", "it changed", "told in two parts", "one end only",
        "keywords", "no keyword", "switches", "none of them", "searching", "per handled contact",
    ],
)  # fmt: skip
def test_signals(script: Script, id: str, value: float | None, n: int) -> None:
    for entity in ("all|all", "agent|a"):
        assert figure(script, id, entity) == (value, n)
    in_any_order(script.events)


def test_means_of_signals_have_intervals_within_what_there_can_be() -> None:
    script = Script()
    for number, emotion in enumerate((-1, -1, 1, -1)):
        analysed(script.call("09:00:00", f"c{number}", agent="a"), contact=f"c{number}", emotion=emotion)
    found = figures(script.run(), "agent|a")["customer_emotion_score"]
    assert (found.value, found.low) == (-0.5, -1)
    assert sums(script.run(), "agent|a")["emotion_score_squared"] == 4000
