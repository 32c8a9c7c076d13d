"""Files as consoles and offices export them: each is read as it was meant, or refused with the key to set and its value."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.pipeline import run
from streams.sources.in_order import in_order_of_time
from streams.sources.table import html
from streams.sources.table import workbook as workbook_reader
from streams.sources.table.layout import TableError
from streams.sources.table.mapping import TableMapping, load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow, RejectedRow
from streams.sources.versions import with_corrections
from tests.support.desk import POLICY, sums

HEADER = "ref,caller,clerk,began,held"
ROW = "k7,31,Wu,2026-05-04 10:00:00,90"


def by(
    tmp_path: Path, *keys: str, began: str = "datetime(began)", held: str = "seconds(held)", ref: str = "ref"
) -> TableMapping:
    """A mapping of calls that took ``held`` seconds; ``keys`` are more lines of it."""
    path = tmp_path / "by.yaml"
    path.write_text(
        "\n".join(
            [
                *("source: desk", "time_zone: Asia/Shanghai", "customer_ids: pseudonymous", *keys),
                f"contact_id: {ref}",
                "events:",
                f"  - {{type: call.ended, time: '{began}', fields: {{agent_id: clerk, talk_seconds: '{held}'}}}}",
            ]
        ),
        encoding="utf-8",
    )
    return load_mapping(path)


def written(tmp_path: Path, content: str | bytes, name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def events(path: Path, mapping: TableMapping) -> list[AnyEvent]:
    rows = list(read_table(path, mapping))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event for row in rows if isinstance(row, ReadRow) for event in row.events]


def told(path: Path, mapping: TableMapping) -> list[tuple[str, str, float]]:
    """Contact, local time and seconds of each call."""
    return [(e.contact_id, f"{e.time:%m-%d %H:%M:%S}", e.talk_seconds) for e in events(path, mapping)]  # type: ignore[union-attr]


def reasons(path: Path, mapping: TableMapping) -> list[str]:
    return [row.reason for row in read_table(path, mapping) if isinstance(row, RejectedRow)]


PLAIN = [("k7", "05-04 10:00:00", 90)]


# -- durations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2分10秒", 130),
        ("3小时4分5秒", 11_045),
        ("7分", 420),
        ("1个小时零8秒", 3608),
        ("２分５秒", 125),
        ("1天1小时", 90_000),
        ("1 h 5 min", 3900),
        ("3'07\"", 187),
        ("PT1H2M3.5S", 3723.5),
        ("0.1 hours", 360),
        ("850ms", 0.85),
        (":45", 45),
        ("0 days 00:02:10", 130),
        ("1 day, 1:00:00.5", 90_000.5),
        ("130s (2m 10s)", 130),
        ("2:10", 130),
        ("130", 130),
    ],
)
def test_durations_in_words_marks_and_by_the_clock(tmp_path: Path, text: str, seconds: float) -> None:
    quoted = text.replace('"', '""')
    path = written(tmp_path, f'{HEADER}\nk7,31,Wu,2026-05-04 10:00:00,"{quoted}"\n')
    assert told(path, by(tmp_path)) == [("k7", "05-04 10:00:00", seconds)]


@pytest.mark.parametrize(
    "text", ["5秒3分", "3分钟前", "分秒", "2m3", "1:75:00", "P1M", "1 day, 25:00:00", "90s (2m)", "1::05"]
)
def test_what_is_no_duration_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, f'{HEADER}\nk7,31,Wu,2026-05-04 10:00:00,"{text}"\n')
    assert reasons(path, by(tmp_path))[0].startswith(f"call.ended: talk_seconds: '{text}' is no ")


@pytest.mark.parametrize(
    ("text", "advice"), [("1,266", "where commas part thousands"), ("8,5", "decimal comma"), ("x", "")]
)
def test_a_number_with_a_comma_is_refused_with_what_to_write(tmp_path: Path, text: str, advice: str) -> None:
    path = written(tmp_path, f'{HEADER}\nk7,31,Wu,2026-05-04 10:00:00,"{text}"\n')
    (reason,) = reasons(path, by(tmp_path, held="number(held)"))
    assert reason.startswith(f"call.ended: talk_seconds: '{text}' is no number")
    assert advice in reason


# -- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ['="0139"', "'0139", '"=""0139"""'])
def test_an_id_that_an_export_keeps_from_becoming_a_number_is_that_id(tmp_path: Path, cell: str) -> None:
    (event,) = events(written(tmp_path, f"{HEADER}\n{cell},31,Wu,2026-05-04 10:00:00,90\n"), by(tmp_path))
    assert event.contact_id == "0139"  # type: ignore[union-attr]


