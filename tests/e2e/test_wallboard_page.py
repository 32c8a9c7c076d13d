"""What people see on the wall: the page in a real browser, on a served wallboard and a real Redis."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import Locator, Page, expect

from scoring.store.audit import Actor
from scoring.store.database import Database
from scoring.store.tokens import add
from streams.contact_links import contacts_address
from streams.contracts.outputs import WINDOWS, Alert, Presence, Target, Totals, entity, entity_id, entity_kind
from streams.kpi.policy.model import Policy
from streams.people.person import Person
from streams.people.sheet import PeopleFile
from streams.people.store import people_database, take
from streams.system_clock import machine_ms
from streams.targets.book import Targets
from streams.wallboard.meta import meta
from streams.windows.clock import instant
from tests.e2e.conftest import DESK, Desk

pytestmark = [pytest.mark.services, pytest.mark.browser]

POLICY = Policy()
CALLS = {"calls_offered": 40, "calls_answered": 38, "calls_answered_within_20s": 36, "wait_seconds": 342_000}
RATED = {"csat_ratings": 20, "csat_satisfied": 18}
HANDLED = {"calls_handled": 38, "handle_seconds": 38 * 272_000}


def shown(key: str, *sums: dict[str, int], today: dict[str, int] | None = None, **own: Any) -> Totals:
    """An entity's sums, the same in every window unless ``today`` differs."""
    merged = {name: amount for part in sums for name, amount in part.items()}
    windows = dict.fromkeys(WINDOWS, merged)
    if today is not None:
        windows["today"] = today
    if entity_kind(key) == "agent":
        own.setdefault("team", "T1")
    return Totals(entity=key, as_of=instant(machine_ms()), windows=windows, policy=POLICY.version, **own)


def state(
    agent: str,
    name: str,
    *,
    seconds: int = 0,
    team: str = "T1",
    since: datetime | None = None,
    lasts: int | None = None,
) -> Presence:
    """``lasts``: seconds from now after which nobody knows, if nothing more is heard."""
    now = instant(machine_ms())
    until = None if lasts is None else now + timedelta(seconds=lasts)
    return Presence(agent_id=agent, state=name, since=since or now - timedelta(seconds=seconds), team=team, until=until)


def alert(key: str, status: Any = "firing", severity: Any = "critical") -> Alert:
    now = instant(machine_ms())
    return Alert(
        rule="low_satisfaction",
        entity=key,
        status=status,
        severity=severity,
        at=now,
        since=now - timedelta(seconds=65),
        kpi="csat",
        window="30m",
        threshold=0.8,
        value=0.6,
        n=10,
        reason_zh=f"{entity_id(key)} 近30分钟客户满意度 60.0%（样本 10），低于告警线 80.0%",
        reason_en=f"{entity_id(key)}: satisfaction in 30 min is 60.0 % (10 ratings), below 80 %",
    )


def tile(page: Page, kpi: str, part: str = "value") -> Locator:
    return page.locator(f'[data-testid="tile"][data-kpi="{kpi}"] [data-role="{part}"]')


def row(page: Page, agent: str) -> Locator:
    return page.locator(f'[data-testid="agent-row"][data-id="{agent}"]')


def cell(page: Page, agent: str, kpi: str, part: str = "value") -> Locator:
    return row(page, agent).locator(f'[data-kpi="{kpi}"] [data-role="{part}"]')


def open_alert(page: Page, told: Alert) -> Locator:
    """Its link to the contacts behind it."""
    return page.locator(f'[data-testid="alert"][data-key="{told.rule}|{told.entity}"] [data-role="behind"]')


def order(page: Page) -> list[str]:
    return [each.get_attribute("data-id") or "" for each in page.get_by_test_id("agent-row").all()]


