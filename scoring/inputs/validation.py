"""Checks a sheet against card, period and people: all of it is taken or none, and every fault is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from scoring.cards.model import Card, Item
from scoring.inputs.requirements import PERSONAL, PERSONAL_FIELDS
from scoring.inputs.sheet import COLUMNS, InputError, Row, Sheet
from scoring.inputs.values import FEW, hint, read, shared, takes
from scoring.outcomes.validation import MOST_MONEY
from scoring.period import Month, Period, parse_period
from scoring.rules import Inputs, RefusedError
from scoring.units import RANGES

#: How a cell says that what was handed in before is taken back.
WITHDRAWN = ("none", "无", "null")
_LONGEST = 200
#: Item → field → what was handed in, of one person.
Fields = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Entry:
    """One figure, rating or level. ``value`` None: what was handed in before is taken back."""

    person: str
    item: str
    field: str
    value: str | None
    note: str | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row of a sheet. ``cells``: the row; ``column``: the one that is wrong, where one is; ``said``: what is
    wrong and what to do, with the place first: ``value: 'good' is no number; write it like 98.5``.
    """

    sheet: str
    row: int
    cells: Mapping[str, str]
    column: str | None
    said: str

    def __str__(self) -> str:
        """In a line: file, row, whose and what, and why."""
        return f"{self.sheet}, row {self.row}, {_whose(self.cells)}{self.said}"


class FaultyRowsError(InputError):
    """Rows that are not taken, each with what is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def said_of(sheet: Sheet, column: str) -> str | None:
    """What all rows of the sheet say in a column; None where it is not there. Raises InputError where they differ."""
    first: Row | None = None
    for row in sheet.rows:
        text = row.cells.get(column)
        if text is None:
            continue
        if first is None:
            first = row
        elif text != first.cells[column]:
            raise InputError(
                f"{sheet.name}, row {row.number}, {column}: {text!r}, but row {first.number} has "
                f"{first.cells[column]!r}; a file holds one card and one period: split it"
            )
    return first.cells[column] if first else None


def period_of(sheet: Sheet) -> Period | None:
    """The period that the sheet is for; spreadsheets turn 2026-03 into a date, which is taken back."""
    text = said_of(sheet, "period")
    if text is None:
        return None
    made_a_date = re.fullmatch(r"([0-9]{4}-[0-9]{2})-01", text)
    try:
        return Month.parse(made_a_date[1]) if made_a_date else parse_period(text)
    except ValueError as error:
        raise InputError(f"{sheet.name}, period: {error}") from error


def check(sheet: Sheet, card: Card, people: Mapping[str, str | None], before: Mapping[str, Fields]) -> list[Entry]:
    """What the sheet hands in, in its order; rows without a value are passed over.

    ``people``: who is scored on the card in the period → HR number, where known. ``before``: what has been handed in,
    which the sheet's values must go together with. Raises InputError that names every fault.
    """
    by_number = {number: person for person, number in people.items() if number}
    faults: list[Fault] = []
    entries: dict[tuple[str, str, str], tuple[Row, Entry]] = {}
    for row in sheet.rows:
        if "value" not in row.cells:
            continue
        try:
            entry = _entry(row, card, people, by_number)
            key = (entry.person, entry.item, entry.field)
            if key in entries and entries[key][1].value != entry.value:
                first = entries[key]
                raise ValueError(
                    f"value: {row.cells['value']!r}, but row {first[0].number} gives {first[1].value!r} for the same; keep one"
                )
            entries[key] = (row, entry)
        except ValueError as error:
            faults.append(_fault(sheet, row, str(error)))
    faults += _together(sheet, card, list(entries.values()), before, faults)
    if faults:
        raise FaultyRowsError(faults)
    return [entry for _, entry in entries.values()]


def merged(before: Fields, entries: list[Entry]) -> dict[str, dict[str, str]]:
    """One person's inputs with these entries on top. A value handed in by one name replaces it under another."""
    after = {item: dict(fields) for item, fields in before.items()}
    for entry in entries:
        own = after.setdefault(entry.item, {})
        if entry.value is None:
            own.pop(entry.field, None)
        else:
            own[entry.field] = entry.value
    return {item: fields for item, fields in after.items() if fields}


def checked_value(card: Card, item_id: str, field: str, text: str) -> str:
    """The text as it is kept, if the card's item takes it in this field. Raises ValueError that says what to do."""
    if len(text) > _LONGEST:
        raise ValueError(f"value: {len(text)} characters; give a figure, a rating or a level")
    if item_id == PERSONAL:
        return _personal(field, text)
    item = find_item(card, item_id)
    if item.kpi is not None and not (field == FEW and FEW in takes(card, item)):
        raise ValueError(
            f"item: {item.id} is computed from events (KPI {item.kpi}) and not handed in; leave the row out, "
            "and correct a wrong figure by an appeal"
        )
    if field not in takes(card, item):
        names = takes(card, item)
        raise ValueError(f"field: item {item.id} takes no {field!r}; {hint(field, names)}it takes: {', '.join(names)}")
    _single(card, item, field, text)
    return text


def find_item(card: Card, id: str) -> Item:
    """The card's item. Raises ValueError that names the nearest."""
    try:
        return card.item(id)
    except KeyError:
        ids = [item.id for item in (*card.items, *card.optional)]
        raise ValueError(
            f"item: the card {card.id} has no item {id!r}; {hint(id, ids)}it has: {', '.join(ids)}"
        ) from None


