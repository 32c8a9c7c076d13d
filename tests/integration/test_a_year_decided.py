"""The year and the quarters of `tests.acceptance.test_a_year_decided`, over HTTP and kept in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_a_year_decided import AskedOfYear, OfYear, decided_quarters, decided_year


@pytest.mark.services
@pytest.mark.parametrize("decided", [decided_year, decided_quarters])
def test_it_is_decided(tmp_path: Path, postgres_url: str, decided: Callable[[OfYear], None]) -> None:
    desk = AskedOfYear(tmp_path, database=postgres_url).begun()
    desk.does("database", "upgrade")
    decided(desk)
