"""What a party of several raters has given: how many of them, and their mean; never who gave what."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from streams.languages.text import Text


@dataclass(frozen=True, slots=True)
class Polled:
    """A party's ratings of one item of one person. ``rated`` of ``invited`` have rated, ``least`` of them are needed.

    ``sum``: of their ratings; None while the panel is open, and where too few have rated: a mean would tell who gave what.
    """

    rated: int
    invited: int
    least: int
    closed: bool
    sum: Decimal | None

    @property
    def mean(self) -> Fraction | None:
        """Of all who have rated, each counted alike."""
        return None if self.sum is None else Fraction(self.sum) / self.rated

    def words(self) -> Text:
        """How the mean comes about, or why there is none."""
        if self.sum is not None:
            return Text(
                f"{self.rated} 人匿名评分的平均值，邀请 {self.invited} 人",
                f"the mean of {self.rated} anonymous raters, {self.invited} were invited",
            )
        if not self.closed:
            return Text(
                f"360度评分尚未截止，{self.invited} 人中已有 {self.rated} 人评分",
                f"{self.rated} of {self.invited} raters have rated, and the panel is not closed yet",
            )
        return Text(
            f"邀请 {self.invited} 人，只有 {self.rated} 人评分，不足 {self.least} 人，无法匿名，不计分",
            f"only {self.rated} of {self.invited} raters have rated: fewer than {self.least} are not anonymous and do not count",
        )
