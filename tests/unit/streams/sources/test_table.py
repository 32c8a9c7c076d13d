"""Tables into events by a mapping: what a row gives, what is rejected and why, and what is sent."""

from __future__ import annotations

import csv
import gzip
import secrets
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

from streams.contracts.decode import decode_any, encode
from streams.contracts.events import AnyEvent, CallAnswered
from streams.sources.in_order import in_order_of_time
from streams.sources.replay import replay
from streams.sources.table.layout import TableError
from streams.sources.table.mapping import TableMapping, load_mapping
from streams.sources.table.reader import KEY_VARIABLE, read_events, read_table
from streams.sources.table.rows import ReadRow, RejectedRow

ANSWERED = """\
  - type: call.answered
    when: not blank(agent)
    time: called + number(wait)
    fields: {agent_id: agent, wait_seconds: number(wait)}
"""
MAPPING = f"""
source: hotline
time_zone: Asia/Shanghai
customer_ids: pseudonymous
where: status != "test"
let:
  called: datetime(day, at)
contact_id: join("-", "call", id)
fields:
  customer_id: customer
  queue_id: queue
events:
  - type: call.queued
    time: called
{ANSWERED}
"""
HEADER = "id,day,at,queue,customer,agent,wait,status"
ROW = "1,2026-03-02,09:00:00,sales,c1,A1,12,"


def mapping(tmp_path: Path, *changes: tuple[str, str], text: str = MAPPING) -> TableMapping:
    """The mapping of a file; ``changes`` put one text in the place of another."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def table(tmp_path: Path, *rows: str, header: str = HEADER, name: str = "calls.csv") -> Path:
    """A text file of these rows."""
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def told(event: AnyEvent) -> tuple[str, str]:
    """Type and time of an event."""
    return str(type(event).__struct_config__.tag), event.time.isoformat()


def rejected(path: Path, by: TableMapping) -> list[tuple[int, str]]:
    """Lines and reasons of the rejected rows."""
    return [(row.line, row.reason) for row in read_table(path, by) if isinstance(row, RejectedRow)]


# -- what a row gives -------------------------------------------------------------------------------------------------


def test_a_row_gives_the_events_whose_condition_holds(tmp_path: Path) -> None:
    path = table(tmp_path, ROW, "2,2026-03-02,09:01:00,sales,,,30,", "3,2026-03-02,09:02:00,sales,c1,A1,1,test")
    answered, abandoned, left_out = read_table(path, mapping(tmp_path))

    assert isinstance(answered, ReadRow)
    assert [told(event) for event in answered.events] == [
        ("call.queued", "2026-03-02T09:00:00+08:00"),
        ("call.answered", "2026-03-02T09:00:12+08:00"),
    ]
    event = answered.events[1]
    assert isinstance(event, CallAnswered)
    assert (event.id, event.contact_id, event.source) == ("call-1-answered", "call-1", "hotline")
    assert (event.customer_id, event.queue_id, event.agent_id, event.wait_seconds) == ("c1", "sales", "A1", 12.0)

    assert isinstance(abandoned, ReadRow)
    assert [told(event)[0] for event in abandoned.events] == ["call.queued"]
    assert abandoned.events[0].customer_id is None  # type: ignore[union-attr]
    assert left_out == ReadRow(4, [], kept=False)


def test_a_rows_events_come_by_time_and_a_files_in_its_order_unless_sorted(tmp_path: Path) -> None:
    path = table(tmp_path, ROW, "2,2026-03-02,08:59:00,sales,c2,A1,5,")
    events = list(read_events(path, mapping(tmp_path)))
    assert [event.id for event in events] == ["call-1-queued", "call-1-answered", "call-2-queued", "call-2-answered"]
    assert [event.id for event in in_order_of_time(events).events] == [
        "call-2-queued", "call-2-answered", "call-1-queued", "call-1-answered",
    ]  # fmt: skip


def test_an_event_before_the_one_above_it_in_the_mapping_is_told_first(tmp_path: Path) -> None:
    backwards = mapping(tmp_path, ("called + number(wait)", "called - number(wait)"))
    events = list(read_events(table(tmp_path, ROW), backwards))
    assert [told(event)[0] for event in events] == ["call.answered", "call.queued"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path, by = table(tmp_path, ROW, "2,2026-03-02,09:01:00,sales,,,30,"), mapping(tmp_path)
    once, again = ([encode(event) for event in read_events(path, by)] for _ in range(2))
    assert once == again
    assert [decode_any(raw) for raw in once] == list(read_events(path, by))


def test_agents_states_come_from_a_table_too(tmp_path: Path) -> None:
    text = """
