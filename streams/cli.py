"""``deskpulse``: one command for everything. Other packages join theirs through the entry point ``deskpulse.commands``."""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

from streams.commands import operate, sources
from streams.commands.customer import customer
from streams.commands.dead_letters import dead_letters
from streams.commands.facts import facts
from streams.commands.kpi import kpi
from streams.commands.mapping import mapping
from streams.commands.people import people
from streams.commands.policy import policy as policy_commands
from streams.commands.roster import roster
from streams.commands.shared.context import Broker, Deployment, PolicyFile, Prefix, RedisUrl
from streams.commands.signs import signs
from streams.commands.state import state
from streams.commands.targets import targets
from streams.commands.units import units
from streams.version import named

app = typer.Typer(
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


for joined in sorted(entry_points(group="deskpulse.commands"), key=lambda point: point.name):
    command = joined.load()
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=joined.name)
    else:
        app.command(joined.name)(command)
app.command()(operate.worker)
app.command()(operate.wallboard)
app.command()(sources.replay)
app.add_typer(facts, name="facts")
app.add_typer(mapping, name="mapping")
app.add_typer(roster, name="roster")
app.add_typer(people, name="people")
app.add_typer(units, name="units")
app.add_typer(targets, name="targets")
app.add_typer(operate.topics, name="topics")
app.add_typer(kpi, name="kpi")
app.command()(signs)
app.add_typer(policy_commands, name="policy")
app.add_typer(state, name="state")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(customer, name="customer")
app.command()(operate.schema)


def main() -> None:
    """Entry point of the console command."""
    app(prog_name="deskpulse")
