"""The history takes in what topics tell exactly once, whatever happens to it, and what is told anew is right afterwards."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from kafka import TopicPartition
from msgspec import structs
from sqlalchemy import Connection, delete, event

from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.outputs import ContactRecord
from streams.database import StoreError
from streams.health_pages import FollowerHealth
from streams.history import store, tables
from streams.history.follow import Follower
from streams.history.store import Batch, History, MovedError, Told, open_history
from streams.kpi.policy.model import Policy
from streams.pipeline import Run
from tests.faults import histories
from tests.support.desk import Script, moment, run_events
from tests.support.fake_consumer import FakeConsumer
from tests.support.histories import history_of, messages, name, query, sums_are_those_of_the_counts, take
from tests.support.strained import is_the_same_by_sql, strained

POLICY = Policy(time_zone="UTC")
RECORDS = TopicPartition("contact-records", 0)
Log = dict[TopicPartition, list[tuple[bytes | None, bytes | None]]]


def a_day(calls: int = 40) -> Run:
    script = Script()
    for number in range(calls):
        when = f"{9 + number // 20:02}:{number % 20 * 3:02}:00"
        script.call(when, f"c{number}", agent=f"a{number % 5}", customer_id=f"k{number % 25}", team_id="t")
    states = [
        e.AgentStateChanged(
            id=f"s{hour}", source="s", time=moment(f"{hour:02}:00:00"), agent_id="a1", state=state, team_id="t"
        )
        for hour, state in ((8, "available"), (12, "away"), (13, "available"), (17, "offline"))
    ]  # fmt: skip
    return run_events([*script.events, *states], POLICY, records=True)


def whole(history: History) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of what the topics tell."""
    kept = (tables.contacts, tables.counts, tables.presence, tables.facts, tables.days, tables.positions, *tables.CELLS)
    sums_are_those_of_the_counts(history)
    return {table.name: sorted(query(history, f"SELECT * FROM {table.name}"), key=repr) for table in kept}


@pytest.fixture
def history(tmp_path: Path) -> Any:
    with open_history(None, tmp_path, POLICY) as made:
        made.begin()
        yield made


def log_of(result: Run, times: int = 1) -> Log:
    """What workers have written: each record in versions that grow, the last one as it stands."""
    log: Log = {}
    for topic, own in messages(result).items():
        log[TopicPartition(topic.name, 0)] = [(each.key.encode(), each.value) for _ in range(times) for each in own]
    return log


def follow(
    history: History, log: Log, at_once: int = 7, keep: dict[str, int] | None = None, today: date = date(2026, 3, 3)
) -> None:
    """Follow until everything is read."""
    stop = Event()

    class Until(FakeConsumer):
        def poll(self, timeout_ms: int) -> Any:
            found = super().poll(timeout_ms)
            if not found:
                stop.set()
            return found

    Follower(
        history, name, lambda: Until(log, at_once), lambda: 10**14, lambda: today, FollowerHealth(), keep or {}
    ).run(stop)


class Killed(BaseException):
    """The process is gone: nobody catches that."""


def test_killed_anywhere_it_is_what_it_would_have_been(tmp_path: Path, history: History) -> None:
    log = log_of(a_day())
    log[RECORDS] += [*log[RECORDS][:3], (log[RECORDS][5][0], None)]  # told once more, and one that is another's by now
    follow(history, log)
    undisturbed = whole(history)
    assert len(undisturbed["history_contacts"]) == 39
    folder = tmp_path / "killed"
    for after in (1, 5, 12, 30, 61):  # statements, so that it dies between reading, deleting, writing and positions
        with open_history(None, folder, POLICY) as dying:
            left = after

            def dies(connection: Connection, *_: Any) -> None:
                nonlocal left
                if connection.get_execution_options().get("writes"):
                    left -= 1
                    if left <= 0:
                        raise Killed

            with suppress(Killed):
                dying.begin()
                event.listen(dying.database._engine, "before_cursor_execute", dies)
                follow(dying, log)
                pytest.fail("it was not killed")
    with open_history(None, folder, POLICY) as again:
        follow(again, log)
        assert whole(again) == undisturbed


