"""What some contacts count for a second time, apart from all: those of VIPs, urgent ones, subjects of the policy, calls in peak hours.

Each slot that tells something of which a part keeps account has a copy for the parts that the contact is of. Looked at after every
event, from what it has changed: a contact that turns out to be of a VIP is so from its beginning.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.contracts.outputs import Sums
from streams.kpi.measures.parts import DIFFICULT, DIFFICULT_HANDLED, PEAK, PRESSING, URGENT, VIP, keeps, kept_apart
from streams.kpi.policy.subjects import SubjectName

#: Begins the name of a copy.
PART = "~"
#: What slots begin with → measures in them that tell whether a part keeps account of them.
_KEPT_IN = {
    "offer": {"calls_offered"}, "answer": {"calls_offered", "calls_answered"}, "abandon": {"calls_abandoned"},
    "flow_out": {"calls_flowed_out"}, "miss": {"calls_offered"}, "handle": {"calls_handled"},
    "first_response": {"first_responses_due", "ticket_first_responses"}, "resolve_time": {"tickets_resolved"},
    "late": {"sla_due"}, "met": {"sla_due"}, "resolution": {"resolution_due"}, "overdue": {"resolution_due"},
    "passed": {"tickets_passed"},
}  # fmt: skip
_LOOKED_AT = (PART, *_KEPT_IN)
_ESCALATION, _PASSED = "escalation", "passed"
_DIFFICULT: Sums = {DIFFICULT_HANDLED: 1}


def settle(contact: Contact, rules: Rules) -> None:
    """After an event: have the copies that belong to the contact as it then is."""
    subjects = rules.subjects[contact.kind, contact.topic, contact.queue]
    peak = rules.peak is not None and rules.peak.elapsed(contact.at, contact.at + 1) > 0
    parts = _parts(contact.vip is True, contact.urgent is True, subjects, _ESCALATION in contact.slots, peak)
    if parts != contact.apart:
        contact.apart = parts
        changed, looked_at = list(contact.slots), _LOOKED_AT
    elif parts:
        changed, looked_at = list(contact.was), _kept_in(parts)
    else:
        return
    slots = contact.slots
    for name in changed:
        if not name.startswith(looked_at):
            continue
        own = name.removeprefix(PART)
        slot = slots.get(own) if parts else None
        if slot is None:
            contact.drop(PART + own)
            continue
        staff, desk = kept_apart(slot.staff, parts), kept_apart(slot.desk, parts)
        if own == _PASSED and DIFFICULT in parts:  # of the desk it is one ticket, whoever escalated it
            desk = {**desk, **_DIFFICULT}
        if staff or desk:
            contact.keep(PART + own, replace(slot, staff=staff, desk=desk))
        else:
            contact.drop(PART + own)


@lru_cache(maxsize=1024)
def _parts(vip: bool, urgent: bool, subjects: tuple[SubjectName, ...], escalated: bool, peak: bool) -> tuple[str, ...]:
    """The parts that a contact is of. A ticket that somebody has escalated is difficult, whatever it is about."""
    urgent = urgent or "urgent" in subjects
    return (
        *((VIP,) if vip else ()),
        *((URGENT,) if urgent else ()),
        *((PRESSING,) if vip or urgent else ()),
        *(subject for subject in subjects if subject not in (URGENT, DIFFICULT)),
        *((DIFFICULT,) if escalated or DIFFICULT in subjects else ()),
        *((PEAK,) if peak else ()),
    )


@lru_cache(maxsize=1024)
def _kept_in(parts: tuple[str, ...]) -> tuple[str, ...]:
    """What the slots begin with of which these parts keep account."""
    kept = frozenset[str]().union(*map(keeps, parts))
    return (PART, *(name for name, measures in _KEPT_IN.items() if measures & kept))
