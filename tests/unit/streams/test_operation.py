"""The operation's clock, as it is read from outside."""

from __future__ import annotations

from io import StringIO
from typing import Any, NamedTuple

import pytest

from streams.kafka import reading
from streams.operation import KafkaOperation
from streams.settings import Settings
from streams.worker.state.progress import Progress
from streams.worker.state.store import MemoryStore


class Record(NamedTuple):
    key: bytes
    value: bytes | None
    timestamp: int = 0


def marked(event_time: bool | None, now: int | None) -> list[Record]:
    """What a worker has stored that has come so far."""
    store, place = MemoryStore(), ("calls", 0)
    progress = Progress(event_time=event_time)
    if now is not None:
        progress.clock(place).advance(now)
    progress.mark(store, place, 5)
    return [Record(key, value) for key, value in store.partition(0).items()]


@pytest.mark.parametrize(
    ("records", "workers", "told"),
    [
        ([], "event", None),
        ([], "wall", None),  # what workers there will be, nobody knows
        (marked(True, None), "wall", None),
        (marked(True, 1_000), "wall", 1_000),
        (marked(False, None), "event", 77),
        (marked(False, 1_000), "event", 77),
        (marked(None, 1_000), "event", 1_000),  # workers of before, which did not say
        (marked(None, 1_000), "wall", 77),
    ],
)
def test_the_clock_is_that_of_the_workers_and_none_before_they_have_one(
    records: list[Record], workers: Any, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "reader", lambda _: StringIO())
    monkeypatch.setattr(KafkaOperation, "_records", lambda *_: iter(records))
    monkeypatch.setattr("streams.operation.machine_ms", lambda: 77)
    operation = KafkaOperation(Settings(clock=workers))
    assert operation.told_clock() == told
    assert operation.clock() == (77 if told is None else told), (
        "who asks what is to be shown now is given the machine's"
    )
