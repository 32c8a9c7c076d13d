"""State that was read counts for as long as nobody else could write to the partition, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer

from streams.contracts.records import Place
from streams.kafka.transactions import Transactions
from streams.settings import Settings
from streams.worker import partitions as module
from streams.worker.health import Health
from streams.worker.partitions import Partitions
from streams.worker.source_topics import SourceTopics
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore
from tests.component.test_failed_checkpoints import Producer


class Worker:
    """Partitions with a broker that is only asked which state is read: ``read``, one set of numbers a time."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[set[int]] = []
        self.meanwhile: Callable[[], Any] | None = None
        worker = self

        class Restore:
            records = 0

            def __init__(self, *_: object) -> None: ...

            async def read(self, numbers: Iterable[int], _known: object, _wanted: object) -> Mapping[Place, int]:
                worker.read.append(set(numbers))
                if worker.meanwhile is not None:
                    await worker.meanwhile()
                return {}

        async def bounds(*_: object) -> dict[Place, tuple[int, int]]:
            return {}

        async def made_anew() -> bool:
            return False

        monkeypatch.setattr(module, "StateRestore", Restore)
        monkeypatch.setattr(module, "offset_bounds", bounds)
        self.transactions = Transactions(lambda _: cast(AIOKafkaProducer, Producer()))
        self.partitions = Partitions(
            Settings(partitions=4, data_dir=directory),
            SimpleNamespace(consumer=SimpleNamespace(assignment=set)),
            cast(SourceTopics, SimpleNamespace(made_anew=made_anew)),
            {topic: ChangelogStore() for topic in STATE},
            self.transactions,
            None,
            Health(),
            lambda _: cast(Any, None),
            made_anew,
            {},
            asyncio.Event(),
        )

    async def take_up(self, *numbers: int) -> set[int]:
        """The numbers whose state was read."""
        self.read.clear()
        await self.partitions._restore(set(numbers), lambda: True)
        return set().union(*self.read)


def test_what_a_worker_keeps_is_not_read_again_and_what_it_gave_away_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        worker = Worker(tmp_path, monkeypatch)
        assert await worker.take_up(0, 1) == {0, 1}
        assert await worker.take_up(0, 1, 2) == {2}
        assert await worker.take_up(2) == set()
        assert await worker.take_up(0, 2) == {0}

    asyncio.run(story())


def test_what_is_read_while_it_is_given_up_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand-over that fails closes the transactions, though another take-up reads already: until the next, others may write."""

    async def story() -> None:
        worker = Worker(tmp_path, monkeypatch)
        worker.meanwhile = worker.transactions.close
        assert await worker.take_up(0, 1) == {0, 1}
        worker.meanwhile = None
        assert await worker.take_up(1) == {1}

    asyncio.run(story())
