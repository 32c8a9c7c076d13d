"""Amazon Connect from Kinesis and S3: the same events whichever way, in whatever order and however often its records come."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.sources.connect import follow, kinesis
from streams.sources.connect.files import Bucket
from streams.sources.connect.follow import Follower
from streams.sources.connect.kinesis import Stream
from streams.sources.connect.names import Config
from streams.sources.connect.place import Place
from streams.sources.connect.told import Records
from streams.sources.live.health import Health
from streams.sources.producer import SendError
from streams.sources.vendors.amazon_connect import AmazonConnect
from tests.support.desk import run_events, sums
from tests.unit.streams.sources.test_asterisk import HASH, Broker
from tests.unit.streams.sources.test_vendors import ARN, at, contact

REGION, STREAM, BUCKET = "eu-central-1", "connect", "connect-records"
#: 2026-03-02 10:00 UTC, in ms.
NOW = 1_772_445_600_000
MEASURES = (
    *("calls_offered", "calls_answered", "calls_handled", "calls_abandoned", "calls_flowed_out", "calls_transferred"),
    *("wait_seconds", "talk_seconds", "hold_seconds", "wrap_up_seconds"),
)


# -- versions ----------------------------------------------------------------------------------------------------------


def versions() -> list[dict[str, Any]]:
    """Contacts, most of them told again when something had changed: work after the call, an agent who was not known, a time put right."""
    agent = contact()["Agent"]
    told: list[dict[str, Any]] = []
    for number in range(40):
        who = {
            "ContactId": f"k{number}",
            "CustomerEndpoint": {"Address": f"+4420794600{number:02}", "Type": "TELEPHONE_NUMBER"},
        }
        working = {**agent, "AfterContactWorkDuration": None}
        told.append(contact(**who, Agent=working, LastUpdateTimestamp=at("09:02:25")))
        match number % 4:
            case 0:
                told.append(contact(**who, LastUpdateTimestamp=at("09:03:05")))
            case 1:
                later = {**agent, "ConnectedToAgentTimestamp": at("09:00:45"), "AgentInteractionDuration": 90}
                told.append(contact(**who, Agent=later, LastUpdateTimestamp=at("09:04:00")))
                told.append(
                    contact(**who, Agent={**later, "CustomerHoldDuration": 9}, LastUpdateTimestamp=at("09:05:00"))
                )
            case 2:
                gone = {"Agent": None, "DisconnectReason": "CUSTOMER_DISCONNECT"}
                told.append(contact(**who, **gone, LastUpdateTimestamp=at("09:06:00")))
    return told


def newest(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {
        record["ContactId"]: record for record in sorted(records, key=lambda record: record["LastUpdateTimestamp"])
    }
    return list(found.values())


def measured(events: Sequence[AnyEvent]) -> dict[str, int]:
    result = run_events(list(events))
    assert result.rejected == []
    have = sums(result, "queue|cards")
    return {name: have.get(name, 0) for name in MEASURES}


def told_by(place: Place, records: Sequence[dict[str, Any]]) -> list[AnyEvent]:
    read = Records(AmazonConnect(HASH), place, 0)
    return [event for record in records for event in read(record) or ()]


@pytest.mark.parametrize("seed", range(6))
def test_versions_in_any_order_and_twice_come_to_what_the_newest_says(tmp_path: Path, seed: int) -> None:
    records = versions()
    right = measured(told_by(Place(tmp_path / "right"), newest(records)))
    assert right["calls_abandoned"] == 10
    assert right["hold_seconds"] == 5000 * 20 + 9000 * 10
    come = records * 2
    random.Random(seed).shuffle(come)
    told = told_by(Place(tmp_path / "place"), come)
    assert measured(told) == right
    ids = [event.id for event in told if isinstance(event, e.ContactEvent) and event.contact_id == "k1"]
    assert len(ids) == len(set(ids))


def test_what_was_told_is_known_after_a_restart_and_not_where_it_was_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "place"
    first, second = Place(path), contact(LastUpdateTimestamp=at("09:03:00"))
    with pytest.raises(ValueError, match="is missing"), first.at_once():
        told_by(first, [second, contact(ContactId="k2", Channel=None)])
    with first.at_once():
        assert len(told_by(first, [second])) == 4
    first.close()
    assert told_by(Place(path), [second]) == []


def test_a_heartbeat_tells_of_whom_nothing_was_told(tmp_path: Path) -> None:
    status = {"Name": "Lunch", "StartTimestamp": at("08:30:00"), "ARN": "x"}
    beat = {
        "AgentARN": f"{ARN}/agent/anna",
        "EventId": "e1",
        "EventType": "HEART_BEAT",
        "EventTimestamp": at("09:00:00"),
        "CurrentAgentSnapshot": {"AgentStatus": status, "Contacts": []},
    }
    place = Place(tmp_path / "place")
    (event,) = told_by(place, [beat, beat])
    assert isinstance(event, e.AgentStateChanged)
    assert (event.state, event.reason, event.agent_id) == ("away", "Lunch", "anna")
    assert event.time.isoformat() == "2026-03-02T08:30:00+00:00"


# -- Kinesis and S3 ----------------------------------------------------------------------------------------------------


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(follow, "_AGAIN_SECONDS", 0.0)
    with mock_aws():
        kinesis, s3 = boto3.client("kinesis", region_name=REGION), boto3.client("s3", region_name=REGION)
        kinesis.create_stream(StreamName=STREAM, ShardCount=2)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield kinesis, s3


def put(kinesis: Any, records: Sequence[dict[str, Any]]) -> None:
    for record in records:
        kinesis.put_record(StreamName=STREAM, Data=json.dumps(record).encode(), PartitionKey=record["ContactId"])


class Rounds(Event):
    """Ends after so many looks that found nothing."""

    def __init__(self, count: int = 1) -> None:
        super().__init__()
        self._left = count

    def wait(self, timeout: float | None = None) -> bool:
        self._left -= timeout != 0  # 0: what could not be had is tried again
        if self._left <= 0:
            self.set()
        return self.is_set()


def followed(tmp_path: Path, aws: tuple[Any, Any], broker: Broker, stop: Event | None = None, **config: Any) -> Health:
    health = Health("amazon-connect")
    made = Config.model_validate({"system": "connect", "aws_region": REGION, **config})
    Follower(made, HASH, tmp_path / "var", lambda: broker, 0, health, aws, lambda: NOW).run(stop or Rounds())
    return health


def test_kinesis_and_files_tell_the_same_once(tmp_path: Path, aws: tuple[Any, Any]) -> None:
    kinesis, s3 = aws
    records, chance = versions(), random.Random(3)
    right = measured(told_by(Place(tmp_path / "right"), newest(records)))
    come = list(records)
    chance.shuffle(come)
    put(kinesis, come)
    for number in range(0, len(come), 9):
        part = "".join(json.dumps(record) for record in come[number : number + 9]).encode()
        key = f"records/2026/03/02/{9 + number // 30:02}/delivery-{number}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(part) if number % 2 else part)
    only = {"streams": {"streams": [STREAM]}, "files": {"files": [f"s3://{BUCKET}/records/"]}}
    for name, config in (*only.items(), ("both", {**only["streams"], **only["files"]})):
        broker = Broker()
        health = followed(tmp_path / name, aws, broker, **config)
        assert measured(broker.kept) == right, name
        assert health.ready()
        again = Broker()
        followed(tmp_path / name, aws, again, **config)
        assert again.kept == []


def test_shards_that_split_are_read_in_order_and_a_file_that_comes_late_is_found(
    tmp_path: Path, aws: tuple[Any, Any]
) -> None:
    kinesis, s3 = aws
    config = {"streams": [STREAM], "files": [f"s3://{BUCKET}/r/"]}
    records, broker = versions(), Broker()
    put(kinesis, records[:40])
    followed(tmp_path, aws, broker, **config)
    shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]
    low, high = (int(shard["HashKeyRange"][name]) for name in ("StartingHashKey", "EndingHashKey"))
    kinesis.split_shard(StreamName=STREAM, ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
    put(kinesis, records[40:-5])
    s3.put_object(Bucket=BUCKET, Key="r/2026/03/02/10/b", Body=json.dumps(records[-5]).encode())
    followed(tmp_path, aws, broker, Rounds(3), **config)
    late = "\n".join(map(json.dumps, records[-4:]))
    s3.put_object(Bucket=BUCKET, Key="r/2026/03/02/08/a", Body=late.encode())
    followed(tmp_path, aws, broker, Rounds(3), **config)
    assert measured(broker.kept) == measured(told_by(Place(tmp_path / "right"), newest(records)))


def test_killed_at_any_batch_nothing_is_lost_or_doubled(
    tmp_path: Path, aws: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinesis, "_AT_ONCE", 7)
    put(aws[0], versions())
    broker, chance, kills = Broker(), random.Random(5), 0
    over = False
    while not over:
        broker.fails = [KeyboardInterrupt(), *(chance.choice([None, SendError("away; later")]) for _ in range(3))]
        try:
            followed(tmp_path, aws, broker, streams=[STREAM])
            over = True
        except KeyboardInterrupt:
            kills += 1
    assert kills > 2
    once = {(event.key, event.id): event for event in broker.kept}
    assert len(once) < len(broker.kept)
    assert measured(list(once.values())) == measured(told_by(Place(tmp_path / "right"), newest(versions())))


class Moody:
    """A client that fails as AWS does."""

    def __init__(self, client: Any, *codes: str) -> None:
        self._client, self._codes = client, list(codes)

    def get_records(self, **asked: Any) -> Any:
        if self._codes and (code := self._codes.pop(0)):
            raise ClientError({"Error": {"Code": code, "Message": "x"}}, "GetRecords")
        return self._client.get_records(**asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.mark.parametrize("code", ["ExpiredIteratorException", "ProvisionedThroughputExceededException"])
def test_what_aws_asks_to_try_again_is_tried_again(aws: tuple[Any, Any], code: str) -> None:
    put(aws[0], versions()[:4])
    stream = Stream(Moody(aws[0], code), STREAM, 0)
    found: list[bytes] = []
    for _ in range(2):
        for shard in stream.due({}, stream.shards()):
            batch = stream.read(shard, None)
            found += [] if batch is None else batch.records
    assert len(found) == 4
    assert stream.throttled == (code != "ExpiredIteratorException")


def test_what_it_may_not_do_is_said(aws: tuple[Any, Any]) -> None:
    stream = Stream(Moody(aws[0], "AccessDeniedException"), STREAM, 0)
    with pytest.raises(ClientError, match="AccessDenied"):
        stream.read(next(iter(stream.shards())), None)


def test_what_cannot_be_read_is_kept_and_stops_nothing(tmp_path: Path, aws: tuple[Any, Any]) -> None:
    good = json.dumps(contact())
    aws[1].put_object(
        Bucket=BUCKET, Key="r/2026/03/02/09/a", Body=f'{good}\n{{"ContactId": 3\n{{"Details": {{}}}}'.encode()
    )
    aws[1].put_object(Bucket=BUCKET, Key="r/2026/03/02/09/b", Body=gzip.compress(good.encode())[:-9])
    aws[1].put_object(Bucket=BUCKET, Key="r/2026/03/02/09/c", Body=b"")
    broker = Broker()
    health = followed(tmp_path, aws, broker, files=[f"s3://{BUCKET}/r/"])
    assert len(broker.kept) == 4
    kept = tmp_path / "var/amazon-connect.refused"
    assert kept.stat().st_mode & 0o077 == 0
    reasons = [each["reason"] for each in health.told()["refused"]]
    assert any("no JSON" in reason for reason in reasons)
    assert any("damaged" in reason for reason in reasons)


def test_files_are_listed_from_their_hour_on(aws: tuple[Any, Any]) -> None:
    for key in ("r/2026/03/01/05/a", "r/2026/03/02/09/b", "r/year=2026/month=03/day=02/hour=09/c"):
        aws[1].put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    asked: list[str] = []

    class Seen:
        def get_paginator(self, name: str) -> Any:
            real = aws[1].get_paginator(name)

            class Pages:
                def paginate(self, **given: Any) -> Any:
                    asked.append(given["StartAfter"])
                    return real.paginate(**given)

            return Pages()

    found = Bucket(Seen(), f"s3://{BUCKET}/r/").list(NOW - 3_600_000)
    assert [file.key for file in found] == ["r/2026/03/02/09/b", "r/year=2026/month=03/day=02/hour=09/c"]
    assert asked == ["r/2026/03/02/09", "r/year=2026/month=03/day=02/hour=09"]


# -- files and commands ------------------------------------------------------------------------------------------------


def test_the_example_is_a_file_and_check_says_what_is_there(tmp_path: Path, aws: tuple[Any, Any]) -> None:
    run = CliRunner().invoke
    file = tmp_path / "connect.yaml"
    file.write_text(run(app, ["source", "example", "connect"]).output)
    assert "streams and files are both empty" in run(app, ["source", "check", str(file)]).output
    put(aws[0], versions()[:6])
    file.write_text(f"system: connect\naws_region: {REGION}\nstreams: [{STREAM}]\nfiles: ['s3://{BUCKET}/r/']\n")
    said = run(app, ["source", "check", str(file)], env={"DESKPULSE_PSEUDONYM_KEY": "key"}).output
    assert "connect: 2 shards" in said
    assert "call.answered" in said
    assert "  anna: anna" in said
    file.write_text(f"system: connect\naws_region: {REGION}\nstreams: [other]\n")
    wrong = run(app, ["source", "check", str(file)], env={"DESKPULSE_PSEUDONYM_KEY": "key"})
    assert wrong.exit_code != 0
    assert "ResourceNotFoundException" in wrong.output
