"""Who is in at the desk, what of a month they may see and do, and what every route of it shares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Annotated, Any, Protocol, TypeAlias

from anyio import from_thread
from fastapi import Depends, HTTPException, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection

from scoring.api.bodies import NO_NUL
from scoring.cards.model import Card
from scoring.runs.canonical_json import plain, written
from scoring.runs.jsonl import Document, PersonResult
from scoring.store.audit import Actor
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, find_run, result_of
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.lifecycle import columns
from streams.languages import Language
from streams.languages.text import LANGUAGES
from streams.languages.translation import preferred, said

#: In place of a team: all of them.
_ALL_TEAMS = "*"
#: The column that the scored person signs.
SELF = "self"
NO_SHEET = "there is no such sheet"


class Visitor(Protocol):
    """Who is in at the desk."""

    @property
    def roles(self) -> Set[str]:
        """What they are."""

    @property
    def person(self) -> str | None:
        """Their id on the roster."""

    @property
    def teams(self) -> Set[str]:
        """The teams that they lead or look at."""

    @property
    def author(self) -> str:
        """Who they are in the trail."""


class _Guard(Protocol):
    looks: Callable[[Visitor, Collection[str]], Coroutine[Any, Any, None]]


CardId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=NO_NUL)]
PeriodId: TypeAlias = Annotated[str, Path(min_length=1, max_length=64, pattern=NO_NUL)]
PersonId: TypeAlias = Annotated[str, Path(min_length=1, max_length=256, pattern=NO_NUL)]


class MonthRoute(APIRoute):
    """A route that says 409 where a step is not to be taken now, and 404 for what is not there."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except AbsentError as error:
                raise HTTPException(404, str(error)) from error
            except RefusedStepError as error:
                raise HTTPException(409, str(error)) from error

        return handled


def _visitor(request: Request) -> Visitor:
    found: Visitor = request.state.visitor
    return found


def _having(*roles: str) -> Callable[[Request], Visitor]:
    def checked(request: Request) -> Visitor:
        visitor = _visitor(request)
        if not visitor.roles & set(roles):
            raise HTTPException(403, "your role does not allow this")
        return visitor

    return checked


#: Anybody who has to do with a month; who rates others; HR.
Concerned = Annotated[Visitor, Depends(_having("hr", "supervisor", "quality", "agent"))]
Rater = Annotated[Visitor, Depends(_having("hr", "supervisor", "quality"))]
OfHr = Annotated[Visitor, Depends(_having("hr"))]


def sees(visitor: Visitor, person: str, team: str | None) -> bool:
    """May they see this person's sheet? HR and quality everybody's, a supervisor their teams', all their own."""
    if visitor.roles & {"hr", "quality"} or (visitor.person is not None and person == visitor.person):
        return True
    leads = visitor.teams if "supervisor" in visitor.roles else frozenset()
    return _ALL_TEAMS in leads or (team is not None and team in leads)


def sees_outcome(visitor: Visitor, person: str, team: str | None) -> bool:
    """May they see what hangs on it, such as ranks and pay? Quality sees the work only."""
    if "hr" in visitor.roles or person == visitor.person:
        return True
    leads = visitor.teams if "supervisor" in visitor.roles else frozenset()
    return _ALL_TEAMS in leads or (team is not None and team in leads)


def signs(visitor: Visitor, card: Card, column: str, person: str, team: str | None) -> bool:
    """May they sign this column of the person's sheet? The person their own, nobody another's; the first of the other columns whoever leads
    the team, those behind it quality, too; HR all.
    """
    own = visitor.person is not None and person == visitor.person
    if column == SELF or own:
        return column == SELF and own
    if "hr" in visitor.roles or sees_outcome(visitor, person, team):
        return True
    of_others = [one.id for one in columns(card) if one.id != SELF]
    return "quality" in visitor.roles and column in of_others[1:]


def visible(run: RunRecord, visitor: Visitor) -> int | None:
    """The revision that they may see: HR the newest, others what is under review, then what was published; None: nothing."""
    return run.revision if "hr" in visitor.roles or run.state == "prepared" else run.published


def seen_by(connection: Connection, card: str, period: str, visitor: Visitor) -> tuple[RunRecord, Document]:
    """A run and its result in the revision that they may see. Raises HTTPException 404 where there is nothing for them."""
    try:
        run = find_run(connection, card, period)
    except AbsentError as error:
        raise HTTPException(404, "there is no such run") from error
    revision = visible(run, visitor)
    if revision is None:
        raise HTTPException(404, "there is no such run")
    return run, result_of(connection, run, revision)


def allowed(result: Document, person: str, visitor: Visitor) -> PersonResult:
    """What the result says of a person; whom somebody may not see does not exist for them. Raises HTTPException 404."""
    own = result.person(person)
    if own is None or not sees(visitor, person, own.team):
        raise HTTPException(404, NO_SHEET)
    return own


def looks(request: Request, visitor: Visitor, people: Iterable[str]) -> None:
    """Write down whose figures they look at; from a thread of a route."""
    guard: _Guard | None = getattr(request.app.state, "guard", None)
    if guard is not None:
        wanted: Collection[str] = list(people)
        from_thread.run(guard.looks, visitor, wanted)


@contextmanager
def reading_if_begun(operation: Operation) -> Iterator[Connection | None]:
    """The operation's database, to read; None as long as there is none."""
    with store(operation) as database:
        if not database.begun:
            yield None
            return
        with database.read() as connection:
            yield connection


@contextmanager
def reading(operation: Operation) -> Iterator[Connection]:
    """The operation's database, to read. Raises HTTPException 404 as long as there is none."""
    with reading_if_begun(operation) as connection:
        if connection is None:
            raise HTTPException(404, "there is no such run")
        yield connection


@contextmanager
def writing(operation: Operation) -> Iterator[Connection]:
    """The operation's database, to write: all of it or nothing."""
    with store(operation) as database, database.write() as connection:
        yield connection


def actor_of(visitor: Visitor, operation: Operation) -> Actor:
    """Who does it, and when: now."""
    return Actor(visitor.author, operation.now())


def called(operation: Operation, people: Iterable[str]) -> dict[str, dict[str, str]]:
    """Person → what they are called by language, of those who have a name: put in now, as what is frozen has ids only."""
    known = names(operation)
    return {id: {code: known.plain(id, code) or id for code in LANGUAGES} for id in set(people) if id in known}


def language_of(request: Request) -> Language:
    """The language that they read."""
    return preferred(request.headers.get("accept-language", ""))


def without_place(fault: str, language: Language) -> str:
    """What is wrong with a value and what to do, without the place that it begins with (``value: …``): a page marks the place."""
    place, told = fault.partition(": ")[0], said(fault, language)
    for colon in (": ", "："):
        if told.startswith(f"{place}{colon}"):
            return told.removeprefix(f"{place}{colon}")
    return told


def answer(data: Any, status: int = 200) -> Response:
    """An answer of plain data."""
    return Response(written(plain(data)), status, media_type="application/json")
