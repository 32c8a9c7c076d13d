"""Teams of equals on a screen that is looked at every day of a month: does it ever mark anybody?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from streams.contracts.outputs import Sums
from streams.kpi.case_mix import adjustable
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Sample
from streams.kpi.marks import DAYS, Marks, marked, paired
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound
from streams.kpi.spread import Spread
from streams.wallboard import layout
from tests.statistics.desks import MEAN, handled, hits, moved
from tests.statistics.mixes import RATES, TIMES, logit, of_queues, sigmoid

TEAM = 12
_POLICY = Policy()
_KPIS = tuple(shown.kpi for shown in layout.AGENT if shown.part == "value")


#: The shares of the queues in easy and in hard work, and by how many logits the other rates of each queue are worse than usual.
_EASY, _HARD, _HARDER = (0.45, 0.30, 0.15, 0.07, 0.03), (0.15, 0.10, 0.15, 0.25, 0.35), (-0.5, -0.2, 0.0, 0.5, 1.0)


def contacts(
    random: Random, n: int, satisfied: float = 0.85, icc: float = 0.0, times: float = 1.0, harder: float = 0.0
) -> Sums:
    """So many contacts of somebody on a day: what the columns of the agents' table are made of. ``times``: as long as usual; ``harder``:
    by so many logits all else than satisfaction is worse.
    """

    def some(of: int, rate: float) -> int:
        return hits(random, of, moved(random, rate, icc))

    def worse(rate: float) -> float:
        return sigmoid(logit(rate) + harder)

    made = handled(random, n, times, day_spread=icc)
    due = hits(random, n, 0.9)
    rated = hits(random, n, 0.4)
    add(
        made,
        {
            "contacts_handled": n,
            "contacts_handled_known": n,
            "repeat_contacts": some(n, worse(0.12)),
            "resolution_due": due,
            "resolved": some(due, 1 - worse(0.2)),
            "csat_ratings": rated,
            "csat_satisfied": some(rated, satisfied),
            "chat_first_responses": n,
            "chat_first_responses_within_30s": some(n, 1 - worse(0.3)),
            "calls_transferred": some(n, worse(0.08)),
        },
    )
    return made


def of_mix(random: Random, n: int, satisfied: float = 0.85, icc: float = 0.0, *, hard: bool = False) -> Sums:
    """So many contacts of somebody who has easy or hard work, by queue; ``satisfied``: what they would reach in a queue where 85 % is usual."""
    own = [0] * len(RATES)
    for queue in random.choices(range(len(RATES)), _HARD if hard else _EASY, k=n):
        own[queue] += 1
    skill = logit(satisfied) - logit(0.85)
    return of_queues(
        [
            contacts(random, cases, sigmoid(logit(rate) + skill), icc, seconds / MEAN, harder)
            for cases, rate, seconds, harder in zip(own, RATES, TIMES, _HARDER, strict=True)
        ]
    )


class Sliding:
    """The last 28 days of teams, KPI by KPI; a day that comes pushes the oldest out. ``by_mix``: as the history compares them, where queues
    are known; else as they are.
    """

    def __init__(self, teams: Sequence[Sequence[str]], *, by_mix: bool = True) -> None:
        self._teams, self._by_mix = teams, by_mix
        bounds = [KPIS[id].bound(_POLICY, "staff") for id in _KPIS]
        self._columns = [(bound, {who: Sample({}, Spread()) for team in teams for who in team}) for bound in bounds]
        self._days: list[Mapping[str, Sums]] = []

    def add(self, day: Mapping[str, Sums]) -> None:
        """A day of everybody."""
        self._days.append(day)
        for who, sums in day.items():
            for bound, people in self._columns:
                people[who].take(bound, sums)
        if len(self._days) > DAYS:
            for who, sums in self._days.pop(0).items():
                for bound, people in self._columns:
                    _leave(people[who], bound, sums)

    def marks(self) -> Marks:
        """Those of the day after."""
        return marked(
            paired(bound, {who: people[who] for who in team}, by_mix=self._by_mix and adjustable(bound))
            for bound, people in self._columns
            for team in self._teams
        )


def _leave(sample: Sample, bound: Bound, sums: Sums) -> None:
    add(sample.sums, sums, -1)
    own = Spread.of(bound, [sums])
    for name in ("days", "ss", "sn", "nn"):
        setattr(sample.spread, name, getattr(sample.spread, name) - getattr(own, name))


@dataclass(frozen=True)
class Month:
    """A month of screens: by day the marks; who is truly other is ``odd``, and in no column but satisfaction."""

    looks: list[Marks]
    odd: frozenset[str]

    @property
    def ever(self) -> bool:
        """Was anybody who is like all others marked at any time?"""
        return any(self._false(marks) for marks in self.looks)

    @property
    def found(self) -> float:
        """The share of the others whose satisfaction was marked on the last day."""
        return sum("csat" in self.looks[-1].get(who, {}) for who in self.odd) / len(self.odd)

    def counted(self) -> tuple[int, int]:
        """Marks of the last day: those by chance, and all."""
        last = self.looks[-1]
        return self._false(last), sum(map(len, last.values()))

    def _false(self, marks: Marks) -> int:
        return sum(len(own) - (who in self.odd and "csat" in own) for who, own in marks.items())


def months(
    count: int,
    a_day: int,
    *,
    looks: int = 28,
    apart: int = 1,
    icc: float = 0.0,
    teams: int = 1,
    odd: int = 0,
    rate: float = 0.75,
    hard: int | None = None,
    by_mix: bool = True,
    seed: int = 1,
) -> Iterator[Month]:
    """Months of ``teams`` teams with ``a_day`` contacts of each a day, looked at on so many days, ``apart`` from each other; the first
    ``odd`` of the first team satisfy only ``rate``. ``hard``: so many of each team, its first, have hard work, and all others easy work;
    None: nobody knows of any work. ``by_mix``: as in ``Sliding``.
    """
    random = Random(seed)
    others = frozenset(f"t0a{n}" for n in range(odd))
    groups = [[f"t{team}a{n}" for n in range(TEAM)] for team in range(teams)]

    def contacts_of(who: str, number: int) -> Sums:
        satisfied = rate if who in others else 0.85
        if hard is None:
            return contacts(random, a_day, satisfied, icc)
        return of_mix(random, a_day, satisfied, icc, hard=number < hard)

    for _ in range(count):
        sliding, seen = Sliding(groups, by_mix=by_mix), []
        for day in range(DAYS + (looks - 1) * apart):
            sliding.add({who: contacts_of(who, number) for team in groups for number, who in enumerate(team)})
            if day >= DAYS - 1 and not (day - DAYS + 1) % apart:
                seen.append(sliding.marks())
        yield Month(seen, others)
