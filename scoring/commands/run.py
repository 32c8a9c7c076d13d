"""``deskpulse score prepare, review, approve, publish, status, show, verify, reopen, audit``: a run's way to HR."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from scoring.cards.load import find
from scoring.cards.model import Evaluator
from scoring.cards.profile_calendar import load_calendar
from scoring.commands.options import (
    AsJson,
    AsOf,
    By,
    CalendarFile,
    CardName,
    HowIncomplete,
    IdsOnly,
    OutcomesFile,
    PeriodOption,
    Pools,
    actor,
    pairs,
    period,
    pools,
    settings_of,
)
from scoring.commands.output import as_json, clear, moment, row, show, stop, table
from scoring.period import Period
from scoring.rounding import NONE, cents
from scoring.runs.canonical_json import written
from scoring.runs.jsonl import Document
from scoring.runs.outcome_inputs import Incomplete
from scoring.runs.result import Difference
from scoring.store.audit import broken, entries
from scoring.store.runs import (
    RunRecord,
    all_revisions,
    all_runs,
    card_of,
    find_run,
    result_of,
    revision_of,
)
from scoring.workflow import lifecycle
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.preparing import Rules, prepare_run
from scoring.workflow.promotions import promotions as ways
from streams.languages.translation import tell
from streams.people.names import Names

Person = Annotated[str, typer.Argument(metavar="PERSON", help="Whose sheet")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail")]
Revision = Annotated[int | None, typer.Option(min=1, help="A revision; the newest where left out")]
CardId = Annotated[str | None, typer.Argument(metavar="[CARD]", help="Only this card")]
SomePeriod = Annotated[
    Period | None, typer.Option("--period", parser=period, metavar="PERIOD", help="Only this period")
]


def prepare(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    by: By,
    calendar: CalendarFile = None,
    outcomes: OutcomesFile = None,
    pool: Pools = None,
    incomplete: HowIncomplete = Incomplete.unscored,
    as_of: AsOf = None,
    json_: AsJson = False,
) -> None:
    """Freeze a period as it stands: facts, roster, inputs, card, KPI and policy versions, as of when it was judged what had
    matured, and what comes of them.

    The first step; `review` and `approve` follow. It may be done again until approval, when facts or inputs have changed,
    and then shows what moved. The same input gives the same bytes.

    What matures late, such as first-contact resolution, goes by `unmatured` of the outcome rules: `told`, `wait`, or `shift`, which
    takes it of as many days earlier, so that a month closes on time and leaves nothing out.
    """
    operation: Operation = ctx.obj
    with clear():
        one, rules = find(card), settings_of(outcomes)
        seasons = load_calendar(calendar) if calendar else ()
        by_what = Rules(rules, seasons, pools(pool, rules), incomplete)
        ready = prepare_run(operation, one, when, by_what, names(operation).author(by), as_of)
        called = names(operation)
    _tell(ready.prepared, "prepared", called, json_)
    if ready.not_kept:
        tell(f"note: the contacts behind the figures are not kept as they are now: {ready.not_kept}", err=True)
    if not json_:
        for note in ready.notes:
            tell(f"note: {note}")
        tell(f"next: deskpulse score status {one.id} --period {when} shows whose turn it is")


def review(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Person,
    column: Annotated[
        str, typer.Option("--as", metavar="COLUMN", help="Column of the form: self, superior, reviewer, …")
    ],
    by: By,
    ratings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ITEM=RATING]…", help="Points or levels; ITEM.pick=4 where a level leaves a choice"),
    ] = None,
    absent: Annotated[str | None, typer.Option(help="Pass the column over, and why")] = None,
) -> None:
    """Sign one column of a person's sheet, in the form's own order, with ratings or without.

    Example: `deskpulse score review s4-b-cs-supervisor-scale --period 2026-03 anna --as self --by anna B1=8`.
    """
    operation: Operation = ctx.obj
    with clear():
        values = pairs(ratings, "ITEM=RATING, like B1=8")
        with store(operation) as database, database.write() as connection:
            id = card_id(card)
            lifecycle.review(connection, id, str(when), person, column, values, actor(operation, by), absent)
            run = find_run(connection, id, str(when))
            own = lifecycle.signatures(connection, run)[person]
            due = lifecycle.turn(card_of(connection, run), own)
    tell(
        f"signed: {column} of {person}; next is {due.id} ({due.name.zh})"
        if due
        else f"signed: {column} of {person}; the sheet is reviewed"
    )


def approve(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    by: By,
    unreviewed: Annotated[
        str | None, typer.Option(metavar="REASON", help="Approve although sheets are unsigned, and why")
    ] = None,
    despite: Annotated[
        str | None, typer.Option(metavar="REASON", help="Approve although people object to their sheets, and why")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Approve a reviewed run: what the reviews brought is frozen with it, and nothing moves it any more but an appeal.

    Look at it first: `deskpulse score preview` shows every rating, signature and objection, and the totals as they would be.
    """
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        made = lifecycle.approve(connection, card_id(card), str(when), actor(operation, by), unreviewed, despite)
        called = names(operation)
    _tell(made, "approved", called, json_)


