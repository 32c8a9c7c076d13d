"""A checkpoint that is not committed takes with it what was drained for it: nothing that came later may be written without that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer

from streams.contracts.records import Place, Writes
from streams.kafka.transactions import NotCommittedError, Transactions
from streams.worker.checkpoint import Checkpoints, LostCheckpointError
from streams.worker.health import Health
from tests.component.test_kept_partitions import Worker, calls


class Broker:
    """Takes a moment for each transaction, and lets the first ``failing`` of them fail."""

    def __init__(self, failing: int) -> None:
        self._failing = failing
        self.written: list[Mapping[int, Writes]] = []

    async def commit(self, writes: Mapping[int, Writes]) -> None:
        await asyncio.sleep(0.01)
        if self._failing:
            self._failing -= 1
            raise NotCommittedError(0, TimeoutError("away"))
        self.written.append(writes)


async def both(worker: Worker, broker: Broker) -> tuple[object, object]:
    """A checkpoint is on its way, more is taken in, and the partitions are to be handed over: that waits, and writes the rest."""
    committed: dict[Place, int] = {}
    checkpoints = Checkpoints(cast(Transactions, broker), committed, Health(), asyncio.Event())
    checkpointer = worker.processor.checkpointer
    worker.take("calls", 0, calls(30))
    first = asyncio.create_task(checkpoints.run(checkpointer, 0.0))
    await asyncio.sleep(0)
    worker.take("calls", 0, calls(31))
    second = asyncio.create_task(checkpoints.run(checkpointer, 0.0, everything=True))
    done = await asyncio.gather(first, second, return_exceptions=True)
    worker.rebalance()
    worker.take("calls", 0, calls(32))
    await checkpoints.run(worker.processor.checkpointer, 0.0)
    return done[0], done[1]


def test_what_follows_a_failed_checkpoint_is_not_written(tmp_path: Path) -> None:
    """Else the position in it would be that behind what is lost."""
    broker = Broker(failing=1)
    first, second = asyncio.run(both(Worker(tmp_path), broker))
    assert isinstance(first, NotCommittedError)
    assert isinstance(second, LostCheckpointError)
    assert "away" in str(second)
    assert len(broker.written) == 1, "the next assignment, which has read all anew, writes again"


def test_where_none_fails_all_are_written(tmp_path: Path) -> None:
    broker = Broker(failing=0)
    first, second = asyncio.run(both(Worker(tmp_path), broker))
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert len(broker.written) == 3


class Producer:
    """Like aiokafka's: one that is stopped ends no transaction, and tells nobody."""

    async def start(self) -> None:
        """At once."""

    async def stop(self) -> None:
        """At once."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Never ends."""
        yield
        await asyncio.get_running_loop().create_future()


async def a_commit_and_its_end(end: Callable[[Transactions], Awaitable[None]]) -> BaseException:
    transactions = Transactions(lambda number: cast(AIOKafkaProducer, Producer()))
    await transactions.open([0, 1])
    commit = asyncio.create_task(transactions.commit({0: {("t", 0): []}}))
    await asyncio.sleep(0.01)
    assert not commit.done()
    await end(transactions)
    (error,) = await asyncio.wait_for(asyncio.gather(commit, return_exceptions=True), 5)
    assert isinstance(error, BaseException)
    return error


@pytest.mark.parametrize("numbers", [(), (1,)], ids=["all", "one"])
def test_a_commit_ends_when_its_producer_is_stopped(numbers: tuple[int, ...]) -> None:
    """Else the next checkpoint waits for it for ever, and the worker gets nowhere."""
    error = asyncio.run(a_commit_and_its_end(lambda transactions: transactions.open(numbers)))
    assert isinstance(error, NotCommittedError)
    assert error.number == 0
