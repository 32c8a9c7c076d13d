"""``deskpulse recompute``: a month's facts from the archive, what another policy would make of it, and how they come to stand in Kafka."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import xlsxwriter
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from streams.archive.comparing import moved
from streams.archive.recomputing import Result, Screen, Task, digest, files, plain_bytes, recompute
from streams.commands.facts import MINUTES, By, ByKind, Given, Per, PerPeriod, give
from streams.commands.shared.archive import At, WorkersClock, place_of
from streams.commands.shared.context import Broker, Deployment, Prefix, clear_errors, deployment, stop
from streams.commands.shared.customer_ids import customer_ids
from streams.commands.shared.facts_source import Days, OneDay, OneMonth, To, parse_date, period
from streams.commands.shared.facts_table import PRINT, ChosenColumns, ChosenKpis, Format, InFormat
from streams.contracts.decode import Rejected
from streams.contracts.events import milliseconds
from streams.contracts.outputs import ENTITY_KINDS, DailyFacts, entity_kind
from streams.entities.daily_facts import Row, due, plain
from streams.history.store import open_history
from streams.kpi.catalog import KPIS
from streams.kpi.explained import find
from streams.kpi.labels import NONE, said
from streams.kpi.policy.versions import AnyPolicy
from streams.languages import translation
from streams.languages.translation import tell
from streams.operation import KafkaOperation
from streams.operator_files import load_policy
from streams.rewriting import (
    Operation,
    Span,
    Writer,
    changes,
    require_not_frozen,
    require_something,
)
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import Days as Calendar
from streams.windows.clock import instant
from streams.worker.customer_ids import Screened

#: So many differences are named.
_NAMED = 10


@dataclass(frozen=True)
class _Archived:
    """Where facts come from, for whoever writes them."""

    operation: Deployment
    place: str
    as_of: datetime | None


def recompute_month(
    ctx: typer.Context,
    month: OneMonth = None,
    first: Annotated[
        date | None, typer.Option("--from", parser=parse_date, metavar="YYYY-MM-DD", help="First day, with --to")
    ] = None,
    last: To = None,
    day: OneDay = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", help="Another policy (YAML): compute by both, and say whose figures move, and by how much"
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare all facts with those that the operation has in Kafka, to the byte")
    ] = False,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Put facts and records in place of what the operation has of these days; never of live or frozen ones",
        ),
    ] = False,
    late: Annotated[
        bool,
        typer.Option(
            "--late",
            help="Let in what came too late for the workers, too, in the order in which it happened: a past that was loaded",
        ),
    ] = False,
    by: ByKind = By.agent,
    per: PerPeriod = Per.month,
    format: InFormat = None,
    kpi: ChosenKpis = None,
    columns: ChosenColumns = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="File to write, CSV; of a comparison also a workbook (.xlsx); the screen where absent"
        ),
    ] = None,
    clock: WorkersClock = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="So many at once; as many as there are cores where absent")
    ] = None,
    at: At = None,
    broker: Broker = None,
    prefix: Prefix = None,
) -> None:
    """A month's daily facts from the archive, by the same stages as the workers': the same bytes, under the same policy.

    With --policy FILE the month is computed twice, by the policy of the
    operation (DESKPULSE_POLICY_FILE) and by that one, and each figure that is
    another is shown: KPI, who, before, after. Nothing is written to Kafka.

    What was before the month and may concern it is read with it: returns and
    late events by the policy, tickets for a year. Give the workers' --clock:
    of a past that was replayed, it is `event`. The roster is as it was when the
    events came. Needs no Kafka, but for --check and --write.

    --write puts what was computed in place of what is there, beside running
    workers: facts and records of contacts and presence, which the history
    follows. Days that anything in the workers' hands may still change are
    refused, and days whose scores are frozen. Done again, it changes nothing;
    broken off, run it again.

    Exit code 1 where --check finds a difference, or days are not to be written.
    """
    here = deployment(ctx, archive=at, broker=broker, prefix=prefix, clock=clock)
    settings = here.settings
    within, given = period(day, month, first, last), Given(format, out, kpi, columns)
    if within.first == date.min or within.last == date.max:
        raise stop("--from and --to go together", 2)
    if per in MINUTES:
        raise stop("--per: the archive gives facts by day; take day, month or total", 2)
    if write and policy is not None:
        raise stop(
            "--write goes by the policy of the operation: put the other one in force (DESKPULSE_POLICY_FILE), then write",
            2,
        )
    with clear_errors(), ExitStack() as until_written:
        other = None if policy is None else load_policy(policy)
        for id in kpi or ():
            find(id.partition("~")[0])
        rewrite = until_written.enter_context(_Rewrite.begun(settings, within)) if write else None
        now = machine_ms()
        task = _task(settings, within, settings.policy, late=late, records=write and settings.records)
        read = files(task)
        found = _computed(task, processes, now, f"{within}")
        _tell_read(found, settings)
        as_of = _as_of(settings, found, now)
        if other is not None:
            theirs = _computed(_task(settings, within, other, late=late), processes, now, f"{within} {policy}")
            before, after = (_of(each, by.value, settings, as_of) for each in (found, theirs))
            _give_moved((before, settings.policy), (after, other), per, as_of, given)
            return
        tell(f"{within}: {len(found.facts):,} facts, SHA-256 {digest(found.facts)}", err=True)
        if rewrite is not None:
            if not read <= files(task):
                raise stop("files of the archive were written anew meanwhile (somebody was forgotten): run this again")
            rewrite.write(found)
    give(_Archived(here, task.place, as_of), within, by, _of(found, by.value, settings, as_of), per, given)
    if check:
        _check(settings, found, within)


class _Rewrite:
    """Days that are written: looked at before and after they are computed, as workers go on meanwhile."""

    def __init__(self, settings: Settings, span: Span, writer: Writer) -> None:
        self._settings, self._span, self._writer = settings, span, writer
        self._operation = Operation(settings, span)

    @classmethod
    @contextmanager
    def begun(cls, settings: Settings, within: Days) -> Iterator[_Rewrite]:
        """Nobody else writes; the days may be written as far as is known now. Raises as ``write``."""
        span = Span(within.first, within.last, Calendar(settings.policy.zone, settings.policy.day_starts_ms))
        require_not_frozen(span, settings.database, settings.data_dir)
        with Writer.opened(settings) as writer:
            made = cls(settings, span, writer)
            made._operation.require_past()
            yield made

    def write(self, found: Result) -> None:
        """Write what must be. Raises OwnedError where a day is live or frozen, RuntimeError where somebody else has begun to write."""
        settings, span = self._settings, self._span
        require_not_frozen(span, settings.database, settings.data_dir)
        self._operation.require_past(found)
        with open_history(settings.history or settings.database, settings.data_dir, settings.policy) as history:
            followed = history.records_of(span.first, span.last) if history.database.begun else {}
        there = self._operation.there(found, followed)
        require_something(there, found)
        written = self._writer.write(changes(there, found, span, machine_ms()))
        if not written:
            tell("nothing is written: all of it stands there already", err=True)
        for topic, messages in written.items():
            tell(f"{settings.prefix}{topic}: {messages:,} messages written", err=True)


def _task(settings: Settings, within: Days, policy: AnyPolicy, *, late: bool, records: bool = False) -> Task:
    screen = partial(screen_of, settings) if settings.customer_ids != "any" else None
    customer_ids(settings)  # says what is lacking
    event_time = settings.clock == "event"
    return Task(
        place_of(settings), settings.prefix, policy, within.first, within.last, event_time, screen, late, records
    )


def screen_of(settings: Settings) -> Screen:
    """What a worker does with plain customer ids, for messages of the archive."""
    ids = customer_ids(settings)
    assert ids is not None

    def screen(value: bytes | None) -> bytes | Rejected | None:
        screened, why = ids.screened(Screened(None, value, 0, ()))
        return screened.value if why is None else why

    return screen


def _computed(task: Task, processes: int | None, now: int, what: str) -> Result:
    with _shown(what) as say:
        return recompute(task, processes, now, say)


@contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """How far it has come, on a terminal."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        bar = shown.add_task(escape(what), total=None)
        yield lambda done, of: shown.update(bar, completed=done, total=of)


