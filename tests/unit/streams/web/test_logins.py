"""Logging in and out: what is let in, what ends a session, and what is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from streams.web import sessions, users
from streams.web.store import entries, note
from streams.web.users import By
from tests.unit.streams.web.desk import PASSWORD, Browser, Desk, opened


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path)
    yield made
    made.close()


def login(browser: Browser, name: str = "supervisor", password: str = PASSWORD) -> int:
    answer = browser.post("/api/login", json={"name": name, "password": password})
    if answer.status_code == 200:
        browser.headers["X-Form-Token"] = answer.json()["token"]
    return answer.status_code


def test_the_password_lets_in_and_the_database_does_not_know_what_the_browser_holds(desk: Desk) -> None:
    browser = desk.browser()
    assert login(browser) == 200
    assert browser.get("/api/me").json()["roles"] == ["supervisor"]
    (secret,) = browser.cookies.values()
    kept = b"".join(path.read_bytes() for path in desk.settings.data_dir.glob("scores.db*"))
    assert secret.encode() not in kept
    assert PASSWORD.encode() not in kept


def test_the_cookie_is_for_no_script_and_with_https_for_https_only(desk: Desk) -> None:
    given = {"name": "hr", "password": PASSWORD}
    told = desk.browser().post("/api/login", json=given).headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told
    assert "secure" not in told
    desk.settings = desk.settings.model_copy(update={"web_url": "https://desk.example.org"})
    desk.close()
    desk.__post_init__()
    browser = desk.browser()
    answer = browser.post("/api/login", json=given)
    # Of this host only, and for the whole of it: what browsers ask for where a name begins so.
    told = answer.headers["set-cookie"]
    assert told.startswith("__Host-deskpulse_session=")
    assert all(part in told.lower() for part in ("secure", "path=/", "httponly"))
    assert "domain=" not in told.lower()
    assert "max-age" in answer.headers["strict-transport-security"]
    assert browser.get("/api/me").status_code == 200
    plain = {"deskpulse_session": next(iter(browser.cookies.values()))}
    assert (
        Browser(desk.app, plain, {}).get("/api/me").status_code == 401
    )  # a neighbour in the domain may have set that one


@pytest.mark.parametrize(
    "password",
    ["密码学 第七章 第三节 练习", "correct horse 🐎 battery staple", "two  blanks stay  two blanks", "x7 Lp.q " * 16],
)
def test_a_password_is_any_text_as_it_is(desk: Desk, password: str) -> None:
    with desk.writing() as connection:
        users.change_password(connection, "supervisor", password, By("it-1", desk.ms()))
    assert login(desk.browser(), password=password) == 200
    for other in (password[:-1], password.replace("  ", " "), password.upper()):
        if other != password:
            assert login(desk.browser(), password=other) == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_what_is_not_sent_as_json_is_not_read(desk: Desk, kind: str) -> None:
    sent = json.dumps({"name": "hr", "password": PASSWORD}).encode()
    answer = desk.browser().post("/api/login", content=sent, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("name", "password"), [("supervisor", "wrong password!"), ("nobody", PASSWORD)])
def test_who_is_refused_does_not_learn_what_was_wrong(desk: Desk, name: str, password: str) -> None:
    answer = desk.browser().post("/api/login", json={"name": name, "password": password})
    assert (answer.status_code, answer.json()["detail"]) == (401, "name and password do not fit")


def test_a_login_makes_another_session_and_ends_the_one_before(desk: Desk) -> None:
    browser = desk.browser()
    login(browser)
    before = dict(browser.cookies)
    login(browser)
    assert browser.cookies != before
    assert Browser(desk.app, before, {}).get("/api/me").status_code == 401
    assert browser.get("/api/me").status_code == 200


def test_a_session_that_somebody_has_put_into_a_browser_is_not_taken_over(desk: Desk) -> None:
    browser = desk.browser("chosen-by-somebody-else")
    assert login(browser) == 200
    assert "chosen-by-somebody-else" not in browser.cookies.values()


def test_sessions_end_after_half_an_hour_without_a_sign_and_after_twelve(desk: Desk) -> None:
    secret = desk.begin("hr")
    for _ in range(24):
        desk.now += timedelta(minutes=29)
        assert desk.browser(secret).get("/api/me").status_code == 200
    desk.now += timedelta(minutes=25)  # 12 h 1 min
    assert desk.browser(secret).get("/api/me").status_code == 401
    secret = desk.begin("hr")
    desk.now += timedelta(minutes=31)
    assert desk.browser(secret).get("/api/me").status_code == 401


@pytest.mark.parametrize("what", ["role", "password", "disable", "logout"])
def test_what_is_changed_of_a_user_ends_their_sessions_at_once(desk: Desk, what: str) -> None:
    secret, others = desk.begin("supervisor"), desk.begin("hr")
    by = By("it-1", desk.ms())
    with desk.writing() as connection:
        if what == "role":
            users.change_roles(connection, "supervisor", ["viewer"], None, [], by)
        elif what == "password":
            users.change_password(connection, "supervisor", "another horse battery", by)
        elif what == "disable":
            users.disable(connection, "supervisor", by)
        else:
            users.log_out(connection, "supervisor", by)
    assert desk.browser(secret).get("/api/me").status_code == 401
    assert desk.browser(others).get("/api/me").status_code == 200
    assert login(desk.browser()) == (401 if what in ("password", "disable") else 200)


def test_ones_own_new_password_ends_ones_other_sessions_only(desk: Desk) -> None:
    here, there = desk.begin("agent"), desk.begin("agent")
    given = {"current": PASSWORD, "password": "another horse battery"}
    assert desk.browser(here).post("/api/password", json=given).status_code == 204
    assert desk.browser(here).get("/api/me").status_code == 200
    assert desk.browser(there).get("/api/me").status_code == 401
    assert login(desk.browser(), "agent", "another horse battery") == 200
    assert desk.browser(here).post("/api/password", json=given).status_code == 403  # it is another by now


def test_too_many_failed_logins_are_refused_for_a_while_even_with_the_password(desk: Desk) -> None:
    browser = desk.browser()
    assert [login(browser, password="wrong password!") for _ in range(11)] == [401] * 10 + [429]
    assert login(browser) == 429
    elsewhere = desk.browser()
    elsewhere.address = "192.0.2.8"
    assert login(elsewhere) == 200  # nobody is shut out by somebody else
    desk.now += timedelta(minutes=16)
    assert login(browser) == 200


def test_many_names_from_one_address_are_refused(desk: Desk) -> None:
    with desk.writing() as connection:
        for number in range(50):
            note(connection, desk.ms(), f"name-{number}", "login-failed", place="192.0.2.7")
    assert login(desk.browser()) == 429


@pytest.mark.parametrize(
    ("name", "password", "roles", "person", "teams", "why"),
    [
        ("new", "short", ["hr"], None, [], "12 to 128 characters"),
        ("new", "correct horse battery " * 6, ["hr"], None, [], "12 to 128 characters"),
        ("new", "new-new-new-new", ["hr"], None, [], "easily guessed"),
        ("new", "a" * 20, ["hr"], None, [], "easily guessed"),
        ("new", "password1234", ["hr"], None, [], "easily guessed"),
        ("new", "qwertyuiop12", ["hr"], None, [], "easily guessed"),
        ("new", "密码密码密码密码密码密码", ["hr"], None, [], "easily guessed"),
        ("hr", PASSWORD, ["hr"], None, [], "already"),
        ("new", PASSWORD, ["boss"], None, [], "no role 'boss'"),
        ("new", PASSWORD, [], None, [], "has a role"),
        ("new", PASSWORD, ["agent"], None, [], "--person"),
        ("new", PASSWORD, ["supervisor"], None, [], "--team"),
        (" new", PASSWORD, ["hr"], None, [], "no name"),
    ],
)
def test_what_no_user_can_be(
    desk: Desk, name: str, password: str, roles: list[str], person: str | None, teams: list[str], why: str
) -> None:
    with pytest.raises(ValueError, match=why), desk.writing() as connection:
        users.add(connection, name, password, roles, person, teams, By("it-1", desk.ms()))


def test_a_screen_is_let_in_by_its_link_for_months_and_until_it_is_revoked(desk: Desk) -> None:
    link = desk.screen("hall-2", "T1")
    browser = desk.browser()
    answer = browser.get(f"/tv/{link}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?tv")
    assert "max-age=34560000" in answer.headers["set-cookie"].lower()
    desk.now += timedelta(days=200)
    assert browser.get("/api/me").json() | {"token": ""} == {
        "name": "screen:hall-2", "person": None, "roles": ["viewer"], "teams": ["T1"], "screen": True, "session": None,
        "by_provider": False, "token": "",
    }  # fmt: skip
    with desk.writing() as connection:
        sessions.revoke_screen(connection, "hall-2", "D1", desk.ms())
    assert browser.get("/api/me").status_code == 401


def test_it_is_written_down_who_came_and_who_was_changed(desk: Desk) -> None:
    browser = desk.browser()
    login(browser, password="wrong password!")
    login(browser)
    browser.post("/api/logout")
    with desk.writing() as connection:
        found = [(one.author, one.action, one.place) for one in entries(connection, 3)]
    assert found == [
        ("supervisor", "login-failed", "192.0.2.7"),
        ("supervisor", "login", "192.0.2.7"),
        ("supervisor", "logout", ""),
    ]
