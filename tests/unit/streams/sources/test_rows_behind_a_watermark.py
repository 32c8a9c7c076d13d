"""A table that others write while it is read: ties, late commits, changes, restarts; on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from streams.contracts.events import AnyEvent
from streams.sources.live.health import Health
from streams.sources.mapped.config import DatabaseSource, load
from streams.sources.mapped.database import DatabaseFollower
from streams.sources.mapped.examples import DATABASE
from streams.sources.mapped.reading import MappedReader
from streams.sources.mapped.rows import Seen, before, engine_of, plain

MAPPING = {
    "time_zone": "Asia/Shanghai", "contact_id": "text(id)", "version": "datetime(changed)",
    "fields": {"agent_id": "agent"},
    "events": [
        {"type": "call.queued", "time": "datetime(began)"},
        {"type": "call.ended", "when": "talk is not none", "time": "datetime(changed)", "fields": {"talk_seconds": "number(talk)"}},
    ],
}  # fmt: skip


class Broker:
    """Keeps what it is sent once it is flushed; ``fails``: so many flushes fail first."""

    def __init__(self, fails: int = 0) -> None:
        self.kept: list[AnyEvent] = []
        self._coming: list[AnyEvent] = []
        self._fails = fails

    def send(self, event: AnyEvent) -> None:
        self._coming.append(event)

    def flush(self) -> None:
        if self._fails:
            self._fails -= 1
            raise OSError("away")
        self.kept += self._coming
        self._coming = []

    def close(self) -> None:
        self._coming = []


class Until(Event):
    """Set once it was asked so often; each time it waits, something happens beforehand."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        super().__init__()
        self._steps = list(steps)

    def wait(self, timeout: float | None = None) -> bool:
        if self._steps:
            self._steps.pop(0)()
        else:
            self.set()
        return self.is_set()


class Table:
    """A table of calls in SQLite, a follower of it, and what it has told."""

    def __init__(self, tmp_path: Path, **keys: Any) -> None:
        self.url = f"sqlite:///{tmp_path}/shop.db"
        self.engine = create_engine(self.url)
        self.do("CREATE TABLE calls (id INTEGER PRIMARY KEY, began TEXT, changed TEXT, agent TEXT, talk REAL)")
        file = tmp_path / "shop.yaml"
        given = {
            "source": "shop",
            "database": "$SHOP",
            "table": "calls",
            "watermark": "changed",
            "key": "id",
            "rows": 3,
        }
        file.write_text(yaml.safe_dump({**given, "mapping": MAPPING, **keys}))
        self.config = load(file, DatabaseSource, "database")
        self.directory, self.broker = tmp_path / "sources", Broker()
        self.health = Health("shop")

    def do(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def put(self, *rows: tuple[int, str], talk: str = "NULL") -> None:
        for id, changed in rows:
            at = f"2026-03-02 {changed}"
            self.do(f"INSERT OR REPLACE INTO calls VALUES ({id}, '2026-03-02 08:00:00', '{at}', 'a', {talk})")

    def follow(self, *steps: Callable[[], None], earliest: int | None = None) -> list[str]:
        """The ids told by one process that looks once more than there are steps."""
        self.broker.kept.clear()
        reader = MappedReader(self.config, b"key")
        engine = engine_of(self.url, 5)
        DatabaseFollower(
            self.config, engine, reader, self.directory, lambda: self.broker, self.health, lambda: earliest
        ).run(Until(*steps))
        return [event.id for event in self.broker.kept if "~" not in event.id]


def test_ties_at_the_watermark_over_pages_are_each_told_once(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.put(*((id, "09:00:00") for id in range(1, 11)), (11, "09:00:01"))
    assert table.follow() == [f"{id}-queued" for id in range(1, 12)]
    table.put((12, "09:00:01"))
    assert table.follow() == ["12-queued"]  # and what had been told before, by nobody again
    assert table.follow() == []


def test_a_row_that_is_committed_late_is_told(tmp_path: Path) -> None:
    table = Table(tmp_path, overlap_seconds=60)
    table.put((1, "09:00:00"), (2, "09:01:00"))
    late: list[Callable[[], None]] = [lambda: table.put((3, "09:00:01")), lambda: table.put((4, "08:59:59"))]
    assert table.follow(*late) == ["1-queued", "2-queued", "3-queued"]  # the last one came behind the overlap


def test_a_row_that_changes_corrects_what_it_told(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.put((1, "09:00:00"))
    assert table.follow(lambda: table.put((1, "09:05:00"), talk="30")) == ["1-queued", "1-queued", "1-ended"]
    corrected = [event for event in table.broker.kept if "~" in event.id]
    assert [event.id.partition("~")[0] for event in corrected] == ["1-queued", "1-queued", "1-ended"]
    assert corrected[0].sequence is not None
    assert corrected[1].sequence is not None
    assert corrected[0].sequence < corrected[1].sequence


def test_what_kafka_has_not_acknowledged_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(tmp_path)
    table.broker = Broker(fails=2)
    table.put((1, "09:00:00"), (2, "09:00:00"))
    assert table.follow(lambda: None, lambda: None) == ["1-queued", "2-queued"]


def test_a_row_that_does_not_fit_is_kept_and_the_next_go_on(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.put((1, "09:00:00"), (3, "09:00:02"))
    table.do("INSERT INTO calls VALUES (2, 'yesterday', '2026-03-02 09:00:01', 'a', NULL)")
    assert table.follow(lambda: None) == ["1-queued", "3-queued"]
    kept = (table.directory / "shop.refused").read_text().splitlines()
    assert len(kept) == 1
    assert "no moment" in kept[0]
    assert table.health.told()["refused"][0]["key"] == "[2]"
    assert "yesterday" not in str(table.health.told())


def test_the_first_look_begins_where_something_is_still_accepted(tmp_path: Path) -> None:
    table = Table(tmp_path, overlap_seconds=60)
    table.put((1, "09:00:00"), (2, "10:00:00"))
    table.do("UPDATE calls SET began = changed")
    nine_thirty = int(datetime.fromisoformat("2026-03-02T09:30:00+08:00").timestamp() * 1000)
    assert table.follow(earliest=nine_thirty) == ["2-queued"]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"watermark": "absent"}, "no such column"),
        ({"table": "absent"}, "no such table"),
        ({"watermark": "agent"}, "no time"),
        ({"key": "talk"}, "a row has nothing in talk"),
    ],
)
def test_what_cannot_be_ends_it_with_a_reason(tmp_path: Path, keys: dict[str, Any], what: str) -> None:
    table = Table(tmp_path, **keys)
    table.put((1, "09:00:00"))
    with pytest.raises(ValueError, match=what):
        table.follow()


