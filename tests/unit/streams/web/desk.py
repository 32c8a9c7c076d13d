"""A desk in memory: users of every role, incidents of two teams, and browsers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Connection

from streams.contracts.outputs import (
    Acknowledgement,
    AlertAction,
    Incident,
    IncidentMember,
    IncidentNote,
    IncidentStep,
    Silence,
)
from streams.settings import Settings
from streams.web import sessions, users
from streams.web.access import SCREEN
from streams.web.app import Joined, create_app, routers_of
from streams.web.provider import Provider
from streams.web.roles import Visitor
from streams.web.sign_on import SignOn
from streams.web.store import desk_database
from streams.web.users import By
from tests.support import month_end
from tests.support.board import Floor, a_floor
from tests.support.morning import morning_file
from tests.support.provider import CLIENT, ISSUER, SECRET, FakeProvider

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
#: The file of a single sign-on.
SIGN_ON: dict[str, Any] = {
    "issuer": ISSUER, "client": CLIENT, "label": {"zh": "公司账号"}, "person": "employee_id", "teams": "teams",
    "roles": {"claim": "groups", "are": {"leads": "supervisor", "floor": "agent", "it": "administrator"}},
}  # fmt: skip
#: Role → person and teams. All are of team T1, and what is another's is of T2.
ROLES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "viewer": (None, ()),
    "agent": ("A1", ()),
    "supervisor": ("S1", ("T1",)),
    "quality": ("Q1", ()),
    "hr": ("H1", ()),
    "administrator": ("D1", ()),
}


def member(entity: str, team: str | None, value: float = 130.0, status: str = "firing") -> IncidentMember:
    return IncidentMember(
        rule="long_wait", entity=entity, status=status, severity="critical", since=START, fired=START, changed=START,  # type: ignore[arg-type]
        threshold=120, fired_value=130.0, fired_n=3, value=value, n=4, team=team,
    )  # fmt: skip


def step(entity: str, number: int = 1, kind: str = "opened", by: str | None = None) -> IncidentStep:
    return IncidentStep(
        number=number, at=START, kind=kind, status="firing", severity="critical", by=by, entity=entity,  # type: ignore[arg-type]
        reason_zh=f"坐席 {entity.partition('|')[2]} 太久", reason_en=f"{by} notes: see the list" if by else "too long",
    )  # fmt: skip


def incident(id: str, entity: str, *members: IncidentMember, **more: object) -> Incident:
    values: dict[str, object] = {
        "rule": "long_wait", "name_zh": "等待过长", "name_en": "Long wait", "kpi": "longest_wait", "window": "now", "severity": "critical",
        "status": "firing", "opened": START, "changed": START, "firing": len(members), "members": list(members), "steps": [step(entity)],
    }  # fmt: skip
    return Incident(id=id, entity=entity, **{**values, **more})  # type: ignore[arg-type]


def of_team(team: str, agent: str) -> Incident:
    """A team's incident, with one of its agents in it, a note, and who takes care."""
    return incident(
        f"of-{team}", f"team|{team}", member(f"team|{team}", None), member(f"agent|{agent}", team),
        acknowledged=Acknowledgement(by="S1", at=START, note="more people"),
        notes=[IncidentNote(id="n1", by="S1", at=START, note="see the list")],
        silenced=[Silence(id="s1", by="S1", at=START, until=START + timedelta(hours=1), note="a drill")],
        steps=[step(f"team|{team}"), step(f"agent|{agent}", 2, "noted", "S1")],
    )  # fmt: skip


@dataclass
class Browser:
    """Sends what our page sends; ``cookies`` are what it holds."""

    app: FastAPI
    cookies: dict[str, str]
    headers: dict[str, str]
    address: str = "192.0.2.7"

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **sent: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self.address, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://desk", cookies=self.cookies) as http:
                answer = await http.request(method, path, headers={**self.headers, **(headers or {})}, **sent)
                self.cookies = {one.name: one.value or "" for one in http.cookies.jar}
                return answer

        return asyncio.run(asked())

    def get(self, path: str, **what: Any) -> httpx.Response:
        return self.request("GET", path, **what)

    def post(self, path: str, **what: Any) -> httpx.Response:
        return self.request("POST", path, **what)


@dataclass
class Desk:
    """The application and what it is joined to; its clock stands until it is moved."""

    settings: Settings
    month: month_end.Desk
    now: datetime = START
    done: list[AlertAction] = field(default_factory=list)
    provider: Provider | None = None
    floor: Floor = field(default_factory=a_floor)

    def __post_init__(self) -> None:
        self.month.settings = self.settings
        joined = Joined(
            self.done.append, self.ms, routers_of(self.month), follows=False, provider=self.provider, store=self.floor
        )
        self.app: FastAPI = create_app(self.settings, joined, self.ms)
        for one in (of_team("T1", "A1"), of_team("T2", "A2")):
            self.app.state.feed.take(one.id, one)
        self.app.state.feed.stands(None)

    def close(self) -> None:
        """Let go of the database."""
        self.app.state.database.close()

    def ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self.app.state.database.write() as connection:
            yield connection

    def browser(self, secret: str | None = None, screen: str | None = None) -> Browser:
        """A browser that holds these."""
        cookies = {
            name: value
            for name, value in ((self.app.state.session_cookie, secret), (SCREEN, screen))
            if value is not None
        }
        return Browser(self.app, cookies, {} if secret is None else {"X-Form-Token": sessions.form_token(secret)})

    def begin(self, user: str) -> str:
        """The secret of a new session of a user."""
        with self.writing() as connection:
            return sessions.begin(connection, user, self.ms(), "Firefox")

    def session(self, secret: str) -> str:
        """The id by which a session is told."""
        with self.writing() as connection:
            found = sessions.visitor(connection, secret, self.ms())
        assert found is not None
        return str(found.session)

    def visitor(self, user: str) -> Visitor:
        with self.writing() as connection:
            secret = sessions.begin(connection, user, self.ms(), "Firefox")
            found = sessions.visitor(connection, secret, self.ms())
        assert found is not None
        return found

    def screen(self, name: str, team: str | None) -> str:
        with self.writing() as connection:
            return sessions.add_screen(connection, name, team, "D1", self.ms())


@cache
def _made() -> bytes:
    """A database of SQLite with a user of every role, by the role's name: to check passwords takes long, so it is made once."""
    with TemporaryDirectory() as folder:
        with desk_database(None, Path(folder)) as kept, kept.write() as connection:
            add_everybody(connection)
        return (Path(folder) / "scores.db").read_bytes()


def add_everybody(connection: Connection) -> None:
    """A user of every role, by the role's name."""
    for role, (person, teams) in ROLES.items():
        users.add(connection, role, PASSWORD, [role], person, teams, By("setup", 0))


def opened(folder: Path, provider: Provider | None = None) -> Desk:
    """A desk on a database of its own with a user of every role."""
    (folder / "scores.db").write_bytes(_made())
    (folder / "history.db").write_bytes(morning_file())
    return Desk(Settings(data_dir=folder), month_end.Desk(folder), provider=provider)


def provider_of(there: FakeProvider) -> Provider:
    """A provider, by whose clock its tokens are judged."""
    return Provider(
        SignOn.model_validate(SIGN_ON),
        SECRET,
        "https://desk.example.org/login/back",
        lambda: there.now * 1000,
        there.transport,
    )