@pytest.mark.parametrize("cell", ["=1+1", "'tis", "=A1", "''", '="a"&"b"'])
def test_what_only_looks_like_one_stays_as_it_is(tmp_path: Path, cell: str) -> None:
    quoted = cell.replace('"', '""')
    (event,) = events(written(tmp_path, f'{HEADER}\n"{quoted}",31,Wu,2026-05-04 10:00:00,90\n'), by(tmp_path))
    assert event.contact_id == cell  # type: ignore[union-attr]


@pytest.mark.parametrize("word", ["-", "NULL", "\\N", "无"])
def test_words_for_nothing_are_empty_cells_where_the_mapping_says_so(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,{word},2026-05-04 10:00:00,90\n")
    assert [e.agent_id for e in events(path, by(tmp_path))] == [word]  # type: ignore[union-attr]
    assert [e.agent_id for e in events(path, by(tmp_path, f"blanks: ['{word}']"))] == [None]  # type: ignore[union-attr]


# -- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text", "time"),
    [
        ("%Y/%m/%d %p %I:%M:%S", "2026/5/4 上午 10:00:00", "05-04 10:00:00"),
        ("%Y/%m/%d %p%I:%M", "2026/5/4 下午12:05", "05-04 12:05:00"),
        ("%Y年%m月%d日 %p%I时%M分", "2026年5月4日 凌晨12时30分", "05-04 00:30:00"),
        ("%Y/%m/%d %p %I:%M", "2026/5/4 中午 11:50", "05-04 11:50:00"),
        ("%Y/%m/%d %p %I:%M", "2026/5/4 中午 1:10", "05-04 13:10:00"),
        ("%Y/%m/%d %p %I:%M", "2026/5/4 晚上 9:10", "05-04 21:10:00"),
        ("%d/%m/%Y %I:%M %p", "04/05/2026 9:10 p.m.", "05-04 21:10:00"),
    ],
)
def test_halves_of_the_day_in_words(tmp_path: Path, form: str, text: str, time: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,{text},90\n")
    assert told(path, by(tmp_path, f'datetime_format: "{form}"')) == [("k7", time, 90)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026/5/4 下午 3:05:12", 'set `datetime_format`: "%Y/%m/%d %p %I:%M:%S"'),
        ("04/05/2026 15:05", 'set `datetime_format`: "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M"'),
        ("46146.5", "a spreadsheet's serial number is read by excel(…)"),
        ("2026/5/4 晚上 12:05", "晚上 with this hour may be either half of the day"),
        ("soon", "'soon' is no moment (ISO 8601)"),
    ],
)
def test_a_time_that_is_not_read_is_refused_with_what_would_read_it(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,{text},90\n")
    assert reason in reasons(path, by(tmp_path))[0]


@pytest.mark.parametrize(
    ("key", "form", "reason"),
    [
        ("datetime_format", "%Y/%m/%d %p %H:%M", "with %p the hour is %I"),
        ("date_format", "%Y%Y", "a directive stands in it twice"),
        ("datetime_format", "%Y-%m-%d %H:%m", "a directive stands in it twice"),  # what people mean is %M
        ("time_format", "%H:%H", "a directive stands in it twice"),
        ("date_format", "%Y-%-m-%-d", "is no format that strptime reads"),
        ("date_format", "%Y-%m-%d%", "is no format that strptime reads"),
        ("date_format", "yyyy/mm/dd", "does not say year, month and day"),
        ("date_format", "%m-%d", "does not say year, month and day"),
        ("datetime_format", "%H:%M", "does not say year, month and day"),
        ("datetime_format", "%Y-%m-%d %I:%M", "does not say the hour"),
        ("time_format", "%M:%S", "does not say the hour"),
        ("time_format", "%H:%M%z", "a time of day has no offset"),
        ("datetime_format", "%Y-%m-%d %H:%M:%S %Z", "%Z reads a zone's name and passes over it"),
    ],
)
def test_a_format_that_cannot_be_read_or_passes_over_something_is_refused(
    tmp_path: Path, key: str, form: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=f"by.yaml: {key}: {re.escape(repr(form))}.*{re.escape(reason)}"):
        by(tmp_path, f'{key}: "{form}"')


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        (None, "2026-05-04 02:00:00 UTC", "05-04 02:00:00 +00:00"),
        (None, "2026-05-04T02:00:00.250Z", "05-04 02:00:00 +00:00"),
        (None, "2026-05-04 10:00:00+08:00", "05-04 10:00:00 +08:00"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-05-04 03:00:00 +0100", "05-04 03:00:00 +01:00"),
        ("%a %b %d %H:%M:%S %Y", "Mon May  4 10:00:00 2026", "05-04 10:00:00 +08:00"),
        ("%G-W%V-%u %H:%M", "2026-W19-1 10:00", "05-04 10:00:00 +08:00"),
        ("%Y/%m/%d", "2026/5/4", "05-04 00:00:00 +08:00"),
    ],
)
def test_moments_with_offsets_names_and_weeks(tmp_path: Path, form: str | None, text: str, moment: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,{text},90\n")
    (event,) = events(path, by(tmp_path, *([f'datetime_format: "{form}"'] if form else [])))
    assert event.time.strftime("%m-%d %H:%M:%S ") + event.time.isoformat()[-6:] == moment


@pytest.mark.parametrize(
    ("zone", "serial", "moment"),
    [
        ("Europe/Berlin", "46033.378611111", "2026-01-11T09:05:12+01:00"),
        ("Europe/Berlin", "46214.378611111", "2026-07-11T09:05:12+02:00"),
        ("Asia/Shanghai", "46146", "2026-05-04T00:00:00+08:00"),
        ("America/New_York", "46146.999988426", "2026-05-04T23:59:59-04:00"),
    ],
)
def test_serial_numbers_of_a_spreadsheet_are_local_times(tmp_path: Path, zone: str, serial: str, moment: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,{serial},90\n")
    mapping = by(tmp_path, began="excel(began)").model_copy(update={"time_zone": zone})
    assert [event.time.isoformat() for event in events(path, mapping)] == [moment]


@pytest.mark.parametrize("serial", ["46092.104166667", "0.5", "60", "20260504", "-1", "noon", "nan"])
def test_a_number_that_is_no_moment_of_the_zone_is_refused(tmp_path: Path, serial: str) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,{serial},90\n")
    mapping = by(tmp_path, began="excel(began)").model_copy(update={"time_zone": "America/New_York"})
    if serial == "46092.104166667":  # 2026-03-11 2:30 is one; 03-08 never was
        assert events(path, mapping)
        path = written(tmp_path, f"{HEADER}\nk7,31,Wu,46089.104166667,90\n")
    assert len(reasons(path, mapping)) == 1


# -- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "clerks"),
    [
        ("gb18030", ("吴敏", "陈静", "合作部")),
        ("big5", ("吳敏", "陳靜", "客戶關係處理中心", "技術支援與維修服務", "請問您對這次通話滿意嗎")),
        ("cp1251", ("Иванов", "Петрова", "Сидоров")),
        ("cp1252", ("Müller", "Jäger", "Größe")),
        ("utf-16-le", ("Wu", "吴", "Li")),
    ],
)
def test_a_body_in_another_encoding_is_refused_with_its_name_which_reads_it(
    tmp_path: Path, encoding: str, clerks: tuple[str, ...]
) -> None:
    rows = [f"k{n},31,{clerk},2026-05-04 10:00:00,90" for n, clerk in enumerate(clerks)]
    path = written(tmp_path, "\n".join([HEADER, *rows]).encode(encoding))
    with pytest.raises(TableError, match=f"set `encoding: {encoding}`"):
        read_table(path, by(tmp_path))
    found = events(path, by(tmp_path, f"encoding: {encoding}"))
    assert tuple(event.agent_id for event in found) == clerks  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["rot13", "base64", "utf-9", "uu"])
