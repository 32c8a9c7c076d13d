"""``deskpulse web``: the desk, which people log in to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import Broker, PolicyFile, Prefix, clear_errors, deployment
from streams.commands.shared.logs import log_to_stderr
from streams.commands.sign_on import provider_of
from streams.kafka.topics import ensure_topics
from streams.languages.translation import tell
from streams.notifier.actions import Actions
from streams.operation import KafkaOperation
from streams.web.app import Joined, routers_of, serve
from streams.web.board_layout import boards as folder_of_boards


def web(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to serve on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Port to serve on")] = 8093,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            envvar="DESKPULSE_WEB_URL",
            help="How browsers reach it, such as https://desk.example.org, where that is by your proxy",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Another host name by which browsers may call it"),
    ] = None,
    sign_on: Annotated[
        Path | None,
        typer.Option(
            "--sign-on",
            metavar="FILE",
            envvar="DESKPULSE_SIGN_ON_FILE",
            help="Single sign-on (YAML); `deskpulse sign-on example` prints one",
        ),
    ] = None,
    boards: Annotated[
        Path | None,
        typer.Option(
            "--boards",
            metavar="DIRECTORY",
            help="Boards of your own (YAML files), beside the one that comes with the program",
        ),
    ] = None,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Serve the desk: incidents as they happen, what is done about them, and where the month stands. People log in.

    Begin with `deskpulse user add NAME --role administrator`. Incidents are
    those of `deskpulse incidents`, which runs beside it. Put TLS before it
    and give --url: passwords are sent to it. A screen on a wall gets a link
    of its own by `deskpulse screen add NAME`.
    """
    here = deployment(ctx, web_url=url, sign_on_file=sign_on, broker=broker, prefix=prefix, policy_file=policy)
    log_to_stderr()
    with clear_errors():
        address = here.settings.web_url or f"http://{host}:{port}/"
        file = here.settings.sign_on_file
        provider = None if file is None else provider_of(here.settings, file, address)
        own_boards = folder_of_boards(boards)
        ensure_topics(here.settings)
        actions = Actions(here.settings)
        clock = KafkaOperation(here.settings).clock
        joined = Joined(actions.write, clock, routers_of(here), provider=provider, boards=own_boards)
        tell(f"desk: {address}", err=True)
        try:
            serve(here.settings, joined, host, port, allow_host or ())
        finally:
            actions.close()
