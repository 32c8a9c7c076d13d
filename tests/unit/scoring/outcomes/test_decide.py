"""A whole month as it is decided: everybody's outcomes together, carried on from month to month, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest

from scoring.outcomes import (
    Amounts,
    Dimension,
    History,
    Measured,
    Outcomes,
    Past,
    Person,
    RatedDay,
    Settings,
    Term,
    decide,
)
from scoring.outcomes.terms import KINDS, ending_with
from scoring.outcomes_file import default
from scoring.period import Month
from streams.languages.text import Text

FCR = Text("首次解决率", "FCR")
OPENED = date(2011, 1, 3)


def settings(**rules: Any) -> Settings:
    rules["ranking"] = {"smallest_group": 1, **rules.get("ranking", {})}
    return Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})


def on_s3(id: str, total: str | None, **more: Any) -> Person:
    given = None if total is None else Decimal(total)
    return Person(id, given, card="s3-a-front-line", role="agent", **more)


def of_any_size() -> Settings:
    """The program's own rules, for groups of any size."""
    return default().model_copy(update={"ranking": default().ranking.model_copy(update={"smallest_group": 1})})


def year(people: dict[str, list[str | None]], rules: Settings) -> dict[str, list[Outcomes]]:
    """Months of 2010 from January on, each decided with what the ones before left behind."""
    history = {id: History() for id in people}
    made = []
    for number, totals in enumerate(zip(*people.values(), strict=True), 1):
        month = Month(2010, number)
        scored = [on_s3(id, total, exam=Decimal(80)) for id, total in zip(people, totals, strict=True)]
        outcomes = decide(month, scored, rules, opened=month.last, history=history)
        history = {one.person: one.onto(history[one.person]) for one in outcomes.people}
        made.append(outcomes)
    return {"months": made}


def test_a_year_decided_month_by_month() -> None:
    made = year({"anna": ["92"] * 12, "ben": ["81", "79", None, *["85"] * 9], "carl": ["55"] * 12}, of_any_size())[
        "months"
    ]
    march, december = made[2], made[11]
    anna, ben, carl = march.people
    assert [str(standing.term) for standing in anna.standings] == ["2010-03", "2010-Q1"]
    assert [standing.total for standing in ben.standings] == [None, None], "two scored months are no quarter"
    assert anna.stars is not None
    assert (anna.stars.stars, anna.stars.mixed) == (4, Decimal("88.40"))  # 92 × 70 % + 80 × 30 %
    assert [held.streak for held in anna.streaks if held.granted] == ["fast_promotion", "training_place"]
    assert [(action.kind, action.owner) for action in carl.actions] == [
        ("improvement_plan", None),
        ("mentor", "anna"),
        ("interview", None),
    ]
    assert made[0].people[2].actions[1].owner is None, "in January nobody has stars yet"
    assert [str(standing.term) for standing in december.people[0].standings] == [
        "2010-12",
        "2010-Q4",
        "2010-H2",
        "2010",
    ]
    assert [award.award for award in december.people[0].awards] == ["service_star", "best_of_the_year"]
    assert december.people[1].standings[3].total is None, "eleven months are no year"
    assert made[5].people[0].streaks[1].count == 6


def test_deciding_a_month_again_changes_nothing_and_opens_nothing_twice() -> None:
    rules = default()
    people = [on_s3("anna", "92", exam=Decimal(90)), on_s3("ben", "50")]
    months = (Past(Term.parse("2010-01"), Decimal(80), True), Past(Term.parse("2010-02"), Decimal(80), True))
    before = {"anna": History(months)}
    first = decide(Month(2010, 3), people, rules, opened=OPENED, history=before)
    after = {one.person: one.onto(before.get(one.person, History())) for one in first.people}
    again = decide(Month(2010, 3), people[::-1], rules, opened=OPENED, history=after)
    assert again == first
    assert {one.person: one.onto(after[one.person]) for one in again.people} == after
    assert [(str(past.term), past.total, past.stars) for past in after["anna"].past[2:]] == [
        ("2010-03", Decimal(92), None),
        ("2010-Q1", Decimal(84), 4),
    ]
    ids = [action.id for one in first.people for action in one.actions]
    assert sorted(set(ids)) == sorted(ids)
    assert ids[0] == "2010-03|anna|interview"


