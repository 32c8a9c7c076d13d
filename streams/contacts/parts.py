"""What contacts of VIPs, and urgent ones, count for a second time: apart from all.

Each slot that tells how long somebody waited has a copy for the parts that the contact is of. Looked at after every event, from what
it has changed: a contact that turns out to be of a VIP is so from its beginning.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.kpi.measures.parts import URGENT, VIP, kept_apart

#: Is it a VIP's, is it urgent → the parts that it is of.
_PARTS = {(vip, urgent): (VIP,) * vip + (URGENT,) * urgent for vip in (False, True) for urgent in (False, True)}
#: Begins the name of a copy.
PART = "~"
#: Begin the names of slots that have what is kept apart.
_KEPT_IN = ("offer", "answer", "abandon", "flow_out", "miss", "first_response", "resolve_time", "late", "met")
_LOOKED_AT = (PART, *_KEPT_IN)


def settle(contact: Contact) -> None:
    """After an event: have the copies that belong to the contact as it then is."""
    parts = _PARTS[contact.vip is True, contact.urgent is True]
    changed = list(contact.was)
    if parts != contact.apart:
        contact.apart = parts
        changed = list(contact.slots)
    slots = contact.slots
    for name in changed:
        if not name.startswith(_LOOKED_AT):
            continue
        own = name.removeprefix(PART)
        slot = slots.get(own) if parts else None
        if slot is None:
            contact.drop(PART + own)
            continue
        staff, desk = kept_apart(slot.staff, parts), kept_apart(slot.desk, parts)
        if staff or desk:
            contact.keep(PART + own, replace(slot, staff=staff, desk=desk))
        else:
            contact.drop(PART + own)
