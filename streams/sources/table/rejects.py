"""Rows that do not fit, kept for whoever puts them right."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from streams.csv_cells import harmless
from streams.sources.table.rows import RejectedRow

_HEADER = ("file", "line", "reason", "row")


class RejectFile:
    """A CSV file of rejected rows: file, line, reason, and the row as it was written. UTF-8 with a byte order mark.

    The file is made with the first reject; one of an earlier run is taken away, so that it never speaks of this one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.count = 0

    @property
    def path(self) -> Path | None:
        """Where the rejects are; None while there are none."""
        return self._path if self.count else None

    def write(self, source: Path, row: RejectedRow) -> None:
        """Add a row of the file ``source``."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(_HEADER)
        self._writer.writerow((harmless(source.name), row.line, harmless(row.reason), harmless(row.text)))
        self.count += 1

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
