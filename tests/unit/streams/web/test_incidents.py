"""What somebody sees of incidents, and what they are told as those change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.contracts.outputs import Incident
from streams.languages.text import Text
from streams.web.guard import Guard
from streams.web.incident_feed import Feed
from streams.web.incident_routes import Known, Teller
from streams.web.incident_view import view
from streams.web.roles import Scope, Visitor
from streams.web.store import entries
from streams.web.users import By, log_out
from tests.unit.streams.web.desk import Desk, incident, member, of_team, opened

LEADS_T1 = Scope(places=True, teams=frozenset({"T1"}), agents_of=frozenset({"T1"}), inside=True)
LOOKS = Scope(places=True, teams=frozenset({"*"}), agents_of=frozenset())
IS_A1 = Scope(places=False, teams=frozenset(), agents_of=frozenset(), person="A1")


def nobody(_: str) -> Text | None:
    return None


def name(key: str) -> Text | None:
    return {"agent|A1": Text("李娜", "Li Na"), "agent|S1": Text("王强", "Wang Qiang")}.get(key)


#: A queue's, with agents of two teams, one of whom nobody knows the team.
MIXED = incident(
    "mixed", "queue|orders", member("queue|orders", None), member("agent|A1", "T1"), member("agent|A2", "T2"),
    member("agent|A3", None), more_members=5,
)  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "shown", "hidden"),
    [
        (LEADS_T1, ["queue|orders", "agent|A1"], 7),
        (LOOKS, ["queue|orders"], 8),
        (IS_A1, ["agent|A1"], 8),
    ],
)
def test_alerts_of_others_are_counted_and_not_told(scope: Scope, shown: list[str], hidden: int) -> None:
    seen = view(MIXED, scope, nobody)
    assert seen is not None
    assert [one.entity for one in seen.members] == shown
    assert (seen.hidden, seen.firing) == (hidden, len(shown))
    assert seen.entity == shown[0]


def test_an_incident_of_another_team_does_not_exist() -> None:
    assert view(of_team("T2", "A2"), LEADS_T1, nobody) is None
    assert view(of_team("T2", "A2"), IS_A1, nobody) is None


def test_what_people_have_typed_is_for_who_leads() -> None:
    leads, looks = view(of_team("T1", "A1"), LEADS_T1, nobody), view(of_team("T1", "A1"), LOOKS, nobody)
    assert leads is not None
    assert looks is not None
    assert [one.note for one in leads.notes] == ["see the list"]
    assert (len(leads.steps), leads.silenced[0].note) == (2, "a drill")
    said = json.dumps([str(value) for value in vars_of(looks)])
    assert looks.acknowledged is not None
    assert looks.acknowledged.by == "S1"
    for typed in ("see the list", "a drill", "more people", "A1"):
        assert typed not in said


def vars_of(told: Any) -> list[Any]:
    return [getattr(told, field) for field in told.__struct_fields__]


def test_names_stand_for_who_may_be_seen_and_for_who_acts() -> None:
    seen = view(of_team("T1", "A1"), LEADS_T1, name)
    assert seen is not None
    assert seen.names == {
        "agent|A1": {"zh": "李娜", "en": "Li Na"},
        "by|S1": {"zh": "王强", "en": "Wang Qiang"},
    }
    assert [step.reason_zh for step in seen.steps][1].startswith("坐席 李娜")
    assert [step.reason_en for step in seen.steps][1] == "Wang Qiang notes: see the list"
    looks = view(of_team("T1", "A1"), LOOKS, name)
    assert looks is not None
    assert set(looks.names) == {"by|S1"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = opened(tmp_path)
    yield made
    made.close()


def told(teller: Teller, visitor: Visitor, epoch: str | None = None, number: int = -1) -> tuple[str, int, str, Any]:
    now, latest, event = teller.next(visitor, epoch, number)
    lines = dict(line.split(": ", 1) for line in event.body.decode().strip().split("\n"))
    assert lines["id"] == f"{now}-{latest}"
    return now, latest, lines["event"], json.loads(lines["data"])


def test_who_comes_back_is_told_what_has_changed_and_after_a_restart_everything(desk: Desk) -> None:
    feed, visitor = Feed(), desk.visitor("supervisor")
    teller = Teller(feed, Known(desk.settings), "token")
    feed.take("of-T1", of_team("T1", "A1"))
    feed.take("of-T2", of_team("T2", "A2"))
    epoch, number, kind, body = told(teller, visitor)
    assert (kind, [one["id"] for one in body["incidents"]]) == ("picture", ["of-T1"])

    feed.take("of-T1", of_team("T1", "A9"))
    feed.take("of-T1", of_team("T1", "A7"))
    feed.take("gone", None)
    _, later, kind, body = told(teller, visitor, epoch, number)
    assert (kind, body["gone"]) == ("change", ["gone"])
    assert [one["members"][1]["entity"] for one in body["incidents"]] == ["agent|A7"]
    assert later == number + 3

    feed.clear()
    feed.take("of-T1", of_team("T1", "A1"))
    assert told(teller, visitor, epoch, later)[2] == "picture"
    assert told(teller, visitor, feed.epoch, 10**9)[2] == "picture"  # a number that never was


def test_whoever_has_the_same_scope_is_told_the_same_bytes(desk: Desk) -> None:
    feed = Feed()
    teller = Teller(feed, Known(desk.settings), "token")
    feed.take("of-T1", of_team("T1", "A1"))
    first, second = desk.visitor("supervisor"), desk.visitor("supervisor")
    assert first.digest != second.digest
    assert teller.next(first, None, -1)[2] is teller.next(second, None, -1)[2]
    assert teller.next(first, None, -1)[2] is not teller.next(desk.visitor("quality"), None, -1)[2]


def test_whose_figures_somebody_looks_at_is_written_down_once_a_day_and_ones_own_never(desk: Desk) -> None:
    guard = Guard(desk.app.state.database, desk.ms)
    for role in ("supervisor", "supervisor", "agent"):
        asyncio.run(guard.looks(desk.visitor(role), {"A1"}))
    with desk.writing() as connection:
        assert [(one.author, one.subject) for one in entries(connection, 99) if one.action == "looked"] == [
            ("S1", "A1")
        ]


def test_a_stream_ends_with_its_session_but_not_while_nobody_has_looked_since_its_login(desk: Desk) -> None:
    guard = Guard(desk.app.state.database, desk.ms)
    guard._look()
    visitor = desk.visitor("hr")
    assert guard.lets_in(visitor)
    assert guard.lets_in(visitor)
    guard._look()
    assert guard.lets_in(visitor)
    with desk.writing() as connection:
        log_out(connection, "hr", By("it-1", desk.ms()))
    guard._look()
    assert not guard.lets_in(visitor)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"kind": "silence", "minutes": 60}, 202),
        ({"kind": "silence"}, 422),
        ({"kind": "acknowledge", "minutes": 60}, 422),
        ({"kind": "note", "note": " "}, 422),
        ({"kind": "note", "note": "x" * 2001}, 422),
        ({"kind": "unsilence", "silence": "s1"}, 202),
        ({"kind": "unsilence", "silence": "of-another"}, 409),
        ({"kind": "escalate"}, 422),
        ({"kind": "acknowledge", "by": "boss"}, 422),
    ],
)
def test_what_can_be_done(desk: Desk, given: dict[str, Any], status: int) -> None:
    browser = desk.browser(desk.begin("supervisor"))
    assert browser.post("/api/incidents/of-T1/actions", json=given).status_code == status
    assert len(desk.done) == (status == 202)
    if desk.done:
        assert desk.done[0].by == "S1"  # who is logged in, and nobody else


def test_to_what_is_over_only_a_note_is_put(desk: Desk) -> None:
    over: Incident = incident("over", "queue|orders", member("queue|orders", None), status="resolved")
    desk.app.state.feed.take("over", over)
    browser = desk.browser(desk.begin("supervisor"))
    assert browser.post("/api/incidents/over/actions", json={"kind": "acknowledge"}).status_code == 409
    assert browser.post("/api/incidents/over/actions", json={"kind": "note", "note": "why"}).status_code == 202
