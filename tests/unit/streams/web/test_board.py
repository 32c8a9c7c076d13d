"""What somebody sees of the board: of their teams only, encoded once for a scope, and what is new since they were told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.contracts import redis_keys as keys
from streams.contracts.outputs import Presence
from streams.languages.text import Text
from streams.settings import Settings
from streams.web.board_feed import BoardFeed, wanted
from streams.web.board_layout import BoardError, boards, read_board, usual_board
from streams.web.board_view import Now
from streams.web.roles import Scope
from streams.web.store import entries
from tests.support.board import NOW, Floor, a_floor, calls, target, totals
from tests.unit.streams.web.desk import Desk, opened

LEADS_T1 = Scope(places=True, teams=frozenset({"T1"}), agents_of=frozenset({"T1"}), inside=True)
LOOKS = Scope(places=True, teams=frozenset({"*"}), agents_of=frozenset())
IS_A1 = Scope(places=False, teams=frozenset(), agents_of=frozenset(), person="A1")
SEES_ALL = Scope(places=True, teams=frozenset({"*"}), agents_of=frozenset({"*"}))
PLACES = {"all|all", "queue|orders", "queue|chat-web"}
SL = "service_level_20s@30m"


def names(_: bool) -> Callable[[str], Text | None]:
    return {"agent|A1": Text("李娜", "Li Na"), "queue|orders": Text("订单", "Orders")}.get


def feed_of(floor: Floor, ms: Callable[[], int] = lambda: round(NOW.timestamp() * 1000)) -> BoardFeed:
    cells = [cell.key for cell in usual_board().cells()]
    return BoardFeed(floor, Settings(_env_file=None).policy, cells, names, ms)


@asynccontextmanager
async def running(feed: BoardFeed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def event(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Name and body of a server-sent event."""
    lines = dict(line.split(": ", 1) for line in raw.decode().splitlines() if line)
    return lines["event"], json.loads(lines["data"])


def picture(floor: Floor, scope: Scope, people: bool = True) -> dict[str, Any]:
    async def looked() -> dict[str, Any]:
        feed = feed_of(floor)
        async with running(feed):
            view = await feed.join(scope, people)
            name, told = event(view.event(0))
            feed.leave(scope, people)
        assert name == "picture"
        return told

    return asyncio.run(looked())


@pytest.mark.parametrize(
    ("scope", "parts", "agents", "staff"),
    [
        (LEADS_T1, PLACES | {"team|T1", "agent|A1"}, {"agent|A1"}, {"T1"}),
        (LOOKS, PLACES | {"team|T1", "team|T2"}, set(), {"T1", "T2"}),
        (IS_A1, {"agent|A1"}, {"agent|A1"}, set()),
        (SEES_ALL, PLACES | {"team|T1", "team|T2", "agent|A1", "agent|A2"}, {"agent|A1", "agent|A2"}, {"T1", "T2"}),
    ],
)
def test_each_is_told_of_their_own_and_of_nobody_else(
    scope: Scope, parts: set[str], agents: set[str], staff: set[str]
) -> None:
    told = picture(a_floor(), scope)
    assert told["parts"].keys() == parts
    assert told["doing"].keys() == agents
    assert told["staff"].keys() == staff
    assert "A2" not in json.dumps(told) or "agent|A2" in agents


def test_a_figure_has_its_target_and_how_it_stands() -> None:
    told = picture(a_floor(), SEES_ALL)["parts"]
    assert told["queue|orders"]["cells"][SL][:5] == [0.75, 40, "bad", 0.8, ">="]
    assert told["team|T1"]["cells"][SL][:3] == [0.9, 20, "good"]
    assert told["queue|orders"]["waiting"] == 2
    assert told["queue|orders"]["since"] == round(NOW.timestamp() * 1000) - 75_000
    assert told["queue|orders"]["wait"] == "bad"
    assert told["queue|orders"]["channels"] == ["calls"]
    assert told["queue|chat-web"]["channels"] == ["chats"]


def test_people_have_names_where_they_may_be_named_and_places_always() -> None:
    assert picture(a_floor(), SEES_ALL, people=True)["names"].keys() == {"agent|A1", "queue|orders"}
    assert picture(a_floor(), SEES_ALL, people=False)["names"].keys() == {"queue|orders"}


