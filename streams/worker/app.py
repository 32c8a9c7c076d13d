"""The worker: Faust's agents and timers wired explicitly, how partitions are taken up, the cycle. Nothing here decides on a KPI."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from threading import Thread
from time import monotonic, perf_counter, sleep
from typing import Any

import faust
from aiokafka.errors import KafkaError
from mode.loop import use as use_loop
from tenacity import AsyncRetrying, Retrying, retry_if_exception_type, wait_exponential

from deploy.kafka_reach import UnreachableError, look
from streams.agents import Agents
from streams.alerts.rules import load_rules
from streams.batches import RunScheduler, RunSchema, RunTransport
from streams.build import named
from streams.clients import addresses, follow_roster, new_app, new_producer
from streams.contracts import topics
from streams.restore import STATE, Restoring, first_offsets
from streams.roster import Roster
from streams.settings import Settings
from streams.sinks import metrics
from streams.sinks.health import Health
from streams.sinks.screens import Screens
from streams.sinks.transactions import Transactions
from streams.standby import Standby
from streams.state import Held

log = logging.getLogger(__name__)

#: Seconds between two cycles at least, and the share of the time that encoding what they write may take while there is more to
#: take in, beside what nobody else has use for: a cycle is what a crash takes back, and nothing of it is seen before it ends.
CYCLE_SECONDS, CYCLE_SHARE = 0.05, 0.15
#: Seconds of a cycle for entities and days, as a share of the time since the last, beside what nobody else has use for.
ENTITIES_SHARE = 0.1
#: Seconds within which a worker must have written its state before its partitions go to another.
HAND_OVER_SECONDS = 8.0
#: Seconds after which a worker that is to end does, whatever it waits for: a client whose broker is gone may wait for ever.
END_SECONDS = 12.0
#: Seconds of being behind after which screens say so.
TOLD_SECONDS = 5.0
#: Seconds between looks at the clock, the alerts and the screens.
TICK_SECONDS = 0.05


class Worker:
    """One worker process: the Faust app and what it works with."""

    def __init__(self, settings: Settings, health: Health, *, declare: bool = True) -> None:
        """``declare``: create Faust's own topics; a broker that makes topics by itself wants False."""
        self._health = health
        self.settings = settings
        self.roster = Roster()
        self._processed: dict[tuple[str, int], int] = {}
        self.app = self._new_app(declare)
        self._held = {topic: Held() for topic in STATE}
        self._screens = Screens(settings)
        self._transactions = Transactions(partial(new_producer, settings))
        self._agents = Agents(
            settings,
            load_rules(settings.rules_file),
            self.roster,
            self._held,
            self._transactions.ends,
            self._screens,
        )
        self._standby = Standby(settings, settings.connection(), self._agents.border) if settings.standby else None
        self._roster_read = asyncio.Event()
        #: Are runs taken in? Between them, cycles end one after the other.
        self._open = False
        self._cycling = asyncio.Lock()
        self._cycled = asyncio.Event()
        self._last_cycle = 0.0
        #: Counts the runs that were taken in.
        self._runs = 0
        #: Partition numbers whose state is held as it is in Kafka; taking up is one at a time.
        self._restored: set[int] = set()
        #: Where the partitions of sources begin, for those that nothing has been taken in of.
        self._firsts: dict[tuple[str, int], int] = {}
        self._taking_up = asyncio.Lock()
        #: Counts assignments: what was begun for another is given up.
        self._assignment = 0
        self._wire()

    # -- wiring --------------------------------------------------------------------------------------------------------

    def _new_app(self, declare: bool) -> Any:
        settings = self.settings
        app = new_app(settings, declare=declare)
        self._sources = frozenset(settings.topic(topic) for topic in topics.CONTACT_TOPICS)
        self._agents_topic = settings.topic(topics.AGENTS)
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        runs = self._sources | {self._agents_topic, self._contributions}
        RunScheduler.sources = runs
        app.transport = RunTransport(
            addresses(settings), app, sources=runs, processed=self._processed, positions=self._positions,
            ready=lambda: self._open, release=self._release,
        )  # fmt: skip
        return app

    def _wire(self) -> None:
        app, settings = self.app, self.settings
        schema = RunSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        sources = app.topic(*sorted(self._sources), schema=schema)
        agents = app.topic(self._agents_topic, schema=schema)
        contributions = app.topic(self._contributions, schema=schema)

        @app.agent(sources, name=f"{app.conf.id}.contacts")  # type: ignore[untyped-decorator]
        async def contacts(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                await self._take(event, self._agents.contacts)

        @app.agent(agents, name=f"{app.conf.id}.presence")  # type: ignore[untyped-decorator]
        async def presence(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                await self._take(event, self._agents.presence)

        @app.agent(contributions, name=f"{app.conf.id}.kpis")  # type: ignore[untyped-decorator]
        async def kpis(stream: Any) -> None:
            async for event in stream.events():
                await self._take(event, self._agents.kpis)

        @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
        async def let_go(*_: Any, **__: Any) -> None:
            self._assignment += 1
            self._health.enter("rebalancing")
            await self._release()
            self._agents.let_go()

        @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator]
        async def take_up(*_: Any, **__: Any) -> None:
            self._assignment += 1
            await self._take_up(self._assignment)

        @app.timer(TICK_SECONDS)  # type: ignore[untyped-decorator]
        async def tick() -> None:
            self._health.beat()
            if self._open:
                self._agents.tell_time()
                await self._agents.tick()
                self._publish_lag()

        @app.task  # type: ignore[untyped-decorator]
        async def cycle() -> None:
            await self._cycle_on()

        @app.task  # type: ignore[untyped-decorator]
        async def read_roster() -> None:
            await follow_roster(settings, self.roster, self._roster_read, lambda: app.should_stop)

        if self._standby is not None:
            standby = self._standby

            @app.task  # type: ignore[untyped-decorator]
            async def stand_by() -> None:
                await standby.run(lambda: app.should_stop)

        @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
        async def stop(*_: Any, **__: Any) -> None:
            await self._release()
            await self._screens.close()
            await self._transactions.close()

    # -- runs ----------------------------------------------------------------------------------------------------------

    async def _take(self, event: Any, process: Callable[[str, int, Any], None]) -> None:
        """Take a run in, if it is the next of its partition."""
        run = event.value
        place = run.topic, run.partition
        if not self._open or run.epoch != self.app.consumer.epoch:
            return  # from before a rebalance: it will be read again
        taken = self._agents.progress.taken
        if (position := taken.get(place, run.begins)) != run.begins:
            log.warning("%s[%d] goes on at %d, not at %d: reading again from there", *place, position, run.begins)
            await self.app.consumer.start_from(self._positions())
            return
        async with self._or_end():
            if run.records:
                self._runs += 1
                process(run.topic, run.partition, run.records)
            self._agents.progress.take(place, run.ends)
        await asyncio.sleep(0)
        while self._agents.full and self._open:  # the broker is slow or away
            self._cycled.clear()
            await self._cycled.wait()

    @asynccontextmanager
    async def _or_end(self) -> AsyncIterator[None]:
        """What fails in a run ends the worker: Faust would start the agent anew behind the run, and go past it."""
        try:
            yield
        except Exception as error:
            self._open = False
            self._processed.clear()
            log.exception("a run failed; the worker ends, and what it had not committed is read again")
            await self.app.crash(error)
            raise

    # -- the cycle -----------------------------------------------------------------------------------------------------

    async def _cycle_on(self) -> None:
        """Write what has been caused, cycle after cycle; begin anew where one fails."""
        pause = CYCLE_SECONDS
        while not self.app.should_stop:
            await self._rest(pause)
            pause = CYCLE_SECONDS
            if not self._open:
                continue
            assignment = self._assignment
            try:
                busy = await self._cycle()
            except Exception as error:
                if assignment == self._assignment and not self.app.should_stop:
                    log.warning("what was taken in last could not be written (%r): going back to what is", error)
                    await self._begin_anew(assignment)
            else:
                pause = busy / (CYCLE_SHARE + self._agents.spare)

    async def _rest(self, seconds: float) -> None:
        """Leave the time to runs for so long, but no longer than there are any."""
        until = perf_counter() + seconds
        while True:
            taken = self._runs
            await asyncio.sleep(CYCLE_SECONDS)
            if self._runs == taken or perf_counter() >= until:
                return

    async def _cycle(self, *, all_of_it: bool = False) -> float:
        """Write what has been caused since the last one, in one transaction for each partition number; returns the seconds
        that it took to encode it.
        """
        async with self._cycling:
            began = perf_counter()
            share = (ENTITIES_SHARE + self._agents.spare) * min(1.0, began - self._last_cycle)
            self._last_cycle = began
            cut = self._agents.cut(None if all_of_it else max(0.005, share))
            busy = perf_counter() - began
            await self._transactions.commit(cut.writes)
            self._processed.update(cut.reached)
            self._agents.written(cut)
            self._cycled.set()
            if cut.reached:
                self._health.forward()
            metrics.CYCLE_SECONDS.observe(perf_counter() - began)
        return busy

    def _positions(self) -> dict[tuple[str, int], int]:
        """Where each partition of a source goes on."""
        return {**self._firsts, **self._agents.progress.taken}

    async def _begin_anew(self, assignment: int) -> None:
        """Forget what is not written, read the state again, and go on from there."""
        self._open = False
        self._cycled.set()
        self._agents.let_go()
        self._restored.clear()
        await self._transactions.close()
        await self._take_up(assignment)
        if self._open:
            await self.app.consumer.start_from(self._positions())

    async def _take_up(self, assignment: int) -> None:
        """Take up the partitions of this assignment: shut out who had them before, read their state. Tries until it succeeds or
        there is another assignment.
        """

        def wanted() -> bool:
            return assignment == self._assignment and not self.app.should_stop

        patiently = AsyncRetrying(
            retry=retry_if_exception_type((KafkaError, OSError, TimeoutError)),
            wait=wait_exponential(0.2, max=5),
            stop=lambda _: not wanted(),
            before_sleep=lambda state: log.warning("cannot take up the partitions yet: %r", state.outcome),
            retry_error_callback=lambda _: None,
        )
        async with self._taking_up:
            if not wanted():
                return
            self._health.enter("restoring")
            began = monotonic()
            numbers = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self._contributions}
            read: int | None = await patiently(self._read_state, numbers, wanted)
            if read is None or not wanted():
                return
            self._agents.let_go()
            gc.collect()
            self._agents.take_up(numbers)
            # Whoever had them may have ended between writing its state and telling the group how far it is.
            self._processed.update(self._agents.progress.taken)
            self._open = True
            self._health.enter("working", len(numbers))
        seconds = monotonic() - began
        metrics.RESTORE_SECONDS.set(seconds)
        log.info("ready with %d partitions; %d records of state read in %.1f s", len(numbers), read, seconds)

    async def _read_state(self, numbers: set[int], wanted: Callable[[], bool]) -> int | None:
        if not wanted():
            return None
        await self._transactions.open(numbers)
        new = numbers - self._restored
        self._restored &= numbers
        for held in self._held.values():
            held.keep(self._restored)
        known: dict[tuple[str, int], int] = {}
        if self._standby is not None:
            for number in new:
                known |= self._standby.hand_over(number, self._held)
            self._standby.leave(numbers)
        restoring = Restoring(self.settings, self.settings.connection(), self._held)
        sources = [tp for tp in self.app.consumer.assignment() if tp.topic in RunScheduler.sources]
        looking = asyncio.create_task(first_offsets(self.settings.connection(), sources))
        try:
            ends = await restoring.read(new, known, wanted)
            self._firsts |= await looking
        finally:
            looking.cancel()
        if ends is None:
            return None
        self._transactions.ends.update(ends)
        self._restored |= new
        return restoring.records

    async def _release(self) -> None:
        """Take no more runs, and leave what was taken so that whoever goes on reads nothing twice."""
        if not self._open:
            return
        self._open = False
        self._cycled.set()
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self._cycle(all_of_it=True)
                await self.app.consumer.commit_processed()
        except Exception:  # nothing is lost: it is read again
            log.exception("what was processed last could not be committed before the partitions went")
            self._restored.clear()
            await self._transactions.close()
        self._processed.clear()

    def _publish_lag(self) -> None:
        behind: dict[int, int] = {}
        lagging: set[tuple[str, int]] = set()
        taken = self._agents.progress.taken
        for tp in self.app.consumer.assignment():
            if tp.topic not in RunScheduler.sources:
                continue
            position, end = taken.get((tp.topic, tp.partition), 0), self.app.consumer.highwater(tp)
            lag = max(0, end - position) if end is not None else 0
            metrics.LAG.labels(tp.topic, tp.partition).set(lag)
            behind[tp.partition] = behind.get(tp.partition, 0) + lag
            if tp.topic in self._sources and (lag or end is None):
                lagging.add((tp.topic, tp.partition))
        self._agents.lagging = lagging
        self._health.lag(behind)
        self._agents.behind = behind if self._health.behind_seconds > TOLD_SECONDS else dict.fromkeys(behind, 0)


