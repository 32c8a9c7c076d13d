"""``deskpulse score quarterly``: what past months tell about a card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scoring import options, runs
from scoring.analysis.review import review, satisfaction
from scoring.analysis.review_report import report
from scoring.analysis.what_if_cli import write_report
from scoring.calendar import load_calendar
from scoring.cli_parts import console, months, months_there_are, stop
from scoring.joined import Operation, period_facts
from scoring.load import find
from scoring.period import Month


def review_command(
    ctx: typer.Context,
    first: Annotated[Month, typer.Option("--from", parser=options.month, metavar="YYYY-MM", help="First month")],
    last: Annotated[Month, typer.Option("--to", parser=options.month, metavar="YYYY-MM", help="Last month")],
    card: Annotated[str, typer.Option(help="The card: an id or a .yaml file")] = "s2-a-core",
    calendar: Annotated[Path | None, typer.Option(help="Calendar of the profiles that were in force")] = None,
    against: Annotated[str, typer.Option(help="KPI that stands for satisfaction")] = "csat_mean",
    out: Annotated[Path, typer.Option(help="Directory for the report (.html, .csv); made where absent")] = Path(
        "scores"
    ),
    rows: Annotated[int, typer.Option(min=0, help="Lines of each table shown on the screen; the files have all")] = 30,
) -> None:
    """Each item's correlation with satisfaction, items that separate nobody, targets that fit, sites and teams compared."""
    operation: Operation = ctx.obj
    try:
        the_card = find(card)
        seasons = load_calendar(calendar) if calendar else ()
        scored, satisfied, rosters = [], [], []
        for month in months(first, last):
            facts, roster = list(period_facts(operation, [the_card], month)), operation.roster(month.last)
            if not facts:
                continue
            scored.append(runs.run(the_card, month, facts, operation.policy, roster, seasons=seasons))
            satisfied.append(satisfaction(facts, month, operation.policy, against))
            rosters.append(roster)
        if not scored:
            stop(f"no agent has facts from {first} to {last}; {months_there_are(operation)}")
        told = report(review(scored, satisfied, against, rosters))
    except ValueError as error:
        stop(str(error))
    console().print(told.screen(rows))
    write_report(told, out, f"review-{the_card.id}-{first}-{last}")
