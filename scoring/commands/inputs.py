"""``deskpulse score template, import, missing, inputs``: what people hand in for a period."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.cards.profile_calendar import in_force, load_calendar
from scoring.cards.sheet_weights import sheet_seasons
from scoring.commands.options import (
    AsJson,
    By,
    CalendarFile,
    CardName,
    OutcomesFile,
    PeriodOption,
    actor,
    period,
    settings_of,
)
from scoring.commands.output import as_json, clear, moment, row, show, table
from scoring.inputs.requirements import Need
from scoring.inputs.sheet import read_sheet
from scoring.inputs.template import template as sheet_of
from scoring.period import Period
from scoring.runs.canonical_json import plain
from scoring.store.inputs import handed, versions
from scoring.workflow.gather import Operation, beside_panels, handed_in, names, people, store
from scoring.workflow.import_sheet import take_sheet
from scoring.workflow.lifecycle import asked_of, lacking
from scoring.workflow.preparing import why_nobody
from streams.contracts.outputs import RosterEntry
from streams.languages.translation import tell

_People = dict[str, RosterEntry | None]


def template(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.xlsx", help="The workbook to write")],
    calendar: CalendarFile = None,
    outcomes: OutcomesFile = None,
) -> None:
    """Write the sheet that says what is needed and from whom: a row per person and figure.

    What was handed in before is filled in. Fill in the column `value`, then `deskpulse score import FILE --by NAME`.
    """
    operation: Operation = ctx.obj
    with clear():
        if out.suffix.lower() != ".xlsx":
            raise ValueError(f"{out}: the template is a workbook; name it .xlsx")
        one = find(card)
        known, asked = asked_in(operation, one, when, calendar, outcomes)
        given = handed_in(operation, one.id, when)
        numbers = {person: (entry.hr_number if entry else None) for person, entry in known.items()}
        wanted = {person: (numbers[person], asked[person]) for person in known}
        body = sheet_of(one, when, wanted, given, names(operation))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(body)
    tell(f"written: {out} ({len(known)} people, {sum(map(len, asked.values()))} figures)")


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX, as `deskpulse score template` writes it")],
    by: By,
    card: Annotated[
        str | None, typer.Option("--card", help="Where the file does not say it, or is a card of your own (.yaml)")
    ] = None,
    when: Annotated[
        Period | None,
        typer.Option(
            "--period", parser=period, metavar="PERIOD", help="Where the file does not say it; else both must agree"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only, keep nothing")] = False,
    json_: AsJson = False,
) -> None:
    """Take what people have filled in: all of the file, or nothing and every fault with row, column, person and item.

    A value that is there already changes nothing, so the same file may come twice; another value is a new version, and
    the old one is kept with its author and time. Columns: card, period, person or hr_number, item, field, value, remark.
    """
    operation: Operation = ctx.obj
    with clear():
        made = take_sheet(operation, read_sheet(file), actor(operation, by), card, when, keep=not dry_run)
    if json_:
        as_json(made)
    elif made.kept is None:
        tell(f"sound: {made.values} values of {made.people} people for {made.card} {made.period}; nothing was kept")
    else:
        counts = f"{made.kept.new} new, {made.kept.changed} changed, {made.kept.same} there already"
        tell(f"imported for {made.card} {made.period}: {counts}")


def missing(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    calendar: CalendarFile = None,
    outcomes: OutcomesFile = None,
    json_: AsJson = False,
) -> None:
    """What is still missing, per person, and who is to give it."""
    operation: Operation = ctx.obj
    with clear():
        one = find(card)
        _, asked = asked_in(operation, one, when, calendar, outcomes)
        left = lacking(asked, beside_panels(operation, one.id, when, handed_in(operation, one.id, when)))
    if json_:
        as_json({person: [plain(need) for need in own] for person, own in left.items()})
        return
    if not left:
        tell(f"nothing is missing: {len(asked)} people, {sum(map(len, asked.values()))} figures")
        return
    made = table("人员 Person", "考核指标 Item", "栏 Field", "由谁提供 From", "允许的值 Allowed")
    for person, own in left.items():
        for need in own:
            mark = "" if need.required else "（不计分 not scored）"
            row(made, person, f"{need.item} {need.name.zh} {need.name.en}", need.field + mark,
                f"{need.whom.zh} {need.whom.en}", f"{need.allowed.words.zh} · {need.allowed.words.en}")  # fmt: skip
    show(made)
    tell(f"{sum(map(len, left.values()))} values of {len(left)} of {len(asked)} people are missing")


def inputs(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Annotated[str | None, typer.Option(help="Only this person's")] = None,
    history: Annotated[bool, typer.Option(help="All versions, not only those in force")] = False,
    json_: AsJson = False,
) -> None:
    """What was handed in: value, version, author, time and file."""
    operation: Operation = ctx.obj
    with clear():
        one = find(card)
        with store(operation) as database, database.read() as connection:
            found = list(versions(connection, one.id, str(when), person))
            now = handed(connection, one.id, str(when))
    if not history:
        newest = {(one.person, one.item, one.field): one for one in found}
        found = [one for one in newest.values() if now.get(one.person, {}).get(one.item, {}).get(one.field) is not None]
    if json_:
        as_json(found)
        return
    made = table(
        "人员 Person",
        "考核指标 Item",
        "栏 Field",
        "数值 Value",
        "版本 Version",
        "录入人 Author",
        "时间 Time",
        "来源 Source",
    )
    for each in found:
        row(
            made,
            each.person,
            each.item,
            each.field,
            each.value,
            each.version,
            each.author,
            moment(each.at, operation.policy.zone),
            each.source,
        )
    show(made)


def asked_in(
    operation: Operation, card: Card, when: Period, calendar: Path | None, outcomes: Path | None
) -> tuple[_People, dict[str, list[Need]]]:
    """Who is scored, and person → what is needed of people for them. Raises ValueError where nobody is, or the card has no such period."""
    if when.kind not in card.periods:
        raise ValueError(f"{card.id} is scored by {' or '.join(card.periods)}, and {when} is a {when.kind}")
    due = card.at(when.kind)
    set_by_sheet = sheet_seasons(card, operation.targets(), when.first, when.last)
    weights = in_force(card, (*set_by_sheet, *(load_calendar(calendar) if calendar else ())), when)
    known = people(operation, card, when)
    if not known:
        raise ValueError(why_nobody(operation, card.id, when))
    return known, asked_of(due, when, settings_of(outcomes), known.items(), weights)
