"""Examples in which the code was once wrong: written down the moment they are found, and tried again ever after.

A check takes plain data (what JSON holds) by name. Hypothesis makes such data and asks the check; where it fails, ``check`` writes the data to
``found/CHECK-RUN.json``, again for each smaller example that is found, so that neither a time-out nor a killed process loses it.
``test_found.py`` asks every check for every example that lies there, whatever strategies are like by then. ``make hunt`` looks for new ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from hypothesis.errors import HypothesisException

Check = Callable[..., None]
#: Where examples lie, in git.
FOLDER = Path(__file__).with_name("found")
#: Name → check.
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """The check, known by its name; what it fails for is written down."""

    @wraps(function)
    def checked(**example: Any) -> None:
        try:
            function(**example)
        except HypothesisException:  # one of its ways to say that it has seen enough
            raise
        except Exception:
            write(function.__name__, example)
            raise

    assert function.__name__ not in CHECKS
    CHECKS[function.__name__] = function
    return checked


def write(name: str, example: Mapping[str, Any]) -> Path:
    """Write an example of a check down; the one before of the same run was larger."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}-{os.environ.get('DESKPULSE_HUNT', 'new')}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(example, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def examples() -> list[Path]:
    """Every example that was ever found."""
    return sorted(FOLDER.glob("*.json"))


def again(path: Path) -> None:
    """Ask an example's check once more. Raises what it raises."""
    name = path.stem.rsplit("-", 1)[0]
    CHECKS[name](**json.loads(path.read_text(encoding="utf-8")))
