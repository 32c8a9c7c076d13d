"""Scores over HTTP: agents see their own sheet, supervisors their team, HR all; nothing without a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

import typer
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.datastructures import Headers as Given
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from scoring.cards.load import known as known_cards
from scoring.cards.load import load
from scoring.cards.model import Card
from scoring.inputs.sheet import parse_sheet
from scoring.inputs.values import Few
from scoring.period import parse_period
from scoring.runs.canonical_json import plain, written
from scoring.runs.jsonl import Document, PersonResult
from scoring.store import panels
from scoring.store.audit import Actor, entries
from scoring.store.database import StoreError
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, all_runs, card_of, find_run, look_up, result_of
from scoring.store.tokens import Login, TokenError, login
from scoring.workflow import appeals, lifecycle
from scoring.workflow import days_off as ledger
from scoring.workflow import panels as polls
from scoring.workflow import preview as previews
from scoring.workflow.gather import Operation, names, people, store, today
from scoring.workflow.import_sheet import Taken, take_sheet
from scoring.workflow.panels import CodeError
from scoring.workflow.promotions import promotions
from scoring.workflow.tables import duties, take_duty_roster, take_people, take_targets, take_unit_names
from streams.doors import SAFE, BoundedBody, Headers, refusal
from streams.people.duty import LEAD

#: Sheets are small; more than this is none. What else is sent is a page of text. Bytes.
MOST_BYTES, _MOST_TEXT_BYTES = 20_000_000, 262_144
_UPLOADS = frozenset({"/api/inputs", "/api/people", "/api/units", "/api/duties", "/api/targets"})
#: Where a ballot is given, by a code in place of a token.
_BALLOT = "/api/ballot"
#: Sheets that are read at one time.
_AT_ONCE = 2
#: What every answer carries: scores are for whoever asked, and for nobody's cache or frame.
_HEADERS = {
    **SAFE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

#: Text without the character that no database takes; the longest are those of the tables.
_NO_NUL = r"^[^\x00]*$"
Short: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=_NO_NUL)]
Who: TypeAlias = Annotated[str, Field(min_length=1, max_length=256, pattern=_NO_NUL)]
Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=4_000, pattern=_NO_NUL)]
#: A value as it is handed in, and the place it is for.
Value: TypeAlias = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Where: TypeAlias = Annotated[str, Field(min_length=1, max_length=160, pattern=_NO_NUL)]
#: What is added to a day's count.
Count: TypeAlias = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
#: Items, corrections and exclusions of one appeal, and ratings of one review.
_MOST_PARTS = 500
#: Parts of a request that do not fit, as far as they are told.
_MOST_FAULTS = 20
Id: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Refusal(BaseModel):
    """Why a request is refused: in words, or each part of it that does not fit and where."""

    detail: str | list[Any]


class _Sent(BaseModel):
    """A body: nothing in it that is not known."""

    model_config = ConfigDict(extra="forbid")


class Review(_Sent):
    """A column of the form as it is signed: ratings by item, or why it is passed over."""

    column: Short
    ratings: Annotated[dict[Where, Value], Field(max_length=_MOST_PARTS)] = {}
    absent: Reason | None = None


class Approval(_Sent):
    """``unreviewed``: why it is approved although sheets are unsigned; ``despite``: why, although people object to theirs."""

    unreviewed: Reason | None = None
    despite: Reason | None = None


class Saying(_Sent):
    """What somebody says of their sheet. An objection has a reason; ``evidence``: what shows it."""

    agreed: bool
    reason: Reason | None = None
    evidence: Reason | None = None


class FewDecision(_Sent):
    """Whether a figure on too few cases counts all the same, or moves nothing."""

    item: Short
    decision: Few
    reason: Reason


class NewAppeal(_Sent):
    """An appeal. ``corrections``: ``ITEM.FIELD`` → value (null takes it back); ``exclusions``: ``DATE.MEASURE`` → what to add.
    ``late``: why HR takes it after the last day.
    """

    card: Short
    period: Short
    person: Who
    items: Annotated[list[Short], Field(min_length=1, max_length=_MOST_PARTS)]
    reason: Reason
    corrections: Annotated[dict[Where, Value | None], Field(max_length=_MOST_PARTS)] = {}
    exclusions: Annotated[dict[Where, Count], Field(max_length=_MOST_PARTS)] = {}
    late: Reason | None = None


class NewRatings(_Sent):
    """Ratings that whoever decides on an appeal would give: ``ITEM``, ``ITEM.pick``, ``ITEM.RATER`` or ``ITEM.few`` → value."""

    ratings: Annotated[dict[Where, Value], Field(max_length=_MOST_PARTS)] = {}


class DaysOff(_Sent):
    """Days off that somebody takes (``used``), or is granted by hand. ``day``: when; ``expires``: the last day to take what is granted."""

    person: Who
    kind: Literal["used", "granted"]
    days: Annotated[Decimal, Field(gt=0, le=366, decimal_places=2, max_digits=5)]
    day: date
    reason: Reason | None = None
    expires: date | None = None


class PanelOf(_Sent):
    """Who is to rate a person, as which party."""

    person: Who
    party: Short
    raters: Annotated[list[Who], Field(min_length=1, max_length=_MOST_PARTS)]


class NewPanels(_Sent):
    """Panels to be opened: all of them or none."""

    card: Short
    period: Short
    panels: Annotated[list[PanelOf], Field(min_length=1, max_length=_MOST_PARTS)]


class Closing(_Sent):
    """Panels to be closed: all that are open, or of one person or party."""

    card: Short
    period: Short
    person: Who | None = None
    party: Short | None = None


class Ballot(_Sent):
    """Ratings by item, of every item that is asked."""

    ratings: Annotated[dict[Where, Value], Field(min_length=1, max_length=_MOST_PARTS)]


class Cancellation(_Sent):
    """Why an entry is taken back."""

    reason: Reason


class Verdict(NewRatings):
    """The decision on an appeal."""

    accepted: bool
    reason: Reason


_bearer = HTTPBearer(auto_error=False, description="A token of `deskpulse score token add`")


class TokenFirst:
    """ASGI middleware: asks who it is before anything of the request is read; 401 without a token that is good.

    A ballot is given with its code, and nobody is asked who they are: it is in ``request.state.code`` then.
    """

    def __init__(self, app: ASGIApp, operation: Operation) -> None:
        self._app, self._operation = app, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with who the token lets in as ``request.state.login``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, _, token = Given(scope=scope).get("authorization", "").partition(" ")
        status, why = 401, "give a token: Authorization: Bearer …"
        if kind.lower() == "bearer" and token.strip():
            try:
                known, ask = ("code", self._code) if scope["path"] == _BALLOT else ("login", self._login)
                scope.setdefault("state", {})[known] = await run_in_threadpool(ask, token.strip())
            except (TokenError, CodeError) as error:
                why = str(error)
            except StoreError as error:
                status, why = 503, str(error)
            else:
                await self._app(scope, receive, send)
                return
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        await refusal(status, why, headers)(scope, receive, send)

    def _login(self, token: str) -> Login:
        with _reading(self._operation) as connection:
            return login(connection, token, self._operation.now())

    def _code(self, code: str) -> str:
        with _reading(self._operation) as connection:
            polls.asked(connection, code)
        return code


def known(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Login:
    """Who the request's token lets in."""
    who: Login = request.state.login
    return who