def test_an_older_version_changes_nothing_and_a_tombstone_takes_away(history: History) -> None:
    newest = messages(a_day())[topics.CONTACT_RECORDS]
    at: dict[Any, int] = {}
    assert take(history, {topics.CONTACT_RECORDS: newest}, 10**14, at) == 40
    before = whole(history)
    old = [Told(each.key, (each.value or b"").replace(b'"version":', b'"version":-')) for each in newest]
    assert take(history, {topics.CONTACT_RECORDS: [*newest, *old]}, 10**14, at) == 0
    after = whole(history)
    assert before.pop("history_positions") != after.pop("history_positions")
    assert before == after
    take(
        history, {topics.CONTACT_RECORDS: [Told(newest[0].key, None), Told("calls|none|2026-03-02|x", None)]}, None, at
    )
    assert query(history, "SELECT COUNT(*) FROM history_contacts") == [(39,)]
    assert query(history, f"SELECT COUNT(*) FROM history_counts WHERE record = '{newest[0].key}'") == [(0,)]
    sums_are_those_of_the_counts(history)


def test_two_processes_take_in_nothing_twice(history: History) -> None:
    told = messages(a_day())[topics.CONTACT_RECORDS]
    read = {(topics.CONTACT_RECORDS, 0): Batch(told, None, len(told))}
    history.take(read, name, None)
    with pytest.raises(MovedError, match="another process takes in contact-records"):
        history.take(read, name, None)


def test_a_topic_made_anew_is_read_from_its_beginning(history: History) -> None:
    log = log_of(a_day(30))
    follow(history, log)
    log = log_of(a_day(20))  # versions begin anew, and the topic ends before what was read of it
    follow(history, log)
    assert sums_are_those_of_the_counts(history) > 50
    newest = query(
        history, "SELECT contact_id, version FROM history_contacts WHERE contact_id IN ('c1', 'c29') ORDER BY 1"
    )
    assert newest[0][1] > 0
    assert newest[1] == ("c29", -1)  # what is not told again stays


def test_stopped_for_so_long_that_kafka_has_forgotten_who_was_forgotten(history: History) -> None:
    """Of three contacts that are no longer told one has been forgotten (it is told under a lot), and of the others no record is kept."""
    log = log_of(a_day(30))
    follow(history, log)
    before = query(
        history, "SELECT SUM(amount) FROM history_sums_by_quarter_hour WHERE kind = 'all' AND measure = 'calls_offered'"
    )
    key, value = log[RECORDS][3]
    assert key is not None
    assert value is not None
    lot = key.decode().rpartition("|")[0] + "|0123456789abcdef"
    nameless = structs.replace(msgspec.json.decode(value, type=ContactRecord), customer_id=None)
    log[RECORDS][3:6] = [(None, None)] * 3  # compacted, and the words that they are gone as well
    log[RECORDS].append((lot.encode(), msgspec.json.encode(nameless)))
    follow(history, log, today=date(2026, 3, 8))  # five days later nothing is read again
    assert query(history, "SELECT COUNT(*), COUNT(customer_id) FROM history_contacts") == [(31, 30)]
    follow(history, log, today=date(2026, 3, 14))
    assert query(history, "SELECT COUNT(*), COUNT(customer_id), COUNT(DISTINCT contact_id) FROM history_contacts") == [
        (30, 27, 30)
    ]
    assert query(history, f"SELECT COUNT(*) FROM history_contacts WHERE record = '{key.decode()}'") == [(0,)]
    assert before == query(
        history, "SELECT SUM(amount) FROM history_sums_by_quarter_hour WHERE kind = 'all' AND measure = 'calls_offered'"
    )
    sums_are_those_of_the_counts(history)
    log[RECORDS].append((lot.encode(), None))
    follow(history, log, today=date(2026, 3, 15))
    assert query(history, "SELECT COUNT(*) FROM history_contacts") == [(29,)]


def test_what_is_none_of_ours_is_left_out(history: History) -> None:
    log = log_of(a_day(3))
    log[RECORDS] += [
        (b"calls|x|2026-03-02|y", b"{"),
        (b"nothing", b'{"format": 1}'),
        (b"calls|x|noday|y", log[RECORDS][0][1]),
    ]
    log[TopicPartition("alerts", 0)] = [(b"r|e", b"\xff")]
    follow(history, log)
    assert query(history, "SELECT COUNT(*) FROM history_contacts") == [(3,)]


def test_what_is_kept_for_so_long_is_deleted_then(history: History) -> None:
    follow(history, log_of(a_day(3)), keep={"contacts": 1})
    assert query(history, "SELECT COUNT(*) FROM history_contacts") == [(3,)]
    history.forget({"contacts": 5, "facts": 5, "alerts": 5, "incidents": 5}, date(2026, 3, 8))
    assert [query(history, f"SELECT COUNT(*) FROM history_{each}") for each in ("contacts", "counts", "facts")] == [
        [(0,)]
    ] * 3


