"""Mapping files: which events a table's rows stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from streams import bounded_yaml
from streams.contracts.events import AnyEvent, ContactEvent, Event
from streams.kpi.policy.names import Aliases, aliases
from streams.kpi.policy.zones import Zone
from streams.sources.expressions.compiler import Scope, compiled
from streams.sources.expressions.datetimes import Ambiguous, Moments
from streams.sources.expressions.functions import functions
from streams.sources.expressions.parser import MAX_DEPTH_WITH_NAMES, Expression, ExpressionError, parse
from streams.sources.table.layout import Layout

EventStruct: TypeAlias = type[Event]
#: Every event by its type.
EVENT_TYPES: dict[str, EventStruct] = {struct.__struct_config__.tag: struct for struct in get_args(AnyEvent)}
#: Fields that a mapping states beside `fields`, once for all its events or once for each.
_OWN_KEYS = frozenset({"id", "source", "time", "contact_id"})

Scalar = bool | int | float | str
Formula = Annotated[Expression, BeforeValidator(lambda value: value if isinstance(value, Expression) else parse(value))]


class EventMapping(BaseModel):
    """One event that a row may stand for."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    type: str = Field(description="Type of the event, like call.answered")
    when: Formula | None = Field(None, description="Condition; every row where absent")
    time: Formula = Field(description="When it happened: a moment")
    id: Formula | None = Field(None, description="Event id; `contact_id-` and the end of the type where absent")
    fields: dict[str, Formula] = Field(default_factory=dict, description="Fields of this event")

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if value not in EVENT_TYPES:
            raise ValueError(f"{value!r} is no event; there are {', '.join(EVENT_TYPES)}")
        return value

    @cached_property
    def struct(self) -> EventStruct:
        """The structure of the event."""
        return EVENT_TYPES[self.type]

    @property
    def suffix(self) -> str:
        """End of the event's id where the mapping does not state the id."""
        return self.type.partition(".")[2]


