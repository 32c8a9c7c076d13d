"""Runs of quarters, half-years and years: what they decide, and what the months have decided already."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import History, Past, Person, RatedDay, Settings, Term, decide
from scoring.outcomes.terms import closes, ending_with, shortest
from scoring.outcomes_file import default
from scoring.period import Month, Period, PeriodKind, parse_period

OPENED = date(2027, 1, 4)


def of_any_size() -> Settings:
    """The program's own rules, for groups of any size."""
    return default().model_copy(update={"ranking": default().ranking.model_copy(update={"smallest_group": 1})})


def rules(**more: Any) -> Settings:
    given = {"schema": "deskpulse/outcomes/1", "version": "1", "ranking": {"smallest_group": 1}, **more}
    return Settings.model_validate(given)


def one(id: str, total: str | None, card: str, **more: Any) -> Person:
    return Person(id, None if total is None else Decimal(total), card=card, role="agent", **more)


def past(term: str, total: str | None, **more: Any) -> Past:
    return Past(Term.parse(term), None if total is None else Decimal(total), **more)


@pytest.mark.parametrize(
    ("scored_by", "of", "decided"),
    [
        (("month",), "month", ("quarter", "half_year", "year")),
        (("month", "quarter", "year"), "month", ("half_year",)),
        (("month", "quarter", "year"), "quarter", ()),
        (("month", "quarter", "year"), "year", ()),
        (("month", "probation", "year"), "month", ("quarter", "half_year")),
        (("quarter",), "quarter", ("half_year", "year")),
        (("quarter", "half_year"), "quarter", ("year",)),
        (("quarter", "half_year"), "half_year", ()),
        (("month", "probation"), "probation", ()),
    ],
)
def test_no_term_is_decided_twice(scored_by: tuple[PeriodKind, ...], of: PeriodKind, decided: tuple[str, ...]) -> None:
    assert closes(scored_by, of) == decided


def test_the_shortest_kind_of_a_card() -> None:
    assert shortest(("year", "quarter")) == "quarter"
    assert shortest(("probation",)) is None


def test_a_quarter_ends_a_half_year_and_a_year() -> None:
    kinds = closes(("quarter",), "quarter")
    ended = {
        text: [str(term) for term in ending_with(Term.parse(text), kinds)] for text in ("2026-Q1", "2026-Q2", "2026-Q4")
    }
    assert ended == {
        "2026-Q1": ["2026-Q1"],
        "2026-Q2": ["2026-Q2", "2026-H1"],
        "2026-Q4": ["2026-Q4", "2026-H2", "2026"],
    }


@pytest.mark.parametrize("text", ["2026-03", "2026-Q1", "2026-H2", "2026"])
def test_every_term_is_written_as_its_period_is(text: str) -> None:
    term, period = Term.parse(text), parse_period(text)
    assert (str(term), term.kind, term.zh) == (text, period.kind, period.zh)
    assert (term.months[0].first, term.last.last) == (period.first, period.last)


def test_a_quarters_run_pays_the_pool_and_gives_grades_and_ranks() -> None:
    people = [one(f"p{number}", str(60 + 8 * number), "s1-b-360") for number in range(5)]
    made = decide(
        parse_period("2026-Q1"),
        people,
        default(),
        opened=OPENED,
        pools={"pool": Decimal(1000)},
        closes=("half_year", "year"),
    )
    best = made.people[4]
    assert [str(standing.term) for standing in best.standings] == ["2026-Q1"]
    assert (best.standing.grade, best.standing.rank, best.standing.top) == ("A", 1, True)
    assert [one.pay.money for one in made.people if one.pay] == [Decimal(125)] * 4 + [Decimal(500)]
    assert {one.pay.term for one in made.people if one.pay} == {Term.parse("2026-Q1")}
    assert [action.kind for action in best.actions] == ["interview"], "by quarter, as no month's run does it"
    assert not best.awards, "the service star is of a month"


