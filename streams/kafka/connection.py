"""How to talk to the operation's Kafka, as its settings say."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from streams.kafka.client import client
from streams.settings import Settings

#: What a producer is told when another of its transactional id has shut it out.
TAKEN_OVER = (ProducerFencedError, InvalidProducerEpochError)


def told_of(error: KafkaError, *kinds: type[KafkaError]) -> bool:
    """Is it one of these, or what the client raises after one? That has it in its arguments, or names it in its words only."""
    if any(isinstance(each, kinds) for each in (error, *error.args)):
        return True
    return any(kind.__name__ in str(error) for kind in kinds)


def client_options(settings: Settings) -> dict[str, Any]:
    """Connection arguments that kafka-python's and aiokafka's clients share.

    Raises ValueError where a setting that the security protocol needs is missing, or a file of it is of no use.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.broker.split(","),
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        if not (settings.sasl_username and settings.sasl_password):
            raise ValueError(f"{settings.security_protocol} needs DESKPULSE_SASL_USERNAME and DESKPULSE_SASL_PASSWORD")
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password,
        }
    return options


def kafka_python_options(settings: Settings) -> dict[str, Any]:
    """Connection arguments of kafka-python's clients. Raises as ``client_options``."""
    options = client_options(settings) | {"kafka_client": client}
    if settings.broker_version:
        options["api_version"] = tuple(int(part) for part in settings.broker_version.split("."))
    return options


def open_consumer(settings: Settings, group: str | None = None, **options: Any) -> KafkaConsumer:
    """A consumer that commits nothing and makes no topics, without a group or of one. Raises KafkaError where no broker answers."""
    return KafkaConsumer(
        **kafka_python_options(settings),
        group_id=group,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        **options,
    )


def open_producer(settings: Settings, **options: Any) -> KafkaProducer:
    """A producer whose messages every replica has acknowledged. Raises KafkaError where no broker answers."""
    return KafkaProducer(**kafka_python_options(settings), acks="all", **options)


def open_records_producer(settings: Settings) -> KafkaProducer:
    """Writes contact records, and what belongs to them, beside the workers, in transactions. One at a time: who had it before is shut out,
    and what they had begun is rolled back. Raises KafkaError where no broker answers.
    """
    producer = open_producer(
        settings, transactional_id=f"{settings.group}-contact-records", max_request_size=33_554_432
    )
    producer.init_transactions()
    return producer


def open_admin(settings: Settings, patience_ms: int) -> KafkaAdminClient:
    """Asks about topics and changes them. Raises KafkaError where no broker answers within ``patience_ms``."""
    return open_admin_of(kafka_python_options(settings), patience_ms)


def open_admin_of(options: Mapping[str, Any], patience_ms: int) -> KafkaAdminClient:
    """The same for connection arguments of kafka-python's clients."""
    return KafkaAdminClient(**options, bootstrap_timeout_ms=patience_ms, request_timeout_ms=patience_ms)


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' Python leaves it to OpenSSL's settings
    except OSError as error:
        raise ValueError(f"DESKPULSE_SSL_CA_FILE={settings.ssl_ca_file} gives no certificate (PEM): {error}") from error
    if settings.ssl_key_file and not settings.ssl_cert_file:
        raise ValueError("DESKPULSE_SSL_KEY_FILE needs the certificate of that key: DESKPULSE_SSL_CERT_FILE")
    if settings.ssl_cert_file:
        try:
            # Without a password, OpenSSL would ask for that of an encrypted key at the terminal, and wait.
            context.load_cert_chain(settings.ssl_cert_file, settings.ssl_key_file, password="")
        except OSError as error:
            raise ValueError(
                f"DESKPULSE_SSL_CERT_FILE={settings.ssl_cert_file} and DESKPULSE_SSL_KEY_FILE={settings.ssl_key_file} give no "
                f"certificate with its own unencrypted key (PEM): {error}"
            ) from error
    return context
