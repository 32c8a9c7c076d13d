"""DingTalk's group robots: https://open.dingtalk.com/document/robots/custom-robot-access"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

import httpx

from streams.notifier.channels import http
from streams.notifier.channels.markup import harmless, links
from streams.notifier.channels.robots import Codes, Robot
from streams.notifier.message import Message, encoded
from streams.notifier.rates import Rate

#: Of the JSON body: 20,000 bytes are taken, one more is 460101.
LIMIT_BYTES = 20_000
#: 20 a minute; a robot that is told more is mute for ten minutes. Two are left to the clock of the other side and to other users.
RATES = (Rate(18, 60),)
#: 410100, 130101: too many; the robot is mute for ten minutes. -1: busy. 460101, 40035, 43004…: the message.
_CODES = Codes(
    busy={410100: 600.0, 130101: 600.0, -1: 5.0},
    refused=frozenset({460101, 40035, 400105, 430101, 430102, 430103, 430104}),
)


def dingtalk(
    url: str, secret: str | None = None, keyword: str = "", client: Callable[[], httpx.Client] = http.client
) -> Robot:
    """A robot. ``url``: as DingTalk shows it; ``secret``: of its signature; ``keyword``: a word that each message must have."""

    def form(message: Message) -> dict[str, Any]:
        return _form(message, keyword)

    def sign(at: datetime, address: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return (signed(address, secret, at) if secret else address), body

    return Robot(url, form, lambda body: len(encoded(body)), LIMIT_BYTES, RATES, _CODES, sign, client)


def signed(url: str, secret: str, at: datetime) -> str:
    """The address with moment and signature, as https://open.dingtalk.com/document/robots/customize-robot-security-settings has it."""
    moment = str(round(at.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    return f"{url}{'&' if '?' in url else '?'}timestamp={moment}&sign={quote_plus(base64.b64encode(digest))}"


def _form(message: Message, keyword: str) -> dict[str, Any]:
    """A card whose links are buttons; of the two only markdown can call somebody by name."""
    title = harmless(f"{keyword} {message.title}" if keyword and keyword not in message.title else message.title)
    called = [person.chat_id for person in message.people if person.chat_id]
    calls = (" ".join(f"@{id}" for id in called),) if called else ()
    text = "\n\n".join((f"### {title}", *map(harmless, message.all_lines), *calls))
    if called or not message.links:
        below = links(message)
        return {
            "msgtype": "markdown",
            "markdown": {"title": title, "text": f"{text}\n\n{below}" if below else text},
            "at": {"atUserIds": called, "isAtAll": False},
        }
    buttons = [{"title": harmless(link.text), "actionURL": link.url} for link in message.links]
    return {
        "msgtype": "actionCard",
        "actionCard": {"title": title, "text": text, "btnOrientation": "0", "btns": buttons},
    }
