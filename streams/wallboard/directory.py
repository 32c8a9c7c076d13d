"""Which agents there are, of which team, in which state: for operations too large to read whole on every look."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from math import inf
from time import monotonic

import msgspec

from streams.wallboard.items import UNREADABLE
from streams.wallboard.store import Store

#: Fields that one step of a sweep asks Redis for.
_STEP = 2_000
#: After so long without a step nobody has looked for a while. Seconds.
_REST = 15.0
#: The state of an agent of whom nothing has been heard for so long that nobody knows what they do.
UNKNOWN = "unknown"


class Badge(msgspec.Struct):
    """The parts of a snapshot or a presence that say where an agent belongs."""

    team: str | None = None
    state: str | None = None
    until: datetime | None = None

    def doing(self, now: datetime | None) -> str | None:
        """The state as of ``now`` (None: that is not known): a log-out may have got lost."""
        lapsed = now is not None and self.until is not None and now >= self.until
        return UNKNOWN if lapsed and self.state else self.state


_decoder = msgspec.json.Decoder(Badge)


class Sweep:
    """Goes over one hash of agents in steps, again and again; ``badges`` is what the last whole round saw.

    The first round, and the first after a rest, is read in one go: what was known before it is too old.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._cursor = 0
        self._seen: dict[str, Badge] = {}
        self._stepped = -inf
        self.badges: dict[str, Badge] = {}

    async def step(self) -> bool:
        """Read the next fields; True where that ended a round."""
        rested = monotonic() - self._stepped > _REST
        if rested:
            self._cursor, self._seen = 0, {}
        while True:
            self._cursor, fields = await self._store.scan(self._name, self._cursor, _STEP)
            for agent, raw in fields.items():
                try:
                    self._seen[agent] = _decoder.decode(raw)
                except UNREADABLE:
                    continue  # the look at the agent counts it
            if self._cursor == 0:
                self.badges, self._seen = self._seen, {}
            if self._cursor == 0 or not rested:
                self._stepped = monotonic()
                return self._cursor == 0


class Directory:
    """Agents by team, and how many agents of a team are in which state."""

    def __init__(self) -> None:
        self._teams: dict[str | None, list[str]] = {None: []}
        #: Team (empty: none known) → state → agents in it.
        self.staff: dict[str, dict[str, int]] = {}

    def fill(self, now: Mapping[str, Badge], presence: Mapping[str, Badge], at: datetime | None) -> None:
        """Take the agents of a whole look ``at`` a time of the operation's clock. An agent without figures yet is of the team
        that their presence names.
        """
        teams: dict[str | None, list[str]] = {None: sorted(now.keys() | presence.keys())}
        states: dict[str, Counter[str]] = defaultdict(Counter)
        for agent in teams[None]:
            there = presence.get(agent)
            team = now[agent].team if agent in now else None
            team = team or (there.team if there else None)
            if team:
                teams.setdefault(team, []).append(agent)
            if there and (state := there.doing(at)):
                states[team or ""][state] += 1
        self._teams = teams
        self.staff = {team: dict(counts) for team, counts in states.items()}

    def agents(self, team: str | None) -> list[str]:
        """Ids of a team's agents, or of all, in order."""
        return self._teams.get(team, [])
