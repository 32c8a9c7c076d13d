"""Until somebody asks a process to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any


@contextmanager
def until_signal() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set: what has been sent is stored before it ends."""
    ended = Event()

    def end(*_: Any) -> None:
        ended.set()

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield ended
    finally:
        for number, handler in before:
            signal.signal(number, handler)
