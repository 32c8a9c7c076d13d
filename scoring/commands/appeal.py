"""``deskpulse score appeal``: objections to published results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from scoring.commands.options import AsJson, By, CardName, IdsOnly, PeriodOption, actor, pairs
from scoring.commands.output import as_json, clear, moment, row, show, table
from scoring.commands.run import Person, Reason, card_id, tell_differences
from scoring.runs.result import Difference
from scoring.workflow import appeals
from scoring.workflow.amendments import Amendment, amendment
from scoring.workflow.gather import Operation, names, store
from streams.kpi.policy.versions import AnyPolicy
from streams.languages.translation import tell
from streams.people.names import Names

appeal = typer.Typer(no_args_is_help=True, help="Appeals: open, look at the difference, accept or refuse.")
Id = Annotated[int, typer.Argument(metavar="ID", help="Number of the appeal")]
Rate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ITEM=RATING",
        help="The new rating of an item that people rate, by whoever decides; ITEM.pick=4 where a level leaves a choice, ITEM.RATER=80 "
        "where several raters are blended; repeat for several",
    ),
]


@appeal.callback()
def commands() -> None:
    """Appeals: open, look at the difference, accept or refuse."""


@appeal.command("open")
def open_(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    item: Annotated[list[str], typer.Option("--item", help="Item that the appeal points at; repeat for several")],
    reason: Reason,
    by: By,
    correct: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM.FIELD=VALUE", help="An input as it should be; `none` takes it back"),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="DATE.MEASURE=-N", help="What to take out of a day's counts, or to add")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Events of the contacts concerned as recorded, a JSON object a line")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="CONTACT[/EVENT]", help="A contact of --events, or one event of it, that is not to count"),
    ] = None,
    amend: Annotated[
        Path | None, typer.Option(help="*.corrected and *.retracted events for those of --events, a JSON object a line")
    ] = None,
    late: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help="Why HR takes an appeal after the last day that stands on the sheet; kept with it"
        ),
    ] = None,
) -> None:
    """File an appeal against items of a published result, and show what it would change.

    Examples: `--item exam --correct exam.value=88`; `--item csat --events c17.jsonl --without c17/e9`;
    `--item csat --exclude 2026-03-17.csat_ratings=-1`.
    """
    operation: Operation = ctx.obj
    with clear():
        corrections = {
            name: None if text.lower() == "none" else text for name, text in pairs(correct, "ITEM.FIELD=VALUE").items()
        }
        exclusions = _whole(pairs(exclude, "DATE.MEASURE=-1, like 2026-03-17.csat_ratings=-1"))
        with store(operation) as database, database.write() as connection:
            made = appeals.open_appeal(
                connection,
                card_id(card),
                str(when),
                person,
                item,
                reason,
                actor(operation, by),
                corrections,
                exclusions,
                _amended(operation, events, without or (), amend),
                late,
            )
            changes = appeals.difference(connection, made)
            called = names(operation)
    tell(f"appeal {made.id} of {called.beside(person)} is open")
    _would(changes, called)


@appeal.command("list")
def list_(ctx: typer.Context, ids: IdsOnly = False, json_: AsJson = False) -> None:
    """All appeals and what was decided."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        found = appeals.all_appeals(connection)
        called = names(operation, ids)
    if json_:
        as_json(found)
        return
    made = table("#", "评分卡 Card", "考核周期 Period", "人员 Person", "考核指标 Items", "理由 Reason", "决定 Decision")
    for one in found:
        said = (
            one.decision
            and f"{'accepted' if one.decision.accepted else 'refused'} by {called.beside(one.decision.author)}: {one.decision.reason}"
        )
        row(
            made,
            one.id,
            one.run.card,
            one.run.period,
            called.beside(one.person),
            ", ".join(one.items),
            one.reason,
            said or "open",
        )
    show(made)


