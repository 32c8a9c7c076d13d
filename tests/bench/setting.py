"""Where a run of the bench takes place: brokers, scratch, cores, and how events get onto a topic."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from confluent_kafka import KafkaError, Message, Producer

#: Brokers and whoever feeds them; and what is measured.
BROKER_CORE, CONTENDER_CORE = 0, 1
_FLUSH_WITHIN_SECONDS = 120.0
_LINE_EVERY_SECONDS = 5.0


@dataclass
class Bench:
    """One run of the bench.

    ``broker``: Kafka ``HOST:PORT``. ``redis``: URL. ``scratch``: a directory of this run. ``highest_rate``: events/s of the real worker as
    measured in the throughput part of the same run, None where that was not measured.
    """

    quick: bool
    broker: str
    redis: str
    scratch: Path
    highest_rate: float | None = None

    def say(self, line: str) -> None:
        """Tell how far the run is."""
        print(line, flush=True)


@dataclass(frozen=True)
class Contender:
    """Somebody who does jobs of the comparison, by the protocol of ``tests/bench/contenders/protocol.py``.

    ``command`` is run once a job, with the order's arguments (``--job``, ``--broker``, …) after it. ``label``: name for tables. ``site``: the
    product is imported from there, None: from this source.
    """

    name: str
    label: str
    jobs: tuple[str, ...]
    command: tuple[str, ...]
    site: Path | None = None


def pinned(core: int) -> Callable[[], None]:
    """For ``preexec_fn`` of a child process: keeps it on one core, counted from 0 among those that this machine lets us use.

    Does nothing where there is no such core, or no way to choose it (other systems than Linux).
    """

    def keep() -> None:
        if hasattr(os, "sched_setaffinity") and core < len(_CORES):
            os.sched_setaffinity(0, {_CORES[core]})

    return keep


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Threads and processes started within are kept on one core, counted as in ``pinned``; the caller comes back to its own."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    pinned(core)()
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def feed(bench: Bench, topic: str, raws_with_keys: Iterable[tuple[bytes, bytes]]) -> int:
    """Write (key, value) pairs to a topic, in order per key and partitioned as Kafka's own clients do; returns how many.

    Raises RuntimeError where one of them was not acknowledged, with the broker's reason.
    """
    failures: list[str] = []
    acknowledged = 0

    def delivered(error: KafkaError | None, _: Message) -> None:
        nonlocal acknowledged
        if error is None:
            acknowledged += 1
        else:
            failures.append(str(error))

    producer = Producer(
        {
            "bootstrap.servers": bench.broker,
            "partitioner": "murmur2_random",
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 200_000,
            "on_delivery": delivered,
        }
    )
    count, next_line = 0, monotonic() + _LINE_EVERY_SECONDS
    for key, raw in raws_with_keys:
        while True:
            try:
                producer.produce(topic, raw, key)
                break
            except BufferError:  # the queue is full: let some be delivered
                producer.poll(0.1)
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
            if monotonic() >= next_line:
                bench.say(f"  {topic}: {count:,} events written")
                next_line += _LINE_EVERY_SECONDS
    left = producer.flush(_FLUSH_WITHIN_SECONDS)
    if failures or left or acknowledged != count:
        reason = failures[0] if failures else f"no answer within {_FLUSH_WITHIN_SECONDS:g} s"
        raise RuntimeError(f"{count - acknowledged:,} of {count:,} events were not written to {topic}: {reason}")
    return count


_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
