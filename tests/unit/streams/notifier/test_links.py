"""Links that acknowledge, mail on a real server, and the bridge to an Alertmanager."""

from __future__ import annotations

import asyncio
import email
import email.header
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message as Mail
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from fastapi import FastAPI

from deploy.local.ports import free_port
from streams.contracts.outputs import AlertAction
from streams.database import StoreError
from streams.health_pages import FollowerHealth
from streams.kpi.policy.model import Policy
from streams.notifier.bridge import Bridge
from streams.notifier.channels.alertmanager import Alertmanager, alerts
from streams.notifier.channels.apprise import Apprise
from streams.notifier.channels.channel import Parcel
from streams.notifier.channels.mail import Mail as MailChannel
from streams.notifier.health import Health
from streams.notifier.links import Links, contacts_behind
from streams.notifier.message import Message, Recipient
from streams.notifier.server import Pages, create_app
from streams.people.names import Names
from streams.people.person import Person
from tests.support.notifying import START, Notifier, incident, notifier

KEY = "0123456789abcdef0123"
LINKS = Links("https://alerts.test", KEY, 3_600_000)
HELLO = Message(
    language="zh",
    severity="critical",
    title="满意度低于80%",
    lines=("班组 T2 72.0%",),
    people=(Recipient("a", None, "lead@x.test"),),
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Notifier]:
    made = notifier(tmp_path, {"floor": "dingtalk"})
    made.hears(incident())
    yield made
    made.close()


class Browser:
    """Asks an application without a network."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **what)

        return asyncio.run(asked())

    def get(self, path: str, **what: Any) -> httpx.Response:
        return self.ask("GET", path, **what)

    def post(self, path: str, **what: Any) -> httpx.Response:
        return self.ask("POST", path, **what)


class Acts:
    """What was done; ``away``: nobody takes it."""

    def __init__(self) -> None:
        self.done: list[AlertAction] = []
        self.away = False

    def __call__(self, action: AlertAction) -> None:
        if self.away:
            raise ConnectionError("away")
        self.done.append(action)


def browser(here: Notifier, acts: Acts) -> Browser:
    names = Names([Person("sup-1", name_zh="张伟"), Person("sup-2", name_zh="李娜"), Person("sup-3", name_zh="李娜")])
    return Browser(create_app(Pages(LINKS, here.journal, acts, lambda: names, here.clock), Health()))


def path(here: Notifier) -> str:
    return LINKS.make("i1", here.now).removeprefix("https://alerts.test")


def test_to_open_a_link_changes_nothing_and_its_button_acknowledges_once(here: Notifier) -> None:
    acts, link = Acts(), path(here)
    page = browser(here, acts)
    for _ in range(3):  # chats and mail scanners look at links
        shown = page.get(link, headers={"Accept-Language": "zh"})
        assert (shown.status_code, "由我处理" in shown.text) == (200, True)
    assert page.ask("HEAD", link).status_code == 405
    assert acts.done == []
    done = page.post(link, data={"by": "张伟", "note": "复盘"}, headers={"Accept-Language": "zh"})
    assert (done.status_code, "已认领" in done.text) == (200, True)
    (action,) = acts.done
    assert (action.kind, action.incident, action.by, action.note) == ("acknowledge", "i1", "sup-1", "复盘")
    assert page.post(link, data={"by": "sup-2"}).status_code == 410
    assert len(acts.done) == 1


@pytest.mark.parametrize(
    ("form", "status"), [({}, 422), ({"by": " "}, 422), ({"by": "李娜"}, 422), ({"by": "x" * 999}, 200)]
)
def test_whoever_acknowledges_says_who_they_are(here: Notifier, form: dict[str, str], status: int) -> None:
    assert browser(here, Acts()).post(path(here), data=form).status_code == status


def test_links_that_are_forged_or_expired_do_nothing(here: Notifier) -> None:
    acts = Acts()
    page, link = browser(here, acts), path(here)
    forged = Links("https://alerts.test", KEY + "x", 3_600_000).make("i1", here.now).removeprefix("https://alerts.test")
    assert page.post(forged, data={"by": "sup-1"}).status_code == 410
    assert page.get("/acknowledge/%00").status_code == 410
    here.now += 3_600_000 + 1000
    assert page.post(link, data={"by": "sup-1"}).status_code == 410
    assert acts.done == []


def test_a_link_is_good_until_it_is_kept_what_was_done(here: Notifier) -> None:
    acts, link = Acts(), path(here)
    acts.away = True
    page = browser(here, acts)
    assert page.post(link, data={"by": "sup-1"}).status_code == 503
    acts.away = False
    assert page.post(link, data={"by": "sup-1"}).status_code == 200


def test_what_is_over_or_taken_is_not_acknowledged(here: Notifier) -> None:
    acts = Acts()
    page, link = browser(here, acts), path(here)
    here.hears(incident(kinds=("opened", "resolved")))
    assert page.post(link, data={"by": "sup-1"}).status_code == 410
    assert acts.done == []


def test_what_people_wrote_is_text_on_the_page(here: Notifier) -> None:
    here.hears(incident(name_zh="<script>alert(1)</script>", name_en="<script>alert(1)</script>"))
    shown = browser(here, Acts()).get(path(here))
    assert "<script>" not in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="make one of 16 or more"):
        Links("https://x.test", "short", 1)


def test_health_says_what_is_the_matter(here: Notifier) -> None:
    seconds = [0.0]
    incidents, cases = (FollowerHealth(clock=lambda: seconds[0]) for _ in range(2))
    health = Health(lambda: {"floor": {"state": "failing"}}, True, incidents, cases)
    page = Browser(create_app(Pages(None, here.journal, Acts(), Names, here.clock), health))
    assert (page.get("/readyz").status_code, page.get("/healthz").status_code) == (503, 200)
    incidents.heard(0)
    assert page.get("/readyz").json()["state"] == "starting"  # cases are not followed yet
    cases.heard(7)
    assert page.get("/readyz").json() == {
        "state": "following",
        "sends": True,
        "behind": 0,
        "cases": {"state": "following", "behind": 7},
        "channels": {"floor": {"state": "failing"}},
    }
    seconds[0] = 40
    incidents.heard(0)
    cases.trouble("no database")
    told = page.get("/readyz")
    assert (told.status_code, told.json()["state"], told.json()["cases"]["reason"]) == (503, "behind", "no database")
    assert page.get("/healthz").status_code == 200
    seconds[0] = 160
    incidents.heard(0)
    cases.heard(0)
    seconds[0] = 290
    cases.beat()
    assert page.get("/healthz").status_code == 503  # the thread that follows incidents hangs


def test_a_case_follower_that_fails_is_seen_in_its_health(here: Notifier, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Event()

    def fails() -> None:
        stop.set()
        raise StoreError("the database is away")

    monkeypatch.setattr(here.records, "_look_after", fails)
    here.records.run(stop)
    assert here.health.told()["cases"] == {"state": "ended", "behind": 0, "reason": "the database is away"}


@pytest.mark.parametrize(
    ("at", "behind", "state"), [(0, 10, "following"), (0, 11, "behind"), (31, 0, "behind"), (61, 0, "stalled")]
)
def test_the_states_of_a_follower(at: float, behind: int, state: str) -> None:
    seconds = [0.0]
    health = FollowerHealth(60, 10, lambda: seconds[0])
    assert (health.state(), health.ready(), health.alive()) == ("starting", False, True)
    health.heard(behind)
    seconds[0] = at
    assert health.state() == state
    assert (health.ready(), health.alive()) == (state == "following", state != "stalled")
    assert FollowerHealth(60).ready() is False
    health.end()
    assert (health.state(), health.alive()) == ("ended", False)


class Inbox:
    """A mail server's letters; ``say``: what it answers to a letter."""

    def __init__(self) -> None:
        self.letters: list[Mail] = []
        self.say = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the server's name for it
        if self.say.startswith("250"):
            self.letters.append(email.message_from_bytes(envelope.content))
        return self.say


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    there = Inbox()
    server = Controller(there, hostname="127.0.0.1", port=free_port())
    server.start()
    yield there, f"smtp://127.0.0.1:{server.port}?tls=none"
    server.stop()


