"""``deskpulse notify``: the notifier's file, a test message, and what was told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.commands.shared.author import AsJson
from streams.commands.shared.context import Deployment, RulesFile, clear_errors, deployment, stop
from streams.languages.translation import said, tell
from streams.notifier import build
from streams.notifier.channels.channel import Parcel
from streams.notifier.config import Config, load, remarks, schema, unknown_routes
from streams.notifier.journal import open_journal
from streams.notifier.texts import Writer
from streams.operator_files import load_rules
from streams.system_clock import machine_ms
from streams.windows.clock import instant

notify = typer.Typer(
    no_args_is_help=True, help="Who is told of incidents and how: check it, try it, see what was told."
)
database = typer.Typer(no_args_is_help=True, help="The notifier's tables: bring them up to date.")
notify.add_typer(database, name="database")

NotifyFile = Annotated[
    Path | None,
    typer.Option("--config", help="Channels and routes of the notifier (YAML)", envvar="DESKPULSE_NOTIFY_FILE"),
]

_EXAMPLE = """\
# Who is told of incidents, and how: `deskpulse notify check FILE` says what is wrong with it.
# A secret does not stand here: $NAME is read from the environment as NAME, or from the file that NAME_FILE names.
language: zh                       # zh or en; each route may have its own
wallboard: https://board.example.com/

acknowledge:                       # links by which somebody takes care of an incident
  url: https://alerts.example.com  # how browsers reach the notifier's own server (--port), through your proxy
  key: $DESKPULSE_NOTIFY_KEY       # openssl rand -base64 32
  hours: 24

digest:                            # people get at most 2 messages in 30 s; what comes beyond is one message
  messages: 2
  seconds: 30

channels:
  floor:
    type: dingtalk                 # dingtalk, wecom, feishu: the address as the chat shows it
    url: $DINGTALK_URL
    secret: $DINGTALK_SECRET       # where the robot is secured by a signature
  managers:
    type: mail
    server: $SMTP_URL              # smtp://USER:PASSWORD@HOST:587, or smtps://…
    from: Deskpulse <deskpulse@example.com>
    to: [service-managers@example.com]
  letters:
    type: mail                     # without `to`: whoever a message is for, by the people's file
    server: $SMTP_URL
    from: Deskpulse <deskpulse@example.com>
  tickets:
    type: webhook                  # every step, signed by Standard Webhooks
    url: $WEBHOOK_URL
    secret: $WEBHOOK_SECRET        # whsec_… : openssl rand -base64 32

routes:                            # each that fits is used; a channel is told each step once
  floor:
    to: [floor]
    severity: [warning, critical]
    during: mon-sun 08:00-22:00
    duty: lead                     # whoever is on duty as this is called by name (`deskpulse people duty`)
  night:
    to: [managers]
    severity: [critical]
    outside: mon-sun 08:00-22:00
  programs:
    to: [tickets]
  rest:
    to: [managers]
    otherwise: true                # only what no other route takes

cases:                             # bad ratings, repeat complaints, customers to call back: who looks into them (`deskpulse case`)
  to: [managers]
  due_hours: 24                    # business hours, where the policy has any

digests:
  morning: {every: day, to: [managers]}
  week: {every: week, to: [managers]}

month_end:                         # the month closes itself: runs are prepared, inputs asked for, reminders sent (`deskpulse score close`)
  to: [managers]                   # HR
  owners: [letters]                # whoever owes inputs, by mail with the sheet to fill in
"""


@notify.callback()
def commands() -> None:
    """Who is told of incidents and how: check it, try it, see what was told."""


def config_of(here: Deployment) -> Config:
    """The notifier's file. Raises ValueError where there is none, with what to do, or where it is wrong."""
    path = here.settings.notify_file
    if path is None:
        raise ValueError(
            "no file says who is told what: give --config FILE, or set DESKPULSE_NOTIFY_FILE; `deskpulse notify example` prints one"
        )
    return load(path)


@notify.command()
def example() -> None:
    """Print a file to begin with."""
    typer.echo(_EXAMPLE, nl=False)


@notify.command("schema")
def schema_() -> None:
    """Print the JSON Schema of the file, for editors to complete it."""
    typer.echo(json.dumps(schema(), ensure_ascii=False, indent=1))


