"""Who works at the simulated desk: teams, sites, agents, their shifts and breaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from streams.contracts.outputs import RosterEntry

Role = Literal["phone", "chat", "after_sales"]

SITES = ("shanghai", "chengdu")
ROLES: tuple[Role, ...] = ("phone", "chat", "after_sales")
#: Share of the agents in teams of each role.
_SHARES: dict[Role, float] = {"phone": 0.5, "chat": 0.3, "after_sales": 0.2}
_TEAM_NAMES: dict[Role, str] = {"phone": "hotline", "chat": "online", "after_sales": "after-sales"}
QUEUES: dict[Role, tuple[str, ...]] = {
    "phone": ("orders", "delivery"),
    "chat": ("chat-web", "chat-app"),
    "after_sales": ("after-sales",),
}

HOUR = 3600.0


@dataclass(frozen=True)
class Pause:
    """A planned time away from the queue: seconds since midnight and seconds long."""

    start: float
    length: float
    state: Literal["away", "training"]
    reason: str


@dataclass(frozen=True)
class Shift:
    """Working hours, in seconds since midnight, and the share of a pool up to which agents have them."""

    start: float
    end: float
    up_to: float


#: Early, middle and late. At noon only early and middle are there, and a third of them eats: the crunch of every day.
SHIFTS = (Shift(8 * HOUR, 17 * HOUR, 0.40), Shift(9 * HOUR, 18 * HOUR, 0.75), Shift(13.5 * HOUR, 22 * HOUR, 1.0))
_LUNCHES = (12 * HOUR, 12.75 * HOUR, 13.5 * HOUR)
_LUNCH_SECONDS = 0.75 * HOUR
_DINNERS = (16.25 * HOUR, 16.75 * HOUR)
_BREAK_SECONDS = 600.0


@dataclass(frozen=True)
class Member:
    """An agent as planned: who, where, and when they work."""

    id: str
    hr_number: str
    team: str
    role: Role
    site: str
    #: Position in their pool (team and site), from 0.
    place: int
    shift: Shift
    #: The weekday on which they rest, Monday 0.
    rest: int
    since: date

    def works_on(self, day: date) -> bool:
        """Are they rostered that day?"""
        return day.weekday() != self.rest

    def pauses(self, random: Random) -> list[Pause]:
        """Breaks and meals of a day."""
        start, end = self.shift.start, self.shift.end
        if start < 12 * HOUR:
            meal = Pause(_LUNCHES[self.place % len(_LUNCHES)], _LUNCH_SECONDS, "away", "lunch")
            times = (random.uniform(start + HOUR, 11 * HOUR), random.uniform(14.5 * HOUR, end - HOUR))
        else:
            meal = Pause(_DINNERS[self.place % len(_DINNERS)], 0.5 * HOUR, "away", "dinner")
            times = (random.uniform(15 * HOUR, 16 * HOUR), random.uniform(19 * HOUR, end - HOUR))
        breaks = [Pause(time, _BREAK_SECONDS, "away", "break") for time in times]
        coaching = [Pause(15 * HOUR, 0.5 * HOUR, "training", "coaching")] if random.random() < 0.03 else []
        return sorted([meal, *breaks, *coaching], key=lambda pause: pause.start)


def members(seed: int, agents: int, teams: int) -> list[Member]:
    """The agents of a desk. Raises ValueError for fewer than three teams or four agents a team."""
    if teams < len(ROLES):
        raise ValueError(f"teams: {teams}, at least {len(ROLES)}: one each for phone, chat and after-sales")
    if agents < teams * 4:
        raise ValueError(f"agents: {agents}, at least 4 for each of the {teams} teams")
    # Its own random numbers: the roster does not depend on what happens at the desk.
    random = Random(f"{seed} roster")
    hr_numbers = random.sample(range(100_000, 1_000_000), agents)
    everyone: list[Member] = []
    for index, size in enumerate(_sizes(agents, teams)):
        role, round_of_role = ROLES[index % len(ROLES)], index // len(ROLES)
        team = _TEAM_NAMES[role] + (f"-{round_of_role + 1}" if round_of_role else "")
        for number in range(size):
            site, place = number % len(SITES), number // len(SITES)
            pool_size = (size - site + len(SITES) - 1) // len(SITES)
            everyone.append(
                Member(
                    id=f"A{index + 1}{number + 1:0{max(2, len(str(size)))}d}",
                    hr_number=f"HR{hr_numbers[len(everyone)]}",
                    team=team,
                    role=role,
                    site=SITES[site],
                    place=place,
                    shift=next(shift for shift in SHIFTS if (place + 0.5) / pool_size < shift.up_to),
                    rest=(place * 3 + site) % 7,
                    since=date(2021, 1, 4) + timedelta(days=random.randrange(1400)),
                )
            )
    return everyone


def _sizes(agents: int, teams: int) -> list[int]:
    """Agents of each team: by the shares of their roles, everyone in exactly one."""
    roles = [ROLES[index % len(ROLES)] for index in range(teams)]
    shares = [_SHARES[role] / roles.count(role) for role in roles]
    borders = [round(agents * sum(shares[: index + 1])) for index in range(teams)]
    return [border - before for border, before in zip(borders, [0, *borders], strict=False)]


def roster(seed: int, agents: int = 60, teams: int = 3) -> list[RosterEntry]:
    """Who the agents of ``simulate(seed, …)`` are: HR numbers, teams, sites; the first of a team leads it."""
    everyone = members(seed, agents, teams)
    leaders = {member.team: member.id for member in reversed(everyone)}
    return [
        RosterEntry(
            agent_id=member.id,
            valid_from=member.since,
            hr_number=member.hr_number,
            team_id=member.team,
            site_id=member.site,
            role="team_leader" if leaders[member.team] == member.id else "agent",
        )
        for member in everyone
    ]
