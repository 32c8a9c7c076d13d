"""Points that a sample does not settle are told where pay hangs on them, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.outcomes import Person, Settings, decide
from scoring.outcomes.people import Straddle
from scoring.period import Month
from streams.languages.text import Text

GRADED = {"by": "points", "cuts": {"A": 90, "B": 80, "C": 70, "D": 60}}


def person(id: str, total: str, *moves: tuple[str, str], **more: Any) -> Person:
    """Somebody of whose items each could move the total by so much down and up."""
    straddles = tuple(
        Straddle(Text("满意度", "CSAT"), (Decimal(0), Decimal(10)), Decimal(down), Decimal(up)) for down, up in moves
    )
    return Person(id, Decimal(total), straddles=straddles, **more)


def notes(people: Sequence[Person], rule: dict[str, Any]) -> dict[str, list[str]]:
    """Person → what is told of them, under one pay rule."""
    settings = Settings.model_validate(
        {
            "schema": "deskpulse/outcomes/1",
            "version": "1",
            "grades": GRADED,
            "pay": [{"id": "it", "source": None, **rule}],
        }
    )
    made = decide(Month(2026, 3), people, settings, opened=date(2026, 4, 1))
    return {one.person: [note.en for note in one.notes if "straddles" in note.en] for one in made.people}


@pytest.mark.parametrize(
    ("total", "moves", "told"),
    [
        ("80", ("-10", "0"), "coefficient 0.9 to 1"),
        ("80", ("-10", "10"), "coefficient 0.9 to 1.1"),
        ("50", ("-10", "5"), None),  # below the curve all is one
    ],
)
def test_a_coefficient_is_told_from_end_to_end_where_it_moves(
    total: str, moves: tuple[str, str], told: str | None
) -> None:
    said = notes([person("anna", total, moves)], {"type": "coefficient"})["anna"]
    start = "CSAT: the 95 % interval straddles bands (0 to 10 points), the sample does not settle which, and pay hangs on it: "
    assert said == ([] if told is None else [start + told])


@pytest.mark.parametrize(("total", "told"), [("85", False), ("89", True), ("91", True), ("70", False)])
def test_a_bonus_by_grade_hangs_on_a_cut_alone(total: str, told: bool) -> None:
    rule = {"type": "grade_bonus", "of": "month"}
    assert bool(notes([person("anna", total, ("-2", "2"))], rule)["anna"]) is told


def test_a_rule_of_another_term_pays_nothing_and_says_nothing_of_it() -> None:
    assert notes([person("anna", "89", ("-2", "2"))], {"type": "grade_bonus", "of": "quarter"}) == {"anna": []}


def test_a_pool_hangs_on_who_is_at_its_top() -> None:
    people = [person(f"p{n}", total, ("-3", "3")) for n, total in enumerate(("95", "84", "82", "70", "60"))]
    told = notes(people, {"type": "bonus_pool", "of": "month", "top_percent": 40, "top_share": 60, "split": "equal"})
    assert {id for id, said in told.items() if said} == {"p1", "p2"}
    told = notes(people, {"type": "bonus_pool", "of": "month", "top_percent": 40, "top_share": 60, "split": "by_score"})
    assert all(told.values())


def test_who_has_no_total_is_told_nothing() -> None:
    nobody = Person("anna", None, straddles=person("x", "1", ("-1", "1")).straddles)
    assert notes([nobody], {"type": "coefficient"}) == {"anna": []}
