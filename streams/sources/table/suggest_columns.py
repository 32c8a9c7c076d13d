"""What each column of a table seems to be, by its name and its cells, and the expression that reads it: for ``suggest``."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from streams.sources.expressions.durations import duration
from streams.sources.expressions.functions import number
from streams.sources.expressions.written import DATES, MOMENTS, TIMES, formats
from streams.sources.table.cells import Table
from streams.sources.table.suggest_words import ANSWERS, NO, ROLES, YES


@dataclass
class Column:
    """A column: how an expression names it, and the cells there are of it."""

    name: str
    cells: list[str]
    blanks: int

    @property
    def ref(self) -> str:
        """How an expression names it."""
        plain = self.name.isidentifier() and not keyword.iskeyword(self.name) and self.name not in _BOUND
        return self.name if plain else f'col("{self.name}")'

    @property
    def few(self) -> list[str]:
        """The first cells that differ."""
        return list(dict.fromkeys(self.cells))[:50]


_BOUND = frozenset({"queued", "wait", "talk", "taken", "none", "true", "false", "null", "over"})


def columns_of(table: Table, rows: Sequence[Sequence[str]], blanks: frozenset[str]) -> Iterator[Column]:
    """The columns of a table that have names, with the cells of these rows."""
    for place, name in enumerate(table.header):
        if name:
            cells = [row[place].strip() if place < len(row) else "" for row in rows]
            cells = ["" if cell in blanks else cell for cell in cells]
            yield Column(name, [cell for cell in cells if cell], sum(not cell for cell in cells))


def roles_of(columns: Sequence[Column]) -> dict[str, Column]:
    """What each column seems to be: by its name, where its cells can be that."""
    found: dict[str, Column] = {}
    free = list(columns)
    for role, words in ROLES.items():
        if (best := _best(role, words.split(), free)) is not None:
            found[role] = best
            free.remove(best)
    useless = ("day", "clock") if "started" in found else ("taken_at",)
    return {role: column for role, column in found.items() if role not in useless}


def _best(role: str, words: Sequence[str], columns: Sequence[Column]) -> Column | None:
    """The first column that can be this: of several the one that an earlier word tells of; of times also one that no word does."""
    can_be = _CAN_BE.get(role, _anything)
    named = (c for word in words for c in columns if re.search(word, c.name.lower()))
    others = columns if role in ("started", "day", "clock") else ()
    return next((c for c in (*named, *others) if can_be(c)), None)


def _anything(column: Column) -> bool:
    return bool(column.cells)


def all_of(read: Callable[[str], object]) -> Callable[[Column], bool]:
    """Can every cell of a column be read so?"""

    def can_be(column: Column) -> bool:
        try:
            return bool(column.cells) and all(read(cell) is not None for cell in column.few)
        except (ValueError, TypeError):
            return False

    return can_be


def _is_duration(cell: str) -> float | None:
    return found if (found := duration(cell)) is not None else number(plain(cell))


def plain(cell: str) -> str:
    """A number with commas as one without."""
    return re.sub(",", "", cell) if _THOUSANDS.fullmatch(cell) else re.sub(",", ".", cell)


#: 1,266 and 1,266.5; 8,5 is a decimal comma.
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


def moment_formula(column: Column) -> tuple[str, str, str]:
    """The expression, the format to set, and what is not sure; the expression is "" where the cells are no moments."""
    few = column.few
    if is_iso(few, _moment) and not all(cell.isdigit() for cell in few):
        bare = not any(":" in cell for cell in few)
        return f"datetime({column.ref})", "", "a date without a time of day" if bare else ""
    for digits, formula in _NUMBERS:
        if all(map(digits.fullmatch, few)):
            return formula.format(column.ref), "", ""
    return (f"datetime({column.ref})", *format_of(few, MOMENTS))


#: What moments look like that are numbers, and the expression that reads them.
_NUMBERS = (
    (re.compile(r"[34]\d{4}(\.\d+)?"), "excel({})"),
    (re.compile(r"1\d{9}(\.\d+)?"), "unix(number({}))"),
    (re.compile(r"1\d{12}"), "unix(number({}) / 1000)"),
)


def _moment(cell: str) -> datetime:
    return datetime.fromisoformat(re.sub(" ?(UTC|GMT)$", "Z", cell))


def format_of(few: list[str], candidates: tuple[str, ...]) -> tuple[str, str]:
    """The first format that reads these cells, and what is not sure of it; "" where none does."""
    try:
        fit = list(formats(few, candidates))
    except ValueError:
        return "", ""
    if len(fit) > 1 and "%p" in fit[0]:  # with AM and PM, months mostly come first
        fit.sort(key=lambda form: not form.startswith("%m"))
    return (fit[0], f"or {fit[1]}" if len(fit) > 1 else "") if fit else ("", "")


def is_iso(few: Sequence[str], read: Callable[[str], object]) -> bool:
    """Are these cells read without a format?"""
    try:
        return bool(few) and all(read(cell) is not None for cell in few)
    except ValueError:
        return False


def _is_moment(column: Column) -> bool:
    if not column.cells or not any(
        ":" in cell or "时" in cell or re.fullmatch(r"\d{5}\.\d+|1\d{9,12}", cell) for cell in column.few
    ):
        return False
    formula, form, _ = moment_formula(column)
    return bool(form) or not formula.startswith("datetime") or is_iso(column.few, _moment)


def _is_day(column: Column) -> bool:
    return is_iso(column.few, date.fromisoformat) or bool(column.cells and format_of(column.few, DATES)[0])


def is_clock(column: Column) -> bool:
    """Are the cells times of day?"""
    return all(re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", cell) for cell in column.few) if column.cells else False


_CAN_BE: dict[str, Callable[[Column], bool]] = {
    "wait": all_of(_is_duration),
    "talk": all_of(_is_duration),
    "hold": all_of(_is_duration),
    "wrap_up": all_of(_is_duration),
    "rating": lambda column: all_of(number)(column) or bool(answers(column)[1]),
    "abandoned": lambda column: len(set(column.cells)) <= 4 and bool(noes(column)),
    "taken_at": _is_moment,
    "started": _is_moment,
    "version": _is_moment,
    "day": _is_day,
    "clock": lambda column: is_clock(column) or bool(column.cells and format_of(column.few, TIMES)[0]),
    "answered": lambda column: len(set(column.cells)) <= 12 and bool(yeses(column)),
    "resolved": lambda column: len(set(column.cells)) <= 4 and bool(yeses(column)),
    "contact": lambda column: len(column.cells) > column.blanks,
}


def noes(column: Column) -> list[str]:
    """The cells that say no."""
    return [cell for cell in column.few if cell.lower() in NO]


def answers(column: Column) -> tuple[str, dict[str, int]]:
    """The scale of a column of answers in words, and the score of each as the column writes it; "" and nothing where it is none."""
    for scale, words in ANSWERS:
        if column.cells and all(cell.lower() in words for cell in column.few):
            return scale, {cell: words[cell.lower()] for cell in sorted(column.few)}
    return "", {}


def yeses(column: Column) -> list[str]:
    """The cells that say yes."""
    return [cell for cell in column.few if cell.lower() in YES]


def seconds_of(column: Column) -> str:
    """The expression that reads a column as seconds."""
    if all_of(number)(column):
        return f"number({column.ref})"
    if any("," in cell for cell in column.few) and all_of(lambda cell: number(plain(cell)))(column):
        mark = "" if all(_THOUSANDS.fullmatch(cell) for cell in column.few if "," in cell) else "."
        return f'number(replace({column.ref}, ",", "{mark}"))'
    return f"seconds({column.ref})"
