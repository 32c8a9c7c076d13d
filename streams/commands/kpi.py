"""``deskpulse kpi``: the catalogue, one KPI whole, and one value down to its sums."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from streams.catalogue.funnel import about, by_said, page, share_said
from streams.catalogue.page import write
from streams.commands.shared.aggregates import Summed, case_mix, compared, needed_by_stratum
from streams.commands.shared.contacts_table import Contacts, Which
from streams.commands.shared.context import Broker, Deployment, PolicyFile, Prefix, clear_errors, deployment, stop
from streams.commands.shared.facts_source import (
    AsOf,
    Days,
    From,
    MappingFile,
    OneDay,
    OneMonth,
    RosterFile,
    Source,
    Tables,
    To,
    period,
)
from streams.commands.shared.people import IdsOnly, Team, called, days_of_agents
from streams.contracts.outputs import ENTITY_KINDS, DailyFacts, EntityKind, Figure, entity, entity_id, entity_kind
from streams.kpi.as_of import moment_said
from streams.kpi.case_mix import Adjusted, CaseMix, adjusted_for_mix
from streams.kpi.catalog import AREAS, KPIS
from streams.kpi.compare import VERDICTS, Compared, difference_said
from streams.kpi.explained import SIDES, Explained, Part, described, explain, find, interval_of, measure, near
from streams.kpi.labels import AREAS as AREA_NAMES
from streams.kpi.labels import BETTER, INTERVALS, KINDS, NONE, both, interval_said, said
from streams.kpi.labels import SIDES as SIDE_NAMES
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound, Kpi, Side, side_of
from streams.languages.text import Text
from streams.languages.translation import language, tell
from streams.people.store import unit_names
from streams.people.units import UnitNames

kpi = typer.Typer(
    no_args_is_help=True, help="The KPI catalogue: what there is, what it means, where a value comes from."
)

#: Width of tables where the output is no terminal.
_WIDTH = 160

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a KPI, such as csat; `deskpulse kpi list` shows all")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON")]


@kpi.callback()
def kpi_commands() -> None:
    """The KPI catalogue: what there is, what it means, where a value comes from."""


@kpi.command("list")
def list_kpis(
    ctx: typer.Context,
    area: Annotated[str | None, typer.Option(help=f"Only this area: {', '.join(AREAS)}")] = None,
    unit: Annotated[str | None, typer.Option(help="Only KPIs in this unit, such as ratio or s")] = None,
    as_json: AsJson = False,
    policy: PolicyFile = None,
) -> None:
    """Every KPI: id, names, unit, formula."""
    chosen = _of(area, unit)
    in_force = _in_force(deployment(ctx, policy_file=policy))
    if as_json:
        _json([described(one, in_force) for one in chosen])
        return
    if not chosen:
        raise stop(f"no KPI of the area {area} is in {unit}")
    table = _table("id", "名称", "name", "unit", "公式", "formula")
    for one in chosen:
        names = named(one, in_force)
        table.add_row(one.id, names.name.zh, names.name.en, one.unit, names.formula.zh, names.formula.en)
    _console().print(table)


def _of(area: str | None, unit: str | None) -> list[Kpi]:
    """The KPIs of an area and in a unit; of all where it is None. Ends the command for one that there is not."""
    units = {one.unit for own in AREAS.values() for one in own}
    if area is not None and area not in AREAS:
        raise stop(f"no area is called {area!r}; {near(area, AREAS)}", 2)
    if unit is not None and unit not in units:
        raise stop(f"no KPI is in {unit!r}; {near(unit, sorted(units))}", 2)
    there = KPIS.values() if area is None else AREAS[area]
    return [one for one in there if unit in (None, one.unit)]


@kpi.command()
def show(ctx: typer.Context, id: Id, as_json: AsJson = False, policy: PolicyFile = None) -> None:
    """One KPI whole: names, formula, measures under the policy in force, what it needs, its traps."""
    with clear_errors():
        one = find(id)
    operation = deployment(ctx, policy_file=policy)
    if as_json:
        _json(described(one, _in_force(operation)))
        return
    table = _table("", "")
    for name, text in _told(one, _in_force(operation), operation.policy):
        table.add_row(name, text)
    table.show_header = False
    _console().print(table)


def _in_force(operation: Deployment) -> Policy:
    """The values in force today."""
    policy = operation.policy
    return policy.current(operation.now().astimezone(policy.zone).date())


def _told(one: Kpi, policy: Policy, every: AnyPolicy) -> Iterable[tuple[str, str]]:
    facts = described(one, policy)
    yield "id", f"{one.id} (v{one.version})"
    yield "name", f"{facts['zh']} · {facts['en']}"
    yield "area", f"{both(AREA_NAMES[facts['area']])}"
    yield "unit", f"{one.unit} ({both(KINDS[one.kind])}); {both(BETTER[one.better])}"
    yield "公式", facts["formula_zh"]
    yield "formula", facts["formula_en"]
    bounds = {side: one.bound(policy, side) for side in SIDES}
    yield from _sums_told(bounds)
    yield "interval", both(INTERVALS[interval_of(bounds["desk"])])
    yield "needs", ", ".join(one.needs)
    for since, values in versions(every):
        heading = _called(since, values, in_force=values == policy and values is not every)
        yield heading, _fields(described(one, values)["policy"]) or "does not depend on it"
    yield from ((name, str(facts[name])) for name in ("times", "matures", "only_mature") if name in facts)
    yield "注意", one.traps_zh or NONE
    yield "traps", one.traps or NONE
    if not one.scored:
        yield "scored", "仅供查看，不参与计分 · a sign to look at, never scored"


def _called(since: date | None, values: Policy, in_force: bool) -> str:
    """A version of the policy: ``policy 3 (from 2026-01-01, in force)``."""
    of = [f"from {since}"] if since else []
    of += ["in force"] if in_force else []
    return f"policy {values.version}" + (f" ({', '.join(of)})" if of else "")


def _sums_told(bounds: Mapping[Side, Bound]) -> Iterable[tuple[str, str]]:
    """What is divided by what, once where both sides do the same."""
    same = bounds["desk"].top == bounds["staff"].top and bounds["desk"].bottom == bounds["staff"].bottom
    for side in SIDES[: 1 if same else 2]:
        bound, mark = bounds[side], "" if same else f" ({both(SIDE_NAMES[side])})"
        yield f"top{mark}", _terms(bound.top)
        if bound.bottom is not None:
            yield f"bottom{mark}", _terms(bound.bottom) if bound.bottom else "无数据 · no data on this side"
        if bound.bottom and bound.base_bottom:
            yield f"base top{mark}", _terms(bound.base_top)
            yield f"base bottom{mark}", _terms(bound.base_bottom)


@kpi.command("explain")
def explain_value(
    ctx: typer.Context,
    id: Id,
    of: Annotated[str, typer.Option("--entity", help="Whose: agent:A17, team:T1, queue:q, site:s, or all")],
    day: OneDay = None,
    month: OneMonth = None,
    first: From = None,
    last: To = None,
    by_day: Annotated[bool, typer.Option("--by-day", help="Also a line a day")] = False,
    contacts: Annotated[
        Which | None,
        typer.Option(
            "--contacts",
            help="Also the contacts behind it, of the history: all, those in the numerator, the rest, those whose days have not "
            "matured, or those that are left out, with the reason",
        ),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=100_000, help="List so many contacts")] = 20,
    as_json: AsJson = False,
    tables: Tables = None,
    mapping: MappingFile = None,
    roster: RosterFile = None,
    as_of: AsOf = None,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """One value down to the sums it comes from: measures and their amounts, policy, interval, what is pending.

    Reads the daily facts of Kafka, or computes them from tables. The contacts
    are those of `deskpulse history`: their parts add up to the figure.
    """
    with clear_errors():
        one, who = find(id), as_entity(of)
    when = period(day, month, first, last)
    if contacts is not None and tables:
        raise stop(
            "--contacts reads the history, which has nothing of tables: leave out one of --contacts and --table", 2
        )
    source = Source(
        deployment(ctx, broker=broker, prefix=prefix, policy_file=policy), tables, mapping, roster, as_of=as_of
    )
    there = source.daily_facts(when, _kind(who))
    own = [fact for fact in there if fact.entity == who]
    if not own:
        raise stop(_nothing(who, when, there, source))
    found = _explained(one, who, own, source.operation.policy, source.as_of)
    days = (
        [(fact, _explained(one, who, [fact], source.operation.policy, source.as_of)) for fact in own] if by_day else []
    )
    with clear_errors():
        listed = None if contacts is None else Contacts(source.operation, one.id, who, when, contacts, most)
    if as_json:
        _json(
            _plain(found, str(when), len(own))
            | ({} if listed is None else {"contacts": listed.as_json()})
            | {"as_of": _as_of(source)}
            | ({"by_day": [{"date": fact.date.isoformat(), **_value(each)} for fact, each in days]} if days else {})
        )
        source.end()
        return
    console = _console()
    with clear_errors():
        units = unit_names(source.operation.database, source.operation.data_dir)
    console.print(_worked(found, when, own, source.operation.policy, _as_of(source), units))
    if days:
        console.print(_days(days))
    if listed is not None:
        table, below = listed.table()
        console.print(table)
        console.print(below)
    source.end()


@kpi.command("compare")
def compare_agents(
    ctx: typer.Context,
    id: Id,
    team: Team = None,
    day: OneDay = None,
    month: OneMonth = None,
    first: From = None,
    last: To = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Figures as they are only: the records of contacts are not read, which is faster"),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page, too: a funnel plot of the adjusted figures", dir_okay=False),
    ] = None,
    as_json: AsJson = False,
    tables: Tables = None,
    mapping: MappingFile = None,
    roster: RosterFile = None,
    as_of: AsOf = None,
    ids: IdsOnly = False,
    broker: Broker = None,
    prefix: Prefix = None,
    policy: PolicyFile = None,
) -> None:
    """Every agent beside the rest of the team: who differs, and of whom nobody can tell.

    A difference is said to be one only where chance, over so many agents,
    hardly makes it: false discovery rate 5 % (Benjamini and Hochberg).
    Agents who are given other work than the rest differ for that reason.
    So a second table holds each against what the others reach on the same
    work, by queue or topic as the policy says (`case_mix_by`).
    """
    with clear_errors():
        one = find(id)
    if raw and html is not None:
        raise stop("--html draws adjusted figures, which --raw leaves out: give one of them", 2)
    when = period(day, month, first, last)
    source = Source(
        deployment(ctx, broker=broker, prefix=prefix, policy_file=policy),
        tables,
        mapping,
        roster,
        as_of=as_of,
        records=not raw,
    )
    people = days_of_agents(source, when, team)
    with clear_errors():
        found = compared(one, source.operation.policy, people, source.as_of)
    found.sort(key=lambda each: (each.adjusted is None, each.adjusted, each.who))
    adjusted = None if raw else _Adjusted.of(one, source, when, people)
    if html is not None and adjusted is None:
        raise stop(f"{one.id} cannot be adjusted: it is not made of what contacts of a queue or topic count for", 2)
    names = called(source.operation, ids)
    named_so = named(one, source.operation.policy.current(when.last))
    of = f"{when}, {team or 'all'}, 截至 as of {_as_of(source) or NONE}"
    if html is not None and adjusted is not None:
        written = page(
            one,
            named_so.name,
            adjusted.mix,
            adjusted.compared,
            period=Text(
                f"{when}，{team or '全部坐席'}，截至 {_as_of(source) or NONE}",
                f"{when}, {team or 'all agents'}, as of {_as_of(source) or NONE}",
            ),
            by=adjusted.by,
            name=names.beside,
            language=language(),
        )
        with clear_errors():
            html.write_text(written, encoding="utf-8")
        tell(f"written: {html}", err=True)
    if as_json:
        _json(
            {
                "kpi": one.id,
                "period": str(when),
                "team": team,
                "as_of": _as_of(source),
                "compared": [_compared(each) for each in found],
                **({} if adjusted is None else {"adjusted": adjusted.as_json()}),
            }
        )
        source.end()
        return
    table = _table("坐席 agent", one.id, "n", "95 %", "其他人 the others", "差异（95%） difference", "结论", "verdict")
    for each in found:
        verdict = VERDICTS[each.verdict]
        table.add_row(
            names.beside(each.who),
            said(one.unit, each.own.value),
            str(each.own.n),
            interval_said(one.unit, each.own),
            f"{said(one.unit, each.rest.value)} (n {each.rest.n})",
            difference_said(one.unit, each.difference),
            verdict.zh,
            verdict.en,
        )
    console = _console()
    console.print(table)
    number = sum(each.difference is not None for each in found)
    console.print(f"{both(named_so.name)}, {of}: 共比较 {number} 人，错误发现率5% ·", end=" ")
    console.print(f"{number} compared, false discovery rate 5 %")
    if adjusted is not None:
        adjusted.tell(console, names.beside)
    source.end()


@dataclass(frozen=True)
class _Adjusted:
    """A comparison on the same work. ``by``: what strata are, as the policy has it on the period's last day."""

    kpi: Kpi
    mix: CaseMix
    compared: Sequence[Compared]
    by: str

    @classmethod
    def of(cls, one: Kpi, source: Source, when: Days, people: Mapping[str, Sequence[DailyFacts]]) -> _Adjusted | None:
        """None: the KPI cannot be adjusted."""
        policy = source.operation.policy
        with clear_errors():
            measures = needed_by_stratum(one, policy, people)
        if not measures:
            return None
        strata = source.strata(when, measures)
        with clear_errors():
            mix = case_mix(one, policy, people, strata, source.as_of)
        found = adjusted_for_mix(one, mix)
        found.sort(key=lambda each: (each.adjusted is None, each.adjusted, each.who))
        return cls(one, mix, found, policy.current(when.last).case_mix_by)

    def tell(self, console: Console, name: Callable[[str], str]) -> None:
        """The table, and in words what it is; or why there is none."""
        by = both(by_said(self.by))
        if not self.mix.strata:
            console.print(
                f"无法按工作构成调整：记录中没有{by} · not adjusted for the mix of work: no record tells a {by_said(self.by).en}"
            )
            return
        table = _table(
            "坐席 agent",
            "实际 as it is",
            "应达 expected",
            "差异（95%） difference",
            "调整后（95%） adjusted",
            "可比 alike",
            "结论",
            "verdict",
        )
        for each in self.compared:
            found, unit, verdict = self.mix.of(each.who), self.kpi.unit, VERDICTS[each.verdict]
            value = said(unit, found.adjusted.value)
            table.add_row(
                name(each.who),
                said(unit, found.figure.value),
                said(unit, found.expected.value),
                difference_said(unit, found.difference),
                value if found.adjusted.value is None else f"{value} ({interval_said(unit, found.adjusted)})",
                share_said(found),
                verdict.zh,
                verdict.en,
            )
        console.print()
        console.print(table)
        words = about(self.mix, self.by)
        console.print(words.zh)
        console.print(words.en)

    def as_json(self) -> dict[str, Any]:
        """The same, for programs."""
        return {
            "by": self.by,
            "strata": list(self.mix.strata),
            "share": self.mix.share,
            "people": [_adjusted(self.mix.of(each.who), each) for each in self.compared],
        }


