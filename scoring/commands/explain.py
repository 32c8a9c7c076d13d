"""``deskpulse score explain``: from an item of a frozen score to the contacts behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from scoring.commands.options import AsJson, By, CardName, PeriodOption, actor
from scoring.commands.output import as_json, clear, row, show, table
from scoring.commands.run import Person, Revision, card_id
from scoring.rounding import NONE, cents
from scoring.workflow.contacts import explain as contacts_of
from scoring.workflow.contacts import item_figures, looked
from scoring.workflow.gather import Operation, store
from streams.contracts.frozen import Change, FrozenAnswer, FrozenLeftOut, FrozenLine
from streams.kpi.catalog import KPIS
from streams.kpi.explained import measure
from streams.kpi.labels import both, said
from streams.kpi.measures.measure import SCALE
from streams.languages.text import Text
from streams.languages.translation import tell


class Which(StrEnum):
    """Which contacts are listed."""

    all = "all"
    numerator = "numerator"
    rest = "rest"
    pending = "pending"
    changed = "changed"
    left_out = "left-out"


_PARTS = {
    "numerator": Text("计入分子", "in the numerator"),
    "rest": Text("只计入分母", "in the denominator only"),
    "pending": Text("观察期未满", "not matured yet"),
}
_HOW = {
    "changed": Text("此后有变动", "changed since"),
    "gone": Text("此后不再计入", "counts no more"),
    "new": Text("此后才计入", "counts since then only"),
}
_KINDS = {"interval": Text("坐席状态", "agent's time"), "appeal": Text("申诉调整", "changed by an appeal")}


def explain(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Which item of the score, by its id")],
    by: By,
    which: Annotated[
        Which,
        typer.Option(
            "--contacts", help="All that counted, a part of them, those that have changed since, or those left out"
        ),
    ] = Which.all,
    of: Annotated[
        str | None,
        typer.Option("--of", metavar="ENTITY", help="Of an item of a team's members: whose figure, like 'agent|anna'"),
    ] = None,
    before: Annotated[
        bool, typer.Option("--before", help="Of an item that looks back: the figure of the period before")
    ] = False,
    revision: Revision = None,
    most: Annotated[int, typer.Option("--rows", min=0, help="Contacts shown on the screen; --json has all")] = 50,
    json_: AsJson = False,
) -> None:
    """From the item of a frozen score to its contacts, as they were when its facts were frozen, and what has become of them since.

    Needs `deskpulse history`, and that it had read everything when the run was prepared. Whoever looks is written down, unless it is the
    person themselves.
    """
    operation: Operation = ctx.obj
    with clear():
        who = actor(operation, by)
        with store(operation) as database:
            with database.read() as connection:
                found = item_figures(connection, card_id(card), str(when), person, item, revision)
            figure = found.figure(of, before)
            answer = contacts_of(operation, found, figure)
            with database.write() as connection:
                looked(connection, found, figure, who)
    if json_:
        as_json(
            {
                "item": found.item,
                "revision": found.revision,
                "figure": answer,
                "figures": [one.entity for one in found.figures],
            }
        )
        return
    own = found.item
    typer.echo(
        f"{found.run.card} · {found.run.period} · revision {found.revision} · {person} · {own['id']} {own['name_zh']} {own['name_en']}"
    )
    typer.echo(
        f"{NONE if own['points'] is None else cents(Decimal(own['points']))} / {own['max']} · {own['reason_zh']} {own['reason_en']}"
    )
    _tell(answer, which, most, operation.policy.zone)
    if others := sorted({one.entity for one in found.figures} - {answer.entity}):
        tell(f"note: the item is the mean of several figures, the others by --of: {', '.join(others)}")


def _tell(answer: FrozenAnswer, which: Which, most: int, zone: tzinfo) -> None:
    unit = KPIS[answer.kpi].unit
    made = table(
        "时间 When",
        "联络 Contact",
        "坐席 Agent",
        "队列 Queue",
        "结果 Outcome",
        "数值 Value",
        "计入 Counts",
        "此后 Since",
    )
    lines = _listed(answer, which)
    for one in lines[:most]:
        told = one.told
        kind = "contact" if isinstance(one, FrozenLeftOut) else one.kind
        contact = (
            f"{told['channel']}:{told['contact_id']}"
            if "contact_id" in told
            else (both(_KINDS[kind]) if kind in _KINDS else NONE)
        )
        row(
            made, _when(one, zone), contact, told.get("agent"), told.get("queue"), told.get("outcome") or told.get("state"),
            None if isinstance(one, FrozenLeftOut) else said(unit, one.value),
            f"{one.reason_zh} {one.reason_en}" if isinstance(one, FrozenLeftOut) else both(_PARTS[one.part]),
            None if isinstance(one, FrozenLeftOut) else _since(one.since),
        )  # fmt: skip
    show(made)
    bottom = "" if answer.bottom is None else f" / {answer.bottom * answer.down}"
    made_of, shown = f"{answer.top * answer.up}{bottom}", f"{min(most, len(lines))} of {len(lines)}"
    tell(f"figure: {said(unit, answer.value)}, n {answer.n}: {made_of} in stored units; {shown} lines are shown")
    tell(_sum_said(answer))
    changed = sum(one.since is not None for one in answer.lines)
    tell(
        f"since then {changed} of {len(answer.lines)} have changed, and {len(answer.new)} count that did not: --contacts changed"
    )


def _listed(answer: FrozenAnswer, which: Which) -> Sequence[FrozenLine | FrozenLeftOut]:
    match which:
        case Which.left_out:
            return answer.left_out
        case Which.changed:
            return [*(one for one in answer.lines if one.since), *answer.new]
        case Which.all:
            return answer.lines
    return [one for one in answer.lines if one.part == which]


def _sum_said(answer: FrozenAnswer) -> str:
    """Do the contacts make the figure?"""
    if not answer.kept:
        if answer.adds_up:
            return "nobody kept the contacts when these facts were frozen: they are as they are now, and their sum is the figure"
        return "nobody kept the contacts when these facts were frozen: they are as they are now, and their sum is not the figure"
    if answer.adds_up:
        return "the sum of the contacts is the figure"
    listed, figure = f"{answer.listed[0]} / {answer.listed[1]}", f"{answer.top} / {answer.bottom or 0}"
    return (
        f"the contacts come to {listed}, the figure to {figure}: facts and contacts were not frozen at one moment, or the history keeps "
        "contacts for fewer days"
    )


def _when(one: FrozenLine | FrozenLeftOut, zone: tzinfo) -> str:
    at = one.told.get("arrived_at", one.told.get("since"))
    if at is None:
        return NONE if isinstance(one, FrozenLeftOut) else one.day.isoformat()
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone).isoformat(" ", "seconds")[:19]
    )


def _since(change: Change | None) -> str | None:
    """What has become of a contact."""
    if change is None:
        return None
    found = [
        f"{_measure(name)} {_amount(name, then)} → {_amount(name, now)}"
        for name, (then, now) in change.measures.items()
    ]
    found += [f"{name} {_field(then)} → {_field(now)}" for name, (then, now) in change.fields.items()]
    return "\n".join([both(_HOW[change.how]), *found])


def _measure(name: str) -> str:
    try:
        one = measure(name)
    except KeyError:
        return name
    return f"{one.name.zh} {one.name.en}"


def _amount(name: str, amount: int) -> str:
    try:
        return f"{amount / SCALE[measure(name).unit]:g}"
    except KeyError:
        return str(amount)


def _field(value: Any) -> str:
    return NONE if value is None else str(value)
