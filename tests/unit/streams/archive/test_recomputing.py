"""Facts from the archive are the pure path's, to the byte, in one process or in several."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from streams.archive.recomputing import Result, Task, digest, plain_bytes, recompute
from streams.archive.replaying import together
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, milliseconds
from streams.contracts.outputs import DailyFacts, RosterEntry
from streams.entities.daily_facts import due
from streams.kpi.policy.versions import AnyPolicy
from streams.pipeline import run
from streams.roster import Roster
from tests.support.archives import Topics, archived
from tests.support.desk import POLICY, Script, moment
from tests.support.records import comparable

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def pure(events: Sequence[AnyEvent], policy: AnyPolicy, roster: Roster | None = None) -> list[DailyFacts]:
    """The month's facts by the pure path."""
    result = run(map(encode, events), policy, roster=roster)
    assert result.now is not None
    for fact in result.facts.values():
        due(fact, result.now)
    return [fact for fact in result.facts.values() if FIRST <= fact.date <= LAST]


def task(folder: Path, policy: AnyPolicy = POLICY, *, event_time: bool = True) -> Task:
    """The month of an archive."""
    return Task(str(folder), "", policy, FIRST, LAST, event_time)


def a_month() -> list[AnyEvent]:
    """Customers who come again and by other channels, some told by some events only; late, doubled, corrected, retracted; agents at work."""
    die, script = random.Random(7), Script()
    for day in range(30):
        for number in range(5):
            name, when = f"c{day}-{number}", f"+{day} {9 + number:02}:{die.randint(10, 59)}:00"
            customer = die.choice(["k1", "k2", f"k{die.randint(3, 9)}", None])
            script.at(when, e.CallQueued, name, customer_id=customer, queue_id="q")
            told = die.choice([customer, customer, "k4", None])
            script.at(f"{when[:-2]}07", e.CallAnswered, name, agent_id=f"a{die.randint(0, 2)}", customer_id=told)
            script.at(f"{when[:-2]}50", e.CallEnded, name, customer_id=customer)
        if day % 6 == 0:
            script.at(f"+{day} 08:00:00", e.TicketCreated, f"t{day}", customer_id="k1")
    at_work = [
        e.AgentStateChanged(
            id=f"s{day}-{agent}-{hour}", source="s", time=moment(f"+{day} {hour:02}:00:00"), agent_id=f"a{agent}", state=state
        )
        for day in range(30)
        for agent in range(3)
        for hour, state in ((8, "available"), (12, "away"), (17, "offline"))
    ]  # fmt: skip
    told = sorted([*script.events, *at_work], key=lambda event: event.time)
    amended = [
        e.CallCorrected(id="w", source="script", time=told[40].time, contact_id="c0-1", corrects="e4", agent_id="a2"),
        e.CallRetracted(id="r", source="script", time=told[60].time, contact_id="c0-2", corrects="e6"),
    ]
    chat = Script().at("+29 20:00:00", e.ChatStarted, "last", queue_id="q")
    chat.at("+29 20:00:01", e.ChatAssigned, "last", agent_id="a1", queue_id="q")
    waits = chat.at("+29 20:00:02", e.ChatMessage, "last", sender="customer").events
    return [told[20], *told[:20], *told[21:40], *amended, *told[40:], *told[-30:], *waits]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[AnyEvent]]:
    """An archive, and the events in it, some of them refused."""
    folder, topics, events = tmp_path_factory.mktemp("archive"), Topics(), a_month()
    topics.put(("calls", 0), 0, None, b"no event")
    topics.send(events)
    topics.put(("agents", 1), milliseconds(events[-1].time), None, None)
    archived(topics, folder)
    return folder, events


def test_one_process_gives_the_pure_paths_facts(month: tuple[Path, list[AnyEvent]]) -> None:
    found = recompute(task(month[0]), 1)
    assert plain_bytes(found.facts) == plain_bytes(pure(month[1], POLICY))
    assert len(found.facts) > 100
    assert any(fact.planned for fact in found.facts)
    assert found.refused == {"not_json": 1, "empty": 1}
    assert found.read == len(month[1]) + 2


def test_processes_give_the_same_however_many(month: tuple[Path, list[AnyEvent]]) -> None:
    told: list[tuple[int, int]] = []
    with_records = replace(task(month[0]), records=True)
    one, three = recompute(with_records, 1), recompute(with_records, 3, progress=lambda *at: told.append(at))
    ours, theirs = ({key: comparable(each.value) for key, each in found.contacts.items()} for found in (one, three))
    assert (ours, one.presence.keys()) == (theirs, three.presence.keys())
    assert {key: each.home for key, each in one.contacts.items()} == {
        key: each.home for key, each in three.contacts.items()
    }
    assert digest(three.facts) == digest(one.facts)
    assert (three.read, three.admitted, three.refused, three.now) == (one.read, one.admitted, one.refused, one.now)


