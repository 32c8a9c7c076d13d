"""``deskpulse facts``: the daily facts, from Kafka or straight from files, as one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol

import typer

from streams import proof
from streams.commands.shared.context import Broker, Deployment, PolicyFile, Prefix, clear_errors, deployment, stop
from streams.commands.shared.facts_source import AsOf, Days, From, RosterFile, Source, To, days, parse_date
from streams.commands.shared.facts_table import PRINT, ChosenColumns, ChosenKpis, Format, InFormat, Out, chosen
from streams.commands.shared.files import Files, Mapping, System, reader
from streams.commands.shared.hours import Hours, OfHours, OfWeekdays, in_hours, on_weekdays
from streams.contracts.outputs import DailyFacts
from streams.entities.daily_facts import period_of, rows
from streams.entities.interval_facts import IntervalFacts, together
from streams.kpi.as_of import moment_of, moment_said
from streams.languages.translation import tell
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

    quarter_hour = "quarter-hour"
    half_hour = "half-hour"
    hour = "hour"
    day = "day"
    month = "month"
    total = "total"


#: Periods of less than a day, and of how many minutes they are.
MINUTES = {Per.quarter_hour: 15, Per.half_hour: 30, Per.hour: 60}
ByKind = Annotated[By, typer.Option("--by", help="Whose facts")]
PerPeriod = Annotated[
    Per, typer.Option("--per", help="One row per day, month or over all days, or per hour or part of it")
]


@facts.command()
def export(
    ctx: typer.Context,
    first: From = None,
    last: To = None,
    by: ByKind = By.agent,
    per: PerPeriod = Per.day,
    format: InFormat = None,
    kpi: ChosenKpis = None,
    columns: ChosenColumns = None,
    out: Out = None,
    hours: OfHours = None,
    weekdays: OfWeekdays = None,
    as_of: AsOf = None,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """The facts that the workers have written to Kafka: one row per entity and period.

    By the hour or parts of it, or of some hours of the day, they come from
    the database of `deskpulse history`, as of what that has taken in: a contact
    counts in the hour in which it arrived, agents' time in which it passed.
    """
    operation = deployment(ctx, broker=broker, prefix=prefix, policy_file=policy)
    within, given = days(first, last), Given(format, out, kpi, columns)
    _check_hours(hours, per)
    if per in MINUTES or hours is not None:
        kept, intervals = _from_history(operation, within, by, as_of, MINUTES.get(per, 15))
        found = together(on_weekdays(in_hours(intervals, hours), weekdays), lambda fact: period_of(fact, per.value))
        give(kept, within, by, found, per, given)
        return
    source = Source(operation, None, None, None, as_of=as_of)
    give(source, within, by, on_weekdays(source.daily_facts(within, by.value), weekdays), per, given)


@dataclass(frozen=True)
class _Kept:
    """The history, for whoever writes what it has."""

    operation: Deployment
    place: str
    as_of: datetime | None


def _from_history(
    operation: Deployment, within: Days, by: By, asked: date | datetime | None, minutes: int
) -> tuple[_Kept, list[IntervalFacts]]:
    # Alembic and SQLAlchemy, which other periods do not need.
    from streams.history.intervals import interval_facts
    from streams.history.store import open_history

    settings, policy = operation.settings, operation.policy
    with (
        clear_errors(),
        open_history(settings.history or settings.database, settings.data_dir, policy) as history,
    ):
        found, now = interval_facts(history, policy, minutes, within.first, within.last, by.value)
        if asked is not None:
            as_of: datetime | None = moment_of(asked, policy, operation.now())
        else:
            as_of = None if now is None else instant(now).astimezone(policy.zone)
        return _Kept(operation, history.database.address, as_of), found


def _check_hours(hours: Hours | None, per: Per) -> None:
    if hours is not None and per is Per.hour and not hours.whole:
        raise stop("--hours: rows by the hour take whole hours, like 9-18; give --per half-hour for others", 2)


@facts.command()
def compute(
    ctx: typer.Context,
    files: Files,
    mapping: Mapping = None,
    system: System = None,
    first: From = None,
    last: To = None,
    by: ByKind = By.agent,
    per: PerPeriod = Per.day,
    format: InFormat = None,
    kpi: ChosenKpis = None,
    columns: ChosenColumns = None,
    out: Out = None,
    hours: OfHours = None,
    weekdays: OfWeekdays = None,
    as_of: AsOf = None,
    policy: PolicyFile = None,
    roster: RosterFile = None,
) -> None:
    """The same facts straight from files, without Kafka, by the same stages: for trials and for checking.

    All files are read together in order of time: nothing in them is late. Exit
    code 1 where events were refused, such as those of a day still to come.

    A contact counts in the day, hour or half hour in which it arrived, so that
    the hours of a day add up to it; levels are as of the end of the hour.
    """
    _check_hours(hours, per)
    with clear_errors():
        read = reader(mapping, system)
    within, parts = days(first, last), per in MINUTES or hours is not None
    minutes = MINUTES.get(per, 30) if parts else None
    source = Source(deployment(ctx, policy_file=policy), files, mapping, roster, read, as_of, minutes)
    found: Sequence[DailyFacts | IntervalFacts]
    if parts:
        intervals = on_weekdays(in_hours(source.interval_facts(within, by.value), hours), weekdays)
        found = together(intervals, lambda fact: period_of(fact, per.value))
    else:
        found = on_weekdays(source.daily_facts(within, by.value), weekdays)
    give(source, within, by, found, per, Given(format, out, kpi, columns))
    source.end()


@facts.command()
def prove(
    ctx: typer.Context,
    day: Annotated[
        date,
        typer.Option("--day", parser=parse_date, metavar="YYYY-MM-DD", help="The day whose facts are to be proven"),
    ],
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """Prove a day's facts by the records of contacts and presence: both must come to the same, to the digit.

    For every entity and measure, what all records count for is added up and
    compared with the facts. Where it differs, the contact is named in whose
    record something else stands than the workers keep of it.

    Records are kept for 90 days. A day before the first of them, one on which
    they were off for a time, and one of which contacts are older than they
    are, cannot be proven. Workers may run: what differs is looked at again
    after some seconds.

    Exit code 1 where anything differs.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix).settings
    with clear_errors():
        found = proof.prove(settings, day)
    for each in found.differences:
        facts, records = each.facts, each.records
        if each.contact is None:
            tell(
                f"{each.entity} {each.measure}: {facts:,} by the facts, {records:,} by the records; no contact that is kept explains it"
            )
        else:
            tell(f"{each.contact} {each.entity} {each.measure}: {facts:,} is true, {records:,} stands in its record")
    if found.differences:
        tell(f"{day}: not proven, {len(found.differences):,} differences", err=True)
        raise typer.Exit(1)
    tell(f"{day}: proven, {found.sums:,} sums of facts are those of {found.records:,} records")


