"""Who is in: sessions of users, and links for screens. A browser holds a secret; here is its digest."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from streams.web.roles import Visitor
from streams.web.store import digest, note
from streams.web.tables import screens, sessions, users

#: A session ends so long after its login, and when its browser has not been heard of for so long. Milliseconds.
LASTS, RESTS = 12 * 3_600_000, 30 * 60_000
#: Claims of a provider are read anew before they are so old; where they cannot be, the session rests. Milliseconds.
CLAIMS_LAST, RENEWED_AFTER = 15 * 60_000, 10 * 60_000
#: That somebody is there is written down so often. Milliseconds.
SEEN_EVERY = 60_000
#: Sessions that are over are kept so long, for their user to see. Milliseconds.
_KEPT = 30 * 86_400_000


@dataclass(frozen=True)
class Session:
    """One login. Moments in ms since 1970; ``browser``: what it called itself."""

    id: str
    user: str
    begun: int
    seen: int
    browser: str


@dataclass(frozen=True)
class Screen:
    """A link for a screen. ``team``: whose figures it shows; None: of all teams. ``board``: which board; None: that of viewers."""

    name: str
    team: str | None
    created: int
    ended: int | None
    board: str | None = None


@dataclass(frozen=True)
class ByProvider:
    """What the provider said of a session: its id there, and what gives newer claims."""

    sid: str | None
    renewal: str | None


def log_in(
    connection: Connection,
    user: str,
    now: int,
    browser: str,
    place: str,
    before: str,
    said: ByProvider | None = None,
) -> str:
    """Log a user in from an address, and write that down; the session ``before`` of their browser ends. Returns as ``begin``."""
    if before and (old := visitor(connection, before, now)) is not None:
        end(connection, str(old.session), now)
    note(connection, now, user, "login", place=place)
    return begin(connection, user, now, browser, said)


def begin(connection: Connection, user: str, now: int, browser: str, said: ByProvider | None = None) -> str:
    """Log a user in; returns what their browser is to hold. Sessions that are long over are forgotten."""
    connection.execute(delete(sessions).where(sessions.c.expires < now - _KEPT))
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest(secret), "id": secrets.token_hex(8), "user": user, "begun": now, "seen": now, "expires": now + LASTS,
        "ended": None, "browser": browser[:200], **({} if said is None else _of_provider(secret, said, now)),
    }  # fmt: skip
    connection.execute(insert(sessions).values(**values))
    return secret


def visitor(connection: Connection, secret: str, now: int) -> Visitor | None:
    """Whose session it is; None: nobody's, or it is over."""
    key = digest(secret)
    query = (
        select(users, sessions.c.id)
        .join(sessions, sessions.c.user == users.c.name)
        .where(sessions.c.digest == key, *_lasting(now), users.c.disabled.is_(False))
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    by_provider = row["issuer"] is not None
    return Visitor(
        row["name"], frozenset(row["roles"]), row["person"], frozenset(row["teams"]), key, row["id"], by_provider
    )


def to_renew(connection: Connection, secret: str, now: int) -> tuple[str, str | None] | None:
    """Whose claims are to be read anew, and by what; None: nobody's, or they are new enough."""
    query = select(sessions.c.user, sessions.c.renewal).where(
        sessions.c.digest == digest(secret), *_open(now), sessions.c.checked <= now - RENEWED_AFTER
    )
    row = connection.execute(query).first()
    return None if row is None else (row.user, None if row.renewal is None else _opened(secret, row.renewal))


def renewed(connection: Connection, secret: str, said: ByProvider, now: int) -> None:
    """The claims of a session are as of now."""
    values = _of_provider(secret, said, now)
    del values["sid"]
    connection.execute(update(sessions).where(sessions.c.digest == digest(secret)).values(**values))


def end_secret(connection: Connection, secret: str, now: int) -> None:
    """End the session whose secret it is."""
    connection.execute(
        update(sessions).where(sessions.c.digest == digest(secret), sessions.c.ended.is_(None)).values(ended=now)
    )


def end_at_provider(connection: Connection, user: str | None, sid: str | None, now: int) -> int:
    """End what the provider has ended: one session there, or all of a user; returns how many."""
    same: list[ColumnElement[bool]] = [sessions.c.ended.is_(None), sessions.c.checked.is_not(None)]
    same += [] if sid is None else [sessions.c.sid == sid]
    same += [] if user is None else [sessions.c.user == user]
    return int(connection.execute(update(sessions).where(*same).values(ended=now)).rowcount)


def screen(connection: Connection, secret: str) -> Visitor | None:
    """The screen whose link it is: a viewer; None: the link is none, or was revoked."""
    key = digest(secret)
    row = connection.execute(select(screens).where(screens.c.digest == key, screens.c.ended.is_(None))).first()
    if row is None:
        return None
    teams = frozenset({row.team} - {None})
    return Visitor(f"screen:{row.name}", frozenset({"viewer"}), None, teams, key, board=row.board)


def is_due(connection: Connection, digest: str, now: int) -> bool:
    """Is it time to write down again that this browser is there?"""
    last = connection.execute(select(sessions.c.seen).where(sessions.c.digest == digest)).scalar()
    return last is not None and last < now - SEEN_EVERY


def seen(connection: Connection, digests: Collection[str], now: int) -> None:
    """These browsers are there: their sessions go on."""
    if digests:
        connection.execute(
            update(sessions)
            .where(sessions.c.digest.in_(digests), sessions.c.ended.is_(None), sessions.c.seen < now - SEEN_EVERY)
            .values(seen=now)
        )


def alive(connection: Connection, now: int) -> frozenset[str]:
    """Digests of all sessions and links that are good."""
    query = (
        select(sessions.c.digest)
        .join(users, sessions.c.user == users.c.name)
        .where(*_lasting(now), users.c.disabled.is_(False))
    )
    links = select(screens.c.digest).where(screens.c.ended.is_(None))
    return frozenset(connection.execute(query).scalars()) | frozenset(connection.execute(links).scalars())


def all_sessions(connection: Connection, now: int, user: str | None = None) -> list[Session]:
    """Sessions that last, of a user or of everybody, the newest first."""
    query = select(sessions).where(*_lasting(now)).order_by(sessions.c.begun.desc(), sessions.c.id)
    if user is not None:
        query = query.where(sessions.c.user == user)
    return [Session(row.id, row.user, row.begun, row.seen, row.browser) for row in connection.execute(query)]


def end(connection: Connection, id: str, now: int, user: str | None = None) -> bool:
    """End a session, of a user or whoever's; False: there is no such one that lasts."""
    same = [sessions.c.id == id, sessions.c.ended.is_(None)]
    if user is not None:
        same.append(sessions.c.user == user)
    return bool(connection.execute(update(sessions).where(*same).values(ended=now)).rowcount)


def end_all(connection: Connection, user: str, now: int, but: str | None = None) -> None:
    """End all sessions of a user, but the one of this digest."""
    same = [sessions.c.user == user, sessions.c.ended.is_(None)]
    if but is not None:
        same.append(sessions.c.digest != but)
    connection.execute(update(sessions).where(*same).values(ended=now))


def add_screen(
    connection: Connection, name: str, team: str | None, author: str, now: int, board: str | None = None
) -> str:
    """Make a link for a screen; returns its secret. Raises ValueError where there is a good one of this name."""
    if not name.strip() or len(name) > 48 or not name.isprintable():
        raise ValueError(f"{name!r} is no name for a screen: give 1 to 48 characters, such as hall-2")
    if any(one.name == name and one.ended is None for one in all_screens(connection)):
        raise ValueError(f"the screen {name} has a link already; revoke it first, or give this one another name")
    secret = secrets.token_urlsafe(32)
    values = {"digest": digest(secret), "name": name, "team": team, "created": now, "ended": None, "board": board}
    connection.execute(insert(screens).values(**values))
    note(connection, now, author, "screen-added", name)
    return secret


def all_screens(connection: Connection) -> list[Screen]:
    """Every link ever made, by name; never the links themselves."""
    query = select(screens).order_by(screens.c.name, screens.c.created)
    return [Screen(row.name, row.team, row.created, row.ended, row.board) for row in connection.execute(query)]


def revoke_screen(connection: Connection, name: str, author: str, now: int) -> None:
    """End a screen's link. Raises ValueError where it has none."""
    done = connection.execute(
        update(screens).where(screens.c.name == name, screens.c.ended.is_(None)).values(ended=now)
    )
    if not done.rowcount:
        raise ValueError(f"the screen {name} has no link; `deskpulse screen list` shows all")
    note(connection, now, author, "screen-revoked", name)


def form_token(secret: str) -> str:
    """What a page sends with whatever it changes: another site cannot know it, and what the browser holds cannot be told from it."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"deskpulse form", sha256).hexdigest()


def _open(now: int) -> tuple[ColumnElement[bool], ...]:
    return sessions.c.ended.is_(None), sessions.c.expires > now, sessions.c.seen > now - RESTS


def _lasting(now: int) -> tuple[ColumnElement[bool], ...]:
    return *_open(now), or_(sessions.c.checked.is_(None), sessions.c.checked > now - CLAIMS_LAST)


def _of_provider(secret: str, said: ByProvider, now: int) -> dict[str, Any]:
    renewal = None if said.renewal is None else _box(secret).encrypt(said.renewal.encode()).decode()
    return {"sid": said.sid, "checked": now, "renewal": renewal}


def _opened(secret: str, renewal: str) -> str | None:
    try:
        return _box(secret).decrypt(renewal.encode()).decode()
    except InvalidToken:
        return None


def _box(secret: str) -> Fernet:
    """Whoever reads the database cannot go on with somebody's login at the provider: the key is what the browser holds."""
    return Fernet(urlsafe_b64encode(hmac.digest(secret.encode(), b"deskpulse renewal", "sha256")))
