"""A table read by its mapping: each row gives its events, or the reason why it gives none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from streams.contracts.decode import refuse
from streams.contracts.events import AnyEvent, ContactEvent
from streams.kpi.policy.names import aliases, folded
from streams.secret_files import secret
from streams.sources.expressions.compiler import Compute, Row, Scope, compiled
from streams.sources.expressions.functions import functions, text
from streams.sources.expressions.operators import truth
from streams.sources.expressions.parser import Expression
from streams.sources.expressions.people import is_nobody, whole
from streams.sources.table.cells import RawRow, Table, open_table
from streams.sources.table.heading import advice
from streams.sources.table.layout import Layout, TableError
from streams.sources.table.mapping import EventMapping, TableMapping
from streams.sources.table.rows import Reader, ReadRow, RejectedRow, RowResult, Version, as_told
from streams.sources.versions import Versioned, number_of

#: Environment variable with the key of the pseudonyms. Whoever has it can find a customer; without it nobody can.
KEY_VARIABLE = "DESKPULSE_PSEUDONYM_KEY"
#: A slot of a row whose value nobody has asked for.
UNSET = object()
#: What an expression raises for cells that it does not fit.
_IDS = frozenset({"customer_id", "contact_id", "agent_id"})
_UNFIT = (ValueError, TypeError, ArithmeticError)
_time = attrgetter("time")
#: What a row of totals begins with, in small letters.
_TOTALS = frozenset(
    {
        *("合计", "总计", "小计", "共计", "总和", "汇总", "合計", "總計", "小計", "平均", "平均值", "平均数"),
        *("total", "totals", "grand total", "subtotal", "sub total", "sum", "average", "summe", "gesamt"),
    }
)


_Struct: TypeAlias = type[AnyEvent]


def read_table(path: Path, mapping: TableMapping, key: bytes | None = None) -> Iterator[RowResult]:
    """Read a table row by row, in the order of the file; all of a row's events or none, with the row as their ``sequence``.

    The same file gives the same events. Memory does not grow with a text file; a spreadsheet is held whole. ``key`` is
    that of the pseudonyms, by default from the environment (KEY_VARIABLE).

    Raises TableError at once for a file that cannot be read, a column that is missing, or a key that is needed and
    absent; and on the way where the file is damaged.
    """
    key = key or (secret(KEY_VARIABLE, os.environ) or "").encode()
    if mapping.needs_key and not key:
        raise TableError(
            f"the mapping makes pseudonyms of customer ids and {KEY_VARIABLE} is not set: set it to a long secret "
            "and keep it (another key makes other customers of the same people)"
        )
    table = open_table(path, mapping)
    columns = {name: index for index, name in enumerate(table.header) if name}
    try:
        mapping.check_names(columns)
    except ValueError as error:
        raise TableError(f"{path} does not fit the mapping: {error}{advice(table.header)}") from error
    compiled_for = CompiledMapping(mapping, columns, len(table.header), key)
    fitted = _Fitted(table.header, mapping)
    return as_told(_result(row, table, fitted, compiled_for) for row in table.rows)


def table_reader(mapping: TableMapping) -> Reader:
    """The reader of tables by a mapping."""
    read = partial(read_table, mapping=mapping)
    return read if mapping.version is None else Versioned(read)


def read_events(path: Path, mapping: TableMapping, key: bytes | None = None) -> Iterator[AnyEvent]:
    """The events of a table alone, rejected rows passed over. Raises as ``read_table``."""
    return (event for row in read_table(path, mapping, key) if isinstance(row, ReadRow) for event in row.events)


def _result(raw: RawRow, table: Table, fitted: _Fitted, rows: CompiledMapping) -> RowResult:
    if raw.problem:
        return RejectedRow(raw.line, raw.problem, table.text(raw.cells))
    total = fitted.total(raw.cells)
    if total and fitted.totals == "skip":
        return ReadRow(raw.line, [], kept=False)
    try:
        read = rows.read(raw.line, [*fitted.cells(raw.cells), *rows.slots])
    except UnfitError as error:
        return RejectedRow(raw.line, _of_total(total) or str(error), table.text(raw.cells))
    return RejectedRow(raw.line, _of_total(total), table.text(raw.cells)) if read.kept and total else read


def _of_total(word: str) -> str:
    return (
        f"{word!r}, a row of totals? Set `totals: skip` to leave such rows out, `totals: keep` where it is none"
        if word
        else ""
    )


class _Fitted:
    """Rows brought to the width of the header."""

    def __init__(self, header: list[str], layout: Layout) -> None:
        self._width = len(header)
        self._named = max((place for place, name in enumerate(header, 1) if name), default=0)
        self._blank_where_missing = layout.short_rows == "blank"
        self.totals = layout.totals
        self._blanks = frozenset({"", *layout.blanks})

    def cells(self, cells: list[str]) -> list[str | None]:
        """As many cells as the header has, None where they are empty. Separators at the end of a row are no cells.

        Raises UnfitError for a row with more, or with fewer than the columns that have a name.
        """
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            raise UnfitError(f"{len(cells)} cells where the header has {self._width}")
        if len(cells) < self._named and not self._blank_where_missing:
            raise UnfitError(
                f"{len(cells)} cells where the header has {self._width}; set `short_rows: blank` where the others are empty"
            )
        there = [None if (bare := cell.strip()) in self._blanks else bare for cell in cells[: self._width]]
        return there + [None] * (self._width - len(there))

    def total(self, cells: list[str]) -> str:
        """The word that makes the row one of totals; "" where none does, or none is looked for."""
        return "" if self.totals == "keep" else is_total(cells)


def is_total(cells: Sequence[str]) -> str:
    """The word that a row of totals begins with; "" where it begins with none."""
    first = next((cell for cell in cells if cell and not cell.isspace()), "").strip()
    return first if re.split("[:：]", first)[0].strip().lower() in _TOTALS else ""


class UnfitError(Exception):
    """A row that does not fit; its text is the reason."""


class _Template(NamedTuple):
    """An event of the mapping, compiled for one table."""

    type: str
    struct: _Struct
    when: Compute | None
    fields: list[tuple[str, Compute]]


class CompiledMapping:
    """The mapping compiled for the columns of one table, or for records: a row in, events out."""

    def __init__(self, mapping: TableMapping, columns: Mapping[str, Any], first_slot: int, key: bytes | None) -> None:
        """``columns``: name → where a row has it. From ``first_slot`` on a row has a slot for each name that the mapping binds."""
        available = functions(mapping.moments, mapping.lookups, key if mapping.customer_ids == "plain" else None)
        self._source = mapping.source
        self._names: dict[str, Compute] = {name: _fixed(value) for name, value in mapping.constants.items()}
        self._compiled: Callable[[Expression], Compute] = lambda formula: compiled(
            formula, Scope(self._names, columns, available)
        )
        slot = count(first_slot)
        for name, formula in mapping.let.items():
            self._names[name] = _once(f"let.{name}", self._compiled(formula), next(slot))
        self._where = self._condition(mapping.where)
        if mapping.contact_id is not None:
            self._names["contact_id"] = _once("contact_id", self._compiled(mapping.contact_id), next(slot))
        self._common = {
            name: _once(f"fields.{name}", self._compiled(formula), next(slot))
            for name, formula in mapping.fields.items()
        }
        self._words = {name: words for name in ("kind", "topic") if (words := aliases(getattr(mapping, f"{name}s")))}
        self._version = None if mapping.version is None else self._compiled(mapping.version)
        self._row_id = self._names.get("contact_id") if mapping.row_id is None else self._compiled(mapping.row_id)
        self._templates = [self._template(event) for event in mapping.events]
        #: What stands in the slots of a row that is to be read.
        self.slots = [UNSET] * (next(slot) - first_slot)

    def read(self, line: int, row: Row) -> ReadRow:
        """What a row comes to. Raises UnfitError."""
        if self._where is not None and not _told("where", self._where, row):
            return ReadRow(line, [], kept=False)
        events = [
            self._event(template, row)
            for template in self._templates
            if template.when is None or _told(f"{template.type}: when", template.when, row)
        ]
        events.sort(key=_time)
        return ReadRow(line, events, version=self._version_of(row))

    def _version_of(self, row: Row) -> Version | None:
        if self._version is None or self._row_id is None:
            return None
        of, version = _told("row_id", self._row_id, row), _told("version", self._version, row)
        try:
            return Version(f"{self._source}:{text(of)}", number_of(version))
        except TypeError as error:
            raise UnfitError(f"version: {error}") from error

    def _event(self, template: _Template, row: Row) -> AnyEvent:
        values: dict[str, Any] = {"source": self._source}
        name = ""
        try:
            for name, compute in template.fields:
                if (value := compute(row)) is None or (
                    name == "customer_id" and type(value) is str and is_nobody(value)
                ):
                    continue
                values[name] = whole(value) if name in _IDS and type(value) is str else value
            event = msgspec.convert(values, template.struct)
        except msgspec.ValidationError as error:
            raise UnfitError(f"{template.type}: {error}") from error
        except _UNFIT as error:
            raise UnfitError(f"{template.type}: {name}: {error}") from error
        if refusal := refuse(event):
            raise UnfitError(f"{template.type}: {refusal.detail}")
        return event

    def _template(self, event: EventMapping) -> _Template:
        struct = cast(_Struct, event.struct)
        stated = {name: compute for name, compute in self._common.items() if name in struct.__struct_fields__}
        stated |= {name: self._compiled(formula) for name, formula in event.fields.items()}
        stated |= {name: _named(stated[name], words) for name, words in self._words.items() if name in stated}
        if issubclass(struct, ContactEvent):
            stated["contact_id"] = self._names["contact_id"]
        stated["time"] = self._compiled(event.time)
        stated["id"] = (
            self._compiled(event.id) if event.id is not None else _suffixed(stated["contact_id"], event.suffix)
        )
        return _Template(event.type, struct, self._condition(event.when), list(stated.items()))

    def _condition(self, formula: Expression | None) -> Compute | None:
        if formula is None:
            return None
        compute = self._compiled(formula)
        return lambda row: truth(compute(row))


def _told(key: str, compute: Compute, row: Row) -> Any:
    """The value for a row. Raises UnfitError that names the key."""
    try:
        return compute(row)
    except _UNFIT as error:
        raise UnfitError(f"{key}: {error}") from error


def _once(key: str, compute: Compute, slot: int) -> Compute:
    """A name's value: computed when it is first asked for in a row, then kept in the row's slot."""

    def value(row: Row) -> Any:
        if (known := row[slot]) is UNSET:
            known = row[slot] = _told(key, compute, row)
        return known

    return value


def _named(compute: Compute, words: Mapping[str, str]) -> Compute:
    """A kind or topic by the mapping's name for it; what it does not name stays as the table writes it."""

    def value(row: Row) -> Any:
        said = compute(row)
        return words.get(folded(said), said) if isinstance(said, str) else said

    return value


def _fixed(value: Any) -> Compute:
    return lambda row: value


def _suffixed(contact_id: Compute, suffix: str) -> Compute:
    return lambda row: f"{contact_id(row)}-{suffix}"
