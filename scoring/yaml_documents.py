"""Reads a YAML document into its model and refuses what is wrong with it, naming file, line, entry and remedy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from textwrap import shorten
from typing import TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streams import bounded_yaml

#: Where in the file (keys and positions, from the top), and what is wrong and what to do.
Fault: TypeAlias = tuple[tuple[str | int, ...], str]
Model = TypeVar("Model", bound=BaseModel)
File: TypeAlias = Path | Traversable

#: Lists whose entries messages call by what they are and their id.
_NAMED = {"sections": "section", "items": "item", "optional": "item", "entries": "entry", "raters": "rater"}
#: How pydantic's names of kinds of values begin.
_TRIED = ("function-", "tuple", "literal", "constrained", "is-instance")


class DocumentError(ValueError):
    """A document that cannot be used; the message has a line per fault: ``FILE:LINE: item ID: FIELD: what is wrong``."""


def read(
    file: File,
    schema: str,
    model: type[Model],
    faults: Callable[[Model], Iterable[Fault]],
    error: type[DocumentError] = DocumentError,
    rule_types: Collection[str] = (),
) -> Model:
    """The document in this file, of the model that ``schema`` names. Raises ``error`` that lists every fault.

    ``rule_types``: names of the rules that its entries may have, for what is said of others.
    """
    root, raw = _parsed(file, schema, error)
    try:
        made = model.model_validate(raw)
    except ValidationError as invalid:
        found: list[Fault] = [(detail["loc"], _advice(detail, rule_types)) for detail in _telling(invalid.errors())]
        raise error(_told(file, root, found, " or: ")) from invalid
    if wrong := list(faults(made)):
        raise error(_told(file, root, wrong))
    return made


def notes(file: File, found: Iterable[Fault]) -> str:
    """What was found in a sound document, as faults are told."""
    root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    return _told(file, root, list(found)) if root is not None else ""


def _parsed(file: File, schema: str, error: type[DocumentError]) -> tuple[yaml.MappingNode, object]:
    what = schema.split("/")[1]
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        raise error(f"cannot read the {what} {file}: {bad}; give a readable file in UTF-8") from bad
    root, raw = composed(text, str(file), error)
    if not isinstance(root, yaml.MappingNode):
        raise error(f"{file}:1: a {what} is a mapping that begins with `schema: {schema}`")
    return root, raw


def composed(text: str, name: str, error: type[ValueError] = DocumentError) -> tuple[yaml.Node | None, object]:
    """The text's nodes, which know their lines, and its content; ``name`` stands for the file. Raises ``error``."""
    try:
        return bounded_yaml.composed(text)
    except bounded_yaml.YamlError as bad:
        at = "" if bad.line is None else f":{bad.line}"
        raise error(f"{name}{at}: not YAML: {bad.problem}; correct it") from bad


def _telling(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """The details less those that only follow from others: lists that lost a wrong entry, defaults that need one."""
    own = [detail for detail in details if detail["type"] not in ("too_short", "default_factory_not_called")]
    return own or details


def _advice(detail: ErrorDetails, rule_types: Collection[str]) -> str:
    """What pydantic found, as something to do."""
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "is no field here; take it out or correct its name"
        case "union_tag_invalid" | "union_tag_not_found":
            asked = detail.get("ctx", {}).get("tag")
            if asked is None:
                return f"a rule needs a `type`; known: {', '.join(rule_types)}"
            return f"no rule type {asked!r}; known: {', '.join(rule_types)}"
        case _:
            said = (
                detail["msg"].removeprefix("Value error, ").replace("valid tuple", "list").replace("Tuple", "The list")
            )
            return f"{said}, not {shorten(repr(detail['input']), 80)}"


def _told(file: File, root: yaml.Node, found: list[Fault], between: str | None = None) -> str:
    """A line per fault in the order of the file; ``between`` joins what is said of one place into one line."""
    placed = [(*_place(root, loc), what) for loc, what in found]
    if between is not None:
        by_place: dict[tuple[int, str], dict[str, None]] = {}
        for line, where, what in placed:
            by_place.setdefault((line, where), {})[what] = None
        placed = [(*place, between.join(whats)) for place, whats in by_place.items()]
    return "\n".join(f"{file}:{line}: {where}{what}" for line, where, what in sorted(placed))


def _place(node: yaml.Node, loc: tuple[str | int, ...]) -> tuple[int, str]:
    """Line of a fault, and its item and field as the message names them."""
    line, item, field, inside = node.start_mark.line + 1, "", "", ""
    for number, part in enumerate(loc):
        found = _below(node, part)
        if found is None:
            if _only_pydantic_says(node, part, bool(field), last=number == len(loc) - 1):
                continue
            field = _joined(field, node, part)
            break
        line, child = found
        if isinstance(node, yaml.SequenceNode) and inside in _NAMED:
            item, field = f"{_NAMED[inside]} {_id(child, part)}: ", ""
        else:
            field = _joined(field, node, part)
        node, inside = child, str(part)
    return line, f"{item}{field}: " if field else item


def _below(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    """The line and content of a key or an entry; None: the file has none of it."""
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _only_pydantic_says(node: yaml.Node, part: str | int, inside_field: bool, last: bool) -> bool:
    """Is a part that the file does not have no place in it, but pydantic's word for which kind of value it tried?"""
    if isinstance(node, yaml.SequenceNode):
        return isinstance(part, str)  # a union's tag that was taken for the key of the same name
    if not isinstance(node, yaml.MappingNode):
        return False
    return not last or (inside_field and str(part).startswith(_TRIED))  # else: a key that is missing


def _joined(field: str, node: yaml.Node, part: str | int) -> str:
    if isinstance(node, yaml.SequenceNode):
        return f"{field}[{int(part) + 1}]"
    if isinstance(node, yaml.MappingNode):
        return f"{field}.{part}" if field else str(part)
    return field


def _id(node: yaml.Node, position: str | int) -> str:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((v.value for k, v in pairs if k.value == "id" and v.value), f"number {int(position) + 1}")
