"""Teams of equals on a screen that is looked at every day of a month: does it ever mark anybody?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from streams.contracts.outputs import Sums
from streams.kpi.marks import ClosedDays, Compared, Marks
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.wallboard import layout
from tests.statistics.desks import handled, hits, moved

TEAM = 12
_POLICY = Policy(time_zone="UTC")
_KPIS = tuple(shown.kpi for shown in layout.AGENT if shown.part == "value")
_FIRST = date(2026, 3, 2)
#: Days before the first look: those that are compared then, with those that matured before.
_BEFORE = 28 + 8


def contacts(random: Random, n: int, satisfied: float = 0.85, icc: float = 0.0) -> Sums:
    """So many contacts of somebody on a day: what the columns of the agents' table are made of."""

    def some(of: int, rate: float) -> int:
        return hits(random, of, moved(random, rate, icc))

    made = handled(random, n, day_spread=icc)
    due = hits(random, n, 0.9)
    rated = hits(random, n, 0.4)
    add(
        made,
        {
            "contacts_handled": n,
            "contacts_handled_known": n,
            "repeat_contacts": some(n, 0.12),
            "resolution_due": due,
            "resolved": some(due, 0.8),
            "csat_ratings": rated,
            "csat_satisfied": some(rated, satisfied),
            "chat_first_responses": n,
            "chat_first_responses_within_30s": some(n, 0.7),
            "calls_transferred": some(n, 0.08),
        },
    )
    return made


def shown(days: Mapping[date, Mapping[str, Sums]], last: date, teams: int = 1) -> Marks:
    """The marks of the day after ``last``."""
    closed = ClosedDays(_POLICY, datetime.combine(last + timedelta(days=1), time(2), UTC), _KPIS)
    compared = Compared(closed, closed.judged(days))
    for day, people in days.items():
        for who, sums in people.items():
            compared.add(who, day, sums)
    return compared.marks([[f"t{team}a{n}" for n in range(TEAM)] for team in range(teams)])


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
    seed: int = 1,
) -> Iterator[Month]:
    """Months of ``teams`` teams with ``a_day`` contacts of each a day, looked at on so many days, ``apart`` from each other; the first
    ``odd`` of the first team satisfy only ``rate``.
    """
    random = Random(seed)
    others = frozenset(f"t0a{n}" for n in range(odd))
    people = [f"t{team}a{n}" for team in range(teams) for n in range(TEAM)]
    for _ in range(count):
        days = {
            _FIRST + timedelta(days=day): {
                who: contacts(random, a_day, rate if who in others else 0.85, icc) for who in people
            }
            for day in range(_BEFORE + looks * apart)
        }
        lasts = [_FIRST + timedelta(days=_BEFORE + look * apart) for look in range(looks)]
        yield Month([shown(days, last, teams) for last in lasts], others)