source: wfm
time_zone: UTC
lookups: {states: {ready: available, pause: away}}
constants: {prefix: st}
events:
  - type: agent.state_changed
    id: join("-", prefix, col("no."))
    time: unix(number(since) / 1000)
    fields: {agent_id: agent, state: states(state)}
"""
    path = table(tmp_path, "1,1772413200000,A1,pause", "2,1772413260000,A1,lunch", header="no.,since,agent,state")
    good, bad = read_table(path, mapping(tmp_path, text=text))
    assert isinstance(good, ReadRow)
    assert told(good.events[0]) == ("agent.state_changed", "2026-03-02T01:00:00+00:00")
    assert isinstance(bad, RejectedRow)
    assert bad.reason.startswith("agent.state_changed: state: the lookup states has no the text 'lunch': add it")


# -- rows that do not fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2026-03-02,09:00:00,sales,c1,A1,-1,", "call.answered: Expected `float` >= 0.0 - at `$.wait_seconds`"),
        ("1,2026-03-02,09:00:00,sales,c1,A1,soon,", "call.answered: wait_seconds: 'soon' is no number"),
        (
            "1,2026-03-02,09:00:00,sales,c1,A1,,",
            "call.answered: time: 2026-03-02T09:00:00+08:00 + nothing means nothing",
        ),
        ("1,02.03.2026,09:00:00,sales,c1,A1,1,", "let.called: '02.03.2026' is no date (YYYY-MM-DD)"),
        ("1,,09:00:00,sales,c1,,1,", "call.queued: Object missing required field `time`"),
        ("1,1969-12-30,09:00:00,sales,c1,,1,", "call.queued: 1969-12-30T09:00:00+08:00 is not between 1970 and 2199"),
        (",2026-03-02,09:00:00,sales,c1,,1,", "contact_id: part 2 is empty"),
        ("1,2026-03-02,09:00:00," + "q" * 300 + ",c1,,1,", "call.queued: Expected `str` of length <= 256"),
        ("1,2026-03-02,09:00:00,sales", "4 cells where the header has 8"),
        (ROW + ",more", "9 cells where the header has 8"),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_whole_and_the_next_is_read(tmp_path: Path, row: str, reason: str) -> None:
    first, second = read_table(table(tmp_path, row, ROW), mapping(tmp_path))
    assert isinstance(first, RejectedRow)
    assert (first.line, first.text) == (2, row)
    assert first.reason.startswith(reason)
    assert isinstance(second, ReadRow)
    assert len(second.events) == 2


def test_hours_past_24_are_of_the_next_day(tmp_path: Path) -> None:
    path = table(tmp_path, "1,2026-03-02,24:10:00,sales,c1,,1,")
    assert [told(event)[1] for event in read_events(path, mapping(tmp_path))] == ["2026-03-03T00:10:00+08:00"]


@pytest.mark.parametrize(
    ("ambiguous", "outcome"),
    [
        ("", "2026-10-25T02:30:00+02:00"),
        ("ambiguous_times: later", "2026-10-25T02:30:00+01:00"),
        ("ambiguous_times: reject", "let.called: 2026-10-25 02:30:00 came twice in Europe/Berlin"),
    ],
)
def test_a_time_that_comes_twice_has_the_outcome_the_mapping_states(
    tmp_path: Path, ambiguous: str, outcome: str
) -> None:
    by = mapping(tmp_path, ("Asia/Shanghai", f"Europe/Berlin\n{ambiguous}"))
    (row,) = read_table(table(tmp_path, "1,2026-10-25,02:30:00,sales,c1,,1,"), by)
    found = row.reason if isinstance(row, RejectedRow) else row.events[0].time.isoformat()
    assert found.startswith(outcome)


def test_a_time_that_never_was_is_rejected(tmp_path: Path) -> None:
    path = table(tmp_path, "1,2026-03-29,02:30:00,sales,c1,,1,")
    assert rejected(path, mapping(tmp_path, ("Asia/Shanghai", "Europe/Berlin"))) == [
        (2, "let.called: 2026-03-29 02:30:00 never was in Europe/Berlin: the clocks went forward")
    ]


# -- customers --------------------------------------------------------------------------------------------------------


#: Changes to a table whose customer ids are no pseudonyms yet.
PLAIN_IDS = (("customer_ids: pseudonymous", ""), ("customer_id: customer", "customer_id: pseudonym(customer)"))


def test_customers_are_replaced_by_a_keyed_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by = mapping(tmp_path, *PLAIN_IDS)
    path = table(tmp_path, ROW)
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    ids = {event.customer_id for event in read_events(path, by)}  # type: ignore[union-attr]
    assert ids == {event.customer_id for event in read_events(path, by, key=b"secret")}  # type: ignore[union-attr]
    assert ids != {event.customer_id for event in read_events(path, by, key=b"other")}  # type: ignore[union-attr]
    assert "c1" not in ids


def test_a_missing_key_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    by = mapping(tmp_path, *PLAIN_IDS)
    with pytest.raises(TableError, match=f"{KEY_VARIABLE} is not set"):
        read_table(table(tmp_path, ROW), by)


def test_ids_that_are_pseudonyms_already_pass_as_they_are(tmp_path: Path) -> None:
    by = mapping(tmp_path, PLAIN_IDS[1])
    assert {event.customer_id for event in read_events(table(tmp_path, ROW), by)} == {"c1"}  # type: ignore[union-attr]


WORDS = (
    "  queue_id: queue\n",
    "  queue_id: queue\n  kind: status\n  topic: agent\nkinds: {complaint: [投诉建议, 7], praise: Lob}\ntopics: {refund: [退款, Money Back]}\n",
)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("投诉建议", "complaint"),
        ("７", "complaint"),
        ("LOB ", "praise"),
        ("Praise", "praise"),
        ("投诉", "投诉"),
        ("", None),
    ],
)
def test_a_kind_has_the_mappings_name_and_what_it_does_not_name_stays(
    tmp_path: Path, written: str, kind: str | None
) -> None:
    path = table(tmp_path, ROW + written)
    assert [event.kind for event in read_events(path, mapping(tmp_path, WORDS))] == [kind] * 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "topic"),
    [("退款", "refund"), ("money　BACK", "refund"), ("Refund", "refund"), ("Card Lost", "Card Lost")],
)
def test_a_topic_has_the_mappings_name(tmp_path: Path, written: str, topic: str) -> None:
    path = table(tmp_path, f"1,2026-03-02,09:00:00,sales,c1,{written},12,")
    assert {event.topic for event in read_events(path, mapping(tmp_path, WORDS))} == {topic}  # type: ignore[union-attr]


def test_a_word_that_a_mapping_gives_to_two_is_refused(tmp_path: Path) -> None:
    twice = ("source: hotline", "source: hotline\nkinds: {complaint: [x], refund: [X]}")
    with pytest.raises(ValueError, match="kinds: 'X' is given to 'complaint' and to 'refund'; keep one of the two"):
        mapping(tmp_path, twice)


def test_the_sequence_of_events_is_their_row_unless_the_mapping_states_one(tmp_path: Path) -> None:
    path = table(tmp_path, ROW, "2,2026-03-02,09:01:00,sales,c2,A1,30,")
    assert [event.sequence for event in read_events(path, mapping(tmp_path))] == [1, 1, 2, 2]
    stated = mapping(tmp_path, ("  queue_id: queue\n", "  queue_id: queue\n  sequence: number(id) + 40\n"))
    assert [event.sequence for event in read_events(path, stated)] == [41, 41, 42, 42]
    below = mapping(tmp_path, ("  queue_id: queue\n", "  queue_id: queue\n  sequence: number(id) - 2\n"))
    assert rejected(path, below) == [(2, "call.queued: Expected `int` >= 0 - at `$.sequence`")]


# -- mappings that are wrong ------------------------------------------------------------------------------------------


CALLED, CONTACT = "datetime(day, at)", 'contact_id: join("-", "call", id)'


@pytest.mark.parametrize(
    ("old", "new", "told_so"),
    [
        ("Asia/Shanghai", "Peking", "time_zone: 'Peking' is no time zone; write it like Asia/Shanghai"),
        ("call.queued", "call.queue", "events[0].type: 'call.queue' is no event; there are call.arrived"),
        ("when: ", "wenn: ", "events[1].wenn: is no key here; take it out or correct its name"),
        (CALLED, "datetime(day, at", "let.called: 'datetime(day, at' is no expression: '(' was never closed"),
        (CALLED, "date_time(day, at)", "let.called: no function 'date_time'; there are blank, caller, coalesce"),
        (CALLED, "day.today()", "let.called: `day.today()`: call a function by its name"),
        ("not blank(agent)", "number()", "call.answered: when: number(…): missing a required argument"),
        ("wait_seconds: ", "waited: ", "call.answered: it has no field waited; it has agent_id"),
        ("queue_id: ", "queue: ", "fields.queue: none of the events has it; they have agent_id"),
        (ANSWERED, "  - {type: call.rated, time: called, fields: {score: 1}}", "call.rated: it needs the field scale"),
        (ANSWERED, "  - {type: call.queued, time: called}", "events: two end in .queued: give each its own `id`"),
        (ANSWERED, "  - {type: agent.scheduled, time: called}", "agent.scheduled: it needs the field agent_id"),
        (CONTACT, "", "contact_id: call.queued is about a contact: say which"),
        (
            "customer_ids: pseudonymous",
            "",
            "fields.customer_id: no plain customer id leaves a source: write pseudonym(",
        ),
        ("source: hotline", "source: x\ndelimiter: ';'", "delimiter: Input should be 'auto', 'comma'"),
        ("source: hotline", "source: x\nlookups: {blank: {}}", "lookups: blank is the name of a function"),
        (
            "source: hotline",
            "source: x\nlookups: {codes: {yes: 1}}",
            "lookups.codes: a key is no text: put it in quotes",
        ),
        (MAPPING, "", "Input should be a valid dictionary"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_key_and_what_to_do(
    tmp_path: Path, old: str, new: str, told_so: str
) -> None:
    with pytest.raises(ValueError) as caught:
        mapping(tmp_path, (old, new))
    assert "mapping.yaml: " in str(caught.value)
    assert told_so in str(caught.value)


def test_every_wrong_key_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"(?s)time_zone.*events\[0\]\.type"):
        mapping(tmp_path, ("Asia/Shanghai", "Peking"), ("call.queued", "call"))


def test_a_mapping_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read the mapping .*mapping\.yaml"):
        mapping(tmp_path, text="a: [")
    with pytest.raises(ValueError, match=r"cannot read the mapping .*absent\.yaml"):
        load_mapping(tmp_path / "absent.yaml")


def test_a_column_that_the_file_lacks_is_told_with_those_it_has(tmp_path: Path) -> None:
    path = table(tmp_path, ROW, header=HEADER.replace("agent", "server"))
    with pytest.raises(
        TableError, match=r"calls\.csv does not fit the mapping: call\.answered: when: .*'agent'.*server"
    ):
        read_table(path, mapping(tmp_path))


# -- how files are written --------------------------------------------------------------------------------------------


def expected_events(tmp_path: Path) -> list[bytes]:
    """What ROW gives."""
    return [encode(event) for event in read_events(table(tmp_path, ROW, name="plain.csv"), mapping(tmp_path))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_delimiter_encoding_and_gzip_are_found_out(tmp_path: Path, delimiter: str, encoding: str, zipped: bool) -> None:
    raw = f"{HEADER}\r\n\r\n{ROW}\r\n".replace(",", delimiter).encode(encoding)
    path = tmp_path / ("calls.txt.gz" if zipped else "calls.txt")
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    assert [encode(event) for event in read_events(path, mapping(tmp_path))] == expected_events(tmp_path)


def test_another_encoding_is_named_in_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(f"{HEADER}\n{ROW.replace('sales', '销售')}\n{ROW}\n".encode("gb18030"))
    with pytest.raises(TableError, match=r"not UTF-8 \(line 2\); it may be gb18030: set `encoding: gb18030`"):
        read_table(path, mapping(tmp_path))
    by = mapping(tmp_path, ("source: hotline", "source: hotline\nencoding: gb18030"))
    assert next(read_events(path, by)).queue_id == "销售"  # type: ignore[union-attr]


def test_rows_above_the_header_are_skipped_and_lines_counted_from_the_top(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(f'Report, of March\n\n{HEADER}\n{ROW}\n"1\n2",x\n{ROW},x\n', encoding="utf-8")
    by = mapping(tmp_path, ("source: hotline", "source: hotline\nskip_rows: 2"))
    short = "2 cells where the header has 8; set `short_rows: blank` where the others are empty"
    assert rejected(path, by) == [(5, short), (7, "9 cells where the header has 8")]


@pytest.mark.parametrize(
    ("raw", "told_so"),
    [
        (b"", "no header in row 1"),
        (b",,\n1,2,3\n", "no header in row 1"),
        (
            HEADER.replace("queue", "id").encode(),
            r"2 columns are called 'id': write col\(\"id#1\"\) or col\(\"id#2\"\)",
        ),
        ("id,日期".encode("gb18030"), "set `encoding: gb18030`"),
        (gzip.compress(f"{HEADER}\n{ROW}\n".encode(), mtime=0)[:30], "cannot read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, raw: bytes, told_so: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(raw)
    with pytest.raises(TableError, match=told_so):
        read_table(path, mapping(tmp_path))


def test_a_file_that_breaks_off_is_told_with_the_line(tmp_path: Path) -> None:
    rows = [f"{number},2026-03-02,09:00:00,sales,{secrets.token_hex(8)},,1," for number in range(20_000)]
    path = tmp_path / "calls.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode())[:-50_000])
    read = read_table(path, mapping(tmp_path))
    assert isinstance(next(read), ReadRow)
    with pytest.raises(TableError, match=r"calls\.csv\.gz: damaged after line \d{4,}"):
        list(read)


def test_a_missing_file_and_an_unknown_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"cannot read .*absent\.csv"):
        read_table(tmp_path / "absent.csv", mapping(tmp_path))
    with pytest.raises(ValueError, match="encoding: 'klingon' is no encoding"):
        mapping(tmp_path, ("source: hotline", "source: x\nencoding: klingon"))


def spreadsheet(path: Path, *rows: tuple[Any, ...], title: str = "Calls") -> Path:
    """A workbook with one sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def test_a_spreadsheets_typed_cells_read_like_the_texts_of_a_csv(tmp_path: Path) -> None:
    cells = (1, date(2026, 3, 2), time(9), "sales", "c1", "A1", 12.0, None)
    path = spreadsheet(tmp_path / "calls.xlsx", tuple(HEADER.split(",")), cells)
    zipped = tmp_path / "calls.xlsx.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, zipped):
        assert [encode(event) for event in read_events(file, mapping(tmp_path))] == expected_events(tmp_path)


