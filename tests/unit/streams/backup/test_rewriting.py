"""What changes in an operation that is written anew: offsets, the prefix, and where partitions are split, to which one a key goes."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.backup.rewriting import HOMES, ORDER, SPREAD, Message, Rewriter
from streams.contracts import topics
from streams.contracts.outputs import ContactRecord, Contribution, Contributions, DailyFacts
from streams.contracts.topics import TOPICS, Topic
from streams.entities import entity
from streams.entities.entity import Entity
from streams.kafka.transactions import partition_of
from streams.worker.state.own_partition import lacking_mark, mark
from streams.worker.state.progress import Progress
from streams.worker.state.store import MemoryStore

encode = msgspec.json.encode


def message(
    offset: int, key: str | None, value: bytes | None, headers: list[tuple[str, bytes]] | None = None
) -> Message:
    return Message(offset, 1_000 + offset, None if key is None else key.encode(), value, headers or [])


def written(rewriter: Rewriter, topic: Topic, number: int, *messages: Message) -> list[tuple[int, Message]]:
    return [each for one in messages for each in rewriter.rewritten(topic, number, one)]


def test_no_topic_is_forgotten() -> None:
    assert set(ORDER) == set(TOPICS)
    assert len(ORDER) == len(TOPICS)
    assert {topic for topic in TOPICS if topic.partitions is None} == set(HOMES) | SPREAD


def test_positions_come_after_all_that_they_tell_of() -> None:
    assert ORDER[-2:] == (topics.INCIDENT_STATE, topics.PROGRESS)
    assert ORDER.index(topics.CONTRIBUTIONS) < ORDER.index(topics.DAILY_FACTS) < ORDER.index(topics.ENTITIES)
    assert max(ORDER.index(topic) for topic in topics.EVENT_TOPICS) < ORDER.index(topics.REKEYED)
    assert ORDER.index(topics.REKEYED) < ORDER.index(topics.DEAD_LETTERS)


@given(st.text(min_size=1, max_size=20), st.integers(1, 16), st.integers(1, 5))
def test_a_key_goes_to_one_of_the_partitions_that_its_own_became(key: str, old: int, times: int) -> None:
    rewriter = Rewriter("", "", old, old * times)
    home, before = partition_of(key.encode(), old * times), partition_of(key.encode(), old)
    assert rewriter.child(before, key) == home
    assert home in rewriter.targets(topics.CALLS, before)
    for elsewhere in range(old):
        if elsewhere != before:
            assert rewriter.child(elsewhere, key) == elsewhere  # it is misplaced there, and stays so


@pytest.mark.parametrize(("old", "new"), [(8, 12), (8, 4), (3, 8)])
def test_other_numbers_than_multiples_are_refused(old: int, new: int) -> None:
    with pytest.raises(ValueError, match=f"a multiple of {old}, such as {2 * old}, and not {new}"):
        Rewriter("", "", old, new)


def test_entities_days_and_positions_hold_the_same_messages_as_before() -> None:
    rewriter = Rewriter("old.", "new.", 4, 4)
    said = [message(at, None, encode(Contributions(clock=1))) for at in (100, 101, 105, 106)]
    written(rewriter, topics.CONTRIBUTIONS, 2, *said)
    days = [
        message(at, "all|all|2026-03-02", encode(DailyFacts(entity="all|all", date=date(2026, 3, 2), offset=105)))
        for at in (7, 9)
    ]
    facts = written(rewriter, topics.DAILY_FACTS, 2, *days)
    assert [msgspec.json.decode(each.value, type=DailyFacts).offset for _, each in facts if each.value] == [2, 2]
    held = Entity()
    held.offset = 103
    ((_, stored),) = written(rewriter, topics.ENTITIES, 2, message(3, "all|all", entity.dump(held)))
    assert entity.load(stored.value or b"").offset == 1

    progress, store = Progress({"old.contributions": "id"}, event_time=True), MemoryStore()
    place = ("old.contributions", 2)
    progress.starts[place] = [(1, 7), (2, 9), (3, 10)]
    progress.mark(store, place, 106, 5_000)
    ((key, value),) = store.partition(2).items()
    ((number, moved),) = written(rewriter, topics.PROGRESS, 2, Message(1, 1, key, value, []))
    again = Progress({"new.contributions": "another id"})
    again.load(moved.key or b"", moved.value or b"")
    assert (number, again.taken, again.made_anew) == (2, {("new.contributions", 2): 3}, set())
    assert again.starts == {("new.contributions", 2): [(1, 0), (2, 1), (3, 2)]}
    assert (again.clock(("new.contributions", 2)).now, again.event_time) == (5_000, True)


def test_contributions_are_split_by_their_entities_and_the_time_goes_to_all() -> None:
    rewriter = Rewriter("", "", 2, 4)
    keys = [f"agent|a{number}" for number in range(40) if partition_of(f"agent|a{number}".encode(), 2) == 1]
    said = Contributions(clock=9, to={key: Contribution(left=[key]) for key in keys}, second=8_000)
    found = written(rewriter, topics.CONTRIBUTIONS, 1, message(5, None, encode(said)))
    assert [number for number, _ in found] == [1, 3]
    decoded = {number: msgspec.json.decode(each.value or b"", type=Contributions) for number, each in found}
    assert {key for each in decoded.values() for key in each.to} == set(keys)
    assert {partition_of(key.encode(), 4) for key in decoded[3].to} == {3}
    assert all((each.clock, each.second) == (9, 8_000) for each in decoded.values())


def test_a_record_and_the_word_that_it_is_gone_go_to_one_partition() -> None:
    rewriter = Rewriter("", "", 1, 4)
    customer = next(f"k{n}" for n in range(99) if partition_of(f"k{n}".encode(), 4) == 3)
    record = ContactRecord(
        format=1,
        version=1,
        channel="calls",
        contact_id="c",
        customer_id=customer,
        date=date(2026, 3, 2),
        arrived_at=1,
        heard_at=1,
        counts={},
    )
    found = written(
        rewriter, topics.CONTACT_RECORDS, 0, message(1, "calls|c", encode(record)), message(2, "calls|c", None)
    )
    assert [number for number, _ in found] == [3, 3]


def test_marks_of_a_partition_are_those_of_all_that_come_of_it_and_what_lies_astray_is_looked_for_anew() -> None:
    split, whole = Rewriter("", "", 2, 4), Rewriter("", "", 2, 2)
    lacking = message(1, lacking_mark(1).decode(), b'["pbx"]')
    astray = message(2, mark(1).decode(), b"{}")
    assert [(n, each.key) for n, each in written(split, topics.PROGRESS, 1, lacking, astray)] == [
        (1, b"lacking|1"),
        (3, b"lacking|3"),
    ]
    assert [each.key for _, each in written(whole, topics.PROGRESS, 1, lacking, astray)] == [b"lacking|1", b"astray|1"]


def test_a_dead_letter_tells_where_its_message_lies_now() -> None:
    rewriter = Rewriter("a.", "b.", 2, 2)
    written(rewriter, topics.CALLS, 1, message(40, "k", b"1"), message(44, "k", b"2"))
    at = [("reason", b"late"), ("topic", b"a.calls"), ("partition", b"1"), ("offset", b"44")]
    gone = [*at[:3], ("offset", b"3")]
    note = [("replayed", b"a.calls/1/44"), ("to", b"a.calls/1/40"), ("sha256", b"x")]
    found = [
        dict(each.headers)
        for _, each in written(
            rewriter, topics.DEAD_LETTERS, 1, *(message(1, "k", b"", each) for each in (at, gone, note))
        )
    ]
    assert (found[0]["topic"], found[0]["offset"], found[0]["reason"]) == (b"b.calls", b"1", b"late")
    assert (found[1]["topic"], found[1]["offset"]) == (b"b.calls", b"3")
    assert (found[2]["replayed"], found[2]["to"]) == (b"b.calls/1/1", b"b.calls/1/0")


def test_incidents_go_on_in_every_partition_that_came_of_one() -> None:
    rewriter = Rewriter("a.", "b.", 1, 2)
    there = [f"r|agent|a{number}" for number in range(10)]
    written(rewriter, topics.ALERTS, 0, *(message(at, key, b"{}") for at, key in enumerate(there)))
    found = written(
        rewriter, topics.INCIDENT_STATE, 0, message(0, "position|a.alerts|0", b"6"), message(1, "now", b"5")
    )
    positions = {each.key: int(each.value or b"") for _, each in found if each.key != b"now"}
    assert set(positions) == {b"position|b.alerts|0", b"position|b.alerts|1"}
    assert sum(positions.values()) == 6
