"""The demo as a newcomer runs it: it lives, its figures move on the page, it ends by itself or by Ctrl-C, and leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support import ROOT

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


class Demo:
    """``deskpulse demo`` in a directory of its own."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.log = directory / "demo.txt"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DESKPULSE_")}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", "demo", "--port", "0", *arguments],
                cwd=directory,
                env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """Its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, pattern: str, seconds: float = 120) -> re.Match[str]:
        """The first match in its output."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.said):
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.2)
        raise AssertionError(f"{pattern!r} not said:\n{self.said}")

    def left(self) -> list[str]:
        """Processes that still work in its directory."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if str(self.directory) in str((entry / "cwd").readlink()):
                        found.append((entry / "cmdline").read_bytes().decode(errors="replace"))
                except OSError:
                    continue
        return found


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()


def test_it_ends_by_itself_with_a_score_and_a_second_run_works(tmp_path: Path, demos: list[Demo]) -> None:
    for _ in range(2):
        demo = Demo(tmp_path, "--seconds", "12", "--speed", "60")
        demos.append(demo)
        assert demo.process.wait(200) == 0, demo.said
        assert "satisfied" in demo.said
        assert "60 people, approved and published" in demo.said
        assert all(f"  {part}  " in demo.said for part in ("a matured figure", "a level", "a veto", "too few cases"))
        assert demo.said.index("where to look") > len(demo.said) - 1500
        assert demo.left() == []
    scores = tmp_path / "var" / "scores"
    assert sorted(path.suffix for path in scores.iterdir() if path.is_file()) == [".csv", ".json", ".xlsx"]
    assert len(list(scores.glob("*-sheets/*.html"))) == 60


@pytest.mark.browser
def test_figures_move_alerts_fire_and_ctrl_c_leaves_no_process(
    tmp_path: Path, demos: list[Demo], chromium: Browser
) -> None:
    demo = Demo(tmp_path, "--speed", "60")
    demos.append(demo)
    address = demo.wait_for(r"wallboard +(http://\S+)").group(1)
    desk, password = demo.wait_for(r"the desk +(http://\S+)/  log in as .*; password (\S+)").groups()
    demo.wait_for(r"alerts open [1-9]")
    page = chromium.new_page(viewport={"width": 1600, "height": 900})
    page.goto(f"{address}?lang=en")
    tile = page.locator('[data-testid="tile"][data-kpi="answer_rate"]')
    before = figure(tile)
    deadline = time.monotonic() + 60
    while figure(tile) == before and time.monotonic() < deadline:
        page.wait_for_timeout(300)
    assert figure(tile) != before
    page.close()
    alerts = httpx.get(f"{address}api/alerts", trust_env=False, timeout=10).json()
    assert alerts["open"]
    assert alerts["open"][0]["reason_zh"]
    day = demo.wait_for(r"the simulated (\S+),").group(1)
    with httpx.Client(base_url=desk, trust_env=False, timeout=10) as browser:
        assert browser.post("/api/login", json={"name": "supervisor", "password": password}).status_code == 200
        me = browser.get("/api/me").json()
        asked = {"kpi": "answer_rate", "entity": "all|all", "first": day}
        behind = browser.get("/api/contacts", params=asked).json()
    assert (me["roles"], len(me["teams"])) == (["supervisor"], 1)
    assert behind["total"] > 100  # the history runs, and has read the morning
    assert demo.left()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(60) is not None, demo.said
    assert "Traceback" not in demo.said
    assert demo.left() == []


def figure(tile: Any) -> str:
    """A tile's text once there is a digit in it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = tile.inner_text(timeout=60_000)
        if any(letter.isdigit() for letter in text):
            return str(text)
        time.sleep(0.2)
    raise AssertionError("no figure on the tile")
