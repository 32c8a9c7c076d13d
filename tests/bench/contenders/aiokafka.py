"""aiokafka alone: what reading costs in Python, before anything is done with it."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer

from streams.contracts.decode import decode_contact
from tests.bench.contenders.protocol import Meter, Order, ordered


async def run(order: Order) -> None:
    """Read, and decode where that is the job."""
    meter = Meter("aiokafka", "aiokafka", order)
    consumer = AIOKafkaConsumer(
        order.topic, bootstrap_servers=order.broker, group_id=order.group, auto_offset_reset="earliest"
    )
    await consumer.start()
    decoding = order.job == "decode"
    taken = 0
    while taken < order.events and not meter.over:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            meter.start()
            if decoding:
                for record in records:
                    decode_contact(record.value)
            taken += len(records)
    meter.end(taken)


if __name__ == "__main__":
    asyncio.run(run(ordered("read", "decode")))
