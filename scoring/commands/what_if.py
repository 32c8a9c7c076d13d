"""``deskpulse score what-if``: other weights, bands, profiles or rules over past months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from scoring.analysis.report import Report
from scoring.analysis.weights import throughout, tried
from scoring.analysis.what_if import Past, Scenario, what_if
from scoring.analysis.what_if_report import report
from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.cards.profile_calendar import Season, load_calendar
from scoring.cards.profiles import find_profile
from scoring.cards.sheet_weights import sheet_seasons
from scoring.commands import options
from scoring.commands.options import (
    AsOf,
    HowIncomplete,
    IdsOnly,
    OutcomesFile,
    Pools,
    amounts,
    months,
    pools,
    settings_of,
)
from scoring.commands.output import clear, show, stop
from scoring.inputs.values import Given
from scoring.outcomes import Amounts
from scoring.period import Month
from scoring.runs.outcome_inputs import About, Incomplete, RatedDays, known
from scoring.runs.snapshot import as_given
from scoring.workflow.gather import Operation, handed_in, judged_at, names, period_facts
from scoring.workflow.preparing import months_there_are
from streams.languages.translation import tell


def what_if_command(
    ctx: typer.Context,
    first: Annotated[Month, typer.Option("--from", parser=options.month, metavar="YYYY-MM", help="First month")],
    last: Annotated[Month, typer.Option("--to", parser=options.month, metavar="YYYY-MM", help="Last month")],
    card: Annotated[str, typer.Option(help="The card as it is: an id or a .yaml file")] = "s2-a-core",
    calendar: Annotated[Path | None, typer.Option(help="Calendar of profiles as it is")] = None,
    outcomes: OutcomesFile = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM=PERCENT", help="Try this weight, the others scale; repeat for several"),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Try this profile, in force throughout")] = None,
    to_card: Annotated[str | None, typer.Option(help="Try this card: other bands, targets, items")] = None,
    to_calendar: Annotated[Path | None, typer.Option(help="Try this calendar")] = None,
    to_outcomes: Annotated[Path | None, typer.Option(help="Try these rules of grades and pay")] = None,
    pool: Pools = None,
    amount: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=AMOUNT", help="What a pay rule is applied to where none was imported: base_pay=5000"
        ),
    ] = None,
    incomplete: HowIncomplete = Incomplete.rescaled,
    as_of: AsOf = None,
    ids: IdsOnly = False,
    out: Annotated[Path, typer.Option(help="Directory for the report (.html, .csv); made where absent")] = Path(
        "scores"
    ),
    rows: Annotated[int, typer.Option(min=0, help="Lines of each table shown on the screen; the files have all")] = 30,
) -> None:
    """Score past months again under other weights, bands, profiles or rules: who moves, grade counts, what it costs.

    Takes what was imported for those months. Nothing is published and no month changes.
    """
    operation: Operation = ctx.obj
    with clear():
        span = months(first, last)
        base = find(card)
        new = find(to_card) if to_card else base
        rules = settings_of(outcomes)
        new_rules = settings_of(to_outcomes) if to_outcomes else rules
        seasons = load_calendar(calendar) if calendar else ()
        new_seasons = _seasons(new, weight or (), profile, to_calendar, seasons, first, last)
        if (new, new_rules, new_seasons) == (base, rules, seasons):
            raise ValueError("nothing to try: give --weight, --profile, --to-card, --to-calendar or --to-outcomes")
        given = amounts(amount, "--amount", (field.name for field in fields(Amounts)))
        shared = pools(pool, rules, new_rules)
        # What is tried comes on top of what the target sheet sets.
        book, begin, end = operation.targets(), span[0].first, span[-1].last
        seasons = (*sheet_seasons(base, book, begin, end), *seasons)
        new_seasons = (*sheet_seasons(new, book, begin, end), *new_seasons)
        past = [_past(operation, base, new, one, given, shared) for one in span]
        if not any(one.facts for one in past):
            stop(f"no agent has facts from {first} to {last}; {months_there_are(operation)}")
        made = what_if(
            Scenario(base, rules, seasons), Scenario(new, new_rules, new_seasons), past, operation.policy, incomplete,
            judged_at(operation, as_of),
        )  # fmt: skip
        called = names(operation, ids)
    told = report(made, called)
    show(told.screen(rows))
    write_report(told, out, f"what-if-{base.id}-{first}-{last}")


def _past(
    operation: Operation,
    base: Card,
    new: Card,
    month: Month,
    given: Mapping[str, Decimal],
    shared: Mapping[str, Decimal],
) -> Past:
    """What there is of a month for both cards: facts, roster, and what was imported for them."""
    rated = RatedDays(operation.policy, month.last)
    facts = list(rated.along(period_facts(operation, (base, new), month)))
    inputs: dict[str, dict[str, Decimal | Given]] = {}
    about: dict[str, About] = {}
    for card in {one.id: one for one in (new, base)}.values():
        handed = handed_in(operation, card.id, month)
        for person, own in as_given(card, handed).items():
            inputs.setdefault(person, {}).update(own)
        about |= known(handed, rated, given)
    everybody = About(amounts=Amounts(**given))
    return Past(month, facts, operation.roster(month.last), inputs, about, everybody, shared, operation.targets())


def write_report(told: Report, out: Path, name: str) -> None:
    """Write the report's files; stops with a message where that cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for form, data in (("html", told.html()), ("csv", told.csv())):
            path = out / f"{name}.{form}"
            path.write_bytes(data)
            tell(f"written: {path}")
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
        ids = [item.id for item in (*card.items, *card.optional)]
        return (tried(card, amounts(weights, "--weight", ids), first.first, last.last),)
    if profile:
        found = find_profile(profile)
        if card.id not in found.cards:
            raise ValueError(
                f"the profile {found.id} does not change the card {card.id}; it changes: {', '.join(found.cards)}"
            )
        return (throughout(found, first.first, last.last),)
    return load_calendar(calendar) if calendar else as_is
