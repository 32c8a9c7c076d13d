"""Tables read without Kafka: in order of time, whatever the order of rows and files."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.contracts.events import AnyEvent
from streams.csv_cells import harmless
from streams.sources.replay import replay
from streams.sources.table.mapping import load_mapping

MAPPING = """
source: front desk
time_zone: Asia/Shanghai
customer_ids: pseudonymous
contact_id: ref
let: {came: datetime(came)}
fields: {customer_id: guest, agent_id: clerk}
events:
  - {type: call.queued, time: came, fields: {queue_id: '"desk"'}}
  - {type: call.answered, time: came + 6}
  - {type: call.ended, time: came + 66, fields: {resolved: 'true'}}
  - {type: call.rated, when: not blank(stars), time: came + 90, fields: {score: number(stars), scale: '"1-5"'}}
"""
BOTH = """
source: everything
time_zone: Asia/Shanghai
contact_id: ref
events:
  - {type: call.queued, when: 'kind == "call"', time: datetime(at)}
  - {type: agent.state_changed, when: 'kind == "state"', time: datetime(at), id: 'join("-", who, at)', fields: {agent_id: who, state: what}}
"""
HEADER = "ref,guest,clerk,came,stars"


def a_month(days: int = 24) -> list[str]:
    """A call a day of June 2026, by turns Lin's and Wu's."""
    first = date(2026, 6, 1)
    return [
        f"k{n},g{n},{'Lin' if n % 2 else 'Wu'},{first + timedelta(days=n)} 10:30:00,{n % 5 + 1}" for n in range(days)
    ]


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return write(tmp_path, "mapping.yaml", MAPPING.strip())


def deskpulse(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def computed(*files: Path, mapping: Path, by: str = "all") -> tuple[Result, dict[str, dict[str, Any]]]:
    result = deskpulse("facts", "compute", *files, "-m", mapping, "--by", by, "--per", "total", "--format", "json")
    return result, {row["id"]: row for row in json.loads(result.stdout)}


class Kept:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def send(self, event: AnyEvent) -> None:
        self.events.append(event)

    def flush(self) -> None:
        """Nothing is on its way."""


def orders() -> dict[str, list[str]]:
    rows = a_month()
    return {
        "newest first": rows[::-1],
        "by clerk": sorted(rows, key=lambda row: row.split(",")[2]),
        "by stars": sorted(rows, key=lambda row: row.split(",")[4]),
        "a page of ten, newest first, after the other": [*rows[:10][::-1], *rows[10:20][::-1], *rows[20:][::-1]],
        "ids as text": sorted(rows),
    }


@pytest.mark.parametrize("order", orders())
def test_the_order_of_rows_changes_nothing(tmp_path: Path, mapping: Path, order: str) -> None:
    right = computed(write(tmp_path, "right.csv", HEADER, *a_month()), mapping=mapping, by="agent")[1]
    result, found = computed(write(tmp_path, "calls.csv", HEADER, *orders()[order]), mapping=mapping, by="agent")
    assert (result.exit_code, result.stderr) == (0, "")
    assert found == right
    assert {who: row["calls_answered"] for who, row in found.items()} == {"Lin": 12, "Wu": 12}


def test_a_month_of_the_last_century_is_read(tmp_path: Path, mapping: Path) -> None:
    rows = [row.replace("2026-06-", "1999-01-") for row in a_month()]
    result, found = computed(write(tmp_path, "calls.csv", HEADER, *rows), mapping=mapping)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (found["all"]["calls_answered"], found["all"]["csat_ratings"]) == (24, 24)


def test_a_clock_that_was_never_set_is_refused_and_said(tmp_path: Path, mapping: Path) -> None:
    zero = "k99,g99,Lin,1970-01-01 08:00:00,"
    result, found = computed(write(tmp_path, "calls.csv", HEADER, *a_month(), zero), mapping=mapping)
    assert "1970-01-01" in result.stderr
    assert "earliest_day" in result.stderr
    assert found["all"]["calls_answered"] == 24


STATUSES = """
source: help desk
time_zone: Asia/Shanghai
customer_ids: pseudonymous
contact_id: ticket
let: {at: datetime(at)}
fields: {customer_id: guest, agent_id: clerk, kind: kind}
events:
  - {type: ticket.created, when: 'status == "new"', time: at}
  - {type: ticket.pending, when: 'status == "pending"', time: at, id: 'join("-", ticket, at, "pending")'}
  - {type: ticket.resumed, when: 'status == "open"', time: at, id: 'join("-", ticket, at, "open")'}
  - {type: ticket.reassigned, when: 'status == "given"', time: at, id: 'join("-", ticket, at, "given")', fields: {to_agent_id: to}}
  - {type: ticket.resolved, when: 'status == "solved"', time: at}
