"""What scoring one item of one person takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from scoring.cards.model import Item
from streams.contracts.outputs import Figure
from streams.kpi.case_mix import Adjusted
from streams.kpi.measures import add
from streams.kpi.spec import Bound, Unripe
from streams.kpi.spread import Spread


@dataclass(frozen=True, slots=True)
class Measured:
    """An entity's measures, summed over the period, how its days differ (KPI id → spread), and what of the sums belongs
    to days that have not matured, by the policy field that says when they do.
    """

    sums: Mapping[str, int]
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    unripe: Unripe = field(default_factory=dict)

    def matured(self, bound: Bound) -> Mapping[str, int]:
        """The sums without those of days that have not matured for a KPI."""
        young = self.unripe.get(bound.matures or "")
        if not young:
            return self.sums
        sums = dict(self.sums)
        add(sums, young, -1)
        return sums


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a person's own measures: their team's, and those of the others in it; None: the roster names no team.

    ``adjusted``: KPI id → what they have of it for the mix of their work, by their sums that have matured.
    """

    team: Measured | None = None
    members: Sequence[Measured] | None = None
    adjusted: Mapping[str, Callable[[Mapping[str, int]], Adjusted]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Before:
    """A person's own measures in the period before, and what stood around them."""

    own: Measured
    around: Around


@dataclass(frozen=True, slots=True)
class Weight:
    """What an item can add to the total at full points, and what each of its points counts there."""

    worth: Fraction
    per_point: Fraction


@dataclass(frozen=True, slots=True)
class ItemScore:
    """One item of one person.

    ``figure`` is the KPI as the wallboard has it, with the interval its days give (of what was handed in: its n
    and interval, where n was given); ``value`` the same figure exact and in the item's unit. ``points`` is unrounded, out
    of the item's max; None: unscored, and the reason says why. ``weight`` None: none is set.

    ``few``: the figure rests on fewer cases than the card asks for (``neutral``: it then moves nothing; without points and not
    neutral it waits for a person to decide). ``straddles``:
    least and most points within the interval, where it lies in several bands. ``vetoes``: its veto's condition holds;
    ``vetoed``: a veto has struck it. ``days``: the first and the last day that it was taken of, where they are not the period's.
    """

    item: Item
    figure: Figure
    value: Fraction | None
    points: Decimal | None
    reason_zh: str
    reason_en: str
    weight: Weight | None = None
    few: bool = False
    straddles: tuple[Decimal, Decimal] | None = None
    vetoes: bool = False
    vetoed: bool = False
    neutral: bool = False
    days: tuple[date, date] | None = None

    @property
    def undecided(self) -> bool:
        """Does it rest on too few cases, so that somebody has to decide whether it counts?"""
        return self.few and self.points is None and not self.neutral

    @property
    def worth(self) -> Fraction | None:
        """What the item can add to the total at full points; None: no weight is set."""
        return None if self.weight is None else self.weight.worth

    @property
    def counted(self) -> Fraction | None:
        """What the points count in the total; None where there are none or no weight."""
        if self.points is None or self.weight is None:
            return None
        return Fraction(self.points) * self.weight.per_point

    @property
    def met(self) -> bool | None:
        """Does the value meet the item's target? None: there is no value or no target."""
        return None if self.value is None or self.item.target is None else self.item.target.met(self.value)
