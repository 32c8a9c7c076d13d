"""Routes of the ledger of days off."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response

from scoring.api.access import AboveAgents, Anybody, actor_of, answer_json, names_of, reading, writing
from scoring.api.bodies import Cancellation, DaysOff, Id
from scoring.store.tokens import Login
from scoring.workflow import days_off as ledger
from scoring.workflow.gather import Operation, today


def add(app: FastAPI, operation: Operation) -> None:
    """Routes of the ledger of days off."""

    def team_of(person: str) -> str | None:
        entry = operation.roster(today(operation)).get(person)
        return entry.team_id if entry else None

    def refuse_unseen(person: str, who: Login) -> None:
        if not who.may_see(person, team_of(person)):
            raise HTTPException(403, "not yours to see")

    @app.get("/api/days-off")
    def days_off(
        who: Anybody, on: Annotated[date | None, Query(description="As of this day; today")] = None
    ) -> Response:
        """Days off, granted, used and left, entry by entry: everybody's for HR, the team's for a supervisor, their own for an agent."""
        with reading(operation) as connection:
            found = ledger.accounts(connection, on or today(operation))
        seen = [one for one in found if who.may_see(one.person, team_of(one.person))]
        return answer_json({"accounts": seen, "names": names_of(operation, [one.person for one in seen])})

    @app.post("/api/days-off", status_code=201)
    def enter(given: DaysOff, who: AboveAgents) -> Response:
        """Enter what somebody takes: HR, or the team's supervisor. HR also grants by hand."""
        refuse_unseen(given.person, who)
        if given.kind == "granted" and who.role != "hr":
            raise HTTPException(403, "this is for HR")
        wanted = (given.person, given.days, given.day, actor_of(who, operation), given.reason, given.expires)
        with writing(operation) as connection:
            return answer_json((ledger.use if given.kind == "used" else ledger.grant)(connection, *wanted), 201)

    @app.post("/api/days-off/{id}/cancellation")
    def cancel(id: Id, given: Cancellation, who: AboveAgents) -> Response:
        """Take an entry back that somebody made by hand; the ledger keeps both."""
        with writing(operation) as connection:
            person = ledger.person_of(connection, id)
            if person is not None or who.role != "hr":
                refuse_unseen(person or "", who)
            return answer_json(ledger.cancel(connection, id, given.reason, actor_of(who, operation)))
