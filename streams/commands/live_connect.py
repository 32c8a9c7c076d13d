"""``deskpulse source`` of an Amazon Connect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

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
    first_of,
    run_follower,
    tell_unmapped,
)
from streams.commands.shared.logs import log_to_stderr
from streams.languages.translation import tell
from streams.sources.connect.names import Config, load
from streams.sources.live.health import Health
from streams.sources.live.names import Named
from streams.sources.vendors.reader import pseudonym_by, record_of, records_in
from streams.system_clock import machine_ms

_DAY_MS = 86_400_000
#: Files of each place that are looked into.
_FILES = 20


def check(_: Deployment, file: Path) -> None:
    """Look into each shard and the newest files, and say what is there. Raises ValueError where that cannot be."""
    config = load(file)
    pseudonym = pseudonym_by(None)
    try:
        from streams.sources.connect.follow import AwsError, clients, reader_of
    except ImportError as error:
        raise ValueError(_NO_BOTO3) from error
    names = Named(config.agents, config.queues)
    read = reader_of(config, pseudonym, names)
    kinds: Counter[str] = Counter()
    refused: list[str] = []
    try:
        for text in _texts(config, clients(config)):
            try:
                kinds.update(str(type(event).__struct_config__.tag) for event in read(record_of(text)) or ())
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                refused.append(str(error))
    except AwsError as error:
        raise ValueError(f"{file}: AWS: {error}") from error
    for kind, count in sorted(kinds.items()):
        typer.echo(f"  {kind}: {count:,}")
    for why in refused[:SHOWN]:
        tell(f"refused: {why}")
    tell_unmapped(names.unknown)


_NO_BOTO3 = "reading from AWS needs boto3: pip install 'deskpulse[aws]'"


def _texts(config: Config, aws: tuple[Any, Any]) -> Iterable[str]:
    """Records of the last day: those that each shard gives at once, and those of the newest files."""
    from streams.sources.connect.files import Bucket
    from streams.sources.connect.kinesis import Stream

    since, raw = machine_ms() - _DAY_MS, list[bytes]()
    for name in config.streams:
        stream = Stream(aws[0], name, since)
        shards = stream.shards()
        tell(f"{name}: {len(shards):,} shards")
        for shard in shards:
            batch = stream.read(shard, None)
            raw += () if batch is None else batch.records
    for place in config.files:
        bucket = Bucket(aws[1], place)
        files = bucket.list(since)
        tell(f"{place}: {len(files):,} files of the last day")
        raw += [bucket.read(each) for each in files[-_FILES:]]
    return chain.from_iterable(records_in(part.decode("utf-8-sig", "replace")) for part in raw)


def connect(
    ctx: typer.Context,
    file: File,
    metrics_port: MetricsPort = 9477,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Follow an Amazon Connect's contact records and agent events in Kinesis and S3, and send its calls and agents to Kafka, until Ctrl-C
    or SIGTERM.

    Begin with `deskpulse source example connect > connect.yaml` and `deskpulse source check connect.yaml`. It needs boto3
    (pip install 'deskpulse[aws]'), and who it is by AWS's own ways: environment, ~/.aws, or the role of the machine. Records come in any
    order, twice, and again when something in them has changed: each counts once, as the newest says. What is read is kept in
    DESKPULSE_DATA_DIR.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy).settings
    log_to_stderr()
    with clear_errors():
        config = load(file)
        try:
            from streams.sources.connect.follow import Follower, clients
        except ImportError as error:
            raise ValueError(_NO_BOTO3) from error
        health = Health(config.source)
        follower = Follower(
            config,
            pseudonym_by(None),
            settings.data_dir / "sources",
            connecting(settings, "the records are read again by themselves"),
            first_of(settings),
            health,
            clients(config),
            machine_ms,
        )
        run_follower(follower.run, health, metrics_port, metrics_host)
