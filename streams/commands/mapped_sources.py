"""``deskpulse source topic`` and ``database``: what is read by a mapping that its file has."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Literal

import typer

from streams.addresses import HOST
from streams.commands.shared.context import (
    Broker,
    Deployment,
    MetricsHost,
    PolicyFile,
    Prefix,
    clear_errors,
    deployment,
)
from streams.commands.shared.following import (
    SHOWN,
    File,
    MetricsPort,
    connecting,
    earliest_of,
    run_follower,
    tell_unmapped,
)
from streams.commands.shared.logs import log_to_stderr
from streams.contracts.decode import Rejected, encode
from streams.contracts.events import AnyEvent
from streams.kafka.topics import ensure_topics
from streams.languages.translation import tell
from streams.secret_files import value_of
from streams.settings import Settings
from streams.sources.live.health import Health
from streams.sources.mapped.config import DatabaseSource, TopicSource, load
from streams.sources.mapped.database import DatabaseFollower, first_rows
from streams.sources.mapped.messages import Change, Stands
from streams.sources.mapped.reading import MappedReader
from streams.sources.mapped.rows import engine_of
from streams.sources.mapped.topic import BEHIND_MESSAGES, Clusters, TopicFollower, first_messages
from streams.worker.dead_letters import dead_letter

_NO_KEY = (
    "DESKPULSE_PSEUDONYM_KEY is not set: customers' ids become pseudonyms by it; set it to a long secret and keep it (another key "
    "makes other customers of the same people)"
)
#: Messages that `check` reads; events that it shows.
_LOOKED_AT, _SHOWN_EVENTS = 1_000, 10


def topic(
    ctx: typer.Context,
    file: File,
    metrics_port: MetricsPort = 9478,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Follow a Kafka topic of JSON that another system writes, and send what its mapping makes of it, until Ctrl-C or SIGTERM.

    Begin with `deskpulse source example topic > calls.yaml` and `deskpulse source check calls.yaml`. The topic may be on another cluster.
    On the same one each message counts exactly once, as events and place are one transaction; from another one what is sent again has
    the ids that it had. What cannot be read goes to the dead letters, and the next messages go on. Several processes share the
    partitions. What is older than anything that the operation still accepts (allowed_lateness_days of the policy) is left out.
    """
    here = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy)
    log_to_stderr()
    with clear_errors():
        config = load(file, TopicSource, "topic")
        settings = here.settings
        health = Health(config.source, waits="unread_messages", most=BEHIND_MESSAGES)
        follower = TopicFollower(
            config,
            Clusters(_foreign(config, settings), settings),
            MappedReader(config, key_of(here, config.mapping.needs_key)),
            lambda place, record, why: dead_letter(place, record, why, carried=False),
            health,
            earliest_of(settings),
            lambda: ensure_topics(settings),
        )
        run_follower(follower.run, health, metrics_port, metrics_host)


def database(
    ctx: typer.Context,
    file: File,
    metrics_port: MetricsPort = 9479,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Follow a table of a database, read again and again behind a watermark, until Ctrl-C or SIGTERM.

    Begin with `deskpulse source example database > shop.yaml` and `deskpulse source check shop.yaml`. PostgreSQL and SQLite are read as
    they are; for others install the driver that SQLAlchemy names. It only reads, by a user of its own that may do nothing else. Rows that
    are committed late are found within the overlap; rows that change correct what they told; what is deleted it cannot see: of that
    Debezium tells (`deskpulse source topic`). Its place is kept in DESKPULSE_DATA_DIR.
    """
    here = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy)
    log_to_stderr()
    with clear_errors():
        config = load(file, DatabaseSource, "database")
        settings = here.settings
        health = Health(config.source)
        follower = DatabaseFollower(
            config,
            engine_of(value_of(config.database, os.environ), config.timeout_seconds),
            MappedReader(config, key_of(here, config.mapping.needs_key)),
            settings.data_dir / "sources",
            connecting(settings, "the rows are read again by themselves"),
            health,
            earliest_of(settings),
        )
        run_follower(follower.run, health, metrics_port, metrics_host)


def check_database(here: Deployment, file: Path) -> None:
    """What the first rows become; which are refused, and the lines that the file lacks."""
    config = load(file, DatabaseSource, "database")
    reader = MappedReader(config, key_of(here, config.mapping.needs_key))
    shown = Shown()
    for row in first_rows(config, engine_of(value_of(config.database, os.environ), config.timeout_seconds)):
        read = reader.read(Change(row.record), None)
        if isinstance(read, Rejected):
            shown.add([], f"row {row.key}", f"{read.reason}: {read.detail}")
        else:
            shown.add(read.events, f"row {row.key}", "")
    shown.tell("rows")
    if shown.read and config.mapping.version is None:
        tell("the mapping has no `version`: of what comes again, changed, the first word stands")
    tell_unmapped(reader.unmapped)


def check_topic(here: Deployment, file: Path) -> None:
    """What the first messages become; which are refused, and the lines that the file lacks."""
    config = load(file, TopicSource, "topic")
    reader = MappedReader(config, key_of(here, config.mapping.needs_key))
    shown = Shown()
    for record in first_messages(config, _foreign(config, here.settings), _LOOKED_AT):
        stands = Stands(record.topic, record.partition, record.offset, record.timestamp, record.key, record.headers)
        became, refused = reader.read_message(record.value, stands, config, None)
        why = "" if refused is None else f"{refused.reason}: {refused.detail}"
        shown.add(became.events, f"{record.topic}/{record.partition}/{record.offset}", why)
    shown.tell("messages")
    if shown.read and config.mapping.version is None:
        tell("the mapping has no `version`: of what comes again, changed, the first word stands")
    tell_unmapped(reader.unmapped)


class Shown:
    """What a check has read, for whoever wrote the file."""

    def __init__(self) -> None:
        self.read = 0
        self._counts: Counter[str] = Counter()
        self._events: list[AnyEvent] = []
        self._refused: list[str] = []

    def add(self, events: list[AnyEvent], where: str, why: str) -> None:
        """A message or row, and why it, or a part of it, is refused."""
        self.read += 1
        self._counts.update(str(type(event).__struct_config__.tag) for event in events)
        self._events += events[: _SHOWN_EVENTS - len(self._events)]
        if why:
            self._refused.append(f"{where}: {why}")

    def tell(self, what: Literal["messages", "rows"]) -> None:
        """Say it."""
        events, refused = self._counts.total(), len(self._refused)
        if what == "rows":
            tell(f"the first {self.read:,} rows: {events:,} events, {refused:,} refused")
        else:
            tell(f"the first {self.read:,} messages: {events:,} events, {refused:,} refused")
        for kind, count in sorted(self._counts.items()):
            typer.echo(f"  {kind}: {count:,}")
        for event in self._events:
            typer.echo(encode(event).decode())
        for line in self._refused[:SHOWN]:
            tell(line)


def key_of(here: Deployment, needed: bool) -> bytes:
    """The key of the pseudonyms. Raises ValueError where it is needed and not there."""
    key = here.settings.pseudonym_key
    if needed and not key:
        raise ValueError(_NO_KEY)
    return (key or "").encode()


def _foreign(config: TopicSource, own: Settings) -> Settings:
    return own if config.kafka is None else config.kafka.settings(own, os.environ)
