"""What every contender is asked and what it answers: arguments in, one JSON line on stdout out."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import NoReturn

#: Of every topic that is read here, and of those that a contender makes between its stages.
PARTITIONS = 4
Checksum = Mapping[str, float]


@dataclass(frozen=True)
class Order:
    """One run of one contender: the first ``events`` messages of ``topic``, or what is done in ``seconds`` of work."""

    job: str
    broker: str
    topic: str
    events: int
    seconds: float

    @property
    def group(self) -> str:
        """Consumer group, and prefix of the topics and directories that a contender makes for itself: new in every run."""
        return f"{self.topic}.{self.job}.{os.getpid()}"


def ordered(*jobs: str) -> Order:
    """The order on the command line, for a contender that can do these jobs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", choices=jobs, required=True)
    parser.add_argument("--broker", required=True, help="HOST:PORT")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return Order(**vars(parser.parse_args()))


def cpu_seconds() -> float:
    """CPU of this process, all its threads, and the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_rss_mb() -> float:
    """The most memory that this process has held."""
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage tells begins, on Linux, with what the parent held
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


class Meter:
    """Times a contender from its first event to its last."""

    def __init__(self, contender: str, package: str, order: Order) -> None:
        self._contender = contender
        self._version = version(package)
        self.order = order
        self._began: float | None = None
        self._cpu = 0.0
        self._until = float("inf")

    def start(self) -> None:
        """An event is taken: the clock starts at the first."""
        if self._began is None:
            self._cpu, self._began = cpu_seconds(), perf_counter()
            self._until = self._began + self.order.seconds

    @property
    def over(self) -> bool:
        """The time is up."""
        return perf_counter() >= self._until

    def end(self, events: int, checksum: Checksum | None = None) -> NoReturn:
        """Everything taken is done: answer, and end the process here and now. How a framework shuts down is not measured."""
        ended, cpu = perf_counter(), cpu_seconds()
        if self._began is None:
            raise RuntimeError(f"{self._contender} ended before its first event")
        answer(
            contender=self._contender, version=self._version, order=self.order, events=events, seconds=ended - self._began,
            cpu=cpu - self._cpu, rss_mb=peak_rss_mb(), checksum=checksum if events >= self.order.events else None,
        )  # fmt: skip
        os._exit(0)


class Progress:
    """How far two stages are, of which the second takes what the first sends.

    After the last event, or when time is up, the first lets go by what it is given (no framework can stop one stage alone);
    the run ends when the second has done all that the first has sent.
    """

    def __init__(self, meter: Meter, checksum: Callable[[], Checksum]) -> None:
        self._meter, self._checksum = meter, checksum
        self._taken = self._sent = self._done = 0
        self._last = False

    def may_take(self) -> bool:
        """Is this event to be taken by the first stage?"""
        self._meter.start()
        if self._meter.over:
            self._last = True
            self._look()
        return not self._last

    def took(self, sent: int) -> None:
        """The first stage is done with an event, from which it has sent so many messages to the second."""
        self._taken += 1
        self._sent += sent
        self._last = self._last or self._taken >= self._meter.order.events
        self._look()

    def done(self) -> None:
        """The second stage is done with a message."""
        self._done += 1
        self._look()

    def _look(self) -> None:
        if self._last and self._done >= self._sent:
            self._meter.end(self._taken, self._checksum())


def answer(
    *,
    contender: str,
    version: str,
    order: Order,
    events: int,
    seconds: float,
    cpu: float,
    rss_mb: float,
    steady: float | None = None,
    checksum: Checksum | None,
) -> None:
    """The one line on stdout. ``steady``: events/s without what a long run would not have."""
    line = {
        "contender": contender,
        "version": version,
        "job": order.job,
        "events": events,
        "seconds": round(seconds, 4),
        "cpu_seconds": round(cpu, 4),
        "max_rss_mb": round(rss_mb, 1),
        "steady_events_per_second": round(steady) if steady is not None else None,
        "checksum": dict(sorted(checksum.items())) if checksum is not None else None,
    }
    print(json.dumps(line), flush=True)
