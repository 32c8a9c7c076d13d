"""A customer forgotten while workers run, on a real Kafka and Redis: raw bytes of whatever they keep are searched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from msgspec.structs import replace
from redis import Redis
from typer.testing import CliRunner

from streams import erasure
from streams.archive.files import rows
from streams.cli import app
from streams.contacts.forgetting import is_nameless
from streams.contacts.recorded import record_key
from streams.contracts import events as e
from streams.contracts import redis_keys, topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import ContactRecord
from streams.kafka.connection import kafka_python_options
from streams.kafka.topics import ensure_topics
from streams.kafka.transactions import partition_of
from streams.pipeline import run
from streams.settings import Settings, environment
from tests.conftest import GivenService, lacking
from tests.support.operation import facts, messages, policy_file, run_cli, send, settled, worker
from tests.support.states import differences, stored_customers

pytestmark = [pytest.mark.services, pytest.mark.timeout(580)]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: A person; a number under which many call, which screens name.
WHO, LINE = "5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7"
SAID = "Erika from Market Street"
#: As the topics are made, but in seconds instead of days.
_SOON = {"segment.ms": "1000", "file.delete.delay.ms": "100"}
_STATE_SOON = {
    **_SOON,
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
}
SHORT = {
    topics.CUSTOMERS: _STATE_SOON,
    topics.ENTITIES: _STATE_SOON,
    topics.PROGRESS: _STATE_SOON,
    topics.CONTACT_RECORDS: _STATE_SOON,
    topics.REKEYED: _SOON,
    topics.DEAD_LETTERS: _SOON,
}


def call(customer: str, contact: str, at: datetime, source: str = "s") -> list[AnyEvent]:
    """An answered call."""
    base = {"source": source, "contact_id": contact, "customer_id": customer, "queue_id": "q", "agent_id": "a1"}
    return [
        e.CallAnswered(id="1", time=at, wait_seconds=5, **base),
        e.CallEnded(id="2", time=at + timedelta(seconds=60), talk_seconds=55, resolved=True, **base),
    ]


def others(begin: datetime) -> Iterator[list[AnyEvent]]:
    """Rounds of calls of other people, a minute apart, in every partition."""
    for minute in range(10_000):
        at = begin + timedelta(minutes=minute)
        yield [event for n in range(30) for event in call(f"other{n}", f"o{minute}-{n}", at)]


def made(operation: Settings) -> None:
    """The topics, whose segments are of seconds."""
    with KafkaAdminClient(**kafka_python_options(operation)) as admin:
        admin.create_topics(
            {
                operation.topic(topic): {
                    "num_partitions": operation.partitions,
                    "replication_factor": 1,
                    "configs": {**topic.config, **short},
                }
                for topic, short in SHORT.items()
            }
        )
        admin.wait_for_topics([operation.topic(topic) for topic in SHORT])
    ensure_topics(operation)


def holding(folder: Path, *texts: str, prefix: str = "") -> list[str]:
    """Files below a folder, in whose path ``prefix`` stands, whose bytes have one of these texts."""
    found = []
    for path in folder.rglob("*"):
        if prefix in str(path.relative_to(folder)) and path.is_file():
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                continue
            found += [f"{path.relative_to(folder)}: {text}" for text in texts if text.encode() in raw]
    return found


def test_a_customer_forgotten_while_workers_run(
    kafka: Any, redis_server: Any, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(kafka, GivenService) or isinstance(redis_server, GivenService):
        lacking("brokers whose files can be searched: unset DESKPULSE_TEST_BROKER and DESKPULSE_TEST_REDIS")
    operation = settings.model_copy(
        update={"policy_file": policy_file(tmp_path, time_zone="UTC", max_customer_contacts_per_day=3)}
    )
    made(operation)
    theirs = [
        *call(WHO, "c1", NINE),
        e.TicketCreated(id="1", time=NINE, source="s", contact_id="t1", customer_id=WHO, queue_id="q"),
        e.TicketPending(id="2", time=NINE, source="s", contact_id="t1", customer_id=WHO, reason=SAID),
        *[replace(event, customer_id=None) if event.id == "2" else event for event in call(WHO, "c2", NINE, "partly")],  # type: ignore[call-arg]
        *[event for n in range(6) for event in call(LINE, f"l{n}", NINE + timedelta(minutes=n))],
    ]
    late: list[AnyEvent] = [
        e.CallRated(
            id="3", time=NINE + timedelta(hours=1), source="s", contact_id="c1", customer_id=WHO, score=5, scale="1-5"
        ),
        e.CallRated(id="4", time=NINE + timedelta(hours=1), source="partly", contact_id="c2", score=2, scale="1-5"),
    ]
    again = call(WHO, "c9", NINE + timedelta(days=1))
    rounds = others(NINE + timedelta(minutes=1))
    sent = [*theirs, *next(rounds)]
    redis = Redis.from_url(operation.redis)
    redis.config_set("rdbcompression", "no")  # so that bytes can be searched
    with worker(operation):
        send(operation, sent)
        with KafkaProducer(**kafka_python_options(operation)) as producer:
            for key in ("before", WHO, "behind"):
                value = b'{"type": "call.nonsense", "customer_id": "%s"}' % key.encode()
                producer.send(operation.topic(topics.CALLS), key=key.encode(), value=value, partition=0)
        settled(operation)
        assert {WHO, LINE} <= stored_customers(operation, "state-customers").keys()
        shared = operation.redis_key(redis_keys.SHARED)
        until = time.monotonic() + 20
        while not redis.hexists(shared, LINE) and time.monotonic() < until:
            time.sleep(0.2)
        assert redis.hexists(shared, LINE)
        redis.save()
        assert holding(redis_server.directory, LINE)
        before = facts(operation)
        _of_one_long_ago(operation)

        _broken_off(operation, monkeypatch)
        run_cli(operation, "archive", "--once")
        said = run_cli(operation, "customer", "forget", WHO, LINE, "unknown1", "--yes")
        assert f"{WHO}: 3 contacts" in said
        assert "unknown1: the workers keep nothing of them" in said
        assert "1 letters that named them taken out" in said
        assert f"{operation.prefix}contact-records: 1 records of older contacts name nobody now" in said
        assert f"archive {tmp_path / 'archive'}: " in said
        archived = [
            row for path in (tmp_path / "archive").rglob("*.parquet") for row in rows(path.read_bytes(), "key", "value")
        ]
        assert len(archived) > len(sent)
        assert not any(text in repr(row) for row in archived for text in (WHO, LINE, SAID))
        for topic in ("calls", "chats", "tickets"):
            assert f"{operation.prefix}{topic}: events that name them: until " in said
        assert facts(operation) == before
        letters = messages(operation, "dead-letters")
        assert sorted(letter.key for letter in letters) == [b"before", b"behind"]

        send(operation, [*late, *theirs])  # what comes later of the same contacts, and all once more
        sent += late
        deadline = time.monotonic() + 240
        while (left := _left(operation, kafka.directory)) and time.monotonic() < deadline:
            some = next(rounds)
            send(operation, some)
            sent += some
            # Nothing else goes by `rekeyed` here, and a segment is closed when something is written: so it is by a request of another day.
            run_cli(operation, "customer", "forget", "unknown1", "--yes")
            time.sleep(1)
        assert not left
        redis.save()
        assert not holding(redis_server.directory, WHO, LINE, SAID)
        assert not holding(tmp_path, WHO, LINE, SAID)
        assert holding(kafka.directory, WHO, prefix=f"{operation.prefix}calls-")  # events go by their age only

        send(operation, again)
        settled(operation)
        stored = stored_customers(operation, "state-customers")
        assert list(stored[WHO].contacts) == ["calls:c9"]
        nameless = sorted(key for one, each in stored.items() if is_nameless(one) for key in each.contacts)
        assert [key for key in nameless if not key.startswith("calls:l")] == ["calls:c1", "calls:c2", "tickets:t1"]
    result = CliRunner().invoke(app, ["customer", "forget", WHO, "--yes", "--wait", "1"], env=environment(operation))
    assert result.exit_code == 1
    assert "the workers have been asked, and have not done it yet" in result.output
    oracle = [replace(event, customer_id="somebody else") for event in again]  # type: ignore[call-arg]
    told = [replace(event, customer_id=WHO) if getattr(event, "contact_id", "") == "c2" else event for event in sent]  # type: ignore[call-arg]
    right = run([encode(event) for event in [*told, *oracle]], operation.policy)
    assert not differences(facts(operation), {fact.key: fact.sums for fact in right.daily_facts() if fact.sums})


def _of_one_long_ago(operation: Settings) -> None:
    """The record of a contact that no worker knows any more."""
    record = ContactRecord(
        format=1, version=3, channel="calls", contact_id="c0", customer_id=WHO, date=date(2026, 1, 5), arrived_at=0, heard_at=0, counts={}
    )  # fmt: skip
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        key, number = (
            record_key("calls:c0", record.date.toordinal(), WHO),
            partition_of(WHO.encode(), operation.partitions),
        )
        producer.send(
            operation.topic(topics.CONTACT_RECORDS),
            key=key.encode(),
            value=msgspec.json.encode(record),
            partition=number,
        )


def _broken_off(operation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies when it has written the other letters again, and before it takes any out."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "delete_before", die)
        with pytest.raises(KeyboardInterrupt):
            erasure.clean_dead_letters(operation, erasure.Mentions([WHO]))
    assert len(messages(operation, "dead-letters")) == 4  # one of the others stands twice for now


def _left(operation: Settings, folder: Path) -> list[str]:
    """Where Kafka still has bytes of them, but for topics of events."""
    events = tuple(f"{operation.prefix}{topic.name}-" for topic in topics.CONTACT_TOPICS)
    found = holding(folder, WHO, LINE, SAID, prefix=operation.prefix)
    return [each for each in found if not any(event in each for event in events)]
