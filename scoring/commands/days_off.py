"""``deskpulse score days-off``: what was granted, what was taken, and what is left."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from scoring.commands.options import AsJson, By, actor
from scoring.commands.output import as_json, clear, row, show, table
from scoring.commands.run import Reason
from scoring.rounding import shown
from scoring.workflow import days_off as ledger
from scoring.workflow.days_off import Account
from scoring.workflow.gather import Operation, names, store, today
from streams.languages.translation import said, tell

days_off = typer.Typer(
    no_args_is_help=True,
    help="Days off: granted by streaks when a run is published, or by hand; taken; left. Nothing is ever overwritten.",
)


@days_off.callback()
def commands() -> None:
    """Days off: granted by streaks when a run is published, or by hand; taken; left. Nothing is ever overwritten."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(said(f"{text!r} is no day: write it like 2026-04-15")) from error


def _days(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(said(f"{text!r} is no number of days: write it like 0.5")) from error


Whose = Annotated[str, typer.Argument(metavar="PERSON", help="Whose days off")]
Days = Annotated[Decimal, typer.Argument(parser=_days, metavar="DAYS", help="How many: 0.5, 1, 2.25")]
On = Annotated[date, typer.Option("--on", parser=_day, metavar="YYYY-MM-DD", help="The day")]
Entry = Annotated[
    int, typer.Argument(metavar="ENTRY", min=1, help="Number of the entry, as `days-off show PERSON` tells it")
]


@days_off.command("show")
def show_(
    ctx: typer.Context,
    person: Annotated[str | None, typer.Argument(metavar="[PERSON]", help="One person, entry by entry")] = None,
    on: Annotated[
        date | None,
        typer.Option("--on", parser=_day, metavar="YYYY-MM-DD", help="As of this day; today where left out"),
    ] = None,
    json_: AsJson = False,
) -> None:
    """What everybody has left, or one person's entries: granted, used, expired, left, and what expires next."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        day = on or today(operation)
        found = ledger.accounts(connection, day) if person is None else [ledger.account(connection, person, day)]
        called = names(operation)
    if json_:
        as_json(found if person is None else found[0])
        return
    made = table("人员 Person", "授予 Granted", "已用 Used", "过期 Expired", "剩余 Left", "下次过期 Expires next")
    for one in found:
        of = one.balance
        ending = of.next and f"{of.next[0]}: {shown(of.next[1])}"
        row(made, called.beside(one.person), *map(shown, (of.granted, of.used, of.expired, of.left)), ending)
    show(made)
    if person is not None:
        _entries(found[0])


def _entries(one: Account) -> None:
    made = table(
        "编号 Entry", "类型 Kind", "天数 Days", "日期 Day", "有效至 Until", "撤回 Of", "依据 Reason", "录入人 Author"
    )
    for each in one.entries:
        kind = {
            "granted": "授予 granted",
            "used": "使用 used",
            "withdrawn": "撤销 withdrawn",
            "cancelled": "取消 cancelled",
        }[each.kind]
        why = " · ".join(part for part in (each.card, each.run, each.reason) if part)
        row(made, each.id, kind, shown(each.days), each.day, each.expires, each.of, why, each.author)
    show(made)


@days_off.command()
def use(
    ctx: typer.Context,
    person: Whose,
    days: Days,
    on: On,
    by: By,
    reason: Annotated[str | None, typer.Option("--reason", help="A remark, if any")] = None,
) -> None:
    """Enter that somebody takes days off. What expires first is taken first; more than is left is refused.

    Example: `deskpulse score days-off use anna 0.5 --on 2026-04-15 --by sue`.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        made = ledger.use(connection, person, days, on, actor(operation, by), reason)
    _tell(made)


@days_off.command()
def grant(
    ctx: typer.Context,
    person: Whose,
    days: Days,
    on: On,
    by: By,
    reason: Reason,
    expires: Annotated[
        date | None,
        typer.Option(
            "--expires", parser=_day, metavar="YYYY-MM-DD", help="The last day to take them; without end where left out"
        ),
    ] = None,
) -> None:
    """Grant days off by hand: what somebody brings along, or a flexible benefit. What streaks grant is entered by `score publish`."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        made = ledger.grant(connection, person, days, on, actor(operation, by), reason, expires)
    _tell(made)


@days_off.command()
def cancel(ctx: typer.Context, entry: Entry, by: By, reason: Reason) -> None:
    """Take an entry back that somebody made by hand; the ledger keeps both."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        made = ledger.cancel(connection, entry, reason, actor(operation, by))
    _tell(made)


def _tell(made: Account) -> None:
    tell(f"{made.person} has {shown(made.balance.left)} days off left on {made.on}")
