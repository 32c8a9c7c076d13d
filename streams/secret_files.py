"""Secrets: from the environment as NAME, or from the file that it names as NAME_FILE, as container platforms and systemd hand them in.

A configuration names one as ``$NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, WithJsonSchema


def secret(name: str, environment: Mapping[str, str]) -> str | None:
    """The secret of that name, without white space around it; None where neither NAME nor NAME_FILE is set.

    Raises ValueError, without the secret, where both are set, or the file cannot be read or is empty.
    """
    given, path = environment.get(name, "").strip(), environment.get(f"{name}_FILE")
    if not path:
        return given or None
    if given:
        raise ValueError(f"{name} and {name}_FILE are both set: which one counts? Take one out")
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE={path} cannot be read: {error}") from error
    if not found:
        raise ValueError(f"{name}_FILE={path} is empty: write the secret into it")
    return found


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
