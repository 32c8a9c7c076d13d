"""Contacts stay as they were when facts were frozen, whatever is told of them afterwards."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from streams.contracts import topics
from streams.contracts.outputs import ContactRecord
from streams.history.store import History, Told, open_history
from streams.kpi.policy.model import Policy
from tests.support.frozen import stays_as_it_was
from tests.support.histories import messages, query
from tests.support.histories import take as take_in
from tests.support.morning import NOW, a_morning, morning

MARCH = date(2026, 3, 1), date(2026, 3, 31)


def test_lists_stay_as_they_were_while_more_is_told_and_all_are_forgotten(tmp_path: Path) -> None:
    policy = Policy(time_zone="UTC", fcr_days=0.01)
    with open_history(None, tmp_path, policy) as history:
        history.begin()
        seen = stays_as_it_was(history, policy)
    assert min(seen.values()) > 4, seen


def tell(history: History, told: list[Told]) -> None:
    at = {(topic, 0): position for (topic, _), position in history.positions(lambda topic: topic.name).items()}
    take_in(history, {topics.CONTACT_RECORDS: told}, NOW, at)


def again(version: int, **changed: object) -> list[Told]:
    """Every contact of the morning, told again."""
    told = []
    for key, value in messages(a_morning())[topics.CONTACT_RECORDS]:
        record = replace(msgspec.json.decode(value or b"", type=ContactRecord), version=version, **changed)  # type: ignore[arg-type]
        told.append(Told(key, msgspec.json.encode(record)))
    return told


def kept(history: History) -> int:
    return int(query(history, "SELECT COUNT(*) FROM history_superseded")[0][0])


def test_what_is_not_frozen_or_says_nothing_new_is_not_kept(tmp_path: Path) -> None:
    with morning(tmp_path) as history:
        tell(history, again(100, topic="bill"))
        assert kept(history) == 0  # nothing is frozen
        history.freeze("april", date(2026, 4, 1), date(2026, 4, 30))
        tell(history, again(101, topic="order"))
        assert kept(history) == 0  # no day of theirs is
        history.freeze("march", *MARCH)
        tell(history, again(102, topic="order"))
        assert kept(history) == 0  # but for the version they say the same
        tell(history, again(103, topic="bill"))
        tell(history, again(104, topic="order"))
        assert kept(history) == len(a_morning().records)  # once each, as the freeze has seen them
        assert query(history, "SELECT DISTINCT was FROM history_superseded WHERE was LIKE '%bill%'") == []


def test_what_is_no_longer_kept_is_deleted_with_the_rest(tmp_path: Path) -> None:
    with morning(tmp_path) as history:
        history.freeze("march", *MARCH)
        tell(history, again(100, topic="bill"))
        assert kept(history)
        history.forget({"contacts": 1}, date(2026, 5, 1))
        assert kept(history) == 0
        assert query(history, "SELECT COUNT(*) FROM history_superseded_counts") == [(0,)]


@pytest.mark.parametrize("told_again", [True, False])
def test_who_was_forgotten_while_it_was_stopped_is_forgotten_here_too(tmp_path: Path, told_again: bool) -> None:
    with morning(tmp_path) as history:
        history.freeze("march", *MARCH)
        tell(history, again(100, topic="bill"))
        named = "SELECT COUNT(*) FROM history_superseded WHERE customer_id IS NOT NULL"
        assert query(history, named) == [(len(a_morning().records),)]
        history.read_again(lambda topic: topic.name)
        if told_again:
            take_in(history, {topics.CONTACT_RECORDS: again(100, topic="bill")}, NOW, {})
        history.caught_up(date(2026, 4, 20))
        assert query(history, named) == [(len(a_morning().records) if told_again else 0,)]
        assert kept(history) == len(a_morning().records)  # what was told again was the same: nothing more is kept