def _adjusted(found: Adjusted, each: Compared) -> dict[str, Any]:
    gap = found.difference
    return {
        "agent": found.who,
        "value": found.figure.value,
        "n": found.figure.n,
        "reached": found.reached.value,
        "expected": found.expected.value,
        "compared_n": found.reached.n,
        "difference": gap and {"value": gap.value, "low": gap.low, "high": gap.high, "p": gap.p},
        "left": found.left,
        "adjusted": {"value": found.adjusted.value, "low": found.adjusted.low, "high": found.adjusted.high},
        "share": found.share,
        "adjusted_p": each.adjusted,
        "verdict": each.verdict,
    }


def _compared(each: Compared) -> dict[str, Any]:
    own, rest, found = each.own, each.rest, each.difference
    return {
        "agent": each.who,
        "value": own.value,
        "n": own.n,
        "low": own.low,
        "high": own.high,
        "others": {"value": rest.value, "n": rest.n, "low": rest.low, "high": rest.high},
        "difference": found and {"value": found.value, "low": found.low, "high": found.high, "p": found.p},
        "adjusted_p": each.adjusted,
        "verdict": each.verdict,
    }


@kpi.command()
def document(
    out: Annotated[Path, typer.Argument(help="Directory to write to; made where absent")],
) -> None:
    """Write the catalogue as a page in each language, with an example of each KPI worked out."""
    with clear_errors():
        out.mkdir(parents=True, exist_ok=True)
        for path in write(out):
            tell(f"written: {path}")