"""
HISTORY = [
    "t1,g1,,complaint,2026-06-01 09:00:00,new,", "t1,g1,Lin,complaint,2026-06-01 09:20:00,pending,",
    "t1,g1,,complaint,2026-06-03 09:00:00,open,", "t1,g1,Lin,complaint,2026-06-03 09:10:00,solved,",
]  # fmt: skip


def test_a_history_of_statuses_tells_when_the_customer_was_awaited(tmp_path: Path) -> None:
    mapping = write(tmp_path, "statuses.yaml", STATUSES.strip())
    result, found = computed(
        write(tmp_path, "t.csv", "ticket,guest,clerk,kind,at,status,to", *HISTORY[::-1]), mapping=mapping
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert found["all"]["time_to_resolve_seconds"] == 1800
    assert (found["all"]["complaints_due"], found["all"]["complaints_resolved_24h"]) == (1, 1)
    assert not found["all"].get("complaint_late_days")


def test_a_history_of_statuses_tells_a_hand_over(tmp_path: Path) -> None:
    mapping = write(tmp_path, "statuses.yaml", STATUSES.strip())
    rows = [
        "t2,g2,Lin,,2026-06-01 09:00:00,new,",
        "t2,g2,Lin,,2026-06-01 09:30:00,given,Wu",
        "t2,g2,Wu,,2026-06-01 10:00:00,solved,",
    ]
    found = computed(write(tmp_path, "t.csv", "ticket,guest,clerk,kind,at,status,to", *rows), mapping=mapping)[1]
    assert (found["all"]["contacts_handled_known"], found["all"]["fcr_missed"]) == (1, 1)


def test_a_row_may_tell_afterwards_since_when_the_customer_had_been_awaited(tmp_path: Path) -> None:
    lines = [
        *STATUSES.strip().splitlines()[:7],
        "  - {type: ticket.created, when: 'status == \"new\"', time: at}",
        "  - {type: ticket.pending, when: 'status == \"back\"', time: datetime(since)}",
        "  - {type: ticket.resumed, when: 'status == \"back\"', time: at}",
        "  - {type: ticket.resolved, when: 'status == \"solved\"', time: at}",
    ]
    mapping = write(tmp_path, "statuses.yaml", *lines)
    rows = [
        "t1,g1,Lin,complaint,2026-06-01 09:00:00,new,",
        "t1,g1,Lin,complaint,2026-06-03 09:00:00,back,2026-06-01 09:20:00",
        "t1,g1,Lin,complaint,2026-06-03 09:10:00,solved,",
    ]
    result, found = computed(
        write(tmp_path, "t.csv", "ticket,guest,clerk,kind,at,status,since", *rows), mapping=mapping
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert found["all"]["time_to_resolve_seconds"] == 1800


OUTCOMES = """
source: till
time_zone: UTC
customer_ids: pseudonymous
contact_id: call
fields: {agent_id: clerk}
events:
  - {type: call.answered, time: datetime(at)}
  - {type: call.resolved, time: datetime(at), fields: {resolved: 'done == "yes"'}}
