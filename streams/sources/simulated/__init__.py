"""A simulated service desk: an endless stream of believable events, the same for the same seed.

About 60 agents in three teams (hotline, online chat, after-sales) at two sites serve some 4,000 calls, chats and
tickets a day. Queues, patience, talk and rating follow from each other: who waits long hangs up, calls again, complains
and rates badly. Mornings go well; at noon a third of the agents eats while demand rises: every alert has its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from streams.contracts.events import AnyEvent
from streams.sources.simulated.calls import Calls
from streams.sources.simulated.chats import Chats
from streams.sources.simulated.contacts import Contacts
from streams.sources.simulated.customers import Matter, Public
from streams.sources.simulated.demand import Demand
from streams.sources.simulated.desk import members, roster
from streams.sources.simulated.floor import Floor, Pool
from streams.sources.simulated.loop import Loop
from streams.sources.simulated.tickets import Tickets

__all__ = ["ZONE", "roster", "simulate"]

#: The desk's time zone: China Standard Time.
ZONE = timezone(timedelta(hours=8))


def simulate(seed: int, start: datetime, *, agents: int = 60, teams: int = 3) -> Iterator[AnyEvent]:
    """Events of the desk from ``start`` on, in the order of their times, day after day without end.

    The desk runs from the midnight before ``start``, so that it is in full swing then; contacts that began earlier are
    not told of, and who is at work is told at ``start``. The same arguments give the same events, to the byte; runs of
    one seed that start at different times of a day tell the same day.

    Raises ValueError for a ``start`` without time zone, fewer than 3 teams, or fewer than 4 agents a team.
    """
    if start.tzinfo is None:
        raise ValueError(f"start {start.isoformat()} has no time zone: write it with +08:00")
    everyone = members(seed, agents, teams)
    local = start.astimezone(ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    run = f"{seed}-{midnight:%Y%m%d}"
    loop = Loop(seed, midnight, (local - midnight).total_seconds())
    public = Public(loop.random)
    contacts = Contacts(loop, run)
    floor = Floor(loop, everyone, run)
    calls, chats = Calls(loop, floor, contacts, public), Chats(loop, floor, contacts, public)
    tickets = Tickets(loop, floor, contacts, public)

    def arrive(matter: Matter, pool: Pool) -> None:
        (chats if pool.role == "chat" else calls).arrive(matter, pool)

    demand = Demand(loop, floor, public, arrive, tickets.create)
    calls.demand = chats.demand = tickets.demand = demand
    return loop.events()
