"""Streaks: what somebody earns by holding a result for a number of days, months, quarters or years in a row.

S0-44 six months met, S2-41 eight quarters of A (AMB-16), S3-27 three days at 100 % (AMB-22), S1-52 consecutive excellence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scoring.outcomes.parts import Delay, Rule
from scoring.outcomes.people import History, Past, RatedDay
from scoring.outcomes.standing import Standing
from scoring.outcomes.terms import UNITS, Kind
from scoring.period import Period, day_zh
from scoring.rounding import shown, total
from streams.languages.text import Text

Result: TypeAlias = Literal["met", "top", "grade_a", "satisfied"]
_UNITS: dict[str, Text] = {"day": Text("天", "days")} | {str(kind): unit for kind, unit in UNITS.items()}
_RESULTS: dict[Result, Text] = {
    "met": Text("达标", "pass mark met"),
    "top": Text("进入前列", "in the top group"),
    "grade_a": Text("为 A 级", "grade A"),
    "satisfied": Text("满意度 100%", "all ratings satisfied"),
}


class Streak(Rule):
    """``length`` results in a row grant ``name``.

    ``result``: the pass mark met, in the top group, grade A; or, by days, all ratings of the day satisfied, of at least
    ``min_ratings``. ``min_ratings_in_all``: the days of a streak have so many ratings together, or it goes on until they
    have: else a streak of days is easiest for whoever is rated least. ``unscored``: a term without result (a day without
    enough ratings) neither breaks nor extends the streak (``skips``), or breaks it. ``after``: a longer streak grants
    nothing more (``once``), or counting begins again (``restart``). ``days_off``: what is granted in days, if anything;
    ``expires``: how long after the grant it can be taken (None: without end).
    """

    name: Text
    of: Literal["day"] | Kind
    result: Result
    length: Annotated[int, Field(ge=2, le=1000)]
    unscored: Literal["skips", "breaks"] = "skips"
    after: Literal["once", "restart"] = "once"
    min_ratings: Annotated[int, Field(ge=1)] = 1
    min_ratings_in_all: Annotated[int, Field(ge=1, le=10_000)] = 1
    days_off: Annotated[Decimal, Field(gt=0, le=366, decimal_places=2)] | None = None
    expires: Delay | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Where a person's streak stands: ``count`` of ``length`` now, and the days on which it granted something.

    ``granted`` are days of the period that is decided; a streak of terms grants on the term's last day.
    """

    person: str
    streak: str
    name: Text
    count: int
    length: int
    granted: tuple[date, ...]
    days_off: Decimal | None
    reason: Text
    source: str | None


@dataclass
class _Run:
    """A streak as it goes on: how many results, with how many ratings, and whether it has granted."""

    count: int = 0
    ratings: int = 0
    granted: bool = False

    def take(self, state: bool | None, ratings: int, rule: Streak) -> bool:
        """The next result (None: there is none); does it grant just now?"""
        ends = state is False or (state is None and rule.unscored == "breaks")
        if ends or (self.granted and rule.after == "restart"):
            self.count, self.ratings, self.granted = 0, 0, False
        if not state:
            return False
        self.count, self.ratings = self.count + 1, self.ratings + ratings
        reached = not self.granted and self.count >= rule.length
        if rule.of == "day":
            reached = reached and self.ratings >= rule.min_ratings_in_all
        self.granted = self.granted or reached
        return reached

    def left(self, rule: Streak) -> _Run:
        """What of it still counts."""
        return _Run() if self.granted and rule.after == "restart" and rule.of == "day" else self


