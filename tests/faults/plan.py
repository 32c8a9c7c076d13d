"""What goes wrong, and when: drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

#: kill: a worker by SIGKILL, started again at once · freeze: a worker by SIGSTOP until its partitions have gone to others, then woken ·
#: join, leave: a worker more or less, in order · broker: Kafka killed and started again · away: Kafka not there for a minute ·
#: redis: Redis killed, and later started empty · recreate: a topic of which all has been read is deleted and made anew ·
#: history: a process of the history by SIGKILL, started again at once · database: the history's PostgreSQL killed and started again.
Kind = Literal["kill", "freeze", "join", "leave", "broker", "away", "redis", "recreate", "history", "database"]
#: Workers: between how many a plan moves.
LEAST, MOST = 1, 3


@dataclass(frozen=True)
class Fault:
    """``after``: seconds after the fault before; ``whom``: which of the running processes of its kind, as a share of them."""

    kind: Kind
    after: float
    whom: float


def plan(
    seed: int,
    *,
    kills: int,
    rebalances: int,
    brokers: int,
    redises: int,
    freezes: int = 0,
    aways: int = 0,
    recreations: int = 0,
    histories: int = 0,
    databases: int = 0,
    mean_seconds: float = 4.0,
) -> Iterator[Fault]:
    """Faults in random order, at random moments; workers come and go between one and three: 1 → 3 → 2 → …"""
    dice = random.Random(seed)
    kinds: list[str] = (
        ["kill"] * kills + ["move"] * rebalances + ["broker"] * brokers + ["redis"] * redises + ["freeze"] * freezes
    )
    kinds += ["away"] * aways + ["recreate"] * recreations
    kinds += ["history"] * histories + ["database"] * databases
    dice.shuffle(kinds)
    running, way = LEAST, 1
    for kind in kinds:
        after, whom = dice.uniform(0.1, 2 * mean_seconds), dice.random()
        if kind == "move":
            if not LEAST <= running + way <= MOST:
                way = -way
            running += way
            yield Fault("join" if way > 0 else "leave", after, whom)
        else:
            yield Fault(kind, after, whom)  # type: ignore[arg-type]
