"""The batch path against what it expects of Faust: runs as messages, and reading from where the state says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP
from yarl import URL

from streams.kafka.transactions import partition_of
from streams.worker.batching import Fetch, Run, RunConsumer, RunScheduler, RunThread, RunTransport, _ReadOffsets
from streams.worker.state.store import ChangelogStore, WriteBackCache


def record(topic: str, partition: int, offset: int, key: bytes = b"k", value: bytes | None = b"v") -> SimpleNamespace:
    return SimpleNamespace(
        topic=topic, partition=partition, offset=offset, timestamp=1000 + offset, timestamp_type=0, key=key, value=value,
        headers=None, checksum=None, serialized_key_size=1, serialized_value_size=1,
    )  # fmt: skip


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> RunScheduler:
    monkeypatch.setattr(RunScheduler, "sources", frozenset({"calls"}))
    monkeypatch.setattr(RunScheduler, "max_run", 3)
    return RunScheduler()


ONE, OTHER = TP("calls", 0), TP("calls", 1)


def test_what_was_fetched_of_a_source_is_a_few_runs(scheduler: RunScheduler) -> None:
    fetched = Fetch({ONE: [record("calls", 0, n) for n in range(5, 12)]}, {ONE: 5, OTHER: 4}, {ONE: 12, OTHER: 4}, 2)
    runs = [run for _, run in scheduler.iterate(fetched)]
    assert all(isinstance(run, Run) and run.epoch == 2 for run in runs)
    assert [[one.offset for one in run.records] for run in runs] == [[5, 6, 7], [8, 9, 10], [11]]
    assert [(run.begins, run.ends) for run in runs] == [(5, 8), (8, 11), (11, 12)]
    assert [run.offset for run in runs] == [7, 10, 11]


@pytest.mark.parametrize(
    ("offsets", "begins", "ends", "expected"),
    [
        ([], 7, 7, []),
        ([], 7, 9, [(7, 9, 0)]),
        ([7, 8], 7, 10, [(7, 10, 2)]),
        ([9], 7, 10, [(7, 10, 1)]),
        ([7, 8, 9], 7, 10, [(7, 10, 3)]),
        ([7, 9, 10, 12], 7, 14, [(7, 11, 3), (11, 14, 1)]),
    ],
    ids=["nothing", "a mark alone", "a mark behind", "a gap before", "exactly one run", "gaps and a mark"],
)
def test_positions_go_past_marks_of_transactions(
    scheduler: RunScheduler, offsets: list[int], begins: int, ends: int, expected: list[tuple[int, int, int]]
) -> None:
    fetched = Fetch({ONE: [record("calls", 0, n) for n in offsets]} if offsets else {}, {ONE: begins}, {ONE: ends}, 0)
    assert [(run.begins, run.ends, len(run.records)) for _, run in scheduler.iterate(fetched)] == expected


def test_a_partition_without_a_position_before_the_fetch_begins_with_its_first_record(scheduler: RunScheduler) -> None:
    """As of a topic that was deleted and made anew while it was being read: a record alone would end the worker."""
    fetched = Fetch({ONE: [record("calls", 0, n) for n in (2, 3)], OTHER: []}, {}, {ONE: 5}, 4)
    ((tp, run),) = scheduler.iterate(fetched)
    assert (tp, run.begins, run.ends, run.epoch, len(run.records)) == (ONE, 2, 5, 4, 2)


def test_other_topics_pass_as_they_are(scheduler: RunScheduler) -> None:
    plain = [record("other", 0, n) for n in range(3)]
    assert [one for _, one in scheduler.iterate({TP("other", 0): plain})] == plain
    assert [one for _, one in scheduler.iterate(Fetch({TP("other", 0): plain}, {}, {}, 0))] == plain


class Told:
    """A consumer with the parts that the overridden methods touch, and what was asked of the rest of Faust."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, processed: dict[tuple[str, int], int] | None = None) -> None:
        self.asked: list[Any] = []
        self.ready = True
        self.consumer: Any = object.__new__(RunConsumer)
        self.consumer._acked = defaultdict(list)
        self.consumer._acked_index = defaultdict(set)
        self.consumer._committed_offset = {}
        self.consumer._fetching = asyncio.Lock()
        self.consumer.epoch = 3
        self.consumer.app = SimpleNamespace(rebalancing=False)
        self.consumer.transport = SimpleNamespace(
            sources={"calls"}, processed=processed or {}, ready=lambda: self.ready
        )

        async def getmany(_: object, active: Any, timeout: float) -> dict[Any, Any]:
            self.asked.append(active)
            self.consumer.fetched = {ONE: 1}, {ONE: 2}
            return {ONE: [record("calls", 0, 1)]}

        async def sleep(_: float) -> None:
            return None

        monkeypatch.setattr(RunConsumer.__mro__[1], "_getmany", getmany)
        self.consumer.sleep = sleep


