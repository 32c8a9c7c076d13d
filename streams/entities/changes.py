"""The cumulative sums of an entity, beside its windows: what leaves these is added up for good, what is in them may still be corrected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from streams.alerts.cusum import MEMORY, Evidence, begun, evidence, folded
from streams.alerts.evaluate import Watch
from streams.entities.entity import Entity


def fold(watched: Sequence[Watch], key: str, entity: Entity, minute: int, day_of: Callable[[int], int]) -> None:
    """Add up what leaves the windows when they come to a minute. To be called before they do.

    ``watched``: the rules that have a sum for such entities; what none of them has for this one is forgotten. ``day_of``: the day
    (ordinal) of a moment (ms).
    """
    rolling, runs = entity.rolling, entity.changes
    before = minute - MEMORY + 1
    watching = [watch for watch in watched if not watch.rule.select or watch.rule.watches(key, entity.team)]
    for watch in watching:
        assert watch.bound is not None
        assert watch.asks is not None
        run = runs.get(watch.rule.id)
        if run is None or run.test != watch.asks:
            # A rule that is new, or asks for something else, begins with what is in the windows.
            run = begun(watch.asks, rolling.now - MEMORY + 1, run.days if run is not None else None)
        runs[watch.rule.id] = folded(run, rolling.panes, watch.bound, before, day_of)
    if len(runs) > len(watching):
        for gone in runs.keys() - {watch.rule.id for watch in watching}:
            del runs[gone]


def evidence_of(watched: Sequence[Watch], entity: Entity) -> Mapping[str, Evidence]:
    """What the sums say with all that is in the windows, by rule."""
    rolling, runs = entity.rolling, entity.changes
    return {
        watch.rule.id: evidence(run, rolling.panes, watch.bound, rolling.now)
        for watch in watched
        if watch.bound is not None and (run := runs.get(watch.rule.id)) is not None
    }
