"""A running operation is backed up, everything is deleted, and it goes on from the backup on other servers as if nothing had been."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import MetaData, create_engine, make_url, select
from typer.testing import CliRunner

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.redis import LocalRedis
from streams.backup.restoring import Restoring
from streams.cli import app
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import ContactRecord, RosterEntry
from streams.kafka.topics import delete_topics, ensure_topics
from streams.operation import KafkaOperation
from streams.pipeline import run
from streams.settings import Settings, environment
from tests.conftest import new_database
from tests.integration.test_one_definition import PEOPLE, START, day
from tests.support.operation import (
    answers,
    facts,
    http_get,
    messages,
    metric,
    program,
    run_cli,
    send,
    settled,
    wallboard,
    worker,
)

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

#: Tables whose rows tell when the machine did something, or where in Kafka: they are not the same in two operations.
PLACES = {"history_positions", "notifier_positions"}


def until(what: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.2)


@contextmanager
def processes(settings: Settings) -> Iterator[str]:
    """Workers, incidents and history of an operation; gives the address of a worker's metrics."""
    ports = free_port(), free_port()
    with ExitStack() as stack:
        address = stack.enter_context(worker(settings))
        for name, port in zip(("incidents", "history"), ports, strict=True):
            process = stack.enter_context(program(settings, name, name, "--metrics-port", str(port)))
            answers(f"http://127.0.0.1:{port}/healthz", process)
        yield address
        until(lambda: all(http_get(f"http://127.0.0.1:{port}/readyz").status_code == 200 for port in ports))
        until(lambda: metric(f"http://127.0.0.1:{ports[1]}/metrics", "deskpulse_history_lag") == 0)


