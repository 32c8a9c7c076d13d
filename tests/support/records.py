"""Records against the facts: their sum is the facts, to the digit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streams.contracts.outputs import ContactRecord, Counted, DailyFacts, Sums
from streams.entities.record_sums import EntityDay, add_counts, of_facts

decode_record = msgspec.json.Decoder(ContactRecord, strict=True).decode


class _Record(msgspec.Struct):
    version: int
    counts: dict[str, Counted]


_counts = msgspec.json.Decoder(_Record).decode


def keep(records: dict[str, bytes], news: Mapping[str, bytes | None]) -> None:
    """What readers of the topic have after more of it; a record's version only grows."""
    for key, raw in news.items():
        if raw is None:
            records.pop(key, None)
            continue
        if key in records:
            assert _counts(raw).version > _counts(records[key]).version, key
        records[key] = raw


def sums(records: Mapping[str, bytes]) -> dict[EntityDay, Sums]:
    """What records come to."""
    into: dict[EntityDay, Sums] = {}
    for raw in records.values():
        add_counts(into, _counts(raw).counts)
    return {key: own for key, own in into.items() if own}


def proven(records: Mapping[str, bytes], facts: Mapping[str, DailyFacts]) -> None:
    """The sum of the records is the facts, whatever is planned included."""
    wanted = {key: own for key, own in of_facts(facts.values()).items() if own}
    assert sums(records) == wanted


def comparable(raw: bytes) -> ContactRecord:
    """A record without what depends on how often it was written."""
    record = decode_record(raw)
    record.version = 0
    return record
