"""What a worker says of itself to whoever keeps it alive."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from streams.health_pages import pages
from streams.worker.health import LAGGING_SECONDS, REACH, STALLED_SECONDS, Health


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


def goes_back(time: Time, seconds: float) -> None:
    """A checkpoint fails, and fails again after the state was read anew."""
    working(time)
    time.health.lag({0: 3})
    for _ in range(10):
        time.beat(seconds / 10)
        time.health.set_back("calls[3] from 7 to 9: too large")
        time.health.enter("restoring")
        time.health.enter("working", 4)
        time.health.lag({0: 3})


def goes_back_for_a_moment(time: Time) -> None:
    goes_back(time, 10)


def goes_back_again_and_again(time: Time) -> None:
    goes_back(time, STALLED_SECONDS + 1)


def goes_back_and_hangs(time: Time) -> None:
    goes_back(time, STALLED_SECONDS + 1)
    time.now += STALLED_SECONDS + 1


def is_over_it(time: Time) -> None:
    goes_back(time, STALLED_SECONDS + 1)
    time.health.forward()
    time.beat(1)


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
        (goes_back_for_a_moment, "working", True, True),
        (goes_back_again_and_again, "stalled", True, False),
        (goes_back_and_hangs, "stalled", False, False),
        (is_over_it, "working", True, True),
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


def test_a_stalled_worker_says_once_a_minute_where_and_why() -> None:
    time = Time()
    goes_back(time, STALLED_SECONDS - 1)
    assert time.health.complaint() is None
    time.beat(2)
    assert time.health.complaint() == "calls[3] from 7 to 9: too large"
    assert time.health.told()["reason"] == "calls[3] from 7 to 9: too large"
    time.beat(30)
    assert time.health.complaint() is None
    time.beat(31)
    assert time.health.complaint() is not None
    time.health.forward()
    time.health.lag({0: 0})
    time.beat(61)
    assert time.health.complaint() is None
    assert "reason" not in time.health.told()


def test_one_that_takes_nothing_in_says_how_much_waits() -> None:
    time = Time()
    gets_nowhere(time)
    assert time.health.complaint() == "3 messages wait, and none has been taken in for 31 s"
