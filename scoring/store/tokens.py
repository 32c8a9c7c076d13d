"""Login tokens of the HTTP API: shown once, kept as a digest only, and ending by themselves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from sqlalchemy import Connection, insert, select, update

from scoring.runs.canonical_json import digest
from scoring.store.audit import Actor, record
from scoring.store.tables import tokens

Role: TypeAlias = Literal["agent", "supervisor", "hr"]
ROLES: tuple[Role, ...] = get_args(Role)
#: Days that a token is good for unless said otherwise, and at most.
DAYS, MOST_DAYS = 90, 366


class TokenError(ValueError):
    """A token that lets nobody in; the message says why."""


@dataclass(frozen=True)
class Login:
    """Who a token lets in. ``person``: their id on the roster; ``team``: the one that a supervisor leads."""

    name: str
    role: Role
    person: str | None
    team: str | None
    expires: datetime
    revoked: datetime | None = None

    @property
    def author(self) -> str:
        """The name that stands in the audit trail and on the sheet."""
        return self.person or self.name

    def may_see(self, person: str, team: str | None) -> bool:
        """May they see this person's sheet?"""
        if self.role == "hr" or (self.person is not None and person == self.person):
            return True
        return self.role == "supervisor" and self.team is not None and team == self.team


def add(
    connection: Connection,
    name: str,
    role: str,
    by: Actor,
    person: str | None = None,
    team: str | None = None,
    days: int = DAYS,
) -> str:
    """Make a token and return it; it cannot be had again. Raises ValueError for a role without whom it is for."""
    _refuse_role(role, person, team)
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"{days} days; give 1 to {MOST_DAYS}")
    if any(one.name == name and one.revoked is None and one.expires > by.at for one in all_tokens(connection)):
        raise ValueError(f"{name} has a token already; revoke it first, or give this one another name")
    token = secrets.token_urlsafe(32)
    row = {
        "digest": digest(token.encode()),
        "name": name,
        "role": role,
        "person": person,
        "team": team,
        "created": by.at,
    }
    connection.execute(insert(tokens).values(**row, expires=by.at + timedelta(days=days)))
    record(connection, by, "token", person=person, name=name, role=role, team=team, days=days)
    return token


def _refuse_role(role: str, person: str | None, team: str | None) -> None:
    """Raises ValueError for an unknown role, and for one without whom it is for."""
    if role not in ROLES:
        raise ValueError(f"no role {role!r}; give one of {', '.join(ROLES)}")
    if role == "agent" and not person:
        raise ValueError("an agent's token is for one person: give --person ID")
    if role == "supervisor" and not team:
        raise ValueError("a supervisor's token is for one team: give --team ID")


def login(connection: Connection, token: str, now: datetime) -> Login:
    """Who the token lets in now. Raises TokenError for an unknown one, and for one that has ended."""
    row = connection.execute(select(tokens).where(tokens.c.digest == digest(token.encode()))).first()
    if row is None:
        raise TokenError("this token is not known; `deskpulse score token add` makes one")
    if row.revoked is not None or row.expires <= now:
        raise TokenError("this token has ended; ask for a new one")
    return Login(row.name, row.role, row.person, row.team, row.expires)


def all_tokens(connection: Connection) -> Iterator[Login]:
    """Every token ever made, by name; never the token itself."""
    for row in connection.execute(select(tokens).order_by(tokens.c.name, tokens.c.created)).all():
        yield Login(row.name, row.role, row.person, row.team, row.expires, row.revoked)


def revoke(connection: Connection, name: str, by: Actor) -> None:
    """End the token of this name. Raises ValueError where there is none that is good."""
    done = connection.execute(
        update(tokens).where(tokens.c.name == name, tokens.c.revoked.is_(None)).values(revoked=by.at)
    )
    if not done.rowcount:
        raise ValueError(f"{name} has no token; `deskpulse score token list` shows them")
    record(connection, by, "revoke", name=name)
