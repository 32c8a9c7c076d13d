"""Events in any partition but their key's: they go on to it, once, and the figures are those of events that were in theirs."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.contacts import customer as customers
from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AgentState, AnyEvent
from streams.contracts.outputs import DailyFacts
from streams.entities.day_parts import decode_day
from streams.kpi.measures import merged
from streams.pipeline import run
from streams.roster import Roster
from streams.settings import Settings
from streams.worker import metrics
from streams.worker.intake import Intake
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore
from tests.support.operation import policy_file
from tests.support.records import proven
from tests.support.states import of_customers, of_days

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PARTITIONS = 4
RECORDS = (topics.CONTACT_RECORDS, topics.PRESENCE_RECORDS)
TAKE = {
    topics.AGENTS.name: Intake.presence,
    topics.REKEYED.name: Intake.rekeyed,
    topics.CONTRIBUTIONS.name: Intake.kpis,
}


@dataclass
class Record:
    """Of Kafka."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: list[tuple[str, bytes]] = field(default_factory=list)


class Operation:
    """Topics in memory and a worker that has all their partitions. What a checkpoint writes is there at once."""

    def __init__(self, directory: Path, **policy: object) -> None:
        self.settings = Settings(
            partitions=PARTITIONS, clock="event", data_dir=directory, policy_file=policy_file(directory, **policy)
        )
        self.home = Partitioner(PARTITIONS)
        self.records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.stores = {topic: ChangelogStore() for topic in STATE}
        self.take_up()

    def take_up(self) -> None:
        """All that was written, and nothing else, is known to a new worker."""
        for topic in STATE:
            store = self.stores[topic] = ChangelogStore()
            for number in range(PARTITIONS):
                for record in self.records[topic.name, number]:
                    assert record.key is not None
                    store.restore(number, record.key, record.value)
        self.processor = StreamProcessor(
            self.settings, (), Roster(), self.stores, {}, Partitioner(PARTITIONS), Screens(self.settings), {}, range(PARTITIONS)
        )  # fmt: skip

    def put(
        self, topic: str, number: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        place = self.records[topic, number]
        place.append(Record(key, value, len(place), headers))

    def commit(self) -> None:
        checkpoint = self.processor.checkpointer.prepare(None)
        for writes in checkpoint.writes.values():
            for (topic, number), messages in writes.items():
                for message in messages:
                    self.put(topic, number, *message)
        self.processor.checkpointer.complete(checkpoint)

    def work(self, dice: random.Random) -> None:
        """Take in all there is, in batches of any size from any place; now and then commit, or begin anew. In the end, records prove the
        facts.
        """
        self.turns(dice)
        proven(
            {key: record for topic in RECORDS for key, record in self.stored(topic).items()},
            {key: decode_day(day) for key, day in self.stored(topics.DAILY_FACTS).items()},
        )

    def turns(self, dice: random.Random) -> None:
        """The same without the proof."""
        state = {topic.name for topic in (*STATE, *RECORDS, topics.DEAD_LETTERS, topics.ALERTS)}
        while True:
            taken = self.processor.progress.taken
            waiting = [
                place
                for place, all_ in self.records.items()
                if place[0] not in state and taken.get(place, 0) < len(all_)
            ]
            if not waiting:
                self.commit()
                if not any(
                    taken.get(place, 0) < len(all_) for place, all_ in self.records.items() if place[0] not in state
                ):
                    break
                continue
            topic, number = place = dice.choice(sorted(waiting))
            begin = taken.get(place, 0)
            batch = self.records[place][begin : begin + dice.randint(1, 20)]
            TAKE.get(topic, Intake.contacts)(self.processor.intake, topic, number, batch)
            self.processor.progress.take(place, begin + len(batch))
            if dice.random() < 0.3:
                self.commit()
            if dice.random() < 0.1:
                self.take_up()

    def stored(self, topic: topics.Topic) -> dict[str, bytes]:
        """Key → what is stored; each key is in one partition only, its own."""
        found: dict[str, bytes] = {}
        for number in range(PARTITIONS):
            newest = {record.key.decode(): record.value for record in self.records[topic.name, number] if record.key}
            assert not newest.keys() & found.keys()
            found |= {key: value for key, value in newest.items() if value is not None}
        return found

    def days(self) -> dict[str, DailyFacts]:
        """Day of each entity, its parts added up."""
        found: dict[str, DailyFacts] = {}
        for key, value in self.stored(topics.DAILY_FACTS).items():
            day, of = decode_day(value), key.split("+")[0]
            found[of] = replace(day, sums=merged([found[of].sums, day.sums])) if of in found else day
        return found

    def letters(self) -> list[dict[str, bytes]]:
        """Headers of the dead letters."""
        return [dict(each.headers) for n in range(PARTITIONS) for each in self.records[topics.DEAD_LETTERS.name, n]]


def month(dice: random.Random, people: int = 60) -> list[AnyEvent]:
    """Twelve days: each customer calls and writes a few times, agents come and go."""
    events: list[AnyEvent] = []
    for number in range(people):
        who = {"customer_id": f"k{number}", "queue_id": f"q{number % 3}", "source": "s"}
        for n in range(3):
            at = NINE + timedelta(days=dice.randint(0, 11), seconds=dice.randint(0, 30_000))
            call = {"contact_id": f"c{number}-{n}", **who}
            events += [
                e.CallQueued(id="1", time=at, **call),
                e.CallAnswered(id="2", time=at + timedelta(seconds=9), agent_id=f"a{n}", wait_seconds=9, **call),
                e.CallEnded(
                    id="3", time=at + timedelta(seconds=99), agent_id=f"a{n}", resolved=n > 1, talk_seconds=90, **call
                ),
            ]
            chat = {"contact_id": f"x{number}-{n}", **who}
            events += [
                e.ChatStarted(id="1", time=at + timedelta(seconds=300), **chat),
                e.ChatMessage(id="2", time=at + timedelta(seconds=301), sender="customer", **chat),
                e.ChatMessage(id="3", time=at + timedelta(seconds=310), sender="agent", agent_id=f"a{n}", **chat),
                e.ChatEnded(id="4", time=at + timedelta(seconds=400), resolved=n > 0, **chat),
            ]
            ticket = {"contact_id": f"t{number}-{n}", **who}
            events += [
                e.TicketCreated(id="1", time=at + timedelta(seconds=200), **ticket),
                e.TicketReplied(id="2", time=at + timedelta(seconds=900), agent_id=f"a{n}", **ticket),
            ]
    return sorted(events, key=lambda event: event.time)


def everyone() -> list[AnyEvent]:
    """The first day of three agents."""
    states: list[AgentState] = ["available", "away", "offline"]
    return [
        e.AgentStateChanged(
            id=f"s{n}", source="s", time=NINE + timedelta(minutes=7 * n), agent_id=f"a{n % 3}", state=states[n % 5 % 3]
        )
        for n in range(60)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_whoever_produced_the_figures_are_those_of_the_undisturbed_run(tmp_path: Path, seed: int) -> None:
    dice, operation = random.Random(seed), Operation(tmp_path)
    events = [*month(dice), *everyone()]
    before = metrics.MISPLACED.labels("calls")._value.get()
    for event in events:
        at_home = event.carrier == "calls" and seed % 2 == 0
        number = operation.home(event.key) if at_home else dice.randrange(PARTITIONS)
        key = dice.choice([None, event.key.encode(), b"another"])
        operation.put(event.carrier, number, key, encode(event), [])
    operation.work(dice)
    result = run([encode(event) for event in events], operation.settings.policy)
    assert not result.rejected
    assert not operation.letters()
    assert result.now is not None
    assert of_days(operation.days(), result.now) == of_days(result.facts, result.now)
    kept = {key: customers.load(raw, key) for key, raw in operation.stored(topics.CUSTOMERS).items()}
    assert of_customers(kept).keys() == of_customers(result.customers).keys()
    for topic in (topics.CUSTOMERS, topics.PRESENCE):
        for number in range(PARTITIONS):
            assert {operation.home(key.decode()) for key in operation.stores[topic].partition(number)} <= {number}
    assert (metrics.MISPLACED.labels("calls")._value.get() > before) == bool(seed % 2)


def threads(days: int = 20, people: int = 8) -> list[AnyEvent]:
    """A question and its answer a day, in one chat of each customer, for longer than the allowed lateness."""
    told: list[AnyEvent] = []
    for number in range(people):
        chat = {"contact_id": f"x{number}", "customer_id": f"k{number}", "queue_id": "q", "source": "s"}
        for day in range(days):
            at = NINE + timedelta(days=day, minutes=number)
            told += [
                e.ChatMessage(id=f"q{day}", time=at, sender="customer", **chat),
                e.ChatMessage(id=f"a{day}", time=at + timedelta(seconds=5), sender="agent", agent_id="a", **chat),
            ]
    return sorted(told, key=lambda event: event.time)


@pytest.mark.parametrize("seed", range(2))
def test_threads_of_weeks_are_counted_in_order_however_far_apart_partitions_are_read(tmp_path: Path, seed: int) -> None:
    """Null keys, spread over all partitions but the customer's own."""
    dice, operation, events = random.Random(seed), Operation(tmp_path), threads()
    for event in events:
        number = (operation.home(event.key) + dice.randint(1, PARTITIONS - 1)) % PARTITIONS
        operation.put(event.carrier, number, None, encode(event), [])
    operation.work(dice)
    result = run([encode(event) for event in events], operation.settings.policy)
    assert result.now is not None
    assert not operation.letters()
    assert of_days(operation.days(), result.now) == of_days(result.facts, result.now)


def test_what_is_folded_for_good_does_not_count_again_by_another_partition(tmp_path: Path) -> None:
    """Time has not come far in the other partition, which knows nothing of what was before."""
    dice, operation, events = random.Random(1), Operation(tmp_path), threads(people=1)
    for event in events:
        operation.put(event.carrier, operation.home(event.key), event.key.encode(), encode(event), [])
    operation.work(dice)
    assert not operation.letters()
    for event in events:
        number = (operation.home(event.key) + 1) % PARTITIONS
        operation.put(event.carrier, number, event.key.encode(), encode(event), [])
    operation.work(dice)
    result = run([encode(event) for event in events], operation.settings.policy)
    assert result.now is not None
    assert of_days(operation.days(), result.now) == of_days(result.facts, result.now)
    assert {letter["reason"] for letter in operation.letters()} == {b"too_late"}
