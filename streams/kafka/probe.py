"""Whether a Kafka answers, and what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka.errors import KafkaError

from streams.addresses import answers
from streams.kafka.connection import open_admin_of
from streams.refusals import with_remedy


class UnreachableError(ConnectionError):
    """No server of the wanted kind answers at an address; the message says which and why."""


@dataclass(frozen=True)
class Cluster:
    """What a cluster says of itself. ``version`` is read from its protocol, so without the patch number: ``4.1``; ``topics``: their
    names.
    """

    brokers: int
    version: str
    topics: frozenset[str]


def plain(address: str) -> dict[str, Any]:
    """Connection arguments of kafka-python for an unprotected Kafka at ``HOST:PORT[,HOST:PORT…]``."""
    return {"bootstrap_servers": address.split(","), "security_protocol": "PLAINTEXT"}


def look(connection: Mapping[str, Any], timeout_seconds: float = 10.0) -> Cluster:
    """Ask the cluster behind ``connection`` (kafka-python's arguments, as ``kafka_python_options`` gives them).

    Raises UnreachableError if none answers within about ``timeout_seconds``, ValueError where an address is no
    HOST:PORT.
    """
    servers = list(connection["bootstrap_servers"])
    # The client cannot tell a dead address from a slow one and would use up its whole patience.
    if not any(answers(server, timeout_seconds) for server in servers):
        raise UnreachableError(f"nothing listens at {', '.join(servers)}")
    patience_ms = int(timeout_seconds * 1000)
    try:
        with (
            _quiet(),
            open_admin_of(connection, patience_ms) as admin,
        ):
            brokers = admin.describe_cluster()["brokers"]
            version = admin.get_broker_version_data(brokers[0]["broker_id"]).broker_version
            return Cluster(len(brokers), ".".join(map(str, version)), frozenset(admin.list_topics()))
    except (KafkaError, OSError) as error:
        raise UnreachableError(
            f"{', '.join(servers)} does not answer as a Kafka does: {with_remedy('Kafka', error)}"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """The client logs every failed attempt as an error; here a failure is an answer, and the caller tells it."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
