"""The interval of a mean from its sum of squares, against the amounts themselves."""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts import events as e
from streams.kpi.catalog import KPIS
from streams.kpi.measures import MEASURES
from streams.kpi.measures.measure import SCALE, squared
from streams.kpi.policy.model import Policy
from streams.kpi.stats.confidence import half_width, ratio_half_width, student, wilson
from tests.support.desk import Script, figures

#: Quantile 0.975 of Student's t, as tables print it (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
TABLE = {
    1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 20: 2.086, 29: 2.045, 30: 2.042, 31: 2.040, 35: 2.030,
    40: 2.021, 50: 2.009, 60: 2.000, 80: 1.990, 100: 1.984, 1_000_000_000: 1.960,
}  # fmt: skip


@pytest.mark.parametrize(
    ("hits", "n", "interval"),
    [
        # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998) 857-872, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (20, 20, (0.8389, 1.0)),
        (0, 0, None),
        (-1, 5, None),
        (6, 5, None),
    ],
)
def test_wilsons_interval_is_that_of_the_literature(hits: int, n: int, interval: tuple[float, float] | None) -> None:
    assert wilson(hits, n) == (interval and pytest.approx(interval, abs=5e-5))


@pytest.mark.parametrize("freedom", TABLE)
def test_students_t_is_that_of_the_tables(freedom: int) -> None:
    assert round(student(freedom), 3) == TABLE[freedom]


def test_it_falls_without_a_step_where_the_table_ends() -> None:
    assert all(student(freedom) > student(freedom + 1) for freedom in range(1, 200))


@given(st.lists(st.integers(0, 10_000_000), min_size=2, max_size=40))
def test_from_sums_it_is_what_the_amounts_give(amounts: list[int]) -> None:
    half = half_width(sum(amounts), sum(a * a for a in amounts), n := len(amounts))
    assert half == pytest.approx(student(n - 1) * stdev(amounts) / sqrt(n), abs=1e-3)


@pytest.mark.parametrize(
    ("amount", "squares", "n", "grain", "half"),
    [
        (5, 25, 1, 0, None),  # one says nothing about how they differ
        (10, 50, 2, 0, 0),  # squares that are exact say that both are alike
        (10, 49, 2, 1, 0),  # both rounded down by as much as can be
        (10, 30, 2, 1, None),  # no two amounts have these: some squares were never told
        (0, 0, 9, 0, 0),
    ],
)
def test_edges(amount: int, squares: int, n: int, grain: int, half: float | None) -> None:
    assert half_width(amount, squares, n, grain) == half


@pytest.mark.parametrize("waits", [(5, 5, 5), (3, 40), (0, 0, 60, 3.5, 19), tuple(range(50)), (0, 0)])
def test_speed_of_answer(waits: tuple[float, ...]) -> None:
    script = Script()
    for number, wait in enumerate(waits):
        script.call("09:00:00", f"c{number}", agent="a", wait=wait)
    shown = figures(script.run(), "agent|a")["average_speed_of_answer"]
    half = student(len(waits) - 1) * stdev(waits) / sqrt(len(waits))
    assert shown.value == pytest.approx(mean(waits))
    hidden = student(len(waits) - 1) * sqrt(0.0005 / (len(waits) - 1))  # by squares in thousandths of s²
    wide = sqrt(half**2 + hidden**2)
    assert (shown.low, shown.high) == (pytest.approx(max(0, mean(waits) - wide)), pytest.approx(mean(waits) + wide))


