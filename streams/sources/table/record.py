"""A mapping on records of JSON instead of a table's rows: which events one of them stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from streams.contracts.events import AnyEvent
from streams.sources.table.mapping import TableMapping
from streams.sources.table.reader import UNSET, CompiledMapping
from streams.sources.table.rows import ReadRow

#: From a record to its events, none where it tells nothing that the mapping reads. Raises UnfitError where it does not fit.
RecordReader: TypeAlias = Callable[[Mapping[str, Any]], list[AnyEvent]]


def record_reader(mapping: TableMapping, key: bytes) -> RecordReader:
    """The reader of records by a mapping. Its columns are the fields of a record, those of a part by their path: ``col("meta.sender.id")``.

    Of a list, ``0`` is the first entry, and a name is looked for in its entries: the first that has it. Fields that are absent, null or
    empty are nothing; numbers, ``true`` and ``false`` are what they are, and all else is text.
    """
    read = record_rows(mapping, key)
    return lambda record: read(record).events


def record_rows(mapping: TableMapping, key: bytes) -> Callable[[Mapping[str, Any]], ReadRow]:
    """The same, with what a row of a table has beside its events: whether it is read at all, and which version it is."""
    compiled = CompiledMapping(mapping, _AnyField(), 0, key)
    return lambda record: compiled.read(1, _Fields(record))


class _AnyField(dict[str, Any]):
    """Where a record has its fields: under their names. Any may be there."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name


class _Fields(dict[Any, Any]):
    """A record as a row: a field under its path, and a slot for each name that the mapping binds."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__()
        self._record = record

    def __missing__(self, path: str | int) -> Any:
        """A slot that nobody has asked for yet, or what the record has there."""
        if isinstance(path, int):
            return UNSET
        found: Any = self._record
        for part in path.split("."):
            found = _part(found, part)
            if found is None:
                return None
        return (found.strip() or None) if isinstance(found, str) else found


def _part(whole: Any, name: str) -> Any:
    if isinstance(whole, Mapping):
        return whole.get(name)
    if isinstance(whole, list):
        if name.isdecimal():
            return whole[int(name)] if int(name) < len(whole) else None
        return next((entry[name] for entry in whole if isinstance(entry, Mapping) and name in entry), None)
    return None
