"""Bytewax: a dataflow with state by key in memory, without a recovery store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from streams.contacts.customer import Customer
from streams.contracts.outputs import Contributions, DailyFacts
from streams.entities.day_parts import new_day
from streams.entities.entity import Entity
from tests.bench.contenders import job
from tests.bench.contenders.protocol import Meter, Order, Progress, ordered


class _Dropped(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def write_batch(self, items: list[Any]) -> None:
        """What comes out of the last step is state, which is kept there."""


class Nowhere(DynamicSink[Any]):  # type: ignore[misc]
    """A dataflow must end in a sink."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Dropped:
        """One for each worker."""
        return _Dropped()


def source(flow: Dataflow, order: Order, progress: Progress) -> Any:
    """The messages of the events' topic that are to be taken, with the connector's default settings."""
    messages = op.input("events", flow, KafkaSource([order.broker], [order.topic]))
    return op.filter("take", messages, lambda _: progress.may_take())


def sums(order: Order, meter: Meter) -> Dataflow:
    """Events by agent and minute."""
    total = job.Total()
    progress = Progress(meter, total.checksum)

    def named(message: KafkaSourceMessage[bytes, bytes]) -> Iterable[dict[str, Any]]:
        event = orjson.loads(message.value)
        taken = event.get("agent_id") is not None
        progress.took(int(taken))
        return (event,) if taken else ()

    def sum_up(
        minutes: dict[int, job.Minute] | None, event: dict[str, Any]
    ) -> tuple[dict[int, job.Minute], job.Minute]:
        minutes = {} if minutes is None else minutes
        number = job.minute_of(event)
        minute = minutes[number] = job.count(minutes.get(number), event)
        total.add(event)
        progress.done()
        return minutes, minute

    flow = Dataflow("sums")
    events = op.flat_map("named", source(flow, order, progress), named)
    keyed = op.key_on("by_agent", events, lambda event: str(event["agent_id"]))
    op.output("nowhere", op.stateful_map("sum_up", keyed, sum_up), Nowhere())
    return flow


class Days(dict[str, DailyFacts]):
    """An entity's days by ISO date; a new one where there is none."""

    def __init__(self, entity: str) -> None:
        super().__init__()
        self._entity = entity

    def __missing__(self, day: str) -> DailyFacts:
        facts = self[day] = new_day(f"{self._entity}|{day}")
        return facts


def whole(order: Order, meter: Meter) -> Dataflow:
    """The whole main job: customers, contributions, entities and their days."""
    contacts, kpis = job.Contacts(), job.Kpis()
    progress = Progress(meter, kpis.checksum)

    def by_customer(message: KafkaSourceMessage[bytes, bytes]) -> tuple[str, tuple[str, bytes]]:
        key = message.key.decode()
        return key, (key, message.value)

    def join(customer: Customer | None, keyed: tuple[str, bytes]) -> tuple[Customer, list[tuple[str, Contributions]]]:
        customer = Customer(keyed[0]) if customer is None else customer
        contributed = contacts.take(keyed[0], customer, keyed[1])
        progress.took(len(contributed))
        return customer, contributed

    def add_up(
        state: tuple[Entity, Days] | None, sent: tuple[str, Contributions]
    ) -> tuple[tuple[Entity, Days], list[DailyFacts]]:
        entity, days = (Entity(), Days(sent[0])) if state is None else state
        changed = kpis.take(sent[0], entity, days, sent[1])
        progress.done()
        return (entity, days), changed

    flow = Dataflow("whole")
    joined = op.stateful_flat_map("join", op.map("by_customer", source(flow, order, progress), by_customer), join)
    contributed = op.flat_map("contributions", joined, lambda keyed: [keyed[1]])
    by_entity = op.map("by_entity", contributed, lambda sent: (sent[0], sent))
    op.output("nowhere", op.stateful_map("add_up", by_entity, add_up), Nowhere())
    return flow


JOBS = {"sums": sums, "whole": whole}


def main() -> None:
    """Run the job that was ordered, in one worker."""
    order = ordered(*JOBS)
    run_main(JOBS[order.job](order, Meter("bytewax", "bytewax", order)))


if __name__ == "__main__":
    main()
