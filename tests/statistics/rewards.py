"""Half days off that people whose true rate is known earn by streaks of perfect days, by how many customers rate them."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from scoring.outcomes import History, RatedDay
from scoring.outcomes.streaks import Streak, by_days
from scoring.outcomes_file import default
from scoring.period import Month
from tests.statistics.desks import hits

MONTH = Month(2026, 3)
#: Working days of a month, and those before it that a streak may have begun on.
DAYS, BEFORE = 21, 21


def half_day_off(min_ratings_in_all: int | None = None) -> Streak:
    """The rule that comes with the program; with so many ratings asked for in all in place of its own."""
    rule = next(streak for streak in default().streaks if streak.id == "half_day_off")
    return rule if min_ratings_in_all is None else rule.model_copy(update={"min_ratings_in_all": min_ratings_in_all})


def a_month(rule: Streak, months: int, a_day: int, rate: float, seed: int = 1) -> float:
    """How many half days a person earns a month who has ``a_day`` ratings a day."""
    random, earned = Random(seed), 0
    first = MONTH.first - timedelta(days=BEFORE)
    for _ in range(months):
        days = [RatedDay(first + timedelta(days=day), a_day, hits(random, a_day, rate)) for day in range(BEFORE + DAYS)]
        earned += len(by_days(rule, "a", days, MONTH, History()).granted)
    return earned / months