def test_what_lies_ahead_counts_once_its_moment_has_come(history: History, tmp_path: Path) -> None:
    """The clock goes on in steps, each before more of the records are read; what is then kept is what one step would have come to."""
    result = a_day()
    told, at = messages(result), {}
    assert result.now is not None
    kinds = (topics.PRESENCE_RECORDS, topics.CONTACT_RECORDS)
    ahead = []
    for number, behind in enumerate((None, 7, 4, 0)):
        clock = None if behind is None else result.now - behind * 3_600_000
        take(history, {kind: told[kind][number::4] for kind in kinds}, clock, at)
        sums_are_those_of_the_counts(history)
        ahead += query(history, "SELECT COUNT(*) > 0 FROM history_quarter_hours WHERE counts_from > 0")
    assert ahead == [(1,), (1,), (1,), (0,)]
    with open_history(None, tmp_path / "at once", POLICY) as undisturbed:
        undisturbed.begin()
        take(undisturbed, {kind: told[kind] for kind in kinds}, result.now, {})
        assert whole(history) == whole(undisturbed)


def test_days_that_are_deleted_leave_the_sums_of_those_that_stay_right(history: History) -> None:
    script = (
        Script()
        .call("09:00:00", "c1", agent="a1", customer_id="k1")
        .at("10:00:00", e.TicketCreated, "t1", agent_id="a1")
    )
    script.at("10:00:00", e.TicketResolved, "t1", agent_id="a1").at("11:00:00", e.TicketCreated, "t2")
    later = [structs.replace(each, time=each.time + timedelta(days=1)) for each in script.events[-2:]]
    follow(history, log_of(run_events([*script.events[:-2], *later], POLICY, records=True)))
    assert query(history, "SELECT COUNT(DISTINCT date) FROM history_counts WHERE day = '2026-03-03'") == [(2,)]
    history.forget({"contacts": 1}, date(2026, 3, 4))
    assert query(history, "SELECT MIN(date) FROM history_counts") == [("2026-03-03",)]
    assert sums_are_those_of_the_counts(history)


def test_sums_of_what_an_earlier_version_has_read_are_made_as_it_starts(history: History) -> None:
    follow(history, log_of(a_day()))
    before = whole(history)
    with history.database.write() as connection:
        for table in tables.CELLS:
            connection.execute(delete(table))
    history.begin()
    assert whole(history) == before


def test_a_missing_database_is_tried_again(tmp_path: Path) -> None:
    health = FollowerHealth()
    stop = Event()

    class Away(History):
        def begin(self) -> None:
            stop.set()
            raise StoreError("the database is away")

    with open_history(None, tmp_path, POLICY) as there:
        Follower(Away(there.database, POLICY), name, dict, lambda: 0, lambda: date.min, health, {}).run(stop)
    assert health.told() == {"state": "ended", "behind": 0, "reason": "the database is away"}


def test_the_harness_of_faults_sees_one_row_that_is_another(tmp_path: Path, history: History) -> None:
    result = a_day()
    take(history, messages(result), result.now, {})
    with open_history(None, tmp_path / "other", POLICY) as other:
        other.begin()
        take(other, messages(result), result.now, {})
        wanted = histories.digests(history)
        assert list(histories.differing(history, wanted, other)) == []
        assert list(histories.unlike(history, other, 0, result.now or 0)) == []
        with other.database.write() as connection:
            connection.exec_driver_sql("UPDATE history_contacts SET queue = 'z' WHERE contact_id = 'c7'")
            connection.exec_driver_sql("UPDATE history_facts SET sums = '{}' WHERE kind = 'all'")
        told = list(histories.differing(history, wanted, other))
        assert [line.partition(":")[0] for line in told] == ["history_contacts", "history_facts"]
        assert "1 rows too many, like" in told[0]
        assert "1 rows missing, like" in told[0]
        lines = list(histories.unlike(history, other, 0, result.now or 0))
        assert [line.partition(",")[0] for line in lines] == ["history_contacts", "history_facts"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("plain", "plain"),
        (r'{"a":"\u0000"}', r'{"a":"\ufffd"}'),
        (r'{"a":"\\u0000"}', r'{"a":"\\u0000"}'),
        (r'{"a":"\\\u0000"}', r'{"a":"\\\ufffd"}'),
    ],
)
def test_postgresql_gets_no_character_0(given: str, kept: str) -> None:
    assert store._without_nul(Told("k", given.encode())) == Told("k", kept.encode())


def test_fatigue_has_the_same_interval_by_sql() -> None:
    """A ratio's, by the logarithm; none where there is too little, and none where a square was not kept."""
    with history_of(run := strained(), POLICY) as history:
        is_the_same_by_sql(history, run)
