"""Databases in a backup: what was in them is in them again, and they read on where what they had read lies now."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streams.archive.store import Store
from streams.backup import databases
from streams.backup.manifest import Dump, Position
from streams.settings import Settings


def settings(folder: Path, prefix: str = "a.") -> Settings:
    return Settings(data_dir=folder, prefix=prefix)


def sqlite(file: Path, *statements: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Store, list[Dump]]:
    """Two databases, the first of which is in use; another operation reads into the second, too."""
    here = tmp_path / "here"
    sqlite(
        here / "scores.db",
        "PRAGMA journal_mode=WAL",
        "CREATE TABLE scoring_version (version_num TEXT)",
        "INSERT INTO scoring_version VALUES ('0007')",
        "CREATE TABLE audit (what TEXT)",
        "INSERT INTO audit VALUES ('approved')",
        "CREATE TABLE notifier_positions (topic TEXT PRIMARY KEY, next BIGINT)",
        "INSERT INTO notifier_positions VALUES ('a.incidents', 40), ('a.contact-records|1', 7), ('b.incidents', 5)",
    )
    sqlite(
        here / "history.db",
        "CREATE TABLE history_positions (topic TEXT, partition INT, next BIGINT)",
        "INSERT INTO history_positions VALUES ('a.daily-facts', 1, 90)",
    )
    store = Store(str(tmp_path / "backup"))
    with closing(sqlite3.connect(here / "scores.db")) as user:
        user.execute("BEGIN")
        user.execute("SELECT * FROM audit").fetchall()
        dumps = databases.dump(settings(here), store, lambda _: None)
    return store, dumps


def test_what_was_in_them_is_in_them_again(tmp_path: Path, kept: tuple[Store, list[Dump]]) -> None:
    store, dumps = kept
    there = settings(tmp_path / "there", "c.")
    assert dumps[0].revisions == {"scoring_version": "0007"}
    assert {(at.topic, at.partition, at.next) for each in dumps for at in each.positions} == {
        ("incidents", 0, 40), ("contact-records", 1, 7), ("daily-facts", 1, 90),
    }  # fmt: skip
    databases.refuse_full(there, dumps)
    databases.restore(there, store, dumps, lambda _: None)
    assert rows(tmp_path / "there" / "scores.db", "SELECT what FROM audit") == [("approved",)]
    with pytest.raises(ValueError, match=r"scores\.db is not empty: .*DESKPULSE_DATABASE"):
        databases.refuse_full(there, dumps)


def test_they_read_on_where_it_lies_now_however_often_that_is_done(
    tmp_path: Path, kept: tuple[Store, list[Dump]]
) -> None:
    store, dumps = kept
    there = settings(tmp_path / "there", "c.")
    databases.restore(there, store, dumps, lambda _: None)

    def moved(topic: str, number: int, position: int) -> list[tuple[int, int]]:
        return [(number, position - 3)] if topic == "incidents" else [(number, position - 3), (number + 4, 2)]

    for _ in range(2):
        databases.move_positions(there, "a.", dumps, moved)
        found = rows(tmp_path / "there" / "scores.db", "SELECT topic, next FROM notifier_positions ORDER BY 1")
        assert found == [
            ("b.incidents", 5),
            ("c.contact-records|1", 4),
            ("c.contact-records|5", 2),
            ("c.incidents", 37),
        ]
        found = rows(tmp_path / "there" / "history.db", "SELECT * FROM history_positions ORDER BY 2")
        assert found == [("c.daily-facts", 1, 87), ("c.daily-facts", 5, 2)]
    assert set(databases.positions_now(there, dumps)) == {
        Position("notifier_positions", "incidents", 0, 37), Position("notifier_positions", "contact-records", 1, 4),
        Position("notifier_positions", "contact-records", 5, 2), Position("history_positions", "daily-facts", 1, 87),
        Position("history_positions", "daily-facts", 5, 2),
    }  # fmt: skip


def test_another_kind_of_database_is_refused(tmp_path: Path, kept: tuple[Store, list[Dump]]) -> None:
    _, dumps = kept
    other = Settings(
        data_dir=tmp_path, database="postgresql://x:secret@127.0.0.1:1/x", history="postgresql://x@127.0.0.1:1/y"
    )
    with pytest.raises(ValueError, match="the backup has sqlite for DESKPULSE_DATABASE") as refused:
        databases.refuse_full(other, dumps)
    assert "secret" not in str(refused.value)