def reopen(ctx: typer.Context, card: CardName, when: PeriodOption, by: By, reason: Reason) -> None:
    """Take an approval back, as long as nothing was published."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        lifecycle.reopen(connection, card_id(card), str(when), reason, actor(operation, by))
    tell(f"the run of {card} in {when} is open for review again")


def publish(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    by: By,
    again: Annotated[
        bool, typer.Option("--again", help="Send what is published already once more; the same keys change nothing")
    ] = False,
) -> None:
    """Put the approved revision on the topic `scores`. Doing it twice sends nothing twice."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.write() as connection:
        run, sent = lifecycle.publish(
            connection, card_id(card), str(when), actor(operation, by), operation.publish_scores, again
        )
    if sent:
        tell(f"published: revision {run.published} of {run.card} {run.period}, {sent} scores")
    else:
        tell(
            f"revision {run.published} of {run.card} {run.period} is published already; nothing was sent (--again sends it)"
        )


def status(
    ctx: typer.Context, card: CardId = None, when: SomePeriod = None, ids: IdsOnly = False, json_: AsJson = False
) -> None:
    """Where runs stand; of one run also whose turn it is on each sheet, and its revisions."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        found = list(all_runs(connection, card_id(card) if card else None, str(when) if when else None))
        if json_:
            as_json(found)
            return
        if not found:
            tell("no run; `deskpulse score prepare CARD --period PERIOD --by NAME` makes one")
            return
        made = table(
            "评分卡 Card", "考核周期 Period", "状态 State", "修订版 Revision", "已发布 Published", "待签 Unsigned"
        )
        for run in found:
            due = _due(connection, run)
            left = sum(1 for one in due.values() if one is not None)
            row(made, run.card, run.period, run.state, run.revision, run.published, f"{left} of {len(due)}")
        show(made)
        if len(found) == 1:
            called = names(operation, ids)
            show(_sheets(connection, found[0], called, operation.policy.zone))
            show(_history(connection, found[0], called, operation.policy.zone))


def _due(connection: Connection, run: RunRecord) -> dict[str, Evaluator | None]:
    """Person → whose turn it is on their sheet; None: all have signed."""
    signed, form = lifecycle.signatures(connection, run), card_of(connection, run)
    return {one: lifecycle.turn(form, signed.get(one, {})) for one in lifecycle.people_of(connection, run)}


def _sheets(connection: Connection, run: RunRecord, called: Names, zone: tzinfo) -> Table:
    """Who has signed each person's sheet, and whose turn it is."""
    signed = lifecycle.signatures(connection, run)
    made = table("人员 Person", "已签 Signed", "轮到 Next")
    for person, turn in _due(connection, run).items():
        done = ", ".join(
            f"{one.column} ({one.absent or called.beside(one.author)}, {moment(one.at, zone)})"
            for one in signed.get(person, {}).values()
        )
        row(made, called.beside(person), done, turn and f"{turn.id} {turn.name.zh}")
    return made


def _history(connection: Connection, run: RunRecord, called: Names, zone: tzinfo) -> Table:
    made = table("修订版 Revision", "时间 Time", "由 By", "原因 Reason", "结果摘要 Result SHA-256")
    for each in all_revisions(connection, run):
        at = moment(each.at, zone)
        row(made, each.revision, at, called.beside(each.author), each.reason, each.result)
    return made


def show_(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="One person, item by item; everybody where left out")
    ] = None,
    revision: Revision = None,
    ids: IdsOnly = False,
    json_: AsJson = False,
) -> None:
    """The frozen result: everybody's totals and outcomes, or one person's items with figures, points and reasons."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        run = find_run(connection, card_id(card), str(when))
        result = result_of(connection, run, revision)
        frozen = revision_of(connection, run, revision or run.revision)
        called = names(operation, ids)
    one = result.person(person) if person is not None else None
    if person is not None and one is None:
        stop(f"{person!r} is not scored on {run.card} in {run.period}; `deskpulse score status` says who is")
    if json_:
        if one is None:
            typer.echo(written(result.whole()).decode())
        else:
            as_json({"score": one.score, "outcomes": one.outcome})
        return
    typer.echo(
        f"{run.card} v{result.head['card_version']} · {run.period} · revision {frozen.revision} ({frozen.reason}) · {run.state}"
    )
    if one is None:
        show(_everybody(result, called))
        return
    typer.echo(called.beside(one.person))
    items = table("考核指标 Item", "得分 Points", "满分 Max", "原因 Reason")
    for item in one.score["items"]:
        row(
            items,
            f"{item['id']} {item['name_zh']}",
            item["points"] and cents(Decimal(item["points"])),
            item["max"],
            f"{item['reason_zh']}\n{item['reason_en']}",
        )
    show(items)
    typer.echo(f"总分 total {one.score.get('total') or NONE} / {one.score['scored_max']}")


def promotions(
    ctx: typer.Context,
    card: CardName,
    when: PeriodOption,
    revision: Revision = None,
    ids: IdsOnly = False,
    json_: AsJson = False,
) -> None:
    """Who may be promoted by this run, and what everybody else lacks to the next post. Needs outcome rules with a ladder of posts."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        run = find_run(connection, card_id(card), str(when))
        found = ways(result_of(connection, run, revision))
        called = names(operation, ids)
    if json_:
        as_json(found)
        return
    made = table("人员 Person", "现岗位 Post", "下一岗位 Next post", "晋升资格 Eligible", "依据 Reason")
    for way in found:
        eligible = "是 yes" if way["eligible"] else "否 no"
        name, reason = way["next"]["name"], way["reason"]
        row(
            made,
            called.beside(way["person"]),
            way["level"],
            f"{name['zh']} {name['en']}",
            eligible,
            f"{reason['zh']}\n{reason['en']}",
        )
    show(made)