def test_what_is_no_encoding_of_texts_is_refused_where_a_mapping_or_a_page_states_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"by.yaml: encoding: '{name}' is no encoding of texts"):
        by(tmp_path, f"encoding: {name}")
    path = written(tmp_path, page(WHOLE, f'<meta charset="{name}">'), "calls.xls")
    if name != "utf-9":  # whatever a page calls UTF, it is read as that
        with pytest.raises(TableError, match=f"'{name}' is no encoding of texts"):
            read_table(path, by(tmp_path))


def test_single_places_that_are_not_utf_8_cost_their_rows_alone(tmp_path: Path) -> None:
    cut = "k2,31,吴".encode()[:-1] + b",2026-05-04 10:00:00,90"
    path = written(tmp_path, b"\n".join([HEADER.encode(), "k1,31,陈静,2026-05-04 10:00:00,90".encode(), cut]))
    assert reasons(path, by(tmp_path)) == ["characters that are not in the file's encoding"]


# -- separators, headers, totals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{ROW},\n",
        f"{HEADER},\n{ROW}\n",
        f"{HEADER},,\n{ROW},,\n",
        f"{HEADER}\n{ROW}, ,\t\n",
        f"sep=;\n{HEADER};\n{ROW};\n".replace(",", ";"),
    ],
)
def test_separators_at_the_end_of_a_row_are_no_cells(tmp_path: Path, content: str) -> None:
    assert told(written(tmp_path, content), by(tmp_path)) == PLAIN