@appeal.command("show")
def show_(ctx: typer.Context, id: Id, rate: Rate = None, ids: IdsOnly = False, json_: AsJson = False) -> None:
    """An appeal, and what accepting it would change for everybody; with --rate, if it were accepted with these ratings."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        one = appeals.appeal_of(connection, id)
        changes = [] if one.decision else appeals.difference(connection, one, pairs(rate, "ITEM=RATING, like B1=8"))
        called = names(operation, ids)
    if json_:
        as_json({"appeal": one, "changes": changes})
        return
    items, who = ", ".join(one.items), called.beside(one.person)
    tell(f"appeal {one.id}: {who}, {one.run.card} {one.run.period} revision {one.revision}, items {items}")
    tell(f"opened by {called.beside(one.author)}, {moment(one.at, operation.policy.zone)}: {one.reason}")
    if "late" in one.changes:
        tell(f"taken after the last day: {one.changes['late']}")
    if one.decision:
        who, when = called.beside(one.decision.author), moment(one.decision.at, operation.policy.zone)
        tell(
            f"accepted, revision {one.decision.revision}, by {who}, {when}: {one.decision.reason}"
            if one.decision.accepted
            else f"refused by {who}, {when}: {one.decision.reason}"
        )
    else:
        _would(changes, called)


@appeal.command()
def accept(
    ctx: typer.Context,
    id: Id,
    by: By,
    reason: Reason,
    rate: Rate = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Accept without being asked, where nobody sits at the screen")
    ] = False,
) -> None:
    """Accept an appeal: what that changes for everybody is shown first, then the run is amended by a new revision, which
    `deskpulse score publish` gives out.

    Where people rate, whoever decides gives the new rating: `deskpulse score appeal accept 1 --by boss --reason "…" --rate B1=8`. Who has
    rated before cannot decide.
    """
    operation: Operation = ctx.obj
    with clear():
        ratings = pairs(rate, "ITEM=RATING, like B1=8")
        with store(operation) as database, database.read() as connection:
            open_one = appeals.appeal_of(connection, id)
            shown = [] if open_one.decision else appeals.difference(connection, open_one, ratings)
            called = names(operation)
        if shown:
            _would(shown, called)
        if shown and not yes:
            typer.confirm("accept the appeal?", abort=True)
        with store(operation) as database, database.write() as connection:
            one, changes = appeals.decide(connection, id, True, reason, actor(operation, by), ratings)
    revision = one.decision.revision if one.decision else None
    tell(f"appeal {id} is accepted: revision {revision} of {one.run.card} {one.run.period}; publish it next")
    if changes != shown:
        tell("meanwhile something else has changed; accepting it has changed:")
        tell_differences(changes, called)


@appeal.command()
def refuse(ctx: typer.Context, id: Id, by: By, reason: Reason) -> None:
    """Refuse an appeal; the result stays."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        appeals.decide(connection, id, False, reason, actor(operation, by))
    tell(f"appeal {id} is refused")


def _amended(
    operation: Operation, events: Path | None, without: Sequence[str], amend: Path | None
) -> Callable[[AnyPolicy], Amendment] | None:
    if events is None:
        if without or amend:
            raise ValueError(
                "say with --events FILE what was recorded of the contacts that --without and --amend are about"
            )
        return None
    return lambda policy: amendment(
        events, without, amend, lambda raws, amendments: operation.effect(raws, amendments, policy)
    )


def _would(changes: list[Difference], called: Names) -> None:
    if changes:
        tell("accepting it would change:")
        tell_differences(changes, called)
    else:
        tell(
            "accepting it would change nothing: it names no correction, or one that moves no points; where people rate, whoever decides "
            "gives the new rating with --rate ITEM=RATING"
        )


def _whole(texts: dict[str, str]) -> dict[str, int]:
    made = {}
    for name, text in texts.items():
        try:
            made[name] = int(text)
        except ValueError:
            raise ValueError(f"{name}: {text!r} is no whole number; write it like -1") from None
    return made
