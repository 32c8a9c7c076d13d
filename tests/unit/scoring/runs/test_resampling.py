"""Errors of totals by curves are those of scoring everybody anew for each draw of their days, but for the totals' rounding."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.evaluation.scorer import Scorer
from scoring.inputs.values import Given
from scoring.period import Month
from scoring.runs.run import run
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy.model import Policy
from tests.support.cards import card, item, section

MARCH = Month(2026, 3)
_UP, _DOWN = {"type": "ratio", "form": "actual_over_target"}, {"type": "ratio", "form": "target_over_actual"}
_BANDS = {
    "type": "bands",
    "bands": [{"gte": 90, "points": 10}, {"gte": 70, "lt": 90, "points": 6}, {"lt": 70, "points": 1}],
}
_LINE = {"type": "bands", "bands": [{"gte": 50, "lte": 100, "linear": [5, 10]}, {"gte": 0, "lt": 50, "linear": [0, 5]}]}
_STEPS = {"type": "per_unit", "base": 10, "anchor": 0, "unit": 1, "gain": 0, "loss": 2, "better": "lower", "unit_rounding": "toward_anchor"}  # fmt: skip


def of_all_kinds(folder: Path) -> Card:
    """Shares, means and counts by each rule, few cases, none, a duration beside quality, what people hand in."""
    few: dict[str, Any] = {"sample": {"min": 60, "below": "unscored"}}
    return card(
        section(
            "events",
            item("answered", kpi="answer_rate", rule=_UP, target={"op": ">=", "value": 90}),
            item("handle", kpi="average_handle_time", rule=_DOWN, target={"op": "<=", "value": 300}),
            item("resolved", kpi="resolution_rate", rule=_BANDS, target={"op": ">=", "value": 90}, rule_origin="assumed"),
            item("satisfied", kpi="csat", rule=_LINE, rule_origin="assumed", **few),
            item("repeats", kpi="repeat_contact_rate", rule={"type": "ratio", "form": "complement"}),
            item("late", kpi="complaint_late_days", rule=_STEPS, rule_origin="assumed"),
            item("first", kpi="fcr", rule=_UP, target={"op": ">=", "value": 80}),
            item("breached", kpi="sla_breach_rate", rule={"type": "ratio", "form": "complement"}, no_cases=7),
        ),
        section("people", item("exam", 5, input="knowledge_test_score", rule=_UP, target={"op": ">=", "value": 90}), item("care", 5)),
        folder=folder,
        min_n={"shares": 10, "means": 5},
    )  # fmt: skip


def facts(people: int, days: int = 12) -> Iterator[DailyFacts]:
    """Days that differ; of the last of the people few contacts, and none with a rating."""
    chance = random.Random(21)
    for number in range(people):
        for day in range(days):
            calls = chance.randint(2, 12) if number < people - 1 else chance.randint(0, 1)
            good, rated = chance.randint(0, calls), chance.randint(0, calls) if number < people - 1 else 0
            yield DailyFacts(
                entity=f"agent|p{number}",
                date=date(2026, 3, 1) + timedelta(day),
                sums={
                    "calls_offered": calls + 1, "calls_answered": calls, "calls_handled": calls, "handle_seconds": calls * chance.randint(200, 500) * 1000,
                    "resolution_due": calls, "resolved": good, "csat_ratings": rated, "csat_satisfied": min(good, rated),
                    "contacts_handled": calls, "contacts_handled_known": calls, "repeat_contacts": calls - good,
                    "complaint_late_days": chance.randint(0, 1), "fcr_missed": calls - good, "talk_seconds": calls * 250_000,
                },
            )  # fmt: skip


def errors(one: Card, given: Mapping[str, Mapping[str, Decimal | Given]], *, anew: bool) -> Mapping[str, float]:
    if not anew:
        return run(one, MARCH, facts(4), Policy(), inputs=given, resamples=30).errors
    with patch.object(Scorer, "by_curves", new_callable=PropertyMock, return_value=False):
        return run(one, MARCH, facts(4), Policy(), inputs=given, resamples=30).errors


@pytest.mark.parametrize("id", ["", "s2-a-core"])
def test_curves_tell_what_scoring_anew_tells(id: str, tmp_path: Path) -> None:
    one = find(id) if id else of_all_kinds(tmp_path)
    few = {"p3": {item.id: Given(few="count" if number % 2 else "neutral") for number, item in enumerate(one.items)}}
    given = {f"p{n}": {"exam": Given(value=Fraction(70 + n)), "care": Given(value=Fraction(n))} for n in range(3)} | few
    assert Scorer(one, Policy()).by_curves
    curves, anew = errors(one, given, anew=False), errors(one, given, anew=True)
    assert curves.keys() == anew.keys()
    assert len(curves) > 1
    assert {id: round(error, 2) for id, error in curves.items()} == pytest.approx(anew, abs=0.02)
    assert max(anew.values()) > 0.5


def test_vetoes_and_what_earns_as_the_others_do_are_scored_anew(tmp_path: Path) -> None:
    assert not Scorer(find("s4-f-aftersales-supervisor-kpi"), Policy()).by_curves
    few = item("few", kpi="csat", rule=_LINE, rule_origin="assumed", sample={"min": 60, "below": "neutral"})
    others = section("events", few, item("answered", kpi="answer_rate", rule=_UP, target={"op": ">=", "value": 90}))
    evened = card(others, folder=tmp_path)
    assert not Scorer(evened, Policy()).by_curves
    assert len(errors(evened, {}, anew=False)) == 4


def test_few_days_tell_no_error() -> None:
    made = run(find("s2-a-core"), MARCH, facts(2, days=4), Policy(), resamples=30)
    assert made.errors == {}