"""


def test_a_table_with_outcomes_and_no_durations_makes_up_no_handle_time(tmp_path: Path) -> None:
    mapping = write(tmp_path, "outcomes.yaml", OUTCOMES.strip())
    rows = ["c1,Lin,2026-06-01 09:00:00,yes", "c2,Lin,2026-06-01 09:01:00,no", "c3,Wu,2026-06-01 09:02:00,yes"]
    result, found = computed(write(tmp_path, "o.csv", "call,clerk,at,done", *rows), mapping=mapping)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (found["all"]["contacts_handled"], found["all"]["resolution_due"], found["all"]["resolved"]) == (3, 3, 2)
    assert not found["all"].get("calls_handled")
    assert not found["all"].get("handle_seconds")


def test_two_files_of_one_month_lose_none_whichever_comes_first(tmp_path: Path, mapping: Path) -> None:
    rows = a_month()
    lin, wu = (
        write(tmp_path, f"{who}.csv", HEADER, *(row for row in rows if f",{who}," in row)) for who in ("Lin", "Wu")
    )
    both = computed(lin, wu, mapping=mapping)[1]["all"]
    assert (both["calls_offered"], both["calls_answered"], both["csat_ratings"]) == (24, 24, 24)
    assert computed(wu, lin, mapping=mapping)[1]["all"] == both


def test_a_month_and_the_month_before_it_lose_none(tmp_path: Path, mapping: Path) -> None:
    may = [row.replace("-06-", "-05-").replace("k", "m", 1) for row in a_month()]
    files = [write(tmp_path, name, HEADER, *rows) for name, rows in (("6.csv", a_month()), ("5.csv", may))]
    assert computed(*files, mapping=mapping)[1]["all"]["calls_answered"] == 48


def test_a_month_still_to_come_in_the_first_row_loses_that_row_and_says_so(tmp_path: Path, mapping: Path) -> None:
    first, *others = a_month()
    file = write(tmp_path, "calls.csv", HEADER, first.replace("2026-06", "2096-06"), *others)
    result, found = computed(file, mapping=mapping)
    assert found["all"]["calls_answered"] == 23
    assert result.exit_code == 1
    assert "left out: 0 rows that do not fit, 4 events (future 4; the first: future, " in result.stderr


def test_a_month_gone_by_in_the_first_row_loses_nothing(tmp_path: Path, mapping: Path) -> None:
    first, *others = a_month()
    file = write(tmp_path, "calls.csv", HEADER, first.replace("2026-06", "2025-06"), *others)
    result, found = computed(file, mapping=mapping)
    assert (result.exit_code, found["all"]["calls_answered"]) == (0, 24)
    assert computed(file, mapping=mapping, by="agent")[1]["Wu"]["calls_answered"] == 12


def test_states_in_a_table_of_few_rows_a_month_are_not_late_behind_one_another(tmp_path: Path) -> None:
    """Contacts of a whole month are one batch; what agents did in it stands on the days on which they did it."""
    mapping = write(tmp_path, "mapping.yaml", BOTH.strip())
    rows = [
        line
        for n in range(20)
        for line in (
            f"call,k{n},Lin,queued,2026-06-{n + 1:02} 09:30:00",
            f"state,,Lin,available,2026-06-{n + 1:02} 09:00:00",
            f"state,,Lin,offline,2026-06-{n + 1:02} 10:00:00",
        )
    ]
    result, found = computed(write(tmp_path, "both.csv", "kind,ref,who,what,at", *rows), mapping=mapping)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (found["all"]["calls_offered"], found["all"]["available_seconds"]) == (20, 20 * 3600)


def test_every_command_that_reads_tables_gives_the_same_of_rows_newest_first(tmp_path: Path, mapping: Path) -> None:
    right, wrong = (
        write(tmp_path, name, HEADER, *rows) for name, rows in (("1.csv", a_month()), ("2.csv", a_month()[::-1]))
    )
    for command in (
        ("kpi", "explain", "answer_rate", "--entity", "all", "--json"),
        ("kpi", "compare", "csat", "--json"),
        ("signs", "--all", "--json"),
    ):
        one, other = (
            deskpulse(*command, "--month", "2026-06", "--table", file, "--mapping", mapping) for file in (right, wrong)
        )
        assert one.exit_code == other.exit_code == 0, other.output
        assert other.stdout == one.stdout
        assert not other.stderr
    assert json.loads(deskpulse(
        "kpi", "explain", "answer_rate", "--entity", "all", "--json", "--month", "2026-06", "--table", wrong, "--mapping", mapping,
    ).stdout)["n"] == 24  # fmt: skip


@pytest.mark.parametrize(
    "command", [("kpi", "explain", "csat", "--entity", "all"), ("kpi", "compare", "csat"), ("signs",)]
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_every_command_ends_with_1_where_events_of_its_tables_were_refused(
    tmp_path: Path, mapping: Path, command: tuple[str, ...], form: tuple[str, ...]
) -> None:
    first, *others = a_month()
    file = write(tmp_path, "calls.csv", HEADER, first.replace("2026", "2096"), *others)
    result = deskpulse(*command, *form, "--month", "2026-06", "--table", file, "--mapping", mapping)
    assert result.exit_code == 1
    assert result.stdout, "it says what it can all the same"
    assert "4 events (future 4;" in result.stderr


def test_replay_sends_what_facts_compute_takes_in(tmp_path: Path, mapping: Path) -> None:
    """The same order, so that workers on the event clock refuse nothing either."""
    file = write(tmp_path, "calls.csv", HEADER, *a_month()[::-1])
    sent = Kept()
    replay([file], load_mapping(mapping), sent, rejects=tmp_path / "rejects.csv", sort=True)
    times = [event.at for event in sent.events]
    assert len(times) == 24 * 4
    assert times == sorted(times)


def test_files_are_judged_as_of_their_newest_event_or_another_moment(tmp_path: Path, mapping: Path) -> None:
    """The last call came on the 24th of June at 10:30; Wu's of the 17th has had its seven days a day later."""
    table = write(tmp_path, "calls.csv", HEADER, *a_month())
    command = ("facts", "compute", table, "-m", mapping, "--by", "agent", "--format", "json")
    out, pending = tmp_path / "facts.json", {}
    for asked in ((), ("--as-of", "2026-06-25"), ("--as-of", "2026-06-24T23:59:59"), ("--as-of", "2026-06-24T16:00Z")):
        result = deskpulse(*command, *asked, "--out", out)
        rows = {(row["id"], row["period"]): row for row in json.loads(out.read_text(encoding="utf-8"))}
        row = rows["Wu", "2026-06-17"]
        pending[result.stderr.strip().rpartition(", ")[2]] = (row["fcr"], row["fcr.pending"])
    assert pending == {
        "as of 2026-06-24 10:31+08:00": (None, 1),
        "as of 2026-06-25 00:00+08:00": (1.0, 0),
        "as of 2026-06-24 23:59+08:00": (None, 1),
    }
    refused = deskpulse(*command, "--as-of", "2999-01-01")
    assert (refused.exit_code, "that is still to come" in refused.stderr) == (1, True)


