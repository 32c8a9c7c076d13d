"""Fills in the customer of events whose row or record does not name them where another of the same files does.

A system may tell who calls when the call comes in and not again, as Asterisk's queue log does. Within one source and channel a contact is
one, and of one customer: the last that was told, by time and sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec.structs import replace

from streams.contracts.events import AnyEvent, ContactEvent
from streams.contracts.telling import Told, as_told

#: Source, channel, contact id.
_Contact: TypeAlias = tuple[str, str, str]


class Customers:
    """Of files that are read twice: once to see which contacts have events without a customer, once more, if there are any, to find it.
    Holds those contacts only, so that files that always tell it cost nothing.
    """

    def __init__(self) -> None:
        #: Does any event tell one?
        self._told = False
        #: Contacts with an event without a customer → when and by which event they were told last, and whom.
        self._lacking: dict[_Contact, tuple[int, Told, str] | None] = {}

    def noted(self, events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
        """The same events; what they lack is noted."""
        for event in events:
            if isinstance(event, ContactEvent):
                if event.customer_id is None:
                    self._lacking[_of(event)] = None
                else:
                    self._told = True
            yield event

    def filled_in(self, events: Iterator[AnyEvent], again: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
        """The events once all are noted, each with its contact's customer where it has none and any is told.

        ``again``: all of them once more, which are read only where customers are told, and one is lacking.
        """
        if not (self._lacking and self._told):
            return events
        for event in again:
            if (
                isinstance(event, ContactEvent)
                and event.customer_id is not None
                and (of := _of(event)) in self._lacking
            ):
                told, last = (event.at, as_told(event.sequence, event.id), event.customer_id), self._lacking[of]
                if last is None or last < told:
                    self._lacking[of] = told
        return map(self._with_customer, events)

    def _with_customer(self, event: AnyEvent) -> AnyEvent:
        if not isinstance(event, ContactEvent) or event.customer_id is not None:
            return event
        told = self._lacking.get(_of(event))
        return event if told is None else replace(event, customer_id=told[2])


def _of(event: ContactEvent) -> _Contact:
    return event.source, event.carrier, event.contact_id
