"""A Kafka that is reached by TLS only, with a user and password or an own certificate: everything works, or says why not."""

from __future__ import annotations

import gc
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from typer.testing import CliRunner

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.tools import MissingToolError
from streams.addresses import HOST
from streams.cli import app
from streams.contracts.decode import encode
from streams.contracts.topics import TOPICS
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.probe import UnreachableError, look
from streams.kafka.topics import ensure_topics
from streams.operation import KafkaOperation
from streams.pipeline import run
from streams.settings import Settings, environment
from streams.sources.producer import EventProducer, SendError
from tests.conftest import lacking, require
from tests.integration.test_one_definition import day
from tests.support.operation import FIRST, LAST, facts, policy_file, program, send, settled, worker

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(180),
    # kafka-python leaves the socket of a TLS handshake that failed to the garbage collector.
    pytest.mark.filterwarnings(r"ignore:unclosed <ssl\.SSLSocket:ResourceWarning"),
]

#: A user of each mechanism, so that neither can pass for the other. The password needs escaping wherever it may.
PLAIN_USER, SCRAM_USER, PASSWORD = "plain-desk", "scram-desk", "pä$s w=rd,#1"


@dataclass(frozen=True)
class Secured:
    """A broker's protected addresses, and a directory with certificates and keys (PEM)."""

    tls: str
    sasl: str
    pem: Path

    def settings(self, protocol: str, **given: Any) -> Settings:
        """Settings that are right for a protocol but for what is given."""
        right: dict[str, dict[str, Any]] = {
            "SSL": {"broker": self.tls, "ssl_cert_file": self.pem / "desk.pem", "ssl_key_file": self.pem / "desk.key"},
            "PLAIN": {"broker": self.sasl, "sasl_username": PLAIN_USER, "sasl_password": PASSWORD},
            "SCRAM-SHA-512": {"broker": self.sasl, "sasl_username": SCRAM_USER, "sasl_password": PASSWORD},
        }
        common = {
            "security_protocol": "SSL" if protocol == "SSL" else "SASL_SSL",
            "sasl_mechanism": "PLAIN" if protocol == "SSL" else protocol,
            "ssl_ca_file": self.pem / "ca.pem",
            "partitions": 4,
        }
        return Settings(**{**common, **right[protocol], **given})


