"""Months of a group whose true skill is known: who is named for a plan, and who ought to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import median

from scoring.cards.load import load
from scoring.outcomes import decide
from scoring.outcomes.load import parse as settings_of
from scoring.period import Month
from scoring.runs.outcome_inputs import people
from scoring.runs.resampling import RESAMPLES
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.statistics.desks import rated

MONTH = Month(2026, 3)
#: A month's working days.
DAYS = 20
_SETTINGS = """\
schema: deskpulse/outcomes/1
version: "1"
ranking: {{top: {{percent: 20}}, bottom: {{percent: 10{sure}}}}}
actions: {{improvement_plan: {{grade_e: false}}}}
"""


@dataclass(frozen=True)
class Named:
    """A month: people's true rates, and those for whom a plan opens."""

    rates: Sequence[float]
    planned: Sequence[int]

    @property
    def above(self) -> list[int]:
        """Those of them who are truly better than half of the group."""
        middle = median(self.rates)
        return [who for who in self.planned if self.rates[who] > middle]


def months(
    random: Random, count: int, a_day: float, spread: float, sure: str, group: int = 50, others: float | None = None
) -> Iterator[Named]:
    """Months of ``a_day`` ratings a day each, of the second half of the group ``others``; ``spread``: of the true rates around 85 %;
    ``sure``: what the rule asks, or nothing.
    """
    card = load(Path(__file__).parent / "one-rate.yaml")
    settings = settings_of(_SETTINGS.format(sure=f", sure: {sure}" if sure else ""), "outcomes.yaml")
    days = [MONTH.first + timedelta(days=n) for n in range(DAYS)]
    for _ in range(count):
        rates = [min(max(random.gauss(0.85, spread), 0.4), 0.995) for _ in range(group)]
        facts = [
            DailyFacts(entity=f"agent|{who:03}", date=day, sums=rated(random, ratings, rate))
            for who, rate in enumerate(rates)
            for number, day in enumerate(days)
            if (ratings := _on(number, a_day if others is None or who < group / 2 else others))
        ]
        scored = run(card, MONTH, facts, Policy(), resamples=RESAMPLES if sure else 0)
        decided = decide(MONTH, people(scored), settings, opened=date(2026, 4, 1))
        planned = [int(one.person) for one in decided.people if one.actions]
        yield Named(rates, planned)


def _on(day: int, a_day: float) -> int:
    """How many of a month's ratings come on a day."""
    return int(a_day * (day + 1)) - int(a_day * day)
