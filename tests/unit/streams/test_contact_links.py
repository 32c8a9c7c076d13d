"""Addresses of the contacts behind a figure: what the desk's page reads out of them is what was meant."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from streams.contact_links import contacts_address
from streams.history.formulas import NOT_IN_SQL
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.wallboard.meta import meta

DESK = "https://desk.example.org"
POLICY = Policy()
AT = datetime(2026, 3, 2, 2, 5, 0, 250_000, UTC)  # 10:05 in Shanghai


def read(address: str | None) -> dict[str, str]:
    """The query as the desk's page reads it: behind the #, as forms encode it."""
    assert address is not None
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path, parts.query) == ("https", "desk.example.org", "/", "")
    page, _, query = parts.fragment.partition("?")
    assert page == "/contacts"
    assert address.isascii()
    assert not set(address) & set(" ()[]<>|\"'")
    return {name: value for name, (value,) in parse_qs(query, strict_parsing=True).items()}


@pytest.mark.parametrize(
    "entity",
    [
        "agent|A17",
        "queue|售后服务",
        "team|a|b",
        "agent|x&entity=agent|y#z?",
        "queue|{kpi}%7C+ (1)",
        "all|all",
        "site|𠮷",
    ],
)
def test_ids_are_read_as_they_are_whatever_they_are_made_of(entity: str) -> None:
    assert read(contacts_address(DESK, POLICY, "csat", entity, AT)) == {
        "kpi": "csat",
        "entity": entity,
        "first": "2026-03-02",
    }


@pytest.mark.parametrize("window", ["5m", "30m", "today"])
def test_a_window_is_that_of_the_figure_to_its_end(window: str) -> None:
    told = read(contacts_address(f"{DESK}/", POLICY, "csat", "team|T1", AT, window))
    assert told == {"kpi": "csat", "entity": "team|T1", "at": "2026-03-02T02:05:00.250000Z", "window": window}


@pytest.mark.parametrize("window", [None, "now", "change", "15m"])
def test_what_is_of_no_window_of_the_history_leads_to_the_day(window: str | None) -> None:
    assert read(contacts_address(DESK, POLICY, "csat", "team|T1", AT, window))["first"] == "2026-03-02"


@pytest.mark.parametrize(
    ("zone", "day_starts", "at", "day"),
    [
        ("Asia/Shanghai", "00:00", datetime(2026, 3, 1, 16, 0, tzinfo=UTC), "2026-03-02"),
        ("Asia/Shanghai", "00:00", datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), "2026-03-01"),
        ("Asia/Shanghai", "04:00", datetime(2026, 3, 2, 19, 59, tzinfo=UTC), "2026-03-02"),
        ("Asia/Shanghai", "04:00", datetime(2026, 3, 2, 20, 0, tzinfo=UTC), "2026-03-03"),
        ("Europe/Berlin", "04:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "2026-03-28"),  # 3:30, the clock has gone forward
        ("Europe/Berlin", "04:00", datetime(2026, 3, 29, 2, 0, tzinfo=UTC), "2026-03-29"),
        ("America/New_York", "04:00", datetime(2026, 11, 1, 8, 59, tzinfo=UTC), "2026-10-31"),  # it has gone back
    ],
)  # fmt: skip
def test_the_day_is_the_operations(zone: str, day_starts: str, at: datetime, day: str) -> None:
    policy = Policy(time_zone=zone, day_starts=day_starts)
    assert read(contacts_address(DESK, policy, "csat", "queue|q", at))["first"] == day


def test_without_a_desk_or_without_contacts_there_is_no_address() -> None:
    assert contacts_address(None, POLICY, "csat", "team|T1", AT) is None
    none = {id for id in KPIS if contacts_address(DESK, POLICY, id, "team|T1", AT, "today") is None}
    assert {"calls_waiting", "longest_wait", "backlog_age_p90"} <= none
    assert none == {id for id, kpi in KPIS.items() if kpi.live} | NOT_IN_SQL
    assert contacts_address(DESK, POLICY, "no_such_kpi", "team|T1", AT) is None
    assert read(contacts_address(DESK, POLICY, "away_time~lunch", "team|T1", AT))["kpi"] == "away_time~lunch"
    told = meta(POLICY, (), "page", AT.date())
    assert told["contacts"] is None
    assert {one["id"] for one in told["kpis"] if not one["has_contacts"]} == none
