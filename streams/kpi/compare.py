"""Is an agent's figure another than that of the rest of the team, or can nobody tell?

An agent is compared with all others together, without themselves; how much figures move by chance is learned from the whole team.

*Shares.* The difference of two Wilson intervals has an interval of its own: from each figure's distance to the ends of its interval,
squared and added, R. G. Newcombe's method 10 (Interval estimation for the difference between independent proportions, Statistics in
Medicine 17 (1998) 873-890). Its p-value is read back from the interval (D. G. Altman and J. M. Bland, How to obtain the P value from a
confidence interval, BMJ 343 (2011) d2304).

*Means* of amounts that begin at 0 and have no end, such as handle times, are skewed: whoever has a low mean by chance has a low spread
too, and a test by each one's own spread then praises luck. So the logarithms of the means are compared, and the spread is the team's,
relative to its mean (the delta method). Other means are compared as they are, by the team's spread as well.

*Days.* One person's contacts of a day have a day in common (a fault, a campaign, a headache), and so count for less than as many of
different days. How much less, the team's design effect, is how its days differ over how they would differ if contacts were independent
(W. G. Cochran, Sampling Techniques, 3rd ed., 1977, 9.2); it never makes figures surer. A single day cannot show it: what is said of one
day holds for contacts that are independent.

Whoever looks at forty agents finds two that "differ" by chance. So all p-values of one comparison are adjusted together: of what is then
said to differ, 5 % at most is by chance on average (Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, Journal of the
Royal Statistical Society B 57 (1995) 289-300). Among people who are all alike it says so of anybody once in twenty looks at most.

What matures is compared by days that have (`streams.kpi.maturity`): on the others, those who worked early look worse than those who
worked late. Agents who get other work than the rest (hard queues, nights) differ for that reason; the figures cannot say why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import Literal, Self, TypeAlias

from streams.contracts.outputs import Figure, Sums
from streams.kpi.labels import NONE, said
from streams.kpi.measures import add
from streams.kpi.spec import Bound, Direction, Kpi, total
from streams.kpi.spread import Spread
from streams.kpi.stats.confidence import Z95, beyond, student, wilson
from streams.languages import Language
from streams.languages.text import Text

Verdict: TypeAlias = Literal["better", "worse", "higher", "lower", "cannot_tell", "no_data"]

#: Share of false ones among what is said to differ, at most and on average.
FALSE_DISCOVERIES = 0.05

#: Verdicts that say of nobody that they differ.
UNDECIDED: tuple[Verdict, ...] = ("cannot_tell", "no_data")

VERDICTS: Mapping[Verdict, Text] = {
    "better": Text("显著更好", "differs: better"),
    "worse": Text("显著更差", "differs: worse"),
    "higher": Text("显著更高", "differs: higher"),
    "lower": Text("显著更低", "differs: lower"),
    "cannot_tell": Text("差异不显著", "cannot tell"),
    "no_data": Text("无数据", "no data"),
}


@dataclass(frozen=True)
class Difference:
    """A figure less another, its 95 % interval, and how likely so large a one is where there is none (two-sided)."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Compared:
    """One figure beside that of all others together. ``adjusted``: its p-value among those of the whole comparison."""

    who: str
    own: Figure
    rest: Figure
    difference: Difference | None
    adjusted: float | None
    verdict: Verdict

    @property
    def differs(self) -> bool:
        """Is it said to differ?"""
        return self.verdict not in UNDECIDED


@dataclass(frozen=True)
class Sample:
    """What somebody is compared by: their sums, and how the days differ that these are made of."""

    sums: Sums
    spread: Spread

    @classmethod
    def of(cls, bound: Bound, days: Iterable[Mapping[str, int]]) -> Self:
        """Somebody's days."""
        made = cls({}, Spread())
        for sums in days:
            made.take(bound, sums)
        return made

    def take(self, bound: Bound, sums: Mapping[str, int]) -> None:
        """Count a day in."""
        add(self.sums, sums)
        self.spread.add(bound, sums)


