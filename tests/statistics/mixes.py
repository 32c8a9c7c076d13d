"""Teams whose members have other work than one another: who is how good is known, and what they would have on the team's common work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random

from streams.contracts.outputs import Sums
from streams.kpi.case_mix import CaseMix, adjusted_for_mix, in_stratum
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Sample, compare
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from tests.statistics.desks import SPREAD, hits

#: The usual rate of each queue and its share of the work: the hardest is the rarest.
RATES, WORK = (0.93, 0.90, 0.85, 0.75, 0.60), (0.35, 0.25, 0.20, 0.12, 0.08)
#: The usual handle time of each queue, seconds.
TIMES = (200.0, 240.0, 300.0, 400.0, 600.0)
CSAT = KPIS["csat"].bound(Policy(), "staff")
AHT = KPIS["average_handle_time"].bound(Policy(), "staff")
_EASY, _HARD = (0.45, 0.30, 0.15, 0.07, 0.03), (0.15, 0.10, 0.15, 0.25, 0.35)


@dataclass(frozen=True)
class Desk:
    """How a team is: ``people``; ``ratings`` of each in a month on average; ``skill``: standard deviation, in logits; ``sorted_by``: the
    correlation of skill with hard work; ``apart``: standard deviation of what each is better or worse at in each queue, in logits;
    ``rates``: the usual one of each queue.
    """

    people: int = 40
    ratings: int = 100
    skill: float = 0.3
    sorted_by: float = 0.0
    apart: float = 0.0
    rates: Sequence[float] = RATES


@dataclass(frozen=True)
class Month:
    """A month: what everybody would truly have on the team's work, and what the product makes of it."""

    truth: Sequence[float]
    skills: Sequence[float]
    people: dict[str, Sample]
    mix: CaseMix


def sigmoid(x: float) -> float:
    """A rate of a logit."""
    return 1 / (1 + exp(-x))


def logit(rate: float) -> float:
    """The logit of a rate."""
    return log(rate / (1 - rate))


def of_queues(own: Sequence[Sums]) -> Sums:
    """Sums of each queue as the sums of a day with its strata."""
    made: Sums = {}
    for queue, sums in enumerate(own):
        add(made, sums)
        add(made, {in_stratum(name, f"q{queue}"): amount for name, amount in sums.items()})
    return made


def months(
    random: Random, count: int, desk: Desk, *, twins: bool = False, better: float = 0.0, days: int = 1
) -> Iterator[Month]:
    """Months of satisfaction. ``twins``: the first two are equally, and usually, good, the first on easy work and the second on hard;
    ``better``: by how much (in logits) the second is better after all; ``days``: among how many the work is divided.
    """
    for _ in range(count):
        skills = [random.gauss(0, desk.skill) for _ in range(desk.people)]
        if twins:
            skills[:2] = 0.0, better
        cases: list[list[int]] = []
        for who, skill in enumerate(skills):
            hard = desk.sorted_by * skill / (desk.skill or 1) + sqrt(1 - desk.sorted_by**2) * random.gauss(0, 1)
            mix = [
                part * exp(0.7 * hard * (queue / 2 - 1)) * random.gammavariate(4, 1 / 4)
                for queue, part in enumerate(WORK)
            ]
            volume = random.gammavariate(3, 1 / 3)
            if twins and who < 2:
                mix, volume = list((_EASY, _HARD)[who]), 1.0
            means = [desk.ratings * volume * part / sum(mix) for part in mix]
            cases.append([max(0, round(random.gauss(mean, sqrt(mean)))) for mean in means])
        whole = [sum(own[queue] for own in cases) for queue in range(len(WORK))]
        truth = [
            sum(n * sigmoid(skill + logit(rate)) for n, rate in zip(whole, desk.rates, strict=True)) / sum(whole)
            for skill in skills
        ]
        people = {
            f"a{who}": Sample.of(
                CSAT,
                _days(
                    random,
                    [
                        _rated(random, n, skill + random.gauss(0, desk.apart), rate)
                        for n, rate in zip(own, desk.rates, strict=True)
                    ],
                    days,
                ),
            )
            for who, (skill, own) in enumerate(zip(skills, cases, strict=True))
        }
        yield Month(truth, skills, people, CaseMix(CSAT, people))


def _rated(random: Random, n: int, skill: float, rate: float) -> Sums:
    return {"csat_ratings": n, "csat_satisfied": hits(random, n, sigmoid(skill + logit(rate)))}


def _days(random: Random, own: Sequence[Sums], days: int) -> list[Sums]:
    if days == 1:
        return [of_queues(own)]
    made: list[list[Sums]] = [[{"csat_ratings": 0, "csat_satisfied": 0} for _ in own] for _ in range(days)]
    for queue, sums in enumerate(own):
        for case in range(sums["csat_ratings"]):
            day = made[random.randrange(days)][queue]
            day["csat_ratings"] += 1
            day["csat_satisfied"] += case < sums["csat_satisfied"]
    return [of_queues(day) for day in made]


