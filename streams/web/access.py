"""Who is let through: nothing without a session but what ``OPEN`` lists, and no change but from our own pages."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers as Given
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.database import Database, StoreError
from streams.doors import refusal
from streams.web import sessions
from streams.web.roles import Role, Visitor
from streams.web.sessions import form_token

#: What browsers hold: the secret of a session, and that of a screen's link.
_SESSION, SCREEN = "deskpulse_session", "deskpulse_screen"
#: Changes carry this header, with what ``/api/me`` says.
FORM_HEADER = "x-form-token"
#: Paths that need no session, exactly or with all below.
OPEN = frozenset({"/", "/healthz", "/api/login", "/login", "/login/back", "/login/ended"})
OPEN_BELOW = ("/assets/", "/tv/")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def session_cookie(https: bool) -> str:
    """The name of a session's cookie. With HTTPS browsers take one of this name from this very host only, so that no neighbour in the
    domain can have people work in a session of theirs.
    """
    return f"__Host-{_SESSION}" if https else _SESSION


def secret_of(request: Request) -> str:
    """The secret of the session that a browser holds, whether it is good or not; empty: it holds none."""
    return request.cookies.get(request.app.state.session_cookie, "")


def who_is(
    database: Database, held: str, link: str, now: int, renew: Callable[[str], None] | None = None
) -> Visitor | None:
    """Whom the secret of a session (``held``) lets in, which goes on by it, else that of a screen's link. ``renew``: sees to it that what
    the provider said of a session is new enough. Raises StoreError.
    """
    if not (held or link) or not database.begun:
        return None
    with database.read() as connection:
        old = renew is not None and held and sessions.to_renew(connection, held, now) is not None
        found = sessions.visitor(connection, held, now) if held else None
        if found is None and not old and link:
            return sessions.screen(connection, link)
        due = found is not None and sessions.is_due(connection, found.digest, now)
    if renew is not None and old:
        renew(held)
        return who_is(database, held, link, now)
    if found is not None and due:
        with database.write() as connection:
            sessions.seen(connection, [found.digest], now)
    return found


class Guarded:
    """ASGI middleware: asks who it is before anything of a request is read. Who is in stands in ``request.state.visitor``.

    401 without a session; 403 to a change that another site's page sends, or that comes without the page's token; screens change nothing.
    """

    def __init__(
        self, app: ASGIApp, database: Database, now_ms: Callable[[], int], session: str, renew: Callable[[str], None] | None = None
    ) -> None:  # fmt: skip
        self._app, self._database, self._now_ms, self._session, self._renew = app, database, now_ms, session, renew

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            visitor = await self._let_through(scope, Given(scope=scope))
        except HTTPException as refused:
            await refusal(refused.status_code, refused.detail)(scope, receive, send)
            return
        if visitor is not None:
            scope.setdefault("state", {})["visitor"] = visitor
        await self._app(scope, receive, send)

    async def _let_through(self, scope: Scope, given: Given) -> Visitor | None:
        """Who sends the request; None: nobody needs to know. Raises HTTPException where it goes no further."""
        is_change = scope["method"] not in _SAFE
        if is_change and not _is_own(given):
            raise HTTPException(403, "this request comes from another site; use the desk's own pages")
        if scope["path"] in OPEN or scope["path"].startswith(OPEN_BELOW):
            return None
        cookies = _cookies(given)
        held, link = cookies.get(self._session, ""), cookies.get(SCREEN, "")
        try:
            visitor = await run_in_threadpool(who_is, self._database, held, link, self._now_ms(), self._renew)
        except StoreError as error:
            raise HTTPException(503, str(error)) from error
        if visitor is None:
            raise HTTPException(401, "log in first")
        if is_change and visitor.is_screen:
            raise HTTPException(403, "a screen only looks; log in to change something")
        if is_change and not compare_digest(given.get(FORM_HEADER, "").encode(), form_token(held).encode()):
            raise HTTPException(403, "this page is of an earlier login; load it anew")
        return visitor


def visitor_of(request: Request) -> Visitor:
    """Who sends a request."""
    found: Visitor = request.state.visitor
    return found


Anybody = Annotated[Visitor, Depends(visitor_of)]


def having(*roles: Role) -> Any:
    """Depends on one of these roles; else 403."""

    def checked(visitor: Anybody) -> Visitor:
        if not visitor.roles & set(roles):
            raise HTTPException(403, "your role does not allow this")
        return visitor

    return Depends(checked)


def _cookies(given: Given) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load("; ".join(given.getlist("cookie"))[:8192])
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _is_own(given: Given) -> bool:
    """Is a change sent by a page of ours, or by a program? Browsers say where a request comes from."""
    site = given.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = given.get("origin")
    return origin is None or urlsplit(origin).netloc == given.get("host")