def test_what_is_committed_is_what_was_processed_not_what_was_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, {("calls", 0): 42})
    told.consumer._acked[ONE] = [99, 120]
    assert told.consumer._new_offset(ONE) == 42
    assert told.consumer._acked[ONE] == []
    assert told.consumer._new_offset(OTHER) is None


def test_a_fetch_knows_its_positions_and_its_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = asyncio.run(Told(monkeypatch).consumer._getmany({ONE}, 1.0))
    assert (fetched.begins, fetched.ends, fetched.epoch, list(fetched)) == ({ONE: 1}, {ONE: 2}, 3, [ONE])


def test_nothing_is_fetched_while_nothing_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    told, live = Told(monkeypatch), {ONE}
    asyncio.run(told.consumer._getmany(live, 1.0))
    live.clear()
    assert asyncio.run(told.consumer._getmany(live, 1.0)) == {}
    assert told.asked == [{ONE}]


@pytest.mark.parametrize(("ready", "rebalancing"), [(False, False), (True, True)])
def test_before_the_state_is_read_nothing_of_a_source_is_fetched(
    monkeypatch: pytest.MonkeyPatch, ready: bool, rebalancing: bool
) -> None:
    told = Told(monkeypatch)
    told.ready, told.consumer.app.rebalancing = ready, rebalancing
    asyncio.run(told.consumer._getmany({ONE, TP("other", 0)}, 1.0))
    assert told.asked == [{TP("other", 0)}]


def test_reading_goes_on_where_the_state_says(monkeypatch: pytest.MonkeyPatch) -> None:
    told, sought = Told(monkeypatch), []

    async def seek_wait(_: object, positions: Any) -> None:
        sought.append(dict(positions))

    async def earliest(_: object, *partitions: Any) -> dict[Any, int]:
        return dict.fromkeys(partitions, 17)

    monkeypatch.setattr(RunConsumer, "seek_wait", seek_wait)
    monkeypatch.setattr(RunConsumer, "earliest_offsets", earliest)
    monkeypatch.setattr(RunConsumer, "assignment", lambda _: {ONE, OTHER, TP("other", 0)})
    asyncio.run(told.consumer.start_from({("calls", 0): 42}))
    assert sought == [{ONE: 42, OTHER: 17}]
    assert told.consumer.epoch == 4


def test_faust_does_not_look_whether_a_partition_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """It would call each stuck that has been behind for five minutes, and fail on one without a position, whose topic was made anew."""
    assert callable(RunThread.__mro__[1].verify_event_path)
    thread: Any = object.__new__(RunThread)
    for tp in (ONE, TP("calls", 9)):
        thread.verify_event_path(1e9, tp)
    assert not caplog.records


def test_a_stale_run_does_not_have_faust_throw_away_those_that_follow() -> None:
    offsets = _ReadOffsets(frozenset({"calls"}))
    offsets[ONE] = 99
    offsets.update({ONE: 99, TP("other", 0): 7})
    assert offsets[ONE] is None
    assert offsets[TP("other", 0)] == 7
    assert offsets.pop(ONE, None) is None


def test_faust_takes_transport_and_scheduler() -> None:
    """The names that are overridden exist, and Faust builds its consumer from the transport's class."""
    for name in ("_getmany", "_new_offset", "_add_gap", "perform_seek", "earliest_offsets", "seek_wait"):
        assert callable(getattr(RunConsumer.__mro__[1], name)), name

    async def nothing() -> None:
        return None

    app = faust.App("test", broker="kafka://127.0.0.1:1", ConsumerScheduler=RunScheduler, web_enabled=False)
    app.transport = RunTransport(
        [URL("kafka://127.0.0.1:1")],
        app,
        sources=frozenset({"calls"}),
        processed={},
        positions=dict,
        ready=lambda: True,
        release=nothing,
    )
    assert app.transport.Consumer is RunConsumer
    assert app.conf.ConsumerScheduler is RunScheduler


def test_state_is_written_once_a_checkpoint_and_read_again() -> None:
    table = ChangelogStore()
    table.restore(3, b"a", b"1")
    state: WriteBackCache[list[int]] = WriteBackCache(
        table, lambda _, raw: [int(raw)], lambda held: str(held[0]).encode(), lambda _: [0]
    )
    assert state["a"] == [1]
    assert state.get("b") is None
    state["a"][0] += 4
    state["b"][0] += 7
    state.mark(3, {"a", "b"})
    state.mark(3, {"a"})
    state.flush_changed()
    assert table.drain() == {3: [(b"a", b"5", []), (b"b", b"7", [])]}
    state.flush_changed()
    assert table.drain() == {}
    state.clear()
    assert {key: table.get(key) for key in table} == {b"a": b"5", b"b": b"7"}
    assert state["b"] == [7]


@pytest.mark.parametrize("key", [b"agent|A17", b"all|all", "team|夜班".encode(), b""])
def test_partitions_are_those_of_kafkas_own_clients(key: bytes) -> None:
    from kafka.partitioner.default import murmur2

    assert partition_of(key, 8) == (murmur2(key) & 0x7FFFFFFF) % 8
