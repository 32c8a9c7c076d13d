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
UNREAD_BYTES = Gauge(
    "deskpulse_source_unread_bytes", "Bytes that wait to be sent: of the log, or of what was heard", ["source"]
)
LAST_SECONDS = Gauge(
    "deskpulse_source_last_timestamp_seconds", "Time of the last line, message or row that was read", ["source"]
)
UNMAPPED = Gauge(
    "deskpulse_source_unmapped", "Names of agents and queues that the source's file does not have", ["source", "what"]
)
LOST = Gauge("deskpulse_source_lost", "1 where a part was gone before it was read", ["source"])
AMI_UP = Gauge("deskpulse_source_ami_up", "1 while AMI is connected and has told of all agents", ["source"])
AMI_BREAKS = Counter("deskpulse_source_ami_breaks", "Times that the connection to AMI was lost", ["source"])
WAITING = Gauge(
    "deskpulse_source_waiting", "Callers who wait now, by what is heard of the switch live", ["source", "queue"]
)
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
UP = Gauge("deskpulse_source_up", "1 while the system is connected, and has told how all stands", ["source"])
BREAKS = Counter("deskpulse_source_breaks", "Times in which nothing was heard of the system", ["source"])
LOOKED_UP = Counter(
    "deskpulse_source_looked_up",
    "What a break had cost and was looked up: queued, answered, left, by_cdr",
    ["source", "what"],
)
NOT_KNOWN = Counter(
    "deskpulse_source_not_known", "Calls of a break of which nobody knows how they ended; each is named", ["source"]
)
