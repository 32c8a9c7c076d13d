"""Reads score cards and refuses what is wrong with them, naming file, line, item and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scoring.card import Card
from scoring.faults import Fault, faults
from scoring.rules import RULES


class CardError(ValueError):
    """A card that cannot be used; the message has one line per fault: ``FILE:LINE: item ID: FIELD: what is wrong``."""


def known() -> dict[str, Traversable]:
    """The cards that come with the program: id → file, in order of id."""
    stored = sorted((files("scoring") / "cards").iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): file for file in stored if file.name.endswith(".yaml")}


def find(name: str) -> Card:
    """The card with this id, or in this file.

    Raises CardError where there is none, naming the known ids, and for every fault in it.
    """
    built_in = known()
    if name in built_in:
        return load(built_in[name])
    if Path(name).suffix in (".yaml", ".yml"):
        return load(Path(name))
    ids = ", ".join(built_in)
    raise CardError(
        f"no card is called {name!r}; known: {ids}; for a card of your own, give the path of its .yaml file"
    )


def load(path: Path | Traversable) -> Card:
    """The card in this YAML file. Raises CardError that lists every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot read the card {path}: {error}; give a readable file in UTF-8") from error
    try:
        root, raw = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        mark = getattr(error, "problem_mark", None)
        at, problem = f":{mark.line + 1}" if mark else "", getattr(error, "problem", None) or error
        raise CardError(f"{path}{at}: not YAML: {problem}; correct it") from error
    if not isinstance(root, yaml.MappingNode):
        raise CardError(f"{path}:1: a card is a mapping that begins with `schema: deskpulse/card/1`")
    if twice := list(_doubled(root, set())):
        raise CardError("\n".join(f"{path}:{line}: {key!r} stands here twice; keep one" for line, key in twice))
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        found: list[Fault] = [(detail["loc"], _advice(detail)) for detail in error.errors()]
        raise CardError(_told(path, root, found)) from error
    if wrong := list(faults(card)):
        raise CardError(_told(path, root, wrong))
    return card


def _doubled(node: yaml.Node, seen: set[int]) -> Iterator[tuple[int, str]]:
    """Keys that stand twice in one mapping (YAML would silently take the last): line and key."""
    if id(node) in seen:  # an alias comes back to its anchor
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    yield key.start_mark.line + 1, key.value
                keys.add(key.value)
            yield from _doubled(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from _doubled(part, seen)


def _advice(detail: ErrorDetails) -> str:
    """What pydantic found, as something to do."""
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return "is no field here; take it out or correct its name"
        case "union_tag_invalid" | "union_tag_not_found":
            asked = detail.get("ctx", {}).get("tag")
            return f"{f'no rule type {asked!r}' if asked else 'a rule needs a `type`'}; known: {', '.join(RULES)}"
        case _:
            return f"{detail['msg'].removeprefix('Value error, ')}, not {detail['input']!r}"


def _told(path: Path | Traversable, root: yaml.Node, found: list[Fault]) -> str:
    placed = sorted((*_place(root, loc), what) for loc, what in found)
    return "\n".join(f"{path}:{line}: {where}{what}" for line, where, what in placed)


def _place(node: yaml.Node, loc: tuple[str | int, ...]) -> tuple[int, str]:
    """Line of a fault, and its item and field as the message names them."""
    line, item, field, inside = node.start_mark.line + 1, "", "", ""
    for number, part in enumerate(loc):
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            key, child = next(((k, v) for k, v in node.value if k.value == part), (None, None))
            if key is not None:
                line = key.start_mark.line + 1
            elif number < len(loc) - 1:
                continue  # the tag of a union: no key of the file
            field = f"{field}.{part}" if field else str(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = node.value[part]
            line = node.value[part].start_mark.line + 1
            if inside in ("sections", "items"):
                item, field = f"{inside.removesuffix('s')} {_id(node.value[part], part)}: ", ""
            else:
                field = f"{field}[{part + 1}]"
        if child is None:
            break
        node, inside = child, str(part)
    return line, f"{item}{field}: " if field else item


def _id(node: yaml.Node, position: int) -> str:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((v.value for k, v in pairs if k.value == "id" and v.value), f"number {position + 1}")
