"""What the commands of ``deskpulse score`` share: months and amounts as people type them, and how they stop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console

from scoring.joined import Operation
from scoring.options import WIDTH
from scoring.outcomes import Amounts, Settings, default, load
from scoring.period import Month


def months(first: Month, last: Month) -> list[Month]:
    """From the first to the last, both included. Raises ValueError where they are the wrong way round."""
    if last < first:
        raise ValueError(f"the months run from {first} back to {last}; swap --from and --to")
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [Month(number // 12, number % 12 + 1) for number in numbers]


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
    return made if made.is_terminal else Console(width=WIDTH)


def stop(message: str) -> NoReturn:
    """End with a message and the code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
