"""How far a workbook reaches: its reader takes memory for every cell from the first to the last, though one stands at each end only."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from streams.sources.table.layout import TableError

#: The largest workbook, what it may unpack to, and the cells from the first to the last of a sheet.
MAX_BYTES, MAX_UNPACKED, MAX_CELLS = 256 << 20, 2 << 30, 20_000_000
_CHUNK, _OVERLAP = 4 << 20, 1024
#: Cells and rows of XLSX that are not empty: those without contents end in />.
_XLSX_COLUMN = re.compile(rb'<(?:\w+:)?c (?:[^<>]*? )?r="([A-Z]{1,3})\d{1,7}"(?:[^<>]*[^/<>])?>')
_XLSX_ROW = re.compile(rb'<(?:\w+:)?row (?:[^<>]*? )?r="(\d{1,7})"(?:[^<>]*[^/<>])?>')
#: Rows and cells of ODS, of which one may stand for many.
_ODS = re.compile(rb"<table:(table-row|table-cell|covered-table-cell|table)\b([^<>]*)>")
_ROWS, _COLUMNS = re.compile(rb'number-rows-repeated="(\d+)"'), re.compile(rb'number-columns-repeated="(\d+)"')


def check_extent(path: Path, raw: bytes) -> None:
    """Raise TableError, with what to do, for a workbook that is too large, unpacks to too much or whose cells reach too far.

    Of XLSX and ODS; XLS has no room for more, and of XLSB the size alone is looked at.
    """
    if len(raw) > MAX_BYTES:
        raise TableError(f"{path}: a workbook of more than {MAX_BYTES >> 20} MB: save it as CSV")
    if not raw.startswith(b"PK"):
        return
    try:
        with ZipFile(io.BytesIO(raw)) as packed:
            if (size := sum(part.file_size for part in packed.infolist())) > MAX_UNPACKED:
                raise TableError(f"{path}: a workbook that unpacks to {size >> 20} MB: save it as CSV")
            for part in packed.namelist():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part):
                    _bounded(path, *_of_xlsx(_chunks(packed, part)))
                elif part == "content.xml":
                    _bounded(path, *_of_ods(_chunks(packed, part)))
    except (
        BadZipFile,
        NotImplementedError,  # packed in a way that Python does not know
        EOFError,
        ValueError,
    ) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"cannot read the spreadsheet {path}: {error}") from error


def _bounded(path: Path, rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        raise TableError(
            f"{path}: a sheet whose cells reach over {rows:,} rows and {columns:,} columns, more than {MAX_CELLS:,} in all: delete those "
            "that stand far from the table, or save it as CSV"
        )


def _chunks(packed: ZipFile, part: str) -> Iterator[bytes]:
    """The part's text, each piece with the end of the one before, so that no tag is torn (and a few are seen twice)."""
    with packed.open(part) as opened:
        end = b""
        while more := opened.read(_CHUNK):
            yield end + more
            end = more[-_OVERLAP:]


def _of_xlsx(chunks: Iterator[bytes]) -> tuple[int, int]:
    first, last, columns = 1 << 30, 0, set[bytes]()
    for chunk in chunks:
        columns.update(_XLSX_COLUMN.findall(chunk))
        numbers = list(map(int, _XLSX_ROW.findall(chunk)))
        first, last = min([first, *numbers]), max([last, *numbers])
    places = [sum((letter - 64) * 26**power for power, letter in enumerate(reversed(name))) for name in columns]
    return max(0, last - first + 1), max(places, default=0) - min(places, default=1) + 1


def _of_ods(chunks: Iterator[bytes]) -> tuple[int, int]:
    most = wide = row = column = repeated = 0
    for chunk in chunks:
        for kind, told in _ODS.findall(chunk):
            if kind == b"table":
                row = 0
            elif kind == b"table-row":
                repeated = _times(_ROWS, told)
                row, column = row + repeated, 0
            else:
                column += _times(_COLUMNS, told)
                if b"value-type" in told:
                    most, wide = max(most, row), max(wide, column)
    return most, wide


def _times(repeated: re.Pattern[bytes], told: bytes) -> int:
    match = repeated.search(told)
    return int(match[1]) if match else 1
