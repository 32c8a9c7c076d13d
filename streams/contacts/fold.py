"""From a contact's events, in any order, to its state: sorted, corrected, folded one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

import msgspec
from msgspec import UNSET, structs

from streams.contacts import calls, chats, credit, tickets
from streams.contacts.contact import Contact, Rules
from streams.contacts.judging import Timeline
from streams.contracts.events import AnyContactEvent, Corrected, Event, Rated, Retracted

HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    **calls.HANDLERS,
    **chats.HANDLERS,
    **tickets.HANDLERS,
    **{type_: Contact.rate for type_ in get_args(AnyContactEvent) if issubclass(type_, Rated)},
}
#: Events of one moment are taken in the order in which the contract lists them: a call is queued before it is answered.
RANK: dict[type, int] = {type_: rank for rank, type_ in enumerate(get_args(AnyContactEvent))}
#: Events that change others; they are never folded themselves.
AMENDMENTS = frozenset(type_ for type_ in get_args(AnyContactEvent) if issubclass(type_, Corrected | Retracted))
_IDENTITY = frozenset({"id", "source", "time", "contact_id", "customer_id", "corrects"})

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Contact).decode

#: Sort key of an event within its contact.
Order = tuple[int, int, str]


def order(event: Event) -> Order:
    """Place of an event within its contact: time, then type, then id, whatever the order of arrival."""
    return event.at, RANK[type(event)], event.id


def step(state: Contact, event: AnyContactEvent, at: int, rules: Rules) -> bool:
    """Fold the next event in order of time into a contact's state; ``state.was`` remembers the slots that it changes.

    False: it said nothing of a contact that was not known, and changed no slot.
    """
    news = state.learn(event, at, rules.days)
    if (handler := HANDLERS.get(type(event))) is not None:
        handler(state, event, at, rules)
    state.settle()
    if rules.credits_others:
        credit.settle(state, event, rules)
    return news or bool(state.was)


def fold(base: Contact, log: Iterable[AnyContactEvent], rules: Rules) -> Contact:
    """The state after all events of ``log`` (sorted), begun from ``base``, which stays as it is.

    Raises NotCoveredError where no version of the policy is in force on the contact's day.
    """
    standing = effective(log)
    if rules.timeline is not None:
        return _judged(base, standing, rules, rules.timeline)
    return _folded(base, standing, rules)


def _folded(base: Contact, standing: Iterable[AnyContactEvent], rules: Rules) -> Contact:
    state = _decode(_encode(base)) if base.first_at is not None else Contact()
    for event in standing:
        step(state, event, event.at, rules)
    state.was.clear()
    return state


def _judged(base: Contact, standing: Sequence[AnyContactEvent], rules: Rules, timeline: Timeline) -> Contact:
    """The same, by the version in force on the contact's day, which is known once everything has been told.

    What was folded for good was judged when it was, and stays.
    """
    if base.first_at is None and not standing:
        return Contact()
    guess = timeline.on(base.day if base.first_at is not None else rules.days.of(standing[0].at))
    state = _folded(base, standing, guess)
    right = timeline.on(state.day)
    return state if right is guess else _folded(base, standing, right)


def effective(log: Iterable[AnyContactEvent]) -> Sequence[AnyContactEvent]:
    """The events that stand once corrections and retractions among them are applied."""
    events = list(log)
    amendments = [event for event in events if isinstance(event, Corrected | Retracted)]
    if not amendments:
        return events
    standing = {event.id: event for event in events if not isinstance(event, Corrected | Retracted)}
    for amendment in amendments:
        if isinstance(amendment, Retracted):
            standing.pop(amendment.corrects, None)
        elif (wrong := standing.get(amendment.corrects)) is not None:
            standing[wrong.id] = structs.replace(wrong, **_given(amendment))
    return sorted(standing.values(), key=order)


def _given(amendment: Corrected) -> dict[str, object]:
    """The fields that a correction states, other than those that say which event it is."""
    return {
        field.name: value
        for field in structs.fields(amendment)
        if field.name not in _IDENTITY and (value := getattr(amendment, field.name)) not in (None, False, UNSET)
    }
