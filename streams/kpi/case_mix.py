"""What somebody's figure would be on the team's common work: other people's rates on one's own work, and what was reached beside it.

*Strata.* Contacts are of a stratum: the queue in which somebody had them or the topic, as the policy says (``case_mix_by``), and never what
an agent decides, such as how long they talked. Sums by stratum are sums like all others, under the measure's name with the stratum behind
it. What has no stratum is work of an unknown kind: the sum of all less those of all strata.

*Indirect standardisation.* Expected is what the others together, without oneself, reach in each stratum, weighed by one's own cases.
Strata in which the others have few cases are put together; work that nobody else does is left out, as nobody can tell it from who does it.
Which share of the cases was compared with its like stands beside the figure (D. J. Spiegelhalter, Funnel plots for comparing institutional
performance, Statistics in Medicine 24 (2005) 1185-1202).

*Chance.* A case varies by the variance of its stratum, times the team's design effect (``streams.kpi.compare``), and what is expected
varies as well. Means of amounts that begin at 0 are compared by their logarithms, with the team's spread relative to the mean.

*Shrinkage.* What remains, reached less expected, is pulled towards 0 by the share of it that is chance: B = v / (v + tau²), where tau²,
how much people truly differ, makes the remainders of all people as large as they are (R. C. Paule and J. Mandel, Consensus values and
weighting factors, J. Research NBS 87 (1982) 377-385). That tau² is not known exactly widens the interval (C. N. Morris, Parametric
empirical Bayes inference, JASA 78 (1983) 47-55), which is as wide as where people differed by the upper end of what they may differ by
(W. Viechtbauer, Confidence intervals for the amount of heterogeneity in meta-analysis, Statistics in Medicine 26 (2007) 37-52): in one
month of six with few cases tau² is 0 by chance, and intervals by it alone would hold far too few. Of three people or fewer nothing can be
learned, and nothing is pulled. The adjusted figure is the team's with this remainder added: what they would have on the team's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from streams.contracts.outputs import DailyFacts, Figure, Sums, entity_id, entity_kind
from streams.kpi.compare import Compared, Difference, Pairing, Sample, Team, difference, judged
from streams.kpi.measures import merged
from streams.kpi.measures.reasons import REASONS
from streams.kpi.measures.work import WORK
from streams.kpi.spec import NO_DATA, Bound, Kpi, total
from streams.kpi.stats.confidence import beyond, wilson

#: Stands between a measure and a stratum; behind it the name, as it is.
_MARK = "~="
#: So many cases of others a stratum must have, or it is put together with the others that have fewer.
LEAST = 30
#: Work of an unknown kind.
UNKNOWN = ""
#: How far off the upper end lies of what people may truly differ by: it holds the truth in three of four months.
_UPPER = 0.6745
#: Share of the remainders cut off at each end before it is learned how far they are dispersed.
_WINSORISED = 0.1
#: Agent and day → their sums of each stratum.
OfStrata: TypeAlias = Mapping[tuple[str, date], Sums]
_NOT_BY_CONTACT = frozenset(measure.id for measure in (*WORK, *REASONS))


def in_stratum(measure: str, stratum: str) -> str:
    """The measure of a stratum: ``csat_ratings~=loans``."""
    return f"{measure}{_MARK}{stratum}"


def strata_in(sums: Mapping[str, int]) -> dict[str, Sums]:
    """Stratum → what of these sums is of it, under the names of the measures of all contacts."""
    found: dict[str, Sums] = {}
    for name, amount in sums.items():
        measure, mark, stratum = name.partition(_MARK)
        if mark:
            found.setdefault(stratum, {})[measure] = amount
    return found


def apart(sums: Mapping[str, int]) -> dict[str, list[str]]:
    """Measure → its names by stratum among these sums."""
    found: dict[str, list[str]] = {}
    for name in sums:
        measure, mark, _ = name.partition(_MARK)
        if mark:
            found.setdefault(measure, []).append(name)
    return found


def with_strata(facts: Iterable[DailyFacts], strata: OfStrata) -> Iterator[DailyFacts]:
    """Agents' facts with their sums by stratum beside those of all."""
    for fact in facts:
        own = strata.get((entity_id(fact.entity), fact.date)) if entity_kind(fact.entity) == "agent" else None
        yield fact if own is None else replace(fact, sums={**fact.sums, **own})


