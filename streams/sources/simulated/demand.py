"""When customers get in touch: the course of a day, and those who come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import sqrt

from streams.sources.simulated.customers import COMPLAINT, Matter, Public
from streams.sources.simulated.desk import HOUR, SITES, Role
from streams.sources.simulated.floor import AT_ONCE, Floor, Pool
from streams.sources.simulated.loop import DAY, Loop

_SLOT = 0.5 * HOUR
OPENS, CLOSES = 8 * HOUR, 21.5 * HOUR
#: From an hour on, demand as a share of what the rostered agents take on with hardly anyone waiting.
_COURSE = (
    (8.0, 0.55), (8.5, 0.7), (9.0, 0.8), (9.5, 0.9), (10.0, 0.95), (11.0, 0.9), (11.5, 0.85),
    (12.0, 1.5), (13.5, 0.6), (14.5, 0.85), (15.0, 0.9), (16.0, 0.75), (17.5, 0.7), (18.0, 0.85), (20.0, 0.65),
    (21.0, 0.4),
)  # fmt: skip
#: Square-root staffing: of n agents so many times √n are kept in hand against chance.
_SAFETY = 1.35
#: Seconds of an agent's time that a contact takes, all told; ``flows`` give these means.
_WORK: dict[Role, float] = {"phone": 225.0, "chat": 235.0, "after_sales": 310.0}
#: Of the after-sales team's time, the part that calls of its own may take; transfers and tickets take the rest.
_OWN_SHARE: dict[Role, float] = {"phone": 1.0, "chat": 0.8, "after_sales": 0.6}
#: Callers who are recognised.
_KNOWN_SHARE = 0.92
#: Tickets a day for each after-sales agent, and the share of them by hours of the day (night, morning, day, evening).
_TICKETS_PER_AGENT = 25.0
_TICKET_COURSE = ((0.0, 0.15), (8.0, 1.6), (12.0, 1.9), (14.0, 1.5), (18.0, 0.9), (23.0, 0.3))

#: Chance that a customer whose matter is open comes back, and that one does who is cross: without and with a complaint.
_COMES_BACK, _COMES_BACK_CROSS = (0.45, 0.6), (0.55, 0.9)
#: Where a matter of a role is taken up again: the role's own line, or a ticket.
_TICKET_SHARE: dict[Role, float] = {"phone": 0.15, "chat": 0.15, "after_sales": 0.35}


class Demand:
    """Brings customers to the desk: ``arrive`` takes a matter to a pool by call or chat, ``write`` by ticket."""

    def __init__(
        self,
        loop: Loop,
        floor: Floor,
        public: Public,
        arrive: Callable[[Matter, Pool], None],
        write: Callable[[Matter, str], None],
    ) -> None:
        self._loop = loop
        self._floor = floor
        self._public = public
        self._arrive = arrive
        self._write = write
        loop.at(0, self._slot)

    def _slot(self) -> None:
        """Spread the arrivals of the next half-hour."""
        loop = self._loop
        loop.after(_SLOT, self._slot)
        hour = loop.now % DAY / HOUR
        for pool in self._floor.pools:
            if OPENS <= loop.now % DAY < CLOSES:
                capacity = self._capacity(pool) * _at(_COURSE, hour) * _OWN_SHARE[pool.role]
                self._spread(capacity / _WORK[pool.role], self._new, pool)
            if pool.role == "after_sales":
                daily = _TICKETS_PER_AGENT * len(pool.agents)
                self._spread(daily / DAY * _at(_TICKET_COURSE, hour), self._ticket, pool.site)

    def _spread(self, rate: float, act: Callable[..., None], where: Pool | str) -> None:
        """A Poisson process of this rate, per second, until the slot is over."""
        if rate <= 0:
            return
        end = self._loop.now + _SLOT
        time = self._loop.now + self._loop.random.expovariate(rate)
        while time < end:
            self._loop.at(time, act, where)
            time += self._loop.random.expovariate(rate)

    def _capacity(self, pool: Pool) -> float:
        """Contacts that the rostered agents can have in hand on average with hardly anyone waiting."""
        time, today = self._loop.now % DAY, self._loop.midnight.date() + timedelta(days=self._loop.day)
        agents = sum(
            agent.member.works_on(today) and agent.member.shift.start <= time < agent.member.shift.end
            for agent in pool.agents
        )
        return max(0.0, agents - _SAFETY * sqrt(agents)) * AT_ONCE[pool.role]

    def _new(self, pool: Pool) -> None:
        self._arrive(self._public.matter(pool.role, 1.0 if pool.role == "chat" else _KNOWN_SHARE), pool)

    def _ticket(self, site: str) -> None:
        self._write(self._public.matter("after_sales"), site)

    # -- coming back --------------------------------------------------------------------------------------------------

    def unsettled(self, matter: Matter, cross: bool) -> None:
        """A matter was left open: many customers come back, the cross ones soon."""
        random = self._loop.random
        if random.random() > (_COMES_BACK_CROSS if cross else _COMES_BACK)[matter.kind == COMPLAINT]:
            return
        if cross or random.random() < 0.4:
            self._loop.after(random.uniform(240, 1500 if cross else 5400), self._return, matter.again(random, cross))
        else:
            days = 1 + int(random.expovariate(0.5))
            time = (self._loop.day + days) * DAY + random.uniform(9 * HOUR, 18 * HOUR)
            self._loop.at(time, self._return, matter.again(random, cross))

    def hung_up(self, matter: Matter) -> None:
        """They gave up waiting: most try again within minutes, a few then with a complaint."""
        random = self._loop.random
        if random.random() < _COMES_BACK_CROSS[matter.kind == COMPLAINT]:
            self._loop.after(random.uniform(60, 600), self._return, matter.again(random, cross=True))

    def _return(self, matter: Matter) -> None:
        loop, random = self._loop, self._loop.random
        site = SITES[int(random.random() * len(SITES))]
        if random.random() < _TICKET_SHARE[matter.role]:
            self._write(matter, site)
        elif not OPENS <= loop.now % DAY < CLOSES:
            day = loop.day if loop.now % DAY < OPENS else loop.day + 1
            loop.at(day * DAY + OPENS + random.uniform(0, 2 * HOUR), self._return, matter)
        else:
            pools = [pool for pool in self._floor.pools if pool.role == matter.role]
            self._arrive(matter, pools[int(random.random() * len(pools))])


def _at(course: tuple[tuple[float, float], ...], hour: float) -> float:
    """The value of a course at an hour of the day; 0 before its first."""
    return next((value for since, value in reversed(course) if since <= hour), 0.0)
