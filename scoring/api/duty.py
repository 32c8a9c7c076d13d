"""The route that says who is on duty."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response

from scoring.api.access import Anybody, answer_json, names_of
from scoring.api.bodies import NO_NUL
from scoring.workflow.gather import Operation
from scoring.workflow.tables import duties
from streams.people.duty import LEAD


def add(app: FastAPI, operation: Operation) -> None:
    """The route that says who is on duty."""

    @app.get("/api/on-duty")
    def on_duty(
        who: Anybody,
        team: Annotated[
            str | None, Query(description="About this team", min_length=1, max_length=256, pattern=NO_NUL)
        ] = None,
        person: Annotated[
            str | None, Query(description="About this person", min_length=1, max_length=256, pattern=NO_NUL)
        ] = None,
        role: Annotated[
            str, Query(description="As what they are on duty", min_length=1, max_length=256, pattern=NO_NUL)
        ] = LEAD,
        at: Annotated[
            datetime | None, Query(description="At this moment, of the operation's zone where it names none; now")
        ] = None,
    ) -> Response:
        """Who is to be told or asked, and why; 404 where nobody is. HR asks about all, supervisors about their team, agents about
        themselves. Names as far as the token may see them.
        """
        own = person in (None, who.person)
        mine = {
            "supervisor": own and team is not None and team == who.team,
            "agent": person == who.person and team is None,
        }
        if not mine.get(who.role, True):
            raise HTTPException(403, "not yours to see")
        found = duties(operation).who_is_responsible(_moment(at, operation), team=team, person=person, role=role)
        if found is None:
            raise HTTPException(404, f"nobody is {role} then; add them to the duty roster")
        seen = [found.agent_id] if who.may_see(found.agent_id, None) else []
        told = {"agent_id": found.agent_id, "because": found.because, "at_work": found.at_work}
        return answer_json({**told, "names": names_of(operation, seen)})


def _moment(at: datetime | None, operation: Operation) -> datetime:
    """A moment as it was asked for. Raises ValueError where no day of it can be told."""
    if at is None:
        return operation.now()
    try:
        moment = at if at.tzinfo else at.replace(tzinfo=operation.policy.zone)
        moment.astimezone(operation.policy.zone)
    except OverflowError:
        raise ValueError(f"at: {at} is no moment that a calendar has; write it like 2026-03-01T08:30") from None
    return moment
