"""How a figure stands against its target, without flicker: what has missed it must come clear of it before it is called good again.

Targets are those of the target sheets (``streams.targets``): an entity's own, an agent's team's, that of the whole operation. Alert rules
have no part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal, TypeAlias

from streams.contracts.outputs import Figure, Target
from streams.kpi.catalog import KPIS
from streams.targets.book import Targets, levels

#: Good; near: good by less than the margin; bad: missed; few: on too few things to say; plain: nobody has set a target; none: no data.
Stand: TypeAlias = Literal["good", "near", "bad", "few", "plain", "none"]
#: A share or mean of fewer things than this is not judged.
FEW = 5
#: Room on the good side in which a figure is near its target, as a part of the way from the target to perfection; of a number without
#: an end, of the target itself. Who has been bad must pass it, and who is to be good again half as much more.
_ROOM, _OF_ITSELF, _CLEAR = 0.1, 0.02, 1.5
_JUDGED_BY_N = frozenset({"rate", "mean", "percentile"})


class Colours:
    """Remembers how each figure stood; ``aim`` tells it what is to be reached."""

    def __init__(self) -> None:
        self._targets, self._day = Targets(), 0
        self._stood: dict[tuple[str, str], Stand] = {}

    def aim(self, targets: Targets, day: date) -> None:
        """These are the targets, and the operation's day."""
        self._targets, self._day = targets, day.toordinal()

    def target(self, entity: str, team: str | None, kpi: str) -> Target | None:
        """What an entity is to reach today."""
        day = date.fromordinal(self._day) if self._day else None
        if day is None:
            return None
        return next((one for of in levels(entity, team) if (one := self._targets.on(of, kpi, day)) is not None), None)

    def stands(self, entity: str, cell: str, figure: Figure, target: Target | None) -> Stand:
        """How a figure stands now. ``cell``: KPI and window, by which it is remembered."""
        kpi, value = KPIS[cell.partition("@")[0]], figure.value
        if value is None:
            return "none"
        if target is None or target.value is None:
            return "plain"
        if kpi.kind in _JUDGED_BY_N and figure.n < FEW:
            return "few"
        number = float(target.value)
        key = (entity, cell)
        now = _stand(value, number, target.op, kpi.unit, self._stood.get(key))
        self._stood[key] = now
        return now

    def forget(self, is_there: Callable[[str], bool]) -> None:
        """Remember nothing more of entities that are gone."""
        self._stood = {key: stood for key, stood in self._stood.items() if is_there(key[0])}

    @property
    def remembered(self) -> int:
        """Of how many figures it is remembered how they stood."""
        return len(self._stood)


def _stand(value: float, number: float, op: str, unit: str, before: Stand | None) -> Stand:
    over = value - number if op == ">=" else number - value
    if over < 0:
        return "bad"
    margin = margin_of(number, op, unit)
    if before == "bad" and over < margin:
        return "bad"
    if over < margin * (_CLEAR if before in ("bad", "near") else 1):
        return "near"
    return "good"


def margin_of(number: float, op: str, unit: str) -> float:
    """How far on the good side of a target a figure is only near it, in the KPI's unit: 0.02 of ``≥ 80 %``, 4 s of ``≤ 40 s``."""
    if op == "<=":
        return abs(number) * _ROOM
    return max(0.0, 1 - number) * _ROOM if unit == "ratio" and number <= 1 else abs(number) * _OF_ITSELF
