"""What follows from a contact's kind (complaint, follow-up, refund, praise, what wants a reply, work due) and from its topic.

Looked at after every event, from the contact as it then is: what was planned stands once its moment has passed, and stays with
whoever had the contact then.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from streams.contacts import pauses
from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contacts.slots import HAPPENED, PLANNED, Slot
from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import squared
from streams.kpi.measures.topics import of_topic
from streams.kpi.policy.model import StoppingClock
from streams.windows.clock import NEVER

#: The kinds from which something follows.
KINDS = frozenset({
    "complaint", "follow_up", "refund", "refund_dispute", "fault", "info_relay", "opinion", "praise", "order_placement",
    "site_visit", "regular_post",
})  # fmt: skip
HOUR_MS = 3_600_000
#: A complaint is to be resolved within this time, and late by one day for each that has begun since.
DAY_MS = 24 * HOUR_MS

#: The clock that complaints are held to.
_CLOCK: StoppingClock = "complaint_resolution"

_COMPLAINT: Sums = {"complaints": 1}
_DUE_24H: Sums = {"complaints_due": 1}
_UNKNOWN_24H: Sums = {"complaints_unknown": 1}
_RESOLVED_24H: Sums = {"complaints_due": 1, "complaints_resolved_24h": 1}
_NOTHING: Sums = {}
_LATE_DAY: Sums = {"complaint_late_days": 1}
_RATED: Sums = {"complaints_rated": 1}
_SATISFIED: Sums = {"complaints_rated": 1, "complaints_satisfied": 1}
_FOLLOW_UP_DUE: Sums = {"follow_ups_due": 1}
_FOLLOWED_UP: Sums = {"follow_ups_due": 1, "follow_ups_done": 1}
_FOLLOW_UP_DUE_15D: Sums = {"follow_ups_due_15d": 1}
_FOLLOWED_UP_IN_15D: Sums = {"follow_ups_due_15d": 1, "follow_ups_within_15d": 1}
_FOLLOW_UP_RATED: Sums = {"follow_ups_rated": 1}
_FOLLOW_UP_SATISFIED: Sums = {"follow_ups_rated": 1, "follow_ups_satisfied": 1}
_OF_KIND: dict[str, Sums] = {
    "refund": {"refunds": 1}, "refund_dispute": {"refund_disputes": 1}, "praise": {"praises": 1},
}  # fmt: skip
#: Kinds that want a reply within a time: what is due, and what is due and in time.
_REPLIES: dict[str, tuple[Sums, Sums]] = {
    kind: ({f"{name}_due": 1}, {f"{name}_due": 1, f"{name}_{in_time}": 1})
    for kind, name, in_time in (
        ("fault", "fault_replies", "within_1h"),
        ("info_relay", "info_replies", "within_1h"),
        ("opinion", "opinion_replies", "in_time"),
    )
}
#: Kinds of tickets that are work to be done by a time: what is late, and what is done in time.
_TASKS: dict[str, dict[str, Sums]] = {
    kind: {"late": {f"{name}_due": 1, f"{name}_late": 1}, "met": {f"{name}_due": 1}}
    for kind, name in (("order_placement", "orders"), ("regular_post", "posts"))
} | {"site_visit": {"late": {"visits_due": 1}, "met": {"visits_due": 1, "visits_in_time": 1}}}


def settle(contact: Contact, channel: str, at: int, rules: Rules) -> None:
    """Have what a contact of this kind counts for, after an event of the time ``at`` (ms)."""
    match contact.kind:
        case "complaint":
            _complaint(contact, channel, at, rules)
        case "follow_up":
            _follow_up(contact, channel, at, rules)
        case "refund" | "refund_dispute" as kind:
            both = ("refund",) if kind == "refund_dispute" and "refund" in contact.slots else ()
            for name in (*both, kind):
                contact.keep(name, _slot(contact, contact.at, _OF_KIND[name]))
        case "fault" | "info_relay" as kind:
            _reply(contact, channel, at, rules, rules.policy.reply_within_seconds, *_REPLIES[kind])
        case "opinion":
            within = rules.policy.opinion_reply_hours * 3600
            _reply(contact, channel, at, rules, within, *_REPLIES["opinion"])
        case "praise":
            contact.keep("praise", _slot(contact, contact.at, _OF_KIND["praise"]))
        case "order_placement" | "site_visit" | "regular_post" as kind:
            _task(contact, _TASKS[kind])


def _complaint(complaint: Contact, channel: str, at: int, rules: Rules) -> None:
    closed_at, over_at, solved_at = complaint.closed_at, complaint.over_at, complaint.solved_at
    if channel == "tickets":  # closed once: settled again, it stays where it was
        closed_at = complaint.finished_at
    if channel == "tickets" and rules.policy.complaint_closes == "accepted":
        closed_at = over_at = _accepted(complaint, over_at)
        solved_at = _accepted(complaint, solved_at)
    desk = _slot(complaint, complaint.at, _COMPLAINT)
    complaint.keep("complaint", replace(desk, staff={}))
    if closed_at is None:
        complaint.drop("complaint_closed")
    elif (slot := complaint.slots.get("complaint_closed")) is None or slot.at != closed_at:
        complaint.put("complaint_closed", closed_at, staff=_COMPLAINT)
    limit: int | None = rules.after(complaint.at, rules.policy.complaint_resolution_hours * 3600)
    stops = pauses.of(complaint, _CLOCK, rules)
    if stops and limit is not None:
        limit = pauses.deadline(complaint, _CLOCK, limit, rules)
    _in_time(complaint, limit, at, over_at, solved_at)
    _late_days(complaint, limit, over_at, rules.policy.complaint_late_days_at_most, stops)
    replied = _first_reply(complaint)
    if replied is not None:
        waited = rules.elapsed(_asked_people_at(complaint), replied.at)
        sums = {"complaint_responses": 1, "complaint_response_seconds": waited}
        sums["complaint_response_seconds_squared"] = squared(waited, "s2_whole")
        sums = {measure: amount for measure, amount in sums.items() if amount}
        complaint.keep("complaint_response", replace(replied, staff=sums, desk=sums))
    _rating(complaint, "complaint_rating", _RATED, _SATISFIED)


def _rating(contact: Contact, name: str, rated: Sums, satisfied: Sums) -> None:
    """The contact's rating once more, among those of its kind."""
    if (rating := contact.slots.get("rating")) is not None:
        sums = satisfied if "csat_satisfied" in rating.desk else rated
        contact.keep(name, replace(rating, staff=sums, desk=sums))


