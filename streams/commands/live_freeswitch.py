"""``deskpulse source`` of a FreeSWITCH."""

from __future__ import annotations

import os
from pathlib import Path

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
    File,
    MetricsPort,
    connecting,
    first_of,
    run_follower,
    tell_unmapped,
)
from streams.commands.shared.logs import log_to_stderr
from streams.languages.translation import tell
from streams.secret_files import value_of
from streams.sources.freeswitch.cdr import files
from streams.sources.freeswitch.follow import Follower, Reader, locked_out, present, where
from streams.sources.freeswitch.link import connected
from streams.sources.freeswitch.names import load
from streams.sources.live.connection import LoginError
from streams.sources.live.health import Health
from streams.sources.live.names import Named
from streams.sources.vendors.reader import pseudonym_by
from streams.system_clock import machine_ms


def check(_: Deployment, file: Path) -> None:
    """Log in, and say who is there. Raises ValueError where that cannot be."""
    config = load(file)
    pseudonym_by(None)
    try:
        with connected(config.host, config.port, value_of(config.password, os.environ), config.user) as link:
            now = present(link)
    except LoginError as error:
        raise ValueError(locked_out(config, error)) from error
    except OSError as error:
        raise ValueError(
            f"{where(config)}: {error}: is mod_event_socket loaded, and does listen-ip of event_socket.conf.xml have this address?"
        ) from error
    waiting = sum(row.get("state") in ("Waiting", "Trying") for row in now.members)
    tell(f"{where(config)}: {len(now.queues):,} queues, {len(now.agents):,} agents, {waiting:,} callers wait")
    names = Named(config.agents, config.queues)
    for row in now.agents:
        names.agent(row.get("name", ""))
    for row in now.queues:
        names.queue(row.get("name", ""))
    if config.cdr is None:
        tell("no `cdr` in the file: of calls that begin and end in a break of the connection nothing will be known")
    else:
        try:
            tell(f"{config.cdr}: {len(files(config.cdr)):,} records of mod_json_cdr")
        except OSError as error:
            raise ValueError(str(error)) from error
    tell_unmapped(names.unknown)


def freeswitch(
    ctx: typer.Context,
    file: File,
    metrics_port: MetricsPort = 9477,
    metrics_host: MetricsHost = HOST,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Follow a FreeSWITCH's mod_callcenter by its event socket, and send its calls and agents to Kafka, until Ctrl-C or SIGTERM.

    Begin with `deskpulse source example freeswitch > freeswitch.yaml` and `deskpulse source check freeswitch.yaml`. It runs anywhere from
    where the event socket can be reached. The switch tells each thing once, to whoever is connected: what was heard is kept in
    DESKPULSE_DATA_DIR until Kafka has it, and after a break what was missed is looked up; what nobody knows is named.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy).settings
    log_to_stderr()
    with clear_errors():
        config = load(file)
        health = Health(config.source)
        follower = Follower(
            config,
            pseudonym_by(None),
            settings.data_dir / "sources",
            connecting(settings, "it is sent again by itself"),
            first_of(settings),
            health,
            Reader(config, value_of(config.password, os.environ), machine_ms),
            machine_ms,
        )
        run_follower(follower.run, health, metrics_port, metrics_host)
