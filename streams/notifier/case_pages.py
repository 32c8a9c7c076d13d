"""Cases over HTTP, for whoever has a token: list, show, assign, note, close, files, and how punctual owners are.

Agents see what is their own, supervisors what is their team's or their own, HR everything; the same see names.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from streams.cases import case as life
from streams.cases import store
from streams.cases.book import CaseBook, NoCaseError
from streams.cases.case import LONGEST_TEXT, Case, CaseKind, CaseStatus
from streams.cases.export import calendar, workbook
from streams.database import StoreError
from streams.notifier.journal import Journal
from streams.people.names import Names, Viewer
from streams.settings import Settings
from streams.windows.clock import instant

_Token = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="A token of `deskpulse score token add`")),
]
_Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Assignment(_Given):
    """Whose a case is from now on: an agent id, or a name that one person has."""

    owner: Annotated[str, Field(min_length=1, max_length=256)]
    note: _Text = ""


class CaseNote(_Given):
    """What is to be kept with a case."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Closing(_Given):
    """What is told when a case is closed: root cause and improvement plan, or of a call back its result."""

    root_cause: _Text = ""
    plan: _Text = ""
    result: _Text = ""


class CaseDesk:
    """Cases in the database, for whom they concern. ``names``: who is who."""

    def __init__(
        self, settings: Settings, journal: Journal, names: Callable[[], Names], clock: Callable[[], int]
    ) -> None:
        self.settings, self.names, self.clock = settings, names, clock
        self._book = CaseBook(journal.database, clock)

    def viewer(self, token: HTTPAuthorizationCredentials | None) -> Viewer:
        """Who asks. Raises HTTPException: 401 without a token that lets somebody in, 503 where the database does not answer."""
        if token is not None:
            try:
                for point in entry_points(group="deskpulse.logins"):
                    found: Viewer | None = point.load()(
                        self.settings.database, self.settings.data_dir, token.credentials, instant(self.clock())
                    )
                    if found is not None:
                        return found
            except StoreError as error:
                raise HTTPException(503, str(error)) from error
        raise HTTPException(
            401, "cases need a token; `deskpulse score token add` makes one", {"WWW-Authenticate": "Bearer"}
        )

    def seen(self, viewer: Viewer, **wanted: Any) -> list[Case]:
        """The cases that they may see. Raises HTTPException."""
        try:
            return self._book.seen(partial(_concerns, viewer=viewer), **wanted)
        except StoreError as error:
            raise HTTPException(503, str(error)) from error

    def one(self, viewer: Viewer, id: str) -> Case:
        """A case. Raises HTTPException: 404 where there is none for them."""
        try:
            return self._book.one(partial(_concerns, viewer=viewer), id)
        except NoCaseError as error:
            raise HTTPException(404, str(error)) from error
        except StoreError as error:
            raise HTTPException(503, str(error)) from error

    def change(self, viewer: Viewer, id: str, change: Callable[[Case, str, int], Case]) -> dict[str, Any]:
        """Do something to a case, as whoever's token it is. Raises HTTPException: 403 for agents whose case it is not, 409 where it
        cannot be done.
        """
        before = self.one(viewer, id)
        if viewer.role == "agent" and viewer.person != before.owner:
            raise HTTPException(403, f"the case {id} is somebody else's; its owner, a supervisor or HR changes it")
        by = viewer.person or viewer.role
        try:
            (after,) = self._book.change(
                partial(_concerns, viewer=viewer), [id], lambda case, now: change(case, by, now)
            )
        except NoCaseError as error:
            raise HTTPException(404, str(error)) from error
        except ValueError as error:
            raise HTTPException(409, str(error)) from error
        except StoreError as error:
            raise HTTPException(503, str(error)) from error
        return self.row(after)

    def row(self, case: Case) -> dict[str, Any]:
        """A case as JSON has it."""
        return dict(store.as_row(case, self.clock()))


def _concerns(case: Case, viewer: Viewer) -> bool:
    if viewer.person is not None and viewer.person in (case.owner, *case.answered):
        return True
    about = case.about
    if viewer.role == "hr":
        return True
    if viewer.role == "supervisor":
        return viewer.team is not None and about.team == viewer.team
    return False


def router(desk: CaseDesk) -> APIRouter:  # noqa: C901 - a route each
    """``/api/cases`` and below."""
    api = APIRouter(prefix="/api/cases")

    def viewer(token: _Token) -> Viewer:
        return desk.viewer(token)

    who = Annotated[Viewer, Depends(viewer)]

    def chosen(
        who: who,
        status: CaseStatus | None = None,
        owner: Annotated[str | None, Query(max_length=256)] = None,
        kind: CaseKind | None = None,
    ) -> list[Case]:
        return desk.seen(who, status=status, owner=owner, kind=kind)

    cases = Annotated[list[Case], Depends(chosen)]

    @api.get("", summary="Cases, those that are due first in front")
    def listed(cases: cases) -> dict[str, Any]:
        return {"cases": [desk.row(case) for case in cases]}

    @api.get("/on-time", summary="How many cases of each owner were closed in time")
    def on_time(cases: cases) -> dict[str, Any]:
        return {"owners": _owners(cases, desk.clock())}

    @api.get("/export.xlsx", summary="The cases as a workbook")
    def as_workbook(cases: cases, language: Literal["zh", "en"] = "zh") -> Response:
        body = workbook(cases, desk.settings.policy.zone, language, Names(), desk.clock())
        return Response(body, media_type=_XLSX, headers={"Content-Disposition": 'attachment; filename="cases.xlsx"'})

    @api.get("/export.ics", summary="When the cases are due, as a calendar")
    def as_calendar(cases: cases, language: Literal["zh", "en"] = "zh") -> Response:
        body = calendar(cases, desk.settings.policy.zone, language, Names(), desk.clock())
        return Response(
            body, media_type="text/calendar", headers={"Content-Disposition": 'attachment; filename="cases.ics"'}
        )

    @api.get("/{id}", summary="One case with every step")
    def shown(id: str, who: who) -> dict[str, Any]:
        return desk.row(desk.one(who, id))

    @api.post("/{id}/assign", summary="Make it somebody's")
    def assign(id: str, given: Assignment, who: who) -> dict[str, Any]:
        return desk.change(
            who, id, lambda case, by, now: life.assigned(case, desk.names().author(given.owner), by, now, given.note)
        )

    @api.post("/{id}/notes", summary="Put a note to it")
    def note(id: str, given: CaseNote, who: who) -> dict[str, Any]:
        return desk.change(who, id, lambda case, by, now: life.noted(case, given.text, by, now))

    @api.post("/{id}/close", summary="Close it with what is mandatory")
    def close(id: str, given: Closing, who: who) -> dict[str, Any]:
        return desk.change(who, id, lambda case, by, now: life.closed(case, by, now, **given.model_dump()))

    return api


def _owners(cases: Sequence[Case], now: int) -> list[dict[str, Any]]:
    return [
        {"owner": row.owner, "in_time": row.in_time, "late": row.late, "open": row.open, "share": row.share}
        for row in store.punctuality(cases, now)
    ]
