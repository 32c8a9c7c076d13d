"""Who mentors whom: a colleague of many stars, of the same role, rather from the same team, with the fewest mentees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from scoring.outcomes.people import Person


class Mentors:
    """Colleagues who can take mentees, least burdened first, then most stars, then in order of id."""

    def __init__(self, able: Iterable[Person], stars: Mapping[str, int], at_most: int) -> None:
        self._load: dict[str, int] = {}
        self._stars, self._at_most = stars, at_most
        self._waiting: dict[tuple[str | None, str | None], list[tuple[int, int, str]]] = {}
        self._people: dict[str, Person] = {}
        for person in able:
            self._people[person.id] = person
            self._load[person.id] = 0
            self._queue(person)

    def take(self, mentee: Person) -> str | None:
        """The mentor of this person; None: nobody of their role has room."""
        teams = (mentee.team, None) if mentee.team is not None else (None,)
        for team in teams:
            if (found := self._first((mentee.role, team))) is not None:
                self._load[found] += 1
                self._queue(self._people[found])
                return found
        return None

    def _queue(self, person: Person) -> None:
        if (load := self._load[person.id]) >= self._at_most:
            return
        entry = (load, -self._stars[person.id], person.id)
        for team in {person.team, None}:
            heappush(self._waiting.setdefault((person.role, team), []), entry)

    def _first(self, place: tuple[str | None, str | None]) -> str | None:
        waiting = self._waiting.get(place, [])
        while waiting:
            load, _, id = heappop(waiting)
            if load == self._load[id]:  # else taken meanwhile through the other queue, where a newer entry stands
                return id
        return None
