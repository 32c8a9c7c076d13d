"""One operation of a scenario: its topics, its worker as a process, and what both say of themselves."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts.topics import CONTACT_TOPICS, CONTRIBUTIONS
from streams.kafka.connection import kafka_python_options
from streams.kafka.topics import ensure_topics
from streams.settings import Settings, environment
from tests.bench.setting import CONTENDER_CORE, Bench, on_core

T = TypeVar("T")

PARTITIONS = 4
_STARTS_WITHIN_SECONDS = 90.0
#: Between two looks at a worker or at Kafka while something is waited for.
_LOOK_SECONDS = 0.05
#: The worker tells what it holds at every tick of its clock.
_TOLD_WITHIN_SECONDS = 0.6


@dataclass(frozen=True)
class Sample:
    """A look at a worker. ``at``: monotonic seconds; ``cpu_seconds``: all its threads since it started."""

    at: float
    events: int
    cpu_seconds: float
    rss_mb: float
    entities: int
    customers: int


class Worker:
    """``deskpulse worker`` as a process of its own, on the core of what is measured. A context manager that stops it."""

    def __init__(self, settings: Settings, name: str = "worker") -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/metrics"
        self._process = ServerProcess(
            [sys.executable, "-m", "streams", "worker", "--metrics-port", str(port)],
            directory=settings.data_dir,
            log=settings.data_dir / f"{name}.log",
            # What Faust says of joining and recovering tells how long they take.
            environment=environment(settings) | {"DESKPULSE_LOG": "INFO"},
        )
        self.log = self._process.log

    def start(self) -> Self:
        """Start it and wait until it says how it is. Raises RuntimeError where it does not."""
        self.launch()
        try:
            self.until("the worker's metrics", _STARTS_WITHIN_SECONDS, self.answers)
        except BaseException:
            self.stop()
            raise
        return self

    def launch(self) -> None:
        """Start it and wait for nothing."""
        with on_core(CONTENDER_CORE):
            self._process.start()

    def kill(self) -> None:
        """As a crash does."""
        self._process.kill()

    def stop(self) -> None:
        """Ask it to end, and wait; nothing happens where it does not run."""
        self._process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def answers(self) -> bool:
        """Does it serve its metrics?"""
        try:
            self.sample()
        except httpx.HTTPError:
            return False
        return True

    def sample(self) -> Sample:
        """How it is now. Raises httpx.HTTPError where it does not answer."""
        at = monotonic()
        text = httpx.get(self.address, timeout=20, trust_env=False).text
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for metric in family.samples:
                sums[metric.name] = sums.get(metric.name, 0.0) + metric.value
        return Sample(
            at=at,
            events=round(sums.get("deskpulse_events_in_total", 0)),
            cpu_seconds=sums.get("process_cpu_seconds_total", 0.0),
            rss_mb=sums.get("process_resident_memory_bytes", 0.0) / 2**20,
            entities=round(sums.get("deskpulse_entities", 0)),
            customers=round(sums.get("deskpulse_customers", 0)),
        )

    def sample_at_rest(self) -> Sample:
        """How it is once it has told what it holds now."""
        sleep(_TOLD_WITHIN_SECONDS)
        return self.sample()

    def until(self, what: str, seconds: float, ready: Callable[[], T | None]) -> T:
        """The first answer of ``ready`` that is true. Raises RuntimeError with ``what`` was waited for, or with how the worker ended."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if self._process.exit_code is not None:
                raise RuntimeError(f"waiting for {what}: the worker ended.\n{self._process.last_words()}")
            if answer := ready():
                return answer
            sleep(_LOOK_SECONDS)
        raise RuntimeError(
            f"waited {seconds:g} s for {what}, in vain. The worker's last words:\n{self._process.last_words()}"
        )

    def until_taken(self, events: int, seconds: float) -> Sample:
        """The first look at which so many events had been taken in. Raises as ``until``."""

        def taken() -> Sample | None:
            try:
                now = self.sample()
            except httpx.HTTPError:  # busy, or at its end: then ``until`` says so
                return None
            return now if now.events >= events else None

        return self.until(f"{events:,} events to be taken in", seconds, taken)

    def until_committed(self, settings: Settings, seconds: float) -> Sample:
        """A look at the moment when both stages have committed all there is. Raises as ``until``.

        ``deskpulse``'s own ``wait_until_processed`` looks twice a second, and is sure a look later; here a second is a tenth of what is measured.
        """
        with closing(Offsets(settings)) as offsets:
            for topics in (
                CONTACT_TOPICS,
                (CONTRIBUTIONS,),
            ):  # once the first is committed, all it has caused is written
                ends = offsets.ends(*map(settings.topic, topics))
                names = ", ".join(topic.name for topic in topics)
                self.until(f"{names} to be committed", seconds, partial(offsets.are_committed, ends))
        return self.sample()


