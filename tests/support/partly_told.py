"""Events of sources that tell the customer in some of them only, with the customer told last in every one: the reference's answer."""

from __future__ import annotations

import json
from collections.abc import Iterable

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent
from tests.reference.telling import joined


def with_every_customer(events: Iterable[AnyEvent]) -> list[bytes]:
    """The messages of events, each with the customer that its contact told last, by its source, where it told any."""
    events = list(events)
    partly = {event.source for event in events if isinstance(event, ContactEvent) and event.customer_id is None}
    raws = [encode(event) for event in events]
    places = [index for index, event in enumerate(events) if event.source in partly]
    for index, told in zip(places, joined(json.loads(raws[index]) for index in places), strict=True):
        raws[index] = json.dumps(told).encode()
    return raws
