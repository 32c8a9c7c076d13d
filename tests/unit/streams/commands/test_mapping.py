"""A mapping proposed from a table: it reads the table, and says what is not sure."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.contracts.events import AnyEvent
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow, RejectedRow


def suggested(tmp_path: Path, content: bytes, *options: str, name: str = "calls.csv") -> Result:
    path = tmp_path / name
    path.write_bytes(content)
    return CliRunner().invoke(app, ["mapping", "suggest", str(path), "--out", str(tmp_path / "by.yaml"), *options])


def read(tmp_path: Path, name: str = "calls.csv") -> list[AnyEvent]:
    """The events of the table by the mapping as it was proposed, not a line changed."""
    rows = list(read_table(tmp_path / name, load_mapping(tmp_path / "by.yaml"), b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [event for row in rows if isinstance(row, ReadRow) for event in row.events]


CHINESE = """流水号,主叫号码,客服,呼入时间,排队时长,通话时长,满意度
a1,13900000011,吴敏,2026/5/4 上午 9:05,6秒,2分10秒,4
a2,13900000012,,2026/5/4 下午 1:15,31秒,,
合计,,,,,,
"""
ENGLISH = """Call Id;Caller;Agent;Date;Time;Answered (Y/N);Resolved;Wait;Talk;Score
c1;+4930100001;Ada;2026-05-04;09:05:00;Y;Y;5;60;9
c2;+4930100002;Bo;2026-05-04;09:06:00;N;;20;;
"""
SERIAL = "id,cust,agent,start,wait,talk\nz1,31,Wu,46146.5,4,70\nz2,32,Wu,46146.75,8,60\n"
TWO_ROWS = "call,,,agent\nref,began,held,\nt1,2026-05-04 09:00:00,60,Wu\nt2,2026-05-04 10:00:00,0:01:30,Li\n"
BARE = "1001,2026-05-04 09:00:00,60\n1002,2026-05-04 10:00:00,90\n"
PAGE = "<table><tr><th>call_id</th><th>started</th><th>clerk</th></tr><tr><td>h1</td><td>2026-05-04 09:00</td><td>Wu</td></tr></table>"


@pytest.mark.parametrize(
    ("content", "name", "types", "holds"),
    [
        (
            CHINESE.encode("gb18030"), "calls.csv", "queued answered ended rated queued abandoned",
            ["encoding: gb18030  # ?", "totals: skip  # ?", 'datetime_format: "%Y/%m/%d %p %I:%M"', "taken: not blank(客服)"],
        ),
        (
            ENGLISH.encode(), "calls.csv", "queued answered ended rated queued abandoned",
            ['col("Answered (Y/N)") == "Y"', "datetime(Date, Time)", 'resolved: \'Resolved == "Y"\'', "1-10"],
        ),
        (SERIAL.encode(), "calls.csv", "queued answered ended " * 2, ["queued: excel(start)", "taken: true  # ?"]),
        (TWO_ROWS.encode(), "calls.csv", "queued answered ended " * 2, ["header_rows: 2  # ?", 'datetime(col("call began"))']),
        (BARE.encode(), "calls.csv", "queued answered " * 2, ["columns: [column_1, column_2, column_3]  # ?", "datetime(column_2)"]),
        (PAGE.encode(), "calls.xls", "queued answered", ["contact_id: call_id", "agent_id: clerk"]),
        (f"Report of May\n\n{SERIAL}".encode(), "calls.csv", "queued answered ended " * 2, ["skip_rows: 2  # ?"]),
    ],
)  # fmt: skip
def test_a_proposal_reads_the_table_as_it_stands(
    tmp_path: Path, content: bytes, name: str, types: str, holds: list[str]
) -> None:
    result = suggested(tmp_path, content, name=name)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8")
    for line in holds:
        assert line in text
    found = [str(type(event).__struct_config__.tag).removeprefix("call.") for event in read(tmp_path, name)]
    assert found == types.split()
    assert "0 rows do not fit" in " ".join(result.stderr.split())


def test_the_first_ten_events_and_what_does_not_fit_are_shown(tmp_path: Path) -> None:
    rows = [f"z{n},31,Wu,2026-05-04 09:{n:02}:00,4,70" for n in range(9)]
    content = "\n".join(["id,cust,agent,start,wait,talk", *rows, "z9,31,Wu,2026-05-04 10:00:00,4,70,late"])
    result = suggested(tmp_path, content.encode(), "--time-zone", "Europe/Berlin")
    assert sum(line.lstrip().startswith("call.") for line in result.stderr.splitlines()) == 10
    assert "line 11: 7 cells where the header has 6" in result.stderr
    assert "time_zone: Europe/Berlin" in (tmp_path / "by.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        (
            b"name,colour\nAda,red\n",
            [],
            "no column that may be when a call came in: write a mapping by hand, see docs/mapping.md",
        ),
        (b"", [], "no header in row 1"),
        (SERIAL.encode(), ["--time-zone", "Peking"], "no time zone; write it like Asia/Shanghai"),
    ],
)
def test_a_file_of_which_no_mapping_can_be_proposed_is_told(
    tmp_path: Path, content: bytes, options: list[str], why: str
) -> None:
    result = suggested(tmp_path, content, *options)
    assert result.exit_code != 0
    assert why in result.stderr
    assert not (tmp_path / "by.yaml").exists()