def test_a_spreadsheets_moments_durations_and_formats(tmp_path: Path) -> None:
    header = ("id", "start", "talk", "day")
    rows = [
        (1, datetime(2026, 3, 2, 9, 0, 1), timedelta(hours=25, seconds=3), date(2026, 3, 2)),  # noqa: DTZ001
        (2, datetime(2026, 3, 2), timedelta(seconds=3), date(2026, 3, 2)),  # noqa: DTZ001 - midnight, a date to Excel
    ]
    path = spreadsheet(tmp_path / "calls.xlsx", ("a title",), header, *rows, title="三月")
    text = """
source: x
time_zone: UTC
sheet: 三月
skip_rows: 1
date_format: "%d.%m.%y"
contact_id: join("/", id, day)
events:
  - type: call.ended
    time: datetime(start)
    fields: {talk_seconds: seconds(talk)}
"""
    events = list(read_events(path, mapping(tmp_path, text=text)))
    assert [told(event)[1] for event in events] == ["2026-03-02T09:00:01+00:00", "2026-03-02T00:00:00+00:00"]
    assert [event.talk_seconds for event in events] == [90_003, 3]  # type: ignore[union-attr]
    assert events[0].contact_id == "1/02.03.26"  # type: ignore[union-attr]


def test_a_spreadsheet_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = spreadsheet(tmp_path / "calls.xlsx", tuple(HEADER.split(",")))
    with pytest.raises(TableError, match="has no sheet 'May'; it has Calls"):
        read_table(path, mapping(tmp_path, ("source: hotline", "source: x\nsheet: May")))
    path.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(TableError, match="cannot read the spreadsheet"):
        read_table(path, mapping(tmp_path))


