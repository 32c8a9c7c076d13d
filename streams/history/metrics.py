"""Prometheus metrics of the history. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("deskpulse_history_messages", "Messages that were taken in", ["topic"])
CONTACTS = Counter("deskpulse_history_contacts", "Contacts that were written, as they are new or have changed")
UNREADABLE = Counter("deskpulse_history_unreadable", "Messages that are none of ours, and were left out", ["topic"])
BATCH_SECONDS = Histogram(
    "deskpulse_history_batch_seconds",
    "A transaction of what was read",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
LAG = Gauge("deskpulse_history_lag", "Messages that were not taken in yet")
BASELINES = Counter(
    "deskpulse_history_baselines_total", "Baselines written or taken back, for rules that go by what is usual"
)
