"""Percentiles read from sums, against the sorted values."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.kpi.formulas import figures as kpi_figures
from streams.kpi.measures import add, merged
from streams.kpi.policy.model import Policy
from streams.kpi.stats.percentiles import ACCURACY, bucket, distributions, ordered, percentile
from tests.support.desk import POLICY, Script, figures, moment

_amounts = st.integers(0, 400) | st.integers(0, 366 * 86_400_000)


def sums(values: list[int]) -> dict[str, int]:
    return merged({bucket("x", value): 1} for value in values)


def read(values: list[int]) -> list[tuple[int, int]]:
    return ordered([("x", 1)], distributions(sums(values)))


@given(values=st.lists(_amounts, min_size=1, max_size=60), percent=st.integers(0, 100))
def test_it_is_the_value_at_its_place_to_two_percent(values: list[int], percent: int) -> None:
    place = sorted(values)[max(0, ceil(percent * len(values) / 100) - 1)]  # the nearest rank
    found = percentile(read(values), percent)
    assert found is not None
    assert found[1] == len(values)
    assert abs(found[0] - place) <= ACCURACY * place + 0.5  # shown in whole stored units


@given(parts=st.lists(st.lists(_amounts, max_size=12), max_size=6))
def test_the_parts_of_a_distribution_add_up_and_are_taken_back(parts: list[list[int]]) -> None:
    whole = merged(sums(part) for part in parts)
    assert whole == sums([value for part in parts for value in part])
    for part in parts:
        add(whole, sums(part), -1)
    assert whole == {}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([0], 50, (0, 1)), ([0, 0, 5000], 50, (0, 3)), ([0, 0, 5000], 100, (4977, 3)), ([-3, 1], 0, (0, 2))],
    ids=["nothing", "zero", "zeros below", "the greatest", "below zero is zero"],
)  # fmt: skip
def test_edges(values: list[int], percent: int, expected: tuple[int, int] | None) -> None:
    found = percentile(read(values), percent)
    assert found == (expected and (pytest.approx(expected[0], rel=ACCURACY), expected[1]))


def replies(*waits: float) -> Script:
    script = Script()
    for number, wait in enumerate(waits):
        script.at("09:00:00", e.ChatMessage, f"c{number}", sender="customer", queue_id="chat")
        second = f"09:{int(wait) // 60:02}:{int(wait) % 60:02}"
        script.at(second, e.ChatMessage, f"c{number}", sender="agent", agent_id="a", team_id="t")
    return script


def test_first_responses_of_chats() -> None:
    run = replies(*range(10, 1000, 10)).run()  # 99 of them
    for entity in ("agent|a", "team|t", "queue|chat", "all|all"):
        shown = figures(run, entity)
        assert shown["first_response_time_p50"].value == pytest.approx(500, rel=ACCURACY)
        assert shown["first_response_time_p90"].value == pytest.approx(890, rel=ACCURACY)
        assert shown["first_response_time_p50"].n == shown["first_response_time"].n == 99


def test_two_days_are_one_distribution() -> None:
    script = replies(10, 20, 30)
    for number, wait in enumerate((40, 50)):
        script.at("+1 09:00:00", e.ChatMessage, f"d{number}", sender="customer")
        script.at(f"+1 09:00:{wait}", e.ChatMessage, f"d{number}", sender="agent", agent_id="a")
    facts = script.run().facts
    both = merged(fact.sums for key, fact in facts.items() if key.startswith("agent|a|"))
    assert kpi_figures("agent|a", both, POLICY)["first_response_time_p50"].value == pytest.approx(30, rel=ACCURACY)
    day = moment("+1 00:00:00").date()
    assert figures(script.run(), "agent|a", day=day)["first_response_time_p50"].value == pytest.approx(40, rel=ACCURACY)


def test_tickets_join_where_the_policy_names_them() -> None:
    script = replies(10, 20).at("09:00:00", e.TicketCreated, "t", queue_id="q")
    script.at("13:00:00", e.TicketReplied, "t", agent_id="a")
    alone, both = POLICY, Policy(time_zone="UTC", first_response_channels=("chat", "ticket"))
    assert figures(script.run(alone), policy=alone)["first_response_time_p90"].n == 2
    shown = figures(script.run(both), policy=both)
    assert shown["first_response_time_p50"].value == pytest.approx(20, rel=ACCURACY)
    assert shown["first_response_time_p90"].n == 3
    exact = figures(script.run(both), policy=both)["first_response_time"]
    assert (exact.value, exact.n) == (pytest.approx((10 + 20 + 14_400) / 3), 3)
