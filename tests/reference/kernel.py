"""The same questions, asked of the kernel: the pure path over the same events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from streams.contracts.outputs import DailyFacts, Figure, entity_kind
from streams.entities.daily_facts import plain
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.maturity import Maturity, Ripening
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import side_of
from streams.kpi.staffing import gap_of
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

    def __init__(self, events: Iterable[Event], policy: AnyPolicy, as_of: datetime, **options: Any) -> None:
        self.policy, self.as_of = policy, moment(as_of)
        told = [event for event in events if moment(event["time"]) <= self.as_of]
        self.run: Run = run([encoded(event) for event in [*told, *clock(self.as_of)]], policy, **options)
        self.maturity, self.days = Maturity(policy, self.as_of), Days(policy.zone, policy.day_starts_ms)
        self._judged: dict[tuple[date, date], Judged] = {}

    @cached_property
    def _facts(self) -> dict[str, list[DailyFacts]]:
        """Entity → its days."""
        found: dict[str, list[DailyFacts]] = {}
        for facts in self.run.facts.values():
            found.setdefault(facts.entity, []).append(facts)
        return found

    def figures(self, entity: str, window: str | date) -> dict[str, Figure]:
        """Every KPI of an entity, those without data included."""
        side = side_of(entity_kind(entity))
        if window in ("5m", "30m", "today"):
            shown = self.run.snapshot(entity)
            now = {"calls_waiting": Figure(shown.waiting, shown.waiting), "longest_wait": Figure(shown.longest_wait)}
            now["staffing_gap"] = gap_of(shown.staffing)
            nothing = Judged(self.policy, self.as_of.date(), self.as_of.date()).formulas(side).figures({})
            return {**nothing, **{id: now[id] for id in KPIS if id in now}, **shown.windows[str(window)]}
        first = window if isinstance(window, date) else date.fromisoformat(f"{window}-01")
        last = window if isinstance(window, date) else (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        if (first, last) not in self._judged:
            self._judged[first, last] = Judged(self.policy, first, last)
        period, found, end = self._judged[first, last], Ripening(), round(self.as_of.timestamp() * 1000)
        for facts in self._facts.get(entity, ()):
            if first <= facts.date <= last:
                sums = period.of(entity, facts.date, plain(facts, end, self.days).sums)
                found.add(sums, self.maturity.young(facts.date))
        return period.formulas(side).figures(found.sums, found.unripe)
