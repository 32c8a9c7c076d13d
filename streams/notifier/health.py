"""How the notifier is: does it follow the topic, do its channels work, what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal

State = Literal["starting", "following", "behind", "stalled", "ended"]

#: Seconds without an answer of Kafka's, and without any sign of the thread that asks it.
_SILENT_SECONDS, _STALLED_SECONDS = 30.0, 120.0
#: Messages that may wait without the notifier being behind.
_REACH = 100


@dataclass
class Health:
    """What the notifier says of itself. ``clock`` gives seconds that only rise; ``channels``: how each stands, by its name."""

    channels: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    clock: Callable[[], float] = monotonic
    sends: bool = True
    _beat: float = field(init=False)
    _heard: float | None = field(init=False, default=None)
    _behind: int = field(init=False, default=0)
    _trouble: str | None = field(init=False, default=None)
    _ended: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._beat = self.clock()

    def beat(self) -> None:
        """The thread that follows the topic runs."""
        self._beat = self.clock()

    def heard(self, behind: int) -> None:
        """Kafka has answered, and everything read is written; ``behind``: messages that wait."""
        self._beat = self._heard = self.clock()
        self._behind, self._trouble = behind, None

    def trouble(self, why: str) -> None:
        """What is in the way."""
        self._trouble = why

    def end(self) -> None:
        """Nothing is followed any more."""
        self._ended = True

    def state(self) -> State:
        """In one word."""
        now = self.clock()
        if self._ended:
            return "ended"
        if now - self._beat > _STALLED_SECONDS:
            return "stalled"
        if self._heard is None:
            return "starting"
        return "behind" if now - self._heard > _SILENT_SECONDS or self._behind > _REACH else "following"

    def alive(self) -> bool:
        """Should it be left alone? Where Kafka or a channel is away, starting again would not help."""
        return self.state() not in ("stalled", "ended")

    def ready(self) -> bool:
        """Does it follow the topic?"""
        return self.state() == "following"

    def told(self) -> dict[str, Any]:
        """What its pages say."""
        return {
            "state": self.state(),
            "sends": self.sends,
            "behind": self._behind,
            **({"reason": self._trouble} if self._trouble else {}),
            "channels": self.channels(),
        }
