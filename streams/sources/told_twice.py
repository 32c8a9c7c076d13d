"""Events that files tell twice and not alike: as a duplicate one of the two would go unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from tempfile import SpooledTemporaryFile
from typing import Self
from zlib import crc32

import msgspec
from msgspec.structs import replace

from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, ContactEvent

#: Ids are parted by their hash, so that one part after the other is looked at; of each so much waits in memory, the rest in a file.
_PARTS = 64
_IN_MEMORY = 1 << 19
_encode, _decode = msgspec.json.encode, msgspec.json.Decoder(tuple[str, str]).decode


class ToldTwice:
    """Notes events as they pass; afterwards says which were told twice, and differently. Memory stays bounded. A context manager."""

    def __init__(self) -> None:
        self._parts = [SpooledTemporaryFile(_IN_MEMORY) for _ in range(_PARTS)]  # noqa: SIM115 - closed, and gone, at the end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for part in self._parts:
            part.close()

    def noted(self, events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
        """The same events; each is noted. Raises OSError where temporary files cannot be written."""
        for event in events:
            about = event.contact_id if isinstance(event, ContactEvent) else event.agent_id
            told = blake2b(encode(replace(event, sequence=None)), digest_size=8).hexdigest()
            line = _encode((f"{event.source}, {event.carrier}, {about}: {event.id}", told))
            self._parts[crc32(line.rpartition(b",")[0]) % _PARTS].write(line + b"\n")
            yield event

    def said(self) -> str:
        """How many events were told twice and differ, the first of them, and what to do; "" where none."""
        found: set[str] = set()
        for part in self._parts:
            part.seek(0)
            known: dict[str, str] = {}
            for line in part:
                which, told = _decode(line)
                if known.setdefault(which, told) != told:
                    found.add(which)
        if not found:
            return ""
        return (
            f"told twice, and differently: {len(found):,} events (such as {min(found)}), of which the one or the other counts; "
            "where rows come again corrected, set `version` in the mapping to the column that says when they were written"
        )
