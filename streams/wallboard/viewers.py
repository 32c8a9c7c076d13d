"""Who looks at the wallboard, and whose names they may see. The page and its figures need no login; names do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from fastapi import HTTPException

from streams.contracts.outputs import entity_id, entity_kind
from streams.database import StoreError
from streams.languages.text import Text
from streams.people.names import Names, Viewer
from streams.people.store import names, unit_names
from streams.people.units import UnitNames
from streams.settings import Settings


class Logins(Protocol):
    """What the entry point ``deskpulse.logins`` names: who a token lets in now; None: nobody."""

    def __call__(self, database: str | None, data_dir: Path, token: str, now: datetime) -> Viewer | None:
        """Raises StoreError where the database does not answer."""


def called(settings: Settings, people: Names) -> Callable[[str], Text | None]:
    """Entity → its name in a text: of agents by ``people``, of teams, queues and sites what they are called.

    Raises HTTPException: 503 where the database does not answer.
    """
    units = units_of(settings)

    def name(key: str) -> Text | None:
        return people.in_texts(entity_id(key)) if entity_kind(key) == "agent" else units.in_texts(key)

    return name


def units_of(settings: Settings) -> UnitNames:
    """What teams, queues and sites are called: everybody may see it. Raises HTTPException as ``names_for``."""
    try:
        return unit_names(settings.database, settings.data_dir)
    except StoreError as error:
        raise HTTPException(503, str(error)) from error


def names_for(settings: Settings, team_of: Collection[str], viewer: Viewer | None) -> Names:
    """The names that somebody may see. ``team_of``: agents of the team that ``viewer`` leads.

    Raises HTTPException: 503 where the database does not answer.
    """
    everyone = settings.names == "all"
    if settings.names == "none" or (viewer is None and not everyone):
        return Names()
    try:
        known = names(settings.database, settings.data_dir)
    except StoreError as error:
        raise HTTPException(503, str(error)) from error
    if everyone or viewer is None:
        return known
    team = viewer.team
    return known.only(lambda id: viewer.may_see(id, team if id in team_of else None))


def viewer_of(settings: Settings, token: str | None, now: datetime) -> Viewer | None:
    """Who a token lets in; None without one, and where names are shown to everybody or nobody.

    Raises HTTPException: 401 for a token that lets nobody in, 503 where the database does not answer.
    """
    if token is None or settings.names != "token":
        return None
    try:
        for point in entry_points(group="deskpulse.logins"):
            login: Logins = point.load()
            if (viewer := login(settings.database, settings.data_dir, token, now)) is not None:
                return viewer
    except StoreError as error:
        raise HTTPException(503, str(error)) from error
    raise HTTPException(
        401, "this token lets nobody in; `deskpulse score token add` makes one", {"WWW-Authenticate": "Bearer"}
    )
