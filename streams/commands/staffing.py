"""``deskpulse staffing``: how long callers wait before they hang up, and how many agents each half hour of the day needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from streams.commands.shared.context import Deployment, PolicyFile, clear_errors, deployment, stop
from streams.commands.shared.facts_source import Days, From, Source, To, days, tell_left_out
from streams.commands.shared.files import Mapping, System, reader
from streams.commands.shared.hours import OfHours, OfWeekdays
from streams.contracts.decode import encode
from streams.contracts.outputs import ContactOutcome, Passage
from streams.kpi.labels import NONE, both
from streams.kpi.patience import Patience, Wait, patience, waits_of
from streams.kpi.policy.model import Policy
from streams.kpi.staffing_plan import HalfHour, Plan
from streams.languages.text import Text
from streams.languages.translation import tell
from streams.pipeline import run
from streams.sources.vendors.reader import Vendor
from streams.system_clock import machine_ms
from streams.windows.clock import instant

#: So many days before the newest are looked at where none are named.
_DAYS = 28
_WIDTH = 150
_HEADINGS = (
    *(
        Text("时段", "from"),
        Text("日均来电", "calls a day"),
        Text("处理时长", "handle time, s"),
        Text("需要", "needed"),
    ),
    *(Text("范围", "range"), Text("无人放弃时", "Erlang C"), Text("排班", "to schedule")),
)
_OF_PATIENCE = (
    *(Text("队列", "queue"), Text("等待", "waits"), Text("放弃", "hung up"), Text("平均耐心时长", "mean patience, s")),
    *(Text("范围", "range"), Text("半数挂断", "half gone after, s")),
)
_Call = tuple[list[Passage], ContactOutcome | None]


def staffing(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Tables or records to read instead of the database of `deskpulse history`"),
    ] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Only calls of this queue; all where absent")] = None,
    mapping: Mapping = None,
    system: System = None,
    first: From = None,
    last: To = None,
    hours: OfHours = None,
    weekdays: OfWeekdays = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
    policy: PolicyFile = None,
) -> None:
    """How long callers wait before they hang up, and how many agents each half hour of the day needs.

    Patience is measured in the calls' own waits, also in those that ended with
    an answer. With it agents needed are by Erlang A, which fits calls that hang
    up; beside it stands Erlang C, by which nobody does and which asks for more.
    What they are to reach stands in the policy (`staffing_service_level` and
    after it). The range is what so few days leave open. To be scheduled are
    more, by `staffing_shrinkage`.

    From the database of `deskpulse history` the last 28 days are read, or those
    of --from and --to; from files all.
    """
    operation = deployment(ctx, policy_file=policy)
    within = days(first, last)
    if files:
        found = _of_files(operation, files, mapping, system, within)
    elif mapping or system:
        raise stop("--mapping and --system say how files are read: name some", 2)
    else:
        found = _of_history(operation, first, within.last)
    calls, waits = list(found), list[Wait]()
    for passages, outcome in calls:
        waits += (wait for wait in waits_of(passages, outcome) if queue in (None, wait.queue))
    plan = Plan()
    for queued in _queued(calls, operation, queue):
        if (hours is None or queued.at in hours) and (weekdays is None or queued.at.weekday() in weekdays):
            plan.add(queued.at, queued.passage)
    if not plan.days:
        raise stop(f"no calls of {queue or 'any queue'} in {within}")
    measured = patience(waits)
    values = operation.policy.current(max(plan.days))
    half_hours = list(plan.half_hours(values, None if measured is None else measured.seconds))
    queues = sorted({wait.queue or NONE for wait in waits})
    by_queue = {id: patience(wait for wait in waits if (wait.queue or NONE) == id) for id in queues}
    if as_json:
        _print_json(plan, measured, by_queue, half_hours)
    else:
        _print(measured, by_queue, half_hours)
        _say(measured, values)


class _Queued(NamedTuple):
    """A call that came into a queue, by the operation's wall clock."""

    at: datetime
    passage: Passage


