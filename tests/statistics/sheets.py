"""Score sheets of people whose truth is known: does the interval that a sheet prints hold it, and who is sent to a drill?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

from scoring.cards.load import load
from scoring.outcomes.training import Training, called_for
from scoring.period import Month
from scoring.runs.outcome_inputs import people
from scoring.runs.run import Run, run
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.statistics.desks import rated

MONTH = Month(2026, 3)
_CARD = load(Path(__file__).parent / "one-rate.yaml")


def scored(random: Random, group: int, days: int, a_day: int, rate: float = 0.85, icc: float = 0.0) -> Run:
    """The month of a group of equals, with ``a_day`` ratings on each of so many days; ``icc``: what a day's have in common."""
    facts = [
        DailyFacts(
            entity=f"agent|{who:03}", date=MONTH.first + timedelta(days=day), sums=rated(random, a_day, rate, icc)
        )
        for who in range(group)
        for day in range(days)
    ]
    return run(_CARD, MONTH, facts, Policy())


def held(
    random: Random, months: int, days: int, a_day: int, icc: float, rate: float = 0.85, group: int = 20
) -> list[bool]:
    """Does the interval on each sheet hold the rate that is true?"""
    found = []
    for _ in range(months):
        for person in scored(random, group, days, a_day, rate, icc).people:
            figure = person.items[0].figure
            assert figure.low is not None
            assert figure.high is not None
            found.append(figure.low <= rate <= figure.high)
    return found


def drilled(
    random: Random, months: int, days: int, a_day: int, rate: float, beyond_chance: bool, group: int = 20
) -> list[bool]:
    """Who of equals is sent to a drill for less than 80 %, by the figure or by its whole interval?"""
    rule = {
        "id": "drill",
        "name": {"zh": "演练", "en": "drill"},
        "type": "figure",
        "figure": "csat",
        "below": 80,
        "min_n": 10,
    }
    training = Training.model_validate({"rules": [{**rule, "beyond_chance": beyond_chance, "due": {"days": 30}}]})
    found = []
    for _ in range(months):
        found += [bool(called_for(training, one)[0]) for one in people(scored(random, group, days, a_day, rate))]
    return found
