"""Arguments and options that the commands of scoring share, and what they mean as typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from scoring.outcomes import Settings
from scoring.outcomes.pay_rules import BonusPool
from scoring.outcomes_file import default, load
from scoring.period import Month, Period, parse_period
from scoring.reports.files import Format, Sheets, Spoken
from scoring.runs.outcome_inputs import Incomplete
from scoring.store.audit import Actor
from scoring.workflow.gather import Operation, names
from streams.kpi.as_of import parse_as_of
from streams.languages.translation import said

_Read = TypeVar("_Read")


def parsed(read: Callable[[str], _Read], text: str) -> _Read:
    """What an option says. Ends the command where it cannot be read."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(said(str(error))) from error


month = partial(parsed, Month.parse)
period = partial(parsed, parse_period)


def moment(text: str) -> date | datetime:
    """A day or a moment as it is typed. Ends the command for anything else."""
    return parsed(parse_as_of, text)


CardName = Annotated[
    str, typer.Argument(metavar="CARD", help="Id of a card that comes with the program, or the path of a .yaml file")
]
PeriodOption = Annotated[
    Period,
    typer.Option(
        "--period", parser=period, metavar="PERIOD", help="2026-03, 2026-Q1, 2026-H1, 2026, or 2026-01-16..2026-04-15"
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by", metavar="ID", help="Who does this, kept in the audit trail: their id; a known name becomes it"
    ),
]
CalendarFile = Annotated[Path | None, typer.Option("--calendar", help="Calendar (YAML) of the profiles in force")]
OutcomesFile = Annotated[
    Path | None,
    typer.Option("--outcomes", help="Rules of grades, pay and follow-up (YAML); the program's own where left out"),
]
Pools = Annotated[
    list[str] | None,
    typer.Option("--pool", metavar="ID=AMOUNT", help="Amount of a bonus pool of these rules; repeat for several"),
]
HowIncomplete = Annotated[
    Incomplete,
    typer.Option(
        "--incomplete",
        help="A total with unscored items: `unscored` has no grade and no pay, `rescaled` counts at the scale of what is scored",
    ),
]
AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=moment,
        metavar="YYYY-MM-DD[THH:MM]",
        help="Judge as of then which days have matured (a day: its beginning); where left out as of the day that it is by the "
        "operation's own clock",
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Directory for the files; made where absent")]
Formats = Annotated[
    list[Format] | None, typer.Option("--format", help="File to write; repeat for several; all by default")
]
SheetFormats = Annotated[
    list[Sheets] | None, typer.Option("--sheets", help="Also a sheet a person, in this format; repeat for both")
]
SheetLanguage = Annotated[
    Spoken, typer.Option("--language", help="Language of sheets and workbook; both: a page each in one file")
]
IdsOnly = Annotated[
    bool, typer.Option("--ids", help="Ids in place of names, also where names are known: for files that others get")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs")]


def actor(operation: Operation, name: str) -> Actor:
    """Who acts, now: a name that is known is kept as the id. Raises ValueError for nobody, and for a name of several."""
    return Actor(names(operation).author(name), operation.now())


def pairs(given: Sequence[str] | None, what: str) -> dict[str, str]:
    """``NAME=VALUE`` as typed. Raises ValueError for others, and for a name that is given twice."""
    made: dict[str, str] = {}
    for text in given or ():
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            raise ValueError(f"{text!r}: write {what}")
        if name in made:
            raise ValueError(f"{name} is given twice; keep one")
        made[name] = value
    return made


def amounts(given: Sequence[str] | None, option: str, known: Iterable[str]) -> dict[str, Decimal]:
    """``NAME=AMOUNT`` as typed: 0 or more, in whole cents. Raises ValueError that says which name or amount is wrong."""
    names, made = sorted(known), {}
    for name, text in pairs(given, f"{option} NAME=AMOUNT, like {names[0] if names else 'pool'}=5000.00").items():
        if name not in names:
            raise ValueError(f"{option} {name}: there is no such one here; there are: {', '.join(names) or 'none'}")
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise ValueError(f"{option} {name}: {text!r} is no amount; write it like {name}=5000.00") from None
        if not value.is_finite() or value < 0 or value != round(value, 2):
            raise ValueError(f"{option} {name}: an amount is 0 or more, in whole cents, not {text}")
        made[name] = value
    return made


def pools(given: Sequence[str] | None, *rules: Settings) -> dict[str, Decimal]:
    """Amounts of the bonus pools of these rules, as typed. Raises ValueError."""
    return amounts(given, "--pool", {rule.id for one in rules for rule in one.pay if isinstance(rule, BonusPool)})


def months(first: Month, last: Month) -> list[Month]:
    """From the first to the last, both included. Raises ValueError where they are the wrong way round."""
    if last < first:
        raise ValueError(f"the months run from {first} back to {last}; swap --from and --to")
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [Month(number // 12, number % 12 + 1) for number in numbers]


def settings_of(file: Path | None) -> Settings:
    """The rules of outcomes in this file; the program's own without one. Raises SettingsError."""
    return load(file) if file else default()
