"""Who is to be told or asked at a moment: the duty roster, working hours, deputies, and whom people report to.

Times are moments with an offset; days and hours of the week are those of the operation's time zone, which is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain, product
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from streams.contracts.dated import in_force
from streams.kpi.policy.business_hours import Span, parse_hours
from streams.people.person import Person, Reporting

#: What an entry says: who is on duty from when to when, when somebody works, who stands in for somebody.
Kind: TypeAlias = Literal["shift", "hours", "deputy"]
#: The role that is asked for where none is named.
LEAD = "lead"
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: So many superiors, or deputies of deputies, are gone through.
_MOST_STEPS = 20


@dataclass(frozen=True)
class Duty:
    """One entry; it holds from ``starts`` to before ``ends`` (None: until further notice).

    ``shift``: ``agent_id`` is on duty as ``role`` for ``team_id`` (empty: for the whole operation); without an end they are so at all
    times for which nobody else is. ``hours``: when they work, as ``parse_week`` reads it. ``deputy``: who stands in for them.
    """

    kind: Kind
    agent_id: str
    starts: datetime
    ends: datetime | None = None
    team_id: str = ""
    role: str = ""
    hours: str | None = None
    deputy: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str, datetime]:
        """What another entry replaces it by."""
        return self.kind, self.agent_id, self.team_id, self.role, self.starts

    def holds(self, at: datetime) -> bool:
        """Is it in force at this moment?"""
        return self.starts <= at and (self.ends is None or at < self.ends)


@dataclass(frozen=True)
class Responsible:
    """Who is to be told or asked. ``because``: how they were come to, a step each. ``at_work``: is it within their working hours; None:
    nobody has told these (whoever is on a shift is at work).
    """

    agent_id: str
    because: tuple[str, ...]
    at_work: bool | None


@dataclass(frozen=True)
class DutyBook:
    """All that is known of duties, and of the people whom they are about."""

    zone: ZoneInfo
    people: Mapping[str, Person] = field(default_factory=dict)
    reporting: Mapping[str, Sequence[Reporting]] = field(default_factory=dict)
    duties: Sequence[Duty] = ()

    def who_is_responsible(
        self, at: datetime, *, team: str | None = None, person: str | None = None, role: str = LEAD
    ) -> Responsible | None:
        """Who is to be told or asked at a moment about a team, or a person (of that team); None: nobody.

        In this order: who is on a shift as ``role`` for the team, for the whole operation; who is so until further notice, for the
        team, for the operation; the superior of the person. Whoever is away that day is stood in for by their deputy; whoever has left,
        or is away without one, by the next in order, of superiors the superior's own.
        """
        day = at.astimezone(self.zone).date()
        for candidate, why, shift in self._candidates(at, day, team, person, role):
            found = self._there(candidate, at, day)
            if found is not None:
                who, steps = found
                at_work = True if shift and who == candidate else self.at_work(who, at)
                return Responsible(who, (why, *steps), at_work)
        return None

    def superior_of(self, person: str | None, at: datetime) -> str | None:
        """Whom a person reports to at a moment: their superior, the superior's deputy where they are away, or the next above who is there.

        None: nobody is.
        """
        day = at.astimezone(self.zone).date()
        for candidate, _ in self._superiors(person, day):
            if (found := self._there(candidate, at, day)) is not None and found[0] != person:
                return found[0]
        return None

    def at_work(self, who: str, at: datetime) -> bool | None:
        """Is it within their working hours? None: nobody has told these."""
        own = [one for one in self.duties if one.kind == "hours" and one.agent_id == who and one.starts <= at]
        if not own:
            return None
        newest = max(own, key=lambda one: one.starts)
        if not newest.holds(at):
            return None
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        return any(begin <= minute < end for begin, end in parse_week(newest.hours or "")[local.weekday()])

    def has_left(self, who: str, day: date) -> bool:
        """Was their last day before this one?"""
        known = self.people.get(who)
        return known is not None and known.left is not None and known.left < day

    def _candidates(
        self, at: datetime, day: date, team: str | None, person: str | None, role: str
    ) -> Iterator[tuple[str, str, bool]]:
        """Who comes in question, the first first; why; and whether they are on a shift."""
        there = self._on_duty(at, role)
        for on_shift, of in product((True, False), dict.fromkeys((team or "", ""))):
            why = f"{role} of {f'team {of}' if of else 'the operation'}{' on shift' if on_shift else ''}"
            for one in there:
                if one.team_id == of and (one.ends is not None) == on_shift:
                    yield one.agent_id, why, on_shift
        for who, why in self._superiors(person, day):
            yield who, why, False

    def _on_duty(self, at: datetime, role: str) -> list[Duty]:
        """Who is on duty in a role, the newest entry first."""
        there = [one for one in self.duties if one.kind == "shift" and one.role == role and one.holds(at)]
        return sorted(there, key=lambda one: one.starts, reverse=True)

    def _superiors(self, person: str | None, day: date) -> Iterator[tuple[str, str]]:
        """Whom a person reports to, and each superior's deputy, upwards; and why."""
        for _ in range(_MOST_STEPS):
            above = in_force(self.reporting.get(person, ()), day) if person else None
            if above is None or above.superior is None:
                return
            yield above.superior, f"superior of {person}"
            if above.deputy is not None:
                yield above.deputy, f"deputy of {above.superior}, superior of {person}"
            person = above.superior

    def _there(self, who: str, at: datetime, day: date) -> tuple[str, tuple[str, ...]] | None:
        """Them, or whoever stands in for them; None: they have left, or are away and nobody does."""
        steps: list[str] = []
        for _ in range(_MOST_STEPS):
            if self.has_left(who, day):
                return None
            away = [one for one in self.duties if one.kind == "deputy" and one.agent_id == who and one.holds(at)]
            if not away:
                return who, tuple(steps)
            newest = max(away, key=lambda one: one.starts)
            steps.append(f"deputy of {who}")
            who = newest.deputy or ""
        return None


