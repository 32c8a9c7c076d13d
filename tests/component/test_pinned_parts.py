"""The inner parts of faust-streaming and aiokafka that ``streams/worker/batching.py`` leans on, and the versions that they were seen in.

faust.transport.consumer.Consumer: ``_commit_tps``, ``_new_offset``, ``_add_gap``, ``_acked``, ``_acked_index``,
``_committed_offset``, ``_read_offset``. faust.transport.drivers.aiokafka: ``Consumer._getmany``, ``Consumer._new_consumer_thread``,
``AIOKafkaConsumerThread._consumer``, ``_create_worker_consumer``, ``_fetch_records``. aiokafka: ``AIOKafkaConsumer._isolation_level``,
``_fetcher``, ``_subscription``, ``Fetcher._records``, ``FetchResult._partition_records``, ``PartitionRecords._consumer_record``.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections import OrderedDict
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from packaging.requirements import Requirement

from tests.support import ROOT

#: Release series in which the parts below were found as they are named here.
SERIES = {"faust-streaming": {"0.15"}, "aiokafka": {"0.13", "0.14"}}

METHODS: list[tuple[Callable[..., Any], list[str]]] = [
    (Consumer._commit_tps, ["self", "tps", "start_new_transaction"]),
    (Consumer._new_offset, ["self", "tp"]),
    (Consumer._add_gap, ["self", "tp", "offset_from", "offset_to"]),
    (driver.Consumer._getmany, ["self", "active_partitions", "timeout"]),
    (driver.Consumer._new_consumer_thread, ["self"]),
    (driver.AIOKafkaConsumerThread._create_worker_consumer, ["self", "transport"]),
    (
        driver.AIOKafkaConsumerThread._fetch_records,
        ["self", "consumer", "active_partitions", "timeout", "max_records"],
    ),
    (PartitionRecords._consumer_record, ["self", "tp", "record"]),
]
#: (class, attribute, what the source of the class does with it)
ATTRIBUTES: list[tuple[type, str, str]] = [
    (Consumer, "_acked", r"self\._acked = defaultdict\(list\)"),
    (Consumer, "_acked_index", r"self\._acked_index = defaultdict\(set\)"),
    (Consumer, "_committed_offset", r"self\._committed_offset = defaultdict\("),
    (Consumer, "_read_offset", r"self\._read_offset = defaultdict\("),
    (driver.AIOKafkaConsumerThread, "_consumer", r"self\._consumer = self\._create_consumer\("),
    (AIOKafkaConsumer, "_fetcher", r"self\._fetcher = Fetcher\("),
    (AIOKafkaConsumer, "_isolation_level", r"isolation_level=self\._isolation_level"),
    (AIOKafkaConsumer, "_subscription", r"self\._subscription = SubscriptionState\("),
    (FetchResult, "_update_position", r"state\.consumed_to\(self\._partition_records\.next_fetch_offset\)"),
    (Fetcher, "_records", r"self\._records = collections\.OrderedDict\(\)"),
    (Fetcher, "_records", r"self\._records\[tp\] = FetchResult\("),
    (FetchResult, "_partition_records", r"self\._partition_records = partition_records"),
    (PartitionRecords, "_consumer_record", r"self\._consumer_record\(tp, record\)"),
]


@pytest.mark.parametrize(("method", "parameters"), METHODS, ids=lambda one: getattr(one, "__qualname__", ""))
def test_methods_take_what_they_are_given(method: Callable[..., Any], parameters: list[str]) -> None:
    assert list(inspect.signature(method).parameters) == parameters


@pytest.mark.parametrize(("owner", "attribute", "use"), ATTRIBUTES, ids=lambda one: getattr(one, "__name__", one))
def test_attributes_are_used_as_expected(owner: type, attribute: str, use: str) -> None:
    assert re.search(use, inspect.getsource(owner)), f"{owner.__name__}.{attribute} is not what it was"


def test_what_was_fetched_is_kept_where_ours_is_put() -> None:
    """``_Fetched`` stands in for it, and is a dict."""
    from streams.worker.batching import _Fetched

    used = set(re.findall(r"self\._records\.(\w+)\(", inspect.getsource(Fetcher)))
    assert used
    assert used <= set(dir(dict))
    assert issubclass(OrderedDict, dict)
    assert issubclass(_Fetched, dict)


@pytest.mark.parametrize("package", SERIES)
def test_the_pinned_range_is_what_was_seen(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = {one.name: one.specifier for one in map(Requirement, project["project"]["dependencies"])}[package]
    candidates = [f"{major}.{minor}" for major in range(4) for minor in range(60)]
    admitted = {series for series in candidates if any(pinned.contains(f"{series}.{patch}") for patch in range(30))}
    assert admitted == SERIES[package]
    assert pinned.contains(version(package))
