"""JSON objects in which a key stands twice: readers take the last, writers may have meant the first. Files are read with neither."""

from __future__ import annotations

import json
import re
from typing import Any

#: Keys as they are written, wherever they stand; looked at first, as objects within objects are rare.
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


class TwiceError(ValueError):
    """A key stands twice in one object; names it."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs, for ``json``'s ``object_pairs_hook``. Raises TwiceError."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise TwiceError(
            f"{next(name for name in names if names.count(name) > 1)!r} stands twice in one object: keep one"
        )
    return made


def check_once(line: bytes) -> None:
    """Raise TwiceError for a line of JSON, known to be sound, in which a key stands twice in one object."""
    keys = _KEY.findall(line)
    if len(keys) != len(set(keys)) or b"\\" in line:
        json.loads(line, object_pairs_hook=once)
