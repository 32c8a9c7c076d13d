"""The history as a process: follows the topics in the main thread; marks are made, and its pages served, from others."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import date
from threading import Event, Thread

from streams.health_pages import FollowerHealth
from streams.history.baselines import publisher_of
from streams.history.follow import Follower, consumer_of
from streams.history.marks import Marker, redis_of
from streams.history.store import open_history
from streams.kpi.as_of import day_of
from streams.operation import KafkaOperation
from streams.operator_files import load_rules
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.windows.clock import instant


def run(settings: Settings, health: FollowerHealth, keep: Mapping[str, int]) -> None:
    """Run until SIGINT or SIGTERM; what is being written is written to its end. ``keep``: name (``store.KEPT``) → days."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def today() -> date:
        return day_of(instant(machine_ms()), settings.policy)

    operation, redis, rules = KafkaOperation(settings), redis_of(settings), load_rules(settings.rules_file)
    with open_history(settings.history or settings.database, settings.data_dir, settings.policy) as history:
        follower = Follower(
            history, settings.topic, lambda: consumer_of(settings), operation.told_clock, today, health, keep,
            publisher_of(settings, history, rules),
        )  # fmt: skip
        marker = Marker(history, settings.policy, redis, settings.redis_key, today)
        marking = Thread(target=marker.run, args=(stop,), name="marks", daemon=True)
        marking.start()
        follower.run(stop)
        marking.join()