def test_a_query_and_a_number_do_as_well(tmp_path: Path) -> None:
    query = "SELECT *, id AS number FROM calls WHERE agent = 'a';"
    table = Table(tmp_path, table=None, query=query, watermark="number", overlap=2)
    table.put(*((id, "09:00:00") for id in (1, 2, 3, 10)))
    steps: list[Callable[[], None]] = [lambda: table.put((9, "09:00:00")), lambda: table.put((7, "09:00:00"))]
    assert table.follow(*steps) == [f"{id}-queued" for id in (1, 2, 3, 10, 9)]


def test_it_only_reads(tmp_path: Path) -> None:
    table = Table(tmp_path)
    with engine_of(table.url, 5).connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("DELETE FROM calls"))


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("nonsense", "no address"),
        ("mysql+pymysql://a:secret@h/x", "pip install pymysql"),
        ("sqlserver://h/x", "dialect"),
    ],
)
def test_an_address_that_is_of_no_use_is_said_without_its_password(url: str, what: str) -> None:
    with pytest.raises(ValueError, match=what) as told:
        engine_of(url, 5)
    assert "secret" not in str(told.value)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 6)), max_size=30),
    st.integers(1, 4),
)
def test_however_rows_come_each_is_known_once(written: list[tuple[int, int]], overlap: int) -> None:
    """By number, as one look after the other sees a table in which keys get new watermarks: nothing within the overlap is forgotten."""
    from streams.sources.mapped.rows import Row

    seen, table, told = Seen(), dict[int, int](), list[tuple[int, int]]()
    for key, mark in written:
        if mark < max(table.values(), default=0) - overlap:
            continue
        table[key] = mark
        begins = seen.begins(timedelta(0), overlap)
        rows = [
            Row({}, number, str(id), f"{id}/{number}")
            for id, number in sorted(table.items(), key=lambda each: each[1])
            if begins is None or number >= begins
        ]
        told += [(int(row.key), int(str(row.watermark))) for row in rows if seen.is_new(row)]
        seen.note(rows, timedelta(0), overlap)
        assert (key, mark) in told
    assert all(one != next_ for one, next_ in pairwise(told))


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 8, 55, tzinfo=UTC)),
        (date(2026, 3, 2), date(2026, 3, 1)),
        (1000, 900),
        ("2026-03-02 09:00:00.123", "2026-03-02 08:55:00"),
        ("2026-03-02T09:00:00Z", "2026-03-02T08:55:00"),
        ("2026-03-02", "2026-03-01"),
    ],
)
def test_so_much_before_a_watermark(mark: Any, wanted: Any) -> None:
    assert before(mark, timedelta(minutes=5), 100) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Decimal("12.50"), 12.5), (Decimal(12), 12), (Decimal("NaN"), "NaN"), (timedelta(minutes=1), 60.0), (b"a", "a"),
        (b"\xff", "ff"), (UUID(int=1), "00000000-0000-0000-0000-000000000001"), (datetime(2026, 3, 2, tzinfo=UTC), "2026-03-02T00:00:00+00:00"),
        (None, None), (True, True), ({"a": [1]}, {"a": [1]}),
    ],
)  # fmt: skip
def test_values_are_those_of_json(value: Any, wanted: Any) -> None:
    assert plain(value) == wanted


def test_the_example_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(DATABASE)
    assert load(path, DatabaseSource, "database").asked.table == "calls"
