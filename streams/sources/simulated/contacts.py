"""One contact of the simulated desk, and the telling of its events."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

from streams.contracts.events import AnyContactEvent
from streams.sources.simulated.customers import COMPLAINT, Matter
from streams.sources.simulated.desk import HOUR, Member
from streams.sources.simulated.loop import SOURCE, Loop

#: Up to here a rating is a bad one, whose root cause somebody tells most of the time: why, and how often.
_BAD = 2
_EXPLAINED = 0.95
_CAUSES = {"long wait": 4, "not resolved": 3, "wrong information": 2, "tone": 1}
#: Hours from the rating to that word: mean and spread of their logarithm.
_LATER = (2.0, 0.7)


#: What each system calls a complaint, as each has its own words.
_COMPLAINTS = {"chat": "Complaint", "ticket": "投诉"}
#: Tickets about these are marked as pressing.
_URGENT = frozenset({COMPLAINT, "fault"})


class Contact:
    """A call, chat or ticket: what all its events say."""

    __slots__ = ("events", "id", "kind", "matter", "priority", "queue", "site", "told")

    def __init__(self, id: str, matter: Matter, queue: str, site: str, told: bool) -> None:
        self.id = id
        self.matter = matter
        channel = id.partition("-")[0]
        self.kind = _COMPLAINTS.get(channel, COMPLAINT) if matter.kind == COMPLAINT else matter.kind
        self.priority = "urgent" if channel == "ticket" and matter.kind in _URGENT else None
        self.queue = queue
        self.site = site
        #: Contacts that began before anything is told are never told of: none is told in part.
        self.told = told
        self.events = 0


def chance(contact: Contact, what: str) -> float:
    """From 0 to 1: the same for a contact whatever else happens at the desk, so that it changes nothing there."""
    return Random(f"{contact.id} {what}").random()


class Contacts:
    """Opens contacts and tells what happens to them. Their ids do not depend on when the telling begins."""

    def __init__(self, loop: Loop, run: str) -> None:
        self._loop = loop
        self._run = run
        self._numbers = count(1)
        # Its own random numbers: what somebody writes about a rating changes nothing at the desk.
        self._random = Random(f"{run} causes")

    def open(self, channel: str, matter: Matter, queue: str, site: str) -> Contact:
        """A new contact that begins now."""
        told = self._loop.now >= self._loop.told_from
        return Contact(f"{channel}-{self._run}-{next(self._numbers):06d}", matter, queue, site, told)

    def tell(self, contact: Contact, event: type[AnyContactEvent], agent: Member | None = None, **fields: Any) -> None:
        """Give out an event of a contact, which happens now."""
        contact.events += 1
        if not contact.told:
            return
        matter = contact.matter
        self._loop.tell(
            event(
                id=f"{contact.id}-{contact.events}",
                source=SOURCE,
                time=self._loop.moment(),
                sequence=contact.events,
                contact_id=contact.id,
                customer_id=matter.customer.id if matter.customer else None,
                agent_id=agent.id if agent else None,
                team_id=agent.team if agent else None,
                queue_id=contact.queue,
                site_id=contact.site,
                topic=matter.topic,
                kind=contact.kind,
                priority=contact.priority,
                vip=True if matter.customer and matter.customer.vip else None,
                **fields,
            )
        )

    def rate(
        self,
        contact: Contact,
        rated: type[AnyContactEvent],
        explained: type[AnyContactEvent],
        agent: Member,
        score: float,
    ) -> None:
        """The customer rates; of a bad rating somebody finds the root cause in the hours after it."""
        self.tell(contact, rated, agent, score=score, scale="1-5")
        if score <= _BAD and self._random.random() < _EXPLAINED:
            cause = self._random.choices(tuple(_CAUSES), tuple(_CAUSES.values()))[0]
            self._loop.after(self._random.lognormvariate(*_LATER) * HOUR, self._explain, contact, explained, cause)

    def _explain(self, contact: Contact, explained: type[AnyContactEvent], cause: str) -> None:
        self.tell(contact, explained, cause=cause)
