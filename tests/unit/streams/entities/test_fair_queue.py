"""Whose turn it is where there is not time for all at once."""

from __future__ import annotations

from streams.entities.fair_queue import Turns


def keys(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def test_who_has_news_comes_before_the_crowd_that_has_only_aged() -> None:
    turns = Turns()
    turns.others(keys("aged", 1000))
    turns.news(["new", "newer"])
    assert turns.take(10) == ["new", "newer", *keys("aged", 8)]
    assert turns.take(2) == ["aged8", "aged9"]


def test_those_without_news_have_their_turn_too_however_many_have_some() -> None:
    turns = Turns()
    turns.others(keys("aged", 10))
    turns.news(keys("new", 1000))
    assert turns.take(10) == [*keys("new", 8), "aged0", "aged1"]
    for _ in range(4):
        turns.take(10)
    assert turns.take(10) == keys("new", 50)[40:], "nobody else is left"


def test_one_turn_serves_who_has_news_and_has_aged() -> None:
    turns = Turns()
    turns.others(["a", "b"])
    turns.news(["b", "b"])
    assert turns.take() == ["b", "a"]
    assert not turns
    assert turns.take(5) == []


def test_who_had_his_turn_in_vain_comes_first() -> None:
    turns = Turns()
    turns.news(["a", "b"])
    assert turns.take(1) == ["a"]
    turns.first(["a"])
    assert turns.take() == ["a", "b"]
