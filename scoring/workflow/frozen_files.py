"""A frozen run as HR's files have it: recomputed, with names as they are today, and what appeals have left out."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from scoring.reports.sheets import Context, Excluded
from scoring.reports.signing import appeal_until
from scoring.store.runs import RunRecord, recomputed, totals_before
from scoring.workflow import appeals
from scoring.workflow.gather import Operation, names, units
from scoring.workflow.lifecycle import published_on
from streams.languages.text import Text
from streams.people.names import Names


def context_of(operation: Operation, connection: Connection, run: RunRecord, number: int, ids: bool = False) -> Context:
    """What the files of a revision are made of. ``ids``: in place of names."""
    materials, result, _ = recomputed(connection, run, number)
    before = totals_before(connection, run.card, materials.period)
    called = names(operation, ids)
    left_out = excluded(connection, run, number, called)
    days = materials.settings.appeal_days if materials.settings else None
    appeal = appeal_until(days, published_on(connection, run, number, materials.policy.zone))
    return Context(result.run, result.outcomes, materials.roster, before, left_out, called, units(operation), appeal)


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
