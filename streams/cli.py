"""``deskpulse``: one command for everything. Other packages join theirs through the entry point ``deskpulse.commands``.

A command is imported when it is asked for: each needs libraries that take a second to import, and few need the same.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from streams.commands.shared.context import Broker, Deployment, PolicyFile, Prefix, RedisUrl
from streams.languages.translation import helped, helped_alone
from streams.version import named

_GROUP = "deskpulse.commands"
#: Command → where it is, in the order in which ``--help`` shows them, after those of other packages.
_OWN = {
    "worker": "streams.commands.worker:worker",
    "incidents": "streams.commands.incidents:incidents",
    "alert": "streams.commands.alert:alert",
    "wallboard": "streams.commands.wallboard:wallboard",
    "web": "streams.commands.web:web",
    "user": "streams.commands.user:user",
    "screen": "streams.commands.screen:screen",
    "sign-on": "streams.commands.sign_on:sign_on",
    "notifier": "streams.commands.notifier:notifier",
    "notify": "streams.commands.notify:notify",
    "history": "streams.commands.history:history",
    "case": "streams.commands.case:case",
    "replay": "streams.commands.sources:replay",
    "source": "streams.commands.live_sources:source",
    "gateway": "streams.commands.gateway:gateway",
    "archive": "streams.commands.archive:archive",
    "recompute": "streams.commands.recompute:recompute_month",
    "facts": "streams.commands.facts:facts",
    "mapping": "streams.commands.mapping:mapping",
    "roster": "streams.commands.roster:roster",
    "people": "streams.commands.people:people",
    "units": "streams.commands.units:units",
    "targets": "streams.commands.targets:targets",
    "topics": "streams.commands.topics:topics",
    "kpi": "streams.commands.kpi:kpi",
    "signs": "streams.commands.signs:signs",
    "staffing": "streams.commands.staffing:staffing",
    "policy": "streams.commands.policy:policy",
    "state": "streams.commands.state:state",
    "dead-letters": "streams.commands.dead_letters:dead_letters",
    "backup": "streams.commands.backup:backup",
    "restore": "streams.commands.backup:restore",
    "repartition": "streams.commands.backup:repartition",
    "customer": "streams.commands.customer:customer",
    "schema": "streams.commands.schema:schema",
}


class _Imported(dict[str, Any]):
    """Name → command, which is imported when it is looked at."""

    def __init__(self) -> None:
        others = sorted(entry_points(group=_GROUP), key=lambda point: point.name)
        own = (EntryPoint(name, place, _GROUP) for name, place in _OWN.items())
        super().__init__({point.name: point for point in (*others, *own)})

    def get(self, name: str, default: Any = None) -> Any:
        """The command of that name."""
        found = super().get(name, default)
        if isinstance(found, EntryPoint):
            found = self[name] = _made(name, found.load())
        return found


class Commands(TyperGroup):
    """Those of this package and those that others join."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Imported()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is typed. Whatever is told of it is in the language of whoever types, which the version alone has not to wait for."""
        if args != ["--version"]:
            helped_alone(self)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, without importing them."""
        return list(self.commands)


def _made(name: str, loaded: Any) -> Any:
    """What Typer makes of a group of commands, or of the function that is one."""
    if isinstance(loaded, typer.Typer):
        command: Any = get_group(loaded)
        command.name = name
    else:
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(loaded)
        command = get_command(alone)
    helped(command)
    return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Real-time customer-service performance: wallboards, alerts and month-end scores from one definition of each KPI.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(named())
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    broker: Broker = None,
    redis: RedisUrl = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit"
    ),
) -> None:
    """Real-time customer-service performance: wallboards, alerts and month-end scores from one definition of each KPI.

    Where things are is read from the environment (DESKPULSE_BROKER, DESKPULSE_REDIS, …) and from options before the command;
    most commands take them after their name too. `deskpulse doctor` says what is here and what is missing; `deskpulse demo`
    shows everything at once.
    """
    ctx.obj = Deployment(broker=broker, redis=redis, prefix=prefix, policy_file=policy)


def main() -> None:
    """Entry point of the console command."""
    app(prog_name="deskpulse")
