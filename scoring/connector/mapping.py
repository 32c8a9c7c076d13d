"""The mapping file: where the HR system is, and which of its fields takes what of a result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from scoring.fields import NonEmpty, Part
from scoring.yaml_documents import DocumentError, Fault, read
from streams.secret_files import secret

SCHEMA = "deskpulse/mapping/1"
#: What a path into a result may begin with: fields of the person, then those of the run.
PERSON = (
    "person",
    "hr_number",
    "team",
    "site",
    "total",
    "scored_max",
    "max",
    "complete",
    "items",
    "sections",
    "outcome",
)
RUN = ("card", "card_version", "card_name", "period", "revision", "policy_version", "outcomes_version")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class MappingError(DocumentError):
    """A mapping that cannot be used; the message says what and where."""


class Constant(Part):
    """The same value for everybody."""

    value: str | int | bool | None


class Lookup(Part):
    """What ``path`` names, as one of the system's own codes."""

    path: NonEmpty
    codes: Annotated[dict[str, str | int], Field(min_length=1)]


class Mapping(Part):
    """Where results go, and as what.

    ``url`` and ``headers`` may name environment variables, ``${HR_TOKEN}``, so that no secret stands in the file.
    ``fields``: the system's field (dots nest: ``employee.no``) → path into the result (``hr_number``, ``outcome.grade``,
    ``items.csat.points``), a constant, or codes. ``required``: fields without which a person is not sent.
    """

    format: Annotated[Literal["deskpulse/mapping/1"], Field(alias="schema")]
    url: NonEmpty
    method: Literal["POST", "PUT"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    fields: Annotated[dict[NonEmpty, NonEmpty | Constant | Lookup], Field(min_length=1)]
    required: tuple[NonEmpty, ...] = ()
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    longest_wait_seconds: Annotated[float, Field(ge=0, le=3600)] = 30

    @field_validator("headers", mode="after")
    @classmethod
    def _names(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header; correct it")
            if name.lower() in ("idempotency-key", "content-type", "content-length", "host"):
                raise ValueError(f"the header {name} is set by the connector; take it out")
        return headers


def load_mapping(path: Path) -> Mapping:
    """The mapping in this YAML file. Raises MappingError that lists every fault."""
    return read(path, SCHEMA, Mapping, _faults, MappingError)


def filled_in(text: str) -> str:
    """The text with environment variables in it. Raises MappingError where one is not set."""

    def value(found: re.Match[str]) -> str:
        try:
            known = secret(found[1], os.environ)
        except ValueError as error:
            raise MappingError(str(error)) from error
        if not known:
            raise MappingError(f"the mapping names the environment variable {found[1]}, which is not set; set it")
        return known

    return _VARIABLE.sub(value, text)


def mapped(mapping: Mapping, document: dict[str, Any], person: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The message for a person, and the required fields that are missing. What a result does not have is null."""
    body: dict[str, Any] = {}
    missing = []
    for name, source in mapping.fields.items():
        value = _value(source, document, person)
        if value is None and name in mapping.required:
            missing.append(name)
        at = body
        *parents, last = name.split(".")
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = value
    return body, missing


def _value(source: str | Constant | Lookup, document: dict[str, Any], person: dict[str, Any]) -> Any:
    if isinstance(source, Constant):
        return source.value
    found = _found(source.path if isinstance(source, Lookup) else source, document, person)
    if isinstance(source, str) or found is None:
        return found
    text = str(found).lower() if isinstance(found, bool) else str(found)
    if text not in source.codes:
        raise MappingError(f"fields: {source.path} is {text!r}, and the codes have none for it; add it")
    return source.codes[text]


def _found(path: str, document: dict[str, Any], person: dict[str, Any]) -> Any:
    head, *rest = path.split(".")
    found: Any = person.get(head) if head in PERSON else document.get(head)
    for part in rest:
        if isinstance(found, list):
            found = next((one for one in found if isinstance(one, dict) and one.get("id") == part), None)
        elif isinstance(found, dict):
            found = found.get(part)
        else:
            return None
    return found


def _head(source: str | Constant | Lookup) -> str | None:
    """What the path into a result begins with; None for a constant."""
    path = source.path if isinstance(source, Lookup) else source
    return path.split(".")[0] if isinstance(path, str) else None


def _faults(mapping: Mapping) -> Iterator[Fault]:
    if not re.match(r"https?://|\$\{", mapping.url):
        yield ("url",), f"{mapping.url!r} is no address; write it like https://hr.example/api/scores"
    for name, source in mapping.fields.items():
        if (head := _head(source)) not in (None, *PERSON, *RUN):
            yield ("fields", name), f"results have no {head!r}; they have: {', '.join((*PERSON, *RUN))}"
        nested = next((other for other in mapping.fields if other.startswith(f"{name}.")), None)
        if nested is not None:
            yield ("fields", name), f"{name} is a value here and a parent in {nested}; rename one"
    for name in mapping.required:
        if name not in mapping.fields:
            yield ("required",), f"{name!r} is no field of the mapping; take it out or add it to `fields`"