def _everybody(result: Document, called: Names) -> Table:
    """Totals and outcomes, a line a person."""
    made = table(
        "人员 Person",
        "总分 Total",
        "已评满分 Max scored",
        "排名 Rank",
        "等级 Grade",
        "应发金额 Money",
        "后续措施 Actions",
    )
    for each in result:
        score = each.score
        row(made, called.beside(score["person"]), score.get("total"), score["scored_max"], *decided(each.outcome))
    return made


def decided(outcome: Mapping[str, Any] | None) -> tuple[object, ...]:
    """Rank, grade, money and actions, as far as they were decided."""
    if outcome is None:
        return None, None, None, None
    standing, pay = outcome["standings"][0], outcome["pay"]
    actions = ", ".join(action["name"]["zh"] for action in outcome["actions"])
    return standing.get("rank"), standing.get("grade"), pay["money"] if pay else None, actions


def verify(ctx: typer.Context, card: CardName, when: PeriodOption, revision: Revision = None) -> None:
    """Compute a revision again from what is frozen: the same bytes, or exit code 1."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        run = find_run(connection, card_id(card), str(when))
        number = revision or run.revision
        if not lifecycle.verify(connection, run.card, run.period, number):
            raise ValueError(
                f"revision {number} computed again gives other bytes: this program scores otherwise than the one that froze it"
            )
        tell(f"revision {number}: the same bytes, SHA-256 {result_of(connection, run, number).lines.digest}")


def audit(ctx: typer.Context, card: CardId = None, when: SomePeriod = None, json_: AsJson = False) -> None:
    """Who did what when, and whether the trail is whole (exit code 1 where it is not)."""
    operation: Operation = ctx.obj
    with clear(), store(operation) as database, database.read() as connection:
        trail = list(entries(connection, card_id(card) if card else None, str(when) if when else None))
        if (at := broken(connection)) is not None:
            raise ValueError(
                f"the audit trail was tampered with at entry {at}; restore the database from a backup and compare"
            )
    if json_:
        as_json(trail)
        return
    made = table(
        "#", "时间 Time", "由 By", "操作 Action", "评分卡 Card", "考核周期 Period", "人员 Person", "详情 Detail"
    )
    for each in trail:
        detail = ", ".join(f"{name}: {value}" for name, value in each.detail.items() if value not in (None, {}, []))
        row(
            made,
            each.id,
            moment(each.at, operation.policy.zone),
            each.author,
            each.action,
            each.card,
            each.period,
            each.person,
            detail,
        )
    show(made)
    tell("the trail is whole: every entry fits the one before it")


def tell_differences(changes: Iterable[Difference], called: Names) -> None:
    """What moved, on the screen, with the names of whom it moved for."""
    made = table("人员 Person", "内容 What", "原 Before", "新 After")
    for change in changes:
        row(made, called.beside(change.person), change.what, change.before, change.after)
    show(made)


def _tell(made: lifecycle.Prepared, done: str, called: Names, json_: bool) -> None:
    run = made.run
    if json_:
        as_json({"card": run.card, "period": run.period, "state": run.state, "revision": run.revision, "people": made.people,
                 "new": made.new, "changes": made.changes, "unjudged": made.unjudged})  # fmt: skip
        return
    told = f"{done}: {run.card} {run.period}, revision {run.revision}, {made.people} people"
    tell(told if made.new else f"{told}, nothing has changed")
    if made.changes:
        tell_differences(made.changes, called)
    for young in made.unjudged:
        tell(f"note: {young.said()}")


def card_id(name: str) -> str:
    """The card's id: a file's is in it; a card of one's own that is stored already goes by its id too."""
    return find(name).id if Path(name).suffix in (".yaml", ".yml") else name
