"""``deskpulse score``: month-end scores from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scoring.cards.load import find
from scoring.cards.profile_calendar import load_calendar
from scoring.commands import options
from scoring.commands.appeal import appeal
from scoring.commands.close import close
from scoring.commands.database import database
from scoring.commands.days_off import days_off
from scoring.commands.explain import explain
from scoring.commands.files import files
from scoring.commands.inputs import import_, inputs, missing, template
from scoring.commands.options import (
    AsOf,
    CalendarFile,
    Formats,
    HowIncomplete,
    IdsOnly,
    Out,
    OutcomesFile,
    Pools,
    SheetFormats,
    SheetLanguage,
    pools,
    settings_of,
)
from scoring.commands.output import clear, show, stop
from scoring.commands.panels import panels
from scoring.commands.preview import agree, decide, object_, preview
from scoring.commands.push import push_command
from scoring.commands.review import review_command
from scoring.commands.run import approve, audit, prepare, promotions, publish, reopen, review, show_, status, verify
from scoring.commands.tokens import serve, token
from scoring.commands.what_if import what_if_command
from scoring.outcomes.terms import has_outcomes
from scoring.period import Month, Period
from scoring.reports.files import Spoken, write
from scoring.reports.json_report import earlier_totals
from scoring.reports.sheets import Context
from scoring.reports.signing import appeal_until
from scoring.reports.terminal_table import render
from scoring.runs.messages import to_messages
from scoring.runs.outcome_inputs import Incomplete
from scoring.runs.result import compute
from scoring.runs.run import Run
from scoring.store.runs import look_up
from scoring.workflow.gather import Operation, gather, names, remembered, store, units, without_facts
from scoring.workflow.preparing import months_there_are, why_nobody
from streams.languages.translation import tell

score = typer.Typer(no_args_is_help=True, help="Month-end scores from the daily facts.")


@score.callback()
def commands() -> None:
    """Month-end scores from the daily facts."""


score.command()(template)
score.command("import")(import_)
score.command()(missing)
score.command()(inputs)
score.command()(close)
for step in (prepare, review, preview, agree, decide, approve, publish, status, verify, reopen, audit):
    score.command()(step)
score.command("show")(show_)
score.command()(explain)
score.command()(promotions)
score.command("object")(object_)
score.command()(files)
score.add_typer(appeal, name="appeal")
score.add_typer(database, name="database")
score.add_typer(token, name="token")
score.add_typer(days_off, name="days-off")
score.add_typer(panels, name="360")
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
    out: Out = Path("scores"),
    formats: Formats = None,
    calendar: CalendarFile = None,
    sheets: SheetFormats = None,
    language: SheetLanguage = Spoken.both,
    ids: IdsOnly = False,
    outcomes: OutcomesFile = None,
    pool: Pools = None,
    incomplete: HowIncomplete = Incomplete.unscored,
    as_of: AsOf = None,
    rows: Annotated[int, typer.Option(min=0, help="People shown on the screen; the files have all")] = 50,
    publish: Annotated[
        bool,
        typer.Option(help="Put the scores on the topic `scores`, marked as not reviewed; never over approved ones"),
    ] = False,
) -> None:
    """Score everyone's month, or another period, on a card: table on the screen, and files.

    This is how a month stands. What HR goes by is prepared, reviewed, approved and then published: `deskpulse score prepare`,
    `score publish`. `--publish` puts it on the topic `scores` without that, and says so in each message (`reviewed: false`).

    What has matured, such as first contact resolution, is judged as of the day that it is where the operation is, as `score prepare`
    does; `--as-of` says another moment, and the files say which it was: the same facts as of the same moment give the same files.

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
            incomplete=incomplete, settings=rules if has_outcomes(when) else None, as_of=as_of,
        )  # fmt: skip
        materials = remembered(operation, materials)
        scored = compute(materials)
        result, decided, roster = scored.run, scored.outcomes, materials.roster
        called = names(operation, ids)
        before = earlier_totals(sorted(out.glob(f"{result.card.id}-*.json")), result.card.id) if sheets else {}
    if not result.people:
        stop(why_nobody(operation, result.card.id, when))
    if without_facts(materials):
        tell(f"note: no agent has facts in {when}, {months_there_are(operation)}; is it the right period?", err=True)
    show(render(result, rows, called))
    with clear():
        write(
            Context(
                result,
                decided,
                roster,
                before,
                names=called,
                units=units(operation),
                appeal=appeal_until(materials.settings.appeal_days if materials.settings else None, None),
            ),
            out,
            formats,
            sheets,
            language,
        )
    if publish:
        if without_facts(materials):
            stop(f"nothing was published: no agent has facts in {when}, {months_there_are(operation)}")
        with clear():
            _refuse_approved(operation, result.card.id, str(when))
        _publish(result, operation)


def _refuse_approved(operation: Operation, card: str, period: str) -> None:
    """Raises ValueError where a person has approved the scores of this card and period, here or where they were published."""
    with store(operation) as database:
        if database.exists and database.version()[0] is not None:
            with database.read() as connection:
                run = look_up(connection, card, period)
            if run is not None and run.state != "prepared":
                raise ValueError(
                    f"nothing was published: revision {run.revision} of {card} {period} is {run.state}; `deskpulse score publish "
                    f"{card} --period {period} --by NAME` gives it out, an appeal changes it"
                )
    if reviewed := sorted(score.person for score in operation.published_scores(card, period) if score.reviewed):
        raise ValueError(
            f"nothing was published: reviewed scores of {card} {period} stand on the topic `scores` ({len(reviewed)} people, first "
            f"{reviewed[0]}); what was approved is changed by an appeal, where it was approved"
        )


def _publish(result: Run, operation: Operation) -> None:
    scores = to_messages(result, reviewed=False)
    acknowledged = operation.publish_scores(scores)
    if acknowledged != len(scores):
        stop(
            f"the broker has acknowledged {acknowledged} of {len(scores)} scores; "
            "run the command again: the same scores under the same keys change nothing"
        )
    tell(f"published: {acknowledged} scores to the topic `scores`, marked as not reviewed")


score.command("what-if")(what_if_command)
score.command("quarterly")(review_command)
score.command("push")(push_command)
