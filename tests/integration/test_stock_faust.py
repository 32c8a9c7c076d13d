"""The same input through stock Faust and through the batch path: equal tables, equal commits, equal recoveries.

Stock Faust is ``tests/support/stock_faust.py``, an event at a time on a prefix of its own; the other is the worker as it is. Both live
through the same story, and are compared at three moments of it, with each other and with a plain run over the same events.
Some events come late, some twice, some both a part of the story later.

What rightly differs is not compared:

- an entity's and a day's ``offset``: that of the last message of ``contributions`` in it, of which the worker writes one for a
  run of events and stock Faust one for an event and entity;
- a day's ``revision``: it counts the writes, one a cycle against one a message;
- an entity's ``alerts``: the worker looks at the rules from tick to tick, and stock Faust has no ticks;
- how far its time has come: the worker tells every partition, stock Faust learns from a partition's own messages. Both are brought
  to the moment of the newest event first, with what was planned until then and without whom the source has lost in the queue;
- entities and days with nothing in them: what is taken back within a run is never written by the worker;
- how a customer's contact is split into what is folded for good and the events after it: what follows from the two is compared.
"""

from __future__ import annotations

import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from secrets import token_hex
from threading import Thread
from time import sleep
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.contracts.decode import encode
from streams.contracts.events import ContactEvent
from streams.contracts.outputs import DailyFacts
from streams.contracts.topics import CONTACT_TOPICS, CUSTOMERS, DAILY_FACTS, ENTITIES
from streams.entities.entity import load as load_entity
from streams.kafka.connection import kafka_python_options
from streams.kafka.drained import wait_until_processed
from streams.kafka.topics import ensure_topics
from streams.pipeline import run
from streams.settings import Settings, environment
from streams.sources.simulated import simulate
from tests.support.operation import answers, messages, metric, send
from tests.support.states import differences, latest, of_customers, of_days, of_entities, stored_customers

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]

MOMENTS = ("undisturbed", "after an orderly stop amid the input", "after kill -9 at rest")
#: Events of each part of the story, before those that come twice.
PART = 600
#: Events a second while the two are stopped amid the input, and the seconds of it before they are.
PACE, AMID_SECONDS = 150, 1.5
RATHER_LATE, TWICE = 60, 0.06
#: How long either may take to process a part; the session of one that was killed takes 10 s of it.
PATIENCE_SECONDS = 45.0

_day = msgspec.json.Decoder(DailyFacts).decode


