"""Messages become files that hold each of them once, whenever the process that makes them is killed."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from streams.archive.files import rows, whole
from streams.archive.store import Store, span_of
from streams.archive.verifying import verify
from tests.support.archives import NAMES, Record, Topics, archived, begun

DAY_MS = 86_400_000
NOON = 20_514 * DAY_MS + DAY_MS // 2  # 2026-03-02
CALLS = "calls", 0


def a_log(seed: int, count: int = 60) -> Topics:
    """Three partitions with holes, refused bytes, tombstones and times that go back."""
    die, topics = random.Random(seed), Topics()
    for number in range(count):
        place = die.choice([("calls", 0), ("calls", 1), ("agents", 0)])
        if die.random() < 0.2:
            topics.skip(place, die.randint(1, 3))
        at = NOON + number * DAY_MS // 20 - die.choice([0, 0, 0, DAY_MS // 10])
        value = die.choice([b'{"a":1}', b"\xff\x00", None, b""])
        topics.put(place, at, die.choice([None, b"k"]), value, headers=(("h", b"\x00x"),) if number % 3 else ())
    return topics


def held(store: Store) -> dict[tuple[str, int], list[Record]]:
    """What the files hold."""
    names = ("offset", "timestamp", "key", "value", "headers")
    found: dict[tuple[str, int], list[Record]] = {}
    for place, spans in store.spans(NAMES).items():
        for span in spans:
            for offset, at, key, value, headers in rows(whole(store, span), *names):
                own = tuple((header["name"], header["content"]) for header in headers)
                found.setdefault(place, []).append(Record(offset, at, key, value, own))
    return found


def test_each_message_is_kept_as_it_came(tmp_path: Path) -> None:
    topics = a_log(1)
    store = archived(topics, tmp_path)
    assert held(store) == topics.messages
    verified = verify(store, NAMES)
    assert verified.faults == verified.notes == []
    assert verified.messages == 60
    assert sum(verified.holes.values()) == sum(
        own[-1].offset + 1 - len(own) for own in topics.messages.values()
    )  # markers at the end of a topic belong to the next file


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_it_leaves_neither_gap_nor_double(tmp_path: Path, seed: int) -> None:
    die, topics, store = random.Random(seed), a_log(seed), Store(str(tmp_path))
    collector, at = begun(topics, store, file_bytes=300)
    left = True
    while left:
        if die.random() < 0.15:  # killed: what is no file yet is lost
            collector, at = begun(topics, store, file_bytes=300)
        for place in list(at):
            taken = list(topics.read(place, at[place]))[: die.randint(0, 5)]
            if taken:
                collector.take(place, taken, 0)
                at[place] = taken[-1].offset + 1
        if die.random() < 0.3:
            collector.write_all()
        left = any(list(topics.read(place, since)) for place, since in at.items())
    collector.write_all()
    assert held(store) == topics.messages
    assert verify(store, NAMES).faults == []


def test_a_file_has_messages_of_one_day_and_is_where_its_name_says(tmp_path: Path) -> None:
    topics = Topics()
    for hours in (0, 11, 13, 12, 40):  # one comes with a time of the day before
        topics.put(CALLS, NOON + hours * 3_600_000, None, b"x")
    store = archived(topics, tmp_path)
    spans = store.spans(NAMES)[CALLS]
    assert [(span.day, span.first, span.next) for span in spans] == [
        (date(2026, 3, 2), 0, 2),
        (date(2026, 3, 3), 2, 4),
        (date(2026, 3, 4), 4, 5),
    ]
    assert all((tmp_path / span.name).is_file() and span_of(span.name) == span for span in spans)


def test_what_waits_too_long_or_is_too_much_becomes_a_file(tmp_path: Path) -> None:
    topics, store = Topics(), Store(str(tmp_path))
    for _ in range(10):
        topics.put(CALLS, NOON, None, b"x" * 100)
        topics.put(("chats", 1), NOON, None, b"x")
    collector, at = begun(topics, store, every=60, all_bytes=1500)
    for place in at:
        collector.take(place, topics.read(place, 0), 100.0)
    collector.write_due(159)
    assert list(store.spans(NAMES)) == [CALLS]  # the largest, as it was too much altogether
    collector.write_due(160)
    assert [(place, len(own)) for place, own in store.spans(NAMES).items()] == [(CALLS, 1), (("chats", 1), 1)]


def test_a_lost_file_is_read_again(tmp_path: Path) -> None:
    topics = Topics()
    for _ in range(9):
        topics.put(CALLS, NOON, None, b"x" * 100)
    store = archived(topics, tmp_path, file_bytes=450)
    first, second, third = store.spans(NAMES)[CALLS]
    for lost in ([second], [first], [first, second], [third]):
        for span in lost:
            (tmp_path / span.name).unlink()
        archived(topics, tmp_path, file_bytes=10_000)
        assert verify(store, NAMES).faults == []
        assert held(store) == topics.messages


def test_what_kafka_has_deleted_before_is_noted(tmp_path: Path) -> None:
    topics = Topics()
    for _ in range(3):
        topics.put(CALLS, NOON, None, b"x")
    store = archived(topics, tmp_path)
    for _ in range(6):
        topics.put(CALLS, NOON, None, b"y")
    topics.begins[CALLS] = 7
    archived(topics, tmp_path)
    found = verify(store, NAMES)
    assert found.faults == []
    assert found.notes == ["calls, partition 0: Kafka had deleted the offsets 3 to 6 before they could be archived"]
    assert (found.messages, found.holes) == (5, {})


def test_an_object_store_holds_the_same() -> None:
    topics, store = a_log(3), Store("mock:///desk")
    assert store.spans(NAMES) == {}
    for place in topics.ends:
        for day in range(20_514, 20_520):  # a file system has folders, an object store needs none
            store._files.create_dir(f"{store._root}/{place[0]}/{date.fromordinal(day + 719_163)}", recursive=True)
    collector, at = begun(topics, store)
    for place, since in at.items():
        collector.take(place, topics.read(place, since), 0)
    collector.write_all()
    assert held(store) == topics.messages
    assert verify(store, NAMES).faults == []
    with pytest.raises(ValueError, match=r"nowhere://x is no place for an archive"):
        Store("nowhere://x")


def test_a_folder_takes_one_process(tmp_path: Path) -> None:
    with Store(str(tmp_path)).alone():
        left = tmp_path / "calls" / "2026-03-02" / "x.unfinished"
        left.parent.mkdir(parents=True)
        left.touch()
        with pytest.raises(ValueError, match="another process writes the archive"), Store(str(tmp_path)).alone():
            pass
        assert left.exists()
    with Store(str(tmp_path)).alone():
        assert not left.exists()  # what one who was killed has left