def test_what_is_new_is_told_once_and_encoded_once() -> None:
    async def looked() -> None:
        floor = a_floor()
        feed = feed_of(floor)
        async with running(feed):
            view = await feed.join(SEES_ALL, True)
            assert await feed.join(SEES_ALL, True) is view
            first = view.version
            assert view.event(0) is view.event(0)
            floor.tell(calls("queue|orders", 50, 45), Presence(agent_id="A1", state="available", since=NOW, team="T1"))
            await asyncio.wait_for(feed.changed(view, first, None, 5), 6)
            name, told = event(view.event(first))
            assert (name, told.keys()) == ("change", {"parts", "doing", "staff"})
            assert told["parts"].keys() == {"queue|orders"}
            assert told["doing"] == {"agent|A1": ["available", round(NOW.timestamp() * 1000), None, None]}
            # Told again a moment later, it says nothing new.
            second = view.version
            floor.tell(calls("queue|orders", 50, 45, now=NOW + timedelta(seconds=1)))
            looks = floor.looks
            while floor.looks < looks + 4:
                await asyncio.sleep(0.05)
            assert view.version == second
            # Who is gone is told to be gone; who has never been told gets all.
            del floor.hashes[keys.now("agent")]["A2"], floor.hashes[keys.PRESENCE]["A2"]
            await asyncio.wait_for(feed.changed(view, second, None, 5), 6)
            assert event(view.event(second))[1]["parts"] == {"agent|A2": None}
            assert event(view.event(view.version + 7))[0] == "picture"
            for _ in range(2):
                feed.leave(SEES_ALL, True)

    asyncio.run(looked())


def test_other_targets_colour_what_has_not_changed() -> None:
    async def looked() -> None:
        floor = a_floor()
        feed = feed_of(floor)
        async with running(feed):
            view = await feed.join(LOOKS, False)
            seen = view.version
            floor.targets(target("service_level_20s", "all|all", "0.5"))
            await asyncio.wait_for(feed.changed(view, seen, None, 5), 6)
            told = event(view.event(seen))[1]["parts"]
            # It has missed another target before, so it has to come clear of this one: it does.
            assert told["queue|orders"]["cells"][SL][2:4] == ["good", 0.5]
            feed.leave(LOOKS, False)

    asyncio.run(looked())


@pytest.mark.parametrize(
    ("away", "late", "behind", "reason"),
    [(False, 0, 0, None), (True, 0, 0, "redis_empty"), (False, 4, 0, "workers_silent"), (False, 0, 12, "behind")],
)
def test_it_says_why_what_is_shown_is_not_as_it_is_now(away: bool, late: int, behind: int, reason: str | None) -> None:
    async def looked() -> str | None:
        floor = a_floor()
        feed = feed_of(floor, lambda: round((NOW + timedelta(seconds=late)).timestamp() * 1000))
        async with running(feed):
            await feed.join(LOOKS, False)
            floor.away = away
            if behind:
                floor.hashes[keys.BEHIND] = {"0": str(behind).encode()}
            for _ in range(100):
                if feed.reason == reason and feed.behind == (behind or 0):
                    break
                await asyncio.sleep(0.05)
            return feed.reason

    assert asyncio.run(looked()) == reason


def test_what_is_open_in_queues_is_told_to_who_sees_places() -> None:
    async def looked(scope: Scope) -> dict[str, Any]:
        feed = feed_of(a_floor())
        feed.open_contacts = lambda now: {"paper": Now(tickets_open=3, tickets_overdue=1, tickets_due=now + 60_000)}
        async with running(feed):
            view = await feed.join(scope, True)
            return event(view.event(0))[1]["open"]  # type: ignore[no-any-return]

    due = round(NOW.timestamp() * 1000) + 60_000
    assert asyncio.run(looked(LOOKS)) == {"queue|paper": {"tickets_open": 3, "tickets_overdue": 1, "tickets_due": due}}
    assert asyncio.run(looked(IS_A1)) == {}


def test_of_a_large_operation_only_what_somebody_sees_is_read() -> None:
    assert [(one.team, one.persons) for one in wanted([LEADS_T1])] == [("T1", frozenset())]
    assert [(one.team, one.persons) for one in wanted([IS_A1])] == [("", frozenset({"A1"}))]
    assert [one.team for one in wanted([LOOKS])] == [""]
    assert [one.team for one in wanted([SEES_ALL])] == [None]


# -- Over HTTP


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = opened(tmp_path_factory.mktemp("desk"))
    made.floor.marks("A1", csat="worse")
    yield made
    made.close()


