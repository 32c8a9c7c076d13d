"""The one place that reads the machine's clock. Everywhere else the time is an argument."""

from __future__ import annotations

import time


def machine_ms() -> int:
    """The machine's clock: milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
