"""Single sign-on: who comes in by the provider and as what, what is refused, and who is out when they are out there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from streams.web.provider import Provider, ProviderError
from streams.web.sign_on import SignOn, example, load
from streams.web.store import entries
from streams.web.users import By, disable
from tests.support.provider import CLIENT, ISSUER, SECRET, FakeProvider
from tests.unit.streams.web.desk import SIGN_ON, START, Browser, Desk, opened, provider_of

LI = {"preferred_username": "li", "employee_id": "S7", "groups": ["leads", "everyone"], "teams": ["T1"]}


@pytest.fixture
def there() -> FakeProvider:
    return FakeProvider(round(START.timestamp()), {"u-li": dict(LI)})


@pytest.fixture
def desk(tmp_path: Path, there: FakeProvider) -> Iterator[Desk]:
    made = opened(tmp_path, provider_of(there))
    yield made
    made.close()


def come_in(desk: Desk, there: FakeProvider, who: str = "u-li", **instead: str) -> tuple[Browser, httpx.Response]:
    """A browser that has been to the provider, and what it was told when it came back."""
    browser = desk.browser()
    sent = browser.get("/login")
    assert sent.status_code == 303
    back = there.logs_in(sent.headers["location"], who) | instead
    answer = browser.get(f"/login/back?{urlencode(back)}")
    if answer.headers["location"] == "/":
        browser.headers["X-Form-Token"] = browser.get("/api/me").json()["token"]
    return browser, answer


def later(desk: Desk, there: FakeProvider, minutes: float) -> None:
    desk.now += timedelta(minutes=minutes)
    there.now = desk.ms() // 1000


def test_who_comes_by_the_provider_is_what_its_claims_say(desk: Desk, there: FakeProvider) -> None:
    browser, answer = come_in(desk, there)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = browser.get("/api/me").json()
    assert (me["name"], me["person"], me["roles"], me["teams"], me["by_provider"]) == (
        "li",
        "S7",
        ["supervisor"],
        ["T1"],
        True,
    )
    assert desk.browser().get("/api/login").json() == {"password": True, "sign_on": {"zh": "公司账号"}}
    with desk.writing() as connection:
        assert [one.action for one in entries(connection, 9, "li")] == ["user-added", "login"]


def test_what_the_browser_holds_opens_what_is_kept_and_nothing_else_does(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    kept = b"".join(path.read_bytes() for path in desk.settings.data_dir.glob("scores.db*"))
    assert not [token for token in there._tokens if token.encode() in kept]
    later(desk, there, 12)
    browser.cookies = {name: value + "x" for name, value in browser.cookies.items()}
    assert browser.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://evil.example.org"}, "iss"), ({"aud": "another"}, "aud"), ({"aud": ["another", CLIENT]}, "another client"),
        ({"azp": "another"}, "another client"), ({"exp": 1_000}, "expired"), ({"nonce": "another"}, "nonce"), ({"iat": 9_999_999_999}, "in the future"),
        ({"sub": "u-wang"}, "somebody else"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_us_lets_nobody_in(
    desk: Desk, there: FakeProvider, claims: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    there.wrong = claims
    browser, answer = come_in(desk, there)
    assert answer.headers["location"] == "/?login=again"
    assert browser.get("/api/me").status_code == 401
    assert why in caplog.text


def test_a_token_by_another_key_lets_nobody_in(desk: Desk, there: FakeProvider) -> None:
    come_in(desk, there)
    there.key = ECKey.generate_key("P-256", {"kid": "k1"})
    _, answer = come_in(desk, there)  # its keys were read this minute
    assert answer.headers["location"] == "/?login=again"
    later(desk, there, 2)
    _, answer = come_in(desk, there)
    assert answer.headers["location"] == "/"


def test_a_token_signed_with_what_both_sides_know_or_with_nothing_lets_nobody_in(
    desk: Desk, there: FakeProvider
) -> None:
    from joserfc import jwt

    def by_secret(**claims: Any) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))

    def by_nobody(**claims: Any) -> str:
        _, body, _ = FakeProvider.signed(there, **claims).split(".")
        return f"eyJhbGciOiJub25lIn0.{body}."

    for forged in (by_secret, by_nobody):
        there.signed = forged  # type: ignore[method-assign]
        _, answer = come_in(desk, there)
        assert answer.headers["location"] == "/?login=again"


def test_only_the_browser_that_began_a_login_ends_it_and_once(desk: Desk, there: FakeProvider) -> None:
    thief = desk.browser()
    begun = desk.browser().get("/login")
    stolen = urlencode(there.logs_in(begun.headers["location"], "u-li"))
    assert thief.get(f"/login/back?{stolen}").headers["location"] == "/?login=again"
    browser = desk.browser()
    back = urlencode(there.logs_in(browser.get("/login").headers["location"], "u-li"))
    assert browser.get(f"/login/back?{back}").headers["location"] == "/"
    assert browser.get(f"/login/back?{back}").headers["location"] == "/?login=again"


@pytest.mark.parametrize(
    ("instead", "reason"),
    [({"error": "access_denied"}, "denied"), ({"error": "server_error"}, "again"), ({"iss": "https://other.example"}, "again"),
     ({"state": "another"}, "again")],
)  # fmt: skip
def test_an_answer_that_is_no_login_says_why(
    desk: Desk, there: FakeProvider, instead: dict[str, str], reason: str
) -> None:
    browser, answer = come_in(desk, there, **instead)
    assert answer.headers["location"] == f"/?login={reason}"
    assert browser.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["everyone"]}, {"groups": None}, {"preferred_username": ""}, {"preferred_username": "hr"}, {"teams": []},
        {"groups": ["floor"], "employee_id": None}, {"preferred_username": "x" * 65}, {"employee_id": ["S7"]},
    ],
)  # fmt: skip
def test_whom_the_provider_knows_and_we_do_not_is_told_so(
    desk: Desk, there: FakeProvider, claims: dict[str, Any]
) -> None:
    there.people["u-li"] |= claims
    browser, answer = come_in(desk, there)
    assert answer.headers["location"] == "/?login=nobody"
    assert browser.get("/api/me").status_code == 401
    with desk.writing() as connection:
        assert [one.action for one in entries(connection, 9, "u-li")] == ["login-failed"]


def test_a_provider_that_is_away_is_said(desk: Desk, there: FakeProvider) -> None:
    there.away = True
    assert desk.browser().get("/login").headers["location"] == "/?login=away"


def test_who_is_disabled_there_is_out_within_fifteen_minutes(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    del there.people["u-li"]
    later(desk, there, 9)
    assert browser.get("/api/me").status_code == 200
    later(desk, there, 6)
    assert browser.get("/api/me").status_code == 401
    there.people["u-li"] = dict(LI)
    assert browser.get("/api/me").status_code == 401


def test_who_works_on_is_asked_of_the_provider_and_not_asked_themself(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    for _ in range(8):
        later(desk, there, 14)
        assert browser.get("/api/me").status_code == 200
    assert there.asked.count("/token") == 9
    browser.get("/api/me")
    assert there.asked.count("/token") == 9


def test_other_claims_are_another_role_from_then_on_and_what_was_open_ends(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    there.people["u-li"]["teams"] = ["T2"]
    later(desk, there, 12)
    assert browser.get("/api/me").status_code == 401
    browser, _ = come_in(desk, there)
    assert browser.get("/api/me").json()["teams"] == ["T2"]


def test_a_provider_that_is_away_puts_out_nobody_until_what_it_said_is_too_old(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    there.away = True
    later(desk, there, 14)
    assert browser.get("/api/me").status_code == 200
    later(desk, there, 2)
    assert browser.get("/api/me").status_code == 401
    there.away = False
    assert browser.get("/api/me").status_code == 200


def test_without_renewal_a_login_lasts_as_long_as_its_claims(desk: Desk, there: FakeProvider) -> None:
    there.refreshes = False
    browser, _ = come_in(desk, there)
    later(desk, there, 14)
    assert browser.get("/api/me").status_code == 200
    later(desk, there, 2)
    assert browser.get("/api/me").status_code == 401


def test_who_is_disabled_here_does_not_come_in_there(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    with desk.writing() as connection:
        disable(connection, "li", By("administrator", desk.ms()))
    assert browser.get("/api/me").status_code == 401
    _, answer = come_in(desk, there)
    assert answer.headers["location"] == "/?login=nobody"


def test_another_name_there_is_the_same_user_here(desk: Desk, there: FakeProvider) -> None:
    come_in(desk, there)
    there.people["u-li"]["preferred_username"] = "li-wang"
    browser, _ = come_in(desk, there)
    assert browser.get("/api/me").json()["name"] == "li"


def test_logging_out_here_leads_to_the_logout_there(desk: Desk, there: FakeProvider) -> None:
    browser, _ = come_in(desk, there)
    goes = browser.post("/api/logout").json()["next"]
    assert goes == f"{ISSUER}/logout?client_id=deskpulse&post_logout_redirect_uri=https%3A%2F%2Fdesk.example.org%2F"
    assert browser.get("/api/me").status_code == 401
    local = desk.browser(desk.begin("hr"))
    assert local.post("/api/logout").json() == {"next": None}


def test_logging_out_there_ends_the_sessions_here(desk: Desk, there: FakeProvider) -> None:
    there.people["u-wang"] = LI | {"preferred_username": "wang"}
    for named in ({"sid": "at-u-li"}, {"sub": "u-li"}, {"sub": "u-li", "sid": "at-u-li"}):
        (li, _), (wang, _) = come_in(desk, there), come_in(desk, there, "u-wang")
        assert ended(desk, there.logout_token(**named)).status_code == 200
        assert (li.get("/api/me").status_code, wang.get("/api/me").status_code) == (401, 200)


@pytest.mark.parametrize(
    "claims",
    [
        {}, {"sub": "u-li", "aud": "another"}, {"sub": "u-li", "iss": "https://evil.example.org"}, {"sub": "u-li", "nonce": "n"},
        {"sub": "u-li", "events": {}}, {"sub": "u-li", "events": "logout"}, {"sub": "u-li", "iat": 1_000},
    ],
)  # fmt: skip
def test_what_is_no_logout_token_ends_nothing(desk: Desk, there: FakeProvider, claims: dict[str, Any]) -> None:
    browser, _ = come_in(desk, there)
    assert ended(desk, there.logout_token(**claims)).status_code == 400
    assert ended(desk, "no token").status_code == 400
    assert browser.get("/api/me").status_code == 200


def ended(desk: Desk, token: str) -> httpx.Response:
    """The provider tells of a logout."""
    import asyncio

    async def told() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app), base_url="http://desk") as http:
            return await http.post("/login/ended", data={"logout_token": token})

    return asyncio.run(told())


def test_what_a_provider_says_is_not_changed_here(desk: Desk, there: FakeProvider) -> None:
    from streams.web.users import change_password, change_roles

    come_in(desk, there)
    with desk.writing() as connection:
        for change in (
            lambda: change_roles(connection, "li", ["hr"], None, [], By("d", 0)),
            lambda: change_password(connection, "li", "correct horse battery", By("d", 0)),
        ):
            with pytest.raises(ValueError, match="by the single sign-on"):
                change()
    assert desk.browser().post("/api/login", json={"name": "li", "password": ""}).status_code in (401, 422)
    assert (
        desk.browser().post("/api/login", json={"name": "li", "password": "nobody has this password"}).status_code
        == 401
    )


def test_a_provider_that_calls_itself_otherwise_is_said(there: FakeProvider) -> None:
    file = SignOn.model_validate({**SIGN_ON, "issuer": f"{ISSUER}/"})
    provider = Provider(file, SECRET, "https://d/login/back", lambda: there.now * 1000, there.transport)
    from streams.web.provider import Begun

    with pytest.raises(ProviderError, match=r"calls itself .*realms/desk.; write that"):
        provider.login(Begun.now())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"issuer": "http://id.example.org"}, "https://"), ({"roles": {"claim": "groups", "are": {"x": "boss"}}}, "no role 'boss'"),
        ({"clientid": "x"}, "clientid"), ({"roles": {"are": {}}}, "roles.are"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_entry(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    import yaml

    path = tmp_path / "sign-on.yaml"
    path.write_text(yaml.safe_dump({**SIGN_ON, **values}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ValueError, match=said) as refused:
        load(path)
    assert str(path) in str(refused.value)


def test_the_example_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "sign-on.yaml"
    path.write_text(example(), encoding="utf-8")
    assert load(path).roles.are["desk-hr"] == "hr"
