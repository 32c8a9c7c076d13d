"""Time away kept apart by reason: for the reasons that the policy names and one for the rest, so that no source's wording can make more."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import Measure

#: Stands between a measure and one of its family.
_MARK = "~"
_LEVEL, _TIME = "agents_away_for", "away_for_seconds"
#: The reason of all that the policy does not name, and of time away for which nobody gave a reason.
REST = "other"
#: The families: one measure for each reason, like ``away_for_seconds~lunch``.
REASONS = (
    Measure(_LEVEL, "n", "当前小休坐席（按原因）", "agents away now, by reason", level=True, family=True),
    Measure(_TIME, "s", "小休时长（按原因）", "time away, by reason", grows_with=_LEVEL, family=True),
)


def away_for(reason: str | None, named: Collection[str]) -> str | None:
    """The level of whoever is away for a reason; None where the policy names no reasons. Case and space around it do not matter."""
    if not named:
        return None
    told = "" if reason is None else reason.strip().casefold()
    return _LEVEL + _MARK + next((name for name in named if name.casefold() == told), REST)


def reasons_in(sums: Mapping[str, int]) -> dict[str, Sums]:
    """Reason → its time away, under the name of the time of all reasons; in the order of the alphabet, the rest last."""
    prefix = _TIME + _MARK
    found = {name.removeprefix(prefix): amount for name, amount in sums.items() if name.startswith(prefix)}
    return {reason: {"away_seconds": found[reason]} for reason in sorted(found, key=lambda r: (r == REST, r))}
