"""A board of many agents in a browser: how long its frames take while everybody changes states, and what of it is in the page."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Browser, Page

from deploy.local.redis import LocalRedis
from streams.contracts.outputs import Presence, Totals
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web.app import Joined, create_app
from streams.web.store import desk_database
from streams.web.users import By, add
from streams.windows.clock import instant
from tests.support.board import calls
from tests.support.desk_server import serving
from tests.support.screen_workers import Workers

PASSWORD = "correct horse battery"
_STATES = ("available", "on_contact", "on_contact", "wrap_up", "away")
#: Frames as the page has them: the moments at which it is asked to draw.
_COUNT = """() => {
    window.frames_ = [];
    const each = (at) => { window.frames_.push(at); window.counting_ = requestAnimationFrame(each); };
    window.counting_ = requestAnimationFrame(each);
}"""
_COUNTED = "() => { cancelAnimationFrame(window.counting_); return window.frames_; }"


@dataclass(frozen=True)
class Frames:
    """Of so many frames: from one to the next, and how much of it the page's own thread computed (on a busy machine it waits, too). ms."""

    n: int
    p50: float
    p95: float
    longest: float
    cpu_p95: float
    cpu_longest: float

    def __str__(self) -> str:
        return (
            f"{self.n} frames: p50 {self.p50:.1f}, p95 {self.p95:.1f}, longest {self.longest:.0f} ms; "
            f"of it computed: p95 {self.cpu_p95:.1f}, longest {self.cpu_longest:.0f} ms"
        )


def frames(browser: Browser, page: Page, seconds: float) -> Frames:
    """Watch a page for so long."""
    browser.start_tracing(
        page=page, categories=["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
    )
    page.evaluate(_COUNT)
    page.wait_for_timeout(seconds * 1000)
    at: list[float] = page.evaluate(_COUNTED)
    computed = _computed(json.loads(browser.stop_tracing())["traceEvents"])
    gaps = sorted(after - before for before, after in pairwise(at))
    return Frames(len(gaps), _of(gaps, 0.5), _of(gaps, 0.95), gaps[-1], _of(computed, 0.95), computed[-1])


def _of(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _computed(events: list[dict[str, Any]]) -> list[float]:
    """What the page's own thread computed from each frame to the next, in ms, in order of length."""
    drawn = [one for one in events if one["name"] == "FireAnimationFrame"]
    threads = {(one["pid"], one["tid"]) for one in drawn}
    assert len(threads) == 1, "frames of one page"
    own = threads.pop()
    tasks = [
        one for one in events
        if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) == own and "tdur" in one
    ]  # fmt: skip
    assert tasks, "the trace has no task of the page with the time that it computed"
    starts = [one["ts"] for one in sorted(drawn, key=lambda one: float(one["ts"]))]
    sums = [0.0] * (len(starts) - 1)
    index = 0
    for task in sorted(tasks, key=lambda one: float(one["ts"])):
        while index < len(sums) and task["ts"] >= starts[index + 1]:
            index += 1
        if index < len(sums) and task["ts"] >= starts[index]:
            sums[index] += task["tdur"] / 1000
    return sorted(sums)


class LargeFloor:
    """So many agents in teams of 100, on 60 queues, who change states about every 40 s and end contacts about every 3 minutes."""

    def __init__(self, workers: Workers, agents: int) -> None:
        self._workers, self.agents, self._random = workers, agents, Random(1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        now = instant(machine_ms())
        workers.tell(
            calls("all|all", 900, 700, now=now),
            *(calls(f"queue|q{n:02}", 40, 26 + n % 14, now=now, waiting=n % 3, waits_seconds=20) for n in range(60)),
            *(calls(f"team|T{n:03}", 400, 300 + n % 90, now=now) for n in range(agents // 100)),
            *(self._does(n, self._random.randrange(2400)) for n in range(agents)),
            *(self._figures(n) for n in range(agents)),
        )

    def begin(self) -> None:
        """Change, until it is closed."""
        self._thread.start()

    def close(self) -> None:
        """Nothing changes any more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _does(self, n: int, ago: int = 0) -> Presence:
        return Presence(
            agent_id=f"A{n:05}", state=self._random.choice(_STATES), team=f"T{n // 100:03}",  # type: ignore[arg-type]
            since=instant(machine_ms()) - timedelta(seconds=ago),
        )  # fmt: skip

    def _figures(self, n: int) -> Totals:
        return calls(
            f"agent|A{n:05}", 20 + self._random.randrange(9), 12 + n % 8, f"T{n // 100:03}", instant(machine_ms())
        )

    def _run(self) -> None:
        """Twice a second what has changed."""
        while not self._over.is_set():
            began = time.monotonic()
            some = self._random.sample(range(self.agents), max(1, self.agents // 80))
            ended = some[: max(1, self.agents // 360)]
            now = instant(machine_ms())
            self._workers.tell(
                *(self._does(n) for n in some), *(self._figures(n) for n in ended),
                *(calls(f"queue|q{n % 60:02}", 40, self._random.randrange(20, 40), now=now) for n in ended),
                *(calls(f"team|T{n // 100:03}", 400, self._random.randrange(300, 400), now=now) for n in ended),
                calls("all|all", 900, self._random.randrange(600, 900), now=now),
            )  # fmt: skip
            self._over.wait(max(0.0, 0.5 - (time.monotonic() - began)))


@contextmanager
def large_board(folder: Path, agents: int) -> Iterator[tuple[LargeFloor, str]]:
    """A desk that shows so many agents, and its address; the user ``qin`` sees all of them. Raises MissingToolError without a Redis."""
    redis = LocalRedis(folder / "redis")
    redis.start()
    settings = Settings(redis=redis.address, data_dir=folder)
    with desk_database(None, folder) as database, database.write() as connection:
        add(connection, "qin", PASSWORD, ["quality"], "Q1", [], By("setup", machine_ms()))
    desk = create_app(settings, Joined(lambda _: None, machine_ms, follows=False))
    desk.state.feed.stands(None)
    workers = Workers(settings)
    try:
        with serving(desk) as address:
            floor = LargeFloor(workers, agents)
            try:
                yield floor, address
            finally:
                floor.close()
    finally:
        workers.close()
        redis.stop()


def open_board(
    browser: Browser, address: str, width: int = 1920, height: int = 1080, page_of: Path | None = None
) -> Page:
    """The board of who sees all; ``page_of``: by another build of the page (a folder like ``streams/web/static``)."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", base_url=address)
    context.set_default_timeout(180_000)
    assert context.request.post("/api/login", data={"name": "qin", "password": PASSWORD}, timeout=180_000).ok
    page = context.new_page()
    if page_of is not None:
        root: Path = page_of
        page.route(f"{address}/", lambda route: route.fulfill(path=root / "index.html", content_type="text/html"))
        page.route(
            f"{address}/assets/*",
            lambda route: route.fulfill(path=root / "assets" / route.request.url.rpartition("/")[2]),
        )
    page.goto("/#/board")
    page.locator(".square").first.wait_for()
    return page