def test_agents_are_called_by_name_where_the_address_has_a_token(screen: Page, desk: Desk) -> None:
    told = [
        Person("A1", name_zh="李娜", name_latin="Li Na"),
        Person("A2", name_zh="李娜"),
        Person("A3", name_zh="王<b>伟"),
    ]
    now = instant(machine_ms())
    with people_database(None, desk.settings.data_dir) as database, database.write() as connection:
        take(connection, PeopleFile({one.agent_id: one for one in told}, {}), "hr-1", now)
    scores = Database.of(None, desk.settings.data_dir)
    with scores.write() as connection:
        token = add(connection, "screen", "hr", Actor("hr-1", now))
    scores.close()
    bad = replace(alert("agent|A1"), reason_zh="坐席 A1 近30分钟", reason_en="CSAT, agent A1, in")
    desk.shows(*(shown(f"agent|{one}", CALLS) for one in ("A1", "A2", "A3", "A4")), bad)
    screen.goto("/")
    expect(row(screen, "A1").get_by_role("rowheader")).to_have_text("A1")
    screen.goto(f"/?lang=zh#token={token}")
    screen.reload()
    for id, name in (("A1", "李娜（A1）"), ("A2", "李娜（A2）"), ("A3", "王<b>伟"), ("A4", "A4")):
        expect(row(screen, id).get_by_role("rowheader")).to_have_text(name)
    card = screen.get_by_test_id("alert").first
    expect(card.locator('[data-role="entity"]')).to_have_text("坐席 李娜（A1）")
    expect(card.locator('[data-role="reason"]')).to_have_text("坐席 李娜（A1） 近30分钟")
    screen.get_by_test_id("filter").fill("王<b>")
    assert order(screen) == ["A3"]
    screen.get_by_test_id("filter").fill("")
    screen.get_by_test_id("lang").click()
    expect(row(screen, "A1").get_by_role("rowheader")).to_have_text("Li Na")
    expect(card.locator('[data-role="reason"]')).to_have_text("CSAT, agent Li Na, in")


def test_a_tile_says_value_sample_interval_and_how_it_stands(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", CALLS, RATED, HANDLED, waiting=3, longest_wait=334.0))
    screen.goto("/")
    expect(tile(screen, "service_level_20s")).to_have_text("90.0%")
    expect(tile(screen, "service_level_20s", "sample")).to_have_text("样本 40 · 76.9%～96.0%")
    expect(tile(screen, "service_level_20s", "stands")).to_have_text("正常")
    expect(tile(screen, "service_level_20s", "rule")).to_have_text("告警线 < 80%")
    expect(tile(screen, "average_handle_time")).to_have_text("4分32秒")
    expect(tile(screen, "waiting")).to_have_text("3")
    expect(tile(screen, "waiting", "longest_wait")).to_have_text("5分34秒")
    expect(tile(screen, "waiting", "stands")).to_have_text("超限")
    # Nobody has chatted: no data is a dash, not 0 %.
    expect(tile(screen, "first_response_30s_rate")).to_have_text("—")
    expect(tile(screen, "first_response_30s_rate", "stands")).to_have_text("无数据")
    # No rule watches the answer rate: it is neither good nor bad.
    expect(tile(screen, "answer_rate")).to_have_text("95.0%")
    expect(tile(screen, "answer_rate", "stands")).to_have_text("")


@pytest.mark.parametrize(
    ("satisfied", "ratings", "percent", "stands"),
    [
        (17, 20, "85.0%", "正常"),
        (16, 20, "80.0%", "临界"),
        (13, 20, "65.0%", "超限"),
        (0, 4, "0.0%", "样本量不足（4 < 8）"),
    ],
)
def test_how_a_value_stands_follows_the_rule(
    screen: Page, desk: Desk, satisfied: int, ratings: int, percent: str, stands: str
) -> None:
    desk.shows(shown("all|all", {"csat_ratings": ratings, "csat_satisfied": satisfied}))
    screen.goto("/")
    expect(tile(screen, "csat")).to_have_text(percent)
    expect(tile(screen, "csat", "stands")).to_have_text(stands)


def test_colours_follow_the_target_of_the_day(screen: Page, desk: Desk) -> None:
    """Figures stay, the day goes on and a sheet comes in: what they are coloured by changes under an open page."""

    def aim(of: str, since: str, value: str) -> Target:
        return Target(
            kpi="csat", of=of, valid_from=date.fromisoformat(since), value=value, unit="ratio", author="hr-1", at=instant(0)
        )  # fmt: skip

    def told(*aims: Target) -> Targets:
        book, by_key = Targets(), {one.key: [each for each in aims if each.key == one.key] for one in aims}
        assert book.load({key: msgspec.json.encode(own) for key, own in by_key.items()}) == {}
        return book

    def on(day: int, *aims: Target) -> None:
        noon = round(datetime(2026, 3, day, 4, tzinfo=UTC).timestamp() * 1000)
        desk.shows(shown("all|all", RATED), shown("team|T1", RATED), event_ms=noon, targets=told(*aims))

    team, tells = screen.locator('[data-testid="group"][data-id="T1"] [data-kpi="csat"]'), re.compile
    aims = [
        aim("all|all", "2026-03-02", "0.85"),
        aim("all|all", "2026-03-03", "0.95"),
        aim("team|T1", "2026-03-03", "0.9"),
    ]
    on(2, *aims)
    screen.goto("/")
    expect(tile(screen, "csat")).to_have_text("90.0%")
    expect(tile(screen, "csat", "stands")).to_have_text("达标")
    expect(tile(screen, "csat", "rule")).to_have_text("目标 ≥ 85%")
    expect(team).to_have_class(tells("good"))
    on(3, *aims)
    expect(tile(screen, "csat", "stands")).to_have_text("未达标")
    expect(tile(screen, "csat", "rule")).to_have_text("目标 ≥ 95%")
    expect(team).to_have_class(tells("good"))
    on(3, *aims, aim("team|T1", "2026-03-03", "0.92"))
    expect(team).to_have_class(tells("bad"))
    expect(tile(screen, "csat")).to_have_text("90.0%")


def test_figures_move_when_redis_does(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED), shown("agent|A1", RATED), state("A1", "available", seconds=65))
    screen.goto("/")
    expect(tile(screen, "csat")).to_have_text("90.0%")
    expect(cell(screen, "A1", "csat")).to_have_text("90.0%")
    expect(row(screen, "A1").locator(".word")).to_have_text("空闲")
    worse = {"csat_ratings": 25, "csat_satisfied": 18}
    desk.shows(shown("all|all", worse), shown("agent|A1", worse), shown("agent|A2"), state("A1", "on_contact"))
    expect(tile(screen, "csat")).to_have_text("72.0%")
    expect(cell(screen, "A1", "csat")).to_have_text("72.0%")
    expect(cell(screen, "A1", "csat", "n")).to_have_text("25")
    expect(row(screen, "A1").locator(".word")).to_have_text("服务中")
    expect(cell(screen, "A2", "csat")).to_have_text("—")


