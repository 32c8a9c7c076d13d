"""Where a person stands in a term: rank, top and bottom share, grade, pass mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from scoring.outcomes.evidence import Evidence, evidence
from scoring.outcomes.grades import ByPoints, ByShare, by_points, by_share
from scoring.outcomes.people import Grade, Past, Person
from scoring.outcomes.ranking import Group, Ranking, group_words, in_bottom, in_top, key
from scoring.outcomes.terms import Term
from scoring.rounding import cents, shown
from streams.languages.text import Text


@dataclass(frozen=True, slots=True)
class Standing:
    """One person's place in one term.

    ``rank`` 1 is the best of ``of`` people, equal totals share a rank (1, 2, 2, 4). ``to_next``: points that lack to
    the next better grade by points. None, throughout: not decided. ``placed`` says the rank, or why there is none; the
    others say why what they are called after is as it is, ``likely`` how sure the rank is. ``whole`` False:
    the total rests on a part of the points, and is not ranked.
    """

    person: str
    term: Term
    total: Decimal | None
    of: int
    placed: Text
    rank: int | None = None
    top: bool | None = None
    why_top: Text | None = None
    bottom: bool | None = None
    why_bottom: Text | None = None
    met: bool | None = None
    why_met: Text | None = None
    grade: Grade | None = None
    why_grade: Text | None = None
    to_next: Decimal | None = None
    whole: bool = True
    likely: Text | None = None

    @property
    def reasons(self) -> tuple[Text, ...]:
        """All of them that there are."""
        given = (self.placed, self.likely, self.why_top, self.why_bottom, self.why_met, self.why_grade)
        return tuple(why for why in given if why)

    def past(self, stars: int | None) -> Past:
        """The same as later months look back on it."""
        ranked = self.total is None or self.rank is not None
        return Past(self.term, self.total, self.met, self.grade, self.top, stars, ranked, self.whole)


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a term's months; ``total`` None: too few of them are scored, and ``why`` may say so."""

    term: Term
    total: Decimal | None
    why: Text | None = None


def stand(
    term: Term,
    people: Mapping[str, Person],
    totals: Mapping[str, Decimal | None],
    why: Mapping[str, Text],
    ranking: Ranking,
    grades: ByPoints | ByShare | None,
    pass_mark: Decimal | None,
    errors: Mapping[str, float] | None = None,
) -> dict[str, Standing]:
    """Everybody's standing. ``totals``: per person, None where unscored; ``why``: the reason of that, or why a total is not ranked;
    ``errors``: the standard errors of those totals of which they are known.
    """
    members: dict[tuple[str | None, ...], list[Decimal]] = {}
    for id, person in people.items():
        held = members.setdefault(key(person, ranking.within), [])
        if (total := totals[id]) is not None and id not in why:
            held.append(total)
    groups = {group: Group(held) for group, held in members.items()}
    known = _known(people, totals, why, ranking, errors or {})
    made = {}
    for id, person in people.items():
        group, total = groups[key(person, ranking.within)], totals[id]
        if total is None:
            made[id] = _unscored(id, term, group, why.get(id))
        else:
            made[id] = _scored(person, term, total, group, ranking, grades, pass_mark, why.get(id), known.get(id))
    return made


def _known(
    people: Mapping[str, Person],
    totals: Mapping[str, Decimal | None],
    why: Mapping[str, Text],
    ranking: Ranking,
    errors: Mapping[str, float],
) -> dict[str, Evidence]:
    """How sure each ranked total is, within its group."""
    groups: dict[tuple[str | None, ...], dict[str, float]] = {}
    for id, person in people.items():
        if (total := totals[id]) is not None and id not in why:
            groups.setdefault(key(person, ranking.within), {})[id] = float(total)
    cases = {id: person.cases for id, person in people.items() if person.cases is not None}
    return {id: one for own in groups.values() for id, one in evidence(own, errors, cases).items()}


def _unscored(id: str, term: Term, group: Group, why: Text | None) -> Standing:
    zh, en = (f"（{why.zh}）", f" ({why.en})") if why else ("", "")
    said = Text(f"{term.zh}未形成有效总分{zh}，不参与排名和定级", f"{term}: no score{en}; neither ranked nor graded")
    return Standing(id, term, None, group.n, said)


def _scored(  # noqa: PLR0913, PLR0917 - what a standing is made of
    person: Person,
    term: Term,
    total: Decimal,
    group: Group,
    ranking: Ranking,
    grades: ByPoints | ByShare | None,
    pass_mark: Decimal | None,
    apart: Text | None,
    known: Evidence | None,
) -> Standing:
    rank = group.rank(total) if apart is None and group.n >= ranking.smallest_group else None
    top, why_top = in_top(ranking.top, group, rank, known) if ranking.top and rank else (None, None)
    bottom, why_bottom = (
        in_bottom(ranking.bottom, group, total, bool(top), known) if ranking.bottom and rank else (None, None)
    )
    grade, to_next, why_grade = None, None, None
    if isinstance(grades, ByPoints):
        grade, to_next, why_grade = by_points(grades.cuts, total)
    elif isinstance(grades, ByShare) and rank:
        grade, why_grade = by_share(grades.shares, group, rank)
    met, why_met = _met(pass_mark, total) if pass_mark is not None else (None, None)
    return Standing(
        person=person.id,
        term=term,
        total=total,
        of=group.n,
        placed=_placed(person, term, total, group, ranking, rank) if apart is None else _apart(term, total, apart),
        rank=rank,
        top=top,
        why_top=why_top,
        bottom=bottom,
        why_bottom=why_bottom,
        met=met,
        why_met=why_met,
        grade=grade,
        why_grade=why_grade,
        to_next=to_next,
        whole=apart is None,
        likely=_likely(known) if rank and known else None,
    )


def _likely(known: Evidence) -> Text:
    first, last = known.ranks
    return Text(
        f"名次的 95% 区间为第 {first} 至第 {last} 名，信度 {known.reliability:.2f}",
        f"the rank is from {first} to {last} with 95 %, reliability {known.reliability:.2f}",
    )


def _placed(person: Person, term: Term, total: Decimal, group: Group, ranking: Ranking, rank: int | None) -> Text:
    among = group_words(person, ranking.within)
    zh, en = f"{term.zh}总分 {cents(total)}", f"{term}: total {cents(total)}"
    if rank is not None:
        return Text(f"{zh}，{group.n} 人中第 {rank} 名（{among.zh}）", f"{en}, rank {rank} of {group.n} ({among.en})")
    least = ranking.smallest_group
    return Text(
        f"{zh}；{among.zh}只有 {group.n} 人有总分，不足 {least} 人，不排名，也不参与评奖和连续达成",
        f"{en}; only {group.n} scored ({among.en}), fewer than {least}: not ranked, and no awards and streaks",
    )


def _apart(term: Term, total: Decimal, why: Text) -> Text:
    """The total of somebody who is not ranked, and why."""
    return Text(
        f"{term.zh}总分 {cents(total)}；{why.zh}，不排名，也不参与评奖和连续达成",
        f"{term}: total {cents(total)}; {why.en}: not ranked, and no awards and streaks",
    )


def _met(pass_mark: Decimal, total: Decimal) -> tuple[bool, Text]:
    met = total >= pass_mark
    sign, zh, en = ("≥", "达标", "met") if met else ("<", "未达标", "not met")
    compared = f"{cents(total)} {sign} {shown(pass_mark)}"
    return met, Text(f"总分 {compared}：{zh}", f"total {compared}: pass mark {en}")
