"""The settings of outcomes as a file: the program's own, or one that somebody wrote."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from scoring.outcomes import Settings, SettingsError, parse


def default() -> Settings:
    """The settings that come with the program."""
    return load(files("scoring") / "outcomes" / "outcomes.yaml")


def load(path: Path | Traversable) -> Settings:
    """The settings in this YAML file. Raises SettingsError that lists every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the settings {path}: {error}; give a readable file in UTF-8") from error
    return parse(text, str(path))
