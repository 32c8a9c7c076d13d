"""What a run does not judge: cases of days that had not matured when it was prepared. The next period's run has its own days only, so that
what becomes of them counts nowhere once this one is approved.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from scoring.runs.jsonl import Document
from scoring.runs.snapshot import Materials
from streams.kpi.catalog import KPIS
from streams.languages.text import Text


@dataclass(frozen=True)
class Unjudged:
    """An item's cases of everybody that had not matured, ``pending`` of ``of``. ``from_day``: prepared on it or later, there are none."""

    item: str
    name: Text
    pending: int
    of: int
    from_day: date

    def said(self) -> str:
        """In a sentence, for who approves."""
        share = f"{100 * self.pending / self.of:.0f}"
        return (
            f"{self.name.en}: {self.pending} of {self.of} ({share} %) had not matured: what becomes of them counts in no run; "
            f"prepare it again on {self.from_day} or later, and none is left out"
        )


def unjudged(body: Document, materials: Materials) -> tuple[Unjudged, ...]:
    """Every item of which something had not matured, in the card's order."""
    pending, rest, names = Counter[str](), Counter[str](), dict[str, tuple[str, Text]]()
    for items in body.items():
        for item in items:
            kpi = item.kpi
            if kpi is None or KPIS[kpi].matures is None:
                continue
            names[item.id] = kpi, Text(item.name_zh, item.name_en)
            pending[item.id] += item.pending
            rest[item.id] += (item.n or 0) - (0 if KPIS[kpi].only_mature else item.pending)
    return tuple(
        Unjudged(id, name, pending[id], pending[id] + rest[id], _from_day(kpi, materials))
        for id, (kpi, name) in names.items()
        if pending[id]
    )


def _from_day(kpi: str, materials: Materials) -> date:
    last, field = materials.period.last, KPIS[kpi].matures
    assert field is not None
    return last + timedelta(days=1 + ceil(getattr(materials.policy.current(last), field)))
