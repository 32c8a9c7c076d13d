"""Refused messages come back exactly once, whoever brings them back how often and whatever dies meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.decode import Rejected, encode
from streams.contracts.events import AnyEvent
from streams.kafka.connection import kafka_python_options
from streams.kafka.reading import ends
from streams.settings import Settings, environment
from streams.worker.dead_letters import dead_letter
from tests.support.operation import facts, http_get, messages, run_cli, send, settled, worker

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def calls(count: int, source: str = "pbx", after: timedelta = timedelta()) -> list[AnyEvent]:
    return [
        e.CallQueued(
            id=f"{source}-{n}",
            source=source,
            time=NINE + after + timedelta(seconds=n),
            contact_id=f"{source}-c{n}",
            customer_id=f"k{n}",
            queue_id="hotline",
        )
        for n in range(count)
    ]


def put(settings: Settings, topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> Any:
    """A message on a topic; gives where it stands."""
    with KafkaProducer(
        **kafka_python_options(settings), compression_type="gzip", max_request_size=64_000_000
    ) as producer:
        return producer.send(settings.prefix + topic, key=key, value=value, partition=partition).get(60)


class Read:
    """A record as a worker reads it."""

    def __init__(self, key: bytes | None, value: bytes | None, offset: int) -> None:
        self.key, self.value, self.offset, self.headers = key, value, offset, ()


def letters_of(settings: Settings, topic: str, why: str, values: list[bytes], partition: int = 0) -> list[int]:
    """Messages that were refused, as a worker writes their letters; gives their offsets."""
    offsets = []
    with KafkaProducer(
        **kafka_python_options(settings), compression_type="gzip", max_request_size=64_000_000
    ) as producer:
        name = settings.prefix + topic
        sent = [(value, producer.send(name, key=b"k", value=value, partition=partition)) for value in values]
        producer.flush()
        for value, future in sent:
            offset = future.get(20).offset
            offsets.append(offset)
            key, head, headers = dead_letter((name, partition), Read(b"k", value, offset), Rejected(why, "made up"))
            producer.send(settings.prefix + "dead-letters", key=key, value=head, headers=headers, partition=partition)
    return offsets


def cli(settings: Settings, *arguments: str, say: str | None = None) -> Result:
    return CliRunner().invoke(app, ["dead-letters", *arguments], env=environment(settings), input=say)


def groups(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run_cli(settings, "dead-letters", "list", "--json", *arguments))
    return found


def how_often(settings: Settings, topic: str = "calls") -> Counter[bytes | None]:
    return Counter(record.value for record in messages(settings, topic))


def test_after_a_policy_was_mended_all_of_a_day_comes_back_once(operation: Settings, tmp_path: Path) -> None:
    """A policy that begins a day too late refuses a day; mended, the day comes back, and the figures are those of no mistake."""
    wrong, right = tmp_path / "wrong.yaml", tmp_path / "right.yaml"
    wrong.write_text("versions:\n- {version: a, time_zone: UTC, valid_from: 2026-03-03}\n", encoding="utf-8")
    right.write_text("versions:\n- {version: a, time_zone: UTC, valid_from: 2026-03-01}\n", encoding="utf-8")
    events = calls(60)
    broken = operation.model_copy(update={"policy_file": wrong})
    with worker(broken) as metrics:
        send(broken, events)
        put(operation, "calls", b"not json")
        settled(broken)
        exported = http_get(metrics).text
        for line in (
            'dead_letters_total{reason="not_covered",source="pbx"} 60.0',
            'dead_letters_total{reason="not_json",source="unknown"} 1.0',
            'source_events_total{source="pbx"} 60.0',
            'source_events_total{source="unknown"} 1.0',
        ):
            assert f"deskpulse_{line}" in exported
    assert facts(operation) == {}
    assert [(g["reason"], g["source"], g["letters"], g["replayed"]) for g in groups(operation)] == [
        ("not_covered", "pbx", 60, 0),
        ("not_json", "", 1, 0),
    ]
    mended = operation.model_copy(update={"policy_file": right})
    with worker(mended) as metrics:
        said = run_cli(mended, "dead-letters", "replay", "--reason", "not_covered", "--yes")
        assert said == "60 brought back\n"
        assert "nothing to bring back\n60 brought back before" in run_cli(
            mended, "dead-letters", "replay", "--reason", "not_covered", "--yes"
        )
        settled(mended)
        exported = http_get(metrics).text
        assert 'deskpulse_source_events_total{source="pbx"} 60.0' in exported
        assert "dead_letters_total{reason=" not in exported
        (day,) = [sums for key, sums in facts(mended).items() if key.startswith("all|")]
        assert day["calls_offered"] == 60
        assert how_often(mended) == {encode(event): 2 for event in events} | {b"not json": 1}
        # What is refused again is a letter again, and says whose.
        run_cli(mended, "dead-letters", "replay", "--yes")
        settled(mended)
    again = [letter for letter in messages(operation, "dead-letters") if letter.value == b"not json"]
    first, second = (dict(letter.headers) for letter in again)
    place = "/".join(first[name].decode() for name in ("topic", "partition", "offset"))
    assert (second["replay-origin"].decode(), second["replay-count"]) == (place, b"1")
    assert "replay-origin" not in first
    (group,) = groups(operation, "--reason", "not_json")
    assert (group["letters"], group["replayed"], group["again"]) == (2, 1, 1)
    shown = run_cli(operation, "dead-letters", "show", group["last_place"])
    assert f"it stood at {place} first" in shown
    assert "can be brought back" in shown
    assert "replayed " in run_cli(operation, "dead-letters", "show", place)


def test_it_asks_first_and_does_nothing_unless_told(operation: Settings) -> None:
    values = [encode(event) for event in calls(3)]
    letters_of(operation, "calls", "failed", values)
    for answer in ("n\n", ""):
        result = cli(operation, "replay", say=answer)
        assert result.exit_code == 1
        assert "to be brought back: 3" in result.output
    assert how_often(operation) == dict.fromkeys(values, 1)
    result = cli(operation, "replay", say="y\n")
    assert (result.exit_code, "3 brought back" in result.output) == (0, True)
    assert how_often(operation) == dict.fromkeys(values, 2)


def test_two_letters_of_one_message_bring_it_back_once(operation: Settings) -> None:
    value = encode(calls(1)[0])
    (offset,) = letters_of(operation, "calls", "failed", [value])
    name = operation.prefix + "calls"
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        key, head, headers = dead_letter((name, 0), Read(b"k", value, offset), Rejected("failed", "again"))
        producer.send(operation.prefix + "dead-letters", key=key, value=head, headers=headers, partition=0)
    assert run_cli(operation, "dead-letters", "replay", "--yes") == "1 brought back\n1 brought back before: not again\n"
    assert how_often(operation) == {value: 2}


def test_a_run_that_dies_in_its_transaction_is_as_if_it_had_never_begun(operation: Settings) -> None:
    values = [encode(event) for event in calls(5)]
    letters_of(operation, "calls", "failed", values)
    dead = KafkaProducer(
        **kafka_python_options(operation), acks="all", transactional_id=f"{operation.group}-dead-letters"
    )
    dead.init_transactions()
    dead.begin_transaction()
    for value in values[:2]:
        dead.send(operation.prefix + "calls", key=b"k", value=value, partition=0)
    dead.flush()  # and there it dies: neither notes nor a commit
    begun = time.monotonic()
    assert run_cli(operation, "dead-letters", "replay", "--yes") == "5 brought back\n"
    assert time.monotonic() - begun < 40, "it waited for the minute after which Kafka itself rolls back"
    assert how_often(operation) == dict.fromkeys(values, 2)
    with pytest.raises(Exception, match=r"(?i)fenced|epoch"):
        dead.commit_transaction()
    dead.close(timeout=1)
    assert how_often(operation) == dict.fromkeys(values, 2)


def test_killed_in_the_middle_it_goes_on_where_it_was(operation: Settings) -> None:
    values = [encode(event) for event in calls(3_000)]
    letters_of(operation, "calls", "failed", values)
    for wanted in (1, 1_200):
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "dead-letters", "replay", "--yes"],
            env=environment(operation),
            stdout=subprocess.DEVNULL,
        )
        while (
            sum(ends(operation, operation.prefix + "calls").values()) < len(values) + wanted and process.poll() is None
        ):
            time.sleep(0.01)
        assert process.poll() is None, "it was too fast to be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    run_cli(operation, "dead-letters", "replay", "--yes")
    assert how_often(operation) == dict.fromkeys(values, 2)
    (group,) = groups(operation)
    assert (group["letters"], group["replayed"]) == (3_000, 3_000)


def test_what_is_longer_than_its_letter_is_taken_whole_or_said_to_be_gone(operation: Settings) -> None:
    """Long, under a long key, of a topic that was made anew, of another message in its place, compressed to a thousandth."""
    long = b'{"type":"call.queued","note":"%b"}'
    values = [long % (bytes([letter]) * size) for letter, size in ((97, 70_000), (98, 900_000), (99, 20_000_000))]
    letters_of(operation, "calls", "too_large", values)
    kept = letters_of(operation, "chats", "too_large", [values[0]])
    letters_of(operation, "tickets", "too_large", [values[1]])
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        key, value = b"y" * 5_000, b"short"
        offset = producer.send(operation.prefix + "calls", key=key, value=value, partition=1).get(20).offset
        letter = dead_letter((operation.prefix + "calls", 1), Read(key, value, offset), Rejected("not_json", ""))
        producer.send(operation.prefix + "dead-letters", key=letter[0], value=letter[1], headers=letter[2], partition=1)
    admin = KafkaAdminClient(**kafka_python_options(operation))
    for topic, partitions in (("chats", 4), ("tickets", 0)):
        admin.delete_topics([operation.prefix + topic])
        time.sleep(1)
        if partitions:
            admin.create_topics([NewTopic(operation.prefix + topic, partitions, 1)])
            time.sleep(1)
    admin.close()
    letters_of(operation, "agents", "too_large", values[:2])
    admin = KafkaAdminClient(**kafka_python_options(operation))
    admin.delete_records({TopicPartition(operation.prefix + "agents", 0): 1})  # as retention does
    admin.close()
    put(operation, "chats", values[1])  # stands where the refused one did
    assert kept == [0]
    assert run_cli(operation, "dead-letters", "show", "tickets/0/0").count("cannot be brought back") == 1
    said = run_cli(operation, "dead-letters", "replay", "--yes")
    assert said.splitlines()[0] == "5 brought back"
    assert said.splitlines()[1].startswith(
        "3 longer than their dead letter, or of a partition that is no more, and gone"
    )
    assert how_often(operation) == dict.fromkeys(values, 2) | {b"short": 2}
    assert Counter(record.key for record in messages(operation, "calls") if record.partition == 1) == {key: 2}
    assert how_often(operation, "chats") == {values[1]: 1}
    assert how_often(operation, "agents") == {values[1]: 2}


def test_a_message_that_its_topic_takes_no_more_keeps_no_other(operation: Settings) -> None:
    long = b"".join(b"%06x" % (n * 7919 % 16_777_216) for n in range(100_000))
    values = [b"a", long, b"b"]
    letters_of(operation, "calls", "too_large", values)
    admin = KafkaAdminClient(**kafka_python_options(operation))
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, operation.prefix + "calls", {"max.message.bytes": "50000"})]
    )
    admin.close()
    said = run_cli(operation, "dead-letters", "replay", "--yes")
    assert said == "2 brought back\n1 longer than their topic takes: left where they are\n"
    assert how_often(operation) == {b"a": 2, long: 1, b"b": 2}


def test_what_is_too_late_or_none_of_ours_stays_and_says_why(operation: Settings) -> None:
    value = encode(calls(1)[0])
    letters_of(operation, "calls", "too_late", [value] * 2)
    letters_of(operation, "contributions", "internal", [b"x"])
    put(operation, "dead-letters", b"somebody's", key=None)
    said = run_cli(operation, "dead-letters", "replay", "--yes")
    assert "nothing to bring back" in said
    assert "2 too late, then or by now: left where they are" in said
    assert "recompute" in said
    assert "2 not of a topic of events" in said
    assert how_often(operation) == {value: 2}
    assert [(g["reason"], g["topic"].removeprefix(operation.prefix), g["letters"]) for g in groups(operation)] == [
        ("too_late", "calls", 2),
        ("internal", "contributions", 1),
        ("unknown", "", 1),
    ]


def test_what_has_become_too_late_meanwhile_stays_and_is_not_refused_again(operation: Settings) -> None:
    """Refused for another reason then; the operation has come four days further since, one partition only one day."""
    values = [encode(event) for event in calls(2)]
    letters_of(operation, "calls", "failed", values[:1])
    letters_of(operation, "calls", "failed", values[1:], partition=1)
    with KafkaProducer(**kafka_python_options(operation)) as producer:
        for partition, days in ((0, 4), (1, 1)):
            for event in calls(2, f"later-{partition}", timedelta(days=days)):
                producer.send(f"{operation.prefix}calls", key=b"k", value=encode(event), partition=partition)
    result = cli(operation, "replay", say="n\n")
    assert "to be brought back: 1\n1 too late, then or by now" in result.output
    with worker(operation):
        settled(operation)
        said = run_cli(operation, "dead-letters", "replay", "--yes")
        assert said.startswith("1 brought back\n1 too late, then or by now")
        settled(operation)
    assert how_often(operation)[values[0]] == 1
    assert how_often(operation)[values[1]] == 2
    assert len([one for one in messages(operation, "dead-letters") if dict(one.headers).get("reason")]) == 2


def test_it_says_what_will_be_refused_again(operation: Settings) -> None:
    letters_of(operation, "calls", "unknown_type", [b'{"type": "call.sung"}', encode(calls(1)[0])])
    letters_of(operation, "agents", "wrong_type", [encode(calls(1)[0]), b"x"])
    assert (
        "of these, this version refuses 3 again as they are: not_json 1, unknown_type 2"
        in cli(operation, "replay").output
    )


def test_two_runs_at_once_bring_each_message_back_once(operation: Settings) -> None:
    values = [encode(event) for event in calls(2_000)]
    letters_of(operation, "calls", "failed", values)
    command = [sys.executable, "-m", "streams", "dead-letters", "replay", "--yes"]
    both = [
        subprocess.Popen(
            command, env=environment(operation), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    for process, words in zip(both, said, strict=True):
        assert process.returncode == 0 or "another replay of dead letters took over" in words, words
    run_cli(operation, "dead-letters", "replay", "--yes")
    assert how_often(operation) == dict.fromkeys(values, 2)


def test_letters_are_found_by_reason_source_topic_and_time(operation: Settings) -> None:
    letters_of(operation, "calls", "failed", [encode(event) for event in calls(3, "pbx")])
    letters_of(operation, "calls", "failed", [encode(event) for event in calls(2, "bot")], partition=1)
    letters_of(operation, "chats", "wrong_type", [b'{"source": "bot"}', b'{"source": 7}', b"\xff"], partition=2)
    whole = [("failed", "pbx", 3), ("failed", "bot", 2), ("wrong_type", "", 2), ("wrong_type", "bot", 1)]

    def found(*arguments: str) -> list[tuple[str, str, int]]:
        return [(group["reason"], group["source"], group["letters"]) for group in groups(operation, *arguments)]

    today = datetime.fromtimestamp(messages(operation, "dead-letters")[0].timestamp / 1000, UTC)
    yesterday, tomorrow = (today + timedelta(days=days) for days in (-1, 1))
    for arguments, those in (
        ((), whole),
        (("--reason", "failed"), whole[:2]),
        (("--reason", "failed", "--reason", "wrong_type", "--source", "bot"), [whole[1], whole[3]]),
        (("--topic", "chats"), whole[2:]),
        (("--topic", f"{operation.prefix}chats", "--source", ""), whole[2:3]),
        (("--since", yesterday.isoformat()), whole),
        (("--since", f"{today:%Y-%m-%d}", "--until", f"{today:%Y-%m-%d}"), whole),
        (("--since", tomorrow.isoformat()), []),
        (("--until", f"{yesterday:%Y-%m-%d}"), []),
    ):
        assert found(*arguments) == those, arguments
    table = run_cli(operation, "dead-letters", "list")
    assert "wrong_type" in table
    assert f"{operation.prefix}chats/2/" in table
    assert run_cli(operation, "dead-letters", "list", "--topic", "agents") == "no dead letters of that kind\n"
    place = f"{operation.prefix}calls/1/1"
    assert run_cli(operation, "dead-letters", "replay", place, "--yes") == "1 brought back\n"
    for arguments, said in (
        (("list", "--reason", "odd"), "there is no reason 'odd'"),
        (("list", "--since", "soon"), "--since 'soon' is no time"),
        (("show", "calls/1"), "'calls/1' is no place"),
        (("show", "calls/1/99"), "no dead letter is of"),
        (("replay", "calls/3/1", "--yes"), "no dead letters of that kind"),
    ):
        result = cli(operation, *arguments)
        assert (result.exit_code, said in result.output) == (1, True), result.output


def test_no_broker_and_no_topic_are_said(operation: Settings) -> None:
    for given, said in (
        ({"broker": "127.0.0.1:9"}, "does not answer"),
        ({"prefix": "nobody."}, "has no topic nobody.dead-letters"),
    ):
        result = cli(operation.model_copy(update=given), "list")
        assert (result.exit_code, said in result.output) == (1, True), result.output
