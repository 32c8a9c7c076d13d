"""Secrets of channels: named in the configuration, kept in the environment or in files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from streams.secret_files import secret

_NAME = re.compile(r"\$[A-Z][A-Z0-9_]*")


def _reference(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            "a secret does not stand in this file: write $NAME, and set the environment's NAME to it, or NAME_FILE to a file that holds it"
        )
    return text


#: ``$NAME``: what the environment has as NAME, or the file that it names as NAME_FILE.
SecretName: TypeAlias = Annotated[
    str,
    AfterValidator(_reference),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\$[A-Z][A-Z0-9_]*$",
            "description": "$NAME: a secret in the environment as NAME, or in the file that NAME_FILE names",
        }
    ),
]


def value_of(reference: str, environment: Mapping[str, str]) -> str:
    """The secret itself. Raises ValueError, without the secret, where it is not there, or cannot be read."""
    name = reference.removeprefix("$")
    found = secret(name, environment)
    if found is None:
        raise ValueError(
            f"{reference} is not there: set {name} in the environment, or {name}_FILE to a file that holds it"
        )
    return found
