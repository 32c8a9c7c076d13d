"""How far a partition has come, stored and read again; days in a zone that changes its clocks."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from streams.windows.clock import Days
from streams.worker.state.own_partition import format_mark
from streams.worker.state.progress import Progress
from streams.worker.state.store import BrokenStateError, MemoryStore

DAY = 86_400_000


def stored_and_read(progress: Progress) -> Progress:
    """As a worker finds it that takes over."""
    again, marks = Progress(), MemoryStore()
    for place in progress.moved():
        progress.mark(marks, place, progress.taken[place])
    again.load_stored(marks, range(4))
    return again


def test_reading_goes_on_where_it_was_with_the_clock_it_had() -> None:
    progress = Progress()
    progress.clock(("p.calls", 3)).advance(1000)
    progress.take(("p.calls", 3), 42)
    progress.take(("p|odd.agents", 0), 7)
    again = stored_and_read(progress)
    assert again.taken == {("p.calls", 3): 42, ("p|odd.agents", 0): 7}
    assert (again.clock(("p.calls", 3)).now, again.clock(("p|odd.agents", 0)).now) == (1000, None)
    assert progress.moved() == []


@pytest.mark.parametrize(("who", "believed"), [("B", True), ("A", False)])
def test_a_jump_that_waits_for_somebody_to_confirm_it_still_waits_after_a_restart(who: str, believed: bool) -> None:
    progress = Progress()
    clock = progress.clock(("calls", 0))
    clock.advance(0)
    clock.advance(400 * DAY, "A", jump=DAY)
    progress.take(("calls", 0), 2)
    again = stored_and_read(progress).clock(("calls", 0))
    assert again.now == 0
    again.advance(400 * DAY + 1, who, jump=DAY)
    assert again.now == (400 * DAY + 1 if believed else 0)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-07T23:59:59.999-05:00", "2026-03-07"),
        ("2026-03-08T00:00:00-05:00", "2026-03-08"),
        ("2026-03-08T03:00:00-04:00", "2026-03-08"),
        ("2026-03-08T23:59:59.999-04:00", "2026-03-08"),
        ("2026-03-09T00:00:00-04:00", "2026-03-09"),
        ("2026-11-01T01:30:00-04:00", "2026-11-01"),
        ("2026-11-01T01:30:00-05:00", "2026-11-01"),
        ("2026-11-01T23:59:59.999-05:00", "2026-11-01"),
        ("2026-11-02T00:00:00-05:00", "2026-11-02"),
    ],
)
def test_days_begin_at_local_midnight_on_days_of_23_and_25_hours(moment: str, day: str) -> None:
    ms = round(datetime.fromisoformat(moment).timestamp() * 1000)
    assert Days(ZoneInfo("America/New_York")).of(ms) == date.fromisoformat(day).toordinal()


def test_marks_tell_which_clock_the_operation_is_on() -> None:
    marks, readers = MemoryStore(), []
    for event_time in (None, True, False):
        progress = Progress(event_time=event_time)
        progress.take(("calls", 0), 1)
        progress.mark(marks, ("calls", 0), 1)
        reader, other = Progress(), Progress(event_time=True)
        for each in (reader, other):
            each.load_stored(marks, range(1))
        readers.append((reader.event_time, other.event_time))
    assert readers == [(None, True), (True, True), (False, True)]


def test_a_mark_without_a_clock_is_read() -> None:
    """As releases before have stored it."""
    progress = Progress()
    progress.load(b"calls|0", b'[42,1000,null,[],"id"]')
    assert (progress.taken, progress.event_time) == ({("calls", 0): 42}, None)


@pytest.mark.parametrize(("stored", "refused"), [(b"1", False), (b"2", True)])
def test_state_of_a_later_format_is_refused_with_what_to_do(stored: bytes, refused: bool) -> None:
    marks = MemoryStore()
    marks.put(3, format_mark(3), stored)
    again = Progress()
    if not refused:
        again.load_stored(marks, [3])
        return
    with pytest.raises(
        BrokenStateError,
        match=r"state-progress\[3\]: .* of format 2, and this version reads up to 1: .*start that version again",
    ):
        again.load_stored(marks, [3])
    again.load_stored(marks, [0, 1, 2])  # its own partitions are none of its business


def test_a_format_that_is_no_number_is_damaged() -> None:
    marks = MemoryStore()
    marks.put(0, format_mark(0), b"{}")
    with pytest.raises(BrokenStateError, match="damaged"):
        Progress().load_stored(marks, [0])
