"""What came, what was refused and why, source by source, since the process began: without anybody's data."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.gateway import metrics
from streams.gateway.intake import Intake, Refusal
from streams.sources.live.refusing import without_values
from streams.windows.clock import instant

_LOG = logging.getLogger(__name__)
#: Requests of a source that are kept, refusals of each that are, and names that the page lists.
_LAST, _REFUSALS, _NAMES = 50, 5, 50
#: Between two lines of the log about what a source is refused. Milliseconds.
_LOG_MS = 60_000


@dataclass
class _OfSource:
    requests: Counter[str] = field(default_factory=Counter)
    events: int = 0
    left_out: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    last_ms: int | None = None
    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_LAST))
    logged_ms: int | None = None


class Deliveries:
    """What became of requests, source by source."""

    def __init__(self, intakes: Mapping[str, Intake]) -> None:
        self._intakes = intakes
        self._sources = {name: _OfSource() for name in intakes}
        for name in intakes:  # so that a share of nothing taken is one
            metrics.EVENTS.labels(name)

    def taken(
        self, source: str, status: int, events: int, left_out: int, refused: Sequence[Refusal], now_ms: int
    ) -> None:
        """A request was read, and its events, if any, are in Kafka."""
        own = self._sources[source]
        own.events, own.left_out = own.events + events, own.left_out + left_out
        metrics.EVENTS.labels(source).inc(events)
        metrics.LEFT_OUT.labels(source).inc(left_out)
        for what, names in self._intakes[source].unmapped.items():
            metrics.UNMAPPED.labels(source, what).set(len(names))
        if events:
            own.last_ms = now_ms
        told = [
            {"line": one.line, "reason": one.reason, "detail": without_values(one.detail)}
            for one in refused[:_REFUSALS]
        ]
        self._refuse(source, (one.reason for one in refused), told, now_ms)
        self._note(source, status, now_ms, events=events, left_out=left_out, refused=len(refused), refusals=told)

    def refused(self, source: str, status: int, reason: str, detail: str, now_ms: int) -> None:
        """Of a request nothing was read."""
        told = [{"reason": reason, "detail": without_values(detail)}]
        self._refuse(source, (reason,), told, now_ms)
        self._note(source, status, now_ms, refusals=told)

    def delayed(self, source: str, status: int, why: str, now_ms: int) -> None:
        """A request was told to come again."""
        metrics.DELAYED.labels(source, why).inc()
        self._note(source, status, now_ms, delayed=why)

    def told(self) -> dict[str, Any]:
        """What the page says, by source."""
        return {name: self._of(name, own) for name, own in self._sources.items()}

    def _of(self, name: str, own: _OfSource) -> dict[str, Any]:
        unmapped = self._intakes[name].unmapped
        return {
            "requests": dict(own.requests),
            "events": own.events,
            "left_out": own.left_out,
            "refused": dict(own.refused),
            "last_event_taken": None if own.last_ms is None else instant(own.last_ms).isoformat(),
            "unmapped": {what: dict(names.most_common(_NAMES)) for what, names in unmapped.items() if names},
            "last": [*reversed(own.last)],
        }

    def _note(self, source: str, status: int, now_ms: int, **what: Any) -> None:
        own = self._sources[source]
        own.requests[str(status)] += 1
        own.last.append({"at": instant(now_ms).isoformat(), "status": status, **what})

    def _refuse(self, source: str, reasons: Iterable[str], told: Sequence[Mapping[str, Any]], now_ms: int) -> None:
        own = self._sources[source]
        for reason in reasons:
            own.refused[reason] += 1
            metrics.REFUSED.labels(source, reason).inc()
        if told and (own.logged_ms is None or now_ms - own.logged_ms >= _LOG_MS):
            own.logged_ms = now_ms
            _LOG.warning(
                "%s: refused (%s): %s; all of them are on /deliveries", source, told[0]["reason"], told[0]["detail"]
            )
