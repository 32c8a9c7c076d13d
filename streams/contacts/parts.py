"""What contacts of VIPs, and urgent ones, count for a second time: apart from all.

Each slot that tells how long somebody waited has a copy for the parts that the contact is of. Looked at after every event, from what
it has changed: a contact that turns out to be of a VIP is so from its beginning.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.contacts.contact import Contact
from streams.kpi.measures.parts import URGENT, VIP, kept_apart

#: Begins the name of a copy.
PART = "~"


def settle(contact: Contact) -> None:
    """After an event: have the copies that belong to the contact as it then is."""
    parts = tuple(part for part, is_so in ((VIP, contact.vip), (URGENT, contact.urgent)) if is_so)
    if parts == contact.apart:
        names = {name.removeprefix(PART) for name in contact.was}
    else:
        names = {name.removeprefix(PART) for name in contact.slots}
        contact.apart = parts
    for name in names:
        slot = contact.slots.get(name)
        staff, desk = ({}, {}) if slot is None else (kept_apart(slot.staff, parts), kept_apart(slot.desk, parts))
        if slot is not None and (staff or desk):
            contact.keep(PART + name, replace(slot, staff=staff, desk=desk))
        else:
            contact.drop(PART + name)