def test_what_came_too_late_is_refused_as_it_was(tmp_path: Path) -> None:
    script = Script().at("09:00:00", e.CallQueued, "c1").at("+2 09:00:00", e.CallQueued, "c2")
    script.at("+4 09:00:00", e.CallQueued, "c4")
    late = Script().at("10:00:00", e.CallQueued, "c3").events
    topics = Topics(partitions=1)
    topics.send(script.events)
    topics.send(late, came=milliseconds(script.events[-1].time) + 1000)
    archived(topics, tmp_path)
    for event_time in (True, False):
        found = recompute(task(tmp_path, event_time=event_time), 1)
        assert (found.admitted, found.refused) == (3, {"too_late": 1})


def test_on_the_machines_clock_lateness_is_judged_by_when_it_came(tmp_path: Path) -> None:
    topics = Topics(partitions=1)
    topics.send(Script().at("09:00:00", e.CallQueued, "c1").events, came=milliseconds(moment("+9 09:00:00")))
    archived(topics, tmp_path)
    assert recompute(task(tmp_path, event_time=True), 1).admitted == 1
    assert recompute(task(tmp_path, event_time=False), 1).refused == {"too_late": 1}


def teams(found: Result) -> set[str]:
    """The teams that have facts."""
    return {fact.entity for fact in found.facts if fact.entity.startswith("team|")}


def test_the_roster_is_as_it_was_when_events_came(tmp_path: Path) -> None:
    topics = Topics()
    for day, team in ((0, "t1"), (5, "t2")):
        at = milliseconds(moment(f"+{day} 07:00:00"))
        topics.enlist([RosterEntry(agent_id="a1", valid_from=FIRST, team_id=team)], at)
        script = Script().at(f"+{day} 09:00:00", e.CallQueued, f"c{day}")
        topics.send(script.at(f"+{day} 09:00:10", e.CallAnswered, f"c{day}", agent_id="a1").events)
    archived(topics, tmp_path / "all")
    assert teams(recompute(task(tmp_path / "all"), 1)) == {"team|t1", "team|t2"}
    # The first message was compacted away before anything was archived: then the second is what is known of before.
    del topics.messages["roster", 0][0]
    archived(topics, tmp_path / "rest")
    assert teams(recompute(task(tmp_path / "rest"), 1)) == {"team|t2"}


def test_a_file_that_is_not_there_is_said_and_nothing_is_guessed(tmp_path: Path) -> None:
    topics = Topics(partitions=1)
    topics.send(Script().at("09:00:00", e.CallQueued, "c1").at("09:00:01", e.CallEnded, "c1").events)
    topics.send(Script().at("+1 09:00:00", e.CallQueued, "c2").events)
    topics.send(Script().at("+2 09:00:00", e.CallQueued, "c3").events)
    store = archived(topics, tmp_path)
    (tmp_path / store.spans(["calls"])["calls", 0][1].name).unlink()
    with pytest.raises(
        ValueError, match="a file is missing: no file has the offsets 2 to 2; see `deskpulse archive verify`"
    ):
        recompute(task(tmp_path), 1)
    with pytest.raises(ValueError, match="no events are archived at"):
        recompute(task(tmp_path / "else"), 1)


def test_a_damaged_file_stops_every_process_with_its_name(tmp_path: Path) -> None:
    topics = Topics(partitions=1)
    topics.send(Script().at("09:00:00", e.CallQueued, "c1").events)
    store = archived(topics, tmp_path)
    name = store.spans(["calls"])["calls", 0][0].name
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    for processes in (1, 2):
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            recompute(task(tmp_path), processes)


def test_what_was_long_before_the_month_is_not_read(tmp_path: Path) -> None:
    topics = Topics(partitions=1)
    topics.send(Script().at("09:00:00", e.CallQueued, "c1").events)
    topics.send(Script().at("+400 09:00:00", e.CallQueued, "c2").events)
    archived(topics, tmp_path)
    assert recompute(task(tmp_path), 1).read == 2  # what comes later may concern it
    last = Task(str(tmp_path), "", POLICY, date(2027, 4, 1), date(2027, 4, 30), True)
    assert recompute(last, 1).read == 1


def test_customers_whom_a_contact_has_named_stay_together() -> None:
    def event(contact: str, customer: str | None, source: str = "s") -> bytes:
        return encode(
            e.CallQueued(id="x", source=source, time=moment("09:00:00"), contact_id=contact, customer_id=customer)
        )

    apart = together(lambda: iter([event("c1", "k1"), event("c1", "k2"), b"no event", None]))
    assert (apart.lacking, apart.of) == (frozenset(), {})  # each has the contact: nothing is handed over
    found = together(
        lambda: iter([event("c1", "k1"), event("c2", None), event("c1", "k2"), event("c2", "k3"), event("c3", "k4"), event("c9", "k1")])
    )  # fmt: skip
    assert found.lacking == {"s"}
    assert found.of["k1"] == found.of["k2"] != found.of["k3"] == found.of["c2"]
    assert "k4" not in found.of
