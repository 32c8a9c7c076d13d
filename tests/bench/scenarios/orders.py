"""What the load generator is asked and what it answers."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct):
    """What to send: ``probes`` at chance moments within so many ``seconds``; ``run`` names them: ``<run>-0``, ``<run>-1``, …"""

    run: str
    rate: float
    seconds: float
    probes: int


class Done(msgspec.Struct):
    """What was sent. ``probes``: number → monotonic ns just before it was handed to the producer; ``sent``: (monotonic ns, events so
    far) as it went on; ``seconds``: until the last was handed over; ``error``: why not everything was acknowledged.
    """

    probes: list[int]
    sent: list[tuple[int, int]]
    seconds: float
    error: str | None = None
