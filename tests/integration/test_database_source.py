"""A table of a real PostgreSQL through a real Kafka: late commits, changes, kills, a connection that is cut, statements that take too long."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from typer.testing import CliRunner

from streams.cli import app
from streams.settings import Settings, environment
from streams.sources.live.health import Health
from streams.sources.mapped.config import DatabaseSource, load
from streams.sources.mapped.database import DatabaseFollower
from streams.sources.mapped.reading import MappedReader
from streams.sources.mapped.rows import engine_of
from streams.sources.producer import EventProducer
from tests.support.operation import messages, program

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

FILE = """
source: shop
database: $SHOP_DATABASE
table: public.calls
watermark: updated_at
key: id
every_seconds: 0.5
overlap_seconds: 60
timeout_seconds: 5
rows: 40
mapping:
  time_zone: Asia/Shanghai
  contact_id: text(id)
  version: datetime(updated_at)
  fields: {agent_id: col("more.agent")}
  events:
    - {type: call.queued, time: datetime(began)}
    - {type: call.ended, when: talk is not none, time: datetime(began) + number(talk), fields: {talk_seconds: number(talk)}}
"""


@pytest.fixture
def shop(postgres_url: str, operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("SHOP_DATABASE", postgres_url)
    (tmp_path / "shop.yaml").write_text(FILE)
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE calls (id int PRIMARY KEY, began timestamp NOT NULL, talk numeric(8,2), more jsonb, "
                "updated_at timestamptz DEFAULT clock_timestamp())"
            )
        )
    yield engine
    engine.dispose()


def put(connection: Any, *ids: int) -> None:
    for id in ids:
        connection.execute(
            text("INSERT INTO calls VALUES (:id, '2026-03-02 09:00:00', NULL, '{\"agent\": \"A1\"}')"), {"id": id}
        )


def ended(connection: Any, id: int, talk: float) -> None:
    connection.execute(
        text("UPDATE calls SET talk = :talk, updated_at = clock_timestamp() WHERE id = :id"), {"id": id, "talk": talk}
    )


def told(settings: Settings) -> list[dict[str, Any]]:
    found: dict[str, Any] = {}
    for message in messages(settings, "calls"):
        event = json.loads(message.value)
        if "~" not in event["id"]:
            found[event["id"]] = event
    return list(found.values())


def arrived(settings: Settings, ids: set[str], seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while not ids <= (found := {event["id"]: event for event in told(settings)}).keys():
        assert time.monotonic() < deadline, ids - found.keys()
        time.sleep(0.3)
    return found


@contextmanager
def followed(settings: Settings, file: Path) -> Iterator[Health]:
    """A follower of the table in a thread, into a real Kafka."""
    config = load(file, DatabaseSource, "database")
    engine, health, stop = engine_of(os.environ["SHOP_DATABASE"], config.timeout_seconds), Health("shop"), Event()

    def connect() -> EventProducer:
        return EventProducer(settings, 60.0)

    follower = DatabaseFollower(
        config, engine, MappedReader(config, b"key"), settings.data_dir / "sources", connect, health, lambda: None
    )
    thread = Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield health
    finally:
        stop.set()
        thread.join()


def test_a_table_is_told_whatever_happens_meanwhile(shop: Engine, operation: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    with shop.begin() as connection:
        put(connection, *range(100))
    with shop.connect() as late:
        late.begin()
        put(late, 1000)  # written now, and committed behind the others
        with followed(operation, file):
            arrived(operation, {f"{id}-queued" for id in range(100)})
        with followed(operation, file) as health:
            with shop.begin() as connection:
                put(connection, *range(100, 150))
                for id in range(50):
                    ended(connection, id, 12.5)
            arrived(operation, {*(f"{id}-queued" for id in range(150)), *(f"{id}-ended" for id in range(50))})
            late.commit()
            found = arrived(operation, {"1000-queued"})
            with shop.begin() as connection:  # the server goes away under it
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deskpulse'")
                )
                put(connection, 2000)
            arrived(operation, {"2000-queued"})
            with shop.begin() as connection:  # nobody may read for longer than a statement may take
                connection.execute(text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"))
                deadline = time.monotonic() + 60
                while "statement timeout" not in health.told().get("reason", ""):
                    assert time.monotonic() < deadline, health.told()
                    time.sleep(0.1)
                put(connection, 3000)
            arrived(operation, {"3000-queued"})
    event = found["7-ended"]
    assert (event["time"], event["agent_id"], event["talk_seconds"]) == ("2026-03-02T09:00:12.500000+08:00", "A1", 12.5)
    ids = [json.loads(message.value)["id"] for message in messages(operation, "calls")]
    assert {id for id in ids if id.endswith("-queued")} == {f"{id}-queued" for id in (*range(150), 1000, 2000, 3000)}
    assert all(ids.count(f"{id}-queued") == (2 if id < 50 else 1) for id in range(150))  # told once for each version


def test_one_that_is_killed_goes_on_where_it_stood(shop: Engine, operation: Settings, tmp_path: Path) -> None:
    command = ("source", "database", str(tmp_path / "shop.yaml"), "--metrics-port", "0")
    with shop.begin() as connection:
        put(connection, *range(200))
    with program(operation, "first", *command) as process:
        arrived(operation, {"7-queued"})
        process.kill()
    with shop.begin() as connection:
        put(connection, *range(200, 300))
    with program(operation, "second", *command):
        arrived(operation, {f"{id}-queued" for id in range(300)})


def test_a_file_is_tried_out(shop: Engine, operation: Settings, tmp_path: Path) -> None:
    with shop.begin() as connection:
        put(connection, 1, 2)

    def check(old: str = "", new: str = "") -> Any:
        (tmp_path / "shop.yaml").write_text(FILE.replace(old, new) if old else FILE)
        arguments = ["source", "check", str(tmp_path / "shop.yaml")]
        return CliRunner().invoke(app, arguments, env=environment(operation), catch_exceptions=False)

    shown = check()
    assert shown.exit_code == 0, shown.output
    assert "the first 2 rows: 4 events, 0 refused" in shown.output
    assert "  A1: A1  # 4" in shown.output
    wrong = check("public.calls", "public.nothing")
    assert wrong.exit_code == 1
    assert 'relation "public.nothing" does not exist' in wrong.output
    assert 'column "nothing" does not exist' in check("watermark: updated_at", "watermark: nothing").output
