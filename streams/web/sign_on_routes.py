"""The routes of the single sign-on: to the provider, back from it, and its word that somebody has logged out there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from streams.doors import refusal
from streams.web.access import secret_of
from streams.web.provider import Begun, ProviderError, RefusedError
from streams.web.provider_logins import ProviderLogins, TurnedAwayError

_LOG = logging.getLogger(__name__)
#: What a browser holds between leaving for the provider and coming back, and for how long. Seconds.
LOGIN, _LOGIN_LASTS = "deskpulse_login", 600
#: Sets a cookie: (answer, name, secret, seconds, path).
Keep = Callable[[Response, str, str, int | None, str], None]


def sign_on_routes(logins: ProviderLogins, keep: Keep) -> APIRouter:
    """The routes. ``keep`` gives a browser a cookie."""
    router = APIRouter()
    router.add_api_route("/login/ended", _ended(logins), methods=["POST"])

    @router.get("/login", include_in_schema=False)
    def login() -> Response:
        """To the provider."""
        begun = Begun.now()
        try:
            answer = RedirectResponse(logins.provider.login(begun), 303)
        except ProviderError as error:
            return _turned_away(TurnedAwayError("away", error))
        keep(answer, LOGIN, f"{begun.state}.{begun.nonce}.{begun.verifier}", _LOGIN_LASTS, "/login")
        return answer

    @router.get("/login/back", include_in_schema=False)
    def back(
        request: Request,
        state: Annotated[str, Query(max_length=256)] = "",
        code: Annotated[str, Query(max_length=4096)] = "",
        error: Annotated[str, Query(max_length=256)] = "",
        iss: Annotated[str | None, Query(max_length=1024)] = None,
    ) -> Response:
        """From the provider: a session, or the page with the reason why there is none."""
        place, browser = request.client.host if request.client else "", request.headers.get("user-agent", "")
        try:
            begun = _begun(request.cookies.get(LOGIN, ""), state)
            if error:
                raise TurnedAwayError("denied" if error == "access_denied" else "again", error)
            if iss is not None and iss != logins.provider.file.issuer:  # RFC 9207
                raise TurnedAwayError("again", f"an answer of {iss}")
            secret = logins.let_in(begun, code, secret_of(request), browser, place)
        except TurnedAwayError as refused:
            answer = _turned_away(refused)
        else:
            answer = RedirectResponse("/", 303)
            keep(answer, request.app.state.session_cookie, secret, None, "/")
        answer.delete_cookie(LOGIN, path="/login")
        return answer

    return router


def _ended(logins: ProviderLogins) -> Callable[[Request], object]:
    async def ended(request: Request) -> Response:
        """What the provider sends when somebody logs out there (OpenID Connect Back-Channel Logout 1.0): ends the sessions that its signed
        logout token names; 400 for any other.
        """
        token = (parse_qs((await request.body()).decode("ascii", "replace")).get("logout_token") or [""])[0]
        try:
            await run_in_threadpool(logins.ended, token)
        except RefusedError as error:
            return refusal(400, str(error))
        return Response()

    return ended


def _begun(kept: str, state: str) -> Begun:
    """The login that this browser has begun."""
    parts = kept.split(".")
    if len(parts) != 3 or not state or parts[0] != state:
        raise TurnedAwayError("again", "an answer to a login that this browser has not begun, or long ago")
    return Begun(*parts)


def _turned_away(refused: TurnedAwayError) -> Response:
    _LOG.warning("a login by the single sign-on failed (%s): %s", refused.reason, refused)
    return RedirectResponse(f"/?login={refused.reason}", 303)
