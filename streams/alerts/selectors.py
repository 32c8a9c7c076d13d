"""Selectors: ``queue:orders``, ``team:*``, ``rule:low_*``: which of many is meant, by patterns with ``*`` and ``?``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Selector:
    """``name``: of what; ``pattern``: which of its values, where ``*`` stands for anything and ``?`` for one character."""

    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.name}:{self.pattern}"

    def takes(self, value: str) -> bool:
        """Is it this value that is meant?"""
        return _compiled(self.pattern).match(value) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # What other readers take for a set of characters stands for itself here: ids have brackets.
    return re.compile(translate(pattern.replace("[", "[[]")))


def selector(text: str, names: Collection[str]) -> Selector:
    """One selector as people write it. Raises ValueError that says how where it is none, or its name is none of these."""
    name, colon, pattern = text.partition(":")
    name, pattern = name.strip(), pattern.strip()
    if not colon or not pattern:
        raise ValueError(f"{text!r} is no selector; write it like {sorted(names)[0]}:NAME, with * for anything")
    if name not in names:
        raise ValueError(f"{text!r}: nothing is selected by {name!r}; take one of {', '.join(sorted(names))}")
    return Selector(name, pattern)


def fits(selectors: Iterable[Selector], values: Mapping[str, Collection[str]]) -> bool:
    """Does everything that the selectors are about fit? Several of one name: one of them is enough. ``values``: by name."""
    wanted: dict[str, list[Selector]] = {}
    for each in selectors:
        wanted.setdefault(each.name, []).append(each)
    return all(
        any(each.takes(value) for each in several for value in values.get(name, ())) for name, several in wanted.items()
    )