def by_terms(rule: Streak, person: str, standing: Standing, history: History) -> Held:
    """The streak at the end of the standing's term. ``history``: what was decided before it, taken as it was then."""
    term = standing.term
    since = _granted_before(rule, history, term.months[0]) if rule.after == "restart" else None
    states = {
        past.term.number: _past(rule.result, past)
        for past in history.past
        if past.term.kind == term.kind and (since is None or past.term.last.last > since)
    }
    states[term.number] = _past(rule.result, standing.past(None))
    numbers = range(min(states), term.number + 1)
    so_far, granted = _Run(), False
    for number in numbers:
        granted = so_far.take(states.get(number), 0, rule)
    held = _held(rule, person, so_far, (term.last.last,) if granted else ())
    if standing.total is None or standing.rank is not None:
        return held
    apart = Text(
        f"{held.reason.zh}；{term.zh}未参与排名，不计入", f"{held.reason.en}; {term} does not count: not ranked"
    )
    return replace(held, reason=apart)


def _granted_before(rule: Streak, history: History, period: Period) -> date | None:
    """The last grant before the period: later ones are of an earlier decision of what is decided now."""
    return max((day for day in history.granted.get(rule.id, ()) if day < period.first), default=None)


def _past(result: Result, past: Past) -> bool | None:
    if not past.ranked:
        return None
    match result:
        case "met":
            return past.met
        case "top":
            return past.top
        case _:
            return None if past.grade is None else past.grade == "A"


def by_days(rule: Streak, person: str, days: Iterable[RatedDay], period: Period, history: History) -> Held:
    """The streak at the end of the period. Days up to the last grant before it are used up."""
    known = _between(days, _granted_before(rule, history, period), period.last)
    so_far, granted = _Run(), []
    for rated, state in _states(known, rule):
        if so_far.take(state, rated.ratings, rule) and rated.day >= period.first:
            granted.append(rated.day)
    return _held(rule, person, so_far.left(rule), tuple(granted))


def _between(days: Iterable[RatedDay], since: date | None, last: date) -> list[RatedDay]:
    """The days after ``since`` up to ``last``, oldest first."""
    known = [rated for rated in days if rated.day <= last and (since is None or rated.day > since)]
    return sorted(known, key=lambda rated: rated.day)


def _states(known: list[RatedDay], rule: Streak) -> Iterator[tuple[RatedDay, bool | None]]:
    """Each day's state; where unrated days count, a state without result stands for the days that are not there."""
    gaps = {later.day for earlier, later in pairwise(known) if later.day - earlier.day > timedelta(days=1)}
    for rated in known:
        if rated.day in gaps:
            yield rated, None
        enough = rated.ratings >= rule.min_ratings
        yield rated, rated.satisfied == rated.ratings if enough else None


def _held(rule: Streak, person: str, so_far: _Run, granted: tuple[date, ...]) -> Held:
    count = so_far.count
    unit, result = _UNITS[rule.of], _RESULTS[rule.result]
    least_zh = least_en = of_zh = of_en = ""
    if rule.of == "day" and (least := rule.min_ratings_in_all) > 1:
        least_zh, least_en = f"、共至少 {least} 份评价", f" with {least} ratings or more in all"
        of_zh, of_en = f"、{so_far.ratings} 份评价", f" with {so_far.ratings} ratings"
    zh = f"连续 {rule.length} {unit.zh}{result.zh}{least_zh}，授予“{rule.name.zh}”"
    en = f"{result.en} for {rule.length} {unit.en} in a row{least_en} grants {rule.name.en!r}"
    days_off = None if rule.days_off is None else total(rule.days_off for _ in granted)
    if granted:
        zh_on, en_on = "、".join(map(day_zh, granted)), ", ".join(map(str, granted))
        said = Text(f"{zh}：{zh_on}达到", f"{en}: reached on {en_on}")
        if days_off is not None:
            off = shown(days_off)
            said = Text(f"{said.zh}，调休共 {off} 天", f"{said.en}; days off: {off}")
    elif so_far.granted:
        said = Text(f"{zh}：已连续 {count} {unit.zh}，此前已授予", f"{en}: {count} so far, granted before")
    else:
        said = Text(f"{zh}：目前 {count} {unit.zh}{of_zh}", f"{en}: {count} so far{of_en}")
    return Held(person, rule.id, rule.name, count, rule.length, granted, days_off, said, rule.source)
