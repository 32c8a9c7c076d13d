"""Prometheus metrics of all sources that are followed. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

LINES = Counter(
    "deskpulse_source_lines",
    "Lines, messages or rows that were read, by what became of them: told, left_out, refused",
    ["source", "became"],
)
EVENTS = Counter("deskpulse_source_sent", "Events that Kafka has acknowledged", ["source"])
TROUBLES = Counter(
    "deskpulse_source_troubles",
    "Times that Kafka, or what is read, could not be had; it went on where it stood",
    ["source"],
)
UNREAD_MESSAGES = Gauge("deskpulse_source_unread_messages", "Messages of a topic that wait to be read", ["source"])
LAST_SECONDS = Gauge(
    "deskpulse_source_last_timestamp_seconds", "Time of the last line, message or row that was sent", ["source"]
)
UNMAPPED = Gauge(
    "deskpulse_source_unmapped", "Names of agents and queues that the source's file does not have", ["source", "what"]
)
LOST = Gauge("deskpulse_source_lost", "1 where a part was gone before it was read", ["source"])
