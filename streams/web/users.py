"""Local users: made, changed, and let in by their password."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, RowMapping, insert, select, update
from zxcvbn import zxcvbn

from streams.web import sessions
from streams.web.roles import Role, checked_roles
from streams.web.sign_on import Somebody
from streams.web.store import counted, note
from streams.web.tables import users

#: Characters of a password.
LEAST, MOST = 12, 128
_NAME = 64
#: A password is hard to guess from this score on, by a hundred million tries and more (zxcvbn, 0 to 4); characters that are looked at.
_SCORE, _LOOKED_AT = 3, 48
#: Logins that may fail within so many ms: of one name from one address, of one name, from one address.
_WITHIN = 15 * 60_000
_MOST_OF_BOTH, _MOST_OF_NAME, _MOST_OF_PLACE = 10, 25, 50

#: OWASP's second profile: 19 MiB, two rounds; a login takes some 30 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class LoginError(ValueError):
    """Nobody is let in; the message says why, and not what of it was wrong."""


class TooManyLoginsError(LoginError):
    """Too many logins have failed."""


@dataclass(frozen=True)
class User:
    """Who may log in. ``person``: their id on the roster; ``teams``: those they lead or look at; ``issuer``: the provider that lets them
    in, and says all of that; None: they have a password here.
    """

    name: str
    roles: tuple[Role, ...]
    person: str | None
    teams: tuple[str, ...]
    disabled: bool
    created: int
    issuer: str | None = None


@dataclass(frozen=True)
class By:
    """Who does something, and when (ms since 1970)."""

    name: str
    at: int


def add(
    connection: Connection,
    name: str,
    password: str,
    roles: Iterable[str],
    person: str | None,
    teams: Sequence[str],
    by: By,
) -> None:
    """Make a user. Raises ValueError where there is one of this name, and for what no user can have."""
    _fit(name)
    if find(connection, name) is not None:
        raise ValueError(f"there is a user {name!r} already; `deskpulse user list` shows all")
    values = {
        "name": name, "password": _hashed(password, name), "roles": checked_roles(roles, person, teams), "person": person,
        "teams": sorted(set(teams)), "disabled": False, "created": by.at,
    }  # fmt: skip
    connection.execute(insert(users).values(**values))
    note(connection, by.at, by.name, "user-added", name)


def let_in(connection: Connection, who: Somebody, now: int) -> str:
    """Whom the provider lets in is a user here, of these roles, person and teams from now on; returns their name.

    Raises LoginError where their name is another's, or they were disabled here.
    """
    same = (users.c.issuer == who.issuer, users.c.subject == who.subject)
    values: dict[str, object] = {"roles": list(who.roles), "person": who.person, "teams": list(who.teams)}
    known = connection.execute(select(users).where(*same)).mappings().first()
    if known is None:
        _fit(who.name)
        if find(connection, who.name) is not None:
            raise LoginError(f"the name {who.name!r} is another user's here")
        more = {
            "name": who.name,
            "password": None,
            "disabled": False,
            "created": now,
            "issuer": who.issuer,
            "subject": who.subject,
        }
        connection.execute(insert(users).values(**values, **more))
        note(connection, now, who.name, "user-added", who.name)
        return who.name
    name = str(known["name"])
    if known["disabled"]:
        raise LoginError(f"{name} is disabled here")
    if any(known[column] != value for column, value in values.items()):
        # What they have open shows what they were allowed to see before.
        _change(connection, name, values, By(name, now), "user-roles")
    return name


def of_subject(connection: Connection, issuer: str, subject: str) -> str | None:
    """The name here of somebody whom a provider knows."""
    name: str | None = connection.execute(
        select(users.c.name).where(users.c.issuer == issuer, users.c.subject == subject)
    ).scalar()
    return name


def subject_of(connection: Connection, name: str) -> tuple[str, str] | None:
    """Issuer, and its id of a user; None where they have a password here."""
    row = connection.execute(select(users.c.issuer, users.c.subject).where(users.c.name == name)).first()
    return None if row is None or row.subject is None else (row.issuer, row.subject)


def change_roles(
    connection: Connection, name: str, roles: Iterable[str], person: str | None, teams: Sequence[str], by: By
) -> None:
    """Give a user these roles, this person and these teams, in place of theirs; they log in anew. Raises ValueError as ``add``."""
    _own(connection, name)
    values: dict[str, object] = {
        "roles": checked_roles(roles, person, teams),
        "person": person,
        "teams": sorted(set(teams)),
    }
    _change(connection, name, values, by, "user-roles")


def disable(connection: Connection, name: str, by: By, disabled: bool = True) -> None:
    """Let a user in no more, and put them out; or let them in again. Raises ValueError where there is none."""
    _existing(connection, name)
    _change(connection, name, {"disabled": disabled}, by, "user-disabled" if disabled else "user-enabled")


def change_password(connection: Connection, name: str, password: str, by: By, but: str | None = None) -> None:
    """Give a user another password, and end their sessions (``but`` one, by its digest). Raises ValueError for one that is too weak."""
    _own(connection, name)
    _change(connection, name, {"password": _hashed(password, name)}, by, "user-password", but)


def log_out(connection: Connection, name: str, by: By) -> None:
    """End all sessions of a user. Raises ValueError where there is none."""
    _existing(connection, name)
    sessions.end_all(connection, name, by.at)
    note(connection, by.at, by.name, "logged-out", name)


def all_users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]


def find(connection: Connection, name: str) -> User | None:
    """The user of this name."""
    row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
    return None if row is None else _user(row)


def refuse_hurry(connection: Connection, name: str, place: str, now: int) -> None:
    """Raises TooManyLoginsError where too many logins have failed of late, of this name or from this address."""
    since = now - _WITHIN
    if (
        counted(connection, "login-failed", since, author=name, place=place) >= _MOST_OF_BOTH
        or counted(connection, "login-failed", since, author=name) >= _MOST_OF_NAME
        or counted(connection, "login-failed", since, place=place) >= _MOST_OF_PLACE
    ):
        raise TooManyLoginsError("too many logins have failed; try again in 15 minutes")


def kept_password(connection: Connection, name: str) -> str | None:
    """What is kept of a user's password; None: nobody of this name may log in."""
    query = select(users.c.password).where(users.c.name == name, users.c.disabled.is_(False))
    found: str | None = connection.execute(query).scalar()
    return found


