"""Streaks on a line of days, months and quarters: # a result that counts, . one that breaks, - none at all."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import History, Past, Person, RatedDay, Settings, Term, decide
from scoring.outcomes.streaks import Held
from scoring.period import Month


def settings(**streak: Any) -> Settings:
    rule = {"id": "streak", "name": {"zh": "奖励", "en": "reward"}, "source": "S0-44", **streak}
    return Settings.model_validate(
        {
            "schema": "deskpulse/outcomes/1",
            "version": "1",
            "pass_mark": 80,
            "grades": {"by": "points"},
            "ranking": {"smallest_group": 1, "top": {"percent": 20}},
            "streaks": [rule],
        }
    )


TOTALS = {"#": Decimal(95), ".": Decimal(50), "-": None}


def held_by_months(line: str, **rule: Any) -> Held:
    """The last sign is December 2010, the ones before are the months before it, as they were decided then."""
    last = Term.parse("2010-12").number
    past = [
        Past(Term("month", last - len(line) + 1 + n), TOTALS[sign], met={"#": True, ".": False, "-": None}[sign])
        for n, sign in enumerate(line[:-1])
    ]
    person = Person("anna", TOTALS[line[-1]])
    made = decide(
        Month(2010, 12),
        [person],
        settings(of="month", result="met", **rule),
        opened=date(2011, 1, 1),
        history={"anna": History(tuple(reversed(past)))},
    )
    return made.people[0].streaks[0]


@pytest.mark.parametrize(
    ("line", "count", "granted"),
    [
        ("#", 1, False), ("#####", 5, False), ("######", 6, True), ("#######", 7, False),  # once, when it is reached
        (".######", 6, True), ("#####.", 0, False), ("###.######", 6, True), ("######.#####", 5, False), ("######.######", 6, True),
        ("-", 0, False),
        # A month without result neither breaks nor extends, and grants nothing itself.
        ("###-###", 6, True), ("---######", 6, True), ("#####-", 5, False), ("######-", 6, False), ("######-#", 7, False),
    ],
)  # fmt: skip
def test_six_months_met(line: str, count: int, granted: bool) -> None:
    made = held_by_months(line, length=6)
    assert (made.count, made.granted) == (count, (date(2010, 12, 31),) if granted else ())


@pytest.mark.parametrize(
    ("line", "count", "granted"),
    [("###-###", 3, False), ("-######", 6, True), ("######-", 0, False)],
)
def test_months_without_result_may_break(line: str, count: int, granted: bool) -> None:
    made = held_by_months(line, length=6, unscored="breaks")
    assert (made.count, bool(made.granted)) == (count, granted)


@pytest.mark.parametrize(
    ("line", "count", "granted"),
    [("###", 3, True), ("####", 1, False), ("######", 3, True), ("#######", 1, False), ("##.###", 3, True)],
)
def test_counting_may_begin_again_after_a_grant(line: str, count: int, granted: bool) -> None:
    made = held_by_months(line, length=3, after="restart")
    assert (made.count, bool(made.granted)) == (count, granted)


def test_months_that_are_not_there_count_as_without_result() -> None:
    past = tuple(Past(Term.parse(f"2010-{month:02d}"), Decimal(90), met=True) for month in (1, 2, 3, 4, 11))
    for unscored, granted in (("skips", (date(2010, 12, 31),)), ("breaks", ())):
        made = decide(
            Month(2010, 12),
            [Person("anna", Decimal(90))],
            settings(of="month", result="met", length=6, unscored=unscored),
            opened=date(2011, 1, 1),
            history={"anna": History(past)},
        )
        assert made.people[0].streaks[0].granted == granted


def test_a_closed_month_keeps_what_was_decided_then() -> None:
    """The pass mark was 95 then: 90 was not met, and today's pass mark of 80 does not change that."""
    past = tuple(Past(Term.parse(f"2010-{month:02d}"), Decimal(90), met=month != 9) for month in range(7, 12))
    made = decide(
        Month(2010, 12),
        [Person("anna", Decimal(90))],
        settings(of="month", result="met", length=6),
        opened=date(2011, 1, 1),
        history={"anna": History(past)},
    )
    assert made.people[0].streaks[0].count == 3