def parse_week(text: str) -> tuple[tuple[Span, ...], ...]:
    """``mon-fri 09:00-12:00, 13:00-18:00; sat 09:00-12:00`` as the spans of seven days, Monday first. Raises ValueError."""
    made: dict[int, tuple[Span, ...]] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        days, _, spans = part.partition(" ")
        read = parse_hours(spans)
        for number in _numbers(days):
            if number in made:
                raise ValueError(f"{_WEEK[number]} stands there twice; keep one")
            made[number] = read
    if not any(made.values()):
        raise ValueError("no hours; write them like mon-fri 09:00-18:00; sat 09:00-12:00")
    return tuple(made.get(number, ()) for number in range(7))


def _numbers(days: str) -> Iterable[int]:
    """The days of ``mon-fri`` or ``sat``, Monday 0; ``fri-mon`` goes over the week's end. Raises ValueError."""
    first, dash, last = days.lower().partition("-")
    if first not in _WEEK or (dash and last not in _WEEK):
        raise ValueError(f"{days!r} is no day of the week; write it like mon-fri 09:00-18:00; sat 09:00-12:00")
    begin, end = _WEEK.index(first), _WEEK.index(last or first)
    return range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]


def disagreements(book: DutyBook) -> list[str]:
    """What cannot be true of all duties together, a line each with the line to add: two on one shift, two deputies at one time, deputies
    in a circle.
    """
    grouped: dict[tuple[str, ...], list[Duty]] = {}
    for one in book.duties:
        if one.kind == "deputy":
            grouped.setdefault((one.agent_id,), []).append(one)
        elif one.kind == "shift" and one.ends is not None:  # of the others the newest holds
            grouped.setdefault((one.team_id, one.role), []).append(one)
    return [*chain.from_iterable(_overlaps(group, book.zone) for group in grouped.values()), *_circles(book)]


