"""What a worker says of itself to whoever keeps it alive."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from streams.worker.health import LAGGING_SECONDS, REACH, STALLED_SECONDS, Health, pages


class Time:
    """Seconds that pass when told to; the event loop beats in every one of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.health = Health(lambda: self.now)

    def beat(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.health.beat()


def working(time: Time) -> None:
    time.health.enter("working", 4)


def keeps_up(time: Time) -> None:
    working(time)
    time.beat(100)
    time.health.lag({0: REACH - 1, 1: 1})
    time.health.forward()


def has_no_work(time: Time) -> None:
    working(time)
    time.beat(1000)
    time.health.lag({0: 0})


def waits_for_its_kafka(time: Time) -> None:
    time.health.enter("restoring")
    time.now += 1000


def hangs(time: Time) -> None:
    working(time)
    time.beat(1)
    time.now += STALLED_SECONDS + 1


def gets_nowhere(time: Time) -> None:
    working(time)
    time.health.lag({0: 3})
    time.beat(STALLED_SECONDS + 1)


def lags(time: Time) -> None:
    working(time)
    time.beat(LAGGING_SECONDS + 1)
    time.health.lag({0: REACH, 1: 1})
    time.health.forward()


def has_caught_up(time: Time) -> None:
    lags(time)
    time.health.lag({0: REACH, 1: 0})


def restores(time: Time) -> None:
    time.health.enter("restoring")
    time.beat(500)


def is_rebalanced(time: Time) -> None:
    lags(time)
    time.health.enter("rebalancing")
    time.beat(1)


def has_ended(time: Time) -> None:
    working(time)
    time.health.enter("ended")


@pytest.mark.parametrize(
    ("happens", "state", "alive", "ready"),
    [
        (lambda _: None, "starting", True, False),
        (working, "working", True, True),
        (keeps_up, "working", True, True),
        (has_no_work, "working", True, True),
        (waits_for_its_kafka, "restoring", True, False),
        (hangs, "stalled", False, False),
        (gets_nowhere, "stalled", False, False),
        (lags, "lagging", True, False),
        (has_caught_up, "working", True, True),
        (restores, "restoring", True, False),
        (is_rebalanced, "rebalancing", True, False),
        (has_ended, "ended", False, False),
    ],
)
def test_it_tells_the_truth(happens: Callable[[Time], None], state: str, alive: bool, ready: bool) -> None:
    time = Time()
    happens(time)
    assert time.health.state() == state
    said: dict[str, str] = {}
    for path in ("/healthz", "/readyz"):
        body = pages(time.health)(
            {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": BytesIO()},
            lambda status, _, path=path: said.update({path: status}),
        )
        told: dict[str, Any] = json.loads(b"".join(body))
        assert told["state"] == state
    assert said["/healthz"].startswith("200" if alive else "503")
    assert said["/readyz"].startswith("200" if ready else "503")
