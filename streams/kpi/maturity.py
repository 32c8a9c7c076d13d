"""When a day's figures are final: whether a customer returns within seven days is known after seven days.

Such a KPI names the policy field with its number of days. A day has matured for it once that much time has passed since the day's
end; how many of the things it is a share of belong to days that have not is told beside its value, as *pending*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from streams.contracts.outputs import Sums
from streams.kpi.as_of import day_of
from streams.kpi.catalog import KPIS
from streams.kpi.measures import add
from streams.kpi.policy.versions import AnyPolicy

#: Every policy field that a KPI matures by.
FIELDS = tuple(sorted({kpi.matures for kpi in KPIS.values() if kpi.matures is not None}))


class Maturity:
    """Which days have matured as of a moment; None: all have. A day matures by the version of the policy that judges it."""

    def __init__(self, policy: AnyPolicy, now: datetime | None, fields: Iterable[str] = FIELDS) -> None:
        """``fields``: the policy fields that are asked for."""
        self._policy, self._now, self._fields = policy, now, tuple(fields)
        #: Days that it takes → the first day that has not matured: it ends less than that ago.
        self._first: dict[float, date] = {}

    def young(self, day: date) -> tuple[str, ...]:
        """The policy fields by which this day has not matured."""
        if self._now is None:
            return ()
        values = self._policy.current(day)
        return tuple(field for field in self._fields if day >= self._since(getattr(values, field), self._now))

    def _since(self, days: float, now: datetime) -> date:
        first = self._first.get(days)
        if first is None:
            first = self._first[days] = day_of(now.astimezone(UTC) - timedelta(days=days), self._policy)
        return first


class Ripening:
    """The sums of several days, and what of them has not matured, by policy field: as ``Formulas.figures`` takes both."""

    __slots__ = ("sums", "unripe")

    def __init__(self) -> None:
        self.sums: Sums = {}
        self.unripe: dict[str, Sums] = {}

    def add(self, sums: Mapping[str, int], young: Iterable[str] = ()) -> None:
        """Count a day in; ``young``: the fields by which it has not matured."""
        add(self.sums, sums)
        for field in young:
            add(self.unripe.setdefault(field, {}), sums)
