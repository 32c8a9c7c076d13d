"""A run as messages of the topic ``scores``, and what is said of a score beside its points. The same run gives the same bytes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from scoring.evaluation.scorer import ItemScore, PersonScore
from scoring.outcomes.decide import PersonOutcome
from scoring.rounding import decimal, shown, total
from scoring.runs.run import Run
from streams.contracts.outputs import Score
from streams.kpi.catalog import KPIS


def to_messages(run: Run, *, reviewed: bool = True) -> list[Score]:
    """One message per person, keyed by card, month and person: publishing a run again changes nothing."""
    return [message(run, person, reviewed=reviewed) for person in run.people]


def message(run: Run, person: PersonScore, *, reviewed: bool = True) -> Score:
    """One person's message. ``reviewed``: has the run been reviewed and approved?"""
    return Score(
        card=run.card.id,
        card_version=run.card.version,
        period=str(run.period),
        person=person.person,
        total=None if person.tally.total is None else str(person.tally.total),
        scored_max=shown(person.tally.scored_max),
        max=shown(person.tally.max),
        complete=person.tally.complete,
        reviewed=reviewed,
        items=[_item(section.section.id, item) for section in person.sections for item in section.items],
    )


def _item(section: str, score: ItemScore) -> dict[str, Any]:
    """One item: the KPI's figure in its own unit, as the wallboard has it, or what was handed in; points exact."""
    item, figure = score.item, score.figure
    kpi = KPIS[item.kpi] if item.kpi is not None else None
    given = None if score.value is None else float(score.value)
    return {
        "section": section,
        "id": item.id,
        "name_zh": item.name.zh,
        "name_en": item.name.en,
        "kpi": item.kpi,
        "kpi_version": kpi.version if kpi else None,
        "metric": item.metric,
        "input": item.input,
        "value": figure.value if kpi else given,
        "unit": kpi.unit if kpi else item.unit,
        "n": figure.n,
        "low": figure.low,
        "high": figure.high,
        **({"pending": figure.pending} if figure.pending else {}),
        **(
            {}
            if score.days is None
            else {"days": {"first": score.days[0].isoformat(), "last": score.days[1].isoformat()}}
        ),
        "points": _exact(score.points),
        "max": _read(item.max),
        "weight": _read(score.worth),
        "counts": _exact(score.counted),
        "flags": flags(score),
        "rule_origin": item.rule_origin,
        "reason_zh": score.reason_zh,
        "reason_en": score.reason_en,
    }


def _exact(value: Decimal | Fraction | None) -> str | None:
    """A figure with all its digits."""
    if value is None:
        return None
    return format(value if isinstance(value, Decimal) else decimal(value), "f")


def _read(value: Decimal | Fraction | None) -> str | None:
    """A figure as people read it."""
    return None if value is None else shown(value)


def flags(score: ItemScore) -> list[str]:
    """What is to be known of an item besides its points: ``vetoed``, ``few`` (too small a sample)."""
    return [name for name, there in (("vetoed", score.vetoed), ("few", score.few)) if there]


def unscored_ids(person: PersonScore) -> str:
    """Ids of the items without points, in the card's order."""
    return ", ".join(score.item.id for score in person.unscored)


def money_of(outcome: PersonOutcome) -> Decimal | None:
    """What a person is paid by pay rule and base bonus together; None where no amount is known."""
    paid = [pay.money for pay in (outcome.pay, outcome.base_bonus) if pay is not None and pay.money is not None]
    return total(paid) if paid else None
