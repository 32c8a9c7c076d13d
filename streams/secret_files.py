"""Secrets: from the environment as NAME, or from the file that it names as NAME_FILE, as container platforms and systemd hand them in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


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
