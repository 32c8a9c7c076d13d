"""What is measured of Deskpulse's own worker: latency, growth, recovery, memory, records.

Each takes a ``Bench`` and returns the rows of its table; each has an operation of its own, of which nothing is left.
"""

from tests.bench.scenarios.growth import growth
from tests.bench.scenarios.latency import latency
from tests.bench.scenarios.memory import memory
from tests.bench.scenarios.records import records
from tests.bench.scenarios.recovery import recovery

__all__ = ["growth", "latency", "memory", "records", "recovery"]
