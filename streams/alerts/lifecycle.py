"""The life of an alert: idle → pending → firing → resolved, or without data meanwhile, as a pure step from one look to the next."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from streams.alerts.cusum import OVER, Evidence
from streams.alerts.rules import Rule
from streams.contracts.outputs import Figure


class AlertState(Struct, array_like=True, frozen=True, gc=False):
    """Where an alert stands. Times in ms since 1970; ``since`` is when the condition began to hold.

    ``value`` and ``n``: the figure of a firing alert as it was told last, at ``told``. ``short``: since when there is too little to
    make one; 0: there is enough. Earlier versions stored the first two only.
    """

    status: Literal["pending", "firing", "no_data"]
    since: int
    value: float | None = None
    n: int = 0
    short: int = 0
    told: int = 0


#: Present figures of an alert that fires are told so often at most, ms.
UPDATE_MS = 60_000


def step(rule: Rule, state: AlertState | None, figure: Figure, now: int) -> AlertState | None:
    """The state after looking at a figure at ``now`` (ms); None: the alert is idle.

    Too little data begins nothing, and ends a pending alert. What fires keeps its last figure: it has no data after the rule's
    ``no_data_for`` seconds, until there are data again; only where there can be none without anything being amiss
    (``Rule.can_fall_silent``) it ends at once. Between threshold and ``clear`` a firing alert stays as it is.
    """
    if state is not None and state.status != "pending":
        return _go_on(rule, state, figure, now)
    value = figure.value
    if value is None or figure.n < rule.min_n:
        return None
    if not (rule.breached(value) if rule.test == "point" else rule.breached_by_bound(figure)):
        return None
    since = now if state is None else state.since
    if now - since < rule.for_seconds * 1000:
        return state or AlertState("pending", since)
    return AlertState("firing", since, value, figure.n, 0, now)


def step_by_evidence(
    rule: Rule, state: AlertState | None, found: Evidence, figure: Figure, now: int
) -> AlertState | None:
    """The state after looking at a cumulative sum at ``now`` (ms); None: the alert is idle. ``figure``: since the change."""
    if state is None or state.status == "pending":
        if found.level < 1 or found.n < rule.min_n:
            return None
        return AlertState("firing", now, figure.value, figure.n, 0, now)
    if not found.heard:
        return _fallen_silent(rule, state, now)
    if found.level <= OVER:
        return None
    return _fire_on(state, figure, now)


def _go_on(rule: Rule, state: AlertState, figure: Figure, now: int) -> AlertState | None:
    value, n = figure.value, figure.n
    if value is None or (n < rule.min_n and not rule.counts):
        return _fallen_silent(rule, state, now) if rule.can_fall_silent else None
    if rule.cleared(value):
        return None
    return _fire_on(state, figure, now)


def _fire_on(state: AlertState, figure: Figure, now: int) -> AlertState:
    """It goes on firing, or has data again."""
    if state.status == "firing" and (now - state.told < UPDATE_MS or figure.value == state.value):
        return AlertState("firing", state.since, state.value, state.n, 0, state.told) if state.short else state
    return AlertState("firing", state.since, figure.value, figure.n, 0, now)


def _fallen_silent(rule: Rule, state: AlertState, now: int) -> AlertState:
    short = state.short or now
    if state.status == "no_data" or now - short < rule.no_data_for * 1000:
        return state if state.short else AlertState("firing", state.since, state.value, state.n, short, state.told)
    return AlertState("no_data", state.since, state.value, state.n, short, now)


def next_step_at(rule: Rule, state: AlertState, now: int) -> int | None:
    """When time alone may take a state further that was looked at ``now``, while its figure stays, ms; None: it never does."""
    if state.status == "no_data":
        return None
    if state.status == "pending":
        return state.since + round(rule.for_seconds * 1000)
    if state.short:
        return state.short + round(rule.no_data_for * 1000)
    # A figure that has moved is told a minute after the last one; one that has not waits for news.
    return told if (told := state.told + UPDATE_MS) > now else None
