"""Robots of chats as they really are: 200 whatever happens, limits in bytes, a rate, and a log of what their group has seen."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx

Kind = Literal["dingtalk", "wecom", "feishu", "webhook"]
#: Characters of what a mute robot answers, bytes that each takes, messages in so many seconds.
LIMITS = {"dingtalk": 20_000, "wecom": 4_096, "feishu": 20_480, "webhook": 10**9}
RATES = {"dingtalk": ((20, 60),), "wecom": ((20, 60),), "feishu": ((100, 60), (5, 1)), "webhook": ()}
SECRET = "SEC0123456789abcdef"


@dataclass
class Seen:
    """What a group has seen, in seconds of the fake's clock."""

    at: float
    text: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeRobot:
    """One robot. ``faults``: what happens to the next requests, one each: ``down`` (no connection), ``lost`` (taken, and the answer lost),
    ``slow`` (no answer, not taken), ``500`` (not taken), ``500 taken``, or a code that it answers. ``broken``: every request, until it is None.
    """

    kind: Kind
    now: Callable[[], float]
    secret: str | None = None
    seen: list[Seen] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    broken: str | None = None
    muted_until: float = -1.0
    mutes: int = 0

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    @property
    def url(self) -> str:
        path = {"dingtalk": "/robot/send?access_token=t1", "wecom": "/cgi-bin/webhook/send?key=k1"}.get(
            self.kind, "/hook/h1"
        )
        return f"https://{self.kind}.test{path}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the robot answers; what its group sees is in ``seen``."""
        fault = self.faults.pop(0) if self.faults else self.broken
        if fault == "down":
            raise httpx.ConnectError("refused", request=request)
        if fault == "slow":
            raise httpx.ReadTimeout("slow", request=request)
        if fault in ("500", "503"):
            return httpx.Response(int(fault), text="<html>", headers={"Retry-After": "7"} if fault == "503" else {})
        if fault is not None and fault.lstrip("-").isdigit():
            return self._no(int(fault), "as the test says")
        answer = self._taken(request)
        if fault == "lost":
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(500, text="<html>") if fault == "500 taken" else answer

    def _taken(self, request: httpx.Request) -> httpx.Response:
        at = self.now()
        self.asked.append(at)
        if self.kind == "webhook":
            self.seen.append(Seen(at, request.content.decode(), dict(request.headers)))
            return httpx.Response(204)
        if at < self.muted_until:
            return self._no(410100 if self.kind == "dingtalk" else 45009, "muted")
        for most, seconds in RATES[self.kind]:
            if sum(at - one < seconds for one in self.asked) > most:
                self.mutes += 1
                self.muted_until = at + 600
                return self._no({"dingtalk": 410100, "wecom": 45009, "feishu": 11232}[self.kind], "too many")
        if len(request.content) > LIMITS[self.kind] and self.kind != "wecom":
            return self._no({"dingtalk": 460101, "feishu": 9499}[self.kind], "too long")
        try:
            body = json.loads(request.content)
            text = getattr(self, f"_{self.kind}")(request, body)
        except (ValueError, KeyError, TypeError) as error:
            return self._no(40035, f"{type(error).__name__} {error}")
        if isinstance(text, int):
            return self._no(text, "no")
        self.seen.append(Seen(at, text))
        return httpx.Response(
            200, json={"code": 0, "msg": "success"} if self.kind == "feishu" else {"errcode": 0, "errmsg": "ok"}
        )

    def _dingtalk(self, request: httpx.Request, body: dict[str, Any]) -> str | int:
        if self.secret is not None:
            asked = parse_qs(urlsplit(str(request.url)).query)
            moment = asked["timestamp"][0]
            digest = hmac.new(self.secret.encode(), f"{moment}\n{self.secret}".encode(), hashlib.sha256).digest()
            if asked["sign"][0] != base64.b64encode(digest).decode() or abs(int(moment) / 1000 - self.now()) > 3600:
                return 310000
        own = body[body["msgtype"]]
        buttons = " ".join(f"[{one['title']}]({one['actionURL']})" for one in own.get("btns", ()))
        return f"{own['title']}\n{own['text']}\n{buttons}"

    def _wecom(self, request: httpx.Request, body: dict[str, Any]) -> str | int:
        text = body["markdown"]["content"]
        return 40058 if len(text.encode()) > LIMITS["wecom"] else str(text)

    def _feishu(self, request: httpx.Request, body: dict[str, Any]) -> str | int:
        if self.secret is not None:
            moment = body["timestamp"]
            digest = hmac.new(f"{moment}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
            if body["sign"] != base64.b64encode(digest).decode():
                return 19021
        card = body["card"]
        parts = [card["header"]["title"]["content"]]
        for element in card["elements"]:
            parts += (
                [element["text"]["content"]]
                if element["tag"] == "div"
                else [f"[{one['text']['content']}]({one['url']})" for one in element["actions"]]
            )
        return "\n".join(parts)

    def _no(self, code: int, why: str) -> httpx.Response:
        self.refused.append(code)
        if self.kind == "webhook":
            return httpx.Response(code, text=why)
        return httpx.Response(
            200, json={"code": code, "msg": why} if self.kind == "feishu" else {"errcode": code, "errmsg": why}
        )