def _explained(one: Kpi, who: str, own: Sequence[DailyFacts], policy: AnyPolicy, now: datetime | None) -> Explained:
    found = Summed(one, policy, side_of(entity_kind(who)), own, now)
    return explain(one, who, found.sums, found.bound, found.policy, found.figure)


def as_entity(text: str) -> str:
    """An entity as it is typed: ``agent:A17`` or ``agent|A17``; ``all``. Raises ValueError that says what is wrong."""
    if text in ("all", "all|all", "all:all"):
        return entity("all", "all")
    cut = min((at for at in (text.find("|"), text.find(":")) if at >= 0), default=-1)
    kind, id = (text[:cut], text[cut + 1 :]) if cut >= 0 else (text, "")
    if kind not in ENTITY_KINDS:
        raise ValueError(f"{text!r} names no entity: write its kind first, like agent:A17; {near(kind, ENTITY_KINDS)}")
    if not id:
        raise ValueError(f"{text!r} names no {kind}: write its id behind it, like {kind}:A17")
    return f"{kind}|{id}"


def _kind(who: str) -> EntityKind:
    return next(kind for kind in ENTITY_KINDS if kind == entity_kind(who))


def _nothing(who: str, when: Days, there: Sequence[DailyFacts], source: Source) -> str:
    kind, id = entity_kind(who), entity_id(who)
    others = sorted({entity_id(fact.entity) for fact in there})
    if others:
        return f"no facts of the {kind} {id!r} in {when}; {near(id, others)}"
    anywhere = source.daily_facts(Days(when.first.min, when.last.max, ""), _kind(who))
    if not anywhere:
        return f"no facts of any {kind} at {source.place}"
    ends = min(fact.date for fact in anywhere), max(fact.date for fact in anywhere)
    return f"no facts of any {kind} in {when}; there are some from {ends[0]} to {ends[1]}"


