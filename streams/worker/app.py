"""The worker process: Faust's agents and timers wired explicitly to what takes batches in, lets time pass and makes checkpoints.

Nothing here decides on a KPI.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Thread
from time import perf_counter, sleep
from typing import Any

import faust
from kafka.errors import KafkaError
from mode.loop import use as use_loop
from tenacity import Retrying, retry_if_exception_type, wait_exponential

from streams.alerts.baselines import Baselines
from streams.contracts import topics
from streams.contracts.records import Place
from streams.entities.day_parts import CutoffDay
from streams.kafka.connection import client_options, kafka_python_options
from streams.kafka.follow import follow
from streams.kafka.probe import UnreachableError, look
from streams.kafka.transactions import Transactions
from streams.operator_files import load_rules
from streams.roster import Roster
from streams.settings import Settings
from streams.targets.book import Targets
from streams.version import named
from streams.worker import metrics
from streams.worker.batching import RunScheduler, RunSchema, RunTransport
from streams.worker.checkpoint import Checkpoints
from streams.worker.clients import addresses, new_app, new_producer
from streams.worker.customer_ids import CustomerIds
from streams.worker.health import Health
from streams.worker.intake import Intake
from streams.worker.partitioner import Partitioner
from streams.worker.partitions import Partitions
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.source_topics import SourceTopics, StaleStateError
from streams.worker.state.restore import STATE
from streams.worker.state.standby import Standby
from streams.worker.state.store import BrokenStateError, ChangelogStore

log = logging.getLogger(__name__)

#: Seconds between two checkpoints at least, and the share of the time that preparing them may take while there is more to take in,
#: beside what nobody else has use for: a checkpoint is what a crash takes back, and nothing of it is seen before it ends.
CHECKPOINT_SECONDS, CHECKPOINT_SHARE = 0.05, 0.15
#: Seconds after which a worker that is to end does, whatever it waits for: a client whose broker is gone may wait for ever.
END_SECONDS = 12.0
#: Seconds between looks at the topics: are they those that are read?
WATCH_SECONDS = 10.0
#: Seconds between looks at the clock, the alerts and the screens.
TICK_SECONDS = 0.05


class Worker:
    """One worker process: the Faust app and what it works with."""

    def __init__(
        self, settings: Settings, health: Health, *, declare: bool = True, ids: CustomerIds | None = None
    ) -> None:
        """``declare``: create Faust's own topics; a broker that makes topics by itself wants False."""
        self.settings, self._health = settings, health
        self._contact_topics = sorted(settings.topic(topic) for topic in topics.CONTACT_TOPICS)
        self._agents_topic = settings.topic(topics.AGENTS)
        self._rekeyed, self._contributions = settings.topic(topics.REKEYED), settings.topic(topics.CONTRIBUTIONS)
        runs = frozenset({*self._contact_topics, self._agents_topic, self._rekeyed, self._contributions})
        RunScheduler.sources = runs
        #: Place → the offset before which everything is in a committed checkpoint.
        self._committed: dict[Place, int] = {}
        self.app = self._new_app(declare, runs)
        self._roster, self._roster_read = Roster(), asyncio.Event()
        self._targets, self._targets_read = Targets(), asyncio.Event()
        self._rules = load_rules(settings.rules_file)
        self._baselines, self._baselines_read = Baselines(settings.policy), asyncio.Event()
        #: The rules that go by what is usual: without any, nobody reads of it.
        self._by_baselines = [rule for rule in self._rules if rule.against is not None]
        if not self._by_baselines:
            self._baselines_read.set()
        self._screens = Screens(settings, self._targets)
        self._sources = SourceTopics(settings, runs)
        self._transactions = Transactions(partial(new_producer, settings), {settings.topic(topics.DEAD_LETTERS)})
        #: Set when a checkpoint is through and when nothing more is taken in: whoever waits for room looks again.
        self._wake = asyncio.Event()
        self._checkpoints = Checkpoints(self._transactions, self._committed, health, self._wake)
        self._standby = (
            Standby(settings, client_options(settings), CutoffDay(settings.policy)) if settings.standby else None
        )
        # Days' facts are for others to read: whole.
        stores = {topic: ChangelogStore(in_parts=topic is not topics.DAILY_FACTS) for topic in STATE}
        make = partial(
            StreamProcessor,
            settings,
            self._rules,
            self._roster,
            stores,
            self._transactions.ends,
            Partitioner(settings.partitions),
            self._screens,
            self._sources.ids,
            ids=ids,
            targets=self._targets,
            baselines=self._baselines,
        )
        self._partitions = Partitions(
            settings, self.app, self._sources, stores, self._transactions, self._standby, health, make,
            partial(self._checkpoint, everything=True), self._committed, self._wake,
        )  # fmt: skip
        self._wire()

    # -- wiring --------------------------------------------------------------------------------------------------------

    def _new_app(self, declare: bool, runs: frozenset[str]) -> Any:
        app = new_app(self.settings, declare=declare)
        app.transport = RunTransport(
            addresses(self.settings), app, sources=runs, processed=self._committed,
            positions=lambda: self._partitions.positions(), ready=lambda: self._partitions.open,
            release=lambda: self._partitions.release(),
        )  # fmt: skip
        return app

    def _wire(self) -> None:  # noqa: C901 - agents of Faust are functions inside the one that has their app; none of them branches much
        app, partitions = self.app, self._partitions
        schema = RunSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        sources = app.topic(*self._contact_topics, schema=schema)
        agents = app.topic(self._agents_topic, schema=schema)
        rekeyed = app.topic(self._rekeyed, schema=schema)
        contributions = app.topic(self._contributions, schema=schema)

        @app.agent(sources, name=f"{app.conf.id}.contacts")  # type: ignore[untyped-decorator]
        async def contacts(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                await self._take(event, Intake.contacts)

        @app.agent(agents, name=f"{app.conf.id}.presence")  # type: ignore[untyped-decorator]
        async def presence(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                await self._take(event, Intake.presence)

        @app.agent(rekeyed, name=f"{app.conf.id}.rekeyed")  # type: ignore[untyped-decorator]
        async def went_on(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                await self._take(event, Intake.rekeyed)

        @app.agent(contributions, name=f"{app.conf.id}.kpis")  # type: ignore[untyped-decorator]
        async def kpis(stream: Any) -> None:
            await self._targets_read.wait()
            await self._baselines_read.wait()
            async for event in stream.events():
                await self._take(event, Intake.kpis)

        @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
        async def revoked(*_: Any, **__: Any) -> None:
            await partitions.on_partitions_revoked()

        @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator]
        async def assigned(*_: Any, **__: Any) -> None:
            async with self._or_end():
                await partitions.on_partitions_assigned()

        @app.timer(TICK_SECONDS)  # type: ignore[untyped-decorator]
        async def tick() -> None:
            self._health.beat()
            if partitions.open:
                processor = partitions.processor
                await processor.ticker.tick()
                ends = {
                    (tp.topic, tp.partition): app.consumer.highwater(tp)
                    for tp in app.consumer.assignment()
                    if tp.topic in RunScheduler.sources
                }
                processor.lag.measure(processor.progress.taken, partitions.committed(), ends, self._health)
            self._complain()

        @app.task  # type: ignore[untyped-decorator]
        async def checkpoint() -> None:
            await self._checkpoint_on()

        @app.task  # type: ignore[untyped-decorator]
        async def watch() -> None:
            await self._watch_topics()

        self._follow_tables()

        if self._standby is not None:
            standby = self._standby

            @app.task  # type: ignore[untyped-decorator]
            async def stand_by() -> None:
                await standby.run(lambda: app.should_stop)

        @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
        async def stop(*_: Any, **__: Any) -> None:
            await partitions.release()
            await self._screens.close()
            await self._sources.close()
            await self._transactions.close()

    def _follow_tables(self) -> None:
        """What people hand in, and what is usual: each worker has all of it."""
        app, settings = self.app, self.settings

        @app.task  # type: ignore[untyped-decorator]
        async def read_roster() -> None:
            await follow(settings, topics.ROSTER, self._roster, self._roster_read, lambda: app.should_stop)

        @app.task  # type: ignore[untyped-decorator]
        async def read_targets() -> None:
            await follow(settings, topics.TARGETS, self._targets, self._targets_read, lambda: app.should_stop)

        if self._by_baselines:

            @app.task  # type: ignore[untyped-decorator]
            async def read_baselines() -> None:
                await follow(settings, topics.BASELINES, self._baselines, self._baselines_read, lambda: app.should_stop)

            @app.task  # type: ignore[untyped-decorator]
            async def say_what_is_not_known() -> None:
                await self._baselines_read.wait()
                for rule in self._by_baselines:
                    if not self._baselines.knows(rule):
                        log.warning(
                            "rule %s has no data: nothing says yet what %s %s is; `deskpulse history` with the same rules does, "
                            "from its fourth week on",
                            rule.id, rule.against, rule.kpi,
                        )  # fmt: skip

    async def _watch_topics(self) -> None:
        """Notice topics that were made anew, and go back; end where one has another number of partitions than this operation."""
        while not self.app.should_stop:
            async with self._or_end():
                with suppress(KafkaError, OSError):  # others say so
                    if await self._sources.check():
                        await self._partitions.topics_made_anew()
            await asyncio.sleep(WATCH_SECONDS)

    def _complain(self) -> None:
        metrics.STALLED.set(self._health.state() == "stalled")
        if (why := self._health.complaint()) is not None:
            log.error("this worker gets nowhere: %s", why)

    # -- batches -------------------------------------------------------------------------------------------------------

    async def _take(self, event: Any, take_in: Callable[[Intake, str, int, Any], None]) -> None:
        """Take a batch in, if it is the next of its partition."""
        run, partitions = event.value, self._partitions
        place = run.topic, run.partition
        if not partitions.open or run.epoch != self.app.consumer.epoch:
            return  # from before a rebalance: it will be read again
        processor = partitions.processor
        if (position := processor.progress.taken.get(place, run.begins)) != run.begins:
            log.warning("%s[%d] goes on at %d, not at %d: looking again", *place, position, run.begins)
            async with self._or_end():
                await partitions.look_again(place)
            return
        async with self._or_end():
            if run.records:
                take_in(processor.intake, run.topic, run.partition, run.records)
            processor.progress.take(place, run.ends)
        await asyncio.sleep(0)
        while processor.intake.full and partitions.open:  # the broker is slow or away
            self._wake.clear()
            await self._wake.wait()

    @asynccontextmanager
    async def _or_end(self) -> AsyncIterator[None]:
        """What fails here ends the worker: Faust would start the agent anew behind the batch, and go past it."""
        try:
            yield
        except (StaleStateError, BrokenStateError) as error:
            self._partitions.fail()
            log.error("this worker ends: %s", error)
            await self.app.crash(error)
            raise
        except Exception as error:
            self._partitions.fail()
            log.exception("a batch failed; the worker ends, and what it had not committed is read again")
            await self.app.crash(error)
            raise

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    async def _checkpoint(self, *, everything: bool = False) -> float:
        processor = self._partitions.processor
        return await self._checkpoints.run(processor.checkpointer, processor.ticker.spare, everything=everything)

    async def _checkpoint_on(self) -> None:
        """Write what has been caused, checkpoint after checkpoint; begin anew where one fails."""
        pause, partitions = CHECKPOINT_SECONDS, self._partitions
        while not self.app.should_stop:
            await self._rest(pause)
            pause = CHECKPOINT_SECONDS
            if not partitions.open:
                continue
            assignment = partitions.assignment
            try:
                busy = await self._checkpoint()
            except BrokenStateError:
                async with self._or_end():
                    raise
            except Exception as error:
                # Where the partitions are about to go, whoever hands them over is told the same.
                if assignment == partitions.assignment and not self.app.should_stop:
                    await partitions.begin_anew(assignment, error)
            else:
                pause = busy / (CHECKPOINT_SHARE + partitions.processor.ticker.spare)

    async def _rest(self, seconds: float) -> None:
        """Leave the time to batches for so long, but no longer than there are any."""
        until = perf_counter() + seconds
        while True:
            taken = self._partitions.processor.intake.batches
            await asyncio.sleep(CHECKPOINT_SECONDS)
            if self._partitions.processor.intake.batches == taken or perf_counter() >= until:
                return


class Process(faust.Worker):  # type: ignore[misc]
    """Faust's, which sits out a second when all has ended (read in mode-streaming 0.7.1)."""

    async def _sentinel_task(self) -> None:
        await asyncio.sleep(0)


def _end_in_time(app: Any, health: Health) -> None:
    while not app.should_stop:
        sleep(0.2)
    health.enter("ended")
    sleep(END_SECONDS)
    log.error(
        "the worker did not end within %g s; it ends now, and what it had not committed is read again", END_SECONDS
    )
    os._exit(1)


def run_worker(settings: Settings, health: Health, *, declare: bool = True, ids: CustomerIds | None = None) -> None:
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
    patiently(look, kafka_python_options(settings))
    worker = Worker(settings, health, declare=declare, ids=ids)
    Thread(target=_end_in_time, args=(worker.app, health), daemon=True).start()
    Process(worker.app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()
