"""Bodies of every kind, and what is refused of them by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.contracts.events import ContactEvent
from streams.gateway.bodies import MOST_EVENTS, BodyError
from streams.gateway.config import Config, Known
from streams.gateway.intake import Intake, Taken
from streams.kpi.policy.model import Policy
from streams.sources.expressions.people import pseudonyms
from streams.sources.live.refusing import without_values

NOW = 1_772_413_200_000
KEY = b"key"
LINES = "application/x-ndjson"


def intake(**more: Any) -> Intake:
    source = Config.model_validate({"sources": {"ivr": {"token": "$T", **more}}}).sources["ivr"]
    return Intake(Known("ivr", source, ("t",), (), None), KEY, Policy(), wall_clock=True)


def queued(id: str = "C1-queued", **more: Any) -> dict[str, Any]:
    return {"type": "call.queued", "id": id, "time": "2026-03-02T09:00:00+08:00", "contact_id": "C1", **more}


def read(body: Any, kind: str = "application/json", headers: dict[str, str] | None = None, **more: Any) -> Taken:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return intake(**more).read(raw, kind, headers or {}, NOW)


def reasons(taken: Taken) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in taken.refused]


@pytest.mark.parametrize("source", [None, "ivr"])
def test_one_event(source: str | None) -> None:
    taken = read(queued() | ({"source": source} if source else {}))
    assert (taken.events[0].id, taken.events[0].source, taken.refused) == ("C1-queued", "ivr", [])


def test_a_list_takes_what_is_good_and_names_the_rest() -> None:
    taken = read([
        queued("1"), {"type": "call.queued"}, queued("3", source="acd"), queued("4", type="call.nonsense"), 5,
        queued("6", time="2026-03-02T09:00:00"), queued("7", time="2026-03-02T09:30:00+08:00"),
        queued("8", time="2026-02-01T09:00:00+08:00"), queued("9"), queued("10", contact_id="x" * 300),
    ])  # fmt: skip
    assert [event.id for event in taken.events] == ["1", "9"]
    assert reasons(taken) == [
        (2, "missing_field"), (3, "other_source"), (4, "unknown_type"), (5, "not_json"), (6, "bad_time"), (7, "future"),
        (8, "too_late"), (10, "out_of_range"),
    ]  # fmt: skip
    assert taken.refused[2].id == "4"


def test_lines_are_counted_as_they_stand() -> None:
    lines = [json.dumps(queued("1")), "", "{", json.dumps(queued("2")) + "\r"]
    taken = read("\n".join(lines).encode(), LINES)
    assert [event.id for event in taken.events] == ["1", "2"]
    assert reasons(taken) == [(3, "not_json")]


def test_a_key_that_stands_twice_is_no_event() -> None:
    raw = json.dumps(queued()).encode()[:-1] + b', "contact_id": "C2"}'
    assert reasons(read(raw)) == [(1, "not_json")]


def test_lines_that_are_called_json_are_told_what_they_are() -> None:
    taken = read(f"{json.dumps(queued('1'))}\n{json.dumps(queued('2'))}".encode())
    assert LINES in taken.refused[0].detail


DATA = {"contact_id": "C1"}
CLOUD = {
    "specversion": "1.0",
    "id": "C1-queued",
    "type": "call.queued",
    "source": "ivr",
    "time": "2026-03-02T01:00:00Z",
}


@pytest.mark.parametrize(
    ("body", "kind", "headers"),
    [
        (CLOUD | {"data": DATA}, "application/cloudevents+json; charset=utf-8", {}),
        (CLOUD | {"data": DATA}, "application/json", {}),
        ([CLOUD | {"data": DATA}], "application/cloudevents-batch+json", {}),
        (DATA, "application/json", {f"ce-{name}": value for name, value in CLOUD.items()}),
    ],
)
def test_cloud_events(body: Any, kind: str, headers: dict[str, str]) -> None:
    (event,) = read(body, kind, headers).events
    assert isinstance(event, ContactEvent)
    assert (event.id, event.contact_id, event.at) == ("C1-queued", "C1", NOW)


def test_cloud_events_that_are_none_of_ours() -> None:
    binary = {f"ce-{name}": value for name, value in CLOUD.items()} | {"ce-id": "%E4%B8%AD%20%25"}
    assert read(DATA, headers=binary).events[0].id == "中 %"
    assert reasons(read(CLOUD | {"data": "text"})) == [(1, "wrong_type")]
    assert reasons(read(CLOUD | {"data_base64": "e30="})) == [(1, "wrong_type")]
    assert reasons(read(CLOUD | {"data": DATA | {"id": "another"}})) == [(1, "wrong_type")]
    assert reasons(read({name: value for name, value in CLOUD.items() if name != "id"} | {"data": DATA})) == [
        (1, "missing_field")  # no id is made up: sent again, the event would be another
    ]
    assert reasons(read(b"not json", headers=binary)) == [(1, "not_json")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b" ", "application/json", 400),
        (b"[1,", "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"[" + b",".join([b"{}"] * (MOST_EVENTS + 1)) + b"]", "application/json", 413),
    ],
)
def test_what_cannot_be_read_at_all(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(BodyError) as caught:
        read(body, kind)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("written", "region", "wanted"),
    [
        ("139 0000 0001", "CN", "+8613900000001"),
        ("+86 139-0000-0001", None, "+8613900000001"),
        ("13900000001", None, "13900000001"),
        ("C4711x", "CN", "C4711x"),
    ],
)
def test_customers_become_pseudonyms_and_numbers_have_one_spelling(
    written: str, region: str | None, wanted: str
) -> None:
    (event,) = read(queued(customer_id=written), region=region).events
    assert isinstance(event, ContactEvent)
    assert event.customer_id == pseudonyms(KEY)(wanted)
    assert event.key == event.customer_id


def test_a_pseudonym_stays_and_nobody_is_nobody() -> None:
    own = pseudonyms(KEY)("x")
    events = read([queued("1", customer_id=own), queued("2", customer_id="anonymous")]).events
    assert [getattr(event, "customer_id", "") for event in events] == [own, None]
    assert reasons(read(queued(customer_id="1.39E+10"))) == [(1, "wrong_type")]


def test_a_source_sends_what_it_may() -> None:
    assert reasons(read(queued(), sends=["agents"])) == [(1, "may_not_send")]


def test_on_the_event_clock_the_past_is_as_good_as_any() -> None:
    source = Config.model_validate({"sources": {"ivr": {"token": "$T"}}}).sources["ivr"]
    reads = Intake(Known("ivr", source, ("t",), (), None), KEY, Policy(), wall_clock=False)
    past = json.dumps(queued(time="2024-02-01T09:00:00+08:00")).encode()
    assert len(reads.read(past, "", {}, NOW).events) == 1


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("fields.customer_id: '+8613900000001' is no telephone number", "fields.customer_id: … is no telephone number"),
        ("it's \"O'Brien\" and 13900000001", "it's … and …"),
        ("Object missing required field `contact_id`", "Object missing required field `contact_id`"),
    ],
)
def test_what_the_page_shows_has_nobodys_data(detail: str, shown: str) -> None:
    assert without_values(detail) == shown
