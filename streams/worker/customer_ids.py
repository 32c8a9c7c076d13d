"""Customer ids that do not look like pseudonyms, such as telephone numbers: refused, or made pseudonyms before anything else sees them.

An id looks like a pseudonym that is 128 bits or more in hexadecimal digits, as ``pseudonym(…)`` of a mapping makes them, or a UUID. What
does not is in no key, state, message of ours or dead letter. It stays where its sender put it, on the topic of events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from streams.contracts.decode import MAX_EVENT_BYTES, Rejected
from streams.contracts.records import Header, Record

#: What is done with them. ``any``: nothing, each id is taken as it is.
Mode: TypeAlias = Literal["any", "refuse", "pseudonymise"]
#: From an id to its pseudonym; None for one that stands for nobody, as ``anonymous`` does.
Pseudonym: TypeAlias = Callable[[str], str | None]

_PSEUDONYM = re.compile(r"[0-9A-Fa-f]{32,128}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_REFUSED = "customer_id does not look like a pseudonym (32 hexadecimal digits or more, or a UUID), and this operation takes no other"


class _Named(Struct):
    contact_id: str | None = None
    customer_id: str | None = None


_named = msgspec.json.Decoder(_Named)


def is_pseudonym(id: str) -> bool:
    """Does it look like a pseudonym?"""
    return _PSEUDONYM.fullmatch(id) is not None


@dataclass(slots=True)
class Screened:
    """A record without a plain customer id in it, or one of which nothing may be ``carried`` further."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: Sequence[Header]
    carried: bool = True


class CustomerIds:
    """The rule for an operation's customer ids.

    :param pseudonym: None: what does not look like a pseudonym is refused.
    """

    def __init__(self, pseudonym: Pseudonym | None) -> None:
        self._pseudonym = pseudonym

    def screened(self, record: Record) -> tuple[Screened, Rejected | None]:
        """A record of an event about a contact as it may be taken in; or, with the reason, as it may be told of."""
        value = record.value or b""
        try:
            named = _named.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._unread(record), None  # no event of ours: it will be refused for that
        if len(value) > MAX_EVENT_BYTES:
            return self._unread(record), None
        customer = named.customer_id
        if customer is not None and not is_pseudonym(customer):
            if self._pseudonym is None:
                return self._unread(record), Rejected("plain_customer", _REFUSED)
            customer = self._pseudonym(customer)
            value = _with_customer(value, customer)
        # The sender's key may be the plain id, even where the event names a pseudonym: the event's own takes its place.
        key = customer or named.contact_id
        return Screened(key.encode() if key else None, value, record.offset, record.headers), None

    def _unread(self, record: Record) -> Screened:
        return Screened(record.key, record.value, record.offset, record.headers, carried=False)


def _with_customer(value: bytes, customer: str | None) -> bytes:
    event: dict[str, Any] = msgspec.json.decode(value)
    event["customer_id"] = customer
    return msgspec.json.encode(event)
