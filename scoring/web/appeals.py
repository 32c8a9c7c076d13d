"""Appeals in the browser: opened by the person or for them, decided by HR with what that changes for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from scoring.api.bodies import NO_NUL, Id, NewAppeal, NewRatings, Verdict
from scoring.inputs.requirements import allowed_of
from scoring.runs.jsonl import Document
from scoring.store.runs import AbsentError, RunRecord, card_of, materials_of, result_of
from scoring.web.jobs import Jobs
from scoring.web.opening import told
from scoring.web.visitors import (
    Concerned,
    OfHr,
    Visitor,
    actor_of,
    allowed,
    answer,
    called,
    looks,
    reading,
    reading_if_begun,
    seen_by,
    sees,
    writing,
)
from scoring.workflow import appeals
from scoring.workflow.gather import Operation

_NONE = "there is no such appeal"
_Asked = Annotated[str | None, Query(max_length=64, pattern=NO_NUL)]


def add(routes: APIRouter, operation: Operation, jobs: Jobs) -> None:
    """Routes of appeals."""

    @routes.get("/appeals")
    def all_of_them(visitor: Concerned, card: _Asked = None, period: _Asked = None) -> Response:
        """Appeals that they may see, the newest first."""
        with reading_if_begun(operation) as connection:
            if connection is None:
                return answer({"appeals": [], "names": {}})
            found = [
                one for one in appeals.all_appeals(connection)
                if card in (None, one.run.card) and period in (None, one.run.period)
            ]  # fmt: skip
            seen = [_told(connection, one) for one in _visible(connection, found, visitor)]
        return answer({"appeals": seen[::-1], "names": called(operation, _people(seen))})

    @routes.post("/appeals", status_code=201)
    def file(given: NewAppeal, visitor: Concerned) -> Response:
        """File an appeal against a published result: of one's own, or of whom they may see."""
        with writing(operation) as connection:
            _, result = seen_by(connection, given.card, given.period, visitor)
            allowed(result, given.person, visitor)
            if given.late is not None and "hr" not in visitor.roles:
                raise HTTPException(403, "only HR takes appeals after the last day")
            made = appeals.open_appeal(
                connection, given.card, given.period, given.person, given.items, given.reason, actor_of(visitor, operation),
                given.corrections, given.exclusions, late=given.late,
            )  # fmt: skip
            return answer(_told(connection, made), 201)

    @routes.get("/appeals/{id}")
    def one_of_them(id: Id, visitor: Concerned, request: Request) -> Response:
        """An appeal, with what of its items can be rated anew by whoever decides."""
        with reading(operation) as connection:
            made = _own(connection, id, visitor)
            materials = materials_of(connection, made.run)
            person = result_of(connection, made.run).person(made.person)
            items = {item["id"]: item for item in person.score["items"]} if person is not None else {}
            asked = [
                {
                    "id": item.id, "name": item.name, "max": item.max, "rated": item.rated, "words": allowed_of(item).words,
                    "choices": allowed_of(item).choices, "score": items.get(item.id), "raters": item.raters,
                }
                for item in map(materials.card.item, made.items)
            ]  # fmt: skip
            body = {**_told(connection, made), "asked": asked}
        looks(request, visitor, [made.person])
        return answer({**body, "names": called(operation, _people([body]))})

    @routes.post("/appeals/{id}/difference", status_code=202)
    def difference(id: Id, given: NewRatings, visitor: OfHr) -> Response:
        """What accepting it with these ratings would change, for everybody, by a job; nothing is kept."""
        with reading(operation) as connection:
            run = _own(connection, id, visitor).run
        job = jobs.start("difference", run.card, run.period, visitor.author, appeal=id, ratings=given.ratings)
        return answer(told(job), 202)

    @routes.post("/appeals/{id}/decision", status_code=202)
    def decide(id: Id, given: Verdict, visitor: OfHr) -> Response:
        """Accept an appeal, which amends the run by a new revision to be published; or refuse it. By a job."""
        with reading(operation) as connection:
            run = _own(connection, id, visitor).run
        job = jobs.start("decide", run.card, run.period, visitor.author, appeal=id, **given.model_dump())
        return answer(told(job), 202)


def _own(connection: Connection, id: int, visitor: Visitor) -> appeals.Appeal:
    """The appeal. Raises HTTPException 404 where there is none for them."""
    try:
        made = appeals.appeal_of(connection, id)
    except AbsentError as error:
        raise HTTPException(404, _NONE) from error
    if not list(_visible(connection, [made], visitor)):
        raise HTTPException(404, _NONE)
    return made


def _visible(connection: Connection, found: Iterable[appeals.Appeal], visitor: Visitor) -> Iterable[appeals.Appeal]:
    results: dict[int, tuple[RunRecord, Document]] = {}
    for one in found:
        if one.run.id not in results:
            results[one.run.id] = one.run, result_of(connection, one.run)
        own = results[one.run.id][1].person(one.person)
        if sees(visitor, one.person, own.team if own is not None else None):
            yield one


def _told(connection: Connection, one: appeals.Appeal) -> dict[str, Any]:
    card = card_of(connection, one.run)
    return {
        "id": one.id,
        "run": one.run,
        "card_name": card.name,
        "revision": one.revision,
        "person": one.person,
        "items": [{"id": id, "name": card.item(id).name} for id in one.items],
        "reason": one.reason,
        "changes": one.changes,
        "late": one.changes.get("late"),
        "author": one.author,
        "at": one.at,
        "decision": one.decision,
    }


def _people(told_: Iterable[dict[str, Any]]) -> set[str]:
    found = set()
    for one in told_:
        found |= {one["person"], one["author"]} | ({one["decision"].author} if one["decision"] else set())
    return found
