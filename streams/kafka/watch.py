"""What becomes of topics while somebody reads them: another number of partitions, or another topic of the same name."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, NoError, for_code

from streams.kafka.connection import open_admin
from streams.settings import Settings

#: Not longer: a worker that is to end waits for a look that has begun.
_PATIENCE_MS = 3_000


@dataclass(frozen=True)
class TopicState:
    """``id``: what Kafka gives a topic when it is made, empty where the broker does not say; ``partitions``: how many it has."""

    id: str
    partitions: int


class TopicWatch:
    """Asks again and again, over one connection that is kept. Not for two threads at once."""

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self._settings, self._names = settings, sorted(names)
        self._admin: KafkaAdminClient | None = None

    def look(self) -> dict[str, TopicState]:
        """Those of the topics that are there, by name; blocks. Raises KafkaError or OSError where no Kafka answers."""
        try:
            if self._admin is None:
                self._admin = open_admin(self._settings, _PATIENCE_MS)
            told = self._admin.describe_topics(self._names)
        except (KafkaError, OSError):
            self.close()
            raise
        return {
            topic["name"]: TopicState(_known(topic.get("topic_id")), len(topic["partitions"]))
            for topic in told
            if for_code(topic["error_code"]) is NoError
        }

    def close(self) -> None:
        """Let go of the connection."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError, OSError):
                admin.close()


def _known(id: object) -> str:
    """An id as text; brokers before 2.8 have none, or only zeros."""
    text = str(id or "")
    return "" if set(text) <= {"0", "-"} else text
