"""What every store of state does, whoever keeps its changes; and that a changelog, read again, is the store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.state.store import ChangelogStore, MemoryStore, StateStore, WriteBackCache

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
            store, lambda raw: [int(raw)], lambda value: str(value[0]).encode(), lambda _: [0]
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
