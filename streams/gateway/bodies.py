"""What a request brings, one event or record at a time: JSON, lists, JSON Lines, CloudEvents in their content modes.

CloudEvents are read here in a few lines, and not by their own library: that one makes up an id and a time for an event that lacks them, so
that the same event sent again would be another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from streams.contracts.decode import Rejected
from streams.sources.json_once import TwiceError, check_once

#: Events of one request.
MOST_EVENTS = 1_000
_JSON = "application/json"
_CLOUD, _CLOUD_BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
CONTENT_TYPES = (_JSON, *_LINES, _CLOUD, _CLOUD_BATCH)
_HEADER = "ce-"
#: Of a CloudEvent: what is the event's own.
_ENVELOPE = ("id", "type", "source", "time")
_list = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


class BodyError(Exception):
    """A request of which nothing can be read: the status of the answer, the reason in a word, and what to do."""

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason = status, reason


class Part(NamedTuple):
    """An event or record as it came, and where: its line, or its number."""

    line: int
    raw: bytes


def parts(body: bytes, content_type: str, headers: Mapping[str, str]) -> list[Part]:
    """What a body brings. ``headers``: by their names in small letters. Raises BodyError."""
    kind = content_type.partition(";")[0].strip().lower() or _JSON
    if not body.strip():
        raise BodyError(400, "empty", "the body is empty: send one event, a list of events, or a line for each")
    if "ce-specversion" in headers:
        found = [Part(1, _from_binary(headers, body))]
    elif kind in _LINES:
        found = [Part(number, line.strip()) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    elif kind in (_JSON, _CLOUD, _CLOUD_BATCH):
        found = _from_json(body)
    else:
        raise BodyError(
            415,
            "content_type",
            f"send JSON (Content-Type: {_JSON}) or a line for each event ({_LINES[0]}); with curl: -H 'Content-Type: {_JSON}'",
        )
    if len(found) > MOST_EVENTS:
        raise BodyError(
            413, "too_many", f"{len(found)} events; at most {MOST_EVENTS} in one request: send them in several"
        )
    return found


def _from_json(body: bytes) -> list[Part]:
    bare = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not bare.startswith(b"["):
        return [Part(1, bare)]
    try:
        return [Part(number, bytes(raw)) for number, raw in enumerate(_list.decode(bare), 1)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(400, "not_json", f"the body is no list of JSON: {error}") from error


def _from_binary(headers: Mapping[str, str], body: bytes) -> bytes:
    """A CloudEvent whose attributes are headers, as one whose are not."""
    event: dict[str, Any] = {
        name.removeprefix(_HEADER): unquote(value) for name, value in headers.items() if name.startswith(_HEADER)
    }
    event["data"] = msgspec.Raw(body)
    return msgspec.json.encode(event)


def as_object(raw: bytes) -> dict[str, Any] | Rejected:
    """A part as an object, in which no key stands twice; of a CloudEvent what its data says, with its id, type, source and time."""
    try:
        found = _any.decode(raw)
        if isinstance(found, dict):
            check_once(raw)
            return _flat(found) if "specversion" in found else found
    except TwiceError as error:
        return Rejected("not_json", str(error))
    except UnicodeDecodeError as error:
        return Rejected("not_utf8", str(error))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return Rejected("not_json", f"{error}; several events are a list, or a line each ({_LINES[0]})")
    return Rejected("not_json", "an event is one JSON object")


def _flat(cloud: dict[str, Any]) -> dict[str, Any] | Rejected:
    data = cloud.get("data", {})
    if "data_base64" in cloud or not isinstance(data, dict):
        return Rejected("wrong_type", "`data` of a CloudEvent is a JSON object here: the fields of the event")
    envelope = {name: cloud[name] for name in _ENVELOPE if name in cloud}
    if differ := [name for name, value in envelope.items() if data.get(name, value) != value]:
        return Rejected("wrong_type", f"`{differ[0]}` is one in the CloudEvent and another in its data")
    return {**data, **envelope}