def one(desk: Desk, role: str, entity: str) -> Any:
    answer = desk.browser(desk.begin(role)).get(f"/api/board/one?entity={entity}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_closer_look_has_targets_marks_and_the_team(desk: Desk) -> None:
    found = one(desk, "supervisor", "agent|A1")
    assert found["team"] == "T1"
    assert found["presence"]["state"] == "on_contact"
    assert found["targets"]["service_level_20s"] == {"number": 0.8, "op": ">=", "of": "all|all"}
    assert found["differing"] == {"csat": "worse"}
    assert "csat" in found["compared"]
    assert "offered_calls" not in found["compared"]
    assert found["marked"] == {"first": "2026-02-01", "last": "2026-02-28", "by": "queue"}
    assert found["of_team"]["windows"]["today"]["service_level_20s"]["value"] == 0.9
    # An agent does not see the team's figures, but how they compare with it.
    assert one(desk, "agent", "agent|A1")["of_team"] is None
    assert one(desk, "viewer", "queue|orders")["snapshot"]["waiting"] == 2


def test_who_looks_at_a_person_is_written_down(desk: Desk) -> None:
    one(desk, "quality", "agent|A2")
    with desk.writing() as connection:
        looks = {(each.author, each.subject) for each in entries(connection, 100) if each.action == "looked"}
    assert ("Q1", "A2") in looks
    assert ("A1", "A1") not in looks


def test_the_course_of_a_figure_for_who_sees_it(desk: Desk) -> None:
    path = "/api/board/courses?cell=average_speed_of_answer@queue|orders&cell=csat@agent|A1&cell=csat@agent|A2"
    told = desk.browser(desk.begin("supervisor")).get(path).json()
    assert told["day"] == "2026-03-02"
    assert told["courses"].keys() == {"average_speed_of_answer@queue|orders", "csat@agent|A1"}
    starts = [quarter[0] for quarter in told["courses"]["average_speed_of_answer@queue|orders"]]
    assert starts[:3] == ["09:00", "09:15", "09:30"]
    refused = desk.browser(desk.begin("supervisor")).get("/api/board/courses?cell=none@queue|orders")
    assert (refused.status_code, "no KPI" in refused.text) == (422, True)


async def _until_a_beat(desk: Desk, path: str, **given: str) -> list[str]:
    """What a supervisor is told by a stream up to its first beat that knows the operation's clock."""
    told: list[str] = []
    async with desk.app.router.lifespan_context(desk.app):
        route = next(
            one
            for router in desk.app.routes
            for one in getattr(getattr(router, "original_router", None), "routes", [router])
            if getattr(one, "path", "") == path
        )
        visitor = await asyncio.to_thread(desk.visitor, "supervisor")
        answer = await route.endpoint(visitor=visitor, last_event_id="", **given)
        async for part in answer.body_iterator:
            told.append(part.decode())
            if "event: beat" in told[-1] and '"at":null' not in told[-1]:
                break
    return told


def test_the_stream_writes_down_whose_figures_are_on_the_board(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    told = asyncio.run(_until_a_beat(desk, "/api/board/stream", last=""))
    assert "agent|A1" in told[0]
    assert "agent|A2" not in "".join(told)
    with desk.writing() as connection:
        looks = {(each.author, each.subject) for each in entries(connection, 100) if each.action == "looked"}
    assert looks == {("S1", "A1")}


def test_incidents_are_as_old_as_by_the_boards_clock(tmp_path_factory: pytest.TempPathFactory) -> None:
    board, incidents = opened(tmp_path_factory.mktemp("board")), opened(tmp_path_factory.mktemp("incidents"))
    _, by_board = event(asyncio.run(_until_a_beat(board, "/api/board/stream", last=""))[-1].encode())
    _, by_incidents = event(asyncio.run(_until_a_beat(incidents, "/api/incidents/stream"))[-1].encode())
    assert by_incidents["at"] == by_board["at"] is not None


# -- Boards as files


def test_the_usual_board_and_those_of_a_folder(tmp_path: Path) -> None:
    assert [board.id for board in boards(None)] == ["floor"]
    (tmp_path / "wall.yaml").write_text(
        "{id: wall, name: {zh: 大厅, en: Hall}, show: [queues], filters: {queues: [orders]}, rotate_seconds: 20, roles: [viewer]}"
    )
    found = boards(tmp_path)
    assert [board.id for board in found] == ["wall", "floor"]
    assert found[0].filters.queues == ["orders"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "a board is a mapping"),
        ("{id: a, name: {zh: 甲, en: A}, tiles: [{kpi: nonsense}]}", "`tiles.0.kpi`: there is no KPI 'nonsense'"),
        ("{id: a, name: {zh: 甲, en: A}, tiles: [{kpi: calls_waiting}]}", "is of this moment"),
        ("{id: a, name: {zh: 甲, en: A}, tiles: [{kpi: csat, window: 7m}]}", "`tiles.0.window`"),
        ("{id: a, name: {zh: 甲, en: A}, show: [tiles, tiles]}", "stands on a board once"),
        ("{id: A B, name: {zh: 甲, en: A}}", "`id`"),
        ("{id: a, name: {zh: 甲, en: A}, columns: 3}", "`columns`"),
        ("id: [", "line"),
    ],
)
def test_a_board_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(BoardError, match=r"a\.yaml") as error:
        read_board(tmp_path / "a.yaml")
    assert said in str(error.value)


def test_two_boards_of_one_id_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="no board in it"):
        boards(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("{id: same, name: {zh: 甲, en: A}}")
    with pytest.raises(BoardError, match="another board 'same'"):
        boards(tmp_path)


def test_boards_are_told_with_their_figures_units(desk: Desk) -> None:
    told = desk.browser(desk.begin("viewer")).get("/api/board").json()
    assert told["boards"][0]["queues"].keys() == {"calls", "chats", "tickets"}
    assert told["kpis"]["service_level_20s"]["unit"] == "ratio"
    assert told["people"] is False


def test_totals_of_a_queue_without_contacts_are_of_no_channel() -> None:
    floor = a_floor()
    floor.tell(totals("queue|new"))
    assert "channels" not in picture(floor, LOOKS)["parts"]["queue|new"]
