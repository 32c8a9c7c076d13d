"""Stock Faust: agents, tables and topics as its documentation writes them."""

from __future__ import annotations

import os
import traceback
from collections.abc import Awaitable, Callable
from functools import wraps
from tempfile import mkdtemp
from typing import Any

import faust
from confluent_kafka.admin import AdminClient, NewTopic
from faust.serializers.codecs import Codec, register

from streams.contacts.customer import Customer
from streams.contacts.customer import dump as dump_customer
from streams.contacts.customer import load as load_customer
from streams.contracts.outputs import DailyFacts
from streams.entities.day_parts import new_day
from streams.entities.entity import Entity
from streams.entities.entity import dump as dump_entity
from streams.entities.entity import load as load_entity
from tests.bench.contenders import job
from tests.bench.contenders.protocol import PARTITIONS, Meter, Order, Progress, ordered

#: What Faust runs on a stream.
Agent = Callable[[Any], Awaitable[None]]


def new_app(order: Order) -> Any:
    """An app with the default settings, but for where it begins to read, how many partitions its topics have, and where it may write."""
    return faust.App(
        order.group,
        broker=f"kafka://{order.broker}",
        store="memory://",
        web_enabled=False,
        topic_partitions=PARTITIONS,
        consumer_auto_offset_reset="earliest",
        datadir=mkdtemp(prefix="faust-"),
    )


def or_end(agent: Agent) -> Agent:
    """An agent's error ends the run: Faust would go on behind the event, and the run never end."""

    @wraps(agent)
    async def working(stream: Any) -> None:
        try:
            await agent(stream)
        except Exception as error:
            traceback.print_exception(error)
            os._exit(1)

    return working


def sums(app: Any, order: Order, meter: Meter) -> None:
    """Events by agent and minute."""
    total = job.Total()
    progress = Progress(meter, total.checksum)
    events = app.topic(order.topic, value_serializer="json")
    by_agent = app.topic(between(order, "by-agent"), value_serializer="json", internal=True)
    minutes = app.Table("minutes")

    @app.agent(events)  # type: ignore[untyped-decorator]
    @or_end
    async def key_by_agent(stream: Any) -> None:
        async for event in stream:
            if not progress.may_take():
                continue
            named = event.get("agent_id") is not None
            if named:
                await by_agent.send(key=event["agent_id"], value=event)
            progress.took(int(named))

    @app.agent(by_agent)  # type: ignore[untyped-decorator]
    @or_end
    async def sum_up(stream: Any) -> None:
        async for event in stream:
            key = f"{event['agent_id']}|{job.minute_of(event)}"
            minutes[key] = job.count(minutes.get(key), event)
            total.add(event)
            progress.done()


class ByFunctions(Codec):  # type: ignore[misc]
    """A codec of two functions."""

    def __init__(self, dumps: Callable[[Any], bytes], loads: Callable[[bytes], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._dump, self._load = dumps, loads

    def _dumps(self, value: Any) -> bytes:
        return self._dump(value)

    def _loads(self, raw: bytes) -> Any:
        return self._load(raw)


class DaysOf:
    """An entity's days within the table of all days."""

    def __init__(self, entity: str, table: Any) -> None:
        self._entity, self._table = entity, table

    def __getitem__(self, day: str) -> DailyFacts:
        key = f"{self._entity}|{day}"
        facts: DailyFacts | None = self._table.get(key)
        return new_day(key) if facts is None else facts


def between(order: Order, name: str) -> str:
    """A topic between the two agents. Made beforehand: Faust, which makes it too, at times does not see it yet, and then never."""
    topic = f"{order.group}-{name}"
    admin = AdminClient({"bootstrap.servers": order.broker})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    return topic


def table(app: Any, name: str, codec: str) -> Any:
    """A table of Python objects, which this codec writes into the changelog."""
    made = app.Table(name, key_type=str)
    made.value_serializer = codec  # can be said of models only when it is made
    return made


def whole(app: Any, order: Order, meter: Meter) -> None:
    """The whole main job: customers, contributions, entities and their days."""
    contacts, kpis = job.Contacts(), job.Kpis()
    progress = Progress(meter, kpis.checksum)
    register("customer", ByFunctions(dump_customer, lambda raw: load_customer(raw, "")))
    register("entity", ByFunctions(dump_entity, load_entity))
    register("day", ByFunctions(job.encode_day, job.decode_day))
    register("contributions", ByFunctions(job.encode_contributions, job.decode_contributions))
    events = app.topic(order.topic, key_type=str, value_type=bytes, value_serializer="raw")
    contributions = app.topic(
        between(order, "contributions"), key_type=str, value_serializer="contributions", internal=True
    )
    customers = table(app, "customers", "customer")
    entities = table(app, "entities", "entity")
    days = table(app, "days", "day")

    @app.agent(events)  # type: ignore[untyped-decorator]
    @or_end
    async def join(stream: Any) -> None:
        async for key, raw in stream.items():
            if not progress.may_take():
                continue
            customer = customers.get(key) or Customer(key)
            customer.id = key
            contributed = contacts.take(key, customer, raw)
            customers[key] = customer
            for entity, message in contributed:
                await contributions.send(key=entity, value=message)
            progress.took(len(contributed))

    @app.agent(contributions)  # type: ignore[untyped-decorator]
    @or_end
    async def add_up(stream: Any) -> None:
        async for key, message in stream.items():
            entity = entities.get(key) or Entity()
            changed = kpis.take(key, entity, DaysOf(key, days), message)
            entities[key] = entity
            for day in changed:
                days[day.key] = day
            progress.done()


JOBS = {"sums": sums, "whole": whole}


def main() -> None:
    """Run the job that was ordered."""
    order = ordered(*JOBS)
    app = new_app(order)
    JOBS[order.job](app, order, Meter("faust", "faust-streaming", order))
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