def test_an_alert_appears_flashes_and_goes(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED), alert("team|T1", severity="warning"))
    screen.goto("/")
    alerts = screen.get_by_test_id("alert")
    expect(alerts).to_have_count(1)
    expect(alerts).not_to_have_class(re.compile("fresh"))
    desk.shows(alert("agent|A7"))
    expect(alerts).to_have_count(2)
    first = alerts.first
    expect(first).to_have_attribute("data-key", "low_satisfaction|agent|A7")
    expect(first).to_have_class(re.compile("fresh"))
    expect(first).to_contain_text("A7 近30分钟客户满意度 60.0%（样本 10），低于告警线 80.0%")
    expect(first).to_contain_text(re.compile(r"严重\s*坐席 A7\s*告警中"))
    expect(first).to_contain_text("查看近期差评的服务记录（录音、会话），先找共同原因")
    expect(screen.get_by_test_id("alert-count")).to_have_text("2")
    desk.shows(alert("agent|A7", "resolved"), alert("team|T1", "resolved", "warning"))
    expect(alerts).to_have_count(0)
    expect(screen.get_by_test_id("alerts-none")).to_be_visible()
    expect(screen.get_by_test_id("step").filter(has_text="已恢复")).to_have_count(2)


def test_the_language_is_the_browsers_until_somebody_chooses(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED), shown("agent|A1"), state("A1", "away"), alert("agent|A1"))
    screen.goto("/")
    expect(screen.locator("html")).to_have_attribute("lang", "zh-CN")
    name = screen.locator('[data-testid="tile"][data-kpi="csat"] [data-role="name"]')
    expect(name).to_have_text("客户满意度")
    screen.get_by_test_id("lang").click()
    expect(name).to_have_text("Customer satisfaction")
    expect(row(screen, "A1").locator(".word")).to_have_text("Away")
    expect(screen.get_by_test_id("alert")).to_contain_text("satisfaction in 30 min is 60.0 %")
    screen.reload()
    expect(name).to_have_text("Customer satisfaction")
    screen.goto("/?lang=zh")
    expect(name).to_have_text("客户满意度")


