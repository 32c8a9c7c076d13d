"""Who is ranked against whom, and who is in the top and the bottom share.

AMB-08: the top is rounded up, with ties at the cut; the bottom is rounded down, without them: both in the employee's favour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.fields import Part, Percent
from scoring.outcomes.people import Person
from scoring.rounding import shown
from streams.languages.text import Text

_GROUP_NAMES = {"card": ("评分卡", "card"), "role": ("岗位", "role"), "team": ("班组", "team")}


class Top(Part):
    """The best ``percent`` of a group, rounded up."""

    percent: Percent = Decimal(20)


class Bottom(Part):
    """The last ``percent`` of a group, rounded down, but ``at_least`` so many. Nobody is both top and bottom."""

    percent: Percent = Decimal(10)
    at_least: Annotated[int, Field(ge=0)] = 0


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


def in_top(rule: Top, group: Group, rank: int) -> tuple[bool, Text]:
    """Is this rank in the top share, and why?"""
    seats, share = group.seats(rule.percent), shown(rule.percent)
    into = rank <= seats
    zh, en = ("在前", "is in") if into else ("不在前", "is not in")
    return into, Text(
        f"{group.n} 人的前 {share}% 进位为 {seats} 人，同分并入：第 {rank} 名{zh} {share}%",
        f"the top {share} % of {group.n} is {seats}, rounded up, with ties: rank {rank} {en}",
    )


def in_bottom(rule: Bottom, group: Group, total: Decimal, top: bool) -> tuple[bool, Text]:
    """Is this total in the bottom share, and why? Whoever is in the top is not."""
    seats = max(floor(Fraction(rule.percent) * group.n / 100), rule.at_least)
    share, from_below = shown(rule.percent), group.up_to(total)
    into = from_below <= seats and not top
    zh, en = ("在末位", "is in") if into else ("不在末位", "is not in")
    return into, Text(
        f"{group.n} 人的末位 {share}% 为 {seats} 人，临界名次同分者不计入末位：倒数第 {from_below} 名{zh} {share}%",
        f"the bottom {share} % of {group.n} is {seats}, ties at the cut left out: place {from_below} from below {en}",
    )