def _as_of(source: Source) -> str | None:
    return None if source.as_of is None else moment_said(source.as_of)


def _worked(
    found: Explained, when: Days, own: Sequence[DailyFacts], policy: AnyPolicy, as_of: str | None, units: UnitNames
) -> Table:
    one = found.kpi
    table = _table("", "", "")
    table.show_header = False
    last = policy.current(max(day.date for day in own))
    names = named(one, last)
    table.add_row("KPI", f"{one.id} (v{one.version})", both(names.name))
    table.add_row("of", found.entity, f"{when}: {len(own)} {'day' if len(own) == 1 else 'days'} with facts")
    table.add_row("formula", names.formula.en, names.formula.zh)
    for name, amount, what in _sides(found):
        table.add_row(name, amount, what)
    table.add_row("value", said(one.unit, found.figure.value), _division(found))
    table.add_row("n", str(found.figure.n), "")
    for id, figure in found.apart.items():
        table.add_row(id, said(one.unit, figure.value), " · ".join([f"n {figure.n}", *_topic_of(id, units)]))
    table.add_row("interval", interval_said(one.unit, found.figure), both(INTERVALS[found.interval]))
    table.add_row("as of", as_of or NONE, "以此时刻判断观察期是否已满 · when it is judged what has matured")
    table.add_row("pending", str(found.pending), "观察期未满 · not matured yet" if found.pending else "")
    days = [day.date for day in own]
    for values in policy.between(min(days), max(days)):
        table.add_row(f"policy {values.version}", "", _fields(described(one, values)["policy"]) or NONE)
    return table


