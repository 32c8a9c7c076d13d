"""The Faust app, wired explicitly: topics, tables, agents, timers. Nothing here decides anything about a KPI."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from mode.loop import use as use_loop
from yarl import URL

from streams.agents import TABLES, Agents
from streams.alerts.rules import load_rules
from streams.batches import RunScheduler, RunSchema, RunTransport
from streams.contracts import topics
from streams.contracts.topics import LARGEST_BYTES
from streams.roster import Roster
from streams.settings import Settings
from streams.sinks import metrics
from streams.sinks.outbox import Outbox
from streams.sinks.screens import Screens
from streams.state import Held

log = logging.getLogger(__name__)

#: Seconds between commits: how much is read again after a crash, and how old daily facts in Kafka are.
COMMIT_SECONDS = 0.5
#: Seconds within which a worker must have written its state before its partitions go to another.
HAND_OVER_SECONDS = 8.0
#: Seconds between looks at the clock, the alerts and the screens.
TICK_SECONDS = 0.1


def connection(settings: Settings) -> dict[str, Any]:
    """Connection arguments of aiokafka's clients. Raises ValueError as ``Settings.connection``."""
    return settings.connection()


def _credentials(settings: Settings) -> Any:
    """Faust's form of the same."""
    if settings.security_protocol == "PLAINTEXT":
        return None
    options = connection(settings)
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(options["ssl_context"])
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=options.get("ssl_context"),
    )


