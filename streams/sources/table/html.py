"""The rows of an HTML table: what many consoles export under the name of a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from streams.sources.table.encoding import encoding_of
from streams.sources.table.layout import Layout, TableError

#: The largest page that is read, and how many cells a table may unfold to (``colspan``, ``rowspan``).
MAX_BYTES = 64 << 20
MAX_CELLS = 20_000_000
_MAX_SPAN = 1_000  # as browsers have it
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
#: What the web calls these is the larger set that holds them.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252"}


def html_rows(path: Path, raw: bytes, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The rows of a page's only table, or of the one that ``sheet`` counts to, each with its number from 1.

    Cells over several columns or rows stand in the first of them. Raises TableError where there is no such table, and where
    page or table are too large.
    """
    if len(raw) > MAX_BYTES:
        raise TableError(f"{path}: an HTML page of more than {MAX_BYTES >> 20} MB: save it as CSV or XLSX")
    page = LexborHTMLParser(raw.decode(_encoding(path, raw, layout.encoding), "replace"))
    # A table finds itself: one that finds no other lays out no page.
    tables = [table for table in page.css("table") if len(table.css("table")) == 1]
    return _rows(path, _chosen(path, tables, layout.sheet))


def _encoding(path: Path, raw: bytes, wanted: str) -> str:
    stated = _CHARSET.search(raw[:4096]) if wanted == "auto" and raw[:2] not in (b"\xff\xfe", b"\xfe\xff") else None
    if stated is None:
        return encoding_of(path, raw, wanted)
    name = stated[1].decode().lower()
    return encoding_of(path, raw, _WIDER.get(name, name)) if not name.startswith("utf") else "utf-8-sig"


def _chosen(path: Path, tables: list[LexborNode], number: str | None) -> LexborNode:
    if not tables:
        raise TableError(f"{path}: an HTML page without a table")
    if number is None:
        wide = [table for table in tables if any(len(_cells(row)) > 1 for row in table.css("tr"))] or tables
        if len(wide) > 1:
            raise TableError(
                f'{path}: an HTML page with {len(tables)} tables; set `sheet: "1"` to `"{len(tables)}"`, whichever it is'
            )
        return wide[0]
    if not number.isdecimal() or not 1 <= int(number) <= len(tables):
        raise TableError(f"{path} has no table {number!r}; it is HTML, and has tables 1 to {len(tables)}")
    return tables[int(number) - 1]


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _rows(path: Path, table: LexborNode) -> Iterator[tuple[int, list[str]]]:
    #: Column → rows that a cell from above still takes there.
    taken: dict[int, int] = {}
    unfolded = 0
    for number, row in enumerate(table.css("tr"), 1):
        written: list[str] = []
        for cell in _cells(row):
            _pass_over(taken, written)
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            if high > 1:
                taken |= dict.fromkeys(range(len(written), len(written) + wide), high - 1)
            written += [" ".join(cell.text().split()), *[""] * (wide - 1)]
        _pass_over(taken, written)
        unfolded += len(written)
        if unfolded > MAX_CELLS:
            raise TableError(f"{path}: an HTML table of more than {MAX_CELLS:,} cells: save it as CSV or XLSX")
        yield number, written


def _pass_over(taken: dict[int, int], written: list[str]) -> None:
    """Leave the columns blank that cells from above take, from where the row has come to."""
    while (left := taken.get(len(written), 0)) > 0:
        taken[len(written)] = left - 1
        written.append("")


def _span(cell: LexborNode, name: str) -> int:
    stated = (cell.attributes.get(name) or "1").strip()
    return max(1, min(int(stated), _MAX_SPAN)) if stated.isdecimal() and len(stated) < 8 else 1
