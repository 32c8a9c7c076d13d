"""The wallboard's API and stream on a real Redis, written by the workers' own writer."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from redis import Redis

from deploy.local.redis import LocalRedis
from deploy.local.tools import MissingToolError
from streams.contracts import redis_keys, topics
from streams.contracts.outputs import (
    WINDOWS,
    Alert,
    DailyFacts,
    EntityKind,
    Marked,
    MarkedDays,
    Presence,
    PresenceRecord,
    SharedId,
    Target,
    Totals,
    entity,
    entity_id,
    entity_kind,
)
from streams.history.marks import Marker
from streams.history.store import History, Told, open_history
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.settings import Settings
from streams.targets.book import Targets
from streams.wallboard import layout
from streams.wallboard.app import create_app
from streams.wallboard.feed import Feed
from streams.wallboard.items import Item
from streams.wallboard.pages import STATIC
from streams.wallboard.reader import Reader
from streams.wallboard.state import Wants
from streams.wallboard.store import Store
from streams.wallboard.versioned import Register
from streams.worker.screen_writer import Screens
from tests.conftest import lacking
from tests.support.histories import take
from tests.support.operation import policy_file

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
POLICY = Policy()
BUSY = {
    "calls_offered": 20,
    "calls_answered": 18,
    "calls_answered_within_20s": 15,
    "csat_ratings": 8,
    "csat_satisfied": 6,
}

pytestmark = pytest.mark.services


def snapshot(key: str, sums: dict[str, int] | None = None, *, seconds: int = 0, **own: Any) -> Totals:
    """Sums of an entity, the same in every window, as of ``NOW`` and some seconds."""
    windows = dict.fromkeys(WINDOWS, BUSY if sums is None else sums)
    return Totals(entity=key, as_of=NOW + timedelta(seconds=seconds), windows=windows, policy=POLICY.version, **own)


def agent(name: str, team: str | None = None, sums: dict[str, int] | None = None, *, seconds: int = 0) -> Totals:
    return snapshot(entity("agent", name), sums, seconds=seconds, team=team)


def presence(name: str, state: str, team: str | None = None, *, lasts: int | None = None) -> Presence:
    """A state since ``NOW``; ``lasts``: seconds after which nobody knows, if nothing more is heard."""
    until = None if lasts is None else NOW + timedelta(seconds=lasts)
    return Presence(agent_id=name, state=state, since=NOW, team=team, until=until)


def rated(
    history: History,
    teams: dict[str, dict[str, int]],
    redis: Redis,
    key: Callable[[str], str],
    last: date = date(2026, 3, 1),
) -> Marker:
    """A history of 28 days up to ``last``, in which so many of the 20 raters that each agent of a team has a day are satisfied; it makes the
    marks of the day after.
    """
    day_ms, begin = 86_400_000, (last.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000
    facts, presences = [], []
    for team, agents in teams.items():
        for id, satisfied in agents.items():
            presences.append(
                PresenceRecord(
                    format=1,
                    version=1,
                    kind="state",
                    agent_id=id,
                    team=team,
                    state="available",
                    since=begin,
                    until=begin + 1,
                    counts={},
                )
            )
            facts += [
                DailyFacts(
                    entity=f"agent|{id}",
                    date=last - timedelta(days=back),
                    sums={"csat_ratings": 20, "csat_satisfied": satisfied},
                )
                for back in range(28)
            ]
    told = {
        topics.PRESENCE_RECORDS: [
            Told(f"{one.agent_id}|state|{begin}|e", msgspec.json.encode(one)) for one in presences
        ],
        topics.DAILY_FACTS: [Told(one.key, msgspec.json.encode(one)) for one in facts],
    }
    take(history, told, begin + day_ms + 5 * 3_600_000, {})
    history.caught_up(last)
    return Marker(history, POLICY, redis, key, lambda: last)


def alert(key: str, status: Any = "firing", *, severity: Any = "warning", minutes: int = 0) -> Alert:
    return Alert(
        rule="low_satisfaction",
        entity=key,
        status=status,
        severity=severity,
        at=NOW + timedelta(minutes=minutes),
        since=NOW + timedelta(minutes=minutes),
        kpi="csat",
        window="30m",
        threshold=0.8,
        value=0.75,
        n=8,
        reason_zh="满意度 75.0%",
        reason_en="satisfaction 75.0 %",
    )


async def write(
    settings: Settings,
    *values: Totals | Presence | Alert,
    seconds: int = 0,
    behind: dict[int, int] | None = None,
    shared: dict[str, SharedId | None] | None = None,
    unknown: dict[str, int] | None = None,
    targets: Targets | None = None,
) -> None:
    """What a worker puts on the screens at ``NOW`` and some seconds."""
    screens = Screens(settings, targets)
    ms = round(NOW.timestamp() * 1000) + seconds * 1000
    taken = await screens.write(
        {v.entity: msgspec.json.encode(v) for v in values if isinstance(v, Totals)},
        [v for v in values if isinstance(v, Presence)],
        [v for v in values if isinstance(v, Alert)],
        now=ms,
        machine=ms,
        behind=behind or {},
        shared=shared or {},
        unknown=unknown or {},
    )
    await screens.close()
    assert taken


def written(settings: Settings, *values: Totals | Presence | Alert) -> None:
    asyncio.run(write(settings, *values))


@pytest.fixture
def operation(redis_url: str) -> Settings:
    """An operation of this test's own, with nothing in it yet."""
    return Settings(redis=redis_url, prefix=f"t{secrets.token_hex(4)}.")


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[LocalRedis]:
    """A Redis that the test may stop."""
    server = LocalRedis(tmp_path)
    try:
        server.start()
    except MissingToolError as missing:
        lacking(str(missing))
    yield server
    server.stop()


