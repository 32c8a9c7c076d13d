"""CSV files that people open in a spreadsheet: text that would run as a formula is made harmless."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from io import StringIO
from typing import Any

#: What a spreadsheet takes for the beginning of a formula, also in full width, and after white space and marks that show nothing.
_FORMULA = re.compile(r"[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?([eE][+-]?\d+)?( ?%)?", re.ASCII)

#: What a spreadsheet makes of a long number that is not kept as text: many ids become one there.
ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d{1,3}", re.ASCII)


def harmless(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it. A number stays a number, with its sign."""
    if text[:1] in ("\t", "\r", "\n") or (_FORMULA.match(text) and not _NUMBER.fullmatch(text)):
        return f"'{text}"
    return text


def harmless_row(cells: Iterable[Any]) -> list[Any]:
    """The cells of a row, texts among them made harmless."""
    return [harmless(cell) if isinstance(cell, str) else cell for cell in cells]


def csv_file(rows: Iterable[Iterable[Any]]) -> bytes:
    """The rows as a file for spreadsheets: UTF-8 with BOM, texts made harmless. The same rows give the same bytes."""
    text = StringIO()
    csv.writer(text).writerows(map(harmless_row, rows))
    return text.getvalue().encode("utf-8-sig")