def test_later_months_are_passed_over_when_one_is_decided_again() -> None:
    past = tuple(Past(Term.parse(text), Decimal(90), met=True) for text in ("2010-11", "2010-12", "2011-01", "2011-02"))
    made = decide(
        Month(2010, 12),
        [Person("anna", Decimal(90))],
        settings(of="month", result="met", length=6),
        opened=date(2011, 3, 1),
        history={"anna": History(past)},
    )
    assert made.people[0].streaks[0].count == 2


@pytest.mark.parametrize(("grades", "count", "granted"), [("AAAAAAA", 8, True), ("AAAAAA", 7, False), ("AAAAAAB", 1, False), ("BAAAAAAA", 8, True), ("AAAAAAAA", 9, False)])  # fmt: skip
def test_eight_quarters_of_a(grades: str, count: int, granted: bool) -> None:
    last = Term.parse("2010-Q4").number
    quarters = tuple(Past(Term("quarter", last - len(grades) + n), Decimal(90), grade=g) for n, g in enumerate(grades))  # type: ignore[arg-type]
    months = tuple(Past(Term.parse(text), Decimal(90)) for text in ("2010-10", "2010-11"))
    rules = settings(of="quarter", result="grade_a", length=8)
    person = Person("anna", Decimal(90))
    made = decide(
        Month(2010, 12), [person], rules, opened=date(2011, 1, 1), history={"anna": History(quarters + months)}
    )
    streak = made.people[0].streaks[0]
    assert (streak.count, bool(streak.granted)) == (count, granted)
    between = decide(Month(2010, 11), [person], rules, opened=date(2010, 12, 1), history={"anna": History(quarters)})
    assert between.people[0].streaks == (), "a quarter counts when it is over"


def test_two_years_of_a() -> None:
    past = (Past(Term.parse("2009"), Decimal(92), grade="A"),)
    rules = settings(of="year", result="grade_a", length=2)
    for months, granted in ((11, True), (10, False)):
        year = tuple(Past(Term.parse(f"2010-{month:02d}"), Decimal(95)) for month in range(12 - months, 12))
        person = Person("anna", Decimal(95))
        made = decide(Month(2010, 12), [person], rules, opened=date(2011, 1, 1), history={"anna": History(past + year)})
        assert bool(made.people[0].streaks[0].granted) is granted, f"{months} months before December are scored"


# Days.

HALF_DAY = {"of": "day", "result": "satisfied", "length": 3, "after": "restart", "days_off": 0.5}
FIRST = date(2010, 8, 1)


def rated(line: str, first: date = FIRST) -> tuple[RatedDay, ...]:
    """# all satisfied, . one was not, - nobody rated, and a blank is no day at all."""
    ratings = {"#": (2, 2), ".": (2, 1), "-": (0, 0)}
    days = (first + timedelta(days=n) for n in range(len(line)))
    return tuple(RatedDay(day, *ratings[sign]) for day, sign in zip(days, line, strict=True) if sign != " ")


def held_by_days(days: tuple[RatedDay, ...], granted: tuple[date, ...] = (), **rule: Any) -> Held:
    made = decide(
        Month(2010, 8),
        [Person("anna", Decimal(90), days=days[::-1])],
        settings(**{**HALF_DAY, **rule}),
        opened=date(2010, 9, 1),
        history={"anna": History(granted={"streak": granted})},
    )
    return made.people[0].streaks[0]


@pytest.mark.parametrize(
    ("line", "count", "granted"),
    [
        ("", 0, []), ("##", 2, []), ("###", 0, [3]), ("####", 1, [3]), ("######", 0, [3, 6]),
        ("##.###", 0, [6]), ("##.##", 2, []), ("###.", 0, [3]),
        # A day without ratings neither breaks nor extends; neither does a day off.
        ("##-#", 0, [4]), ("## #", 0, [4]), ("#-#-#", 0, [5]), ("---", 0, []),
    ],
)  # fmt: skip
def test_three_days_of_full_satisfaction(line: str, count: int, granted: list[int]) -> None:
    made = held_by_days(rated(line))
    assert (made.count, [day.day for day in made.granted]) == (count, granted)
    assert made.days_off == Decimal("0.5") * len(granted)


