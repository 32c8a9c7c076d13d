"""Reads settings and refuses what is wrong with it, naming file, line, rule and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from scoring.outcomes.settings import Fault, Settings, faults
from scoring.yaml_documents import composed

#: Keys and positions from the top of a file, and the line where that stands.
Lines: TypeAlias = dict[tuple[str | int, ...], int]


class SettingsError(ValueError):
    """Settings that cannot be used; the message has one line per fault: ``FILE:LINE: where: what is wrong; remedy``."""


def parse(text: str, name: str) -> Settings:
    """The settings in this text; ``name`` stands for the file in messages. Raises SettingsError."""
    root, raw = composed(text, name, SettingsError)
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError(f"{name}:1: settings are a mapping that begins with `schema: deskpulse/outcomes/1`")
    lines: Lines = {}
    if endless := list(_walk(root, (), lines)):
        raise SettingsError(_told(name, lines, raw, endless))
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(_told(name, lines, raw, [(d["loc"], _advice(d)) for d in error.errors()])) from error
    if wrong := list(faults(settings)):
        raise SettingsError(_told(name, lines, raw, wrong))
    return settings


def _walk(
    node: yaml.Node, loc: tuple[str | int, ...], lines: Lines, above: tuple[yaml.Node, ...] = ()
) -> Iterator[Fault]:
    """Fills in the line of every key and position; yields where something contains itself."""
    lines.setdefault(loc, node.start_mark.line + 1)
    if node in above:
        yield loc, "contains itself; write it out"
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*loc, key.value if isinstance(key, yaml.ScalarNode) else str(key.start_mark))
            lines[below] = key.start_mark.line + 1
            yield from _walk(value, below, lines, (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*loc, number), lines, (*above, node))


def _told(name: str, lines: Lines, raw: object, found: list[Fault]) -> str:
    """One line per fault, in the order of the file."""
    told = []
    for loc, what in found:
        own = _own(loc, lines)
        known = next(own[:end] for end in range(len(own), -1, -1) if own[:end] in lines)
        told.append((lines[known], f"{_where(own, raw)}{what}"))
    return "\n".join(f"{name}:{line}: {what}" for line, what in sorted(told))


def _own(loc: tuple[str | int, ...], lines: Lines) -> tuple[str | int, ...]:
    """The place in the file's own keys: pydantic also names the kind of a rule (``pay.2.stars.amount``)."""
    own: tuple[str | int, ...] = ()
    for number, part in enumerate(loc):
        if (*own, part) in lines or number == len(loc) - 1:
            own = (*own, part)
    return own


def _where(loc: tuple[str | int, ...], raw: object) -> str:
    """``pay fast_lane: curve[2].score: ``: a rule by its id, positions from 1."""
    text, at = "", raw
    for part in loc:
        at = _below(at, part)
        if isinstance(part, int):
            id = at.get("id") if isinstance(at, dict) else None
            text = f"{text} {id}: " if isinstance(id, str) and id else f"{text}[{part + 1}]"
        else:
            text = f"{text}{part}" if not text or text.endswith(": ") else f"{text}.{part}"
    return f"{text.removesuffix(': ')}: " if text else ""


def _below(at: object, part: str | int) -> object:
    if isinstance(at, dict):
        return at.get(part)
    return at[part] if isinstance(at, list) and isinstance(part, int) and part < len(at) else None


def _advice(detail: ErrorDetails) -> str:
    """What pydantic found, as something to do."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "is no field here; take it out or correct its name"
        case "union_tag_not_found":
            return f"needs {context.get('discriminator')}, which says what kind of rule this is; add it"
        case "union_tag_invalid":
            return f"{context.get('tag')!r} is none of {context.get('expected_tags')}; take one of these"
        case "value_error":
            return str(context.get("error", detail["msg"]))
        case _:
            return f"{detail['msg']}, not {detail['input']!r}; correct it"
