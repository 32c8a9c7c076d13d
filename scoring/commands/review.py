"""``deskpulse score quarterly``: what past months tell about a card."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from scoring.analysis.coverage import uncovered
from scoring.analysis.review import review, satisfaction
from scoring.analysis.review_report import report
from scoring.cards.load import find
from scoring.cards.profile_calendar import load_calendar
from scoring.cards.sheet_weights import sheet_seasons
from scoring.commands import options
from scoring.commands.options import AsOf, CalendarFile, months
from scoring.commands.output import clear, show, stop
from scoring.commands.what_if import write_report
from scoring.period import Month
from scoring.runs.run import run
from scoring.runs.snapshot import as_given
from scoring.workflow.gather import Operation, handed_in, judged_at, period_facts, units
from scoring.workflow.preparing import months_there_are
from streams.languages.translation import tell


def review_command(
    ctx: typer.Context,
    first: Annotated[Month, typer.Option("--from", parser=options.month, metavar="YYYY-MM", help="First month")],
    last: Annotated[Month, typer.Option("--to", parser=options.month, metavar="YYYY-MM", help="Last month")],
    card: Annotated[str, typer.Option(help="The card: an id or a .yaml file")] = "s2-a-core",
    calendar: CalendarFile = None,
    against: Annotated[str, typer.Option(help="KPI that stands for satisfaction")] = "csat_mean",
    as_of: AsOf = None,
    out: Annotated[Path, typer.Option(help="Directory for the report (.html, .csv); made where absent")] = Path(
        "scores"
    ),
    rows: Annotated[int, typer.Option(min=0, help="Lines of each table shown on the screen; the files have all")] = 30,
) -> None:
    """Each item's correlation with satisfaction, items that separate nobody, targets that fit, sites and teams compared.

    Takes what was imported for the months.
    """
    operation: Operation = ctx.obj
    seen: Counter[str] = Counter()
    with clear():
        the_card = find(card)
        scored, satisfied, rosters = [], [], []
        at, aims, span = judged_at(operation, as_of), operation.targets(), months(first, last)
        set_by_sheet = sheet_seasons(the_card, aims, span[0].first, span[-1].last)
        seasons = (*set_by_sheet, *(load_calendar(calendar) if calendar else ()))
        for month in span:
            facts, roster = list(period_facts(operation, [the_card], month)), operation.roster(month.last)
            inputs = as_given(the_card, handed_in(operation, the_card.id, month))
            if not facts and not inputs:
                continue
            scored.append(run(the_card, month, facts, operation.policy, roster, inputs, seasons, at, aims))
            satisfied.append(satisfaction(facts, month, operation.policy, against, at))
            rosters.append(roster)
            seen.update(uncovered(the_card, facts, {one.person for one in scored[-1].people}))
        if not scored:
            stop(f"no agent has facts from {first} to {last}; {months_there_are(operation)}")
        told = report(review(scored, satisfied, against, rosters), units(operation))
    show(told.screen(rows))
    for channel, count in seen.most_common():
        tell(
            f"note: {count:,} contacts on the channel {channel} from {first} to {last}, and no item of {the_card.id} scores a KPI of it: "
            "is the card of before that channel?"
        )
    write_report(told, out, f"review-{the_card.id}-{first}-{last}")
