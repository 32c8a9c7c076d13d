"""Scores over HTTP: agents see their own sheet, supervisors their team, HR all; nothing without a token."""

from __future__ import annotations

from typing import Any

import typer
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from scoring.api import appeals, contacts, days_off, duty, files, panels, runs
from scoring.api.access import BEARER, HEALTH, Anybody, Asked, OfHr, TokenFirst, answer_json, reading
from scoring.api.bodies import Refusal
from scoring.runs.canonical_json import plain
from scoring.store.audit import entries
from scoring.store.database import StoreError
from scoring.store.runs import AbsentError, RefusedStepError
from scoring.workflow.gather import Operation
from scoring.workflow.panels import CodeError
from streams.doors import SAFE, BoundedBody, Headers, answer_errors

#: Sheets are small; more than this is none. What else is sent is a page of text. Bytes.
MOST_BYTES, _MOST_TEXT_BYTES = 20_000_000, 262_144
_UPLOADS = frozenset({"/api/inputs", "/api/people", "/api/units", "/api/duties", "/api/targets"})
#: What every answer carries: scores are for whoever asked, and for nobody's cache or frame.
_HEADERS = {
    **SAFE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
#: What people can mend, and the status that fits.
_STATUSES: dict[type[Exception], int] = {
    ValueError: 422,
    CodeError: 401,
    RefusedStepError: 409,
    AbsentError: 404,
    StoreError: 503,
    ConnectionError: 503,
    typer.Exit: 503,
    ClientDisconnect: 400,
}
#: Errors whose own words are for programmers.
_SAID: dict[type[Exception], str] = {
    typer.Exit: "the operation's Kafka does not answer; the server's log says more",
    ClientDisconnect: "the request was not sent to its end",
}


def create_app(operation: Operation) -> FastAPI:
    """The application on the operation's database."""
    # The documentation pages of FastAPI load scripts from another server; the description itself is behind the token too.
    app = FastAPI(
        title="Deskpulse scores", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, dependencies=[Depends(BEARER)],
        description="Month-end scores, reviews and appeals. Every request needs a token, a ballot its code.",
        responses={status: {"model": Refusal} for status in (400, 401, 403, 404, 409, 413, 422, 503)},
    )  # fmt: skip
    # The last is asked first.
    app.add_middleware(BoundedBody, most=lambda path: MOST_BYTES if path in _UPLOADS else _MOST_TEXT_BYTES)
    app.add_middleware(TokenFirst, operation=operation)
    app.add_middleware(Headers, headers=_HEADERS)
    answer_errors(app, _STATUSES, _SAID)

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get(HEALTH, include_in_schema=False)
    def healthz() -> JSONResponse:
        """200 while the process serves; ``database`` is ``ok`` or the reason why nothing can be read. Asked without a token."""
        try:
            with reading(operation):
                return JSONResponse({"status": "ok", "database": "ok"})
        except StoreError as error:
            return JSONResponse({"status": "ok", "database": str(error)})

    @app.get("/api/me")
    def me(who: Anybody) -> Any:
        """Who the token lets in."""
        return plain(who)

    for add in (runs.add, runs.add_reviews, contacts.add, files.add, duty.add, appeals.add, days_off.add, panels.add):
        add(app, operation)

    @app.get("/api/audit")
    def audit(who: OfHr, card: Asked = None, period: Asked = None) -> Response:
        """Who did what when, oldest first."""
        with reading(operation) as connection:
            return answer_json(list(entries(connection, card, period)))

    return app
