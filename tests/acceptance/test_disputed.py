"""The figures of docs/disputed.md are those that the real month comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.disputed import Disputed, shown


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> dict[str, str]:
    return Disputed(shared_data).tables()


@pytest.mark.parametrize("name", ["service-level", "abandonment", "returns"])
def test_the_page_says_what_the_month_comes_to(name: str, tables: dict[str, str]) -> None:
    """`python -m tests.acceptance.disputed` writes the tables anew."""
    assert shown(name) == tables[name]


def test_the_page_says_what_first_contact_resolution_comes_to(tables: dict[str, str]) -> None:
    """`python -m tests.acceptance.disputed` writes the table anew."""
    assert shown("fcr") == tables["fcr"]
