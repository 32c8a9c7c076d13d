"""``deskpulse worker --workers 3``: one command, three workers at work on real brokers, one of them killed, all of them stopped."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.addresses import is_free
from streams.contracts.events import AnyEvent
from streams.kafka.topics import ensure_topics
from streams.settings import Settings
from streams.sources.simulated import simulate
from tests.integration.test_restart import flowing, in_utc, undisturbed
from tests.support.operation import answers, differing, facts, http_get, metric, program, send, settled

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

#: Within which all have stopped after one signal.
STOPS_WITHIN_SECONDS = 15.0


class Workers:
    """Three workers by one command, as their user sees them: a log and addresses."""

    def __init__(self, process: ServerProcess, port: int) -> None:
        self._process = process
        self.metrics = [f"http://127.0.0.1:{port + number}/metrics" for number in range(3)]
        for address in self.metrics:
            answers(address, process)

    @property
    def log(self) -> str:
        return self._process.log.read_text(encoding="utf-8")

    @property
    def pids(self) -> list[int]:
        """The processes that all workers have been."""
        return [pid for number in (1, 2, 3) for pid in self.pids_of(f"worker {number}")]

    def pids_of(self, name: str) -> list[int]:
        """The processes that a worker has been, the latest last."""
        return [int(pid) for pid in re.findall(rf"{name} is process (\d+); metrics on port \d+", self.log)]

    def stop_in_order(self) -> None:
        """SIGTERM to the command, and to nobody else: all end in time, in order, and nobody is left."""
        began = monotonic()
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGTERM)
        until(lambda: self._process.exit_code is not None)
        assert monotonic() - began < STOPS_WITHIN_SECONDS
        assert self._process.exit_code == 0, self.log
        assert self.pids
        assert not [pid for pid in self.pids if alive(pid)]


@contextmanager
def three_workers(settings: Settings) -> Iterator[Workers]:
    ensure_topics(settings)
    port = free_port()
    while not (is_free(port + 1) and is_free(port + 2)):
        port = free_port()
    with program(settings, "workers", "worker", "--workers", "3", "--metrics-port", str(port)) as process:
        yield Workers(process, port)


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not reached():
        assert monotonic() < deadline
        sleep(0.05)


def alive(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return True
    return False


def read(address: str) -> float:
    """How many messages a worker has read; none while it does not answer."""
    try:
        return metric(address, "deskpulse_events_in_total")
    except httpx.HTTPError:
        return 0


def share(address: str) -> int:
    """How many partitions a worker has and works on; none while it does not answer."""
    try:
        told = http_get(address.replace("/metrics", "/readyz")).json()
    except httpx.HTTPError:
        return 0
    return int(told["partitions"]) if told["state"] == "working" else 0


def test_three_workers_by_one_command_and_one_signal(settings: Settings, tmp_path: Path) -> None:
    """Each has its share, the figures are those of the pure path, and one SIGTERM ends all in order and leaves nobody."""
    operation = in_utc(settings, tmp_path)
    events = list(islice(simulate(7, datetime(2026, 3, 2, 1, tzinfo=UTC)), 3_000))
    with three_workers(operation) as workers:
        until(
            lambda: all(share(address) > 0 for address in workers.metrics)
        )  # or two may do all before the third is there
        send(operation, paced(events))
        settled(operation)
        assert all(read(address) > 0 for address in workers.metrics), (
            "each of the three has a part of the four partitions"
        )
        workers.stop_in_order()
        assert len(workers.pids) == 3, "none had to be started again"
        assert not re.search(r"(ERROR|CRITICAL) streams|Traceback", workers.log)
    assert not differing(facts(operation), undisturbed(events, operation.policy))


def test_one_of_three_is_killed_under_load(settings: Settings, tmp_path: Path) -> None:
    """It is named and started again, takes its share again; nothing is lost and nothing counts twice."""
    operation = in_utc(settings, tmp_path)
    sent: list[AnyEvent] = []
    back = Event()
    with three_workers(operation) as workers:
        feed = Thread(target=send, args=(operation, flowing(sent, back)))
        feed.start()
        try:
            until(lambda: read(workers.metrics[1]) > 500)
            os.kill(workers.pids_of("worker 2")[-1], signal.SIGKILL)
            until(lambda: len(workers.pids_of("worker 2")) == 2)
            until(lambda: read(workers.metrics[1]) > 0)
        finally:
            back.set()
            feed.join()
        settled(operation)
        assert "worker 2 ended by itself with exit code -9 (SIGKILL); it starts again in" in workers.log
        assert [len(workers.pids_of(f"worker {number}")) for number in (1, 2, 3)] == [1, 2, 1]
        workers.stop_in_order()
    assert not differing(facts(operation), undisturbed(sent, operation.policy))


def paced(events: list[AnyEvent]) -> Iterator[AnyEvent]:
    """Some 1,200 events a second, so that each worker has its part in them."""
    for number, event in enumerate(events):
        if number % 60 == 0:
            sleep(0.05)
        yield event