def find_person(text: str, people: Mapping[str, str | None]) -> str:
    """The person, if they are scored. Raises ValueError that names the nearest."""
    if text in people:
        return text
    raise ValueError(
        f"person: {text!r} is not scored on this card in this period; {hint(text, people)}correct the id, or put the person on "
        "the roster"
    )


def _entry(row: Row, card: Card, people: Mapping[str, str | None], by_number: Mapping[str, str]) -> Entry:
    cells = row.cells
    person, number = cells.get("person"), cells.get("hr_number")
    if person is None:
        if number is None:
            raise ValueError("person: empty; say whose value this is")
        if number not in by_number:
            raise ValueError(f"hr_number: {number!r} is nobody's who is scored on this card; correct it")
        person = by_number[number]
    find_person(person, people)
    if number is not None and people[person] is not None and number != people[person]:
        raise ValueError(f"hr_number: {number!r}, but the roster has {people[person]!r} for {person}; correct one")
    for column in ("item", "field"):
        if column not in cells:
            raise ValueError(f"{column}: empty; say which {column} the value is for")
    text = cells["value"]
    value = None if text.lower() in WITHDRAWN else checked_value(card, cells["item"], cells["field"], text)
    return Entry(person, cells["item"], cells["field"], value, cells.get("remark"))


def _single(card: Card, item: Item, field: str, text: str) -> None:
    """Is the value by itself one that the item can have? Raises ValueError that says what it can."""
    if item.rule.asks == "level" and field != "pick":
        _by_rule(item, Inputs(None, None, text))
        return
    given = read(card, item, _paired(card, item, {field: text}))
    ratings = [Fraction(rating) for rating in given.ratings.values()]
    for value in (*ratings, given.value, given.reference):
        if value is not None:
            _possible(item, value, text)


def _possible(item: Item, value: Fraction, text: str) -> None:
    if item.rated and not item.raters:
        _by_rule(item, Inputs(value))
        return
    low, high = (Decimal(0), item.max) if item.rated else RANGES[item.unit]
    if (low is not None and value < low) or (high is not None and value > high):
        ends = f"between {low} and {high}" if high is not None else f"{low} or more"
        raise ValueError(f"value: {text!r} is not {ends}; correct it")


def _by_rule(item: Item, inputs: Inputs) -> None:
    try:
        item.rule.score(inputs)
    except RefusedError as error:
        raise ValueError(f"value: {error.en}; correct it") from error


def _paired(card: Card, item: Item, fields: Mapping[str, str]) -> Mapping[str, str]:
    """The fields with a 0 for the count that is not there yet, of the two that make a share."""
    pair = shared(card, item)
    return {**dict.fromkeys(pair, "0"), **fields} if any(name in fields for name in pair) else fields


def half(card: Card, item: Item, fields: Mapping[str, str]) -> bool:
    """Is only one of the two counts there that make the item's share?"""
    return len(_paired(card, item, fields)) > len(fields)


def _personal(field: str, text: str) -> str:
    if field not in PERSONAL_FIELDS:
        raise ValueError(f"field: {PERSONAL} takes no {field!r}; it takes: {', '.join(PERSONAL_FIELDS)}")
    if field in ("level", "superior"):
        return text
    try:
        amount = Decimal(text.removesuffix("%").strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"value: {text!r} is no number; write it like 5000.00") from None
    most = 100 if field in ("exam", "bonus_percent") else MOST_MONEY
    if not (amount.is_finite() and 0 <= amount <= most):
        raise ValueError(f"value: {text!r} is not between 0 and {most}; correct it")
    return format(amount, "f")


def _together(
    sheet: Sheet, card: Card, rows: list[tuple[Row, Entry]], before: Mapping[str, Fields], faults: list[Fault]
) -> list[Fault]:
    """Faults of values that do not go together, such as a level beside the columns of the form."""
    if faults:
        return []
    found = []
    by_person: dict[str, list[Entry]] = {}
    last: dict[tuple[str, str], Row] = {}
    for row, entry in rows:
        by_person.setdefault(entry.person, []).append(entry)
        last[entry.person, entry.item] = row
    for person, entries in by_person.items():
        for item_id, fields in merged(before.get(person, {}), entries).items():
            if item_id == PERSONAL or (person, item_id) not in last:
                continue
            try:
                complete(card, card.item(item_id), fields)
            except ValueError as error:
                row = last[person, item_id]
                found.append(Fault(sheet.name, row.number, row.cells, "field", f"field: {error}"))
    return found


def complete(card: Card, item: Item, fields: Mapping[str, str]) -> None:
    """Do the fields of an item go together? One of two counts alone is no fault: it is missing. Raises ValueError."""
    read(card, item, _paired(card, item, fields))


def _fault(sheet: Sheet, row: Row, said: str) -> Fault:
    """What is said of a row: of the column that it begins with; of the value where it begins with the field that this is of."""
    place = said.partition(": ")[0]
    column = "value" if place == row.cells.get("field") else place if place in COLUMNS else None
    return Fault(sheet.name, row.number, row.cells, column, said)


def _whose(cells: Mapping[str, str]) -> str:
    who = cells.get("person") or cells.get("hr_number")
    item = cells.get("item")
    parts = [f"person {who}" if who else "", f"item {item}" if item else ""]
    return ", ".join(part for part in parts if part) + ": " if any(parts) else ""
