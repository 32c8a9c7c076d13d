"""Is an agent's figure another than that of the rest of the team, or can nobody tell?

An agent is compared with all others together, without themselves. The difference of two figures with intervals has an interval of its own:
from each figure's distance to the ends of its interval, squared and added. For two shares with Wilson intervals this is R. G. Newcombe's
method 10 (Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998) 873-890); G. Y. Zou and
A. Donner show that it holds for other figures too (Construction of confidence limits about effect measures, Statistics in Medicine 27
(2008) 1693-1702), so that a mean with Student's t comes close to Welch's test. Its p-value is read back from the interval (D. G. Altman
and J. M. Bland, How to obtain the P value from a confidence interval, BMJ 343 (2011) d2304).

Whoever looks at forty agents finds two that "differ" by chance. So all p-values of one comparison are adjusted together: of what is
then said to differ, 5 % at most is by chance on average (Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, Journal of
the Royal Statistical Society B 57 (1995) 289-300).

Contacts are taken to be independent of each other. Agents who get other work than the rest (hard queues, nights) differ for that reason;
the figures cannot say why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal, TypeAlias

from streams.contracts.outputs import Figure
from streams.kpi.labels import NONE, said
from streams.kpi.measures import add, merged
from streams.kpi.spec import Bound, Direction, Kpi
from streams.kpi.stats.confidence import Z95
from streams.languages import Language
from streams.languages.text import Text

Verdict: TypeAlias = Literal["better", "worse", "higher", "lower", "cannot_tell", "no_data"]

#: Share of false ones among what is said to differ, at most and on average.
FALSE_DISCOVERIES = 0.05

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
        return self.verdict not in ("cannot_tell", "no_data")


def difference(own: Figure, rest: Figure) -> Difference | None:
    """How two figures of different things differ; None where one has no value or no interval."""
    if own.value is None or own.low is None or own.high is None:
        return None
    if rest.value is None or rest.low is None or rest.high is None:
        return None
    value = own.value - rest.value
    down = sqrt((own.value - own.low) ** 2 + (rest.high - rest.value) ** 2)
    up = sqrt((own.high - own.value) ** 2 + (rest.value - rest.low) ** 2)
    reach = down if value > 0 else up
    p = 1.0 if not value else 0.0 if not reach else 2 * NormalDist().cdf(-Z95 * abs(value) / reach)
    return Difference(value, value - down, value + up, p)


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


def compare(kpi: Kpi, bound: Bound, people: Mapping[str, Mapping[str, int]]) -> list[Compared]:
    """Each person beside all others together, in the given order. ``bound``: the KPI's formula for staff; ``people``: who → their sums.

    Raises ValueError for a KPI that nobody can be compared by.
    """
    if not comparable(kpi):
        raise ValueError(
            f"{kpi.id} is a {kpi.kind}: it has no interval, so nobody can tell a difference from chance; take a share or a mean"
        )
    whole = merged(people.values())
    pairs = []
    for who, sums in people.items():
        others = dict(whole)
        add(others, sums, -1)
        pairs.append((who, bound.figure(sums), bound.figure(others)))
    return judged(kpi.better, pairs)


def judged(better: Direction, pairs: Sequence[tuple[str, Figure, Figure]]) -> list[Compared]:
    """Verdicts on (who, own figure, figure of the others), adjusted for how many there are."""
    found = [difference(own, rest) for _, own, rest in pairs]
    corrected = iter(adjusted([one.p for one in found if one is not None]))
    made = []
    for (who, own, rest), one in zip(pairs, found, strict=True):
        p = None if one is None else next(corrected)
        made.append(Compared(who, own, rest, one, p, _verdict(better, own, one, p)))
    return made


def _verdict(better: Direction, own: Figure, found: Difference | None, p: float | None) -> Verdict:
    if own.value is None:
        return "no_data"
    if found is None or p is None or p > FALSE_DISCOVERIES:
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