class Client:
    """Asks an application as a browser would, without a network."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wallboard")

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self._runner.run(self._http.get(path, params=params or None))


@contextmanager
def serving(settings: Settings) -> Iterator[Client]:
    app = create_app(settings)
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield Client(app, runner)
        finally:
            runner.run(lifespan.__aexit__(None, None, None))


@pytest.fixture
def client(operation: Settings) -> Iterator[Client]:
    with serving(operation) as client:
        yield client


# -- what the page must know -------------------------------------------------------------------------------------------


def test_meta_names_every_kpi_window_and_rule(client: Client) -> None:
    meta = client.get("/api/meta").json()
    assert [kpi["id"] for kpi in meta["kpis"]] == list(KPIS)
    for kpi in meta["kpis"]:
        assert kpi["zh"], kpi["id"]
        assert kpi["formula_en"], kpi["id"]
        assert kpi["version"] == KPIS[kpi["id"]].version
    assert [window["id"] for window in meta["windows"]] == ["5m", "30m", "today"]
    thresholds = {rule["id"]: (rule["kpi"], rule["threshold"], rule["min_n"]) for rule in meta["rules"]}
    assert thresholds["low_satisfaction"] == ("csat", 0.8, 8)
    assert thresholds["long_wait"] == ("longest_wait", 300, 1)
    assert (meta["policy"]["version"], meta["zone"]) == (POLICY.version, "Asia/Shanghai")
    service_level = next(kpi for kpi in meta["kpis"] if kpi["id"] == "service_level_20s")
    assert service_level["policy"]["service_level_seconds"] == 20


def test_everything_on_the_page_is_a_kpi() -> None:
    shown = {place.kpi for place in (*layout.TILES, *layout.TEAM, *layout.DESK, *layout.AGENT)}
    assert shown <= KPIS.keys()


def test_meta_takes_the_operations_own_rules(operation: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "rules: [{id: busy, zh: 忙, en: busy, kpi: offered_calls, window: 5m, above: 9, scope: [all]}]",
        encoding="utf-8",
    )
    with serving(operation.model_copy(update={"rules_file": rules})) as client:
        assert [rule["id"] for rule in client.get("/api/meta").json()["rules"]] == ["busy"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [("redis", "localhost:6379", "DESKPULSE_REDIS"), ("rules_file", Path("/nowhere.yaml"), "nowhere.yaml")],
)
def test_wrong_settings_are_named(setting: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        create_app(Settings(**{setting: value}))


# -- figures -----------------------------------------------------------------------------------------------------------


def test_snapshots_of_a_team_are_its_agents(client: Client, operation: Settings) -> None:
    written(
        operation,
        agent("A2", "T1"),
        agent("A1", "T1"),
        agent("B1", "T2"),
        presence("A3", "available", "T1"),
        snapshot("team|T1"),
    )
    answer = client.get("/api/snapshots", kind="agent", team="T1").json()
    # A3 has just come and has no figures yet: he counts as there, and has nothing to show.
    assert (list(answer["snapshots"]), answer["total"]) == (["A1", "A2"], 3)
    assert answer["snapshots"]["A1"]["windows"]["5m"]["answer_rate"]["value"] == 0.9
    assert list(client.get("/api/snapshots", kind="agent").json()["snapshots"]) == ["A1", "A2", "B1"]
    assert list(client.get("/api/snapshots", kind="team").json()["snapshots"]) == ["T1"]


def test_a_screen_is_told_the_targets_of_what_it_shows(client: Client, operation: Settings) -> None:
    whom = ("all|all", "team|T1", "team|T2", "agent|A1", "agent|B1", "card|ours", "team|elsewhere")
    aims = [
        Target(kpi=kpi, of=of, valid_from=date(2026, 3, 1), value="0.9", unit="ratio", author="hr-1", at=NOW)
        for of in whom
        for kpi in ("csat", "fcr")
    ]
    aims.append(Target(sets="weight", kpi="csat", of="card|ours", valid_from=date(2026, 3, 1), value="9", unit="pct", author="hr-1", at=NOW))  # fmt: skip
    book = Targets()
    book.load({one.key: msgspec.json.encode([one]) for one in aims})
    values = (agent("A1", "T1"), agent("B1", "T2"), snapshot("team|T1"), snapshot("all|all"))
    asyncio.run(write(operation, *values, targets=book))

    def told(**asked: Any) -> dict[str, set[str]]:
        return {of: set(own) for of, own in client.get("/api/targets", **asked).json().items()}

    assert told() == {key: {"csat", "fcr"} for key in set(whom) - {"card|ours"}}
    assert told(kpi="csat") == {key: {"csat"} for key in ("all|all", "team|T1", "team|T2", "agent|A1", "agent|B1")}
    assert {own["csat"]["op"] for own in client.get("/api/targets", kpi="csat").json().values()} == {">="}
    # The team of an agent that is shown, whether or not the team itself is.
    assert told(kpi="fcr", team="T2", kind="agent") == {key: {"fcr"} for key in ("all|all", "team|T2", "agent|B1")}
    assert told(kpi="nps") == {}
    assert client.get("/api/targets", team="T2").status_code == 422


def test_no_data_is_no_value(client: Client, operation: Settings) -> None:
    written(operation, agent("A1", sums={}))
    shown = client.get("/api/snapshots?kind=agent").json()["snapshots"]["A1"]["windows"]["today"]
    assert "csat" not in shown


def test_figures_are_made_by_the_policy_of_the_workers(
    client: Client, operation: Settings, tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A wallboard that was started without the policy file must not show other figures than the alerts speak of."""

    def service_level() -> float:
        shown = client.get("/api/snapshots", kind="queue").json()["snapshots"]["q"]["windows"]["5m"]
        alone = client.get("/api/entity/queue/q").json()["snapshot"]["windows"]["5m"]
        assert shown == alone
        value: float = shown["service_level_20s"]["value"]
        return value

    written(operation, snapshot("queue|q"))
    assert service_level() == 15 / 20
    assert not caplog.records
    file = policy_file(tmp_path, service_level_denominator="answered", version="'2'")
    theirs = Settings(redis=operation.redis, prefix=operation.prefix, policy_file=file)
    written(theirs, snapshot("queue|q"))
    assert service_level() == 15 / 18
    assert client.get("/api/meta").json()["policy"]["service_level_denominator"] == "answered"
    assert "another policy" in caplog.text
    with Redis.from_url(redis_url) as redis:
        redis.set(operation.redis_key("policy"), '{"no_such": 1}')
    assert service_level() == 15 / 18, "one that cannot be read changes nothing"
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("query", ["kind=desk", "kind=team&team=T1", "", "kind=agent&team="])
def test_a_wrong_question_is_refused(client: Client, operation: Settings, query: str) -> None:
    written(operation, agent("A1"))
    assert client.get(f"/api/snapshots?{query}").status_code == 422


