"""``deskpulse score files``: workbook, CSV, JSON and sheets of a frozen run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer
from sqlalchemy import Connection

from scoring.commands.options import CardName, Formats, IdsOnly, Out, PeriodOption, SheetFormats, SheetLanguage
from scoring.commands.output import clear
from scoring.commands.run import Revision, card_id
from scoring.reports.files import Spoken, write
from scoring.reports.sheets import Context, Excluded
from scoring.reports.signing import appeal_until
from scoring.store.runs import RunRecord, find_run, recomputed, totals_before
from scoring.workflow import appeals
from scoring.workflow.gather import Operation, names, store, units
from scoring.workflow.lifecycle import published_on
from streams.languages.text import Text
from streams.languages.translation import tell
from streams.people.names import Names


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
        materials, result, _ = recomputed(connection, run, number)
        before = totals_before(connection, run.card, materials.period)
        called = names(operation, ids)
        left_out = excluded(connection, run, number, called)
        days = materials.settings.appeal_days if materials.settings else None
        appeal = appeal_until(days, published_on(connection, run, number, materials.policy.zone))
        context = Context(
            result.run, result.outcomes, materials.roster, before, left_out, called, units(operation), appeal
        )
    state = "published" if number == run.published else "not published"
    tell(f"{run.card} {run.period}, revision {number} ({state}), {len(result.run.people)} people")
    with clear():
        write(context, out, formats, sheets, language, number)


def excluded(connection: Connection, run: RunRecord, revision: int, called: Names) -> Mapping[str, list[Excluded]]:
    """Person → what accepted appeals up to a revision have left out of their figures, or put right, and why."""
    made: dict[str, list[Excluded]] = {}
    for one in appeals.all_appeals(connection, run):
        decision = one.decision
        if decision is None or decision.revision is None or decision.revision > revision:
            continue
        why = Text(
            f"申诉 {one.id}：{one.reason}；{called.shown(decision.author, 'zh')} 受理：{decision.reason}",
            f"appeal {one.id}: {one.reason}; accepted by {called.shown(decision.author, 'en')}: {decision.reason}",
        )
        made.setdefault(one.person, []).extend(Excluded(what, why) for what in _changes(one))
    return made


def _changes(appeal: appeals.Appeal) -> list[Text]:
    inputs = [
        Text(f"{item}.{field} 改为 {value or '撤回'}", f"{item}.{field} is now {value or 'taken back'}")
        for part in (appeal.changes["inputs"], appeal.decision.ratings if appeal.decision else {})
        for item, of in part.items()
        for field, value in of.items()
    ]
    counts = [
        Text(f"{day} {measure} {amount:+d}", f"{day} {measure} {amount:+d}")
        for day, of in sorted(appeal.changes["facts"].items())
        for measure, amount in of.items()
    ]
    return [*inputs, *counts, *_events(appeal)]


def _events(appeal: appeals.Appeal) -> list[Text]:
    """A line a contact: which of its events were taken out or put right."""
    contacts: dict[tuple[str, bool], list[str]] = {}
    for event in (appeal.changes.get("events") or {}).get("events", ()):
        out = event["type"].endswith(".retracted")
        contacts.setdefault((event["contact_id"], out), []).append(event["corrects"])
    return [
        Text(
            f"联络 {contact}：{'剔除' if out else '更正'}事件 {'、'.join(ids)}",
            f"contact {contact}: events {'left out' if out else 'put right'}: {', '.join(ids)}",
        )
        for (contact, out), ids in contacts.items()
    ]
