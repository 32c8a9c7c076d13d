"""Which of a file's rows told of a contact first: the ``sequence`` of their events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streams.contracts import events as e
from streams.contracts.events import LAST_SEQUENCE
from streams.sources.table.rows import ReadRow, RejectedRow, as_told
from tests.support.desk import moment, run_events, sums


def told(contact: str, second: int, type_: type[Any] = e.CallOffered, **fields: Any) -> Any:
    fields.setdefault("id", f"{contact}-{type_.__name__}-{second}")
    return type_(source="s", time=moment("09:00:00") + timedelta(seconds=second), contact_id=contact, **fields)


def sequences(*rows: list[Any]) -> list[list[int | None]]:
    """Of the events of each row."""
    read = as_told([ReadRow(2 + number, events) for number, events in enumerate(rows)])
    return [[event.sequence for event in row.events] for row in read if isinstance(row, ReadRow)]


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ([[("c", 0)], [("c", 0)], [("c", 9)]], [[1], [2], [3]]),
        ([[("c", 0), ("c", 9)], [("d", 5)]], [[1, 1], [2]]),
        ([[("d", 50)], [("d", 60)], [("c", 0)], [("c", 9)]], [[1], [2], [3], [4]]),
        ([[("c", 9)], [("c", 0)], [("c", 0)]], [[LAST_SEQUENCE - 1], [LAST_SEQUENCE - 2], [LAST_SEQUENCE - 3]]),
        ([[("c", 9)], [("c", 0)], [("d", 0)], [("d", 9)]], [[None], [None], [None], [None]]),
        ([[("c", 0)], [("c", 0), ("c", 5)], [("c", -3), ("c", 9)]], [[1], [2, 2], [3, 3]]),
    ],
    ids=[
        "a log", "a row that tells of several times", "contact by contact", "newest first", "in no order of time",
        "a row that looks back is written when its last thing has happened",
    ],
)  # fmt: skip
def test_rows(rows: list[list[tuple[str, int]]], right: list[list[int | None]]) -> None:
    assert sequences(*[[told(contact, second) for contact, second in row] for row in rows]) == right


def test_what_the_mapping_states_stands_and_other_rows_pass() -> None:
    refused, left_out = RejectedRow(3, "why", "text"), ReadRow(4, [], kept=False)
    own = ReadRow(2, [told("c", 0, sequence=70)])
    assert list(as_told([own, refused, left_out])) == [own, refused, left_out]
    assert own.events[0].sequence == 70


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_call_log_of_whole_seconds_is_read_as_it_was_written(newest_first: bool) -> None:
    """Rung twice in a second: by its log it was missed, timed out to another queue, and was answered there at once."""
    log = [
        told("c", 0, e.CallQueued, queue_id="sales"),
        told("c", 20, e.CallMissed, agent_id="a"),
        told("c", 20, e.CallLeftQueue),
        told("c", 20, e.CallQueued, queue_id="care"),
        told("c", 20, e.CallAnswered, agent_id="b", wait_seconds=0),
        told("c", 20, e.CallEnded, agent_id="b"),
        told("c", 20, e.CallQueued, id="again", queue_id="sales"),
    ]
    rows = [ReadRow(number, [event]) for number, event in enumerate(log)]
    events = [
        event
        for row in as_told(rows[::-1] if newest_first else rows)
        if isinstance(row, ReadRow)
        for event in row.events
    ]
    held = run_events(events)
    assert sums(held, "queue|sales")["calls_offered"] == 2
    assert {name: sums(held, "queue|care").get(name) for name in ("calls_offered", "calls_answered", "calls_handled")} == {
        "calls_offered": 1, "calls_answered": 1, "calls_handled": 1,
    }  # fmt: skip
