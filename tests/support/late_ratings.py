"""Days of calls, ratings and agents' states, and when each is told: some of it late, corrected, taken back."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from streams.contracts import events as e
from streams.contracts.events import AnyEvent


def days(
    dice: random.Random, begins: datetime, many: int, calls: int = 130, every: int = 40
) -> list[tuple[float, AnyEvent]]:
    """So many days of so many calls, one in ``every`` seconds on average, and when each event is told (seconds after ``begins``), in that
    order. Of the ratings one in five is minutes or hours late, one in eleven is taken back, one in thirteen corrected; a third of a day's are bad.
    """
    told: list[tuple[float, AnyEvent]] = []

    def tell(event: AnyEvent, late: float = 0) -> None:
        told.append(((event.time - begins).total_seconds() + late, event))

    for day in range(many):
        for number in range(calls):
            at = begins + timedelta(days=day, seconds=number * every + dice.randint(0, every))
            agent = {"agent_id": f"a{number % 5}", "team_id": f"t{number % 2}"}
            call = {
                "source": "s",
                "contact_id": f"c{day}-{number}",
                "customer_id": f"k{number % 40}",
                "queue_id": f"q{number % 3}",
            }
            wait = dice.choice((3, 10, 45, 130))
            bad = dice.random() < (0.6 if calls / 3 < number < 2 * calls / 3 else 0.1)
            tell(e.CallQueued(id="1", time=at, **call), dice.choice((0, 0, 20)))
            tell(e.CallAnswered(id="2", time=at + timedelta(seconds=wait), wait_seconds=wait, **agent, **call))
            ended = at + timedelta(seconds=wait + 60)
            tell(e.CallEnded(id="3", time=ended, talk_seconds=60, **agent, **call))
            late = dice.choice((0,) * 12 + (700, 2500, 20_000))
            tell(e.CallRated(id="4", time=ended, score=1 if bad else 5, scale="1-5", **call), late)
            if number % 11 == 0:
                tell(e.CallRetracted(id="5", time=ended + timedelta(seconds=900), corrects="4", **call), late)
            if number % 13 == 0:
                tell(e.CallCorrected(id="6", time=ended + timedelta(seconds=500), corrects="4", score=1, **call), late)
            state = dice.choice(("available", "away", "available", "break"))
            tell(e.AgentStateChanged(id=f"s{day}-{number}", source="s", time=at, state=state, **agent))  # type: ignore[arg-type]
    return sorted(told, key=lambda each: each[0])
