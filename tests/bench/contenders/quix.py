"""Quix Streams: streaming data frames with state in RocksDB and a changelog topic, as its documentation writes them."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from quixstreams import Application
from quixstreams.models import Serializer, TopicConfig

from streams.contacts.customer import Customer
from streams.contacts.customer import dump as dump_customer
from streams.contacts.customer import load as load_customer
from streams.contracts.outputs import Contributions, DailyFacts
from streams.entities.day_parts import new_day
from streams.entities.entity import Entity
from streams.entities.entity import dump as dump_entity
from streams.entities.entity import load as load_entity
from tests.bench.contenders import job
from tests.bench.contenders.protocol import PARTITIONS, Meter, Order, Progress, ordered


def sums(app: Application, order: Order, meter: Meter) -> None:
    """Events by agent and minute."""
    total = job.Total()
    progress = Progress(meter, total.checksum)

    def named(event: dict[str, Any]) -> bool:
        taken = event.get("agent_id") is not None
        progress.took(int(taken))
        return taken

    def sum_up(event: dict[str, Any], state: Any) -> job.Minute:
        key = str(job.minute_of(event))
        minute = job.count(state.get(key), event)
        state.set(key, minute)
        total.add(event)
        progress.done()
        return minute

    events = app.dataframe(app.topic(order.topic, value_deserializer="json"))
    events.filter(lambda _: progress.may_take()).filter(named).group_by("agent_id").apply(sum_up, stateful=True)


class Sent(Serializer):  # type: ignore[misc]
    """The value of (entity, message to it) is the message; the entity is the key."""

    def __call__(self, value: tuple[str, Contributions], ctx: Any) -> bytes:
        """Bytes of the message."""
        return job.encode_contributions(value[1])


class DaysOf:
    """An entity's days within its state."""

    def __init__(self, entity: str, state: Any) -> None:
        self._entity, self._state = entity, state

    def __getitem__(self, day: str) -> DailyFacts:
        raw = self._state.get_bytes(day)
        return new_day(f"{self._entity}|{day}") if raw is None else job.decode_day(raw)


def whole(app: Application, order: Order, meter: Meter) -> None:
    """The whole main job: customers, contributions, entities and their days."""
    contacts, kpis = job.Contacts(), job.Kpis()
    progress = Progress(meter, kpis.checksum)

    def join(raw: bytes, key: str, timestamp: int, headers: Any, state: Any) -> list[tuple[str, Contributions]]:
        stored = state.get_bytes("customer")
        customer = Customer(key) if stored is None else load_customer(stored, key)
        contributed = contacts.take(key, customer, raw)
        state.set_bytes("customer", dump_customer(customer))
        progress.took(len(contributed))
        return contributed

    def add_up(raw: bytes, key: str, timestamp: int, headers: Any, state: Any) -> None:
        stored = state.get_bytes("entity")
        entity = Entity() if stored is None else load_entity(stored)
        for day in kpis.take(key, entity, DaysOf(key, state), job.decode_contributions(raw)):
            state.set_bytes(day.date.isoformat(), job.encode_day(day))
        state.set_bytes("entity", dump_entity(entity))
        progress.done()

    events = app.topic(order.topic, key_deserializer="str", value_deserializer="bytes")
    contributions = app.topic(
        f"{order.group}-contributions",
        key_serializer="str",
        key_deserializer="str",
        value_serializer=Sent(),
        value_deserializer="bytes",
        config=TopicConfig(num_partitions=PARTITIONS, replication_factor=1),
    )
    joined = (
        app.dataframe(events)
        .filter(lambda _: progress.may_take())
        .apply(join, stateful=True, metadata=True, expand=True)
    )
    joined.to_topic(contributions, key=lambda sent: sent[0])
    app.dataframe(contributions).apply(add_up, stateful=True, metadata=True)


JOBS = {"sums": sums, "whole": whole}


def main() -> None:
    """Run the job that was ordered, with the default settings but for where it begins to read."""
    order = ordered(*JOBS)
    app = Application(
        broker_address=order.broker,
        consumer_group=order.group,
        auto_offset_reset="earliest",
        state_dir=Path(mkdtemp(prefix="quix-")),
        loglevel="ERROR",
    )
    JOBS[order.job](app, order, Meter("quix", "quixstreams", order))
    app.run()


if __name__ == "__main__":
    main()
