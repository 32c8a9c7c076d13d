"""``deskpulse policy``: what is in force, is a file right, and what would another one change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from streams.commands.shared.context import PolicyFile, clear_errors, deployment
from streams.commands.shared.facts_source import parse_date
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, versions, warnings
from streams.languages.translation import said, tell
from streams.operator_files import load_policy

policy = typer.Typer(no_args_is_help=True, help="The values that people argue about, and their versions.")

_File = Annotated[Path, typer.Argument(metavar="FILE", help="Policy (YAML)")]


@policy.command()
def show(
    ctx: typer.Context,
    at: Annotated[
        date | None, typer.Option("--at", parser=parse_date, metavar="YYYY-MM-DD", help="Day; today where absent")
    ] = None,
    policy: PolicyFile = None,
) -> None:
    """The values in force on a day, and where they differ from the defaults."""
    base = deployment(ctx, policy_file=policy)
    with clear_errors():
        day = at or base.now().astimezone(base.policy.zone).date()
        values = base.policy.on(day)
    tell(f"version {values.version}, in force on {day}")
    table = _table("value", "is", "default", "meaning")
    defaults, described = _plain(Policy()), Policy.model_fields
    for name, value in _plain(values).items():
        same = value == defaults[name]
        table.add_row(name, _said(value), "" if same else _said(defaults[name]), str(described[name].description))
    Console().print(table)


@policy.command()
def check(file: _File, ctx: typer.Context) -> None:
    """Is a file right? Says its versions and what each changes; else what is wrong, where, and ends with 1."""
    with clear_errors():
        found = load_policy(file)
    table = _table("version", "from", "changes")
    before = _plain(Policy())
    for start, values in versions(found):
        now = _plain(values)
        changed = [
            f"{name} = {_said(value)}" for name, value in now.items() if name != "version" and value != before[name]
        ]
        table.add_row(values.version, str(start or "the beginning"), "\n".join(changed) or "nothing")
        before = now
    Console().print(table)
    for warning in warnings(found, deployment(ctx).now().astimezone(found.zone).date()):
        typer.secho(said(warning), err=True, fg=typer.colors.YELLOW)


@policy.command()
def diff(old: _File, new: Annotated[Path, typer.Argument(metavar="NEW", help="Policy (YAML)")]) -> None:
    """What another file would change, from when on, and whether facts that are stored already would follow."""
    with clear_errors():
        one, other = load_policy(old), load_policy(new)
    borders = sorted({start for each in (one, other) for start, _ in versions(each) if start is not None})
    table = _table("from", "to", "value", "old", "new", "stored facts")
    for begin, end in pairwise([date.min, *borders, date.max]):
        since, until = "the beginning" if begin == date.min else str(begin), "" if end == date.max else f"before {end}"
        for row in _changes(_on(one, begin), _on(other, begin)):
            table.add_row(since, until, *row)
    if not table.row_count:
        tell("the two say the same of every day")
        return
    Console().print(table)
    tell(
        "follow: applied when a figure is read; stay: applied when an event is taken in, so that only a replay changes them"
    )


def _changes(one: Policy | None, other: Policy | None) -> Iterator[tuple[str, str, str, str]]:
    """What another policy says otherwise on the same days: name, old, new, and whether stored facts follow. None: there is none."""
    before = _plain(one)
    for name, value in _plain(other).items():
        if before.get(name) != value:
            follows = "" if one is None or other is None or name == "version" else _follow(one, name, other)
            yield name, _said(before.get(name)), _said(value), follows


def _on(policy: AnyPolicy, day: date) -> Policy | None:
    first, _ = versions(policy)[0]
    return None if first is not None and day < first else policy.current(day)


def _follow(one: Policy, name: str, other: Policy) -> str:
    """Does a value act in a formula, or on what is counted?"""
    changed = one.but(**{name: getattr(other, name)})
    moved = any(kpi.bound(one, side) != kpi.bound(changed, side) for kpi in KPIS.values() for side in ("desk", "staff"))
    return "follow" if moved else "stay"


def _plain(policy: Policy | None) -> Mapping[str, Any]:
    return {} if policy is None else policy.model_dump(mode="json")


def _said(value: object) -> str:
    match value:
        case None:
            return "—"
        case dict():
            return ", ".join(f"{name}: {part}" for name, part in value.items()) or "none"
        case list():
            return ", ".join(map(str, value)) or "none"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _table(*headings: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