def test_the_window_is_every_kpis_usual_one_until_somebody_chooses(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED, today={"csat_ratings": 100, "csat_satisfied": 81}))
    screen.goto("/")
    expect(tile(screen, "csat")).to_have_text("90.0%")
    expect(tile(screen, "csat", "window")).to_have_text("30分钟")
    screen.get_by_test_id("windows").get_by_role("button", name="今日").click()
    expect(tile(screen, "csat")).to_have_text("81.0%")
    expect(tile(screen, "csat", "window")).to_have_text("今日")
    screen.reload()
    expect(tile(screen, "csat")).to_have_text("81.0%")
    screen.goto("/?window=5m")
    expect(tile(screen, "csat", "window")).to_have_text("5分钟")


def test_redis_goes_and_comes_back_without_a_hand(screen: Page, desk: Desk) -> None:
    banner = screen.get_by_test_id("banner")
    screen.goto("/")
    expect(banner).to_contain_text("Redis 中暂无数据")
    expect(screen.get_by_test_id("age")).to_have_text("无数据")
    # Nothing is known: that is not the same as no alerts.
    expect(screen.get_by_test_id("alert-count")).to_have_text("—")
    expect(screen.get_by_test_id("alerts-none")).to_be_hidden()
    desk.shows(shown("all|all", RATED))
    expect(tile(screen, "csat")).to_have_text("90.0%")
    expect(banner).to_be_hidden()
    desk.redis.kill()
    expect(banner).to_contain_text("无法读取 Redis")
    # What was last known stays, marked as no longer moving.
    expect(tile(screen, "csat")).to_have_text("90.0%")
    expect(screen.locator("body")).to_have_class(re.compile("frozen"))
    desk.redis.restart()
    desk.shows(shown("all|all", {"csat_ratings": 20, "csat_satisfied": 17}))
    expect(tile(screen, "csat")).to_have_text("85.0%")
    expect(banner).to_be_hidden()


def test_the_server_goes_and_comes_back_without_a_hand(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED))
    screen.goto("/")
    expect(tile(screen, "csat")).to_have_text("90.0%")
    desk.server.kill()
    expect(screen.get_by_test_id("banner")).to_contain_text("与大屏服务的连接已中断")
    desk.serve()
    desk.shows(shown("all|all", {"csat_ratings": 20, "csat_satisfied": 17}))
    expect(tile(screen, "csat")).to_have_text("85.0%")
    expect(screen.get_by_test_id("banner")).to_be_hidden()


@pytest.mark.parametrize(("ago", "stands"), [(0, "good"), (10, "near"), (40, "bad")])
def test_the_age_of_the_data_is_said(screen: Page, desk: Desk, ago: int, stands: str) -> None:
    desk.shows(shown("all|all", RATED), ago_seconds=ago)
    screen.goto("/")
    age = screen.get_by_test_id("age")
    expect(age).to_have_class(f"badge {stands}")
    expect(age).to_have_text(re.compile(r"^数据延迟 \d+(\.\d)?\s秒$"))
    expect(screen.get_by_test_id("banner")).to_be_visible(visible=ago > 30)


def test_times_go_by_the_operations_clock(screen: Page, desk: Desk) -> None:
    desk.shows(shown("agent|A1"), state("A1", "on_contact", seconds=65))
    screen.goto("/")
    expect(screen.get_by_test_id("mode")).to_have_text("实时")
    held = row(screen, "A1").locator('[data-role="state-time"]')
    expect(held).to_have_text(re.compile(r"^1分[5-9]秒$"))
    before = held.inner_text()
    expect(held).not_to_have_text(before)

    desk.forgets()
    then = datetime(2025, 8, 14, 6, 32, 7, tzinfo=UTC)
    desk.shows(
        shown("agent|A1"),
        state("A1", "on_contact", since=then - timedelta(seconds=200)),
        event_ms=round(then.timestamp() * 1000),
    )
    expect(screen.get_by_test_id("mode")).to_have_text("事件时钟 · 回放")
    expect(screen.get_by_test_id("clock")).to_have_text("14:32:07")
    expect(screen.get_by_test_id("date")).to_contain_text("2025年8月14日")
    expect(held).to_have_text("3分20秒")