def holding(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The code that the request's ballot is given with."""
    code: str = request.state.code
    return code


def hr(who: Annotated[Login, Depends(known)]) -> Login:
    """Who it lets in, if they are of HR; else 403."""
    if who.role != "hr":
        raise HTTPException(403, "this is for HR")
    return who


def above_agents(who: Annotated[Login, Depends(known)]) -> Login:
    """Who it lets in, if they lead a team or are of HR; else 403."""
    if who.role == "agent":
        raise HTTPException(403, "this is for supervisors and HR")
    return who


FileName: TypeAlias = Annotated[
    str,
    Query(
        description="The file's name; its ending says what it is",
        examples=["march.xlsx"],
        min_length=1,
        max_length=200,
        pattern=_NO_NUL,
    ),
]
CardId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=_NO_NUL)]
PeriodId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=_NO_NUL)]
PersonId: TypeAlias = Annotated[str, Path(min_length=1, max_length=256, pattern=_NO_NUL)]
Asked: TypeAlias = Annotated[str | None, Query(max_length=64, pattern=_NO_NUL)]
Anybody = Annotated[Login, Depends(known)]
OfHr = Annotated[Login, Depends(hr)]
AboveAgents = Annotated[Login, Depends(above_agents)]


def create_app(operation: Operation) -> FastAPI:
    """The application on the operation's database."""
    # The documentation pages of FastAPI load scripts from another server; the description itself is behind the token too.
    app = FastAPI(
        title="Deskpulse scores", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, dependencies=[Depends(_bearer)],
        description="Month-end scores, reviews and appeals. Every request needs a token, a ballot its code.",
        responses={status: {"model": Refusal} for status in (400, 401, 403, 404, 409, 413, 422, 503)},
    )  # fmt: skip
    # The last is asked first.
    app.add_middleware(BoundedBody, most=lambda path: MOST_BYTES if path in _UPLOADS else _MOST_TEXT_BYTES)
    app.add_middleware(TokenFirst, operation=operation)
    app.add_middleware(Headers, headers=_HEADERS)
    _errors(app)

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/api/me")
    def me(who: Anybody) -> Any:
        """Who the token lets in."""
        return plain(who)

    for routes in (_runs, _reviews, _files, _duty, _appeals, _days_off, _panels):
        routes(app, operation)

    @app.get("/api/audit")
    def audit(who: OfHr, card: Asked = None, period: Asked = None) -> Response:
        """Who did what when, oldest first."""
        with _reading(operation) as connection:
            return _json(list(entries(connection, card, period)))

    return app