def test_the_history_keeps_grants_and_replaces_what_is_decided_again() -> None:
    days = tuple(RatedDay(date(2010, 2, day), 5, 5) for day in (1, 2, 3))
    before = History(
        (Past(Term.parse("2010-01"), Decimal(1)), Past(Term.parse("2010-02"), Decimal(2))),
        {"half_day_off": (date(2010, 1, 20), date(2010, 2, 27))},
    )
    made = decide(
        Month(2010, 2), [on_s3("anna", "92", days=days)], of_any_size(), opened=OPENED, history={"anna": before}
    )
    after = made.people[0].onto(before)
    assert [(str(past.term), past.total, past.grade) for past in after.past] == [
        ("2010-01", Decimal(1), None),
        ("2010-02", Decimal("92.00"), "A"),
    ]
    assert after.granted == {"half_day_off": (date(2010, 1, 20), date(2010, 2, 3))}


@pytest.mark.parametrize(
    ("totals", "needed", "mean"),
    [
        (["80", "90", "100"], 3, "90.00"),
        (["80", "80", "81"], 3, "80.33"),
        (["80", "80", "80.01"], 3, "80.00"),
        (["80", "80", "80.02"], 3, "80.01"),
        ([None, "80.01", "80.02"], 2, "80.02"),  # 80.015
        ([None, "80", "90"], 3, None),
        (["80", "90", None], 2, "85.00"),
        ([None, None, "70"], 1, "70.00"),
        ([None, None, None], 1, None),
    ],
)  # fmt: skip
def test_a_quarter_is_the_mean_of_its_scored_months(totals: list[str | None], needed: int, mean: str | None) -> None:
    rules = settings(months_needed={"quarter": needed})
    quarter = year({"anna": totals}, rules)["months"][2].people[0].standings[1]
    assert (None if quarter.total is None else str(quarter.total)) == mean


@pytest.mark.parametrize(("scored", "ranked"), [(90, True), (89, False)])
def test_who_has_as_much_scored_as_is_asked_is_ranked_and_who_has_less_is_told(scored: int, ranked: bool) -> None:
    why = Text("部分未评分", "some points are not scored")
    months = (Past(Term.parse("2010-01"), Decimal(80)), Past(Term.parse("2010-02"), Decimal(80)))
    made = decide(
        Month(2010, 3), [on_s3("anna", "80", scored=Fraction(scored), why=why)], settings(ranking={"least_scored": 90}),
        opened=OPENED, history={"anna": History(months)},
    )  # fmt: skip
    for standing in made.people[0].standings:
        assert (standing.total, standing.rank) == (80, 1 if ranked else None)
        assert (why.en in standing.placed.en) is not ranked


def test_how_sure_a_total_is_is_told_of_the_month_and_of_no_mean_of_months() -> None:
    people = [on_s3(f"p{number}", str(60 + 4 * number), error=1.0) for number in range(8)]
    months = (Past(Term.parse("2010-01"), Decimal(80)), Past(Term.parse("2010-02"), Decimal(80)))
    history = {person.id: History(months) for person in people}
    for one in decide(Month(2010, 3), people, settings(), opened=OPENED, history=history).people:
        month, quarter = one.standings
        assert (month.likely is None, quarter.likely, quarter.total is None) == (False, None, False)


def test_one_without_a_pay_rule_takes_nobody_elses_pay() -> None:
    rules = settings(pay=[{"id": "ratio", "type": "score_ratio", "who": {"roles": ["lead"]}}])
    lead = Person("zoe", Decimal(80), role="lead", amounts=Amounts(base_pay=Decimal(5000)))
    made = decide(Month(2010, 8), [on_s3("anna", "80"), lead], rules, opened=OPENED)
    assert [one.pay and one.pay.money for one in made.people] == [None, 5000]


