"""``deskpulse roster``: who the agents are."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.shared.context import Broker, Prefix, clear_errors, deployment, stop
from streams.contracts.outputs import RosterEntry
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation

roster = typer.Typer(no_args_is_help=True, help="Who an agent is from which day: HR number, team, site, role, card.")

COLUMNS = ("agent_id", "valid_from", "hr_number", "team_id", "site_id", "role", "card")


@roster.callback()
def commands() -> None:
    """Who an agent is from which day."""


@roster.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"CSV (UTF-8) with the columns {', '.join(COLUMNS)}")],
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
    typer.echo(f"imported: {sent} agents, {sum(map(len, entries.values()))} entries")


def read_roster(file: Path) -> dict[str, list[RosterEntry]]:
    """Agent → his entries, oldest first. Raises ValueError with every wrong line."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if unknown := set(reader.fieldnames or ()) - set(COLUMNS):
            raise ValueError(
                f"{file}: unknown columns {', '.join(sorted(map(str, unknown)))}; known: {', '.join(COLUMNS)}"
            )
        if "agent_id" not in (reader.fieldnames or ()):
            raise ValueError(f"{file}: no column agent_id; the columns are {', '.join(COLUMNS)}")
        entries: dict[str, list[RosterEntry]] = {}
        wrong = []
        for row in reader:
            given = {name: value.strip() for name, value in row.items() if value and value.strip()}
            try:
                entry = msgspec.convert({"valid_from": date.min.isoformat(), **given}, RosterEntry, strict=False)
            except msgspec.ValidationError as error:
                wrong.append(f"line {reader.line_num}: {error}")
                continue
            entries.setdefault(entry.agent_id, []).append(entry)
    if wrong:
        raise ValueError(f"{file}: " + "; ".join(wrong))
    for own in entries.values():
        own.sort(key=lambda entry: entry.valid_from)
    return entries
