"""A Kafka that is reached by TLS only, with a user and password or an own certificate: everything works, or says why not."""

from __future__ import annotations

import gc
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
from tests.integration.test_one_definition import day
from tests.support.operation import FIRST, LAST, facts, policy_file, program, send, settled, worker
from tests.support.secured import GUEST, PLAIN_USER, SecuredKafka, secured_kafka

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(180),
    # kafka-python leaves the socket of a TLS handshake that failed to the garbage collector.
    pytest.mark.filterwarnings(r"ignore:unclosed <ssl\.SSLSocket:ResourceWarning"),
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with secured_kafka(tmp_path_factory.mktemp("secured")) as there:
        yield there


@pytest.fixture(autouse=True)
def _no_socket_for_later_tests() -> Iterator[None]:
    yield
    gc.collect()


@pytest.mark.parametrize("protocol", ["SSL", "PLAIN", "SCRAM-SHA-512"])
def test_everything_works(secured: SecuredKafka, redis_url: str, tmp_path: Path, protocol: str) -> None:
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


FIT = "does DESKPULSE_SECURITY_PROTOCOL fit the port in DESKPULSE_BROKER"


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
    secured: SecuredKafka, protocol: str, wrong: dict[str, str], reason: str
) -> None:
    settings = secured.settings(protocol, **wrong)
    with ThreadPoolExecutor(len(WAYS)) as pool:
        refusals = list(pool.map(lambda way: refusal(way[0], settings), WAYS))
    for (_, kind), (error, seconds) in zip(WAYS, refusals, strict=True):
        with pytest.raises(kind, match=f"{secured.sasl}.*({reason})"):
            raise error
        assert seconds < 10


def last_word(settings: Settings) -> tuple[Exception, float]:
    """What is said within 3 s; where this machine is so busy that a broker's own answer is late, what is said next."""
    for _ in range(5):
        error, seconds = refusal(lambda given: look(kafka_python_options(given), 3), settings)
        if not re.search("Timeout during|Request timed out", str(error)):
            break
    return error, seconds


def test_what_keeps_tls_from_being_is_told(secured: SecuredKafka) -> None:
    cases = [
        (
            secured.settings("PLAIN", ssl_ca_file=secured.pem / "other.pem"),
            "CERTIFICATE_VERIFY_FAILED.*; DESKPULSE_SSL_CA_FILE has to be",
        ),
        (secured.settings("PLAIN", ssl_ca_file=None), "CERTIFICATE_VERIFY_FAILED.*; DESKPULSE_SSL_CA_FILE has to be"),
        (
            secured.settings("SSL", broker=secured.tls.replace(HOST, "localhost")),
            "Hostname mismatch.*; call brokers in DESKPULSE_BROKER",
        ),
        (
            secured.settings("SSL", broker=secured.expired),
            "certificate has expired.*; the server's certificate has expired",
        ),
        (
            secured.settings("SSL", ssl_cert_file=None, ssl_key_file=None),
            "(ALERT_BAD_CERTIFICATE|CERTIFICATE_REQUIRED).*; the broker asks for a certificate of yours",
        ),
        (
            secured.settings("SSL", broker=secured.sasl),
            f"(disconnected|Timeout during ApiVersions|Request timed out).*; {FIT}",
        ),
        (
            secured.settings("PLAIN", security_protocol="PLAINTEXT"),
            f"(disconnected|Timeout during ApiVersions|Request timed out|Invalid frame length).*; {FIT}",
        ),
        (
            secured.settings("PLAIN", security_protocol="SASL_PLAINTEXT"),
            f"(disconnected|Timeout during ApiVersions|Request timed out|Invalid frame length).*; {FIT}",
        ),
        (
            secured.settings("SSL", broker=secured.plain),
            "(WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNEXPECTED_EOF).*; this port has no TLS",
        ),
    ]
    # None of these is final to the client, which goes on trying for as long as it is told to.
    with ThreadPoolExecutor(len(cases)) as pool:
        refusals = list(pool.map(lambda case: last_word(case[0]), cases))
    for (settings, reason), (error, seconds) in zip(cases, refusals, strict=True):
        with pytest.raises(UnreachableError, match=f"{settings.broker} .*({reason})"):
            raise error
        assert seconds < 15


class TestTheCommands:
    def test_say_it_in_one_line(self, secured: SecuredKafka, tmp_path: Path) -> None:
        wrong = environment(secured.settings("PLAIN", sasl_password="wrong", data_dir=tmp_path))
        for command in (["topics", "create"], ["facts", "export"], ["roster", "import", str(roster_file(tmp_path))]):
            result = CliRunner().invoke(app, command, env=wrong, catch_exceptions=False)
            assert result.exit_code == 1, command
            assert re.fullmatch(f".*{secured.sasl}.*({REFUSED}).*\n", result.stderr), result.stderr

    def test_a_worker_ends_with_it(self, secured: SecuredKafka, tmp_path: Path) -> None:
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


# -- rights ------------------------------------------------------------------------------------------------------------

LACKS = r"AuthorizationFailed.*lacks a right: docs/operations\.md#rights"


def test_a_user_without_rights_is_told_what_they_lack(secured: SecuredKafka, tmp_path: Path) -> None:
    prefix = f"t{secrets.token_hex(4)}."
    guest = secured.settings("PLAIN", sasl_username=GUEST, prefix=prefix, data_dir=tmp_path)
    with pytest.raises((ConnectionError, RuntimeError), match=LACKS):
        ensure_topics(guest)
    ensure_topics(secured.settings("PLAIN", prefix=prefix))
    with pytest.raises(ConnectionError, match="does not show it to this user"):
        KafkaOperation(guest).daily_facts(FIRST, LAST, "all")
    with pytest.raises(SendError, match=LACKS), EventProducer(guest, patience_seconds=15.0) as producer:
        producer.send(day()[0])
    with program(guest, "refused", "worker", "--metrics-port", "0") as process:
        deadline = time.monotonic() + 60
        while process.exit_code is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert process.exit_code == 1
    said = process.log.read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert re.search(LACKS, said.splitlines()[-1]), said


def test_the_rights_of_the_example_are_enough(secured: SecuredKafka, redis_url: str, tmp_path: Path) -> None:
    prefix = f"t{secrets.token_hex(4)}."
    secured.grant(GUEST, prefix)
    operation = secured.settings(
        "PLAIN", sasl_username=GUEST, redis=redis_url, prefix=prefix, data_dir=tmp_path, clock="event",
        policy_file=policy_file(tmp_path, time_zone="UTC"),
    )  # fmt: skip
    events = day()
    assert ensure_topics(operation) == [operation.topic(topic) for topic in TOPICS]
    with worker(operation):
        send(operation, events)
        settled(operation)
    plain = run([encode(event) for event in events], operation.policy)
    assert facts(operation) == {key: fact.sums for key, fact in plain.facts.items() if fact.sums}
