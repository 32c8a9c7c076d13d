"""An agent's own page on a phone and the work list, in a browser: rules that are read and noted, a case that is closed, an interview that
both sign, whom one may not see; and that nobody stumbles over either page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scoring.store.rules_read import noted
from scoring.workflow.gather import store
from streams.cases.store import find
from streams.notifier.journal import open_journal
from tests.support.work_desk import add_cases, at_work, served
from tests.unit.streams.web.desk import PASSWORD, Desk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]
PHONE, SCREEN = (390, 844), (1920, 1080)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    made = at_work(tmp_path_factory.mktemp("desk"))
    with served(made) as address:
        yield made, address
    made.close()


@pytest.fixture
def opened(desk: tuple[Desk, str], chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address of the desk as somebody of a role. A script error, or a request to another server, fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(
        role: str, address: str, size: tuple[int, int] = SCREEN, language: str = "en-GB", colours: str = "light"
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=language, base_url=desk[1], reduced_motion="reduce",
            color_scheme="dark" if colours == "dark" else "light",
        )  # fmt: skip
        context.set_default_timeout(120_000)
        contexts.append(context)
        assert context.request.post("/api/login", data={"name": role, "password": PASSWORD}).ok
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
        page.on("request", lambda asked: None if asked.url.startswith(desk[1]) else wrong.append(asked.url))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"/{address}")
        return page

    expect.set_options(timeout=120_000)
    yield open_
    for context in contexts:
        context.close()
    assert not wrong


def fits(page: Page) -> bool:
    """Is nothing wider than the screen?"""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_an_agent_reads_and_notes_the_rules_on_a_phone(desk: tuple[Desk, str], opened: Callable[..., Page]) -> None:
    anna = opened("agent", "", PHONE)  # their own page is where they begin
    expect(anna.get_by_role("heading", name="My page")).to_be_visible()
    expect(anna.get_by_text("n = 20").first).to_be_visible()
    expect(anna.get_by_text("Reached", exact=True)).to_be_visible()
    expect(anna.get_by_text("Too few to say", exact=True)).to_be_visible()
    anna.get_by_role("button", name="2026-05 Not noted").click()
    expect(anna.get_by_text("40 points")).to_be_visible()
    expect(anna.get_by_text("actual ÷ target").first).to_be_visible()
    assert fits(anna)
    anna.get_by_role("button", name="I have read and noted the rules of 2026-05").click()
    expect(anna.get_by_text("noted on")).to_be_visible()
    anna.reload()
    expect(anna.get_by_role("button", name="2026-05 Noted")).to_be_visible()
    with store(desk[0].month) as database, database.read() as connection:
        assert noted(connection, "ours", "2026-05").keys() == {"A1"}
    # From a figure to its contacts in one tap.
    anna.locator("a.value").first.click()
    expect(anna.get_by_role("heading", name="Contacts")).to_be_visible()
    # Their supervisor sees who has not.
    sue = opened("supervisor", "#/work")
    sue.locator("summary", has_text="2026-05").click()
    expect(sue.get_by_role("link", name="A3")).to_be_visible()
    expect(sue.locator("details[open]").get_by_role("link", name="A1")).to_have_count(0)


def test_a_supervisor_looks_at_their_people_and_at_nobody_elses(
    desk: tuple[Desk, str], opened: Callable[..., Page]
) -> None:
    sue = opened("supervisor", "#/me?agent=A1")
    expect(sue.get_by_role("heading", name="Page of A1")).to_be_visible()
    expect(sue.get_by_role("button", name="I have read")).to_have_count(0)
    sue.goto("/#/me?agent=A2")
    expect(sue.get_by_text("there is no such sheet").first).to_be_visible()
    for path in ("people/A2/rules", "people/A2/sheets"):
        assert sue.request.get(f"/api/month/{path}").status == 404
    assert sue.request.get("/api/board/one?entity=agent|A2").status == 404


def test_a_supervisor_closes_a_case_and_another_teams_is_not_there(
    desk: tuple[Desk, str], opened: Callable[..., Page]
) -> None:
    ids = add_cases(desk[0])
    sue = opened("supervisor", "#/work?group=case")
    expect(sue.get_by_role("button", name="bad rating: call c1")).to_be_visible()
    expect(sue.get_by_text("call c0")).to_have_count(0)
    assert sue.request.get(f"/api/work/cases/{ids['other']}").status == 404
    sue.get_by_role("button", name="bad rating: call c1").click()
    sue.get_by_role("button", name="Close", exact=True).click()
    expect(sue.get_by_role("button", name="Close it")).to_be_disabled()
    sue.get_by_label("Root cause").fill("the form was unclear")
    expect(sue.get_by_role("button", name="Close it")).to_be_disabled()
    sue.get_by_label("Improvement plan").fill("a new form by Friday")
    sue.get_by_role("button", name="Close it").click()
    expect(sue.get_by_role("button", name="bad rating: call c1")).to_have_count(0)
    with open_journal(None, desk[0].settings.data_dir) as journal, journal.database.read() as connection:
        closed = find(connection, ids["new"])
    assert closed is not None
    assert (closed.status, closed.plan) == ("closed", "a new form by Friday")
    # Filters stay in the address; several are done at once.
    sue.get_by_role("link", name="Call backs").click()
    expect(sue.locator("li.entry")).to_have_count(2)
    assert "group=call_back" in sue.url
    for box in sue.get_by_role("checkbox").all():
        box.check()
    sue.get_by_role("button", name="Close", exact=True).click()
    sue.get_by_label("What came of it").fill("reached, solved")
    sue.get_by_role("button", name="Close it").click()
    expect(sue.locator("li.entry")).to_have_count(0)
    sue.reload()
    expect(sue.get_by_text("Nothing here")).to_be_visible()


def test_an_interview_is_signed_by_both(opened: Callable[..., Page]) -> None:
    sue = opened("supervisor", "#/work?group=follow_up")
    row = sue.locator("li.entry").filter(has_text="nterview").filter(has_text="A1").first
    row.locator("button.title").click()
    for number, text in enumerate(("calm on the phone", "looks up too late", "resolved 92 %")):
        row.locator("textarea").nth(number).fill(text)
    row.get_by_role("button", name="Keep the record").click()
    row.get_by_role("button", name="Sign", exact=True).click()
    expect(row.get_by_text("not signed")).to_have_count(1)
    anna = opened("agent", "#/work?group=follow_up", PHONE)
    anna.locator("li.entry button.title").first.click()
    expect(anna.get_by_text("looks up too late")).to_be_visible()
    anna.get_by_role("button", name="Sign", exact=True).click()
    expect(anna.locator("li.entry")).to_have_count(0)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_nobody_stumbles_over_these_pages(opened: Callable[..., Page], language: str, colours: str) -> None:
    found: list[str] = []
    for role, address, size, there in (
        ("agent", "#/me", PHONE, ".own details"), ("supervisor", "#/me?agent=A1", SCREEN, ".own details"),
        ("supervisor", "#/work", SCREEN, "li.entry"), ("agent", "#/work", PHONE, ".matrix"), ("hr", "#/work", PHONE, "li.entry"),
    ):  # fmt: skip
        page = opened(role, address, size, language, colours)
        expect(page.locator(there).first).to_be_visible()
        if there == "li.entry":
            page.locator("button.title").first.click()
        page.wait_for_timeout(500)
        assert fits(page), (role, address)
        assert page.evaluate("document.documentElement.dataset.theme") == colours
        found += [
            f"{role} {address}: {one['id']} ({one['help']}): {node['html'][:160]}"
            for one in Axe().run(page).response["violations"]
            for node in one["nodes"]
        ]
    assert not found, "\n".join(dict.fromkeys(found))
