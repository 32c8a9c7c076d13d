"""Prometheus metrics of an Asterisk, beside those that every source has (``streams/sources/following/metrics.py``). This list is the
reference: names, labels, meaning.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from streams.sources.following.metrics import EVENTS, LAST_SECONDS, LINES, LOST, TROUBLES, UNMAPPED

__all__ = [
    "AMI_BREAKS", "AMI_UP", "COMPARED", "DIFFERS", "EVENTS", "LAST_SECONDS", "LINES", "LOST", "TROUBLES", "UNMAPPED",
    "UNREAD_BYTES", "WAITING",
]  # fmt: skip

UNREAD_BYTES = Gauge("deskpulse_source_unread_bytes", "Bytes of the log that wait to be read", ["source"])
AMI_UP = Gauge("deskpulse_source_ami_up", "1 while AMI is connected and has told of all agents", ["source"])
AMI_BREAKS = Counter("deskpulse_source_ami_breaks", "Times that the connection to AMI was lost", ["source"])
WAITING = Gauge("deskpulse_source_waiting", "Callers who wait now, by AMI", ["source", "queue"])
COMPARED = Gauge(
    "deskpulse_source_compared",
    "Passages of calls that log and AMI have both told of since the follower began",
    ["source"],
)
DIFFERS = Counter(
    "deskpulse_source_differs",
    "Passages of calls of which log and AMI say something else: outcome, agent, wait, talk, log_only, ami_only",
    ["source", "what"],
)