# -- replay -----------------------------------------------------------------------------------------------------------


class Kept:
    """Takes events over and keeps them."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.flushed = 0

    def send(self, event: AnyEvent) -> None:
        self.events.append(event)

    def flush(self) -> None:
        self.flushed = len(self.events)


def test_a_replay_sends_everything_and_keeps_what_does_not_fit(tmp_path: Path) -> None:
    one = table(tmp_path, ROW, "2,soon,09:00:00,sales,,,1,", "3,2026-03-01,09:00:00,sales,,,1,test", name="one.csv")
    two = table(tmp_path, "4,2026-03-01,09:00:00,sales,c4,,1,", name="two.csv")
    sent, refused = Kept(), tmp_path / "out" / "rejects.csv"
    with (tmp_path / "screen").open("w", encoding="utf-8") as screen:
        report = replay(
            [one, two], mapping(tmp_path), sent, rejects=refused, progress=Console(file=screen, force_terminal=True)
        )
    assert [event.id for event in sent.events] == ["call-1-queued", "call-1-answered", "call-4-queued"]
    assert sent.flushed == report.events == 3
    assert (report.rows, report.left_out, report.rejected) == (4, 1, 1)
    assert report.types == Counter({"call.queued": 2, "call.answered": 1})
    assert report.first is not None
    assert report.last is not None
    assert (report.first.isoformat(), report.last.isoformat()) == (
        "2026-03-01T09:00:00+08:00",
        "2026-03-02T09:00:12+08:00",
    )
    assert report.rejects == refused
    with refused.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "reason", "row"],
            ["one.csv", "3", "let.called: 'soon' is no date (YYYY-MM-DD)", "2,soon,09:00:00,sales,,,1,"],
        ]
    assert "4 rows" in (tmp_path / "screen").read_text(encoding="utf-8")


def test_a_replay_without_rejects_takes_the_old_file_away(tmp_path: Path) -> None:
    refused = tmp_path / "rejects.csv"
    refused.write_text("of yesterday", encoding="utf-8")
    report = replay([table(tmp_path, ROW)], mapping(tmp_path), Kept(), rejects=refused)
    assert report.rejects is None
    assert not refused.exists()


def test_a_paced_replay_goes_by_event_time(tmp_path: Path) -> None:
    sent = Kept()
    path = table(tmp_path, ROW, "2,2026-03-02,08:59:30,sales,c2,,1,")  # 42 s from first to last
    report = replay([path], mapping(tmp_path), sent, rejects=tmp_path / "r.csv", speed=100)
    assert [event.id for event in sent.events] == ["call-2-queued", "call-1-queued", "call-1-answered"]
    assert report.seconds >= 0.42
    with pytest.raises(ValueError, match="more than 0"):
        replay([path], mapping(tmp_path), sent, rejects=tmp_path / "r.csv", speed=0)


def test_a_second_file_that_does_not_fit_stops_the_replay_before_anything_is_sent(tmp_path: Path) -> None:
    sent = Kept()
    with pytest.raises(TableError):
        replay([table(tmp_path, ROW), tmp_path / "absent.csv"], mapping(tmp_path), sent, rejects=tmp_path / "r.csv")
    assert sent.events == []
