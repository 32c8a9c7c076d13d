"""A partition that a worker keeps through a rebalance goes on where it was: nothing of it is read again, refused again, told again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.roster import Roster
from streams.settings import Settings
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from streams.worker.state.restore import STATE
from streams.worker.state.store import ChangelogStore

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Record:
    """Of Kafka."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: tuple[tuple[str, bytes], ...] = ()


class Worker:
    """Partitions 0 and 1 of a worker whose processor is made anew at each rebalance, over stores that stay."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(partitions=2, clock="event", data_dir=directory)
        self.stores = {topic: ChangelogStore() for topic in STATE}
        self.topic_ids: dict[str, str] = {}
        self.letters: list[tuple[str, str, str]] = []
        self.rebalance()

    def rebalance(self) -> None:
        """Partitions go and come back; all that is written is in the stores."""
        self.processor = StreamProcessor(
            self.settings, (), Roster(), self.stores, {}, Partitioner(2), Screens(self.settings), self.topic_ids, {0, 1}
        )

    def take(self, topic: str, number: int, records: list[Record]) -> None:
        """Those of these records that come next, as the consumer delivers them."""
        position = self.processor.progress.taken.get((topic, number), 0)
        batch = [record for record in records if record.offset >= position]
        if batch:
            take_in = self.processor.intake.presence if topic == "agents" else self.processor.intake.contacts
            take_in(topic, number, batch)
            self.processor.progress.take((topic, number), batch[-1].offset + 1)

    def checkpoint(self) -> None:
        """All of it is committed."""
        checkpoint = self.processor.checkpointer.prepare(None)
        for writes in checkpoint.writes.values():
            for (topic, _), messages in writes.items():
                for _, _, headers in messages if topic == "dead-letters" else ():
                    told = {name: value.decode() for name, value in headers}
                    self.letters.append((told["topic"], told["partition"], told["offset"]))
        self.processor.checkpointer.complete(checkpoint)


def calls(count: int) -> list[Record]:
    """Every third one is broken."""
    good = [
        encode(e.CallQueued(id=f"e{n}", source="s", time=NINE + timedelta(seconds=n), contact_id=f"c{n}", queue_id="q"))
        for n in range(count)
    ]
    return [Record(b"k", b"not json" if number % 3 == 0 else raw, number) for number, raw in enumerate(good)]


def test_nothing_is_read_again_after_any_number_of_rebalances(tmp_path: Path) -> None:
    worker, records = Worker(tmp_path), calls(60)
    for end in (20, 40, 60):
        for number in (0, 1):
            worker.take("calls", number, records[:end])
        worker.checkpoint()
        worker.rebalance()
        assert {worker.processor.progress.taken["calls", number] for number in (0, 1)} == {end}
    assert len(worker.letters) == 40
    assert len(set(worker.letters)) == 40


def test_so_it_is_with_agents_and_with_contributions(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    states = [
        Record(
            b"a",
            encode(
                e.AgentStateChanged(
                    id=f"s{n}", source="s", time=NINE + timedelta(minutes=n), agent_id="a", state="away"
                )
            ),
            n,
        )
        for n in range(9)
    ]
    for end in (3, 6, 9):
        worker.take("agents", 0, states[:end])
        worker.checkpoint()
        sent = [Record(None, b'{"clock":%d}' % end, end - 1)]
        worker.processor.intake.kpis("contributions", 1, sent)
        worker.processor.progress.take(("contributions", 1), end)
        worker.checkpoint()
        worker.rebalance()
        assert worker.processor.progress.taken == {("agents", 0): end, ("contributions", 1): end}
        assert worker.processor.progress.clock(("contributions", 1)).now == end


def test_what_every_store_holds_is_what_was_written(tmp_path: Path) -> None:
    """Whatever goes to a topic of state goes through its store: a store and its topic cannot part."""
    worker, topic_of = Worker(tmp_path), {topic.name: topic for topic in STATE}
    written: dict[str, dict[bytes, bytes]] = {name: {} for name in topic_of}
    for end in (7, 30, 31, 60):
        worker.take("calls", 0, calls(end))
        checkpoint = worker.processor.checkpointer.prepare(None)
        for (topic, _), messages in checkpoint.writes[0].items():
            for key, value, _ in messages if topic in topic_of else ():
                assert key is not None
                if value is None:
                    written[topic].pop(key, None)
                else:
                    written[topic][key] = value
        worker.processor.checkpointer.complete(checkpoint)
    assert {name: dict(worker.stores[topic].partition(0)) for name, topic in topic_of.items()} == written
    assert written[topics.PROGRESS.name]
    assert written[topics.CUSTOMERS.name]


def test_a_topic_found_to_be_another_by_its_offsets_first_is_begun_anew_once(tmp_path: Path) -> None:
    """Its id may be seen later, by this worker or by one that takes over: what was taken in of it meanwhile stands."""
    worker = Worker(tmp_path)
    worker.topic_ids["calls"] = "old"
    worker.take("calls", 0, calls(40))
    worker.checkpoint()
    worker.processor.progress.begin_anew(("calls", 0), 0)
    worker.take("calls", 0, calls(15))
    worker.checkpoint()
    worker.topic_ids["calls"] = "new"
    for _ in range(2):
        worker.rebalance()
        assert worker.processor.progress.made_anew == set()
        assert worker.processor.progress.taken["calls", 0] == 15
        worker.checkpoint()
    worker.topic_ids["calls"] = "newest"
    worker.rebalance()
    assert worker.processor.progress.made_anew == {("calls", 0)}
