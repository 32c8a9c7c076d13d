"""Why something is refused, told without anybody's data."""

from __future__ import annotations

import re

#: What a detail may quote of an event: texts in quotes, and long numbers, as those of telephones are.
_QUOTED = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\+?\d{5,}")


def without_values(detail: str) -> str:
    """A refusal without what it quotes: ``'+86139…' is no telephone number`` is ``… is no telephone number``."""
    return _QUOTED.sub("…", detail)
