"""What happens because time passes: plans come due, alerts are looked at, screens brought up to date, the watermark told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from time import perf_counter, process_time

import msgspec

from streams.contracts import topics
from streams.contracts.outputs import Alert, Contributions
from streams.entities.stage import KpisStage
from streams.settings import Settings
from streams.worker import metrics
from streams.worker.intake import Intake
from streams.worker.operation_clock import OperationClock
from streams.worker.outbox import Outbox
from streams.worker.partitioner import Partitioner
from streams.worker.screen_feed import ScreenFeed
from streams.worker.state.working_state import WorkingState

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode

#: Entities that are looked at or shown without a pause, and the seconds that a tick may take for looking: those that changed first
#: come first, the others wait for the next tick. The next tick is when no more than this share of the time goes into them, and the
#: share of it that nobody else has use for.
_AT_ONCE, _LOOKING_SECONDS, _TICKING_SHARE = 200, 0.02, 0.15


class Ticker:
    """``spare``: the share of a core that this process left idle before the last tick."""

    def __init__(
        self,
        settings: Settings,
        kpis: KpisStage,
        state: WorkingState,
        clock: OperationClock,
        partition: Partitioner,
        intake: Intake,
        outbox: Outbox,
        screens: ScreenFeed,
    ) -> None:
        self._kpis, self._state, self._clock, self._partition = kpis, state, clock, partition
        self._intake, self._outbox, self._screens = intake, outbox, screens
        self._partitions = settings.partitions
        self._contributions, self._alerts = settings.topic(topics.CONTRIBUTIONS), settings.topic(topics.ALERTS)
        #: Steps of alerts that are not written yet.
        self._told: list[Alert] = []
        self._watermark: int | None = None
        #: The second of the operation's clock in which rules were judged last, when that was, and how many entities are still to be.
        self._judged, self._left = (0, 0.0), 0
        self._next_tick = 0.0
        #: The clock and the CPU time of this process at the last tick.
        self._used, self.spare = (perf_counter(), process_time()), 0.0
        #: Batches taken in at the last tick. If there were none since, there is nothing that a tick would keep waiting.
        self._seen = 0

    def broadcast_watermark(self) -> None:
        """On event time: tell every partition of the second stage how far this worker's sources have come."""
        if not self._clock.event_time or not self._state.numbers:
            return
        clocks = (clock for place, clock in self._state.progress.clocks.items() if place[0] != self._contributions)
        newest = max((clock.now for clock in clocks if clock.now is not None), default=None)
        if newest is None or newest == self._watermark:
            return
        self._watermark = newest
        message, number = _encode(Contributions(clock=newest)), min(self._state.numbers)
        for partition in range(self._partitions):
            self._outbox.put(number, (self._contributions, partition), (None, message, []))

    async def tick(self) -> None:
        """Let time pass, look at the alerts, bring the screens up to date; not yet where the last time took too much."""
        batches = self._intake.batches
        if batches != self._seen and perf_counter() < self._next_tick:
            return
        self._seen = batches
        self._note_spare()
        now = self._clock.now()
        if now is None:
            await self._screens.show(None, self._turns)
            return
        self._kpis.advance(now)
        # Rules are judged once a second of the operation's clock (of the machine's, where that one stands); whose turn did not come then
        # has it in the next ticks.
        if (second := now // 1000) != self._judged[0] or perf_counter() - self._judged[1] >= 1:
            self._judged, self._left = (second, perf_counter()), self._kpis.awake
        async for part in self._turns(self._left, _LOOKING_SECONDS):
            self._left -= part
            self._tell(self._kpis.alerts(now, part))
        await self._screens.show(now, self._turns)
        metrics.OPERATION_CLOCK.set(now / 1000)
        metrics.ENTITIES.set(len(self._state.entities))
        metrics.CUSTOMERS.set(len(self._state.customers))

    def drain_alerts(self) -> list[Alert]:
        """Steps of alerts since the last call: they are in the outbox."""
        told, self._told = self._told, []
        return told

    def _note_spare(self) -> None:
        """How much of a core was idle since the last tick."""
        (then, used), self._used = self._used, (perf_counter(), process_time())
        self.spare = max(0.0, 1.0 - (self._used[1] - used) / (self._used[0] - then))

    def _tell(self, steps: list[Alert]) -> None:
        """Have the steps of alerts written, together with the state that remembers them."""
        self._told += steps
        for alert in steps:
            if not alert.update:
                metrics.ALERTS.labels(alert.rule, alert.status).inc()
                (log.info if alert.status == "resolved" else log.warning)("alert %s: %s", alert.status, alert.reason_en)
            number = self._partition(alert.entity)
            self._outbox.put(number, (self._alerts, number), (alert.key.encode(), _encode(alert), []))

    async def _turns(self, count: int, seconds: float) -> AsyncIterator[int]:
        """How many of ``count`` things to do next, again and again until all are done or so much time has gone into them; others
        run in between.
        """
        busy = 0.0
        while count > 0 and busy < seconds:
            began = perf_counter()
            yield min(count, _AT_ONCE)
            busy += perf_counter() - began
            count -= _AT_ONCE
            await asyncio.sleep(0)
        self._next_tick = max(self._next_tick, perf_counter()) + busy / (_TICKING_SHARE + self.spare)
