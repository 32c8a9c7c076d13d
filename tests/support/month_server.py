"""The desk as a server of this process, on an operation in memory, with a log of every request: who sent it, and what it got."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.local.ports import free_port
from scoring.cards.load import load
from scoring.outcomes_file import default
from scoring.period import Month
from scoring.store.audit import Actor
from scoring.workflow import lifecycle
from scoring.workflow.gather import store
from scoring.workflow.preparing import Rules, prepare_run
from streams.doors import Translated
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web.access import session_cookie
from streams.web.app import Joined, create_app, routers_of
from streams.web.roles import Role
from streams.web.store import desk_database
from streams.web.users import By, add
from tests.support import month_end
from tests.support.month_end import card_file, day, entry

PASSWORD = "correct horse battery"
TEAM = tuple(f"a{number:02}" for number in range(1, 13))
OTHERS = ("b01", "b02")
#: User → role, person, teams: those who close the month, and one of another team.
USERS: dict[str, tuple[Role, str, tuple[str, ...]]] = {
    "a01": ("agent", "a01", ()),
    "sue": ("supervisor", "sue", ("t1",)),
    "ole": ("supervisor", "ole", ("t2",)),
    "rob": ("quality", "rob", ()),
    "lin": ("hr", "lin", ()),
    "boss": ("hr", "boss", ()),
}


@dataclass(frozen=True)
class Request:
    """One line of the log. ``session``: did a browser's session send it?"""

    method: str
    path: str
    session: bool
    status: int


@dataclass
class Server:
    """``log``: what was asked of it."""

    address: str
    desk: month_end.Desk
    log: list[Request] = field(default_factory=list)


class _Logged:
    def __init__(self, app: ASGIApp, log: list[Request]) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                mine = f"{session_cookie(https=False)}=" in cookies
                self._log.append(Request(scope["method"], scope["path"], mine, message["status"]))
            await send(message)

        await self._app(scope, receive, told)


def operation(folder: Path, database: str | None = None) -> month_end.Desk:
    """Twelve people of a team and two of another, with a February that is published and a March that nobody has opened."""
    people = [*TEAM, *OTHERS]
    facts = [
        day(person, f"2026-0{month}-0{2 + number % 7}", 20, 12 + (number * month) % 8)
        for month in (2, 3)
        for number, person in enumerate(people)
    ]
    entries = [entry(person, team="t1" if person in TEAM else "t2") for person in people]
    desk = month_end.Desk(folder, database, facts, entries)
    desk.at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    card, february = load(card_file(folder)), Month(2026, 2)
    prepare_run(desk, card, february, Rules(default()), "lin")
    with store(desk) as kept, kept.write() as connection:
        lifecycle.approve(connection, card.id, str(february), Actor("boss", desk.now()), unreviewed="before the desk")
        lifecycle.publish(connection, card.id, str(february), Actor("boss", desk.now()), desk.publish_scores)
    desk.at = datetime(2026, 4, 1, 8, tzinfo=UTC)
    return desk


@contextmanager
def served(folder: Path, database: str | None = None) -> Iterator[Server]:
    """The desk, served until the end."""
    settings = Settings(data_dir=folder / "var", database=database)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with desk_database(database, settings.data_dir) as kept:
        if database is not None:
            kept.upgrade()
        with kept.write() as connection:
            for name, (role, person, teams) in USERS.items():
                add(connection, name, PASSWORD, [role], person, teams, By("setup", machine_ms()))
    desk = operation(folder, database)
    desk.settings = settings
    app = create_app(settings, Joined(lambda _: None, machine_ms, routers_of(desk), follows=False))
    app.state.feed.stands(None)
    port, log = free_port(), list[Request]()
    config = uvicorn.Config(_Logged(Translated(app), log), port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    try:
        yield Server(f"http://127.0.0.1:{port}", desk, log)
    finally:
        server.should_exit = True
        thread.join(20)
