"""The topics that a worker reads, as Kafka has them now: is one another than it was, has one other partitions than this operation?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from streams.kafka.watch import TopicState, TopicWatch
from streams.settings import Settings


class StaleStateError(Exception):
    """What is to be read is not what the state follows from; the message says what to do."""


class SourceTopics:
    """``ids``: topic → its id, as of the last look. A topic that is made anew under the same name gets another."""

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self._partitions = settings.partitions
        self._watch = TopicWatch(settings, names)
        self._looking = asyncio.Lock()
        self.ids: dict[str, str] = {}
        #: Those that had another number of partitions when that was last checked.
        self._odd: set[str] = set()

    async def made_anew(self) -> bool:
        """Is one of them another now than at the last look? Raises KafkaError (kafka-python's) or OSError where no Kafka answers."""
        _, anew = await self._look()
        return anew

    async def check(self) -> bool:
        """As ``made_anew``. Raises StaleStateError where one has not the partitions of this operation, at two checks in a row: one
        that is being made has none for a moment.
        """
        found, anew = await self._look()
        odd = {topic for topic, state in found.items() if state.partitions != self._partitions}
        for topic in sorted(odd & self._odd):
            raise StaleStateError(
                f"{topic} has {found[topic].partitions} partitions, this operation has {self._partitions}: what goes to the "
                "others is not counted, and customers are looked for where they are not; another number needs a new operation: set "
                "DESKPULSE_PARTITIONS and another DESKPULSE_PREFIX, and replay the events"
            )
        self._odd = odd
        return anew

    async def _look(self) -> tuple[dict[str, TopicState], bool]:
        async with self._looking:
            found = await asyncio.to_thread(self._watch.look)
            ids = {topic: state.id for topic, state in found.items()}
            anew = any(self.ids.get(topic, id) != id for topic, id in ids.items())
            self.ids.update(ids)
        return found, anew

    async def close(self) -> None:
        """Let go of the connection."""
        await asyncio.to_thread(self._watch.close)