def _tell_read(found: Result, settings: Settings) -> None:
    refused = ", ".join(f"{reason} {count:,}" for reason, count in sorted(found.refused.items()))
    tell(f"read: {found.read:,} messages, let in: {found.admitted:,}, refused: {refused or 0}", err=True)
    if settings.clock == "wall" and found.refused.get("too_late", 0) > found.admitted:
        tell("most events came too late by the machine's clock: was a past replayed? Then give --clock event", err=True)


def _as_of(settings: Settings, found: Result, now: int) -> datetime | None:
    """As of when figures are, as ``KafkaOperation.clock`` has it."""
    at = found.now if settings.clock == "event" else now
    return None if at is None else instant(at).astimezone(settings.policy.zone)


def _of(found: Result, kind: str, settings: Settings, as_of: datetime | None) -> list[DailyFacts]:
    """The facts of one kind of entity as a reader gets them; see ``KafkaOperation.daily_facts``."""
    begun = [fact for fact in found.facts if entity_kind(fact.entity) == kind and (fact.sums or not fact.planned)]
    if as_of is None:
        return begun
    now, days = milliseconds(as_of), Calendar(settings.policy.zone, settings.policy.day_starts_ms)
    return [plain(fact, now, days) for fact in begun]


def _check(settings: Settings, found: Result, within: Days) -> None:
    """Compare with what is in Kafka. Ends the command with 1 where anything differs."""
    with clear_errors():
        operation = KafkaOperation(settings)
        live = [fact for kind in ENTITY_KINDS for fact in operation.stored_facts(within.first, within.last, kind)]
        clock = operation.clock()
    for fact in live:
        due(fact, clock)
    ours, theirs = (dict(_by_day(facts)) for facts in (found.facts, live))
    differing = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    for entity, day in differing[:_NAMED]:
        tell(f"{entity} {day}: other facts in the archive than in Kafka", err=True)
    if differing:
        raise stop(f"{len(differing):,} facts differ from those at {settings.broker}")
    tell(f"{within}: {len(ours):,} facts, the same as at {settings.broker}", err=True)


