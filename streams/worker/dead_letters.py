"""Dead letters: what was refused, why, and where it stands whole."""

from __future__ import annotations

from hashlib import sha256

from streams.contracts.decode import Rejected
from streams.contracts.records import Message, Place, Record

#: Bytes of a value that its dead letter carries at most, and of a key. The rest stands where the record was read.
HEAD_BYTES, KEY_BYTES = 65_536, 1_024
_DETAIL_BYTES = 1_000


def dead_letter(origin: Place, record: Record, why: Rejected) -> Message:
    """The message for ``dead-letters`` of a record that was read at ``origin`` and refused.

    Its value is the record's, at most ``HEAD_BYTES`` of it: a value can be longer than any topic takes, as it may have come
    compressed. ``size`` and ``sha256`` are of the whole value, so that it can be found again and compared.
    """
    value = record.value or b""
    headers = [
        ("reason", why.reason.encode()),
        ("detail", why.detail.encode("utf-8", "backslashreplace")[:_DETAIL_BYTES]),
        ("topic", origin[0].encode()),
        ("partition", str(origin[1]).encode()),
        ("offset", str(record.offset).encode()),
        ("size", str(len(value)).encode()),
        ("sha256", sha256(value).hexdigest().encode()),
    ]
    return (record.key and record.key[:KEY_BYTES], value[:HEAD_BYTES], headers)
