"""The months of `tests.acceptance`, kept in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.test_a_month_decided import Asked, Month, Typed, decided, desk_of, month_of
from tests.acceptance.test_month_of_200 import month_end, operation


@pytest.mark.services
@pytest.mark.parametrize("way_in", [Typed, Asked])
def test_a_month_is_decided(tmp_path: Path, postgres_url: str, way_in: type[Month]) -> None:
    decided(month_of(desk_of(tmp_path, postgres_url), way_in))


@pytest.mark.services
def test_a_month_of_two_hundred_people(tmp_path: Path, postgres_url: str) -> None:
    month_end(operation(tmp_path, postgres_url))
