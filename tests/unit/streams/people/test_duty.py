"""Who is to be told or asked at a moment: shifts, standing duties, superiors, deputies, people who have left, working hours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.people.duty import DutyBook, disagreements, parse_week, remarks, superiors_who_left
from streams.people.duty_sheet import COLUMNS, read_duties
from streams.people.duty_sheet import told as duties_told
from streams.people.person import Person, Reporting
from streams.tabular import Row, TabularError

ZONE = ZoneInfo("Asia/Shanghai")
ALWAYS = "2026-01-01"


def rows(*lines: str) -> Iterator[Row]:
    for number, text in enumerate(lines, 2):
        cells = dict(zip(COLUMNS, map(str.strip, text.split("|")), strict=False))
        yield Row(number, {column: cell for column, cell in cells.items() if cell})


def book(*lines: str, left: dict[str, str] | None = None, superiors: str = "") -> DutyBook:
    """Duties as people write them, who left when, and who reports to whom (``A1<S1``; with a deputy ``A1<S1/D1``)."""
    gone = {id: date.fromisoformat(day) for id, day in (left or {}).items()}
    reporting: dict[str, list[Reporting]] = {}
    for pair in superiors.split():
        who, _, above = pair.partition("<")
        superior, _, deputy = above.partition("/")
        reporting[who] = [Reporting(who, date.min, superior, deputy or None)]
    people = {id: Person(id, name_zh=f"名{id}", left=gone.get(id)) for id in ("A1", "S1", "S2", "S3", "D1", "D2", "M1")}
    return DutyBook(ZONE, people, reporting, duties_told("duty.csv", rows(*lines), ZONE).given)


TEAM = (
    "shift|S1|t1|lead|2026-03-02 08:00|2026-03-02 20:00",
    "shift|S2|t1|lead|2026-03-02 20:00|2026-03-03 08:00",
    "shift|M1||lead|2026-03-03 08:00|2026-03-03 20:00",
    f"shift|S3|t1|lead|{ALWAYS}|",
)


@pytest.mark.parametrize(
    ("at", "who", "why"),
    [
        ("2026-03-02 08:00", "S1", "lead of team t1 on shift"),
        ("2026-03-02 19:59", "S1", "lead of team t1 on shift"),
        ("2026-03-02 20:00", "S2", "lead of team t1 on shift"),
        ("2026-03-03 03:00", "S2", "lead of team t1 on shift"),
        ("2026-03-03 09:00", "M1", "lead of the operation on shift"),
        ("2026-03-03 21:00", "S3", "lead of team t1"),
        ("2025-12-31 23:59", None, ""),
    ],
)
def test_by_the_roster(at: str, who: str | None, why: str) -> None:
    found = book(*TEAM).who_is_responsible(moment(at), team="t1")
    assert (found and found.agent_id, found.because if found else ("",)) == (who, (why,))


def test_another_team_goes_by_the_operation_s_and_another_role_by_its_own() -> None:
    own = book(*TEAM, f"shift|D2|t1|quality|{ALWAYS}|")
    at = moment("2026-03-03 09:00")
    assert [
        found and found.agent_id
        for found in (own.who_is_responsible(at, team="t9"), own.who_is_responsible(at, team="t1", role="quality"))
    ] == ["M1", "D2"]
    assert own.who_is_responsible(moment("2026-03-02 09:00"), team="t9") is None


def test_a_person_without_a_lead_goes_by_their_superior_and_whoever_has_left_is_passed_over() -> None:
    def asked(at: str, **more: object) -> str | None:
        own = book(superiors="A1<S1/D1 S1<M1", **more)  # type: ignore[arg-type]
        found = own.who_is_responsible(moment(at), person="A1", team="t1")
        return found and f"{found.agent_id}: {'; '.join(found.because)}"

    assert asked("2026-03-02 12:00") == "S1: superior of A1"
    gone = {"S1": "2026-03-01"}
    assert asked("2026-03-01 12:00", left=gone) == "S1: superior of A1"  # the last day
    assert asked("2026-03-02 12:00", left=gone) == "D1: deputy of S1, superior of A1"
    assert asked("2026-03-02 12:00", left={**gone, "D1": "2026-02-01"}) == "M1: superior of S1"
    assert asked("2026-03-02 12:00", left={**gone, "D1": "2026-02-01", "M1": "2026-02-01"}) is None


def test_deputies_stand_in_from_their_first_day_to_their_last() -> None:
    own = book(
        f"shift|S1|t1|lead|{ALWAYS}|", "deputy|S1|||2026-03-02|2026-03-03||S2", "deputy|S2|||2026-03-03|2026-03-03||S3"
    )
    found = [own.who_is_responsible(moment(f"2026-03-0{day} 00:00"), team="t1") for day in range(1, 5)]
    assert [one and one.agent_id for one in found] == ["S1", "S2", "S3", "S1"]
    assert found[2] is not None
    assert found[2].because == ("lead of team t1", "deputy of S1", "deputy of S2")


def test_working_hours() -> None:
    own = book(
        f"hours|S3|||{ALWAYS}||mon-fri 09:00-12:00, 13:00-18:00; sun 00:00-24:00|", f"shift|S3|t1|lead|{ALWAYS}|"
    )

    def at_work(at: str) -> bool | None:
        found = own.who_is_responsible(moment(at), team="t1")
        assert found is not None
        return found.at_work

    assert [at_work(f"2026-03-02 {hour}") for hour in ("08:59", "09:00", "12:00", "13:00", "18:00")] == [False, True, False, True, False]  # fmt: skip
    assert [at_work(f"2026-03-0{day} 10:00") for day in (7, 8)] == [False, True]
    assert own.at_work("S1", moment("2026-03-02 10:00")) is None
    shift = book(f"hours|S1|||{ALWAYS}||mon 09:00-10:00|", TEAM[0]).who_is_responsible(
        moment("2026-03-02 19:00"), team="t1"
    )
    assert shift is not None
    assert shift.at_work is True  # whoever is on a shift is


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no hours"),
        ("weekdays 09:00-18:00", "'weekdays' is no day of the week"),
        ("mon-fri 09:00-18:00; fri 10:00-12:00", "fri stands there twice"),
        ("mon 22:00-06:00", "end on the same day"),
    ],
)
def test_hours_that_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_week(text)


def test_a_week_may_run_over_its_end() -> None:
    assert [bool(spans) for spans in parse_week("sat-mon 09:00-18:00")] == [
        True,
        False,
        False,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([TEAM[0], "shift|S2|t1|lead|2026-03-02 19:00|2026-03-03 08:00"], "overlap; take one back: `shift,S2,t1,lead,2026-03-02 19:00,none,,`"),
        (["deputy|S1|||2026-03-02|2026-03-05||S2", "deputy|S1|||2026-03-05|2026-03-06||S3"], "overlap; take one back: `deputy,S1,,,2026-03-05,none,,S3`"),
        (["deputy|S1|||2026-03-02|2026-03-05||S2", "deputy|S2|||2026-03-04|2026-03-06||S1"], "from 2026-03-04 on S1 → S2 → S1 is a circle"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_listed_with_the_line_to_add(lines: list[str], says: str) -> None:
    (told,) = disagreements(book(*lines))
    assert says in told


def test_what_follows_on_each_other_does_not() -> None:
    sound = (
        *TEAM,
        "shift|S9|t1|lead|2026-05-01|",
        "deputy|S1|||2026-03-02|2026-03-05||S2",
        "deputy|S2|||2026-03-06|2026-03-06||S1",
    )
    assert (
        disagreements(book(*sound, f"hours|S1|||{ALWAYS}||mon 09:00-10:00|", "hours|S1|||2026-03-01||tue 09:00-10:00|"))
        == []
    )


def test_who_is_unknown_or_has_left_is_listed_with_the_line_to_add() -> None:
    own = book(
        "shift|X9|t1|lead|2026-03-02 08:00|2026-03-02 20:00",
        f"shift|S1|t1|lead|{ALWAYS}|",
        left={"S1": "2026-02-27"},
        superiors="A1<S1",
    )
    today = date(2026, 3, 2)
    assert remarks(own, own.duties, today) == [
        "shift of X9 (lead of t1, from 2026-03-02 08:00 to 2026-03-02 20:00): nobody is known as X9; add `X9,,中文姓名,Latin Name` to the people's file",
        "shift of S1 (lead of t1, from 2026-01-01 00:00): S1 has left on 2026-02-27; take it back: `shift,S1,t1,lead,2026-01-01 00:00,none,,`",
    ]
    assert remarks(own, own.duties, date(2026, 2, 27))[1:] == []
    assert superiors_who_left(own, today) == [
        "A1: their superior S1 has left on 2026-02-27; add `A1,NEW_SUPERIOR,2026-03-02` (agent_id,superior,valid_from) to their rows"
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("rota|S1|t1|lead|2026-03-02 08:00|", "row 2, kind: 'rota': write one of shift, hours, deputy"),
        ("shift||t1|lead|2026-03-02 08:00|", "row 2, agent_id: is empty"),
        ("shift|S1|t1|lead||", "row 2, from: is empty"),
        ("shift|S1|t1|lead|today|", "row 2, from: 'today' is no time"),
        ("shift|S1|t1|lead|2026-03-02 25:00|", "row 2, from: '2026-03-02 25:00' is no time"),
        ("shift|S1|t1|lead|0001-01-01|", "row 2, from: '0001-01-01' is no time"),
        ("shift|S1|t1|lead|2026-03-02 08:00|2026-03-02 08:00", "row 2, to: is not after its beginning"),
        ("shift|S1|t1|lead|2026-03-02 08:00|2026-09-02 08:00", "row 2, to: a shift of more than 31 days; leave the end empty"),
        ("shift|S1|t1|lead|2026-03-02 08:00||mon 09:00-10:00", "row 2, hours: is no matter of shift"),
        ("deputy|S1|||2026-03-02|2026-03-03|", "row 2, deputy: is empty"),
        ("deputy|S1|||2026-03-02|2026-03-03||S1", "row 2, deputy: nobody stands in for themselves"),
        ("deputy|S1|||2026-03-02|||S2", "row 2, to: is empty; say until which day"),
        ("hours|S1|||2026-03-02||", "row 2, hours: no hours"),
        ("shift|S1|t1|lead|2026-03-02 08:00|\nshift|S1|t1|lead|2026-03-02 08:00|2026-03-02 09:00", "row 3: told otherwise in row 2"),
    ],
)  # fmt: skip
def test_every_fault_says_row_and_remedy(row: str, fault: str) -> None:
    with pytest.raises(TabularError) as refused:
        duties_told("duty.csv", rows(*row.split("\n")), ZONE)
    assert fault in str(refused.value)


def test_a_shift_begins_as_excel_writes_it() -> None:
    (shift,) = duties_told("duty.csv", rows("shift|S1|t1|lead|2026/3/2 8:00|2026/3/2 20:00:00"), ZONE).given
    assert shift.starts == datetime(2026, 3, 2, 8, tzinfo=ZONE)
    assert shift.ends == datetime(2026, 3, 2, 20, tzinfo=ZONE)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("DESKPULSE_DATABASE", raising=False)
    return tmp_path


def typed(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["people", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def test_typed_one_by_one(here: Path) -> None:
    file, people = here / "duty.csv", here / "people.csv"
    people.write_text("agent_id,name_zh,name_latin,email\nS1,李娜,Li Na,s1@desk.example\nS2,王伟,,\n", encoding="utf-8")
    typed("import", people, "--by", "hr-1")
    head = ",".join(COLUMNS)
    file.write_text(
        "种类,坐席工号,班组,职责,开始,结束,工作时间,代理人\n值班,S1,t1,,2026-03-02 08:00,2026-03-02 20:00,,\n代理,S1,,,2026-03-02,2026-03-02,,S2\n"
        '工时,S2,,,2026-01-01,,"mon-fri 09:00-12:00, 13:00-18:00",\n',
        encoding="utf-8",
    )
    assert "imported: 3 new, 0 changed, 0 there already, 0 taken back" in typed("duty", "import", file, "--by", "hr-1")
    assert "imported: 0 new, 0 changed, 3 there already" in typed("duty", "import", file, "--by", "hr-1")
    listed = typed("duty", "list")
    file.write_text(listed, encoding="utf-8")
    assert "imported: 0 new, 0 changed, 3 there already" in typed("duty", "import", file, "--by", "hr-1")
    assert len(read_duties(file, ZONE).given) == 3
    assert len(typed("duty", "list", "--day", "2026-02-02").splitlines()) == 2
    asked = ("on-duty", "--team", "t1", "--at", "2026-03-02T19:00")
    assert (
        typed(*asked)
        == "S2 王伟: lead of team t1 on shift, deputy of S1; outside of their working hours at 2026-03-02 19:00\n"
    )
    found = json.loads(typed(*asked, "--json"))
    assert (found["person"]["agent_id"], found["at_work"]) == ("S2", False)
    file.write_text(f"{head}\ndeputy,S1,,,2026-03-02,none,,\n", encoding="utf-8")
    assert "0 there already, 1 taken back" in typed("duty", "import", file, "--by", "hr-1")
    again = typed("duty", "import", file, "--by", "hr-1", code=1)
    assert "deputy of S1 from 2026-03-02 00:00: there is no such entry to take back" in again
    assert typed(*asked).startswith("S1 李娜 Li Na: lead of team t1 on shift; at work")
    nobody = typed("on-duty", "--team", "t2", "--at", "2026-03-02T19:00", code=1)
    assert "nobody is lead at 2026-03-02 19:00; add `shift,AGENT,t2,lead,2026-03-02 08:00,2026-03-02 20:00,,`" in nobody
    file.write_text(f"{head}\nshift,S2,t1,lead,2026-03-02 19:30,2026-03-03 07:30,,\n", encoding="utf-8")
    assert "overlap; take one back" in typed("duty", "import", file, "--by", "hr-1", code=1)
    assert "'soon' is no moment" in typed("on-duty", "--at", "soon", code=1)
    assert len(json.loads(typed("show", "S1"))["duties"]) == 1
    typed("delete", "S1", "--by", "hr-1")
    assert len(typed("duty", "list").splitlines()) == 2
    assert "duty" in typed("journal")