def _by_day(facts: Sequence[DailyFacts]) -> Iterator[tuple[tuple[str, date], bytes]]:
    for fact in facts:
        if told := plain_bytes([fact]):
            yield (fact.entity, fact.date), told


# -- the comparison --------------------------------------------------------------------------------------------------------


def _give_moved(
    before: tuple[list[DailyFacts], AnyPolicy],
    after: tuple[list[DailyFacts], AnyPolicy],
    per: Per,
    as_of: datetime | None,
    given: Given,
) -> None:
    table = moved(before, after, per.value, as_of, given.kpis)
    if not table:
        tell("no figure is another under that policy")
        return
    if given.out is None:
        if given.as_format is Format.table:
            Console().print(_table(table))
        else:
            PRINT[given.as_format](table, sys.stdout)
        return
    if given.out.suffix.lower() == ".xlsx":
        _workbook(table, given.out)
    else:
        with given.out.open("w", encoding="utf-8-sig", newline="") as file:
            PRINT[given.format or Format.csv](table, file)
    tell(f"written: {given.out}, {len(table):,} figures are others", err=True)


def _table(table: Sequence[Row]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    spans = len({row["period"] for row in table}) > 1
    for name in ("KPI", "id", *(["period"] if spans else [])):
        made.add_column(name, no_wrap=name == "KPI")
    for name in ("before", "after", "change"):
        made.add_column(name, justify="right")
    for row in table:
        unit = KPIS[str(row["kpi"]).partition("~")[0]].unit
        period = [str(row["period"])] if spans else []
        figures = [_cell(unit, row[side], row[f"{side}.n"]) for side in ("before", "after")]
        made.add_row(escape(str(row["kpi"])), escape(str(row["id"])), *period, *figures, _change(unit, row["change"]))
    return made


def _cell(unit: str, value: str | float | None, n: str | float | None) -> str:
    if not isinstance(value, int | float):
        return NONE
    cases = f" [dim]n {n:,.0f}[/]" if isinstance(n, int | float) else ""
    return said(unit, value, translation.language()).partition(" (")[0] + cases


def _change(unit: str, value: str | float | None) -> str:
    if not isinstance(value, int | float):
        return NONE
    if unit == "ratio":
        return f"{value * 100:+.1f} pp"
    return ("+" if value > 0 else "") + said(unit, value, translation.language()).partition(" (")[0]


def _workbook(table: Sequence[Row], path: Path) -> None:
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet, heading = book.add_worksheet("recompute"), book.add_format({"bold": True})
        sheet.write_row(0, 0, list(table[0]), heading)
        for number, row in enumerate(table, 1):
            sheet.write_row(number, 0, list(row.values()))
        sheet.freeze_panes(1, 4)
        sheet.autofilter(0, 0, len(table), len(table[0]) - 1)
        sheet.autofit()
