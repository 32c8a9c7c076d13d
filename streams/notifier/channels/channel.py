"""What every channel is: something that tries to tell once, and says truly what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from streams.notifier.message import Message
from streams.notifier.rates import Rate

#: told: the channel has confirmed it. refused: it will not take this message, ever. unavailable: it was not told, surely; later it may be.
#: unknown: it may have been told or not.
Result: TypeAlias = Literal["told", "refused", "unavailable", "unknown"]
#: How a channel wants several steps that wait. each: one by one. digest: few messages, for people. state: what is now, for systems.
Gathering: TypeAlias = Literal["each", "digest", "state"]


@dataclass(frozen=True)
class Outcome:
    """What came of a try. ``said``: the channel's own word, without secrets; ``wait_seconds``: for how long it wants to be left alone,
    None: it has not said.
    """

    result: Result
    said: str = ""
    wait_seconds: float | None = None


@dataclass(frozen=True)
class Parcel:
    """What is sent. ``key``: the same at every try, whoever gets both knows them as one; ``data``: the same for programs, as JSON;
    ``copy``: a try before this one may have arrived.
    """

    key: str
    message: Message
    data: dict[str, Any]
    at: datetime
    copy: bool = False


class Channel(Protocol):
    """One way to tell."""

    #: How often it may be told something; ``robot``: channels of the same one share these. No secret.
    rates: tuple[Rate, ...]
    robot: str
    gathering: Gathering
    #: Seconds within which a try has ended.
    deadline_seconds: float

    def send(self, parcel: Parcel) -> Outcome:
        """Try once; blocks. Raises nothing: what went wrong is the outcome."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
