"""AMI beside Asterisk's queue_log: what a connection is, how agents stand, what is held, and on which calls the two differ."""

from __future__ import annotations

import gzip
import socket
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any

import prometheus_client
import pytest
from click.testing import Result
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.sources.asterisk.ami import link as links
from streams.sources.asterisk.ami import live as lives
from streams.sources.asterisk.ami.calls import Calls, Difference
from streams.sources.asterisk.ami.floor import Floor
from streams.sources.asterisk.ami.link import Message, connected, parse
from streams.sources.asterisk.ami.live import Live
from streams.sources.asterisk.follow import Follower
from streams.sources.asterisk.names import Ami, Config, Names
from streams.sources.asterisk.reconcile import differing
from streams.sources.live import connection
from streams.sources.live.connection import LoginError
from streams.sources.live.health import Health
from tests.support import ROOT
from tests.support.desk import POLICY, run_events, sums
from tests.unit.streams.sources.test_asterisk import HASH, MEASURES, Broker, of_log, reader

HOST, SECRET = "127.0.0.1", "s3cret"
T = 1_772_413_200_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def config(**values: Any) -> Config:
    ami = {"user": "deskpulse", "secret": "$AMI_SECRET", "wrap_up_seconds": {"support": 10}, **values.pop("ami", {})}
    return Config.model_validate({"queue_log": "queue_log", "ami": ami, **values})


# -- a connection ------------------------------------------------------------------------------------------------------

OK = "Response: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n"
NO = "Response: Error\r\nActionID: login\r\nMessage: Authentication failed\r\n\r\n"
BANNER = "Asterisk Call Manager/5.0.3\r\n"


