"""The month's end at the desk, asked in process: whoever is in, without a login; jobs are done where they are asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import httpx
from fastapi import FastAPI, Request

from scoring.month_pages import router
from scoring.web import jobs
from scoring.web.process import refusal_of
from scoring.web.work import do
from scoring.workflow.gather import Operation
from streams.doors import BoundedBody, Translated, answer_errors
from streams.web.roles import Role, Visitor
from tests.support.month_end import Desk


def visitor(role: Role, person: str | None = None, *teams: str) -> Visitor:
    """Somebody of this role."""
    return Visitor(person or role, frozenset({role}), person, frozenset(teams), "digest", "session")


def run_here(operation: Operation, job: jobs.Job, told: Callable[[Mapping[str, Any]], None]) -> None:
    """Do a job in this process."""
    order = (job.kind, job.card, job.period, job.author, dict(job.arguments), job.folder)
    try:
        told({"result": do(operation, *order, lambda stage: told({"stage": stage}))})
    except Exception as error:
        told(refusal_of(error))


class _Guard:
    def __init__(self) -> None:
        self.looked: list[tuple[str, str]] = []

    async def looks(self, who: Visitor, persons: Collection[str]) -> None:
        self.looked += [(who.author, one) for one in persons if one != who.person]


@dataclass
class Month:
    """The routes on an operation. ``looked``: who has looked at whom."""

    desk: Desk
    guard: _Guard = field(default_factory=_Guard)

    def __post_init__(self) -> None:
        self.app = FastAPI()
        self.app.state.guard = self.guard
        self.app.include_router(router(self.desk))
        self.who: Visitor = visitor("hr", "lin")
        answer_errors(self.app, {ValueError: 422})

        @self.app.middleware("http")
        async def let_in(request: Request, call: Any) -> Any:
            request.state.visitor = self.who
            return await call(request)

    @property
    def looked(self) -> set[tuple[str, str]]:
        return set(self.guard.looked)

    def ask(self, who: Visitor, method: str, path: str, **what: Any) -> httpx.Response:
        """What somebody is answered."""
        self.who = who
        app = Translated(BoundedBody(self.app, lambda _: 20_000_000))

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
                return await http.request(method, f"/api/month{path}", **what)

        return asyncio.run(asked())

    def does(self, who: Visitor, method: str, path: str, **what: Any) -> Any:
        """What somebody is answered to what has to work."""
        answer = self.ask(who, method, path, **what)
        assert answer.is_success, answer.text
        return answer.json()

    def job(self, who: Visitor, path: str, body: Any = None) -> Any:
        """A job from its beginning to its end."""
        begun = self.does(who, "POST", path, json=body or {})
        for _ in range(3000):
            found = self.does(who, "GET", f"/jobs/{begun['id']}")
            if found["state"] in ("done", "refused"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{path} does not end")


@contextmanager
def jobs_here() -> Iterator[None]:
    """Jobs are done in this process."""
    with patch.object(jobs, "run_apart", run_here):
        yield