class Offsets:
    """Ends of topics and what the workers have committed of them."""

    def __init__(self, settings: Settings) -> None:
        client = {"bootstrap.servers": settings.broker}
        self._consumer = Consumer({**client, "group.id": f"{settings.group}.watched", "enable.auto.commit": False})
        self._admin = AdminClient(client)
        self._group = settings.group

    def records(self, topic: str) -> int:
        """Records in a topic, those that compaction has not yet removed included."""
        low_high = [self._consumer.get_watermark_offsets(part, timeout=10) for part in self._parts(topic)]
        return sum(high - low for low, high in low_high)

    def ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """(topic, partition) → the offset after the last record, of the partitions that have any."""
        found = {}
        for topic in topics:
            for part in self._parts(topic):
                low, high = self._consumer.get_watermark_offsets(part, timeout=10)
                if high > low:
                    found[topic, part.partition] = high
        return found

    def are_committed(self, ends: dict[tuple[str, int], int]) -> bool:
        """Have the workers committed up to these offsets?"""
        asked = [TopicPartition(topic, number) for topic, number in ends]
        future = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self._group, asked)])[
            self._group
        ]
        found = future.result(timeout=10).topic_partitions
        return all(part.error is None and part.offset >= ends[part.topic, part.partition] for part in found)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _parts(self, topic: str) -> list[Any]:
        partitions = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return [TopicPartition(topic, number) for number in partitions]


@contextmanager
def operation(bench: Bench, name: str, clock: Literal["wall", "event"]) -> Iterator[Settings]:
    """Settings of an operation of its own, its topics made; everything of it is removed at the end."""
    settings = Settings(
        broker=bench.broker,
        redis=bench.redis,
        prefix=f"{name}-{secrets.token_hex(3)}.",
        partitions=PARTITIONS,
        clock=clock,
        data_dir=bench.scratch / name,
    )
    ensure_topics(settings)
    try:
        yield settings
    finally:
        _remove(settings)


def bytes_of(settings: Settings) -> dict[str, int]:
    """Topic of this operation → bytes on the broker's disks."""
    with closing(KafkaAdminClient(**kafka_python_options(settings))) as admin:
        found: dict[str, int] = {}
        for broker in admin.describe_log_dirs():
            for topic in (topic for directory in broker["log_dirs"] for topic in directory["topics"]):
                if topic["name"].startswith(settings.prefix):
                    size = sum(part["partition_size"] for part in topic["partitions"])
                    found[topic["name"]] = found.get(topic["name"], 0) + size
        return found


def _remove(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.broker})
    mine = [topic for topic in admin.list_topics(timeout=30).topics if topic.startswith(settings.prefix)]
    for future in admin.delete_topics(mine, operation_timeout=30).values() if mine else ():
        future.result(timeout=60)
    with closing(Redis.from_url(settings.redis, socket_timeout=10)) as redis:
        for key in redis.scan_iter(match=f"{settings.prefix}*", count=1000):
            redis.delete(key)