def test_mail_is_one_letter_by_its_message_id(inbox: tuple[Inbox, str]) -> None:
    there, url = inbox
    channel = MailChannel(url, "Deskpulse <d@x.test>", ["all@x.test"])
    letter = Parcel("msg_1", HELLO, {"incident": {"id": "i1"}}, START)
    assert [channel.send(letter).result, channel.send(letter).result] == ["told", "told"]
    first, second = there.letters
    assert first["Message-ID"] == second["Message-ID"] == "<msg_1@x.test>"
    assert first["To"] == "all@x.test, lead@x.test"
    assert str(email.header.make_header(email.header.decode_header(first["Subject"]))) == "满意度低于80%"
    assert "班组 T2 72.0%" in first.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert first["References"]


@pytest.mark.parametrize(("say", "result"), [("451 later", "unavailable"), ("554 never", "refused")])
def test_a_mail_server_that_says_no_is_understood(inbox: tuple[Inbox, str], say: str, result: str) -> None:
    there, url = inbox
    there.say = say
    assert MailChannel(url, "d@x.test", ["all@x.test"]).send(Parcel("m", HELLO, {}, START)).result == result


def test_mail_without_a_server_or_anybody_to_write_to() -> None:
    nobody = Message(language="zh", severity="info", title="x")
    assert (
        MailChannel("smtp://127.0.0.1:1", "d@x.test", ["a@x.test"]).send(Parcel("m", HELLO, {}, START)).result
        == "unavailable"
    )
    assert MailChannel("smtp://127.0.0.1:1", "d@x.test").send(Parcel("m", nobody, {}, START)).result == "refused"


def test_a_subject_cannot_add_headers(inbox: tuple[Inbox, str]) -> None:
    there, url = inbox
    evil = Message(language="zh", severity="info", title="x\r\nBcc: evil@x.test")
    assert MailChannel(url, "d@x.test", ["a@x.test"]).send(Parcel("m", evil, {}, START)).result == "told"
    assert there.letters[0]["Bcc"] is None


