"""The notifier's own server: the page behind the links that acknowledge, and its health.

To open a link shows a page, and does nothing: chats and mail scanners open links to look at them. The page's button acknowledges.
"""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from streams.contracts.outputs import AlertAction, Incident
from streams.database import StoreError
from streams.doors import SAFE, BoundedBody, Headers
from streams.languages import Language
from streams.languages.text import SPOKEN, Text
from streams.languages.translation import preferred
from streams.notifier.case_pages import CaseDesk, router
from streams.notifier.health import Health
from streams.notifier.journal import Journal
from streams.notifier.links import PATH, BadLinkError, Links, Ticket
from streams.notifier.texts import SEVERITIES, STATUSES
from streams.people.names import Names
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 16_384
_LONGEST_NAME, _LONGEST_NOTE = 256, 500

_TITLE = Text("认领告警", "Acknowledge")
_WHO = Text("您的工号", "Your agent id")
_NOTE = Text("备注（可不填）", "Note (optional)")
_BUTTON = Text("由我处理", "I take care of it")
_DONE = Text("已认领。恢复前不再升级。", "Acknowledged. It is not escalated any more, until it clears.")
_USED = Text("此链接已于 {at} 由 {by} 使用。", "{by} used this link at {at}.")
_OVER = Text("该告警事件已恢复，无需认领。", "This incident is over: there is nothing to acknowledge.")
_TAKEN = Text("{by} 正在处理。", "{by} takes care of it already.")
_BAD = Text("链接无效或已过期，请在大屏上处理。", "This link is none of ours, or has expired; use the wallboard.")
_NOBODY = Text("请填写工号。", "Say who you are.")
_UNKNOWN = Text("找不到该告警事件，可能已过期。", "Nothing is known of this incident; it may be long over.")
_AGAIN = Text(
    "暂时无法保存，请稍后重试，链接仍然有效。", "It could not be kept; try again in a moment: the link is still good."
)
_SEVERAL = Text("有多人使用该姓名，请填写工号。", "Several people have this name; give the agent id.")
_STYLE = (
    "body{font:18px/1.5 sans-serif;margin:0 auto;padding:1rem;max-width:34rem}input,button{font:inherit;width:100%;box-sizing:border-box;"
    "padding:.6rem;margin:.3rem 0 1rem}button{background:#0b57d0;color:#fff;border:0;border-radius:.4rem}"
)
_PAGE_HEADERS = {
    **SAFE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}


class Pages:
    """What the page does. ``act``: writes an action, raises ConnectionError where it cannot; ``names``: who is who."""

    def __init__(
        self,
        links: Links | None,
        journal: Journal,
        act: Callable[[AlertAction], None],
        names: Callable[[], Names],
        clock: Callable[[], int],
    ) -> None:
        self._links, self._journal, self._act, self._names, self._clock = links, journal, act, names, clock

    def shown(self, token: str, language: Language) -> Response:
        """The page of a link; nothing is changed."""
        return self._with_ticket(token, language, lambda ticket, incident: _form(incident, language))

    def acknowledged(self, token: str, language: Language, form: dict[str, str]) -> Response:
        """The button was pressed."""

        def act(ticket: Ticket, incident: Incident) -> Response:
            said = form.get("by", "").strip()[:_LONGEST_NAME]
            if not said:
                return _form(incident, language, _NOBODY[language], HTTPStatus.UNPROCESSABLE_ENTITY)
            try:
                by = self._names().author(said)
            except ValueError:
                return _form(incident, language, _SEVERAL[language], HTTPStatus.UNPROCESSABLE_ENTITY)
            now = self._clock()
            action = AlertAction(
                id=f"link-{ticket.nonce}",
                at=instant(now),
                by=by,
                kind="acknowledge",
                incident=incident.id,
                note=form.get("note", "").strip()[:_LONGEST_NOTE],
            )
            self._act(action)
            self._journal.use(ticket.nonce, incident.id, by, now)
            return _said(_DONE[language], language)

        return self._with_ticket(token, language, act)

    def _with_ticket(  # noqa: PLR0911 - each way in which a link is of no use is one
        self, token: str, language: Language, then: Callable[[Ticket, Incident], Response]
    ) -> Response:
        if self._links is None:
            return _said(_BAD[language], language, HTTPStatus.NOT_FOUND)
        try:
            ticket = self._links.read(token, self._clock())
            used = self._journal.used(ticket.nonce)
            if used is not None:
                at = f"{instant(used['at']):%Y-%m-%d %H:%M} UTC"
                return _said(_USED.format(by=used["author"], at=at)[language], language, HTTPStatus.GONE)
            incident = self._journal.incident(ticket.incident)
            if incident is None:
                return _said(_UNKNOWN[language], language, HTTPStatus.NOT_FOUND)
            if incident.status == "resolved":
                return _said(_OVER[language], language, HTTPStatus.GONE)
            if incident.acknowledged is not None:
                return _said(_TAKEN.format(by=incident.acknowledged.by)[language], language, HTTPStatus.CONFLICT)
            return then(ticket, incident)
        except BadLinkError:
            return _said(_BAD[language], language, HTTPStatus.GONE)
        except (ConnectionError, StoreError) as error:
            _LOG.warning("an acknowledgement could not be kept: %s", error)
            return _said(_AGAIN[language], language, HTTPStatus.SERVICE_UNAVAILABLE)