def _runs(app: FastAPI, operation: Operation) -> None:
    """Routes of runs: their results, sheets, approval and publication."""

    @app.get("/api/runs")
    def runs(who: Anybody) -> Any:
        """Runs that they may see, with state and revision."""
        with _reading(operation) as connection:
            return [plain(run) for run in all_runs(connection) if _visible(run, who) is not None]

    @app.get("/api/runs/{card}/{period}")
    def result(card: CardId, period: PeriodId, who: Anybody) -> Response:
        """The frozen result: everybody's for HR, the team's for a supervisor, their own for an agent."""
        with _reading(operation) as connection:
            run, result = _seen(connection, card, period, who)
            body = _only(result, who)
        return _json({"run": run, **body, "names": _names(operation, [one["person"] for one in body["scores"]])})

    @app.get("/api/runs/{card}/{period}/promotions")
    def promoted(card: CardId, period: PeriodId, who: Anybody) -> Any:
        """Who may be promoted, and what the others lack to the next post: everybody for HR, as far as they may see it for others."""
        with _reading(operation) as connection:
            _, result = _seen(connection, card, period, who)
            try:
                return promotions(result, lambda one: who.may_see(one.person, one.team))
            except ValueError as error:
                raise HTTPException(404, str(error)) from error

    @app.get("/api/runs/{card}/{period}/people/{person}")
    def sheet(card: CardId, period: PeriodId, person: PersonId, who: Anybody) -> Response:
        """One person's sheet: items with figures, points and reasons; outcomes; who has signed, and whose turn it is."""
        with _reading(operation) as connection:
            run, result = _seen(connection, card, period, who)
            own = _allowed(result, person, who)
            sheet = previews.one_sheet(connection, run, person)
        prepared = run.state == "prepared"
        score, outcome = (sheet.score, None) if prepared else (own.score, own.outcome)
        told = {"score": score, "outcomes": outcome, **_beside(sheet), "names": _names(operation, [person])}
        if who.role != "hr" and not prepared and run.revision != run.published:
            told["given"] = ()  # what an appeal has changed is not published yet
        return _json({"run": run, **told})

    @app.post("/api/runs/{card}/{period}/approve")
    def approve(card: CardId, period: PeriodId, given: Approval, who: OfHr) -> Response:
        """Approve a reviewed run."""
        with _writing(operation) as connection:
            by = _actor(who, operation)
            return _json(lifecycle.approve(connection, card, period, by, given.unreviewed, given.despite))

    @app.post("/api/runs/{card}/{period}/publish")
    def publish(card: CardId, period: PeriodId, who: OfHr) -> Response:
        """Put the approved revision on the topic `scores`; a second time sends nothing."""
        with _writing(operation) as connection:
            run, sent = lifecycle.publish(connection, card, period, _actor(who, operation), operation.publish_scores)
        return _json({"run": run, "sent": sent})


