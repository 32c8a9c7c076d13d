"""A load of now, as a process of its own: believable events at an even rate, and probes among them.

``python -m tests.bench.scenarios.load`` reads commands from stdin, one JSON object a line, and answers each with one: an ``Order``, a
``Done``. It ends with its input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from random import Random
from time import monotonic, monotonic_ns, sleep

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.bench.scenarios.desks import COPY_AGENTS, Template, desk, over_and_over, stamp
from tests.bench.scenarios.orders import Done, Order
from tests.bench.scenarios.probe import probe

#: Events of a copy that are repeated; a cycle of ten copies is as long as a few seconds at the highest rate.
_STEADY_EVENTS = 6_000
_FLUSH_SECONDS = 60.0
_PAUSE_SECONDS = 0.001


class Load:
    """Sends to the contact topics of an operation, keyed and partitioned as the product's own producers do."""

    def __init__(self, broker: str, prefix: str, agents: int) -> None:
        # Of today, so that what is due in two days is.
        part = desk(instant(machine_ms()), _STEADY_EVENTS)
        self._beginning, self._steady = part.beginning, part.steady
        self._copies = agents // COPY_AGENTS
        self._prefix = prefix
        self._failure: str | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "partitioner": "murmur2_random",
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "queue.buffering.max.messages": 200_000,
                "delivery.report.only.error": True,
                "on_delivery": self._failed,
            }
        )

    def send(self, order: Order) -> Done:
        """Send at an even rate for so long; comes back when all is acknowledged."""
        events = self._events(order.run)
        moments = _moments(order)
        done = Done([], [], 0.0)
        count, began = 0, monotonic()
        while (passed := monotonic() - began) < order.seconds:
            while len(done.probes) < len(moments) and moments[len(done.probes)] <= passed:
                key, raw = probe(f"{order.run}-{len(done.probes)}", machine_ms())
                done.probes.append(monotonic_ns())
                self._produce(f"{self._prefix}calls", key, raw)
            due, now = int(passed * order.rate), stamp(machine_ms())
            for _ in range(due - count - len(done.probes)):
                template, fields = next(events)
                fields[b"time"] = now
                self._produce(f"{self._prefix}{template.carrier}", template.key % fields, template.value % fields)
            count = max(count, due - len(done.probes))
            done.sent.append((monotonic_ns(), count + len(done.probes)))
            self._producer.poll(0)
            sleep(_PAUSE_SECONDS)
        done.seconds = monotonic() - began
        if left := self._producer.flush(_FLUSH_SECONDS):
            self._failure = f"{left} events were not acknowledged within {_FLUSH_SECONDS:g} s"
        done.error = self._failure
        return done

    def _events(self, run: str) -> Iterator[tuple[Template, dict[bytes, bytes]]]:
        return over_and_over(self._beginning + self._steady, self._copies, run)

    def _produce(self, topic: str, key: bytes, raw: bytes) -> None:
        while True:
            try:
                self._producer.produce(topic, raw, key)
                return
            except BufferError:  # more is under way than the producer holds
                self._producer.poll(0.01)

    def _failed(self, error: KafkaError | None, _: Message) -> None:
        self._failure = self._failure or str(error)


def _moments(order: Order) -> list[float]:
    """Seconds at which probes go out: at chance, so that no beat of the worker's goes unseen or is always met."""
    random = Random(order.run)
    return sorted(random.uniform(0, order.seconds * 0.98) for _ in range(order.probes))


def main() -> None:
    """Do what stdin says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--agents", type=int, required=True)
    options = parser.parse_args()
    load = Load(options.broker, options.prefix, options.agents)
    for line in sys.stdin:
        done = load.send(msgspec.json.decode(line, type=Order))
        sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
