"""The desk's HTTP side: the page, logging in and out, sessions, and the routes of whoever joins it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from streams import doors
from streams.contracts.outputs import AlertAction
from streams.database import Database, StoreError
from streams.doors import SAFE, BoundedBody, Headers, answer_errors
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.wallboard.reader import Reader
from streams.wallboard.store import Store
from streams.web import sessions, users
from streams.web.access import SCREEN, Anybody, Guarded, having, secret_of, session_cookie
from streams.web.board_edit_routes import BoardEdits, board_edit_routes
from streams.web.board_feed import BoardFeed
from streams.web.board_layout import Board
from streams.web.board_routes import BoardDesk, board_routes
from streams.web.board_store import BoardBook
from streams.web.case_routes import case_routes
from streams.web.guard import Guard
from streams.web.incident_feed import Feed, Follower
from streams.web.incident_routes import Known, incident_routes
from streams.web.operation_time import OperationTime
from streams.web.provider import Provider
from streams.web.provider_logins import ProviderLogins
from streams.web.roles import Visitor
from streams.web.sign_on_routes import sign_on_routes
from streams.web.store import entries, note, open_database
from streams.web.users import By, LoginError, TooManyLoginsError

STATIC = Path(__file__).parent / "static"
#: What packages give routes by: functions from the operation to an ``APIRouter``.
GROUP = "deskpulse.web"
#: Nothing comes from another server, nothing inline runs, and no other page frames it.
HEADERS = {
    **SAFE,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
#: What people can mend, and the status that fits.
_STATUSES: dict[type[Exception], int] = {
    TooManyLoginsError: 429,
    LoginError: 401,
    ValueError: 422,
    StoreError: 503,
    ConnectionError: 503,
}
#: Files of the page are named by what is in them.
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_MOST_BYTES = 65_536
#: Passwords that are checked at one time: each takes 19 MiB.
_AT_ONCE = 2
#: Browsers keep cookies for at most so long; a screen's begins anew whenever its page is opened. Seconds.
_SCREEN_LASTS = 400 * 86_400
_MOST_ENTRIES = 500
#: Each open page has a stream of incidents, and one of figures where it shows a board: 2,000 viewers have 4,000 connections.
_MOST_CONNECTIONS = 6_000
_COMPRESS = 5


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Sent):
    """Who logs in."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    password: Annotated[str, Field(min_length=1, max_length=users.MOST)]


class NewPassword(_Sent):
    """Another password, and the one there is."""

    current: Annotated[str, Field(min_length=1, max_length=users.MOST)]
    password: Annotated[str, Field(min_length=1, max_length=users.MOST)]


@dataclass(frozen=True)
class Joined:
    """What the desk is joined to. ``act``: puts an action on its topic; ``operation_ms``: the operation's clock, ms since 1970. Both raise
    ConnectionError. ``routers``: of whoever joins it; ``follows``: incidents are read from Kafka; ``provider``: of the single sign-on;
    ``store``: what screens show, where it is not in the operation's Redis; ``boards``: the usual one where none is given.
    """

    act: Callable[[AlertAction], None]
    operation_ms: Callable[[], int]
    routers: Iterable[APIRouter] = ()
    follows: bool = True
    provider: Provider | None = None
    store: Store | None = None
    boards: Sequence[Board] = ()


def create_app(settings: Settings, joined: Joined, now_ms: Callable[[], int] = machine_ms) -> FastAPI:
    """The application. Kafka and the database may come later."""
    database = open_database(settings.database, settings.data_dir)
    feed, guard = Feed(), Guard(database, now_ms)
    follower = Follower(settings, feed) if joined.follows else None
    store = joined.store or Store(settings)
    book = BoardBook(database, joined.boards)
    board = _board_desk(settings, joined, store, guard, book, now_ms)
    operation_time = OperationTime(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(guard.run()), asyncio.create_task(board.feed.run())]
        if follower is not None:
            follower.start()
        yield
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if follower is not None:
            await to_thread.run_sync(follower.stop)
        await operation_time.close()
        await store.close()
        database.close()

    # The documentation pages of FastAPI load scripts from another server; the description itself is for who is in.
    app = FastAPI(
        title="Deskpulse", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.feed, app.state.database, app.state.guard, app.state.board = feed, database, guard, board.feed
    app.state.session_cookie = session_cookie(_is_https(settings))
    # The last is asked first.
    provider = joined.provider
    by_provider = None if provider is None else ProviderLogins(provider, database, now_ms)
    renew = None if by_provider is None else by_provider.renew
    app.add_middleware(Guarded, database=database, now_ms=now_ms, session=app.state.session_cookie, renew=renew)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=_COMPRESS)
    longer = dict(_longer(joined.routers))
    app.add_middleware(BoundedBody, most=lambda path: longer.get(path, _MOST_BYTES))
    app.add_middleware(Headers, headers=HEADERS | _transport(settings))
    app.mount("/assets", _Files(directory=STATIC / "assets", check_dir=False), name="assets")
    answer_errors(app, _STATUSES)
    _pages(app, settings, database)
    _logins(app, settings, database, now_ms, provider)
    if by_provider is not None:
        app.include_router(sign_on_routes(by_provider, partial(_keep, _is_https(settings))))
    _sessions(app, database, now_ms)
    app.include_router(
        incident_routes(settings, feed, guard, joined.act, joined.operation_ms, now_ms, operation_time.now)
    )
    app.include_router(board_routes(board))
    app.include_router(case_routes(settings, board.known, guard, now_ms))
    app.include_router(board_edit_routes(BoardEdits(database, book, board.feed.arrange, now_ms)))
    for router in joined.routers:
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False)
    def description(_: Anybody) -> JSONResponse:
        return JSONResponse(app.openapi())

    return app


