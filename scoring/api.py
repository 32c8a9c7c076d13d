"""Scores over HTTP: agents see their own sheet, supervisors their team, HR all; nothing without a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from scoring.inputs.sheet import parse_sheet
from scoring.runs.canonical_json import plain, written
from scoring.runs.jsonl import Document, PersonResult
from scoring.store.audit import Actor, entries
from scoring.store.database import StoreError
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, all_runs, card_of, find_run, result_of
from scoring.store.tokens import Login, TokenError, login
from scoring.workflow import appeals, lifecycle
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.import_sheet import Taken, take_sheet

#: Sheets are small; more than this is none. Bytes.
MOST_BYTES = 20_000_000


class Review(BaseModel):
    """A column of the form as it is signed: ratings by item, or why it is passed over."""

    column: str
    ratings: dict[str, str] = {}
    absent: str | None = None


class Approval(BaseModel):
    """``unreviewed``: why it is approved although sheets are unsigned."""

    unreviewed: str | None = None


class NewAppeal(BaseModel):
    """An appeal. ``corrections``: ``ITEM.FIELD`` → value (null takes it back); ``exclusions``: ``DATE.MEASURE`` → what to add."""

    card: str
    period: str
    person: str
    items: Annotated[list[str], Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    corrections: dict[str, str | None] = {}
    exclusions: dict[str, int] = {}


class Verdict(BaseModel):
    """The decision on an appeal."""

    accepted: bool
    reason: Annotated[str, Field(min_length=1)]


_bearer = HTTPBearer(auto_error=False, description="A token of `deskpulse score token add`")


def known(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Login:
    """Who the request's token lets in; 401 without one that is good."""
    operation: Operation = request.app.state.operation
    why = "give a token: Authorization: Bearer …"
    if given is not None:
        try:
            with _reading(operation) as connection:
                return login(connection, given.credentials, operation.now())
        except TokenError as error:
            why = str(error)
    raise HTTPException(401, why, {"WWW-Authenticate": "Bearer"})


def hr(who: Annotated[Login, Depends(known)]) -> Login:
    """Who it lets in, if he is of HR; else 403."""
    if who.role != "hr":
        raise HTTPException(403, "this is for HR")
    return who


Anybody = Annotated[Login, Depends(known)]
OfHr = Annotated[Login, Depends(hr)]


def create_app(operation: Operation) -> FastAPI:
    """The application on the operation's database."""
    # The documentation pages of FastAPI load scripts from another server; the description itself is behind the token too.
    app = FastAPI(
        title="Deskpulse scores", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(known)],
        description="Month-end scores, reviews and appeals. Every request needs a token.",
    )  # fmt: skip
    app.state.operation = operation
    _errors(app)

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/api/me")
    def me(who: Anybody) -> Any:
        """Who the token lets in."""
        return plain(who)

    @app.get("/api/runs")
    def runs(who: Anybody) -> Any:
        """Runs that he may see, with state and revision."""
        with _reading(operation) as connection:
            return [plain(run) for run in all_runs(connection) if _visible(run, who) is not None]

    @app.get("/api/runs/{card}/{period}")
    def result(card: str, period: str, who: Anybody) -> Response:
        """The frozen result: everybody's for HR, the team's for a supervisor, his own for an agent."""
        with _reading(operation) as connection:
            run, result = _seen(connection, card, period, who)
            body = _only(result, who)
        return _json({"run": run, **body, "names": _names(operation, [one["person"] for one in body["scores"]])})

    @app.get("/api/runs/{card}/{period}/people/{person}")
    def sheet(card: str, period: str, person: str, who: Anybody) -> Response:
        """One person's sheet: items with figures, points and reasons; outcomes; who has signed, and whose turn it is."""
        with _reading(operation) as connection:
            run, result = _seen(connection, card, period, who)
            own = _allowed(result, person, who)
            signed = lifecycle.signatures(connection, run).get(person, {})
            due = lifecycle.turn(card_of(connection, run), signed)
        sheet = {"score": own.score, "outcomes": own.outcome, "signed": list(signed.values()), "next": due and due.id}
        sheet["names"] = _names(operation, [person])
        return _json({"run": run, **sheet})

    @app.post("/api/runs/{card}/{period}/people/{person}/review")
    def review(card: str, period: str, person: str, given: Review, who: Anybody) -> Response:
        """Sign a column: an agent his own, a supervisor his team's other columns."""
        with _writing(operation) as connection:
            run, result = _seen(connection, card, period, who)
            _allowed(result, person, who)
            if who.role == "agent" and given.column != "self":
                raise HTTPException(403, "an agent signs the column self")
            signed = lifecycle.review(
                connection, run.card, period, person, given.column, given.ratings, _actor(who, operation), given.absent
            )
        return _json(signed)

    @app.post("/api/runs/{card}/{period}/approve")
    def approve(card: str, period: str, given: Approval, who: OfHr) -> Response:
        """Approve a reviewed run."""
        with _writing(operation) as connection:
            return _json(lifecycle.approve(connection, card, period, _actor(who, operation), given.unreviewed))

    @app.post("/api/runs/{card}/{period}/publish")
    def publish(card: str, period: str, who: OfHr) -> Response:
        """Put the approved revision on the topic `scores`; a second time sends nothing."""
        with _writing(operation) as connection:
            run, sent = lifecycle.publish(connection, card, period, _actor(who, operation), operation.publish_scores)
        return _json({"run": run, "sent": sent})

    @app.post("/api/inputs")
    async def inputs(
        request: Request,
        who: OfHr,
        name: Annotated[str, Query(description="The file's name; its ending says what it is", examples=["march.xlsx"])],
        card: Annotated[str | None, Query(description="Where the file does not say it")] = None,
    ) -> Response:
        """Take a sheet (CSV or XLSX as the request's body): all of it, or nothing and every fault."""
        body = await request.body()
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"more than {MOST_BYTES} bytes; split the sheet")

        def taken() -> Taken:
            return take_sheet(operation, parse_sheet(name, body), _actor(who, operation), card)

        return _json(await run_in_threadpool(taken))

    @app.get("/api/appeals")
    def list_appeals(who: Anybody) -> Response:
        """Appeals that he may see."""
        with _reading(operation) as connection:
            return _json([one for one in appeals.all_appeals(connection) if _sees(connection, one, who)])

    @app.post("/api/appeals", status_code=201)
    def appeal(given: NewAppeal, who: Anybody) -> Response:
        """File an appeal against a published result."""
        with _writing(operation) as connection:
            _, result = _seen(connection, given.card, given.period, who)
            _allowed(result, given.person, who)
            made = appeals.open_appeal(
                connection, given.card, given.period, given.person, given.items, given.reason, _actor(who, operation),
                given.corrections, given.exclusions,
            )  # fmt: skip
            return _json(_with_difference(connection, made, who), 201)

    @app.get("/api/appeals/{id}")
    def one_appeal(id: int, who: Anybody) -> Response:
        """An appeal with what accepting it would change (for who is not HR: of the person himself only)."""
        with _reading(operation) as connection:
            made = appeals.appeal_of(connection, id)
            if not _sees(connection, made, who):
                raise HTTPException(403, "not yours to see")
            return _json(_with_difference(connection, made, who))

    @app.post("/api/appeals/{id}/decision")
    def decide(id: int, given: Verdict, who: OfHr) -> Response:
        """Accept an appeal, which amends the run, or refuse it."""
        with _writing(operation) as connection:
            made, changes = appeals.decide(connection, id, given.accepted, given.reason, _actor(who, operation))
        return _json({"appeal": made, "changes": changes})

    @app.get("/api/audit")
    def audit(who: OfHr, card: str | None = None, period: str | None = None) -> Response:
        """Who did what when, oldest first."""
        with _reading(operation) as connection:
            return _json(list(entries(connection, card, period)))

    return app


