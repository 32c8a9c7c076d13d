"""Every route × every role × one's own and another's. A route that is not in the table fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import delete
from starlette.routing import Mount, Route

from streams.web.board_store import save
from streams.web.tables import boards
from tests.support.month_browser import jobs_here
from tests.support.month_end import MARCH, card_file, entry
from tests.support.provider import FakeProvider
from tests.support.work_desk import add_case
from tests.unit.streams.web.desk import PASSWORD, ROLES, START, Desk, opened, provider_of

NOBODY, SCREEN = "nobody", "screen"
EVERYBODY = (*ROLES, SCREEN, NOBODY)


@dataclass(frozen=True)
class Access:
    """What a request gets, by role: of one's own, and of another's. ``path``: with what of the object; ``body``: what is sent."""

    own: Mapping[str, int]
    others: Mapping[str, int] | None = None
    path: Callable[[Desk, bool, str], str] | None = None
    body: Any = None


def only(*roles: str, status: int = 200, else_: int = 403) -> dict[str, int]:
    return {role: status if role in roles else else_ for role in EVERYBODY} | {NOBODY: 401}


def all_but_nobody(status: int = 200, **other: int) -> dict[str, int]:
    return {**dict.fromkeys(EVERYBODY, status), NOBODY: 401, **other}


def of_team(desk: Desk, own: bool, role: str, after: str = "") -> str:
    return f"/api/incidents/of-{'T1' if own else 'T2'}{after}"


def session(desk: Desk, own: bool, role: str) -> str:
    whose = role if own and role in ROLES else "viewer" if role != "viewer" else "hr"
    return f"/api/sessions/{desk.session(desk.begin(whose))}"


def figure(own: bool) -> str:
    """A figure of an agent of team T1, or of T2."""
    return f"kpi=csat&entity=agent|{'A1' if own else 'A2'}&first=2026-03-02"


#: Contacts are seen by whom they are of, whoever leads them, and quality.
CONTACTS = only("agent", "supervisor", "quality"), only("quality") | {"agent": 404, "supervisor": 404}
#: So are sheets, which are of everybody for HR, too.
SHEETS = (
    only("agent", "supervisor", "quality", "hr"),
    only("quality", "hr") | {"agent": 404, "supervisor": 404},
)


def month(after: str = "") -> Callable[[Desk, bool, str], str]:
    """Of the run that is prepared; ``{person}``: of team T1, or of T2."""
    return lambda _, own, __: f"/api/month/runs/ours/2026-03{after.format(person='A1' if own else 'A2')}"


def whose(after: str) -> Callable[[Desk, bool, str], str]:
    """Of somebody of team T1, or of T2."""
    return lambda _, own, __: f"/api/month/people/{'A1' if own else 'A2'}{after}"


def about(_: Desk, own: bool) -> dict[str, Any]:
    """An appeal of somebody of team T1, or of T2."""
    return {"card": "ours", "period": "2026-03", "person": "A1" if own else "A2", "items": ["care"], "reason": "r"}


def case_of(team: str) -> dict[str, int]:
    """Who gets a case of a team, which is owned by somebody who is none of them."""
    hr = only("hr") | {"agent": 404, "quality": 404, "supervisor": 404}
    return hr | {"supervisor": 200} if team == "T1" else hr


def work(what: str) -> Callable[[Desk, bool, str], str]:
    """The address of a case, or of what is done to it."""

    def path(desk: Desk, own: bool, role: str) -> str:
        return f"/api/work/cases/{what.format(id=fresh(desk, own)) if what == '{id}' else what}"

    return path


def fresh(desk: Desk, own: bool) -> str:
    """A case that nobody has touched, of team T1 or T2."""
    return add_case(desk, f"c{next(NUMBERS)}", "bad_rating", 1, "S9", agent="A9", team="T1" if own else "T2")


def with_case(**more: Any) -> Callable[[Desk, bool], dict[str, Any]]:
    """What is sent about a case."""
    return lambda desk, own: {"ids": [fresh(desk, own)], **more}


NUMBERS = count()


def board(after: str = "") -> Callable[[Desk, bool, str], str]:
    """A board that somebody has saved themselves, or another."""

    def made(desk: Desk, own: bool, role: str) -> str:
        id = a_board(own)["board"]["id"]
        author = (ROLES[role][0] or role) if own and role in ROLES else "X9"
        with desk.writing() as connection:
            connection.execute(delete(boards).where(boards.c.board == id))
            save(connection, id, a_board(own)["board"], 0, author, 0)
        return f"/api/boards/{id}{after}"

    return made


def a_board(own: bool) -> dict[str, Any]:
    """What is sent to change it."""
    return {"board": {"id": "mine" if own else "theirs", "name": {"zh": "大厅", "en": "Hall"}}, "base": 1}


#: Supervisors make boards of their own; administrators change everybody's. Others look at them, at /api/board.
BOARDS = only("supervisor", "administrator")
OPEN = Access(dict.fromkeys(EVERYBODY, 200))
TABLE: dict[tuple[str, str], Access] = {
    ("GET", "/"): OPEN,
    ("GET", "/healthz"): OPEN,
    ("GET", "/tv/{token}"): Access(dict.fromkeys(EVERYBODY, 404)),
    ("GET", "/api/login"): OPEN,
    ("GET", "/login"): Access(dict.fromkeys(EVERYBODY, 303)),
    ("GET", "/login/back"): Access(dict.fromkeys(EVERYBODY, 303)),
    ("POST", "/login/ended"): Access(dict.fromkeys(EVERYBODY, 400), body={}),
    ("POST", "/api/login"): Access(dict.fromkeys(EVERYBODY, 200), body={"name": "viewer", "password": PASSWORD}),
    ("POST", "/api/logout"): Access(all_but_nobody(screen=403)),
    ("POST", "/api/password"): Access(
        all_but_nobody(422, screen=403), body={"current": PASSWORD, "password": "short"}
    ),
    ("GET", "/api/me"): Access(all_but_nobody()),
    ("GET", "/api/sessions"): Access(all_but_nobody()),
    ("DELETE", "/api/sessions/{id}"): Access(
        all_but_nobody(204, screen=403), all_but_nobody(404, screen=403, administrator=204), session
    ),
    ("GET", "/api/users"): Access(only("administrator")),
    ("GET", "/api/journal"): Access(only("administrator")),
    ("GET", "/api/words"): Access(all_but_nobody()),
    ("GET", "/api/incidents/{id}"): Access(
        all_but_nobody(), all_but_nobody(200, agent=404, supervisor=404, screen=404), of_team
    ),
    ("POST", "/api/incidents/{id}/actions"): Access(
        only("supervisor", status=202), only("supervisor", status=404),
        lambda desk, own, role: of_team(desk, own, role, "/actions"), {"kind": "acknowledge"},
    ),
    ("GET", "/api/contacts"): Access(*CONTACTS, lambda _, own, __: f"/api/contacts?{figure(own)}"),
    ("GET", "/api/contacts/left-out"): Access(*CONTACTS, lambda _, own, __: f"/api/contacts/left-out?{figure(own)}"),
    ("GET", "/api/contacts/one"): Access(
        *CONTACTS, lambda _, own, __: f"/api/contacts/one?contact=calls:{'c1' if own else 'c0'}"
    ),
    ("GET", "/api/contacts/events"): Access(
        *CONTACTS, lambda _, own, __: f"/api/contacts/events?contact=calls:{'c1' if own else 'c0'}"
    ),
    ("GET", "/api/agents/{agent}/day"): Access(
        *CONTACTS, lambda _, own, __: f"/api/agents/{'A1' if own else 'A2'}/day?day=2026-03-02"
    ),
    ("GET", "/api/course"): Access(
        *CONTACTS, lambda _, own, __: f"/api/course?{figure(own).replace('first', 'day')}"
    ),
    ("GET", "/api/board"): Access(all_but_nobody()),
    ("GET", "/api/board/one"): Access(
        only("agent", "supervisor", "quality", else_=404), only("quality", else_=404),
        lambda _, own, __: f"/api/board/one?entity=agent|{'A1' if own else 'A2'}",
    ),
    ("GET", "/api/board/courses"): Access(
        all_but_nobody(), None, lambda _, __, ___: "/api/board/courses?cell=csat@agent|A1"
    ),
    ("GET", "/api/boards/{id}"): Access(BOARDS, BOARDS, board()),
    ("GET", "/api/boards/{id}/yaml"): Access(BOARDS, BOARDS, board("/yaml")),
    ("GET", "/api/boards/{id}/versions/{version}"): Access(BOARDS, BOARDS, board("/versions/1")),
    ("POST", "/api/boards/check"): Access(BOARDS, body={"yaml": "{id: a, name: {zh: 甲, en: A}}"}),
    ("PUT", "/api/boards/{id}"): Access(BOARDS, only("administrator"), board(), lambda _, own: a_board(own)),
    ("DELETE", "/api/boards/{id}"): Access(BOARDS, only("administrator"), board("?base=1")),
    ("GET", "/api/month/runs"): Access(only("hr")),
    ("GET", "/api/month/runs/{card}/{period}"): Access(only("hr"), path=month()),
    ("GET", "/api/month/opening"): Access(only("hr")),
    ("POST", "/api/month/runs"): Access(only("hr", status=404), body={"card": "none", "period": "2026-03"}),
    ("GET", "/api/month/jobs"): Access(only("hr")),
    ("GET", "/api/month/jobs/{id}"): Access(only("hr", status=404), path=lambda *_: "/api/month/jobs/0a"),
    ("GET", "/api/month/jobs/{id}/files/{name}"): Access(
        only("hr", status=404), path=lambda *_: "/api/month/jobs/0a/files/scores.db"
    ),
    ("GET", "/api/month/runs/{card}/{period}/needs"): Access(only("hr"), path=month("/needs")),
    ("PUT", "/api/month/runs/{card}/{period}/due"): Access(
        only("hr"), path=month("/due"), body={"days": {"inputs": "2026-04-03"}}
    ),
    ("GET", "/api/month/runs/{card}/{period}/template"): Access(only("hr"), path=month("/template")),
    ("POST", "/api/month/inputs"): Access(
        only("hr", status=422), path=lambda *_: "/api/month/inputs?name=a.csv&card=ours&period=2026-03", body={}
    ),
    ("GET", "/api/month/mine"): Access(only("hr", "supervisor", "quality", "agent")),
    ("GET", "/api/month/runs/{card}/{period}/ratings"): Access(only("hr", "supervisor", "quality"), path=month("/ratings")),
    ("GET", "/api/month/runs/{card}/{period}/people/{person}"): Access(*SHEETS, month("/people/{person}")),
    ("GET", "/api/month/people/{person}/rules"): Access(*SHEETS, whose("/rules")),
    ("POST", "/api/month/people/{person}/rules"): Access(
        # The agent's own page alone may; those are no rules of theirs.
        only("agent", status=404), only() | {"agent": 404, "supervisor": 404},
        whose("/rules"), {"card": "none", "period": "2026-03", "digest": "0" * 64},
    ),
    ("GET", "/api/month/people/{person}/sheets"): Access(*SHEETS, whose("/sheets")),
    ("GET", "/api/month/rules"): Access(only("hr", "supervisor", "quality")),
    ("GET", "/api/month/runs/{card}/{period}/people/{person}/items/{item}/contacts"): Access(
        only("agent", "supervisor", "quality", "hr", status=422), SHEETS[1] | dict.fromkeys(("quality", "hr"), 422),
        month("/people/{person}/items/care/contacts"),  # no contacts are behind what is rated
    ),
    ("PUT", "/api/month/runs/{card}/{period}/people/{person}/draft"): Access(
        # A's own column comes first; it is 409 to whoever sees the sheet and has to wait.
        SHEETS[0] | {"supervisor": 409, "quality": 409, "hr": 409},
        SHEETS[1] | {"quality": 409, "hr": 409},
        month("/people/{person}/draft"), {"column": "self", "ratings": {"care": "20"}},
    ),
    ("POST", "/api/month/runs/{card}/{period}/people/{person}/review"): Access(
        # Signed by the agent themself in whichever order roles are tried: nobody else may.
        only("agent", status=200) | dict.fromkeys(("supervisor", "quality", "hr"), 403),
        only(status=403) | {"agent": 404, "supervisor": 404},
        month("/people/{person}/review"), {"column": "self", "ratings": {"care": "20"}},
    ),
    ("POST", "/api/month/runs/{card}/{period}/people/{person}/acknowledgement"): Access(
        only("agent"), only(status=403) | {"agent": 404, "supervisor": 404},
        month("/people/{person}/acknowledgement"), {"agreed": False, "reason": "unheard"},
    ),
    ("POST", "/api/month/runs/{card}/{period}/people/{person}/few"): Access(
        only("supervisor", "hr", status=409), only("hr", status=409) | {"supervisor": 404},
        month("/people/{person}/few"), {"item": "resolved", "decision": "count", "reason": "r"},
    ),
    ("POST", "/api/month/runs/{card}/{period}/overview"): Access(only("hr", status=202), path=month("/overview"), body={}),
    ("POST", "/api/month/runs/{card}/{period}/approval"): Access(only("hr", status=202), path=month("/approval"), body={}),
    ("POST", "/api/month/runs/{card}/{period}/reopening"): Access(
        only("hr", status=409), path=month("/reopening"), body={"reason": "r"}
    ),
    ("POST", "/api/month/runs/{card}/{period}/publication"): Access(
        only("hr", status=409), path=month("/publication"), body={}
    ),
    ("POST", "/api/month/runs/{card}/{period}/files"): Access(only("hr", status=202), path=month("/files"), body={}),
    ("GET", "/api/month/appeals"): Access(only("hr", "supervisor", "quality", "agent")),
    ("POST", "/api/month/appeals"): Access(
        # Nothing is published yet: 409 for whom they may see.
        only("hr", "supervisor", "quality", "agent", status=409),
        only("hr", "quality", status=409) | {"agent": 404, "supervisor": 404},
        lambda *_: "/api/month/appeals", about,
    ),
    ("GET", "/api/month/appeals/{id}"): Access(
        only("hr", "supervisor", "quality", "agent", status=404), path=lambda *_: "/api/month/appeals/1"
    ),
    ("POST", "/api/month/appeals/{id}/difference"): Access(
        only("hr", status=404), path=lambda *_: "/api/month/appeals/1/difference", body={"ratings": {}}
    ),
    ("POST", "/api/month/appeals/{id}/decision"): Access(
        only("hr", status=404), path=lambda *_: "/api/month/appeals/1/decision", body={"accepted": False, "reason": "r"}
    ),
    ("GET", "/api/work/cases"): Access(only("hr", "supervisor", "quality", "agent")),
    ("GET", "/api/work/cases/export.{ending}"): Access(
        only("hr", "supervisor", "quality", "agent"), path=lambda *_: "/api/work/cases/export.ics"
    ),
    **{
        ("GET" if body is None else "POST", f"/api/work/cases/{what}"): Access(
            case_of("T1"), case_of("T2"), work(what), body
        )
        for what, body in (
            ("{id}", None), ("note", with_case(text="r")), ("weigh", with_case(important=True)), ("assign", with_case(owner="S1")),
            ("close", with_case(root_cause="r", plan="p")),
        )
    },
    ("GET", "/api/month/tasks"): Access(only("hr", "supervisor", "quality", "agent")),
    ("POST", "/api/month/runs/{card}/{period}/people/{person}/follow-up"): Access(
        # Nothing is published yet.
        only("hr", "supervisor", "quality", "agent", status=404),
        only("hr", "supervisor", "quality", "agent", status=404),
        month("/people/{person}/follow-up"), {"action": "interview", "step": "done", "text": "r"},
    ),
    ("GET", "/openapi.json"): Access(all_but_nobody()),
}  # fmt: skip
#: Streams do not end by themselves: who gets what of them is in test_incidents.py and test_board.py; here is who is refused.
STREAMS = {("GET", "/api/incidents/stream"), ("GET", "/api/board/stream")}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    there = FakeProvider(round(START.timestamp()))
    folder = tmp_path_factory.mktemp("desk")
    made = opened(folder, provider_of(there))
    made.month.entries = [entry("A1", team="T1"), entry("A2", team="T2")]
    made.month.does("prepare", str(card_file(folder)), *MARCH, "--by", "lin")
    with jobs_here():
        yield made
    made.close()


def routes(found: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of each, of routers that were joined, too."""
    for route in found:
        if isinstance(route, Mount):
            assert route.path == "/assets"  # files of the page: the same for everybody
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in (route.methods or set()) - {"HEAD"})
        elif isinstance(route, APIRoute):
            yield from ((method, route.path) for method in route.methods)
        else:
            yield from routes(route.original_router.routes)


