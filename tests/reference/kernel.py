"""The same questions, asked of the kernel: the pure path over the same events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from streams.contracts.outputs import Figure
from streams.kpi.formulas import figures
from streams.kpi.measures import merged
from streams.kpi.policy import Policy
from streams.pipeline import Run, run
from tests.reference.telling import moment
from tests.reference.thing import Event


def encoded(event: Event) -> bytes:
    """An event dict as a message."""
    return json.dumps({k: v.isoformat() if isinstance(v, datetime) else v for k, v in event.items()}).encode()


def clock(as_of: datetime) -> list[Event]:
    """Events that do nothing but carry the clock to a moment. Two, for it believes no single jump."""
    at = moment(as_of).isoformat()
    return [
        {"type": "call.arrived", "id": f"clock{n}", "source": "clock", "time": at, "contact_id": f"clock{n}"}
        for n in range(2)
    ]


class Kernel:
    """What the kernel says of all that was told up to a moment, in the given order."""

    def __init__(self, events: Iterable[Event], policy: Policy, as_of: datetime, **options: Any) -> None:
        self.policy, self.as_of = policy, moment(as_of)
        told = [event for event in events if moment(event["time"]) <= self.as_of]
        self.run: Run = run([encoded(event) for event in [*told, *clock(self.as_of)]], policy, **options)

    def figures(self, entity: str, window: str | date) -> dict[str, Figure]:
        """Every KPI of an entity."""
        if window in ("5m", "30m", "today"):
            return self.run.snapshot(entity).windows[str(window)]
        held = [facts for key, facts in self.run.facts.items() if facts.entity == entity]
        days = [facts.sums for facts in held if facts.date == window or facts.date.isoformat()[:7] == window]
        return figures(entity, merged(days), self.policy)
