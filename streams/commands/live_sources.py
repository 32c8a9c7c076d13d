"""``deskpulse source``: systems that are followed while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from streams.addresses import HOST
from streams.commands.live_connect import check as check_connect
from streams.commands.live_connect import connect
from streams.commands.live_freeswitch import check as check_freeswitch
from streams.commands.live_freeswitch import freeswitch
from streams.commands.mapped_sources import check_database, check_topic, database, topic
from streams.commands.shared.context import (
    Broker,
    Deployment,
    MetricsHost,
    PolicyFile,
    Prefix,
    clear_errors,
    deployment,
    stop,
)
from streams.commands.shared.facts_source import parse_date
from streams.commands.shared.following import (
    PATIENCE_SECONDS,
    SHOWN,
    File,
    MetricsPort,
    connecting,
    first_of,
    run_follower,
    system_of,
    tell_unmapped,
)
from streams.commands.shared.logs import log_to_stderr
from streams.languages.translation import tell
from streams.secret_files import value_of
from streams.sources.asterisk.ami.floor import member_of
from streams.sources.asterisk.ami.link import Link, Message, connected
from streams.sources.asterisk.ami.live import Live, refused, where
from streams.sources.asterisk.files import read_queue_log
from streams.sources.asterisk.follow import Follower, second_of
from streams.sources.asterisk.lines import QueueLog
from streams.sources.asterisk.names import EXAMPLE, Ami, Config, Names, load
from streams.sources.asterisk.reconcile import compare, counted_on, differing, to_send, told_of
from streams.sources.asterisk.tail import rotated
from streams.sources.connect.names import EXAMPLE as CONNECT
from streams.sources.freeswitch.names import EXAMPLE as FREESWITCH
from streams.sources.live.connection import LoginError
from streams.sources.live.health import Health
from streams.sources.mapped.examples import DATABASE, TOPIC
from streams.sources.producer import EventProducer
from streams.sources.table.rows import RejectedRow
from streams.sources.vendors.reader import pseudonym_by
from streams.system_clock import machine_ms

source = typer.Typer(no_args_is_help=True, help="Live sources: systems that are followed while they run.")


@source.callback()
def source_commands() -> None:
    """Live sources: systems that are followed while they run."""


#: System → a file to begin with.
EXAMPLES = {"asterisk": EXAMPLE, "freeswitch": FREESWITCH, "connect": CONNECT, "topic": TOPIC, "database": DATABASE}


class System(StrEnum):
    """Systems that are followed."""

    asterisk = "asterisk"
    freeswitch = "freeswitch"
    connect = "connect"
    topic = "topic"
    database = "database"


@source.command()
def example(
    system: Annotated[System, typer.Argument(help="Of which system")] = System.asterisk,
) -> None:
    """A file to begin with: `deskpulse source example asterisk > asterisk.yaml`."""
    typer.echo(EXAMPLES[system], nl=False)


@source.command()
def check(
    ctx: typer.Context, file: File, broker: Broker = None, prefix: Prefix = None, policy: PolicyFile = None
) -> None:
    """Look at the system and send nothing: what is there, what it becomes, what cannot be read, and the lines that FILE.yaml lacks.

    Of an Asterisk the whole log is read, of a topic its first 1,000 messages, of a table its first rows; at other systems it is tried
    whether they can be reached.
    """
    with clear_errors():
        system = system_of(file)
        if system not in CHECKS:
            raise ValueError(f"{file}: system: {system!r} is none of {', '.join(CHECKS)}")
        CHECKS[system](deployment(ctx, broker=broker, prefix=prefix, policy_file=policy), file)


def _check_asterisk(_: Deployment, file: Path) -> None:
    with clear_errors():
        config = load(file)
        names = Names(config)
        log = QueueLog(config.source, pseudonym_by(None), names, config.region)
        counts: dict[str, int] = {}
        refused: list[RejectedRow] = []
        lines = 0
        for path in _files(config):
            for row in read_queue_log(path, lambda: log):
                lines += 1
                if isinstance(row, RejectedRow):
                    refused.append(row)
                    continue
                for event in row.events:
                    kind = str(type(event).__struct_config__.tag)
                    counts[kind] = counts.get(kind, 0) + 1
    tell(f"{lines:,} lines: {sum(counts.values()):,} events, {len(refused):,} lines refused")
    for kind, count in sorted(counts.items()):
        typer.echo(f"  {kind}: {count:,}")
    for row in refused[:SHOWN]:
        tell(f"line {row.line}: {row.reason}")
    if config.ami is not None:
        with clear_errors():
            _check_ami(config.ami, names)
    tell_unmapped(names.unknown)
    for verb, count in names.unread.most_common():
        tell(f"{verb}: not read, {count:,} lines: it is no event of Asterisk's own")


def _check_ami(ami: Ami, names: Names) -> None:
    """Log in, and count who is there. Raises ValueError where that cannot be."""
    try:
        with connected(ami.host, ami.port, ami.user, value_of(ami.secret, os.environ), tls=ami.tls) as link:
            told = list(_queue_status(link))
    except LoginError as error:
        raise ValueError(refused(ami, error)) from error
    except OSError as error:
        raise ValueError(f"{where(ami)}: {error}: is `enabled = yes` in manager.conf, and the port open?") from error
    members = {member_of(message) or "" for message in told if message.get("Event") == "QueueMember"}
    queues = {message.get("Queue", "") for message in told if message.get("Event") == "QueueParams"}
    for member in sorted(members):
        names.agent(member)
    for queue in sorted(queues):
        names.queue(queue)
    tell(f"{where(ami)}: {len(queues):,} queues, {len(members):,} members")
    for queue in sorted(ami.wrap_up_seconds.keys() - queues):
        tell(f"wrap_up_seconds: {queue} is no queue of this Asterisk")


def _queue_status(link: Link) -> Iterator[Message]:
    """Raises OSError where it is refused, or does not come to an end."""
    link.send("QueueStatus", ActionID="check")
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        for message in link.receive(1.0):
            if message.get("ActionID") == "check" and message.get("Response") == "Error":
                raise OSError(f"QueueStatus: {message.get('Message')}")
            if message.get("Event") == "QueueStatusComplete":
                return
            yield message
    raise OSError(f"QueueStatus: no end of its answer within {PATIENCE_SECONDS:g} s")


#: System → what tries its file. Raises ValueError where something is wrong.
CHECKS: dict[str, Callable[[Deployment, Path], None]] = {
    "asterisk": _check_asterisk,
    "freeswitch": check_freeswitch,
    "connect": check_connect,
    "topic": check_topic,
    "database": check_database,
}


@source.command()
def asterisk(
    ctx: typer.Context,
    file: File,
    metrics_port: MetricsPort = 9477,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Follow an Asterisk's queue_log as it is written, and send its calls and agents to Kafka, until Ctrl-C or SIGTERM.

    Begin with `deskpulse source example > asterisk.yaml` and `deskpulse source check asterisk.yaml`. It runs where the log is: on
    Asterisk's machine, or on one that has the directory mounted. At its first start it sends what the operation still accepts
    (allowed_lateness_days of the policy); after that it goes on where it stood, also when it was killed, Kafka was away or the log was
    rotated. Its place is kept in DESKPULSE_DATA_DIR.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy).settings
    log_to_stderr()
    with clear_errors():
        config = load(file)
        health = Health(config.source)

        def live(names: Names) -> Live:
            return Live(config, names, os.environ, machine_ms)

        follower = Follower(
            config,
            pseudonym_by(None),
            settings.data_dir / "sources",
            connecting(settings, "the log is read again from there by itself"),
            first_of(settings),
            health,
            live if config.ami else None,
        )
        run_follower(follower.run, health, metrics_port, metrics_host)


source.command()(freeswitch)
source.command()(connect)
source.command()(topic)
source.command()(database)


@source.command()
def reconcile(
    ctx: typer.Context,
    file: File,
    day: Annotated[str, typer.Option("--day", metavar="YYYY-MM-DD", help="The operation's local day, when it is over")],
    send: Annotated[
        bool, typer.Option("--send/--no-send", help="Send the events of contacts that are missing or differ")
    ] = True,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Compare a day of the whole log, rotated parts included, with what the operation has counted, contact by contact.

    Names each contact that is missing, stands twice, or differs, and sends again what the log tells of them: what has arrived already
    counts once. Exit code 1 where something differs, so that a second run, a minute later, says whether all is well. Fit for a nightly
    timer.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy).settings
    with clear_errors():
        wanted, config = parse_date(day), load(file)
        log = QueueLog(config.source, pseudonym_by(None), Names(config), config.region)
        told = told_of(
            _files(config), lambda path: read_queue_log(path, lambda: log), wanted, settings.policy, machine_ms()
        )
        found = compare(told.records, counted_on(settings, wanted), wanted)
        tell(f"{day}: {found.in_log:,} contacts in the log, {found.counted:,} of them counted")
        for contact in found.missing:
            tell(f"missing: {contact}")
        for contact in found.doubled:
            tell(f"counted twice: {contact}")
        for contact, what in found.different.items():
            tell(f"different: {contact}: {what}")
        for each in differing(settings.data_dir / "sources" / f"{config.source}.differs", wanted, settings.policy):
            tell(f"log and AMI differ: {each}")
        for row in told.refused[:SHOWN]:
            tell(f"line {row.line}: {row.reason}")
        again = to_send(told, (*found.missing, *found.different))
        if again and send:
            with EventProducer(settings, PATIENCE_SECONDS, advice="reconcile the day again") as producer:
                for event in again:
                    producer.send(event)
            tell(f"sent: {len(again):,} events of {len(found.missing) + len(found.different):,} contacts")
    if found.missing or found.doubled or found.different:
        raise stop(
            f"{len(found.missing):,} contacts were missing, {len(found.doubled):,} counted twice, {len(found.different):,} different"
        )
    tell("all is counted as the log tells it")


def _files(config: Config) -> list[Path]:
    """The log with what it was rotated to, in order. Raises ValueError where there is none."""
    files = [path for _, path in rotated(config.queue_log, second_of)]
    if config.queue_log.exists():
        files.append(config.queue_log)
    if not files:
        raise ValueError(
            f"{config.queue_log} is not there: say in the file where Asterisk writes it (`logger show channels` on its console; "
            "`queue_log = yes` in logger.conf)"
        )
    return files
