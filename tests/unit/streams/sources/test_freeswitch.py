"""FreeSWITCH by its event socket: the connection, what is told of calls and agents, and what a break costs."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.sources.freeswitch import cdr, follow
from streams.sources.freeswitch import link as links
from streams.sources.freeswitch.follow import Follower, Reader
from streams.sources.freeswitch.link import Link, connected
from streams.sources.freeswitch.names import Config, load
from streams.sources.live import connection
from streams.sources.live import outbox as outboxes
from streams.sources.live.connection import LoginError
from streams.sources.live.health import Health
from streams.sources.live.outbox import Outbox
from streams.sources.producer import SendError
from streams.sources.table.rows import RejectedRow
from tests.support.desk import run_events, sums
from tests.support.freeswitch import PASSWORD, Switch
from tests.unit.streams.sources.test_asterisk import HASH, MEASURES, Broker

#: 2026-03-02 09:00:00 UTC.
NINE = 1_772_442_000
HOST = "127.0.0.1"


# -- a connection ------------------------------------------------------------------------------------------------------


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """One conversation; gives its port."""
    listening = socket.create_server((HOST, 0))

    def serve() -> None:
        with suppress(OSError):
            near, _ = listening.accept()
            with near:
                talk(near)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(5)


def lets_in(near: socket.socket) -> None:
    near.sendall(b"Content-Type: auth/request\n\n")
    near.recv(4096)
    near.sendall(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
    near.recv(4096)
    near.sendall(b"Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n")


def framed(event: dict[str, str]) -> bytes:
    body = json.dumps(event).encode()
    return b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(body), body)


def test_events_come_whole_however_they_are_cut() -> None:
    raw = framed({"N": "one\n\ntwo"}) + framed({"N": "张"}) + framed({"N": "three"})

    def talk(near: socket.socket) -> None:
        lets_in(near)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(raw), 7):
            near.sendall(raw[at : at + 7])
        near.recv(1)

    with server(talk) as port, connected(HOST, port, PASSWORD) as link:
        found: list[Any] = []
        while len(found) < 3:
            found += link.receive(5.0)
    assert [event["N"] for event in found] == ["one\n\ntwo", "张", "three"]


def rejects(near: socket.socket) -> None:
    near.sendall(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")


@pytest.mark.parametrize(
    ("talk", "error", "why"),
    [
        (rejects, LoginError, "apply-inbound-acl"),
        (lambda near: near.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\n\n"), OSError, "no event socket"),
        (lambda near: near.sendall(b"x" * 70_000), OSError, "without the end of a header"),
        (lambda near: near.sendall(b"Content-Length: -1\n\n"), OSError, "Content-Length"),
        (lambda near: None, ConnectionError, "closed the connection"),
    ],
)
def test_what_lets_nobody_in_says_why(talk: Callable[[socket.socket], None], error: type[Exception], why: str) -> None:
    with server(talk) as port, pytest.raises(error, match=why), connected(HOST, port, PASSWORD):
        pass


def hears_on(link: Link) -> None:
    for _ in range(100):
        list(link.receive(0.1))


def test_a_connection_on_which_nothing_comes_is_asked_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_QUIET_SECONDS", 0.05)
    monkeypatch.setattr(links, "_ANSWER_SECONDS", 0.3)
    asked = Event()

    def talk(near: socket.socket) -> None:
        lets_in(near)
        if b"api status" in near.recv(4096):
            asked.set()
        near.recv(4096)

    with server(talk) as port, connected(HOST, port, PASSWORD) as link:
        with pytest.raises(OSError, match="timed out"):
            hears_on(link)
        assert asked.is_set()


def test_a_goodbye_is_the_end() -> None:
    def talk(near: socket.socket) -> None:
        lets_in(near)
        near.sendall(b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nbye.\n")
        near.recv(1)

    with server(talk) as port, connected(HOST, port, PASSWORD) as link, pytest.raises(ConnectionError, match="closed"):
        list(link.receive(5.0))


# -- followed ----------------------------------------------------------------------------------------------------------


class Clock:
    """What time it is at the switch and here."""

    def __init__(self) -> None:
        self.now = float(NINE)

    def ms(self) -> int:
        return round(self.now * 1000)


class Desk:
    """A switch, and a follower that can be ended and begun again."""

    def __init__(self, directory: Path, *, records: bool = False, **config: Any) -> None:
        self.clock, self.broker = Clock(), Broker()
        self.records = directory / "cdr"
        self.records.mkdir()
        self.switch = Switch(self.records)
        self.switch.queue("support", longest=60)
        self.switch.agent("anna", NINE - 100)
        self.switch.agent("bert", NINE - 100)
        self._directory = directory / "var"
        self.config = Config.model_validate(
            {
                "system": "freeswitch",
                "host": HOST,
                "port": self.switch.port,
                "password": "$FS",
                **({"cdr": str(self.records)} if records else {}),
                **config,
            }
        )
        self.health = Health("freeswitch")
        self._thread: Thread | None = None

    def begin(self) -> Follower:
        self.stop = Event()
        reader = Reader(self.config, PASSWORD, self.clock.ms)
        self.follower = Follower(
            self.config, HASH, self._directory, lambda: self.broker, 0, self.health, reader, self.clock.ms
        )
        self._thread = Thread(target=self.follower.run, args=(self.stop,), daemon=True)
        self._thread.start()
        self.until(lambda: self.switch.listeners == 1 and self.health.told().get("state") == "following")
        return self.follower

    def end(self) -> None:
        self.stop.set()
        assert self._thread is not None
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.until(lambda: self.switch.listeners == 0)

    def at(self, after: float) -> float:
        """It is so many seconds after nine."""
        self.clock.now = NINE + after
        return self.clock.now

    def heard(self) -> None:
        """All that the switch has said is in the broker's hands."""
        mark = self.clock.now + 0.5
        self.switch.fire(mark, "HEARTBEAT")
        self.until(lambda: self.follower.story.heard >= round(mark * 1000))
        self.settled()

    def settled(self) -> None:
        beats = self.follower.turns + 2
        self.until(lambda: self.follower.turns >= beats and self.health.told().get("unread_bytes") == 0)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, self.health.told()
            time.sleep(0.005)

    def told(self, kind: type[AnyEvent] | None = None) -> list[AnyEvent]:
        return [event for event in self.broker.kept if kind is None or isinstance(event, kind)]

    def states(self, agent: str) -> list[tuple[str, float]]:
        """State by state, and when: seconds after nine."""
        return [
            (event.state, round(event.at / 1000 - NINE, 3))
            for event in self.told(e.AgentStateChanged)
            if isinstance(event, e.AgentStateChanged) and event.agent_id == agent
        ]

    def measured(self, queue: str = "support") -> dict[str, int]:
        result = run_events(self.told())
        assert result.rejected == []
        have = sums(result, f"queue|{queue}")
        return {name: have.get(name, 0) for name in MEASURES if name != "calls_missed"}

    def true(self, queue: str = "support") -> dict[str, int]:
        return {name: self.switch.truth[queue, name] for name in MEASURES if name != "calls_missed"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(connection, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(follow, "_SETTLES_SECONDS", -1e9)
    monkeypatch.setattr(outboxes, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(outboxes, "_AGAIN_SECONDS", 0.01)


@pytest.fixture
def desk(tmp_path: Path, quick: None) -> Iterator[Desk]:
    made = Desk(tmp_path)
    try:
        yield made
    finally:
        made.switch.close()
        if made._thread is not None and made._thread.is_alive():
            made.stop.set()
            made._thread.join(20)


def plays_a_day(desk: Desk) -> None:
    """Answered, missed and answered, held, handed on to another queue, abandoned, timed out."""
    switch, at = desk.switch, desk.at
    one = switch.join("support", "02079460001", at(0.4))
    switch.ring(one, "bert", at(2))
    switch.misses(one, at(8))
    switch.ring(one, "anna", at(9))
    switch.answer(one, at(12))
    switch.hold(one, at(20), True)
    switch.hold(one, at(25), False)
    switch.end(one, at(42))
    two = switch.join("support", "02079460002", at(50))
    switch.ring(two, "anna", at(51))
    switch.answer(two, at(53))
    switch.end(two, at(73), handed_on=True)
    again = switch.join("sales", two.number, at(73.2), two.session)
    switch.ring(again, "bert", at(74))
    switch.answer(again, at(80))
    switch.end(again, at(95))
    three = switch.join("support", "02079460003", at(100))
    switch.ring(three, "anna", at(101))
    switch.leave(three, at(107))
    four = switch.join("support", "02079460004", at(110))
    switch.leave(four, at(171), "TIMEOUT")


def test_a_day_is_told_as_the_switch_has_it(desk: Desk) -> None:
    desk.begin()
    plays_a_day(desk)
    desk.heard()
    held = desk.true()
    held["talk_seconds"] -= 5000
    assert desk.measured() == held
    assert desk.measured("sales") == desk.true("sales")
    ended = desk.told(e.CallEnded)[0]
    assert isinstance(ended, e.CallEnded)
    assert (ended.talk_seconds, ended.hold_seconds) == (25, 5)
    assert sums(run_events(desk.told()), "agent|bert")["calls_missed"] == 1
    assert desk.states("anna") == [
        ("available", -100), ("on_contact", 12.02), ("available", 42.02),
        ("on_contact", 53.02), ("available", 73.02),
    ]  # fmt: skip
    assert all(
        event.customer_id == HASH("02079460001") for event in desk.told() if getattr(event, "contact_id", "") == "s1"
    )
    desk.end()


def test_agents_wrap_up_and_pause(desk: Desk) -> None:
    desk.switch.agent("dora", NINE - 50, wrap_up=30)
    desk.begin()
    call = desk.switch.join("support", "1", desk.at(0))
    desk.switch.ring(call, "dora", desk.at(1))
    desk.switch.answer(call, desk.at(3))
    desk.switch.end(call, desk.at(10))
    desk.heard()
    desk.at(41)
    desk.until(lambda: len(desk.states("dora")) == 4)
    desk.switch.status("dora", "On Break", desk.at(50))
    desk.switch.status("dora", "Logged Out", desk.at(60))
    desk.heard()
    assert desk.states("dora") == [
        ("available", -50), ("on_contact", 3.02), ("wrap_up", 10.02), ("available", 40), ("away", 50), ("offline", 60),
    ]  # fmt: skip
    desk.end()


def test_a_caller_who_goes_as_an_agent_answers_is_counted_by_whether_they_spoke(desk: Desk) -> None:
    """The end of the wait is told before it is known: the module fires it from the caller's thread, the bridge from the agent's."""
    desk.begin()
    for number, bridged in ((1, "true"), (2, "false")):
        call = desk.switch.join("support", str(number), desk.at(100 * number))
        desk.switch.ring(call, "anna", desk.at(100 * number + 1))
        desk.switch.answer(call, desk.at(100 * number + 5))
        gone = desk.at(100 * number + 6)
        times = {**desk.switch._times(call), "CC_Bridge_Terminated_Time": int(gone)}
        desk.switch._of(
            gone, call, "member-queue-end", CC_Cause="Cancel", CC_Cancel_Reason="NONE",
            CC_Member_Joined_Time=call.joined, CC_Member_Leaving_Time=int(gone),
        )  # fmt: skip
        desk.switch._of(gone + 0.1, call, "bridge-agent-end", CC_Agent_Bridged=bridged, **times)
        desk.switch.forget(call)
    desk.heard()
    found = desk.measured()
    names = ("calls_offered", "calls_answered", "calls_handled", "calls_abandoned")
    assert [found[name] for name in names] == [2, 1, 1, 1]
    desk.end()


def test_who_comes_back_to_their_place_waits_from_then_on(desk: Desk) -> None:
    """The switch counts a resumed member from their first coming, which was another call."""
    desk.begin()
    call = desk.switch.join("support", "1", desk.at(0))
    desk.switch.leave(call, desk.at(5))
    desk.heard()
    desk.switch.members[call.member].update(state="Waiting", session_uuid="s9", rejoined_epoch=NINE + 40)
    call.session = "s9"
    desk.switch._of(desk.at(40), call, "member-queue-resume")
    desk.switch.ring(call, "anna", desk.at(41))
    desk.switch.answer(call, desk.at(43))
    desk.switch.end(call, desk.at(50))
    desk.heard()
    answered = desk.told(e.CallAnswered)[-1]
    assert isinstance(answered, e.CallAnswered)
    assert (answered.contact_id, answered.wait_seconds) == ("s9", 3)
    assert desk.measured()["calls_offered"] == 2
    desk.end()


def test_what_cannot_be_read_is_kept_and_stops_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.begin()
    desk.switch.fire(desk.at(1), CC_Action="agent-status-change", CC_Agent="anna", CC_Agent_Status="Asleep")
    desk.switch.fire(desk.at(2), CC_Action="bridge-agent-start", CC_Agent="anna")
    desk.switch.fire(desk.at(3), CC_Action="something-new")
    desk.switch.join("support", "1", desk.at(4))
    desk.heard()
    assert len(desk.told(e.CallQueued)) == 1
    kept = tmp_path / "var/freeswitch.refused"
    assert "'Asleep' is none of" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert len(desk.health.told()["refused"]) == 2
    desk.end()


# -- breaks ------------------------------------------------------------------------------------------------------------


def test_what_a_short_break_cost_is_looked_up_at_the_switch(desk: Desk) -> None:
    desk.begin()
    switch, at = desk.switch, desk.at
    waits, goes, talks = (switch.join("support", str(number), at(number)) for number in range(3))
    switch.ring(talks, "anna", at(4))
    desk.heard()
    desk.end()
    switch.answer(talks, at(6))
    switch.leave(goes, at(9))
    new = switch.join("support", "4", at(10))
    at(12)
    desk.begin()
    desk.settled()
    cut = desk.health.told()["breaks"][0]
    assert cut["looked_up"] == {"queued": 1, "answered": 1, "left": 1}
    assert desk.states("anna")[-1] == ("on_contact", 6)
    switch.end(talks, at(26))
    switch.ring(waits, "anna", at(27))
    switch.answer(waits, at(30))
    switch.end(waits, at(35))
    switch.leave(new, at(40))
    desk.heard()
    assert desk.measured() == desk.true()
    assert desk.health.told()["breaks"][0]["not_known"] == []
    desk.end()


def test_a_call_that_ended_in_a_break_is_named_and_no_figure_is_made_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_GRACE_MS", 1000)
    desk.begin()
    switch, at = desk.switch, desk.at
    talks, waits = switch.join("support", "1", at(0)), switch.join("support", "2", at(1))
    switch.ring(talks, "anna", at(2))
    switch.answer(talks, at(4))
    desk.heard()
    desk.end()
    switch.end(talks, at(30))
    switch.ring(waits, "bert", at(31))
    switch.answer(waits, at(33))
    switch.end(waits, at(40))
    at(42)
    desk.begin()
    at(60)
    desk.until(lambda: bool(desk.health.told()["breaks"][0]["not_known"]))
    desk.settled()
    assert desk.health.told()["breaks"][0]["not_known"] == [
        "call s1: how long anna talked",
        "call s2: how the wait in support ended",
    ]
    found = desk.measured()
    assert (found["calls_offered"], found["calls_answered"], found["talk_seconds"], found["calls_abandoned"]) == (
        2,
        1,
        0,
        0,
    )
    assert desk.states("anna")[-1] == ("available", 30)
    desk.end()


def test_records_of_calls_tell_what_a_break_has_cost(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_RECORDS_SECONDS", 0.0)
    desk = Desk(tmp_path, records=True)
    desk.begin()
    known = desk.switch.join("support", "0", desk.at(-20))
    desk.switch.ring(known, "anna", desk.at(-15))
    desk.switch.answer(known, desk.at(-10))
    desk.heard()
    desk.end()
    os.utime(desk.records)
    desk.switch.end(known, desk.at(-5))
    plays_a_day(desk)
    desk.switch.members.clear()
    monkeypatch.setattr(cdr, "files", lambda directory, after=0: sorted(directory.glob("*.cdr.json")))
    desk.begin()
    desk.until(lambda: desk.health.told()["breaks"][0]["looked_up"].get("by_cdr", 0) >= 5)
    desk.settled()
    # A record has the caller's last queue: of who was handed on, the part before is not in it.
    true = desk.true()
    true["calls_offered"] -= 1
    true["calls_answered"] -= 1
    true["calls_handled"] -= 1
    true["calls_transferred"] -= 1
    true["wait_seconds"] -= 3000
    true["talk_seconds"] -= 20_000
    assert desk.measured() == true
    assert desk.measured("sales") == desk.true("sales")
    desk.end()
    desk.switch.close()


def test_a_connection_that_is_cut_is_made_again(desk: Desk) -> None:
    desk.begin()
    call = desk.switch.join("support", "1", desk.at(0))
    desk.heard()
    desk.switch.cut()
    desk.until(lambda: desk.switch.listeners == 1 and desk.health.told()["state"] == "following")
    desk.switch.ring(call, "anna", desk.at(2))
    desk.switch.answer(call, desk.at(5))
    desk.switch.end(call, desk.at(9))
    desk.heard()
    assert desk.measured() == desk.true()
    assert len(desk.health.told()["breaks"]) == 1
    desk.end()


def test_while_kafka_is_away_the_switch_is_heard_and_nothing_is_lost(desk: Desk) -> None:
    desk.broker.fails = [SendError("away; later")] * 20
    follower = desk.begin()
    call = desk.switch.join("support", "1", desk.at(0))
    desk.switch.ring(call, "anna", desk.at(2))
    desk.switch.answer(call, desk.at(5))
    desk.switch.end(call, desk.at(9))
    desk.heard()
    assert follower.story.members == {}
    assert desk.measured() == desk.true()
    desk.end()


def test_a_wrong_password_ends_it_and_says_where_to_look(desk: Desk) -> None:
    desk.switch.reply_to_auth = "-ERR invalid"
    reader = Reader(desk.config, PASSWORD, desk.clock.ms)
    follower = Follower(desk.config, HASH, desk._directory, lambda: desk.broker, 0, desk.health, reader, desk.clock.ms)
    with pytest.raises(
        ValueError, match=r"does not let it in: -ERR invalid; see event_socket.conf.xml .* and \$FS here"
    ):
        follower.run(Event())


# -- the outbox --------------------------------------------------------------------------------------------------------


def queued(number: int) -> e.CallQueued:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=number)
    return e.CallQueued(id=f"e{number}", source="s", time=at, contact_id="c")


def sent_by(path: Path, mark: tuple[int, int], until: int, fails: Sequence[BaseException | None] = ()) -> Broker:
    broker = Broker()
    broker.fails = list(fails)
    box = Outbox(path, mark, lambda: broker)
    box.start()
    deadline = time.monotonic() + 30
    while box.unsent > until and time.monotonic() < deadline:
        time.sleep(0.005)
    box.stop(20)
    return broker


def test_what_was_put_into_the_outbox_is_sent_after_a_kill(tmp_path: Path, quick: None) -> None:
    path = tmp_path / "s.outbox"
    box = Outbox(path, (0, 0), Broker)
    mark = box.put([queued(1), queued(2)])
    box.put([queued(3)])  # the place was not stored: it is heard again
    box._file.close()
    broker = sent_by(path, mark, 0)
    assert [event.id for event in broker.kept] == ["e1", "e2"]
    assert sent_by(path, mark, 0).kept == []


def test_an_outbox_that_is_empty_begins_anew_and_survives_a_kill_just_then(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.outbox"
    box = Outbox(path, (0, 0), Broker)
    mark = box.put([queued(1)])
    box._file.close()
    sent_by(path, mark, 0)
    monkeypatch.setattr(outboxes, "_BEGINS_ANEW", 10)
    box = Outbox(path, mark, Broker)
    new = box.put([queued(2)])
    box._file.close()
    assert new[0] == 1
    assert sent_by(path, mark, 0).kept == []  # killed before the place had the new mark


# -- files and commands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "[]", '{"variables": 3}', "{", '{"variables": {"a": "b"}, "callflow": [1]}'])
def test_a_record_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.cdr.json"
    path.write_text(content)
    found = cdr.variables(path)
    assert isinstance(found, RejectedRow)
    assert "x.cdr.json" in found.reason


def test_what_an_earlier_queue_left_in_the_variables_is_not_of_this_one() -> None:
    legs = cdr.Legs()
    legs.add(
        {
            "cc_side": "member",
            "cc_member_uuid": "m",
            "uuid": "s",
            "cc_queue": "q",
            "cc_agent": "anna",
            "cc_queue_joined_epoch": "500",
            "cc_cause": "answered",
            "cc_queue_answered_epoch": "520",
            "cc_queue_terminated_epoch": "400",
            "end_epoch": "560",
        }
    )
    ((_, over),) = legs.told()
    assert (over["CC-Agent-Answered-Time"], over["CC-Bridge-Terminated-Time"]) == ("520", "560")
    legs.add(
        {
            "cc_side": "member",
            "cc_member_uuid": "m",
            "uuid": "s",
            "cc_queue": "q",
            "cc_agent": "anna",
            "cc_queue_joined_epoch": "500",
            "cc_cause": "answered",
            "cc_queue_answered_epoch": "450",
            "end_epoch": "560",
        }
    )
    ((came,),) = legs.told()
    assert came["CC-Action"] == "member-queue-start"


def test_the_example_is_a_file_and_check_says_who_is_there(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = CliRunner().invoke
    example = run(app, ["source", "example", "freeswitch"])
    file = tmp_path / "freeswitch.yaml"
    file.write_text(example.output)
    assert load(file).port == 8021
    file.write_text(example.output.replace("8021", str(desk.switch.port)).replace("agents: {}", "agents: {anna: A1}"))
    monkeypatch.setenv("FREESWITCH_PASSWORD", PASSWORD)
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    desk.switch.join("support", "1", NINE)
    said = run(app, ["source", "check", str(file)]).output
    assert "1 queues, 2 agents, 1 callers wait" in said
    assert "  bert: bert" in said
    assert "anna:" not in said
    assert "no `cdr` in the file" in said
    monkeypatch.setenv("FREESWITCH_PASSWORD", "wrong")
    wrong = run(app, ["source", "check", str(file)])
    assert wrong.exit_code != 0
    assert "does not let it in: -ERR invalid" in wrong.output
    file.write_text("system: pbx\n")
    assert "'pbx' is none of asterisk, freeswitch" in run(app, ["source", "check", str(file)]).output
