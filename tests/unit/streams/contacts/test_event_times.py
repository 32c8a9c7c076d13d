"""Of which times events are taken: months of the last century are, clocks that were never set are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import read
from streams.pipeline import run

PLAIN = Policy(time_zone="UTC")


def queued(at: datetime) -> e.CallQueued:
    return e.CallQueued(id="1", source="s", time=at, contact_id="c")


def available(at: datetime) -> e.AgentStateChanged:
    return e.AgentStateChanged(id="1", source="s", time=at, agent_id="a", state="available")


@pytest.mark.parametrize(
    ("at", "earliest", "taken"),
    [
        (datetime(1999, 12, 31, 23, 59, tzinfo=UTC), "1970-01-02", True),
        (datetime(1970, 1, 2, tzinfo=UTC), "1970-01-02", True),
        (datetime(1970, 1, 1, 23, 59, 59, tzinfo=UTC), "1970-01-02", False),
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-02", False),
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01", True),
        (datetime(2019, 12, 31, tzinfo=UTC), "2020-01-01", False),
        (datetime(2020, 1, 1, tzinfo=UTC), "2020-01-01", True),
    ],
)
@pytest.mark.parametrize("event", [queued, available])
def test_events_are_taken_from_the_earliest_day_on(
    event: Callable[[datetime], AnyEvent], at: datetime, earliest: str, taken: bool
) -> None:
    policy = PLAIN.but(earliest_day=earliest)
    made = run([encode(event(at))], policy)
    assert (made.admitted, [refused.reason for _, refused in made.rejected]) == (
        (1, []) if taken else (0, ["bad_time"])
    )
    assert all(earliest in refused.detail for _, refused in made.rejected)


def test_the_day_begins_in_the_operations_zone() -> None:
    assert Policy(time_zone="Asia/Shanghai").earliest_ms == 16 * 3_600_000
    assert Policy(time_zone="America/New_York").earliest_ms == 29 * 3_600_000


def test_it_is_the_same_in_all_versions() -> None:
    day = date(1995, 5, 1)
    policy = read({"versions": [{"version": "1", "earliest_day": day}, {"version": "2", "valid_from": "2026-01-01"}]})
    assert (policy.earliest_day, policy.earliest_ms) == (day, policy.but(version="x").earliest_ms)


def test_no_day_is_earlier_than_1970() -> None:
    with pytest.raises(ValidationError, match="earliest_day"):
        PLAIN.but(earliest_day="1969-12-31")
