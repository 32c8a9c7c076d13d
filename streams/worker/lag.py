"""How far a worker is behind in what it reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.contracts.records import Place
from streams.worker import metrics
from streams.worker.health import Health

#: Seconds of being behind after which screens say so.
_TOLD_SECONDS = 5.0


class Lag:
    """``contacts``, ``agents``: topics of contacts, and of agents' events, and partitions that are behind; ``told``: partition number →
    messages that wait, for screens.
    """

    def __init__(self, contacts: Collection[str], agents: Collection[str]) -> None:
        """The topics of each."""
        self._topics = contacts, agents
        self.contacts: set[Place] = set()
        self.agents: set[Place] = set()
        self.told: dict[int, int] = {}

    def measure(
        self,
        taken: Mapping[Place, int],
        committed: Mapping[Place, int],
        ends: Mapping[Place, int | None],
        health: Health,
    ) -> None:
        """Compare how far partitions have been taken in, and how far that is committed, with their ends; None is not known yet.

        Only what is committed counts as done: what is taken in and cannot be written is lag.
        """
        behind: dict[int, int] = {}
        lagging: set[Place] = set()
        for place, end in ends.items():
            topic, number = place
            lag = max(0, end - committed.get(place, 0)) if end is not None else 0
            metrics.LAG.labels(topic, number).set(lag)
            behind[number] = behind.get(number, 0) + lag
            if end is None or taken.get(place, 0) < end:
                lagging.add(place)
        self.contacts, self.agents = ({place for place in lagging if place[0] in own} for own in self._topics)
        health.lag(behind)
        self.told = behind if health.behind_seconds > _TOLD_SECONDS else dict.fromkeys(behind, 0)
