"""``deskpulse roster``: who the agents are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import Broker, Prefix, clear_errors, deployment, stop
from streams.kafka.topics import ensure_topics
from streams.languages.translation import tell
from streams.operation import KafkaOperation
from streams.people.roster_sheet import COLUMNS, read_roster

roster = typer.Typer(no_args_is_help=True, help="Who an agent is from which day: HR number, team, site, role, card.")


@roster.callback()
def commands() -> None:
    """Who an agent is from which day."""


@roster.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"CSV or XLSX with the columns {', '.join(COLUMNS)}")],
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Put a roster on Kafka; an agent's lines replace what was known of them. An empty valid_from: from the beginning."""
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        entries = read_roster(file)
        ensure_topics(settings)
        sent = KafkaOperation(settings).publish_roster(entries)
    if sent != len(entries):
        raise stop(f"the broker has acknowledged {sent} of {len(entries)} agents; run the command again")
    tell(f"imported: {sent} agents, {sum(map(len, entries.values()))} entries")
