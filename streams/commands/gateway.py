"""``deskpulse gateway``: takes events and webhooks by HTTP."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import (
    Broker,
    Deployment,
    PolicyFile,
    Prefix,
    bad_value,
    clear_errors,
    deployment,
    stop,
)
from streams.commands.shared.logs import log_to_stderr
from streams.contracts.decode import encode
from streams.gateway import config as sources
from streams.gateway.bodies import BodyError
from streams.gateway.intake import Intake
from streams.gateway.server import serve
from streams.languages.translation import tell
from streams.system_clock import machine_ms

gateway = typer.Typer()
GatewayFile = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Sources of the gateway (YAML): who may send events", envvar="DESKPULSE_GATEWAY_FILE"
    ),
]
_SHOWN = 20


@gateway.callback(invoke_without_command=True)
def run(
    ctx: typer.Context,
    config: GatewayFile = None,
    host: Annotated[str, typer.Option("--host", help="Address to serve on")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", min=1, max=65_535, help="Port of /events/, /deliveries, /healthz, /readyz and /metrics"),
    ] = 8094,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Take events and vendors' webhooks by HTTP, and answer once Kafka has them.

    Begin with `deskpulse gateway example > gateway.yaml` and
    `deskpulse gateway check gateway.yaml`. Then each source sends to
    http://HOST:8094/events/NAME: one event as JSON, a list, a line each, or
    CloudEvents; a vendor's webhook as it comes. 2xx says that Kafka has all
    of it; the same event sent again counts once, by its id. 422 names what
    is refused and why, and has taken the rest. 429 and 503 say when to come
    again.

    Customer ids become pseudonyms here, by DESKPULSE_PSEUDONYM_KEY. Put TLS
    before it, and let your proxy pass /events/ only: /deliveries, which
    says what came and what was refused, has no login.
    """
    if ctx.invoked_subcommand is not None:
        return
    here = deployment(ctx, gateway_file=config, broker=broker, prefix=prefix, policy_file=policy)
    log_to_stderr()
    with clear_errors():
        known = sources.known(sources.load(_file(here)), os.environ)
        key = _key(here)
        tell(f"gateway: http://{host}:{port}/events/ ({', '.join(known)})", err=True)
        serve(here.settings, known, key, host, port)


@gateway.command()
def example(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[gateway|chatwoot|zendesk]", help="Its own file, or the mapping of a vendor's webhooks"
        ),
    ] = "gateway",
) -> None:
    """A file to begin with: `deskpulse gateway example > gateway.yaml`; or the mapping by which a vendor's webhooks are read."""
    vendor = next((one for one in sources.VENDORS if one == what), None)
    if vendor is None and what != "gateway":
        raise bad_value(f"{what}: there are gateway, {', '.join(sources.VENDORS)}")
    typer.echo(sources.EXAMPLE if vendor is None else sources.vendor_mapping(vendor), nl=False)


@gateway.command()
def check(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.yaml", help="The gateway's file; `deskpulse gateway example` writes one")
    ],
    source: Annotated[str | None, typer.Option("--source", help="With --body: the source that would send it")] = None,
    body: Annotated[
        Path | None,
        typer.Option(
            "--body", metavar="FILE", help="What a source would send: shows what becomes of it; nothing is sent"
        ),
    ] = None,
    content_type: Annotated[str, typer.Option("--content-type", help="Of --body")] = "application/json",
    policy: PolicyFile = None,
) -> None:
    """Say what is wrong with the gateway's file, and which secrets are not there. With --source and --body: what a request becomes.

    Events are printed as they would go to Kafka. So a mapping is tried out on what a system really sends.
    """
    here = deployment(ctx, policy_file=policy)
    with clear_errors():
        read = sources.load(file)
        if (source is None) != (body is None):
            raise bad_value("--source and --body go together")
        if source is not None and body is not None:
            _try(here, read, source, body, content_type)
            return
        wrong = 0
        for name, one in read.sources.items():
            try:
                sources.known(sources.Config(sources={name: one}), os.environ)
            except ValueError as error:
                wrong += 1
                tell(f"{name}: {error}", err=True)
            else:
                tell(f"{name}: sends {', '.join(one.sends)} to /events/{name}")
    if not here.settings.pseudonym_key:
        wrong += 1
        tell(_NO_KEY, err=True)
    if wrong:
        raise stop(f"{wrong} to be mended before it can run")


def _try(here: Deployment, config: sources.Config, name: str, body: Path, content_type: str) -> None:
    if name not in config.sources:
        raise bad_value(f"{name}: the file has {', '.join(config.sources)}")
    own = config.sources[name]
    known = sources.Known(name, own, (), (), sources.mapping_of(name, own))
    intake = Intake(known, _key(here), here.policy, wall_clock=here.settings.clock == "wall")
    try:
        taken = intake.read(body.read_bytes(), content_type, {}, machine_ms())
    except BodyError as error:
        raise stop(str(error)) from error
    for event in taken.events:
        typer.echo(encode(event).decode())
    for refusal in taken.refused[:_SHOWN]:
        tell(f"line {refusal.line}: {refusal.reason}: {refusal.detail}", err=True)
    tell(f"{len(taken.events):,} taken, {taken.left_out:,} left out, {len(taken.refused):,} refused", err=True)
    for what, names in intake.unmapped.items():
        for unknown in names:
            tell(f"{what}: {unknown} has no name of yours in the file", err=True)
    if taken.refused:
        raise typer.Exit(1)


_NO_KEY = (
    "DESKPULSE_PSEUDONYM_KEY is not set: customers' ids become pseudonyms by it; set it to a long secret and keep it (another key "
    "makes other customers of the same people)"
)


def _key(here: Deployment) -> bytes:
    key = here.settings.pseudonym_key
    if not key:
        raise ValueError(_NO_KEY)
    return key.encode()


def _file(here: Deployment) -> Path:
    if (file := here.settings.gateway_file) is None:
        raise ValueError(
            "which sources may send? Give --config FILE (DESKPULSE_GATEWAY_FILE); `deskpulse gateway example` prints one to begin with"
        )
    return file