def test_rows_that_end_before_their_empty_cells_are_read_where_the_mapping_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER},note\n{ROW}\n")
    assert reasons(path, by(tmp_path)) == [
        "5 cells where the header has 6; set `short_rows: blank` where the others are empty"
    ]
    assert told(path, by(tmp_path, "short_rows: blank")) == PLAIN


@pytest.mark.parametrize(
    ("rows", "keys", "names"),
    [
        (("通话,,坐席", "编号,开始,", "时长,,"), ("header_rows: 3",), {"ref": "通话 编号 时长", "began": "通话 开始"}),
        (("call,,agent", "ref,began,"), ("header_rows: 2",), {"ref": "call ref", "began": "call began"}),
        (
            ("when,,who", "ref,began,clerk"),
            ("header_rows: 2",),
            {"ref": "when ref", "began": "when began", "clerk": "who clerk"},
        ),
        (("time,time,clerk",), (), {"ref": "time#1", "began": "time#2"}),
        ((), ("columns: [ref, began, clerk]",), {}),
    ],
)
def test_headers_of_several_rows_twice_the_same_or_none(
    tmp_path: Path, rows: tuple[str, ...], keys: tuple[str, ...], names: dict[str, str]
) -> None:
    path = written(tmp_path, "\n".join([*rows, "k7,2026-05-04 10:00:00,Wu"]))
    ref, began = (f'col("{names.get(name, name)}")' for name in ("ref", "began"))
    mapping = by(tmp_path, *keys, ref=ref, began=f"datetime({began})", held="90").model_dump()
    assert mapping["source"] == "desk"
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8")
    clerk = {"通话,,坐席": "坐席", "call,,agent": "agent"}.get(rows[0] if rows else "", names.get("clerk", "clerk"))
    (tmp_path / "by.yaml").write_text(
        text.replace("agent_id: clerk", f"agent_id: 'col(\"{clerk}\")'"), encoding="utf-8"
    )
    assert told(path, load_mapping(tmp_path / "by.yaml")) == PLAIN


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (f"{ROW}\n", r"set|name its 5 columns with `columns: \[first, second, …\]`"),
        ("call,,,,who\nref,caller,began,held,clerk\nk7,31,2026-05-04 10:00:00,90,Wu\n", "set `header_rows: 2`"),
        (f"Calls of May\n{HEADER}\n{ROW}\n", "set `skip_rows` to how many"),
        (
            "ref,began,began,held,clerk\nk7,1,2,3,Wu\n",
            r"2 columns are called 'began': write col\(.began#1.\) or col\(.began#2.\)",
        ),
    ],
)
def test_a_header_that_does_not_fit_is_refused_with_what_to_set(tmp_path: Path, content: str, advice: str) -> None:
    with pytest.raises(TableError, match=advice):
        read_table(written(tmp_path, content), by(tmp_path))


@pytest.mark.parametrize("word", ["合计", "总计：", "Total", "Grand total:", "平均", "总计：3条"])
def test_rows_of_totals_are_refused_skipped_or_kept(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f"{HEADER}\n{ROW}\n{word},,Wu,2026-05-04 10:00:00,90\n")
    assert "set `totals: skip`" in reasons(path, by(tmp_path))[0].replace("Set", "set")
    assert told(path, by(tmp_path, "totals: skip")) == PLAIN
    assert len(told(path, by(tmp_path, "totals: keep"))) == 2
    assert told(path, by(tmp_path, f'where: ref != "{word}"')) == PLAIN


# -- what a file is, whatever its name --------------------------------------------------------------------------------


def page(rows: str, head: str = '<meta charset="utf-8">') -> str:
    return f"<html><head>{head}</head><body><table border=1>{rows}</table></body></html>"


def row(line: str, tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in line.split(",")) + "</tr>"


