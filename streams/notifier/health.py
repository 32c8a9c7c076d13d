"""How the notifier is: does it follow incidents and cases, do its channels work, what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.health_pages import FOLLOWER_STATES, FollowerHealth, FollowerState

#: Incidents that may wait without the notifier being behind. Of records a busy hour may wait: cases have hours.
_REACH, _RECORDS_REACH = 100, 100_000


@dataclass
class Health:
    """What the notifier says of itself. ``channels``: how each stands, by its name; ``incidents``: of the thread that follows them;
    ``cases``: of the one that keeps cases and tells digests.
    """

    channels: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    sends: bool = True
    incidents: FollowerHealth = field(default_factory=lambda: FollowerHealth(reach=_REACH))
    cases: FollowerHealth = field(default_factory=lambda: FollowerHealth(reach=_RECORDS_REACH))

    def state(self) -> FollowerState:
        """In one word: that of the worse of the two."""
        return min((self.incidents.state(), self.cases.state()), key=FOLLOWER_STATES.index)

    def alive(self) -> bool:
        """Should it be left alone? Where Kafka or a channel is away, starting again would not help."""
        return self.incidents.alive() and self.cases.alive()

    def ready(self) -> bool:
        """Does it follow the topics?"""
        return self.incidents.ready() and self.cases.ready()

    def told(self) -> dict[str, Any]:
        """What its pages say."""
        return {
            **self.incidents.told(),
            "state": self.state(),
            "sends": self.sends,
            "cases": self.cases.told(),
            "channels": self.channels(),
        }
