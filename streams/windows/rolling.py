"""Rolling windows over one-minute panes: sums that age without events."""

from __future__ import annotations

from streams.contracts.outputs import Sums
from streams.kpi.measures import add

#: Minutes of each rolling window, by name; "today" is the day's facts.
ROLLING = {"5m": 5, "30m": 30}
_LONGEST = max(ROLLING.values())


class Rolling:
    """Panes of 60 s and a running sum for each window.

    A window of *k* minutes as of the minute *now* merges the panes ``now - k + 1 … now``: the current one, still filling, and
    the k - 1 before it. A pane later than now waits until now reaches it. Nothing is recomputed per event: an event adds to its
    pane and to the windows that show it; a new minute takes away the panes that leave.
    """

    __slots__ = ("now", "panes", "sums")

    def __init__(self, panes: dict[int, Sums] | None = None, now: int = 0) -> None:
        self.panes: dict[int, Sums] = {}
        self.sums: dict[str, Sums] = {name: {} for name in ROLLING}
        self.now = now
        for minute, sums in (panes or {}).items():
            self.add(minute, sums)

    def add(self, minute: int, sums: Sums) -> bool:
        """Add sums to a minute's pane; False where no window shows that minute any more."""
        age = self.now - minute
        if age >= _LONGEST:
            return False
        pane = self.panes.setdefault(minute, {})
        add(pane, sums)
        if not pane:
            del self.panes[minute]
        if age >= 0:
            for name, minutes in ROLLING.items():
                if age < minutes:
                    add(self.sums[name], sums)
        return True

    def advance(self, now: int) -> bool:
        """Move to the minute ``now`` (never back); True where a window changed by it."""
        if now <= self.now or not self.panes:
            self.now = max(now, self.now)
            return False
        before, self.now = self.now, now
        changed = False
        for minute in sorted(self.panes):
            for name, minutes in ROLLING.items():
                shown = 0 <= before - minute < minutes
                shows = 0 <= now - minute < minutes
                if shown != shows:
                    add(self.sums[name], self.panes[minute], 1 if shows else -1)
                    changed = True
            if now - minute >= _LONGEST:
                del self.panes[minute]
        return changed
