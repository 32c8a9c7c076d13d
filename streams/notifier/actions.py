"""What people do about incidents, as events on ``alert-actions``."""

from __future__ import annotations

from threading import Lock

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.contracts.outputs import AlertAction
from streams.contracts.topics import ALERT_ACTIONS, Topic
from streams.kafka.connection import open_producer
from streams.refusals import with_remedy
from streams.settings import Settings

_PATIENCE_SECONDS = 10.0


class Actions:
    """Writes actions; the connection is opened by the first. One that comes twice, by its id, counts once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: KafkaProducer | None = None
        self._lock = Lock()

    def write(self, action: AlertAction) -> None:
        """Write one, and wait until Kafka has it. Raises ConnectionError where it does not say so."""
        self.send(ALERT_ACTIONS, action.key.encode(), msgspec.json.encode(action))

    def send(self, topic: Topic, key: bytes, value: bytes) -> None:
        """Write a message, and wait until Kafka has it. Raises ConnectionError where it does not say so."""
        try:
            with self._lock:
                if self._producer is None:
                    self._producer = open_producer(
                        self._settings,
                        max_block_ms=round(_PATIENCE_SECONDS * 1000),
                        bootstrap_timeout_ms=round(_PATIENCE_SECONDS * 1000),
                    )
                producer = self._producer
            sent = producer.send(self._settings.topic(topic), value=value, key=key)
            sent.get(timeout=_PATIENCE_SECONDS)
        except KafkaError as error:
            raise ConnectionError(
                f"Kafka at {self._settings.broker} does not take what was done: {with_remedy('Kafka', error)}; try again"
            ) from error

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=5)
