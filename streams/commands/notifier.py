"""``deskpulse notifier``: tells people and systems of incidents."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from streams.commands.notify import NotifyFile, config_of
from streams.commands.shared.context import Broker, PolicyFile, Prefix, RulesFile, clear_errors, deployment
from streams.commands.shared.logs import log_to_stderr
from streams.languages.translation import tell
from streams.notifier.app import Address, run

#: These write addresses into their lines, and addresses of robots are secrets.
_TALKATIVE = ("httpx", "httpcore", "urllib3", "requests", "apprise")


def notifier(
    ctx: typer.Context,
    config: NotifyFile = None,
    host: Annotated[str, typer.Option("--host", help="Address to serve on")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=1, max=65_535, help="Port of the page that acknowledges, /healthz, /readyz and /metrics"
        ),
    ] = 8092,
    send_on_event_clock: Annotated[
        bool,
        typer.Option(
            "--send-on-event-clock",
            help="Send although the operation runs on the event clock (replays, trials); without it nothing is sent then",
        ),
    ] = False,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
    rules: RulesFile = None,
) -> None:
    """Tell people and systems of incidents: chat robots, mail, webhooks, Alertmanager and more, as the notifier's file says.

    Begin with `deskpulse notify example > notify.yaml`, `deskpulse notify check notify.yaml` and `deskpulse notify test CHANNEL`, then run
    this beside the workers. Each step of an incident is told once by each channel; a send that was cut off is sent again and says that it
    may be a second copy. `deskpulse notify list` shows what was told.

    Secrets are read from the environment, or from files that it names (NAME_FILE). Only /acknowledge/ is for browsers: let your proxy pass
    that, and keep the rest to yourself. Started a second time, on another machine too, with the same PostgreSQL, it shares the work and
    tells nothing twice.
    """
    here = deployment(ctx, notify_file=config, broker=broker, prefix=prefix, policy_file=policy, rules_file=rules)
    log_to_stderr()
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    with clear_errors():
        read = config_of(here)
        tell(f"notifier: http://{host}:{port}/healthz", err=True)
        run(here.settings, read, Address(host, port), os.environ, send_on_event_clock)