def create_app(pages: Pages, health: Health, desk: CaseDesk | None = None) -> FastAPI:
    """The application: ``/acknowledge/…`` for people, ``/api/cases`` where cases are kept, ``/healthz`` and ``/readyz`` for those who
    run it.
    """
    app = FastAPI(title="Deskpulse notifier", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(BoundedBody, most=lambda _: _MOST_BYTES)
    app.add_middleware(Headers, headers=_PAGE_HEADERS)
    if desk is not None:
        app.include_router(router(desk))

    @app.get(PATH + "{token}")
    async def acknowledge_page(token: str, request: Request) -> Response:
        return await run_in_threadpool(pages.shown, token, _language(request))

    @app.post(PATH + "{token}")
    async def acknowledge(token: str, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
        given = {name: values[0] for name, values in form.items()}
        return await run_in_threadpool(pages.acknowledged, token, _language(request), given)

    @app.get("/healthz")
    async def healthz() -> Response:
        return await run_in_threadpool(_health, health, health.alive)

    @app.get("/readyz")
    async def readyz() -> Response:
        return await run_in_threadpool(_health, health, health.ready)

    return app


def _health(health: Health, good: Callable[[], bool]) -> Response:
    try:
        told: dict[str, Any] = health.told()
    except StoreError as error:
        told = {"state": health.state(), "reason": str(error)}
    return Response(json.dumps(told), 200 if good() else 503, media_type="application/json")


def _language(request: Request) -> Language:
    return preferred(request.headers.get("accept-language", ""))


def _form(incident: Incident, language: Language, complaint: str = "", status: int = 200) -> Response:
    name = {"zh": incident.name_zh, "en": incident.name_en, **incident.names}.get(language) or incident.rule
    newest = incident.steps[-1] if incident.steps else None
    reason = (newest.reason_zh if language == "zh" else newest.reason_en) if newest else ""
    heading = f"{SEVERITIES[incident.severity][language]} · {name} · {STATUSES[incident.status][language]}"
    told = "".join(f"<p>{html.escape(line)}</p>" for line in (complaint, reason) if line)
    body = (
        f"<h1>{html.escape(heading)}</h1>{told}<form method=post>"
        f"<label>{_WHO[language]}<input name=by required maxlength={_LONGEST_NAME} autocomplete=username></label>"
        f"<label>{_NOTE[language]}<input name=note maxlength={_LONGEST_NOTE}></label>"
        f"<button>{_BUTTON[language]}</button></form>"
    )
    return _html(body, language, status)


def _said(text: str, language: Language, status: int = 200) -> Response:
    return _html(f"<p>{html.escape(text)}</p>", language, status)


def _html(body: str, language: Language, status: int) -> Response:
    page = (
        f'<!doctype html><html lang="{SPOKEN[language].tag}"><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<meta name=robots content=noindex><title>{_TITLE[language]}</title><style>{_STYLE}</style><body>{body}</body></html>"
    )
    return Response(page, status, media_type="text/html; charset=utf-8")