def test_apprise_is_let_go_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    release = Event()
    channel = Apprise("json://127.0.0.1:1/")
    channel.deadline_seconds = 0.05
    monkeypatch.setattr(channel._to, "notify", lambda **_: release.wait(20))
    assert channel.send(Parcel("m", HELLO, {}, START)).result == "unknown"
    assert channel.send(Parcel("m", HELLO, {}, START)).result == "unavailable"
    release.set()
    assert channel._running is not None
    channel._running.join()
    monkeypatch.setattr(channel._to, "notify", lambda **_: True)
    channel.deadline_seconds = 20
    assert channel.send(Parcel("m", HELLO, {}, START)).result == "told"
    with pytest.raises(ValueError, match="does not know this address"):
        Apprise("nothing at all")


class FakeAlertmanager:
    """API v2, as far as it is used."""

    def __init__(self) -> None:
        self.posted: list[list[dict[str, Any]]] = []
        self.held: dict[str, dict[str, Any]] = {}
        self.away = False

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away", request=request)
        if request.method == "POST":
            self.posted.append(json.loads(request.content))
            return httpx.Response(200)
        if request.url.path.endswith("/alerts"):
            found = {alert["labels"]["incident"]: alert for posted in self.posted for alert in posted}
            by = {
                one["incident"]: [id for id, each in self.held.items() if each["incident"] == one["incident"]]
                for one in self.held.values()
            }
            return httpx.Response(
                200,
                json=[{**found[id], "status": {"state": "suppressed", "silencedBy": ids}} for id, ids in by.items()],
            )
        return httpx.Response(200, json=self.held[request.url.path.rsplit("/", 1)[1]])


def test_a_silence_at_alertmanager_is_one_here_and_so_is_its_end(here: Notifier) -> None:
    there, acts = FakeAlertmanager(), Acts()
    channel = Alertmanager("http://am.test/", there.client)
    bridge = Bridge("floor", channel, here.journal, acts, "en", None)
    bridge.keep(here.now)
    (again,) = there.posted
    assert (again[0]["labels"]["incident"], again[0]["labels"]["team"]) == ("i1", "T2")
    until = START + timedelta(hours=2)
    there.held["s1"] = {"incident": "i1", "createdBy": "li", "comment": "known", "endsAt": until.isoformat()}
    bridge.keep(here.now)
    bridge.keep(here.now)
    (silence,) = acts.done
    assert (silence.kind, silence.incident, silence.by, silence.until, silence.note) == (
        "silence",
        "i1",
        "li",
        until,
        "known",
    )
    there.away = True
    with pytest.raises(ConnectionError):
        bridge.keep(here.now)
    assert len(acts.done) == 1  # who does not say is not taken to have ended it
    there.away = False
    there.held.clear()
    bridge.keep(here.now)
    bridge.keep(here.now)
    assert [(one.kind, one.silence) for one in acts.done[1:]] == [("unsilence", silence.id)]


def test_what_is_over_has_ended_at_alertmanager() -> None:
    (one,) = alerts([incident(kinds=("opened", "resolved"), every=60)], START + timedelta(hours=1), "en", None)[
        "alerts"
    ]
    assert one["endsAt"] == (START + timedelta(seconds=60)).isoformat()
    (one,) = alerts([incident()], START, "zh", None)["alerts"]
    assert one["endsAt"] > START.isoformat()


def test_contacts_behind_an_incident_are_those_of_now_while_it_fires_and_else_those_as_it_fired() -> None:
    def when(status: Any, **given: Any) -> str:
        one = incident(kinds=("opened", "grew"), every=600, **given)
        one.members[0].status = status
        return str(contacts_behind("https://desk.test", Policy(), one)).partition("&entity=")[2]

    assert when("firing") == "team%7CT2&at=2026-03-02T09%3A10%3A00Z&window=30m"
    for over in ("resolved", "no_data"):
        assert when(over) == "team%7CT2&at=2026-03-02T09%3A00%3A00Z&window=30m"
    assert when("firing", window="change") == "team%7CT2&first=2026-03-02"
    bare = incident(members=[], at=START + timedelta(minutes=5))
    assert "at=2026-03-02T09%3A05%3A00Z" in str(contacts_behind("https://desk.test", Policy(), bare))


def test_no_contacts_are_behind_an_incident_without_a_desk_of_this_moment_or_whose_id_would_fill_the_message() -> None:
    assert contacts_behind(None, Policy(), incident()) is None
    assert contacts_behind("https://desk.test", Policy(), incident(kpi="longest_wait", window="now")) is None
    assert contacts_behind("https://desk.test", Policy(), incident(entity=f"queue|{'售' * 90}")) is not None
    assert contacts_behind("https://desk.test", Policy(), incident(entity=f"queue|{'售' * 120}")) is None


def test_alertmanager_is_told_where_the_contacts_are() -> None:
    told = alerts([incident()], START, "zh", None, lambda one: f"https://desk.test/{one.id}")["alerts"][0]
    assert told["annotations"]["contacts"] == "https://desk.test/i1"
    assert "contacts" not in alerts([incident()], START, "zh", None)["alerts"][0]["annotations"]