def tables(url: str, *, but: set[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of a database."""
    engine, known = create_engine(make_url(url).set(drivername="postgresql+psycopg")), MetaData()
    known.reflect(engine)
    with engine.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in known.sorted_tables
            if table.name not in but
        }
    engine.dispose()
    return found


def newest(settings: Settings, topic: str) -> dict[bytes, bytes]:
    """Key → the last value of it."""
    found: dict[bytes, bytes | None] = {}
    for record in messages(settings, topic):
        found[record.key] = record.value
    return {key: value for key, value in found.items() if value is not None}


def records(settings: Settings) -> dict[bytes, Any]:
    """What each contact counts for. Their versions say how often they were written, which is no figure."""
    said = {
        key: msgspec.json.decode(value, type=ContactRecord)
        for key, value in newest(settings, "contact-records").items()
    }
    return {key: msgspec.structs.replace(record, version=0) for key, record in said.items()}


def contacts(settings: Settings) -> list[tuple[Any, ...]]:
    """Contacts as the history has them, without what says when it read them."""
    assert settings.history is not None
    engine = create_engine(make_url(settings.history).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT channel, contact_id, customer_id, arrived_at, agent, team, queue, topic, outcome FROM history_contacts ORDER BY 1, 2, 4"
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


def screens(settings: Settings) -> dict[str, Any]:
    """What the wallboard shows of each agent and of the whole, once it has come as far as the facts."""
    wanted = {key.rpartition("|")[0]: sums for key, sums in facts(settings).items()}
    with wallboard(settings) as address:
        shown: dict[str, Any] = {}

        def all_there() -> bool:
            for entity, sums in wanted.items():
                kind, _, id = entity.partition("|")
                answer = http_get(f"{address}api/entity/{kind}/{id}")
                if answer.status_code != 200:
                    return False
                shown[entity] = answer.json()["snapshot"]["windows"]["today"]
                if shown[entity].get("answer_rate", {}).get("n", 0) != sums.get("calls_offered", 0):
                    print("DBG", entity, shown[entity].get("answer_rate"), sums)
                    return False
            return True

        until(all_there, 60)
    return shown


def scored(settings: Settings, folder: Path) -> dict[str, Any]:
    run_cli(
        settings,
        "score",
        "run",
        "--month",
        "2026-03",
        "--card",
        "s2-a-core",
        "--out",
        str(folder),
        "--publish",
        "--as-of",
        "2026-04-01",
    )
    return {key.decode(): msgspec.json.decode(value)["items"] for key, value in newest(settings, "scores").items()}


def begin(settings: Settings) -> None:
    ensure_topics(settings)
    roster = {
        agent: [RosterEntry(agent_id=agent, valid_from=START.date(), team_id=f"t{agent[-1] in '01'}")]
        for agent in PEOPLE
    }
    KafkaOperation(settings).publish_roster(roster)
    for command in (("score", "database", "upgrade"), ("history", "upgrade")):
        run_cli(settings, *command)


def state_of(settings: Settings, folder: Path) -> dict[str, Any]:
    """Everything of an operation that must be the same, wherever it has been meanwhile. On the event clock that is not which alerts fire:
    rules are judged as of other moments.
    """
    return {
        "facts": facts(settings),
        "records": records(settings),
        "screens": screens(settings),
        "scores": scored(settings, folder),
        "contacts": contacts(settings),
    }


@pytest.fixture
def other_servers(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A Kafka and a Redis that nobody has used."""
    with closing_all(LocalKafka(tmp_path / "other-kafka"), LocalRedis(tmp_path / "other-redis")) as (kafka, redis):
        yield kafka.address, redis.address


@contextmanager
def closing_all(kafka: LocalKafka, redis: LocalRedis) -> Iterator[tuple[LocalKafka, LocalRedis]]:
    kafka.start(print)
    try:
        redis.start(print)
        yield kafka, redis
    finally:
        redis.stop()
        kafka.kill()


def parts(events: list[AnyEvent]) -> tuple[list[AnyEvent], list[AnyEvent], list[AnyEvent]]:
    ordered = sorted(events, key=lambda event: event.time)
    third = len(ordered) // 3
    return ordered[:third], ordered[third : 2 * third], ordered[2 * third :]


def refused(settings: Settings, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env=environment(settings))
    assert result.exit_code == 1, result.output
    return " ".join(result.output.split())


def test_everything_deleted_and_restored_on_other_servers_goes_on_as_if_nothing_had_been(
    operation: Settings, postgres_server: str, other_servers: tuple[str, str], tmp_path: Path
) -> None:
    first, second, third = parts(day())
    whole = operation.model_copy(
        update={"history": new_database(postgres_server), "database": new_database(postgres_server)}
    )
    begin(whole)
    with processes(whole):
        for part in (first, second, third):
            send(whole, part)
        settled(whole)
    expected = state_of(whole, tmp_path / "whole")
    assert len(expected["facts"]) > 6
    assert newest(whole, "incidents")
    assert len(expected["contacts"]) == 120

    lost = whole.model_copy(
        update={
            "prefix": f"t{secrets.token_hex(4)}.",
            "history": new_database(postgres_server),
            "database": new_database(postgres_server),
        }
    )
    begin(lost)
    place = tmp_path / "backup"
    with processes(lost):
        send(lost, first)
        settled(lost)
        send(lost, second)  # and while they work on it
        run_cli(lost, "backup", "take", str(place))
    judged = tables(lost.database or "", but=PLACES)
    assert run_cli(lost, "backup", "verify", str(place)).endswith("whole\n")
    assert "has messages of this operation already" in refused(lost, "restore", str(place))
    told = set(newest(lost, "alerts"))
    delete_topics(lost)

    kafka, redis = other_servers
    found = lost.model_copy(
        update={
            "broker": kafka,
            "redis": redis,
            "history": new_database(postgres_server),
            "database": new_database(postgres_server),
        }
    )
    run_cli(found, "restore", str(place))
    assert tables(found.database or "", but=PLACES) == judged
    assert set(newest(found, "alerts")) <= told
    known = set(newest(found, "incidents"))
    with processes(found) as address:
        send(found, third)
        settled(found)
        assert metric(address, "deskpulse_events_expired_total") == 0
    assert state_of(found, tmp_path / "found") == expected
    assert known <= set(newest(found, "incidents"))
    assert facts(found) == {
        fact.key: fact.sums
        for fact in run([encode(event) for event in day()], found.policy, roster=_roster(found)).daily_facts()
        if fact.sums
    }


def _roster(settings: Settings) -> Any:
    return KafkaOperation(settings).whole_roster()


def test_more_partitions_keep_figures_records_and_alerts_and_go_on_equal(operation: Settings, tmp_path: Path) -> None:
    """Also where the command is killed in the middle of filling the new topics, and begun again."""
    first, second, third = parts(day())
    wanted = {
        fact.key: fact.sums
        for fact in run([encode(event) for event in day()], operation.policy).daily_facts()
        if fact.sums
    }
    with worker(operation):
        send(operation, first)
        settled(operation)
        send(operation, second)  # and ends with some of it not taken in
        assert "stop workers, incidents" in refused(
            operation, "repartition", "--to", "8", "--through", str(tmp_path / "b")
        )
    before = facts(operation), records(operation), newest(operation, "alerts")
    place = str(tmp_path / "before-8")
    assert "a multiple of 4, such as 8, and not 6" in refused(operation, "repartition", "--to", "6", "--through", place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Restoring, "_check", _killed)
        killed = CliRunner().invoke(app, ["repartition", "--to", "8", "--through", place], env=environment(operation))
        assert killed.exit_code == 130, killed.output
    assert "has begun and not ended" in refused(operation, "topics", "create")
    assert "4 partitions became 8" in run_cli(operation, "repartition", "--to", "8", "--through", place)
    more = operation.model_copy(update={"partitions": 8})
    assert (facts(more), records(more), newest(more, "alerts")) == before
    with worker(more) as address:
        send(more, third)
        settled(more)
        assert metric(address, "deskpulse_events_misplaced_total") == 0
    assert facts(more) == wanted
    assert not messages(more, "dead-letters")


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