def test_a_year_of_quarters_is_their_mean_and_none_without_one_of_them() -> None:
    quarters = [past(f"2026-Q{number}", total) for number, total in ((1, "80"), (2, "90"), (3, "85"))]
    people = [one("anna", "89", "s1-b-360"), one("ben", "89", "s1-b-360")]
    history = {"anna": History(tuple(quarters)), "ben": History(tuple(quarters[1:]))}
    made = decide(
        parse_period("2026-Q4"), people, of_any_size(), opened=OPENED, history=history, closes=("half_year", "year")
    )
    anna, ben = ({str(s.term): s.total for s in person.standings} for person in made.people)
    assert anna == {"2026-Q4": 89, "2026-H2": 87, "2026": 86}
    assert ben == {"2026-Q4": 89, "2026-H2": 87, "2026": None}
    assert "3 of 4 quarters are scored, 4 are needed" in made.people[1].standings[2].placed.en
    assert "4 个季度中 3 个季度有总分，需要 4 个" in made.people[1].standings[2].placed.zh
    assert [award.award for award in made.people[0].awards] == ["best_of_the_year"]


def test_a_half_year_of_months_is_decided_with_its_last_month() -> None:
    months = tuple(past(f"2026-{number:02d}", str(70 + number)) for number in range(1, 6))
    made = decide(
        Month(2026, 6),
        [one("anna", "76", "s2-a-core")],
        of_any_size(),
        opened=OPENED,
        history={"anna": History(months)},
    )
    assert [(str(s.term), s.total) for s in made.people[0].standings] == [
        ("2026-06", 76), ("2026-Q2", 75), ("2026-H1", Decimal("73.5")),
    ]  # fmt: skip


#: A card that is scored by month and by quarter, with stars and pay by them.
BOTH = {
    "stars": {},
    "grades": {"by": "points"},
    "pay": [{"id": "star_pay", "type": "stars", "who": {"cards": ["both"]}}],
    "base_bonus": {},
    "streaks": [
        {
            "id": "off",
            "name": {"zh": "调休", "en": "off"},
            "of": "day",
            "result": "satisfied",
            "length": 3,
            "days_off": 0.5,
        }
    ],
    "actions": {"interview": {}},
}


def quarter(total: str, *months: Past, **more: Any) -> Any:
    person = one("anna", total, "both", exam=Decimal(90), **more)
    return decide(
        parse_period("2026-Q1"), [person], rules(**BOTH), opened=OPENED, history={"anna": History(months)}, closes=(), shortest="month"
    ).people[0]  # fmt: skip


def test_stars_rest_on_the_months_also_in_the_quarters_own_run() -> None:
    """S3-23: the monthly KPI and the quarter's exam. The quarter's own total is another thing."""
    made = quarter("60", past("2026-01", "80"), past("2026-02", "90"), past("2026-03", "100"))
    assert (made.standing.total, made.standing.grade) == (60, "D")
    assert made.stars is not None
    assert (made.stars.mixed, made.stars.stars) == (90, 5)  # 90 × 70 % + 90 × 30 %
    assert (made.pay.ratio, str(made.pay.term)) == (Decimal("1.15"), "2026-Q1")


def test_stars_without_one_of_the_months_are_not_guessed_from_the_quarters_total() -> None:
    made = quarter("60", past("2026-01", "80"), past("2026-03", "100"))
    assert made.stars is not None
    assert made.stars.stars is None
    assert made.stars.reason.en == "2026-Q1: 2 of 3 months are scored, 3 are needed; no stars"
    assert made.stars.reason.zh == "2026年第一季度的 3 个月中 2 个月有总分，需要 3 个，不评星"
    assert (made.pay.money, made.pay.ratio) == (None, None)


