"""``deskpulse score files``: workbook, CSV, JSON and sheets of a frozen run."""

from __future__ import annotations

from pathlib import Path

import typer

from scoring.commands.options import CardName, Formats, IdsOnly, Out, PeriodOption, SheetFormats, SheetLanguage
from scoring.commands.output import clear
from scoring.commands.run import Revision, card_id
from scoring.reports.files import Spoken, write
from scoring.store.runs import find_run
from scoring.workflow.frozen_files import context_of
from scoring.workflow.gather import Operation, store
from streams.languages.translation import tell


def files(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    revision: Revision = None,
    out: Out = Path("scores"),
    formats: Formats = None,
    sheets: SheetFormats = None,
    language: SheetLanguage = Spoken.both,
    ids: IdsOnly = False,
) -> None:
    """Write the workbook, CSV, JSON and sheets of a run as it was frozen: what was published, else what stands now.

    The same revision gives the same files, with the names as they are today; JSON has ids only. `deskpulse score push`
    takes the .json to an HR system.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        run = find_run(connection, card_id(card), str(when))
        number = revision or run.published or run.revision
        context = context_of(operation, connection, run, number, ids)
    state = "published" if number == run.published else "not published"
    tell(f"{run.card} {run.period}, revision {number} ({state}), {len(context.run.people)} people")
    with clear():
        write(context, out, formats, sheets, language, number)