def test_agents_can_be_sorted_filtered_and_picked_by_team(screen: Page, desk: Desk) -> None:
    desk.shows(
        shown("agent|A10", {"csat_ratings": 10, "csat_satisfied": 9}, team="T1"),
        shown("agent|A9", {"csat_ratings": 10, "csat_satisfied": 7}, team="T2"),
        shown("agent|A8", team="T1"),
        shown("team|T1"),
        shown("team|T2"),
        state("A10", "available"),
        state("A9", "on_contact", team="T2"),
        state("A8", "offline"),
    )
    screen.goto("/")
    expect(screen.get_by_test_id("agent-row")).to_have_count(3)
    expect(screen.get_by_test_id("staff")).to_have_text("空闲 1服务中 1离线 1")
    # Who is on duty comes first; 9 before 10.
    assert order(screen) == ["A9", "A10", "A8"]
    head = screen.get_by_role("columnheader", name=re.compile("^满意度"))
    head.get_by_role("button").click()
    assert order(screen) == ["A9", "A10", "A8"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    assert order(screen) == ["A10", "A9", "A8"], "no data stands last, whichever way round"
    screen.get_by_test_id("filter").fill("服务中")
    assert order(screen) == ["A9"]
    screen.get_by_test_id("filter").fill("")
    screen.get_by_test_id("team").select_option("T1")
    expect(screen.get_by_test_id("agent-row")).to_have_count(2)
    assert "team=T1" in screen.url
    screen.reload()
    expect(screen.get_by_test_id("agent-row")).to_have_count(2)
    expect(screen.get_by_test_id("team")).to_have_value("T1")
    screen.locator('[data-testid="group"][data-id="T1"]').click()
    expect(screen.get_by_test_id("agent-row")).to_have_count(3)


def rated(satisfied: int, ratings: int = 100) -> dict[str, int]:
    return {"csat_ratings": ratings, "csat_satisfied": satisfied}


def test_who_differs_from_the_team_is_marked_in_words_too(screen: Page, desk: Desk) -> None:
    desk.shows(*(shown(f"agent|{id}", rated(90)) for id in ("A1", "A2", "A3")), shown("agent|A4", {}))
    desk.marks({"A1": "better", "A2": "worse", "A4": "worse"}, date(2026, 2, 2), date(2026, 3, 1))
    screen.goto("/")
    better, worse = cell(screen, "A1", "csat", "differs"), cell(screen, "A2", "csat", "differs")
    said = "近 28 天与班组其他成员差异显著：更好（截至 2026-03-01；原因需人工核实）"
    expect(better).to_be_visible()
    expect(better).to_have_attribute("title", said)
    expect(screen.get_by_role("img", name=said)).to_have_count(1)
    expect(worse).to_have_attribute("aria-label", re.compile("更差"))
    shapes = [each.evaluate("el => getComputedStyle(el).maskImage") for each in (better, worse)]
    assert shapes[0] != shapes[1], "not by colour alone"
    assert "svg" in shapes[0]
    colours = [each.evaluate("el => getComputedStyle(el).backgroundColor") for each in (better, worse)]
    assert colours[0] == colours[1], "alerts have colours, marks do not"
    expect(cell(screen, "A3", "csat", "differs")).to_be_hidden()
    expect(cell(screen, "A4", "csat")).to_have_text("—")
    expect(cell(screen, "A4", "csat", "differs")).to_be_hidden()
    # Values stand under each other with and without a mark.
    ends = {
        cell(screen, each, "csat").evaluate("el => el.getBoundingClientRect().right") for each in ("A1", "A2", "A3")
    }
    assert len(ends) == 1
    expect(screen.get_by_test_id("differs-legend")).to_contain_text("近 28 天与班组其他成员差异显著（原因需人工核实）")
    screen.get_by_test_id("lang").click()
    expect(better).to_have_attribute(
        "aria-label",
        "Differs from the rest of the team: better (28 days up to 2026-03-01, beyond chance; cannot say why)",
    )
    expect(screen.get_by_test_id("differs-legend")).to_have_attribute("title", re.compile("one in twenty is by chance"))
    screen.get_by_test_id("definitions-open").click()
    expect(screen.get_by_text("one in twenty is by chance")).to_be_visible()
    screen.get_by_role("button", name="Close").click()
    # A mark speaks of days that are over, whatever window is shown.
    screen.get_by_test_id("windows").get_by_role("button", name="30 min").click()
    expect(better).to_be_visible()
    desk.marks({"A1": "better"}, date(2026, 2, 3), date(2026, 3, 2))
    expect(better).to_have_attribute("title", re.compile("2026-03-02"))
    expect(worse).to_be_hidden()
    desk.marks({"A1": "better"}, date(2026, 2, 3), date(2026, 3, 2), {"A1": 0.934})
    expect(better).to_have_attribute(
        "title",
        "Differs from the rest of the team in the same queues: better (28 days up to 2026-03-02, beyond chance; "
        "93\u00a0% of the work compared with its like; cannot say why)",
    )
    screen.get_by_test_id("lang").click()
    expect(better).to_have_attribute(
        "title", re.compile("在相同队列上差异显著：更好（截至 2026-03-02；93% 的工作可与同类比较")
    )


def test_whom_nothing_is_known_of_is_neither_available_nor_on_duty(screen: Page, desk: Desk) -> None:
    desk.shows(
        shown("team|T1"),
        state("A1", "available", seconds=50_000, lasts=-5),
        state("A2", "available", lasts=900),
        state("A3", "on_contact", lasts=900),
        state("A4", "offline"),
    )
    screen.goto("/")
    expect(screen.get_by_test_id("staff")).to_have_text("空闲 1服务中 1离线 1未知 1")
    card = screen.locator('[data-testid="group"][data-id="T1"] [data-role="aside"]')
    expect(card).to_have_text("在岗 2 · 空闲 1 · 未知 1")
    expect(row(screen, "A1").locator(".word")).to_have_text("未知")
    # Who is on duty comes first.
    assert order(screen) == ["A2", "A3", "A1", "A4"]
    screen.get_by_test_id("lang").click()
    expect(card).to_have_text("On 2 · Available 1 · Unknown 1")


@pytest.mark.parametrize("size", [(1920, 1080), (1500, 900), (1280, 900), (900, 900), (600, 900), (390, 844)])
def test_no_card_is_cut_off(screen: Page, desk: Desk, size: tuple[int, int]) -> None:
    busy = {"calls_offered": 6_000, "calls_handled": 6_000, "handle_seconds": 6_000 * 300_000}
    on_duty = {"agents_available": 10, "agents_working": 1_000, "available_seconds": 1_000}
    waits = {"waiting": 12, "longest_wait": 734.0}
    desk.shows(
        shown("all|all", CALLS),
        *(shown(f"queue|a-long-name-of-queue-{n}", CALLS, busy, on_duty, **waits) for n in range(3)),
        *(shown(f"site|S{n}", CALLS, busy, on_duty, **waits) for n in range(2)),
        *(shown(f"team|T{n}", CALLS, RATED) for n in range(4)),
        *(state(f"A{n}", "available", team=f"T{n % 4}", lasts=-5 if n % 3 else 900) for n in range(80)),
    )
    screen.set_viewport_size({"width": size[0], "height": size[1]})
    for lang in ("zh", "en"):
        screen.goto(f"/?lang={lang}")
        cards = screen.get_by_test_id("group")
        expect(cards).to_have_count(9)
        inside = """card => {
          const frame = card.getBoundingClientRect(), room = card.parentElement.getBoundingClientRect();
          const parts = [...card.querySelectorAll("span, a, button")].filter((part) => part.offsetParent);
          const held = parts.every((part) => {
            const box = part.getBoundingClientRect();
            return box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1;
          });
          const whole = frame.bottom <= room.bottom + 1 || frame.top >= room.bottom - 1;
          return held && whole ? "" : `${card.dataset.id} held ${held} whole ${whole}`;
        }"""
        assert {card.evaluate(inside) for card in cards.all()} == {""}, lang


def test_figures_and_alerts_lead_to_the_contacts_behind_them(screen: Page, desk: Desk) -> None:
    bad, waits, usual = (
        alert("agent|A1"),
        replace(alert("queue|售后|1"), rule="long_wait", kpi="longest_wait", window="now"),
        alert("team|T1"),
    )
    usual = replace(usual, rule="steady_satisfaction", window="change")
    desk.shows(
        shown("all|all", CALLS, RATED), shown("team|T1", CALLS, RATED), shown("queue|售后|1", CALLS, waiting=3, longest_wait=90.0),
        shown("agent|A1", CALLS, RATED), shown("agent|A2", CALLS, RATED), bad, waits, usual,
    )  # fmt: skip
    screen.goto("/?lang=zh")
    card = screen.locator('[data-testid="group"][data-id="T1"]')
    for link, kpi, whose, window in (
        (tile(screen, "csat"), "csat", "all|all", None),
        (card.locator('[data-kpi="csat"] [data-role="value"]'), "csat", "team|T1", None),
        (
            screen.locator('[data-id="售后|1"] [data-kpi="answer_rate"] [data-role="value"]'),
            "answer_rate",
            "queue|售后|1",
            None,
        ),
        (
            cell(screen, "A1", "average_handle_time"),
            None,
            "agent|A1",
            None,
        ),  # nobody handled anything: no figure, no link
        (cell(screen, "A1", "csat"), "csat", "agent|A1", None),
        (tile(screen, "waiting", "longest_wait"), None, "all|all", None),
        (open_alert(screen, bad), "csat", "agent|A1", "30m"),
        (open_alert(screen, waits), None, "queue|售后|1", None),
        (open_alert(screen, usual), "csat", "team|T1", None),
    ):
        expect(link).to_have_count(1)
        if kpi is None:
            expect(link).not_to_have_attribute("href", re.compile(""))
            continue
        expect(link).to_have_attribute("href", str(contacts_address(DESK, POLICY, kpi, whose, bad.at, window)))
        expect(link).to_have_attribute("rel", "noopener")
        expect(link).to_have_attribute("title", re.compile("工作台"))
    # Tab reaches one figure of the table, arrows the others; a team's card picks the team but for its figures.
    cell(screen, "A1", "csat").focus()
    screen.keyboard.press("ArrowDown")
    expect(cell(screen, "A2", "csat")).to_be_focused()
    screen.keyboard.press("ArrowLeft")
    expect(cell(screen, "A2", "service_level_20s")).to_be_focused()
    assert screen.locator('[data-testid="agents"] a[tabindex="0"]').count() == 1
    card.get_by_role("button", name="班组 T1").press("Enter")
    expect(card.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    screen.get_by_test_id("lang").click()
    expect(open_alert(screen, bad)).to_have_text("See the contacts")
    expect(cell(screen, "A1", "csat")).to_have_attribute("title", re.compile("See today’s contacts"))


def test_the_days_of_links_are_those_of_the_operation(screen: Page) -> None:
    moments = [
        "2026-03-01T15:59:59Z",
        "2026-03-01T16:00:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-29T02:00:00Z",
        "2026-11-01T08:59:00Z",
    ]
    screen.goto("/")
    for zone, day_starts in (("Asia/Shanghai", "00:00"), ("Europe/Berlin", "04:00"), ("America/New_York", "04:00")):
        policy = Policy(time_zone=zone, day_starts=day_starts)
        told = meta(policy, (), "page", date(2026, 3, 1), DESK)
        made = screen.evaluate(
            """async ([meta, moments]) => {
              const { Contacts } = await import("/static/contacts.js"), contacts = new Contacts(meta);
              return moments.map((at) => contacts.ofDay("csat", "queue|售后|1 (x)", at));
            }""",
            [told, moments],
        )  # fmt: skip
        whole = [
            contacts_address(DESK, policy, "csat", "queue|售后|1 (x)", datetime.fromisoformat(at)) for at in moments
        ]
        assert [one.replace("(", "%28").replace(")", "%29") for one in made] == whole
        told = meta(policy, (), "page", date(2026, 3, 1))
        none = "async (meta) => new (await import('/static/contacts.js')).Contacts(meta).ofDay('csat', 'team|T1', '2026-03-01T15:59:59Z')"
        assert screen.evaluate(none, told) == ""


def test_definitions_say_how_every_kpi_is_counted(screen: Page, desk: Desk) -> None:
    desk.shows(shown("all|all", RATED))
    screen.goto("/?lang=en")
    screen.get_by_test_id("definitions-open").click()
    level = screen.locator('.definition[data-kpi="service_level_20s"]')
    expect(level).to_contain_text("answered with wait ≤ threshold / denominator by policy")
    expect(level).to_contain_text("service_level_seconds = 20")
    expect(level).to_contain_text("Alert < 80 % · n ≥ 30")


def test_ids_of_other_systems_are_text_and_nothing_else(screen: Page, desk: Desk) -> None:
    name = "<img src=x onerror=document.title='taken'>"
    desk.shows(shown(entity("agent", name)), shown(entity("team", name)), alert(entity("agent", name)))
    screen.goto("/")
    expect(row(screen, name).get_by_role("rowheader")).to_have_text(name)
    expect(screen.get_by_test_id("alert")).to_contain_text(name)
    assert screen.locator("main img").count() == 0
    assert screen.title() == "Deskpulse · 客服实时大屏"


def test_a_phone_shows_everything_without_scrolling_sideways(screen: Page, desk: Desk) -> None:
    desk.shows(
        shown("all|all", CALLS, RATED, waiting=3, longest_wait=134.0),
        shown("queue|service", CALLS, waiting=3, longest_wait=134.0),
        shown("team|T1", CALLS, RATED),
        shown("agent|A1", CALLS, RATED),
        state("A1", "on_contact", seconds=65),
        alert("agent|A1"),
    )
    screen.set_viewport_size({"width": 390, "height": 844})
    for lang in ("zh", "en"):
        screen.goto(f"/?lang={lang}")
        expect(tile(screen, "csat")).to_have_text("90.0%" if lang == "zh" else "90.0 %")
        assert screen.evaluate("document.documentElement.scrollWidth") == 390
        label = row(screen, "A1").locator('[data-kpi="csat"] .label')
        label.scroll_into_view_if_needed()
        expect(label).to_be_visible()
    screen.get_by_test_id("sort").select_option(index=1)
    expect(screen.get_by_test_id("agent-row")).to_have_count(1)


def test_a_tv_shows_everything_on_one_screen(screen: Page, desk: Desk) -> None:
    desk.shows(
        shown("all|all", CALLS, RATED),
        *(shown(f"agent|A{n}", CALLS, RATED) for n in range(60)),
        *(shown(f"team|T{n}", CALLS, RATED) for n in range(3)),
        *(alert(f"agent|A{n}") for n in range(12)),
    )
    screen.goto("/")
    expect(screen.get_by_test_id("agent-row")).to_have_count(60)
    assert screen.evaluate("document.documentElement.scrollHeight") == 1080
    for part in ("tiles", "groups", "agents", "alerts", "feed"):
        expect(screen.get_by_test_id(part)).to_be_in_viewport()


def test_more_agents_than_one_screen_takes_are_cut_and_it_says_so(screen: Page, desk: Desk) -> None:
    desk.shows(
        *(shown(f"agent|A{n:04}", team=f"T{n % 10}") for n in range(2_100)), *(shown(f"team|T{n}") for n in range(10))
    )
    screen.goto("/")
    note = screen.get_by_test_id("agents-note")
    expect(note).to_have_text("共 2,100 名坐席，显示前 2,000 名，未全部显示的班组不作比较；请选择班组")
    screen.get_by_test_id("team").select_option("T3")
    expect(screen.get_by_test_id("agent-row")).to_have_count(210)
    expect(note).to_be_hidden()