def test_what_the_months_have_given_a_quarter_does_not_give_again() -> None:
    days = tuple(RatedDay(date(2026, 3, 1) + timedelta(days=number), 1, 1) for number in range(3))
    person = one("anna", "60", "both", days=days, targets=2, targets_met=1)
    month = decide(
        Month(2026, 3), [person], rules(**BOTH), opened=OPENED, closes=("half_year",), shortest="month"
    ).people[0]
    assert ([held.granted for held in month.streaks], month.base_bonus is None) == ([(date(2026, 3, 3),)], False)
    assert [action.kind for action in month.actions] == ["interview"]
    assert month.stars is None, "the quarter has a run of its own"
    assert [note.en for note in month.notes] == ["pay by stars: paid when the quarter ends, not this month"]
    again = quarter("60", days=days, targets=2, targets_met=1)
    assert (again.streaks, again.base_bonus, again.actions) == ((), None, ())


def test_a_quarters_run_does_not_look_at_later_terms_nor_at_the_half_year_that_ends_with_it() -> None:
    streak = {"id": "ab", "name": {"zh": "连续", "en": "on"}, "of": "quarter", "result": "grade_a", "length": 2}
    before = (
        past("2026-Q1", "95", grade="A"),
        past("2026-H1", "95", grade="A"),
        past("2026-Q3", "10", grade="E"),
        past("2026-06", "1"),
    )
    made = decide(
        parse_period("2026-Q2"), [one("anna", "95", "c")], rules(grades={"by": "points"}, streaks=[streak]), opened=OPENED,
        history={"anna": History(before)}, closes=("half_year",),
    ).people[0]  # fmt: skip
    assert made.streaks[0].granted == (date(2026, 6, 30),)
    assert [(str(s.term), s.total) for s in made.standings] == [("2026-Q2", 95), ("2026-H1", 95)]


def test_eight_quarters_of_a_make_a_senior_mentor() -> None:
    quarters = tuple(past(f"{year}-Q{number}", "92", grade="A") for year in (2025, 2026) for number in range(1, 5))
    settings = of_any_size()
    for known, granted in ((quarters[:6], ()), (quarters[:7], (date(2026, 12, 31),))):
        history = History(known) if len(known) == 7 else History(quarters[1:7])
        made = decide(
            parse_period("2026-Q4"), [one("anna", "92", "s1-b-360")], settings, opened=OPENED, history={"anna": history}
        )
        assert next(held for held in made.people[0].streaks if held.streak == "senior_mentor").granted == granted


def test_a_rule_by_month_says_in_a_quarters_run_that_it_pays_nothing() -> None:
    pay = [{"id": "base_pay", "type": "score_ratio", "who": {"cards": ["c"]}}]
    made = decide(parse_period("2026-Q1"), [one("anna", "95", "c")], rules(pay=pay), opened=OPENED).people[0]
    assert made.pay is None
    assert [(note.zh, note.en) for note in made.notes] == [
        ("按得分计发按月度结算，季度考核不结算", "pay by score: paid by month, not in the run of a quarter")
    ]


@pytest.mark.parametrize("text", ["2026-01-16..2026-04-15"])
def test_a_probation_is_no_term(text: str) -> None:
    period: Period = parse_period(text)
    with pytest.raises(ValueError, match="is no month, quarter, half-year or year"):
        decide(period, [one("anna", "95", "c")], rules(), opened=OPENED)


def test_deciding_a_quarter_again_replaces_it_in_the_history() -> None:
    before = History((past("2026-Q1", "1"), past("2026-Q2", "70")), {"off": (date(2026, 1, 9), date(2025, 12, 9))})
    made = decide(
        parse_period("2026-Q1"), [one("anna", "95", "c")], rules(), opened=OPENED, history={"anna": before}, closes=()
    )
    after = made.people[0].onto(before)
    assert sorted((str(one.term), one.total) for one in after.past) == [("2026-Q1", 95), ("2026-Q2", 70)]
    assert made.people[0].standing.term == Term.parse("2026-Q1")
