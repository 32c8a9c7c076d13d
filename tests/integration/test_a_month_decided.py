"""The month of `tests.acceptance.test_a_month_decided`, kept in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.test_a_month_decided import Asked, Month, Typed, decided, desk_of
from tests.support.month_end import Desk


@pytest.mark.services
@pytest.mark.parametrize("way_in", [Typed, Asked])
def test_a_month_is_decided(tmp_path: Path, postgres_url: str, way_in: Callable[[Desk], Month]) -> None:
    decided(way_in(desk_of(tmp_path, postgres_url)))
