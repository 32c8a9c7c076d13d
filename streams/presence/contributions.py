"""What an agent's states and shifts contribute, as slots: how long they were available, working, away, at their post as planned.

An interval lasts from one change of state to the next. Its time grows by itself (``streams.kpi.levels``) between two edges, one
that raises its levels and one that lowers them; at the end of a day (of a period that facts are kept by) it is closed, and begun anew
for the next. An edge
that somebody told happened; one that follows from a rule (the end of a day, of a shift, of what a state may last) is planned.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from streams.contacts.slots import HAPPENED, PLANNED, Slot, Slots
from streams.contracts.outputs import Sums
from streams.kpi.levels import up
from streams.kpi.measures.reasons import away_for
from streams.kpi.policy.versions import AnyPolicy
from streams.presence.log import Shift, Told
from streams.windows.clock import NEVER, Days

#: A state that outlasts its shift lasts so much longer at most, ms.
AFTER_SHIFT_MS = 2 * 3_600_000
#: What a state may last at most ends on a full quarter of an hour, ms: the plans of many agents meet there, and are one to their team.
QUARTER_MS = 900_000

#: State → the levels that an agent in it raises.
LEVELS = {
    "available": ("agents_available",),
    "on_contact": ("agents_working", "agents_on_contact"),
    "wrap_up": ("agents_working",),
    "away": ("agents_away",),
    "training": ("agents_in_training",),
    "offline": (),
}
#: States of somebody who is at it.
AT_IT = frozenset({"available", "on_contact", "wrap_up", "training"})
_ADHERENT, _SCHEDULED = ("agents_adherent",), ("agents_scheduled",)
_OVER: Sums = {"shifts": 1}
_ATTENDED: Sums = {"shifts": 1, "shifts_attended": 1}

#: When (ms since 1970), and how that is known: the form of the slot.
_Edge = tuple[int, int]


class Work:
    """Turns states and shifts into slots, by one policy. ``schedule`` is always an agent's whole schedule, in order of time."""

    def __init__(self, policy: AnyPolicy, days: Days) -> None:
        self._policy = policy
        self._longest = policy.max_state_ms
        self._days = days

    def lasts_until(self, told: Told, schedule: Sequence[Shift]) -> int:
        """When a state ends if nothing more is heard of the agent, ms since 1970: a log-out that got lost must not count for ever."""
        if told.until is not None:
            return told.until
        until = told.at + self._longest
        index = bisect_right(schedule, told.at, key=_starts) - 1
        if index >= 0 and told.at < schedule[index].ends:
            until = min(until, schedule[index].ends + AFTER_SHIFT_MS)
        return -(-until // QUARTER_MS) * QUARTER_MS

    def states(self, agent: str, changes: Sequence[Told], next_at: int, schedule: Sequence[Shift]) -> Slots:
        """Of successive changes of state, the last of which lasts until ``next_at`` (ms) at most: time in each state, and at
        the post within shifts.
        """
        slots: Slots = {}
        for index, told in enumerate(changes):
            levels = self._levels(told)
            if not levels:
                continue
            begin = told.at, HAPPENED
            end = self._end(told, changes[index + 1].at if index + 1 < len(changes) else next_at, schedule)
            name = f"{told.at}/{told.id}"
            self._put(slots, name, begin, end, levels, agent, told)
            if told.state in AT_IT:
                for shift in overlapping(schedule, told.at, end[0]):
                    since = begin if begin[0] >= shift.starts else (shift.starts, PLANNED)
                    until = end if end[0] <= shift.ends else (shift.ends, PLANNED)
                    self._put(slots, f"{name}/{shift.starts}", since, until, _ADHERENT, agent, shift)
        return slots

    def interval(self, agent: str, changes: Sequence[Told], index: int, schedule: Sequence[Shift]) -> tuple[int, Slots]:
        """One interval: until when it lasts (ms), and what it counts for but for being at the post within shifts."""
        told, slots = changes[index], Slots()
        next_at = changes[index + 1].at if index + 1 < len(changes) else NEVER
        end = self._end(told, next_at, schedule)
        self._put(slots, "state", (told.at, HAPPENED), end, self._levels(told), agent, told)
        return end[0], slots

    def shift(self, agent: str, shift: Shift, changes: Sequence[Told], schedule: Sequence[Shift]) -> tuple[bool, Slots]:
        """One shift: was it attended, and what it counts for, with the time at the post within it."""
        attended = self._attended(shift, changes, schedule)
        slots = {**self.shifts(agent, [shift]), "over": self._over(agent, shift, attended)}
        for span in self._at_it(shift, changes, schedule):
            begin, end = ((at, PLANNED) for at in span)
            for sign, slot in self._interval(begin, end, _ADHERENT, agent, shift):
                slots[f"at_it/{slot.at}/{slot.day}/{sign}"] = slot
        return attended, slots

    def _at_it(self, shift: Shift, changes: Sequence[Told], schedule: Sequence[Shift]) -> Iterator[tuple[int, int]]:
        """From when to when (ms) somebody was at it within a shift, over all states that follow each other without a gap."""
        since = until = shift.starts
        for index in range(max(0, bisect_right(changes, shift.starts, key=when) - 1), len(changes)):
            told = changes[index]
            if told.at >= shift.ends:
                break
            if told.state in AT_IT:
                begin = max(told.at, shift.starts)
                if begin > until:
                    if since < until:
                        yield since, until
                    since = begin
                next_at = changes[index + 1].at if index + 1 < len(changes) else NEVER
                until = max(begin, min(self.lasts_until(told, schedule), next_at, shift.ends))
        if since < until:
            yield since, until

    def followed(
        self, agent: str, log: Sequence[Told], told: Told, schedule: Sequence[Shift]
    ) -> Iterator[tuple[int, Slot]]:
        """What changes when ``told`` follows the last of ``log``, each slot with its sign: the state before it ends then and not when
        it would have, which takes its time from then on away again.

        The usual case: the same as the difference of all slots before and after, without computing either.
        """
        at = told.at
        until, now_at_it = self.lasts_until(told, schedule), told.state in AT_IT
        gone_until, was_at_it = at, False
        if log:
            gone_until, was_at_it = self.lasts_until(log[-1], schedule), log[-1].state in AT_IT
            yield from self._span(-1, agent, log[-1], self._levels(log[-1]), at, gone_until)
        yield from self._span(1, agent, told, self._levels(told), at, until)
        after = [*log, told] if schedule and schedule[-1].ends > at else []
        for shift in reversed(schedule):
            if shift.ends <= at:
                break
            if (was_at_it, gone_until) != (now_at_it, until):
                since = max(at, shift.starts)
                if was_at_it:
                    yield from self._span(-1, agent, shift, _ADHERENT, since, min(gone_until, shift.ends), at)
                if now_at_it:
                    yield from self._span(1, agent, shift, _ADHERENT, since, min(until, shift.ends), at)
            attended, attends = self._attended(shift, log, schedule), self._attended(shift, after, schedule)
            if attended != attends:
                yield -1, self._over(agent, shift, attended)
                yield 1, self._over(agent, shift, attends)

    def _span(
        self,
        sign: int,
        agent: str,
        credited: Told | Shift,
        levels: tuple[str, ...],
        since: int,
        until: int,
        told_at: int | None = None,
    ) -> Iterator[tuple[int, Slot]]:
        """An interval from a moment that was told (``told_at``, where it may be another than ``since``) to one that is planned."""
        begin = since, HAPPENED if told_at in (None, since) else PLANNED
        for _, slot in self._interval(begin, (until, PLANNED), levels, agent, credited):
            yield sign, slot

    def shifts(self, agent: str, schedule: Iterable[Shift]) -> Slots:
        """Time of the shifts themselves."""
        slots: Slots = {}
        for shift in schedule:
            begin, end = (shift.starts, PLANNED), (shift.ends, PLANNED)
            self._put(slots, f"shift/{shift.starts}", begin, end, _SCHEDULED, agent, shift)
        return slots

    def attendance(
        self, agent: str, shifts: Iterable[Shift], changes: Sequence[Told], schedule: Sequence[Shift]
    ) -> Slots:
        """Of each of these shifts, that it is over, and whether the agent attended: was in any state but away and offline, however
        shortly. It counts when it ends, on the day on which it began: nobody is absent before that.

        ``changes``: all that have to do with the shifts, each with its successor.
        """
        return {
            f"over/{shift.starts}": self._over(agent, shift, self._attended(shift, changes, schedule))
            for shift in shifts
        }

    def _over(self, agent: str, shift: Shift, attended: bool) -> Slot:
        sums = _ATTENDED if attended else _OVER
        return Slot(shift.ends, self._days.of(shift.starts), agent, shift.team, None, shift.site, sums, sums, PLANNED)

    def _attended(self, shift: Shift, changes: Sequence[Told], schedule: Sequence[Shift]) -> bool:
        for index in range(max(0, bisect_right(changes, shift.starts, key=when) - 1), len(changes)):
            told = changes[index]
            if told.at >= shift.ends:
                return False
            if told.state in AT_IT:
                end, _ = self._end(told, changes[index + 1].at if index + 1 < len(changes) else NEVER, schedule)
                if end > max(shift.starts, told.at):
                    return True
        return False

    def _levels(self, told: Told) -> tuple[str, ...]:
        levels = LEVELS[told.state or "offline"]
        if told.state != "away":
            return levels
        # By the version of the day on which it begins, to its end: what has been raised comes down under the same name.
        named = self._policy.current(date.fromordinal(self._days.day_of(told.at))).away_reasons
        own = away_for(told.reason, named)
        return levels if own is None else (*levels, own)

    def _end(self, told: Told, next_at: int, schedule: Sequence[Shift]) -> _Edge:
        until = self.lasts_until(told, schedule)
        return (next_at, HAPPENED) if next_at <= until else (until, PLANNED)

    def _put(
        self,
        slots: Slots,
        name: str,
        begin: _Edge,
        end: _Edge,
        levels: tuple[str, ...],
        agent: str,
        credited: Told | Shift,
    ) -> None:
        for sign, slot in self._interval(begin, end, levels, agent, credited):
            slots[f"{name}/{levels[0]}/{slot.at}/{slot.day}/{sign}"] = slot

    def _interval(
        self, begin: _Edge, end: _Edge, levels: tuple[str, ...], agent: str, credited: Told | Shift
    ) -> Iterator[tuple[int, Slot]]:
        """Two edges, up (1) and down (-1), and two more for each end of a period between them; none where nothing is raised."""
        if not levels or begin[0] >= end[0]:
            return
        team, site = credited.team, credited.site
        for sign, (at, form), day in self._edges(begin, end):
            sums = up(*levels, at=at, sign=sign)
            yield sign, Slot(at, day, agent, team, None, site, sums, sums, form)

    def _edges(self, begin: _Edge, end: _Edge) -> Iterator[tuple[int, _Edge, int]]:
        day = self._days.of(begin[0])
        yield 1, begin, day
        while (border := self._days.end(day)) < end[0]:
            yield -1, (border, PLANNED), day
            day = self._days.of(border)
            yield 1, (border, PLANNED), day
        yield -1, end, day


def overlapping(schedule: Sequence[Shift], begin: int, end: int) -> list[Shift]:
    """Shifts of which some lies between two moments (ms since 1970)."""
    return [shift for shift in schedule if shift.starts < end and shift.ends > begin]


def when(told: Told) -> int:
    """By what changes of state are in order: when each was told of, ms."""
    return told.at


def _starts(shift: Shift) -> int:
    return shift.starts
