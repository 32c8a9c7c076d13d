"""What a screen shows of one entity: the KPIs that have data, in every window, as of a moment."""

from __future__ import annotations

import msgspec

from streams.contracts.events import milliseconds
from streams.contracts.outputs import Snapshot, Totals, entity_kind
from streams.kpi.formulas import Formulas, formulas
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, versions
from streams.kpi.spec import Side, side_of
from streams.kpi.staffing import staffing
from streams.windows.rolling import Plain

_totals = msgspec.json.Decoder(Totals).decode


def plain(totals: Totals) -> Plain:
    """Plain sums of each window."""
    return Plain(totals.windows, totals.levels, milliseconds(totals.as_of))


class Snapshots:
    """Makes snapshots of totals, by the policy's version that judges each; the formulas of a version are asked once."""

    def __init__(self, policy: AnyPolicy) -> None:
        self._versions = {one.version: one for _, one in versions(policy)}
        self._newest = [one for _, one in versions(policy)][-1]
        self._formulas: dict[str, dict[Side, Formulas]] = {}

    def policy(self, version: str | None) -> Policy:
        """The version of this name; the newest where there is none: the workers have another policy than whoever asks."""
        return self._versions.get(version or "", self._newest)

    def of(self, totals: Totals) -> Snapshot:
        """The KPIs of an entity, and of a desk how many agents it needs."""
        policy = self.policy(totals.policy)
        by_side = self._formulas.get(policy.version)
        if by_side is None:
            by_side = self._formulas[policy.version] = formulas(policy)
        side, sums = side_of(entity_kind(totals.entity)), plain(totals)
        return Snapshot(
            entity=totals.entity,
            as_of=totals.as_of,
            windows={window: by_side[side].live(sums[window]) for window in totals.windows},
            team=totals.team,
            waiting=totals.waiting,
            longest_wait=totals.longest_wait,
            staffing=staffing(sums, policy) if side == "desk" else None,
        )

    def read(self, raw: bytes | str) -> Snapshot:
        """The same of totals as they stand in Redis. Raises msgspec.MsgspecError where they are none."""
        return self.of(_totals(raw))
