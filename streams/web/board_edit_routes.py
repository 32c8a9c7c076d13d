"""Boards that people make at the desk, over HTTP: looked at, checked, saved, put back to an earlier version, taken away as YAML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from streams.database import Database
from streams.web.access import Anybody, having
from streams.web.board_layout import Board, BoardError, board_of_text, checked_board
from streams.web.board_store import BoardBook, StaleBoardError, Version, at_version, may_change, save, versions
from streams.web.roles import Visitor

_EDITS = having("supervisor", "administrator")
_Id = Annotated[str, InPath(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_MOST_TEXT = 40_000


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ToCheck(_Sent):
    """A board as YAML."""

    yaml: Annotated[str, Field(max_length=_MOST_TEXT)]


class ToSave(_Sent):
    """A board's document, what a file of it says. ``base``: the version that was changed, 0 of one that nobody has saved; ``restored``:
    the version that it is again.
    """

    board: dict[str, Any]
    base: Annotated[int, Field(ge=0)]
    restored: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True)
class BoardEdits:
    """What the routes share. ``saved``: tells whoever shows boards that there is another."""

    database: Database
    book: BoardBook
    saved: Callable[[], None]
    now_ms: Callable[[], int]


def board_edit_routes(edits: BoardEdits) -> APIRouter:
    """The routes."""
    router = APIRouter(dependencies=[_EDITS])
    _looks(router, edits)
    _changes(router, edits)
    return router


def _looks(router: APIRouter, edits: BoardEdits) -> None:
    book = edits.book

    @router.get("/api/boards/{id}")
    def one(id: _Id, visitor: Anybody) -> dict[str, Any]:
        """A board as it is to be edited: its `document` and the same as `yaml`, its `version`, all `versions`, and whether somebody may
        change it (`own`) and whose first board it is (`roles`: of each role, the board that they have). 404 where there is none.
        """
        book.refresh()
        kept = book.get(id)
        if kept is None:
            raise HTTPException(404, "there is no such board")
        return {
            "document": kept.board.document(), "yaml": kept.board.as_yaml(), "version": kept.version,
            "versions": [asdict(one) for one in _versions(edits, id)], "own": may_change(visitor, kept),
            "roles": "administrator" in visitor.roles, "firsts": _firsts(book),
        }  # fmt: skip

    @router.get("/api/boards/{id}/yaml")
    def as_yaml(id: _Id) -> Response:
        """The board's file, as `--boards` reads it."""
        book.refresh()
        kept = book.get(id)
        if kept is None:
            raise HTTPException(404, "there is no such board")
        headers = {"Content-Disposition": f'attachment; filename="{id}.yaml"'}
        return Response(kept.board.as_yaml(), media_type="application/yaml", headers=headers)

    @router.get("/api/boards/{id}/versions/{version}")
    def earlier(id: _Id, version: Annotated[int, InPath(ge=1, le=1_000_000)]) -> dict[str, Any]:
        """What a board said in an earlier version; 404 where there is none, or where it is of its removal."""
        with edits.database.read() as connection:
            document = at_version(connection, id, version)
        if document is None:
            raise HTTPException(404, "there is no such version")
        return {"document": document}

    @router.post("/api/boards/check")
    def check(given: ToCheck) -> dict[str, Any]:
        """The `document` that a text of YAML says. 422 with every fault: `loc`, `msg`, `line`. Nothing is kept."""
        with _Placed():
            return {"document": board_of_text(given.yaml).document()}


def _changes(router: APIRouter, edits: BoardEdits) -> None:
    book = edits.book

    @router.put("/api/boards/{id}")
    def change(id: _Id, given: ToSave, visitor: Anybody) -> dict[str, Any]:
        """Save a board: a new version. 422 with every fault in its place; 403 where it is another's (administrators change all, and only
        they whose first board it is); 409 where somebody has saved it since `base`.
        """
        book.refresh()
        kept = book.get(id)
        with _Placed():
            board = checked_board(given.board)
            if board.id != id:
                raise BoardError(f"this is the board {id!r}; leave its id as it is", place=("id",))
        _refuse(visitor, edits, id, set(board.roles) != set(kept.board.roles if kept else ()))
        version = _save(edits, id, board, given.base, visitor, given.restored)
        return {"version": version}

    @router.delete("/api/boards/{id}")
    def remove(id: _Id, base: int, visitor: Anybody) -> dict[str, Any]:
        """Remove a board; what comes of a file is then as the file says. Its versions stay, and an earlier one can be saved again. 404
        where nobody has saved it; else as a change.
        """
        book.refresh()
        kept = book.get(id)
        if kept is None or not kept.version:
            raise HTTPException(404, "there is no such board, or it comes of a file, which stays")
        _refuse(visitor, edits, id, bool(kept.board.roles))
        return {"version": _save(edits, id, None, base, visitor)}


def _refuse(visitor: Visitor, edits: BoardEdits, id: str, roles: bool) -> None:
    kept = edits.book.get(id)
    if may_change(visitor, kept, roles):
        return
    if kept is not None and not may_change(visitor, kept):
        raise HTTPException(403, "this board is another's; save it under an id of your own")
    raise HTTPException(403, "whose first board it is, an administrator says; leave `roles` as they are")


def _save(
    edits: BoardEdits, id: str, board: Board | None, base: int, visitor: Visitor, restored: int | None = None
) -> int:
    document = None if board is None else board.document()
    try:
        with edits.database.write() as connection:
            version = save(connection, id, document, base, visitor.author, edits.now_ms(), restored)
    except StaleBoardError as stale:
        raise HTTPException(409, str(stale)) from stale
    edits.book.refresh()
    edits.saved()
    return version


def _versions(edits: BoardEdits, id: str) -> Sequence[Version]:
    with edits.database.read() as connection:
        return versions(connection, id)


def _firsts(book: BoardBook) -> dict[str, str]:
    """Role → the board that they have first."""
    found: dict[str, str] = {}
    for kept in book.all():
        for role in kept.board.roles:
            found.setdefault(role, kept.board.id)
    return found


class _Placed:
    """Answers 422 with each fault of a board in its place."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, BoardError):
            told = [
                {"loc": list(one.place), "msg": one.says, **({} if one.line is None else {"line": one.line})}
                for one in error.faults
            ]
            raise HTTPException(422, told) from error