def test_a_value_says_as_of_when_it_is(tmp_path: Path, mapping: Path) -> None:
    table = write(tmp_path, "calls.csv", HEADER, *a_month())
    explain = ("kpi", "explain", "fcr", "--entity", "agent:Wu", "--date", "2026-06-17", "--table", table, "-m", mapping)
    told = [json.loads(deskpulse(*explain, "--json", *asked).stdout) for asked in ((), ("--as-of", "2026-06-25"))]
    assert [(one["as_of"], one["value"], one["pending"]) for one in told] == [
        ("2026-06-24 10:31+08:00", None, 1),
        ("2026-06-25 00:00+08:00", 1.0, 0),
    ]
    assert "2026-06-24 10:31+08:00" in deskpulse(*explain).stdout
    compare = ("kpi", "compare", "fcr", "--month", "2026-06", "--table", table, "-m", mapping, "--json")
    told = [json.loads(deskpulse(*compare, *asked).stdout) for asked in ((), ("--as-of", "2026-06-10"))]
    assert [(one["as_of"], sum(each["n"] for each in one["compared"])) for one in told] == [
        ("2026-06-24 10:31+08:00", 16),
        ("2026-06-10 00:00+08:00", 2),
    ]


#: As a switch logs: a row an event, and who calls in the first only.
LOG_MAPPING = """
source: switch
time_zone: UTC
contact_id: call
fields: {queue_id: '"desk"'}
events:
  - {type: call.queued, when: 'what == "IN"', time: 'datetime(at)', fields: {customer_id: pseudonym(caller)}}
  - {type: call.answered, when: 'what == "TAKEN"', time: 'datetime(at)', fields: {agent_id: agent, wait_seconds: number(seconds)}}
  - {type: call.ended, when: 'what == "OVER"', time: 'datetime(at)', fields: {agent_id: agent, talk_seconds: number(seconds)}}
  - {type: call.abandoned, when: 'what == "GONE"', time: 'datetime(at)', fields: {wait_seconds: number(seconds)}}
"""
LOG = [
    "u1,2026-06-01 10:00:00,IN,,5550001,",
    "u1,2026-06-01 10:00:08,TAKEN,Lin,,8",
    "u1,2026-06-01 10:02:08,OVER,Lin,,120",
    "u2,2026-06-01 11:00:00,IN,,5550002,",
    "u2,2026-06-01 11:00:40,GONE,,,40",
    "u3,2026-06-02 09:00:00,IN,,5550001,",
    "u3,2026-06-02 09:00:05,TAKEN,Wu,,5",
    "u3,2026-06-02 09:01:05,OVER,Wu,,60",
]


