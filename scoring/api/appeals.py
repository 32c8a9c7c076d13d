"""Routes of appeals."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from sqlalchemy import Connection

from scoring.api.access import Anybody, OfHr, actor_of, allowed, answer_json, reading, seen_by, writing
from scoring.api.bodies import Id, NewAppeal, NewRatings, Verdict
from scoring.store.runs import result_of
from scoring.store.tokens import Login
from scoring.workflow import appeals
from scoring.workflow.gather import Operation


def add(app: FastAPI, operation: Operation) -> None:
    """Routes of appeals."""

    @app.get("/api/appeals")
    def list_appeals(who: Anybody) -> Response:
        """Appeals that they may see."""
        with reading(operation) as connection:
            return answer_json([one for one in appeals.all_appeals(connection) if _sees(connection, one, who)])

    @app.post("/api/appeals", status_code=201)
    def appeal(given: NewAppeal, who: Anybody) -> Response:
        """File an appeal against a published result."""
        with writing(operation) as connection:
            _, result = seen_by(connection, given.card, given.period, who)
            allowed(result, given.person, who)
            if given.late is not None and who.role != "hr":
                raise HTTPException(403, "only HR takes appeals after the last day")
            made = appeals.open_appeal(
                connection, given.card, given.period, given.person, given.items, given.reason, actor_of(who, operation),
                given.corrections, given.exclusions, late=given.late,
            )  # fmt: skip
            return answer_json(_with_difference(connection, made, who), 201)

    @app.get("/api/appeals/{id}")
    def one_appeal(id: Id, who: Anybody) -> Response:
        """An appeal with what accepting it would change (for who is not HR: of the person themselves only)."""
        with reading(operation) as connection:
            made = appeals.appeal_of(connection, id)
            if not _sees(connection, made, who):
                raise HTTPException(403, "not yours to see")
            return answer_json(_with_difference(connection, made, who))

    @app.post("/api/appeals/{id}/decision")
    def decide(id: Id, given: Verdict, who: OfHr) -> Response:
        """Accept an appeal, which amends the run, or refuse it."""
        with writing(operation) as connection:
            by = actor_of(who, operation)
            made, changes = appeals.decide(connection, id, given.accepted, given.reason, by, given.ratings)
        return answer_json({"appeal": made, "changes": changes})

    @app.post("/api/appeals/{id}/difference")
    def difference(id: Id, given: NewRatings, who: OfHr) -> Response:
        """What accepting an appeal with these ratings would change, for everybody; nothing is kept."""
        with reading(operation) as connection:
            made = appeals.appeal_of(connection, id)
            return answer_json({"appeal": made, "changes": appeals.difference(connection, made, given.ratings)})


def _sees(connection: Connection, appeal: appeals.Appeal, who: Login) -> bool:
    if who.role == "hr" or appeal.person == who.person:
        return True
    own = result_of(connection, appeal.run, appeal.revision).person(appeal.person)
    return own is not None and who.may_see(appeal.person, own.team)


def _with_difference(connection: Connection, appeal: appeals.Appeal, who: Login) -> dict[str, Any]:
    changes = [] if appeal.decision else appeals.difference(connection, appeal)
    own = [change for change in changes if who.role == "hr" or change.person == appeal.person]
    return {"appeal": appeal, "changes": own}