@pytest.mark.parametrize("grain", [1, 1000, 1_000_000])
@given(amounts=st.lists(st.integers(0, 10_000_000), min_size=2, max_size=40))
def test_rounded_squares_make_it_no_narrower_than_it_is(grain: int, amounts: list[int]) -> None:
    n, right = len(amounts), stdev(amounts)
    half = half_width(sum(amounts), sum((2 * a * a + grain) // (2 * grain) * grain for a in amounts), n, grain)
    assert half is not None
    t = student(n - 1) / sqrt(n)
    assert t * right * (1 - 1e-9) <= half <= t * sqrt(right**2 + n / (n - 1) * grain) * (1 + 1e-9)


@pytest.mark.parametrize(
    "waits", [(20, 20.001), (20, 20.001, 20.001), (19.999, 20.001), (0.001, 0.002, 0.001), (3600, 3600.001)]
)
def test_waits_that_differ_by_a_thousandth_have_an_interval_that_holds_theirs(waits: tuple[float, ...]) -> None:
    script = Script()
    for number, wait in enumerate(waits):
        script.call("09:00:00", f"c{number}", agent="a", wait=wait)
    shown = figures(script.run(), "agent|a")["average_speed_of_answer"]
    half = student(len(waits) - 1) * stdev(waits) / sqrt(len(waits))
    assert shown.low is not None
    assert shown.high is not None
    assert shown.low <= max(0.0, mean(waits) - half)
    assert mean(waits) + half <= shown.high
    assert shown.high - shown.low < 0.7


@pytest.mark.parametrize("scores", [(4, 5), (5, 5, 5, 1), (3, 3)])
def test_mean_satisfaction(scores: tuple[float, ...]) -> None:
    script = Script()
    for number, score in enumerate(scores):
        script.call("09:00:00", f"c{number}", agent="a")
        script.at("10:00:00", e.CallRated, f"c{number}", score=score, scale="1-5")
    shown = figures(script.run(), "agent|a")["csat_mean"]
    half = student(len(scores) - 1) * stdev(scores) / sqrt(len(scores))
    assert shown.low == pytest.approx(max(1, mean(scores) - half), abs=0.3)
    assert shown.high == pytest.approx(min(5, mean(scores) + half), abs=0.3)
    assert shown.low < mean(scores)


def test_one_call_has_no_interval() -> None:
    shown = figures(Script().call("09:00:00", "c", agent="a", wait=7).run())["average_speed_of_answer"]
    assert (shown.value, shown.low, shown.high) == (7, None, None)


def test_days_whose_squares_were_not_kept_have_none() -> None:
    sums = {"calls_answered": 3, "wait_seconds": 60_000}
    shown = KPIS["average_speed_of_answer"].figure(sums, Policy(), "desk")
    assert (shown.value, shown.low) == (20, None)


def test_seconds_of_chats_and_hours_of_tickets_in_one_mean() -> None:
    policy = Policy(time_zone="UTC", first_response_channels=("chat", "ticket"))
    script = Script().at("09:00:00", e.TicketCreated, "t").at("11:00:00", e.TicketReplied, "t", agent_id="a")
    script.at("09:00:00", e.ChatMessage, "c", sender="customer")
    script.at("09:00:20", e.ChatMessage, "c", sender="agent", agent_id="a")
    shown = figures(script.run(policy), policy=policy)["first_response_time"]
    waits = [7200, 20]
    half = student(1) * stdev(waits) / sqrt(2)
    assert (shown.low, shown.high) == (0, pytest.approx(mean(waits) + half))


def _strained(script: Script, first: tuple[int, ...], later: tuple[int, ...]) -> None:
    """Contacts at 100 words a minute, so that their strain is how many silences they have."""
    for number, silences in enumerate((*first, *later)):
        script.call("09:00:00", f"c{number}", agent="a")
        shift = 600 if number < len(first) else 15_000
        script.at("10:00:00", e.CallAnalysed, f"c{number}", speech_rate=100, silences=silences, shift_seconds=shift)


def test_fatigue_is_a_ratio_whose_interval_is_that_of_its_logarithm() -> None:
    first, later = (2, 4, 3, 5), (4, 9, 6, 8, 5, 7, 3)
    script = Script()
    _strained(script, first, later)
    shown = figures(script.run(), "agent|a")["fatigue_index"]
    ratio = mean(later) / mean(first)
    error = sqrt(stdev(later) ** 2 / len(later) / mean(later) ** 2 + stdev(first) ** 2 / len(first) / mean(first) ** 2)
    half = student(len(first) - 1) * error
    assert (shown.value, shown.n) == (pytest.approx(ratio - 1), len(later))
    assert shown.low == pytest.approx(exp(log(ratio) - half) - 1, abs=1e-3)
    assert shown.high == pytest.approx(exp(log(ratio) + half) - 1, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "later"),
    [((4,), (4, 9)), ((4, 2), (9,)), ((4, 2), (0, 0))],
    ids=["one in the first hour", "one after it", "no silence after it"],
)
def test_fatigue_of_too_little_has_no_interval(first: tuple[int, ...], later: tuple[int, ...]) -> None:
    script = Script()
    _strained(script, first, later)
    shown = figures(script.run(), "agent|a")["fatigue_index"]
    assert shown.value is not None
    assert (shown.low, shown.high) == (None, None)


def test_fatigue_over_days_of_which_some_have_no_squares_has_no_interval() -> None:
    """What is missing of squares would only make the interval narrow: that it is missing must be known."""
    new = {
        "strain_contacts_first_hour": 4, "strain_first_hour": 14_000, "strain_first_hour_squared": 54_000,
        "strain_contacts_later": 7, "strain_later": 42_000, "strain_later_squared": 280_000, "strain_contacts_squared": 11,
    }  # fmt: skip
    old = {"strain_contacts_later": 1, "strain_later": 1000}
    kpi = KPIS["fatigue_index"]
    assert kpi.figure(new, Policy(), "staff").low is not None
    both = {measure: amount + old.get(measure, 0) for measure, amount in new.items()}
    shown = kpi.figure(both, Policy(), "staff")
    assert (shown.value, shown.n, shown.low, shown.high) == (pytest.approx(43 / 8 / (14 / 4) - 1), 8, None, None)


def test_a_strain_that_no_source_means_keeps_no_square() -> None:
    """A million silences at a word a minute: its square would leave 64 bits. The value stays, without an interval."""
    script = Script()
    _strained(script, (2, 4, 3), (4, 9))
    script.call("09:00:00", "odd", agent="a")
    script.at("10:00:00", e.CallAnalysed, "odd", speech_rate=0.001, silences=1_000_000, shift_seconds=15_000)
    shown = figures(script.run(), "agent|a")["fatigue_index"]
    assert (shown.n, shown.low) == (3, None)


@given(
    above=st.lists(st.integers(1, 1_000_000), min_size=2, max_size=30),
    below=st.lists(st.integers(1, 1_000_000), min_size=2, max_size=30),
)
def test_a_ratios_interval_is_symmetric_in_both_means(above: list[int], below: list[int]) -> None:
    """How sure one is that one mean lies above the other is how sure one is that the other lies below."""
    one, other = ((sum(own), sum(a * a for a in own), len(own)) for own in (above, below))
    assert ratio_half_width(one, other) == pytest.approx(ratio_half_width(other, one))


@pytest.mark.parametrize(
    ("above", "below", "grain"),
    [
        ((1, 1, 2), (1, 1, 2), 1000),  # rounding hides all that there is
        ((10, 49, 1), (10, 60, 2), 0),
        ((0, 0, 9), (10, 60, 2), 0),
        ((10, 30, 2), (10, 60, 2), 1),  # no two amounts have these squares
    ],
)
def test_ratios_of_which_nothing_can_be_told(
    above: tuple[int, int, int], below: tuple[int, int, int], grain: int
) -> None:
    assert ratio_half_width(above, below, grain) is None


@pytest.mark.parametrize(("unit", "stored"), [("s2", 2_250), ("s2_whole", 2)])
def test_how_squares_are_kept(unit: str, stored: int) -> None:
    assert squared(1500, unit) == stored  # type: ignore[arg-type]


def test_a_year_of_a_hundred_thousand_agents_fits_into_64_bits() -> None:
    """Fifty calls of ten minutes a day and agent, twenty tickets that wait for a day."""
    calls, tickets = 100_000 * 50 * 366, 100_000 * 20 * 366
    assert calls * squared(600_000) < 2**63
    assert tickets * squared(86_400_000, "s2_whole") < 2**63
    assert {measure.unit for measure in MEASURES.values() if measure.id.endswith("_squared")} <= SCALE.keys()