def _reviews(app: FastAPI, operation: Operation) -> None:
    """Routes of what is signed and said of a run before it is approved."""

    @app.post("/api/runs/{card}/{period}/people/{person}/review")
    def review(card: CardId, period: PeriodId, person: PersonId, given: Review, who: Anybody) -> Response:
        """Sign a column: an agent their own, a supervisor their team's other columns."""
        with _writing(operation) as connection:
            run, result = _seen(connection, card, period, who)
            _allowed(result, person, who)
            if who.role == "agent" and given.column != "self":
                raise HTTPException(403, "an agent signs the column self")
            signed = lifecycle.review(
                connection, run.card, period, person, given.column, given.ratings, _actor(who, operation), given.absent
            )
        return _json(signed)

    @app.get("/api/runs/{card}/{period}/preview")
    def preview(card: CardId, period: PeriodId, who: AboveAgents) -> Response:
        """The run as it would be if it were approved now: everybody's sheet for HR, the team's for a supervisor, with every rating, who has
        signed what and when, what people object to; for HR also what differs from what was prepared.
        """
        with _reading(operation) as connection:
            _seen(connection, card, period, who)
            seen = previews.preview(connection, card, period)
        shown = [one for one in seen.sheets if who.may_see(one.person, one.team)]
        sheets = [
            {"person": one.person, "team": one.team, "score": one.score, "outcomes": one.outcome, **_beside(one)}
            for one in shown
        ]
        changes = seen.changes if who.role == "hr" else ()
        named = _names(operation, [one.person for one in shown])
        return _json({"run": seen.run, "sheets": sheets, "changes": changes, "names": named})

    @app.post("/api/runs/{card}/{period}/people/{person}/acknowledgement")
    def acknowledgement(card: CardId, period: PeriodId, person: PersonId, given: Saying, who: Anybody) -> Response:
        """Agree with one's own sheet, or object to it, before it is approved."""
        with _writing(operation) as connection:
            run, result = _seen(connection, card, period, who)
            _allowed(result, person, who)
            said = previews.says(
                connection, run.card, period, person, _actor(who, operation),
                agreed=given.agreed, reason=given.reason, evidence=given.evidence,
            )  # fmt: skip
        return _json(said)

    @app.post("/api/runs/{card}/{period}/people/{person}/few")
    def decide_few(card: CardId, period: PeriodId, person: PersonId, given: FewDecision, who: AboveAgents) -> Response:
        """Decide whether an item that rests on too few cases counts: HR, or the team's supervisor."""
        with _writing(operation) as connection:
            run, result = _seen(connection, card, period, who)
            _allowed(result, person, who)
            previews.decide_few(
                connection, run.card, period, person, given.item, given.decision, given.reason, _actor(who, operation)
            )
            return _json(_beside(previews.one_sheet(connection, run, person)))


