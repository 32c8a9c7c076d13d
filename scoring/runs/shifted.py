"""The policy over a period in which what matures late is taken of earlier days, all of which have matured when the period is over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from scoring.cards.model import Card
from scoring.period import Period
from streams.contracts.outputs import Sums
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Bound, Side


@dataclass(frozen=True)
class Span:
    """Days that a KPI is taken of, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def shifted(policy: AnyPolicy, period: Period, field: str) -> Span:
    """The days of which a period has what matures by a field of the policy: up to the last before which all have when the period is over.

    So nothing of them is pending, whenever a run is prepared. Each period's span begins on the day after that on which the one before
    ends, also where the policy changes in between: no day counts twice, and none is lost.
    """
    return Span(
        _matured(policy, period.first - timedelta(days=1), field) + timedelta(days=1),
        _matured(policy, period.last, field),
    )


def kpis_of(card: Card) -> set[str]:
    """The KPIs that a card names."""
    return {item.kpi for item in (*card.items, *card.optional) if item.kpi is not None}


def days_of(policy: AnyPolicy, period: Period, kpi: str) -> Span:
    """The days of which a period has a KPI, where what matures late is taken of earlier days."""
    field = KPIS[kpi].matures
    return Span(period.first, period.last) if field is None else shifted(policy, period, field)


def begins(policy: AnyPolicy, period: Period, kpis: Collection[str]) -> date:
    """The first day of which a period has anything of these KPIs, where what matures late is taken of earlier days."""
    late = {field for id in kpis if (field := KPIS[id].matures) is not None}
    return min([period.first, *(shifted(policy, period, field).first for field in late)])


def _matured(policy: AnyPolicy, day: date, field: str) -> date:
    """The last day that has matured, with all before it, when this one is over: after each as many whole days as its own policy says."""
    most = max(ceil(getattr(values, field)) for _, values in versions(policy))
    found = day - timedelta(days=most)
    while found < day:
        later = found + timedelta(days=1)
        if later + timedelta(days=ceil(getattr(policy.current(later), field))) > day:
            break
        found = later
    return found


class Shifted(Judged):
    """As ``Judged``; what matures late is judged over its own days, and kept apart from what the period's own days count of the same."""

    def __init__(self, policy: AnyPolicy, period: Period, kpis: Collection[str]) -> None:
        """Raises NotCoveredError where no version is in force on a day of the period, or on one that it has late figures of."""
        super().__init__(policy, period.first, period.last)
        late = sorted({field for id in kpis if (field := KPIS[id].matures) is not None})
        self._period = Span(period.first, period.last)
        self._spans = {field: shifted(policy, period, field) for field in late}
        self.first = min([period.first, *(span.first for span in self._spans.values())])
        self._judged = {field: Judged(policy, span.first, span.last) for field, span in self._spans.items()}
        #: Field → the measures of what matures by it.
        self._named = {field: _named(field, policy) for field in late}

    def days(self, kpi: str) -> tuple[date, date] | None:
        """The first and the last day that a KPI is taken of, where they are not the period's."""
        span = self._spans.get(KPIS[kpi].matures or "")
        return None if span is None else (span.first, span.last)

    def add(self, into: Sums, entity: str, day: date, sums: Mapping[str, int]) -> None:
        """Add a day's sums of an entity to those of a period: what belongs to it, and what of the day is taken for what matures late."""
        if day in self._period:
            super().add(into, entity, day, sums)
        for field, span in self._spans.items():
            if day in span:
                own = {name: sums[name] for name in sums if _measure(name) in self._named[field]}
                for name, amount in self._judged[field].of(entity, day, own).items():
                    into[_apart(name, field)] = into.get(_apart(name, field), 0) + amount

    def of(self, entity: str, day: date, sums: Mapping[str, int]) -> Mapping[str, int]:
        """A day's sums of an entity under the names that ``bound`` asks for."""
        named: Sums = {}
        self.add(named, entity, day, sums)
        return named

    def bound(self, kpi: str, side: Side) -> Bound:
        """A KPI's formula for sums that ``add`` has made."""
        field = KPIS[kpi].matures
        if field not in self._judged or field is None:
            return super().bound(kpi, side)
        return self._judged[field].bound(kpi, side).renamed(lambda measure: _apart(measure, field))


def _named(field: str, policy: AnyPolicy) -> frozenset[str]:
    """The measures of all that matures by a field, in any version of the policy."""
    late = [kpi for kpi in KPIS.values() if kpi.matures == field]
    return frozenset().union(*(kpi.bound(values, "staff").measures for kpi in late for _, values in versions(policy)))


def _apart(name: str, field: str) -> str:
    """The name of a measure over the days of what matures by a field."""
    family, tilde, member = name.partition("~")
    return f"{family}@{field}{tilde}{member}"


def _measure(name: str) -> str:
    return name.partition("~")[0]
