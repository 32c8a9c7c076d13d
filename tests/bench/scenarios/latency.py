"""From an event to the screen: how long after it was handed to a producer Redis shows what it changed, at shares of the highest rate."""

from __future__ import annotations

import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from math import ceil
from statistics import linear_regression, median
from time import monotonic_ns, sleep
from typing import Any

import msgspec
from redis import Redis

from streams.settings import Settings
from tests.bench.scenarios.growth import level
from tests.bench.scenarios.orders import Done, Order
from tests.bench.scenarios.probe import agent_of, hash_of, shows
from tests.bench.scenarios.running import Worker, operation
from tests.bench.setting import BROKER_CORE, Bench, on_core

_SHARES = (0.01, 0.1, 0.5, 0.9)
_AGENTS = 1_000
_PROBES, _QUICK_PROBES, _PROBES_PER_SECOND = 300, 60, 15
_WARM_UP_SECONDS, _WARM_UP_RATE = 3.0, 3_000.0
#: Between two looks at Redis: what a latency is too long by, at most.
_LOOK_SECONDS = 0.002
#: Probes asked for at once; they become visible nearly in order.
_ASKED = 80
_PATIENCE_SECONDS = 20.0
#: A worker does not keep up where it is further behind than this towards the end …
_BEHIND_SECONDS = 1.0
#: … or where latency grows by so many seconds in a second, and by so many in all.
_GROWS_BY, _GROWS_SECONDS = 0.1, 0.25
_DRAINED_WITHIN_SECONDS = 180.0


def latency(bench: Bench) -> list[dict[str, Any]]:
    """A row a share of the highest rate: share, rate_wanted, rate (reached), p50_ms, p99_ms, max_ms, probes, behind_seconds, verdict.

    ``behind_seconds``: events not yet taken in towards the end, as seconds of the rate. ``verdict``: ``ok``; ``overloaded`` where the worker
    does not keep up, ``not shown`` where a probe did not come within 20 s of the end: latency then means nothing and is None;
    ``load too slow`` where the generator itself did not reach 95 % of the rate, so that the row stands for the rate that it reached.
    """
    highest = bench.highest_rate
    if highest is None:
        bench.say("latency: the highest rate is not known yet: measuring it")
        highest = float(level(bench, _AGENTS, 60_000)["events_per_second"])
    probes = _QUICK_PROBES if bench.quick else _PROBES
    with (
        operation(bench, "latency", "wall") as settings,
        on_core(BROKER_CORE),
        Worker(settings) as worker,
        _generator(settings) as generator,
    ):
        taken = _warm_up(generator, worker)
        rows = []
        for share in _SHARES:
            order = Order(f"at{share:g}", highest * share, probes / _PROBES_PER_SECOND, probes)
            row, sent = _level(order, generator, settings, worker, taken)
            rows.append({"share": share, **row})
            bench.say(
                f"latency at {share:.0%} ({row['rate']:,} events/s): p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms: {row['verdict']}"
            )
            taken += sent
            worker.until_taken(taken, _DRAINED_WITHIN_SECONDS)
    return rows


