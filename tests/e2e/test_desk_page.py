"""The desk as people use it: a real Kafka, the process that makes incidents, the desk, and browsers of several roles."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from kafka import KafkaProducer
from playwright.sync_api import Browser, Page, expect

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts import topics
from streams.contracts.outputs import Alert
from streams.kafka.connection import kafka_python_options
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web.sessions import add_screen
from streams.web.store import desk_database, entries
from streams.web.users import By, add, log_out
from streams.windows.clock import instant
from tests.support.operation import answers, program

pytestmark = [pytest.mark.services, pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery"


@dataclass
class Floor:
    """An operation of which the test writes the alerts."""

    settings: Settings
    address: str
    screen: str
    producer: KafkaProducer
    process: ServerProcess

    def fires(self, entity: str, rule: str, kpi: str, value: float, team: str | None = None, ago: int = 240) -> None:
        """An alert fires, ``ago`` seconds after its condition began to hold."""
        now = instant(machine_ms())
        one = Alert(
            rule=rule, entity=entity, status="firing", severity="critical", at=now, since=now - timedelta(seconds=ago), kpi=kpi,
            window="now", threshold=120, value=value, n=7, team=team, reason_zh="等待超过告警线。", reason_en="The wait is over its threshold.",
        )  # fmt: skip
        topic = self.settings.topic(topics.ALERTS)
        self.producer.send(topic, key=one.key.encode(), value=msgspec.json.encode(one), partition=0).get(30)


@pytest.fixture(scope="module")
def floor(kafka: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    from streams.kafka.topics import ensure_topics

    folder = tmp_path_factory.mktemp("desk")
    settings = Settings(broker=kafka.address, prefix=f"desk{machine_ms()}.", partitions=2, data_dir=folder)  # type: ignore[attr-defined]
    ensure_topics(settings)
    now = machine_ms()
    with desk_database(None, folder) as database, database.write() as connection:
        for name, role, person, teams in (
            ("li", "supervisor", "S1", ["T1"]),
            ("wang", "supervisor", "S2", ["T1", "T2"]),
            ("anna", "agent", "A1", []),
            ("hr", "hr", None, []),
            ("it", "administrator", None, []),
        ):
            add(connection, name, PASSWORD, [role], person, teams, By("setup", now))
        link = add_screen(connection, "hall", "T1", "it", now)
    port, health = free_port(), free_port()
    producer = KafkaProducer(**kafka_python_options(settings))
    with (
        program(settings, "incidents", "incidents", "--metrics-port", str(health)),
        program(settings, "web", "web", "--port", str(port)) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        answers(f"{address}/healthz", process)
        found = Floor(settings, address, f"{address}/tv/{link}", producer, process)
        found.fires("queue|orders", "long_wait", "longest_wait", 185)
        found.fires("team|T1", "low_service_level", "service_level", 0.61, ago=600)
        found.fires("team|T2", "low_service_level_2", "service_level", 0.58, ago=500)
        yield found
    producer.close()


@pytest.fixture
def people(floor: Floor, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the desk in a browser of somebody's own. A script error, or a request to another server, fails the test."""
    contexts, wrong = [], []

    def opened(name: str | None = None, locale: str = "zh-CN", width: int = 1920, height: int = 1080) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=locale, base_url=floor.address
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
        page.on("request", lambda asked: None if asked.url.startswith(floor.address) else wrong.append(asked.url))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        if name is not None:
            page.goto("/")
            page.locator("input[name=name]").fill(name)
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("form button").click()
            expect(page.locator(".fresh:not(.stale)")).to_be_visible()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def test_each_sees_what_their_role_may_see(floor: Floor, people: Callable[..., Page]) -> None:
    li = people("li", "en-GB")
    expect(li.get_by_text("Queue orders")).to_be_visible()
    expect(li.get_by_text("Team T1")).to_be_visible()
    expect(li.get_by_text("Team T2")).to_have_count(0)
    li.get_by_role("link", name="Month end").click()
    expect(li.get_by_text("Nothing waits for you")).to_be_visible()

    anna = people("anna")  # begins on their own page
    expect(anna.get_by_role("heading", name="我的", exact=True)).to_be_visible()
    anna.get_by_role("link", name="告警事件").click()
    expect(anna.get_by_text("没有未结束的告警事件")).to_be_visible()
    expect(anna.locator(".card")).to_have_count(0)

    hr = people("hr")
    hr.get_by_role("link", name="月末考核").click()
    expect(hr.get_by_text("还没有准备过考核")).to_be_visible()

    it = people("it", "en-GB")
    it.get_by_role("link", name="Users").click()
    expect(it.get_by_role("cell", name="wang").first).to_be_visible()
    expect(it.get_by_role("link", name="Month end")).to_have_count(0)

    wrong = people(None, "en-GB")
    wrong.goto("/")
    wrong.locator("input[name=name]").fill("li")
    wrong.locator("input[name=password]").fill("not the password")
    wrong.locator("form button").click()
    expect(wrong.get_by_text("name and password do not fit")).to_be_visible()
    expect(wrong.locator("input[name=password]")).to_have_attribute("type", "password")
    wrong.get_by_label("Show the password").check()
    expect(wrong.locator("input[name=password]")).to_have_attribute("type", "text")
    expect(wrong.locator("input[name=password]")).to_have_value("not the password")


