"""Clean teams and what signs say of them; a cheat among them, and what finds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from streams.contracts.outputs import Sums
from streams.kpi.gaming_indicators import Finding, Halves, look
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Kpi
from tests.statistics.desks import handled, hits, moved

#: A month of a team: people, and working days in each half of it.
PEOPLE, HALF = 20, 10
_POLICY = Policy()
#: What an agent does on a day: (random, agent, half) → sums.
Work = Callable[[Random, int, int], Sums]


def bound_of(kpi: Kpi) -> Bound:
    """The KPI's formula for staff."""
    return kpi.bound(_POLICY, "staff")


def day(
    random: Random,
    *,
    calls: int = 20,
    icc: float = 0.0,
    transfers: float = 0.08,
    repeats: float = 0.10,
    times: float = 1.0,
    surveys: int = 1,
    invited: float = 0.9,
) -> Sums:
    """A day of honest work, unless it is told otherwise."""

    def some(rate: float) -> int:
        return hits(random, calls, moved(random, rate, icc))

    made = handled(random, calls, times)
    contacts = some(invited)
    asked = contacts * surveys
    add(
        made,
        {
            "contacts_handled": calls,
            "calls_short": some(0.02),
            "calls_transferred": some(transfers),
            "contacts_invited": contacts,
            "surveys_invited": asked,
            "surveys_answered": hits(random, asked, 0.2),
            "calls_answered": calls,
            "calls_missed": some(0.05),
            "tickets_closed": calls,
            "tickets_reopened": some(0.05),
            "contacts_handled_known": calls,
            "repeat_contacts": some(repeats),
        },
    )
    return made


def month(random: Random, work: Work, people: int = PEOPLE, half: int = HALF) -> list[Finding]:
    """What signs are raised of a team's month."""
    team: dict[str, Halves] = {
        f"a{who}": (
            [work(random, who, 0) for _ in range(half)],
            [work(random, who, 1) for _ in range(half)],
        )
        for who in range(people)
    }
    return [finding for finding in look(lambda _: team, bound_of) if finding.raised]


def accused(months: int, work: Work, seed: int = 1, **size: int) -> tuple[Counter[str], list[Finding]]:
    """Sign → in how many of these months it is raised of anybody, and all that was raised."""
    random, teams, every = Random(seed), Counter[str](), []
    for _ in range(months):
        raised = month(random, work, **size)
        teams.update({finding.sign.id for finding in raised})
        every += raised
    return teams, every


def faulty(random: Random, who: int, half: int) -> Sums:
    """A product fault and a shorter script in the second half, for everybody."""
    return day(random, repeats=0.15 if half else 0.10, times=0.86 if half else 1.0)


def cheats(**how: float) -> Work:
    """A team of honest people of whom the first works so."""
    return lambda random, who, half: day(random) if who else day(random, **how)  # type: ignore[arg-type]


def hurried(random: Random, who: int, half: int) -> Sums:
    """One whose calls get 40 % shorter in the second half, at the cost of repeats."""
    return day(random) if who or not half else day(random, times=0.6, repeats=0.25)


def caught(months: int, work: Work, sign: str, days: int, people: int = PEOPLE, seed: int = 1) -> float:
    """In how many of so many periods of ``days`` the sign is raised of the first, in percent."""
    _, every = accused(months, work, seed, people=people, half=days // 2)
    return 100 * sum(one.sign.id == sign and one.who == "a0" for one in every) / months
