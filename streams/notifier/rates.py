"""How often a channel may be told something: never so often that a robot mutes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """At most ``most`` messages in any ``seconds``."""

    most: int
    seconds: float


def free_at(rates: Sequence[Rate], sent: Sequence[int], now: int) -> int:
    """From when on one more may be sent, ms. ``sent``: when others were, in order; ms as ``now``."""
    free = now
    for rate in rates:
        if len(sent) >= rate.most:
            free = max(free, sent[-rate.most] + round(rate.seconds * 1000))
    return free
