"""Routes that take files: inputs, people, units, duties, targets."""

from __future__ import annotations

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from scoring.api.access import FileName, OfHr, actor_of, answer_json
from scoring.api.bodies import NO_NUL, Who
from scoring.inputs.sheet import parse_sheet
from scoring.workflow.gather import Operation
from scoring.workflow.import_sheet import Taken, take_sheet
from scoring.workflow.tables import take_duty_roster, take_people, take_targets, take_unit_names

#: Sheets that are read at one time.
_AT_ONCE = 2


def add(app: FastAPI, operation: Operation) -> None:
    """Routes that take files: inputs, people, units, duties, targets."""
    # A target sheet is merged with what there is: one at a time, so that none is lost.
    uploads, targets_at_once = CapacityLimiter(_AT_ONCE), CapacityLimiter(1)

    @app.post("/api/inputs")
    async def inputs(
        request: Request,
        who: OfHr,
        name: FileName,
        card: Annotated[
            str | None, Query(description="Where the file does not say it", max_length=4_096, pattern=NO_NUL)
        ] = None,
    ) -> Response:
        """Take a sheet (CSV or XLSX as the request's body): all of it, or nothing and every fault."""
        body = await request.body()

        def taken() -> Taken:
            return take_sheet(operation, parse_sheet(name, body), actor_of(who, operation), card)

        return answer_json(await to_thread.run_sync(taken, limiter=uploads))

    @app.post("/api/people")
    async def people(
        request: Request,
        who: OfHr,
        name: FileName,
        again: Annotated[
            list[Who] | None, Query(description="Who was deleted and may come back", max_length=100)
        ] = None,
    ) -> Response:
        """Take the people's file (CSV or XLSX as the request's body): all of it, or nothing and every fault. `notes` tell what is not
        known yet, with the line to add.
        """
        body, by = await request.body(), actor_of(who, operation)
        return answer_json(
            await to_thread.run_sync(take_people, operation, name, body, by, again or (), limiter=uploads)
        )

    @app.post("/api/units")
    async def unit_names(request: Request, who: OfHr, name: FileName) -> Response:
        """Take names of teams, queues, sites, topics and kinds (CSV or XLSX as the request's body), as `/api/people`."""
        body, by = await request.body(), actor_of(who, operation)
        return answer_json(await to_thread.run_sync(take_unit_names, operation, name, body, by, limiter=uploads))

    @app.post("/api/duties")
    async def duty_roster(request: Request, who: OfHr, name: FileName) -> Response:
        """Take shifts, working hours and deputies (CSV or XLSX as the request's body), as `/api/people`."""
        body, by = await request.body(), actor_of(who, operation)
        return answer_json(await to_thread.run_sync(take_duty_roster, operation, name, body, by, limiter=uploads))

    @app.post("/api/targets")
    async def targets(request: Request, who: OfHr, name: FileName) -> Response:
        """Take a target sheet with targets and weights (CSV or XLSX as the request's body), as `/api/people`. Workers, screens and
        cards go by it from its days on.
        """
        body, by = await request.body(), actor_of(who, operation)
        return answer_json(await to_thread.run_sync(take_targets, operation, name, body, by, limiter=targets_at_once))