def _accepted(complaint: Contact, since: int | None) -> int | None:
    """Since when something is so and the customer accepts it; None: not both."""
    return None if since is None or complaint.accepted_at is None else max(since, complaint.accepted_at)


def _in_time(complaint: Contact, limit: int | None, at: int, over_at: int | None, solved_at: int | None) -> None:
    """Resolved up to the ``limit``, 24 h by default (exactly then is in time); due as well once that has passed, or it ended unresolved.

    What ended within that time without a word on whether it is resolved is not due: it is counted as unknown. What is not resolved
    is of whoever had it when the time was up, which a slot that counts nothing remembers, whatever becomes of it in between. While the
    clock stands still (``limit`` None), the time is not up.
    """
    if limit is None:
        limit = NEVER
    was = complaint.slots.get("complaint_then") or complaint.slots.get("complaint_24h")
    then = _of_then(replace(_slot(complaint, limit + 1, _NOTHING), form=PLANNED), was, limit + 1, at)
    complaint.keep("complaint_then", then)
    if solved_at is not None and solved_at <= limit:
        slot = _slot(complaint, solved_at, _RESOLVED_24H)
    elif over_at is not None and over_at <= limit and solved_at is None:
        sums = _UNKNOWN_24H if complaint.solved is None else _DUE_24H
        slot = replace(then, at=over_at, staff=sums, desk=sums, form=HAPPENED)
    elif limit == NEVER:
        complaint.drop("complaint_24h")
        return
    else:
        slot = replace(then, staff=_DUE_24H, desk=_DUE_24H)
    complaint.keep("complaint_24h", slot)


def _late_days(
    complaint: Contact, limit: int | None, over_at: int | None, at_most: int, stops: tuple[tuple[int, int], ...]
) -> None:
    moments = () if limit is None else _begun_days(limit, complaint.day, at_most, stops)
    if over_at is not None:
        moments = tuple(moment for moment in moments if moment[0] <= over_at)
    if not moments:
        complaint.drop("complaint_late")
        return
    (first, day), *again = moments
    slot = replace(_slot(complaint, first, _LATE_DAY), day=day, form=PLANNED, again=tuple(again))
    complaint.keep("complaint_late", slot)