@pytest.mark.parametrize(("line", "granted"), [("##-#", []), ("## #", []), ("###", [3]), ("# ###", [5])])
def test_unrated_days_may_break(line: str, granted: list[int]) -> None:
    assert [day.day for day in held_by_days(rated(line), unscored="breaks").granted] == granted


def test_a_day_needs_enough_ratings() -> None:
    one_rating = tuple(RatedDay(FIRST + timedelta(days=n), 1, 1) for n in range(3))
    assert held_by_days(one_rating, min_ratings=2).granted == ()
    assert held_by_days(one_rating, min_ratings=1).granted == (date(2010, 8, 3),)
    bad = (*one_rating[:2], RatedDay(date(2010, 8, 3), 1, 0), *rated("#", date(2010, 8, 4)))
    assert held_by_days(bad, min_ratings=1).granted == ()


@pytest.mark.parametrize(
    ("line", "count", "granted"),
    [
        ("###", 3, []), ("####", 4, []), ("#####", 0, [5]), ("######", 1, [5]), ("##.###", 3, []), ("##-###", 0, [6]),
        ("##########", 0, [5, 10]),
    ],
)  # fmt: skip
def test_a_streak_of_days_needs_enough_ratings_in_all(line: str, count: int, granted: list[int]) -> None:
    """Two ratings a day: three days have six, which whoever is rated a lot has in an hour."""
    made = held_by_days(rated(line), min_ratings_in_all=9)
    assert (made.count, [day.day for day in made.granted]) == (count, granted)


def test_many_ratings_do_not_shorten_a_streak_of_days() -> None:
    days = tuple(RatedDay(FIRST + timedelta(days=n), 40, 40) for n in range(3))
    assert held_by_days(days[:2], min_ratings_in_all=9).granted == ()
    assert held_by_days(days, min_ratings_in_all=9).granted == (date(2010, 8, 3),)


def test_days_go_on_over_the_end_of_the_month_and_are_used_once() -> None:
    july = rated("#####", date(2010, 7, 27))  # 29 July granted, 30 and 31 are left
    august = rated("##")
    assert held_by_days(july + august).granted == (date(2010, 8, 1),)
    assert held_by_days(july + august, granted=(date(2010, 7, 29),)).granted == (date(2010, 8, 1),)
    assert held_by_days(july[3:] + august, granted=(date(2010, 7, 31),)).granted == ()
    # Decided again: what this month granted before does not use up its own days.
    assert held_by_days(july + august, granted=(date(2010, 7, 29), date(2010, 8, 1))).granted == (date(2010, 8, 1),)


def test_days_after_the_month_do_not_count_yet() -> None:
    assert held_by_days(rated("###", date(2010, 8, 30))).granted == ()


def test_reasons_of_streaks() -> None:
    short = held_by_days(rated("####"), min_ratings_in_all=15)
    assert (
        short.reason.en
        == "all ratings satisfied for 3 days in a row with 15 ratings or more in all grants 'reward': 4 so far with 8 ratings"
    )
    off = held_by_days(rated("######"))
    assert off.reason.zh == "连续 3 天满意度 100%，授予“奖励”：2010年8月3日、2010年8月6日达到，调休共 1 天"
    assert off.reason.en == (
        "all ratings satisfied for 3 days in a row grants 'reward': reached on 2010-08-03, 2010-08-06; days off: 1"
    )
    assert held_by_months("####", length=6).reason.en == "pass mark met for 6 months in a row grants 'reward': 4 so far"
    assert held_by_months("#######", length=6).reason.zh == "连续 6 个月达标，授予“奖励”：已连续 7 个月，此前已授予"