def _files(app: FastAPI, operation: Operation) -> None:
    """Routes that take files: inputs, people, units, duties, targets."""
    # A target sheet is merged with what there is: one at a time, so that none is lost.
    uploads, targets_at_once = CapacityLimiter(_AT_ONCE), CapacityLimiter(1)

    @app.post("/api/inputs")
    async def inputs(
        request: Request,
        who: OfHr,
        name: FileName,
        card: Annotated[
            str | None, Query(description="Where the file does not say it", max_length=4_096, pattern=_NO_NUL)
        ] = None,
    ) -> Response:
        """Take a sheet (CSV or XLSX as the request's body): all of it, or nothing and every fault."""
        body = await request.body()

        def taken() -> Taken:
            return take_sheet(operation, parse_sheet(name, body), _actor(who, operation), card)

        return _json(await to_thread.run_sync(taken, limiter=uploads))

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
        body, by = await request.body(), _actor(who, operation)
        return _json(await to_thread.run_sync(take_people, operation, name, body, by, again or (), limiter=uploads))

    @app.post("/api/units")
    async def unit_names(request: Request, who: OfHr, name: FileName) -> Response:
        """Take names of teams, queues, sites, topics and kinds (CSV or XLSX as the request's body), as `/api/people`."""
        body, by = await request.body(), _actor(who, operation)
        return _json(await to_thread.run_sync(take_unit_names, operation, name, body, by, limiter=uploads))

    @app.post("/api/duties")
    async def duty_roster(request: Request, who: OfHr, name: FileName) -> Response:
        """Take shifts, working hours and deputies (CSV or XLSX as the request's body), as `/api/people`."""
        body, by = await request.body(), _actor(who, operation)
        return _json(await to_thread.run_sync(take_duty_roster, operation, name, body, by, limiter=uploads))

    @app.post("/api/targets")
    async def targets(request: Request, who: OfHr, name: FileName) -> Response:
        """Take a target sheet with targets and weights (CSV or XLSX as the request's body), as `/api/people`. Workers, screens and
        cards go by it from its days on.
        """
        body, by = await request.body(), _actor(who, operation)
        return _json(await to_thread.run_sync(take_targets, operation, name, body, by, limiter=targets_at_once))


