"""Prometheus metrics of the notifier. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

TRIES = Counter("deskpulse_notifier_tries", "Tries to tell, by what came of them", ["channel", "result"])
MESSAGES = Counter(
    "deskpulse_notifier_messages", "Messages that are decided: told, failed, unknown", ["channel", "state"]
)
STEPS = Counter("deskpulse_notifier_steps", "Steps of incidents that were taken in, by what became of them", ["became"])
DELAY_SECONDS = Histogram(
    "deskpulse_notifier_delay_seconds",
    "From a step, by the operation's clock, to the channel's confirmation",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)
UNREADABLE = Counter("deskpulse_notifier_unreadable", "Messages of the topic that are no incident, and were left out")
WAITING = Gauge("deskpulse_notifier_waiting", "Steps that a channel is still to be told", ["channel"])
CHANNEL_UP = Gauge("deskpulse_notifier_channel_up", "1 while the channel takes what it is told", ["channel"])
LAG = Gauge("deskpulse_notifier_lag", "Messages of `incidents` that were not taken in yet")
CASES_LAG = Gauge("deskpulse_cases_lag", "Messages of `contact-records` of which no cases were made yet")
