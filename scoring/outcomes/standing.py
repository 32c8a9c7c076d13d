"""Where a person stands in a term: rank, top and bottom share, grade, pass mark.

Readings: AMB-08 (top rounded up, ties at the cut included; bottom rounded down, ties at the cut left out: both in the
employee's favour), AMB-15 (grade cuts are settings; reaching a cut is enough).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from scoring.exact import cents, shown
from scoring.outcomes.parts import Part, Percent, Points
from scoring.outcomes.people import GRADES, Grade, Past, Person
from scoring.outcomes.terms import Term
from scoring.outcomes.words import Words

_GROUP_NAMES = {"card": ("评分卡", "card"), "role": ("岗位", "role"), "team": ("班组", "team")}


class Top(Part):
    """The best ``percent`` of a group, rounded up."""

    percent: Percent = Decimal(20)


class Bottom(Part):
    """The last ``percent`` of a group, rounded down, but ``at_least`` so many. Nobody is both top and bottom."""

    percent: Percent = Decimal(10)
    at_least: Annotated[int, Field(ge=0)] = 0


class Ranking(Part):
    """Who is ranked against whom: people of the same card, role, team; groups below ``smallest_group`` are not ranked."""

    within: tuple[Literal["card", "role", "team"], ...] = ("card", "role")
    smallest_group: Annotated[int, Field(ge=1)] = 1
    top: Top | None = None
    bottom: Bottom | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.top and self.bottom and self.top.percent + self.bottom.percent > 100:
            raise ValueError(
                f"top {self.top.percent} % and bottom {self.bottom.percent} % overlap; together at most 100 %"
            )
        return self


class PointCuts(Part):
    """Totals from which on a grade is given; below D it is E."""

    A: Points = Decimal(90)
    B: Points = Decimal(80)
    C: Points = Decimal(70)
    D: Points = Decimal(60)

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if not self.A > self.B > self.C > self.D:
            raise ValueError(
                f"the cuts must fall from A to D: {self.A}, {self.B}, {self.C}, {self.D}; put them in order"
            )
        return self


class Shares(Part):
    """Percent of the people of a group that get each grade, best first; E is the rest."""

    A: Percent
    B: Percent
    C: Percent
    D: Percent

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (together := self.A + self.B + self.C + self.D) > 100:
            raise ValueError(f"the shares of A to D add up to {together} %; at most 100 %, E is the rest")
        return self


class ByPoints(Part):
    """Grades by the total."""

    by: Literal["points"]
    cuts: PointCuts = PointCuts()


class ByShare(Part):
    """Grades by rank: the best ``A`` percent get an A, rounded up, ties at a cut get the better grade; and so on."""

    by: Literal["share"]
    shares: Shares


Grades: TypeAlias = Annotated[ByPoints | ByShare, Field(discriminator="by")]


@dataclass(frozen=True)
class Standing:
    """One person's place in one term.

    ``rank`` 1 is the best of ``of`` people, equal totals share a rank (1, 2, 2, 4). ``to_next``: points that lack to
    the next better grade by points. None, throughout: not decided, and ``reasons`` say why.
    """

    person: str
    term: Term
    total: Decimal | None
    of: int
    rank: int | None
    met: bool | None
    grade: Grade | None
    to_next: Decimal | None
    top: bool | None
    bottom: bool | None
    reasons: tuple[Words, ...]

    def past(self, stars: int | None) -> Past:
        """The same as later months look back on it."""
        return Past(self.term, self.total, self.met, self.grade, self.top, stars)


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

    def seats(self, percent: Decimal) -> int:
        """That share of the group, rounded up."""
        return ceil(Fraction(percent) * self.n / 100)


def key(person: Person, within: tuple[str, ...]) -> tuple[str | None, ...]:
    """What people who are ranked against each other have in common."""
    return tuple(getattr(person, name) for name in within)


def stand(
    term: Term,
    people: Mapping[str, Person],
    totals: Mapping[str, Decimal | None],
    why: Mapping[str, Words],
    ranking: Ranking,
    grades: ByPoints | ByShare | None,
    pass_mark: Decimal | None,
) -> dict[str, Standing]:
    """Everybody's standing. ``totals``: per person, None where unscored; ``why``: the reason of that."""
    members: dict[tuple[str | None, ...], list[Decimal]] = {}
    for id, person in people.items():
        held = members.setdefault(key(person, ranking.within), [])
        if (total := totals[id]) is not None:
            held.append(total)
    groups = {group: Group(held) for group, held in members.items()}
    made = {}
    for id, person in people.items():
        group, total = groups[key(person, ranking.within)], totals[id]
        if total is None:
            made[id] = _unscored(id, term, group, why.get(id))
        else:
            made[id] = _scored(person, term, total, group, ranking, grades, pass_mark)
    return made


def _unscored(id: str, term: Term, group: Group, why: Words | None) -> Standing:
    zh, en = (f"（{why.zh}）", f" ({why.en})") if why else ("", "")
    said = Words(f"{term} 没有得分{zh}：不排名、不定级", f"{term}: no score{en}; neither ranked nor graded")
    return Standing(id, term, None, group.n, None, None, None, None, None, None, (said,))


