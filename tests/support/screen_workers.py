"""Writes screens into a real Redis as workers do, for tests and measurements of who reads them."""

from __future__ import annotations

import asyncio
import threading

import msgspec

from streams.contracts.outputs import Presence, Totals
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.worker.screen_writer import Screens
from tests.support.board import target, told

SL = "service_level_20s"


class Workers:
    """Writes screens as workers do: what is shown, and the clock of it every half second, until it is told to be silent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.speaks, self._over = threading.Event(), threading.Event()
        self.speaks.set()
        self._waiting: list[Totals | Presence] = []
        self._behind: dict[int, int] = {}
        self._lock = threading.Lock()
        self._done = threading.Condition(self._lock)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    def tell(self, *values: Totals | Presence, behind: int = 0) -> None:
        """Show these; returns when they are in Redis."""
        with self._done:
            self._waiting += values
            self._behind = {0: behind}
            assert self._done.wait_for(lambda: not self._waiting, 60)

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)

    async def _run(self) -> None:
        screens = Screens(
            self._settings, told(target(SL, "all|all", "0.8"), target("longest_wait", "all|all", "60", "<=", "s"))
        )
        while not self._over.is_set():
            if self.speaks.is_set():
                with self._lock:
                    values = list(self._waiting)
                machine = machine_ms()
                await screens.emptied(machine)
                taken = await screens.write(
                    {one.entity: msgspec.json.encode(one) for one in values if isinstance(one, Totals)},
                    [one for one in values if isinstance(one, Presence)], [], now=machine, machine=machine, behind=self._behind,
                )  # fmt: skip
                with self._done:
                    self._waiting = self._waiting[len(values) :] if taken else self._waiting
                    self._done.notify_all()
            await asyncio.sleep(0.05)
        await screens.close()
