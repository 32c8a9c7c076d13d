"""Marks rest on closed days that have matured, and all of them are adjusted together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from streams.contracts.outputs import Sums
from streams.kpi.catalog import KPIS
from streams.kpi.compare import comparable
from streams.kpi.marks import ClosedDays, Compared, Marks
from streams.kpi.policy.model import Policy
from streams.wallboard import layout

POLICY = Policy(time_zone="UTC")
NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)
YESTERDAY = date(2026, 3, 30)


def marked(people: Mapping[str, list[Sums]], teams: list[list[str]], kpis: list[str]) -> Marks:
    """What is marked where each person's newest day is yesterday."""
    closed = ClosedDays(POLICY, NOW, kpis)
    compared = Compared(closed, closed.judged([YESTERDAY]))
    for who, days in people.items():
        for back, sums in enumerate(days):
            compared.add(who, YESTERDAY - timedelta(days=back), sums)
    return compared.marks(teams)


def rated(satisfied: int, of: int = 20) -> Sums:
    return {"csat_ratings": of, "csat_satisfied": satisfied}


def test_every_column_of_the_agents_table_can_be_compared() -> None:
    assert all(comparable(KPIS[shown.kpi]) for shown in layout.AGENT if shown.part == "value")


def test_a_day_is_closed_an_hour_after_its_end() -> None:
    for hour, last in ((0, date(2026, 3, 29)), (1, YESTERDAY)):
        closed = ClosedDays(POLICY, NOW.replace(hour=hour), ["csat"])
        assert (closed.first, closed.last) == (last - timedelta(days=27), last)


def test_what_matures_is_compared_by_the_last_days_that_have() -> None:
    closed = ClosedDays(POLICY, NOW, ["csat", "repeat_contact_rate"])
    assert POLICY.repeat_days == 7
    assert max(closed.of["csat"]) == YESTERDAY
    last = YESTERDAY - timedelta(days=7)
    assert (min(closed.of["repeat_contact_rate"]), max(closed.of["repeat_contact_rate"])) == (
        last - timedelta(days=27),
        last,
    )
    assert closed.first == last - timedelta(days=27)
    back = {"contacts_handled_known": 20, "repeat_contacts": 1}
    people = {"a": [{**back, "repeat_contacts": 20}] * 7 + [back] * 28, **dict.fromkeys("bcd", [back] * 35)}
    assert marked(people, [list("abcd")], ["repeat_contact_rate"]) == {}, "young days are not looked at"


def test_a_person_is_compared_with_their_team() -> None:
    people = {
        "a": [rated(19)] * 28,
        "b": [rated(12)] * 28,
        "c": [rated(16)] * 28,
        "d": [rated(16)] * 28,
        "x": [rated(4)] * 28,
    }
    assert marked(people, [["a", "b", "c", "d", "away"], ["x"]], ["csat"]) == {
        "a": {"csat": "better"},
        "b": {"csat": "worse"},
    }
    assert marked(people, [["x"]], ["csat"]) == {}, "nobody to compare with"


def test_days_older_than_28_do_not_count() -> None:
    people = {who: [rated(16)] * 28 + [rated(2 if who == "a" else 16)] * 20 for who in "abcd"}
    assert marked(people, [list("abcd")], ["csat"]) == {}


def test_who_has_one_bad_day_is_not_marked() -> None:
    """Of today alone, 30 of 80 beside 64 of 80 was a mark."""
    people = {"a": [rated(30, 80)] + [rated(16)] * 27, **{who: [rated(64, 80)] + [rated(16)] * 27 for who in "bcd"}}
    assert marked(people, [list("abcd")], ["csat"]) == {}


@pytest.mark.parametrize(("teams", "marks"), [(1, 1), (400, 0)])
def test_all_teams_are_adjusted_together(teams: int, marks: int) -> None:
    """Who is a little off is marked in a small operation; among very many people somebody is so by chance."""
    people = {
        f"t{team}{who}": [rated(16 + day % 2 * 2) for day in range(4 if team else 28)]
        for team in range(teams)
        for who in "abcd"
    }
    people["t0a"] = [rated(14 + day % 2 * 3) for day in range(28)]
    found = marked(people, [[f"t{team}{who}" for who in "abcd"] for team in range(teams)], ["csat"])
    assert len(found) == marks