@contextmanager
def manager(*conversations: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that has one conversation after the other, each with a connection of its own; gives its port."""
    server = socket.create_server((HOST, 0))

    def serve() -> None:
        for talk in conversations:
            with suppress(OSError):
                near, _ = server.accept()
                with near:
                    talk(near)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        thread.join(5)


def heard(near: socket.socket, action: str) -> dict[str, str]:
    """Wait for an action, and give it."""
    buffer = b""
    while True:
        while b"\r\n\r\n" in buffer:
            block, _, buffer = buffer.partition(b"\r\n\r\n")
            if (message := parse(block.decode()))["Action"] == action:
                return message
        raw = near.recv(4096)
        if not raw:
            raise ConnectionError
        buffer += raw


def says(banner: str, answer: str, *more: str) -> Callable[[socket.socket], None]:
    def talk(near: socket.socket) -> None:
        near.sendall(banner.encode())
        login = heard(near, "Login")
        assert (login["Username"], login["Secret"]) == ("deskpulse", SECRET)
        near.sendall((answer + "".join(more)).encode())

    return talk


def test_messages_come_whole_however_they_are_cut() -> None:
    def talk(near: socket.socket) -> None:
        says(BANNER, OK)(near)
        for part in ("Event: A\r\nKey: one", ": two\r\n", "\r", "\nEvent: B\r\n\r\nEve", "nt: C\r\n\r\n"):
            near.sendall(part.encode())
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    with manager(talk) as port, connected(HOST, port, "deskpulse", SECRET) as link:
        found: list[Message] = []
        while len(found) < 3:
            found += link.receive(5.0)
    assert found == [{"Event": "A", "Key": "one: two"}, {"Event": "B"}, {"Event": "C"}]


@pytest.mark.parametrize(
    ("talk", "error", "why"),
    [
        (says(BANNER, NO), LoginError, "Authentication failed"),
        (lambda near: near.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), OSError, "no AMI: it begins with 'SSH-2.0"),
        (lambda near: None, ConnectionError, "closed the connection"),
    ],
)
def test_who_is_not_let_in_is_told_why(talk: Callable[[socket.socket], None], error: type, why: str) -> None:
    with manager(talk) as port, pytest.raises(error, match=why), connected(HOST, port, "deskpulse", SECRET):
        pass


def test_a_line_of_its_own_cannot_be_smuggled_into_an_action() -> None:
    with (
        manager(lambda near: near.sendall(BANNER.encode())) as port,
        pytest.raises(LoginError, match="end of line"),
        connected(HOST, port, "deskpulse", "x\r\nAction: Originate"),
    ):
        pass


def test_an_asterisk_that_says_nothing_is_asked_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(links, "monotonic", lambda: now[0])
    asked = Event()

    def talk(near: socket.socket) -> None:
        says(BANNER, OK)(near)
        heard(near, "Ping")
        asked.set()
        near.recv(1)

    with manager(talk) as port, connected(HOST, port, "deskpulse", SECRET) as link:
        assert list(link.receive(0.01)) == []
        now[0] = 11.0
        assert list(link.receive(0.01)) == []
        assert asked.wait(5)
        now[0] = 31.0
        with pytest.raises(ConnectionError, match="said nothing for 31 s"):
            list(link.receive(0.01))


# -- how agents stand --------------------------------------------------------------------------------------------------


def member(name: str, queue: str = "support", **values: object) -> Message:
    return {
        "Event": "QueueMember", "Name": name, "Queue": queue, "Status": "1", "Paused": "0", "InCall": "0", "LastCall": "0",
        **{key: str(value) for key, value in values.items()},
    }  # fmt: skip


def event(kind: str, name: str = "SIP/1", queue: str = "support", **values: object) -> Message:
    given = {key: str(value) for key, value in values.items()}
    return {"Event": kind, "MemberName": name, "Queue": queue, **given}


DONE: Message = {"Event": "QueueStatusComplete"}


def floor(*members: Message, **names: Any) -> Floor:
    of = config(**names)
    assert of.ami is not None
    found = Floor("asterisk", Names(of), of.ami.wrap_up_seconds)
    found.begin()
    for each in members:
        found(each, T)
    return found


def states(told: Sequence[AnyEvent]) -> list[tuple[str, str, str | None, float]]:
    """Agent, state, reason, seconds after T."""
    return [
        (each.agent_id, each.state, each.reason, (each.at - T) / 1000)
        for each in told
        if isinstance(each, e.AgentStateChanged)
    ]


def play(on: Floor, *told: tuple[float, Message]) -> list[tuple[str, str, str | None, float]]:
    """What comes of messages, each so many seconds after T, and of the time between them."""
    return states([each for after, message in told for each in on(message, T + round(after * 1000))])


def test_members_are_known_from_the_start_without_a_call() -> None:
    there = floor(
        member("SIP/1"),
        member("SIP/2", Paused=1, PausedReason="lunch"),
        member("SIP/3", Status=5),
        member("SIP/4", InCall=1, Status=2),
        member("SIP/5", LastCall=T // 1000 - 4),
        member("SIP/5", "other"),
        agents={"SIP/1": "A1"},
    )
    assert states(there(DONE, T)) == [
        ("A1", "available", None, 0),
        ("SIP/2", "away", "lunch", 0),
        ("SIP/3", "offline", "unreachable", 0),
        ("SIP/4", "on_contact", None, 0),
        ("SIP/5", "wrap_up", None, 0),
    ]
    assert states(there.due(T + 6000)) == [("SIP/5", "available", None, 6)]


def test_a_call_and_its_wrap_up() -> None:
    there = floor(member("SIP/1"))
    told = play(
        there,
        (0, DONE),
        (1, event("QueueMemberStatus", Status=2)),
        (1.2, event("AgentConnect", Uniqueid="1.1")),
        (9, event("AgentComplete", Uniqueid="1.1")),
        (9.1, event("QueueMemberStatus", Status=1)),
        (30, event("QueueMemberStatus", Status=1)),
    )
    assert told == [
        ("SIP/1", "available", None, 0),
        ("SIP/1", "on_contact", None, 1.2),
        ("SIP/1", "wrap_up", None, 9),
        ("SIP/1", "available", None, 19),
    ]


@pytest.mark.parametrize("channel", ["1.1", "1.2"])
def test_a_call_is_over_with_either_channel_though_asterisk_says_no_more(channel: str) -> None:
    there = floor(member("SIP/1"))
    told = play(
        there,
        (0, DONE),
        (1, event("AgentConnect", Uniqueid="1.1", DestUniqueid="1.2")),
        (9, {"Event": "Hangup", "Uniqueid": channel}),
        (9.5, event("AgentComplete", Uniqueid="1.1")),
        (60, event("AgentConnect", Uniqueid="2.1", DestUniqueid="2.2")),
        (70, {"Event": "Hangup", "Uniqueid": "1.2"}),
    )
    assert told == [
        ("SIP/1", "available", None, 0),
        ("SIP/1", "on_contact", None, 1),
        ("SIP/1", "wrap_up", None, 9),
        ("SIP/1", "available", None, 19),
        ("SIP/1", "on_contact", None, 60),
    ]


def test_a_pause_ends_a_wrap_up_and_a_next_call_too() -> None:
    there = floor(member("SIP/1"), member("SIP/2"), pauses={"course": "training"})
    told = play(
        there,
        (0, DONE),
        *((1, event("AgentConnect", f"SIP/{number}", Uniqueid=number)) for number in (1, 2)),
        *((5, event("AgentComplete", f"SIP/{number}", Uniqueid=number)) for number in (1, 2)),
        (7, event("QueueMemberPause", Paused=1, PausedReason="course", Status=1)),
        (8, event("AgentConnect", "SIP/2", "other", Uniqueid=3)),
        (9, event("AgentComplete", "SIP/2", "other", Uniqueid=3)),
        (40, event("QueueMemberPause", Paused=0, Status=1)),
    )
    assert [each for each in told if each[3] >= 7] == [
        ("SIP/1", "training", "course", 7),
        ("SIP/2", "on_contact", None, 8),
        ("SIP/2", "available", None, 9),
        ("SIP/1", "available", None, 40),
    ]


def test_a_telephone_in_use_without_a_call_of_a_queue_is_told_once_it_lasts() -> None:
    there = floor(member("SIP/1"))
    told = play(
        there,
        (0, DONE),
        (1, event("QueueMemberStatus", Status=2)),
        (2, event("QueueMemberStatus", Status=1)),
        (10, event("QueueMemberStatus", Status=2)),
        (14, event("QueueMemberStatus", Status=2)),
        (20, event("QueueMemberStatus", Status=1)),
        (30, event("QueueMemberStatus", Status=5)),
    )
    assert told == [
        ("SIP/1", "available", None, 0),
        ("SIP/1", "on_contact", "outside_queues", 10),
        ("SIP/1", "available", None, 20),
        ("SIP/1", "offline", "unreachable", 30),
    ]


def test_after_a_break_all_is_told_as_it_is_and_nothing_twice() -> None:
    there = floor(member("SIP/1"), member("SIP/2"), member("SIP/3"))
    assert len(play(there, (0, DONE), (1, event("AgentConnect", Uniqueid="1.1")))) == 4
    there.lost()
    there.begin()
    told = play(
        there,
        (60, member("SIP/1", InCall=0)),  # its call has ended meanwhile
        (60, event("QueueMemberPause", "SIP/2", Paused=1, PausedReason="tea", Status=1)),  # between its rows
        (60, member("SIP/2", Paused=1, PausedReason="tea")),
        (60, DONE),
    )
    assert told == [("SIP/1", "available", None, 60), ("SIP/2", "away", "tea", 60), ("SIP/3", "offline", None, 60)]


def test_a_call_from_before_ends_whatever_its_id() -> None:
    there = floor(member("SIP/1", InCall=1))
    told = play(there, (0, DONE), (5, event("AgentComplete", queue="other", Uniqueid="9.9")))
    assert told == [("SIP/1", "on_contact", None, 0), ("SIP/1", "available", None, 5)]


def test_an_agent_with_two_telephones_is_reached_while_one_of_them_is() -> None:
    there = floor(
        member("SIP/1", Status=5), member("Local/1@web", "other"), agents={"SIP/1": "A1", "Local/1@web": "A1"}
    )
    told = play(
        there,
        (0, DONE),
        (5, event("QueueMemberStatus", "Local/1@web", "other", Status=5)),
        (9, event("QueueMemberRemoved", "Local/1@web", "other", Status=5)),
        (9, event("QueueMemberStatus", Status=1)),
        (20, event("QueueMemberRemoved", Status=1)),
    )
    assert told == [
        ("A1", "available", None, 0),
        ("A1", "offline", "unreachable", 5),
        ("A1", "available", None, 9),
        ("A1", "offline", None, 20),
    ]


def said_by_log(state: str, after: int, sequence: int) -> e.AgentStateChanged:
    return e.AgentStateChanged(
        id=f"{after}-{state}", source="asterisk", time=EPOCH + timedelta(milliseconds=T + 1000 * after), sequence=sequence,
        agent_id="SIP/1", state=state,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_log_does_not_end_what_it_knows_nothing_of() -> None:
    there = floor(member("SIP/1", Status=5))
    there(DONE, T)
    (again,) = there.answer(said_by_log("available", 3, 4))
    assert (again.state, again.reason, again.at, again.sequence) == ("offline", "unreachable", T + 3000, 5)
    assert there.answer(said_by_log("available", -3, 4)) == []  # read late: AMI's word is newer by itself
    there.lost()
    assert there.answer(said_by_log("available", 5, 2)) == []


def wrapped_up(there: Floor) -> Floor:
    """Wrap-up is over at 0.3 s; the call that comes at 0.7 s is 0 s to the log."""
    there(DONE, T - 5000)
    assert [each[1] for each in states(there.due(T + 300))] == ["available"]
    return there


def test_where_ami_spoke_within_the_second_and_went_away_the_log_has_the_last_word() -> None:
    there = wrapped_up(floor(member("SIP/1", LastCall=T // 1000 - 10), ami={"wrap_up_seconds": {"support": 10.3}}))
    said = said_by_log("on_contact", 0, 4)
    assert there.answer(said) == []
    (again,) = there.lost()  # before AMI told of the call
    assert (again.state, again.at, again.sequence) == ("on_contact", T + 301, 4)
    assert there.lost() == []
    assert there.answer(said_by_log("on_contact", 1, 2)) == []
    after = floor()  # or the process was killed: it has only what it stored
    after.lost()
    after.spoke = there.spoke
    assert after.answer(said) == [again]


def test_a_call_that_the_log_alone_tells_ends_a_wrap_up() -> None:
    there = floor(member("SIP/1", LastCall=T // 1000))
    assert [each[1] for each in states(there(DONE, T))] == ["wrap_up"]
    there.lost()
    assert there.answer(said_by_log("on_contact", 5, 2)) == []
    assert there.due(T + 60_000) == []
    there.begin()
    there(member("SIP/1"), T + 70_000)
    assert states(there(DONE, T + 70_000)) == [("SIP/1", "available", None, 70)]


# -- calls -------------------------------------------------------------------------------------------------------------


def ami_call(call: str, kind: str, **values: object) -> Message:
    return {"Event": kind, "Uniqueid": call, "Queue": "support", **{key: str(value) for key, value in values.items()}}


def by_log(struct: type, after: float, **values: object) -> AnyEvent:
    given = {"queue_id": "support", "customer_id": "c", **values}
    made: AnyEvent = struct(
        id=f"{after}-{struct.__name__}", source="asterisk", time=EPOCH + timedelta(milliseconds=T + round(after * 1000)), sequence=2,
        contact_id="1.1", **given,
    )  # fmt: skip
    return made


LOG: list[AnyEvent] = [
    by_log(e.CallQueued, 0),
    by_log(e.CallAnswered, 5, agent_id="SIP/1", wait_seconds=5.0),
    by_log(e.CallEnded, 65, agent_id="SIP/1", talk_seconds=60.0, ended_by="agent"),
]
AMI: list[tuple[float, Message]] = [
    (0.4, ami_call("1.1", "QueueCallerJoin")),
    (5.4, ami_call("1.1", "AgentConnect", MemberName="SIP/1", HoldTime=5, DestUniqueid="1.2")),
    (20.0, {"Event": "Hold", "Uniqueid": "1.2"}),
    (32.5, {"Event": "Unhold", "Uniqueid": "1.2"}),
    (60.0, {"Event": "Hold", "Uniqueid": "1.2"}),
    (65.2, ami_call("1.1", "AgentComplete", MemberName="SIP/1", TalkTime=60, Reason="agent")),
]


def both(
    log: Sequence[AnyEvent], ami: Sequence[tuple[float, Message]], ami_first: bool
) -> tuple[Calls, list[AnyEvent]]:
    calls, added = Calls(config()), list[AnyEvent]()
    calls.begin(T - 60_000)

    def by_ami() -> None:
        for after, message in ami:
            added.extend(calls(message, T + round(after * 1000)))

    if ami_first:
        by_ami()
    for each in log:
        added.extend(calls.log_said(each))
    if not ami_first:
        by_ami()
    added += calls.due(T + 3_600_000, T + 3_600_000)
    return calls, added


@pytest.mark.parametrize("ami_first", [True, False])
def test_what_is_held_leaves_the_talk_and_together_they_are_the_logs(ami_first: bool) -> None:
    calls, added = both(LOG, AMI, ami_first)
    assert (calls.compared, calls.new) == (1, [])
    (correction,) = added
    assert isinstance(correction, e.CallCorrected)
    assert (correction.corrects, correction.key) == (LOG[-1].id, "c")
    assert (correction.talk_seconds, correction.hold_seconds) == (42.3, 17.7)
    counted = sums(run_events([*LOG, *added]), "queue|support")
    assert (counted["talk_seconds"], counted["hold_seconds"], counted["handle_seconds"]) == (42_300, 17_700, 60_000)
    assert (counted["calls_held"], counted["calls_handled"]) == (1, 1)


@pytest.mark.parametrize("ami_first", [True, False])
def test_a_call_whose_end_ami_does_not_tell_is_compared_in_what_it_told(ami_first: bool) -> None:
    calls, added = both(LOG, [*AMI[:-1], (65.1, {"Event": "Hangup", "Uniqueid": "1.1"})], ami_first)
    assert (calls.compared, calls.new) == (1, [])
    (correction,) = added
    assert isinstance(correction, e.CallCorrected)
    assert correction.hold_seconds == 17.6


LEFT = [by_log(e.CallQueued, 0), by_log(e.CallLeftQueue, 4, wait_seconds=4.0)]
AWAY = ami_call("1.1", "QueueCallerAbandon", HoldTime=4)


@pytest.mark.parametrize(
    ("log", "ami", "named"),
    [
        # Whoever leaves unanswered is "abandoned" to AMI. Only who hung up is.
        (LEFT, [(0.1, AMI[0][1]), (4.1, AWAY)], None),
        (
            LEFT,
            [(0.1, AMI[0][1]), (4.0, ami_call("1.1", "HangupRequest")), (4.1, AWAY)],
            "outcome: log left the queue, AMI hung up",
        ),
        (
            [LEFT[0], by_log(e.CallAbandoned, 4, wait_seconds=4.0)],
            [(0.1, AMI[0][1]), (4.1, AWAY)],
            "outcome: log hung up, AMI left the",
        ),
        (
            [*LOG[:1], by_log(e.CallAnswered, 5, agent_id="SIP/2", wait_seconds=5.0), LOG[2]],
            AMI,
            "agent: log SIP/2, AMI SIP/1",
        ),
        (
            [*LOG[:1], by_log(e.CallAnswered, 5, agent_id="SIP/1", wait_seconds=9.0), LOG[2]],
            AMI,
            "wait: log 9.0, AMI 5.0",
        ),
        ([*LOG[:2], by_log(e.CallEnded, 65, agent_id="SIP/1", talk_seconds=55.0)], AMI, "talk: log 55.0, AMI 60.0"),
        ([], AMI, "AMI has told of it, and it is not in the log"),
        (LEFT, [], "it is in the log, and AMI has not told of it"),
    ],
)
def test_each_call_on_which_the_two_differ_is_named(
    log: list[AnyEvent], ami: list[tuple[float, Message]], named: str | None
) -> None:
    calls, _ = both(log, ami, True)
    assert [str(each) for each in calls.new] == (
        [] if named is None else [next(str(each) for each in calls.new if named in str(each))]
    )


def test_those_of_a_day_are_named_by_reconcile(tmp_path: Path) -> None:
    (tmp_path / "queue_log").touch()
    of = config().model_copy(update={"queue_log": tmp_path / "queue_log"})
    there = live(of)
    there.calls.new = [
        Difference("1.1", "support", T, "wait", 9.0, 5.0),
        Difference("2.2", "support", T + 86_400_000, "ami_only"),
    ]
    follower = Follower(of, HASH, tmp_path / "var", Broker, 0, Health("asterisk"), lambda names: there)
    follower._tell_live(there, T)
    kept = tmp_path / "var" / "asterisk.differs"
    assert kept.stat().st_mode & 0o077 == 0
    with kept.open("a") as file:
        file.write(kept.read_text() + "cut off in the mid")
    day = datetime.fromtimestamp(T / 1000, UTC).date()
    assert [str(each) for each in differing(kept, day, POLICY)] == [
        "call 1.1 in support: wait: log 9.0, AMI 5.0; it counts as the log has it"
    ]
    assert differing(tmp_path / "none", day, POLICY) == []


def test_a_transferred_call_that_waits_again_before_the_end_is_told() -> None:
    handed = by_log(e.CallTransferred, 65, agent_id="SIP/1")
    log = [
        *LOG[:2],
        by_log(e.CallQueued, 65, queue_id="overflow"),
        handed,
        LOG[2],
        by_log(e.CallLeftQueue, 70, queue_id="overflow", wait_seconds=5.0),
    ]
    over = {"Event": "QueueCallerJoin", "Uniqueid": "1.1", "Queue": "overflow"}
    done = {**AMI[-1][1], "Reason": "transfer"}
    calls, added = both(
        log, [*AMI[:-1], (65.1, over), (65.2, done), (70.1, {**AWAY, "Queue": "overflow", "HoldTime": "5"})], True
    )
    assert (calls.compared, calls.new, len(added)) == (2, [], 1)


def test_what_was_under_way_when_ami_came_is_not_compared() -> None:
    calls = Calls(config())
    calls.log_said(LOG[0])
    calls.begin(T + 10_000)
    calls({"Event": "QueueEntry", "Uniqueid": "2.2", "Queue": "support", "Wait": "7"}, T + 10_000)
    assert calls.waiting == {"support": (1, T + 3000)}
    for each in LOG[1:]:
        assert calls.log_said(each) == []
    for after, message in AMI[2:]:
        assert calls(message, T + round(after * 1000)) == []
    calls.due(T + 3_600_000, T + 3_600_000)
    assert (calls.compared, calls.new) == (0, [])


@pytest.mark.parametrize(("since", "named"), [(-3000, 1), (100, 0), (900, 0)])
def test_who_came_in_the_second_in_which_ami_did_is_named_on_neither_side(since: int, named: int) -> None:
    """The log has 0 s of a call that came at 0.4 s."""
    for log, ami in ((LOG, []), ([], AMI)):
        calls = Calls(config())
        calls.begin(T + since)
        for each in log:
            calls.log_said(each)
        for after, message in ami:
            calls(message, T + round(after * 1000))
        calls.due(T + 3_600_000, T + 3_600_000)
        assert len(calls.new) == named
    calls = Calls(config())
    calls.begin(T + min(since, 300))
    for each in LOG:
        calls.log_said(each)
    for after, message in AMI:
        calls(message, T + round(after * 1000))
    assert (calls.compared, calls.new) == (1, [])


def test_who_waits_is_known_while_they_wait() -> None:
    calls = Calls(config(queues={"support": "Help"}))
    for number, after in ((1, 0), (2, 5)):
        calls(ami_call(f"{number}.1", "QueueCallerJoin"), T + 1000 * after)
    assert calls.waiting == {"Help": (2, T)}
    calls(ami_call("1.1", "AgentConnect", MemberName="SIP/1"), T + 6000)
    assert calls.waiting == {"Help": (1, T + 5000)}
    calls(ami_call("2.1", "Hangup"), T + 7000)
    assert calls.waiting == {}


def test_while_ami_is_away_nobody_knows_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queue_log").touch()
    of = config(source="waits").model_copy(update={"queue_log": tmp_path / "queue_log"})
    shown: list[str] = []

    def make(names: Names) -> Live:
        there = live(of)
        monkeypatch.setattr(there.reader, "start", lambda: None)
        monkeypatch.setattr(there.reader, "stop", lambda: None)
        there.reader.row.extend((T, each) for each in (lives._UP, DONE, ami_call("1.1", "QueueCallerJoin")))
        made.append(there)
        return there

    class Looks(Event):
        def wait(self, timeout: float | None = None) -> bool:
            page = prometheus_client.generate_latest().decode()
            shown.append(
                "".join(
                    line
                    for line in page.splitlines()
                    if line.startswith("deskpulse_source_waiting{") and "waits" in line
                )
            )
            made[0].reader.row.append((T, lives._DOWN))
            if len(shown) == 2:
                self.set()
            return self.is_set()

    made: list[Live] = []
    Follower(of, HASH, tmp_path / "var", Broker, 0, Health("waits"), make).run(Looks())
    assert shown == ['deskpulse_source_waiting{queue="support",source="waits"} 1.0', ""]


# -- beside the log ----------------------------------------------------------------------------------------------------


def live(of: Config, clock: Callable[[], int] = lambda: T) -> Live:
    return Live(of, Names(of), {"AMI_SECRET": SECRET}, clock)


def at(after: float, message: Message) -> Message:
    return {**message, "Timestamp": f"{T / 1000 + after:.6f}"}


def test_the_time_is_asterisks_where_its_clock_is_another() -> None:
    there = live(config())
    there.heard(lives._UP, T - 5000)
    there.heard(at(0, {"Response": "Success", "Ping": "Pong", "ActionID": "clock"}), T - 5000)
    there.heard(member("SIP/1"), T - 5000)
    assert states(there.heard(DONE, T - 4900)) == [("SIP/1", "available", None, 0.1)]
    assert "timestampevents" in there.told()["reason"]
    assert states(there.heard(at(3, event("AgentConnect", Uniqueid="1.1")), T - 1000)) == [
        ("SIP/1", "on_contact", None, 3)
    ]
    assert "reason" not in there.told()


@pytest.mark.parametrize("time", ["", "soon", "nan", "inf", "1e300", "-5", "99999999999999"])
def test_a_time_that_is_none_is_the_time_at_which_it_came(time: str) -> None:
    there = live(config())
    there.heard(lives._UP, T)
    there.heard({**member("SIP/1", LastCall="9" * 5000, Wrapuptime="9" * 5000, Paused=""), "Timestamp": time}, T)
    there.heard({**member(""), "Location": "", "Timestamp": time}, T)
    (only,) = there.heard({**DONE, "Timestamp": time}, T)
    assert (only.agent_id, only.at) == ("SIP/1", T)


def messages(*of: Mapping[str, str]) -> str:
    return "".join("".join(f"{key}: {value}\r\n" for key, value in each.items()) + "\r\n" for each in of)


def followed(tmp_path: Path, port: int, stop: Event, broker: Broker) -> Health:
    of = config(ami={"port": port}).model_copy(update={"queue_log": tmp_path / "queue_log"})
    health = Health("asterisk")

    def make(names: Names) -> Live:
        return Live(of, names, {"AMI_SECRET": SECRET}, lambda: T)

    Follower(of, HASH, tmp_path / "var", lambda: broker, 0, health, make).run(stop)
    return health


def test_an_asterisk_that_lets_nobody_in_ends_it_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "queue_log").touch()
    with (
        manager(says(BANNER, NO)) as port,
        pytest.raises(ValueError, match=r"does not let deskpulse in: Authentication failed; see \[deskpulse\]"),
    ):
        followed(tmp_path, port, Event(), Broker())


def test_cut_off_it_comes_back_and_tells_what_has_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(lives, "_BOOTING_SECONDS", 0.0)
    (tmp_path / "queue_log").touch()
    stop, broker = Event(), Broker()

    def status(*members: Message) -> str:
        return messages(*({**each, "ActionID": lives._STATUS} for each in (*members, DONE)))

    def first(near: socket.socket) -> None:
        says(BANNER, OK)(near)
        heard(near, "QueueStatus")
        near.sendall(
            messages(
                {"Response": "Error", "ActionID": lives._STATUS, "Message": "Invalid/unknown command: QueueStatus"}
            ).encode()
        )
        heard(near, "QueueStatus")  # its queues are there by now
        near.sendall(status(member("SIP/1"), member("SIP/2")).encode())

    def second(near: socket.socket) -> None:
        says(BANNER, OK)(near)
        heard(near, "QueueStatus")
        near.sendall(status(member("SIP/1", Paused=1, PausedReason="tea"), member("SIP/2")).encode())
        while [each.state for each in broker.kept if isinstance(each, e.AgentStateChanged)].count("away") < 1:
            if stop.wait(0.02):
                return
        stop.set()

    with manager(first, second) as port:
        health = followed(tmp_path, port, stop, broker)
    assert [(agent, state) for agent, state, *_ in states(broker.kept)] == [
        ("SIP/1", "available"),
        ("SIP/2", "available"),
        ("SIP/1", "away"),
    ]
    assert len({each.id for each in broker.kept}) == 3
    assert health is not None


def test_what_kafka_has_not_acknowledged_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.sources.asterisk import follow
    from streams.sources.producer import SendError

    monkeypatch.setattr(follow, "_AGAIN_SECONDS", 0.0)
    (tmp_path / "queue_log").touch()
    broker, of = Broker(), config().model_copy(update={"queue_log": tmp_path / "queue_log"})
    broker.fails = [SendError("away")]
    made: list[Live] = []

    def make(names: Names) -> Live:
        made.append(Live(of, names, {"AMI_SECRET": SECRET}, lambda: T))
        monkeypatch.setattr(made[0].reader, "start", lambda: None)
        monkeypatch.setattr(made[0].reader, "stop", lambda: None)
        made[0].reader.row.extend((T, each) for each in (lives._UP, member("SIP/1"), DONE))
        return made[0]

    class Twice(Event):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            if self.waits == 2:
                self.set()
            return self.is_set()

    Follower(of, HASH, tmp_path / "var", lambda: broker, 0, Health("asterisk"), make).run(Twice())
    assert [each.id for each in broker.kept] == [broker.kept[0].id] * 2
    assert made[0].pending == []


def checked(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    monkeypatch.setenv("AMI_SECRET", SECRET)
    (tmp_path / "queue_log").touch()
    (tmp_path / "asterisk.yaml").write_text(
        f"queue_log: queue_log\nagents: {{SIP/1: A1}}\n"
        f"ami: {{port: {port}, user: deskpulse, secret: $AMI_SECRET, wrap_up_seconds: {{suport: 5}}}}\n"
    )
    return CliRunner().invoke(app, ["source", "check", str(tmp_path / "asterisk.yaml")], catch_exceptions=False)


def test_a_check_logs_in_and_says_who_is_there_and_which_names_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(near: socket.socket) -> None:
        says(BANNER, OK)(near)
        heard(near, "QueueStatus")
        params: Message = {"Event": "QueueParams", "Queue": "support"}
        near.sendall(messages(params, member("SIP/1"), member("SIP/2"), DONE).encode())

    with manager(talk) as port:
        result = checked(tmp_path, port, monkeypatch)
    assert result.exit_code == 0
    assert f"AMI at 127.0.0.1:{port}: 1 queues, 2 members\n" in result.output
    assert "wrap_up_seconds: suport is no queue of this Asterisk\n" in result.output
    assert "  SIP/2: SIP/2  # 1\n" in result.output
    assert "SIP/1:" not in result.output


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (
            says(BANNER, NO),
            "does not let deskpulse in: Authentication failed; see [deskpulse] in Asterisk's manager.conf",
        ),
        (lambda near: None, "closed the connection: is `enabled = yes` in manager.conf, and the port open?"),
        (
            says(BANNER, OK, "Response: Error\r\nActionID: check\r\nMessage: Permission denied\r\n\r\n"),
            "QueueStatus: Permission denied",
        ),
    ],
)
def test_a_check_that_cannot_log_in_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None], why: str
) -> None:
    with manager(talk) as port:
        result = checked(tmp_path, port, monkeypatch)
    assert result.exit_code == 1
    assert why in " ".join(result.output.split())


def test_the_secret_is_no_part_of_the_file() -> None:
    with pytest.raises(ValueError, match="a secret does not stand in this file"):
        Ami.model_validate({"user": "deskpulse", "secret": "s3cret"})
    with pytest.raises(ValueError, match="set AMI_SECRET in the environment"):
        Live(config(), Names(config()), {}, lambda: T)


# -- a real Asterisk ---------------------------------------------------------------------------------------------------

#: What AMI and the log told of one run of `make asterisk` that nobody disturbed: of the messages those that are read, with the fields that
#: are looked at.
RECORDED_AMI, RECORDED_LOG = (
    ROOT / "tests/support/recorded" / name for name in ("asterisk-16-ami-messages.gz", "asterisk-16-ami-queue_log")
)


def recorded_messages() -> list[Message]:
    blocks = gzip.decompress(RECORDED_AMI.read_bytes()).decode().strip().split("\n\n")
    return [parse(block.replace("\n", "\r\n")) for block in blocks]


def recorded_both() -> tuple[Live, list[AnyEvent]]:
    """Messages and lines as they came, a line when its second is over."""
    there, log, told = live(config(ami={"wrap_up_seconds": {"support": 2}})), reader(), list[AnyEvent]()
    lines, now = RECORDED_LOG.read_text().splitlines(), 0

    def read_until(second: float) -> None:
        while lines and int(lines[0].split("|")[0]) < second:
            for each in log(lines.pop(0)) or ():
                told.extend([each, *there.log_said(each)])

    there.heard(lives._UP, 0)
    for message in recorded_messages():
        now = round(float(message["Timestamp"]) * 1000) if "Timestamp" in message else now
        read_until(now // 1000)
        told += there.heard(message, now)
    read_until(float("inf"))
    there._clock = lambda: now + 120_000
    there.take()
    assert there.differences(now + 120_000) == []
    return there, told + there.pending


def test_what_a_real_asterisk_said_by_both_ways_is_one_story() -> None:
    there, told = recorded_both()
    assert there.calls.compared == RECORDED_LOG.read_text().count("|ENTERQUEUE|")
    result, right = run_events(told), of_log(RECORDED_LOG)
    assert result.rejected == []
    day = datetime.fromtimestamp(told[-1].at / 1000, UTC).date()
    for queue in ("support", "overflow", "lonely"):
        counted = sums(result, f"queue|{queue}", day)
        counted["talk_seconds"] = counted.get("talk_seconds", 0) + counted.get("hold_seconds", 0)
        assert {name: counted.get(name, 0) for name in MEASURES} == {name: right[queue, name] for name in MEASURES}


def test_a_real_asterisk_tells_of_every_hold() -> None:
    """By a second reading: what lies between Hold and the next Unhold of each agent's channel, or the end of the call: of some calls that
    end while they are held Asterisk says no AgentComplete, only that the caller's channel is gone.
    """
    _, told = recorded_both()
    calls, since, held = dict[str, str](), dict[str, int](), Counter[str]()
    unended = 0
    for message in recorded_messages():
        own, at = message.get("Uniqueid", ""), round(float(message.get("Timestamp", "0")) * 1000)
        kind = message.get("Event", "")
        if kind == "AgentConnect":
            calls[message["DestUniqueid"]] = own
        if kind == "Hold" and own in calls:
            since[own] = at
        over = kind in ("AgentComplete", "Hangup")
        for channel in [
            channel
            for channel, call in calls.items()
            if (own == channel and kind == "Unhold") or (own == call and over)
        ]:
            if channel in since:
                held[calls[channel]] += at - since.pop(channel)
                unended += kind == "Hangup"
            if over:
                del calls[channel]
    corrected = {each.contact_id: each.hold_seconds for each in told if isinstance(each, e.CallCorrected)}
    assert corrected == {call: ms / 1000 for call, ms in held.items()}
    assert len(corrected) > 3
    assert unended > 0


def test_a_real_asterisk_and_its_log_have_agents_in_the_same_states() -> None:
    _, told = recorded_both()
    changes = sorted(
        (each for each in told if isinstance(each, e.AgentStateChanged)), key=lambda each: (each.at, each.sequence or 0)
    )
    lines_of = defaultdict[str, list[e.AgentStateChanged]](list)
    for each in changes:
        if not each.id.startswith("ami-"):
            lines_of[each.agent_id].append(each)
    first = {each.agent_id for each in changes[:8]}
    assert {"SIP/203", "SIP/208"} <= first  # whoever no call has touched yet
    looked, wrapping = 0, 0
    for agent, of_log_ in lines_of.items():
        for one, after in pairwise(of_log_):
            moment = one.at + 1300
            if after.at <= moment:
                continue
            stands = [each for each in changes if each.agent_id == agent and each.at <= moment][-1]
            looked, wrapping = looked + 1, wrapping + (stands.state == "wrap_up")
            assert (
                stands.state == one.state
                or (one.state, stands.state) == ("available", "wrap_up")
                or stands.reason == "outside_queues"
            )
    assert looked > 40
    assert wrapping > 5
    for agent in lines_of:
        own = [each for each in changes if each.agent_id == agent]
        assert max((after.at - one.at for one, after in pairwise(own) if one.state == "wrap_up"), default=0) <= 2005
