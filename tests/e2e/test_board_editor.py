"""Boards edited in a browser: by mouse and by keyboard, seen by another at once, an earlier version put back, faults in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from streams.web.board_layout import read_board
from tests.support.desk_server import serving
from tests.unit.streams.web.desk import PASSWORD, Desk, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Desk, str]]:
    desk = opened(tmp_path)
    with serving(desk.app) as address:
        yield desk, address
    desk.close()


@pytest.fixture
def people(served: tuple[Desk, str], chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address of the desk in a browser of somebody's own. A script error fails the test."""
    contexts, wrong = [], []

    def opened(role: str | None, at: str, width: int = 1440) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, locale="en-GB", base_url=served[1])
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        if role is not None:
            assert context.request.post("/api/login", data={"name": role, "password": PASSWORD}).ok
        page.goto(f"/{at}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def order(page: Page, list_: str) -> list[str]:
    return page.locator(f"[data-list={list_}] [data-kpi]").evaluate_all("all => all.map((one) => one.dataset.kpi)")


def tiles(page: Page) -> list[str]:
    return page.locator(".tile").evaluate_all("all => all.map((one) => one.dataset.kpi)")


def test_saved_by_one_loaded_by_another_and_an_earlier_version_put_back(people: Callable[..., Page]) -> None:
    lead = people("supervisor", "#/boards/floor")
    expect(lead.get_by_text("This board is another’s")).to_be_visible()
    expect(lead.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    lead.get_by_role("button", name="Save as another").click()
    lead.get_by_label("Name (English)").fill("North hall")
    lead.get_by_label("Id: small letters").fill("north")
    before = order(lead, "tiles")
    # By mouse: the third tile to the first place; a tile to the agents' columns.
    handles = lead.locator("[data-list=tiles] [data-kpi]")
    handles.nth(2).drag_to(handles.nth(0), target_position={"x": 8, "y": 20})
    first = [before[2], before[0], before[1], *before[3:]]
    assert order(lead, "tiles") == first
    handles.nth(5).drag_to(lead.locator("[data-list=agents] [data-kpi]").first, target_position={"x": 60, "y": 4})
    assert order(lead, "tiles") == first[:5]
    assert order(lead, "agents")[0] == first[5]
    # By keyboard: the first one place on, where its handle still has the focus, and back, and out.
    lead.locator("[data-list=tiles] .handle").first.focus()
    lead.keyboard.press("ArrowRight")
    assert order(lead, "tiles") == [first[1], first[0], *first[2:5]]
    expect(lead.locator("[data-list=tiles] .handle").nth(1)).to_be_focused()
    lead.keyboard.press("Delete")
    assert order(lead, "tiles") == [first[1], *first[2:5]]
    lead.locator("[data-list=tiles] select.add").select_option("fcr")
    saved = [first[1], *first[2:5], "fcr"]
    assert order(lead, "tiles") == saved
    # Parts, too: agents before teams; no queues.
    lead.locator("[data-parts] .handle").nth(3).focus()
    lead.keyboard.press("ArrowUp")
    lead.locator("[data-parts]").get_by_role("checkbox", name="Queues").uncheck()
    lead.get_by_role("button", name="Save", exact=True).click()
    expect(lead.get_by_text("Saved as version 1")).to_be_visible()
    assert lead.evaluate("location.hash") == "#/boards/north"

    other = people("quality", "#/board?board=north")
    expect(other.locator(".tile")).to_have_count(5)
    assert tiles(other) == saved
    expect(other.locator("article[data-entity^=queue]")).to_have_count(0)
    assert (
        other.locator("[data-entity^=team], [data-entity^=agent]")
        .first.get_attribute("data-entity")
        .startswith("agent")
    )  # type: ignore[union-attr]

    lead.locator("[data-list=tiles] [data-kpi] button[title^=Take]").last.click()
    lead.get_by_role("button", name="Save", exact=True).click()
    expect(lead.get_by_text("Saved as version 2")).to_be_visible()
    # Who looks has it without loading the page anew.
    expect(other.locator(".tile")).to_have_count(4)
    lead.get_by_role("button", name="Back to version 1").click()
    expect(lead.get_by_text("Version 1 is back, as version 3.")).to_be_visible()
    assert order(lead, "tiles") == saved
    expect(other.locator(".tile")).to_have_count(5)
    assert tiles(other) == saved
    row = lead.get_by_role("row", name=re.compile("version 1 again"))
    expect(row).to_contain_text("S1")


def test_a_fault_is_shown_where_it_is_and_nothing_is_saved(people: Callable[..., Page], tmp_path: Path) -> None:
    page = people("administrator", "#/boards/floor")
    page.get_by_label("Name (English)").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("1 things do not fit. Nothing was saved.")).to_be_visible()
    expect(page.get_by_label("Name (English)")).to_have_attribute("aria-invalid", "true")
    page.get_by_text("Take a board from YAML").click()
    text = "id: east\nname: {zh: 东厅, en: East}\ntiles:\n  - {kpi: csat}\n  - {kpi: nonsense}\n"
    page.get_by_label("Or paste it here").fill(text)
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator(".faults")).to_contain_text("tiles.1.kpi")
    expect(page.locator(".faults")).to_contain_text("line 5")
    page.get_by_label("Or paste it here").fill(text.replace("nonsense", "fcr"))
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_text("Read. Nothing is saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as YAML").click()
    download.value.save_as(tmp_path / "east.yaml")
    assert [cell.kpi for cell in read_board(tmp_path / "east.yaml").tiles] == ["csat", "fcr"]


def test_a_screen_on_a_wall_shows_the_board_it_was_given_and_follows_its_changes(
    served: tuple[Desk, str], people: Callable[..., Page]
) -> None:
    from streams.web.sessions import add_screen

    admin = people("administrator", "#/boards/floor")
    admin.get_by_role("button", name="Save as another").click()
    admin.get_by_label("Id: small letters").fill("wall")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("Saved as version 1")).to_be_visible()
    desk = served[0]
    with desk.writing() as connection:
        link = add_screen(connection, "hall", None, "D1", desk.ms(), "wall")
    screen = people(None, f"tv/{link}", 1920)
    expect(screen.locator(".tile")).to_have_count(6)
    assert screen.evaluate("location.hash") == "#/board?board=wall"
    expect(screen.get_by_role("button")).to_have_count(0)
    expect(screen.get_by_role("combobox")).to_have_count(0)
    admin.locator("[data-parts]").get_by_role("checkbox", name="Teams").uncheck()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(screen.locator("[data-entity^=team]")).to_have_count(0)
    expect(screen.locator(".tile")).to_have_count(6)
