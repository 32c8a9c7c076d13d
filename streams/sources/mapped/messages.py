"""From a foreign message to records: JSON, what Kafka Connect wraps around it, lists, Debezium's envelopes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.contracts.decode import Rejected
from streams.contracts.records import Header

_any = msgspec.json.Decoder()
_Record: TypeAlias = dict[str, Any]
#: How messages of a schema registry begin, and how many bytes its number takes then.
_MAGIC, _MAGIC_BYTES = b"\x00", 5
#: What Debezium writes for a long text of PostgreSQL that a change has not touched.
_UNAVAILABLE = "__debezium_unavailable_value"
#: Debezium's word for a change → what it is.
_OPERATIONS = {"c": "insert", "u": "update", "d": "delete", "r": "snapshot", "t": "truncate", "m": "message"}
_WRAPPED = {"schema", "payload"}


class Change(NamedTuple):
    """A record as it is now; ``before``: as it was, where that is told. A row that was deleted is nothing now."""

    now: _Record | None
    before: _Record | None = None


class Stands(NamedTuple):
    """Where and how a message stands in Kafka. ``timestamp``: ms since 1970, by its writer or by the broker."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: Iterable[Header]


def changes(value: bytes | None, stands: Stands, each: str | None, *, debezium: bool) -> list[Change] | Rejected:
    """The records of a message: none of a tombstone. Each has under ``kafka`` what Kafka knows of the message (``key``, ``headers``,
    ``timestamp``, ``topic``, ``partition``, ``offset``), unless it has a field of that name itself.

    ``each``: path of the list whose entries are the records; they have the whole message under ``message``. ``debezium``: the record is the
    row, with the envelope's ``op``, ``ts_ms`` and ``source`` under ``debezium``.
    """
    if value is None:
        return []
    found = _decoded(value)
    if isinstance(found, Rejected):
        return found
    kafka = {"kafka": _told(stands)}
    if debezium:
        return _enveloped(found, kafka)
    listed: Any = [] if found is None else found if isinstance(found, list) else [found]
    if each is not None:
        listed = _at(found, each) or []
        kafka["message"] = found
    if not isinstance(listed, list) or not all(isinstance(record, dict) for record in listed):
        where = f"{each} (`each`)" if each else "the message"
        return Rejected("unfit", f"{where} is neither one JSON object nor a list of them")
    return [Change({**kafka, **record}) for record in listed]


def key_fields(key: bytes | None) -> Mapping[str, Any]:
    """The fields of a message's key, where it is an object."""
    found = _key(key)
    return found if isinstance(found, dict) else {}


def _decoded(value: bytes) -> Any | Rejected:
    if not value.strip():
        return Rejected("empty", "the message has no value")
    if value.startswith(_MAGIC):
        value = value[_MAGIC_BYTES:]
        if value[:1] not in (b"{", b"["):
            return Rejected(
                "not_json",
                "it is written by a schema registry (Avro or Protobuf): have its writer write JSON "
                "(in Kafka Connect: value.converter=org.apache.kafka.connect.json.JsonConverter)",
            )
    try:
        value.decode()
        found = _any.decode(value.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError as error:
        return Rejected("not_utf8", str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejected("not_json", str(error))
    return _unwrapped(found)


def _unwrapped(found: Any) -> Any:
    """Kafka Connect's JSON without the schema that it may have beside it."""
    return found["payload"] if isinstance(found, dict) and found.keys() == _WRAPPED else found


def _key(key: bytes | None) -> Any:
    if not key:
        return None
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return key.hex()
    try:
        return _unwrapped(_any.decode(key)) if text[:1] in ("{", "[", '"') else text
    except (msgspec.DecodeError, RecursionError):
        return text


def _told(stands: Stands) -> dict[str, Any]:
    headers = {name: (content or b"").decode("utf-8", "replace") for name, content in stands.headers or ()}
    return {**stands._asdict(), "key": _key(stands.key), "headers": headers}


def _at(found: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _enveloped(found: Any, kafka: _Record) -> list[Change] | Rejected:
    if found is None:
        return []
    if not (isinstance(found, dict) and "op" in found and ("after" in found or "before" in found or "source" in found)):
        return Rejected(
            "unfit",
            "debezium: this is no envelope with op, before and after; where the connector unwraps rows itself "
            "(ExtractNewRecordState), take `debezium` out of the file",
        )
    operation = _OPERATIONS.get(str(found["op"]), "")
    if operation == "message":
        return []
    if operation in ("", "truncate"):
        return Rejected("unfit", f"debezium: op {found['op']!r}: what was told of its rows stands")
    meta = {"debezium": {name: found.get(name) for name in ("op", "ts_ms", "ts_us", "source")}}
    now, before = (_row(found.get(name), {**kafka, **meta}) for name in ("after", "before"))
    if operation == "delete":
        now = None
    elif now is None:
        return Rejected("unfit", f"debezium: an {operation} without `after`")
    return [Change(now, before)]


def _row(row: Any, beside: _Record) -> _Record | None:
    if not isinstance(row, dict):
        return None
    return {**beside, **{name: None if value == _UNAVAILABLE else value for name, value in row.items()}}