WHOLE = row(HEADER, "th") + row(ROW)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("calls.xls", page(WHOLE).encode()),
        (
            "calls.xls",
            page(WHOLE, '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">').encode("gbk"),
        ),
        ("calls.xls", ("\ufeff" + page(WHOLE, "")).encode("utf-16")),
        ("calls.csv", page(WHOLE.replace("</td>", "").replace("</tr>", "").replace("90", "<b>9</b>0&nbsp;")).encode()),
        ("calls.xls", (page("<tr><td>Calls of May") + page(WHOLE)).encode()),
        ("calls.xls", page(f"<tr><td>{page(WHOLE)}</td></tr>").encode()),
        ("calls.xls", f"{HEADER}\n{ROW}\n".replace(",", "\t").encode()),
        ("calls.xlsx", f"{HEADER}\n{ROW}\n".encode()),
        ("calls.xls", "\ufeff".encode() + f"{HEADER}\n{ROW}\n".replace(",", ";").encode()),
    ],
)
def test_a_file_is_what_it_holds(tmp_path: Path, name: str, content: bytes) -> None:
    assert told(written(tmp_path, content, name), by(tmp_path)) == PLAIN


def test_a_workbook_may_be_called_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (HEADER, ROW):
        book.active.append(line.split(","))
    book.save(tmp_path / "calls.xlsx")
    assert told((tmp_path / "calls.xlsx").rename(tmp_path / "calls.csv"), by(tmp_path)) == PLAIN


def test_cells_over_several_columns_and_rows(tmp_path: Path) -> None:
    rows = (
        "<tr><th rowspan=2>ref</th><th colspan=2>call</th><th rowspan=2>clerk</th></tr>"
        "<tr><th>began</th><th>held</th></tr>"
        "<tr><td>k7</td><td>2026-05-04 10:00:00</td><td>90</td><td>Wu</td></tr>"
    )
    mapping = by(tmp_path, "header_rows: 2", began='datetime(col("call began"))', held='seconds(col("call held"))')
    assert told(written(tmp_path, page(rows), "calls.xls"), mapping) == PLAIN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (page(WHOLE) * 2, 'an HTML page with 2 tables; set `sheet: "1"` to `"2"`'),
        ("<html><body>You have been logged out</body></html>", "an HTML page without a table"),
        (
            '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "is a workbook in Excel's XML of 2003: open it there and save it as XLSX",
        ),
        ("MIME-Version: 1.0\nContent-Type: multipart/related\n", "is a web archive"),
        (
            page(WHOLE + row(",".join("x" * 40)).replace("<td>", "<td colspan=1000 rowspan=9>") * 9),
            "more than 200,000 cells",
        ),
    ],
)
def test_what_no_table_can_be_taken_from_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, reason: str
) -> None:
    monkeypatch.setattr(html, "MAX_CELLS", 200_000)
    with pytest.raises(TableError) as caught:
        list(read_table(written(tmp_path, content, "calls.xls"), by(tmp_path)))
    assert reason in str(caught.value)


@pytest.mark.parametrize(("above", "skip"), [((), ""), ((), "skip_rows: 3"), (("Calls of May",), "skip_rows: 3")])
def test_a_table_may_begin_anywhere_in_its_sheet(tmp_path: Path, above: tuple[str, ...], skip: str) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for number, line in enumerate((*above,), 1):
        book.active.cell(number, 1, line)
    for number, line in enumerate((HEADER, ROW, ROW.replace("90", "x")), 4):
        for column, cell in enumerate(line.split(","), 3):
            book.active.cell(number, column, cell)
    book.save(path := tmp_path / "calls.xlsx")
    read, refused = read_table(path, by(tmp_path, *([skip] if skip else [])))
    assert isinstance(read, ReadRow)
    assert (read.line, read.events[0].contact_id, refused.line) == (5, "k7", 6)  # type: ignore[union-attr]