def _longer(routers: Iterable[APIRouter]) -> Iterator[tuple[str, int]]:
    """Paths that take more than a page of text, such as an upload, and how many bytes: routes say so in their description."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and "x-most-bytes" in (route.openapi_extra or {}):
                assert route.openapi_extra is not None
                yield route.path, int(route.openapi_extra["x-most-bytes"])


def _board_desk(
    settings: Settings, joined: Joined, store: Store, guard: Guard, book: BoardBook, now_ms: Callable[[], int]
) -> BoardDesk:
    known = Known(settings)
    feed = BoardFeed(store, settings.policy, book.cells(), known.called, now_ms)

    def all_cells() -> list[str]:
        book.refresh()
        return book.cells()

    feed.all_cells = all_cells
    return BoardDesk(feed, Reader(store, settings.policy), guard, book, known, settings.names, now_ms)


class _Files(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, for good."""
        answer = super().file_response(*args, **kwargs)
        answer.headers.update(_FOR_GOOD)
        return answer


def routers_of(operation: Any) -> list[APIRouter]:
    """Routes that installed packages give for an operation."""
    return [point.load()(operation) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]


def serve(settings: Settings, joined: Joined, host: str, port: int, names: Collection[str] = ()) -> None:
    """Serve until interrupted, under addresses, ``host``, the name in ``web_url``, and these ``names`` only."""
    public = urlsplit(settings.web_url or "").hostname
    known = (host, *names, *([public] if public else []))
    doors.serve(doors.KnownHosts(create_app(settings, joined), known), host, port, _MOST_CONNECTIONS)


def _transport(settings: Settings) -> dict[str, str]:
    return {"Strict-Transport-Security": "max-age=31536000"} if _is_https(settings) else {}


def _is_https(settings: Settings) -> bool:
    return urlsplit(settings.web_url or "").scheme == "https"


def _pages(app: FastAPI, settings: Settings, database: Database) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """200 while the process serves."""
        return {"status": "ok"}

    @app.get("/tv/{token}", include_in_schema=False)
    def screen(token: Annotated[str, InPath(min_length=1, max_length=128)]) -> Response:
        """A screen's link: its browser keeps it, and shows the page."""
        found = None
        if database.begun:
            with database.read() as connection:
                found = sessions.screen(connection, token)
        if found is None:
            raise HTTPException(404, "this link is none, or was revoked; `deskpulse screen add NAME` makes one")
        answer = RedirectResponse("/?tv" if found.board is None else f"/?tv#/board?board={found.board}", 303)
        _keep(_is_https(settings), answer, SCREEN, token, _SCREEN_LASTS)
        return answer


