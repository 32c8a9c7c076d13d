"""``deskpulse facts``: the daily facts, from Kafka or straight from files, as one table."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from streams.commands.context import Broker, PolicyFile, Prefix, clear_errors, deployment, stop
from streams.commands.roster import read_roster
from streams.contracts.decode import encode
from streams.contracts.outputs import entity_kind
from streams.facts import Row, rows
from streams.pipeline import run
from streams.roster import Roster
from streams.sources.mapping import load_mapping
from streams.sources.table import ReadRow, read_table
from streams.windows.clock import instant

facts = typer.Typer(no_args_is_help=True, help="Daily facts: measures and KPIs per entity and period.")


class By(StrEnum):
    """Whose facts."""

    agent = "agent"
    team = "team"
    queue = "queue"
    site = "site"
    all = "all"


class Per(StrEnum):
    """One row per …"""

    day = "day"
    month = "month"
    total = "total"


class Format(StrEnum):
    """Of the output."""

    csv = "csv"
    json = "json"


def parse_date(text: str) -> date:
    """A day as people type it."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date; write it like 2010-08-31") from error


From = Annotated[
    date | None, typer.Option("--from", parser=parse_date, metavar="YYYY-MM-DD", help="First day; all where absent")
]
To = Annotated[date | None, typer.Option("--to", parser=parse_date, metavar="YYYY-MM-DD", help="Last day, included")]
ByKind = Annotated[By, typer.Option("--by", help="Whose facts")]
PerPeriod = Annotated[Per, typer.Option("--per", help="One row per day, month, or over all days")]
InFormat = Annotated[Format, typer.Option("--format", help="csv (UTF-8) or json (one array)")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="File to write; the screen where absent")]


@facts.command()
def export(
    ctx: typer.Context,
    first: From = None,
    last: To = None,
    by: ByKind = By.agent,
    per: PerPeriod = Per.day,
    format: InFormat = Format.csv,
    out: Out = None,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """The facts that the workers have written to Kafka: one row per entity and period."""
    operation = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy)
    low, high = _range(first, last)
    found = operation.daily_facts(low, high, by.value)
    if not found:
        raise stop(f"no facts of any {by} between {low} and {high} at {operation.settings.broker}")
    _write(rows(found, per.value, operation.policy, operation.now()), format, out)


@facts.command()
def compute(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Tables of calls, chats or tickets: CSV, TSV, XLSX, also .gz")],
    mapping: Annotated[Path, typer.Option("--mapping", "-m", help="Mapping file (YAML) of the tables")],
    first: From = None,
    last: To = None,
    by: ByKind = By.agent,
    per: PerPeriod = Per.day,
    format: InFormat = Format.csv,
    out: Out = None,
    policy: PolicyFile = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Roster (CSV) for teams and sites that the tables do not name")
    ] = None,
) -> None:
    """The same facts straight from files, without Kafka, by the same stages: for trials and for checking."""
    the_policy = deployment(ctx, policy_file=policy).policy
    low, high = _range(first, last)
    rejected = [0]
    with clear_errors():
        entries = read_roster(roster) if roster is not None else {}
        known = Roster(entry for own in entries.values() for entry in own)
        result = run(_events(files, mapping, rejected), the_policy, roster=known)
    found = [
        fact for fact in result.facts.values() if entity_kind(fact.entity) == by.value and low <= fact.date <= high
    ]
    if rejected[0] or result.rejected:
        typer.echo(
            f"left out: {rejected[0]} rows that do not fit the mapping, {len(result.rejected)} events "
            f"({', '.join(sorted({why.reason for _, why in result.rejected})) or 'none'})",
            err=True,
        )
    if not found:
        raise stop(f"no facts of any {by} between {low} and {high} in {', '.join(map(str, files))}")
    _write(rows(found, per.value, the_policy, None if result.now is None else instant(result.now)), format, out)


def _range(first: date | None, last: date | None) -> tuple[date, date]:
    low, high = first or date.min, last or date.max
    if low > high:
        raise stop(f"--from {low} lies after --to {high}", 2)
    return low, high


def _events(files: list[Path], mapping: Path, rejected: list[int]) -> Iterator[bytes]:
    the_mapping = load_mapping(mapping)
    for path in files:
        for row in read_table(path, the_mapping):
            if isinstance(row, ReadRow):
                yield from (encode(event) for event in row.events)
            else:
                rejected[0] += 1


def _write(table: Iterable[Row], format: Format, out: Path | None) -> None:
    with clear_errors():
        if out is None:
            _print(table, format, sys.stdout)
            return
        with out.open("w", encoding="utf-8", newline="") as file:
            _print(table, format, file)
    typer.echo(f"written: {out}", err=True)


def _print(table: Iterable[Row], format: Format, file: TextIO) -> None:
    if format is Format.json:
        json.dump(list(table), file, ensure_ascii=False, indent=1)
        file.write("\n")
        return
    writer = None
    for row in table:
        if writer is None:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
