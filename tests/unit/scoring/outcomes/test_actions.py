"""What opens for whom: plans, mentors, trainings, interviews; awards and the way to the next post."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import Dimension, History, Measured, Past, Person, PersonOutcome, Settings, Term, decide
from scoring.outcomes.actions import Action
from scoring.outcomes.parts import Delay
from scoring.period import Month
from streams.languages.text import Text

AUGUST, SEPTEMBER = Month(2010, 8), Month(2010, 9)
FULL: dict[str, Any] = {"grades": {"by": "points"}, "ranking": {"top": {"percent": 20}, "bottom": {"percent": 10}}}


def decided(people: list[Person], month: Month = AUGUST, **rules: Any) -> dict[str, PersonOutcome]:
    rules["ranking"] = {"smallest_group": 1, **rules.get("ranking", {})}
    settings = Settings.model_validate({"schema": "deskpulse/outcomes/1", "version": "1", **rules})
    made = decide(month, people, settings, opened=date(2010, 9, 2))
    return {outcome.person: outcome for outcome in made.people}


def opened(outcome: PersonOutcome, kind: str) -> list[Action]:
    return [action for action in outcome.actions if action.kind == kind]


def worked(id: str, total: str | None, **more: Any) -> Person:
    return Person(id, None if total is None else Decimal(total), **more)


def dimension(id: str, points: str | None, most: str = "20") -> Dimension:
    return Dimension(id, Text(f"维度{id}", id), None if points is None else Decimal(points), Decimal(most))


# Improvement plans.


@pytest.mark.parametrize(
    ("total", "plan", "sources"),
    [
        ("59.99", {}, ("S2-40",)), ("60", {}, None), (None, {}, None),
        ("59.99", {"grade_e": False}, None),
        ("64.99", {"grade_e": False, "below": 65}, ("S3-32",)), ("65", {"grade_e": False, "below": 65}, None),
        ("50", {"below": 65}, ("S2-40", "S3-32")),
    ],
)  # fmt: skip
def test_an_improvement_plan_for_grade_e_and_low_performance(
    total: str | None, plan: dict[str, Any], sources: tuple[str, ...] | None
) -> None:
    made = decided([worked("anna", total, superior="boss")], **FULL, actions={"improvement_plan": plan})["anna"]
    plans = opened(made, "improvement_plan")
    assert [action.sources for action in plans] == ([] if sources is None else [sources])


def test_an_improvement_plan_for_the_bottom_leaves_the_choice_to_the_superior() -> None:
    people = [worked(f"p{n:02d}", str(100 - n), superior="boss") for n in range(10)]
    made = decided(people, **FULL, actions={"improvement_plan": {}})
    assert [id for id, outcome in made.items() if outcome.actions] == ["p09"]
    plan = made["p09"].actions[0]
    assert (plan.id, plan.owner_role, plan.owner) == ("2010-08|p09|improvement_plan", "superior", "boss")
    assert (plan.opened, plan.due, plan.sources) == (date(2010, 9, 2), date(2010, 12, 2), ("S0-45",))
    assert [choice.en for choice in plan.choices] == ["improvement training", "job adjustment"]
    assert "the bottom 10 % of 10 is 1" in plan.reason.en
    assert "10 人中第 10 名" in plan.reason.zh
    switched_off = decided(people, **FULL, actions={"improvement_plan": {"bottom": False}})
    assert not switched_off["p09"].actions


@pytest.mark.parametrize(
    ("delay", "day", "due"),
    [
        ({"days": 14}, date(2010, 8, 31), date(2010, 9, 14)),
        ({"months": 3}, date(2010, 11, 30), date(2011, 2, 28)),
        ({"months": 1}, date(2012, 1, 31), date(2012, 2, 29)),
        ({"months": 1, "days": 1}, date(2010, 12, 31), date(2011, 2, 1)),
        ({}, date(2010, 8, 31), date(2010, 8, 31)),
    ],
)
def test_due_days(delay: dict[str, int], day: date, due: date) -> None:
    assert Delay(**delay).after(day) == due


# Mentors.


def mentors(people: list[Person], given: dict[str, int], **mentor: Any) -> dict[str, str | None]:
    """Mentee → mentor. ``given``: stars of the last quarter."""
    rules: dict[str, Any] = {"improvement_plan": {}, "mentor": mentor}
    settings = Settings.model_validate(
        {"schema": "deskpulse/outcomes/1", "version": "1", **FULL, "stars": {}, "actions": rules}
    )
    history = {id: History((Past(Term.parse("2010-Q2"), None, stars=stars),)) for id, stars in given.items()}
    made = decide(AUGUST, people, settings, opened=date(2010, 9, 2), history=history)
    return {o.person: action.owner for o in made.people for action in opened(o, "mentor")}


def test_a_mentor_has_four_stars_or_more_and_no_plan_himself() -> None:
    people = [worked("weak", "50"), worked("fair", "75"), worked("good", "85"), worked("fallen", "55")]
    assert mentors(people, {"fair": 3, "good": 4, "fallen": 5}) == {"weak": "good", "fallen": "good"}
    assert mentors(people, {"fair": 3, "fallen": 5}) == {"weak": None, "fallen": None}
    assert mentors(people, {"fair": 3}, stars=3) == {"weak": "fair", "fallen": "fair"}


def test_mentees_are_spread_and_mentors_have_a_limit() -> None:
    people = [worked(f"e{n}", "50") for n in range(1, 6)] + [worked("m4", "85"), worked("m5", "85")]
    stars = {"m4": 4, "m5": 5}
    assert mentors(people, stars) == {"e1": "m5", "e2": "m4", "e3": "m5", "e4": "m4", "e5": "m5"}
    assert mentors(people, stars, at_most=1) == {"e1": "m5", "e2": "m4", "e3": None, "e4": None, "e5": None}


def test_a_mentor_is_of_the_same_role_and_rather_of_the_same_team() -> None:
    people = [
        worked("e1", "50", role="agent", team="north"),
        worked("e2", "50", role="agent", team="north"),
        worked("e3", "50", role="lead", team="north"),
        worked("e4", "50", role="agent"),
        worked("north", "85", role="agent", team="north"),
        worked("south", "85", role="agent", team="south"),
    ]
    stars = {"north": 4, "south": 5}
    assert mentors(people, stars, at_most=1) == {"e1": "north", "e2": "south", "e3": None, "e4": None}
    assert mentors(people, stars) == {"e1": "north", "e2": "north", "e3": None, "e4": "south"}


def test_this_quarters_stars_count_before_older_ones() -> None:
    people = [worked("weak", "50"), worked("was", "80", exam=Decimal(20)), worked("is", "95", exam=Decimal(95))]
    rules: dict[str, Any] = {"improvement_plan": {}, "mentor": {}}
    settings = Settings.model_validate(
        {
            "schema": "deskpulse/outcomes/1",
            "version": "1",
            **FULL,
            "stars": {},
            "months_needed": {"quarter": 1},
            "actions": rules,
        }
    )
    old = {"was": 5, "is": 1}
    history = {id: History((Past(Term.parse("2010-Q2"), None, stars=stars),)) for id, stars in old.items()}
    made = decide(SEPTEMBER, people, settings, opened=date(2010, 10, 1), history=history)
    weak = next(outcome for outcome in made.people if outcome.person == "weak")
    assert [action.owner for action in opened(weak, "mentor")] == ["is"]


def test_the_newest_of_older_stars_counts() -> None:
    people = [worked("weak", "50"), worked("rose", "80"), worked("fell", "80")]
    rules: dict[str, Any] = {"improvement_plan": {}, "mentor": {}}
    settings = Settings.model_validate(
        {"schema": "deskpulse/outcomes/1", "version": "1", **FULL, "stars": {}, "actions": rules}
    )

    def past(older: int, newer: int) -> History:
        return History(tuple(Past(Term.parse(q), None, stars=s) for q, s in (("2010-Q1", older), ("2010-Q2", newer))))

    history = {"rose": past(1, 4), "fell": past(5, 1)}
    made = decide(AUGUST, people, settings, opened=date(2010, 9, 2), history=history)
    assert [action.owner for one in made.people for action in opened(one, "mentor")] == ["rose"]


# Training.

DRILL = {
    "type": "figure",
    "id": "drill",
    "name": {"zh": "演练", "en": "drill"},
    "figure": "fcr",
    "below": 80,
    "source": "S2-43",
}
WORKSHOP = {
    "type": "dimension",
    "id": "workshop",
    "name": {"zh": "工作坊", "en": "workshop"},
    "dimensions": ["talk", "listen"],
}
RETRAINING = {
    "type": "dimension",
    "id": "retraining",
    "name": {"zh": "再培训", "en": "retraining"},
    "dimensions": ["technique"],
}


@pytest.mark.parametrize(
    ("percent", "n", "opens"),
    [("79.99", 10, True), ("80", 10, False), ("80.01", 10, False), ("0", 10, True), (None, 0, False), ("50", 9, False), ("50", 11, True)],
)  # fmt: skip
def test_low_first_contact_resolution_calls_for_a_drill(percent: str | None, n: int, opens: bool) -> None:
    figure = Measured(
        Text("首次解决率", "FCR"), None if percent is None else Decimal(percent), n, Text("退款", "refunds")
    )
    person = worked("anna", None, figures={"fcr": figure})
    made = decided([person], actions={"training": {"rules": [DRILL]}})["anna"]
    drills = opened(made, "training")
    assert [action.id for action in drills] == (["2010-08|anna|training|drill"] if opens else [])
    if opens:
        assert drills[0].reason.en == f"FCR {percent} % < 80 % (n = {n}), weakest topic: refunds"
    assert bool(made.notes) == (percent == "50" and n == 9), "a sample that is too small is said"


@pytest.mark.parametrize(
    ("points", "opened_trainings"),
    [
        # Percent of 20 points; the two lowest count, if below 80 %.
        ({"talk": "15.99", "listen": "18", "technique": "20"}, ["workshop"]),
        ({"talk": "16", "listen": "18", "technique": "20"}, []),
        ({"talk": "10", "listen": "11", "technique": "12"}, ["workshop"]),
        ({"talk": "10", "listen": "12", "technique": "11"}, ["workshop", "retraining"]),
        ({"talk": "10", "listen": "12", "technique": "12"}, ["workshop", "retraining"]),  # tied for the second lowest
        ({"talk": None, "listen": None, "technique": "3"}, ["retraining"]),
        ({"talk": None, "listen": None, "technique": None}, []),
        ({"other": "1"}, []),
        ({}, []),
    ],
)
def test_weak_dimensions_call_for_training(points: dict[str, str | None], opened_trainings: list[str]) -> None:
    person = worked("anna", "70", dimensions=tuple(dimension(id, given) for id, given in points.items()))
    made = decided([person], actions={"training": {"rules": [WORKSHOP, RETRAINING]}})["anna"]
    assert [action.rule for action in opened(made, "training")] == opened_trainings


def test_two_weak_dimensions_of_one_training_open_it_once() -> None:
    person = worked("anna", "70", dimensions=(dimension("talk", "8"), dimension("listen", "6")))
    made = decided([person], actions={"training": {"rules": [WORKSHOP]}})["anna"]
    assert [action.reason.zh for action in opened(made, "training")] == [
        "维度listen得 30%，低于 80%，属本人最弱的 2 项；维度talk得 40%，低于 80%，属本人最弱的 2 项"
    ]


# Interviews.


@pytest.mark.parametrize(
    ("every", "months"),
    [(1, list(range(1, 13))), (3, [3, 6, 9, 12]), (6, [6, 12]), (12, [12]), (None, [])],
)
def test_interviews_by_the_calendar(every: int | None, months: list[int]) -> None:
    rules: dict[str, Any] = {"interview": {"every_months": every}}
    due = [m for m in range(1, 13) if decided([worked("anna", "80")], Month(2010, m), actions=rules)["anna"].actions]
    assert due == months


def test_an_interview_has_three_steps_that_speak_of_this_person() -> None:
    dimensions = (dimension("talk", "10"), dimension("listen", "18"), dimension("sales", None))
    person = worked("anna", "55", superior="boss", dimensions=dimensions)
    rules: dict[str, Any] = {"improvement_plan": {}, "training": {"rules": [WORKSHOP]}, "interview": {}}
    interview = opened(decided([person], **FULL, actions=rules)["anna"], "interview")[0]
    assert (interview.owner, interview.due, interview.sources) == ("boss", date(2010, 9, 16), ("S0-32", "S0-35"))
    assert [(step.id, step.name.zh, step.about.en) for step in interview.steps] == [
        ("affirm", "肯定", "listen at 90 %, the strongest"),
        ("improve", "改进", "talk at 50 %, the weakest"),
        ("agree", "目标共识", "improvement plan, workshop"),
    ]


def test_an_interview_without_dimensions_and_none_without_a_result() -> None:
    rules: dict[str, Any] = {"interview": {}}
    made = decided([worked("anna", "85"), worked("ben", None)], SEPTEMBER, actions=rules)
    assert [step.about.en for step in made["anna"].actions[0].steps] == [
        "total 85.00", "no dimensions to compare; speak from examples", "targets of the next period",
    ]  # fmt: skip
    assert not made["ben"].actions


# Awards and the next post.

STAR = {"id": "star", "name": {"zh": "服务之星", "en": "service star"}, "of": "month", "best": 1}


@pytest.mark.parametrize(
    ("totals", "award", "winners"),
    [
        (["90", "80", None], {"best": 1}, ["p1"]),
        (["90", "90", "80"], {"best": 1}, ["p1", "p2"]),
        (["90", "80", "80"], {"best": 2}, ["p1", "p2", "p3"]),
        ([None], {"best": 1}, []),
        (["90", "80", "70", "60", "50", "40"], {"best": None, "result": "top"}, ["p1", "p2"]),
        (["90", "89.99"], {"best": None, "result": "grade_a"}, ["p1"]),
    ],
)
def test_awards_follow_from_ranks(totals: list[str | None], award: dict[str, Any], winners: list[str]) -> None:
    people = [worked(f"p{n}", total) for n, total in enumerate(totals, 1)]
    made = decided(people, **FULL, awards=[{**STAR, **award, "amount": 500}])
    assert [id for id, outcome in made.items() if outcome.awards] == winners
    for id in winners:
        assert made[id].awards[0].amount == 500
        assert made[id].awards[0].reason.zh.endswith("奖金 500.00")


def test_an_award_of_the_year_is_given_in_december() -> None:
    rules: dict[str, Any] = {"months_needed": {"year": 1}, "awards": [{**STAR, "of": "year"}], "ranking": {}}
    assert not decided([worked("anna", "80")], Month(2010, 11), **rules)["anna"].awards
    awards = decided([worked("anna", "80")], Month(2010, 12), **rules)["anna"].awards
    assert [str(award.term) for award in awards] == ["2010"]


def test_an_award_may_be_for_some_only() -> None:
    people = [worked("boss", "80", role="supervisor"), worked("anna", "90", role="agent")]
    made = decided(people, **FULL, awards=[{**STAR, "who": {"roles": ["supervisor"]}}])
    assert [id for id, outcome in made.items() if outcome.awards] == ["boss"]


LADDER = [
    {"id": "agent", "name": {"zh": "坐席", "en": "agent"}, "requires": {"talk": 0}},
    {"id": "senior", "name": {"zh": "资深坐席", "en": "senior agent"}, "requires": {"talk": 85, "technique": 80}},
]


@pytest.mark.parametrize(
    ("talk", "technique", "eligible", "reason"),
    [
        ("17", "16", True, "all 2 dimensions that senior agent asks are reached: eligible"),
        ("16.99", "20", False, "short of senior agent: talk 84.95 of 85 %"),
        ("20", None, False, "short of senior agent: technique unscored of 80 %"),
        ("10", "10", False, "short of senior agent: talk 50 of 85 %, technique 50 of 80 %"),
    ],
)
def test_the_way_to_the_next_post(talk: str, technique: str | None, eligible: bool, reason: str) -> None:
    person = worked(
        "anna", "80", level="agent", dimensions=(dimension("talk", talk), dimension("technique", technique))
    )
    post = decided([person], ladder=LADDER)["anna"].next_post
    assert post is not None
    assert (post.next.id, post.eligible, post.reason.en) == ("senior", eligible, reason)


def test_the_end_of_the_ladder_and_no_ladder_at_all() -> None:
    people = [worked("top", "80", level="senior"), worked("none", "80")]
    assert [outcome.next_post for outcome in decided(people, ladder=LADDER).values()] == [None, None]
    with pytest.raises(ValueError, match="anna: no post of the ladder is called 'chief'; it has: agent, senior"):
        decided([worked("anna", "80", level="chief")], ladder=LADDER)