def _scored(
    person: Person,
    term: Term,
    total: Decimal,
    group: Group,
    ranking: Ranking,
    grades: ByPoints | ByShare | None,
    pass_mark: Decimal | None,
) -> Standing:
    reasons = []
    ranked = group.n >= ranking.smallest_group
    rank = group.rank(total) if ranked else None
    zh_group, en_group = _group(person, ranking.within)
    if rank is not None:
        reasons.append(
            Words(
                f"{term} 总分 {cents(total)}，{group.n} 人中第 {rank} 名（{zh_group}）",
                f"{term}: total {cents(total)}, rank {rank} of {group.n} ({en_group})",
            )
        )
    else:
        reasons.append(
            Words(
                f"{term} 总分 {cents(total)}；{zh_group}只有 {group.n} 人得分，不足 {ranking.smallest_group} 人，不排名",
                f"{term}: total {cents(total)}; only {group.n} scored ({en_group}), "
                f"fewer than {ranking.smallest_group}: not ranked",
            )
        )
    top = bottom = None
    if rank is not None and ranking.top:
        top, said = _top(ranking.top, group, rank)
        reasons.append(said)
    if rank is not None and ranking.bottom:
        bottom, said = _bottom(ranking.bottom, group, total, bool(top))
        reasons.append(said)
    grade, to_next = None, None
    if isinstance(grades, ByPoints):
        grade, to_next, said = _by_points(grades.cuts, total)
        reasons.append(said)
    elif isinstance(grades, ByShare) and rank is not None:
        grade, said = _by_share(grades.shares, group, rank)
        reasons.append(said)
    met = None if pass_mark is None else total >= pass_mark
    return Standing(person.id, term, total, group.n, rank, met, grade, to_next, top, bottom, tuple(reasons))


def _group(person: Person, within: tuple[str, ...]) -> tuple[str, str]:
    if not within:
        return "全体人员", "everybody"
    named = [(*_GROUP_NAMES[name], getattr(person, name) or "—") for name in within]
    return "、".join(f"{zh} {own}" for zh, _, own in named), ", ".join(f"{en} {own}" for _, en, own in named)


def _top(rule: Top, group: Group, rank: int) -> tuple[bool, Words]:
    seats, share = group.seats(rule.percent), shown(rule.percent)
    into = rank <= seats
    zh, en = ("在前", "is in") if into else ("不在前", "is not in")
    return into, Words(
        f"{group.n} 人的前 {share} % 进位为 {seats} 人，同分并入：第 {rank} 名{zh} {share} %",
        f"the top {share} % of {group.n} is {seats}, rounded up, with ties: rank {rank} {en}",
    )


def _bottom(rule: Bottom, group: Group, total: Decimal, top: bool) -> tuple[bool, Words]:
    seats = max(floor(Fraction(rule.percent) * group.n / 100), rule.at_least)
    share, from_below = shown(rule.percent), group.up_to(total)
    into = from_below <= seats and not top
    zh, en = ("在末位", "is in") if into else ("不在末位", "is not in")
    return into, Words(
        f"{group.n} 人的末位 {share} % 为 {seats} 人，界上同分不计入：倒数第 {from_below} 名{zh} {share} %",
        f"the bottom {share} % of {group.n} is {seats}, ties at the cut left out: place {from_below} from below {en}",
    )


def _by_points(cuts: PointCuts, total: Decimal) -> tuple[Grade, Decimal | None, Words]:
    ladder: list[tuple[Grade, Decimal]] = [("A", cuts.A), ("B", cuts.B), ("C", cuts.C), ("D", cuts.D)]
    better: Decimal | None = None
    for grade, cut in ladder:
        if total >= cut:
            said = Words(
                f"总分 {cents(total)} ≥ {shown(cut)}（{grade} 级线）：{grade} 级",
                f"total {cents(total)} ≥ {shown(cut)}, the cut of {grade}: grade {grade}",
            )
            return grade, None if better is None else better - total, said
        better = cut
    return (
        "E",
        cuts.D - total,
        Words(
            f"总分 {cents(total)} < {shown(cuts.D)}（D 级线）：E 级",
            f"total {cents(total)} < {shown(cuts.D)}, the cut of D: grade E",
        ),
    )


def _by_share(shares: Shares, group: Group, rank: int) -> tuple[Grade, Words]:
    reached = Decimal(0)
    for grade in GRADES[:-1]:
        reached += getattr(shares, grade)
        if rank <= (seats := group.seats(reached)):
            return grade, Words(
                f"{group.n} 人的前 {shown(reached)} % 进位为 {seats} 人，第 {rank} 名：{grade} 级",
                f"rank {rank} is within {seats}, the first {shown(reached)} % of {group.n} rounded up: grade {grade}",
            )
    return "E", Words(
        f"第 {rank} 名在 {group.n} 人的前 {shown(reached)} % 之外：E 级",
        f"rank {rank} is beyond the first {shown(reached)} % of {group.n}: grade E",
    )
