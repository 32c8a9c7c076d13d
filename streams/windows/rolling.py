"""Rolling windows over one-minute panes: sums that age without events."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.outputs import ROLLING, Sums
from streams.kpi.levels import as_of, grows, heights, in_window
from streams.kpi.measures import add
from streams.windows.clock import NEVER

_LENGTHS = sorted(ROLLING.values())
_LONGEST = _LENGTHS[-1]


class Rolling:
    """Panes of 60 s and a running sum for each window.

    A window of *k* minutes as of the minute *now* merges the panes ``now - k + 1 … now``: the current one, still filling, and
    the k - 1 before it. A pane later than now waits until now reaches it. Nothing is recomputed per event: an event adds to its
    pane and to the windows that show it; a new minute takes away the panes that leave. No pane enters or leaves a
    window before the minute ``changes_at``: until then, time passes at no cost.

    ``levels``: how high each level is now, whenever it rose: what the panes have forgotten is in there. None: there never was one.
    """

    __slots__ = ("changes_at", "levels", "now", "panes", "sums")

    def __init__(self, panes: dict[int, Sums] | None = None, now: int = 0, levels: Sums | None = None) -> None:
        self.panes: dict[int, Sums] = {}
        self.sums: dict[str, Sums] = {name: {} for name in ROLLING}
        self.now = now
        self.levels: Sums | None = None
        self.changes_at = NEVER
        for minute, sums in (panes or {}).items():
            self.add(minute, sums)
        self.levels = levels  # those of the panes are in it

    def add(self, minute: int, sums: Sums) -> bool:
        """Add sums to a minute's pane; False where no window shows that minute any more: then only its levels are kept."""
        age = self.now - minute
        if age >= 0:
            self._rise(sums)
        if age >= _LONGEST:
            return False
        pane = self.panes.get(minute)
        if pane is None:
            pane = self.panes[minute] = {}
            self.changes_at = min(self.changes_at, self._moves_at(minute))
        add(pane, sums)
        if not pane:
            del self.panes[minute]
        if age >= 0:
            for name, minutes in ROLLING.items():
                if age < minutes:
                    add(self.sums[name], sums)
        return True

    def advance(self, now: int) -> bool:  # noqa: C901 - once an entity and minute: what leaves and what enters
        """Move to the minute ``now`` (never back); True where a window changed by it."""
        if now <= self.now:
            return False
        before, self.now = self.now, now
        if now < self.changes_at:
            return False
        changed, panes = False, self.panes
        for name, minutes in ROLLING.items():
            sums = self.sums[name]
            for minute in range(before - minutes + 1, min(before, now - minutes) + 1):  # leave
                if minute in panes:
                    add(sums, panes[minute], -1)
                    changed = True
            for minute in range(max(before, now - minutes) + 1, now + 1):  # were ahead, and enter
                if minute in panes:
                    add(sums, panes[minute])
                    changed = True
        for minute, sums in panes.items():
            if before < minute <= now:
                self._rise(sums)
        for minute in [minute for minute in panes if now - minute >= _LONGEST]:
            del panes[minute]
        self.changes_at = min(map(self._moves_at, panes), default=NEVER)
        return changed

    @property
    def growing(self) -> bool:
        """Does a figure grow by itself?"""
        return bool(self.levels) and grows(self.levels or {})

    def _rise(self, sums: Sums) -> None:
        if risen := heights(sums):
            if self.levels is None:
                self.levels = {}
            add(self.levels, risen)

    def _moves_at(self, minute: int) -> int:
        """The minute at which a pane that some window shows, or will, next enters or leaves one."""
        age = self.now - minute
        if age < 0:
            return minute
        for length in _LENGTHS:
            if age < length:
                return minute + length
        return NEVER


class Plain(dict[str, Sums]):
    """Window → its plain sums as of a moment; a window's are made when somebody asks for them.

    ``stored``: window → its sums as they are kept, the rolling ones brought to the minute of ``now`` (ms since 1970); any other window is
    the day. ``levels``: as of a ``Rolling``; None: there never was one, and what is kept is plain.
    """

    def __init__(self, stored: Mapping[str, Sums], levels: Sums | None, now: int) -> None:
        super().__init__()
        self.stored, self._levels, self._now = stored, levels, now

    def __missing__(self, window: str) -> Sums:
        sums, now = self.stored[window], self._now
        if self._levels is not None:
            minutes = ROLLING.get(window)
            if minutes is None:
                sums = as_of(sums, now)
            else:
                sums = in_window(sums, self._levels, (now // 60_000 - minutes + 1) * 60_000, now)
        self[window] = sums
        return sums
