"""From settings to the options of each Kafka client; and what is said where they cannot be."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi
import pytest
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from streams.kafka.connection import client_options, kafka_python_options
from streams.settings import Settings
from streams.worker.clients import credentials
from tests.conftest import require

USER = {"sasl_username": "desk", "sasl_password": "s3cret"}
WITH_USER = {"sasl_plain_username": "desk", "sasl_plain_password": "s3cret"}

TABLE: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    # settings, what clients are told of security, whether by TLS
    ({}, {"security_protocol": "PLAINTEXT"}, False),
    # What the protocol has no use for is not handed on.
    ({**USER, "ssl_ca_file": "absent.pem"}, {"security_protocol": "PLAINTEXT"}, False),
    ({"security_protocol": "SSL"}, {"security_protocol": "SSL"}, True),
    ({"security_protocol": "SSL", **USER}, {"security_protocol": "SSL"}, True),
    (
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-256", **USER},
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-256", **WITH_USER},
        False,
    ),
    (
        {"security_protocol": "SASL_SSL", **USER},
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", **WITH_USER},
        True,
    ),
    (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **USER},
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **WITH_USER},
        True,
    ),
]


def told(options: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The options but for the TLS context, and whether there is one, which then checks certificates and host names."""
    rest = {name: value for name, value in options.items() if name != "ssl_context"}
    context = options.get("ssl_context")
    if context is None:
        return rest, False
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    return rest, True


@pytest.mark.parametrize(("given", "security", "tls"), TABLE)
class TestEveryClientIsToldTheSame:
    def test_aiokafka(self, given: dict[str, Any], security: dict[str, Any], tls: bool) -> None:
        options = client_options(Settings(broker="a:1,b:2", **given))
        assert told(options) == ({"bootstrap_servers": ["a:1", "b:2"], **security}, tls)

    def test_kafka_python(self, given: dict[str, Any], security: dict[str, Any], tls: bool) -> None:
        options = kafka_python_options(Settings(broker="a:1,b:2", broker_version="2.8.1", **given))
        assert callable(options.pop("kafka_client"))
        api = {"api_version": (2, 8, 1)}
        assert told(options) == ({"bootstrap_servers": ["a:1", "b:2"], **api, **security}, tls)

    def test_faust(self, given: dict[str, Any], security: dict[str, Any], tls: bool) -> None:
        options = credentials_to_aiokafka_auth(credentials(Settings(**given)))
        if options.get("ssl_context") is None:
            options.pop("ssl_context", None)
        assert told(options) == (security, tls)


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_kafka_python_knows_every_option(client: Any) -> None:
    settings = Settings(security_protocol="SASL_SSL", broker_version="2.8", **USER)
    assert set(kafka_python_options(settings)) <= set(client.DEFAULT_CONFIG)


def test_no_version_is_told_where_none_is_set() -> None:
    assert "api_version" not in kafka_python_options(Settings())


def authorities(settings: Settings) -> int:
    """How many certificate authorities clients trust."""
    counts = {
        len(each["ssl_context"].get_ca_certs()) for each in (client_options(settings), kafka_python_options(settings))
    }
    (count,) = counts
    return count


def test_only_the_given_authority_is_trusted(tmp_path: Path) -> None:
    bundle = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----\n"
    one = tmp_path / "ca.pem"
    one.write_text(bundle[bundle.index("-----BEGIN") : bundle.index(end) + len(end)], encoding="utf-8")
    assert authorities(Settings(security_protocol="SSL", ssl_ca_file=one)) == 1
    assert authorities(Settings(security_protocol="SSL", ssl_ca_file=Path(certifi.where()))) > 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"security_protocol": "SASL_SSL"}, r"SASL_SSL needs DESKPULSE_SASL_USERNAME and DESKPULSE_SASL_PASSWORD"),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_username": "desk"}, r"SASL_PLAINTEXT needs .*DESKPULSE_SASL_PASSWORD"),
        ({"security_protocol": "SASL_SSL", **USER, "sasl_password": ""}, r"needs .*DESKPULSE_SASL_PASSWORD"),
        ({"security_protocol": "SSL", "ssl_ca_file": "absent.pem"}, r"SSL_CA_FILE=absent\.pem gives no certificate.*No such file"),
        ({"security_protocol": "SSL", "ssl_ca_file": __file__}, r"SSL_CA_FILE=\S+test_connection\.py gives no certificate"),
        ({"security_protocol": "SSL", "ssl_key_file": "own.key"}, r"SSL_KEY_FILE needs .*DESKPULSE_SSL_CERT_FILE"),
        ({"security_protocol": "SSL", "ssl_cert_file": "absent.pem"}, r"SSL_CERT_FILE=absent\.pem .*No such file"),
        ({"security_protocol": "SSL", "ssl_cert_file": certifi.where()}, r"SSL_CERT_FILE=\S+ and DESKPULSE_SSL_KEY_FILE=None give no"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_any_connection(given: dict[str, Any], said: str) -> None:
    settings = Settings(**given)
    for options in (kafka_python_options, client_options, credentials):
        with pytest.raises(ValueError, match=said):
            options(settings)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a certificate, its key, the same key encrypted, another key, and certificate and key in one."""
    require(shutil.which("openssl"), "openssl is not on the PATH; install it")
    directory = tmp_path_factory.mktemp("pem")
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -days 2 -subj /CN=desk",
        "genrsa -out other.key 2048",
        "rsa -in own.key -aes128 -passout pass:1234 -out encrypted.key",
    ):
        subprocess.run(["openssl", *line.split()], cwd=directory, check=True, capture_output=True, timeout=60)
    both = (directory / "own.pem").read_text(encoding="ascii") + (directory / "own.key").read_text(encoding="ascii")
    (directory / "both.pem").write_text(both, encoding="ascii")
    return directory


class TestOwnCertificate:
    @pytest.mark.parametrize(("certificate", "key"), [("own.pem", "own.key"), ("both.pem", None)])
    def test_is_loaded_with_its_key(self, pem: Path, certificate: str, key: str | None) -> None:
        client_options(settings_with(pem, certificate, key))

    @pytest.mark.parametrize(
        ("key", "reason"),
        [
            ("other.key", "key values mismatch"),
            ("encrypted.key", "unencrypted key"),  # and nobody is asked for a password
            ("own.pem", "unencrypted key"),
        ],
    )
    def test_is_refused_with_another_key(self, pem: Path, key: str, reason: str) -> None:
        with pytest.raises(
            ValueError, match=rf"SSL_CERT_FILE=\S+own\.pem and DESKPULSE_SSL_KEY_FILE=\S+{key} .*{reason}"
        ):
            client_options(settings_with(pem, "own.pem", key))


def settings_with(directory: Path, certificate: str, key: str | None) -> Settings:
    return Settings(
        security_protocol="SSL",
        ssl_cert_file=directory / certificate,
        ssl_key_file=directory / key if key else None,
    )


def test_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Settings(security_protocol="SASL_SSL", **USER))