def _overlaps(group: Iterable[Duty], zone: ZoneInfo) -> Iterator[str]:
    """Which of these, of which one at a time may hold, do at the same time."""
    longest, *following = sorted(group, key=lambda one: (one.starts, one.agent_id))
    for one in following:
        if longest.ends is None or one.starts < longest.ends:
            back = line(one, zone, back=True)
            yield f"{_told(longest, zone)} and {_told(one, zone)} overlap; take one back: `{back}`"
        if longest.ends is not None and (one.ends is None or one.ends > longest.ends):
            longest = one


def remarks(book: DutyBook, duties: Iterable[Duty], today: date) -> list[str]:
    """What is wrong with some of the duties from today on and yet may be taken, a line each with the line to add: people of whom nothing is
    known, or who have left by then.
    """
    made: list[str] = []
    for one in duties:
        if one.ends is not None and one.ends.astimezone(book.zone).date() < today:
            continue
        for who in filter(None, (one.agent_id, one.deputy)):
            until = one.ends.astimezone(book.zone).date() if one.ends else today
            if book.people and who not in book.people:
                made.append(
                    f"{_told(one, book.zone)}: nobody is known as {who}; add `{who},,中文姓名,Latin Name` to the people's file"
                )
            elif book.has_left(who, until):
                made.append(
                    f"{_told(one, book.zone)}: {who} has left on {book.people[who].left}; take it back: `{line(one, book.zone, back=True)}`"
                )
    return list(dict.fromkeys(made))


def superiors_who_left(book: DutyBook, today: date) -> list[str]:
    """Who reports to somebody who is there no more, a line each with the line to add."""
    made = []
    for who, own in sorted(book.reporting.items()):
        above = in_force(own, today)
        if (
            above is None
            or above.superior is None
            or book.has_left(who, today)
            or not book.has_left(above.superior, today)
        ):
            continue
        made.append(
            f"{who}: their superior {above.superior} has left on {book.people[above.superior].left}; "
            f"add `{who},NEW_SUPERIOR,{today}` (agent_id,superior,valid_from) to their rows"
        )
    return made


def line(one: Duty, zone: ZoneInfo, *, back: bool = False) -> str:
    """The entry as a line of the file; ``back``: the one that takes it back."""
    starts, until = (None if at is None else _written(one, at, zone) for at in (one.starts, one.ends))
    if until is not None and one.kind != "shift":  # its last day stands in the file
        until = (date.fromisoformat(until) - timedelta(days=1)).isoformat()
    told = (one.kind, one.agent_id, one.team_id, one.role, starts, "none" if back else until, one.hours, one.deputy)
    return ",".join(f'"{cell}"' if cell and "," in cell else cell or "" for cell in told)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), zone)


def _written(one: Duty, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}" if one.kind == "shift" else f"{local:%Y-%m-%d}"


def _told(one: Duty, zone: ZoneInfo) -> str:
    until = f" to {_written(one, one.ends, zone)}" if one.ends else ""
    what = (
        f"{one.role} of {one.team_id or 'the operation'}"
        if one.kind == "shift"
        else one.deputy and f"deputy {one.deputy}"
    )
    return f"{one.kind} of {one.agent_id} ({what or one.hours}, from {_written(one, one.starts, zone)}{until})"


def _circles(book: DutyBook) -> Iterable[str]:
    away = [(one, one.deputy) for one in book.duties if one.deputy]
    told: set[frozenset[str]] = set()
    for at in sorted({one.starts for one, _ in away}):
        stands_in = {one.agent_id: deputy for one, deputy in away if one.holds(at)}
        for start in stands_in:
            if (ring := _ring(stands_in, start)) and frozenset(ring) not in told:
                told.add(frozenset(ring))
                around = " → ".join([*ring, ring[0]])
                yield f"deputies: from {at.astimezone(book.zone):%Y-%m-%d} on {around} is a circle; give one of them another deputy"


def _ring(stands_in: Mapping[str, str], start: str) -> list[str]:
    """Those who stand in for each other in a circle, which one comes to from here; nobody where they come to an end."""
    path: list[str] = []
    who: str | None = start
    while who is not None and who not in path:
        path.append(who)
        who = stands_in.get(who)
    return [] if who is None else path[path.index(who) :]
