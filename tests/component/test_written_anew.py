"""An operation that is written anew, in the middle of its work, with other offsets and more partitions, comes to the same figures."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.backup.rewriting import LAST_WORDS, ORDER, Message, Rewriter, as_written, last_words
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import DailyFacts
from streams.contracts.topics import Topic
from streams.entities.day_parts import decode_day, start
from streams.kpi.measures import merged
from streams.pipeline import run
from streams.roster import Roster
from streams.settings import Settings
from streams.worker.intake import Intake
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.state.progress import Progress
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore
from tests.component.test_misplaced import RECORDS, TAKE, everyone, month
from tests.support.operation import policy_file
from tests.support.records import proven
from tests.support.states import of_days

#: Topics that the worker of this test reads.
READ = (*topics.EVENT_TOPICS, topics.REKEYED, topics.CONTRIBUTIONS)
Place = tuple[str, int]


class Operation:
    """Topics in memory, whose offsets have gaps, and a worker that has all their partitions."""

    def __init__(self, directory: Path, prefix: str, partitions: int) -> None:
        self.settings = Settings(
            prefix=prefix, partitions=partitions, clock="event", data_dir=directory, policy_file=policy_file(directory)
        )
        self.home = Partitioner(partitions)
        #: By a topic's name without prefix, and partition.
        self.log: dict[Place, list[Message]] = defaultdict(list)
        self.ends: dict[Place, int] = {}

    def put(self, topic: str, number: int, message: Message, gap: int = 0) -> None:
        place = self.settings.prefix + topic, number
        offset = self.ends.get(place, 0) + gap
        self.log[topic, number].append(message._replace(offset=offset))
        self.ends[place] = offset + 1

    def take_up(self) -> None:
        """As a worker that takes over: all that was written, of daily facts from where its positions say."""
        stores = self.stores = {topic: ChangelogStore() for topic in STATE}
        for topic in (topics.PROGRESS, *(each for each in STATE if each is not topics.PROGRESS)):
            for number in range(self.settings.partitions):
                begin = 0
                if topic is topics.DAILY_FACTS:
                    progress = Progress()
                    progress.load_stored(stores[topics.PROGRESS], [number])
                    begin = start(progress.starts.get((self.settings.topic(topics.CONTRIBUTIONS), number), []))
                for message in self.log[topic.name, number]:
                    if message.offset >= begin:
                        stores[topic].restore(number, message.key or b"", message.value)
        self.processor = StreamProcessor(
            self.settings, (), Roster(), stores, self.ends, Partitioner(self.settings.partitions), Screens(self.settings), {},
            range(self.settings.partitions),
        )  # fmt: skip

    def commit(self, dice: random.Random) -> None:
        checkpoint = self.processor.checkpointer.prepare(None)
        for writes in checkpoint.writes.values():
            for (name, number), messages in writes.items():
                for index, (key, value, headers) in enumerate(messages):
                    topic = name.removeprefix(self.settings.prefix)
                    # Behind each transaction lies its marker.
                    self.put(topic, number, Message(0, 1, key, value, headers), gap=dice.randint(1, 3) * (not index))
        self.processor.checkpointer.complete(checkpoint)

    def waiting(self) -> list[tuple[Topic, int]]:
        taken = self.processor.progress.taken
        return [
            (topic, number)
            for topic in READ
            for number in range(self.settings.partitions)
            if (log := self.log[topic.name, number])
            and taken.get((self.settings.topic(topic), number), 0) <= log[-1].offset
        ]

    def work(self, dice: random.Random, turns: int | None = None) -> None:
        """Take in batches of any size from any place, now and then commit, or die and begin anew; to the end, or for so many ``turns``."""
        while turns is None or turns > 0:
            turns = None if turns is None else turns - 1
            waiting = self.waiting()
            if not waiting:
                self.commit(dice)
                if not self.waiting():
                    return
                continue
            topic, number = dice.choice(waiting)
            place = self.settings.topic(topic), number
            begin = self.processor.progress.taken.get(place, 0)
            batch = [message for message in self.log[topic.name, number] if message.offset >= begin][
                : dice.randint(1, 20)
            ]
            TAKE.get(topic.name, Intake.contacts)(self.processor.intake, place[0], number, batch)  # type: ignore[arg-type]
            self.processor.progress.take(place, batch[-1].offset + 1)
            if dice.random() < 0.3:
                self.commit(dice)
            if dice.random() < 0.1:
                self.take_up()

    def send(self, events: Iterable[AnyEvent], dice: random.Random, astray: float) -> None:
        for event in events:
            at_home = dice.random() >= astray
            number = self.home(event.key) if at_home else dice.randrange(self.settings.partitions)
            key = event.key.encode() if at_home else dice.choice([None, event.key.encode(), b"another"])
            self.put(event.carrier, number, Message(0, 1, key, encode(event), []))

    def written_anew(self, directory: Path, prefix: str, partitions: int) -> Operation:
        """As a restore writes it."""
        new = Operation(directory, prefix, partitions)
        rewriter = Rewriter(self.settings.prefix, prefix, self.settings.partitions, partitions)
        for topic in ORDER:
            for number in range(topic.partitions or self.settings.partitions):
                messages: Iterable[Message] = self.log[topic.name, number]
                for message in last_words(messages) if topic in LAST_WORDS else messages:
                    for target, said in rewriter.rewritten(topic, number, message):
                        for key, value in as_written(topic, said):
                            new.put(topic.name, target, said._replace(key=key, value=value))
        return new

    def stored(self, topic: Topic) -> dict[str, bytes]:
        """Key → what is stored; each key is in one partition only."""
        found: dict[str, bytes] = {}
        for number in range(self.settings.partitions):
            newest = {message.key.decode(): message.value for message in self.log[topic.name, number] if message.key}
            there = {key: value for key, value in newest.items() if value is not None}
            assert not there.keys() & found.keys()
            found |= there
        return found

    def facts(self) -> dict[str, DailyFacts]:
        """As they are stored, in parts."""
        return {key: decode_day(value) for key, value in self.stored(topics.DAILY_FACTS).items()}

    def days(self) -> dict[str, DailyFacts]:
        """Day of each entity, its parts added up."""
        found: dict[str, DailyFacts] = {}
        for key, facts in self.facts().items():
            of = key.partition("+")[0]
            found[of] = replace(facts, sums=merged([found[of].sums, facts.sums])) if of in found else facts
        return found


@pytest.mark.parametrize("astray", [0.0, 0.3])
@pytest.mark.parametrize(("before", "after"), [(2, 2), (2, 4), (1, 3), (4, 8)])
def test_written_anew_in_the_middle_of_its_work_it_goes_on_to_the_same_figures(
    tmp_path: Path, before: int, after: int, astray: float
) -> None:
    for seed in range(2):
        dice = random.Random(seed)
        events = sorted([*month(dice, people=25), *everyone()], key=lambda event: event.time)
        half = len(events) // 2
        old = Operation(tmp_path, "old.", before)
        old.send(events[:half], dice, astray)
        old.take_up()
        old.work(dice, turns=dice.randint(5, 60))
        new = old.written_anew(tmp_path, "new.", after)
        new.send(events[half:], dice, astray)
        new.take_up()
        new.work(dice)
        result = run([encode(event) for event in events], new.settings.policy)
        assert result.now is not None
        assert not any(new.log[topics.DEAD_LETTERS.name, number] for number in range(after))
        assert of_days(new.days(), result.now) == of_days(result.facts, result.now)
        proven({key: record for topic in RECORDS for key, record in new.stored(topic).items()}, new.facts())
        for topic in (topics.CUSTOMERS, topics.PRESENCE):
            for number in range(after):
                assert {new.home(key.decode()) for key in new.stores[topic].partition(number)} <= {number}
