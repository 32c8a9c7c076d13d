"""What links a customer's contacts: who came back, and who complained again.

A contact *returns* another when it is a later arrival of the same known customer within the policy's days, about the same matter:
on the same topic unless the policy says otherwise; what is missing on either side matches any. It is charged to whoever handled
the earlier contact, on that contact's day and in the window in which it was handled: a share of those contacts, never more than
all. So it is with complaints: one is *repeated* by a later one of the same customer about the same matter in time; that is told of
the earlier one, where and when it counts as a complaint itself: at the desk where it arrived, and of whoever closed it. A complaint
in the same time after a refund or return was handled to its end is told of that, too, where and when it was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from streams.contacts.contact import COMPLAINT, FCR_MISSED, GIVEN_BACK, MISSED_FCR, Contact
from streams.contacts.slots import Slot, Slots
from streams.contracts.outputs import Sums
from streams.kpi.policy.model import Policy
from streams.windows.clock import NEVER

#: The slot of a contact whose customer has come back.
REPEAT = "repeat"
#: The slot of a contact that was not resolved at once for that reason.
REPEAT_FCR = "repeat_fcr"
_REPEATS: Sums = {"repeat_contacts": 1}
#: The slot of a complaint that has been repeated: at the desk; of whoever closed it.
REPEAT_COMPLAINT, REPEAT_COMPLAINT_CLOSED = "repeat_complaint", "repeat_complaint_closed"
_REPEATED: Sums = {"repeat_complaints": 1}
#: The slot of a refund or return after which its customer complained.
COMPLAINED_AFTER = "complained_after"
_COMPLAINED: Sums = {"refunds_complained_of": 1}
#: Arrivals of a customer in order of time: (ms since 1970, contact key).
Arrivals = Sequence[tuple[int, str]]


def relevant(contact: Contact, policy: Policy) -> tuple[object, ...]:
    """What of a contact its neighbours' links depend on."""
    complaint = contact.kind == COMPLAINT
    queue = contact.queue if policy.same_matter in ("queue", "topic_and_queue") else None
    closed = contact.slots.get("complaint_closed") if complaint else None
    return contact.first_at is not None, contact.at, contact.identified, contact.topic, queue, complaint, closed


def links(key: str, contacts: Mapping[str, Contact], arrivals: Arrivals, policy: Policy) -> Slots:
    """The slots that the customer's other contacts give to this one."""
    contact = contacts[key]
    slots: Slots = {}
    handled = contact.slots.get("handled")
    if handled is not None and contact.identified:
        back = _returned(contact, contacts, arrivals, policy)
        if back is not None and back[0] - contact.at <= policy.repeat_ms:
            slots[REPEAT] = _as(handled, contact.day, _REPEATS)
        if back is not None and back[0] - contact.at <= policy.fcr_ms and MISSED_FCR not in contact.slots:
            slots[REPEAT_FCR] = _as(handled, contact.day, FCR_MISSED)
    complaint = contact.slots.get("complaint")
    if complaint is not None and contact.identified and _complained(contact, contacts, arrivals, policy) is not None:
        slots[REPEAT_COMPLAINT] = replace(complaint, desk=_REPEATED)
        if (closed := contact.slots.get("complaint_closed")) is not None:
            slots[REPEAT_COMPLAINT_CLOSED] = replace(closed, staff=_REPEATED)
    given_back = contact.slots.get(GIVEN_BACK)
    if given_back is not None and _complained(contact, contacts, arrivals, policy, given_back.at) is not None:
        slots[COMPLAINED_AFTER] = replace(given_back, staff=_COMPLAINED, desk=_COMPLAINED)
    return slots


def affected(at: int, arrivals: Arrivals, policy: Policy) -> list[str]:
    """Keys of the contacts whose links a contact arriving at ``at`` can change: those within a window of it."""
    window = max(policy.repeat_ms, policy.repeat_complaint_ms, policy.fcr_ms)
    first = bisect_left(arrivals, (at - window, ""))
    last = bisect_right(arrivals, (at + window, "\uffff"))
    return [key for _, key in arrivals[first:last]]


def followers(
    key: str, given: Slots, contacts: Mapping[str, Contact], arrivals: Arrivals, policy: Policy
) -> tuple[str | None, str | None]:
    """The contacts (keys) for which these links were given to one: with which its customer came back, and complained again."""
    contact = contacts[key]
    back = _returned(contact, contacts, arrivals, policy) if REPEAT in given or REPEAT_FCR in given else None
    again = _complained(contact, contacts, arrivals, policy) if REPEAT_COMPLAINT in given else None
    return (None if back is None else back[1]), (None if again is None else again[1])


def _returned(
    contact: Contact, contacts: Mapping[str, Contact], arrivals: Arrivals, policy: Policy
) -> tuple[int, str] | None:
    until = contact.at + max(policy.repeat_ms, policy.fcr_ms)
    return _followed_by(contact, contacts, arrivals, policy, (contact.at, until))


def _complained(
    contact: Contact, contacts: Mapping[str, Contact], arrivals: Arrivals, policy: Policy, since: int = -NEVER
) -> tuple[int, str] | None:
    """The complaint in time after the contact arrived and after ``since`` (ms)."""
    span = max(contact.at, since), contact.at + policy.repeat_complaint_ms
    return _followed_by(contact, contacts, arrivals, policy, span, COMPLAINT)


def _as(handled: Slot, day: int, sums: Sums) -> Slot:
    """A slot that is charged to whoever handled the contact, on its day."""
    return Slot(handled.at, day, handled.agent, handled.team, handled.queue, handled.site, sums, sums)


def _followed_by(
    contact: Contact,
    contacts: Mapping[str, Contact],
    arrivals: Arrivals,
    policy: Policy,
    span: tuple[int, int],
    kind: str | None = None,
) -> tuple[int, str] | None:
    """When the contact's customer came back (ms), and with which contact, of this kind if one is given; None: not within the ``span``,
    after its first moment and up to its last.
    """
    since, until = span
    for at, key in arrivals[bisect_right(arrivals, (since, "\uffff")) :]:
        if at > until:
            return None
        other = contacts[key]
        if other.identified and kind in (None, other.kind) and _same_matter(contact, other, policy):
            return at, key
    return None


def _same_matter(one: Contact, other: Contact, policy: Policy) -> bool:
    asked = policy.same_matter
    if asked == "topic":
        return one.topic is None or other.topic is None or one.topic == other.topic
    if asked == "topic_and_queue" and not _same(one.topic, other.topic):
        return False
    return asked == "any" or _same(one.queue, other.queue)


def _same(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