def workbook(tmp_path: Path, part: str, text: str) -> Path:
    """A workbook with one part of it written anew."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (HEADER, ROW):
        book.active.append(line.split(","))
    book.save(tmp_path / "whole.xlsx")
    with ZipFile(tmp_path / "whole.xlsx") as whole, ZipFile(tmp_path / "calls.xlsx", "w", ZIP_DEFLATED) as made:
        for name in whole.namelist():
            made.writestr(name, text if name == part else whole.read(name))
        if part not in whole.namelist():
            made.writestr(part, text)
    return tmp_path / "calls.xlsx"


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("xl/worksheets/sheet1.xml", SHEET.format(FAR), "over 1,048,576 rows and 16,384 columns"),
        (
            "xl/worksheets/sheet1.xml",
            SHEET.format(FAR).replace("<c r", '<c s="1" r').replace("<row r", '<row spans="1:1" r'),
            "over 1,048,576 rows and 16,384 columns",
        ),
        (
            "content.xml",
            '<table:table><table:table-row table:number-rows-repeated="1048575"><table:table-cell/></table:table-row>'
            '<table:table-row><table:table-cell table:number-columns-repeated="16384" office:value-type="float"/>',
            "over 1,048,576 rows and 16,384 columns",
        ),
        ("xl/media/image1.png", " " * 3_000_000, "a workbook that unpacks to"),
    ],
)
def test_a_workbook_of_some_kilobytes_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, text: str, reason: str
) -> None:
    monkeypatch.setattr(workbook_reader, "MAX_UNPACKED", 2_000_000)
    path = workbook(tmp_path, part, text)
    assert path.stat().st_size < 20_000
    began = time.process_time()
    with pytest.raises(TableError, match=reason):
        read_table(path, by(tmp_path))
    assert time.process_time() - began < 5


def test_cells_far_away_that_hold_nothing_are_no_part_of_a_table(tmp_path: Path) -> None:
    whole = (
        '<row r="3"><c r="B3" t="str"><v>ref</v></c></row><row r="4"><c r="B4"><v>7</v></c><c r="XFD4" s="1"/></row>'
        '<row r="1048576" hidden="1"/>'
    )
    path = workbook(tmp_path, "xl/worksheets/sheet1.xml", SHEET.format(whole))
    mapping = by(tmp_path, began='datetime("2026-05-04 10:00")', held="90").model_dump()
    assert mapping["source"] == "desk"
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8").replace("agent_id: clerk, ", "")
    (tmp_path / "by.yaml").write_text(text, encoding="utf-8")
    assert told(path, load_mapping(tmp_path / "by.yaml")) == [("7", "05-04 10:00:00", 90)]


def test_a_table_of_several_is_named_by_its_number(tmp_path: Path) -> None:
    other = page(row("a,b") + row("1,2"))
    path = written(tmp_path, other + page(WHOLE), "calls.xls")
    assert told(path, by(tmp_path, 'sheet: "2"')) == PLAIN
    with pytest.raises(TableError, match="has no table '3'; it is HTML, and has tables 1 to 2"):
        read_table(path, by(tmp_path, 'sheet: "3"'))


# -- scales -----------------------------------------------------------------------------------------------------------


def rated(tmp_path: Path, scale: str) -> TableMapping:
    """A mapping of ratings: ``held`` is the score."""
    by(tmp_path, held="number(held)")
    mapping = tmp_path / "by.yaml"
    text = mapping.read_text(encoding="utf-8").replace("call.ended", "call.rated").replace("talk_seconds:", "score:")
    mapping.write_text(text.replace("number(held)'", f"number(held)', scale: '\"{scale}\"'"), encoding="utf-8")
    return load_mapping(mapping)


@pytest.mark.parametrize(("scale", "score"), [("1-10", 7), ("3-1", 2), ("0-7", 0), ("binary", 1), ("6-1", 3.5)])
def test_a_score_is_told_on_its_own_scale(tmp_path: Path, scale: str, score: float) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,2026-05-04 10:00:00,{score}\n")
    (event,) = events(path, rated(tmp_path, scale))
    assert (event.score, event.scale) == (score, scale)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("scale", "score", "reason"),
    [
        ("1-10", 11, "score 11 is not on the scale 1-10"),
        ("3-1", 4, "score 4 is not on the scale 3-1"),
        ("4-4", 4, "a scale from 4 to 4 is none"),
        ("1 to 5", 4, "matching regex"),
        ("01-10", 4, "matching regex"),
    ],
)
def test_a_score_off_its_scale_and_what_is_no_scale_are_refused(
    tmp_path: Path, scale: str, score: int, reason: str
) -> None:
    path = written(tmp_path, f"{HEADER}\nk7,31,Wu,2026-05-04 10:00:00,{score}\n")
    assert reason in reasons(path, rated(tmp_path, scale))[0]


# -- who the customer is ----------------------------------------------------------------------------------------------


def customers(tmp_path: Path, callers: list[str], formula: str = "pseudonym(caller)", *keys: str) -> list[str | None]:
    """The customer of each of the calls."""
    path = written(
        tmp_path, "\n".join([HEADER, *(f'k{n},"{who}",Wu,2026-05-04 10:00:00,9' for n, who in enumerate(callers))])
    )
    by(tmp_path, *keys)
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8")
    if "pseudonym" in formula:
        text = text.replace("customer_ids: pseudonymous\n", "")
    (tmp_path / "by.yaml").write_text(f"{text}\nfields: {{customer_id: '{formula}'}}\n", encoding="utf-8")
    rows = list(read_table(path, load_mapping(tmp_path / "by.yaml"), b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event.customer_id for row in rows if isinstance(row, ReadRow) for event in row.events]  # type: ignore[union-attr]


@pytest.mark.parametrize("formula", ["pseudonym(caller)", "caller", 'pseudonym(phone(caller, "CN"))'])
@pytest.mark.parametrize(
    "caller",
    [
        *("anonymous", "Anonymous", "0", "00000000", "unknown", "<unknown>", "N/A", "null", "-", "-1", "+0", "０"),
        *("无", "未知号码", "私人号码", "Private Number", "sip:anonymous@anonymous.invalid", "Restricted"),
    ],
)
def test_withheld_and_placeholder_numbers_are_nobody(tmp_path: Path, formula: str, caller: str) -> None:
    assert customers(tmp_path, [caller], formula) == [None]


@pytest.mark.parametrize("caller", ["10", "private@desk.example", "0@desk.example", "Nadia", "k0", "unknown soldier"])
def test_whoever_only_looks_like_nobody_is_somebody(tmp_path: Path, caller: str) -> None:
    assert customers(tmp_path, [caller], "caller") == [caller]


@pytest.mark.parametrize(
    ("region", "spellings"),
    [
        (
            "CN",
            [
                "13900000001",
                "139 0000 0001",
                "+86 139-0000-0001",
                "008613900000001",
                "8613900000001",
                "sip:13900000001@pbx",
            ],
        ),
        ("CN", ["0571-87650001", "(0571) 8765 0001", "+86 571 87650001"]),
        ("DE", ["030 1234567", "+49 (30) 123 45 67", "0049301234567"]),
        ("US", ["(202) 555-0143", "1-202-555-0143", "+12025550143"]),
    ],
)
def test_a_telephone_number_is_one_customer_in_all_its_spellings(
    tmp_path: Path, region: str, spellings: list[str]
) -> None:
    found = customers(tmp_path, spellings, f'pseudonym(phone(caller, "{region}"))')
    assert (len(set(found)), None in found) == (1, False)


def test_extensions_short_numbers_and_people_behind_one_switchboard_stay_apart(tmp_path: Path) -> None:
    callers = ["10086", "1001", "0571-87650001转12", "0571-87650001转13", "057187650001"]
    assert customers(tmp_path, callers, 'phone(caller, "CN")') == [
        "10086", "1001", "+8657187650001;ext=12", "+8657187650001;ext=13", "+8657187650001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "formula", "reason"),
    [
        ("1.39E+10", "caller", "is a number that a spreadsheet has rounded"),
        ("8,61E+12", "caller", "format the column as text and export it again"),
        ("front desk", 'phone(caller, "CN")', "'front desk' is no telephone number"),
        ("1390000000111111", 'phone(caller, "CN")', "is no telephone number of CN"),
        ("13900000001", 'phone(caller, "XX")', "'XX' is no region; write it like CN or DE"),
    ],
)
def test_a_customer_that_cannot_be_told_costs_the_row(tmp_path: Path, cell: str, formula: str, reason: str) -> None:
    path = written(tmp_path, f'{HEADER}\nk7,"{cell}",Wu,2026-05-04 10:00:00,90\n')
    by(tmp_path)
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8")
    (tmp_path / "by.yaml").write_text(f"{text}\nfields: {{customer_id: '{formula}'}}\n", encoding="utf-8")
    assert reason in reasons(path, load_mapping(tmp_path / "by.yaml"))[0]


def test_contacts_and_agents_that_a_spreadsheet_has_rounded_are_refused(tmp_path: Path) -> None:
    rows = ["8.61E+12,31,Wu,2026-05-04 10:00:00,90", "k7,31,1.2E+11,2026-05-04 10:00:00,90"]
    found = reasons(written(tmp_path, "\n".join([HEADER, *rows])), by(tmp_path))
    assert [reason.partition(":")[2].partition(":")[0].strip() for reason in found] == ["contact_id", "agent_id"]


def test_a_long_number_in_a_workbook_is_no_id_where_the_workbook_has_rounded_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(HEADER.split(","))
    for ref in (123456789012345, 12345678901234567890):
        book.active.append([ref, 31, "Wu", "2026-05-04 10:00:00", 90])
    book.save(path := tmp_path / "calls.xlsx")
    read, refused = read_table(path, by(tmp_path))
    assert isinstance(read, ReadRow)
    assert read.events[0].contact_id == "123456789012345"  # type: ignore[union-attr]
    assert isinstance(refused, RejectedRow)
    assert "is a number that a spreadsheet has rounded" in refused.reason


# -- rows that come again ---------------------------------------------------------------------------------------------


CHANGED = f"{HEADER},changed"


def answered(tmp_path: Path, *keys: str) -> TableMapping:
    """The mapping of calls that were answered as they began."""
    by(tmp_path, *keys)
    with (tmp_path / "by.yaml").open("a", encoding="utf-8") as mapping:
        mapping.write("\n  - {type: call.answered, time: datetime(began), fields: {agent_id: clerk}}\n")
    return load_mapping(tmp_path / "by.yaml")


def talk(tmp_path: Path, files: list[list[str]], *keys: str) -> tuple[dict[str, Any], str]:
    """All facts of the files, and what was said on the error stream."""
    answered(tmp_path, *keys)
    paths = [written(tmp_path, "\n".join([CHANGED, *rows]), f"{n}.csv") for n, rows in enumerate(files)]
    arguments = [
        "facts",
        "compute",
        *map(str, paths),
        "-m",
        str(tmp_path / "by.yaml"),
        "--by",
        "all",
        "--format",
        "json",
    ]
    result = CliRunner().invoke(app, arguments)
    (row,) = json.loads(result.stdout)
    assert result.exit_code == ("differs" in result.stderr), result.output
    return row, result.stderr


FIRST, LATER = f"{ROW},2026-05-05", "k7,31,Li,2026-05-04 10:00:00,95,2026-05-06"


@pytest.mark.parametrize("files", [[[FIRST, LATER]], [[LATER, FIRST]], [[FIRST], [LATER]], [[LATER], [FIRST]]])
@pytest.mark.parametrize("key", ["version: datetime(changed)", 'version: number(replace(changed, "-", ""))'])
def test_of_rows_that_come_again_the_latest_counts(tmp_path: Path, files: list[list[str]], key: str) -> None:
    row, said = talk(tmp_path, files, key)
    assert (row["calls_handled"], row["talk_seconds"], said) == (1, 95, "")


def test_a_row_whose_version_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"{CHANGED}\n{FIRST}\n{ROW},\n")
    assert reasons(path, by(tmp_path, "version: changed"))[0].startswith("version: '2026-05-05' is no version")
    assert reasons(path, by(tmp_path, "version: datetime(changed)")) == [
        "version: None is no version: give a whole number, number(…), or a moment, datetime(…)"
    ]
    with pytest.raises(ValueError, match="row_id: of what does `version` count the versions"):
        by(tmp_path, "version: changed").model_validate(
            {
                "source": "desk",
                "time_zone": "UTC",
                "version": "v",
                "events": [
                    {
                        "type": "agent.scheduled",
                        "time": "t",
                        "id": "i",
                        "fields": {"agent_id": "a", "starts": "t", "ends": "t"},
                    }
                ],
            }
        )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([[FIRST], [LATER]], "told twice, and differently: 2 events (such as desk, calls, k7: k7-answered)"),
        (
            [[FIRST, ROW.replace(",90", ",95") + ",x"]],
            "told twice, and differently: 1 events (such as desk, calls, k7: k7-ended)",
        ),
        ([[FIRST], [FIRST]], ""),
        ([[FIRST, FIRST.replace("k7", "k8")]], ""),
    ],
)
def test_rows_that_differ_without_a_version_are_reported(tmp_path: Path, files: list[list[str]], said: str) -> None:
    assert talk(tmp_path, files)[1].startswith(said)
    assert ("set `version`" in talk(tmp_path, files)[1]) == bool(said)


@pytest.mark.parametrize(
    ("key", "row", "talked", "refused"),
    [
        ("version: datetime(changed)", LATER, 95, 0),
        ("version: datetime(changed)", FIRST, 90, 0),
        ("version: datetime(changed)", LATER.replace("10:00:00", "10:00:30"), 95, 0),
        ("totals: skip", LATER, 90, 2),
        ("totals: skip", FIRST, 90, 0),
    ],
)
def test_an_export_that_is_sent_again_corrects_what_an_earlier_command_sent_or_is_refused(
    tmp_path: Path, key: str, row: str, talked: int, refused: int
) -> None:
    mapping, raws = answered(tmp_path, key), list[bytes]()
    for rows in (FIRST, row, FIRST):
        path = written(tmp_path, f"{CHANGED}\n{rows}\n")
        sent = [event for read in read_table(path, mapping) for event in with_corrections(read)]  # type: ignore[arg-type]
        raws += map(encode, in_order_of_time(sent).events)
    result = run(raws, POLICY)
    assert [why.reason for _, why in result.rejected] == ["differs"] * refused
    assert sums(result, day=date(2026, 5, 4))["talk_seconds"] == talked * 1000