def _logins(
    app: FastAPI, settings: Settings, database: Database, now_ms: Callable[[], int], provider: Provider | None
) -> None:
    at_once = CapacityLimiter(_AT_ONCE)

    @app.get("/api/login")
    def how() -> dict[str, Any]:
        """How people log in: ``password``; ``sign_on``: the words on its button by language, null where there is none."""
        return {"password": True, "sign_on": None if provider is None else provider.file.label}

    @app.post("/api/login")
    async def login(given: Login, request: Request, response: Response) -> dict[str, str]:
        """Log in by name and password; a session that the browser had ends. 401 where they do not fit, 429 after too many of those."""
        place = request.client.host if request.client else ""
        browser = request.headers.get("user-agent", "")

        def let_in() -> str:
            return _let_in(database, given, place, browser, secret_of(request), now_ms())

        secret = await to_thread.run_sync(let_in, limiter=at_once)
        _keep(_is_https(settings), response, app.state.session_cookie, secret, None)
        return {"token": sessions.form_token(secret)}

    @app.post("/api/logout")
    def logout(visitor: Anybody) -> Response:
        """End this session. ``next``: where the browser is to go, so that the single sign-on ends, too; null where it stays."""
        with database.write() as connection:
            sessions.end(connection, str(visitor.session), now_ms(), visitor.name)
            note(connection, now_ms(), visitor.name, "logout")
        elsewhere = provider.logout() if provider is not None and visitor.by_provider else None
        answer = JSONResponse({"next": elsewhere})
        answer.delete_cookie(app.state.session_cookie, secure=_is_https(settings), httponly=True)
        return answer

    @app.post("/api/password", status_code=204)
    async def password(given: NewPassword, visitor: Anybody, request: Request) -> Response:
        """Change one's own password; one's other sessions end."""
        place = request.client.host if request.client else ""

        def change() -> None:
            _change_password(database, given, visitor, place, now_ms())

        await to_thread.run_sync(change, limiter=at_once)
        return Response(status_code=204)


def _let_in(database: Database, given: Login, place: str, browser: str, before: str, now: int) -> str:
    """The secret of a new session. Raises LoginError where name and password do not fit."""
    if not database.begun:
        raise StoreError("nobody can log in yet; `deskpulse user add NAME --role administrator` makes the first user")
    if not _is_theirs(database, given.name, given.password, place, now):
        raise LoginError("name and password do not fit")
    with database.write() as connection:
        return sessions.log_in(connection, given.name, now, browser, place, before)


def _is_theirs(database: Database, name: str, password: str, place: str, now: int) -> bool:
    """Is it this user's password? What is not is written down. Raises TooManyLoginsError after too many of those."""
    with database.read() as connection:
        users.refuse_hurry(connection, name, place, now)
        kept = users.kept_password(connection, name)
    if users.is_password(kept, password):
        return True
    with database.write() as connection:
        note(connection, now, name, "login-failed", place=place)
    return False


def _change_password(database: Database, given: NewPassword, visitor: Visitor, place: str, now: int) -> None:
    if not _is_theirs(database, visitor.name, given.current, place, now):
        raise HTTPException(403, "the current password is another")
    with database.write() as connection:
        users.change_password(connection, visitor.name, given.password, By(visitor.name, now), visitor.digest)


def _sessions(app: FastAPI, database: Database, now_ms: Callable[[], int]) -> None:
    administrator = having("administrator")

    @app.get("/api/me")
    def me(visitor: Anybody, request: Request) -> dict[str, Any]:
        """Who is in: name, roles, teams; ``token`` is to be sent with changes as ``X-Form-Token``."""
        secret = secret_of(request)
        return {
            "name": visitor.name,
            "person": visitor.person,
            "roles": sorted(visitor.roles),
            "teams": sorted(visitor.teams),
            "screen": visitor.is_screen,
            "session": visitor.session,
            "by_provider": visitor.by_provider,
            "token": "" if visitor.is_screen else sessions.form_token(secret),
        }

    @app.get("/api/sessions")
    def own_sessions(visitor: Anybody) -> list[dict[str, Any]]:
        """One's own sessions, the newest first; everybody's for an administrator."""
        if visitor.is_screen:
            return []
        everybody = "administrator" in visitor.roles
        with database.read() as connection:
            return [
                asdict(one) for one in sessions.all_sessions(connection, now_ms(), None if everybody else visitor.name)
            ]

    @app.delete("/api/sessions/{id}", status_code=204)
    def end_session(id: Annotated[str, InPath(max_length=32)], visitor: Anybody) -> Response:
        """End a session: one's own, or anybody's for an administrator; 404 for others'."""
        everybody = "administrator" in visitor.roles
        with database.write() as connection:
            if not sessions.end(connection, id, now_ms(), None if everybody else visitor.name):
                raise HTTPException(404, "there is no such session")
            note(connection, now_ms(), visitor.name, "session-ended", id)
        return Response(status_code=204)

    @app.get("/api/users", dependencies=[administrator])
    def everybody() -> list[dict[str, Any]]:
        """Who may log in, with roles and teams."""
        with database.read() as connection:
            return [asdict(one) for one in users.all_users(connection)]

    @app.get("/api/journal", dependencies=[administrator])
    def journal() -> list[dict[str, Any]]:
        """The newest of who did what: logins, changes of users, whose figures were looked at."""
        with database.read() as connection:
            return [asdict(one) for one in entries(connection, _MOST_ENTRIES)]


def _keep(https: bool, answer: Response, name: str, secret: str, seconds: int | None, path: str = "/") -> None:
    answer.set_cookie(name, secret, max_age=seconds, path=path, httponly=True, samesite="lax", secure=https)
