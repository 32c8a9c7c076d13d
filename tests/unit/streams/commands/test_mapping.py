"""A mapping proposed from a table: it reads the table, and says what is not sure."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.kpi.measures import merged
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.sources.customers import Customers
from streams.sources.in_order import in_order_of_time
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow, RejectedRow
from streams.sources.table.suggest import suggest


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


# -- files as systems and offices write them: by the mapping as it was proposed they give their figures -----------------

#: Three calls: one answered after 8 s for 266 s, one abandoned after 31 s, one answered after 20 s for 240 s.
FILES: dict[str, tuple[str, str]] = {
    "a cloud console": ("utf-8-sig", '''"Media Type","Users","Date","Duration","ANI","Queue","Conversation ID","Abandoned","Total Queue","Total Talk","Total ACW"
"voice","Wu Min","3/2/26 9:05 AM","00:05:04","tel:+8613900000001","Orders","3f2a-1","NO","00:00:08.000","00:04:26.000","00:00:30.000"
"voice","","3/2/26 9:06 AM","00:00:31","tel:+8613900000002","Orders","3f2a-2","YES","00:00:31.000","",""
"voice","Li Na","3/2/26 2:15 PM","00:04:20","tel:+8613900000003","Orders","3f2a-3","NO","00:00:20.000","00:04:00.000","00:00:40.000"
'''),
    "records of a switch without a header": ("utf-8", '''"","13900000001","8001","q","""Wu"" <1001>","SIP/t-1","SIP/201-2","Queue","o","2026-03-02 09:05:00","2026-03-02 09:05:08","2026-03-02 09:09:34",274,266,"ANSWERED","DOCUMENTATION","1772413500.26",""
"","13900000002","8001","q","13900000002","SIP/t-3","","Queue","o","2026-03-02 09:06:00","","2026-03-02 09:06:31",31,0,"NO ANSWER","DOCUMENTATION","1772413560.28",""
"","13900000003","8001","q","13900000003","SIP/t-5","SIP/202-6","Queue","o","2026-03-02 09:15:00","2026-03-02 09:15:20","2026-03-02 09:19:20",260,240,"ANSWERED","DOCUMENTATION","1772414100.30",""
'''),
    "another switch without a header": ("utf-8", '''"Wu","13900000001","4001234567","default","2026-03-02 09:05:00","2026-03-02 09:05:08","2026-03-02 09:09:34","274","266","NORMAL_CLEARING","8d1e-1","","","PCMA","PCMA"
