"""Cases as somebody's work list: what is theirs to look into, the urgent and important first, and what they do about one or several.

The cases are those of ``streams.cases``, which the notifier opens and tells of. All see their own; a supervisor their teams', HR all.
Whose contacts they are about is written down of whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from streams.cases import case as life
from streams.cases import store
from streams.cases.book import CaseBook, NoCaseError
from streams.cases.case import LONGEST_TEXT, Case, CaseKind, CaseStatus
from streams.cases.export import calendar, workbook
from streams.cases.words import KINDS, STEPS, title
from streams.contracts.outputs import entity
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.versions import AnyPolicy
from streams.languages.text import LANGUAGES
from streams.notifier.cases import business_clock
from streams.notifier.journal import open_journal
from streams.people.names import Names
from streams.people.store import names
from streams.settings import Settings
from streams.web.access import having
from streams.web.guard import Guard
from streams.web.incident_routes import Known, may_name
from streams.web.roles import ALL_TEAMS, Visitor
from streams.windows.business import BusinessClock
from streams.windows.clock import instant

#: A case is urgent once so much business time is left at most, or none. Ms.
URGENT_MS = 4 * 3_600_000
#: Cases that are listed, and that are changed at once.
_MOST, _MOST_AT_ONCE = 500, 200
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NO_NUL = r"^[^\x00]*$"

Concerned: Any = Annotated[Visitor, having("agent", "supervisor", "quality", "hr")]
_Id = Annotated[str, Field(min_length=1, max_length=16, pattern=_NO_NUL)]
_Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=_NO_NUL)]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[_Id], Field(min_length=1, max_length=_MOST_AT_ONCE)]


class Assigned(_Sent):
    """Whose cases are from now on: an id, or a name that one person has; ``note``: why."""

    owner: Annotated[str, Field(min_length=1, max_length=256, pattern=_NO_NUL)]
    note: _Text = ""


class Noted(_Sent):
    """What is to be kept with cases."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=_NO_NUL)]


class Closed(_Sent):
    """What is told when cases are closed: root cause and improvement plan, or of call backs the result."""

    root_cause: _Text = ""
    plan: _Text = ""
    result: _Text = ""


class Weighed(_Sent):
    """Are they important?"""

    important: bool


@dataclass(frozen=True)
class _Desk:
    settings: Settings
    known: Known
    guard: Guard
    now_ms: Callable[[], int]

    @contextmanager
    def book(self) -> Iterator[CaseBook]:
        """The cases, for one request. Raises HTTPException 404 for one that somebody may not see."""
        with open_journal(self.settings.database, self.settings.data_dir) as journal:
            try:
                yield CaseBook(journal.database, self.now_ms)
            except NoCaseError as error:
                raise HTTPException(404, str(error)) from error

    def told(self, visitor: Visitor, cases: Sequence[Case]) -> dict[str, Any]:
        """Cases as a page has them, and the names in them."""
        now = self.now_ms()
        clock = _clock(self.settings.policy, now)
        called = self.known.called(may_name(self.settings.names, visitor))
        keys = dict.fromkeys(key for case in cases for key in _entities(case))
        found = {key: name for key in keys if (name := called(key)) is not None}
        return {
            "cases": [_row(case, visitor, now, clock) for case in cases],
            "names": {key: {one: name[one] for one in LANGUAGES} for key, name in found.items()},
            "me": visitor.author,
        }


def sees(case: Case, visitor: Visitor) -> bool:
    """May somebody see a case? Whose it is, and who was told that it is overdue; a supervisor their teams', HR all."""
    if "hr" in visitor.roles or (visitor.person is not None and visitor.person in (case.owner, *case.answered)):
        return True
    leads = visitor.teams if "supervisor" in visitor.roles else frozenset()
    return ALL_TEAMS in leads or (case.about.team is not None and case.about.team in leads)


def may_change(case: Case, visitor: Visitor) -> bool:
    """May somebody who sees a case do something about it? Its owner, supervisors, HR."""
    return bool(visitor.roles & {"supervisor", "hr"}) or visitor.person == case.owner


def case_routes(settings: Settings, known: Known, guard: Guard, now_ms: Callable[[], int]) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/work/cases")
    desk = _Desk(settings, known, guard, now_ms)
    _looks(routes, desk)
    _changes(routes, desk)
    return routes


