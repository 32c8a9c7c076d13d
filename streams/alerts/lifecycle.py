"""The life of an alert: idle → pending → firing → resolved, as a pure step from one look to the next."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from streams.alerts.rules import Rule


class AlertState(Struct, array_like=True, frozen=True, gc=False):
    """Where an alert stands. Times in ms since 1970; ``since`` is when the condition began to hold."""

    status: Literal["pending", "firing"]
    since: int


def step(rule: Rule, state: AlertState | None, value: float | None, n: int, now: int) -> AlertState | None:
    """The state after looking at ``value`` (of ``n`` things) at ``now``; None: the alert is idle.

    No data, or fewer things than the rule's minimum, begins nothing; it ends a pending alert at once and a firing one too,
    for there is nothing left to act on. Between threshold and ``clear`` a firing alert stays as it is.
    """
    if value is None or n < rule.min_n:
        return None
    if state is not None and state.status == "firing":
        return None if rule.cleared(value) else state
    if not rule.breached(value):
        return None
    since = state.since if state is not None else now
    return AlertState("firing" if now - since >= rule.for_seconds * 1000 else "pending", since)