def measures(bound: Bound) -> frozenset[str]:
    """The measures of which sums by stratum are needed."""
    return frozenset(measure for measure, _ in (*bound.top, *(bound.bottom or ()), *bound.squares))


def adjustable(bound: Bound) -> bool:
    """Can it be adjusted: is it a share or a mean of what contacts count for? Time at work is of no queue and no topic."""
    return bound.kind in ("rate", "mean") and bool(named := measures(bound)) and not named & _NOT_BY_CONTACT


class Cases(NamedTuple):
    """What a share or a mean is made of: amount, cases and squares, in stored units."""

    amount: int
    n: int
    squares: int = 0

    def plus(self, other: Cases, times: int = 1) -> Cases:
        """Both together (``times`` -1: less the other)."""
        return Cases(self.amount + times * other.amount, self.n + times * other.n, self.squares + times * other.squares)


#: Stratum → what is of it.
Strata = dict[str, Cases]
_NONE = Cases(0, 0)


def cases_of(bound: Bound, sums: Mapping[str, int]) -> Strata:
    """What somebody has of each stratum; the rest is of an unknown kind."""
    found = {stratum: _cases(bound, own) for stratum, own in strata_in(sums).items()}
    rest = _cases(bound, sums)
    for own in found.values():
        rest = rest.plus(own, -1)
    return {stratum: own for stratum, own in (*found.items(), (UNKNOWN, rest)) if own.n > 0}


def _cases(bound: Bound, sums: Mapping[str, int]) -> Cases:
    return Cases(total(bound.top, sums), bound.base(sums), total(bound.squares, sums) * bound.squared)


class Expected(NamedTuple):
    """What somebody's cases came to, and would have with the others' rates, in stored units; ``alike``: how many were compared with
    their like, of ``n`` that were compared at all. ``own`` and ``others``: the variances of both amounts.
    """

    reached: int
    amount: float
    n: int
    alike: int
    own: float
    others: float


@dataclass(frozen=True)
class Adjusted:
    """Somebody's figure for the mix of their work. ``figure``: all their cases as they are; ``reached`` and ``expected``: of those that
    could be compared; ``difference``: of these two, ``left``: the share of it that is not taken for chance; ``adjusted``: what they would
    have on the team's work, with its 95 % interval; ``share``: of their cases, how many were compared with their like. None where
    nobody else does such work.
    """

    who: str
    figure: Figure
    reached: Figure = NO_DATA
    expected: Figure = NO_DATA
    difference: Difference | None = None
    left: float = 0.0
    adjusted: Figure = NO_DATA
    share: float | None = None


class _Remainder(NamedTuple):
    """Reached less expected, of means that begin at 0 the logarithm of their ratio, and its variance."""

    apart: float
    variance: float


