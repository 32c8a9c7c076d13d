"""The main job on stock Faust, as its manual writes it: what the batch path of the worker is measured against.

Two agents, an event at a time, tables with a write for each event, nothing of ``streams.worker.batching``. The stages are the worker's own,
with runs of one message. ``python -m tests.support.stock_faust`` runs it on the operation of ``DESKPULSE_…``, in that operation's group.
"""

from __future__ import annotations

from typing import Any

import faust
import msgspec

from streams.contacts import customer as customers_
from streams.contacts.customer import Customer
from streams.contacts.stage import ContactsStage
from streams.contracts.outputs import Contributions, DailyFacts
from streams.contracts.topics import CONTACT_TOPICS, CONTRIBUTIONS
from streams.entities.entity import dump as dump_entity
from streams.entities.entity import load as load_entity
from streams.entities.stage import KpisStage
from streams.kafka.transactions import partition_of
from streams.pipeline import Customers, DayBook, Entities
from streams.roster import Roster
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import EventClock
from tests.bench.contenders.faust import or_end

_encode = msgspec.json.Encoder().encode
_contributions = msgspec.json.Decoder(Contributions).decode
_day = msgspec.json.Decoder(DailyFacts).decode


class FromTable(Customers):
    """What one event has in hand of the table of customers."""

    def __init__(self, table: Any) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, key: str) -> Customer:
        raw = self._table.get(key)
        value = self[key] = Customer(key) if raw is None else customers_.load(raw, key)
        return value

    def starting_with(self, prefix: str) -> list[str]:
        """The keys that begin so, in hand or in the table."""
        return sorted({key for key in (*self, *self._table) if key.startswith(prefix)})


class Figures:
    """The second stage of one partition: what the tables hold of it, and how far its time has come (ms)."""

    def __init__(self, settings: Settings, partition: int, entities: Any, days: Any) -> None:
        def own(key: str) -> bool:
            return partition_of(key.encode(), settings.partitions) == partition

        self.entities, self.days, self.now = Entities(), DayBook(), 0
        self.entities.update({key: load_entity(raw) for key, raw in entities.items() if own(key)})
        self.days.update({key: _day(raw) for key, raw in days.items() if own(key.rsplit("|", 1)[0])})
        self.stage = KpisStage(settings.policy, (), self.entities, self.days)
        self.stage.adopt(list(self.entities))

    def take(self, key: str, message: Contributions, offset: int) -> None:
        """One message to one entity; what changed is in the stage's ``changed``."""
        self.now = max(self.now, message.clock)
        self.stage.apply(key, message.to[key], offset)
        self.stage.settle_all()
        self.stage.advance(self.now)


def new_app(settings: Settings) -> Any:
    """A Faust app with its default settings, but for names, and for waits that a test has no time for."""
    return faust.App(
        settings.group,
        broker=f"kafka://{settings.broker}",
        store="memory://",
        datadir=str(settings.data_dir / "faust"),
        web_enabled=False,
        topic_partitions=settings.partitions,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_commit_interval=1.0,
    )


def wire(app: Any, settings: Settings) -> None:
    """Topics, tables, agents."""
    contacts = ContactsStage(settings.policy, Roster())
    sources = app.topic(*map(settings.topic, CONTACT_TOPICS), key_type=str, value_type=bytes, value_serializer="raw")
    contributions = app.topic(
        settings.topic(CONTRIBUTIONS), key_type=str, value_type=bytes, value_serializer="raw", internal=True
    )
    customers, entities, days = (
        app.Table(name, key_type=str, value_type=bytes) for name in ("customers", "entities", "days")
    )
    clocks = app.Table("clocks", key_type=str, value_type=int)
    figures: dict[int, Figures] = {}

    # Neither agent waits for anything within an event: what Faust does when it stops never comes between an event's writes.

    @app.agent(sources)
    @or_end
    async def join(stream: Any) -> None:
        async for event in stream.events():
            place = f"{event.message.topic}|{event.message.partition}"
            clock, own = EventClock(), FromTable(customers)
            clock.now = clocks.get(place)
            out = contacts.process([event.value], own, clock, machine=machine_ms(), event_time=True)
            if out.rejected:
                raise ValueError(f"an event of the simulated desk was refused: {out.rejected[0][1]}")
            clocks[place] = clock.now
            for key in out.touched:
                customers[key] = customers_.dump(own[key])
            for entity, contribution in out.contributions.items():
                message = Contributions(clock=clock.now or 0, to={entity: contribution})
                contributions.send_soon(key=entity, value=_encode(message))

    @app.agent(contributions)
    @or_end
    async def add_up(stream: Any) -> None:
        async for event in stream.events():
            partition = event.message.partition
            if partition not in figures:
                figures[partition] = Figures(settings, partition, entities, days)
            own = figures[partition]
            own.take(event.key, _contributions(event.value), event.message.offset)
            for key, of_days in own.stage.changed.items():
                entities[key] = dump_entity(own.entities[key])
                for day in of_days:
                    days[day] = _encode(own.days[day])
            own.stage.changed.clear()


def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    app = new_app(settings)
    wire(app, settings)
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main()
