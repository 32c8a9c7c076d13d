"""Cards of people whose truth is known: whom is a straddle told?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from scoring.outcomes import Person, Settings, decide
from scoring.outcomes.people import Straddle
from scoring.period import Month
from scoring.rules.bands import Bands
from scoring.rules.base import Inputs
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.stats.confidence import wilson
from streams.languages.text import Text
from tests.statistics.desks import hits

_CSAT = KPIS["csat"].bound(Policy(), "staff")
_RATE = 0.85
STEPS = [{"gte": 95, "points": 20}, {"gte": 90, "lt": 95, "points": 15}, {"lt": 90, "points": 5}]
LINES = [{"gte": 90, "lte": 100, "linear": [15, 20]}, {"gte": 0, "lt": 90, "linear": [0, 15]}]


def told(people: int, n: int, bands: Sequence[Mapping[str, Any]], pay: Mapping[str, Any], seed: int = 1) -> list[bool]:
    """Is a straddle told to each of so many at a true 93 %, whose item of 20 points rests on ``n`` ratings, and who have 60 of the other 80?"""
    random, rule = Random(seed), Bands.model_validate({"type": "bands", "bands": list(bands)})

    def points(percent: Fraction) -> Decimal:
        earned = rule.score(Inputs(percent)).points
        assert earned is not None
        return earned

    everybody = []
    for who in range(people):
        satisfied = hits(random, n, 0.93)
        low, high = (Fraction(100 * end) for end in wilson(satisfied, n) or (0, 1))
        own, few, most = (points(percent) for percent in (Fraction(100 * satisfied, n), low, high))
        there = rule.jumps(low, high) and few < most
        straddle = Straddle(Text("满意度", "CSAT"), (few, most), few - own, most - own)
        total = max(min(Decimal(f"{random.gauss(60, 6):.2f}"), Decimal(80)), Decimal(0)) + own
        everybody.append(Person(f"{who:04}", total, straddles=(straddle,) if there else ()))
    settings = Settings.model_validate(
        {
            "schema": "deskpulse/outcomes/1",
            "version": "1",
            "grades": {"by": "points"},
            "pay": [{"id": "pay", "source": None, **pay}],
        }
    )
    made = decide(Month(2026, 3), everybody, settings, opened=date(2026, 4, 1))
    return [any("straddles" in note.en for note in one.notes) for one in made.people]
