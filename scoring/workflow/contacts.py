"""From the item of a frozen score to the contacts that it counted, as they were when its facts were frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection

from scoring.cards.model import Item
from scoring.inputs.validation import find_item
from scoring.period import Period
from scoring.runs.jsonl import Facts, PersonResult
from scoring.runs.snapshot import Materials
from scoring.store.audit import Actor, record
from scoring.store.runs import RunRecord, find_run, materials_of, result_of, revision_of
from scoring.workflow.gather import Operation, asked_from
from streams.contracts.frozen import FrozenAnswer, FrozenFigure
from streams.contracts.outputs import entity
from streams.kpi.policy.versions import AnyPolicy


@dataclass(frozen=True)
class ItemFigures:
    """An item of a person's frozen score: ``item`` as the result has it, and the figures that it was made of: the person's, their team's,
    or of each of the others in it; of the period before as well, where the item looks back.
    """

    run: RunRecord
    revision: int
    result: PersonResult
    item: dict[str, Any]
    policy: AnyPolicy
    figures: tuple[FrozenFigure, ...]

    def figure(self, of: str | None = None, before: bool = False) -> FrozenFigure:
        """One of them: the first, or that of an entity; of the period, or of that before. Raises ValueError where there is none such."""
        own = [one for one in self.figures if (one.last < self.figures[0].first) is before]
        found = next((one for one in own if of in (None, one.entity)), None)
        if found is None:
            there = ", ".join(dict.fromkeys(one.entity for one in self.figures))
            raise ValueError(f"the item {self.item['id']} was not made of such a figure; there are those of {there}")
        return found


def keep(operation: Operation, materials: Materials, digest: str) -> str | None:
    """Have the history keep the contacts behind the figures of a run whose facts, by this digest, have just been frozen; returns why it
    cannot. None: it does, there is no history, or the card counts no contacts.
    """
    card, period = materials.card, materials.period
    if all(item.kpi is None for item in (*card.items, *card.optional)):
        return None
    return operation.keep_contacts(
        digest, asked_from(card, period, materials.policy if materials.shifts else None), period.last
    )


def item_figures(
    connection: Connection, card: str, period: str, person: str, item_id: str, revision: int | None = None
) -> ItemFigures:
    """What an item of a person's score in a revision (the newest) was made of. Raises AbsentError; ValueError for a person who is not
    scored, and for an item that no contacts are behind.
    """
    run = find_run(connection, card, period)
    number = revision or run.revision
    result = result_of(connection, run, number).person(person)
    if result is None:
        raise ValueError(f"{person!r} is not scored on {card} in {period}; `deskpulse score status` says who is")
    materials = materials_of(connection, run, number)
    item = find_item(materials.card.at(materials.period.kind), item_id)
    if item.kpi is None:
        raise ValueError(
            f"no contacts are behind the item {item_id}: it is handed in or rated, see `deskpulse score inputs`"
        )
    told = next((one for one in result.score["items"] if one["id"] == item_id), None)
    if told is None:
        raise ValueError(f"the item {item_id} was not scored in this run")
    figures = tuple(_figures(materials, revision_of(connection, run, number).facts, item, item.kpi, person))
    if not figures:
        raise ValueError(
            f"no contacts are behind the item {item_id}: the roster names no team for {person}, or nobody else in it"
        )
    return ItemFigures(run, number, result, told, materials.policy, figures)


def explain(operation: Operation, of: ItemFigures, figure: FrozenFigure) -> FrozenAnswer:
    """A figure of an item with its contacts. Raises ValueError, RuntimeError as ``Operation.contacts_behind``."""
    return operation.contacts_behind(figure, of.policy)


def _figures(materials: Materials, digest: str, item: Item, kpi: str, person: str) -> Iterator[FrozenFigure]:
    facts = materials.facts if isinstance(materials.facts, Facts) else Facts.of(materials.facts)
    at = materials.as_of or datetime.combine(materials.opened, time(), materials.policy.zone)
    before = materials.period.before if item.looks_back else None
    entities = _entities(materials, item, person)
    own = {each: [fact for fact in facts.about([each]) if fact.entity == each] for each in entities}
    periods: list[Period] = [materials.period, *([] if before is None else [before])]
    for period in periods:
        days = replace(materials, period=period).days_of(kpi)
        for each in entities:
            yield FrozenFigure(
                frozen=digest, kpi=kpi, entity=each, first=days.first, last=days.last, as_of=at,
                facts=tuple(fact for fact in own[each] if fact.date in days),
                adjusted=tuple(fact for fact in materials.adjusted if fact.entity == each and fact.date in days),
            )  # fmt: skip


def _entities(materials: Materials, item: Item, person: str) -> list[str]:
    """Whose figures the item was made of."""
    if item.entity == "person":
        return [entity("agent", person)]
    entry = materials.roster.get(person)
    if entry is None or entry.team_id is None:
        return []
    if item.entity == "team":
        return [entity("team", entry.team_id)]
    others = [
        entity("agent", id)
        for id, other in sorted(materials.roster.items())
        if other.team_id == entry.team_id and id != person
    ]
    counted = {fact.entity for fact in materials.facts if fact.date in materials.period}
    return [one for one in others if one in counted]


def looked(connection: Connection, of: ItemFigures, figure: FrozenFigure, who: Actor) -> None:
    """Write down who has looked at the contacts of whom; nobody's own are anybody's business."""
    person = of.result.person
    if who.name != person or figure.entity != entity("agent", person):
        record(
            connection, who, "look", of.run.card, of.run.period, person, item=of.item["id"], of=figure.entity, revision=of.revision
        )  # fmt: skip