@pytest.mark.parametrize("order", ["as told", "newest first", "two files"])
def test_a_row_without_the_customer_is_of_the_contact_that_another_row_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "a long secret of this test")
    mapping, header = write(tmp_path, "log.yaml", LOG_MAPPING.strip()), "call,at,what,agent,caller,seconds"
    rows = LOG[::-1] if order == "newest first" else LOG
    parts = [rows[1::2], rows[::2]] if order == "two files" else [rows]
    files = [write(tmp_path, f"{n}.csv", header, *part) for n, part in enumerate(parts)]
    result, figures = computed(*files, mapping=mapping)
    desk = figures["all"]
    assert result.exit_code == 0
    assert [desk[name] for name in ("calls_offered", "calls_answered", "calls_abandoned", "repeat_contacts")] == [
        3,
        2,
        1,
        1,
    ]
    for in_order in (True, False):
        sent = Kept()
        replay(files, load_mapping(mapping), sent, rejects=tmp_path / "rejects.csv", sort=in_order)
        assert len(sent.events) == len(LOG)
        assert len({event.key for event in sent.events}) == 2


@pytest.mark.parametrize("hidden", ["anonymous", "Anonymous", "0", "0000", "withheld", "unknown"])
def test_callers_who_hide_their_numbers_are_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "a long secret of this test")
    mapping = write(tmp_path, "log.yaml", LOG_MAPPING.strip())
    rows = [row.replace("5550001", hidden).replace("5550002", hidden) for row in LOG]
    result, figures = computed(write(tmp_path, "0.csv", "call,at,what,agent,caller,seconds", *rows), mapping=mapping)
    assert result.exit_code == 0
    assert figures["all"]["calls_offered"] == 3
    assert figures["all"]["repeat_contacts"] == 0
    assert figures["all"]["contacts_handled_known"] == 0


# -- how facts are given ----------------------------------------------------------------------------------------------


def facts(tmp_path: Path, mapping: Path, *options: str, lines: list[str] | None = None) -> Result:
    path = write(tmp_path, "calls.csv", HEADER, *(lines or a_month()))
    return deskpulse("facts", "compute", path, "-m", mapping, "--per", "total", *options)


