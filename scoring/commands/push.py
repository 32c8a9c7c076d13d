"""``deskpulse score push``: results to an HR system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import httpx
import typer

from scoring.commands.output import stop
from scoring.connector.journal import Journal
from scoring.connector.mapping import load_mapping, mapped
from scoring.connector.push import problems, push
from scoring.reports.json_report import read_results
from streams.languages.translation import tell


def push_command(
    file: Annotated[Path, typer.Argument(help="Results: the .json file that `score run` writes")],
    mapping: Annotated[Path, typer.Option(help="Where to, and which field takes what (YAML)")],
    journal: Annotated[
        Path | None, typer.Option(help="What was acknowledged (SQLite); by default push-journal.db beside the results")
    ] = None,
    revision: Annotated[
        int | None,
        typer.Option(min=1, help="Send as this revision: for results that changed after they were acknowledged"),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Show the messages and send nothing")] = False,
) -> None:
    """Send results to an HR system over HTTP, each person's once: what it has acknowledged is not sent again.

    What fails stays for the next time, and is told; the command then ends with 1. Run it again: nothing comes twice.
    """
    try:
        document, where = read_results(file), load_mapping(mapping)
        if revision is not None:
            document = {**document, "revision": revision}
        if dry_run:
            for person in document["people"]:
                body, missing = mapped(where, document, person)
                lacks = f"  # lacks {', '.join(missing)}" if missing else ""
                typer.echo(json.dumps(body, ensure_ascii=False) + lacks)
            return
        with Journal.opened(journal or file.parent / "push-journal.db") as known, httpx.Client() as client:
            made = push(document, where, known, client)
    except ValueError as error:
        stop(str(error))
    for line in problems(made):
        tell(line, err=True)
    tell(
        f"{document['card']} {document['period']}: {made.number('sent')} sent, {made.number('already')} there already, "
        f"{made.number('refused')} refused, {made.number('failed') + made.number('not tried')} waiting for the next time"
    )
    if not made.complete:
        raise typer.Exit(1)
