"""Takes a customer out of archived files: they are written anew, with the same messages at the same offsets, and say so of themselves.

What a customer's contacts count for must stay when a month is computed again: they are given one other id, drawn by lot and written nowhere
beside theirs, so that who comes back still comes back. Free text of their contacts goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from msgspec import structs

from streams.archive.files import Stored, about, packed, rows, whole
from streams.archive.store import Span, Store
from streams.contacts.forgetting import FREE_TEXT
from streams.contracts.records import Place

#: Does a message name one of them?
Names = Callable[[Stored], bool]
#: Source and id of a contact.
_Origin = tuple[str, str]


@dataclass
class Forgotten:
    """What came of it. ``files``: how many were written anew; ``messages``: how many name nobody now; ``left``: files in which an id of a
    contact or an event names somebody still; ``reached``: up to before which offset each partition is archived.
    """

    files: int = 0
    messages: int = 0
    left: list[str] = field(default_factory=list)
    reached: dict[Place, int] = field(default_factory=dict)


class _Told(msgspec.Struct):
    source: str | None = None
    contact_id: str | None = None
    customer_id: str | None = None


_told = msgspec.json.Decoder(_Told).decode
_encode = msgspec.json.Encoder().encode


def forget(store: Store, topics: Iterable[str], ids: Collection[str], names: Names, today: date) -> Forgotten:
    """Take these customers out of all files of these topics. ``names``: does a message name one of them, however?

    Broken off, it leaves all messages; done again, it goes on. Raises DamagedError, OSError where a file cannot be read or written.
    """
    found = Forgotten()
    spans = store.spans(topics)
    for place, own in spans.items():
        found.reached[place] = max(span.next for span in own)
        spans[place] = _once(store, own)
    every = [span for own in spans.values() for span in own]
    theirs = {origin for span in every for origin in _origins(store, span, ids)}
    lots = {id: secrets.token_hex(16) for id in sorted(ids)}
    for span in every:
        _rewrite(store, span, theirs, lots, names, today, found)
    return found


def _once(store: Store, spans: list[Span]) -> list[Span]:
    """Of two files of the same messages the one that was written anew: whoever wrote it was broken off before the other was removed."""
    kept: dict[tuple[int, int], Span] = {}
    for span in spans:
        other = kept.setdefault((span.first, span.next), span)
        if other is not span:
            older, newer = sorted((other, span), key=lambda one: len(about(whole(store, one), one).rewritten))
            store.remove(older)
            kept[span.first, span.next] = newer
    return list(kept.values())


def _read(store: Store, span: Span) -> tuple[bytes, list[Stored]]:
    body = whole(store, span)
    return body, [
        Stored(offset, timestamp, key, value, [(header["name"], header["content"]) for header in headers or ()])
        for offset, timestamp, key, value, headers in rows(body, *Stored._fields)
    ]


def _origins(store: Store, span: Span, ids: Collection[str]) -> Iterable[_Origin]:
    """The contacts of which an event says that they are theirs."""
    for (value,) in rows(whole(store, span), "value"):
        told = _event(value)
        if told is not None and told.customer_id in ids and told.source is not None and told.contact_id is not None:
            yield told.source, told.contact_id


def _event(value: bytes | None) -> _Told | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _told(value or b"")
    return None


def _rewrite(
    store: Store,
    span: Span,
    theirs: set[_Origin],
    lots: Mapping[str, str],
    names: Names,
    today: date,
    found: Forgotten,
) -> None:
    body, messages = _read(store, span)
    made = [_nameless(message, theirs, lots, names) for message in messages]
    changed = sum(one != other for one, other in zip(messages, made, strict=True))
    written = span
    if changed:
        said = about(body, span)
        line = f"{today}: a customer was forgotten, {changed:,} messages say so no more"
        written, new = packed(structs.replace(said, rewritten=[*said.rewritten, line]), span.day, made)
        store.put(written, new)
        store.remove(span)
        found.files += 1
        found.messages += changed
    if any(map(names, made)):
        found.left.append(written.name)


def _nameless(message: Stored, theirs: set[_Origin], lots: Mapping[str, str], names: Names) -> Stored:
    """The message without the customer; what is no event, and names one, without its content."""
    told = _event(message.value)
    is_theirs = told is not None and (told.source, told.contact_id) in theirs
    if not is_theirs and not names(message):
        return message
    key, value = message.key, message.value
    if told is None:
        value = None if value is not None and names(message._replace(key=None, headers=[])) else value
    elif is_theirs or told.customer_id in lots:
        value = _without_customer(value or b"", lots)
    if key is not None and (id := lots.get(key.decode("utf-8", "replace"))) is not None:
        key = id.encode()
    elif key is not None and told is None and names(message._replace(value=None, headers=[])):
        key = None
    headers = [
        (name, b"" if names(message._replace(key=None, value=content, headers=[])) else content)
        for name, content in message.headers
    ]
    return message._replace(key=key, value=value, headers=headers)


def _without_customer(value: bytes, lots: Mapping[str, str]) -> bytes:
    event: dict[str, Any] = msgspec.json.decode(value)
    made = {
        name: lots.get(said, said) if name == "customer_id" else said
        for name, said in event.items()
        if name not in FREE_TEXT
    }
    return value if made == event else _encode(made)
