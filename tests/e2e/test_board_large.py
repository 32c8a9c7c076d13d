"""A board of 10,000 agents in a browser: only what is near the screen is in the page, and a frame is computed in time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.local.tools import MissingToolError
from tests.conftest import lacking
from tests.support.frames import LargeFloor, frames, large_board, open_board

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.timeout(900)]

AGENTS = 10_000
#: What a frame's computing may take at most in 95 of 100, in ms: two turns of a screen's 60 Hz. `tests.bench.frames` measures whole frames.
MOST_MS = 33.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LargeFloor, str]]:
    try:
        with large_board(tmp_path_factory.mktemp("large"), AGENTS) as found:
            yield found
    except MissingToolError as missing:
        lacking(str(missing))


@pytest.fixture
def page(large: tuple[LargeFloor, str], chromium: Browser) -> Iterator[Page]:
    opened = open_board(chromium, large[1])
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    yield opened
    opened.context.close()
    assert not wrong


def test_all_are_there_and_only_those_near_the_screen_are_in_the_page(page: Page) -> None:
    heading = page.get_by_role("heading", name="Agents")
    expect(heading).to_contain_text("10000")
    assert 100 < page.locator(".square").count() < 1500
    # Nothing is missing at the end either, and what was at the beginning is let go.
    first = page.locator(".square").first.get_attribute("data-entity")
    page.locator(".main").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    expect(page.locator(f"[data-entity='{first}']")).to_have_count(0)
    assert 50 < page.locator(".square").count() < 1500
    lowest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.square')].map((one) => one.getBoundingClientRect().bottom))"
    )
    assert lowest <= page.evaluate("document.querySelector('.main').getBoundingClientRect().bottom") + 1
    blocks = page.locator("[data-block]")
    assert blocks.count() > 20
    page.locator(".main").evaluate("main => main.scrollTo(0, 0)")
    expect(page.locator(f"[data-entity='{first}']")).to_have_count(1)


def test_a_frame_is_computed_in_time_while_everybody_changes(
    large: tuple[LargeFloor, str], chromium: Browser, page: Page
) -> None:
    large[0].begin()
    page.wait_for_timeout(2000)
    found = frames(chromium, page, 15)
    print(found)
    assert found.cpu_p95 < MOST_MS
