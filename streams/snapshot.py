"""What a screen reads of one entity: the KPIs that have data, in every window, as of a moment."""

from __future__ import annotations

from streams.contracts.outputs import Snapshot, Sums
from streams.kpi.formulas import Formulas
from streams.windows.clock import instant


def snapshot(
    entity: str, sums: dict[str, Sums], wait: tuple[int, float | None], team: str | None, formulas: Formulas, now: int
) -> Snapshot:
    """``sums``: window → sums; ``wait``: how many wait and the longest in seconds; ``formulas``: of the entity's side; ``now`` in
    ms since 1970.
    """
    return Snapshot(
        entity=entity,
        as_of=instant(now),
        windows={window: formulas.live(part) for window, part in sums.items()},
        team=team,
        waiting=wait[0],
        longest_wait=wait[1],
    )
