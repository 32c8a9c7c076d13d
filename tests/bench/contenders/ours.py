"""Our own worker, as it is deployed: ``deskpulse worker`` as a process of its own, watched from outside by its metrics and commits.

It does more than the others: it decides on alerts, writes to Redis what screens show, and its second stage reads only what the first has
committed together with its state. CPU is counted until everything is committed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import httpx
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts.outputs import ALL
from streams.contracts.topics import CALLS, CONTRIBUTIONS
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.settings import Settings, environment
from streams.version import compiled
from tests.bench.contenders.job import totals
from tests.bench.contenders.protocol import PARTITIONS, Order, answer, ordered
from tests.bench.setting import BROKER_CORE, pinned

_BETWEEN_SECONDS = 0.2
_STARTS_WITHIN_SECONDS = 60.0
_SETTLES_WITHIN_SECONDS = 60.0
_EVER = date(2000, 1, 1), date(2199, 1, 1)


def settings_for(order: Order) -> Settings:
    """The operation whose topic of calls is the one to be read. Redis is that of the environment (``DESKPULSE_REDIS``)."""
    if not order.topic.endswith(CALLS.name):
        raise ValueError(f"the worker reads topics named <prefix>{CALLS.name}, not {order.topic}")
    return Settings(
        broker=order.broker,
        prefix=order.topic.removesuffix(CALLS.name),
        partitions=PARTITIONS,
        clock="event",
        data_dir=Path(mkdtemp(prefix="ours-")),
    )


def start_afresh(settings: Settings) -> None:
    """Nothing but the events is left of the run before: group and topics of the operation go, and the topics come anew."""
    admin = AdminClient({"bootstrap.servers": settings.broker})
    kept = settings.topic(CALLS)
    old = [name for name in admin.list_topics(timeout=20).topics if name.startswith(settings.prefix) and name != kept]
    groups = [group.group_id for group in admin.list_consumer_groups().result().valid]
    if settings.group in groups:
        admin.delete_consumer_groups([settings.group])[settings.group].result()
    if ours := [name for name in old if _is_ours(settings, name)]:
        for deleted in admin.delete_topics(ours, operation_timeout=20).values():
            deleted.result()
        _until_gone(admin, set(ours))
    ensure_topics(settings)


def _is_ours(settings: Settings, name: str) -> bool:
    """Other contenders' topics begin with the whole name of the topic of calls."""
    return not name.startswith(settings.topic(CALLS))


def _until_gone(admin: AdminClient, names: set[str]) -> None:
    deadline = time.monotonic() + 20
    while names & set(admin.list_topics(timeout=20).topics):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Kafka has not deleted {', '.join(sorted(names))}")
        time.sleep(0.1)


@contextmanager
def working(settings: Settings) -> Iterator[str]:
    """The worker; gives the address of its metrics."""
    port = free_port()
    process = ServerProcess(
        [sys.executable, "-m", "streams", "worker", "--metrics-port", str(port)],
        directory=settings.data_dir,
        log=settings.data_dir / "worker.log",
        environment=environment(settings),
    )
    process.start()
    pinned(BROKER_CORE)()  # the worker stays where it was started; who watches goes elsewhere
    address = f"http://127.0.0.1:{port}/metrics"
    deadline = time.monotonic() + _STARTS_WITHIN_SECONDS
    try:
        while True:
            try:
                httpx.get(address, timeout=5, trust_env=False)
                break
            except httpx.HTTPError:
                if process.exit_code is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the worker does not answer:\n{process.last_words()}") from None
                time.sleep(0.05)
        yield address
    finally:
        process.stop()


class Look:
    """What the worker's metrics say at a moment."""

    def __init__(self, address: str) -> None:
        text = httpx.get(address, timeout=30, trust_env=False).text
        self.at = time.perf_counter()
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        self.events = round(sums.get("deskpulse_events_in_total", 0))
        self.contributions = round(sums.get("deskpulse_contributions_total", 0))
        self.cpu = sums.get("process_cpu_seconds_total", 0.0)
        self.rss_mb = sums.get("process_resident_memory_bytes", 0.0) / 2**20


class Offsets:
    """How far the worker has committed, against the ends of both stages' topics."""

    def __init__(self, settings: Settings) -> None:
        self._admin = AdminClient({"bootstrap.servers": settings.broker})
        self._consumer = Consumer({"bootstrap.servers": settings.broker, "group.id": settings.group})
        self._group = settings.group
        self._parts = [
            TopicPartition(settings.topic(topic), number)
            for topic in (CALLS, CONTRIBUTIONS)
            for number in range(PARTITIONS)
        ]

    def all_committed(self) -> bool:
        """Is everything committed that is there?"""
        asked = [ConsumerGroupTopicPartitions(self._group, self._parts)]
        found = self._admin.list_consumer_group_offsets(asked)[self._group].result().topic_partitions
        for part in found or ():
            _, end = self._consumer.get_watermark_offsets(part, timeout=20)
            if end > max(part.offset, 0):
                return False
        return True


def run(order: Order) -> None:
    """Start the worker, watch it until it is done or time is up, answer."""
    settings = settings_for(order)
    start_afresh(settings)
    with working(settings) as address:
        offsets = Offsets(settings)
        begun = last = Look(address)
        rss = last.rss_mb
        started = time.monotonic()
        while last.events == 0:
            begun, last = last, Look(address)
            if time.monotonic() > started + _STARTS_WITHIN_SECONDS:
                raise TimeoutError(f"the worker has taken no event in {_STARTS_WITHIN_SECONDS:g} s")
            time.sleep(0.02)
        while last.events < order.events and last.at - begun.at < order.seconds:
            time.sleep(_BETWEEN_SECONDS)
            last = Look(address)
            rss = max(rss, last.rss_mb)
        complete, done, committed = last.events >= order.events, last, last
        if complete:
            looks = [last, *settle(offsets, address)]
            last = committed = looks[-1]
            # As the others are timed: until the second stage has taken in the last message.
            done = next(look for look in looks if look.contributions == last.contributions)
        answer(
            contender="compiled" if compiled() else "ours",
            version=version("deskpulse"),
            order=order,
            events=last.events,
            seconds=done.at - begun.at,
            cpu=last.cpu - begun.cpu,
            rss_mb=max(rss, last.rss_mb),
            steady=last.events / (committed.at - begun.at),
            checksum=totals(fact for fact in KafkaOperation(settings).stored_facts(*_EVER, "all") if fact.entity == ALL)
            if complete
            else None,
        )


def settle(offsets: Offsets, address: str) -> list[Look]:
    """Wait until both stages have committed all there is; what the worker's metrics said meanwhile."""
    deadline, looks = time.monotonic() + _SETTLES_WITHIN_SECONDS, []
    while True:
        looks.append(Look(address))
        try:
            if offsets.all_committed():
                return [*looks, Look(address)]
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker's commits cannot be read: {error}") from error
        if time.monotonic() > deadline:
            raise TimeoutError(f"the worker has not committed everything within {_SETTLES_WITHIN_SECONDS:g} s")
        time.sleep(0.05)


if __name__ == "__main__":
    run(ordered("whole"))
    os._exit(0)