class Worker:
    """One worker process: the Faust app and what it works with."""

    def __init__(self, settings: Settings, *, declare: bool = True) -> None:
        """``declare``: create changelog topics; a broker that makes topics by itself wants False."""
        self.settings = settings
        self.roster = Roster()
        self._processed: dict[tuple[str, int], int] = {}
        self.app = self._new_app(declare)
        self._producer: Any = None
        self._agents: Agents | None = None
        self._roster_read = asyncio.Event()
        self._open = False
        self._screens = Screens(settings)
        self._tables = self._declare_tables()
        self._wire()

    # -- wiring --------------------------------------------------------------------------------------------------------

    def _new_app(self, declare: bool) -> Any:
        settings = self.settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        urls = [URL(f"kafka://{address}") for address in settings.broker.split(",")]
        app = faust.App(
            settings.group,
            broker=urls,
            broker_credentials=_credentials(settings),
            store="memory://",
            datadir=str(settings.data_dir / "faust"),
            web_enabled=False,
            topic_partitions=settings.partitions,
            topic_replication_factor=settings.replication,
            topic_allow_declare=declare,
            consumer_auto_offset_reset="earliest",
            ConsumerScheduler=RunScheduler,
            broker_commit_interval=COMMIT_SECONDS,
            # A worker that died is missed after 10 s, not after Faust's minute.
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_rebalance_timeout=20.0,
            broker_request_timeout=30.0,
            # On one core the fetching thread waits for its turn at every step: few large fetches keep the other busy.
            broker_max_poll_records=20_000,
            consumer_max_fetch_size=8_388_608,
            stream_buffer_maxsize=8,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            table_standby_replicas=0,
            worker_redirect_stdouts=False,
        )
        self._sources = frozenset(settings.topic(topic) for topic in topics.CONTACT_TOPICS)
        self._agents_topic = settings.topic(topics.AGENTS)
        self._contributions = settings.topic(topics.CONTRIBUTIONS)
        runs = self._sources | {self._agents_topic, self._contributions}
        RunScheduler.sources = runs
        app.transport = RunTransport(
            urls, app, sources=runs, processed=self._processed, checkpoint=self._checkpoint, release=self._release
        )
        return app

    def _declare_tables(self) -> dict[str, Any]:
        app, settings = self.app, self.settings
        tables = {}
        for name in TABLES:
            options: dict[str, Any] = {
                "key_type": bytes,
                "value_type": bytes,
                "partitions": settings.partitions,
                "extra_topic_configs": {"max.message.bytes": LARGEST_BYTES},
            }
            if name == "days":
                options["changelog_topic"] = app.topic(
                    settings.topic(topics.DAILY_FACTS), key_type=bytes, value_type=bytes, key_serializer="raw",
                    value_serializer="raw", partitions=settings.partitions, acks=False, internal=True, compacting=True,
                    maxsize=131_072, allow_empty=True,
                )  # fmt: skip
            tables[name] = app.Table(name, **options)
        self._held = {name: Held() for name in TABLES}
        RunScheduler.changelogs = {tables[name].changelog_topic_name: held for name, held in self._held.items()}
        return tables

    def _wire(self) -> None:
        app = self.app
        schema = RunSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
        sources = app.topic(*sorted(self._sources), schema=schema)
        agents = app.topic(self._agents_topic, schema=schema)
        contributions = app.topic(self._contributions, schema=schema)

        @app.agent(sources, name=f"{app.conf.id}.contacts")  # type: ignore[untyped-decorator]
        async def contacts(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                async with self._or_end():
                    if await self._current(event):
                        await self._at_work.contacts(event.message.topic, event.message.partition, event.value.records)

        @app.agent(agents, name=f"{app.conf.id}.presence")  # type: ignore[untyped-decorator]
        async def presence(stream: Any) -> None:
            await self._roster_read.wait()
            async for event in stream.events():
                async with self._or_end():
                    if await self._current(event):
                        await self._at_work.presence(event.message.topic, event.message.partition, event.value.records)

        @app.agent(contributions, name=f"{app.conf.id}.kpis")  # type: ignore[untyped-decorator]
        async def kpis(stream: Any) -> None:
            async for event in stream.events():
                async with self._or_end():
                    if await self._current(event):
                        self._at_work.kpis(event.message.partition, event.value.records)
                        await asyncio.sleep(0)

        @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
        async def let_go(*_: Any, **__: Any) -> None:
            await self._release()
            if self._agents is not None:
                self._agents.let_go()

        @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
        async def let_others_go(_: Any, assigned: Any, **__: Any) -> None:
            partitions = {tp.partition for tp in assigned if tp.topic == self._contributions}
            for held in self._held.values():
                held.keep(partitions)

        @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator]
        async def take_up(*_: Any, **__: Any) -> None:
            agents = await self._start_agents()
            agents.let_go()
            gc.collect()
            agents.take_up({tp.partition for tp in app.consumer.assignment() if tp.topic == self._contributions})
            self._open = True

        @app.timer(TICK_SECONDS)  # type: ignore[untyped-decorator]
        async def tick() -> None:
            if self._open:
                await self._at_work.tell_time(self.settings.partitions)
                await self._at_work.tick()
                self._publish_lag()

        @app.timer(COMMIT_SECONDS)  # type: ignore[untyped-decorator]
        async def write_entities() -> None:
            if self._open:
                await self._at_work.write_entities()

        @app.task  # type: ignore[untyped-decorator]
        async def follow_roster() -> None:
            await self._follow_roster()

        @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
        async def stop(*_: Any, **__: Any) -> None:
            await self._release()
            await self._screens.close()
            if self._producer is not None:
                await self._producer.stop()

    # -- at work -------------------------------------------------------------------------------------------------------

    @property
    def _at_work(self) -> Agents:
        assert self._agents is not None, "no run is delivered before the first assignment"
        return self._agents

    async def _start_agents(self) -> Agents:
        if self._agents is None:
            self._producer = AIOKafkaProducer(
                **connection(self.settings),
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                max_batch_size=524_288,
                max_request_size=8_388_608,
                request_timeout_ms=60_000,
            )
            await self._producer.start()
            self._agents = Agents(
                self.settings,
                load_rules(self.settings.rules_file),
                self.roster,
                self._held,
                {name: table.changelog_topic_name for name, table in self._tables.items()},
                Outbox(self._producer),
                self._screens,
                self._processed,
            )
        return self._agents

    @asynccontextmanager
    async def _or_end(self) -> AsyncIterator[None]:
        """What fails in a run ends the worker: Faust would start the agent anew behind the run, and commit past it."""
        try:
            yield
        except Exception as error:
            self._open = False
            self._processed.clear()
            log.exception("a run failed; the worker ends, and what it had not committed is read again")
            await self.app.crash(error)
            raise

    async def _current(self, event: Any) -> bool:
        """Is the run to be processed? One of before a rebalance is not: it will be read again. Nor is one whose forerunner was
        thrown away: it will be read again too, together.
        """
        message = event.message
        if not self._open or message.generation_id != self.app.consumer_generation_id:
            return False
        follows = event.value.follows
        if follows is None or self._at_work.taken.get((message.topic, message.partition)) == follows + 1:
            return True
        if not self.app.should_stop and self.app.consumer.flow_active:
            log.warning("a run of %s[%d] is missing: going back to the commit", message.topic, message.partition)
            await self.app.consumer.perform_seek()
        return False

    async def _checkpoint(self) -> None:
        if self._agents is not None:
            await self._agents.checkpoint()

    async def _release(self) -> None:
        """Take no more runs, and leave what was taken so that whoever goes on reads nothing twice."""
        if not self._open:
            return
        self._open = False
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await self._at_work.write_entities(now=True)
                await self.app.consumer.commit_processed()
        except Exception:  # nothing is lost: it is read again
            log.exception("what was processed last could not be committed before the partitions went")
        self._processed.clear()

    def _publish_lag(self) -> None:
        for (topic, partition), position in self._at_work.taken.items():
            end = self.app.consumer.highwater(TopicPartition(topic, partition)) or position
            metrics.LAG.labels(topic, partition).set(max(0, end - position))

    async def _follow_roster(self) -> None:
        """Read the whole roster, then whatever changes in it: every worker needs all of it."""
        consumer = AIOKafkaConsumer(
            **connection(self.settings), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        partition = TopicPartition(self.settings.topic(topics.ROSTER), 0)
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while not self.app.should_stop:
                if await consumer.position(partition) >= end:
                    self._roster_read.set()
                fetched = await consumer.getmany(timeout_ms=500)
                for records in fetched.values():
                    self.roster.load(
                        {record.key.decode("utf-8", "replace"): record.value for record in records if record.key}
                    )
        finally:
            await consumer.stop()


def run_worker(settings: Settings, *, declare: bool = True) -> None:
    """Run a worker in this process until it is told to stop (SIGINT, SIGTERM). Exits the process."""
    # Faust tells of every timer that a batch has held up; batches do that.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)
    # The state grows to millions of objects, and the collector would walk through all of them again and again (a quarter of the
    # time, and pauses): nearly nothing here is a cycle. The young are still looked at; all are when partitions come and go.
    gc.set_threshold(100_000, 50, 1_000_000)
    use_loop("uvloop")
    worker = Worker(settings, declare=declare)
    faust.Worker(worker.app, override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()
