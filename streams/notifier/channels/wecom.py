"""WeCom's group robots: https://developer.work.weixin.qq.com/document/path/91770"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from streams.notifier.channels import http
from streams.notifier.channels.markup import harmless, links
from streams.notifier.channels.robots import Codes, Robot
from streams.notifier.message import Message
from streams.notifier.rates import Rate

#: Of the content of markdown: 4,096 bytes are taken, one more is 40058.
LIMIT_BYTES = 4_096
#: 20 a minute. Two are left to the clock of the other side and to other users.
RATES = (Rate(18, 60),)
_CODES = Codes(busy={45009: 60.0, 45033: 10.0, -1: 5.0}, refused=frozenset({40008, 40058, 44004, 45002}))
_COLOURS = {"critical": "warning", "warning": "warning", "info": "comment", "resolved": "info"}


def wecom(url: str, client: Callable[[], httpx.Client] = http.client) -> Robot:
    """A robot. ``url``: as WeCom shows it, with its key."""
    return Robot(url, _form, _size, LIMIT_BYTES, RATES, _CODES, client=client)


def _form(message: Message) -> dict[str, Any]:
    title = f'### <font color="{_COLOURS[message.severity]}">{harmless(message.title)}</font>'
    called = [person.chat_id for person in message.people if person.chat_id]
    calls = (" ".join(f"<@{harmless(id)}>" for id in called),) if called else ()
    below = links(message)
    text = "\n".join((title, *map(harmless, message.all_lines), *calls, *((below,) if below else ())))
    return {"msgtype": "markdown", "markdown": {"content": text}}


def _size(body: dict[str, Any]) -> int:
    return len(body["markdown"]["content"].encode())
