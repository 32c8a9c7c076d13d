"""Foreign messages as records: envelopes, lists, headers, what cannot be read; and what they become under the operation's names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.commands.shared.following import system_of
from streams.contracts.decode import Rejected, encode
from streams.sources.mapped.config import TopicSource, load
from streams.sources.mapped.examples import TOPIC
from streams.sources.mapped.messages import Change, Stands, changes
from streams.sources.mapped.reading import MappedReader

STANDS = Stands("crm", 2, 40, 1_772_413_200_123, b'{"id": 7}', [("site", b"north")])


def of(value: Any, each: str | None = None, *, debezium: bool = False) -> list[Change] | Rejected:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return changes(raw, STANDS, each, debezium=debezium)


def one(value: Any) -> Change:
    """The only change of an envelope."""
    found = of(value, debezium=True)
    assert not isinstance(found, Rejected), found
    (change,) = found
    return change


def records(value: Any, each: str | None = None) -> list[Any]:
    found = of(value, each)
    assert not isinstance(found, Rejected), found
    return [change.now for change in found]


def test_a_record_has_what_kafka_knows_of_it() -> None:
    (record,) = records({"id": 7})
    assert record["id"] == 7
    assert record["kafka"] == {
        "topic": "crm", "partition": 2, "offset": 40, "timestamp": 1_772_413_200_123,
        "key": {"id": 7}, "headers": {"site": "north"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "each", "ids"),
    [
        ({"schema": {"type": "struct"}, "payload": {"id": 1}}, None, [1]),
        ([{"id": 1}, {"id": 2}], None, [1, 2]),
        ({"site": "n", "day": {"calls": [{"id": 3}, {"id": 4}]}}, "day.calls", [3, 4]),
        ({"site": "n"}, "day.calls", []),
        ({"schema": None, "payload": None}, None, []),
        (b'\x00\x00\x00\x00\x07{"id": 5}', None, [5]),
        (b'\xef\xbb\xbf{"id": 6}', None, [6]),
        (None, None, []),
    ],
)
def test_records_are_found_wherever_they_are(value: Any, each: str | None, ids: list[int]) -> None:
    assert [record["id"] for record in records(value, each)] == ids


def test_an_entry_of_a_list_has_the_whole_message_beside_it() -> None:
    (record,) = records({"site": "n", "calls": [{"id": 3}]}, "calls")
    assert record["message"]["site"] == "n"


@pytest.mark.parametrize(
    ("value", "each", "reason"),
    [
        (b"", None, "empty"),
        (b"{", None, "not_json"),
        (b"\xff\xfe", None, "not_utf8"),
        (b"\x00\x00\x00\x00\x01\x0eavro", None, "not_json"),
        (b"7", None, "unfit"),
        ([{"id": 1}, 7], None, "unfit"),
        ({"calls": {"id": 1}}, "calls", "unfit"),
        (b"[" * 100_000, None, "not_json"),
    ],
)
def test_what_cannot_be_read_has_a_reason(value: Any, each: str | None, reason: str) -> None:
    found = of(value, each)
    assert isinstance(found, Rejected)
    assert found.reason == reason


def envelope(op: str, before: Any, after: Any, lsn: int = 5) -> dict[str, Any]:
    return {"schema": {}, "payload": {"op": op, "before": before, "after": after, "ts_ms": 9, "source": {"lsn": lsn}}}


@pytest.mark.parametrize(("op", "before"), [("c", None), ("r", None), ("u", {"id": 1, "note": "old"})])
def test_a_row_of_debezium_is_a_record(op: str, before: Any) -> None:
    change = one(envelope(op, before, {"id": 1, "note": "__debezium_unavailable_value"}))
    assert change.now is not None
    assert (change.now["id"], change.now["note"]) == (1, None)
    assert change.now["debezium"] == {"op": op, "ts_ms": 9, "ts_us": None, "source": {"lsn": 5}}
    assert (change.before or {}).get("note") == (before and "old")


def test_a_deletion_is_nothing_now_and_a_tombstone_nothing_at_all() -> None:
    assert one(envelope("d", {"id": 1}, None)).now is None
    assert of(None, debezium=True) == of({"schema": None, "payload": None}, debezium=True) == []
    assert of(envelope("m", None, None), debezium=True) == []


@pytest.mark.parametrize(
    "value", [{"id": 1}, envelope("t", None, None), envelope("u", None, None), envelope("?", 1, 2)]
)
def test_what_is_no_change_of_a_row_is_refused(value: Any) -> None:
    assert isinstance(of(value, debezium=True), Rejected)


# -- what they become ----------------------------------------------------------------------------------------------------

KEYS: dict[str, Any] = {
    "source": "crm", "topic": "crm", "region": "CN", "agents": {"7": "A007"}, "debezium": True, "retract": True,
    "mapping": {
        "time_zone": "Asia/Shanghai", "contact_id": "text(id)", "version": 'number(col("debezium.source.lsn"))',
        "fields": {"customer_id": "pseudonym(phone(text(caller), region))", "agent_id": "text(agent)"},
        "events": [
            {"type": "call.queued", "time": "local(unix(at / 1000000))"},
            {"type": "call.answered", "when": "waited is not none", "time": "local(unix(at / 1000000)) + waited",
             "fields": {"wait_seconds": "waited"}},
        ],
    },
}  # fmt: skip
#: 2026-03-02 09:00:00 by the wall, which Debezium writes as if it were UTC.
AT = 1_772_442_000_000_000


def source(tmp_path: Path, **keys: Any) -> TopicSource:
    import yaml

    path = tmp_path / "source.yaml"
    path.write_text(yaml.safe_dump({**KEYS, **keys}))
    assert system_of(path) == "topic"
    return load(path, TopicSource, "topic")


def told(config: TopicSource, *values: Any, earliest: int | None = None) -> list[dict[str, Any]]:
    reader, found = MappedReader(config, b"key"), []
    for value in values:
        became, refused = reader.read_message(json.dumps(value).encode(), STANDS, config, earliest)
        assert refused is None, refused
        found += [json.loads(encode(event)) for event in became.events]
    return found


def row(**more: Any) -> dict[str, Any]:
    return {"id": 1, "caller": "13900000001", "agent": 7, "at": AT, "waited": None, **more}


def test_a_row_tells_its_events_and_a_newer_one_corrects_them(tmp_path: Path) -> None:
    found = told(source(tmp_path), envelope("c", None, row(), 10), envelope("u", row(), row(waited=4), 20))
    assert [event["id"] for event in found] == [
        "1-queued~10",
        "1-queued",
        "1-queued~20",
        "1-answered~20",
        "1-queued",
        "1-answered",
    ]
    answered = found[-1]
    assert (answered["time"], answered["agent_id"]) == ("2026-03-02T09:00:04+08:00", "A007")
    assert answered["customer_id"] == found[1]["customer_id"] != "13900000001"


def test_what_a_row_no_longer_tells_is_taken_back(tmp_path: Path) -> None:
    found = told(source(tmp_path), envelope("u", row(waited=4), row(), 20), envelope("d", row(), None, 30))
    assert [(event["type"], event["id"], event.get("corrects")) for event in found] == [
        ("call.retracted", "1-answered~20-back", "1-answered"),
        ("call.corrected", "1-queued~20", "1-queued"),
        ("call.queued", "1-queued", None),
        ("call.retracted", "1-queued~30-back", "1-queued"),
    ]
    assert found[0]["sequence"] == 20


def test_a_deletion_of_which_the_key_alone_is_told_is_refused(tmp_path: Path) -> None:
    config = source(tmp_path)
    value = json.dumps(envelope("d", {"id": 7, "caller": None}, None)).encode()
    became, refused = MappedReader(config, b"key").read_message(value, STANDS, config, None)
    assert not became.events
    assert refused is not None
    assert "REPLICA IDENTITY FULL" in refused.detail


def test_rows_may_go_without_being_taken_back(tmp_path: Path) -> None:
    assert told(source(tmp_path, retract=False), envelope("d", row(), None)) == []


def test_what_nobody_accepts_any_more_is_left_out(tmp_path: Path) -> None:
    config = source(tmp_path)
    reader = MappedReader(config, b"key")
    became, _ = reader.read_message(json.dumps(envelope("c", None, row())).encode(), STANDS, config, AT // 1000)
    assert (len(became.events), became.too_old) == (0, 2)


def test_of_a_list_the_good_goes_on(tmp_path: Path) -> None:
    config = source(tmp_path, debezium=False, retract=False, each="calls",
                    mapping={**KEYS["mapping"], "version": "number(id)"})  # fmt: skip
    value = json.dumps({"calls": [row(), row(id=2, at="x"), row(id=3), row(id=4, caller="call me maybe")]}).encode()
    reader = MappedReader(config, b"key")
    became, refused = reader.read_message(value, STANDS, config, None)
    assert {event.id for event in became.events if "~" not in event.id} == {"1-queued", "3-queued"}
    assert refused is not None
    assert refused.detail.startswith("entry 2 of 4: ")
    assert refused.detail.endswith("and 1 more")


def test_names_that_lack_are_counted(tmp_path: Path) -> None:
    config = source(tmp_path)
    reader = MappedReader(config, b"key")
    reader.read_message(json.dumps(envelope("c", None, row(agent=8, waited=1))).encode(), STANDS, config, None)
    assert reader.unmapped["agents"]["8"] == 4  # two events, and their corrections


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"debezium": False}, "retract"),
        ({"mapping": {**KEYS["mapping"], "version": None}}, "version"),
        ({"each": "calls"}, "each"),
        ({"region": "ZZ"}, "no region"),
        ({"topic": "no topic"}, "topic"),
        ({"kafka": {"broker": "k:1", "security_protocol": "SASL_SSL"}}, "sasl_username"),
        ({"kafka": {"broker": "k:1", "sasl_username": "u", "sasl_password": "plain"}}, "secret"),
        ({"nonsense": 1}, "nonsense"),
        ({"mapping": {"time_zone": "UTC"}}, "events"),
        ({"mapping": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        source(tmp_path, **keys)


def test_the_example_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.yaml"
    path.write_text(TOPIC)
    assert load(path, TopicSource, "topic").topic == ("crm.calls",)
