"""What commands that read daily facts share: which days are meant, and whether they come from Kafka or straight from tables."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import Deployment, bad_value, clear_errors, stop
from streams.commands.shared.files import reader
from streams.contacts.unknown import said, still_unknown
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import DailyFacts, EntityKind, RosterEntry, entity_kind
from streams.entities.interval_facts import IntervalFacts
from streams.entities.strata import ByStratum
from streams.kpi.as_of import moment_of, parse_as_of
from streams.kpi.case_mix import OfStrata
from streams.languages.translation import tell
from streams.people.roster_sheet import read_roster
from streams.pipeline import Run, run, run_by_interval
from streams.roster import Roster
from streams.sources.customers import Customers
from streams.sources.in_order import in_order_of_time
from streams.sources.table.rows import Reader, ReadRow
from streams.sources.told_twice import ToldTwice
from streams.sources.versions import settled
from streams.system_clock import machine_ms
from streams.windows.clock import instant


def parse_date(text: str) -> date:
    """A day as it is typed. Raises BadParameter for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise bad_value(f"{text!r} is no date; write it like 2010-08-31") from error


def as_month(text: str) -> date:
    """The first day of a month as it is typed. Raises BadParameter for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a calendar month has no zone
    except ValueError as error:
        raise bad_value(f"{text!r} is no month; write it like 2010-08") from error


def as_moment(text: str) -> date | datetime:
    """A day or a moment as it is typed. Raises BadParameter for anything else."""
    try:
        return parse_as_of(text)
    except ValueError as error:
        raise bad_value(str(error)) from error


From = Annotated[
    date | None, typer.Option("--from", parser=parse_date, metavar="YYYY-MM-DD", help="First day; all where absent")
]
To = Annotated[date | None, typer.Option("--to", parser=parse_date, metavar="YYYY-MM-DD", help="Last day, included")]
OneDay = Annotated[date | None, typer.Option("--date", parser=parse_date, metavar="YYYY-MM-DD", help="One day")]
OneMonth = Annotated[date | None, typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="One month")]
AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=as_moment,
        metavar="YYYY-MM-DD[THH:MM]",
        help="Judge as of then which days have matured (a day: its beginning); where absent as of the operation's own clock, of "
        "files as of their newest event. The figures themselves are as they are known now",
    ),
]
Tables = Annotated[
    list[Path] | None,
    typer.Option("--table", help="Straight from this table instead of Kafka (with --mapping); repeat for several"),
]
MappingFile = Annotated[Path | None, typer.Option("--mapping", "-m", help="Mapping file (YAML) of the tables")]
RosterFile = Annotated[
    Path | None, typer.Option("--roster", help="Roster (CSV) for teams and sites that the tables do not name")
]


@dataclass(frozen=True)
class Days:
    """Whole days, both ends included, and what people call them."""

    first: date
    last: date
    name: str

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return self.name


def days(first: date | None, last: date | None) -> Days:
    """From one day to another; open where one is absent. Ends the command where they are the wrong way round."""
    low, high = first or date.min, last or date.max
    if low > high:
        raise stop(f"--from {low} lies after --to {high}", 2)
    if first is None and last is None:
        return Days(low, high, "all days")
    return Days(low, high, f"{first or 'the beginning'} – {last or 'the end'}")


def period(day: date | None, month: date | None, first: date | None, last: date | None) -> Days:
    """The days that ``--date``, ``--month`` or ``--from`` and ``--to`` name. Ends the command where not exactly one does."""
    given = [
        name for name, is_there in (("--date", day), ("--month", month), ("--from/--to", first or last)) if is_there
    ]
    if len(given) != 1:
        said = f"not {' and '.join(given)}" if given else "none is given"
        raise stop(f"say which days: one of --date 2026-10-05, --month 2026-10 and --from … --to …; {said}", 2)
    if day:
        return Days(day, day, day.isoformat())
    if month:
        return Days(month, month.replace(day=monthrange(month.year, month.month)[1]), f"{month:%Y-%m}")
    return days(first, last)


class Source:
    """Daily facts and the roster: from Kafka, or straight from tables by the same stages."""

    def __init__(
        self,
        operation: Deployment,
        tables: list[Path] | None,
        mapping: Path | None,
        roster: Path | None,
        read: Reader | None = None,
        as_of: date | datetime | None = None,
        minutes: int | None = None,
        records: bool = False,
    ) -> None:
        """``read``: how the files are read; by the mapping where absent. ``as_of``: as was asked for; by the clock where absent.
        ``minutes``: facts of tables are by intervals of so many minutes; by day where absent. ``records``: of tables, somebody will ask
        for strata.
        """
        if tables and mapping is None and read is None:
            raise stop("--table needs the table's --mapping", 2)
        if not tables and (mapping or roster):
            raise stop("--mapping and --roster belong to a --table; without one everything comes from Kafka", 2)
        self.operation = operation
        self._tables, self._mapping, self._roster, self._read = tables or [], mapping, roster, read
        self._as_of, self._minutes, self._records = as_of, minutes, records

    @property
    def place(self) -> str:
        """Where it looks, for people."""
        return ", ".join(map(str, self._tables)) if self._tables else self.operation.settings.broker

    @cached_property
    def as_of(self) -> datetime | None:
        """As of when days have matured: what was asked for, else the operation's own clock, or the newest event of the tables; None:
        there is none.
        """
        policy = self.operation.policy
        if self._as_of is not None:
            with clear_errors():
                return moment_of(self._as_of, policy, self.operation.now())
        if not self._tables:
            return self.operation.as_of().astimezone(policy.zone)
        newest = self._computed.now
        return None if newest is None else instant(newest).astimezone(policy.zone)

    def daily_facts(self, within: Days, kind: EntityKind) -> list[DailyFacts]:
        """The facts of every entity of a kind, by entity and date."""
        if not self._tables:
            return self.operation.daily_facts(within.first, within.last, kind)
        there = (
            fact for fact in self._computed.daily_facts() if entity_kind(fact.entity) == kind and fact.date in within
        )
        return sorted(there, key=lambda fact: (fact.entity, fact.date))

    def strata(self, within: Days, measures: Collection[str]) -> OfStrata:
        """Agents' sums of these measures by stratum; of tables, of a source that was made for it."""
        if not self._tables:
            return self.operation.strata(within.first, within.last, measures)
        found = ByStratum(self.operation.policy, measures, within.first, within.last, self._computed.now)
        for key, record in self._computed.records.items():
            found.take(key.encode(), record)
        return found.sums()

    def roster(self, day: date) -> Mapping[str, RosterEntry]:
        """Agent id → their entry in force on a day."""
        if not self._tables:
            return self.operation.roster(day)
        known = self.known_roster
        return {agent: entry for agent in known.agents() if (entry := known.on(agent, day)) is not None}

    @cached_property
    def known_roster(self) -> Roster:
        """The roster that was given with the tables."""
        with clear_errors():
            entries = read_roster(self._roster) if self._roster is not None else {}
        return Roster(entry for own in entries.values() for entry in own)

    def interval_facts(self, within: Days, kind: EntityKind) -> list[IntervalFacts]:
        """The facts of every entity of a kind by interval, by entity and time, of a source that was made for it."""
        _, facts = self._computed_by
        return [fact for fact in facts if entity_kind(fact.entity) == kind and fact.date in within]

    @property
    def _computed(self) -> Run:
        return self._computed_by[0]

    @cached_property
    def _computed_by(self) -> tuple[Run, list[IntervalFacts]]:
        """The tables, which are read together in order of time: so nothing in them is late. Facts are in the run by day, or beside it by
        interval.

        Says on the error stream what was left out.
        """
        rejected: list[str] = []
        policy, roster, machine = self.operation.policy, self.known_roster, machine_ms()
        facts: list[IntervalFacts] = []
        with clear_errors(), self.in_order(rejected) as events:
            raws = map(encode, events)
            if self._minutes is None:
                result = run(raws, policy, roster=roster, machine=machine, records=self._records)
            else:
                result, facts = run_by_interval(raws, policy, self._minutes, roster, machine=machine)
        tell_left_out(rejected, result)
        newest = instant(machine if result.now is None else result.now)
        values = policy.current(newest.astimezone(policy.zone).date())
        if unknown := still_unknown(result.unknown, values):
            tell(f"in no list of the policy, word, events and line to add: {said(unknown, values)}", err=True)
        return result, facts

    @contextmanager
    def in_order(self, rejected: list[str]) -> Iterator[Iterator[AnyEvent]]:
        """The tables' events in order of time. Why rows do not fit goes into ``rejected``; what was told twice is said at the end."""
        with ToldTwice() as twice:
            customers, read = Customers(), settled(self._tables, self._read or reader(self._mapping, None))
            told = self._events(read, rejected)
            if self._mapping is not None:  # records tell some things twice of themselves
                told = twice.noted(told)
            ordered = in_order_of_time(customers.noted(told)).events
            yield customers.filled_in(ordered, self._events(read, []))
            repeated = twice.said() if self._mapping is not None else ""
        if repeated:
            tell(repeated, err=True)

    def _events(self, read: Reader, rejected: list[str]) -> Iterator[AnyEvent]:
        for path in self._tables:
            for row in read(path):
                if isinstance(row, ReadRow):
                    yield from row.events
                else:
                    rejected.append(f"{path.name}, line {row.line}: {row.reason}")

    def end(self) -> None:
        """The command has said what it has to say: end it with 1 where events of the tables were refused, as ``replay --wait`` does."""
        if self._tables and self._computed.rejected:
            raise typer.Exit(1)


def tell_left_out(rows: Sequence[str], result: Run) -> None:
    """Say on the error stream which rows and events were left out, and why; nothing where none was."""
    if not rows and not result.rejected:
        return
    first = f" (the first: {rows[0]})" if rows else ""
    tell(f"left out: {len(rows)} rows that do not fit{first}, {len(result.rejected)} events{_why(result)}", err=True)


def _why(result: Run) -> str:
    """Why events were refused, each reason with how many, and the first of them."""
    if not result.rejected:
        return ""
    counted = Counter(why.reason for _, why in result.rejected)
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counted.items()))
    first = result.rejected[0][1]
    return f" ({reasons}; the first: {first.reason}, {first.detail})"