class CaseMix:
    """One KPI of people who do the same job: who reaches what, where what is to be expected of their own work.

    Made once of all of them; then asked for each, also by other sums of theirs (days drawn anew).
    """

    def __init__(self, bound: Bound, people: Mapping[str, Sample]) -> None:
        self.bound = bound
        self._team = Team.of(bound, people.values())
        #: What is needed of their sums only: there may be many people.
        self._sums = {who: bound.asked(one.sums) for who, one in people.items()}
        self._own = {who: cases_of(bound, one.sums) for who, one in people.items()}
        self._whole: Strata = {}
        for own in self._own.values():
            for stratum, cases in own.items():
                self._whole[stratum] = self._whole.get(stratum, _NONE).plus(cases)
        self._each = self._variances()
        self.figure = bound.figure(merged(self._sums.values()))
        self._centre = _mean(_together(self._whole.values()))
        remainders = (self._remainder(self._expected(who, own)) for who, own in self._own.items())
        self._known = [one for one in remainders if one is not None]
        self._between, self._at_most = _between(self._known), _between(self._known, _UPPER)
        whole, each = _together(self._whole.values()).n, self._each
        #: The variance of the team's figure, whose own chance is in that of whoever is pulled to it.
        self._of_centre = (
            sum(one.n * each[stratum] for stratum, one in self._whole.items())
            * self._team.effect
            / (whole * whole or 1)
        )

    def __contains__(self, who: str) -> bool:
        """Is it one of the people?"""
        return who in self._own

    @property
    def strata(self) -> tuple[str, ...]:
        """The strata of which anybody has cases, those of an unknown kind left out, the largest first."""
        names = (stratum for stratum in self._whole if stratum != UNKNOWN)
        return tuple(sorted(names, key=lambda stratum: (-self._whole[stratum].n, stratum)))

    @property
    def share(self) -> float:
        """Of everybody's cases, how many are compared with their like; 0 without any."""
        every = sum(cases.n for own in self._own.values() for cases in own.values())
        alike = sum(one.alike for who, own in self._own.items() if (one := self._expected(who, own)) is not None)
        return alike / every if every else 0.0

    def of(self, who: str, sums: Mapping[str, int] | None = None) -> Adjusted:
        """One of the people; ``sums``: others of theirs, which change nothing of what is known of the rest."""
        own = self._own[who] if sums is None else cases_of(self.bound, sums)
        sums = self._sums[who] if sums is None else sums
        figure, found = self.bound.figure(sums), self._expected(who, own)
        every = sum(cases.n for cases in own.values())
        if not every:
            return Adjusted(who, figure)
        if found is None:
            return Adjusted(who, figure, share=0.0)
        share, scale = found.alike / every, self.bound.up / self.bound.down
        n = found.n // self.bound.per_n
        reached, expected = Figure(found.reached / found.n * scale, n), Figure(found.amount / found.n * scale, n)
        remainder = self._remainder(found)
        if remainder is None:
            return Adjusted(who, figure, reached, expected, share=share)
        left, wider = self._left(remainder)
        return Adjusted(
            who, figure, reached, expected, self._difference(found), left,
            self._shifted(left * remainder.apart, self._team.quantile * sqrt(wider), n), share,
        )  # fmt: skip

    def compared(self) -> list[Pairing]:
        """Everyone's reached beside what is expected, as ``streams.kpi.compare`` has others, before the verdicts."""
        found = [self.of(who) for who in self._own]
        return [Pairing(one.who, one.reached, one.expected, one.difference) for one in found]

    def _variances(self) -> dict[str, float]:
        """Stratum → the variance of a case."""
        if self.bound.kind == "rate":
            rates = ((stratum, (one.amount + 0.5) / (one.n + 1)) for stratum, one in self._whole.items())
            return {stratum: rate * (1 - rate) if 0 < rate < 1 else 0.0 for stratum, rate in rates}
        means = {stratum: _mean(one) for stratum, one in self._whole.items()}
        if not self.bound.squares:  # only days can tell, and they do so of all strata alike
            return dict.fromkeys(means, self._team.each or 0.0)
        relative = self._team.from_0
        within = freedom = 0.0
        for own in self._own.values():
            for stratum, one in own.items():
                if one.n > 1 and (means[stratum] > 0 or not relative):
                    off = max(one.squares - one.amount * one.amount / one.n, 0.0)
                    within += off / means[stratum] ** 2 if relative else off
                    freedom += one.n - 1
        each = within / freedom if freedom else 0.0
        return {stratum: each * mean * mean if relative else each for stratum, mean in means.items()}

    def _expected(self, who: str, own: Strata) -> Expected | None:
        """What is expected of these cases; None where others have none like any of them."""
        before = self._own[who]
        reached = n = alike = 0
        amount = variance = others_variance = 0.0
        few, few_others, few_each = _NONE, _NONE, 0.0
        for stratum, cases in own.items():
            others = self._whole.get(stratum, _NONE).plus(before.get(stratum, _NONE), -1)
            each = self._each.get(stratum, 0.0)
            if others.n < LEAST * self.bound.per_n:
                few, few_others, few_each = few.plus(cases), few_others.plus(others), few_each + each * cases.n
                continue
            reached, n = reached + cases.amount, n + cases.n
            alike += 0 if stratum == UNKNOWN else cases.n
            amount += cases.n * _mean(others)
            variance += cases.n * each
            others_variance += cases.n * cases.n * each / others.n
        if few.n and few_others.n >= LEAST * self.bound.per_n:
            reached, n = reached + few.amount, n + few.n
            amount += few.n * _mean(few_others)
            variance += few_each
            others_variance += few.n * few_each / few_others.n
        if not n:
            return None
        effect = self._team.effect
        return Expected(reached, amount, n, alike, variance * effect, others_variance * effect)

    def _remainder(self, found: Expected | None) -> _Remainder | None:
        if found is None or found.own <= 0:
            return None
        variance = found.own + found.others
        if not self._relative:
            return _Remainder((found.reached - found.amount) / found.n, variance / (found.n * found.n))
        if found.reached <= 0 or found.amount <= 0:
            return None
        return _Remainder(log(found.reached / found.amount), variance / (found.amount * found.amount))

    @property
    def _relative(self) -> bool:
        return self.bound.kind == "mean" and self._team.from_0

    def _left(self, one: _Remainder) -> tuple[float, float]:
        """The share of a remainder that is not taken for chance, and the variance of what is left."""
        count = len(self._known)
        if count <= 3:
            return 1.0, one.variance
        certain = (count - 3) / (count - 1)
        pulled, least = (certain * one.variance / (one.variance + tau) for tau in (self._between, self._at_most))
        unsure = 2 / (count - 3) * (pulled * one.apart) ** 2 + pulled**2 * self._centre_variance()
        return 1 - pulled, one.variance * (1 - least) + unsure

    def _centre_variance(self) -> float:
        """Of what remainders are added to: of means that begin at 0, of the logarithm."""
        return self._of_centre / self._centre**2 if self._relative and self._centre > 0 else self._of_centre

    def _shifted(self, by: float, reach: float, n: int) -> Figure:
        """The team's figure with a remainder added, and so much to either side."""
        scale, ends = self.bound.up / self.bound.down, (by, by - reach, by + reach)
        if self._relative:
            value, low, high = (self._centre * exp(end) * scale for end in ends)
        else:
            value, low, high = ((self._centre + end) * scale for end in ends)
        if self.bound.kind == "rate":
            most = self.bound.up / self.bound.down
            value, low, high = (min(max(end, 0.0), most) for end in (value, low, high))
        return Figure(value, n, *self.bound.cut(low, high))

    def _difference(self, found: Expected) -> Difference | None:
        """Reached less expected, as ``streams.kpi.compare`` has differences; None where nobody can tell."""
        scale, freedom, n = self.bound.up / self.bound.down, self._team.freedom, found.n
        reached, expected = found.reached / n, found.amount / n
        if self.bound.kind == "rate":
            even = expected * (1 - expected) * n * n

            def side(share: float, variance: float) -> Figure:
                worth = even / variance if even > 0 and variance > 0 else float(n)
                low, high = wilson(share * worth, worth) or (None, None)
                return Figure(share, n, low, high)

            made = difference(side(reached, found.own), side(expected, found.others), freedom)
            return made and Difference(made.value * scale, made.low * scale, made.high * scale, made.p)
        remainder = self._remainder(found)
        if remainder is None:
            return None
        error = sqrt(remainder.variance)
        reach, p = self._team.quantile * error, beyond(remainder.apart / error, freedom)
        ends = (remainder.apart - reach, remainder.apart + reach)
        low, high = (expected * (exp(end) - 1) for end in ends) if self._relative else ends
        return Difference((reached - expected) * scale, low * scale, high * scale, p)

    # -- funnel --------------------------------------------------------------------------------------------------------

    def funnel(self) -> Funnel | None:
        """Everyone against limits that widen as cases get fewer; None where nobody can be told from chance."""
        found = {who: self._expected(who, own) for who, own in self._own.items()}
        there = [(who, one, left) for who, one in found.items() if one is not None and (left := self._remainder(one))]
        if not there:
            return None
        dispersed = _dispersion([left for _, _, left in there])
        cases = sum(one.n for _, one, _ in there) / self.bound.per_n
        each = cases / sum(1 / left.variance for _, _, left in there)
        points = tuple(
            Point(
                who,
                one.n // self.bound.per_n,
                each / left.variance,
                self._placed(left.apart),
                left.apart / sqrt(left.variance + dispersed),
            )
            for who, one, left in there
        )
        return Funnel(points, self._placed(0.0), each, dispersed, self._placed)

    def _placed(self, apart: float) -> float:
        """The team's figure with so much added."""
        value = self._centre * exp(apart) if self._relative else self._centre + apart
        return value * self.bound.up / self.bound.down


