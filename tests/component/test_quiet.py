"""Agents who have left, and queues that are no more, leave state and screens; nothing that is counted changes, and who returns counts."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.pipeline import run
from streams.worker.health import Health
from tests.component.test_misplaced import NINE, Operation
from tests.support.states import of_days


def calls(agent: str, queue: str, first: int, last: int) -> list[AnyEvent]:
    """A call a day, and the agent's states around it."""
    told: list[AnyEvent] = []
    for day in range(first, last):
        at = NINE + timedelta(days=day)
        base = {"source": "s", "contact_id": f"{agent}{day}", "customer_id": f"k{agent}", "queue_id": queue}
        told += [
            e.AgentStateChanged(id=f"{day}a", source="s", time=at, agent_id=agent, team_id="t", state="available"),
            e.CallAnswered(id="1", time=at + timedelta(minutes=1), agent_id=agent, team_id="t", wait_seconds=3, **base),
            e.CallEnded(id="2", time=at + timedelta(minutes=2), agent_id=agent, team_id="t", talk_seconds=50, **base),
        ]
        if day % 2:  # on the other days nobody has logged out
            told.append(
                e.AgentStateChanged(
                    id=f"{day}o", source="s", time=at + timedelta(hours=8), agent_id=agent, team_id="t", state="offline"
                )
            )
    return told


class Watched(Operation):
    """An operation whose screens are told of; ``off``: what was taken off them."""

    def take_up(self) -> None:
        super().take_up()
        feed = self.processor.checkpointer._screens
        gone = feed.gone
        self.off: set[str] = getattr(self, "off", set())

        def watched(entities: set[str], agents: set[str]) -> None:
            self.off |= {*entities, *agents}
            gone(entities, agents)

        feed.gone = watched  # type: ignore[method-assign]


def test_who_is_silent_for_as_long_as_days_are_held_leaves(tmp_path: Path) -> None:
    dice, operation = random.Random(1), Watched(tmp_path)
    stays, left = calls("stays", "open", 0, 60), calls("left", "closed", 0, 5)
    back = calls("left", "closed", 40, 42)
    backlog = e.TicketCreated(
        id="1", time=NINE, source="s", contact_id="t1", customer_id="k9", queue_id="waits", agent_id="holds"
    )
    events = sorted([*stays, *left, backlog], key=lambda event: event.time)
    for begin, end in ((0, 4), (4, 30), (30, 60)):
        for event in [*events, *back]:
            if begin <= (event.time - NINE).days < end:
                operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
        operation.work(dice)
        for _ in range(20):
            operation.commit()
        entities = operation.stored(topics.ENTITIES)
        there = {"queue|closed", "agent|left"} & entities.keys()
        if begin == 0:
            assert len(there) == 2
        elif begin == 4:
            assert not there
            assert "left" not in operation.stored(topics.PRESENCE)
            assert operation.off >= {"queue|closed", "agent|left", "left"}
        else:
            assert not operation.off & {"agent|stays", "queue|open", "stays", "team|t", "all|all"}
            assert {"agent|stays", "queue|open", "queue|waits", "team|t", "all|all"} <= entities.keys()
    result = run(
        [encode(event) for event in sorted([*events, *back], key=lambda event: event.time)], operation.settings.policy
    )
    assert not result.rejected
    assert result.now is not None
    assert of_days(operation.days(), result.now) == of_days(result.facts, result.now)


class Behind(Operation):
    """An operation in which some records have not been read yet: it knows that they are there."""

    def __init__(self, directory: Path) -> None:
        self.ends: dict[tuple[str, int], int | None] = {}
        super().__init__(directory)

    def commit(self) -> None:
        taken = self.processor.progress.taken
        ends = {place: len(records) for place, records in self.records.items()} | self.ends
        self.processor.lag.measure(taken, taken, ends, Health())
        super().commit()


def test_an_agent_whose_events_wait_is_not_quiet(tmp_path: Path) -> None:
    """Calls of two months are taken in while what agents did from the second day on still waits: nobody has left."""
    operation, dice = Behind(tmp_path), random.Random(1)
    events = sorted(calls("a", "q", 0, 60), key=lambda event: event.time)
    for event in events:
        operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
    agents = topics.AGENTS.name, operation.home("a")
    waiting, operation.records[agents] = operation.records[agents], operation.records[agents][:2]
    operation.ends[agents] = len(waiting)
    operation.work(dice)
    for _ in range(20):
        operation.commit()
    assert "a" in operation.stored(topics.PRESENCE)
    operation.records[agents] = waiting
    operation.work(dice)
    result = run([encode(event) for event in events], operation.settings.policy)
    assert result.now is not None
    assert of_days(operation.days(), result.now) == of_days(result.facts, result.now)
