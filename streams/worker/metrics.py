"""Prometheus metrics of a worker. This list is the reference: names, labels, meaning."""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram, Info

from streams.version import compiled

#: Sources that have series of their own in one worker, and characters of a name: whatever messages say, there are no more series.
MOST_SOURCES, _LONGEST_SOURCE = 50, 256


class SourceNames:
    """The label of a source: its own name for the first that come, ``other`` for all further ones, ``unknown`` for none."""

    def __init__(self, most: int = MOST_SOURCES) -> None:
        self._most = most
        self._names: set[str] = set()

    def label(self, source: str) -> str:
        """The label under which a source is counted."""
        if not source:
            return "unknown"
        if source not in self._names:
            if len(self._names) >= self._most or len(source) > _LONGEST_SOURCE:
                return "other"
            self._names.add(source)
        return source


BUILD = Info("deskpulse_build", "Version of the worker; is its kernel compiled?")
BUILD.info({"version": version("deskpulse"), "compiled": "yes" if compiled() else "no"})
EVENTS_IN = Counter("deskpulse_events_in", "Messages read from a source topic", ["topic"])
EVENTS_ADMITTED = Counter("deskpulse_events_admitted", "Events that changed a contact or an agent's state", ["topic"])
EVENTS_REJECTED = Counter("deskpulse_events_rejected", "Messages sent to dead-letters, by reason", ["topic", "reason"])
DEAD_LETTERS = Counter(
    "deskpulse_dead_letters",
    "Messages sent to dead-letters, by reason and by the source that they name (`unknown`: it cannot be read; `other`: one of too many)",
    ["reason", "source"],
)
SOURCE_EVENTS = Counter(
    "deskpulse_source_events", "Messages read, refused ones too, by the source that they name; as above", ["source"]
)
EVENTS_DUPLICATE = Counter("deskpulse_events_duplicate", "Events that had been admitted before", ["topic"])
EVENTS_LATE = Counter(
    "deskpulse_events_late", "Events admitted behind the highest event time of their partition", ["topic"]
)
MISPLACED = Counter(
    "deskpulse_events_misplaced",
    "Events that were read in another partition than that of their key, and went on to it: their producer has another partitioner or key",
    ["topic"],
)
JOINED = Counter(
    "deskpulse_events_joined",
    "Events that went on to another partition, as other events of their contact tell its customer",
    ["topic"],
)
ASTRAY = Gauge(
    "deskpulse_state_astray",
    "Keys whose state lies in a partition that is not theirs: `deskpulse state join` puts it together",
    ["topic", "partition"],
)
CONTRIBUTIONS = Counter("deskpulse_contributions", "Contributions applied by the second stage")
CONTRIBUTIONS_SKIPPED = Counter("deskpulse_contributions_skipped", "Contributions that had been applied before")
LAG = Gauge("deskpulse_lag", "Messages of a partition not yet processed", ["topic", "partition"])
BATCH_SIZE = Histogram(
    "deskpulse_batch_size", "Messages per run", ["stage"], buckets=(1, 3, 10, 30, 100, 300, 1000, 2000, 5000)
)
BATCH_SECONDS = Histogram(
    "deskpulse_batch_seconds",
    "Time per run",
    ["stage"],
    buckets=(0.0005, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
)
UNWRITTEN = Counter(
    "deskpulse_unwritten",
    "Messages that were left out because their topic would not take them for their size",
    ["topic"],
)
SETBACKS = Counter("deskpulse_setbacks", "Times that a worker went back to what is written, as a checkpoint failed")
STALLED = Gauge("deskpulse_stalled", "1 while a worker gets nowhere: /readyz says 503, and why")
EXPIRED = Counter(
    "deskpulse_events_expired", "Messages that Kafka's retention deleted before a worker had read them", ["topic"]
)
CYCLE_SECONDS = Histogram(
    "deskpulse_cycle_seconds",
    "Time to write what has been caused, in one transaction a partition",
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
RESTORE_SECONDS = Gauge("deskpulse_restore_seconds", "Time to read the state of the partitions last taken up")
ALERTS = Counter("deskpulse_alerts", "Steps of alerts", ["rule", "status"])
ENTITIES = Gauge("deskpulse_entities", "Entities in hand")
CUSTOMERS = Gauge("deskpulse_customers", "Customers decoded in memory")
OPERATION_CLOCK = Gauge("deskpulse_operation_clock_seconds", "The operation's now, seconds since 1970")
REDIS_UP = Gauge("deskpulse_redis_up", "1 while Redis takes what screens show")
