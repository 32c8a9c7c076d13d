"""Feishu's (Lark's) group robots: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from streams.notifier.channels import http
from streams.notifier.channels.markup import harmless
from streams.notifier.channels.robots import Codes, Robot
from streams.notifier.message import Message, encoded
from streams.notifier.rates import Rate

#: Of the JSON body about 20 kB are taken; the moment and the signature, which come last, are in it.
LIMIT_BYTES = 19_500
#: 100 a minute and 5 a second, a tenth left to the clock of the other side and to other users.
RATES = (Rate(90, 60), Rate(4, 1))
#: 11232, 11233: too many; 9499 is that, or a body that is none: it is tried again, after a minute. 1106x, 230…: the message.
_CODES = Codes(
    busy={11232: 60.0, 11233: 60.0, 9499: 60.0}, refused=frozenset({11246, 11247, 19036, 230001, 230025, 230099})
)
_COLOURS = {"critical": "red", "warning": "orange", "info": "blue", "resolved": "green"}


def feishu(
    url: str, secret: str | None = None, keyword: str = "", client: Callable[[], httpx.Client] = http.client
) -> Robot:
    """A robot. ``url``: as Feishu shows it; ``secret``: of its signature; ``keyword``: a word that each message must have."""

    def form(message: Message) -> dict[str, Any]:
        return _form(message, keyword)

    def sign(at: datetime, address: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return address, (signature(secret, at) | body if secret else body)

    return Robot(url, form, lambda body: len(encoded(body)), LIMIT_BYTES, RATES, _CODES, sign, client)


def signature(secret: str, at: datetime) -> dict[str, str]:
    """Moment and signature: the digest of nothing, with moment and secret as the key."""
    moment = str(int(at.timestamp()))
    digest = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": moment, "sign": base64.b64encode(digest).decode()}


def _form(message: Message, keyword: str) -> dict[str, Any]:
    title = f"{keyword} {message.title}" if keyword and keyword not in message.title else message.title
    called = [f"<at id={harmless(person.chat_id)}></at>" for person in message.people if person.chat_id]
    text = "\n".join((*map(harmless, message.all_lines), *((" ".join(called),) if called else ())))
    elements: list[dict[str, Any]] = [{"tag": "div", "text": {"tag": "lark_md", "content": text}}] if text else []
    if message.links:
        buttons = [
            {"tag": "button", "text": {"tag": "plain_text", "content": link.text}, "url": link.url, "type": "default"}
            for link in message.links
        ]
        elements.append({"tag": "action", "actions": buttons})
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"title": {"tag": "plain_text", "content": title}, "template": _COLOURS[message.severity]},
            "elements": elements,
        },
    }
