"""Messages as a Parquet file and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from streams.archive.arrow import arrow
from streams.archive.store import Span, Store, digest_of
from streams.contracts.records import Header

#: What the file says of itself, beside its name.
_ABOUT = b"deskpulse.archive"
_ROWS_IN_GROUP = 20_000


class DamagedError(ValueError):
    """A file is not as it was written. The message names it."""


class Stored(NamedTuple):
    """A message as it came: ``timestamp`` in ms since 1970, as Kafka has it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


class About(msgspec.Struct):
    """What a file says of itself. ``kept_from``: the first offset of its range that Kafka still had when it was read: what was before had
    been deleted by then. ``topic_id``: Kafka's own id of the topic; another one is another topic of the same name. ``rewritten``: when and
    why its messages are not as they came, a line each time.
    """

    topic: str
    partition: int
    first: int
    next: int
    kept_from: int
    messages: int
    topic_id: str = ""
    version: int = 1
    rewritten: list[str] = []


_decode = msgspec.json.Decoder(About).decode


def packed(about: About, day: date, rows: Sequence[Stored]) -> tuple[Span, bytes]:
    """The file of these messages: its name and its bytes."""
    pa, columns = arrow(), list(zip(*rows, strict=True)) or [()] * len(Stored._fields)
    offsets, timestamps, keys, values, headers = columns
    header = pa.list_(pa.struct([("name", pa.string()), ("content", pa.binary())]))
    table = pa.table(
        {
            "topic": pa.array([about.topic] * len(rows), pa.string()),
            "partition": pa.array([about.partition] * len(rows), pa.int32()),
            "offset": pa.array(offsets, pa.int64()),
            "timestamp": pa.array(timestamps, pa.timestamp("ms", tz="UTC")),
            "key": pa.array(keys, pa.binary()),
            "value": pa.array(values, pa.binary()),
            "headers": pa.array(
                [[{"name": name, "content": content} for name, content in own] for own in headers], header
            ),
        }
    ).replace_schema_metadata({_ABOUT: msgspec.json.encode(about)})
    sink = pa.BufferOutputStream()
    arrow(".parquet").write_table(
        table, sink, compression="zstd", use_dictionary=["topic", "key"], row_group_size=_ROWS_IN_GROUP
    )
    body: bytes = sink.getvalue().to_pybytes()
    return Span(about.topic, about.partition, about.first, about.next, day, digest_of(body)), body


def whole(store: Store, span: Span) -> bytes:
    """The bytes of a file, as they were written. Raises DamagedError where they are not, OSError where it cannot be read."""
    body = store.read(span)
    if digest_of(body) != span.digest:
        raise DamagedError(f"{span.name} is damaged: its bytes are not those that were written")
    return body


def about(body: bytes, span: Span) -> About:
    """What a file says of itself. Raises DamagedError where that is not what its name says."""
    try:
        read = _decode((_parsed(body).schema_arrow.metadata or {}).get(_ABOUT, b"{}"))
    except (msgspec.MsgspecError, DamagedError) as error:
        raise DamagedError(f"{span.name} is no file of this archive: {error}") from error
    if (read.topic, read.partition, read.first, read.next) != span[:4]:
        raise DamagedError(
            f"{span.name} was written as {read.topic}, partition {read.partition}, {read.first} to {read.next}"
        )
    return read


def offsets(body: bytes) -> list[int]:
    """The offsets of its messages."""
    found: list[int] = _parsed(body).read(columns=["offset"])["offset"].to_pylist()
    return found


def rows(body: bytes, *names: str) -> Iterator[tuple[Any, ...]]:
    """These columns of each message, in order; the timestamp in ms since 1970."""
    pa = arrow()
    for batch in _parsed(body).iter_batches(_ROWS_IN_GROUP, columns=list(names), use_threads=False):
        columns = (batch[name].cast(pa.int64()) if name == "timestamp" else batch[name] for name in names)
        yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _parsed(body: bytes) -> Any:
    try:
        return arrow(".parquet").ParquetFile(arrow().BufferReader(body))
    except (ValueError, OSError) as error:
        raise DamagedError(f"this is no Parquet: {error}") from error
