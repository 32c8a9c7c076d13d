"""Of which parts a contact is that are counted a second time, apart from all: VIPs, urgent ones, subjects of the policy, peak hours.

What it counts for in them is worked out where its slots are added up (``slots.py``): a contact that turns out to be of a VIP is so from
its beginning.
"""

from __future__ import annotations

from functools import lru_cache

from streams.contacts.contact import Contact
from streams.contacts.rules import Rules
from streams.kpi.measures.parts import DIFFICULT, PEAK, PRESSING, URGENT, VIP
from streams.kpi.policy.subjects import SubjectName

#: The slot of a ticket that somebody has escalated.
ESCALATION = "escalation"


def parts_of(contact: Contact, rules: Rules) -> tuple[str, ...]:
    """The parts that a contact is of, as it is known now."""
    subjects = rules.subjects[contact.kind, contact.topic, contact.queue]
    peak = rules.peak is not None and rules.peak.elapsed(contact.at, contact.at + 1) > 0
    return _parts(contact.vip is True, contact.urgent is True, subjects, ESCALATION in contact.slots, peak)


@lru_cache(maxsize=1024)
def _parts(vip: bool, urgent: bool, subjects: tuple[SubjectName, ...], escalated: bool, peak: bool) -> tuple[str, ...]:
    """A ticket that somebody has escalated is difficult, whatever it is about."""
    urgent = urgent or "urgent" in subjects
    return (
        *((VIP,) if vip else ()),
        *((URGENT,) if urgent else ()),
        *((PRESSING,) if vip or urgent else ()),
        *(subject for subject in subjects if subject not in (URGENT, DIFFICULT)),
        *((DIFFICULT,) if escalated or DIFFICULT in subjects else ()),
        *((PEAK,) if peak else ()),
    )
