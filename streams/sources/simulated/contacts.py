"""One contact of the simulated desk, and the telling of its events."""

from __future__ import annotations

from functools import partial
from itertools import count
from random import Random
from typing import Any

from streams.contracts import events as e
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
#: What else a matter turns out to be, by channel (``""``: calls and chats) and kind: how often, and the word of the system.
_TURNS_OUT: dict[tuple[str, str], tuple[tuple[float, str], ...]] = {
    ("ticket", "inquiry"): (
        (0.10, "回访"), (0.08, "意见反馈"), (0.06, "表扬"), (0.10, "上门"), (0.06, "下单"), (0.04, "定期公布"),
    ),
    ("", "refund"): ((0.04, "refund_dispute"),),
    ("", "inquiry"): ((0.04, "信息传递"),),
}  # fmt: skip
#: Reviewers look at so many of the contacts that somebody has ended, some hours later: mean and spread of their logarithm.
_REVIEWED, _REVIEWED_AFTER = 0.04, (2.5, 0.5)
_REVIEWS: dict[type, type] = {
    e.CallEnded: e.CallReviewed,
    e.ChatEnded: e.ChatReviewed,
    e.TicketResolved: e.TicketReviewed,
}
#: Items of their form and how often they are passed; the system of calls has words of its own.
_ITEMS = {"script": 0.93, "process": 0.94, "behaviour": 0.97, "needs": 0.92, "policy": 0.96}
_ITEMS_OF_CALLS = dict(zip(("话术规范", "服务流程", "统一行为", "需求识别", "政策执行"), _ITEMS.values(), strict=True))
_FATAL, _PASSED_FROM = 0.01, 80.0
#: So many are asked whether they would recommend the desk, and of those so many say so, some hours later: mean and spread of their
#: logarithm. The scores of who is pleased, and of who is not.
_ASKED_TO_RECOMMEND, _SAY, _SAY_AFTER = 0.06, 0.4, (1.0, 0.6)
_RECOMMEND = {
    True: {10: 30, 9: 32, 8: 16, 7: 10, 6: 5, 3: 5, 0: 2},
    False: {10: 5, 9: 10, 8: 15, 7: 10, 5: 25, 3: 20, 0: 15},
}
#: Tickets about these are marked as pressing.
_URGENT = frozenset({COMPLAINT, "fault"})


class Contact:
    """A call, chat or ticket: what all its events say."""

    __slots__ = ("events", "id", "kind", "matter", "priority", "queue", "reviewed", "site", "told")

    def __init__(self, id: str, matter: Matter, queue: str, site: str, told: bool) -> None:
        self.id = id
        self.matter = matter
        channel = id.partition("-")[0]
        self.kind = _COMPLAINTS.get(channel, COMPLAINT) if matter.kind == COMPLAINT else _turns_out(id, channel, matter)
        self.priority = "urgent" if channel == "ticket" and matter.kind in _URGENT else None
        self.queue = queue
        self.site = site
        #: Contacts that began before anything is told are never told of: none is told in part.
        self.told = told
        self.reviewed = False
        self.events = 0


def chance(contact: Contact, what: str) -> float:
    """From 0 to 1: the same for a contact whatever else happens at the desk, so that it changes nothing there."""
    return Random(f"{contact.id} {what}").random()


def _turns_out(id: str, channel: str, matter: Matter) -> str:
    """The kind of a contact, as its system calls it."""
    luck = Random(f"{id} kind").random()
    for share, word in _TURNS_OUT.get((channel if channel == "ticket" else "", matter.kind), ()):
        if luck < share:
            return word
        luck -= share
    return matter.kind


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
        if agent is not None and (review := _REVIEWS.get(event)) is not None:
            self._ask_for_review(contact, review, agent)

    def _ask_for_review(self, contact: Contact, review: type[AnyContactEvent], agent: Member) -> None:
        if contact.reviewed or chance(contact, "reviewed") >= _REVIEWED:
            return
        contact.reviewed = True
        later = Random(f"{contact.id} review").lognormvariate(*_REVIEWED_AFTER) * HOUR
        self._loop.after(later, self._review, contact, review, agent)

    def _review(self, contact: Contact, review: type[AnyContactEvent], agent: Member) -> None:
        """Somebody looks at it by the form that all have."""
        random = Random(f"{contact.id} form")
        of_form = _ITEMS_OF_CALLS if review is e.CallReviewed else _ITEMS
        items = {item: random.random() < share for item, share in of_form.items()}
        fatal = random.random() < _FATAL
        score = 0.0 if fatal else round(100 - 12 * (len(items) - sum(items.values())) - random.random() * 8, 1)
        self.tell(
            contact, review, agent, score=score, passed=score >= _PASSED_FROM, fatal=fatal, items=items,
            form="standard", reviewer_id=f"qa-{contact.site}",
        )  # fmt: skip

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

    def ask_to_recommend(
        self,
        contact: Contact,
        invited: type[AnyContactEvent],
        rated: type[AnyContactEvent],
        agent: Member,
        pleased: bool,
    ) -> None:
        """Some customers are asked whether they would recommend the desk (0 to 10), and some of them answer."""
        random = Random(f"{contact.id} recommends")
        if random.random() >= _ASKED_TO_RECOMMEND:
            return
        self.tell(contact, invited, agent, survey="nps")
        if random.random() < _SAY:
            scores = _RECOMMEND[pleased]
            score = float(random.choices(tuple(scores), tuple(scores.values()))[0])
            later = random.lognormvariate(*_SAY_AFTER) * HOUR
            self._loop.after(later, partial(self.tell, contact, rated, agent, survey="nps", score=score, scale="0-10"))

    def _explain(self, contact: Contact, explained: type[AnyContactEvent], cause: str) -> None:
        self.tell(contact, explained, cause=cause)
