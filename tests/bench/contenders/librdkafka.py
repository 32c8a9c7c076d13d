"""librdkafka alone, as confluent-kafka brings it: the fastest way to read that Python has."""

from __future__ import annotations

from confluent_kafka import Consumer, KafkaException

from streams.contracts.decode import decode_contact
from tests.bench.contenders.protocol import Meter, Order, ordered


def run(order: Order) -> None:
    """Read, and decode where that is the job."""
    meter = Meter("librdkafka", "confluent-kafka", order)
    consumer = Consumer({"bootstrap.servers": order.broker, "group.id": order.group, "auto.offset.reset": "earliest"})
    consumer.subscribe([order.topic])
    decoding = order.job == "decode"
    taken = 0
    while taken < order.events and not meter.over:
        messages = consumer.consume(2000, 1.0)
        if messages:
            meter.start()
        for message in messages:
            if (error := message.error()) is not None:
                raise KafkaException(error)
            if decoding:
                decode_contact(message.value())
        taken += len(messages)
    meter.end(taken)


if __name__ == "__main__":
    run(ordered("read", "decode"))