"","13900000002","4001234567","default","2026-03-02 09:06:00","","2026-03-02 09:06:31","31","0","ORIGINATOR_CANCEL","8d1e-2","","","PCMA",""
"","13900000003","4001234567","default","2026-03-02 09:15:00","2026-03-02 09:15:20","2026-03-02 09:19:20","260","240","NORMAL_CLEARING","8d1e-3","","","PCMA","PCMA"
'''),
    "a switch's log of queues": ("utf-8", """1772413500|26.1|support|NONE|ENTERQUEUE||13900000001|1
1772413508|26.1|support|SIP/201|CONNECT|8|26.2|5
1772413560|28.1|support|NONE|ENTERQUEUE||13900000002|1
1772413591|28.1|support|NONE|ABANDON|1|1|31
1772413774|26.1|support|SIP/201|COMPLETECALLER|8|266|1
1772414100|30.1|support|NONE|ENTERQUEUE||13900000003|1
1772414120|30.1|support|SIP/202|CONNECT|20|30.2|5
1772414360|30.1|support|SIP/202|COMPLETEAGENT|20|240|1
"""),
    "a Chinese console": ("gb18030", """通话ID,客户号码,接待客服,客服组,呼入时间,排队时长,通话时长,通话状态,满意度评价
80001,13900000001,吴敏(wumin),售前组,2026-03-02 09:05:00,00:00:08,00:04:26,已接听,非常满意
80002,13900000002,-,售前组,2026-03-02 09:06:00,00:00:31,-,排队放弃,-
80003,13900000003,李娜(lina),售前组,2026-03-02 09:15:00,00:00:20,00:04:00,已接听,不满意
"""),
    "a report with a title and a sum": ("gb18030", """呼叫中心通话记录,,,,,,,
导出时间：2026-03-03 10:00:00,,,,,,,
通话流水号,来电号码,坐席姓名,开始时间,等待时长(秒),通话时长(秒),是否接通,满意度
TL001,13900000001,吴敏,2026/3/2 9:05:00,8,266,是,5
TL002,13900000002,,2026/3/2 9:06:00,31,0,否,
TL003,13900000003,李娜,2026/3/2 9:15:00,20,240,是,2
总计：3条,,,,59,506,,
"""),
    "an office in Germany": ("cp1252", """Anruf-ID;Anrufer;Agent;Beginn;Wartezeit;Gesprächsdauer;Bewertung
A1;+49 30 1234567;Müller;02.03.2026 09:05:00;8,0;266,0;5
A2;+49 30 1234568;;02.03.2026 09:06:00;31,0;;
A3;+49 30 1234569;Jäger;02.03.2026 09:15:00;20,0;240,0;2
"""),
    "a data frame": ("utf-8", """,call_id,caller,agent,start,wait,talk
0,c1,13900000001,Wu,2026-03-02 09:05:00+08:00,0 days 00:00:08,0 days 00:04:26
1,c2,13900000002,NaN,2026-03-02 09:06:00+08:00,0 days 00:00:31,NaT
2,c3,13900000003,Li,2026-03-02 09:15:00+08:00,0 days 00:00:20,0 days 00:04:00
"""),
    "a ticket system's calls": ("utf-8", """Call ID,Date/Time,Agent,From,To,Wait Time,Duration,Status
1,2026-03-02 01:05:00 UTC,Wu Min,+8613900000001,+864001234567,8,266,Completed
2,2026-03-02 01:06:00 UTC,,+8613900000002,+864001234567,31,0,Abandoned in queue
3,2026-03-02 01:15:00 UTC,Li Na,+8613900000003,+864001234567,20,240,Completed
"""),
    "an older switch": ("utf-8", """Call ID|Start Time|Calling Party|Split|Agent|Wait|ACD Time|ACW
00001|03/22/2026 09:05:00|13900000001|Orders|4001|:08|4:26|:30
00002|03/22/2026 09:06:00|13900000002|Orders||:31||
00003|03/22/2026 09:15:00|13900000003|Orders|4002|:20|4:00|:40
"""),
    "a spreadsheet that keeps zeros": ("utf-8", """call,caller,agent,start,wait,talk
="0001",="013900000001",="1001",2026-03-02 09:05:00,8,266
="0002",="013900000002",,2026-03-02 09:06:00,31,
="0003",="013900000003",="1002",2026-03-02 09:15:00,20,240
"""),
    "a history of calls": ("utf-8", """at,call,caller,queue,verb,agent,wait,talk
2026-03-02 09:05:00,c1,13900000001,q1,queued,,,
2026-03-02 09:05:08,c1,13900000001,q1,answered,A1,8,
2026-03-02 09:06:00,c2,13900000002,q1,queued,,,
2026-03-02 09:06:31,c2,13900000002,q1,abandoned,,31,
2026-03-02 09:09:34,c1,13900000001,q1,ended,A1,,266
2026-03-02 09:15:00,c3,13900000003,q1,queued,,,
2026-03-02 09:15:20,c3,13900000003,q1,answered,A2,20,
2026-03-02 09:19:20,c3,13900000003,q1,ended,A2,,240
"""),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_of_systems_and_offices_give_their_figures_by_the_proposal(tmp_path: Path, name: str) -> None:
    encoding, text = FILES[name]
    path = tmp_path / "calls.csv"
    path.write_bytes(text.encode(encoding))
    proposal = suggest(path, "Asia/Shanghai")
    rows = list(read_table(path, proposal.mapping, b"key"))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    customers = Customers()
    told = list(customers.noted(event for row in rows if isinstance(row, ReadRow) for event in row.events))
    result = run(map(encode, in_order_of_time(customers.filled_in(iter(told), told)).events), Policy())
    total = merged(fact.sums for fact in result.daily_facts() if fact.entity == "all|all")
    assert (result.rejected, [total[name] for name in ("calls_offered", "calls_answered", "calls_abandoned")]) == (
        [], [3, 2, 1],
    )  # fmt: skip
    assert (total["wait_seconds"], total["talk_seconds"]) == (28_000, 506_000)
    if "call.rated" in proposal.text:
        assert (total["csat_ratings"], total["csat_satisfied"]) == (2, 1)


def test_a_history_of_chats_is_none_of_calls(tmp_path: Path) -> None:
    path = tmp_path / "chats.csv"
    path.write_text(
        "时间,会话编号,客户,动作,坐席\n2026-03-02 09:00:00,k1,c1,会话开始,\n2026-03-02 09:00:00,k1,c1,访客,\n"
        "2026-03-02 09:00:09,k1,c1,客服,吴敏\n2026-03-02 09:01:00,k1,c1,弹窗,吴敏\n2026-03-02 09:02:00,k1,c1,结束,吴敏\n",
        encoding="utf-8",
    )
    proposal = suggest(path, "Asia/Shanghai")
    (unknown,) = [line for line in proposal.text.splitlines() if line.startswith("  # ")]
    assert '动作 == "弹窗"' in unknown
    found = [
        event for row in read_table(path, proposal.mapping, b"key") if isinstance(row, ReadRow) for event in row.events
    ]
    assert [(str(type(e).__struct_config__.tag), getattr(e, "sender", None)) for e in found] == [
        ("chat.started", None), ("chat.message", "customer"), ("chat.message", "agent"), ("chat.ended", None),
    ]  # fmt: skip
    assert [e.agent_id for e in found] == [None, None, "吴敏", "吴敏"]


QUEUES = """1772413000|NONE|NONE|NONE|QUEUESTART|
1772413001|MANAGER|support|SIP/201|ADDMEMBER|
1772413500|26.1|support|NONE|ENTERQUEUE||13900000001|1
1772413508|26.1|support|SIP/202|RINGNOANSWER|8000
1772413508|26.1|support|SIP/203|RINGNOANSWER|8000
1772413512|26.1|support|SIP/201|CONNECT|12|26.2|4
1772413530|NONE|support|SIP/203|PAUSE|lunch
1772413560|28.1|support|NONE|ENTERQUEUE||anonymous|1
1772413590|28.1|support|NONE|EXITWITHTIMEOUT|1|1|30
1772413774|26.1|support|SIP/201|COMPLETEAGENT|12|262|1
"""


@pytest.mark.parametrize("header", ["", "at|call|queue|who|verb|one|two|three\n"])
def test_a_queue_log_with_all_that_asterisk_writes_besides(tmp_path: Path, header: str) -> None:
    result = suggested(tmp_path, (header + QUEUES).replace("who|", "agent|").encode(), name="queue_log")
    assert result.exit_code == 0, result.stderr
    told = read(tmp_path, "queue_log")
    assert [str(type(e).__struct_config__.tag).removeprefix("call.") for e in told] == [
        "queued", "missed", "missed", "answered", "queued", "left_queue", "ended",
    ]  # fmt: skip
    total = merged(f.sums for f in run(map(encode, told), Policy()).daily_facts() if f.entity == "all|all")
    assert [total[name] for name in ("calls_offered", "calls_missed", "wait_seconds", "talk_seconds")] == [
        2, 2, 12_000, 262_000,
    ]  # fmt: skip
    text = (tmp_path / "by.yaml").read_text(encoding="utf-8")
    assert all(f'== "{verb}"' in text for verb in ("QUEUESTART", "ADDMEMBER", "PAUSE"))


def test_of_a_table_of_tickets_no_calls_are_made(tmp_path: Path) -> None:
    result = suggested(tmp_path, b"Ticket ID,Created time,Agent\n1001,2026-03-02 09:00:00,Wu\n")
    assert "'Ticket ID': a table of tickets" in result.stderr


def test_how_calls_ended_is_no_history(tmp_path: Path) -> None:
    content = (
        "call_id,caller,start_time,agent,wait_time,talk_time,result,site\nD1,31,2026-03-02 09:00:00,A01,3,100,answered,cd\n"
        "D2,32,2026-03-02 09:10:00,A01,8,200,answered,cd\nD3,33,2026-03-02 09:20:00,,33,0,abandoned,cd\n"
    )
    result = suggested(tmp_path, content.encode())
    assert result.exit_code == 0, result.stderr
    total = merged(f.sums for f in run(map(encode, read(tmp_path)), Policy()).daily_facts() if f.entity == "all|all")
    assert [total[name] for name in ("calls_offered", "calls_answered", "calls_abandoned", "talk_seconds")] == [
        3, 2, 1, 300_000,
    ]  # fmt: skip
    assert "# no event reads: result, site  # ?" in (tmp_path / "by.yaml").read_text(encoding="utf-8")


def test_the_state_of_tickets_is_no_history(tmp_path: Path) -> None:
    content = "工单号,创建时间,状态\n1001,2026-03-02 09:00:00,已关闭\n1002,2026-03-02 09:01:00,已解决\n"
    result = suggested(tmp_path, content.encode())
    assert "'工单号': a table of tickets" in result.stderr
