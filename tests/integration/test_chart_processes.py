"""What the chart starts, started here: each container's command, variables, secrets and files as they are rendered, and its probes answer.

Everything by TLS, with users, and with the rights that docs/operations.md names: what each process does at its start is allowed.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.processes import PROCESSES
from tests.contract.test_chart import LEAST, Document, Values, environment, merged, of, pods, provided, rendered
from tests.support import ROOT
from tests.support.operation import http_get
from tests.support.secured import (
    GUEST,
    KAFKA_PASSWORD,
    PREFIX,
    SecuredKafka,
    SecuredPostgres,
    SecuredRedis,
    secured_kafka,
    secured_postgres,
    secured_redis,
)
from tests.support.warm import WarmProcess

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

KINDS = {one.name: one for one in PROCESSES}
PATIENCE_SECONDS = 300.0


def container(pod: Document) -> Document:
    (one,) = pod["spec"]["containers"]
    return dict(one)


def mounted(documents: list[Document], pod: Document, root: Path) -> dict[str, str]:
    """Lay out what the pod's volumes bring, under ``root`` instead of ``/``; returns its variables, with paths that fit."""
    contents = {
        ("secret", one["metadata"]["name"], key): value
        for one in of(documents, "Secret")
        for key, value in one["stringData"].items()
    } | {
        ("configMap", one["metadata"]["name"], key): value
        for one in of(documents, "ConfigMap")
        for key, value in one["data"].items()
    }
    for path, source in provided(pod).items():
        ((kind, what),) = source.items()
        (item,) = what["items"]
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        # An address may name files of the pod's.
        told = contents[kind, what["name"], item["key"]].replace("/etc/deskpulse/", f"{root}/etc/deskpulse/")
        file.write_text(told, encoding="utf-8")
    for mount in container(pod)["volumeMounts"]:
        (root / mount["mountPath"].lstrip("/")).mkdir(parents=True, exist_ok=True)
    return {
        name: str(root / value.lstrip("/")) if value.startswith("/") else value
        for name, value in environment(container(pod)).items()
    }


@dataclass(frozen=True)
class Servers:
    """Kafka, Redis and PostgreSQL by TLS, with users who may no more than the docs say; authorities as config maps of the cluster."""

    kafka: SecuredKafka
    redis: SecuredRedis
    postgres: SecuredPostgres

    def maps(self) -> list[Document]:
        return [
            {
                "kind": "ConfigMap",
                "metadata": {"name": f"{name}-authority", "labels": {}},
                "data": {"ca.crt": (server.pem / "ca.pem").read_text(encoding="ascii")},
            }
            for name, server in (("kafka", self.kafka), ("redis", self.redis), ("database", self.postgres))
        ]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with (
        secured_redis(tmp_path / "redis") as redis,
        secured_postgres() as postgres,
        secured_kafka(tmp_path) as kafka,
    ):
        kafka.grant(GUEST, PREFIX)
        yield Servers(kafka, redis, postgres)


@pytest.fixture
def values(servers: Servers) -> Values:
    """All processes, on these servers."""
    written = ROOT / "deploy" / "compose" / "config"
    return merged(LEAST, {
        "kafka": {
            "broker": servers.kafka.sasl, "partitions": 4, "replication": 1, "securityProtocol": "SASL_SSL",
            "sasl": {"mechanism": "PLAIN", "username": GUEST}, "tls": {"ca": {"configMap": "kafka-authority"}},
        },
        "redis": {"ca": {"configMap": "redis-authority"}},
        "database": {"sslMode": "verify-full", "ca": {"configMap": "database-authority"}},
        "operation": {"prefix": PREFIX},
        "secrets": {"existing": "", "create": {
            "database": servers.postgres.url(ca=None).partition("?")[0],
            "redis": f"{servers.redis.url(ca=None)}?ssl_ca_certs=/etc/deskpulse/tls/redis-ca.pem",
            "pseudonymKey": base64.b64encode(secrets.token_bytes(24)).decode(),
            "kafkaPassword": KAFKA_PASSWORD,
        }},
        "files": {name: {"text": (written / f"{name}.yaml").read_text(encoding="utf-8")} for name in ("notify", "gateway")}
        | {"policy": {"text": "time_zone: Asia/Shanghai\n"}},
        "notifier": {"enabled": True, "environment": {"ALERTMANAGER_URL": "http://127.0.0.1:9", "ACKNOWLEDGE_KEY": "k" * 40}},
        "gateway": {"enabled": True, "environment": {"GATEWAY_TOKEN": "t" * 40}},
    })  # fmt: skip


@pytest.fixture
def started(
    values: Values, servers: Servers, tmp_path: Path
) -> Iterator[dict[str, tuple[Document, str, ServerProcess]]]:
    """Component → its container, where it answers, and the process; after the job that goes before them."""
    documents = rendered(values) + servers.maps()
    containers = dict(pods(documents))
    setup = containers.pop("setup")
    given = mounted(documents, setup, tmp_path / "setup")
    for line in container(setup)["args"][0].split("&&"):
        name, *arguments = line.split()
        assert name == "deskpulse"
        job = WarmProcess(*arguments, directory=tmp_path, log=tmp_path / "setup.log", environment=given)
        job.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while job.exit_code is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert job.exit_code == 0, job.last_words()
    with ExitStack() as stack:
        made = {}
        for name, pod in containers.items():
            if name == "console":
                continue
            given = mounted(documents, pod, tmp_path / name)
            port = free_port()
            arguments = [
                *container(pod)["args"],
                KINDS[name].option,
                str(port),
            ]  # one of its own: others test here, too
            process = WarmProcess(
                *arguments, directory=tmp_path / name, log=tmp_path / f"{name}.log", environment=given
            )
            process.start()
            stack.callback(process.stop)
            made[name] = container(pod), f"http://127.0.0.1:{port}", process
        yield made


def answer(url: str, process: ServerProcess) -> int | None:
    """The status of an answer; None where there is none yet."""
    assert process.exit_code is None, process.last_words()
    try:
        return http_get(url, timeout=5).status_code
    except httpx.HTTPError:
        return None


def test_each_process_starts_and_its_probes_answer(started: dict[str, tuple[Document, str, ServerProcess]]) -> None:
    assert set(started) == set(KINDS)
    wanted = {
        (name, probe): f"{address}{one[probe]['httpGet']['path']}"
        for name, (one, address, _) in started.items()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    last: dict[tuple[str, str], int | None] = {}
    while time.monotonic() < deadline:
        last = {which: answer(url, started[which[0]][2]) for which, url in wanted.items()}
        if set(last.values()) == {200}:
            break
        time.sleep(0.5)
    assert set(last.values()) == {200}, last
    for name, (_, address, _) in started.items():
        assert "process_start_time_seconds" in http_get(f"{address}/metrics").text, name