def _duty(app: FastAPI, operation: Operation) -> None:
    """The route that says who is on duty."""

    @app.get("/api/on-duty")
    def on_duty(
        who: Anybody,
        team: Annotated[
            str | None, Query(description="About this team", min_length=1, max_length=256, pattern=_NO_NUL)
        ] = None,
        person: Annotated[
            str | None, Query(description="About this person", min_length=1, max_length=256, pattern=_NO_NUL)
        ] = None,
        role: Annotated[
            str, Query(description="As what they are on duty", min_length=1, max_length=256, pattern=_NO_NUL)
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
        return _json({**told, "names": _names(operation, seen)})


def _appeals(app: FastAPI, operation: Operation) -> None:
    """Routes of appeals."""

    @app.get("/api/appeals")
    def list_appeals(who: Anybody) -> Response:
        """Appeals that they may see."""
        with _reading(operation) as connection:
            return _json([one for one in appeals.all_appeals(connection) if _sees(connection, one, who)])

    @app.post("/api/appeals", status_code=201)
    def appeal(given: NewAppeal, who: Anybody) -> Response:
        """File an appeal against a published result."""
        with _writing(operation) as connection:
            _, result = _seen(connection, given.card, given.period, who)
            _allowed(result, given.person, who)
            if given.late is not None and who.role != "hr":
                raise HTTPException(403, "only HR takes appeals after the last day")
            made = appeals.open_appeal(
                connection, given.card, given.period, given.person, given.items, given.reason, _actor(who, operation),
                given.corrections, given.exclusions, late=given.late,
            )  # fmt: skip
            return _json(_with_difference(connection, made, who), 201)

    @app.get("/api/appeals/{id}")
    def one_appeal(id: Id, who: Anybody) -> Response:
        """An appeal with what accepting it would change (for who is not HR: of the person themselves only)."""
        with _reading(operation) as connection:
            made = appeals.appeal_of(connection, id)
            if not _sees(connection, made, who):
                raise HTTPException(403, "not yours to see")
            return _json(_with_difference(connection, made, who))

    @app.post("/api/appeals/{id}/decision")
    def decide(id: Id, given: Verdict, who: OfHr) -> Response:
        """Accept an appeal, which amends the run, or refuse it."""
        with _writing(operation) as connection:
            by = _actor(who, operation)
            made, changes = appeals.decide(connection, id, given.accepted, given.reason, by, given.ratings)
        return _json({"appeal": made, "changes": changes})

    @app.post("/api/appeals/{id}/difference")
    def difference(id: Id, given: NewRatings, who: OfHr) -> Response:
        """What accepting an appeal with these ratings would change, for everybody; nothing is kept."""
        with _reading(operation) as connection:
            made = appeals.appeal_of(connection, id)
            return _json({"appeal": made, "changes": appeals.difference(connection, made, given.ratings)})


def _days_off(app: FastAPI, operation: Operation) -> None:
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
        with _reading(operation) as connection:
            found = ledger.accounts(connection, on or today(operation))
        seen = [one for one in found if who.may_see(one.person, team_of(one.person))]
        return _json({"accounts": seen, "names": _names(operation, [one.person for one in seen])})

    @app.post("/api/days-off", status_code=201)
    def enter(given: DaysOff, who: AboveAgents) -> Response:
        """Enter what somebody takes: HR, or the team's supervisor. HR also grants by hand."""
        refuse_unseen(given.person, who)
        if given.kind == "granted" and who.role != "hr":
            raise HTTPException(403, "this is for HR")
        wanted = (given.person, given.days, given.day, _actor(who, operation), given.reason, given.expires)
        with _writing(operation) as connection:
            return _json((ledger.use if given.kind == "used" else ledger.grant)(connection, *wanted), 201)

    @app.post("/api/days-off/{id}/cancellation")
    def cancel(id: Id, given: Cancellation, who: AboveAgents) -> Response:
        """Take an entry back that somebody made by hand; the ledger keeps both."""
        with _writing(operation) as connection:
            person = ledger.person_of(connection, id)
            if person is not None or who.role != "hr":
                refuse_unseen(person or "", who)
            return _json(ledger.cancel(connection, id, given.reason, _actor(who, operation)))


def _built_in(id: str) -> Card:
    """The card of this id that comes with the program; of others there has to be a run. Raises AbsentError."""
    if id not in known_cards():
        raise AbsentError(f"no card {id!r} comes with the program; prepare a run of a card of your own first")
    return load(known_cards()[id])


def _panels(app: FastAPI, operation: Operation) -> None:
    """Routes of 360-degree ratings."""

    @app.post("/api/panels", status_code=201)
    def open_(given: NewPanels, who: OfHr) -> Response:
        """Ask several people to rate somebody; answers with each rater's code, which is kept beside no name and shown once."""
        with _reading(operation) as connection:
            run = look_up(connection, given.card, given.period)
            card = _built_in(given.card) if run is None else card_of(connection, run)
        period = parse_period(given.period)
        scored = people(operation, card, period)
        wanted = [polls.Wanted(one.person, one.party, tuple(one.raters)) for one in given.panels]
        with _writing(operation) as connection:
            return _json(polls.open_panels(connection, card, period, scored, wanted, _actor(who, operation)), 201)

    @app.get("/api/panels")
    def status(
        who: OfHr,
        card: Annotated[str, Query(max_length=64, pattern=_NO_NUL)],
        period: Annotated[str, Query(max_length=64, pattern=_NO_NUL)],
    ) -> Response:
        """How many of whom have rated; what they gave once a panel is closed, as a sum."""
        with _reading(operation) as connection:
            found = panels.newest(connection, card, period)
        return _json({"panels": found, "names": _names(operation, {one.person for one in found})})

    @app.post("/api/panels/closing")
    def close(given: Closing, who: OfHr) -> Response:
        """Close panels: their means count where enough have rated; single ratings are deleted."""
        with store(operation) as database:
            with database.write() as connection:
                found = polls.to_close(connection, given.card, given.period, given.person, given.party)
                made = polls.close(connection, found, _actor(who, operation))
            polls.leave_nothing(database)
        return _json(made)

    @app.get(_BALLOT)
    def asked(code: Annotated[str, Depends(holding)]) -> Response:
        """What the holder of a code is asked: whom they rate, and which items. `Authorization: Bearer CODE`."""
        with _reading(operation) as connection:
            panel = polls.asked(connection, code)
        told = {name: getattr(panel, name) for name in ("card", "period", "person", "party", "asks")}
        return _json({**told, "names": _names(operation, [panel.person])})

    @app.post(_BALLOT, status_code=204)
    def rate(given: Ballot, code: Annotated[str, Depends(holding)]) -> Response:
        """Rate by a code, once. Nobody is asked who they are."""
        with store(operation) as database:
            with database.write() as connection:
                polls.rate(connection, code, given.ratings)
            polls.leave_nothing(database)
        return Response(status_code=204)


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


def _errors(app: FastAPI) -> None:
    """What people can mend, under the status that fits."""

    def answer(kind: type[Exception], status: int, said: Callable[[Exception], Any] = str) -> None:
        @app.exception_handler(kind)
        async def answered(_: Request, error: Exception) -> Response:
            return refusal(status, said(error))

    answer(RequestValidationError, 422, _unfit)
    answer(ValueError, 422)
    answer(CodeError, 401)
    answer(RefusedStepError, 409)
    answer(AbsentError, 404)
    answer(StoreError, 503)
    answer(ConnectionError, 503)
    answer(typer.Exit, 503, lambda _: "the operation's Kafka does not answer; the server's log says more")
    answer(ClientDisconnect, 400, lambda _: "the request was not sent to its end")


def _unfit(error: Exception) -> Any:
    """Where a request does not fit, and why; never what it said there, which may be long."""
    assert isinstance(error, RequestValidationError)
    return [{"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in error.errors()[:_MOST_FAULTS]]


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
    """The revision they may see: HR the newest; others what is under review, then what was published; None: nothing."""
    return run.revision if who.role == "hr" or run.state == "prepared" else run.published


def _seen(connection: Connection, card: str, period: str, who: Login) -> tuple[RunRecord, Document]:
    run = find_run(connection, card, period)
    revision = _visible(run, who)
    if revision is None:
        raise HTTPException(404, f"the run of {card} in {period} is not published yet")
    return run, result_of(connection, run, revision)


def _only(result: Document, who: Login) -> dict[str, Any]:
    """The result as far as they may see it: counts and costs of everybody are HR's."""
    if who.role == "hr":
        return result.whole()
    body = result.whole(lambda one: who.may_see(one.person, one.team))
    return {**body, "outcomes": body["outcomes"] and {"people": body["outcomes"]["people"]}}


def _beside(sheet: previews.Sheet) -> dict[str, Any]:
    """What stands beside a sheet's scores: what was given, signed and said, and what waits for a decision."""
    return {
        "given": sheet.given,
        "signed": sheet.signed,
        "next": sheet.next,
        "says": sheet.says,
        "changed_since": sheet.changed,
        "too_few": sheet.too_few,
    }


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
