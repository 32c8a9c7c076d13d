"""``deskpulse source asterisk`` as a process, killed, cut off and started again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import free_port
from streams.addresses import HOST
from streams.settings import Settings
from streams.system_clock import machine_ms
from tests.asterisk.driving import Driver
from tests.asterisk.proxy import Proxy
from tests.support.operation import answers, http_get, program

#: Of one wait, on a busy machine.
_PATIENCE_SECONDS = 600.0
#: About a break, what cannot be sure to have been seen. Seconds.
EDGE_SECONDS = 2.5


class Following:
    """The follower, which goes on where the one before stood."""

    def __init__(self, settings: Settings, file: Path) -> None:
        self._settings, self._file, self._number = settings, file, 0
        self._opened: ExitStack | None = None
        self._process: Any = None
        self.port = 0

    def start(self) -> None:
        """Follow from where the one before stood."""
        self._number, self.port, self._opened = self._number + 1, free_port(), ExitStack()
        name = f"follower-{self._number}"
        arguments = ("source", "asterisk", str(self._file), "--metrics-port", str(self.port))
        self._process = self._opened.enter_context(program(self._settings, name, *arguments))

    def kill(self) -> None:
        """As whoever pulls the plug."""
        assert self._opened is not None
        self._process.kill()
        self._opened.close()

    def stop(self) -> None:
        """In order."""
        if self._opened is not None:
            self._opened.close()

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = answers(f"http://{HOST}:{self.port}/healthz", self._process, 120).json()
        return found

    def metrics(self) -> str:
        """Its page for Prometheus."""
        return str(http_get(f"http://{HOST}:{self.port}/metrics").text)

    def connected(self) -> bool:
        """Is AMI there, and has it told of everybody?"""
        with suppress(httpx.HTTPError):
            return bool(self.health().get("ami", {}).get("state") == "connected")
        return False


@dataclass
class Breaks:
    """When the follower was not connected to AMI: seconds since 1970, with what is about them."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    kills: int = 0
    cuts: int = 0

    def touch(self, since: float, until: float) -> bool:
        """Was it away at any time between the two?"""
        return any(begins <= until and since <= ends for begins, ends in self.spans)


def disturb(
    moments: Sequence[tuple[float, str]], following: Following, driver: Driver, proxy: Proxy, chance: random.Random
) -> Breaks:
    """Do to the follower what is planned: (seconds from now, kill, cut or rotate)."""
    began, breaks = time.monotonic(), Breaks()
    for at, what in moments:
        time.sleep(max(0.0, began + at - time.monotonic()))
        if what == "rotate":
            driver.rotate.set()
            continue
        since = machine_ms() / 1000
        if what == "kill":
            following.kill()
            breaks.kills += 1
            time.sleep(chance.choice((0.0, 0.0, 2.0)))
            following.start()
        else:
            proxy.away.set()
            proxy.cut()
            breaks.cuts += 1
            time.sleep(chance.choice((0.5, 3.0)))
            proxy.away.clear()
        until("the follower is connected again", following.connected)
        breaks.spans.append((since - EDGE_SECONDS, machine_ms() / 1000 + EDGE_SECONDS))
    return breaks


def until(what: str, true: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait for it. Raises AssertionError where it does not come about."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.3)