def test_an_entity_is_all_that_is_known_of_it(client: Client, operation: Settings) -> None:
    written(
        operation,
        agent("A/1|x", "T1"),
        presence("A/1|x", "away", "T1"),
        alert("agent|A/1|x"),
        alert("agent|A2"),
    )
    one = client.get("/api/entity/agent/A%2F1%7Cx").json()
    assert one["snapshot"]["windows"]["5m"]["csat"]["n"] == 8
    assert one["presence"]["state"] == "away"
    assert [each["entity"] for each in one["alerts"]] == ["agent|A/1|x"]
    gone = client.get("/api/entity/agent/nobody")
    assert (gone.status_code, "agent|nobody" in gone.text) == (404, True)


def test_open_alerts_are_the_gravest_first_and_recent_steps_the_newest(client: Client, operation: Settings) -> None:
    written(
        operation,
        agent("A1"),
        alert("team|T1", minutes=1),
        alert("team|T2", minutes=2),
        alert("queue|q", severity="critical"),
        alert("site|S"),
        alert("site|S", "resolved", minutes=3),
    )
    answer = client.get("/api/alerts").json()
    assert [each["entity"] for each in answer["open"]] == ["queue|q", "team|T2", "team|T1"]
    assert [(each["entity"], each["status"]) for each in answer["recent"]][:2] == [
        ("site|S", "resolved"),
        ("site|S", "firing"),
    ]
    assert answer["total"] == 3


