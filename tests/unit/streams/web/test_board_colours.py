"""How figures stand against targets: without flicker, and not on too few things."""

from __future__ import annotations

from datetime import date

import pytest

from streams.contracts.outputs import Figure
from streams.targets.book import Targets
from streams.web.board_colours import FEW, Colours, margin_of
from tests.support.board import target

DAY = date(2026, 3, 2)
CELL = "service_level_20s@30m"


def stands(values: list[float], op: str = ">=", number: str = "0.8", cell: str = CELL) -> list[str]:
    """How the same figure stands, value by value."""
    colours = Colours()
    aim = target(cell.partition("@")[0], "all|all", number, op)
    return [colours.stands("queue|orders", cell, Figure(value=value, n=50), aim) for value in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.9, 0.81, 0.79], ["good", "near", "bad"]),
        # What has missed its target is not good again by a hair, nor is what was near it.
        ([0.79, 0.805, 0.815, 0.825, 0.829, 0.84], ["bad", "bad", "bad", "near", "near", "good"]),
        # Around the target it is bad all the time, and does not change with every call.
        ([0.795, 0.801, 0.799, 0.801, 0.799], ["bad"] * 5),
    ],
)
def test_it_comes_clear_of_its_target_before_it_is_good_again(values: list[float], expected: list[str]) -> None:
    assert stands(values) == expected


def test_where_less_is_better_it_is_the_other_way_round() -> None:
    assert stands([30, 38, 41, 39, 35, 33], "<=", "40", "average_speed_of_answer@30m") == [
        "good", "near", "bad", "bad", "near", "good",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "op", "unit", "margin"),
    [
        (0.8, ">=", "ratio", 0.02), (0.05, "<=", "ratio", 0.005), (40, "<=", "s", 4), (4.5, ">=", "points", 0.09),
        (1.0, ">=", "ratio", 0),
    ],
)  # fmt: skip
def test_margins(number: float, op: str, unit: str, margin: float) -> None:
    assert margin_of(number, op, unit) == pytest.approx(margin)


def test_few_no_data_and_no_target_are_no_colour() -> None:
    colours = Colours()
    aim = target("service_level_20s", "all|all", "0.8")
    assert colours.stands("queue|q", CELL, Figure(value=0.5, n=FEW - 1), aim) == "few"
    assert colours.stands("queue|q", CELL, Figure(value=None, n=0), aim) == "none"
    assert colours.stands("queue|q", CELL, Figure(value=0.5, n=50), None) == "plain"
    # A backlog is no share of anything: one is one.
    assert (
        colours.stands(
            "queue|q", "open_backlog@today", Figure(value=3, n=3), target("open_backlog", "all|all", "2", "<=", "n")
        )
        == "bad"
    )


def test_an_agents_target_is_their_own_their_teams_or_that_of_all() -> None:
    colours = Colours()
    colours.aim(
        Targets(
            [target("csat", "all|all", "0.8"), target("csat", "team|T1", "0.85"), target("csat", "agent|A1", "0.9")]
        ),
        DAY,
    )
    found = [
        colours.target(of, team, "csat") for of, team in (("agent|A1", "T1"), ("agent|A2", "T1"), ("agent|A3", None))
    ]
    assert [one.value for one in found if one] == ["0.9", "0.85", "0.8"]
    assert colours.target("agent|A1", "T1", "answer_rate") is None


def test_who_is_gone_is_forgotten() -> None:
    colours = Colours()
    aim = target("service_level_20s", "all|all", "0.8")
    for entity in ("queue|a", "queue|b"):
        colours.stands(entity, CELL, Figure(value=0.7, n=50), aim)
    colours.forget(lambda entity: entity == "queue|a")
    assert colours.remembered == 1
