"""Who is ranked against whom, and who is in the top and the bottom share.

AMB-08: the top is rounded up, with ties at the cut; the bottom is rounded down, without them: both in the employee's favour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from scoring.fields import Part, Percent, joined
from scoring.outcomes.evidence import Evidence
from scoring.outcomes.people import Person
from scoring.rounding import shown
from streams.languages.text import Text

_GROUP_NAMES = {"card": ("评分卡", "card"), "role": ("岗位", "role"), "team": ("班组", "team")}


Sure: TypeAlias = Annotated[Decimal, Field(ge=Decimal("0.5"), lt=1)]


class Top(Part):
    """The best ``percent`` of a group, rounded up.

    ``sure``: only who lies above the group's mean with this probability, by their own days (0.95); else it cannot be told. None: by the
    rank alone.
    """

    percent: Percent = Decimal(20)
    sure: Sure | None = None


class Bottom(Part):
    """The last ``percent`` of a group, rounded down, but ``at_least`` so many. Nobody is both top and bottom.

    ``sure``: only who lies below the group's mean with this probability, as in the top.
    """

    percent: Percent = Decimal(10)
    at_least: Annotated[int, Field(ge=0)] = 0
    sure: Sure | None = None


class Ranking(Part):
    """Who is ranked against whom: people of the same card, role, team.

    Groups below ``smallest_group`` are not ranked, nor is who has less than ``least_scored`` percent of the card's points scored. Awards
    and streaks of terms are for those who are ranked.
    """

    within: tuple[Literal["card", "role", "team"], ...] = ("card", "role")
    smallest_group: Annotated[int, Field(ge=1)] = 5
    least_scored: Percent = Decimal(100)
    top: Top | None = None
    bottom: Bottom | None = None

    @property
    def sure(self) -> bool:
        """Does anything in it ask how sure totals are?"""
        return any(share is not None and share.sure is not None for share in (self.top, self.bottom))

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.top and self.bottom and self.top.percent + self.bottom.percent > 100:
            raise ValueError(
                f"top {self.top.percent} % and bottom {self.bottom.percent} % overlap; together at most 100 %"
            )
        return self


class Group:
    """The scored totals of people who are ranked against each other."""

    def __init__(self, totals: Iterable[Decimal]) -> None:
        self._rising = sorted(totals)
        self.n = len(self._rising)

    def rank(self, total: Decimal) -> int:
        """1 + how many are better."""
        return 1 + self.n - self.up_to(total)

    def up_to(self, total: Decimal) -> int:
        """How many have this total or less."""
        return bisect_right(self._rising, total)

    def seats(self, percent: Decimal | Fraction) -> int:
        """That share of the group, rounded up."""
        return ceil(Fraction(percent) * self.n / 100)


def key(person: Person, within: tuple[str, ...]) -> tuple[str | None, ...]:
    """What people who are ranked against each other have in common."""
    return tuple(getattr(person, name) for name in within)


def group_words(person: Person, within: tuple[str, ...]) -> Text:
    """What the people of a person's group have in common."""
    if not within:
        return Text("全体人员", "everybody")
    named = [(*_GROUP_NAMES[name], getattr(person, name) or "—") for name in within]
    # Whom a sheet is about knows their card and role, and not the ids of these.
    zh = "、".join(f"同一{zh}" for zh, _, _ in named)
    return Text(f"{zh}的人员", ", ".join(f"{en} {own}" for _, en, own in named))


def in_top(rule: Top, group: Group, rank: int, known: Evidence | None = None) -> tuple[bool | None, Text]:
    """Is this rank in the top share, and why? None: it cannot be told."""
    seats, share = group.seats(rule.percent), shown(rule.percent)
    into = rank <= seats
    zh, en = ("在前", "is in") if into else ("不在前", "is not in")
    placed = Text(
        f"{group.n} 人的前 {share}% 进位为 {seats} 人，同分并入：第 {rank} 名{zh} {share}%",
        f"the top {share} % of {group.n} is {seats}, rounded up, with ties: rank {rank} {en}",
    )
    if not into or rule.sure is None:
        return into, placed
    return _told(rule.sure, placed, None if known is None else 1 - known.below, Text("高于", "above"))


def in_bottom(
    rule: Bottom, group: Group, total: Decimal, top: bool, known: Evidence | None = None
) -> tuple[bool | None, Text]:
    """Is this total in the bottom share, and why? Whoever is in the top is not. None: it cannot be told."""
    seats = max(floor(Fraction(rule.percent) * group.n / 100), rule.at_least)
    share, from_below = shown(rule.percent), group.up_to(total)
    into = from_below <= seats and not top
    zh, en = ("在末位", "is in") if into else ("不在末位", "is not in")
    placed = Text(
        f"{group.n} 人的末位 {share}% 为 {seats} 人，临界名次同分者不计入末位：倒数第 {from_below} 名{zh} {share}%",
        f"the bottom {share} % of {group.n} is {seats}, ties at the cut left out: place {from_below} from below {en}",
    )
    if not into or rule.sure is None:
        return into, placed
    return _told(rule.sure, placed, None if known is None else known.below, Text("低于", "below"))


def _told(asked: Decimal, placed: Text, found: float | None, side: Text) -> tuple[bool | None, Text]:
    """Whether it is sure enough, and how that is said after what the rank says. ``found``: how probable it is; None: nobody knows."""
    least = shown(asked * 100)
    if found is None:
        why = Text(
            f"但无法按日数据判断总分受偶然因素影响的程度（要求把握 {least}%）：不能认定",
            f"but nobody knows from days how sure the total is, and {least} % is asked: it cannot be told",
        )
        return None, joined([placed, why])
    have = shown(Decimal(floor(found * 1000)) / 10)
    if found >= asked:
        sure = Text(
            f"总分{side.zh}组平均的把握为 {have}%（要求 {least}%）",
            f"{have} % sure that the total is {side.en} the group's mean, {least} % asked",
        )
        return True, joined([placed, sure])
    unsure = Text(
        f"但总分{side.zh}组平均的把握只有 {have}%，不足 {least}%，可能只是偶然：不能认定",
        f"but only {have} % sure that the total is {side.en} the group's mean, {least} % asked; it may be chance: it cannot be told",
    )
    return None, joined([placed, unsure])
