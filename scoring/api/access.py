"""Who asks, and what they may see: tokens and codes, roles, the operation's database as each request has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, HTTPException, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection
from starlette.datastructures import Headers as Given
from starlette.types import ASGIApp, Receive, Scope, Send

from scoring.api.bodies import NO_NUL
from scoring.runs.canonical_json import written
from scoring.runs.jsonl import Document, PersonResult
from scoring.store.audit import Actor
from scoring.store.database import StoreError
from scoring.store.runs import RunRecord, find_run, result_of
from scoring.store.tokens import Login, TokenError, login
from scoring.workflow import panels as polls
from scoring.workflow import preview as previews
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.panels import CodeError
from streams.doors import refusal

#: Where a ballot is given, by a code in place of a token.
BALLOT = "/api/ballot"
#: For whoever keeps the process alive: says nothing of anybody.
HEALTH = "/healthz"

#: How the description says that a token is wanted.
BEARER = HTTPBearer(auto_error=False, description="A token of `deskpulse score token add`")


class TokenFirst:
    """ASGI middleware: asks who it is before anything of the request is read; 401 without a token that is good.

    A ballot is given with its code, and nobody is asked who they are: it is in ``request.state.code`` then.
    """

    def __init__(self, app: ASGIApp, operation: Operation) -> None:
        self._app, self._operation = app, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with who the token lets in as ``request.state.login``."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        kind, _, token = Given(scope=scope).get("authorization", "").partition(" ")
        status, why = 401, "give a token: Authorization: Bearer …"
        if kind.lower() == "bearer" and token.strip():
            try:
                known, ask = ("code", self._code) if scope["path"] == BALLOT else ("login", self._login)
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
        with reading(self._operation) as connection:
            return login(connection, token, self._operation.now())

    def _code(self, code: str) -> str:
        with reading(self._operation) as connection:
            polls.asked(connection, code)
        return code


def known(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> Login:
    """Who the request's token lets in."""
    who: Login = request.state.login
    return who


def holding(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> str:
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
        pattern=NO_NUL,
    ),
]
CardId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=NO_NUL)]
PeriodId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=NO_NUL)]
PersonId: TypeAlias = Annotated[str, Path(min_length=1, max_length=256, pattern=NO_NUL)]
ItemId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=NO_NUL)]
Asked: TypeAlias = Annotated[str | None, Query(max_length=64, pattern=NO_NUL)]
Anybody = Annotated[Login, Depends(known)]
OfHr = Annotated[Login, Depends(hr)]
AboveAgents = Annotated[Login, Depends(above_agents)]


@contextmanager
def reading(operation: Operation) -> Iterator[Connection]:
    """The operation's database, to read."""
    with store(operation) as database, database.read() as connection:
        yield connection


@contextmanager
def writing(operation: Operation) -> Iterator[Connection]:
    """The operation's database, to write: all of it or nothing."""
    with store(operation) as database, database.write() as connection:
        yield connection


def actor_of(who: Login, operation: Operation) -> Actor:
    """Who does it, and when: now."""
    return Actor(who.author, operation.now())


def visible(run: RunRecord, who: Login) -> int | None:
    """The revision they may see: HR the newest; others what is under review, then what was published; None: nothing."""
    return run.revision if who.role == "hr" or run.state == "prepared" else run.published


def seen_by(connection: Connection, card: str, period: str, who: Login) -> tuple[RunRecord, Document]:
    """A run and its result in the revision that they may see. Raises AbsentError; HTTPException 404 where none is published."""
    run = find_run(connection, card, period)
    revision = visible(run, who)
    if revision is None:
        raise HTTPException(404, f"the run of {card} in {period} is not published yet")
    return run, result_of(connection, run, revision)


def only(result: Document, who: Login) -> dict[str, Any]:
    """The result as far as they may see it: counts and costs of everybody are HR's."""
    if who.role == "hr":
        return result.whole()
    body = result.whole(lambda one: who.may_see(one.person, one.team))
    return {**body, "outcomes": body["outcomes"] and {"people": body["outcomes"]["people"]}}


def beside(sheet: previews.Sheet) -> dict[str, Any]:
    """What stands beside a sheet's scores: what was given, signed and said, and what waits for a decision."""
    return {
        "given": sheet.given,
        "signed": sheet.signed,
        "next": sheet.next,
        "says": sheet.says,
        "changed_since": sheet.changed,
        "too_few": sheet.too_few,
    }


def names_of(operation: Operation, seen: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Names of those whom somebody may see: put in now, as what is frozen has ids only."""
    known = names(operation)
    return {id: {"zh": known.plain(id, "zh"), "en": known.plain(id, "en")} for id in seen if id in known}


def allowed(result: Document, person: str, who: Login) -> PersonResult:
    """What the result says of the person. Whoever may not see it does not learn whether there is one."""
    own = result.person(person)
    if own is not None and who.may_see(person, own.team):
        return own
    if who.role == "hr":
        raise HTTPException(404, f"{person!r} is not scored in this run")
    raise HTTPException(403, "not yours to see")


def answer_json(data: Any, status: int = 200) -> Response:
    """An answer of plain data."""
    return Response(written(data), status, media_type="application/json")
