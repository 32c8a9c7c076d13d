"""Amazon Connect through a real Kafka: Kinesis and S3 by a stand-in for AWS, followed, killed, and equal to the newest records."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from deploy.local.ports import free_port
from streams.settings import Settings
from streams.sources.connect.place import Place
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.support.operation import PATIENCE_SECONDS, answers, facts, http_get, program, settled, worker
from tests.unit.streams.sources.test_connect import MEASURES, REGION, measured, newest, told_by, versions

pytestmark = [pytest.mark.services, pytest.mark.timeout(1200)]
DAY = "2026-03-02"


def test_records_from_both_places_count_once(
    operation: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "key")
    aws = ThreadedMotoServer(port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    kinesis, s3 = (boto3.client(name, region_name=REGION, endpoint_url=endpoint) for name in ("kinesis", "s3"))
    kinesis.create_stream(StreamName="records", ShardCount=2)
    s3.create_bucket(Bucket="connect", CreateBucketConfiguration={"LocationConstraint": REGION})
    records = versions()
    random.Random(9).shuffle(records)
    file = tmp_path / "connect.yaml"
    file.write_text(
        f"system: connect\naws_region: {REGION}\nendpoint: {endpoint}\nstreams: [records]\nfiles: ['s3://connect/r/']\n"
    )
    right = measured(told_by(Place(tmp_path / "right"), newest(records)))

    def differing() -> dict[str, tuple[int, int]]:
        settled(operation)
        sums = facts(operation, "queue").get(f"queue|cards|{DAY}", {})
        return {name: (right[name], sums.get(name, 0)) for name in MEASURES if sums.get(name, 0) != right[name]}

    try:
        with worker(operation):
            for run in range(3):
                part = records[run::3]
                for record in part:
                    kinesis.put_record(
                        StreamName="records", Data=json.dumps(record).encode(), PartitionKey=record["ContactId"]
                    )
                hour = instant(machine_ms()).strftime("%Y/%m/%d/%H")
                s3.put_object(Bucket="connect", Key=f"r/{hour}/d-{run}", Body="".join(map(json.dumps, part)).encode())
                health = free_port()
                arguments = ("source", "connect", str(file), "--metrics-port", str(health))
                with program(operation, f"connect-{run}", *arguments) as process:
                    answers(f"http://127.0.0.1:{health}/healthz", process, PATIENCE_SECONDS)
                    if run < 2:
                        process.kill()
                        continue
                    deadline = time.monotonic() + PATIENCE_SECONDS
                    while differs := differing():
                        told = http_get(f"http://127.0.0.1:{health}/healthz").json()
                        assert time.monotonic() < deadline, (differs, told)
                        time.sleep(1)
    finally:
        aws.stop()
