"""What holds for outcomes of any people: pools add up, nobody better gets less, order changes nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scoring.outcomes import Amounts, Dimension, History, Measured, Outcomes, Past, Person, Settings, Term, decide
from scoring.outcomes.parts import Point, at
from scoring.outcomes.people import GRADES
from scoring.outcomes.pool import paid_out, shares
from scoring.outcomes_file import default as defaults
from scoring.period import Month
from streams.languages.text import Text

MARCH = Month(2010, 3)
DEFAULT = defaults()

# Few values, so that ties are common; and any, with cards that go below 0.
totals = st.one_of(
    st.integers(0, 6).map(lambda n: Decimal(n * 20)), st.decimals(min_value=-20, max_value=120, places=2)
)
teams = st.lists(st.none() | totals, max_size=40)
percents = st.integers(0, 100).map(Decimal)


def settings(**rules: Any) -> Settings:
    rules["ranking"] = {"smallest_group": 1, **rules.get("ranking", {})}
    return Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})


def decided(team: list[Decimal | None], rules: Settings, **more: Any) -> Outcomes:
    people = [Person(f"p{n:03d}", total) for n, total in enumerate(team)]
    return decide(MARCH, people, rules, opened=date(2010, 4, 1), **more)


@given(teams, st.integers(0, 10**9), percents, percents, st.sampled_from(("equal", "by_score")))
def test_a_pool_is_paid_out_to_the_last_cent_and_nobody_better_gets_less(
    team: list[Decimal | None], cents: int, top_percent: Decimal, top_share: Decimal, split: str
) -> None:
    pool = {"id": "pool", "type": "bonus_pool", "top_percent": top_percent, "top_share": top_share, "split": split}
    amount = Decimal(cents) / 100
    made = decided(team, settings(pay=[pool]), pools={"pool": amount})
    paid = [(one.standing.total, one.pay.money) for one in made.people if one.pay and one.standing.total is not None]
    assert all(one.pay and one.pay.money is None for one in made.people if one.standing.total is None)
    if paid:
        assert sum(money for _, money in paid if money is not None) == amount
    assert made.summary.pools == (amount if paid else 0)
    by_total = sorted((total, money) for total, money in paid if money is not None)
    for (worse, less), (better, more) in pairwise(by_total):
        assert less <= more
        if worse == better:
            assert more - less <= Decimal("0.01")


@given(st.dictionaries(st.text(min_size=1), totals, min_size=1, max_size=30), st.integers(0, 10**6), percents, percents)
def test_parts_of_a_pool_are_one_whole_and_cents_are_within_one_of_them(
    team: dict[str, Decimal], cents: int, top_percent: Decimal, top_share: Decimal
) -> None:
    parts, top, _ = shares(team, top_percent, top_share, "by_score")
    assert sum(parts.values()) == 1
    assert min(parts.values()) >= 0
    assert top <= team.keys()
    for id, money in paid_out(Decimal(cents) / 100, parts, team).items():
        assert abs(Fraction(money) * 100 - parts[id] * cents) < 1


@given(teams, percents, st.integers(0, 3))
def test_top_and_bottom_are_in_the_employees_favour(team: list[Decimal | None], percent: Decimal, least: int) -> None:
    half = percent / 2
    rules = settings(ranking={"top": {"percent": half}, "bottom": {"percent": half, "at_least": least}})
    scored = [one.standing for one in decided(team, rules).people if one.standing.total is not None]
    top = [standing for standing in scored if standing.top]
    bottom = [standing for standing in scored if standing.bottom]
    assert len(top) * 100 >= half * len(scored)
    assert len(bottom) <= max(half * len(scored) / 100, Decimal(least))
    assert not [standing for standing in scored if standing.top and standing.bottom]
    for standing in scored:
        assert standing.total is not None
        better = len([o for o in scored if o.total is not None and o.total > standing.total])
        assert standing.rank == better + 1
        # Equal totals have equal outcomes.
        same = [other for other in scored if other.total == standing.total]
        assert {(o.rank, o.top, o.bottom) for o in same} == {(standing.rank, standing.top, standing.bottom)}


@given(teams, st.lists(st.integers(0, 25), min_size=4, max_size=4))
def test_a_better_total_never_has_a_worse_grade(team: list[Decimal | None], parts: list[int]) -> None:
    by_share = {"by": "share", "shares": dict(zip("ABCD", parts, strict=True))}
    for grades in (by_share, {"by": "points"}):
        made = [one.standing for one in decided(team, settings(grades=grades)).people]
        graded = sorted((s.total, s.grade) for s in made if s.total is not None and s.grade is not None)
        assert len(graded) == sum(total is not None for total in team)
        places = [GRADES.index(grade) for _, grade in graded]
        assert places == sorted(places, reverse=True)
        assert len({total for total, _ in graded}) == len(set(graded)), "equal totals, equal grades"


points = st.lists(
    st.tuples(st.integers(-50, 150), st.integers(0, 30)), min_size=2, max_size=6, unique_by=lambda p: p[0]
)


@given(points, totals, totals)
def test_a_coefficient_is_bounded_and_monotone(raw: list[tuple[int, int]], one: Decimal, other: Decimal) -> None:
    scores, values = sorted(p[0] for p in raw), sorted(p[1] for p in raw)
    curve = tuple(Point(score=Decimal(s), value=Decimal(v) / 10) for s, v in zip(scores, values, strict=True))
    low, high = sorted((one, other))
    assert curve[0].value <= at(curve, low) <= at(curve, high) <= curve[-1].value
    for point in curve:
        assert at(curve, point.score) == Fraction(point.value)


@given(st.lists(totals, min_size=2, max_size=20), st.integers(0, 10**8))
def test_by_every_rule_a_better_total_is_never_paid_less(team: list[Decimal], cents: int) -> None:
    base = Decimal(cents) / 100
    amounts = Amounts(base_pay=base, commission=base, quarterly_bonus=base)
    for rule in ("coefficient", "score_ratio", "grade_bonus"):
        rules = settings(pay=[{"id": "rule", "type": rule, "of": "month"}], grades={"by": "points"})
        people = [Person(f"p{n}", total, amounts=amounts) for n, total in enumerate(team)]
        made = decide(MARCH, people, rules, opened=date(2010, 4, 1))
        made_pay = [(one.standing.total, one.pay) for one in made.people if one.standing.total is not None and one.pay]
        paid = sorted((total, pay.money) for total, pay in made_pay if pay.money is not None)
        assert len(paid) == len(team)
        assert [money for _, money in paid] == sorted(money for _, money in paid)
        if rule == "coefficient":
            assert all(pay.ratio is not None and Decimal("0.8") <= pay.ratio <= Decimal("1.2") for _, pay in made_pay)


@st.composite
def everybody(draw: st.DrawFn) -> tuple[list[Person], dict[str, History]]:
    people, history = [], {}
    for n, total in enumerate(draw(st.lists(st.none() | totals, max_size=12))):
        points = draw(st.lists(st.none() | st.integers(0, 20).map(Decimal), min_size=2, max_size=2))
        dimensions = tuple(
            Dimension(id, Text(id, id), given, Decimal(20))
            for id, given in zip(("communication", "technique"), points, strict=True)
        )
        person = Person(
            f"p{n:02d}",
            total,
            card=draw(st.sampled_from(("s3-a-front-line", "s1-b-360", "s4-g-install-card"))),
            role=draw(st.sampled_from(("agent", "supervisor"))),
            team=draw(st.sampled_from(("north", "south", None))),
            exam=draw(st.none() | percents),
            amounts=Amounts(base_pay=Decimal(5000), performance_pay=draw(st.none() | st.just(Decimal(3000)))),
            figures={"fcr": Measured(Text("首次解决率", "FCR"), draw(st.none() | percents), draw(st.integers(0, 20)))},
            dimensions=dimensions,
        )
        people.append(person)
        past = [
            Past(Term.parse(f"2010-{m:02d}"), draw(st.none() | totals), draw(st.none() | st.booleans())) for m in (1, 2)
        ]
        past.append(Past(Term.parse("2009-Q4"), None, stars=draw(st.none() | st.integers(1, 5))))
        history[person.id] = History(tuple(past))
    return people, history


@given(everybody(), st.randoms(use_true_random=False))
def test_the_order_of_people_and_of_their_history_changes_nothing(
    given_people: tuple[list[Person], dict[str, History]], random: Random
) -> None:
    people, history = given_people
    made = decide(MARCH, people, DEFAULT, opened=date(2010, 4, 1), history=history, pools={"pool": Decimal("99.99")})
    shuffled = random.sample(people, len(people))
    turned = {id: History(own.past[::-1]) for id, own in reversed(history.items())}
    again = decide(MARCH, shuffled, DEFAULT, opened=date(2010, 4, 1), history=turned, pools={"pool": Decimal("99.99")})
    assert again == made


@given(everybody())
def test_everything_that_is_decided_has_its_reason_and_nothing_is_decided_for_the_unscored(
    given_people: tuple[list[Person], dict[str, History]],
) -> None:
    people, history = given_people
    made = decide(MARCH, people, DEFAULT, opened=date(2010, 4, 1), history=history)
    for person, one in zip(sorted(people, key=lambda p: p.id), made.people, strict=True):
        assert one.person == person.id
        if person.total is None:
            assert (one.standing.rank, one.standing.grade, one.standing.top, one.standing.bottom) == (
                None,
                None,
                None,
                None,
            )
            assert not [a for a in one.actions if a.kind != "training"]
            assert not one.awards or all(award.term.kind != "month" for award in one.awards)
        ids = [action.id for action in one.actions]
        assert len(set(ids)) == len(ids)
        kinds = [action.kind for action in one.actions]
        assert kinds.count("mentor") == kinds.count("improvement_plan")
        for action in one.actions:
            assert action.owner != action.person
            assert action.due >= action.opened
            assert any("\u4e00" <= sign <= "\u9fff" for sign in action.reason.zh)
    mentees = [a.owner for one in made.people for a in one.actions if a.kind == "mentor" and a.owner_role == "mentor"]
    assert all(mentees.count(mentor) <= 3 for mentor in mentees)
