"""Kinds and topics: words that mean one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.kpi.policy.model import Policy
from streams.kpi.policy.names import BUILT_IN_KINDS, BUILT_IN_REVIEW_ITEMS, Names, folded
from streams.kpi.policy.versions import dump, read
from tests.reference import words as documented


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("complaint", "complaint"),
        (" Complaint\t", "complaint"),
        ("ＣＯＭＰＬＡＩＮＴ", "complaint"),
        ("投诉", "complaint"),
        ("\u200b投诉\ufeff", "complaint"),
        ("客訴", "complaint"),
        ("Follow　up", "follow_up"),
        ("refund   DISPUTE", "refund_dispute"),
        ("退款纠纷", "refund_dispute"),
        ("报修", "fault"),
        ("信息传递", "info_relay"),
        ("praise", "praise"),
        ("Straße", "strasse"),
        ("  ", ""),
    ],
)
def test_a_kind_in_many_words(said: str, kind: str) -> None:
    assert Policy().kind_names[said] == kind


def test_what_is_built_in_is_what_the_docs_say() -> None:
    assert {name: "/".join((name, *words)) for name, words in BUILT_IN_KINDS.items()} == documented.KINDS
    assert {name: "/".join((name, *words)) for name, words in BUILT_IN_REVIEW_ITEMS.items()} == documented.REVIEW_ITEMS


def test_every_spelling_is_looked_at_once_and_no_more_are_remembered_than_there_is_room_for() -> None:
    names = Names({"refund": ["退款"]})
    assert [names["退款"], names["退款 "], names["REFUND"]] == ["refund"] * 3
    assert len(names) == 3
    for number in range(10_000):
        assert names[f"N{number}"] == f"n{number}"
    assert len(names) == 4096


@pytest.mark.parametrize(
    ("values", "name", "own"),
    [
        ({"topics": ["refund", "invoice"]}, "topics", {"refund": (), "invoice": ()}),
        ({"topics": {"refund": ["退款"], "invoice": None}}, "topics", {"refund": ("退款",), "invoice": ()}),
        ({"kinds": {"complaint": "gripe"}}, "kinds", {"complaint": ("gripe",)}),
        ({"kinds": {7: 8, "x": [9, "y"]}}, "kinds", {"7": ("8",), "x": ("9", "y")}),
    ],
)
def test_lists_are_read_as_people_write_them_and_come_back(values: dict[str, Any], name: str, own: object) -> None:
    policy = Policy.model_validate(values)
    assert getattr(policy, name) == own
    assert read(dump(policy)) == policy


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"kinds": {"complaint": ["gripe"], "refund": ["Gripe"]}}, "'Gripe' is given to 'complaint' and to 'refund'"),
        ({"kinds": {"praise": ["complaint"], "complaint": []}}, "'complaint' is given to 'praise' and to 'complaint'"),
        ({"topics": ["Refund", "refund "]}, "'refund' is given to 'Refund' and to 'refund'"),
        ({"topics": {"refund": [""]}}, "topics.refund.0: String should have at least 1 character"),
        ({"kinds": ["complaint"]}, "kinds: Input should be a valid dictionary"),
        ({"topics": [f"t{n}" for n in range(51)]}, "topics: Value should have at most 50 items"),
    ],
)
def test_a_word_that_means_two_things_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as told:
        read(values)
    assert says in str(told.value)


@pytest.mark.parametrize("word", ["Late  Delivery", " a\u3000b ", "ﬁne", "İ", "Σς"])
def test_folding_twice_is_folding_once(word: str) -> None:
    assert folded(folded(word)) == folded(word)


def test_the_docs_list_the_built_in_words() -> None:
    docs = (Path(__file__).parents[4] / "docs" / "policy-and-alerts.md").read_text(encoding="utf-8")
    for name, words in (*BUILT_IN_KINDS.items(), *BUILT_IN_REVIEW_ITEMS.items()):
        assert f"| `{name}` | {', '.join(words)} |" in docs
