"""``deskpulse wallboard``: the page for screens and the API behind it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from streams.commands.shared.context import PolicyFile, Prefix, RedisUrl, RulesFile, clear_errors, deployment
from streams.commands.shared.logs import log_to_stderr
from streams.languages.translation import tell
from streams.wallboard.app import serve


def wallboard(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to serve on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to serve on")] = 8090,
    names: Annotated[
        Literal["none", "token", "all"] | None,
        typer.Option(
            "--names", help="Who sees names of people: nobody, whose token may (the default), all who open it"
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Host name by which browsers may call it, such as that of your proxy; addresses and localhost they always may",
        ),
    ] = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Serve the wallboard: a page for screens, its live stream, and the API behind it.

    It answers under addresses, localhost, --host and --allow-host only, and in no other page's frame: it has no login, and a page of a
    stranger must not read it through somebody's browser.
    """
    settings = deployment(ctx, names=names, redis=redis, prefix=prefix, policy_file=policy, rules_file=rules).settings
    log_to_stderr()
    tell(f"wallboard: http://{host}:{port}/", err=True)
    with clear_errors():
        serve(settings, host, port, allow_host or ())