def _sides(found: Explained) -> Iterable[tuple[str, str, str]]:
    """What stands above and below, and of a change above and below its base: a line for each amount."""
    sides = {"top": found.top, "bottom": found.bottom}
    if found.base_bottom:
        sides |= {"base top": found.base_top, "base bottom": found.base_bottom}
    for name, parts in sides.items():
        for part in parts or ():
            yield name, _amount(part), f"{part.id}: {both(part.measure.name)}"
        if parts == ():
            yield name, "无数据 · no data on this side", ""


def _topic_of(id: str, units: UnitNames) -> Iterable[str]:
    """What the subject of ``<KPI>~<topic>`` is called, where it has a name."""
    topic = units.in_texts(f"topic|{id.partition('~')[2]}")
    return () if topic is None else (both(topic),)


def _amount(part: Part) -> str:
    number = f"{part.shown:,}" if isinstance(part.shown, int) else f"{part.shown:,.3f}"
    times = "" if part.times == 1 else f"{part.times} × "
    spread = f" ({part.values} buckets)" if part.values else ""
    unit = "" if part.measure.unit == "n" else f" {part.measure.unit}"
    return f"{times}{number}{unit}{spread}"


def _division(found: Explained) -> str:
    """What is divided by what, with the figure unrounded."""
    if not found.bottom or found.figure.value is None or not found.divides:
        return ""
    top, bottom = (sum(part.shown * part.times for part in parts) for parts in (found.top, found.bottom))
    return f"{top:,g} / {bottom:,g}{found.times} = {found.figure.value!r}" if top < 1e6 else f"= {found.figure.value!r}"


