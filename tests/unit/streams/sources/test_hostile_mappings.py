"""Mappings without end: what doubles itself, and what goes through name upon name, has bounds in time and memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.sources.expressions.compiler import Scope, compiled
from streams.sources.expressions.datetimes import Moments
from streams.sources.expressions.functions import functions
from streams.sources.expressions.operators import MOST_CHARACTERS
from streams.sources.expressions.parser import MAX_DEPTH, MAX_DEPTH_WITH_NAMES, ExpressionError, parse
from streams.sources.table.mapping import TableMapping, load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow, RejectedRow

SCOPE = Scope({}, {"cell": 0}, functions(Moments(ZoneInfo("UTC")), {}, None))


def value(text: str, cell: str = "x") -> Any:
    return compiled(parse(text), SCOPE)([cell])


def mapping(let: dict[str, str], **others: Any) -> TableMapping:
    body = {
        "source": "s", "time_zone": "UTC", "contact_id": "id", "let": let,
        "events": [{"type": "call.queued", "time": "datetime(at)", "fields": {"queue_id": "queue"}}], **others,
    }  # fmt: skip
    return TableMapping.model_validate(body)


def rows(tmp_path: Path, of: TableMapping) -> list[Any]:
    table = tmp_path / "t.csv"
    table.write_text("id,at,queue\nc1,2026-03-02 09:00:00,q\n", encoding="utf-8")
    return list(read_table(table, of))


@pytest.mark.parametrize(
    ("first", "step", "says"),
    [
        ('"x"', "{0} + {0}", f"at most {MOST_CHARACTERS}"),
        ('"xx"', 'replace({0}, "x", {0})', f"at most {MOST_CHARACTERS}"),
        ('"xx"', 'replace({0}, "", {0})', f"at most {MOST_CHARACTERS}"),
        ('"x"', "join({0}, {0}, {0}, {0})", f"at most {MOST_CHARACTERS}"),
        ("9", "{0} * {0}", "more than 18 digits"),
        ("9", "{0} + {0} * 1000", "more than 18 digits"),
        ("-9", "{0} - {0} * -1000", "more than 18 digits"),
        ("9", "days({0})", "more than 18 digits"),
        ("1e300", "{0} * {0}", ""),
    ],
)
def test_names_that_grow_by_each_other(tmp_path: Path, first: str, step: str, says: str) -> None:
    let = {"n0": first} | {f"n{n}": step.format(f"n{n - 1}") for n in range(1, 30)}
    (row,) = rows(tmp_path, mapping(let, where='text(n29) != "a"'))
    if says:
        assert isinstance(row, RejectedRow)
        assert says in row.reason
    else:
        assert isinstance(row, ReadRow)


def test_names_upon_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_DEPTH_WITH_NAMES}"):
        mapping({"n0": "1"} | {f"n{n}": f"n{n - 1} + 1" for n in range(1, 1000)})
    for step in (
        "{0} and {0}",
        "coalesce({0})",
        "true if {0} else {0}",
        "{0} in (true, {0})",
        "not {0} == false == {0}",
    ):
        last = (MAX_DEPTH_WITH_NAMES - 4) // parse(step.format("x")).levels
        let = {"n0": "true"} | {f"n{n}": step.format(f"n{n - 1}") for n in range(1, last)}
        (row,) = rows(tmp_path, mapping(let, where=f"n{last - 1} in (true, false)"))
        assert isinstance(row, ReadRow)


def test_comparisons_in_comparisons_are_computed_once() -> None:
    """Each level of a chain would double the work: 90 levels took longer than the world has been there."""
    text = "true"
    for _ in range(MAX_DEPTH - 4):
        text = f"true == ({text}) == true"
    began = time.process_time()
    assert value(text) is True
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("3 > 2 >= 2 == 2", True),
        ('cell == "x" != "y"', True),
        ('cell in ("x", "y")', True),
        ('cell not in ("x", "y")', False),
        ("cell is None", False),
        ("cell is not None", True),
        ("1 == 1 in (1, 2)", True),
    ],
)
def test_chains_mean_what_they_did(text: str, holds: bool) -> None:
    assert value(text) is holds


@pytest.mark.parametrize(
    "text", ['cell in ("a") == true', "9" * 30, "(" * 1500, "-" * 1900 + "1", "not " * 480 + "true", "a" * 2001]
)
def test_what_no_expression_is(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text)


def test_a_mapping_of_every_length_is_refused_soon(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("let:\n" + "".join(f"  n{n}: n{n - 1}\n" for n in range(1, 30_000)), encoding="utf-8")
    began = time.process_time()
    with pytest.raises(ValueError, match=r"m\.yaml"):
        load_mapping(file)
    assert time.process_time() - began < 30
