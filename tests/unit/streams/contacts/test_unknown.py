"""Words for kinds and topics that no list has."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from streams.contacts.unknown import MOST, Word, count, line_to_add, said, still_unknown
from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, read
from tests.support.desk import Script


def met(policy: AnyPolicy | None = None, *words: str) -> dict[Word, int]:
    script = Script()
    for number, word in enumerate(words):
        script.at("09:00:00", e.CallArrived, f"c{number}", kind=word, topic=word)
    return script.run(policy or Policy(time_zone="UTC")).unknown


def test_words_are_counted_by_value_and_known_ones_not_at_all() -> None:
    assert met(None, "Gripe", "gripe ", "投诉", "Complaint", "inquiry", "thanks") == {
        ("kind", "gripe"): 2,
        ("kind", "thanks"): 1,
    }


def test_topics_are_counted_where_the_policy_names_any() -> None:
    policy = Policy.model_validate(
        {"time_zone": "UTC", "topics": {"refund": ["退款"]}, "kinds": {"gripe": [], "refund": []}}
    )
    assert met(policy, "退款", "gripe", "Gripe") == {("topic", "gripe"): 2}


def test_an_event_that_comes_twice_counts_once() -> None:
    script = Script().at("09:00:00", e.CallArrived, "c1", kind="gripe")
    script.events *= 2
    assert script.run().unknown == {("kind", "gripe"): 1}


def test_no_more_words_are_told_apart_than_there_is_room_for() -> None:
    words = [f"word {number}" for number in range(MOST + 20)]
    found = met(None, *words)
    assert len(found) == MOST + 1
    assert found["kind", ""] == 20


def test_nothing_is_no_word() -> None:
    assert met(None, "  ", "\u200b") == {}


def test_of_several_versions_the_newest_says_what_is_unknown() -> None:
    policy = read(
        {
            "versions": [
                {"version": "1", "time_zone": "UTC", "kinds": {"gripe": []}},
                {"version": "2", "valid_from": "2027-01-01", "kinds": {}},
            ]
        }
    )
    found = met(policy, "gripe", "moan")
    assert found == {("kind", "gripe"): 1, ("kind", "moan"): 1}
    assert still_unknown(found, policy.current(date(2026, 3, 2))) == {("kind", "moan"): 1}


def test_what_a_newer_policy_knows_is_unknown_no_more() -> None:
    told: dict[Word, int] = {}
    for word, times in ((("kind", "gripe"), 3), (("kind", "moan"), 5), (("kind", ""), 1), (("topic", "x"), 9)):
        count(told, word[0], word[1], times)  # type: ignore[arg-type]
    assert still_unknown(told, Policy.model_validate({"kinds": {"complaint": ["gripe"]}})) == {
        ("kind", "moan"): 5,
        ("kind", ""): 1,
    }


@pytest.mark.parametrize(
    ("word", "line"),
    [
        (("kind", "complant"), "kinds: {complaint: [complant]}"),
        (("kind", "投诉建议"), "kinds: {complaint: [投诉建议]}"),
        (("kind", "thanks"), "kinds: {thanks: []}"),
        (("kind", "k07"), "kinds: {'k07': []}"),
        (("topic", "退款进度"), "topics: {Refund: [退款进度]}"),
        (("topic", 'x "y": {'), "topics: {'x \"y\": {': []}"),
    ],
)
def test_the_line_to_add_is_one_that_the_policy_takes(word: Word, line: str) -> None:
    policy = Policy.model_validate({"topics": {"Refund": ["退款"]}})
    assert line_to_add(word, policy) == line
    taken = Policy.model_validate(yaml.safe_load(line))
    assert not still_unknown({word: 1}, taken)


def test_it_is_said_with_the_most_frequent_first() -> None:
    told: dict[Word, int] = {("kind", "thanks"): 7, ("kind", "moan"): 2, ("kind", ""): 1}
    assert said(told, Policy(), 1) == "kind 'thanks' 7: kinds: {thanks: []}; and 2 more"
