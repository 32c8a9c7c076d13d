"""The tokens of scores let people see names elsewhere too: entry point ``deskpulse.logins``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from scoring.store.database import Database
from scoring.store.tokens import Login, TokenError, login


def viewer(database: str | None, data_dir: Path, token: str, now: datetime) -> Login | None:
    """Who a token lets in now; None: nobody. Raises StoreError where the database does not answer."""
    kept = Database.of(database, data_dir)
    try:
        if not kept.begun:
            return None
        with kept.read() as connection:
            return login(connection, token, now)
    except TokenError:
        return None
    finally:
        kept.close()