def desk() -> list[list[ContactEvent]]:
    """Three parts of a simulated morning: up to 60 places out of order, one in 17 twice, half of those in the next part."""
    dice = random.Random(20260302)
    contacts = (event for event in simulate(7, datetime(2026, 3, 2, 1, tzinfo=UTC)) if isinstance(event, ContactEvent))
    placed = [(number + dice.uniform(0, RATHER_LATE), event) for number, event in enumerate(islice(contacts, 3 * PART))]
    again = [
        (place + dice.choice((5, PART)), event)
        for place, event in placed
        if dice.random() < TWICE and place < 3 * PART - RATHER_LATE
    ]
    parts: list[list[ContactEvent]] = [[], [], []]
    for place, event in sorted(placed + again, key=lambda one: one[0]):
        parts[min(int(place // PART), 2)].append(event)
    return parts


# -- what was made ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """What an operation has come to: customers' contacts, entities and days in plain values; offset by topic and partition."""

    customers: Mapping[str, Any]
    entities: Mapping[str, Any]
    days: Mapping[str, Any]
    commits: Mapping[tuple[str, int], int]


def offsets(settings: Settings) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
    """(committed, end) by source topic and partition; what was never committed stands at 0."""
    client = KafkaConsumer(**kafka_python_options(settings), group_id=settings.group, enable_auto_commit=False)
    with closing(client) as consumer:
        places = [
            TopicPartition(settings.topic(topic), number)
            for topic in CONTACT_TOPICS
            for number in range(settings.partitions)
        ]
        ends = consumer.end_offsets(places)
        names = {place: (place.topic.removeprefix(settings.prefix), place.partition) for place in places}
        return (
            {name: consumer.committed(place) or 0 for place, name in names.items()},
            {name: ends[place] for place, name in names.items()},
        )


# -- the two, and their story -----------------------------------------------------------------------------------------


class Side(ABC):
    """One of the two: an operation, and the process that is at work on it."""

    #: Topics of its customers, entities and days, behind the prefix.
    customers: str
    entities: str
    days: str

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: ServerProcess | None = None
        self._runs = 0
        ensure_topics(settings)

    @abstractmethod
    def command(self) -> list[str]:
        """Arguments for Python."""

    def start(self) -> None:
        """Start its process."""
        self._runs += 1
        self.process = ServerProcess(
            [sys.executable, *self.command()],
            directory=self.settings.data_dir,
            log=self.settings.data_dir / f"run-{self._runs}.log",
            environment=environment(self.settings),
        )
        self.process.start()

    def stop(self) -> None:
        """Ask it to end; it must do so by itself."""
        assert self.process is not None
        assert self.process.exit_code is None, f"it had ended before:\n{self.process.last_words()}"
        self.process.stop()
        assert self.process.exit_code != -9, f"it did not end when it was asked to:\n{self.process.last_words()}"

    def kill(self) -> None:
        """End it without a word."""
        assert self.process is not None
        assert self.process.exit_code is None, f"it had ended before:\n{self.process.last_words()}"
        self.process.kill()

    def settled(self) -> None:
        """Wait until it has processed all there is."""
        assert self.process is not None
        try:
            wait_until_processed(self.settings, PATIENCE_SECONDS)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.process.last_words()}") from error

    def made(self, now: int) -> Made:
        """What it has come to."""
        settings = self.settings
        committed, ends = offsets(settings)
        assert committed == ends
        entities = latest(settings, self.entities)
        return Made(
            of_customers(stored_customers(settings, self.customers)),
            of_entities({key: load_entity(raw) for key, raw in entities.items()}, settings, now),
            of_days({key: _day(raw) for key, raw in latest(settings, self.days).items()}, now),
            committed,
        )

    def known(self) -> set[str]:
        """Ids of the events in its customers' state."""
        return {
            id
            for customer in stored_customers(self.settings, self.customers).values()
            for m in customer.contacts.values()
            for id in m.ids
        }

    def committed(self) -> set[str]:
        """Ids of the events before its commits."""
        until, _ = offsets(self.settings)
        return {
            msgspec.json.decode(record.value)["id"]
            for topic in CONTACT_TOPICS
            for record in messages(self.settings, topic.name)
            if record.offset < until[topic.name, record.partition]
        }


class Stock(Side):
    """Stock Faust."""

    customers, entities, days = (f"deskpulse-{name}-changelog" for name in ("customers", "entities", "days"))

    def command(self) -> list[str]:
        return ["-m", "tests.support.stock_faust"]


class Ours(Side):
    """The worker."""

    customers, entities, days = CUSTOMERS.name, ENTITIES.name, DAILY_FACTS.name
    metrics = ""

    def command(self) -> list[str]:
        port = free_port()
        self.metrics = f"http://127.0.0.1:{port}/metrics"
        return ["-m", "streams", "worker", "--metrics-port", str(port)]

    def start(self) -> None:
        super().start()
        assert self.process is not None
        answers(self.metrics, self.process)


@dataclass(frozen=True)
class Stopped:
    """An orderly stop: ids of the events that a side's customers hold, and of those before its commits."""

    known: set[str]
    committed: set[str]


@dataclass(frozen=True)
class Story:
    """What both came to, by moment, what a plain run gives, and what was found where they were stopped."""

    stock: dict[str, Made]
    ours: dict[str, Made]
    plain: dict[str, Made]
    stopped: dict[str, Stopped]
    #: Events that our worker read after the kill, and how many were sent.
    read_again: tuple[float, int]


def paced(events: Sequence[ContactEvent]) -> Iterator[ContactEvent]:
    """The events at ``PACE``."""
    for event in events:
        sleep(1 / PACE)
        yield event


@pytest.fixture(scope="module")
def story(kafka: Any, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Three parts: both at work; both stopped in order and started again amid the input; both killed at rest and started again."""

    def settings(directory: Path) -> Settings:
        return Settings(
            broker=kafka.address, redis=redis_url, prefix=f"t{token_hex(4)}.", partitions=2, data_dir=directory, clock="event"
        )  # fmt: skip

    ours = Ours(settings(tmp_path_factory.mktemp("ours")))
    stock = Stock(settings(tmp_path_factory.mktemp("stock")))
    both, parts = (stock, ours), desk()
    told = Story({}, {}, {}, {}, (0, 0))

    def look(moment: str, so_far: list[ContactEvent]) -> None:
        plain = run([encode(event) for event in so_far], ours.settings.policy)
        assert plain.now is not None
        assert not plain.rejected
        for side in both:
            side.settled()
        told.stock[moment], told.ours[moment] = stock.made(plain.now), ours.made(plain.now)
        entities = of_entities(plain.entities, ours.settings, plain.now)
        told.plain[moment] = Made({}, entities, of_days(plain.facts, plain.now), {})

    try:
        for side in both:
            side.start()
            send(side.settings, parts[0])
        look(MOMENTS[0], parts[0])

        feeds = [Thread(target=send, args=(side.settings, paced(parts[1]))) for side in both]
        for feed in feeds:
            feed.start()
        sleep(AMID_SECONDS)
        with ThreadPoolExecutor() as pool:  # at once: an orderly stop takes seconds, in which events go on arriving
            list(pool.map(Side.stop, both))
        for name, side in zip(("stock", "ours"), both, strict=True):
            told.stopped[name] = Stopped(side.known(), side.committed())
        for side in both:
            side.start()
        for feed in feeds:
            feed.join()
        look(MOMENTS[1], parts[0] + parts[1])

        for side in both:
            side.kill()
        for side in both:
            side.start()
            send(side.settings, parts[2])
        look(MOMENTS[2], [event for part in parts for event in part])
        read_again = metric(ours.metrics, "deskpulse_events_in_total"), len(parts[2])
    finally:
        for side in both:
            if side.process is not None:
                side.process.stop()
    return Story(told.stock, told.ours, told.plain, told.stopped, read_again)


# -- what is demanded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
def test_tables_are_equal(story: Story, moment: str) -> None:
    stock, ours, plain = story.stock[moment], story.ours[moment], story.plain[moment]
    assert len(ours.customers) > 50
    assert len(ours.days) > 30
    assert not differences(stock.customers, ours.customers)
    assert not differences(stock.entities, ours.entities)
    assert not differences(stock.days, ours.days)
    # Equal they could be in error, too: nothing is missing and nothing is in it twice.
    assert not differences(plain.entities, ours.entities)
    assert not differences(plain.days, ours.days)


@pytest.mark.parametrize("moment", MOMENTS)
def test_commits_are_equal_and_at_the_ends(story: Story, moment: str) -> None:
    """That each stands at the ends was seen when its tables were read."""
    events = sum(map(len, desk()[: MOMENTS.index(moment) + 1]))
    assert sum(story.ours[moment].commits.values()) == events
    assert not differences(story.stock[moment].commits, story.ours[moment].commits)


@pytest.mark.parametrize("side", ["stock", "ours"])
def test_an_orderly_stop_leaves_state_and_commits_at_one_point(story: Story, side: str) -> None:
    first, second, _ = desk()
    stopped, before, all_ = story.stopped[side], {e.id for e in first}, {e.id for e in first + second}
    assert before < stopped.known < all_, "it was to be stopped amid the input"
    assert not stopped.committed - stopped.known, "committed, but not in the state: lost"
    assert not stopped.known - stopped.committed, "in the state, but not committed: read again"


def test_after_a_kill_at_rest_nothing_is_read_again(story: Story) -> None:
    read, sent = story.read_again
    assert read == sent