def test_what_cannot_be_read_is_left_out(client: Client, operation: Settings, redis_url: str) -> None:
    written(operation, agent("A1"))
    with Redis.from_url(redis_url) as redis:
        redis.hset(operation.redis_key(redis_keys.now("agent")), "A2", b'{"entity": 7}')
        redis.hset(operation.redis_key(redis_keys.now("agent")), "A3", b"\xff\xfe")
    assert list(client.get("/api/snapshots?kind=agent").json()["snapshots"]) == ["A1"]
    assert client.get("/api/entity/agent/A2").status_code == 404

    async def scenario(listen: Callable[..., Listener]) -> None:
        _, picture = await listen().next()
        assert (list(picture["snapshots"]["agent"]), picture["unreadable"]) == (["A1"], 2)

    following(operation, scenario)


# -- when there is nothing to show -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/snapshots?kind=team", "/api/alerts", "/api/entity/team/T1"])
def test_redis_empty_away_and_back(own_redis: LocalRedis, path: str) -> None:
    settings = Settings(redis=own_redis.address)
    with serving(settings) as client:
        empty = client.get(path)
        assert (empty.status_code, empty.json()["reason"]) == (503, "redis_empty")
        written(settings, snapshot("team|T1"))
        assert client.get(path).status_code == 200
        own_redis.kill()
        away = client.get(path)
        assert (away.status_code, away.json()["reason"]) == (503, "redis_unreachable")
        assert away.json()["zh"]
        assert str(own_redis.address).split("/")[2] in away.json()["detail"]
        assert client.get("/healthz").json()["redis"] == "redis_unreachable"
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/meta").status_code == 200
        own_redis.restart()
        written(settings, snapshot("team|T1"))
        assert client.get(path).status_code == 200
        assert client.get("/healthz").json()["redis"] == "ok"