def certificates(directory: Path) -> None:
    """An authority, ``broker`` and ``desk`` with its certificates, and an authority that has signed neither."""
    made = "req -x509 -newkey rsa:2048 -nodes -days 2"
    leaf = f"-CA ca.pem -CAkey ca.key -addext subjectAltName=IP:{HOST} -addext basicConstraints=critical,CA:FALSE"
    for line in (
        f"{made} -keyout ca.key -out ca.pem -subj /CN=authority -addext keyUsage=critical,keyCertSign",
        f"{made} -keyout other.key -out other.pem -subj /CN=other -addext keyUsage=critical,keyCertSign",
        f"{made} -keyout broker.key -out broker.pem -subj /CN=broker {leaf}",
        f"{made} -keyout desk.key -out desk.pem -subj /CN=desk {leaf}",
    ):
        done = subprocess.run(["openssl", *line.split()], cwd=directory, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    both = (directory / "broker.key").read_text(encoding="ascii") + (directory / "broker.pem").read_text("ascii")
    (directory / "keystore.pem").write_text(both, encoding="ascii")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with a listener for certificates and one for users; it is plain to itself and to who starts it only."""
    require(shutil.which("openssl"), "openssl is not on the PATH; install it")
    pem = tmp_path_factory.mktemp("pem")
    certificates(pem)
    there = Secured(f"{HOST}:{free_port()}", f"{HOST}:{free_port()}", pem)
    modules = "org.apache.kafka.common.security"
    broker = LocalKafka(
        tmp_path_factory.mktemp("secured"),
        listeners={"SSL": there.tls, "SASL_SSL": there.sasl},
        properties={
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(pem / "keystore.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(pem / "ca.pem"),
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (
                f'{modules}.plain.PlainLoginModule required "user_{PLAIN_USER}"="{PASSWORD}";'
            ),
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
        },
    )
    try:
        broker.start()
    except MissingToolError as missing:
        lacking(str(missing))
    with broker:
        user = UserScramCredentialUpsertion(SCRAM_USER, ScramMechanism.SCRAM_SHA_512, password=PASSWORD)
        with KafkaAdminClient(bootstrap_servers=[broker.address]) as admin:
            assert admin.alter_user_scram_credentials([user]) == {SCRAM_USER: None}
        yield there


@pytest.fixture(autouse=True)
def _no_socket_for_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@pytest.mark.parametrize("protocol", ["SSL", "PLAIN", "SCRAM-SHA-512"])
def test_everything_works(secured: Secured, redis_url: str, tmp_path: Path, protocol: str) -> None:
    operation = secured.settings(
        protocol,
        redis=redis_url,
        prefix=f"t{secrets.token_hex(4)}.",
        data_dir=tmp_path,
        clock="event",
        policy_file=policy_file(tmp_path, time_zone="UTC"),
    )
    events = day()
    assert ensure_topics(operation) == [operation.topic(topic) for topic in TOPICS]
    with worker(operation):
        send(operation, events)
        settled(operation)
    plain = run([encode(event) for event in events], operation.policy)
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}


def produce(settings: Settings) -> None:
    """Connect as a producer of events does."""
    with EventProducer(settings):
        pass


#: Each way to Kafka, and the error that its callers know.
WAYS: list[tuple[Callable[[Settings], object], type[Exception]]] = [
    (ensure_topics, ConnectionError),
    (produce, SendError),
    (lambda settings: KafkaOperation(settings).daily_facts(FIRST, LAST, "all"), ConnectionError),
    (lambda settings: wait_until_processed(settings, 5), TimeoutError),
    (lambda settings: look(kafka_python_options(settings)), UnreachableError),
]
#: A broker ends the connection with its reason, which the client sees or does not.
REFUSED = "Invalid username or password|invalid credentials|on a wrong user, password or mechanism"


def refusal(way: Callable[[Settings], object], settings: Settings) -> tuple[Exception, float]:
    """What a way to Kafka says where it is closed, and after how many seconds."""
    began = time.monotonic()
    try:
        way(settings)
    except Exception as error:
        return error, time.monotonic() - began
    raise AssertionError(f"Kafka let in {settings!r}")


@pytest.mark.parametrize(
    ("protocol", "wrong", "reason"),
    [
        ("PLAIN", {"sasl_password": "wrong"}, REFUSED),
        ("SCRAM-SHA-512", {"sasl_password": "wrong"}, REFUSED),
        ("SCRAM-SHA-512", {"sasl_username": PLAIN_USER}, REFUSED),
        ("PLAIN", {"sasl_mechanism": "SCRAM-SHA-256"}, f"UnsupportedSaslMechanism|{REFUSED}"),
    ],
    ids=["PLAIN password", "SCRAM password", "SCRAM user", "mechanism"],
)
def test_wrong_credentials_are_told_at_once(
    secured: Secured, protocol: str, wrong: dict[str, str], reason: str
) -> None:
    settings = secured.settings(protocol, **wrong)
    with ThreadPoolExecutor(len(WAYS)) as pool:
        refusals = list(pool.map(lambda way: refusal(way[0], settings), WAYS))
    for (_, kind), (error, seconds) in zip(WAYS, refusals, strict=True):
        with pytest.raises(kind, match=f"{secured.sasl}.*({reason})"):
            raise error
        assert seconds < 10


def test_what_keeps_tls_from_being_is_told(secured: Secured) -> None:
    cases = [
        (secured.settings("PLAIN", ssl_ca_file=secured.pem / "other.pem"), "CERTIFICATE_VERIFY_FAILED"),
        (secured.settings("PLAIN", ssl_ca_file=None), "CERTIFICATE_VERIFY_FAILED"),
        (secured.settings("SSL", broker=secured.tls.replace(HOST, "localhost")), "Hostname mismatch"),
        (secured.settings("SSL", ssl_cert_file=None, ssl_key_file=None), "ALERT_BAD_CERTIFICATE|CERTIFICATE_REQUIRED"),
        (secured.settings("SSL", broker=secured.sasl), "disconnected"),
        (secured.settings("PLAIN", security_protocol="PLAINTEXT"), "disconnected|Invalid frame length"),
    ]
    # None of these is final to the client, which goes on trying for as long as it is told to.
    with ThreadPoolExecutor(len(cases)) as pool:
        refusals = list(pool.map(lambda case: refusal(lambda s: look(kafka_python_options(s), 3), case[0]), cases))
    for (settings, reason), (error, seconds) in zip(cases, refusals, strict=True):
        with pytest.raises(UnreachableError, match=f"{settings.broker} .*({reason})"):
            raise error
        assert seconds < 15


class TestTheCommands:
    def test_say_it_in_one_line(self, secured: Secured, tmp_path: Path) -> None:
        wrong = environment(secured.settings("PLAIN", sasl_password="wrong", data_dir=tmp_path))
        for command in (["topics", "create"], ["facts", "export"], ["roster", "import", str(roster_file(tmp_path))]):
            result = CliRunner().invoke(app, command, env=wrong, catch_exceptions=False)
            assert result.exit_code == 1, command
            assert re.fullmatch(f".*{secured.sasl}.*({REFUSED}).*\n", result.stderr), result.stderr

    def test_a_worker_ends_with_it(self, secured: Secured, tmp_path: Path) -> None:
        wrong = secured.settings("SCRAM-SHA-512", sasl_password="wrong", data_dir=tmp_path)
        with program(wrong, "refused", "worker", "--metrics-port", "0") as process:
            deadline = time.monotonic() + 30
            while process.exit_code is None and time.monotonic() < deadline:
                time.sleep(0.1)
            assert process.exit_code == 1
        said = process.log.read_text(encoding="utf-8")
        assert "Traceback" not in said
        assert re.match(rf"Kafka at {secured.sasl} \(SASL_SSL\) .*({REFUSED})", said.splitlines()[-1]), said


def roster_file(directory: Path) -> Path:
    """A roster of one agent."""
    path = directory / "roster.csv"
    path.write_text("agent_id,valid_from\na1,2026-01-01\n", encoding="utf-8")
    return path
