"""What is decided of people only where it is hardly chance: shares of ranks, and drills."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import sqrt
from random import Random

import pytest

from scoring.outcomes import evidence as module
from scoring.outcomes.evidence import evidence
from scoring.outcomes.people import Measured, Person
from scoring.outcomes.training import Training, called_for
from streams.languages.text import Text
from tests.unit.scoring.outcomes.test_standing import standings

TOTALS = {f"p{n}": 90.0 - n for n in range(10)} | {"last": 40.0}


def test_totals_without_chance_are_as_they_are() -> None:
    found = evidence(TOTALS, dict.fromkeys(TOTALS, 0.0))
    assert {id: one.reliability for id, one in found.items()} == dict.fromkeys(TOTALS, 1.0)
    assert found["last"].ranks == (11, 11)
    assert found["p0"].ranks == (1, 1)
    assert (found["last"].below, found["p0"].below) == (1.0, 0.0)


def test_totals_that_chance_explains_tell_nobody_apart() -> None:
    found = evidence(TOTALS, dict.fromkeys(TOTALS, 100.0))
    assert {one.reliability for one in found.values()} == {0.0}
    assert all(0.4 < one.below < 0.6 for one in found.values())
    assert all(one.ranks[0] <= 2 and one.ranks[1] >= 10 for one in found.values()), "anybody may have any rank"


def test_the_fewer_days_tell_of_a_total_the_less_is_sure_of_it() -> None:
    errors = dict.fromkeys(TOTALS, 3.0)
    sure, unsure = evidence(TOTALS, errors)["last"], evidence(TOTALS, errors | {"last": 40.0})["last"]
    assert sure.reliability > unsure.reliability
    assert sure.below > 0.99 > unsure.below > 0.5
    assert sure.ranks[0] > unsure.ranks[0]


def test_who_has_few_cases_is_not_held_to_be_as_sure_as_who_has_many() -> None:
    """Their days happened to be alike, as few ratings often are: the error that these tell is none."""
    cases = dict.fromkeys(TOTALS, 150.0) | {"last": 15.0}
    errors = dict.fromkeys(TOTALS, 3.0) | {"last": 0.0}
    by_days, by_cases = evidence(TOTALS, errors)["last"], evidence(TOTALS, errors, cases)["last"]
    assert by_cases.reliability < by_days.reliability
    without = {id: n for id, n in cases.items() if id != "last"}
    assert evidence(TOTALS, errors, without)["last"] == by_days, "as many as usual where nobody knows"


def test_where_nobody_differs_hardly_any_month_has_somebody_who_is_surely_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """85 % of 15 or 150 ratings. Who happens to have no error, and what people spread by taken for known, made it five of these months."""
    monkeypatch.setattr(module, "_DRAWS", 40)
    random = Random(1)
    cases = {f"p{n:02}": 15 if n % 2 else 150 for n in range(40)}

    def some_are_sure() -> bool:
        rates = {id: sum(random.random() < 0.85 for _ in range(n)) / n for id, n in cases.items()}
        totals = {id: 100 * rate for id, rate in rates.items()}
        errors = {id: 100 * sqrt(rate * (1 - rate) / cases[id]) for id, rate in rates.items()}
        found = evidence(totals, errors, cases)
        return any(found[id].below >= 0.95 for id in sorted(totals, key=lambda id: totals[id])[:4])

    assert sum(some_are_sure() for _ in range(60)) <= 3


def test_ranks_in_a_large_group_are_those_that_its_draws_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = {f"p{n:03}": 70 + n * 0.1 + (n * 7919 % 101) / 20 for n in range(100)}
    errors = {id: 0.5 + n % 5 for n, id in enumerate(totals)} | {"p007": 0.0}
    del errors["p050"]
    by_draws = evidence(totals, errors)
    monkeypatch.setattr(module, "_MANY", 50)
    by_all = evidence(totals, errors)
    assert by_draws.keys() == by_all.keys()
    apart = [abs(a - b) for id in by_all for a, b in zip(by_draws[id].ranks, by_all[id].ranks, strict=True)]
    assert max(apart) <= 10, "of a hundred"
    assert sum(apart) / len(apart) < 2
    assert all(1 <= one.ranks[0] <= one.ranks[1] <= 100 for one in by_all.values())
    alike = evidence(dict.fromkeys(totals, 80.0), dict.fromkeys(totals, 2.0))
    assert {one.ranks for one in alike.values()} == {(3, 98)}, "by lot"


def test_too_few_whose_error_is_known_tell_nothing() -> None:
    assert evidence(TOTALS, {"p0": 1.0, "p1": 1.0}) == {}
    assert evidence({}, {}) == {}


@pytest.mark.parametrize(
    ("error", "bottom", "said"),
    [
        (1.0, True, "% sure that the total is below the group's mean, 95 % asked"),
        (60.0, None, "it may be chance: it cannot be told"),
        (None, None, "nobody knows from days how sure the total is, and 95 % is asked: it cannot be told"),
    ],
)
def test_the_bottom_is_who_is_below_beyond_chance(error: float | None, bottom: bool | None, said: str) -> None:
    group = [Person(id, Decimal(total).quantize(Decimal("0.01")), error=1.0) for id, total in TOTALS.items()]
    group[-1] = replace(group[-1], error=error)
    made = standings(group, ranking={"bottom": {"percent": 10, "sure": "0.95"}})
    assert made["last"].bottom is bottom
    assert said in str(made["last"].why_bottom)
    assert made["p9"].bottom is False, "who is not among the last is not, whatever is known"
    assert (made["last"].likely is None) == (error is None)


def test_the_top_may_ask_the_same() -> None:
    group = [Person(id, Decimal(round(total)), error=60.0) for id, total in TOTALS.items()]
    assert standings(group, ranking={"top": {"percent": 20, "sure": "0.95"}})["p0"].top is None
    assert standings(group, ranking={"top": {"percent": 20}})["p0"].top is True, "else the words of the form hold"


@pytest.mark.parametrize(("high", "opens"), [(0.799, True), (0.8, False), (0.85, False), (None, False)])
def test_a_drill_may_ask_for_the_whole_interval(high: float | None, opens: bool) -> None:
    rule = {
        "id": "drill",
        "type": "figure",
        "name": {"zh": "演练", "en": "drill"},
        "figure": "fcr",
        "below": 80,
        "beyond_chance": True,
    }
    measured = Measured(Text("首解", "FCR"), Decimal(70), 50, high=high)
    opened, notes = called_for(
        Training.model_validate({"rules": [rule]}), Person("anna", None, figures={"fcr": measured})
    )
    assert (bool(opened), bool(notes)) == (opens, not opens)
