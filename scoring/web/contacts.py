"""From an item of a sheet to the contacts that it counted, as they were when its facts were frozen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from scoring.api.access import ItemId
from scoring.api.bodies import AskedContacts
from scoring.api.contacts import listed
from scoring.web.visitors import (
    CardId,
    Concerned,
    PeriodId,
    PersonId,
    actor_of,
    allowed,
    answer,
    called,
    looks,
    reading,
    seen_by,
    sees,
    visible,
    writing,
)
from scoring.workflow.contacts import explain, item_figures, looked
from scoring.workflow.gather import Operation
from streams.contracts.outputs import entity, entity_id, entity_kind


def add(routes: APIRouter, operation: Operation) -> None:
    """The route."""

    @routes.get("/runs/{card}/{period}/people/{person}/items/{item}/contacts")
    def behind(
        card: CardId, period: PeriodId, person: PersonId, item: ItemId, visitor: Concerned, asked: Annotated[AskedContacts, Query()],
        request: Request,
    ) -> Response:  # fmt: skip
        """The contacts that an item counted, as they were then, and what has become of them since. Who only sees themselves is shown no
        others' figures. Who has looked at whose is in the trail, and in the desk's journal.
        """
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            allowed(result, person, visitor)
            try:
                found = item_figures(connection, card, period, person, item, visible(run, visitor))
                figure = found.figure(asked.of, asked.before)
            except ValueError as error:
                raise HTTPException(422, str(error)) from error
        if not visitor.roles & {"hr", "quality", "supervisor"} and figure.entity != entity("agent", person):
            raise HTTPException(403, "the item rests on others' contacts, which are not yours to see")
        try:
            told = explain(operation, found, figure)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        shown = listed(told, asked, lambda agent, team: sees(visitor, agent, team), every="hr" in visitor.roles)
        with writing(operation) as connection:
            looked(connection, found, figure, actor_of(visitor, operation))
        figures = list(dict.fromkeys(one.entity for one in found.figures))
        looks(request, visitor, [person, *(entity_id(one) for one in (figure.entity,) if entity_kind(one) == "agent")])
        people = {one["told"]["agent"] for one in shown["items"] if one["told"].get("agent") is not None}
        people |= {person, *(entity_id(one) for one in figures if entity_kind(one) == "agent")}
        body = {"revision": found.revision, "item": found.item, **shown, "figures": figures}
        return answer({**body, "names": called(operation, people)})