class Told(Protocol):
    """Where facts come from, for people, of which operation, and as of when days have matured; None: all have."""

    @property
    def operation(self) -> Deployment:
        """The operation, by whose policy figures are made."""

    @property
    def place(self) -> str:
        """Where they come from."""

    @property
    def as_of(self) -> datetime | None:
        """As of when."""


@dataclass(frozen=True)
class Given:
    """How the facts were asked for: see the options."""

    format: Format | None
    out: Path | None
    kpis: list[str] | None
    columns: str | None

    @property
    def as_format(self) -> Format:
        """The format asked for; a table on a terminal, CSV elsewhere."""
        return self.format or (Format.table if self.out is None and sys.stdout.isatty() else Format.csv)


def give(
    source: Told, within: Days, by: By, found: Sequence[DailyFacts | IntervalFacts], per: Per, given: Given
) -> None:
    """Write facts as they were asked for. Ends the command where there are none."""
    if not found:
        raise stop(f"no facts of any {by} in {within} at {source.place}")
    as_of, out, write = source.as_of, given.out, PRINT[given.as_format]
    with clear_errors():
        table = chosen(rows(found, per.value, source.operation.policy, as_of), given.kpis, given.columns)
        if out is None:
            write(table, sys.stdout)
            return
        encoding = "utf-8-sig" if given.as_format is Format.csv else "utf-8"
        with out.open("w", encoding=encoding, newline="") as file:
            write(table, file)
    tell(f"written: {out}, as of {moment_said(as_of)}" if as_of else f"written: {out}", err=True)