def _end_in_time(app: Any, health: Health) -> None:
    while not app.should_stop:
        sleep(0.2)
    health.enter("ended")
    sleep(END_SECONDS)
    log.error(
        "the worker did not end within %g s; it ends now, and what it had not committed is read again", END_SECONDS
    )
    os._exit(1)


def run_worker(settings: Settings, health: Health, *, declare: bool = True) -> None:
    """Run a worker in this process until it is told to stop (SIGINT, SIGTERM). Exits the process."""
    # Faust tells of every timer that a batch has held up; batches do that.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)
    # The state grows to millions of objects, and the collector would walk through all of them again and again (a quarter of the
    # time, and pauses): nearly nothing here is a cycle. The young are still looked at; all are when partitions come and go.
    gc.set_threshold(100_000, 50, 1_000_000)
    use_loop("uvloop")
    log.info(named())
    patiently = Retrying(
        retry=retry_if_exception_type(UnreachableError),
        wait=wait_exponential(0.5, max=5),
        before_sleep=lambda state: log.warning("waiting for Kafka at %s", settings.broker),
    )
    patiently(look, settings.kafka_python())
    worker = Worker(settings, health, declare=declare)
    Thread(target=_end_in_time, args=(worker.app, health), daemon=True).start()
    faust.Worker(worker.app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()
