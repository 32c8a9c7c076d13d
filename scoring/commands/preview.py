"""``deskpulse score preview, agree, object, decide``: a run before it is approved, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Annotated, Any

import typer

from scoring.commands.options import AsJson, By, CardName, IdsOnly, PeriodOption, actor
from scoring.commands.output import as_json, clear, moment, row, show, stop, table
from scoring.commands.run import Person, Reason, card_id, decided, tell_differences
from scoring.rounding import NONE
from scoring.workflow import preview as previews
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.preview import Preview, Sheet
from streams.languages.translation import tell
from streams.people.names import Names


def preview(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="One sheet, item by item; everybody's where left out")
    ] = None,
    ids: IdsOnly = False,
    json_: AsJson = False,
) -> None:
    """The run as it would be if it were approved now, with every rating counted: totals, grades, who gave and signed what and when, what
    people object to, and what rests on too few cases. Nothing is frozen by looking.

    Look at it before `deskpulse score approve`.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        seen = previews.preview(connection, card_id(card), str(when))
        called = names(operation, ids)
    if person is None:
        if json_:
            as_json({"run": seen.run, "sheets": seen.sheets, "changes": seen.changes})
        else:
            _tell(seen, called, operation.policy.zone)
        return
    one = next((sheet for sheet in seen.sheets if sheet.person == person), None)
    if one is None:
        stop(f"{person!r} is not scored on {seen.run.card} in {seen.run.period}; `deskpulse score status` says who is")
    if json_:
        as_json(one)
    else:
        _tell_sheet(one, called, operation.policy.zone)


def agree(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    by: By,
    reason: Annotated[str | None, typer.Option("--reason", help="A remark, if any")] = None,
) -> None:
    """The person says that they agree with their sheet, once it is reviewed to the end and before it is approved."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        who = actor(operation, by)
        previews.says(connection, card_id(card), str(when), person, who, agreed=True, reason=reason)
    tell(f"{person} agrees with their sheet")


def object_(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    by: By,
    reason: Reason,
    evidence: Annotated[
        str | None, typer.Option("--evidence", help="What shows it: contacts, recordings, documents")
    ] = None,
) -> None:
    """The person objects to their sheet before it is approved; the approver is told, and whoever has rated may rate anew.

    They may agree later: what is said last counts.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        previews.says(
            connection, card_id(card), str(when), person, actor(operation, by), agreed=False, reason=reason, evidence=evidence
        )  # fmt: skip
    tell(f"{person} objects to their sheet; whoever approves is told")


def decide(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item whose figure rests on too few cases")],
    decision: Annotated[
        str,
        typer.Argument(
            metavar="count|neutral", help="count: it counts all the same; neutral: it moves the total neither way"
        ),
    ],
    by: By,
    reason: Reason,
) -> None:
    """Decide of a figure that rests on too few cases whether it counts. Until somebody does, its item is unscored.

    Example: `deskpulse score decide s2-a-core --period 2026-03 anna csat neutral --by sue --reason "three ratings only"`.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        previews.decide_few(
            connection, card_id(card), str(when), person, item, decision, reason, actor(operation, by)
        )  # fmt: skip
    tell(f"decided: {item} of {person}: {decision.strip().lower()}")


def _tell(seen: Preview, called: Names, zone: tzinfo) -> None:
    """Everybody on the screen, and what the approver has to know."""
    run, state = seen.run, "as it would be" if seen.run.state == "prepared" else seen.run.state
    typer.echo(f"{run.card} · {run.period} · revision {run.revision}, {state}")
    standing = ("总分 Total", "已评满分 Max scored", "排名 Rank", "等级 Grade", "应发金额 Money")
    made = table("人员 Person", *standing, "评分 Ratings", "已签 Signed", "本人意见 Says")
    for one in seen.sheets:
        rank, grade, money, _ = decided(one.outcome)
        row(
            made, called.beside(one.person), one.score.get("total"), one.score["scored_max"], rank, grade, money,
            _ratings(one, called), _signed(one, called, zone), _said(one, zone),
        )  # fmt: skip
    show(made)
    for line in _notes(seen, called, zone):
        tell(line)
    if seen.changes:
        tell("what differs from what was prepared:")
        tell_differences(seen.changes, called)


def _notes(seen: Preview, called: Names, zone: tzinfo) -> Iterator[str]:
    """What the approver has to know, a line each."""
    of = len(seen.sheets)
    for said in seen.objections:
        evidence = f"; evidence: {said.evidence}" if said.evidence else ""
        yield f"objection of {called.beside(said.person)}, {moment(said.at, zone)}: {said.reason}{evidence}"
    if open_ := sum(1 for one in seen.sheets if one.next is not None):
        yield f"{open_} of {of} sheets are not reviewed to the end"
    if silent := sum(1 for one in seen.sheets if one.says is None):
        yield f"{silent} of {of} people have not said whether they agree"
    if changed := [called.beside(one.person) for one in seen.sheets if one.changed]:
        yield f"changed since they said so: {', '.join(changed)}"
    for one in seen.sheets:
        if few := one.too_few:
            yield f"too few cases, not decided: {called.beside(one.person)}: {', '.join(few)} (`deskpulse score decide`)"


def _tell_sheet(one: Sheet, called: Names, zone: tzinfo) -> None:
    """One sheet, item by item."""
    typer.echo(called.beside(one.person))
    items = table("考核指标 Item", "得分 Points", "满分 Max", "评分 Ratings", "原因 Reason")
    for item in one.score["items"]:
        given = "\n".join(
            f"{each.field} {each.value} ({called.beside(each.author)}, {moment(each.at, zone)})" + (f": {each.note}" if each.note else "")
            for each in one.given
            if each.item == item["id"]
        )  # fmt: skip
        reason = f"{item['reason_zh']}\n{item['reason_en']}"
        row(items, f"{item['id']} {item['name_zh']}", item["points"], item["max"], given, reason)
    show(items)
    typer.echo(f"总分 total {one.score.get('total') or NONE} / {one.score['scored_max']}")
    typer.echo(f"已签 signed: {_signed(one, called, zone) or NONE}; 轮到 next: {one.next or NONE}")
    typer.echo(f"本人意见 says: {_said(one, zone) or NONE}")
    if one.outcome:
        _tell_standing(one.outcome)


def _tell_standing(outcome: Mapping[str, Any]) -> None:
    placed = outcome["standings"][0]["placed"]
    typer.echo(f"{placed['zh']}\n{placed['en']}")


def _ratings(one: Sheet, called: Names) -> str:
    """Ratings and what else was handed in for their items, and by whom."""
    return "\n".join(f"{each.item} {each.field} {each.value} ({called.beside(each.author)})" for each in one.given)


def _signed(one: Sheet, called: Names, zone: tzinfo) -> str:
    return "\n".join(
        f"{each.column} {called.beside(each.author)} {moment(each.at, zone)}"
        + (f": {each.absent}" if each.absent else "")
        for each in one.signed
    )


def _said(one: Sheet, zone: tzinfo) -> str:
    if one.says is None:
        return ""
    said = "同意 agrees" if one.says.agreed else f"异议 objects: {one.says.reason}"
    return f"{said} {moment(one.says.at, zone)}" + ("（此后有变动 changed since）" if one.changed else "")