def test_an_acknowledgement_is_seen_by_another_at_once_and_a_screen_looks_only(
    floor: Floor, people: Callable[..., Page]
) -> None:
    li, wang, hall = people("li"), people("wang", "en-GB"), people()
    hall.goto(floor.screen)
    expect(hall.get_by_text("队列 orders")).to_be_visible()
    expect(hall.get_by_text("班组 T2")).to_have_count(0)
    expect(hall.get_by_role("button")).to_have_count(0)
    for page, words in ((li, "队列 orders"), (wang, "Queue orders")):
        page.get_by_role("link", name=re.compile(words)).click()
    li.get_by_role("button", name="由我处理").click()
    begun = time.monotonic()
    expect(wang.locator("article").get_by_text("S1 takes care").first).to_be_visible()
    print(f"an acknowledgement was seen by another after {time.monotonic() - begun:.2f} s")
    expect(hall.get_by_text("S1 处理中")).to_be_visible()

    wang.get_by_role("button", name="Add a note").click()
    wang.locator("textarea").fill("Two more people from orders-2")
    wang.get_by_role("button", name="Save").click()
    expect(li.locator("article").get_by_text("Two more people from orders-2")).to_be_visible()
    expect(hall.get_by_text("Two more people")).to_have_count(0)

    wang.get_by_role("button", name="Silence").click()
    wang.get_by_role("button", name="Save").click()
    expect(li.locator("article .badge").get_by_text("已静默")).to_be_visible()
    wang.locator("article").get_by_role("button", name="End the silence").click()
    expect(li.locator("article .badge").get_by_text("已静默")).to_have_count(0)


def test_what_is_stale_says_so_and_who_is_put_out_sees_nothing_more(floor: Floor, people: Callable[..., Page]) -> None:
    wang = people("wang", "en-GB")
    expect(wang.get_by_text("Team T1")).to_be_visible()
    wang.get_by_label("Language", exact=True).select_option("zh")
    expect(wang.get_by_text("班组 T1")).to_be_visible()
    os.kill(floor.process.pid or 0, signal.SIGSTOP)  # nothing comes any more, and no error
    expect(wang.get_by_text("数据中断")).to_be_visible()
    expect(wang.get_by_role("alert")).to_contain_text("与服务器的连接已断开")
    floor.fires("agent|A1", "long_state", "longest_wait", 900, team="T1")
    os.kill(floor.process.pid or 0, signal.SIGCONT)
    expect(wang.locator(".fresh:not(.stale)")).to_be_visible()
    expect(wang.get_by_text("A1 · ")).to_be_visible()
    with desk_database(None, floor.settings.data_dir) as database, database.write() as connection:
        log_out(connection, "wang", By("it", machine_ms()))
    expect(wang.locator("form input[name=password]")).to_be_visible()

    anna = people("anna", "zh-CN", 390, 844)
    anna.goto("/#/incidents")
    expect(anna.locator(".card")).to_have_count(1)
    li = people("li", "en-GB", 390, 844)
    expect(li.get_by_text("A1 · ")).to_be_visible()
    with desk_database(None, floor.settings.data_dir) as database, database.read() as connection:
        looks = {(one.author, one.subject) for one in entries(connection, 100) if one.action == "looked"}
    assert ("S1", "A1") in looks
    assert ("A1", "A1") not in looks
