"""Prometheus metrics of the gateway. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

EVENTS = Counter("deskpulse_gateway_events", "Events that Kafka has acknowledged", ["source"])
LEFT_OUT = Counter(
    "deskpulse_gateway_left_out", "Records that tell nothing that is counted, as their mapping has it", ["source"]
)
REFUSED = Counter(
    "deskpulse_gateway_refused",
    "Events that were refused, and requests of which nothing was read; no_credentials: by whom they were, nothing showed",
    ["source", "reason"],
)
DELAYED = Counter(
    "deskpulse_gateway_delayed",
    "Requests that were told to come again: kafka has not acknowledged in time, or busy: there were too many at once",
    ["source", "why"],
)
UNMAPPED = Gauge(
    "deskpulse_gateway_unmapped", "Names of agents and queues that the source's file does not have", ["source", "what"]
)
KAFKA_UP = Gauge("deskpulse_gateway_kafka_up", "1 while Kafka answers and every topic of events has its leaders")
