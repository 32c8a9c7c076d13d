"""The Kafka and the Redis to work with: those given, else ones of this machine's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from deploy.local import redis_probe
from deploy.local.kafka import LocalKafka
from deploy.local.mock_kafka import MockKafka
from deploy.local.redis import LocalRedis
from deploy.local.tools import MissingToolError
from streams.kafka import probe
from streams.refusals import address_shown


class Broker(Protocol):
    """A Kafka or a Redis that answers. As a context manager it is stopped at the end, if it was started here."""

    @property
    def address(self) -> str:
        """``HOST:PORT`` of a Kafka, URL of a Redis."""

    @property
    def durable(self) -> bool:
        """Whether what it holds survives its end."""

    @property
    def partitions(self) -> int | None:
        """The number of partitions of every topic, where it can have no other; else None."""

    @property
    def broker_version(self) -> str | None:
        """For ``Settings.broker_version``: what clients must be told because it does not say its own; else None."""

    def stop(self) -> None:
        """Stop it, if it was started here."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True)
class GivenBroker:
    """A broker that somebody else runs: it is used, never stopped."""

    address: str
    durable: bool
    partitions: int | None = None
    broker_version: str | None = None

    def stop(self) -> None:
        """Leave it running."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_kafka(
    data_dir: Path,
    progress: Callable[[str], None],
    address: str | None = None,
    *,
    connection: Mapping[str, Any] | None = None,
    topics: Sequence[str] = (),
) -> Broker:
    """A Kafka that answers: the one at ``address``; else a LocalKafka; else, without Java or Maven, a MockKafka.

    :param data_dir: where a LocalKafka keeps its data.
    :param progress: told what happens, and plainly where nothing is durable.
    :param address: ``HOST:PORT[,HOST:PORT…]`` of a Kafka that runs.
    :param connection: how to talk to that one (``kafka_python_options``); without protection where None.
    :param topics: names that a MockKafka has from the start, as it cannot be asked to create any.

    Raises UnreachableError if the given one does not answer, ValueError if the address is none, ServerStartError if its
    own does not start.
    """
    if address is not None:
        cluster = probe.look(connection or probe.plain(address))
        progress(f"Using Kafka {cluster.version} at {address} (brokers: {cluster.brokers})")
        return GivenBroker(address, durable=True)
    local = LocalKafka(data_dir)
    try:
        local.start(progress)
    except MissingToolError as missing:
        progress(f"No real Kafka here: {missing}")
        mock = MockKafka(topics)
        mock.start(progress)
        return mock
    return local


def open_redis(data_dir: Path, progress: Callable[[str], None], address: str | None = None) -> Broker:
    """A Redis that answers: the one at the URL ``address``, else a LocalRedis.

    Raises UnreachableError if the given one does not answer, ValueError if the address is no URL, MissingToolError
    where there is no server to run, ServerStartError if its own does not start.
    """
    if address is not None:
        progress(f"Using Redis {redis_probe.look(address)} at {address_shown(address)}")
        return GivenBroker(address, durable=False)
    local = LocalRedis(data_dir)
    local.start(progress)
    return local
