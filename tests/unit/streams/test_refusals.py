"""What a server says when it lets nobody in, and what is told of it."""

from __future__ import annotations

import pytest

from streams.refusals import Server, address_shown, remedy, with_remedy


@pytest.mark.parametrize(
    ("server", "said", "what"),
    [
        ("Kafka", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)", "expired"),
        ("Kafka", "certificate verify failed: Hostname mismatch, certificate is not valid for 'localhost'", "advertised.listeners"),
        ("Kafka", "certificate verify failed: IP address mismatch", "advertised.listeners"),
        ("Kafka", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in chain", "DESKPULSE_SSL_CA_FILE"),
        ("Kafka", "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "DESKPULSE_SSL_CERT_FILE"),
        ("Kafka", "[SSL: WRONG_VERSION_NUMBER] wrong version number", "has no TLS"),
        ("Kafka", "[Error 29] TopicAuthorizationFailedError", "lacks a right"),
        ("Kafka", "Authentication failed: Invalid username or password", "DESKPULSE_SASL_PASSWORD"),
        ("Kafka", "node disconnected", "DESKPULSE_SECURITY_PROTOCOL"),
        ("Redis", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed", "ssl_ca_certs=FILE"),
        ("Redis", "Error 2 connecting to redis:6379. No such file or directory.", "ssl_ca_certs"),
        ("Redis", "invalid username-password pair or user is disabled.", "check user and password"),
        ("Redis", "HELLO must be called with the client already authenticated", "asks for a password"),
        ("Redis", "this user has no permissions to access one of the keys used as arguments", "lacks a right"),
        ("Redis", "Error while reading from redis:6379 : (104, 'Connection reset by peer')", "rediss://"),
        ("Redis", "Timeout connecting to server", "has this port TLS or none"),
        ("PostgreSQL", "SSL error: certificate verify failed", "sslrootcert"),
        ("PostgreSQL", 'root certificate file "/srv/app/.postgresql/root.crt" does not exist', "sslrootcert=FILE"),
        ("PostgreSQL", 'server certificate for "db" does not match host name "localhost"', "as its certificate does"),
        ("PostgreSQL", 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", no encryption', "sslmode=verify-full"),
        ("PostgreSQL", 'FATAL:  password authentication failed for user "deskpulse"', "check user and password"),
        ("PostgreSQL", "permission denied for schema public", "lacks a right"),
    ],
)  # fmt: skip
def test_what_a_server_says_has_its_remedy(server: Server, said: str, what: str) -> None:
    told = with_remedy(server, OSError(said))
    assert told.startswith(f"{said.rstrip('.')}; ")
    assert what in told[len(said) :]
    assert with_remedy(server, OSError(told)) == told  # once is enough


def test_what_nobody_knows_is_told_as_it_is() -> None:
    assert remedy("Kafka", OSError("the moon is full")) == ""
    assert with_remedy("Redis", TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:hush@h:6379/0", "redis://…@h:6379/0"),
        ("rediss://u:hush@h:6379/0?ssl_ca_certs=/ca.pem", "rediss://…@h:6379/0?ssl_ca_certs=/ca.pem"),
        ("rediss://u:hu@sh@h:6379/0", "rediss://…@h:6379/0"),
        ("redis://h:6379/0?username=u&password=hush", "redis://h:6379/0"),
        ("redis://h:6379/0?password=hush&ssl_ca_certs=/ca.pem", "redis://h:6379/0?ssl_ca_certs=/ca.pem"),
        ("unix://hush@/run/redis.sock?db=1", "unix://…@/run/redis.sock?db=1"),
    ],
)
def test_an_address_is_told_without_its_secrets(url: str, told: str) -> None:
    assert address_shown(url) == told
