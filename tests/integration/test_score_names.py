"""205 people on sheets, workbook, CSV and over HTTP by name; frozen runs and the trail by id; and one of them taken out again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import create_engine
from typer.testing import CliRunner

from scoring.store.audit import broken
from scoring.store.database import Database
from scoring.store.runs import find_run, result_of
from streams.cli import app
from streams.contracts.outputs import RosterEntry
from tests.integration.test_score_api import RUN, client
from tests.support.month_end import MARCH, Desk, card_file, day
from tests.support.people import LEFT, MOVED, NAMESAKES, PEOPLE, Staff, staff, team_of

GONE = "P042"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path, facts=[], entries=[])
    monkeypatch.setenv("DESKPULSE_DATA_DIR", str(made.data_dir))
    monkeypatch.delenv("DESKPULSE_DATABASE", raising=False)
    if request.param == "postgres":
        made.database = request.getfixturevalue("postgres_url")
        monkeypatch.setenv("DESKPULSE_DATABASE", made.database)
        made.does("database", "upgrade")
        assert "no tables yet; run `deskpulse people database upgrade`" in people("delete", "A", "--by", "B", code=1)
        people("database", "upgrade")
    return made


@pytest.fixture
def people_of(desk: Desk, tmp_path: Path) -> Staff:
    made = staff(tmp_path)
    with made.roster_csv.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            given = {name: value for name, value in row.items() if value}
            since = given.pop("valid_from", "0001-01-01")
            from_ = day("x", since, 0, 0).date
            desk.entries.append(RosterEntry(valid_from=from_, card="ours", **given))
    for number, id in enumerate(made.people):
        desk.facts.append(day(id, "2026-03-02", 10, number % 11))
    people("import", made.people_csv, "--by", "hr-1")
    return made


def people(*words: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["people", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def frozen(desk: Desk, card: str) -> None:
    desk.does("prepare", card, *MARCH, "--by", "hr-1")
    desk.does("approve", card, *MARCH, "--by", "hr-1", "--unreviewed", "a trial")
    desk.does("publish", card, *MARCH, "--by", "hr-1")


def files(desk: Desk, folder: Path, card: str, *more: str) -> dict[str, str]:
    """Every file that is written, as text: name → what stands in it."""
    desk.does("files", card, *MARCH, "--out", str(folder), "--sheets", "html", *more)
    return dict(_texts(folder))


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".xlsx":
            book = load_workbook(path)
            for sheet in book:
                yield f"xlsx {sheet.title}", "\n".join("\t".join(str(cell) for cell in row) for row in sheet.values)
        elif path.is_file():
            yield path.relative_to(folder).as_posix(), unescape(path.read_text(encoding="utf-8-sig"))


def of(whole: dict[str, str], part: str) -> str:
    return next(text for name, text in whole.items() if part in name)


def called(text: str, made: Staff) -> set[str]:
    """Ids of those whose name stands in the text, in full in one of its scripts."""
    return {
        id for id, one in made.people.items() if any(name in text for name in (one.name_zh, one.name_latin) if name)
    }


def test_names_where_people_read_and_ids_where_things_are_kept(desk: Desk, people_of: Staff, tmp_path: Path) -> None:
    card = str(card_file(tmp_path))
    frozen(desk, card)
    shown = files(desk, tmp_path / "named", card)
    everybody = set(people_of.people)
    assert called(of(shown, ".csv"), people_of) == everybody
    for sheet in ("考核结果 Results", "汇总 Summary", "明细 Items", "待补 Missing", "考核结果应用 Outcomes"):
        assert called(shown[f"xlsx {sheet}"], people_of) == everybody
    sheets = {name: text for name, text in shown.items() if name.endswith(".html")}
    assert len(sheets) == PEOPLE
    for name, text in sheets.items():
        id = Path(name).stem
        assert called(text, people_of) == (set(NAMESAKES) if id in NAMESAKES else {id})
        assert id in text  # namesakes are told apart by it
    assert "team-9" in of(sheets, MOVED)  # the team at the month's end, of the three
    assert people_of.people[LEFT].name_zh in of(sheets, LEFT)  # type: ignore[operator]
    assert called(of(shown, ".json"), people_of) == set()
    plain = files(desk, tmp_path / "ids", card, "--ids")
    assert {name: called(text, people_of) for name, text in plain.items() if called(text, people_of)} == {}
    assert plain.keys() == shown.keys()
    trail = desk.does("audit", "--json") + desk.does("show", card, *MARCH, "--json")
    assert called(trail, people_of) == set()


def test_over_http_everybody_sees_the_names_that_are_theirs_to_see(
    desk: Desk, people_of: Staff, tmp_path: Path
) -> None:
    frozen(desk, str(card_file(tmp_path)))
    team = {id for number, id in enumerate(people_of.people, 1) if team_of(number) == "team-9"} | {MOVED}
    for role, whose, sees in (
        ("hr", {}, set(people_of.people)),
        ("supervisor", {"team": "team-9"}, team),
        ("agent", {"person": "P001"}, {"P001"}),
    ):
        body = client(desk, role, **whose).get(RUN).json()
        assert set(body["names"]) == sees
        assert len(body["scores"]) == len(sees)
    sheet = client(desk, "agent", person="P002").get(f"{RUN}/people/P002").json()
    assert sheet["names"] == {"P002": {"zh": "李娜", "en": "Li Na"}}


def test_a_deleted_person_leaves_figures_and_digests_and_takes_the_name(
    desk: Desk, people_of: Staff, tmp_path: Path
) -> None:
    card = str(card_file(tmp_path))
    frozen(desk, card)
    before = files(desk, tmp_path / "before", card)
    kept, sent = digest(desk), list(desk.sent)
    gone = people_of.people[GONE]
    told = [text for text in (gone.name_zh, gone.name_latin, gone.email, gone.chat_id) if text]
    assert told[0] in of(before, ".csv")
    people("delete", GONE, "--by", "hr-1")
    after = files(desk, tmp_path / "after", card)
    assert {name: text for name, text in after.items() if any(word in text for word in told)} == {}
    assert called(of(after, ".csv"), people_of) == set(people_of.people) - {GONE}
    assert of(after, ".json") == of(before, ".json")
    assert without_names(of(after, ".csv")) == without_names(of(before, ".csv"))
    assert (digest(desk), desk.sent) == (kept, sent)
    assert "the same bytes" in desk.does("verify", card, *MARCH)
    assert "the trail is whole" in desk.does("audit")
    assert stored(desk, told) == []
    assert GONE not in client(desk, "hr").get(RUN).json()["names"]


def digest(desk: Desk) -> str:
    """SHA-256 of the frozen result; the audit trail has to be whole."""
    database = Database.of(desk.database, desk.data_dir)
    with database.read() as connection:
        assert broken(connection) is None
        made = result_of(connection, find_run(connection, "ours", "2026-03")).lines.digest
    database.close()
    return made


def without_names(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text)))
    return [{column: value for column, value in row.items() if column != "姓名 Name"} for row in rows]


def stored(desk: Desk, words: list[str]) -> list[str]:
    """Which of the words are in the database: in the bytes of SQLite's files, in the rows of PostgreSQL's tables."""
    if desk.database is None:
        body = b"".join(path.read_bytes() for path in desk.data_dir.rglob("*") if path.is_file())
        return [word for word in words if word.encode() in body]
    engine = create_engine(desk.database.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        tables = (
            connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").scalars().all()
        )
        whole = "".join(
            str(row) for table in tables for row in connection.exec_driver_sql(f'SELECT t::text FROM "{table}" t')
        )
    engine.dispose()
    return [word for word in words if word in whole]


def test_commands_call_people_by_name_and_by_id_where_others_look(desk: Desk, people_of: Staff, tmp_path: Path) -> None:
    card = str(card_file(tmp_path))
    frozen(desk, card)
    everybody = set(people_of.people)
    for command in ("show", "status"):
        assert called(desk.does(command, card, *MARCH), people_of) == everybody, command
        assert called(desk.does(command, card, *MARCH, "--ids"), people_of) == set(), command
        assert called(desk.does(command, card, *MARCH, "--json"), people_of) == set(), command
    own = desk.does("show", card, *MARCH, GONE)
    assert called(own, people_of) == {GONE}
    asked = ("--from", "2026-03", "--to", "2026-03", "--card", card, "--weight", "resolved=50", "--rows", "205")
    told = [
        desk.does("what-if", *asked, *more, "--out", str(tmp_path / f"if{len(more)}"))
        + of(dict(_texts(tmp_path / f"if{len(more)}")), ".csv")
        for more in ((), ("--ids",))
    ]
    moved = set(re.findall(r"P\d{3}", told[1]))
    assert called(told[0], people_of) == moved | set(NAMESAKES)
    assert len(moved) > PEOPLE / 2
    assert called(told[1], people_of) == set()