class Point(NamedTuple):
    """Somebody in a funnel plot: their cases, what these are worth beside those of others (``worth``, where work varies more or less),
    the team's figure with what they reached beyond the expected, and by how many standard errors they are off.
    """

    who: str
    n: int
    worth: float
    value: float
    off: float


#: Standard errors to either side: 95 % and 99.8 %.
LIMITS = (1.959964, 3.090232)


@dataclass(frozen=True)
class Funnel:
    """A funnel plot. ``centre``: the team's figure; ``each``: the variance of a case; ``dispersed``: what people differ by beyond chance
    (additive over-dispersion), in which no single one stands out.
    """

    points: tuple[Point, ...]
    centre: float
    each: float
    dispersed: float
    place: Callable[[float], float]

    def limits(self, worth: float, errors: float) -> tuple[float, float]:
        """The limits of whoever has cases of so much worth, so many standard errors to either side."""
        reach = errors * sqrt(self.each / worth + self.dispersed)
        return self.place(-reach), self.place(reach)


def _mean(one: Cases) -> float:
    return one.amount / one.n if one.n else 0.0


def _together(many: Iterable[Cases]) -> Cases:
    found = _NONE
    for one in many:
        found = found.plus(one)
    return found


def _between(known: Sequence[_Remainder], errors: float | None = None) -> float:
    """The variance between people that makes their remainders as large as they are (Paule and Mandel); 0 where chance alone does.

    ``errors``: not the likeliest, but the upper end of what it may be, so many standard errors off (chi-square by E. B. Wilson and
    M. M. Hilferty, The distribution of chi-square, PNAS 17 (1931) 684-688).
    """
    freedom = len(known) - 1
    if freedom < 1:
        return 0.0
    part = 2 / (9 * freedom)
    usual = freedom * (1.0 if errors is None else max(1 - part - errors * sqrt(part), 0.0) ** 3)

    def excess(between: float) -> float:
        return sum(one.apart * one.apart / (one.variance + between) for one in known) - usual

    low, high = 0.0, max(one.apart * one.apart for one in known) + 1e-300
    if excess(low) <= 0:
        return 0.0
    while excess(high) > 0:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def _dispersion(known: Sequence[_Remainder]) -> float:
    """Additive over-dispersion, the outermost tenth on each side drawn in, so that who stands out does not widen what they are held against
    (D. J. Spiegelhalter, Handling over-dispersion of performance indicators, Quality and Safety in Health Care 14 (2005) 347-351).
    """
    count = len(known)
    if count < 2:
        return 0.0
    scores = sorted(one.apart / sqrt(one.variance) for one in known)
    cut = int(_WINSORISED * count)
    low, high = scores[cut], scores[-1 - cut]
    phi = sum(min(max(score, low), high) ** 2 for score in scores) / count
    weights = [1 / one.variance for one in known]
    whole = sum(weights)
    below = whole - sum(weight * weight for weight in weights) / whole
    return max(0.0, (count * phi - (count - 1)) / below) if below > 0 else 0.0


def adjusted_for_mix(kpi: Kpi, mix: CaseMix) -> list[Compared]:
    """Everyone's figure beside what is expected on their own work, with verdicts adjusted for how many there are."""
    return judged(kpi.better, mix.compared())
