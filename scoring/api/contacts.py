"""The route that leads from an item of a frozen score to its contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response
from msgspec import to_builtins

from scoring.api.access import (
    Anybody,
    CardId,
    ItemId,
    PeriodId,
    PersonId,
    actor_of,
    allowed,
    answer_json,
    reading,
    seen_by,
    visible,
    writing,
)
from scoring.api.bodies import AskedContacts
from scoring.workflow.contacts import explain, item_figures, looked
from scoring.workflow.gather import Operation
from streams.contracts.frozen import FrozenAnswer, FrozenLeftOut, FrozenLine
from streams.contracts.outputs import entity


def add(app: FastAPI, operation: Operation) -> None:
    """The route."""

    @app.get("/api/runs/{card}/{period}/people/{person}/items/{item}/contacts")
    def behind(
        card: CardId, period: PeriodId, person: PersonId, item: ItemId, who: Anybody, asked: Annotated[AskedContacts, Query()]
    ) -> Response:  # fmt: skip
        """The contacts that an item of a frozen score counted, as they were when its facts were frozen, and what has become of them since:
        of whom they may see. Others' figures (`of`) are for supervisors and HR. Who looked at somebody else's is in the trail.
        """
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            allowed(result, person, who)
            found = item_figures(connection, card, period, person, item, visible(run, who))
        figure = found.figure(asked.of, asked.before)
        if who.role == "agent" and figure.entity != entity("agent", person):
            raise HTTPException(403, "the item rests on others' contacts, which are not yours to see")
        answer = explain(operation, found, figure)
        with writing(operation) as connection:
            looked(connection, found, figure, actor_of(who, operation))
        shown = listed(answer, asked, who.may_see, every=who.role == "hr")
        figures = [one.entity for one in found.figures]
        return answer_json({"run": run, "revision": found.revision, "item": found.item, **shown, "figures": figures})


def listed(
    answer: FrozenAnswer, asked: AskedContacts, sees: Callable[[str, str | None], bool], *, every: bool
) -> dict[str, Any]:
    """The part of an answer that was asked for. Of agents who are not theirs to see, the ids are left out; ``every``: they see all."""
    wanted: Sequence[FrozenLine | FrozenLeftOut]
    match asked.which:
        case "left-out":
            wanted = answer.left_out
        case "changed":
            wanted = [*(one for one in answer.lines if one.since), *answer.new]
        case "all":
            wanted = answer.lines
        case part:
            wanted = [one for one in answer.lines if one.part == part]
    body = to_builtins(answer)
    lines = to_builtins(wanted[asked.offset : asked.offset + asked.limit])
    for line in lines:
        told = line["told"]
        if told.get("agent") is not None and not sees(told["agent"], told.get("team")):
            del told["agent"]  # who else had the contact
        if not every:
            ((line.get("since") or {}).get("fields") or {}).pop("agent", None)
    for name in ("lines", "new", "left_out"):
        body[name] = len(body[name])
    return {**body, "changed": sum(one.since is not None for one in answer.lines), "total": len(wanted), "items": lines}
