"""Boards that people save at the desk: each change is a version, and an earlier one can be had again."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, func, insert, select

from streams.database import Database, StoreError
from streams.web.board_layout import Board, BoardError, checked_board, usual_board
from streams.web.roles import Visitor
from streams.web.store import note
from streams.web.tables import boards as table

_LOG = logging.getLogger(__name__)
#: Boards that are kept at one time, and versions of one.
MOST_BOARDS, MOST_VERSIONS = 200, 1000


@dataclass(frozen=True)
class Version:
    """A change of a board. ``at``: ms since 1970; ``restored``: the version that it is again; ``gone``: the board was removed."""

    version: int
    at: int
    author: str
    restored: int | None
    gone: bool


@dataclass(frozen=True)
class Kept:
    """A board as it is now. ``version``: 0 of one that nobody has saved; ``owner``: who saved it first; ``at``: when it was saved last."""

    board: Board
    version: int = 0
    owner: str | None = None
    at: int = 0


class StaleBoardError(ValueError):
    """Somebody else has saved the board in the meantime."""


def versions(connection: Connection, board: str) -> list[Version]:
    """Every change of a board, the newest first."""
    rows = connection.execute(select(table).where(table.c.board == board).order_by(table.c.version.desc()))
    return [Version(row.version, row.at, row.author, row.restored, row.document is None) for row in rows]


def at_version(connection: Connection, board: str, version: int) -> dict[str, Any] | None:
    """What a board said; None: there is no such version, or it is of its removal."""
    query = select(table.c.document).where(table.c.board == board, table.c.version == version)
    found: dict[str, Any] | None = connection.execute(query).scalar()
    return found


def newest(connection: Connection) -> list[Kept]:
    """The boards that were saved and not removed, the last saved first. One that this program does not understand is left out."""
    last = select(table.c.board, func.max(table.c.version).label("version")).group_by(table.c.board).subquery()
    both = (table.c.board == last.c.board) & (table.c.version == last.c.version)
    query = (
        select(table).join(last, both).where(table.c.document.is_not(None)).order_by(table.c.at.desc(), table.c.board)
    )
    owners = {
        row.board: row.author
        for row in connection.execute(select(table.c.board, table.c.author).where(table.c.version == 1))
    }
    found: list[Kept] = []
    for row in connection.execute(query):
        try:
            found.append(Kept(checked_board(row.document), row.version, owners.get(row.board), row.at))
        except BoardError as error:
            _LOG.warning("the board %s, version %d, cannot be shown: %s", row.board, row.version, error)
    return found


def save(
    connection: Connection, board: str, document: dict[str, Any] | None, base: int, author: str, at: int, restored: int | None = None
) -> int:  # fmt: skip
    """Keep a change of a board, and return its version. ``document``: None removes it; ``base``: the version that was changed; 0: there
    is none, or none any more.

    Raises StaleBoardError where there is a newer one, and ValueError where there are too many.
    """
    found = connection.execute(
        select(table).where(table.c.board == board).order_by(table.c.version.desc()).limit(1)
    ).first()
    last, is_gone = (found.version, found.document is None) if found is not None else (0, True)
    if base != last and not (is_gone and base == 0):
        raise StaleBoardError("somebody else has saved this board in the meantime; load it anew")
    if last >= MOST_VERSIONS:
        raise ValueError(f"a board has at most {MOST_VERSIONS} versions; save it under another id")
    kept = connection.execute(select(func.count(table.c.board.distinct()))).scalar_one()
    if not last and kept >= MOST_BOARDS:
        raise ValueError(f"at most {MOST_BOARDS} boards are kept; change one that is there")
    values = {
        "board": board,
        "version": last + 1,
        "at": at,
        "author": author[:256],
        "document": document,
        "restored": restored,
    }
    connection.execute(insert(table).values(**values))
    note(connection, at, author, "board-saved" if document is not None else "board-removed", board)
    return int(last) + 1


class BoardBook:
    """All boards there are: those that people have saved, those of files, and the usual one; of one id, what was saved."""

    def __init__(self, database: Database, files: Sequence[Board]) -> None:
        """``files``: boards that come of files; the usual one where there is none."""
        self._database = database
        self._files = {one.id: one for one in files or (usual_board(),)}
        self._saved: list[Kept] = []
        self.revision = ""
        self._count()

    def refresh(self) -> None:
        """Look at the database. Where it is away, what was known stands."""
        try:
            if self._database.begun:
                with self._database.read() as connection:
                    self._saved = newest(connection)
        except StoreError as error:
            _LOG.warning("boards are as they were: %s", error)
        self._count()

    def all(self) -> list[Kept]:
        """As of the last look: what was saved last first, then those of files."""
        saved = {one.board.id for one in self._saved}
        return [*self._saved, *(Kept(one) for id, one in self._files.items() if id not in saved)]

    def get(self, id: str) -> Kept | None:
        """The board of this id, as of the last look."""
        return next((one for one in self.all() if one.board.id == id), None)

    def of(self, visitor: Visitor) -> list[Kept]:
        """The boards for somebody, their role's first; a screen that has one of its own shows that."""
        found = sorted(self.all(), key=lambda one: not visitor.roles & set(one.board.roles))
        if visitor.board is not None and (own := [one for one in found if one.board.id == visitor.board]):
            return own
        return found

    def cells(self) -> list[str]:
        """Every figure of every board, as ``kpi@window``."""
        return list(dict.fromkeys(cell.key for one in self.all() for cell in one.board.cells()))

    def _count(self) -> None:
        told = [one.board.document() for one in self.all()]
        self.revision = sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def may_change(visitor: Visitor, kept: Kept | None, roles: bool = False) -> bool:
    """May they change this board? Administrators any; supervisors their own, and make others (``kept`` None). ``roles``: do they change
    whose first board it is, which administrators do?
    """
    if "administrator" in visitor.roles:
        return True
    if "supervisor" not in visitor.roles or roles:
        return False
    return kept is None or kept.owner == visitor.author