def _queued(calls: Iterable[_Call], operation: Deployment, queue: str | None) -> Iterator[_Queued]:
    for passages, _ in calls:
        for passage in passages:
            if queue in (None, passage.queue):
                yield _Queued(instant(passage.queued_at).astimezone(operation.policy.zone), passage)


def _of_files(
    operation: Deployment, files: list[Path], mapping: Path | None, system: Vendor | None, within: Days
) -> Iterator[_Call]:
    with clear_errors():
        read = reader(mapping, system)
    source, rejected = Source(operation, files, mapping, None, read), list[str]()
    with clear_errors(), source.in_order(rejected) as events:
        result = run(map(encode, events), operation.policy, machine=machine_ms(), records=True)
    tell_left_out(rejected, result)
    for record in result.contact_records().values():
        if record.channel == "calls" and record.date in within:
            yield record.passages, record.outcome


def _of_history(operation: Deployment, first: date | None, last: date) -> Iterator[_Call]:
    # Alembic and SQLAlchemy, which files do not need.
    from streams.history.store import open_history
    from streams.history.waits import calls, newest_day

    settings = operation.settings
    with (
        clear_errors(),
        open_history(settings.history or settings.database, settings.data_dir, operation.policy) as history,
    ):
        if (newest := newest_day(history)) is not None:
            last = min(last, newest)
            yield from calls(history, first or last - timedelta(days=_DAYS - 1), last)


def _print_json(
    plan: Plan, measured: Patience | None, by_queue: dict[str, Patience | None], half_hours: Sequence[HalfHour]
) -> None:
    told = {
        "days": len(plan.days),
        "patience": measured and asdict(measured),
        "patience_by_queue": {id: found and asdict(found) for id, found in by_queue.items()},
        "half_hours": [asdict(each) | {"starts": f"{each.starts:%H:%M}"} for each in half_hours],
    }
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


def _print(whole: Patience | None, by_queue: dict[str, Patience | None], half_hours: Sequence[HalfHour]) -> None:
    console = Console(markup=False, highlight=False)
    console = console if console.is_terminal else Console(markup=False, highlight=False, width=_WIDTH)
    rows = [*by_queue.items(), *([("*", whole)] if len(by_queue) > 1 else [])]
    console.print(_table(_OF_PATIENCE, (_patience_row(id, found) for id, found in rows)))
    console.print()
    console.print(_table(_HEADINGS, map(_half_hour_row, half_hours)))


def _patience_row(id: str, found: Patience | None) -> tuple[str, ...]:
    if found is None:
        return id, *[NONE] * 5
    half = NONE if found.half_gone is None else f"{found.half_gone:.0f}"
    range_ = f"{found.low:.0f}–{found.high:.0f}"
    return id, f"{found.waits:,}", f"{found.gone:,}", f"{found.seconds:.0f}", range_, half


def _half_hour_row(each: HalfHour) -> tuple[str, ...]:
    needs = str(each.needed), f"{each.low}–{each.high or NONE}", str(each.erlang_c), str(each.scheduled)
    return f"{each.starts:%H:%M}", f"{each.calls:.1f}", f"{each.handle_seconds:.0f}", *needs


def _table(headings: Iterable[Text], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(both(heading), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Cell, row))
    return table


def _say(measured: Patience | None, values: Policy) -> None:
    """What this means for the policy."""
    if measured is None:
        tell("nobody hung up, so that nobody can tell how long callers wait: agents needed are by Erlang C")
    elif values.staffing_patience_seconds is None:
        tell(
            f"for screens and alerts to go by it, write into the policy: staffing_patience_seconds: {measured.seconds:.0f}"
        )
    elif not measured.low <= values.staffing_patience_seconds <= measured.high:
        tell(
            f"the policy has staffing_patience_seconds: {values.staffing_patience_seconds:g}, but callers wait {measured.seconds:.0f}"
        )
