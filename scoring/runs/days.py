"""Days of one entity that are counted together: each sum of measures is made once, for all of them and for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from streams.kpi.spec import Bound
from streams.kpi.spread import Spread

#: Measures and how often each counts, as formulas are made of them.
Terms: TypeAlias = tuple[tuple[str, int], ...]


class Days:
    """Some days of an entity, in the order in which they were told."""

    __slots__ = ("_columns", "_some_young", "sums", "young")

    def __init__(self) -> None:
        self.sums: list[Mapping[str, int]] = []
        #: Of each day the policy fields by which it has not matured.
        self.young: list[tuple[str, ...]] = []
        self._columns: dict[Terms, list[int]] = {}
        self._some_young = False

    def add(self, sums: Mapping[str, int], young: tuple[str, ...]) -> None:
        """Take a day; all of them before anything is asked."""
        self.sums.append(sums)
        self.young.append(young)
        self._some_young = self._some_young or bool(young)

    def amounts(self, terms: Terms) -> list[int]:
        """What the terms come to on each day."""
        if (found := self._columns.get(terms)) is None:
            found = [0] * len(self.sums)
            for at, (measure, times) in enumerate(terms):
                column = [sums.get(measure, 0) for sums in self.sums]
                if times != 1:
                    column = [amount * times for amount in column]
                found = [one + more for one, more in zip(found, column, strict=True)] if at else column
            self._columns[terms] = found
        return found

    def mature(self, terms: Terms, field: str | None) -> list[int]:
        """The same, 0 on days that have not matured by the field."""
        amounts = self.amounts(terms)
        if field is None or not self._some_young:
            return amounts
        return [0 if field in young else amount for amount, young in zip(amounts, self.young, strict=True)]

    def spread(self, bound: Bound, into: Spread) -> None:
        """Count into a spread how the days differ that have matured: else who worked early looks worse than who worked late."""
        base = bound.top if bound.bottom is None else bound.bottom
        into.add_days(self.amounts(bound.top), self.mature(base, bound.matures))
