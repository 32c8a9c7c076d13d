"""A stand-in for Kafka inside this process: librdkafka's test broker, for machines without Java. Nothing is durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from deploy.local.process import ServerStartError, silent
from deploy.local.server import Startable
from deploy.local.tools import JAVA_ADVICE, MissingToolError

if TYPE_CHECKING:
    from confluent_kafka import Producer

_READY_WITHIN_SECONDS = 10.0


class MockKafka(Startable):
    """librdkafka's test broker on 127.0.0.1. Other processes can use it for as long as this one lives.

    It keeps the newest messages only, in memory, makes topics by itself at their first use, and cannot be asked to.

    :param topics: names of topics that shall be there from the start.
    """

    durable = False
    #: Partitions of every topic; the test broker takes no other number.
    partitions: int | None = 4
    #: For ``Settings.broker_version``: what the test broker answers to newer versions, kafka-python cannot read.
    broker_version: str | None = "2.3"

    def __init__(self, topics: Sequence[str] = ()) -> None:
        self._topics = topics
        self._owner: Producer | None = None  # held: the broker lives as long as it
        self._address: str | None = None

    @property
    def address(self) -> str:
        """Bootstrap address ``HOST:PORT``. Raises RuntimeError while it does not run."""
        if self._address is None:
            raise RuntimeError("this test broker does not run, so it has no address")
        return self._address

    def start(self, progress: Callable[[str], None] = silent) -> str:
        """Start the broker and return its address.

        Raises MissingToolError where librdkafka is not installed, ServerStartError if the broker does not come up.
        """
        if self._address is not None:
            return self._address
        try:
            from confluent_kafka import KafkaException, Producer
        except ImportError as error:
            raise MissingToolError(
                "librdkafka's test broker is not installed either", f"pip install 'deskpulse[broker]'; or {JAVA_ADVICE}"
            ) from error
        progress("Starting librdkafka's test broker inside this process: nothing that it holds is durable")
        owner = Producer({"test.mock.num.brokers": 1, "log_level": 3})
        try:
            (broker,) = owner.list_topics(timeout=_READY_WITHIN_SECONDS).brokers.values()
            for topic in self._topics:
                owner.list_topics(topic, timeout=_READY_WITHIN_SECONDS)  # to be asked about one makes it
        except (KafkaException, ValueError) as error:
            raise ServerStartError(f"librdkafka's test broker did not start: {error}") from error
        self._owner, self._address = owner, f"{broker.host}:{broker.port}"
        progress(f"The test broker is ready at {self._address}")
        return self._address

    def stop(self) -> None:
        """Stop the broker; all that it held is gone. Nothing happens if it does not run."""
        self._owner = self._address = None
