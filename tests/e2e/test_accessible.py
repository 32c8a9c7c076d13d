"""What people who do not see a page, or see it badly, would stumble over: axe-core on every page of the desk, in both languages, light and
dark, and on screens on a wall. A page of the router that is not in the table fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support import ROOT
from tests.support.desk_server import serving
from tests.support.month_browser import jobs_here
from tests.support.month_end import MARCH, card_file, entry
from tests.unit.streams.web.desk import PASSWORD, Desk, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

SOURCES = ROOT / "streams" / "web" / "frontend" / "src"
RUN = "month/ours/2026-03"
#: Says that a page is refused, or that there is no such thing.
REFUSED = "main [role=alert]"


@dataclass(frozen=True)
class Visit:
    """An address of a page, who opens it, and what says that it is there."""

    role: str
    address: str
    there: str


#: Page of the router → what is visited of it. ``login``: what is shown to who is not in.
PAGES: dict[str, list[Visit]] = {
    "login": [Visit("", "incidents", "input[name=password]")],
    "incidents": [Visit("supervisor", "incidents", ".card"), Visit("supervisor", "incidents/of-T1", "main h1, main h2")],
    "board": [Visit("quality", "board", ".square"), Visit("agent", "board", ".square")],
    "boards": [Visit("administrator", "boards", ".list .title"), Visit("administrator", "boards/floor", "[data-parts]")],
    "of": [
        Visit("quality", "of?entity=agent%7CA1", "main table"), Visit("quality", "of?entity=queue%7Corders", "main table"),
        Visit("quality", "of?entity=agent%7Cnone", "main [role=alert]"),
    ],
    "contacts": [
        Visit("quality", "contacts", "main form"),
        Visit("quality", "contacts?kpi=csat&entity=agent%7CA1&first=2026-03-02", "main table"),
        Visit("quality", "contacts?kpi=csat&entity=agent%7CA1&first=2026-03-02&part=left_out", "main table"),
    ],
    "contact": [Visit("quality", "contact?contact=calls%3Ac1", "main ol, main table"), Visit("quality", "contact?contact=calls%3Anone", REFUSED)],
    "agent": [Visit("quality", "agent?agent=A1&day=2026-03-02", "main table")],
    "month": [
        Visit("hr", "month", "main .card"), Visit("supervisor", "month", "main h1"), Visit("agent", "month", "main h1"),
        *(Visit("hr", f"{RUN}{after}", "main .parts") for after in ("", "/needs", "/approve", "/files", "/appeals")),
        Visit("supervisor", f"{RUN}/rate", "main table"), Visit("agent", f"{RUN}/sheet/A1", "main header h1"),
        Visit("supervisor", f"{RUN}/sheet/A1", "main header h1"), Visit("hr", f"{RUN}/behind/A1?item=resolved", "main .panel h1, main [role=alert]"),
        Visit("supervisor", f"{RUN}/sheet/A2", REFUSED), Visit("supervisor", "month/none/2026-03/rate", REFUSED), Visit("hr", "month/none/2026-03", REFUSED),
    ],
    "me": [Visit("agent", "me", ".own details"), Visit("supervisor", "me?agent=A1", ".own details")],
    "work": [Visit("supervisor", "work", ".matrix"), Visit("agent", "work", ".matrix")],
    "users": [Visit("administrator", "users", "main table")],
    "account": [Visit("viewer", "account", "main table")],
}  # fmt: skip
#: Parts of the month's page, by what its router calls them.
MONTH = {"needs", "people", "approve", "files", "appeals", "rate", "sheet", "behind"}


def test_every_page_of_the_router_is_visited() -> None:
    router = (SOURCES / "App.svelte").read_text("utf-8")
    pages = set(re.findall(r'{(?:#if|:else if) page === "(\w+)"', router))
    assert len(pages) > 8
    # What is none of these is the incidents; who is not in sees the login.
    assert PAGES.keys() == pages | {"incidents", "login"}
    month = (SOURCES / "pages" / "Month.svelte").read_text("utf-8")
    assert set(re.findall(r'(?:part|shown) === "(\w+)"', month)) | {"people"} == MONTH
    visited = {visit.address for visit in PAGES["month"]}
    for part in MONTH - {"people"}:
        assert any(address.startswith(f"{RUN}/{part}") for address in visited), part


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """The desk with a floor, a morning's contacts, incidents, and a month that is being rated."""
    folder = tmp_path_factory.mktemp("desk")
    desk = opened(folder)
    desk.month.entries = [entry("A1", team="T1"), entry("A2", team="T2")]
    desk.month.does("prepare", str(card_file(folder)), *MARCH, "--by", "lin")
    with jobs_here(), serving(desk.app) as address:
        yield desk, address
    desk.close()


def context_of(chromium: Browser, address: str, role: str, language: str, colours: str) -> BrowserContext:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale={"en": "en-GB", "zh": "zh-CN"}[language], base_url=address,
        color_scheme="dark" if colours == "dark" else "light", reduced_motion="reduce",
    )  # fmt: skip
    if role:
        assert context.request.post("/api/login", data={"name": role, "password": PASSWORD}).ok
    return context


def stumbles(page: Page, visit: Visit) -> list[str]:
    """What axe finds on an address: the rule, and where."""
    page.goto("about:blank")
    page.goto(f"/#/{visit.address}")
    expect(page.locator(visit.there).first).to_be_visible()
    page.wait_for_timeout(150)
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{visit.role or 'nobody'} {visit.address}: {one['id']} ({one['help']}): {node['html'][:160]}"
        + (f" [{check}]" if (check := _why(node)) else "")
        for one in found
        for node in one["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return str(checks[0]["message"])[:160] if checks else ""


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nobody_stumbles_on_a_page(served: tuple[Desk, str], chromium: Browser, language: str, colours: str) -> None:
    _, address = served
    found: list[str] = []
    visits = [visit for own in PAGES.values() for visit in own]
    for role in dict.fromkeys(visit.role for visit in visits):
        context = context_of(chromium, address, role, language, colours)
        page = context.new_page()
        for visit in visits:
            if visit.role == role:
                found += stumbles(page, visit)
        assert page.evaluate("document.documentElement.dataset.theme") == colours
        assert page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        context.close()
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nobody_stumbles_on_a_screen_on_a_wall(served: tuple[Desk, str], chromium: Browser, language: str) -> None:
    desk, address = served
    context = context_of(chromium, address, "", language, "light")
    page = context.new_page()
    page.goto(f"/tv/{desk.screen(f'hall-{language}', 'T1')}")
    expect(page.locator("html[data-tv]")).to_be_attached()
    found = [
        *stumbles(page, Visit("", "incidents", "main")), *stumbles(page, Visit("", "board", "[data-entity='team|T1']")),
    ]  # fmt: skip
    context.close()
    assert not found, "\n".join(found)


def test_the_axe_finds_something_to_stumble_over(chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    page.set_content(
        "<html lang='en'><title>t</title><main><h1>h</h1><img src='data:,'><button></button></main></html>"
    )
    found = {one["id"] for one in Axe().run(page).response["violations"]}
    page.close()
    assert {"image-alt", "button-name"} <= found