def test_the_summary_counts_and_adds_up() -> None:
    rules = settings(
        ranking={"top": {"percent": 20}, "bottom": {"percent": 10}},
        grades={"by": "points"},
        pay=[
            {"id": "pool", "type": "bonus_pool", "who": {"roles": ["agent"]}},
            {"id": "ratio", "type": "score_ratio", "who": {"roles": ["lead"]}},
        ],
        base_bonus={"who": {"roles": ["lead"]}},
        awards=[{"id": "star", "name": {"zh": "星", "en": "star"}, "of": "month", "best": 1, "amount": 50}],
        streaks=[{"id": "off", "name": {"zh": "休", "en": "off"}, "of": "day", "result": "satisfied", "length": 2, "days_off": 0.5}],
        actions={
            "improvement_plan": {},
            "training": {"rules": [{"id": "drill", "type": "figure", "name": {"zh": "练", "en": "drill"}, "figure": "fcr", "below": 80}]},
        },
    )  # fmt: skip
    days = (RatedDay(date(2010, 8, 1), 1, 1), RatedDay(date(2010, 8, 2), 1, 1))
    people = [Person(f"a{n}", Decimal(100 - 10 * n), role="agent") for n in range(10)]
    people[0] = replace(people[0], days=days, figures={"fcr": Measured(FCR, Decimal(50), 99)})
    people += [
        Person("lead", Decimal(80), role="lead", amounts=Amounts(base_pay=Decimal(5000), base_bonus=Decimal(100)), targets=2, targets_met=1),
        Person("new", None, role="lead"),
    ]  # fmt: skip
    outcomes = decide(Month(2010, 8), people, rules, opened=OPENED, pools={"pool": Decimal("1000")})
    made = outcomes.summary
    assert outcomes.pay_names.keys() == made.pay.keys(), "every cost has a name"
    (term,) = made.terms
    assert (term.people, term.scored, term.top, term.bottom) == (12, 11, 3, 1)
    assert term.grades == {"A": 2, "B": 2, "C": 1, "D": 1, "E": 5}
    costs = {rule: (cost.people, str(cost.money), cost.open) for rule, cost in made.pay.items()}
    assert costs == {"pool": (10, "1000.00", 0), "ratio": (2, "5000.00", 1), "base_bonus": (2, "50.00", 1)}
    assert (made.pools, made.award_money, made.money) == (Decimal(1000), Decimal(100), Decimal(6150))
    assert (made.awards, made.streaks, made.days_off) == ({"star": 2}, {"off": 1}, Decimal("0.5"))
    assert made.actions == {"improvement_plan": 5, "training.drill": 1}


def test_nobody_and_nobody_scored() -> None:
    empty = decide(Month(2010, 12), [], default(), opened=OPENED)
    assert not empty.people
    assert empty.summary.money == 0
    assert [(str(t.term), t.people, t.grades) for t in empty.summary.terms] == [("2010-12", 0, {}), ("2010-Q4", 0, {}), ("2010-H2", 0, {}), ("2010", 0, {})]  # fmt: skip
    everyone = [on_s3("anna", None), replace(on_s3("ben", None), card="s1-b-360"), on_s3("carl", None)]
    made = decide(Month(2010, 12), everyone, default(), opened=OPENED, pools={"pool": Decimal(100)})
    for one in made.people:
        assert [(s.rank, s.grade, s.top, s.bottom) for s in one.standings] == [(None, None, None, None)] * 4
        assert one.pay is not None
        assert (one.pay.money, one.awards, one.actions) == (None, (), ())
    assert made.summary.pools == 0, "a pool of which nobody has a part is not paid"


def test_what_if_calls_it_with_other_settings() -> None:
    people = [on_s3(f"p{n}", str(50 + 5 * n)) for n in range(11)]
    asis = decide(Month(2010, 8), people, default(), opened=OPENED).summary.terms[0].grades
    stricter = default().model_copy(update={"grades": settings(grades={"by": "points", "cuts": {"A": 95}}).grades})
    whatif = decide(Month(2010, 8), people, stricter, opened=OPENED).summary.terms[0].grades
    assert (asis["A"], whatif["A"]) == (3, 2)


def test_nobodys_change_of_the_decimal_context_moves_an_outcome() -> None:
    cards = ("s3-a-front-line", "s1-b-360", "s0-a-core-indicators", "s4-g-install-card")
    amounts = Amounts(*[Decimal("5432.10")] * 5)
    days = tuple(RatedDay(date(2010, 3, day), 1, 1) for day in range(1, 10))
    people = [
        replace(on_s3(f"p{n:02d}", f"{50 + 4 * n}.37", exam=Decimal(90), days=days), card=cards[n % 4], amounts=amounts)
        for n in range(12)
    ]
    shares = settings(grades={"by": "share", "shares": {"A": 12.5, "B": 12.5, "C": 25.25, "D": 12.5}})
    for rules in (default(), default().model_copy(update={"grades": shares.grades})):
        pools = {"pool": Decimal("123456.78")}
        usual = decide(Month(2010, 3), people, rules, opened=OPENED, pools=pools)
        with localcontext(prec=2, rounding=ROUND_UP):
            assert decide(Month(2010, 3), people, rules, opened=OPENED, pools=pools) == usual


