"""What some contacts count for a second time, apart from all: those of VIPs, urgent ones, subjects of the policy, calls in peak hours.

Each slot that tells something of which a part keeps account has a copy for the parts that the contact is of. Looked at after every
event, from what it has changed: a contact that turns out to be of a VIP is so from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
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
#: So many names of slots are remembered: those of single replies have no end.
_REMEMBERED = 4096
_ESCALATION, _PASSED = "escalation", "passed"
_DIFFICULT: Sums = {DIFFICULT_HANDLED: 1}


def settle(contact: Contact, rules: Rules, *, moved: bool) -> None:
    """After an event: have the copies that belong to the contact as it then is. ``moved``: it may be of other parts than before."""
    parts = _parts_of(contact, rules) if moved else contact.apart
    slots = contact.slots
    if parts != contact.apart:
        contact.apart = parts
        changed = filter(None, map(_own_name(_LOOKED_AT), list(slots)))
    else:
        changed = filter(None, map(_own_name(_kept_in(parts)), list(contact.was)))
    for own in changed:
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


def _parts_of(contact: Contact, rules: Rules) -> tuple[str, ...]:
    subjects = rules.subjects[contact.kind, contact.topic, contact.queue]
    peak = rules.peak is not None and rules.peak.elapsed(contact.at, contact.at + 1) > 0
    return _parts(contact.vip is True, contact.urgent is True, subjects, _ESCALATION in contact.slots, peak)


class _OwnName(dict[str, str]):
    """Name of a slot → that of which it is or has a copy; "": of none. Remembers what was asked."""

    def __init__(self, looked_at: tuple[str, ...]) -> None:
        super().__init__()
        self._looked_at = looked_at

    def __missing__(self, name: str) -> str:
        own = name.removeprefix(PART) if name.startswith(self._looked_at) else ""
        if len(self) < _REMEMBERED:
            self[name] = own
        return own


@lru_cache(maxsize=1024)
def _own_name(looked_at: tuple[str, ...]) -> Callable[[str], str]:
    return _OwnName(looked_at).__getitem__


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
