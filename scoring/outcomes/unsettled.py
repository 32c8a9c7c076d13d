"""Points that a sample does not settle, told where they change what is paid and nowhere else: at most borders they change nothing, and a
warning on every sheet warns nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Self

from scoring.outcomes.grades import ByPoints, by_points
from scoring.outcomes.pay_rules import BonusPool, Coefficient, GradeBonus, ScoreRatio, StarPay
from scoring.outcomes.people import Person, Straddle
from scoring.outcomes.pool import shares
from scoring.outcomes.settings import Settings
from scoring.outcomes.standing import Standing
from scoring.outcomes.stars import Stars
from scoring.rounding import decimal, ratio_text, shown
from scoring.rounding import total as rounded
from streams.languages.text import Text


def unsettled(
    rule: Coefficient | ScoreRatio | GradeBonus | StarPay,
    person: Person,
    standing: Standing,
    stars: Stars | None,
    settings: Settings,
    months: int,
) -> Iterator[Text]:
    """What of the person's points changes what the rule multiplies by. ``standing``: theirs, of the rule's term; ``months``: of the run."""
    for one, low, high in _ends(person, standing, months):
        ratios = [_ratio(rule, person, standing, stars, settings, end) for end in (low, high)]
        if ratios[0] != ratios[1]:
            least, most = ("–" if ratio is None else ratio_text(ratio) for ratio in ratios)
            yield _said(one, Text(f"{rule.called.zh} {least}～{most}", f"{rule.called.en} {least} to {most}"))


@dataclass(frozen=True)
class Border:
    """What parts those in a pool who have the larger share from the others: the least total of these, the greatest of those; None: nothing
    does. ``score``: each total has a part of its own.
    """

    above: Decimal | None
    below: Decimal | None
    score: bool

    @classmethod
    def of(cls, rule: BonusPool, members: Mapping[str, Standing]) -> Self:
        """The border in a pool of these members."""
        totals = {id: standing.total for id, standing in members.items() if standing.total is not None}
        _, top, as_one = shares(totals, rule.top_percent, rule.top_share, rule.split)
        if as_one:
            return cls(None, None, rule.split == "by_score")
        above = min(total for id, total in totals.items() if id in top)
        return cls(above, max(total for id, total in totals.items() if id not in top), rule.split == "by_score")

    def unsettled(self, rule: BonusPool, person: Person, standing: Standing, months: int) -> Iterator[Text]:
        """What of the person's points changes their part."""
        for one, low, high in _ends(person, standing, months):
            assert standing.total is not None
            if self.score or (
                self.above is not None and self.below is not None and self._crossed(standing.total, low, high)
            ):
                yield _said(one, rule.called)

    def _crossed(self, total: Decimal, low: Decimal, high: Decimal) -> bool:
        assert self.above is not None
        assert self.below is not None
        return low <= self.below if total >= self.above else high >= self.above


def _ends(person: Person, standing: Standing, months: int) -> Iterator[tuple[Straddle, Decimal, Decimal]]:
    """Each item that is not settled, and the least and the greatest total that it could make."""
    if standing.total is None:
        return
    part = Fraction(months, len(standing.term.months))
    for one in person.straddles:
        low, high = (rounded([standing.total, decimal(Fraction(by) * part)]) for by in (one.down, one.up))
        yield one, low, high


def _said(one: Straddle, what: Text) -> Text:
    few, most = map(shown, one.points)
    return Text(
        f"{one.name.zh}：95%置信区间跨多个计分档（{few}～{most} 分），样本量不足以确定，且影响发放：{what.zh}",
        f"{one.name.en}: the 95 % interval straddles bands ({few} to {most} points), the sample does not settle which, and pay hangs on "
        f"it: {what.en}",
    )


def _ratio(
    rule: Coefficient | ScoreRatio | GradeBonus | StarPay,
    person: Person,
    standing: Standing,
    stars: Stars | None,
    settings: Settings,
    total: Decimal,
) -> Fraction | None:
    """What the rule multiplies by where the total is another."""
    assert standing.total is not None
    grade = standing.grade
    if grade is not None and isinstance(settings.grades, ByPoints):
        grade = by_points(settings.grades.cuts, total)[0]
    if stars is not None and stars.mixed is not None and settings.stars is not None:
        moved = (Fraction(total) - Fraction(standing.total)) * Fraction(settings.stars.kpi) / 100
        mixed = rounded([stars.mixed, decimal(moved)])
        stars = replace(stars, stars=1 + sum(mixed >= cut for cut in settings.stars.cuts))
    return rule.ratio(person, replace(standing, total=total, grade=grade), stars)[0]
