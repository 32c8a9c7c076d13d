"""Was a contact handed on to the right place? It was where whoever got it handled it, and did not hand it on again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from streams.contacts.contact import Contact, Handed
from streams.contacts.slots import Slot
from streams.contracts.outputs import Sums

#: Begins the names of the slots of transfers.
_TRANSFER = "transfer"
_ACCURATE: Sums = {"transfers": 1, "transfers_accurate": 1}
_PASSED_ON: Sums = {"transfers": 1}
_NOTHING: Sums = {}


def settle(contact: Contact, channel: str) -> None:
    """After an event: every transfer of a contact that has an outcome counts, for whoever made it and the queue that it left.

    One that nobody took has none: the caller hung up, or the chat ended where it was.
    """
    told = _of_call(contact) if channel == "calls" else _of_others(contact, channel)
    outcomes = {f"{_TRANSFER}{number}": outcome for number, outcome in enumerate(told, 1)}
    contact.drop(*(name for name in contact.slots if name.startswith(_TRANSFER) and name not in outcomes))
    for name, (made, at, sums) in outcomes.items():
        staff = _NOTHING if made.agent is None else sums
        queue = made.queue or contact.queue
        contact.keep(name, Slot(at, contact.day, made.agent, made.team, queue, contact.site, staff, sums))


def _of_call(call: Contact) -> Iterator[tuple[Handed, int, Sums]]:
    """Each transfer, when its outcome was known, and what it counts: known once the part of whoever answered next is over."""
    answered = [leg for leg in call.legs if leg.answered_at is not None]
    for leg, after in pairwise(answered):
        if leg.transferred and after.over_at is not None:
            made = Handed(leg.over_at or 0, leg.agent, leg.team, leg.queue)
            yield made, after.over_at, _PASSED_ON if after.transferred else _ACCURATE


def _of_others(contact: Contact, channel: str) -> Iterator[tuple[Handed, int, Sums]]:
    if not contact.handed:
        return
    for made, again in pairwise(contact.handed):
        if again.agent is not None and again.agent != made.agent:
            yield made, again.at, _PASSED_ON
    last, over = contact.handed[-1], contact.finished_at if channel == "tickets" else contact.closed_at
    if over is not None and contact.agent is not None and contact.agent != last.agent:
        yield last, max(over, last.at), _ACCURATE
