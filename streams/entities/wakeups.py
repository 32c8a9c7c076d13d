"""When an entity is looked at and shown next: as soon as there is news of it, and when time alone changes something of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from heapq import heappop, heappush

from streams.contracts.outputs import entity_kind
from streams.entities.fair_queue import Turns
from streams.windows.clock import NEVER
from streams.windows.rolling import Rolling

#: Figures that grow by themselves are looked at and shown anew so often, ms; not more often: they move slowly, and there may be
#: one for each agent.
_GROWN_MS = 10_000
#: Who waits, or has an alert open on what grows by itself, is looked at anew so often, and who waits is shown anew, ms: what changes
#: there by itself is told in seconds.
_STANDING_MS = 1_000
#: When (ms), of which entity, of which day (ordinal).
Plan = tuple[int, str, int]
#: Keys in the order in which they came: a set that does not shuffle.
Keys = dict[str, None]


class Wakeups:
    """An entity that nothing happens to costs nothing: the minute at which a pane next leaves one of its windows wakes it.

    ``looks`` and ``shows`` are whose turn it is; ``news`` takes the keys of entities to which something has come.
    """

    def __init__(self) -> None:
        #: A heap, and what is on it.
        self._plans: list[Plan] = []
        self._planned: set[Plan] = set()
        #: Minute → the entities whose windows then change by themselves.
        self._ageing: dict[int, Keys] = {}
        self.looks, self.shows = Turns(), Turns()
        self.news: list[str] = []
        #: Entities with figures that grow by themselves, since they were last looked at or shown; when that is next (ms).
        self._growing: Keys = {}
        self._grown_at = 0
        #: Where somebody waits or an alert is open on what grows, since they were last looked at or shown; when that is next (ms).
        self._standing: Keys = {}
        self._waiting: Keys = {}
        self._standing_at = 0
        #: Whole second (ms) → whose alerts time alone may then take further; and these seconds as a heap.
        self._timed: dict[int, Keys] = {}
        self._times: list[int] = []
        self._minute = 0

    def resume(self, now: int) -> None:
        """Go on as of ``now`` (ms): what was due until then has been done."""
        self._minute = now // 60_000
        self.go_back(now)

    def go_back(self, now: int) -> None:
        """The clock has gone back to ``now`` (ms): what is looked at every so often is so from there on."""
        self._standing_at = now - now % _STANDING_MS + _STANDING_MS
        self._grown_at = now - now % _GROWN_MS + _GROWN_MS

    def plan(self, at: int, key: str, day: int) -> None:
        """Something of a day (ordinal) begins to count at a moment (ms), unless it is taken back."""
        plan = at, key, day
        if plan not in self._planned:
            self._planned.add(plan)
            heappush(self._plans, plan)

    def due(self, now: int) -> Iterator[Plan]:
        """Plans whose moment has come, the earliest first."""
        while self._plans and self._plans[0][0] <= now:
            plan = heappop(self._plans)
            self._planned.discard(plan)
            yield plan

    def advance(self, now: int, watching_growth: Collection[str]) -> bool:
        """Let time pass up to ``now`` (ms). ``watching_growth``: kinds of entities of which an alert watches what grows by itself.

        Has a new minute begun?
        """
        if now >= self._standing_at:
            self._standing_at = now - now % _STANDING_MS + _STANDING_MS
            self.looks.news(self._standing)
            self.shows.news(self._waiting)
            self._standing, self._waiting = {}, {}
        while self._times and self._times[0] <= now:
            self.looks.news(self._timed.pop(heappop(self._times)))
        if now >= self._grown_at:
            self._grown_at = now - now % _GROWN_MS + _GROWN_MS
            self.looks.others(key for key in self._growing if entity_kind(key) in watching_growth)
            self.shows.others(self._growing)
            self._growing = {}
        minute = now // 60_000
        if minute == self._minute:
            return False
        for due in sorted(due for due in self._ageing if due <= minute):
            self.aged(self._ageing.pop(due))
        self._minute = minute
        return True

    @property
    def stirs_at(self) -> int:
        """When time alone next changes something within a minute, ms: a plan comes due, or it is time to look again at what stands."""
        at = self._plans[0][0] if self._plans else NEVER
        if self._times:
            at = min(at, self._times[0])
        if self._standing:
            at = min(at, self._standing_at)
        return min(at, self._grown_at) if self._growing else at

    def spread(self) -> None:
        """Who has news is to be looked at and shown."""
        self.looks.news(self.news)
        self.shows.news(self.news)
        self.news.clear()

    def wake(self, key: str) -> None:
        """Something has happened to an entity just now."""
        self.looks.news((key,))
        self.shows.news((key,))

    def aged(self, keys: Iterable[str]) -> None:
        """Nothing has happened to these, but time, or their partition has come: their turn is behind those with news."""
        keys = tuple(keys)
        self.looks.others(keys)
        self.shows.others(keys)

    def keep_looking(self, key: str) -> None:
        """Somebody waits there, or an alert is open on what grows by itself: it is looked at again within a second."""
        self._standing[key] = None

    def rest(self, key: str) -> None:
        """It is not to be looked at again within a second after all."""
        self._standing.pop(key, None)

    def look_at(self, at: int, key: str) -> None:
        """Time alone may take an alert further at a moment (ms): it is looked at in the first whole second from then on."""
        second = -(-at // 1000) * 1000
        if (keys := self._timed.get(second)) is None:
            keys = self._timed[second] = {}
            heappush(self._times, second)
        keys[key] = None

    @property
    def has_news(self) -> bool:
        """Is there an entity to which something has come, or that came with its partition, and is to be looked at?"""
        return bool(self.news or len(self.looks))

    @staticmethod
    def grown_after(now: int) -> int:
        """When figures that grow by themselves are looked at next, ms, where they were ``now``."""
        return now - now % _GROWN_MS + _GROWN_MS

    def is_awake(self, key: str) -> bool:
        """Is an entity to be looked at in the next look at all that are?"""
        self.spread()
        return key in self.looks

    def keep_showing(self, key: str) -> None:
        """Somebody waits there: it is shown again within a second."""
        self._waiting[key] = None

    def follow(self, key: str, rolling: Rolling) -> None:
        """Have an entity woken when its windows, which are as of now, next change by themselves."""
        if rolling.changes_at <= self._minute:  # time has passed on while somebody was still looking as of before
            self.aged((key,))
        elif rolling.changes_at != NEVER:
            self._ageing.setdefault(rolling.changes_at, {})[key] = None
        if rolling.growing:
            self._growing[key] = None
        elif rolling.levels is not None:
            self._growing.pop(key, None)
