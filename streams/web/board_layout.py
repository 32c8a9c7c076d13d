"""What a board shows where: figures by their ids, how long somebody may be in a state, what is left out. No formula, no target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from streams.bounded_yaml import YamlError, composed, load_file
from streams.contracts.outputs import Window
from streams.kpi.catalog import KPIS
from streams.web.roles import ROLES, Role

#: What a queue's contacts are.
Channel: TypeAlias = Literal["calls", "chats", "tickets"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
#: Parts of a board, in the order in which they usually stand.
Section: TypeAlias = Literal["tiles", "queues", "teams", "agents"]
SECTIONS: tuple[Section, ...] = get_args(Section)
_Id = Annotated[str, Field(min_length=1, max_length=256)]
_BOARD_ID = r"^[a-z0-9][a-z0-9-]{0,39}$"
_MOST_CELLS = 12
#: Faults that are told of one board.
_MOST_FAULTS = 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Part):
    """What something is called, in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1, max_length=60)]


class Cell(_Part):
    """A KPI in a window. ``name`` stands in for the KPI's own where there is little room."""

    kpi: str
    window: Window = "today"
    name: Name | None = None

    @field_validator("kpi")
    @classmethod
    def _known(cls, kpi: str) -> str:
        if kpi not in KPIS:
            raise ValueError(f"there is no KPI {kpi!r}; docs/kpis.md lists all")
        if KPIS[kpi].live:
            raise ValueError(f"{kpi!r} is of this moment and stands on every queue's card by itself; leave it out")
        return kpi

    @property
    def key(self) -> str:
        """``service_level_20s@30m``."""
        return f"{self.kpi}@{self.window}"


class Filters(_Part):
    """Only these; all where nothing is said."""

    queues: Annotated[list[_Id], Field(max_length=500)] = []
    teams: Annotated[list[_Id], Field(max_length=500)] = []


_Cells = Annotated[list[Cell], Field(max_length=_MOST_CELLS)]


class Board(_Part):
    """A board. ``show``: its parts, in order; ``state_limits``: state → seconds after which it is marked; ``rotate_seconds``: how long a
    page of what does not fit stands (0: it is scrolled); ``roles``: whose first board it is.
    """

    id: Annotated[str, Field(pattern=_BOARD_ID)]
    name: Name
    show: Annotated[list[Section], Field(min_length=1, max_length=4)] = list(SECTIONS)
    tiles: _Cells = []
    queues: dict[Channel, _Cells] = {}
    teams: _Cells = []
    agents: _Cells = []
    state_limits: dict[
        Literal["available", "on_contact", "wrap_up", "away", "training"], Annotated[int, Field(ge=5, le=86_400)]
    ] = {}
    filters: Filters = Filters()
    rotate_seconds: Annotated[int, Field(ge=0, le=600)] = 0
    roles: Annotated[list[Role], Field(max_length=len(ROLES))] = []

    @field_validator("show")
    @classmethod
    def _once(cls, show: list[Section]) -> list[Section]:
        if len(set(show)) != len(show):
            raise ValueError("a part stands on a board once")
        return show

    def cells(self) -> Iterator[Cell]:
        """Every figure on it."""
        yield from (*self.tiles, *self.teams, *self.agents)
        for own in self.queues.values():
            yield from own

    def document(self) -> dict[str, Any]:
        """What its file says, without what goes without saying."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def as_yaml(self) -> str:
        """Its file, as ``--boards`` reads it."""
        return yaml.safe_dump(self.document(), allow_unicode=True, sort_keys=False, default_flow_style=None, width=120)


@dataclass(frozen=True)
class Fault:
    """What is wrong in a board. ``place``: where, such as ``("tiles", 2, "kpi")``; ``line``: of its file, where it comes of one."""

    place: tuple[str | int, ...]
    says: str
    line: int | None = None


class BoardError(ValueError):
    """A board that cannot be used; the message says which, where and what to do, ``faults`` all of it, each in its place."""

    def __init__(self, message: str, faults: Sequence[Fault] = (), place: tuple[str | int, ...] = ()) -> None:
        """``place``: where the message is of, where it is the only one."""
        super().__init__(message)
        self.faults = list(faults) or [Fault(place, message)]


def checked_board(given: Any, root: yaml.Node | None = None) -> Board:
    """The board that a document says. ``root``: its nodes, which know their lines. Raises BoardError with every fault."""
    if not isinstance(given, dict):
        raise BoardError("a board is a mapping with `id`, `name` and what it shows; see docs/desk.md")
    try:
        return Board.model_validate(given)
    except ValidationError as error:
        found = [
            Fault(place := _place(one["loc"]), one["msg"].removeprefix("Value error, "), _line(root, place))
            for one in error.errors()[:_MOST_FAULTS]
        ]
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        where = ".".join(str(part) for part in found[0].place)
        raise BoardError(f"`{where}`: {found[0].says}{more}", found) from error


def board_of_text(text: str) -> Board:
    """The board that a text of YAML says. Raises BoardError with every fault, by line."""
    try:
        root, given = composed(text)
    except YamlError as error:
        raise BoardError(str(error), [Fault((), error.problem, error.line)]) from error
    return checked_board(given, root)


def read_board(path: Any) -> Board:
    """The board that a file says. Raises BoardError."""
    try:
        given = load_file(path)
    except (OSError, YamlError) as error:
        raise BoardError(f"{path}: {error}") from error
    try:
        return checked_board(given)
    except BoardError as error:
        raise BoardError(f"{path}: {error}", error.faults) from error


def checked_id(id: str | None) -> str | None:
    """The id of a board, if it can be one. Raises ValueError."""
    if id is not None and re.fullmatch(_BOARD_ID, id) is None:
        raise ValueError(f"{id!r} is no id of a board: small letters, digits and hyphens, at most 40, such as hall")
    return id


def _place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Where a fault is, without what pydantic says of keys of mappings."""
    return tuple(part for part in loc if part != "[key]")


def _line(node: yaml.Node | None, place: Sequence[str | int]) -> int | None:
    """The line on which a place of a file stands; of what is not there, that of what it should stand in."""
    if node is None:
        return None
    for part in place:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        if found is None:
            break
        node = found
    line: int = node.start_mark.line + 1
    return line


def usual_board() -> Board:
    """The board that comes with the program."""
    return read_board(files("streams.web") / "board.yaml")


def boards(folder: Path | None) -> list[Board]:
    """The boards of a folder (``*.yaml``), by file name, and the usual one behind them unless one of them has its id. Raises BoardError."""
    found: list[Board] = []
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        board = read_board(path)
        if any(board.id == other.id for other in found):
            raise BoardError(f"{path}: there is another board {board.id!r}; give each an id of its own")
        found.append(board)
    if folder is not None and not found:
        raise BoardError(f"{folder}: no board in it; put *.yaml there, or leave the folder out")
    usual = usual_board()
    return found if any(board.id == usual.id for board in found) else [*found, usual]