def is_password(kept: str | None, given: str) -> bool:
    """Is it this password? It takes as long where there is no user, so that nobody learns who is one."""
    if len(given) > MOST:
        return False
    try:
        _hasher.verify(kept or _nobodys(), given)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _change(
    connection: Connection, name: str, values: dict[str, object], by: By, action: str, but: str | None = None
) -> None:
    connection.execute(update(users).where(users.c.name == name).values(**values))
    sessions.end_all(connection, name, by.at, but)
    note(connection, by.at, by.name, action, name)


def _existing(connection: Connection, name: str) -> User:
    found = find(connection, name)
    if found is None:
        raise ValueError(f"there is no user {name!r}; `deskpulse user list` shows all")
    return found


def _own(connection: Connection, name: str) -> None:
    """Raises ValueError where the user is none, or is what a provider says."""
    if _existing(connection, name).issuer is not None:
        raise ValueError(f"{name} comes by the single sign-on: password, roles, person and teams are changed there")


def _fit(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > _NAME or not name.isprintable():
        raise ValueError(f"{name!r} is no name to log in by: at most {_NAME} characters, no blank before or behind")


def _hashed(password: str, name: str) -> str:
    if not LEAST <= len(password) <= MOST:
        raise ValueError(f"a password has {LEAST} to {MOST} characters")
    # What it looks at grows faster than the password; its beginning is as good as the whole where that is hard to guess.
    if zxcvbn(password[:_LOOKED_AT], [name, "deskpulse"])["score"] < _SCORE:
        raise ValueError(
            "this password is easily guessed: take several words that nobody would say together, and leave the name out"
        )
    return _hasher.hash(password)


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")


def _user(row: RowMapping) -> User:
    return User(
        row["name"],
        tuple(row["roles"]),
        row["person"],
        tuple(row["teams"]),
        bool(row["disabled"]),
        int(row["created"]),
        row["issuer"],
    )
