"""``deskpulse signs``: what people may want to look at and ask about. It scores nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from streams.commands.shared.aggregates import SumsOf, bounds_and_sums, matured
from streams.commands.shared.context import Broker, PolicyFile, Prefix, deployment
from streams.commands.shared.facts_source import From, MappingFile, OneMonth, RosterFile, Source, Tables, To, period
from streams.commands.shared.people import IdsOnly, Team, called, days_of_agents
from streams.contracts.outputs import DailyFacts
from streams.kpi.compare import difference_said
from streams.kpi.gaming_indicators import INVITED, SIGNS, Finding, Halves, Seen, look, unwatched
from streams.kpi.labels import both, said
from streams.kpi.spec import Kpi
from streams.languages.text import Text
from streams.people.names import Names

_WIDTH = 140
_FIRST_HALF, _OTHERS = Text("前半周期", "the first half"), Text("其他成员", "the others")


def signs(
    ctx: typer.Context,
    team: Team = None,
    month: OneMonth = None,
    first: From = None,
    last: To = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the signs that are not raised")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON")] = False,
    tables: Tables = None,
    mapping: MappingFile = None,
    roster: RosterFile = None,
    ids: IdsOnly = False,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Signs that figures are being worked on instead of customers: for people to look at and ask about, never scored.

    Each agent is held against the rest of the team, or their change from the
    first half of the period to the second against the team's change. Of teams
    whose members do the same work honestly, one in twenty sees a given sign in a
    period, at most. A sign proves nothing: each names what else it may be. Talk
    to the agent before you think ill of them.
    """
    when = period(None, month, first, last)
    source = Source(deployment(ctx, broker=broker, prefix=prefix, policy_file=policy), tables, mapping, roster)
    people = days_of_agents(source, when, team)
    middle = _middle(people.values())
    judge = source.operation.policy
    bound_of, sums_of = bounds_and_sums(judge, people)

    def days_of(kpi: Kpi) -> dict[str, Halves]:
        ripe = matured(kpi, judge, people, source.as_of)
        if kpi is INVITED:
            ripe = _counted(ripe)
        return {who: _halves(own, middle, sums_of) for who, own in ripe.items()}

    found = look(days_of, bound_of)
    raised = [finding for finding in found if finding.raised]
    shown = found if everything else raised
    if as_json:
        told = {"period": str(when), "team": team, "signs": [*map(_plain, shown)]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        console = _console()
        console.print(
            f"{when}, {team or 'all'}: {len(people)} 人 · agents. 仅供查看和询问，不参与计分 · to look at and ask about, never scored"
        )
        _print(console, shown, called(source.operation, ids))
        if not raised:
            console.print("\n没有异常迹象 · no sign is raised")
        if silent := ", ".join(sign.id for sign in unwatched()):
            console.print(f"\n未观察（目录中没有其指标）· not watched, as their KPIs are not computed: {silent}")
    source.end()


def _counted(people: Mapping[str, Sequence[DailyFacts]]) -> Mapping[str, Sequence[DailyFacts]]:
    """The days on which contacts invited were counted: earlier versions counted invitations alone, up to some hour of the first."""
    days = [day for own in people.values() for day in own]
    first = min((day.date for day in days if "contacts_invited" in day.sums), default=None)
    if first is None or not any(day.date < first and "surveys_invited" in day.sums for day in days):
        return people
    return {who: [day for day in own if day.date > first] for who, own in people.items()}


def _middle(people: Iterable[Sequence[DailyFacts]]) -> date:
    """The first day of the second half of the time that these days take."""
    days = {day.date for own in people for day in own}
    return min(days) + timedelta(days=((max(days) - min(days)).days + 1) // 2)


def _halves(own: Sequence[DailyFacts], middle: date, sums_of: SumsOf) -> Halves:
    return [sums_of([day]) for day in own if day.date < middle], [sums_of([day]) for day in own if day.date >= middle]


def _print(console: Console, findings: Sequence[Finding], names: Names) -> None:
    for sign in SIGNS:
        own = [finding for finding in findings if finding.sign is sign]
        if not own:
            continue
        console.print(f"\n{both(sign.name)}")
        against = _FIRST_HALF if sign.over_time else _OTHERS
        for finding in own:
            who = names.beside(finding.who) + ("" if finding.raised else " (–)")
            console.print(f"  {who}: {'; '.join(_line(seen, against, sign.over_time) for seen in finding.seen)}")
        console.print(f"  查看：{both(sign.look)}")
        console.print(f"  也可能是：{sign.innocent.zh} · It may also be: {sign.innocent.en}")


_BEYOND = Text("与其他成员的变化相差", "beside the others' change")


def _line(seen: Seen, against: Text, over_time: bool) -> str:
    unit = seen.kpi.unit
    own, other = said(unit, seen.own.value), said(unit, seen.against.value)
    beside = f"{_BEYOND.zh} {_BEYOND.en} " if over_time else ""
    gap = f", {beside}{difference_said(unit, seen.difference)}" if seen.difference else ""
    return f"{seen.kpi.zh} {seen.kpi.id} {own} (n {seen.own.n}); {against.zh} {against.en} {other} (n {seen.against.n}){gap}"


def _plain(finding: Finding) -> dict[str, Any]:
    sign = finding.sign
    return {
        "sign": sign.id,
        "agent": finding.who,
        "raised": finding.raised,
        **sign.name.fields(),
        **sign.look.fields("look"),
        **sign.innocent.fields("innocent"),
        "against": "own first half, beside the others' change" if sign.over_time else "the others",
        "seen": [
            {
                "kpi": seen.kpi.id,
                "value": seen.own.value,
                "n": seen.own.n,
                "against": {"value": seen.against.value, "n": seen.against.n},
                "difference": seen.difference
                and {"value": seen.difference.value, "low": seen.difference.low, "high": seen.difference.high},
                "adjusted_p": seen.adjusted,
            }
            for seen in finding.seen
        ],
    }


def _console() -> Console:
    made = Console(markup=False, highlight=False)
    return made if made.is_terminal else Console(markup=False, highlight=False, width=_WIDTH)