def test_a_key_of_another_type_is_said(client: Client, operation: Settings, redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.set(operation.redis_key("alerts"), "no hash")
    answer = client.get("/api/alerts")
    assert (answer.status_code, "WRONGTYPE" in answer.json()["detail"]) == (503, True)


# -- the page's files --------------------------------------------------------------------------------------------------


def test_the_page_and_its_files_come_from_this_server_only(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert page.headers["cache-control"] == "no-cache"
    linked = re.findall(r'(?:href|src)="(/[^"]+)"', page.text)
    assert linked
    for path in linked:
        assert client.get(path).status_code == 200, path
    for file in STATIC.iterdir():
        addresses = set(re.findall(r"https?://[\w./-]+", file.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org/2000/svg"}, f"{file.name} names another server"


def test_modules_import_only_what_is_there() -> None:
    for file in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([\w.]+)"', file.read_text(encoding="utf-8")):
            assert (STATIC / name).is_file(), f"{file.name} imports {name}"


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two colours written #rrggbb."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", ["text", "soft", "good", "near", "bad", "none", "accent"])
def test_every_text_colour_can_be_read_on_every_ground(colour: str) -> None:
    style = (STATIC / "wallboard.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    for ground in ("ground", "panel", "raised"):
        assert contrast(colours[colour], colours[ground]) >= 4.5, f"{colour} on {ground}"


# -- the stream --------------------------------------------------------------------------------------------------------


class Listener:
    """One client of a feed, reading event by event."""

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        self._events = events

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Name and content of the next event."""
        raw = await asyncio.wait_for(anext(self._events), 10)
        name, data = re.fullmatch(r"event: (\w+)\r\ndata: (.*)\r\n\r\n", raw.decode()).groups()  # type: ignore[union-attr]
        return name, json.loads(data)

    async def leave(self) -> None:
        await self._events.aclose()

    async def until(self, part: str) -> dict[str, Any]:
        """The next change that says anything of ``part``."""
        while True:
            name, content = await self.next()
            assert name == "change"
            if part in content:
                return content


def following(
    settings: Settings, scenario: Callable[[Callable[..., Any]], Awaitable[None]], *, most: int = 2_000
) -> None:
    """Run a scenario with a feed; it gets what opens a listener."""

    async def main() -> None:
        store = Store(settings)
        feed = Feed(Reader(store, POLICY, most), period=0.05)
        running = asyncio.create_task(feed.run())
        listeners: list[Listener] = []

        def listen(*kinds: EntityKind, team: str | None = None) -> Listener:
            listeners.append(Listener(feed.follow(Wants(frozenset(kinds), team) if kinds else Wants(team=team))))
            return listeners[-1]

        try:
            await scenario(listen)
        finally:
            for listener in listeners:
                await listener.leave()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await store.close()

    asyncio.run(main())


def test_a_client_gets_the_picture_and_then_only_what_changed(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(
            operation, agent("A1", "T1"), agent("A2", "T1"), presence("A1", "available", "T1"), snapshot("all|all")
        )
        client = listen()
        name, picture = await client.next()
        assert name == "picture"
        assert picture["snapshots"]["agent"].keys() == {"A1", "A2"}
        assert picture["snapshots"]["all"]["all"]["windows"]["5m"]["csat"]["value"] == 0.75
        assert picture["clock"]["mode"] == operation.clock
        assert picture["staff"] == {"T1": {"available": 1}}
        assert picture["totals"]["agent"] == 2

        more = {**BUSY, "csat_ratings": 10}
        await write(operation, agent("A1", "T1", more, seconds=1), agent("A2", "T1", seconds=1), seconds=1)
        change = await client.until("snapshots")
        # A2 was only looked at again.
        assert {kind: list(changed) for kind, changed in change["snapshots"].items()} == {"agent": ["A1"]}
        assert change["snapshots"]["agent"]["A1"]["windows"]["5m"]["csat"]["value"] == 0.6

        await write(operation, presence("A1", "on_contact", "T1"), seconds=2)
        change = await client.until("presence")
        assert (change["presence"]["A1"]["state"], change["staff"]) == ("on_contact", {"T1": {"on_contact": 1}})

    following(operation, scenario)


def test_of_marks_that_are_adjusted_the_share_of_cases_is_told(operation: Settings, client: Client) -> None:
    own = {
        "A1": Marked(differs={"csat": "better", "occupancy": "higher"}, adjusted={"csat": 0.75}),
        "A2": Marked(differs={"csat": "worse"}),
    }

    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, *(agent(id, "T1") for id in own))
        redis.hset(
            operation.redis_key(redis_keys.MARKS), mapping={id: msgspec.json.encode(one) for id, one in own.items()}
        )
        days = MarkedDays(first=date(2026, 2, 2), last=date(2026, 3, 1), by="topic")
        redis.set(operation.redis_key(redis_keys.MARKED), msgspec.json.encode(days))
        mine = listen(team="T1")
        _, picture = await mine.next()
        assert picture["adjusted"] == {"A1": {"csat": 0.75}}
        assert picture["marked"]["by"] == "topic"
        redis.hset(operation.redis_key(redis_keys.MARKS), "A1", msgspec.json.encode(Marked(differs={"csat": "worse"})))
        assert (await mine.until("adjusted"))["adjusted"] == {"A1": None}

    with Redis.from_url(operation.redis) as redis:
        following(operation, scenario)
        redis.hset(operation.redis_key(redis_keys.MARKS), "A1", msgspec.json.encode(own["A1"]))
    told = client.get("/api/snapshots", kind="agent").json()
    assert told["adjusted"] == {"A1": {"csat": 0.75}}
    assert told["differing"]["A1"] == {"csat": "better", "occupancy": "higher"}


def test_who_differs_from_the_team_is_told_of_closed_days(operation: Settings, client: Client, tmp_path: Path) -> None:
    """From the history's daily facts to the screen, through Redis, which may lose them."""
    teams = {"T1": {"A1": 19, "A2": 12, "A3": 16, "A4": 16}, "T2": {"B1": 12}}

    async def scenario(listen: Callable[..., Listener]) -> None:
        people = [agent(id, team) for team, own in teams.items() for id in own]
        await write(operation, *people)
        mine = listen(team="T1")
        _, picture = await mine.next()
        assert (picture["differing"], picture["marked"]) == ({}, None), "nobody has compared them"
        marker = rated(history, teams, redis, operation.redis_key)
        assert marker.look()
        change = await mine.until("differing")
        assert change["differing"] == {"A1": {"csat": "better"}, "A2": {"csat": "worse"}}
        assert change["marked"] == {
            "first": "2026-01-26",
            "last": "2026-03-01",
            "by": "queue",
        }, "28 days, and as many that matured"
        _, picture = await listen(team="T2").next()
        assert picture["differing"] == {}, "nobody to compare with"
        assert not marker.look(), "once a day"
        redis.delete(operation.redis_key(redis_keys.MARKED))
        assert marker.look(), "what Redis has lost is made again"
        assert 0 < redis.ttl(operation.redis_key(redis_keys.MARKS)) <= redis_keys.MARKED_SECONDS

    with open_history(None, tmp_path, POLICY) as history, Redis.from_url(operation.redis) as redis:
        history.begin()
        following(operation, scenario)
    told = client.get("/api/snapshots", kind="agent").json()
    assert told["differing"] == {"A1": {"csat": "better"}, "A2": {"csat": "worse"}}
    assert client.get("/api/snapshots", kind="team").json()["differing"] == {}


def test_whom_nothing_is_known_of_is_counted_apart(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(
            operation,
            presence("A1", "available", "T1", lasts=60),
            presence("A2", "available", "T1", lasts=600),
            presence("A3", "offline", "T1"),
            presence("B1", "on_contact", "T2", lasts=30),
            seconds=30,
        )
        client = listen()
        _, picture = await client.next()
        assert picture["staff"] == {"T1": {"available": 2, "offline": 1}, "T2": {"unknown": 1}}
        await write(operation, snapshot("all|all"), seconds=60)  # only time goes on
        assert (await client.until("staff"))["staff"]["T1"] == {"available": 1, "unknown": 1, "offline": 1}
        await write(operation, presence("A1", "wrap_up", "T1", lasts=900), seconds=90)
        assert (await client.until("staff"))["staff"]["T1"] == {"available": 1, "wrap_up": 1, "offline": 1}

    following(operation, scenario)


def test_workers_that_do_not_keep_up_are_told_of(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, snapshot("all|all"), behind={0: 7, 1: 3})
        client = listen()
        _, picture = await client.next()
        assert picture["behind"] == 10
        await write(operation, behind={0: 0, 1: 0}, seconds=1)
        assert (await client.until("behind"))["behind"] == 0

    following(operation, scenario)


def test_customer_ids_that_many_callers_share_are_told_of(operation: Settings) -> None:
    today = NOW.date()

    def of(days: int, contacts: int) -> SharedId:
        return SharedId(since=today - timedelta(days=50), seen=today - timedelta(days=days), contacts=contacts)

    async def scenario(listen: Callable[..., Listener]) -> None:
        ids = {"desk": of(0, 30), "withheld": of(0, 99), "quiet": of(10, 40), "long ago": of(40, 40)}
        await write(operation, snapshot("all|all"), shared={**ids})
        client = listen()
        _, picture = await client.next()
        assert picture["shared"] == {"total": 3, "today": 2, "named": ["withheld", "desk"]}
        await write(operation, shared={"withheld": None}, seconds=1)
        assert (await client.until("shared"))["shared"] == {"total": 2, "today": 1, "named": ["desk"]}

    following(operation, scenario)


def test_words_that_no_list_has_are_told_of_with_the_line_to_add(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, snapshot("all|all"), unknown={"kind|投拆": 2, "kind|投诉": 5, "kind|": 1, "topic|x": 7})
        client = listen()
        _, picture = await client.next()
        assert picture["unknown"] == {"events": 3, "named": ["投拆 (2): kinds: {投拆: []}"]}
        await write(operation, unknown={"kind|complant": 9, "kind|投拆": 1}, seconds=1)
        assert (await client.until("unknown"))["unknown"] == {
            "events": 13,
            "named": ["complant (9): kinds: {complaint: [complant]}", "投拆 (3): kinds: {投拆: []}"],
        }

    following(operation, scenario)


def test_alerts_come_as_they_fire_and_go_as_they_resolve(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, agent("A1", "T1"), alert("team|T2"))
        client = listen(team="T1")
        _, picture = await client.next()
        # Another team's alert is not this screen's.
        assert (picture["alerts"], picture["recent"]) == ({}, [])
        await write(operation, alert("agent|A1"), alert("queue|q"), seconds=1)
        change = await client.until("alerts")
        assert change["alerts"].keys() == {"low_satisfaction|agent|A1", "low_satisfaction|queue|q"}
        assert {step["status"] for step in change["recent"]} == {"firing"}
        await write(operation, alert("agent|A1", "resolved", minutes=1), seconds=2)
        change = await client.until("alerts")
        assert change["alerts"] == {"low_satisfaction|agent|A1": None}
        assert [step["status"] for step in change["recent"]] == ["resolved"]

    following(operation, scenario)


def test_a_clients_kinds_and_team_limit_what_it_is_sent(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, agent("A1", "T1"), agent("B1", "T2"), snapshot("queue|q"), snapshot("team|T1"))
        _, queues = await listen("queue").next()
        assert queues["snapshots"].keys() == {"queue"}
        team = listen("agent", team="T1")
        _, picture = await team.next()
        assert picture["snapshots"] == {"agent": {"A1": picture["snapshots"]["agent"]["A1"]}}
        # A1 goes over to the other team, B1 comes.
        await write(operation, agent("A1", "T2"), agent("B1", "T1"), seconds=1)
        change = (await team.until("snapshots"))["snapshots"]["agent"]
        assert (change["A1"], change["B1"]["team"]) == (None, "T1")

    following(operation, scenario)


def test_a_slow_client_gets_fewer_messages_with_the_newest_in_each(operation: Settings) -> None:
    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, agent("A1", sums={"calls_offered": 1}))
        slow, quick = listen(), listen()
        await slow.next()
        await quick.next()
        for offered in range(2, 8):
            await write(operation, agent("A1", sums={"calls_offered": offered}), seconds=offered)
            await quick.until("snapshots")
        change = await slow.until("snapshots")
        assert change["snapshots"]["agent"]["A1"]["windows"]["5m"]["offered_calls"]["value"] == 7

    following(operation, scenario)


def test_an_outage_is_said_once_and_a_new_picture_follows(own_redis: LocalRedis) -> None:
    settings = Settings(redis=own_redis.address)

    async def scenario(listen: Callable[..., Listener]) -> None:
        client = listen()
        name, why = await client.next()
        assert (name, why["reason"], why["zh"]) == ("outage", "redis_empty", "Redis 中暂无数据，等待工作进程写入")
        await write(settings, agent("A1"))
        assert (await client.next())[0] == "picture"
        own_redis.kill()
        name, why = await client.next()
        assert (name, why["reason"]) == ("outage", "redis_unreachable")
        own_redis.restart()
        name, why = await client.next()
        assert (name, why["reason"]) == ("outage", "redis_empty")
        await write(settings, agent("A2"))
        name, picture = await client.next()
        assert (name, list(picture["snapshots"]["agent"])) == ("picture", ["A2"])

    following(settings, scenario)


def test_redis_is_left_alone_while_nobody_listens(operation: Settings, redis_url: str) -> None:
    def commands(redis: Redis) -> int:
        return int(redis.info("commandstats").get("cmdstat_hlen", {}).get("calls", 0))

    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, agent("A1"))
        with Redis.from_url(redis_url) as redis:
            client = listen()
            await client.next()
            await client.leave()
            await asyncio.sleep(0.2)
            before = commands(redis)
            await asyncio.sleep(0.5)
            assert commands(redis) == before

    following(operation, scenario)


# -- operations too large for one screen -------------------------------------------------------------------------------


def test_of_a_large_operation_a_client_is_sent_its_team_or_the_first(operation: Settings) -> None:
    people = [agent(f"A{n:03}", f"T{n % 30}") for n in range(300)]
    states = [presence(f"A{n:03}", "available", f"T{n % 30}") for n in range(300)]

    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, *people, *states)
        team, everybody = listen("agent", team="T7"), listen("agent")
        _, picture = await team.next()
        assert sorted(picture["snapshots"]["agent"]) == [f"A{n:03}" for n in range(7, 300, 30)]
        assert picture["presence"].keys() == picture["snapshots"]["agent"].keys()
        assert picture["totals"]["agent"] == 10
        assert len(picture["staff"]) == 30
        _, picture = await everybody.next()
        assert sorted(picture["snapshots"]["agent"]) == [f"A{n:03}" for n in range(50)]
        assert picture["totals"]["agent"] == 300
        # A new colleague is seen at the end of the next round.
        await write(operation, agent("A999", "T7"), seconds=1)
        assert list((await team.until("snapshots"))["snapshots"]["agent"]) == ["A999"]

    following(operation, scenario, most=50)


def test_of_a_large_operation_marks_are_read_of_whom_is_shown_and_the_lost_are_counted(operation: Settings) -> None:
    people = [agent(f"A{n:03}", f"T{n % 3}") for n in range(90)]
    states = [presence(f"A{n:03}", "away", f"T{n % 3}", lasts=60 if n < 30 else 900) for n in range(90)]

    async def scenario(listen: Callable[..., Listener]) -> None:
        await write(operation, *people, *states, seconds=100)
        with Redis.from_url(operation.redis) as redis:
            marked = {id: msgspec.json.encode(Marked(differs={"csat": "better"})) for id in ("A001", "A089")}
            redis.hset(operation.redis_key(redis_keys.MARKS), mapping=marked)
        everybody, team = listen("agent"), listen("agent", team="T1")
        _, picture = await everybody.next()
        assert len(picture["snapshots"]["agent"]) == 50
        assert picture["differing"] == {"A001": {"csat": "better"}}
        _, picture = await team.next()
        assert picture["differing"] == {"A001": {"csat": "better"}}
        assert picture["staff"]["T1"] == {"unknown": 10, "away": 20}

    following(operation, scenario, most=50)


@pytest.mark.parametrize("kind", ["queue", "team", "site"])
def test_more_groups_than_a_screen_can_show_are_cut_by_id(operation: Settings, kind: EntityKind) -> None:
    async def main() -> None:
        await write(operation, *(snapshot(entity(kind, f"g{n}")) for n in range(9)))
        store = Store(operation)
        reading = await Reader(store, POLICY, most_groups=3).read([Wants(frozenset({kind}), team="g7")])
        await store.close()
        mine = ["g7"] if kind == "team" else []
        assert (sorted(reading.snapshots[kind]), reading.sizes[kind]) == (["g0", "g1", "g2", *mine], 9)

    asyncio.run(main())


# -- what is new since then --------------------------------------------------------------------------------------------


def held(**teams: str) -> dict[str, Item[Any]]:
    shown = {name: agent(name, team) for name, team in teams.items()}
    return {name: Item(b"", each, msgspec.Raw(msgspec.json.encode(each))) for name, each in shown.items()}


def test_a_register_tells_what_changed_after_any_version() -> None:
    register = Register()
    register.replace(held(a="T1", b="T1"), 1)
    register.replace(held(a="T1", b="T2", c="T1"), 2)
    register.replace(held(b="T2", c="T1"), 3)
    assert register.since(3) == {}
    assert register.since(2) == {"a": None}
    assert register.since(1).keys() == {"a", "b", "c"}
    register.replace(held(a="T1", b="T2", c="T1"), 4)
    assert {key: raw is not None for key, raw in register.since(3).items()} == {"a": True}
    register.replace(held(b="T2"), 5)
    assert register.since(0).keys() == {"b"}, "who has nothing yet needs not be told what is gone"


def test_a_register_says_when_it_has_forgotten_too_much() -> None:
    register = Register(most_gone=2)
    register.replace(held(a="T1", b="T1", c="T1"), 1)
    register.replace({}, 2)
    assert not register.knows(1)
    assert register.knows(2)


def test_keys_of_the_writer_are_the_keys_of_the_reader(operation: Settings, redis_url: str) -> None:
    written(operation, agent("A1"), presence("A1", "away"), alert("agent|A1"))
    with Redis.from_url(redis_url) as redis:
        keys = {key.decode().split("deskpulse:")[1] for key in redis.keys(operation.redis_key("*"))}
    assert keys == {"now:agent", "presence", "alerts", "alerts:recent", "clock", "policy"}
    assert (entity_kind("agent|A1"), entity_id("agent|A1")) == ("agent", "A1")
