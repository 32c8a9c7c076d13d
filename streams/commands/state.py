"""``deskpulse state``: what workers hold, and the way past a record of it that nobody can read."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer
from kafka import KafkaConsumer

from streams.commands.shared.context import Broker, Partitions, Prefix, clear_errors, deployment
from streams.contracts import topics
from streams.kafka import reading
from streams.kafka.connection import open_producer
from streams.languages.translation import tell
from streams.settings import Settings
from streams.worker.clients import transactional_id
from streams.worker.state.join import join_state
from streams.worker.state.own_partition import BY_EVENT_KEY
from streams.worker.state.parts import announced, part_key
from streams.worker.state.restore import STATE

state = typer.Typer(no_args_is_help=True, help="What workers hold in Kafka.")

_NAMES = ", ".join(topic.name for topic in STATE)


@state.callback()
def commands() -> None:
    """What workers hold in Kafka."""


@state.command()
def discard(
    ctx: typer.Context,
    topic: Annotated[str, typer.Argument(help=f"Topic of state: {_NAMES}")],
    key: Annotated[str, typer.Argument(help="Key, as the worker's error names it")],
    broker: Broker = None,
    prefix: Prefix = None,
    partitions: Partitions = None,
) -> None:
    """Move a stored value that no worker can read to dead-letters, and remove it from the state.

    For a worker that ends with "what is stored under … cannot be read". What
    the value said is lost to the figures from then on: a customer's earlier
    contacts give no repeats, an entity's windows and plans begin anew, a day's
    facts are those that come. Worker processes may run: who has the partition
    reads its state again.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors():
        if topic not in {each.name for each in STATE}:
            raise ValueError(f"{topic} is no topic of state; there are: {_NAMES}")
        number, size = move(settings, topic, key)
    tell(f"moved to dead-letters: {size} bytes of {topic}[{number}] under {key}; it is removed from the state")


@state.command()
def join(ctx: typer.Context, broker: Broker = None, prefix: Prefix = None, partitions: Partitions = None) -> None:
    """Put together what is kept of customers and agents in partitions that are not theirs.

    For an operation that has taken in events of a producer with another
    partitioner, under a version that did not send them on: its workers say
    so. End all workers first. Repeats across both parts count from then on, and
    a contact that was told in both becomes one. It may be ended and begun again.
    """
    settings = deployment(ctx, broker=broker, prefix=prefix, partitions=partitions).settings
    with clear_errors(), reading.answering(settings):
        joined = join_state(settings)
    for topic in BY_EVENT_KEY:
        tell(f"{topic.name}: {joined.moved.get(topic.name, 0)} keys were astray, and are in their partitions now")
    for contact in joined.apart:
        tell(f"told in two partitions too long ago to become one contact: {contact}", err=True)


def move(settings: Settings, topic: str, key: str) -> tuple[int, int]:
    """Move the newest value of a key to dead-letters; returns its partition and size.

    Raises ValueError where there is none, ConnectionError where no Kafka answers.
    """
    name, raw = f"{settings.prefix}{topic}", key.encode()
    with reading.answering(settings):
        with closing(reading.reader(settings)) as consumer:
            number, offset, value = _newest(settings, consumer, name, raw)
            parts = [part_key(raw, index) for index in range(announced(value))]
        headers = [
            ("reason", b"internal"),
            ("detail", b"discarded by hand: no worker could read it"),
            ("topic", name.encode()),
            ("partition", str(number).encode()),
            ("offset", str(offset).encode()),
        ]
        # Under the name of the partition's transactions: a worker that has it is shut out, and reads its state again.
        with closing(open_producer(settings, transactional_id=transactional_id(settings, number))) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            letters = settings.topic(topics.DEAD_LETTERS)
            producer.send(letters, key=raw, value=value[: 64 * 1024], headers=headers, partition=number)
            for each in (raw, *parts):
                producer.send(name, key=each, value=None, partition=number)
            producer.commit_transaction()
    return number, len(value)


def _newest(settings: Settings, consumer: KafkaConsumer, name: str, key: bytes) -> tuple[int, int, bytes]:
    """Partition, offset and value of a key."""
    found = None
    for record in reading.read(consumer, reading.ends(settings, name)):
        if record.key == key:
            found = (record.partition, record.offset, record.value)
    if found is None or found[2] is None:
        raise ValueError(f"{name} holds nothing under {key.decode()}: is the key spelt as the worker's error has it?")
    number, offset, value = found
    return number, offset, value
