"""The HTTP API of scores, asked in process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from scoring.api import create_app
from tests.support.month_end import Desk


@dataclass
class Client:
    """Asks the application as a browser or an HR system would."""

    app: FastAPI
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, **what: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://scores") as http:
                return await http.request(method, path, headers=what.pop("headers", self.headers), **what)

        return asyncio.run(asked())

    def get(self, path: str, **what: Any) -> httpx.Response:
        return self.request("GET", path, **what)

    def post(self, path: str, **what: Any) -> httpx.Response:
        return self.request("POST", path, **what)


def client(desk: Desk, role: str, app: FastAPI | None = None, name: str | None = None, **whose: str) -> Client:
    """Somebody with a token of this role. ``app``: the one that others ask, where there is one already. ``name``: of the token."""
    options = [part for name, value in whose.items() for part in (f"--{name}", value)]
    said = desk.does("token", "add", name or f"{role} {whose}", "--role", role, "--by", "boss", *options)
    return Client(app or create_app(desk), {"Authorization": f"Bearer {said.splitlines()[0]}"})
