"""Every broken message has one reason; none raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.decode import (
    MAX_EVENT_BYTES,
    REASONS,
    Rejected,
    decode_any,
    decode_contact,
    decode_presence,
    encode,
)
from streams.contracts.events import CallAnswered

GOOD = {
    "type": "call.answered", "id": "1", "source": "s", "time": "2026-03-02T09:00:00+08:00", "contact_id": "c", "wait_seconds": 3,
}  # fmt: skip
RAW = json.dumps(GOOD).encode()


def but(**changes: object) -> bytes:
    return json.dumps({key: value for key, value in {**GOOD, **changes}.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "empty"), (b"", "empty"), (b"{", "not_json"), (RAW[:-1], "not_json"), (RAW + b"}", "not_json"), (b"[]", "not_json"),
        (b"17", "not_json"), (b"\x00\x01", "not_json"), (b"<xml/>", "not_json"), (b"\xef\xbb\xbf" + RAW, "not_json"),
        (RAW.replace(b'"c"', b'"\xff"'), "not_utf8"), (RAW.decode().encode("utf-16"), "not_json"), (but(wait_seconds=float("nan")), "not_json"),
        (b'{"a":' * 9000 + b"1" + b"}" * 9000, "not_json"), (but(note="x" * MAX_EVENT_BYTES), "too_large"),
        (but(type=...), "unknown_type"), (but(type="call.anwsered"), "unknown_type"), (but(type=7), "unknown_type"),
        (but(id=...), "missing_field"), (but(source=...), "missing_field"), (but(contact_id=...), "missing_field"), (but(time=...), "missing_field"),
        (but(contact_id=7), "wrong_type"), (but(wait_seconds="3"), "wrong_type"), (but(vip="yes"), "wrong_type"),
        (but(contact_id=""), "out_of_range"), (but(contact_id="x" * 257), "out_of_range"), (but(wait_seconds=-1), "out_of_range"),
        (but(contact_id="\0"), "out_of_range"), (but(agent_id="a\0b"), "out_of_range"), (but(customer_id="a\1"), "out_of_range"),
        (but(wait_seconds=1e12), "out_of_range"), (RAW.replace(b"3}", b"1e999}"), "out_of_range"),
        (but(type="call.rated", score=6, scale="1-5"), "out_of_range"), (but(type="call.rated", score=3, scale="1 to 6"), "out_of_range"),
        (but(time="2026-03-02T09:00:00"), "bad_time"), (but(time="yesterday"), "bad_time"), (but(time=1772413200), "bad_time"),
        (but(time="1969-12-31T23:59:59Z"), "bad_time"), (but(time="2026-13-02T09:00:00Z"), "bad_time"), (but(time="0001-01-01T00:00:00+14:00"), "bad_time"),
        (but(time="9999-12-31T23:59:59-14:00"), "bad_time"),
    ],
)  # fmt: skip
def test_one_reason_for_each_way_to_be_broken(raw: bytes | None, reason: str) -> None:
    refused = decode_contact(raw)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    assert refused.reason in REASONS
    assert refused.detail


def test_a_shift_that_ends_before_it_starts_is_refused() -> None:
    shift = {
        **GOOD,
        "type": "agent.scheduled",
        "agent_id": "a",
        "starts": GOOD["time"],
        "ends": "2026-03-02T08:00:00+08:00",
    }
    refused = decode_presence(json.dumps(shift).encode())
    assert isinstance(refused, Rejected)
    assert refused.reason == "out_of_range"


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(decode_any(raw), Rejected)


@given(cut=st.integers(0, len(RAW) - 1), put=st.integers(0, 255))
def test_no_flipped_byte_raises(cut: int, put: int) -> None:
    decode_any(RAW[:cut] + bytes([put]) + RAW[cut + 1 :])


def test_what_is_written_is_read_again() -> None:
    event = decode_any(RAW)
    assert isinstance(event, CallAnswered)
    assert decode_any(encode(event)) == event
    assert event.at == 1772413200000
