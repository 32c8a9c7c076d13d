"""Events to Kafka: keyed, acknowledged by all replicas, and never lost without a word."""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.topics import EVENT_TOPICS
from streams.kafka.connection import kafka_python_options
from streams.kafka.probe import UnreachableError, look
from streams.refusals import with_remedy
from streams.settings import Settings
from streams.sources.sent import Sent

log = logging.getLogger(__name__)

#: Events on their way to the broker at once; ``send`` waits while there are as many. Bounds the memory.
MAX_PENDING = 50_000
_LINGER_MS = 20
_BATCH_BYTES = 262_144
#: For how long a broker may be away: a cluster that is upgraded, or a night's maintenance of a small one.
PATIENCE_SECONDS = 3600.0
#: Between two words about a broker that does not acknowledge; so long is also asked for a topic before it is said not to be there.
_TELL_SECONDS = 10.0
#: Between two tries to reach a broker that is away, at most. By itself the client comes to wait for half a minute, and may sleep through a
#: broker that is back and gone again.
_RECONNECT_MS = 1_000


_AGAIN = "send the same input again (`deskpulse replay` with --late-too)"


class SendError(RuntimeError):
    """Events that the broker did not acknowledge: says how many, the first of them, why and what to do."""


class _Client(KafkaProducer):  # type: ignore[misc]
    """kafka-python's producer. Its ``close`` flushes first; where the broker is gone it fails halfway (read in 3.0)."""

    given_up = False

    def flush(self, timeout: float | None = None) -> None:
        """As before; nothing once ``given_up``."""
        if not self.given_up:
            super().flush(timeout)


class EventProducer:
    """Sends events to their topics under their keys, so that one key's events stay in order in one partition.

    Retries are the client's, without duplicates (idempotent producer). While no broker answers it waits and says so; what is not
    acknowledged within the patience fails, and the next ``send``, ``flush`` or ``close`` raises SendError. A context manager that
    closes.
    """

    def __init__(
        self,
        settings: Settings,
        patience_seconds: float = PATIENCE_SECONDS,
        sent: Sent | None = None,
        advice: str = _AGAIN,
    ) -> None:
        """Connect. ``sent`` takes in where each event stands once it is acknowledged; ``advice``: what is done about those that were not.
        Raises SendError where no broker answers.
        """
        self._settings, self._sent, self._advice = settings, sent, advice
        self._topics = {topic.name: settings.topic(topic) for topic in EVENT_TOPICS}
        self._patience = patience_seconds
        self._pending: deque[tuple[AnyEvent, Any]] = deque()
        self._failures = 0
        self._first_failure = ""
        milliseconds = round(patience_seconds * 1000)
        try:
            self._kafka = _Client(
                **kafka_python_options(settings),
                acks="all",
                enable_idempotence=True,
                compression_type="gzip",
                linger_ms=_LINGER_MS,
                batch_size=_BATCH_BYTES,
                delivery_timeout_ms=milliseconds,
                request_timeout_ms=min(30_000, milliseconds - _LINGER_MS),
                max_block_ms=min(round(_TELL_SECONDS * 1000), milliseconds),
                reconnect_backoff_max_ms=_RECONNECT_MS,
                allow_auto_create_topics=False,
            )
        except KafkaError as error:
            raise SendError(
                f"no Kafka broker answers at {settings.broker}: {with_remedy('Kafka', error)}; see DESKPULSE_BROKER"
            ) from error

    def send(self, event: AnyEvent) -> None:
        """Hand an event over; waits while too many are on their way. Raises SendError once any event has failed."""
        self._settle(MAX_PENDING - 1)
        topic, began = self._topics[event.carrier], monotonic()
        while True:
            try:
                future = self._kafka.send(topic, key=event.key.encode(), value=encode(event))
                break
            except KafkaTimeoutError as error:
                if self._lacks(topic):
                    raise SendError(f"the broker knows no topic {topic}: create the topics first ({error})") from error
                self._wait_on(monotonic() - began)
            except KafkaError as error:
                raise SendError(f"event {event.id} cannot be sent to {topic}: {with_remedy('Kafka', error)}") from error
        self._pending.append((event, future))

    def flush(self) -> None:
        """Wait until every event so far is acknowledged. Raises SendError where one was not."""
        self._settle(0)

    def _lacks(self, topic: str) -> bool:
        """Is there a broker that says that it has no such topic?"""
        try:
            return topic not in look(kafka_python_options(self._settings)).topics
        except UnreachableError:
            return False

    def _wait_on(self, seconds: float) -> None:
        """Say that nothing has been acknowledged for so long. Raises SendError when that is too long."""
        if seconds >= self._patience:
            raise SendError(f"no Kafka broker answers at {self._settings.broker} for {seconds:.0f} s; {self._advice}")
        log.warning(
            "the Kafka broker at %s has acknowledged nothing for %.0f s; %d events wait for it",
            *(self._settings.broker, seconds, len(self._pending)),
        )

    def close(self) -> None:
        """Flush, then let go of the connection in any case. Raises SendError where an event was not acknowledged."""
        try:
            self.flush()
        finally:
            self._drop()

    def _drop(self) -> None:
        self._kafka.given_up = True
        self._kafka.close(timeout=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:  # what went wrong first is what is told
            self._drop()

    def _settle(self, leave: int) -> None:
        """Let go of what is acknowledged; wait until no more than ``leave`` are on their way. Raises SendError."""
        while self._pending and (self._pending[0][1].is_done or len(self._pending) > leave):
            event, future = self._pending[0]
            try:
                self._acknowledged(future)
            except KafkaError as error:
                self._failures += 1
                self._first_failure = (
                    self._first_failure or f"{event.id} to {self._topics[event.carrier]}: {with_remedy('Kafka', error)}"
                )
            self._pending.popleft()
        if self._failures:
            raise SendError(
                f"{self._failures} or more events were not acknowledged, first {self._first_failure}; "
                f"{self._advice}: events that arrived already count once"
            )

    def _acknowledged(self, future: Any) -> None:
        """Wait for one of them. Raises KafkaError where the client has given it up, SendError where it never does."""
        began = monotonic()
        while not future.is_done:
            try:
                future.get(timeout=min(_TELL_SECONDS, self._patience))
            except KafkaTimeoutError:
                if not future.is_done:
                    self._wait_on(monotonic() - began)
        there = future.get(timeout=0)
        if self._sent is not None:
            self._sent.add((there.topic, there.partition), there.offset)
