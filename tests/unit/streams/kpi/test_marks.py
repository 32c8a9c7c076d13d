"""Marks rest on closed days that have matured, and all of them are adjusted together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from streams.contracts.outputs import Sums
from streams.kpi.case_mix import in_stratum
from streams.kpi.catalog import KPIS
from streams.kpi.compare import comparable
from streams.kpi.marks import ClosedDays, Compared, Mark, Marks, by_stratum
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
        "a": {"csat": Mark("better")},
        "b": {"csat": Mark("worse")},
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


def by_queue(**queues: tuple[int, int]) -> Sums:
    """A day's ratings by queue: satisfied, of so many."""
    made: Sums = {"csat_ratings": 0, "csat_satisfied": 0}
    for queue, (satisfied, of) in queues.items():
        for name, amount in rated(satisfied, of).items():
            made[name] += amount
            made[in_stratum(name, queue)] = amount
    return made


def test_who_has_the_hard_queue_is_not_marked_for_it() -> None:
    """16 of 20 on the hard queue, 19 of 20 on the easy one, whoever has it."""
    hard, easy = by_queue(hard=(16, 20)), by_queue(easy=(19, 20))
    both = by_queue(hard=(8, 10), easy=(9, 10))
    people = {"a": [hard] * 28, "b": [hard] * 28, "c": [easy] * 28, "d": [easy] * 28, "e": [both] * 28}
    assert marked(people, [list("abcde")], ["csat"]) == {}
    as_they_are = {who: [rated(day["csat_satisfied"])] * 28 for who, (day, *_) in people.items()}
    assert marked(as_they_are, [list("abcde")], ["csat"])["a"] == {"csat": Mark("worse")}


def test_who_is_worse_on_the_same_work_is_marked_and_the_share_that_tells_is_said() -> None:
    """A quarter of their work nobody else does."""
    worse = by_queue(hard=(9, 15), own=(5, 5))
    people = {"a": [worse] * 28, **{who: [by_queue(hard=(17, 20))] * 28 for who in "bcd"}}
    assert marked(people, [list("abcd")], ["csat"])["a"] == {"csat": Mark("worse", 0.75)}


def test_what_no_contact_counts_for_is_compared_as_it_is() -> None:
    closed = ClosedDays(POLICY, NOW, ["csat", "occupancy"])
    needed = by_stratum(closed.judged([YESTERDAY]), closed.of)
    assert needed == {"csat_ratings", "csat_satisfied"}