def test_settings_put_together_in_code_are_checked_too() -> None:
    without = default().model_copy(update={"grades": None})
    with pytest.raises(ValueError) as refused:
        decide(Month(2010, 8), [], without, opened=OPENED)
    assert str(refused.value).splitlines() == [
        "pay.2.type: there are no `grades` to pay by; add them, or take this rule out",
        "streaks.1.result: there are no `grades`; add them, or take this streak out",
        "streaks.2.result: there are no `grades`; add them, or take this streak out",
        "actions.improvement_plan.grade_e: there are no `grades`; add them, or set it to false",
    ]


DAY = date(2010, 8, 1)


@pytest.mark.parametrize(
    ("person", "fault"),
    [
        (Person("anna", Decimal("NaN")), "anna: the total is NaN; give a number up to 1000000, or None where unscored"),
        (Person("anna", Decimal("1000000.01")), "anna: the total is 1000000.01; give a number up to 1000000"),
        (Person("anna", None, amounts=Amounts(commission=Decimal("1E+50"))), "anna: commission is 1E+50; give an amount"),
        (Person("anna", Decimal("Infinity")), "anna: the total is Infinity"),
        (Person("anna", None, exam=Decimal("100.1")), "anna: the exam is 100.1; give percent, 0 to 100"),
        (Person("anna", None, exam=Decimal(-1)), "anna: the exam is -1"),
        (Person("anna", None, bonus_percent=Decimal("NaN")), "anna: the chosen rise is NaN"),
        (Person("anna", None, targets=1, targets_met=2), "anna: 2 of 1 targets cannot be met"),
        (Person("anna", None, amounts=Amounts(base_pay=Decimal(-1))), "anna: base_pay is -1; give an amount, 0 or more"),
        (Person("anna", None, figures={"fcr": Measured(FCR, Decimal("NaN"), 1)}), "anna: fcr is NaN"),
        (Person("anna", None, dimensions=(Dimension("talk", Text("谈", "talk"), None, Decimal(0)),)), "talk has a maximum of 0; it must be above 0"),
        (Person("anna", None, dimensions=(Dimension("talk", Text("谈", "talk"), Decimal("NaN"), Decimal(1)),)), "talk has NaN points"),
        (Person("anna", None, days=(RatedDay(DAY, 1, 1), RatedDay(DAY, 2, 2))), "anna: the ratings of 2010-08-01 are given 2 times"),
        (Person("anna", None, days=(RatedDay(DAY, 1, 2),)), "anna: 2 of 1 ratings of 2010-08-01 cannot be satisfied"),
    ],
)  # fmt: skip
def test_impossible_figures_are_refused(person: Person, fault: str) -> None:
    with pytest.raises(ValueError) as refused:
        decide(Month(2010, 8), [person], default(), opened=OPENED)
    assert fault in str(refused.value)


def test_every_fault_is_told_at_once() -> None:
    twice = [Person("anna", None), Person("anna", None), Person("ben", None, exam=Decimal(101))]
    history = {"ben": History((Past(Term.parse("2010-07"), None), Past(Term.parse("2010-07"), Decimal(1))))}
    with pytest.raises(ValueError) as refused:
        decide(Month(2010, 8), twice, default(), opened=OPENED, history=history)
    assert str(refused.value).splitlines() == [
        "ben: the exam is 101; give percent, 0 to 100",
        "anna: is given 2 times; give every person once",
        "ben: the history has 2010-07 more than once; keep one of each",
    ]


@pytest.mark.parametrize(
    ("month", "terms"),
    [
        ("2010-01", ["2010-01"]), ("2010-03", ["2010-03", "2010-Q1"]), ("2010-06", ["2010-06", "2010-Q2", "2010-H1"]),
        ("2010-09", ["2010-09", "2010-Q3"]), ("2010-11", ["2010-11"]), ("2010-12", ["2010-12", "2010-Q4", "2010-H2", "2010"]),
    ],
)  # fmt: skip
def test_the_terms_that_a_month_closes(month: str, terms: list[str]) -> None:
    closed = list(ending_with(Term.parse(month), KINDS))
    assert [str(term) for term in closed] == terms
    assert [Term.parse(str(term)) for term in closed] == closed


@pytest.mark.parametrize(
    "text", ["2010-13", "2010-Q5", "2010-Q0", "2010-H3", "0000-H1", "0000", "0000-Q1", "10", "2010-1", ""]
)
def test_what_is_no_term(text: str) -> None:
    with pytest.raises(
        ValueError, match="is no month, quarter, half-year or year: write 2026-03, 2026-Q1, 2026-H1 or 2026"
    ):
        Term.parse(text)
