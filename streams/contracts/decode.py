"""From bytes to an event, or to the reason why not: one step, never an exception."""

from __future__ import annotations

from typing import TypeVar, get_args

import msgspec

from streams.contracts.events import (
    AgentScheduled,
    AnyContactEvent,
    AnyEvent,
    PresenceEvent,
    Rated,
    scale_ends,
)

#: A message longer than this is not an event of one contact's one moment. Bytes.
MAX_EVENT_BYTES = 65_536
#: Event times outside these years cannot be reckoned with; the policy's ``earliest_day`` may begin later.
FIRST_YEAR, LAST_YEAR = 1970, 2199
#: A shift longer than this is a mistake in its date.
LONGEST_SHIFT_HOURS = 72


E = TypeVar("E", bound=AnyEvent)


class Rejected(msgspec.Struct, frozen=True):
    """Why a message is not admitted: ``reason`` is one word to count by, ``detail`` says what and where."""

    reason: str
    detail: str


_contact = msgspec.json.Decoder(AnyContactEvent)
_presence = msgspec.json.Decoder(PresenceEvent)
_any = msgspec.json.Decoder(AnyEvent)
_encoder = msgspec.json.Encoder()
#: Stand between ids in keys of state; as JSON writes them, they begin with this.
_BORDERS, _AS_JSON = ("\0", "\1"), b"\\u000"
#: Most messages have none, which is found out in a tenth of the time.
_ESCAPE = ord("\\")
#: Types with bounds that their fields' types cannot state.
_BOUNDED = frozenset({*(type_ for type_ in get_args(AnyEvent) if issubclass(type_, Rated)), AgentScheduled})

#: Every reason with which a message can be refused, and what it means. Metrics and documentation list these.
REASONS = {
    "empty": "the message has no value",
    "too_large": f"longer than {MAX_EVENT_BYTES} bytes",
    "not_utf8": "the bytes are not UTF-8",
    "not_json": "not one JSON object",
    "unknown_type": "`type` is absent or names no event",
    "missing_field": "a required field is absent",
    "wrong_type": "a field has another type than the contract's",
    "out_of_range": "a value lies outside its range",
    "bad_time": f"a time without offset, malformed, not of the years {FIRST_YEAR} to {LAST_YEAR}, or before the policy's earliest_day",
    "future": "the event time lies further ahead of the machine's clock than the policy allows",
    "failed": "the event could not be joined to its contact: a defect of ours, the log has it",
    "plain_customer": "the customer id does not look like a pseudonym, and DESKPULSE_CUSTOMER_IDS is `refuse`",
    "not_covered": "no version of the policy, or no calendar of its business hours, covers the contact's day, or the policy does not know "
    "the rating's scale",
    "differs": "an event with this id is known and says something else: the first stands, and a correction would change it",
    "internal": "a record of an internal topic that this worker cannot read: damaged, or written by a later version",
    "too_late": "the event time lies further back than the allowed lateness",
    "unfit": "a message of another system does not fit the mapping of its source",
}


def encode(event: AnyEvent) -> bytes:
    """The JSON of an event, absent fields left out."""
    return _encoder.encode(event)


def decode_contact(raw: bytes | None) -> AnyContactEvent | Rejected:
    """An event of a call, chat or ticket."""
    return _decode(_contact, raw)


def decode_presence(raw: bytes | None) -> PresenceEvent | Rejected:
    """An event about an agent."""
    return _decode(_presence, raw)


def decode_any(raw: bytes | None) -> AnyEvent | Rejected:
    """An event of any type."""
    return _decode(_any, raw)


def _decode(decoder: msgspec.json.Decoder[E], raw: bytes | None) -> E | Rejected:  # noqa: PLR0911 - a refusal each
    if not raw:
        return Rejected("empty", "the message has no value")
    if len(raw) > MAX_EVENT_BYTES:
        return Rejected("too_large", f"{len(raw)} bytes, at most {MAX_EVENT_BYTES}")
    try:
        event = decoder.decode(raw)
    except msgspec.ValidationError as error:
        return Rejected(_reason(str(error)), str(error))
    except UnicodeDecodeError as error:
        return Rejected("not_utf8", str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Rejected("not_json", str(error))
    if _ESCAPE in raw and _AS_JSON in raw and (refused := _has_borders(event)):
        return refused
    if FIRST_YEAR <= event.time.year <= LAST_YEAR and type(event) not in _BOUNDED:
        return event
    return _out_of_bounds(event) or event


def refuse(event: AnyEvent) -> Rejected | None:
    """What the types cannot say about an event: None where it is sound."""
    return _has_borders(event) or _out_of_bounds(event)


def _has_borders(event: AnyEvent) -> Rejected | None:
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, str) and any(border in value for border in _BORDERS):
            return Rejected("out_of_range", f"`{name}` has the character U+0000 or U+0001, which no text may have")
    return None


def _out_of_bounds(event: AnyEvent) -> Rejected | None:
    if not FIRST_YEAR <= event.time.year <= LAST_YEAR:
        return Rejected("bad_time", f"{event.time.isoformat()} is not between {FIRST_YEAR} and {LAST_YEAR}")
    if isinstance(event, Rated):
        low, high = sorted(scale_ends(event.scale))
        if low == high:
            return Rejected("out_of_range", f"a scale from {low} to {high} is none")
        if not low <= event.score <= high:
            return Rejected("out_of_range", f"score {event.score:g} is not on the scale {event.scale}")
    elif isinstance(event, AgentScheduled):
        if event.ends <= event.starts:
            return Rejected("out_of_range", f"shift ends {event.ends.isoformat()}, not after its start")
        if (hours := (event.ends - event.starts).total_seconds() / 3600) > LONGEST_SHIFT_HOURS:
            return Rejected("out_of_range", f"shift lasts {hours:g} h, at most {LONGEST_SHIFT_HOURS} are believed")
    return None


#: What stands in a validation message of msgspec (read in 0.19 to 0.22), and which of REASONS that is: the first that does.
_SAYS = (
    ("missing required field `type`", "unknown_type"),
    ("missing required field", "missing_field"),
    *((words, "bad_time") for words in ("RFC3339", "`datetime`", "timezone")),
    *((words, "out_of_range") for words in (" of length ", "Expected `float` ", "Expected `int` ")),
    *((words, "out_of_range") for words in ("Invalid enum", "Number out of range", "matching regex")),
)


def _reason(message: str) -> str:
    if message.endswith("- at `$.type`"):
        return "unknown_type"
    if message.startswith("Expected `object`") and " - at " not in message:
        return "not_json"
    return next((reason for words, reason in _SAYS if words in message), "wrong_type")
