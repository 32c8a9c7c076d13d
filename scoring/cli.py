"""``deskpulse score``: month-end scores from the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from scoring import runs
from scoring.appeal_cli import appeal
from scoring.calendar import load_calendar
from scoring.export import to_csv, to_messages
from scoring.input_cli import import_, inputs, missing, template
from scoring.joined import Operation, handed_in, period_facts
from scoring.load import find
from scoring.materials import as_given
from scoring.period import Month, Period, parse_period
from scoring.run_cli import approve, audit, prepare, publish, reopen, review, show_, status, verify
from scoring.store.database import StoreError
from scoring.store_cli import database
from scoring.table import render
from scoring.token_cli import serve, token
from scoring.workbook import to_xlsx

score = typer.Typer(no_args_is_help=True, help="Month-end scores from the daily facts.")

#: Columns of the table where the output is no terminal.
_WIDTH = 200


class Format(StrEnum):
    """A file format."""

    xlsx = "xlsx"
    csv = "csv"


_WRITERS = {Format.xlsx: to_xlsx, Format.csv: to_csv}


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _period(text: str) -> Period:
    try:
        return parse_period(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


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
    month: Annotated[Month | None, typer.Option(parser=_month, metavar="YYYY-MM", help="The month to score")] = None,
    period: Annotated[
        Period | None,
        typer.Option(
            parser=_period, metavar="PERIOD", help="Another period: 2026-Q1, 2026-H1, 2026, or 2026-01-16..2026-04-15"
        ),
    ] = None,
    card: Annotated[
        str, typer.Option(help="Id of a card that comes with the program, or the path of a .yaml file of your own")
    ] = "s2-a-core",
    out: Annotated[Path, typer.Option(help="Directory for the files; made where absent")] = Path("scores"),
    formats: Annotated[
        list[Format] | None, typer.Option("--format", help="File to write; repeat for several; all by default")
    ] = None,
    calendar: Annotated[
        Path | None, typer.Option(help="Calendar (YAML) of the profiles in force: weights for a season or a strategy")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="People shown on the screen; the files have all")] = 50,
    publish: Annotated[bool, typer.Option(help="Put the scores on the topic `scores`")] = True,
) -> None:
    """Score everyone's month, or another period, on a card: table on the screen, files, and the topic `scores`.

    Takes what was imported for the period. An item without data is unscored, never 0: it is left out of the total and of the
    maximum beside it.
    """
    operation: Operation = ctx.obj
    when = month or period
    if when is None or (month and period):
        _stop("say what to score: --month 2026-03, or --period 2026-Q1; one of the two")
    try:
        the_card = find(card)
        seasons = load_calendar(calendar) if calendar else ()
        facts, roster = period_facts(operation, the_card, when), operation.roster(when.last)
        inputs = as_given(the_card, handed_in(operation, the_card.id, when))
        result = runs.run(the_card, when, facts, operation.policy, roster, inputs, seasons)
    except (ValueError, StoreError) as error:
        _stop(str(error))
    if not result.people:
        _stop(f"no agent has facts in {when}; {_months(operation)}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(render(result, rows))
    for made in _write(result, out, formats or Format):
        typer.echo(f"written: {made}")
    if publish:
        _publish(result, operation)


def _write(result: runs.Run, out: Path, formats: Iterable[Format]) -> list[Path]:
    made = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for form in dict.fromkeys(formats):
            path = out / f"{result.card.id}-{result.period}.{form}"
            part = path.with_name(f"{path.name}.part")
            part.write_bytes(_WRITERS[form](result))
            part.replace(path)  # so that nobody reads half a file
            made.append(path)
    except OSError as error:
        _stop(f"cannot write to {out}: {error}; choose another directory with --out")
    return made


def _publish(result: runs.Run, operation: Operation) -> None:
    scores = to_messages(result)
    acknowledged = operation.publish_scores(scores)
    if acknowledged != len(scores):
        _stop(
            f"the broker has acknowledged {acknowledged} of {len(scores)} scores; "
            "run the command again: the same scores under the same keys change nothing"
        )
    typer.echo(f"published: {acknowledged} scores to the topic `scores`")


def _months(operation: Operation) -> str:
    """Which months there are facts of, for people."""
    facts = operation.daily_facts(date(1970, 1, 1), date(2999, 12, 31), "agent")
    months = sorted({Month.of(day.date) for day in facts})
    return f"there are facts of {', '.join(map(str, months))}" if months else "there are no facts of any month yet"


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
