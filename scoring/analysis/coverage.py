"""Channels that people work on and that no item of their card looks at (S1-65): a new channel, and a card of before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from scoring.cards.model import Card
from streams.contracts.outputs import DailyFacts, entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.explained import area_of

#: Channel, which is an area of the catalogue → the measure that counts an agent's contacts on it.
COUNTED: Mapping[str, str] = {"calls": "calls_handled", "chats": "first_responses_due", "tickets": "tickets_resolved"}


def uncovered(card: Card, facts: Iterable[DailyFacts], people: Collection[str]) -> dict[str, int]:
    """Channel → how many contacts these people had on it, where no item scores a KPI of it; the most first.

    An item whose KPI is of all channels (satisfaction, first-contact resolution) looks at none in particular: what is low on a new
    channel is lost among the others.
    """
    looked_at = {area_of(KPIS[item.kpi]) for item in card.items if item.kpi is not None}
    open_ = {channel: measure for channel, measure in COUNTED.items() if channel not in looked_at}
    found: Counter[str] = Counter()
    for fact in facts:
        if entity_kind(fact.entity) == "agent" and entity_id(fact.entity) in people:
            for channel, measure in open_.items():
                found[channel] += fact.sums.get(measure, 0)
    return {channel: count for channel, count in found.most_common() if count}
