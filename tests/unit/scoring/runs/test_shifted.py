"""What matures late, taken of earlier days (`unmatured: shift`): which days, that they tile, and what a run makes of them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.period import Month
from scoring.runs.run import Run, run
from scoring.runs.shifted import Span, shifted
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.kpi.maturity import Maturity
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, Policies, within
from tests.support.cards import card, item, section

MARCH, POLICY = Month(2026, 3), Policy(time_zone="UTC")
RULE = {"type": "ratio", "form": "actual_over_target"}
DAYS = [date(2025, 11, 1) + timedelta(days=n) for n in range(300)]


def months(first: int = 1, last: int = 7) -> list[Month]:
    return [Month(2026, number) for number in range(first, last)]


_days = st.integers(1, 45) | st.sampled_from([0.5, 7.0, 30.0])


@st.composite
def policies(draw: st.DrawFn) -> AnyPolicy:
    """One set of values, or several in order of time."""
    starts = sorted(draw(st.sets(st.sampled_from(DAYS[40:-40]), max_size=3)))
    made = [Policy(version=str(number), fcr_days=draw(_days)) for number in range(len(starts) + 1)]
    if not starts:
        return made[0]
    return Policies(tuple(zip((None, *starts), made, strict=True)))


@given(policy=policies())
def test_consecutive_months_tile(policy: AnyPolicy) -> None:
    """Each day counts in one month, whatever the policy does in between; and it has matured when that month is over."""
    spans = [shifted(policy, month, "fcr_days") for month in months()]
    for one, other in itertools.pairwise(spans):
        assert other.first == one.last + timedelta(days=1)
    for month, span in zip(months(), spans, strict=True):
        over = datetime.combine(month.last + timedelta(days=1), datetime.min.time(), UTC)
        maturity = Maturity(policy, over, ["fcr_days"])
        assert not [day for day in DAYS if day in span and maturity.young(day)]
        assert maturity.young(span.last + timedelta(days=1)), "not a day less than there could be"


@given(policy=policies())
def test_what_is_frozen_of_the_policy_says_the_same_days(policy: AnyPolicy) -> None:
    """A run is verified with the versions that were frozen with it."""
    for month in months():
        span = shifted(policy, month, "fcr_days")
        first = min(span.first, month.first) - timedelta(days=1)
        assert shifted(within(policy, first, month.last), month, "fcr_days") == span


def test_march_has_that_of_22_february_to_24_march() -> None:
    assert shifted(POLICY, MARCH, "fcr_days") == Span(date(2026, 2, 22), date(2026, 3, 24))


def fact(on: str, person: str = "anna", **sums: int) -> DailyFacts:
    return DailyFacts(entity=f"agent|{person}", date=date.fromisoformat(on), sums=sums)


def once(on: str, known: int, missed: int, person: str = "anna") -> DailyFacts:
    """A day of so many contacts of known customers, of which so many were not resolved at once, and as many resolutions due."""
    return fact(
        on, person, contacts_handled_known=known, fcr_missed=missed, resolution_due=known, resolved=known - missed
    )


FACTS = [
    once("2026-02-21", 100, 100),  # of February
    once("2026-02-22", 10, 1),
    once("2026-03-24", 10, 3),
    once("2026-03-25", 100, 90),  # of April, but for what is known at once
]


@pytest.fixture
def ours(tmp_path: Path) -> Any:
    target = {"op": ">=", "value": 80}
    return card(
        section("work", item("once", 50, kpi="fcr", rule=RULE, target=target),
                item("done", 50, kpi="resolution_rate", rule=RULE, target=target)),
        folder=tmp_path,
    )  # fmt: skip


def scored(ours: Any, facts: list[DailyFacts], policy: AnyPolicy = POLICY, **more: Any) -> Run:
    return run(ours, MARCH, facts, policy, as_of=datetime(2026, 4, 1, tzinfo=UTC), shift=True, **more)


def test_only_what_matures_is_taken_of_earlier_days(ours: Any) -> None:
    (anna,) = scored(ours, FACTS).people
    late, soon = anna.items
    assert (late.figure.value, late.figure.n, late.figure.pending) == (0.8, 20, 0)
    assert late.days == (date(2026, 2, 22), date(2026, 3, 24))
    assert "（取 2026-02-22 至 2026-03-24 的联络，观察期均已满）" in late.reason_zh
    assert late.reason_en.endswith("(of 2026-02-22 to 2026-03-24, which have matured)")
    assert (soon.figure.value, soon.figure.n, soon.days) == (17 / 110, 110, None)


def test_without_it_the_month_waits_for_its_last_week(ours: Any) -> None:
    (anna,) = run(ours, MARCH, FACTS, POLICY, as_of=datetime(2026, 4, 1, tzinfo=UTC)).people
    assert (anna.items[0].figure.n, anna.items[0].figure.pending, anna.items[0].days) == (10, 100, None)


def test_who_left_before_the_month_is_not_scored_in_it(ours: Any) -> None:
    facts = [
        *FACTS,
        once("2026-02-23", 10, 0, "ben"),
        once("2026-02-23", 10, 0, "cleo"),
        once("2026-03-02", 10, 5, "cleo"),
    ]
    assert [one.person for one in scored(ours, facts).people] == ["anna", "cleo"]
    roster = {"dora": RosterEntry(agent_id="dora", valid_from=date(2026, 1, 1), card="ours")}
    assert [one.person for one in scored(ours, facts, roster=roster).people] == ["anna", "cleo", "dora"]


def test_a_card_on_which_nothing_matures_is_scored_as_without(tmp_path: Path) -> None:
    target = {"op": ">=", "value": 80}
    plain = card(section("work", item("done", 50, kpi="resolution_rate", rule=RULE, target=target)), folder=tmp_path)
    made = scored(plain, FACTS)
    assert made == run(plain, MARCH, FACTS, POLICY, as_of=made.as_of)
    assert [one.person for one in made.people] == ["anna"]


def test_how_sure_a_total_is_follows_its_days(ours: Any) -> None:
    facts = [once(f"2026-03-{n:02d}", 20, n % 7 + 4) for n in range(1, 32)] + [once("2026-02-22", 10, 1)]
    made = scored(ours, facts, resamples=50)
    assert 0 < made.errors["anna"] < 30


def test_versions_of_the_policy_judge_their_own_days(ours: Any) -> None:
    """A change on the month's first day is none within it, and one within the days that the late items are taken of."""
    dated = ((None, POLICY), (date(2026, 3, 1), Policy(version="2", time_zone="UTC", service_level_seconds=30)))
    made = scored(ours, FACTS, Policies(dated))
    assert made.policy_version == "2"
    assert [one.figure.n for one in made.people[0].items] == [20, 110]


def test_days_before_the_first_policy_say_what_to_do(ours: Any) -> None:
    begun = Policies(((date(2026, 3, 1), POLICY),))
    with pytest.raises(NotCoveredError, match=r"in force on 2026-02-22: .* give it an earlier valid_from, or none"):
        scored(ours, FACTS, begun)


def test_a_day_that_comes_twice_is_refused_before_the_month_too(ours: Any) -> None:
    with pytest.raises(ValueError, match=r"two facts of agent\|anna on 2026-02-22"):
        scored(ours, [FACTS[1], FACTS[1]])
