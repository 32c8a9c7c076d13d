"""The table of docs/security.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "security.md"
_NAMED = re.compile(r"`tests/((?:unit|e2e|integration|contract)/[\w/]+\.py)(?:::(\w+))?`")


def test_every_test_that_the_table_names_is_there() -> None:
    named = _NAMED.findall(_PAGE.read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (path := _ROOT / "tests" / file).is_file()
        or (test and f"def {test}(" not in path.read_text(encoding="utf-8"))
    ]
    assert not missing


def test_every_line_says_whether_it_is_so_and_gaps_stand_at_the_end() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    table, _, gaps = page.partition("## What is missing")
    lines = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if re.match(r"\| \d", row)
    ]
    assert len(lines) > 30
    for number, _, here, _ in lines:
        verdict = re.match(r"yes|partly|no|by the provider", here)
        assert verdict, number
        if verdict.group() in ("partly", "no"):
            assert any(each in gaps for each in re.findall(r"\d+\.\d+\.\d+", number)), number