def _days(days: Sequence[tuple[DailyFacts, Explained]]) -> Table:
    table = _table("date", "value", "n", "interval", "top", "bottom")
    for fact, each in days:
        table.add_row(
            fact.date.isoformat(),
            said(each.kpi.unit, each.figure.value),
            str(each.figure.n),
            interval_said(each.kpi.unit, each.figure),
            " + ".join(map(_amount, each.top)),
            " + ".join(map(_amount, each.bottom)) if each.bottom else NONE,
        )
    return table


def _plain(found: Explained, when: str, days: int) -> dict[str, Any]:
    def parts(of: tuple[Part, ...] | None) -> Any:
        return of and [{"measure": p.id, "unit": p.measure.unit, "times": p.times, "amount": p.shown} for p in of]

    return {
        "kpi": found.kpi.id,
        "version": found.kpi.version,
        "entity": found.entity,
        "period": when,
        "days": days,
        "unit": found.kpi.unit,
        "policy_version": found.policy,
        "top": parts(found.top),
        "bottom": parts(found.bottom),
        **({"base_top": parts(found.base_top), "base_bottom": parts(found.base_bottom)} if found.base_bottom else {}),
        **_value(found),
        **(
            {"apart": {id: _figure(figure) for id, figure in found.apart.items()}}
            if found.kpi.apart is not None
            else {}
        ),
    }


def _value(found: Explained) -> dict[str, Any]:
    return {**_figure(found.figure), "pending": found.pending}


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "n": figure.n, "low": figure.low, "high": figure.high}


def _fields(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} = {value}" for name, value in values.items())


def _terms(terms: Iterable[tuple[str, int]]) -> str:
    return "\n".join(f"{'' if times == 1 else f'{times} × '}{id}: {both(measure(id).name)}" for id, times in terms)


def _table(*headings: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")  # ids are copied
    return table


def _console() -> Console:
    made = Console(markup=False)
    return made if made.is_terminal else Console(markup=False, width=_WIDTH)


def _json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))
