"""A mapping on records of JSON: fields by their path, lists, what is absent; and who calls."""

from __future__ import annotations

from typing import Any

import pytest

from streams.contracts.decode import encode
from streams.sources.expressions.people import caller
from streams.sources.table.mapping import TableMapping
from streams.sources.table.reader import UnfitError
from streams.sources.table.record import record_reader

RECORD = {
    "id": 7, "at": "2026-03-02T09:00:00+08:00", "who": {"name": " Zhang ", "note": "", "vip": True},
    "changes": [{"a": {"now": 1}}, "text", {"b": {"now": 2}}, {"b": {"now": 3}}], "seconds": 4.5,
}  # fmt: skip


def reads(**fields: str) -> Any:
    mapping = TableMapping.model_validate({
        "source": "x", "time_zone": "UTC", "contact_id": "text(id)", "let": {"half": "number(seconds) / 2"},
        "events": [{"type": "call.answered", "time": "datetime(at)", "fields": fields}],
    })  # fmt: skip
    return record_reader(mapping, b"key")


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('col("who.name")', "Zhang"),
        ('text(col("changes.b.now"))', "2"),
        ('text(col("changes.0.a.now"))', "1"),
        ('text(col("changes.9.a"))', None),
        ('col("who.note")', None),
        ('col("who.none.at.all")', None),
        ('col("who.name.first")', None),
        ("absent", None),
    ],
)
def test_a_field_is_found_by_its_path(expression: str, wanted: str | None) -> None:
    (event,) = reads(agent_id=expression)(RECORD)
    assert event.agent_id == wanted


def test_numbers_and_truth_are_what_they_are() -> None:
    (event,) = reads(wait_seconds="half", vip='col("who.vip")')(RECORD)
    assert (event.wait_seconds, event.vip) == (2.25, True)
    assert b'"contact_id":"7"' in encode(event)


@pytest.mark.parametrize("field", ["id", 'col("changes")', 'col("who")', "seconds + at"])
def test_what_does_not_fit_is_an_error_that_names_it(field: str) -> None:
    with pytest.raises(UnfitError, match=r"call\.answered"):
        reads(agent_id=field)(RECORD)


@pytest.mark.parametrize(
    ("written", "region", "wanted"),
    [
        ("139 0000 0001", "CN", "+8613900000001"),
        ("sip:+8613900000001@pbx", "", "+8613900000001"),
        ("021-6888 0000 转 12", "CN", "+862168880000;ext=12"),
        ("13900000001", "", "13900000001"),
        ("Alice 100", "CN", "Alice 100"),
        ("C4711", "CN", "C4711"),
        ("+86 nobody", "CN", "+86 nobody"),
        ("+999123", "", "+999123"),
        ("li@example.com", "CN", "li@example.com"),
        ("anonymous", "CN", None),
        (None, "CN", None),
    ],
)
def test_who_calls(written: str | None, region: str, wanted: str | None) -> None:
    assert caller(written, region) == wanted


def test_a_region_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="China"):
        caller("x", "China")
