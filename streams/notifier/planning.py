"""What of an incident is to be told: its new steps, to whom, and whether they are old by now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from streams.contracts.outputs import Incident, IncidentStep
from streams.notifier.config import Config
from streams.notifier.gathering import LATE_MS
from streams.notifier.journal_rows import Planned
from streams.notifier.routing import destinations
from streams.people.duty import DutyBook


@dataclass(frozen=True)
class Planner:
    """Decides for one look at the topic. ``sends``: False where nothing is to be told (an operation on the event clock, unless it is told
    to); ``by_wall_clock``: False where steps are of another time than ours, and none is late; ``first``: nothing has been read before,
    what is over was over before this notifier was there.
    """

    config: Config
    duties: DutyBook
    now: datetime
    sends: bool = True
    by_wall_clock: bool = True
    first: bool = False
    count: Callable[[str], None] = lambda _: None

    def plan(self, incident: Incident, before: int, heard: Collection[str]) -> list[Planned]:
        """The steps after number ``before``, with where they go. ``heard``: channels that were told of it."""
        return list(self._plan(incident, before, frozenset(heard)))

    def _plan(self, incident: Incident, before: int, heard: frozenset[str]) -> Iterator[Planned]:
        for step in sorted(incident.steps, key=lambda one: one.number):
            if step.number <= before:
                continue
            late = self._late(step)
            if became := self._untold(incident, step, late):
                self.count(became)
                continue
            to = destinations(incident, step, heard, self.config, self.duties, self.now)
            self.count("planned" if to else "nobody")
            if to:
                heard = heard | {one.channel for one in to}
                # Of another time than ours, a step is as old as it has been known here.
                at = step.at if self.by_wall_clock else self.now
                yield Planned(incident.id, step.number, step.kind, round(at.timestamp() * 1000), late, to)

    def _late(self, step: IncidentStep) -> bool:
        return self.by_wall_clock and (self.now - step.at).total_seconds() * 1000 > LATE_MS

    def _untold(self, incident: Incident, step: IncidentStep, late: bool) -> str:
        """Why nobody is told; empty: somebody is."""
        if step.quiet:
            return "quiet"
        if not self.sends:
            return "withheld"
        return "over" if self.first and late and incident.status == "resolved" else ""
