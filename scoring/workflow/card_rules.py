"""The rules by which somebody is scored, in words, before their period begins: items, weights, targets, standards.

They are those of the card that the roster puts the person on, with the weights and targets that hold in the period as far as anybody has
set them by now. Their digest changes with whatever of them changes, so that whoever noted them before is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from scoring.cards.model import Card, Item
from scoring.cards.profile_calendar import Season, in_force
from scoring.cards.sheet_weights import sheet_seasons
from scoring.cards.targets import filled, in_question, open_items
from scoring.outcomes_file import default
from scoring.period import HalfYear, Month, Period, Quarter, Year
from scoring.rounding import shown
from scoring.runs.canonical_json import digest, plain, written
from scoring.store.runs import all_runs
from scoring.workflow.gather import Operation
from scoring.workflow.preparing import rules_of
from streams.contracts.outputs import RosterEntry
from streams.kpi.catalog import KPIS
from streams.kpi.naming import named
from streams.targets.book import Targets


def period_at(card: Card, day: date) -> Period | None:
    """The card's period that a day lies in, of the shortest kind that follows the calendar; None of a card for probations only."""
    around: tuple[Period, ...] = (
        Month.of(day), Quarter(day.year, (day.month + 2) // 3), HalfYear(day.year, (day.month + 5) // 6), Year(day.year),
    )  # fmt: skip
    return next((one for one in around if one.kind in card.periods), None)


@dataclass(frozen=True)
class Rules:
    """What a card asks for in a period, as plain data, and the digest by which it is known."""

    card: str
    period: Period
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of all that stands in them."""
        return digest(written(self.body))


class CardRules:
    """A card's rules for a period; of each person with the targets that hold for them. ``seasons``: profiles of weights.

    Raises ValueError where a target or a weight of the sheet does not fit the card.
    """

    def __init__(self, operation: Operation, card: Card, period: Period, seasons: Sequence[Season] = ()) -> None:
        book = operation.targets()
        self._card, self.period, self.called = card, period, card.name
        self._due = card.at(period.kind)
        of_sheet = sheet_seasons(card, book, period.first, period.last)
        self._weights = in_force(card, (*of_sheet, *(one for one in seasons if one not in of_sheet)), period)
        self._targets = Targets(in_question(card, book, period.last, period.kind))
        self._open = open_items(self._due)
        self._policy = operation.policy.current(period.last)
        self._made: dict[tuple[tuple[str, Any], ...], Rules] = {}

    def of(self, person: str, entry: RosterEntry | None) -> Rules:
        """Those of a person."""
        own = filled(self._open, self._card.id, person, entry, self._targets, self.period.last)
        key = tuple(sorted((id, item.target) for id, item in own.items()))
        if key not in self._made:
            self._made[key] = Rules(self._card.id, self.period, self._body(own))
        return self._made[key]

    def _body(self, own: Mapping[str, Item]) -> dict[str, Any]:
        worth, card = self._weights.worth, self._due
        total: dict[str, Any] = plain(
            {
                "name": card.name,
                "version": card.version,
                "max": shown(sum(worth.values(), Fraction(0))),
                "pass_mark": card.total.pass_mark,
                "profiles": [one.words() for one in self._weights.applied],
                "sections": [
                    {
                        "id": section.id,
                        "name": section.name,
                        "items": [
                            self._item(own.get(item.id, item))
                            for item in (*section.items, *(one for one in card.optional if one.section == section.id))
                            if worth.get(item.id) or item in section.items
                        ],
                    }
                    for section in card.sections
                ],
            }
        )
        return total

    def _item(self, item: Item) -> dict[str, Any]:
        """An item in words. ``weight``: what it is worth in the total, None: none is set. ``least``: how many cases it must rest on."""
        kpi = KPIS.get(item.kpi) if item.kpi is not None else None
        sample = self._card.sample_of(item, kpi.kind if kpi is not None else None)
        worth = self._weights.worth.get(item.id)
        asks = item.target is not None or item.reference is not None
        return {
            "id": item.id,
            "name": item.name,
            "weight": None if worth is None else shown(worth),
            "target": item.target_words() if asks else None,
            "standard": item.rule.words(),
            "figure": named(kpi, self._policy).formula if kpi is not None else None,
            "kpi": item.kpi,
            "whose": item.entity,
            "rater": item.rater,
            "raters": [{"name": one.name, "weight": one.weight} for one in item.raters],
            "least": sample and sample.min,
            "too_few": sample and sample.below,
            "veto": item.veto and {"scope": item.veto.scope, "of": item.veto.of, "gte": item.veto.gte, "lte": item.veto.lte},
            "check_points": item.check_points,
            "note": item.note,
        }  # fmt: skip


def seasons_of(connection: Connection | None, card: str) -> tuple[Season, ...]:
    """The profiles by which the card was prepared last: those of them that reach into a later period hold there, too."""
    newest = None if connection is None else max(all_runs(connection, card), key=lambda run: run.id, default=None)
    if connection is None or newest is None or not newest.revision:
        return ()
    return rules_of(connection, newest, default()).seasons
