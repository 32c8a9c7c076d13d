"""Which days stay as they are, as scores have been frozen that were made of them: entry point ``deskpulse.frozen``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from scoring.period import parse_period
from scoring.store.database import Database
from scoring.store.runs import all_runs


def periods(url: str | None, data_dir: Path) -> Iterator[tuple[date, date, str]]:
    """First and last day of each run of which anything is frozen, and which it is. Raises StoreError where the database does not answer."""
    database = Database.of(url, data_dir)
    try:
        if database.begun:
            with database.read() as connection:
                for run in all_runs(connection):
                    if run.revision:
                        period = parse_period(run.period)
                        yield period.first, period.last, f"{run.card} {run.period}"
    finally:
        database.close()
