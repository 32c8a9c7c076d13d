"""Agents beside each other by their figures alone, as a screen has them: the sums come back out of each figure.

A share is hits over n: both come back. Of a mean come back the amount, and from half of its interval (Student's t times the standard
error) the sum of squares. The comparison is then ``compare`` itself, and its verdicts those of ``deskpulse kpi compare`` over the same
sums. What does not come back is left out, never guessed: percentiles, plain sums and levels, shares and means of time, a mean whose
squares were never told or whose interval is cut at both ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streams.contracts.outputs import Figure, Sums
from streams.kpi.compare import Compared, comparable, compare
from streams.kpi.intervals import student
from streams.kpi.policy import Policy
from streams.kpi.spec import Bound, Kpi, Side

_TOP, _BOTTOM, _SQUARES = "top", "bottom", "squares"
#: Beyond this a float does not tell whole numbers apart.
_WHOLE = 2.0**52


class Regained:
    """One KPI's formula turned round."""

    def __init__(self, kpi: Kpi, policy: Policy, side: Side = "staff") -> None:
        """Raises ValueError for a KPI whose figures do not tell the sums they are made of."""
        bound = kpi.bound(policy, side)
        if not tells_sums(kpi, bound):
            raise ValueError(f"{kpi.id}: its figures do not tell the sums that they are made of")
        self.kpi = kpi
        #: The formula over the sums that come back: each of its parts is one sum.
        self.bound: Bound = replace(
            bound,
            top=((_TOP, 1),),
            bottom=((_BOTTOM, 1),),
            squares=((_SQUARES, 1),) if bound.squares else (),
        )

    def sums(self, figure: Figure) -> Sums | None:
        """The sums that this is the figure of, none where it has no data; None where they do not come back."""
        if figure.value is None:
            return {}
        bound, n = self.bound, figure.n
        if n <= 0 or not abs(product := figure.value * n * bound.down / bound.up) < _WHOLE:
            return None
        amount = round(product)
        if amount * bound.up / (n * bound.down) != figure.value:
            return None
        if bound.kind == "rate":
            return {_TOP: amount, _BOTTOM: n}
        squares = self._squares(figure, amount)
        return None if squares is None else {_TOP: amount, _BOTTOM: n, _SQUARES: squares}

    def compare(self, people: Mapping[str, Sums]) -> list[Compared]:
        """Each person beside all others together; ``people``: who → what came back of him."""
        return compare(self.kpi, self.bound, people)

    def _squares(self, figure: Figure, amount: int) -> int | None:
        """The sum of the squares, from the variance in the interval; of amounts that are all alike each is the mean, and its square
        rounded as such squares are kept.
        """
        bound, n = self.bound, figure.n
        spread = 0
        if n > 1:
            half = self._half(figure)
            if half is None or not 0 <= half * bound.down / bound.up < _WHOLE:
                return None
            spread = round((half * bound.down / bound.up * n / student(n - 1)) ** 2 * (n - 1))
        if not spread and amount % n == 0:
            return n * _rounded((amount // n) ** 2, bound.squared)
        # Without a spread nothing is rounded up: that would give them one.
        whole = amount * amount + spread
        return _rounded(whole, n * bound.squared) if spread else whole // (n * bound.squared)

    def _half(self, figure: Figure) -> float | None:
        """Half of the interval, from an end that is not cut to what there can be."""
        value, low, high = figure.value, figure.low, figure.high
        if value is None or low is None or high is None:
            return None
        least, most = self.bound.within
        if most is None or high < most:
            return high - value
        return value - low if least is None or low > least else None


def _rounded(amount: int, unit: int) -> int:
    """How many units an amount is, half up."""
    return (2 * amount + unit) // (2 * unit)


def tells_sums(kpi: Kpi, bound: Bound) -> bool:
    """Do the figures of this formula tell the sums that they are made of?"""
    if not comparable(kpi) or not bound.bottom or bound.per_n != 1:
        return False
    return kpi.kind == "rate" or bool(bound.squares)
