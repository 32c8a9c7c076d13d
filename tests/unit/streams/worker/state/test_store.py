"""What every store of state does, whoever keeps its changes; and that a changelog, read again, is the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.records import Message
from streams.worker.state.store import BrokenStateError, ChangelogStore, MemoryStore, StateStore, WriteBackCache

STORES: list[Callable[[], StateStore]] = [MemoryStore, ChangelogStore]


@pytest.fixture(params=STORES, ids=["memory", "changelog"])
def store(request: pytest.FixtureRequest) -> StateStore:
    """One of each kind, with two partitions."""
    made: StateStore = request.param()
    made.restore(0, b"a", b"1")
    made.restore(0, b"b", b"2")
    made.restore(3, b"c", b"3")
    return made


class TestEveryStore:
    def test_holds_what_it_was_given(self, store: StateStore) -> None:
        assert [store.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"1", b"2", b"3", None]
        assert dict(store.partition(0)) == {b"a": b"1", b"b": b"2"}
        assert dict(store.partition(1)) == {}
        assert sorted(store) == [b"a", b"b", b"c"]

    def test_changes_and_removes(self, store: StateStore) -> None:
        store.put(0, b"a", b"9")
        store.put(0, b"b", None)
        store.put(0, b"x", None)
        store.put(1, b"d", b"4")
        assert [store.get(key) for key in (b"a", b"b", b"d")] == [b"9", None, b"4"]

    def test_forgets(self, store: StateStore) -> None:
        store.forget(0, b"a")
        store.forget(0, b"not there")
        assert sorted(store) == [b"b", b"c"]

    def test_replaces_a_partition_by_a_copy(self, store: StateStore) -> None:
        values = {b"z": b"26"}
        store.replace_partition(0, values)
        values.clear()
        assert sorted(store) == [b"c", b"z"]

    def test_retains_the_partitions_that_stay(self, store: StateStore) -> None:
        store.put(0, b"a", b"9")
        store.put(3, b"c", b"9")
        store.retain({3, 7})
        assert sorted(store) == [b"c"]
        assert store.drain().keys() <= {3}

    def test_writes_back_once_what_was_marked(self, store: StateStore) -> None:
        cache: WriteBackCache[list[int]] = WriteBackCache(
            store, lambda _, raw: [int(raw)], lambda value: str(value[0]).encode(), lambda _: [0]
        )
        assert cache.get("d") is None
        cache["a"][0] += 4
        cache["d"][0] += 7
        cache["b"][0] += 1
        cache.mark(0, {"a", "d"})
        cache.flush_changed()
        assert [store.get(key) for key in (b"a", b"b", b"d")] == [b"5", b"2", b"7"]
        cache.evict(0)  # what was used just now stays decoded, once
        assert set(cache) == {"a", "d"}
        cache.evict(0)
        assert not cache
        assert cache["a"] == [5]
        cache.remove(0, ["a"])
        assert cache.get("a") is None
        assert store.get(b"a") is None


class TestTheChangelog:
    def test_tells_each_change_once_and_nothing_that_was_only_read_or_forgotten(self) -> None:
        store = ChangelogStore()
        store.restore(0, b"a", b"1")
        store.put(0, b"b", b"2")
        store.put(1, b"c", b"3")
        store.put(0, b"b", None)
        store.forget(0, b"a")
        assert store.drain() == {0: [(b"b", b"2", []), (b"b", None, [])], 1: [(b"c", b"3", [])]}
        assert store.drain() == {}

    def test_what_was_to_be_written_of_a_partition_that_is_read_anew_is_not(self) -> None:
        store = ChangelogStore()
        store.put(0, b"a", b"1")
        store.replace_partition(0, {b"a": b"0"})
        assert store.drain() == {}
        assert store.get(b"a") == b"0"

    def test_memory_tells_nobody(self) -> None:
        store = MemoryStore()
        store.put(0, b"a", b"1")
        assert store.drain() == {}

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 2), st.sampled_from([b"a", b"b", b"c"]), st.none() | st.binary(max_size=2), st.booleans()
            )
        )
    )
    def test_read_again_is_the_store(self, changes: list[tuple[int, bytes, bytes | None, bool]]) -> None:
        store, log = ChangelogStore(), MemoryStore()
        for number, key, value, drained in changes:
            store.put(number, key, value)
            if drained:
                for partition, messages in store.drain().items():
                    for changed, raw, _ in messages:
                        assert changed is not None
                        log.restore(partition, changed, raw)
        for partition, messages in store.drain().items():
            for changed, raw, _ in messages:
                assert changed is not None
                log.restore(partition, changed, raw)
        for number in range(3):
            assert dict(log.partition(number)) == dict(store.partition(number))


class TestAValueTooLongForAMessage:
    LONG = b"".join(b"%08d" % number for number in range(300_000))

    @staticmethod
    def read(messages: Iterable[Message], into: MemoryStore | None = None) -> MemoryStore:
        store = into or MemoryStore()
        for key, value, _ in messages:
            assert key is not None
            assert len(value or b"") < 1_000_000
            store.restore(0, key, value)
        return store

    def test_is_written_in_parts_and_read_whole(self) -> None:
        store = ChangelogStore()
        store.put(0, b"k", self.LONG)
        store.put(0, b"other", b"1")
        found = self.read(store.drain()[0])
        assert dict(found.partition(0)) == {b"k": self.LONG, b"other": b"1"}

    def test_leaves_nothing_behind_when_it_shrinks_or_goes(self) -> None:
        for last in (self.LONG[:1_000_000], b"short", None):
            store = ChangelogStore()
            store.put(0, b"k", self.LONG)
            store.put(0, b"k", last)
            messages = store.drain()[0]
            newest = {key: value for key, value, _ in messages}  # as compaction leaves it
            kept = [
                (key, value, headers) for key, value, headers in messages if newest[key] is value and value is not None
            ]
            for read in (messages, kept):
                assert dict(self.read(read).partition(0)) == ({} if last is None else {b"k": last})
            assert len(kept) == {1_000_000: 3, 5: 1, 0: 0}[len(last or b"")]

    def test_read_where_compaction_has_left_what_came_before(self) -> None:
        store = ChangelogStore()
        store.put(0, b"k", self.LONG)
        first = store.drain()[0]
        store.put(0, b"k", self.LONG[1:])
        second = store.drain()[0]
        # The older head is still there, of the parts only some are, and then those of the later value follow.
        assert self.read([*first[1:], *second]).get(b"k") == self.LONG[1:]
        # A reader that knows the first goes on with the second.
        assert self.read(second, self.read(first)).get(b"k") == self.LONG[1:]

    def test_of_which_parts_are_missing_is_broken_and_not_silently_gone(self) -> None:
        store = ChangelogStore()
        store.put(0, b"k", self.LONG)
        cache: WriteBackCache[bytes] = WriteBackCache(
            self.read(store.drain()[0][1:]),
            lambda _, raw: msgspec.msgpack.decode(raw),
            msgspec.msgpack.encode,
            lambda _: b"",
        )
        with pytest.raises(BrokenStateError, match="state discard"):
            cache["k"]

    def test_taken_over_when_only_some_of_its_parts_had_been_read(self) -> None:
        store, standby, mine = ChangelogStore(), MemoryStore(), ChangelogStore()
        store.put(0, b"k", self.LONG)
        messages = store.drain()[0]
        self.read(messages[:2], standby)
        mine.replace_partition(0, standby.partition(0), standby.parts(0))
        assert self.read(messages[2:], mine).get(b"k") == self.LONG

    def test_whoever_takes_a_partition_over_knows_the_parts_that_were_written(self) -> None:
        store, standby, mine = ChangelogStore(), MemoryStore(), ChangelogStore()
        store.put(0, b"k", self.LONG)
        self.read(store.drain()[0], standby)
        mine.replace_partition(0, standby.partition(0))
        mine.put(0, b"k", b"short")
        assert [value for _, value, _ in mine.drain()[0]] == [b"short", None, None, None]

    def test_that_others_read_is_written_whole(self) -> None:
        store = ChangelogStore(in_parts=False)
        store.put(0, b"k", self.LONG)
        assert store.drain() == {0: [(b"k", self.LONG, [])]}