def test_a_table_has_the_kpis_with_data_side_by_side_for_few(tmp_path: Path, mapping: Path) -> None:
    shown = facts(tmp_path, mapping, "--by", "agent", "--format", "table").stdout
    heading, *rows = [line.split() for line in shown.splitlines() if line.strip() and "─" not in line]
    assert heading == ["KPI", "Lin", "Wu"]
    by_kpi = {row[0]: row[1:] for row in rows}
    assert by_kpi["offered_calls"] == ["12", "12"]
    assert by_kpi["answer_rate"] == ["100.0", "%", "n", "12", "100.0", "%", "n", "12"]
    assert "nps" not in by_kpi  # nobody was asked


def test_a_table_of_many_has_a_line_each_and_says_how_to_see_more(tmp_path: Path, mapping: Path) -> None:
    lines = [row.replace(",Wu,", f",Wu{n % 9},") for n, row in enumerate(a_month())]
    shown = facts(tmp_path, mapping, "--by", "agent", "--format", "table", lines=lines).stdout.splitlines()
    assert any(line.split()[:1] == ["Lin"] for line in shown)
    assert any("more KPIs: choose some by --kpi" in line for line in shown)
    chosen = facts(tmp_path, mapping, "--by", "agent", "--format", "table", "--kpi", "csat", lines=lines).stdout
    assert "more KPIs" not in chosen
    assert chosen.split()[:2] == ["id", "csat"]


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        (["--columns", "id,calls_answered"], ["id", "calls_answered"]),
        (["--kpi", "csat"], ["kind", "id", "period", "csat", "csat.n"]),
        (["--kpi", "fcr", "--kpi", "csat"], ["kind", "id", "period", "fcr", "fcr.n", "fcr.pending", "csat", "csat.n"]),
    ],
)
def test_columns_are_chosen_by_kpi_or_by_name(
    tmp_path: Path, mapping: Path, options: list[str], columns: list[str]
) -> None:
    written = facts(tmp_path, mapping, "--by", "all", *options).stdout
    assert written.splitlines()[0].split(",") == columns
    (row,) = json.loads(facts(tmp_path, mapping, "--by", "all", "--format", "json", *options).stdout)
    assert list(row) == columns


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--kpi", "csta"], "no KPI 'csta'; is it csat"),
        (["--kpi", "zzz"], "no KPI 'zzz': see `deskpulse kpi list`"),
        (["--columns", "id,answered"], "no column 'answered'; is it"),
    ],
)
def test_a_column_that_there_is_not_is_told_with_what_it_may_be(
    tmp_path: Path, mapping: Path, options: list[str], why: str
) -> None:
    result = facts(tmp_path, mapping, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert why in result.stderr


def test_a_csv_file_opens_in_a_spreadsheet_with_its_names_and_runs_nothing(tmp_path: Path, mapping: Path) -> None:
    names = ["李娜", "=1+1", " +cmd", "\u00a0@sum", "＝1", "-2+3", "-5", "Ana-Lu"]
    lines = [f"k{n},g{n},{name},2026-06-0{n + 1} 10:30:00,5" for n, name in enumerate(names)]
    # A table's cells are stripped: what begins with white space comes by another source.
    assert facts(tmp_path, mapping, "--by", "agent", "--out", str(tmp_path / "o.csv"), lines=lines).exit_code == 0
    raw = (tmp_path / "o.csv").read_bytes()
    assert raw.startswith("\ufeff".encode())
    ids = {line["id"] for line in csv.DictReader(raw.decode("utf-8-sig").splitlines())}
    assert ids == {"李娜", "'=1+1", "'+cmd", "'@sum", "'＝1", "'-2+3", "-5", "Ana-Lu"}
    assert not facts(tmp_path, mapping, "--by", "agent", lines=lines).stdout.startswith("\ufeff")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1", "'=1"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\n@x", "'\n@x"),
        ("\u200b+1a", "'\u200b+1a"),
        ("\ufeff-a", "'\ufeff-a"),
        ("\r", "'\r"),
        ("-1,234.50", "-1,234.50"),
        ("+3.5 %", "+3.5 %"),
        ("-1+cmd", "'-1+cmd"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str, written: str) -> None:
    assert harmless(text) == written
