"""Records of Amazon Connect come in any order, twice, from two places, and again when something in them has changed: what each still tells.

A contact record is a version of its contact (``LastUpdateTimestamp``). The newest that came stands; what an earlier one has told otherwise
is corrected, and where its time or kind was another one, retracted and told anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from streams.contracts import events as e
from streams.contracts.decode import encode, refuse
from streams.contracts.events import AnyEvent, ContactEvent
from streams.sources.connect.place import Place, Told
from streams.sources.vendors.amazon_connect import AmazonConnect, version
from streams.sources.vendors.record import Record
from streams.sources.versions import correction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(AnyEvent).decode


class Records:
    """Turns records into events, by what was told before."""

    def __init__(self, read: AmazonConnect, place: Place, since: int) -> None:
        """``since``: what lies before is not told, ms since 1970."""
        self._read, self._place, self._since = read, place, since

    def __call__(self, fields: Mapping[str, Any]) -> list[AnyEvent] | None:
        """What a record tells that was not told before; None where it tells nothing that counts. Raises ValueError that says why it cannot
        be read.
        """
        events = self._of_heartbeat(fields) if fields.get("EventType") == "HEART_BEAT" else self._read(fields)
        if events is None:
            return None
        events = [event for event in events if event.at >= self._since]
        for event in events:
            if refusal := refuse(event):
                raise ValueError(f"{event.id}: {refusal.detail}")
        number = version(fields)
        if number is None:
            for event in events:
                self._place.knows_agent(event.key, event.at)
            return events
        return self._of_version(str(fields["ContactId"]), number.number, events)

    def _of_heartbeat(self, fields: Mapping[str, Any]) -> list[AnyEvent] | None:
        """Every two minutes it says how an agent stands: of those of whom nothing was told yet, since when."""
        record = Record(f"agent event {fields.get('EventId')}", fields)
        began = record.value("CurrentAgentSnapshot.AgentStatus.StartTimestamp")
        if began is None:
            return None
        events = self._read({**fields, "EventType": "STATE_CHANGE", "EventTimestamp": began})
        if not events or self._place.knows_agent(events[-1].key, events[-1].at):
            return None
        return events[-1:]

    def _of_version(self, contact: str, number: int, events: list[AnyEvent]) -> list[AnyEvent]:
        known = self._place.contact(contact)
        if known is not None and number <= known[0]:
            return []
        before: Told = {} if known is None else known[1]
        told: list[AnyEvent] = []
        now: Told = {}
        for event in events:
            first, says = event.id, _says(event)
            stands = before.pop(first, None)
            if stands is None:
                told.append(event)
                now[first] = event.id, _type(event), event.at, says
                continue
            id, kind, at, said = stands
            if kind == _type(event) and at == event.at:
                if says != said:
                    event.id = id
                    told.append(correction(event, number))
                now[first] = id, kind, at, says
                continue
            told.append(_retraction(event, id, at, number))
            event.id = f"{first}.{number}"
            told.append(event)
            now[first] = event.id, _type(event), event.at, says
        for id, _, at, said in before.values():
            told.append(_retraction(_decode(said), id, at, number))
        last = max((at for _, _, at, _ in now.values()), default=number)
        self._place.tell(contact, number, now, max(last, number))
        return told


def _type(event: AnyEvent) -> str:
    return str(type(event).__struct_config__.tag)


def _says(event: AnyEvent) -> str:
    return encode(event).decode()


def _retraction(like: AnyEvent, id: str, at: int, number: int) -> AnyEvent:
    """The event of that id, of the same contact as another one, never happened."""
    assert isinstance(like, ContactEvent)
    return e.CallRetracted(
        id=f"{id}!{number}",
        source=like.source,
        time=_EPOCH + timedelta(milliseconds=at),
        contact_id=like.contact_id,
        customer_id=like.customer_id,
        corrects=id,
        sequence=min(number, e.LAST_SEQUENCE),
    )