@dataclass
class Errors:
    """Squared errors of figures, and how often the truth lay within the interval."""

    raw: float = 0.0
    adjusted: float = 0.0
    within: int = 0
    count: int = 0

    def add(self, month: Month, who: int) -> None:
        """Take one of the people."""
        found = month.mix.of(f"a{who}")
        truth, own = month.truth[who], found.adjusted
        assert own.value is not None
        assert own.low is not None
        assert own.high is not None
        assert found.figure.value is not None
        self.raw += (found.figure.value - truth) ** 2
        self.adjusted += (own.value - truth) ** 2
        self.within += own.low <= truth <= own.high
        self.count += 1

    @property
    def rmse(self) -> tuple[float, float]:
        """Root mean squared error of figures as they are and adjusted, in points."""
        return 100 * sqrt(self.raw / self.count), 100 * sqrt(self.adjusted / self.count)

    @property
    def covered(self) -> float:
        """How often the truth lay within the interval, in percent."""
        return 100 * self.within / self.count


def errors(made: Iterator[Month], who: Sequence[int] | None = None) -> Errors:
    """Of these people in these months; of all with five cases or more where nobody is named."""
    found = Errors()
    for month in made:
        for at in who or range(len(month.truth)):
            if month.mix.of(f"a{at}").figure.n >= 5:
                found.add(month, at)
    return found


def marked(made: Iterator[Month], *people: str) -> dict[str, tuple[float, float]]:
    """Verdict → in how many of these months it is said of one of these people (of anybody, where nobody is named): of figures as they are,
    and of adjusted ones; percent. ``any``: any verdict that somebody differs.
    """
    kpi, found, count = KPIS["csat"], {name: [0, 0] for name in ("any", "better", "worse")}, 0
    for month in made:
        count += 1
        for at, verdicts in enumerate((compare(kpi, CSAT, month.people), adjusted_for_mix(kpi, month.mix))):
            said = {one.verdict for one in verdicts if one.differs and (not people or one.who in people)}
            found["any"][at] += bool(said)
            for verdict in said:
                found[verdict][at] += 1
    return {name: (100 * raw / count, 100 * mixed / count) for name, (raw, mixed) in found.items()}


def named(made: Iterator[Month], share: float = 0.1) -> dict[str, tuple[float, float, float]]:
    """Of the last by raw and by adjusted figures (a ``share`` of the people): how many belong there, how many are truly better than half,
    and how many of the best fifth are named rightly; percent.
    """
    found = {name: [0.0, 0.0, 0.0] for name in ("raw", "adjusted")}
    count = 0
    for month in made:
        people = range(len(month.truth))
        by_truth = sorted(people, key=lambda who: month.truth[who])
        last, first = round(share * len(by_truth)), round(0.2 * len(by_truth))
        middle = month.truth[by_truth[len(by_truth) // 2]]
        mixed = {who: month.mix.of(f"a{who}") for who in people}
        for name, order in (
            ("raw", sorted(people, key=lambda who: (mixed[who].figure.value or 0.0, who))),
            ("adjusted", sorted(people, key=lambda who: (mixed[who].adjusted.value or 0.0, who))),
        ):
            found[name][0] += len({*order[:last]} & {*by_truth[:last]}) / last
            found[name][1] += sum(month.truth[who] > middle for who in order[:last]) / last
            found[name][2] += len({*order[-first:]} & {*by_truth[-first:]}) / first
        count += 1
    return {name: tuple(100 * each / count for each in own) for name, own in found.items()}  # type: ignore[misc]


def times_marked(random: Random, count: int, calls: int, slower: float = 1.0, people: int = 12) -> tuple[float, float]:
    """Months of calls of people who are all as fast, two of them with hard work, one of these ``slower`` times as slow: in how many of
    them anybody else than this one is said to differ where they are alike, or this one to be worse where not; as it is, and adjusted.
    """
    kpi, raw, mixed = KPIS["average_handle_time"], 0, 0
    for _ in range(count):
        team = handled(random, calls, slower, people)
        for at, verdicts in enumerate((compare(kpi, AHT, team), adjusted_for_mix(kpi, CaseMix(AHT, team)))):
            hit = any(one.differs if slower == 1 else one.who == "a0" and one.verdict == "worse" for one in verdicts)
            raw, mixed = raw + (hit and not at), mixed + (hit and bool(at))
    return 100 * raw / count, 100 * mixed / count


def handled(random: Random, calls: int, slower: float, people: int) -> dict[str, Sample]:
    """A month of calls: the first two have hard work; the first takes so many times as long as usual."""
    team = {}
    for who in range(people):
        mix = _HARD if who < 2 else _EASY
        own: list[Sums] = []
        for part, usual in zip(mix, TIMES, strict=True):
            middle = log(usual * (1.0 if who else slower)) - SPREAD**2 / 2
            took = [random.lognormvariate(middle, SPREAD) for _ in range(round(calls * part))]
            own.append(
                {
                    "calls_handled": len(took),
                    "handle_seconds": sum(round(one * 1000) for one in took),
                    "handle_seconds_squared": sum(round(one * one * 1000) for one in took),
                }
            )
        team[f"a{who}"] = Sample.of(AHT, [of_queues(own)])
    return team
