"""Workbooks that are made to unfold without measure, and damaged ones: refused, soon and in words."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from scoring.inputs.sheet import InputError, parse_sheet

SHEET = "xl/worksheets/sheet1.xml"
OPEN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CLOSE = b"</sheetData></worksheet>"


def workbook(**changes: Callable[[bytes], bytes]) -> bytes:
    """A sound one, but for parts that are changed: ``sheet``, ``styles``, ``texts``."""
    book, stored, out = Workbook(), io.BytesIO(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["person", "item", "field", "value"])
    sheet.append(["anna", "exam", "value", 90])
    book.save(stored)
    names = {SHEET: "sheet", "xl/styles.xml": "styles"}
    with ZipFile(stored) as packed, ZipFile(out, "w", ZIP_DEFLATED) as made:
        for name in packed.namelist():
            body = packed.read(name)
            made.writestr(name, changes.get(names.get(name, ""), lambda body: body)(body))
        if "texts" in changes:  # the library itself writes none
            made.writestr("xl/sharedStrings.xml", changes["texts"](b"<sst></sst>"))
    return out.getvalue()


def full(what: bytes, size: int) -> Callable[[bytes], bytes]:
    return lambda _: OPEN + what * (size // len(what)) + CLOSE


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a sheet of spaces": (lambda: workbook(sheet=full(b" " * 1000, 300_000_000)), "unfolds into"),
    "rows without cells": (lambda: workbook(sheet=full(b"<row/>", 12_000_000)), "unfolds into"),
    "styles": (
        lambda: workbook(styles=lambda body: body.replace(b"</cellXfs>", b"<xf/>" * 3_000_000 + b"</cellXfs>")),
        "unfolds into",
    ),
    "texts": (
        lambda: workbook(texts=lambda body: body.replace(b"</sst>", b"<si><t>a</t></si>" * 500_000 + b"</sst>")),
        "unfolds into",
    ),
    "entities": (
        lambda: workbook(
            sheet=lambda body: (
                b'<!DOCTYPE l [<!ENTITY a "'
                + b"x" * 1000
                + b'">'
                + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
                + b"]>"
                + body.replace(b"<v>90</v>", b"<v>&i;</v>")
            )
        ),
        "no XLSX workbook",
    ),
    "a row far down": (lambda: workbook(sheet=full(b'<row r="999999999"><c><v>1</v></c></row>', 40)), "column|rows"),
    "a sheet that breaks off": (lambda: workbook(sheet=lambda body: body[: len(body) // 2]), "no XLSX workbook"),
    "a sheet that is none": (lambda: workbook(sheet=lambda _: b"\0" * 100), "no XLSX workbook"),
    "no zip": (lambda: b"PK\x03\x04" + bytes(1000), "no XLSX workbook"),
    "half a file": (lambda: workbook()[:2000], "no XLSX workbook"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_it_is_refused(name: str) -> None:
    make, says = BOMBS[name]
    body = make()
    assert len(body) < 2_000_000
    began = time.process_time()
    with pytest.raises(InputError, match=says) as refused:
        parse_sheet("m.xlsx", body)
    assert len(str(refused.value)) < 600
    assert time.process_time() - began < 20


def test_a_sound_one_is_read() -> None:
    assert [row.cells["value"] for row in parse_sheet("m.xlsx", workbook()).rows] == ["90"]
