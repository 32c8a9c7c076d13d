"""From a rating to a message: ``python -m tests.bench.messages`` tells how long after a bad rating a local webhook is told of the incident.

A worker, the incidents and the notifier run on brokers of their own, on the machine's clock. Each rating is of a queue with a rule of its
own: queues of one rule would be one incident, as they come so soon after another. First nothing else happens; then calls come in at an
even pace beside it (``--rate`` events a second). An incident waits five seconds for others of its cause before it is told.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread

from deploy.local.kafka import LocalKafka
from deploy.local.ports import free_port
from deploy.local.redis import LocalRedis
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.kafka.topics import ensure_topics
from streams.settings import Settings
from streams.sources.producer import EventProducer
from streams.system_clock import machine_ms
from streams.windows.clock import instant
from tests.support.operation import answers, metric, program
from tests.support.receiving import Receiver, receiving

_RULE = """
  - {{id: low_{part}_{number}, zh: 差评, en: Bad rating, kpi: csat, window: 5m, below: 0.8, min_n: 1, scope: [queue],
     select: ['queue:{part}-{number}'], severity: critical}}"""
_NOTIFY = """
language: en
channels:
  hook: {type: webhook, url: $HOOK}
routes:
  all: {to: [hook]}
"""
#: Seconds between ratings, that a message may take, and before the first while the pace is begun.
_BETWEEN, _WITHIN, _BEGINS = 3.0, 60.0, 20.0


def _rating(number: int, name: str) -> AnyEvent:
    now = instant(machine_ms())
    return e.CallRated(
        id=f"{name}-{number}", source="bench", time=now, contact_id=f"{name}-{number}", customer_id=f"k-{name}-{number}", agent_id="A1",
        queue_id=f"{name}-{number}", score=1, scale="1-5",
    )  # fmt: skip


def _calls(name: str) -> Iterator[list[AnyEvent]]:
    """Calls, one after the other: queued, answered, ended."""
    number = 0
    while True:
        number += 1
        now, id = instant(machine_ms()), f"{name}-c{number}"
        common = {
            "source": "bench",
            "time": now,
            "contact_id": id,
            "customer_id": f"{id[:-2]}",
            "queue_id": f"busy-{number % 20}",
        }
        agent = {"agent_id": f"A{number % 300}"}
        yield [
            e.CallQueued(id=f"{id}-q", **common),  # type: ignore[arg-type]
            e.CallAnswered(id=f"{id}-a", **common, **agent),  # type: ignore[arg-type]
            e.CallEnded(id=f"{id}-e", **common, **agent),  # type: ignore[arg-type]
        ]


def _beside(settings: Settings, rate: float, stop: Event) -> None:
    """Send so many events a second until told to stop."""
    began, sent, calls = time.monotonic(), 0, _calls(f"b{machine_ms()}")
    with EventProducer(settings) as producer:
        while not stop.is_set():
            while sent < (time.monotonic() - began) * rate:
                for event in next(calls):
                    producer.send(event)
                sent += 3
            stop.wait(0.02)
    print(f"beside it: {sent / (time.monotonic() - began):,.0f} events a second", file=sys.stderr)


def _measured(settings: Settings, there: Receiver, name: str, times: int) -> dict[str, float | int]:
    """Seconds from the sending of each rating to its message."""
    sent: dict[str, float] = {}
    with EventProducer(settings) as producer:
        for number in range(times):
            producer.send(_rating(number, name))
            producer.flush()
            sent[f"{name}-{number}"] = time.monotonic()
            time.sleep(_BETWEEN)
    deadline = time.monotonic() + _WITHIN
    told: dict[str, float] = {}
    while len(told) < times and time.monotonic() < deadline:
        for _, body, _, at in list(there.got):
            for queue in sent.keys() - told.keys():
                if f'"queue|{queue}"' in json.dumps(body):
                    told[queue] = at - sent[queue]
        time.sleep(0.2)
    took = sorted(told.values())
    if not took:
        raise RuntimeError(f"no message has come in {_WITHIN:g} s")
    return {
        "told": len(took),
        "of": times,
        "p50_seconds": round(median(took), 2),
        "p99_seconds": round(took[min(len(took) - 1, int(len(took) * 0.99))], 2),
        "first_seconds": round(took[0], 2),
    }


def main() -> None:
    """Measure, and print what it came to as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=40, help="ratings of each part")
    parser.add_argument("--rate", type=float, default=5000, help="events a second beside it, in the second part")
    asked = parser.parse_args()
    with ExitStack() as opened:
        place = Path(opened.enter_context(TemporaryDirectory(prefix="messages-", ignore_cleanup_errors=True)))
        kafka, redis = LocalKafka(place / "kafka"), LocalRedis(place / "redis")
        for server in (kafka, redis):
            server.start()
            opened.callback(server.stop)
        there, address = opened.enter_context(receiving())
        os.environ |= {"HOOK": f"{address}/hook", "NO_PROXY": "127.0.0.1"}
        rules, notify = place / "rules.yaml", place / "notify.yaml"
        own = (_RULE.format(part=part, number=number) for part in ("rest", "busy") for number in range(asked.times))
        rules.write_text(f"rules:{''.join(own)}\n", encoding="utf-8")
        notify.write_text(_NOTIFY, encoding="utf-8")
        settings = Settings(
            broker=kafka.address, redis=redis.address, prefix="bench.", partitions=4, data_dir=place, clock="wall", rules_file=rules,
            notify_file=notify,
        )  # fmt: skip
        ensure_topics(settings)
        ports = {}
        for name, option in (("worker", "--metrics-port"), ("incidents", "--metrics-port"), ("notifier", "--port")):
            ports[name] = free_port()
            process = opened.enter_context(program(settings, name, name, option, str(ports[name])))
            answers(f"http://127.0.0.1:{ports[name]}/healthz", process)
        time.sleep(_BEGINS)
        found = {"at rest": _measured(settings, there, "rest", asked.times)}
        stop = Event()
        beside = Thread(target=_beside, args=(settings, asked.rate, stop))
        beside.start()
        try:
            time.sleep(_BEGINS)
            found["beside"] = _measured(settings, there, "busy", asked.times)
            found["beside"]["lag"] = round(metric(f"http://127.0.0.1:{ports['worker']}/metrics", "deskpulse_lag"))
        finally:
            stop.set()
            beside.join()
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
