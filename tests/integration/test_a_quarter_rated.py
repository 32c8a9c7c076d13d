"""The quarter of `tests.acceptance.test_a_year_decided` that peers rate, kept in PostgreSQL: which keeps what was written, and nothing of who rated."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.acceptance.test_a_year_decided import quarter_of, rated_by_peers


@pytest.mark.services
def test_a_quarter_is_rated_by_peers(tmp_path: Path, postgres_url: str) -> None:
    rated_by_peers(quarter_of(tmp_path, postgres_url))
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        left = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            for name in ("panel_codes", "panel_ratings")
        }
    assert left == {"panel_codes": 0, "panel_ratings": 0}
    for table in ("days_off", "panels", "panel_results"):
        with pytest.raises(DBAPIError, match="keeps what was written"), engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
