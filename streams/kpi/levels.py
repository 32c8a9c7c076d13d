"""Levels, and times that grow with them: sums that are linear in time, made plain as of a moment.

A level goes up and down: +1 where an agent becomes available, -1 where they no longer are. The time that grows with it is stored so
that it needs nobody to wind it: +1 at the moment *t* comes with -*t* milliseconds, -1 at *u* with +*u*. Both are sums like all
others and merge by adding; as of *T*, the time is what is stored plus the level times *T*.

A level may be one of a family, ``<measure>~<member>``; then the times that grow with it are of the same member.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.outputs import Sums
from streams.kpi.ages import OPEN, aged
from streams.kpi.measures import MEASURES, add


class _Growing(dict[str, tuple[str, ...] | None]):
    """Key of a sum → the measures that grow with it where it is a level; None where it is none. Remembers what was asked."""

    def __missing__(self, key: str) -> tuple[str, ...] | None:
        family, tilde, member = key.partition("~")
        measure = MEASURES.get(family)
        found = None
        if measure is not None and measure.level:
            found = tuple(f"{id}{tilde}{member}" for id, other in MEASURES.items() if other.grows_with == family)
        self[key] = found
        return found


_GROWING = _Growing()
_look_up = _GROWING.__getitem__


def up(*levels: str, at: int, sign: int = 1) -> Sums:
    """Levels go up by 1 at a moment (ms since 1970), or down (``sign`` -1): what is added to them and to what grows with them."""
    sums: Sums = {}
    for level in levels:
        sums[level] = sign
        for grown in _GROWING[level] or ():
            sums[grown] = -sign * at
    return sums


def heights(sums: Mapping[str, int]) -> Sums | None:
    """The levels among sums; None: there is none."""
    for grown in map(_look_up, sums):
        if grown is not None:
            break
    else:
        return None
    return {key: height for key, height in sums.items() if _GROWING[key] is not None}


def grows(sums: Mapping[str, int]) -> bool:
    """Does anything among these sums grow by itself?"""
    return any(map(_look_up, sums)) or OPEN in sums


def as_of(sums: Sums, now: int, seen: int | None = None) -> Sums:
    """Plain sums as of ``now`` (ms since 1970): each time as far as it has grown, and what is open as old as it is when it is ``seen``
    (now, where that is not given). The same object where nothing grows.
    """
    return aged(_grown(sums, now), now if seen is None else seen)


def _grown(sums: Sums, now: int) -> Sums:
    plain = sums
    for key, height in sums.items():
        if grown := _GROWING[key]:
            if plain is sums:
                plain = sums.copy()
            add(plain, dict.fromkeys(grown, height * now))
    return plain


def in_window(sums: Sums, levels: Mapping[str, int], start: int, now: int) -> Sums:
    """Plain sums of the time from ``start`` to ``now`` (ms since 1970): ``sums`` are those of the window's events, ``levels`` how high
    each level is now, whenever it rose. The same object where there is no level.

    A level that rose before the window has been up in it from its start; a window's level is its height now.
    """
    plain = _grown(sums, start)
    if own := heights(sums):
        plain = {key: amount for key, amount in plain.items() if key not in own}
    for key, height in levels.items():
        if plain is sums:
            plain = sums.copy()
        plain[key] = height
        add(plain, dict.fromkeys(_GROWING[key] or (), height * (now - start)))
    return aged(plain, now)


def growth(sums: Mapping[str, int]) -> Sums:
    """By how much each time among sums grows with every millisecond: by the heights of its levels."""
    grown: Sums = {}
    for key, height in sums.items():
        if own := _GROWING[key]:
            add(grown, dict.fromkeys(own, height))
    return grown