def _looks(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("")
    async def cases(
        visitor: Concerned,
        status: CaseStatus | None = "open",
        kind: CaseKind | None = None,
        whose: Literal["mine", "all"] = "all",
    ) -> Response:
        """The cases that they may see: the urgent and important first, then the important, then the urgent; of each those that are due
        first. ``left``: business time until it is due, ms, negative once it is overdue. ``begun``: has one ever been opened?
        """

        def found() -> tuple[bool, list[Case]]:
            with desk.book() as book:
                own = visitor.person if whose == "mine" else None
                if whose == "mine" and own is None:
                    return book.begun, []
                return book.begun, book.seen(lambda case: sees(case, visitor), status=status, kind=kind, owner=own)

        begun, every = await run_in_threadpool(found)
        told = await run_in_threadpool(desk.told, visitor, every)
        told["cases"].sort(key=lambda row: (row["status"] != "open", -2 * row["important"] - row["urgent"], row["due"]))
        told["cases"] = told["cases"][:_MOST]
        await desk.guard.looks(visitor, _about(every[:_MOST]))
        return _answer({**told, "begun": begun, "all": len(every)})

    @routes.get("/export.{ending}")
    def export(ending: Literal["xlsx", "ics"], visitor: Concerned, language: Literal["zh", "en"] = "zh") -> Response:
        """What is open of them, as a workbook or as a calendar with reminders."""
        with desk.book() as book:
            every = book.seen(lambda case: sees(case, visitor), status="open")
        called = (
            names(desk.settings.database, desk.settings.data_dir) if may_name(desk.settings.names, visitor) else Names()
        )
        made = (workbook if ending == "xlsx" else calendar)(
            every, desk.settings.policy.zone, language, called, desk.now_ms()
        )
        return Response(
            made, media_type=_XLSX if ending == "xlsx" else "text/calendar",
            headers={"Content-Disposition": f'attachment; filename="cases.{ending}"'},
        )  # fmt: skip

    @routes.get("/{id}")
    async def one(id: Annotated[str, Path(max_length=16)], visitor: Concerned) -> Response:
        """A case with every step; 404 for one of others."""

        def found() -> Case:
            with desk.book() as book:
                return book.one(lambda case: sees(case, visitor), id)

        case = await run_in_threadpool(found)
        await desk.guard.looks(visitor, _about([case]))
        return _answer(await run_in_threadpool(desk.told, visitor, [case]))


def _changes(routes: APIRouter, desk: _Desk) -> None:
    def change(visitor: Visitor, ids: Sequence[str], done: Callable[[Case, int], Case]) -> Response:
        """To all of them, or to none: 404 where one is not for them to see, 403 to change, 409 where it cannot be done."""

        def checked(case: Case, now: int) -> Case:
            if not may_change(case, visitor):
                raise HTTPException(
                    403, f"the case {case.id} is somebody else's; its owner, a supervisor or HR changes it"
                )
            return done(case, now)

        with desk.book() as book:
            try:
                after = book.change(lambda case: sees(case, visitor), ids, checked)
            except ValueError as error:
                raise HTTPException(409, str(error)) from error
        return _answer(desk.told(visitor, after))

    @routes.post("/assign")
    def assign(given: Assigned, visitor: Concerned) -> Response:
        """Make cases somebody's; when they are due stays. The new owner is told by the notifier."""
        known = names(desk.settings.database, desk.settings.data_dir)
        owner = known.author(given.owner)
        if known and owner not in known:
            raise HTTPException(
                422, f"nobody is called {given.owner}; give the id or the name of somebody who is there"
            )
        return change(visitor, given.ids, lambda case, now: life.assigned(case, owner, visitor.author, now, given.note))

    @routes.post("/note")
    def note(given: Noted, visitor: Concerned) -> Response:
        """Put a note to cases."""
        return change(visitor, given.ids, lambda case, now: life.noted(case, given.text, visitor.author, now))

    @routes.post("/close")
    def close(given: Closed, visitor: Concerned) -> Response:
        """Close cases with what is mandatory: root cause and improvement plan, of call backs the result."""
        told = given.model_dump(exclude={"ids"})
        return change(visitor, given.ids, lambda case, now: life.closed(case, visitor.author, now, **told))

    @routes.post("/weigh")
    def weigh(given: Weighed, visitor: Concerned) -> Response:
        """Say that cases are important, or that they are not."""
        return change(visitor, given.ids, lambda case, now: life.weighed(case, given.important, visitor.author, now))


def _row(case: Case, visitor: Visitor, now: int, clock: BusinessClock | None) -> dict[str, Any]:
    left = _left(case.due, now, clock)
    is_open = case.status == "open"
    return {
        **store.as_row(case, now),
        "title": title(case).fields(), "what": KINDS[case.about.kind].fields(), "left": left if is_open else None,
        "urgent": is_open and left <= URGENT_MS, "important": case.matters, "may_change": may_change(case, visitor),
        "steps": [{**msgspec.to_builtins(step), **STEPS[step.kind].fields("what")} for step in case.steps],
    }  # fmt: skip


def left_until(due: int, now: int, policy: AnyPolicy) -> int:
    """Business time from now until a moment, ms; negative: since when it is past. Every hour counts where the policy has no business hours
    or no calendar knows the days.
    """
    return _left(due, now, _clock(policy, now))


def _clock(policy: AnyPolicy, now: int) -> BusinessClock | None:
    """Business time as of now; made once for all cases of an answer."""
    return business_clock(policy, instant(now).astimezone(policy.zone).date())


def _left(due: int, now: int, clock: BusinessClock | None) -> int:
    if clock is not None:
        try:
            return clock.elapsed(now, due) if due >= now else -clock.elapsed(due, now)
        except NotCoveredError:
            pass
    return due - now


def _entities(case: Case) -> Iterator[str]:
    about = case.about
    people = (case.owner, about.agent, *case.answered, *(who for step in case.steps for who in (step.by, step.to)))
    yield from (entity("agent", who) for who in people if who is not None)
    if about.team is not None:
        yield entity("team", about.team)
    if about.queue is not None:
        yield entity("queue", about.queue)


def _about(cases: Iterable[Case]) -> set[str]:
    return {case.about.agent for case in cases if case.about.agent is not None}


def _answer(told: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(told), media_type="application/json")
