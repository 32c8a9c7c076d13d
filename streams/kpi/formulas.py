"""Every KPI of an entity from its sums."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.outputs import Figure, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.policy import Policy
from streams.kpi.spec import Bound, Side, share, side_of


class Formulas:
    """Every KPI for one policy and side, its formula asked once: what evaluates an entity's sums again and again."""

    def __init__(self, policy: Policy, side: Side, instead: Mapping[str, Bound] | None = None) -> None:
        """``instead``: formulas of KPIs that several versions of the policy judge."""
        self.by_id = {id: kpi.bound(policy, side) for id, kpi in KPIS.items()} | dict(instead or {})
        self._nothing = {id: bound.figure({}) for id, bound in self.by_id.items()}
        # Most formulas are one measure over another. These are evaluated here without a call for each.
        self._counts: list[tuple[str, str]] = []
        self._shares: list[tuple[str, str, str]] = []
        self._means: list[tuple[str, str, str, int]] = []
        self._others: list[Bound] = []
        for id, bound in self.by_id.items():
            match bound:
                case Bound(bottom=()):
                    pass  # this side never has data
                case Bound(kind="count", top=((top, 1),), bottom=None):
                    self._counts.append((id, top))
                case Bound(kind="rate", top=((top, 1),), bottom=((bottom, 1),)):
                    self._shares.append((id, top, bottom))
                case Bound(kind="mean", top=((top, 1),), bottom=((bottom, 1),)):
                    self._means.append((id, top, bottom, bound.scale))
                case _:
                    self._others.append(bound)

    def figures(self, sums: Mapping[str, int]) -> dict[str, Figure]:
        """Every KPI for these sums: KPI id → figure, in the order of the catalogue."""
        found, get = self._nothing.copy(), sums.get
        for id, top in self._counts:
            if n := get(top, 0):
                found[id] = Figure(n, n)
        for id, top, bottom in self._shares:
            if (n := get(bottom, 0)) > 0:
                found[id] = share(get(top, 0), n)
        for id, top, bottom, scale in self._means:
            if (n := get(bottom, 0)) > 0:
                found[id] = Figure(get(top, 0) / (n * scale), n)
        for bound in self._others:
            found[bound.id] = bound.figure(sums)
        return found


def formulas(policy: Policy) -> dict[Side, Formulas]:
    """Every KPI for one policy, by the side that an entity is on."""
    return {"desk": Formulas(policy, "desk"), "staff": Formulas(policy, "staff")}


def figures(entity: str, sums: Mapping[str, int], policy: Policy) -> dict[str, Figure]:
    """Every KPI of an entity for these sums: KPI id → figure. Whoever asks often keeps ``formulas`` of the policy."""
    return Formulas(policy, side_of(entity_kind(entity))).figures(sums)