def test_every_route_is_in_the_table(desk: Desk) -> None:
    assert set(routes(desk.app.routes)) == TABLE.keys() | STREAMS


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize(("method", "path"), sorted(TABLE), ids=lambda value: str(value).strip("/").replace("/", "-"))
def test_who_gets_what(desk: Desk, method: str, path: str, role: str) -> None:
    access = TABLE[method, path]
    secret = desk.begin(role) if role in ROLES else None
    link = desk.screen(f"hall-{sorted(TABLE).index((method, path))}", "T1") if role == SCREEN else None
    for own, expected in ((True, access.own), (False, access.others)):
        if expected is not None:
            asked = access.path(desk, own, role) if access.path else path.format(token="none", card="c", period="p")
            body = access.body(desk, own) if callable(access.body) else access.body
            answer = desk.browser(secret, link).request(method, asked, json=body)
            assert answer.status_code == expected[role], answer.text


def test_nobody_follows_the_stream(desk: Desk) -> None:
    for _, path in STREAMS:
        assert desk.browser().get(path).status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_a_change_needs_our_own_page(desk: Desk, role: str) -> None:
    secret = desk.begin(role)
    for headers in (
        {"X-Form-Token": ""},
        {"X-Form-Token": "0" * 64},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
    ):
        assert desk.browser(secret).post("/api/logout", headers=headers).status_code == 403, headers
    own = {"Origin": "http://desk", "Sec-Fetch-Site": "same-origin"}
    assert desk.browser(secret).post("/api/logout", headers=own).status_code == 200
    assert desk.browser(secret).get("/api/me").status_code == 401


def test_another_site_cannot_log_somebody_in(desk: Desk) -> None:
    given = {"name": "viewer", "password": PASSWORD}
    answer = desk.browser().post("/api/login", json=given, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_no_answer_can_be_framed_or_run_what_is_inline(desk: Desk) -> None:
    secret = desk.begin("hr")
    for path in ("/", "/api/me", "/api/none", "/assets/none"):
        headers = desk.browser(secret).get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_itself_has_nothing_inline_and_nothing_of_another_server(desk: Desk) -> None:
    page = desk.browser().get("/").text
    assert "<style" not in page
    assert "://" not in page
    assert page.count("<script") == page.count('src="/assets/')
