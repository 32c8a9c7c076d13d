"""Asterisk's queue_log: what its lines stand for, by what a real Asterisk 16 wrote and by lines of other releases; and the log followed."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.sources.asterisk import follow, tail
from streams.sources.asterisk.follow import Follower, second_of
from streams.sources.asterisk.lines import IGNORED, QueueLog
from streams.sources.asterisk.names import ASTERISKS_OWN, EXAMPLE, Config, Names, load
from streams.sources.asterisk.reconcile import compare, to_send, told_of
from streams.sources.asterisk.tail import Position, Tail
from streams.sources.expressions.people import pseudonyms
from streams.sources.live.health import Health
from streams.sources.producer import SendError
from streams.sources.table.rows import ReadRow, RejectedRow, RowResult
from streams.sources.vendors.reader import Vendor, read_records
from tests.support import ROOT
from tests.support.desk import POLICY, run_events, sums, types

#: Some 200 real calls: SIPp's callers and agents on Asterisk 16.28, with members that ring and do not answer, overflow to a second queue,
#: an empty queue, exits by key, blind and attended transfers, pauses, a member that comes and goes, and a reload.
RECORDED = ROOT / "tests/support/recorded/asterisk-16-queue_log"
HASH = pseudonyms(b"key")
T = 1_772_413_200
#: Of the recorded calls.
DAY = date(2026, 3, 2)


def reader(**config: object) -> QueueLog:
    made = Config.model_validate({"queue_log": "queue_log", **config})
    return QueueLog(made.source, HASH, Names(made), made.region)


def told(*lines: str, **config: object) -> list[AnyEvent]:
    """The events of lines whose times are seconds after T."""
    log = reader(**config)
    return [event for line in lines for event in log(_at(line)) or ()]


def _at(line: str) -> str:
    after, rest = line.split("|", 1)
    return f"{T + int(after)}|{rest}"


def calls(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    return [event for event in events if event.carrier == "calls"]


def states(events: Iterable[AnyEvent]) -> list[tuple[str, str, str | None]]:
    return [(event.agent_id, event.state, event.reason) for event in events if isinstance(event, e.AgentStateChanged)]


# -- what is written of calls ------------------------------------------------------------------------------------------


def of_log(path: Path) -> Counter[tuple[str, str]]:
    """Counts, waits and talk by queue as the lines say them: a second reading, independent of the first."""
    found: Counter[tuple[str, str]] = Counter()
    for line in path.read_text().splitlines():
        _, _, queue, _, verb, *data = line.split("|")
        match verb:
            case "ENTERQUEUE":
                found[queue, "calls_offered"] += 1
            case "CONNECT":
                found[queue, "calls_answered"] += 1
                found[queue, "wait_seconds"] += 1000 * int(data[0])
            case "COMPLETEAGENT" | "COMPLETECALLER":
                found[queue, "calls_handled"] += 1
                found[queue, "talk_seconds"] += 1000 * int(data[1])
            case "BLINDTRANSFER" | "ATTENDEDTRANSFER":
                found[queue, "calls_handled"] += 1
                found[queue, "calls_transferred"] += 1
                found[queue, "talk_seconds"] += 1000 * int(data[-2])
            case "ABANDON" | "EXITWITHKEY":
                found[queue, "calls_abandoned"] += 1
            case "EXITWITHTIMEOUT" | "EXITEMPTY":
                found[queue, "calls_flowed_out"] += 1
            case "RINGNOANSWER":
                found[queue, "calls_missed"] += 1
    return found


MEASURES = (
    *("calls_offered", "calls_answered", "calls_handled", "calls_transferred", "calls_abandoned"),
    *("calls_flowed_out", "calls_missed", "wait_seconds", "talk_seconds"),
)


def recorded() -> list[AnyEvent]:
    rows = list(read_records(RECORDED, Vendor.asterisk, b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event for row in rows if isinstance(row, ReadRow) for event in row.events]


def test_what_a_real_asterisk_wrote_is_counted_to_the_call_and_the_second() -> None:
    events, right = recorded(), of_log(RECORDED)
    for order in (events, random.Random(1).sample(events, len(events)), [*events, *events]):
        result = run_events(order)
        assert result.rejected == []
        for queue in ("support", "overflow", "lonely"):
            counted = sums(result, f"queue|{queue}", DAY)
            assert {name: counted.get(name, 0) for name in MEASURES} == {name: right[queue, name] for name in MEASURES}
    assert right["support", "calls_offered"] == 195
    assert right["overflow", "calls_transferred"] == 11


def test_ids_are_one_of_each_event() -> None:
    events = recorded()
    assert len({(event.key, getattr(event, "contact_id", ""), event.id) for event in events}) == len(events)


def test_the_raw_log_of_the_field() -> None:
    events = told(
        "0|1.10|support|NONE|ENTERQUEUE||4900000001|1",
        "1|1.10|support|SIP/201|RINGNOANSWER|1000",
        "3|1.10|support|SIP/202|RINGNOANSWER|0",
        "9|1.10|support|SIP/203|CONNECT|9|1.11|5",
        "69|1.10|support|SIP/203|COMPLETECALLER|9|60|1",
        "100|1.20|support|NONE|ENTERQUEUE||4900000002|1",
        "130|1.20|support|NONE|ABANDON|1|1|30",
    )
    counted = sums(run_events(events), "queue|support")
    assert [counted[name] for name in ("calls_offered", "calls_answered", "calls_abandoned", "calls_missed")] == [
        *(2, 1, 1, 2)
    ]
    assert {event.customer_id for event in calls(events)} == {HASH("4900000001"), HASH("4900000002")}


def test_a_call_that_waits_again_before_its_transfer_is_written() -> None:
    events = told(
        "0|1.1|support|NONE|ENTERQUEUE||100|1",
        "5|1.1|support|SIP/1|CONNECT|5|1.2|1",
        "20|1.1|support|NONE|ENTERQUEUE||200|1",
        "21|1.1|support|SIP/1|BLINDTRANSFER|q|agents|5|15|1",
        "30|1.1|support|SIP/1|CONNECT|10|1.3|1",
        "40|1.1|support|SIP/1|COMPLETEAGENT|10|10|1",
    )
    result = run_events(events)
    counted = sums(result, "queue|support")
    names = ("calls_offered", "calls_answered", "calls_handled", "calls_transferred", "calls_flowed_out")
    assert [counted.get(name, 0) for name in names] == [2, 2, 2, 1, 0]
    assert (counted["talk_seconds"], counted["wait_seconds"]) == (25_000, 15_000)
    # They have transferred it, and whoever calls is who called, whatever number the dialplan gives them on the way.
    assert {event.customer_id for event in calls(events)} == {HASH("100")}


@pytest.mark.parametrize(
    ("line", "talk"),
    [
        ("9|1.1|q|SIP/1|TRANSFER|300|default", None),
        ("9|1.1|q|SIP/1|TRANSFER|300|default|2|7", 7),
        ("9|1.1|q|SIP/1|TRANSFER|300|default|2|7|1", 7),
        ("9|1.1|q|SIP/1|BLINDTRANSFER|300|default|2|7|1", 7),
        ("9|1.1|q|SIP/1|ATTENDEDTRANSFER|BRIDGE|0a-1|2|7|1", 7),
        ("9|1.1|q|SIP/1|ATTENDEDTRANSFER|LINK|Local/1;1|Local/1;2|2|7|1", 7),
        ("9|1.1|q|SIP/1|ATTENDEDTRANSFER|APP|Playback|2|7|1", 7),
    ],
)
def test_transfers_of_all_releases(line: str, talk: float | None) -> None:
    events = told("0|1.1|q|NONE|ENTERQUEUE||100|1", "2|1.1|q|SIP/1|CONNECT|2|1.2|1", line)
    assert types(calls(events)) == ["call.queued", "call.answered", "call.transferred", "call.ended"]
    ended = events[-2]
    assert isinstance(ended, e.CallEnded)
    assert ended.talk_seconds == talk


@pytest.mark.parametrize(
    ("line", "type_", "wait"),
    [
        ("9|1.1|q|NONE|ABANDON|1|2|9", e.CallAbandoned, 9),
        ("9|1.1|q|NONE|EXITWITHKEY|1|3|4|9", e.CallAbandoned, 9),
        ("9|1.1|q|NONE|EXITWITHTIMEOUT|1|2|9", e.CallLeftQueue, 9),
        ("9|1.1|q|NONE|EXITEMPTY|1|1|9", e.CallLeftQueue, 9),
    ],
)
def test_ways_out_of_a_queue(line: str, type_: type, wait: float) -> None:
    left = told("0|1.1|q|NONE|ENTERQUEUE||100|1", line)[-1]
    assert type(left) is type_
    assert (left.wait_seconds, left.reason) == (wait, line.split("|")[4])  # type: ignore[union-attr]


def test_a_start_of_asterisk_ends_what_it_had() -> None:
    events = told(
        "0|1.1|q|NONE|ENTERQUEUE||100|1",
        "1|1.2|q|NONE|ENTERQUEUE||200|2",
        "2|1.1|q|SIP/1|CONNECT|2|1.3|1",
        "60|NONE|NONE|NONE|QUEUESTART|",
    )
    assert types(calls(events))[-2:] == ["call.ended", "call.left_queue"]
    assert states(events) == [("SIP/1", "on_contact", None), ("SIP/1", "available", None)]


# -- what is written of agents -----------------------------------------------------------------------------------------


def test_a_pause_in_one_queue_of_two_leaves_an_agent_available() -> None:
    events = told(
        "0|CLI|a|SIP/1|ADDMEMBER|",
        "0|CLI|b|SIP/1|ADDMEMBER|",
        "1|NONE|a|SIP/1|PAUSE|lunch",
        "2|NONE|b|SIP/1|PAUSE|lunch",
        "3|NONE|NONE|SIP/1|UNPAUSEALL|",
        "3|NONE|a|SIP/1|UNPAUSE|",
        "3|NONE|b|SIP/1|UNPAUSE|",
        "4|NONE|NONE|SIP/1|PAUSEALL|course",
        "5|NONE|NONE|SIP/1|UNPAUSEALL|",
        "6|CLI|a|SIP/1|REMOVEMEMBER|",
        "7|CLI|b|SIP/1|REMOVEMEMBER|",
        agents={"SIP/1": "A1"},
        pauses={"course": "training"},
    )
    assert states(events) == [
        ("A1", "available", None),
        ("A1", "away", "lunch"),
        ("A1", "available", None),
        ("A1", "training", "course"),
        ("A1", "available", None),
        ("A1", "offline", None),
    ]


def test_a_member_of_the_configuration_pauses_before_anything_was_heard_of_them() -> None:
    events = told(
        "0|NONE|NONE|SIP/1|PAUSEALL|tea",
        "0|NONE|a|SIP/1|PAUSE|tea",
        "9|NONE|NONE|SIP/1|UNPAUSEALL|",
        "9|NONE|a|SIP/1|UNPAUSE|",
    )
    assert states(events) == [("SIP/1", "away", "tea"), ("SIP/1", "available", None)]


def test_who_is_removed_while_they_talk_is_offline_afterwards() -> None:
    events = told(
        "0|CLI|a|SIP/1|ADDMEMBER|",
        "1|1.1|a|SIP/1|CONNECT|1|1.2|1",
        "2|CLI|a|SIP/1|REMOVEMEMBER|",
        "9|1.1|a|SIP/1|COMPLETECALLER|1|8|1",
    )
    assert [state for _, state, _ in states(events)] == ["available", "on_contact", "offline"]


def test_old_releases_log_agents_in_and_off() -> None:
    events = told("0|NONE|NONE|Agent/7|AGENTLOGIN|SIP/7-01", "60|NONE|NONE|Agent/7|AGENTLOGOFF|SIP/7-01|60")
    assert [state for _, state, _ in states(events)] == ["available", "offline"]


# -- names, numbers, what is refused -----------------------------------------------------------------------------------


def test_what_the_file_does_not_name_is_told_as_it_is_and_counted() -> None:
    log = reader(agents={"PJSIP/1": "A1"}, queues={"q": "Desk"})
    for line in (
        "0|1.1|q|NONE|ENTERQUEUE||100|1",
        "1|1.1|q|PJSIP/1|RINGNOANSWER|1000",
        "2|1.1|q|Local/9@x/n|CONNECT|2|1.2|1",
    ):
        events = log(_at(line))
    assert events is not None
    assert (events[0].agent_id, events[0].queue_id) == ("Local/9@x/n", "Desk")  # type: ignore[union-attr]
    assert log._names.unknown_agents == {"Local/9@x/n": 2}
    assert not log._names.unknown_queues


def test_a_number_has_one_spelling_where_the_region_is_told() -> None:
    lines = [
        f"{after}|1.{after}|q|NONE|ENTERQUEUE||{number}|1"
        for after, number in enumerate(["13900000001", "+8613900000001", "008613900000001", "anonymous", "", "alice"])
    ]
    one, *others = (event.customer_id for event in calls(told(*lines, region="CN")))  # type: ignore[union-attr]
    assert one == HASH("+8613900000001")
    assert others == [one, one, None, None, HASH("alice")]


#: The caller hangs up on the agent's side and goes on to the survey: 1 is satisfied, 2 so-so, 3 not.
ASKED = (
    "0|1.1|q|NONE|ENTERQUEUE||100|1",
    "5|1.1|q|SIP/1|CONNECT|5|1.2|1",
    "65|1.1|q|SIP/1|COMPLETEAGENT|5|60|1",
    "66|1.1|q|SIP/1|ASKED",
)


@pytest.mark.parametrize(
    ("survey", "key", "score"),
    [
        ({"scale": "3-1"}, "1", 1),
        ({"scale": "3-1"}, "3", 3),
        ({"scale": "1-5", "scores": {1: 5, 2: 3, 3: 1}}, "1", 5),
        ({"scale": "1-5", "scores": {"*": 1, "#": 5}}, "#", 5),
    ],
)
def test_keys_have_the_meaning_that_the_file_gives_them(survey: dict[str, object], key: str, score: float) -> None:
    surveys = {"PRESSED": {**survey, "invited": "ASKED"}}
    events = told(*ASKED, f"70|1.1|q|SIP/1|PRESSED|{key}", surveys=surveys)
    invited, rated = events[-2:]
    assert isinstance(rated, e.CallRated)
    assert isinstance(invited, e.CallInvited)
    assert (rated.score, rated.scale, rated.agent_id, rated.customer_id) == (
        score,
        survey["scale"],
        "SIP/1",
        HASH("100"),
    )
    policy = POLICY.model_copy(update={"satisfied_from": {**POLICY.satisfied_from, "3-1": 2}})
    result = run_events(events, policy)
    assert result.rejected == []
    counted = sums(result, "agent|SIP/1")
    assert (counted["csat_ratings"], counted.get("csat_satisfied", 0)) == (1, key in ("1", "#"))


def test_a_key_that_stands_for_nothing_is_refused() -> None:
    for survey, key, why in (
        ({"scale": "3-1"}, "7", "'7' is not on the scale 3-1"),
        ({"scale": "3-1"}, "", "'' is not on the scale"),
        ({"scale": "1-5", "scores": {1: 5}}, "2", "'2' is none of the keys 1"),
    ):
        log = reader(surveys={"PRESSED": survey})
        with pytest.raises(ValueError, match=why):
            log(_at(f"70|1.1|q|SIP/1|PRESSED|{key}"))


@pytest.mark.parametrize(
    ("surveys", "why"),
    [
        ({"PRESSED": {"scale": "1-5", "scores": {1: 9}}}, "the key 1 stands for 9, which is not on the scale 1-5"),
        ({"CONNECT": {"scale": "1-5"}}, "a verb of Asterisk's own"),
        ({"A": {"scale": "1-5", "invited": "B"}, "B": {"scale": "1-5"}}, "B stands twice"),
        ({"A": {"scale": "good"}}, "String should match"),
    ],
)
def test_a_survey_that_cannot_be_is_refused(surveys: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Config.model_validate({"queue_log": "queue_log", "surveys": surveys})


def test_asterisks_own_verbs_are_those_that_are_read_or_left_out() -> None:
    assert reader()._verbs.keys() | IGNORED == ASTERISKS_OWN


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x", "fields where a line"),
        ("x|1|q|NONE|ABANDON|1|1|1", "no count of seconds"),
        ("99999999999|1|q|NONE|ABANDON|1|1|1", "is not between"),
        (f"{T}|1|q|NONE|ABANDON|1|1", "the wait is no number"),
        (f"{T}|1|q|NONE|CONNECT|1|1|1", "of no agent"),
        (f"{T}|NONE|q|NONE|ENTERQUEUE||1|1", "of no call"),
        (f"{T}|1|q|SIP/1|COMPLETEAGENT|1|nan|1", "the talk"),
        (f"{T}|{'c' * 300}|q|NONE|ENTERQUEUE||1|1", "ENTERQUEUE"),
    ],
)
def test_a_line_that_is_none_is_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        reader()(line)


def test_lines_of_an_operations_own_are_counted_and_left_out() -> None:
    log = reader()
    assert log(_at("0|1.1|NONE|NONE|SURVEY|5")) is None
    assert log(_at("0|1.1|NONE|NONE|RINGCANCELED|5")) is None
    assert log._names.unread == {"SURVEY": 1}


def test_the_example_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "asterisk.yaml"
    path.write_text(EXAMPLE)
    assert load(path) == Config(queue_log=Path("/var/log/asterisk/queue_log"))
    path.write_text("queue_log: log\nregoin: CN\n")
    with pytest.raises(ValueError, match=r"asterisk\.yaml: regoin"):
        load(path)


# -- the log as it is written ------------------------------------------------------------------------------------------


def line(number: int) -> bytes:
    return b"%d|%d.1|q|NONE|ENTERQUEUE||100|1\n" % (T + number, number)


def drained(log: Tail) -> list[bytes]:
    found: list[bytes] = []
    while lines := log.more():
        found += lines
    return [raw.rstrip(b"\n") for raw in found]


def numbers(*of: int) -> list[bytes]:
    return [line(number).rstrip() for number in of]


def opened(path: Path, position: Position | None = None) -> Tail:
    return Tail(path, position or Position(), 0, second_of)


def test_a_line_is_read_when_its_end_is_written(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    log = opened(path)
    assert drained(log) == []  # not there yet
    path.write_bytes(line(1) + line(2)[:10])
    assert drained(log) == numbers(1)
    with path.open("ab") as file:
        file.write(line(2)[10:])
    assert drained(log) == numbers(2)
    log.close()


def by_renaming(path: Path) -> None:
    path.rename(path.with_name("queue_log.1"))
    path.touch()


def by_copying(path: Path) -> None:
    shutil.copy(path, path.with_name("queue_log.1"))
    with path.open("r+b") as file:
        file.truncate(0)


def by_zipping(path: Path) -> None:
    path.with_name("queue_log-20260302.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


@pytest.mark.parametrize("rotate", [by_renaming, by_copying, by_zipping])
@pytest.mark.parametrize("running", [True, False])
def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(
    tmp_path: Path, rotate: Callable[[Path], None], running: bool
) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(line(1) + line(2))
    log = opened(path)
    assert drained(log) == numbers(1, 2)
    if not running:
        log.close()
    with path.open("ab") as file:
        file.write(line(3))
    rotate(path)
    with path.open("ab") as file:  # longer than what was read of the one before
        file.write(line(4) + line(5) + line(6))
    if not running:
        log = opened(path, log.position)
    assert drained(log) == numbers(3, 4, 5, 6)
    assert not log.lost
    log.close()


def test_what_asterisk_writes_to_the_old_file_before_it_opens_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(line(1))
    log = opened(path)
    assert drained(log) == numbers(1)
    by_renaming(path)
    assert drained(log) == []
    with (tmp_path / "queue_log.1").open("ab") as file:
        file.write(line(2))
    assert drained(log) == numbers(2)
    path.write_bytes(line(3))
    assert drained(log) == numbers(3)
    log.close()


def test_an_empty_log_that_is_renamed(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.touch()
    log = opened(path)
    assert drained(log) == []
    by_renaming(path)
    path.write_bytes(line(1))
    assert drained(log) == numbers(1)
    log.close()


def test_files_that_came_and_went_while_nobody_looked(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(line(1))
    log = opened(path)
    assert drained(log) == numbers(1)
    log.close()
    (tmp_path / "queue_log.3").write_bytes(line(1) + line(2))
    (tmp_path / "queue_log.2.gz").write_bytes(gzip.compress(line(3)))
    (tmp_path / "queue_log.1").write_bytes(line(4))
    path.write_bytes(line(5))
    log = opened(path, log.position)
    assert drained(log) == numbers(2, 3, 4, 5)
    log.close()


def test_a_file_that_is_gone_is_told_and_reading_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(line(1) + line(2))
    log = opened(path)
    assert drained(log) == numbers(1, 2)
    path.write_bytes(line(0) + line(7) + line(8))
    assert drained(log) == numbers(7, 8)
    assert "no longer beside" in log.lost
    log.close()


# -- to Kafka, and cut off ---------------------------------------------------------------------------------------------


class Cut(BaseException):
    """The process is killed."""


class Broker:
    """Takes events until it is to fail: kill the process, or be away."""

    def __init__(self) -> None:
        self.kept: list[AnyEvent] = []
        self.fails: list[BaseException | None] = []
        self.stop = Event()

    def send(self, event: AnyEvent) -> None:
        self.kept.append(event)

    def flush(self) -> None:
        if self.fails and (error := self.fails.pop()) is not None:
            raise error

    def close(self) -> None:
        pass


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(follow, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(tail, "_CHUNK", 2000)


def follower(tmp_path: Path, broker: Broker, health: Health | None = None) -> Follower:
    config = Config(queue_log=tmp_path / "queue_log")
    return Follower(config, HASH, tmp_path / "var", lambda: broker, 0, health or Health("asterisk"))


class Until(Event):
    """Is set at the first look that finds nothing to be read."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_killed_and_cut_off_at_any_moment_the_log_is_told_once(tmp_path: Path, at_once: None) -> None:
    lines, chance, broker = RECORDED.read_bytes().splitlines(keepends=True), random.Random(5), Broker()
    path = tmp_path / "queue_log"
    done, cuts = 0, 0
    while done < len(lines):
        count = chance.randrange(1, 60)
        with path.open("ab") as file:
            file.writelines(lines[done : done + count])
        done += count
        match chance.randrange(6):
            case 0:
                by_renaming(path)
            case 1:
                by_copying(path)
        if (old := tmp_path / "queue_log.1").exists():
            old.rename(tmp_path / f"queue_log-{done:05}")
        broker.fails = [None] * chance.randrange(3) + [Cut()]
        try:
            follower(tmp_path, broker).run(Until())
        except Cut:
            cuts += 1
    broker.fails = []
    follower(tmp_path, broker).run(Until())
    assert cuts > 5
    kept = {encode(event) for event in broker.kept}
    assert kept == {encode(event) for event in recorded()}
    assert len(broker.kept) > len(kept)  # some were sent twice, as the same
    right, result = of_log(RECORDED), run_events(broker.kept)
    for queue in ("support", "overflow", "lonely"):
        counted = sums(result, f"queue|{queue}", DAY)
        assert {name: counted.get(name, 0) for name in MEASURES} == {name: right[queue, name] for name in MEASURES}


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path, at_once: None) -> None:
    (tmp_path / "queue_log").write_bytes(line(1))
    broker, health = Broker(), Health("asterisk")
    broker.fails = [SendError("no Kafka broker answers")]

    class Looks(Event):
        looks = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.looks += 1
            if self.looks == 1:
                assert health.told()["state"] == "waiting"
                assert not health.ready()
            else:
                self.set()
            return self.is_set()

    follower(tmp_path, broker, health).run(Looks())
    assert len({event.id for event in broker.kept}) == 1
    assert health.ready()
    assert health.told()["unmapped"]["queues"] == {"q": 2}


