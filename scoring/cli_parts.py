"""What the commands of ``deskpulse score`` share: periods and amounts as people type them, facts, and how they stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NoReturn, Protocol

import typer
from rich.console import Console

from scoring.card import Card
from scoring.outcomes import Amounts, Settings, default, load
from scoring.period import Month, Period, parse_period
from streams.contracts import outputs
from streams.contracts.outputs import DailyFacts
from streams.kpi.policy import Policy

#: Columns of a table where the output is no terminal.
_WIDTH = 200


class Operation(outputs.Operation, Protocol):
    """What the commands ask of the operation they are joined to."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""


def month_of(text: str) -> Month:
    """The month that was typed."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def period_of(text: str) -> Period:
    """The period that was typed."""
    try:
        return parse_period(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def months(first: Month, last: Month) -> list[Month]:
    """From the first to the last, both included. Raises ValueError where they are the wrong way round."""
    if last < first:
        raise ValueError(f"the months run from {first} back to {last}; swap --from and --to")
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [Month(number // 12, number % 12 + 1) for number in numbers]


def facts_of(operation: Operation, cards: Iterable[Card], period: Period) -> Iterable[DailyFacts]:
    """Agents' facts, and teams' where one of the cards scores a team's figures."""
    yield from operation.daily_facts(period.first, period.last, "agent")
    if any(item.entity == "team" for card in cards for item in (*card.items, *card.optional)):
        yield from operation.daily_facts(period.first, period.last, "team")


def months_there_are(operation: Operation) -> str:
    """Which months there are facts of, for people."""
    facts = operation.daily_facts(date(1970, 1, 1), date(2999, 12, 31), "agent")
    there = sorted({Month.of(day.date) for day in facts})
    return f"there are facts of {', '.join(map(str, there))}" if there else "there are no facts of any month yet"


def settings_of(path: Path | None) -> Settings:
    """The rules of outcomes in this file, or those that come with the program. Raises SettingsError."""
    return load(path) if path else default()


def named_amounts(texts: Sequence[str], option: str, known: Iterable[str]) -> dict[str, Decimal]:
    """``NAME=AMOUNT`` as typed. Raises ValueError that says which name or amount is wrong."""
    names, made = sorted(known), {}
    for text in texts:
        name, _, amount = text.partition("=")
        if name not in names:
            raise ValueError(f"{option} {text}: no {name!r} here; there are: {', '.join(names) or 'none'}")
        try:
            value = Decimal(amount)
        except InvalidOperation as error:
            raise ValueError(f"{option} {text}: {amount!r} is no amount; write it like {name}=5000.00") from error
        if not value.is_finite() or value < 0 or value != round(value, 2):
            raise ValueError(f"{option} {text}: an amount is 0 or more, in whole cents")
        if name in made:
            raise ValueError(f"{option} {name} is given twice; keep one")
        made[name] = value
    return made


def same_amounts(amounts: Mapping[str, Decimal]) -> Amounts:
    """The same amounts for everybody."""
    return Amounts(**amounts)


def console() -> Console:
    """Where tables go."""
    made = Console()
    return made if made.is_terminal else Console(width=_WIDTH)


def stop(message: str) -> NoReturn:
    """End with a message and the code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
