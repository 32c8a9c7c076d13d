"""What happens because time passes: rules are judged, screens brought up to date, the watermark told.

When rules are judged is itself a message among the contributions of each partition, written by whoever has it: "as of 09:00:05, on all that
lies before". So an alert's steps follow from what is in the partition, however busy a worker is, whoever reads it and however often: after
a crash, and in ``deskpulse alert try``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from time import perf_counter, process_time

import msgspec

from streams.contracts import topics
from streams.contracts.outputs import Alert, Contributions
from streams.entities.stages import KpisStages
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
#: On the event clock, which may run much faster than the machine's: seconds that judging an entity is taken to need, and between two
#: moments at most as long as anything is new.
_JUDGING_SECONDS, _STANDING_SECONDS = 20e-6, 1.0


class Ticker:
    """``spare``: the share of a core that this process left idle before the last tick."""

    def __init__(
        self,
        settings: Settings,
        kpis: KpisStages,
        state: WorkingState,
        clock: OperationClock,
        partition: Partitioner,
        intake: Intake,
        outbox: Outbox,
        screens: ScreenFeed,
    ) -> None:
        self._kpis, self._state, self._clock, self._partition = kpis, state, clock, partition
        self._progress = state.progress
        self._intake, self._outbox, self._screens = intake, outbox, screens
        self._partitions = settings.partitions
        self._contributions, self._alerts = settings.topic(topics.CONTRIBUTIONS), settings.topic(topics.ALERTS)
        self._watermark: int | None = None
        #: Partition number → the last second as of which rules are to be judged there, and when that was put into its messages.
        self._seconds: dict[int, tuple[int, float]] = {}
        #: On the event clock: how many entities had been judged then, and when there may be another.
        self._judged, self._next_second = 0, 0.0
        self._next_tick = 0.0
        #: The clock and the CPU time of this process at the last tick.
        self._used, self.spare = (perf_counter(), process_time()), 0.0
        #: Batches taken in at the last tick. If there were none since, there is nothing that a tick would keep waiting.
        self._seen = 0

    def broadcast_watermark(self) -> None:
        """On event time: tell every partition of the second stage how far this worker's sources have come."""
        if not self._clock.event_time or not self._state.numbers:
            return
        clocks = (clock for place, clock in self._progress.clocks.items() if place[0] != self._contributions)
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
        async for part in self._turns(self._kpis.due, _LOOKING_SECONDS):
            self._kpis.judge_due(part)
        await self._screens.show(now, self._turns)
        metrics.OPERATION_CLOCK.set(now / 1000)
        metrics.ENTITIES.set(len(self._state.entities))
        metrics.CUSTOMERS.set(len(self._state.customers))

    def have_judged(self) -> None:
        """Where a whole second is over, have rules judged as of it on all that is in a partition up to now.

        On the machine's clock that is every second. On the event clock it is whenever time has moved on, as far as judging takes no more
        than its share of this worker's time, and once more when all is quiet.
        """
        event_time, machine = self._clock.event_time, perf_counter()
        now = self._newest() if event_time else self._clock.now()
        if now is None or (event_time and (machine < self._next_second or self._kpis.due)):
            return
        whole = now - now % 1000
        for number, stage in self._kpis.by_number.items():
            place, second = (self._contributions, number), whole
            if event_time and stage.time is not None:  # another worker may have heard of later events
                second = max(whole, stage.time.highest)
            before, told = self._seconds.get(number, (None, 0.0))
            clock = self._progress.clock(place).now
            if clock is None and not event_time:
                continue  # nothing has come to it yet
            if second == before and not (event_time and machine - told >= _STANDING_SECONDS and stage.has_news):
                continue
            self._seconds[number] = second, machine
            message = _encode(Contributions(clock=now if event_time or clock is None else clock, second=second))
            self._outbox.put(number, place, (None, message, []))
        judged, self._judged = self._judged, self._kpis.judged
        self._next_second = machine + (self._judged - judged) * _JUDGING_SECONDS / (_TICKING_SHARE + self.spare)

    def _newest(self) -> int | None:
        """How far any source of this worker, or what others have told, has come (ms); None: nothing is known yet."""
        return max((clock.now for clock in self._progress.clocks.values() if clock.now is not None), default=None)

    def drain_alerts(self) -> list[Alert]:
        """Steps of alerts since the last call: they are in the outbox."""
        steps = self._kpis.drain_steps()
        self._tell(steps)
        return steps

    def _note_spare(self) -> None:
        """How much of a core was idle since the last tick."""
        (then, used), self._used = self._used, (perf_counter(), process_time())
        self.spare = max(0.0, 1.0 - (self._used[1] - used) / (self._used[0] - then))

    def _tell(self, steps: list[Alert]) -> None:
        """Have the steps of alerts written, together with the state that remembers them."""
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
