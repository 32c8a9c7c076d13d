"""A worker's clients of Kafka, as its settings say: Faust's app, the producers of its transactions."""

from __future__ import annotations

from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.manager import TableManager
from yarl import URL

from streams.kafka.connection import client_options
from streams.settings import Settings
from streams.worker.batching import RunScheduler

#: Seconds between commits of the group's offsets, which others read; our own are in the state.
COMMIT_SECONDS = 1.0
#: Seconds after which the broker rolls back what a worker began and did not end.
TRANSACTION_SECONDS = 60.0


class NoTables(TableManager):  # type: ignore[misc]
    """Faust's tables, of which there are none: it waits a second for any before it asks for partitions (read in 0.15.3)."""

    async def sleep(self, n: Any) -> None:
        """Go on at once."""


def credentials(settings: Settings) -> Any:
    """What Faust wants to know of ``client_options``; None: nothing. Raises ValueError as that does."""
    if settings.security_protocol == "PLAINTEXT":
        return None
    options = client_options(settings)
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(options["ssl_context"])
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=options.get("ssl_context"),
    )


def addresses(settings: Settings) -> list[URL]:
    """The brokers, as Faust names them."""
    return [URL(f"kafka://{address}") for address in settings.broker.split(",")]


def new_app(settings: Settings, *, declare: bool) -> Any:
    """Faust's app, without agents or a transport of ours. ``declare``: it creates its own topics."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        settings.group,
        broker=addresses(settings),
        broker_credentials=credentials(settings),
        store="memory://",
        datadir=str(settings.data_dir / "faust"),
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        topic_allow_declare=declare,
        consumer_auto_offset_reset="earliest",
        ConsumerScheduler=RunScheduler,
        TableManager=NoTables,
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
        # Without tables or replicas of them, Faust would hand out partitions in turn; equal numbers must stay together.
        table_standby_replicas=1,
        consumer_group_instance_id=settings.instance,
        worker_redirect_stdouts=False,
    )
    # Really there are none: who stood by for a worker that died would be given all that it had, and its successor nothing.
    app.assignor = PartitionAssignor(app, replicas=0)
    return app


def transactional_id(settings: Settings, number: int) -> str:
    """Under which name a partition number's transactions are known to Kafka: whoever opens it next shuts the one before out."""
    return f"{settings.group}-{number}"


def new_producer(settings: Settings, number: int) -> AIOKafkaProducer:
    """The producer of a partition number's transactions, not started."""
    return AIOKafkaProducer(
        **client_options(settings),
        transactional_id=transactional_id(settings, number),
        transaction_timeout_ms=int(TRANSACTION_SECONDS * 1000),
        acks="all",
        max_request_size=33_554_432,
        request_timeout_ms=30_000,
    )