@dataclass(frozen=True)
class Pairing:
    """Somebody beside all others together, before the verdict."""

    who: str
    own: Figure
    rest: Figure
    difference: Difference | None


def difference(own: Figure, rest: Figure, freedom: float = inf) -> Difference | None:
    """How two figures of different things differ; None where one has no value or no interval. ``freedom``: the degrees of freedom that what
    makes their intervals was learned with.
    """
    if own.value is None or own.low is None or own.high is None:
        return None
    if rest.value is None or rest.low is None or rest.high is None:
        return None
    value, wider = own.value - rest.value, _quantile(freedom) / Z95
    down = sqrt((own.value - own.low) ** 2 + (rest.high - rest.value) ** 2) * wider
    up = sqrt((own.high - own.value) ** 2 + (rest.value - rest.low) ** 2) * wider
    reach = (down if value > 0 else up) / wider
    p = 1.0 if not value else 0.0 if not reach else beyond(Z95 * abs(value) / reach, freedom)
    return Difference(value, value - down, value + up, p)


def _quantile(freedom: float) -> float:
    return Z95 if freedom == inf else student(int(freedom))


def adjusted(ps: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p-values, in the same order."""
    order = sorted(range(len(ps)), key=lambda at: ps[at], reverse=True)
    found, least = [1.0] * len(ps), 1.0
    for rank, at in zip(range(len(ps), 0, -1), order, strict=True):
        least = min(least, ps[at] * len(ps) / rank)
        found[at] = least
    return found


def comparable(kpi: Kpi) -> bool:
    """Can agents be compared by it at all? What has no interval, such as a plain sum, says nothing about chance."""
    return kpi.kind in ("rate", "mean")


def compare(kpi: Kpi, bound: Bound, people: Mapping[str, Sample]) -> list[Compared]:
    """Each person beside all others together, in the given order. ``bound``: the KPI's formula for staff; ``people``: who → their sums
    and days.

    Raises ValueError for a KPI that nobody can be compared by.
    """
    return judged(kpi.better, pairings(kpi, bound, people))


def _refused(kpi: Kpi) -> str:
    """Why nobody is compared by it."""
    if kpi.kind == "change":
        return f"{kpi.id} is a change: it holds people against themselves, not against others; take a share or a mean"
    return f"{kpi.id} is a {kpi.kind}: it has no interval, so nobody can tell a difference from chance; take a share or a mean"


def pairings(kpi: Kpi, bound: Bound, people: Mapping[str, Sample]) -> list[Pairing]:
    """The same before the verdicts, for whoever adjusts over more than one KPI. Raises ValueError as ``compare``."""
    if not comparable(kpi):
        raise ValueError(_refused(kpi))
    asked = {who: bound.asked(one.sums) for who, one in people.items()}
    whole, team = _together(asked.values()), Team.of(bound, people.values())
    pairs = []
    for who, sums in asked.items():
        others = _less(whole, sums)
        own, rest = bound.figure(sums), bound.figure(others)
        pairs.append(Pairing(who, own, rest, team.difference(own, rest, sums, others)))
    return pairs


def changes(kpi: Kpi, bound: Bound, people: Mapping[str, tuple[Sample, Sample]]) -> list[Pairing]:
    """How much more each person's figure has changed than that of all others together: ``own`` is the figure after, ``rest`` their own
    before, the difference their change less that of the others (of means that begin at 0: how far they are off what they would have,
    had they changed as the others did). ``people``: who → before and after. Raises ValueError as ``compare``.
    """
    if not comparable(kpi):
        raise ValueError(_refused(kpi))
    befores, afters = ([pair[at] for pair in people.values()] for at in (0, 1))
    before, after = (_together(bound.asked(one.sums) for one in half) for half in (befores, afters))
    team = Team.of(bound, (*befores, *afters))
    pairs = []
    for who, halves in people.items():
        own = tuple(bound.asked(one.sums) for one in halves)
        others = tuple(_less(whole, sums) for whole, sums in zip((before, after), own, strict=True))
        figures = bound.figure(own[1]), bound.figure(own[0])
        pairs.append(Pairing(who, *figures, team.change(own, others)))
    return pairs


def _together(sums: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """The sum of all, who have the same measures; 0 is there, too."""
    found: dict[str, int] = {}
    for own in sums:
        for measure, amount in own.items():
            found[measure] = found.get(measure, 0) + amount
    return found


def _less(whole: Mapping[str, int], sums: Mapping[str, int]) -> Mapping[str, int]:
    return {measure: amount - sums[measure] for measure, amount in whole.items()}


#: Sums before and after.
_Halves: TypeAlias = tuple[Mapping[str, int], ...]


@dataclass(frozen=True)
class Team:
    """What a team tells about how much figures move by chance.

    ``freedom``: its degrees of freedom. ``effect``: how many times less a case is worth as days have something in common. ``each``: the
    variance of a case, of means; None: nobody knows.
    """

    bound: Bound
    freedom: float
    effect: float
    each: float | None

    @classmethod
    def of(cls, bound: Bound, people: Iterable[Sample]) -> Self:
        """What these people tell."""
        clustered = alone = within = 0.0
        days = cases = clustered_cases = known = 0
        for one in people:
            n, amount = bound.base(one.sums), total(bound.top, one.sums)
            if n <= 0:
                continue
            mean = amount / n
            cases, known = cases + n, known + 1
            own = n * mean * (1 - mean) if bound.kind == "rate" else _squares(bound, one.sums, amount, n)
            within += own or 0.0
            if one.spread.days > 1 and n > 1:
                days += one.spread.days - 1
                clustered += one.spread.variance(mean)
                clustered_cases += n
                alone += (own or 0.0) * n / (n - 1)
        effect = max(1.0, clustered / alone) if alone > 0 else 1.0
        each = within / (cases - known) if cases > known else None
        if bound.kind == "mean" and not bound.squares:  # only days can tell
            each = clustered / clustered_cases if clustered_cases else None
        return cls(bound, days or (inf if bound.kind == "rate" else max(cases - known, 1)), effect, each)

    def difference(
        self, own: Figure, rest: Figure, sums: Mapping[str, int], others: Mapping[str, int]
    ) -> Difference | None:
        """How somebody differs from the others; None where nobody can tell."""
        if own.value is None or rest.value is None:
            return None
        bound = self.bound
        n, m = bound.base(sums), bound.base(others)
        if bound.kind == "rate":
            if own.low is None or rest.low is None:
                return None
            return difference(self._share(sums, n), self._share(others, m), self.freedom)
        if not self.each:
            return None
        error = sqrt(self.each * self.effect * (1 / n + 1 / m))
        if self.from_0:
            return self._of_logarithms(
                own.value, rest.value, error, (total(bound.top, sums), n), (total(bound.top, others), m)
            )
        error *= bound.up / bound.down
        value, reach = own.value - rest.value, self.quantile * error
        return Difference(value, value - reach, value + reach, beyond(value / error, self.freedom))

    def change(self, own: _Halves, others: _Halves) -> Difference | None:
        """How much more somebody's figure has changed than that of the others; None where nobody can tell."""
        bound = self.bound
        sums = (*own, *others)
        cases, amounts = [bound.base(one) for one in sums], [total(bound.top, one) for one in sums]
        if min(cases) <= 0:
            return None
        mean = sum(amounts) / sum(cases)
        each = mean * (1 - mean) if bound.kind == "rate" else self.each
        if not each:
            return None
        error = sqrt(each * self.effect * sum(1 / n for n in cases))
        before, after, other_before, other_after = (amount / n for amount, n in zip(amounts, cases, strict=True))
        scale = bound.up / bound.down
        if bound.kind == "rate" or not self.from_0:
            value = ((after - before) - (other_after - other_before)) * scale
            error, reach = error * scale, self.quantile * error * scale
            return Difference(value, value - reach, value + reach, beyond(value / error, self.freedom))
        if min(amounts) <= 0:
            return None
        expected, relative = before * other_after / other_before, error / mean
        apart, reach = log(after / expected), self.quantile * relative
        low, high = (expected * (exp(end) - 1) * scale for end in (apart - reach, apart + reach))
        return Difference((after - expected) * scale, low, high, beyond(apart / relative, self.freedom))

    @property
    def quantile(self) -> float:
        """How many standard errors 95 % reach to either side."""
        return _quantile(self.freedom)

    @property
    def from_0(self) -> bool:
        """Are these amounts that begin at 0 and have no end?"""
        return self.bound.within == (0.0, None)

    def _share(self, sums: Mapping[str, int], n: int) -> Figure:
        """A share by what its cases are worth."""
        hits = total(self.bound.top, sums)
        low, high = wilson(hits / self.effect, n / self.effect) or (None, None)
        return Figure(hits / n, n, low, high)

    def _of_logarithms(
        self, own: float, rest: float, error: float, one: tuple[int, int], other: tuple[int, int]
    ) -> Difference | None:
        """``error`` in stored units; ``one``, ``other``: amount and cases."""
        if own <= 0 or rest <= 0:
            return None
        mean = (one[0] + other[0]) / (one[1] + other[1])
        apart, relative = log(own / rest), error / mean
        reach = self.quantile * relative
        low, high = (rest * (exp(end) - 1) for end in (apart - reach, apart + reach))
        return Difference(own - rest, low, high, beyond(apart / relative, self.freedom))


def _squares(bound: Bound, sums: Mapping[str, int], amount: int, n: int) -> float | None:
    """The squares of what each case of a mean lies off it, added up, in squared stored units; None: they are not known."""
    if not bound.squares:
        return None
    return max(total(bound.squares, sums) * bound.squared - amount * amount / n, 0.0)


def judged(better: Direction, pairs: Sequence[Pairing]) -> list[Compared]:
    """Verdicts, adjusted for how many there are."""
    corrected = iter(adjusted([one.difference.p for one in pairs if one.difference is not None]))
    made = []
    for one in pairs:
        p = None if one.difference is None else next(corrected)
        verdict = verdict_of(better, one.own, one.difference, p)
        made.append(Compared(one.who, one.own, one.rest, one.difference, p, verdict))
    return made


def verdict_of(
    better: Direction, own: Figure, found: Difference | None, p: float | None, most: float = FALSE_DISCOVERIES
) -> Verdict:
    """What is said of a difference with an adjusted p-value of ``p``, where ``most`` is the greatest that counts."""
    if own.value is None:
        return "no_data"
    if found is None or p is None or p > most:
        return "cannot_tell"
    if better == "range":
        return "higher" if found.value > 0 else "lower"
    return "better" if (found.value > 0) == (better == "higher") else "worse"


def difference_said(unit: str, found: Difference | None, language: Language = "en") -> str:
    """A difference with its interval, shares in percentage points: ``+5.2 pp (+1.0 … +9.4)``; a dash where there is none."""
    if found is None:
        return NONE
    if unit == "ratio":
        ends, middle = (found.low, found.high), found.value * 100
        low, high = (f"{end * 100:+.1f}" for end in ends)
        if language == "zh":
            return f"{middle:+.1f} 个百分点（{low} 至 {high}）".replace("-", "−")
        return f"{middle:+.1f} pp ({low} … {high})"
    low, high = (said(unit, end, language).split(" ")[0] for end in (found.low, found.high))
    number, *name = said(unit, found.value, language).split(" ")[:2]
    sign = "+" if found.value > 0 else ""
    if language == "zh":
        return f"{sign}{' '.join([number, *name]).partition('（')[0]}（{low} 至 {high}）"
    return " ".join([f"{sign}{number} ({low} … {high})", *name])