class _Generator:
    """The load's process; its answers come in a thread, as whoever asks is looking at Redis meanwhile."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._reader = ThreadPoolExecutor(1)

    def begin(self, order: Order) -> Future[Done]:
        """Have it send; the future is what it says at the end."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order).decode() + "\n")
        self._process.stdin.flush()
        return self._reader.submit(self._answer)

    def end(self) -> None:
        """Have it end, by force where it does not."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._reader.shutdown()

    def _answer(self) -> Done:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended; its reason is above")
        done = msgspec.json.decode(line, type=Done)
        if done.error is not None:
            raise RuntimeError(f"the load was not sent: {done.error}")
        return done


@contextmanager
def _generator(settings: Settings) -> Iterator[_Generator]:
    command = [
        sys.executable,
        "-m",
        "tests.bench.scenarios.load",
        "--broker",
        settings.broker,
        "--prefix",
        settings.prefix,
    ]
    process = subprocess.Popen(
        [*command, "--agents", str(_AGENTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    generator = _Generator(process)
    try:
        yield generator
    finally:
        generator.end()


def _warm_up(generator: _Generator, worker: Worker) -> int:
    """Every agent has occurred once; returns how many events that took."""
    done = generator.begin(Order("warm", _WARM_UP_RATE, _WARM_UP_SECONDS, 0)).result(timeout=120)
    worker.until_taken(done.sent[-1][1], _DRAINED_WITHIN_SECONDS)
    return done.sent[-1][1]


def _level(
    order: Order, generator: _Generator, settings: Settings, worker: Worker, before: int
) -> tuple[dict[str, Any], int]:
    """One level's row, and how many events were sent. ``before``: events taken in before it."""
    began = monotonic_ns()
    answer = generator.begin(order)
    looks: list[tuple[int, int]] = []  # monotonic ns, events taken in
    shown: dict[int, int] = {}
    waiting = list(range(order.probes))
    look_at = [began + round(order.seconds * share * 1e9) for share in (0.5, 0.95)]
    give_up = began + round((order.seconds + _PATIENCE_SECONDS) * 1e9)
    name = hash_of(settings)
    with closing(Redis.from_url(settings.redis, socket_timeout=10)) as redis:
        while waiting and monotonic_ns() < give_up:
            if look_at and monotonic_ns() >= look_at[0]:
                look_at.pop(0)
                looks.append((monotonic_ns(), worker.sample().events - before))
            asked = waiting[:_ASKED]
            found = redis.hmget(name, [agent_of(f"{order.run}-{number}") for number in asked])
            now = monotonic_ns()
            for number, raw in zip(asked, found, strict=True):
                if shows(raw):
                    shown[number] = now
                    waiting.remove(number)
            sleep(_LOOK_SECONDS)
    done = answer.result(timeout=120)
    return _row(order, done, shown, looks), done.sent[-1][1]


def _row(order: Order, done: Done, shown: dict[int, int], looks: list[tuple[int, int]]) -> dict[str, Any]:
    rate = done.sent[-1][1] / done.seconds
    behind = [max(0, _sent_by(done, at) - taken) / rate for at, taken in looks]
    took = sorted((at - done.probes[number]) / 1e6 for number, at in shown.items())
    verdict = "ok"
    # Where half of the probes take longer than half of the level, it was too short for latencies to grow in.
    if len(shown) < order.probes:
        verdict = "not shown"
    elif (behind and behind[-1] > _BEHIND_SECONDS) or median(took) > order.seconds * 500 or _grow(done, shown):
        verdict = "overloaded"
    elif rate < 0.95 * order.rate:
        verdict = "load too slow"
    meaningful = took if verdict in ("ok", "load too slow") else []
    return {
        "rate_wanted": round(order.rate),
        "rate": round(rate),
        "p50_ms": round(median(meaningful)) if meaningful else None,
        "p99_ms": round(meaningful[ceil(0.99 * len(meaningful)) - 1]) if meaningful else None,
        "max_ms": round(meaningful[-1]) if meaningful else None,
        "probes": len(shown),
        "behind_seconds": round(behind[-1], 2) if behind else None,
        "verdict": verdict,
    }


def _grow(done: Done, shown: dict[int, int]) -> bool:
    """Do latencies grow from probe to probe? Without an end, where the rate is higher than that of any of the worker's stages."""
    sent = [at / 1e9 for number, at in enumerate(done.probes) if number in shown]
    took = [shown[number] / 1e9 - at for number, at in enumerate(done.probes) if number in shown]
    slope, _ = linear_regression(sent, took)
    return slope > _GROWS_BY and slope * (sent[-1] - sent[0]) > _GROWS_SECONDS


def _sent_by(done: Done, at: int) -> int:
    """Events that had been sent by a moment (monotonic ns)."""
    place = bisect_right(done.sent, at, key=lambda pair: pair[0])
    return done.sent[place - 1][1] if place else 0