def test_a_line_that_is_refused_is_kept_and_stops_nothing(tmp_path: Path, at_once: None) -> None:
    (tmp_path / "queue_log").write_bytes(line(1) + b"\xff|x\nnonsense\n" + line(2))
    broker, health = Broker(), Health("asterisk")
    follower(tmp_path, broker, health).run(Until())
    assert len(broker.kept) == 2
    kept = tmp_path / "var/asterisk.refused"
    assert "nonsense\t1 fields" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert len(health.told()["refused"]) == 2
    assert "100" not in json.dumps(health.told()["refused"])


def test_two_followers_of_one_source_are_one_too_many(tmp_path: Path, at_once: None) -> None:
    one, other = follower(tmp_path, Broker()), follower(tmp_path, Broker())
    with one._place.alone(), pytest.raises(ValueError, match="another process follows asterisk"):
        other.run(Until())


# -- reconciled --------------------------------------------------------------------------------------------------------


def test_what_is_missing_doubled_or_different_is_named() -> None:
    def read(path: Path) -> Iterator[RowResult]:
        return read_records(path, Vendor.asterisk, b"key")

    told_by_log = told_of([RECORDED], read, DAY, POLICY, T * 1_000_000)
    right = told_by_log.records
    assert len(right) == len({line.split("|")[1] for line in RECORDED.read_text().splitlines() if "ENTERQUEUE" in line})
    counted = {contact: [record] for contact, record in right.items()}
    same = compare(right, counted, DAY)
    assert (same.missing, same.doubled, same.different) == ([], [], {})

    missing, doubled = list(right)[:2]
    different = next(contact for contact in list(right)[2:] if right[contact].passages[0].talk_ms)
    parts = right[different].passages
    del counted[missing]
    counted[doubled] *= 2
    counted[different] = [
        replace(right[different], passages=[replace(parts[0], talk_ms=parts[0].talk_ms + 1000), *parts[1:]])
    ]
    found = compare(right, counted, DAY)
    assert (found.missing, found.doubled, list(found.different)) == ([missing], [doubled], [different])
    assert found.different[different].startswith("1: talk: log ")
    again = to_send(told_by_log, [missing])
    assert {event.contact_id for event in again} == {missing}
    assert {encode(event) for event in again} <= {encode(event) for event in recorded()}


def test_a_kafka_that_says_nothing_is_told_before_anything_fails() -> None:
    now = [0.0]
    health = Health("asterisk", lambda: now[0])
    assert not health.ready()
    health.beat({"unread_bytes": 0})
    assert (health.ready(), health.told()["state"]) == (True, "following")
    now[0] = 16.0
    assert (health.ready(), health.alive(), health.told()["state"]) == (False, True, "waiting")
    assert health.told()["reason"] == "Kafka has acknowledged nothing for 16 s"
    now[0] = 301.0
    assert not health.alive()
    health.beat({"unread_bytes": 2 << 20})
    assert (health.ready(), health.told()["state"]) == (False, "behind")
