"""What is planted is found, and in what time; or it is said that it cannot be."""

from __future__ import annotations

from statistics import median

import pytest

from tests.statistics.alerts import AGENT_FELL, days_until, ruled
from tests.statistics.signs import Work, caught, cheats, hurried


def test_an_agents_collapse_is_found_within_days() -> None:
    """To 40 %, with one rating in half an hour; the rule on 30 minutes found it within five hours in 8 % and rang 23 times a week for 100."""
    found = days_until(ruled(AGENT_FELL), 5, 1, falls_to=0.4, weeks=4, weeks_fallen=1)
    assert median(found) <= 4


@pytest.mark.parametrize(
    ("sign", "work", "days"),
    [("passed_on", cheats(transfers=0.16), 16), ("few_invited", cheats(invited=0.7), 6), ("hurried", hurried, 20)],
)
def test_a_cheat_is_found_within_days(sign: str, work: Work, days: int) -> None:
    """One of ten; how often in how many days stands in docs/evidence.md."""
    assert caught(4, work, sign, days, people=10) >= 75