def _errors(app: FastAPI) -> None:
    """What people can mend, under the status that fits."""

    def answer(kind: type[Exception], status: int, said: Callable[[Exception], str] = str) -> None:
        @app.exception_handler(kind)
        async def answered(_: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"detail": said(error)}, status)

    answer(ValueError, 422)
    answer(RefusedStepError, 409)
    answer(AbsentError, 404)
    answer(StoreError, 503)
    answer(ConnectionError, 503)
    answer(typer.Exit, 503, lambda _: "the operation's Kafka does not answer; the server's log says more")


@contextmanager
def _reading(operation: Operation) -> Iterator[Connection]:
    with store(operation) as database, database.read() as connection:
        yield connection


@contextmanager
def _writing(operation: Operation) -> Iterator[Connection]:
    with store(operation) as database, database.write() as connection:
        yield connection


def _actor(who: Login, operation: Operation) -> Actor:
    return Actor(who.author, operation.now())


def _visible(run: RunRecord, who: Login) -> int | None:
    """The revision he may see: HR the newest; others what is under review, then what was published; None: nothing."""
    return run.revision if who.role == "hr" or run.state == "prepared" else run.published


def _seen(connection: Connection, card: str, period: str, who: Login) -> tuple[RunRecord, Document]:
    run = find_run(connection, card, period)
    revision = _visible(run, who)
    if revision is None:
        raise HTTPException(404, f"the run of {card} in {period} is not published yet")
    return run, result_of(connection, run, revision)


def _only(result: Document, who: Login) -> dict[str, Any]:
    """The result as far as he may see it: counts and costs of everybody are HR's."""
    if who.role == "hr":
        return result.whole()
    body = result.whole(lambda one: who.may_see(one.person, one.team))
    return {**body, "outcomes": body["outcomes"] and {"people": body["outcomes"]["people"]}}


def _names(operation: Operation, seen: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Names of those whom somebody may see: put in now, as what is frozen has ids only."""
    known = names(operation)
    return {id: {"zh": known.plain(id, "zh"), "en": known.plain(id, "en")} for id in seen if id in known}


def _allowed(result: Document, person: str, who: Login) -> PersonResult:
    """What the result says of the person. Whoever may not see it does not learn whether there is one."""
    own = result.person(person)
    if own is not None and who.may_see(person, own.team):
        return own
    if who.role == "hr":
        raise HTTPException(404, f"{person!r} is not scored in this run")
    raise HTTPException(403, "not yours to see")


def _sees(connection: Connection, appeal: appeals.Appeal, who: Login) -> bool:
    if who.role == "hr" or appeal.person == who.person:
        return True
    own = result_of(connection, appeal.run, appeal.revision).person(appeal.person)
    return own is not None and who.may_see(appeal.person, own.team)


def _with_difference(connection: Connection, appeal: appeals.Appeal, who: Login) -> dict[str, Any]:
    changes = [] if appeal.decision else appeals.difference(connection, appeal)
    own = [change for change in changes if who.role == "hr" or change.person == appeal.person]
    return {"appeal": appeal, "changes": own}


def _json(data: Any, status: int = 200) -> Response:
    return Response(written(data), status, media_type="application/json")