@notify.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The notifier's file (YAML)")],
    secrets: Annotated[
        bool, typer.Option("--secrets/--no-secrets", help="Look whether the secrets that it names are there, too")
    ] = True,
    rules: RulesFile = None,
) -> None:
    """Check a file: every fault with its place and what to write. Exit code 1 where there is one. Nothing is sent."""
    here = deployment(ctx, rules_file=rules)
    with clear_errors():
        config = load(file)
        named = {rule.id: (*rule.notify, *rule.escalate_to) for rule in load_rules(here.settings.rules_file)}
        if secrets:
            for channel in build.channels(config, os.environ).values():
                channel.close()
            build.links(config, os.environ)
    for remark in (*remarks(config), *unknown_routes(config, named)):
        tell(f"note: {remark}")
    tell(f"{file}: {len(config.channels)} channels, {len(config.routes)} routes, nothing wrong")


@notify.command("test")
def send_test(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel in the file")],
    config: NotifyFile = None,
    language: Annotated[str | None, typer.Option("--language", help="zh or en; that of the file where absent")] = None,
) -> None:
    """Send a test message by a channel and say what it answered. Exit code 1 where it was not told.

    It counts in the robot's rate, so that no test mutes a robot.
    """
    here = deployment(ctx, notify_file=config)
    with clear_errors():
        read = config_of(here)
        if channel not in read.channels:
            raise ValueError(f"no channel is called {channel!r}; there are {', '.join(read.channels)}")
        into = language or read.language
        made = build.channel(read.channels[channel], os.environ)
        writer = Writer(here.policy.zone, into, read.wallboard)
        body = writer.test(channel, into)
        now = machine_ms()
        with open_journal(here.database, here.data_dir) as journal:
            attempt = journal.note_try(channel, made, now)
            outcome = made.send(Parcel(f"msg_test_{now}", body.message, body.data, instant(now)))
            journal.end_try(attempt, outcome, machine_ms())
        made.close()
    match outcome.result:
        case "refused":
            raise stop(f"channel {channel}: it refuses the message: {outcome.said}")
        case "unavailable":
            raise stop(f"channel {channel}: it was not told: {outcome.said}")
        case "unknown":
            raise stop(f"channel {channel}: nobody knows whether it arrived: {outcome.said}")
    tell(f"channel {channel}: told: {outcome.said}")


@notify.command("list")
def list_(
    ctx: typer.Context,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel")] = None,
    incident: Annotated[str | None, typer.Option("--incident", help="Only this incident")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="So many steps, the newest")] = 50,
    as_json: AsJson = False,
) -> None:
    """What was told, by incident, step and channel: planned, sending, told, failed, or unknown, where no answer says whether it arrived."""
    here = deployment(ctx)
    with clear_errors(), open_journal(here.database, here.data_dir) as journal:
        rows = [_row(row) for row in journal.told(channel, incident, limit)]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
        return
    if not rows:
        tell("nothing was told yet")
        return
    table = Table(*_COLUMNS, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        state = f"{row['state']}, {said('may be a copy')}" if row["copy"] and row["state"] == "told" else row["state"]
        at = row["ended"].astimezone(here.policy.zone) if row["ended"] else None
        cells = (row["incident"], f"{row['step']} {row['kind']}", row["channel"], row["route"], state)
        table.add_row(
            *map(escape, cells), f"{at:%m-%d %H:%M:%S}" if at else "", str(row["tries"]), escape(row["said"][:60])
        )
    Console().print(table)


_COLUMNS = ("incident", "step", "channel", "route", "state", "at", "tries", "said")


@database.command()
def upgrade(ctx: typer.Context) -> None:
    """Make the notifier's tables, or bring them to this program's version. Nothing that was kept is lost.

    SQLite in DESKPULSE_DATA_DIR is made by itself; PostgreSQL (DESKPULSE_DATABASE=postgresql://…) by this command.
    """
    here = deployment(ctx)
    with clear_errors(), open_journal(here.database, here.data_dir) as journal:
        tell(f"{journal.database.address}: version {journal.database.upgrade()}")


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    def at(name: str) -> datetime | None:
        return None if row[name] is None else instant(row[name])

    names = (
        "incident",
        "step",
        "kind",
        "channel",
        "route",
        "language",
        "state",
        "copy",
        "key",
        "told_as",
        "tries",
        "said",
    )
    times = {"step_at": at("step_at"), "planned": at("planned"), "ended": at("ended")}
    return {**{name: row[name] for name in names}, **times}
