"""A wallboard served for real, a Redis of its own, and a browser to look at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from redis import Redis

from streams.contracts import redis_keys
from streams.contracts.outputs import Alert, Marked, MarkedDays, Presence, Totals
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.targets.book import Targets
from streams.worker.screen_writer import Screens
from tests.conftest import lacking
from tests.support import ROOT

if TYPE_CHECKING:
    from deploy.local.process import ServerProcess
    from deploy.local.redis import LocalRedis

#: What a page is expected to show may wait for a busy machine.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)

#: How browsers reach the desk; nothing of it is asked for.
DESK = "https://desk.example.org"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
#: Without these, Chromium calls its maker's servers, which a closed network refuses many times over.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Desk:
    """An operation whose screens the test writes, as a worker would."""

    def __init__(self, settings: Settings, address: str, redis: LocalRedis, server: ServerProcess) -> None:
        self.settings = settings
        self.address = address
        self.redis = redis
        self.server = server

    def shows(
        self,
        *values: Totals | Presence | Alert,
        ago_seconds: int = 0,
        event_ms: int | None = None,
        targets: Targets | None = None,
    ) -> None:
        """Write these as of ``ago_seconds`` ago; ``event_ms``: the event clock stands there; ``targets``: as the workers have them."""
        settings = self.settings.model_copy(update={"clock": "wall" if event_ms is None else "event"})
        machine = machine_ms() - ago_seconds * 1000

        async def write() -> bool:
            screens = Screens(settings, targets)
            taken = await screens.write(
                {value.entity: msgspec.json.encode(value) for value in values if isinstance(value, Totals)},
                [value for value in values if isinstance(value, Presence)],
                [value for value in values if isinstance(value, Alert)],
                now=machine if event_ms is None else event_ms,
                machine=machine,
                behind={},
            )
            await screens.close()
            return taken

        # The browser's driver keeps an event loop running in this thread.
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(asyncio.run, write()).result()

    def marks(self, verdicts: Mapping[str, str], first: date, last: date, alike: Mapping[str, float] = {}) -> None:
        """The satisfaction of these agents is marked, by the days from ``first`` to ``last``; ``alike``: of whom it was held against the
        same work of others, by which share of their cases.
        """
        own = {
            id: msgspec.json.encode(
                Marked(differs={"csat": verdict}, adjusted={"csat": alike[id]} if id in alike else {})
            )
            for id, verdict in verdicts.items()
        }
        with Redis.from_url(self.settings.redis) as redis:
            redis.delete(self.settings.redis_key(redis_keys.MARKS))
            redis.hset(self.settings.redis_key(redis_keys.MARKS), mapping=own)
            days = msgspec.json.encode(MarkedDays(first=first, last=last))
            redis.set(self.settings.redis_key(redis_keys.MARKED), days)

    def forgets(self) -> None:
        """Redis loses everything."""
        with Redis.from_url(self.settings.redis) as redis:
            redis.flushall()

    def serve(self) -> None:
        """Start the wallboard; returns when it answers."""
        self.server.start()
        deadline = time.monotonic() + 120  # where everything else on the machine goes first
        while time.monotonic() < deadline:
            assert self.server.exit_code is None, self.server.last_words()
            try:
                httpx.get(f"{self.address}/healthz", trust_env=False).raise_for_status()
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        pytest.fail(f"no wallboard at {self.address}: {self.server.last_words()}")


@pytest.fixture(scope="module")
def _operation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    # Here and not above: kafka-python warns while it is imported, and pytest knows only by now that this is no error.
    from deploy.local.ports import free_port
    from deploy.local.redis import LocalRedis
    from deploy.local.tools import MissingToolError
    from tests.support.warm import WarmProcess

    directory = tmp_path_factory.mktemp("wallboard")
    redis = LocalRedis(directory / "redis")
    try:
        redis.start()
    except MissingToolError as missing:
        lacking(str(missing))
    port = free_port()
    server = WarmProcess(
        *("wallboard", "--port", str(port), "--redis", redis.address),
        directory=directory,
        log=directory / "wallboard.log",
        environment={"PYTHONPATH": str(ROOT), "DESKPULSE_DATA_DIR": str(directory / "var"), "DESKPULSE_WEB_URL": DESK},
    )
    desk = Desk(Settings(redis=redis.address, data_dir=directory / "var"), f"http://127.0.0.1:{port}", redis, server)
    desk.serve()
    yield desk
    server.stop()
    redis.stop()


@pytest.fixture
def desk(_operation: Desk) -> Desk:
    """The operation, with nothing on its screens yet."""
    _operation.forgets()
    return _operation


# Of the module and not of the session: its event loop would be in the way of every later test that has its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine: DESKPULSE_TEST_CHROMIUM, else the first one on the path."""
    path = os.environ.get("DESKPULSE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        lacking("no Chromium on this machine: apt-get install chromium, or set DESKPULSE_TEST_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screen(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """A TV: 1920 × 1080, a Chinese browser. A script error, or a request to another server, fails the test."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN", base_url=desk.address)
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
    page.on("request", lambda request: None if request.url.startswith(desk.address) else wrong.append(request.url))
    yield page
    context.close()
    assert not wrong
