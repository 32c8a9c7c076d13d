"""The same questions, asked of the kernel: the pure path over the same events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from streams.contracts.outputs import Figure, entity_kind
from streams.facts import plain
from streams.kpi.catalog import KPIS
from streams.kpi.formulas import formulas
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy import Policy
from streams.kpi.spec import side_of
from streams.pipeline import Run, run
from streams.windows.clock import Days
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
        self.formulas, self.maturity = formulas(policy), Maturity(policy, self.as_of)

    def figures(self, entity: str, window: str | date) -> dict[str, Figure]:
        """Every KPI of an entity, those without data included."""
        by_side = self.formulas[side_of(entity_kind(entity))]
        if window in ("5m", "30m", "today"):
            shown = self.run.snapshot(entity)
            now = {"calls_waiting": Figure(shown.waiting, shown.waiting), "longest_wait": Figure(shown.longest_wait)}
            hint = shown.staffing
            if hint is None or hint.on_duty is None:
                now["staffing_gap"] = Figure()
            else:
                now["staffing_gap"] = Figure(hint.needed - hint.on_duty, hint.offered)
            return {**by_side.figures({}), **{id: now[id] for id in KPIS if id in now}, **shown.windows[str(window)]}
        found = Ripening()
        days, end = Days(self.policy.zone), round(self.as_of.timestamp() * 1000)
        for facts in list(self.run.facts.values()):
            if facts.entity == entity and (facts.date == window or facts.date.isoformat()[:7] == window):
                found.add(plain(facts, end, days).sums, self.maturity.young(facts.date))
        return by_side.figures(found.sums, found.unripe)