@lru_cache(maxsize=4096)
def _begun_days(limit: int, day: int, at_most: int, stops: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """When each late day of a complaint to be resolved by ``limit`` (ms) begins: just after it, a day later, …; none in a pause."""
    return tuple((moment + 1, day) for moment in pauses.days_after(limit, at_most, DAY_MS, stops))


def _follow_up(contact: Contact, channel: str, at: int, rules: Rules) -> None:
    """Followed up: an agent answered, replied or handled it. Due at its due time, or where it ended without that."""
    replied, handled = _first_reply(contact), contact.slots.get("handled")
    made = min((slot for slot in (replied, handled) if slot is not None), key=lambda slot: slot.at, default=None)
    _rating(contact, "follow_up_rating", _FOLLOW_UP_RATED, _FOLLOW_UP_SATISFIED)
    _within_days(contact, channel, made, at, rules)
    if made is not None:  # by whoever did it
        contact.keep("follow_up", replace(made, staff=_FOLLOWED_UP, desk=_FOLLOWED_UP))
    elif contact.due_at is not None:
        due = pauses.deadline(contact, "due", contact.due_at, rules)
        if due is None:
            contact.drop("follow_up")
        else:
            _plan(contact, "follow_up", due + 1, _FOLLOW_UP_DUE, at)
    elif (left := _left_at(contact, channel)) is not None:
        contact.keep("follow_up", _slot(contact, left, _FOLLOW_UP_DUE))
    else:
        contact.drop("follow_up")


def _within_days(contact: Contact, channel: str, made: Slot | None, at: int, rules: Rules) -> None:
    """Followed up within so many days of being asked for, every second counted; missed once they are over, or where it ended without."""
    limit = contact.at + round(rules.policy.follow_up_days * DAY_MS)
    if made is not None and made.at <= limit:
        contact.keep("follow_up_15d", replace(made, staff=_FOLLOWED_UP_IN_15D, desk=_FOLLOWED_UP_IN_15D))
    elif made is None and (left := _left_at(contact, channel)) is not None and left <= limit:
        contact.keep("follow_up_15d", _slot(contact, left, _FOLLOW_UP_DUE_15D))
    else:
        _plan(contact, "follow_up_15d", limit + 1, _FOLLOW_UP_DUE_15D, at)


def _task(contact: Contact, counts: dict[str, Sums]) -> None:
    """What a ticket's due time has come to, once more among those of its kind."""
    for name, sums in counts.items():
        if (slot := contact.slots.get(name)) is None:
            contact.drop(f"task_{name}")
        else:
            contact.keep(f"task_{name}", replace(slot, staff=sums, desk=sums))


def _reply(contact: Contact, channel: str, at: int, rules: Rules, within: float, due: Sums, in_time: Sums) -> None:
    """The first reply within so many seconds (exactly then is in time); unanswered past it counts as missed at that moment.

    Who left a call or chat before the time was up has not been kept waiting past it.
    """
    asked = contact.asked_at if channel == "chats" else contact.at
    if asked is None:
        contact.drop("reply")
        return
    replied = _first_reply(contact)
    limit = asked + round(within * 1000) if channel == "calls" else rules.after(asked, within)
    if replied is not None and replied.at <= limit:
        contact.keep("reply", replace(replied, staff=in_time, desk=in_time))
        return
    left = _left_at(contact, channel) if replied is None else None
    if (
        contact.session is not None
    ):  # the conversation in which they asked; an answer of later does not undo that they left
        left = contact.session.left_at
    if left is not None and asked <= left <= limit:
        contact.drop("reply")
        return
    _plan(contact, "reply", limit + 1, due, at)


def _asked_people_at(contact: Contact) -> int:
    """When the contact arrived or, where a bot had the chat first, came to people (ms)."""
    after_bot = contact.session is not None and contact.session.after_bot
    return contact.asked_at if after_bot and contact.asked_at is not None else contact.at


def _first_reply(contact: Contact) -> Slot | None:
    """When whom's first answer (calls), reply in a chat or public reply to a ticket came, as a slot; None: not yet."""
    if (response := contact.slots.get("first_response")) is not None:
        return response
    for number, leg in enumerate(contact.legs, 1):
        if leg.answered_at is not None:  # of the desk that had the call then, as the answer itself
            return replace(contact.slots[f"answer{number}"], agent=leg.agent, team=leg.team)
    return None


def _left_at(contact: Contact, channel: str) -> int | None:
    """When the customer left a call or chat unanswered; None: they have not. A ticket is not left."""
    return contact.closed_at if channel == "chats" else contact.left_at


def _slot(contact: Contact, at: int, sums: Sums) -> Slot:
    return Slot(at, contact.day, contact.agent, contact.team, contact.queue, contact.site, sums, sums)


def _plan(contact: Contact, name: str, moment: int, sums: Sums, at: int) -> None:
    """Missed from this moment on, the first one past the limit."""
    planned = replace(_slot(contact, moment, sums), form=PLANNED)
    contact.keep(name, _of_then(planned, contact.slots.get(name), moment, at))


def _of_then(slot: Slot, was: Slot | None, moment: int, at: int) -> Slot:
    """The slot; from its moment on, it stays with whoever had the contact then."""
    if was is None or not was.at <= moment <= at:
        return slot
    return replace(slot, agent=was.agent, team=was.team, queue=was.queue, site=was.site)


def settle_topic(contact: Contact, rules: Rules) -> None:
    """Have resolution a second time for a topic that the policy names: under its name."""
    topic = rules.policy.topics_apart.get(contact.topic or "")
    for name in ("overdue", "resolution"):
        slot = contact.slots.get(name)
        if slot is None or topic is None:
            contact.drop(f"{name}@")
        else:
            sums = of_topic(topic, tuple(slot.desk))
            contact.keep(f"{name}@", replace(slot, staff=sums, desk=sums))
