"""One thing that happened, as a plain value: what is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from streams.kpi.policy.model import Policy
from streams.kpi.policy.subjects import SubjectName
from streams.kpi.policy.versions import AnyPolicy
from tests.reference import words
from tests.reference.moments import day_of, in_force, in_peak

Event = dict[str, Any]
#: What a contact may begin with; what is said of it before, by clocks that run apart, opens nothing.
OPENS = {
    "call.arrived", "call.queued", "call.offered", "call.missed", "call.answered", "call.abandoned", "call.left_queue",
    "chat.started", "ticket.created",
}  # fmt: skip


@dataclass
class Thing:
    """``what`` happened ``at`` a moment, belongs to a ``day``, to the account of the entities ``who``; ``about`` says more."""

    what: str
    at: datetime
    day: date
    who: set[str]
    about: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["about"].get(name)
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class Contact:
    """A call, chat or ticket: its events in order, after corrections and retractions."""

    channel: str
    id: str
    customer: str | None
    events: list[Event]
    versions: AnyPolicy
    #: Many callers share its customer id: whose it is nobody knows, and ``customer`` is none.
    shared: bool = False

    @cached_property
    def policy(self) -> Policy:
        """The values in force on its day: it is judged by them whenever its events come."""
        return in_force(self.versions, self.day)

    @cached_property
    def arrived(self) -> datetime:
        """When it was opened; its first event where nobody told of that."""
        ends = [n for n, e in enumerate(self.events) if e["type"] == "chat.ended"]
        before = self.events[: ends[0]] if ends else self.events  # a chat started after its end is opened again
        opened = [e["time"] for e in before if e["type"] in OPENS]
        return min(opened or [e["time"] for e in self.events])  # type: ignore[no-any-return]

    @cached_property
    def day(self) -> date:
        """The local day on which the contact arrived: its cohort."""
        return day_of(self.arrived, self.versions)

    @cached_property
    def parts(self) -> set[str]:
        """What it is counted apart for beside all: the last word on whether its customer is a VIP, and on how pressing it is."""
        told = [p for event in self.events if (p := words.plain(event.get("priority") or ""))]
        urgent = bool(told) and any(words.same(told[-1], each) for each in self.policy.urgent_priorities)
        found = {name for name in self.policy.subjects if self.about(name)}
        found |= {name for name, so in (("vip", self.last("vip")), ("urgent", urgent)) if so}
        if found & {"vip", "urgent"}:
            found.add("pressing")
        if any(event["type"] == "ticket.escalated" for event in self.events):
            found.add("difficult")
        if in_peak(self.arrived, self.policy):
            found.add("peak")
        return found

    def about(self, subject: SubjectName) -> bool:
        """Is it of one of the policy's subjects: by its topic, its kind or its queue?"""
        own = self.policy.subjects[subject]
        return (
            self.queue in own.queues
            or (self.topic is not None and self.topic in {words.topic(word, self.policy.topics) for word in own.topics})
            or (self.kind is not None and self.kind in {words.kind(word, self.policy.kinds) for word in own.kinds})
        )

    @cached_property
    def merged(self) -> bool:
        """Did it tell the same matter as another ticket, which goes on alone?"""
        return any(e["type"] == "ticket.merged" for e in self.events)

    def last(self, name: str, until: datetime | None = None) -> Any:
        """What the events said last about a field, none where none said anything."""
        said = [e[name] for e in self.events if e.get(name) is not None and (until is None or e["time"] <= until)]
        return said[-1] if said else None

    def kind_in(self, event: Event) -> str | None:
        """What kind of matter an event says it is, by the policy of the contact's day; none where it says nothing."""
        return words.kind(event.get("kind"), self.policy.kinds)

    @cached_property
    def topic(self) -> str | None:
        """What it is about: the last word."""
        said = [words.topic(event.get("topic"), self.policy.topics) for event in self.events]
        return next((topic for topic in reversed(said) if topic is not None), None)

    @cached_property
    def kind(self) -> str | None:
        """What kind of matter it is: the last word."""
        return next((kind for event in reversed(self.events) if (kind := self.kind_in(event)) is not None), None)

    @cached_property
    def queue(self) -> str | None:
        """The queue that was named last."""
        queue = None
        for event in self.events:
            queue = event.get("queue_id") or queue
            if event["type"] in ("chat.transferred", "ticket.reassigned"):
                queue = event.get("to_queue_id") or queue
        return queue

    def desk(self, queue: str | None, site: str | None) -> set[str]:
        """The desk entities of something."""
        return {"all|all"} | ({f"queue|{queue}"} if queue else set()) | ({f"site|{site}"} if site else set())

    def staff(self, agent: str | None, team: str | None) -> set[str]:
        """The staff entities of something; a team without an agent is nobody."""
        return ({f"agent|{agent}"} | ({f"team|{team}"} if team else set())) if agent else set()


def seconds(of: timedelta) -> float:
    """A duration in seconds; what runs backwards took no time."""
    return max(0.0, of.total_seconds())
