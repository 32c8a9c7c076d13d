"""Who logs in at the demo's desk: everybody's name, and a user of each role."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.demo_month import people_csv
from streams.contracts.outputs import RosterEntry
from streams.people import store as people
from streams.people.sheet import read_people
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web import users
from streams.web.roles import Role
from streams.web.store import desk_database
from streams.web.users import By
from streams.windows.clock import instant


@dataclass(frozen=True)
class DemoUser:
    """A user of the demo. ``person``, ``teams``: as the roster has them."""

    name: str
    role: Role
    person: str | None = None
    teams: tuple[str, ...] = ()


def password() -> str:
    """A password for all of them, another one with each demo."""
    return secrets.token_urlsafe(12)


def everybody(entries: Sequence[RosterEntry]) -> Iterator[DemoUser]:
    """One of each role; the supervisor leads the first team, the agent is in it."""
    lead = next(one for one in entries if one.role == "team_leader")
    agent = next(one for one in entries if one.team_id == lead.team_id and one.role == "agent")
    yield DemoUser("supervisor", "supervisor", lead.agent_id, (lead.team_id or "",))
    yield DemoUser("agent", "agent", agent.agent_id)
    yield DemoUser("quality", "quality")
    yield DemoUser("hr", "hr")
    yield DemoUser("administrator", "administrator")


def make(settings: Settings, entries: Sequence[RosterEntry], secret: str, file: Path) -> None:
    """Take in the names, by way of a file of people, and make the users."""
    now = machine_ms()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(people_csv(entries), encoding="utf-8")
    with people.people_database(settings.database, settings.data_dir) as database, database.write() as connection:
        people.take(connection, read_people(file), "demo", instant(now))
    with desk_database(settings.database, settings.data_dir) as database, database.write() as connection:
        for one in everybody(entries):
            users.add(connection, one.name, secret, [one.role], one.person, one.teams, By("demo", now))