class TableMapping(Layout):
    """A mapping: how the file is written, what its columns mean, and which events each row stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    source: str = Field(min_length=1, max_length=256, description="`source` of every event")
    time_zone: Zone = Field(description="Zone of the table's local times")
    ambiguous_times: Ambiguous = Field(
        "earlier", description="A local time that comes twice, as the clocks go back: which is meant"
    )
    customer_ids: Literal["plain", "pseudonymous"] = Field(
        "plain", description="plain: `customer_id` must be pseudonym(…); pseudonymous: the table's ids are already"
    )
    constants: dict[str, Scalar] = Field(default_factory=dict, description="Names for values")
    lookups: dict[str, dict[str, Scalar]] = Field(
        default_factory=dict, description="Tables of codes; each is a function: name(code[, value where unknown])"
    )
    kinds: Aliases = Field(
        default={},
        description="Names for what the table writes of `kind`, each with its words; what is in none stays as it is",
    )
    topics: Aliases = Field(default={}, description="The same of `topic`")
    let: dict[str, Formula] = Field(
        default_factory=dict, description="Names for values of a row; each may use those above it"
    )
    where: Formula | None = Field(None, description="Rows for which this is false are left out")
    contact_id: Formula | None = Field(None, description="Contact that a row is about")
    version: Formula | None = Field(
        None,
        description="When or as which version the row was written, where rows may be told again, corrected: the latest stands",
    )
    row_id: Formula | None = Field(None, description="Of what `version` counts the versions; `contact_id` where absent")
    fields: dict[str, Formula] = Field(default_factory=dict, description="Fields of every event that has them")
    events: tuple[EventMapping, ...] = Field(min_length=1, description="The events of a row")

    @field_validator("kinds", "topics")
    @classmethod
    def _one_meaning(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        aliases(value)
        return value

    @model_validator(mode="after")
    def _sound_events(self) -> TableMapping:
        for event in self.events:
            self._check_fields(event)
        derived = Counter(event.suffix for event in self.events if event.id is None)
        if twice := sorted(suffix for suffix, times in derived.items() if times > 1):
            raise ValueError(f"events: two end in .{twice[0]}: give each its own `id`, or they are one event twice")
        known = set().union(*(event.struct.__struct_fields__ for event in self.events)) - _OWN_KEYS
        if unknown := self.fields.keys() - known:
            raise ValueError(f"fields.{min(unknown)}: none of the events has it; they have {', '.join(sorted(known))}")
        return self

    @model_validator(mode="after")
    def _sound(self) -> TableMapping:
        if self.version is not None and self.contact_id is None and self.row_id is None:
            raise ValueError("row_id: of what does `version` count the versions? Without a contact_id, say it")
        if self.customer_ids == "plain":
            self._check_pseudonyms()
        self._check_depth()
        self.check_names(_AnyColumn())
        return self

    def _check_fields(self, event: EventMapping) -> None:
        given = self.fields.keys() | event.fields.keys()
        known = set(event.struct.__struct_fields__) - _OWN_KEYS
        if unknown := event.fields.keys() - known:
            raise ValueError(f"{event.type}: it has no field {min(unknown)}; it has {', '.join(sorted(known))}")
        needed = {field.name for field in msgspec.structs.fields(event.struct) if field.required} - _OWN_KEYS
        if missing := needed - given:
            raise ValueError(f"{event.type}: it needs the field {min(missing)} under `fields`")
        if issubclass(event.struct, ContactEvent):
            if self.contact_id is None:
                raise ValueError(f"contact_id: {event.type} is about a contact: say which")
        elif event.id is None:
            raise ValueError(f"{event.type}: it is about no contact: give its `id`")

    def _check_pseudonyms(self) -> None:
        hashed: set[str] = set()
        for name, formula in self.let.items():
            hashed |= {name} if _hashes(formula, hashed) else set()
        for where, fields in [("", self.fields), *((f"{event.type}: ", event.fields) for event in self.events)]:
            if (customer := fields.get("customer_id")) is not None and not _hashes(customer, hashed):
                raise ValueError(
                    f"{where}fields.customer_id: no plain customer id leaves a source: write "
                    f"pseudonym({customer.text}), or state `customer_ids: pseudonymous` where they are already"
                )

    def _check_depth(self) -> None:
        """Names under ``let`` that stand on each other are computed inside each other: not without end."""
        levels: dict[str, int] = {}
        for key, formula in self.formulas():
            deep = formula.levels + max((levels.get(name, 0) for name in formula.names), default=0)
            if deep > MAX_DEPTH_WITH_NAMES:
                raise ValueError(
                    f"{key}: it goes through {deep} levels of names and operators, at most {MAX_DEPTH_WITH_NAMES}"
                )
            if key.startswith("let.") or key == "contact_id":
                levels[key.removeprefix("let.")] = deep

    @property
    def moments(self) -> Moments:
        """Reader of the table's times."""
        return Moments(
            ZoneInfo(self.time_zone), self.date_format, self.time_format, self.datetime_format, self.ambiguous_times
        )

    @property
    def needs_key(self) -> bool:
        """Does reading a table by this mapping take the key of the pseudonyms?"""
        return self.customer_ids == "plain" and any("pseudonym" in formula.functions for _, formula in self.formulas())

    def formulas(self) -> Iterator[tuple[str, Expression]]:
        """Every expression with the key it stands under, in the order they may refer to each other."""
        stated: list[tuple[str, Expression | None]] = [(f"let.{name}", formula) for name, formula in self.let.items()]
        stated += [("where", self.where), ("contact_id", self.contact_id)]
        stated += [("version", self.version), ("row_id", self.row_id)]
        stated += [(f"fields.{name}", formula) for name, formula in self.fields.items()]
        for event in self.events:
            own = {"when": event.when, "time": event.time, "id": event.id}
            own |= {f"fields.{name}": formula for name, formula in event.fields.items()}
            stated += [(f"{event.type}: {key}", formula) for key, formula in own.items()]
        yield from ((key, formula) for key, formula in stated if formula is not None)

    def check_names(self, columns: Mapping[str, int]) -> None:
        """Raise ValueError, with its key, for the first expression that names what is neither bound nor a column."""
        nothing: dict[str, Any] = {name: lambda row: None for name in self.constants}
        available = functions(self.moments, self.lookups, None)
        for key, formula in self.formulas():
            try:
                compiled(formula, Scope(nothing, columns, available))
            except ExpressionError as error:
                raise ValueError(f"{key}: {error}") from error
            if key.startswith("let.") or key == "contact_id":
                nothing[key.removeprefix("let.")] = lambda row: None


class _AnyColumn(dict[str, int]):
    """The columns of a table not yet seen: any name may be one."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> int:
        return 0


def _hashes(formula: Expression, hashed: set[str]) -> bool:
    return "pseudonym" in formula.functions or bool(formula.names & hashed)


def load_mapping(path: Path) -> TableMapping:
    """The mapping of a YAML file. Raises ValueError that names the file, every wrong key and what to do."""
    raw = bounded_yaml.load_named(path, "the mapping")
    try:
        return TableMapping.model_validate(raw)
    except ValidationError as error:
        raise ValueError("\n".join(f"mapping {path}: {told(one)}" for one in error.errors())) from error


def told(error: ErrorDetails) -> str:
    """What is wrong with a file that people write: where, and what to do."""
    loc = error["loc"]
    if loc and loc[-1] == "[key]":
        if error["type"] != "string_type":
            return f"{_where(loc[:-1])}{error['msg']}"
        # YAML reads yes, no, on, off and numbers as what they are not meant to be.
        return f"{_where(loc[:-2])}a key is no text: put it in quotes"
    return _where(loc) + (_ADVICE.get(error["type"]) or error["msg"].removeprefix("Value error, "))


#: What pydantic finds → what to do.
_ADVICE = {
    "missing": "is missing; write it",
    "extra_forbidden": "is no key here; take it out or correct its name",
}


def _where(loc: tuple[int | str, ...]) -> str:
    """A place as people write it: events[1].time."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    return f"{place}: " if place else ""
