"""Where a person stands in a term: rank, top and bottom share, grade, pass mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from scoring.exact import cents
from scoring.outcomes.grades import ByPoints, ByShare, by_points, by_share
from scoring.outcomes.people import Grade, Past, Person
from scoring.outcomes.ranking import Group, Ranking, group_words, in_bottom, in_top, key
from scoring.outcomes.terms import Term
from scoring.outcomes.words import Words


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
    zh_group, en_group = group_words(person, ranking.within)
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
        top, said = in_top(ranking.top, group, rank)
        reasons.append(said)
    if rank is not None and ranking.bottom:
        bottom, said = in_bottom(ranking.bottom, group, total, bool(top))
        reasons.append(said)
    grade, to_next = None, None
    if isinstance(grades, ByPoints):
        grade, to_next, said = by_points(grades.cuts, total)
        reasons.append(said)
    elif isinstance(grades, ByShare) and rank is not None:
        grade, said = by_share(grades.shares, group, rank)
        reasons.append(said)
    met = None if pass_mark is None else total >= pass_mark
    return Standing(person.id, term, total, group.n, rank, met, grade, to_next, top, bottom, tuple(reasons))
