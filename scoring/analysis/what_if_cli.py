"""``deskpulse score what-if``: other weights, bands, profiles or rules over past months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from scoring import options
from scoring.analysis.report import Report
from scoring.analysis.weights import throughout, tried
from scoring.analysis.what_if import Past, Scenario, what_if
from scoring.analysis.what_if_report import report
from scoring.calendar import Season, load_calendar
from scoring.card import Card
from scoring.cli_parts import (
    console,
    months,
    months_there_are,
    named_amounts,
    same_amounts,
    settings_of,
    stop,
)
from scoring.joined import Operation, period_facts
from scoring.load import find
from scoring.outcomes import Amounts, Settings
from scoring.outcomes.pay_rules import BonusPool
from scoring.people import About, Incomplete
from scoring.period import Month
from scoring.profiles import find_profile


def what_if_command(
    ctx: typer.Context,
    first: Annotated[Month, typer.Option("--from", parser=options.month, metavar="YYYY-MM", help="First month")],
    last: Annotated[Month, typer.Option("--to", parser=options.month, metavar="YYYY-MM", help="Last month")],
    card: Annotated[str, typer.Option(help="The card as it is: an id or a .yaml file")] = "s2-a-core",
    calendar: Annotated[Path | None, typer.Option(help="Calendar of profiles as it is")] = None,
    outcomes: Annotated[Path | None, typer.Option(help="Rules of grades and pay as they are")] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM=PERCENT", help="Try this weight, the others scale; repeat for several"),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Try this profile, in force throughout")] = None,
    to_card: Annotated[str | None, typer.Option(help="Try this card: other bands, targets, items")] = None,
    to_calendar: Annotated[Path | None, typer.Option(help="Try this calendar")] = None,
    to_outcomes: Annotated[Path | None, typer.Option(help="Try these rules of grades and pay")] = None,
    pool: Annotated[
        list[str] | None, typer.Option(metavar="ID=AMOUNT", help="Amount of a bonus pool each month")
    ] = None,
    amount: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=AMOUNT", help="What everybody's pay rule is applied to: base_pay=5000"),
    ] = None,
    undecided: Annotated[
        bool,
        typer.Option(
            "--undecided/--attained", help="Totals with unscored items: open, or by what the scored items attain"
        ),
    ] = False,
    out: Annotated[Path, typer.Option(help="Directory for the report (.html, .csv); made where absent")] = Path(
        "scores"
    ),
    rows: Annotated[int, typer.Option(min=0, help="Lines of each table shown on the screen; the files have all")] = 30,
) -> None:
    """Score past months again under other weights, bands, profiles or rules: who moves, grade counts, what it costs.

    Nothing is published and no month changes.
    """
    operation: Operation = ctx.obj
    try:
        span = months(first, last)
        base = find(card)
        new = find(to_card) if to_card else base
        rules = settings_of(outcomes)
        new_rules = settings_of(to_outcomes) if to_outcomes else rules
        seasons = load_calendar(calendar) if calendar else ()
        new_seasons = _seasons(new, weight or (), profile, to_calendar, seasons, first, last)
        if (new, new_rules, new_seasons) == (base, rules, seasons):
            raise ValueError("nothing to try: give --weight, --profile, --to-card, --to-calendar or --to-outcomes")
        about = About(amounts=same_amounts(named_amounts(amount or (), "--amount", (f.name for f in fields(Amounts)))))
        pools = named_amounts(pool or (), "--pool", _pools(rules) | _pools(new_rules))
        past = [
            Past(
                month,
                list(period_facts(operation, (base, new), month)),
                operation.roster(month.last),
                everybody=about,
                pools=pools,
            )
            for month in span
        ]
        if not any(one.facts for one in past):
            stop(f"no agent has facts from {first} to {last}; {months_there_are(operation)}")
        incomplete: Incomplete = "undecided" if undecided else "attained"
        made = what_if(
            Scenario(base, rules, seasons), Scenario(new, new_rules, new_seasons), past, operation.policy, incomplete
        )
    except ValueError as error:
        stop(str(error))
    told = report(made)
    console().print(told.screen(rows))
    write_report(told, out, f"what-if-{base.id}-{first}-{last}")


def write_report(told: Report, out: Path, name: str) -> None:
    """Write the report's files; stops with a message where that cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for form, data in (("html", told.html()), ("csv", told.csv())):
            path = out / f"{name}.{form}"
            path.write_bytes(data)
            typer.echo(f"written: {path}")
    except OSError as error:
        stop(f"cannot write to {out}: {error}; choose another directory with --out")


def _seasons(
    card: Card,
    weights: Sequence[str],
    profile: str | None,
    calendar: Path | None,
    as_is: Sequence[Season],
    first: Month,
    last: Month,
) -> Sequence[Season]:
    """The profiles of what is tried: those as they are, where nothing else is said."""
    if sum(1 for given in (weights, profile, calendar) if given) > 1:
        raise ValueError("--weight, --profile and --to-calendar each say all the weights; give one of them")
    if weights:
        known = [item.id for item in (*card.items, *card.optional)]
        return (tried(card, named_amounts(weights, "--weight", known), first.first, last.last),)
    if profile:
        found = find_profile(profile)
        if card.id not in found.cards:
            raise ValueError(
                f"the profile {found.id} does not change the card {card.id}; it changes: {', '.join(found.cards)}"
            )
        return (throughout(found, first.first, last.last),)
    return load_calendar(calendar) if calendar else as_is


def _pools(rules: Settings) -> set[str]:
    return {rule.id for rule in rules.pay if isinstance(rule, BonusPool)}
