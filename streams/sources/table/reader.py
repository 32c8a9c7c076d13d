"""A table read by its mapping: each row gives its events, or the reason why it gives none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from streams.contracts.decode import refuse
from streams.contracts.events import AnyEvent, ContactEvent
from streams.kpi.policy.names import aliases, folded
from streams.sources.expressions.compiler import Compute, Row, Scope, compiled
from streams.sources.expressions.functions import functions
from streams.sources.expressions.operators import truth
from streams.sources.expressions.parser import Expression
from streams.sources.table.cells import RawRow, Table, TableError, open_table
from streams.sources.table.mapping import EventMapping, TableMapping
from streams.sources.table.rows import ReadRow, RejectedRow, RowResult, as_told

#: Environment variable with the key of the pseudonyms. Whoever has it can find a customer; without it nobody can.
KEY_VARIABLE = "DESKPULSE_PSEUDONYM_KEY"
_UNSET = object()
#: What an expression raises for cells that it does not fit.
_UNFIT = (ValueError, TypeError, ArithmeticError)
_time = attrgetter("time")


_Struct: TypeAlias = type[AnyEvent]


def read_table(path: Path, mapping: TableMapping, key: bytes | None = None) -> Iterator[RowResult]:
    """Read a table row by row, in the order of the file; all of a row's events or none, with the row as their ``sequence``.

    The same file gives the same events. Memory does not grow with a text file; a spreadsheet is held whole. ``key`` is
    that of the pseudonyms, by default from the environment (KEY_VARIABLE).

    Raises TableError at once for a file that cannot be read, a column that is missing, or a key that is needed and
    absent; and on the way where the file is damaged.
    """
    key = key or os.environ.get(KEY_VARIABLE, "").encode()
    if mapping.needs_key and not key:
        raise TableError(
            f"the mapping makes pseudonyms of customer ids and {KEY_VARIABLE} is not set: set it to a long secret "
            "and keep it (another key makes other customers of the same people)"
        )
    table = open_table(path, mapping)
    events_of = _Rows(table, mapping, key if mapping.customer_ids == "plain" else None).events
    width = len(table.header)
    return as_told(_result(row, table, width, events_of) for row in table.rows)


def read_events(path: Path, mapping: TableMapping, key: bytes | None = None) -> Iterator[AnyEvent]:
    """The events of a table alone, rejected rows passed over. Raises as ``read_table``."""
    return (event for row in read_table(path, mapping, key) if isinstance(row, ReadRow) for event in row.events)


def _result(
    raw: RawRow, table: Table, width: int, events_of: Callable[[list[str | None]], list[AnyEvent] | None]
) -> RowResult:
    if raw.problem:
        return RejectedRow(raw.line, raw.problem, table.text(raw.cells))
    if len(raw.cells) != width:
        reason = f"{len(raw.cells)} cells where the header has {width}"
        return RejectedRow(raw.line, reason, table.text(raw.cells))
    try:
        events = events_of([cell.strip() or None for cell in raw.cells])
    except _UnfitError as error:
        return RejectedRow(raw.line, str(error), table.text(raw.cells))
    return ReadRow(raw.line, [], kept=False) if events is None else ReadRow(raw.line, events)


class _UnfitError(Exception):
    """A row that does not fit; its text is the reason."""


class _Template(NamedTuple):
    """An event of the mapping, compiled for one table."""

    type: str
    struct: _Struct
    when: Compute | None
    fields: list[tuple[str, Compute]]


class _Rows:
    """The mapping compiled for the columns of one table: cells in, events out."""

    def __init__(self, table: Table, mapping: TableMapping, key: bytes | None) -> None:
        columns = {name: index for index, name in enumerate(table.header) if name}
        try:
            mapping.check_names(columns)
        except ValueError as error:
            raise TableError(f"{table.path} does not fit the mapping: {error}") from error
        available = functions(mapping.moments, mapping.lookups, key)
        self._source = mapping.source
        self._names: dict[str, Compute] = {name: _fixed(value) for name, value in mapping.constants.items()}
        self._compiled: Callable[[Expression], Compute] = lambda formula: compiled(
            formula, Scope(self._names, columns, available)
        )
        slot = count(len(table.header))
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
        self._templates = [self._template(event) for event in mapping.events]
        self._slots = [_UNSET] * (next(slot) - len(table.header))

    def events(self, cells: list[str | None]) -> list[AnyEvent] | None:
        """The events of a row; None where ``where`` leaves it out. Raises _UnfitError."""
        row: Row = [*cells, *self._slots]
        if self._where is not None and not _told("where", self._where, row):
            return None
        events = [
            self._event(template, row)
            for template in self._templates
            if template.when is None or _told(f"{template.type}: when", template.when, row)
        ]
        events.sort(key=_time)
        return events

    def _event(self, template: _Template, row: Row) -> AnyEvent:
        values: dict[str, Any] = {"source": self._source}
        name = ""
        try:
            for name, compute in template.fields:
                if (value := compute(row)) is not None:
                    values[name] = value
            event = msgspec.convert(values, template.struct)
        except msgspec.ValidationError as error:
            raise _UnfitError(f"{template.type}: {error}") from error
        except _UNFIT as error:
            raise _UnfitError(f"{template.type}: {name}: {error}") from error
        if refusal := refuse(event):
            raise _UnfitError(f"{template.type}: {refusal.detail}")
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
    """The value for a row. Raises _UnfitError that names the key."""
    try:
        return compute(row)
    except _UNFIT as error:
        raise _UnfitError(f"{key}: {error}") from error


def _once(key: str, compute: Compute, slot: int) -> Compute:
    """A name's value: computed when it is first asked for in a row, then kept in the row's slot."""

    def value(row: Row) -> Any:
        if (known := row[slot]) is _UNSET:
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
