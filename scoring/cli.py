"""``deskpulse score``: month-end scores from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scoring import options, runs
from scoring.analysis.review_cli import review_command
from scoring.analysis.what_if_cli import what_if_command
from scoring.appeal_cli import appeal
from scoring.calendar import load_calendar
from scoring.connector.cli import push_command
from scoring.export import to_csv, to_messages
from scoring.input_cli import import_, inputs, missing, template
from scoring.joined import Operation, gather, remembered
from scoring.load import find
from scoring.options import (
    CalendarFile,
    HowIncomplete,
    OutcomesFile,
    Pools,
    months_there_are,
    pools,
    settings_of,
)
from scoring.outcomes import Outcomes
from scoring.people import Incomplete
from scoring.period import Month, Period
from scoring.result import compute
from scoring.results import earlier_totals, json_parts
from scoring.run_cli import approve, audit, prepare, publish, reopen, review, show_, status, verify
from scoring.screen import clear, show, stop
from scoring.sheet_files import SheetFormat, write_sheets
from scoring.sheets import LANGUAGES, Context, Language
from scoring.store_cli import database
from scoring.table import render
from scoring.token_cli import serve, token
from scoring.workbook import to_xlsx
from streams.contracts.outputs import RosterEntry

score = typer.Typer(no_args_is_help=True, help="Month-end scores from the daily facts.")


class Format(StrEnum):
    """A file format."""

    xlsx = "xlsx"
    csv = "csv"
    json = "json"


class Sheets(StrEnum):
    """A file format of the sheets."""

    pdf = "pdf"
    html = "html"


class Spoken(StrEnum):
    """Languages of the sheets."""

    zh = "zh"
    en = "en"
    both = "both"


_Writer = Callable[[runs.Run, Outcomes | None, Mapping[str, RosterEntry]], Iterable[bytes]]
_WRITERS: Mapping[Format, _Writer] = {
    Format.xlsx: lambda *made: (to_xlsx(*made),),
    Format.csv: lambda run, outcomes, _: (to_csv(run, outcomes),),
    Format.json: json_parts,
}


@score.callback()
def commands() -> None:
    """Month-end scores from the daily facts."""


score.command()(template)
score.command("import")(import_)
score.command()(missing)
score.command()(inputs)
for step in (prepare, review, approve, publish, status, verify, reopen, audit):
    score.command()(step)
score.command("show")(show_)
score.add_typer(appeal, name="appeal")
score.add_typer(database, name="database")
score.add_typer(token, name="token")
score.command()(serve)


@score.command()
def run(
    ctx: typer.Context,
    month: Annotated[
        Month | None, typer.Option(parser=options.month, metavar="YYYY-MM", help="The month to score")
    ] = None,
    period: Annotated[
        Period | None,
        typer.Option(
            parser=options.period,
            metavar="PERIOD",
            help="Another period: 2026-Q1, 2026-H1, 2026, or 2026-01-16..2026-04-15",
        ),
    ] = None,
    card: Annotated[
        str, typer.Option(help="Id of a card that comes with the program, or the path of a .yaml file of your own")
    ] = "s2-a-core",
    out: Annotated[Path, typer.Option(help="Directory for the files; made where absent")] = Path("scores"),
    formats: Annotated[
        list[Format] | None, typer.Option("--format", help="File to write; repeat for several; all by default")
    ] = None,
    calendar: CalendarFile = None,
    sheets: Annotated[
        list[Sheets] | None, typer.Option(help="Also a sheet a person, in this format; repeat for both")
    ] = None,
    language: Annotated[
        Spoken, typer.Option(help="Language of the sheets; both: a page each in one file")
    ] = Spoken.both,
    outcomes: OutcomesFile = None,
    pool: Pools = None,
    incomplete: HowIncomplete = Incomplete.unscored,
    rows: Annotated[int, typer.Option(min=0, help="People shown on the screen; the files have all")] = 50,
    publish: Annotated[bool, typer.Option(help="Put the scores on the topic `scores`")] = True,
) -> None:
    """Score everyone's month, or another period, on a card: table on the screen, files, and the topic `scores`.

    Takes what was imported for the period. An item without data is unscored, never 0: it is left out of the total and of the
    maximum beside it. The sheets' trend takes earlier months from the .json files in the directory, as they were written then.
    """
    operation: Operation = ctx.obj
    when = month or period
    if when is None or (month and period):
        stop("say what to score: --month 2026-03, or --period 2026-Q1; one of the two")
    with clear():
        rules = settings_of(outcomes)
        amounts = pools(pool, rules)
        materials = gather(
            operation, find(card), when, seasons=load_calendar(calendar) if calendar else (), pools=amounts,
            incomplete=incomplete, settings=rules if isinstance(when, Month) else None,
        )  # fmt: skip
        # Actions open on the day after the period, whenever the command is given: the same facts give the same files.
        materials = replace(remembered(operation, materials), opened=when.last + timedelta(days=1))
        scored = compute(materials)
        result, decided, roster = scored.run, scored.outcomes, materials.roster
        before = earlier_totals(sorted(out.glob(f"{result.card.id}-*.json")), result.card.id) if sheets else {}
    if not result.people:
        stop(f"no agent has facts in {when}; {months_there_are(operation)}")
    show(render(result, rows))
    for made in _write(result, decided, roster, out, formats or Format):
        typer.echo(f"written: {made}")
    if sheets:
        context = Context(result, decided, roster, before)
        spoken = LANGUAGES if language is Spoken.both else tuple(one for one in LANGUAGES if one == language)
        _write_sheets(context, out / f"{result.card.id}-{when}-sheets", [one.value for one in sheets], spoken)
    if publish:
        _publish(result, operation)


def _write(
    result: runs.Run,
    decided: Outcomes | None,
    roster: Mapping[str, RosterEntry],
    out: Path,
    formats: Iterable[Format],
) -> list[Path]:
    made = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for form in dict.fromkeys(formats):
            path = out / f"{result.card.id}-{result.period}.{form}"
            part = path.with_name(f"{path.name}.part")
            with part.open("wb") as file:
                file.writelines(_WRITERS[form](result, decided, roster))
            part.replace(path)  # so that nobody reads half a file
            made.append(path)
    except OSError as error:
        stop(f"cannot write to {out}: {error}; choose another directory with --out")
    return made


def _write_sheets(context: Context, folder: Path, formats: Sequence[SheetFormat], spoken: Sequence[Language]) -> None:
    try:
        number = sum(1 for _ in write_sheets(context, folder, formats, spoken))
    except OSError as error:
        stop(f"cannot write to {folder}: {error}; choose another directory with --out")
    typer.echo(f"written: {number} sheets in {folder}")


def _publish(result: runs.Run, operation: Operation) -> None:
    scores = to_messages(result)
    acknowledged = operation.publish_scores(scores)
    if acknowledged != len(scores):
        stop(
            f"the broker has acknowledged {acknowledged} of {len(scores)} scores; "
            "run the command again: the same scores under the same keys change nothing"
        )
    typer.echo(f"published: {acknowledged} scores to the topic `scores`")


score.command("what-if")(what_if_command)
score.command("quarterly")(review_command)
score.command("push")(push_command)
