"""The batch path against what it expects of Faust: runs as messages, changelogs compacted, commits after a checkpoint."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.transport.consumer import Consumer
from faust.types import TP
from yarl import URL

from streams.batches import Run, RunConsumer, RunScheduler, RunTransport
from streams.sinks.outbox import partition_of
from streams.state import Held, WriteBack


def record(topic: str, partition: int, offset: int, key: bytes = b"k", value: bytes | None = b"v") -> SimpleNamespace:
    return SimpleNamespace(
        topic=topic, partition=partition, offset=offset, timestamp=1000 + offset, timestamp_type=0, key=key, value=value,
        headers=None, checksum=None, serialized_key_size=1, serialized_value_size=1,
    )  # fmt: skip


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> RunScheduler:
    monkeypatch.setattr(RunScheduler, "sources", frozenset({"calls"}))
    monkeypatch.setattr(RunScheduler, "changelogs", {"log": Held()})
    monkeypatch.setattr(RunScheduler, "max_run", 3)
    return RunScheduler()


def test_what_was_fetched_of_a_source_is_a_few_runs(scheduler: RunScheduler) -> None:
    fetched = {TP("calls", 0): [record("calls", 0, n) for n in range(5, 12)], TP("calls", 1): []}
    runs = [run for _, run in scheduler.iterate(fetched)]
    assert [[one.offset for one in run.records] for run in runs] == [[5, 6, 7], [8, 9, 10], [11]]
    assert [run.follows for run in runs] == [None, 7, 10]
    scheduler.restart()
    assert [run.follows for _, run in scheduler.iterate({TP("calls", 0): [record("calls", 0, 8)]})] == [None]
    assert [run.offset for run in runs] == [7, 10, 11]
    assert all(isinstance(run, Run) for run in runs)


def test_a_changelog_is_restored_at_once_and_faust_hears_how_far(scheduler: RunScheduler) -> None:
    held = scheduler.changelogs["log"]
    log = [record("log", 2, n, key, value) for n, (key, value) in enumerate([
        (b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4"), (b"c", None), (b"b", b"5"),
    ])]  # fmt: skip
    assert [one.offset for _, one in scheduler.iterate({TP("log", 2): log})] == [5]
    assert {key: held.get(key) for key in (b"a", b"b", b"c")} == {b"a": b"3", b"b": b"5", b"c": None}
    assert sorted(held.keys(2)) == [b"a", b"b"]
    held.keep({1})
    assert list(held) == []


def test_other_topics_pass_as_they_are(scheduler: RunScheduler) -> None:
    plain = [record("other", 0, n) for n in range(3)]
    assert [one for _, one in scheduler.iterate({TP("other", 0): plain})] == plain


class Told:
    """A consumer with the parts that the overridden methods touch, and what was asked of the rest of Faust."""

    def __init__(self, processed: dict[tuple[str, int], int]) -> None:
        self.order: list[str] = []
        self.consumer: Any = object.__new__(RunConsumer)
        self.consumer._acked = defaultdict(list)
        self.consumer._acked_index = defaultdict(set)

        async def checkpoint() -> None:
            self.order.append("checkpoint")

        self.consumer.app = SimpleNamespace(rebalancing=False)
        self.consumer.transport = SimpleNamespace(sources={"calls"}, processed=processed, checkpoint=checkpoint)


def test_what_is_committed_is_what_was_processed_not_what_was_acknowledged() -> None:
    told = Told({("calls", 0): 42})
    told.consumer._acked[TP("calls", 0)] = [99, 120]
    assert told.consumer._new_offset(TP("calls", 0)) == 42
    assert told.consumer._acked[TP("calls", 0)] == []
    assert told.consumer._new_offset(TP("calls", 1)) is None


def test_a_commit_waits_for_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told({})

    async def attached(*_: object) -> None:
        told.order.append("attached")

    monkeypatch.setattr(Consumer, "_handle_attached", attached)
    asyncio.run(told.consumer._handle_attached({}))
    assert told.order == ["attached", "checkpoint"]


def test_nothing_is_fetched_while_nothing_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    told, asked = Told({}), []

    async def getmany(_: object, active: Any, timeout: float) -> dict[Any, Any]:
        asked.append(active)
        return {}

    async def sleep(_: float) -> None:
        return None

    monkeypatch.setattr(RunConsumer.__mro__[1], "_getmany", getmany)
    told.consumer.sleep = sleep
    live = {TP("calls", 0)}
    asyncio.run(told.consumer._getmany(live, 1.0))
    live.clear()
    asyncio.run(told.consumer._getmany(live, 1.0))
    assert asked == [{TP("calls", 0)}]


def test_while_tables_are_restored_nothing_of_a_source_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust empties its queues once more when they are, and what had been fetched would be missed by nobody."""
    told, asked = Told({}), []
    told.consumer.app.rebalancing = True

    async def getmany(_: object, active: Any, timeout: float) -> dict[Any, Any]:
        asked.append(active)
        return {}

    monkeypatch.setattr(RunConsumer.__mro__[1], "_getmany", getmany)
    asyncio.run(told.consumer._getmany({TP("calls", 0), TP("log", 0)}, 1.0))
    assert asked == [{TP("log", 0)}]


def test_faust_takes_transport_and_scheduler() -> None:
    """The names that are overridden exist, and Faust builds its consumer from the transport's class."""
    for name in (
        "_getmany",
        "_new_offset",
        "_add_gap",
        "_handle_attached",
        "perform_seek",
        "earliest_offsets",
        "seek_wait",
    ):
        assert callable(getattr(RunConsumer.__mro__[1], name)), name

    async def nothing() -> None:
        return None

    app = faust.App("test", broker="kafka://127.0.0.1:1", ConsumerScheduler=RunScheduler, web_enabled=False)
    app.transport = RunTransport(
        [URL("kafka://127.0.0.1:1")],
        app,
        sources=frozenset({"calls"}),
        processed={},
        checkpoint=nothing,
        release=nothing,
    )
    assert app.transport.Consumer is RunConsumer
    assert app.conf.ConsumerScheduler is RunScheduler


def test_state_is_written_once_a_checkpoint_and_read_again() -> None:
    table = Held()
    table.put(3, b"a", b"1")
    state: WriteBack[list[int]] = WriteBack(
        table, lambda raw: [int(raw)], lambda held: str(held[0]).encode(), lambda _: [0]
    )
    assert state["a"] == [1]
    assert state.get("b") is None
    state["a"][0] += 4
    state["b"][0] += 7
    state.mark(3, {"a", "b"})
    state.mark(3, {"a"})
    assert state.take_changed() == [(3, [(b"a", b"5", []), (b"b", b"7", [])])]
    assert state.take_changed() == []
    state.reset()
    assert {key: table.get(key) for key in table} == {b"a": b"5", b"b": b"7"}
    assert state["b"] == [7]


@pytest.mark.parametrize("key", [b"agent|A17", b"all|all", "team|夜班".encode(), b""])
def test_partitions_are_those_of_kafkas_own_clients(key: bytes) -> None:
    from kafka.partitioner.default import murmur2

    assert partition_of(key, 8) == (murmur2(key) & 0x7FFFFFFF) % 8
