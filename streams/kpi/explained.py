"""A KPI taken apart: what its formula is made of, and a value down to the sums it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from streams.contracts.outputs import Figure
from streams.kpi.catalog import AREAS, KPIS
from streams.kpi.formulas import parts
from streams.kpi.measures import MEASURES
from streams.kpi.measures.measure import SCALE, Measure
from streams.kpi.naming import named
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Kpi, Side, total
from streams.kpi.stats.percentiles import distributions

#: Both sides an entity can be on.
SIDES: tuple[Side, ...] = ("desk", "staff")


def near(word: str, among: Iterable[str]) -> str:
    """What to say after an unknown word: the nearest known ones, else all there are or the first few."""
    known = list(among)
    found = get_close_matches(word, known, n=3, cutoff=0.5) or [one for one in known if word and word in one][:3]
    if found:
        return f"nearest: {', '.join(found)}"
    return (
        f"there are: {', '.join(known)}"
        if len(known) <= 20
        else f"there are {len(known)}, such as {', '.join(known[:5])}"
    )


def find(id: str) -> Kpi:
    """The KPI with this id. Raises ValueError that names the nearest ones."""
    if id not in KPIS:
        raise ValueError(f"no KPI is called {id!r}; {near(id, KPIS)}")
    return KPIS[id]


def area_of(kpi: Kpi) -> str:
    """The catalogue's area that a KPI stands in."""
    return next(area for area, own in AREAS.items() if kpi in own)


def interval_of(bound: Bound) -> str:
    """Which interval its figures have: a key of ``words.INTERVALS``."""
    if bound.kind == "rate":
        return "wilson" if bound.per_n == 1 else "none"
    if bound.kind == "change":
        return "log_ratio" if bound.squares else "none"
    return "student" if bound.squares else "none"


def measure(id: str) -> Measure:
    """The measure of a sum: that of its family where the sum is one bucket of a distribution (``family~bucket``), and the plain one
    where sums are kept apart by the policy's version (``measure@2``).
    """
    return MEASURES.get(id) or MEASURES[id.partition("@")[0].partition("~")[0]]


@dataclass(frozen=True)
class Part:
    """A measure in a formula: its coefficient and, of an entity, its amount in stored units (thousandths of seconds and points).

    ``id``: of the sum, which is the measure's own or names a version of the policy too. ``values``: how many sums a distribution's
    amount is spread over; 0: it is one sum.
    """

    id: str
    measure: Measure
    times: int
    amount: int = 0
    values: int = 0

    @property
    def shown(self) -> int | float:
        """The amount in the unit people read."""
        scale = SCALE[self.measure.unit]
        return self.amount if scale == 1 else self.amount / scale


@dataclass(frozen=True)
class Explained:
    """A KPI's value of one entity with all it comes from. ``bottom`` None: a plain sum. ``apart``: the figure of each of the
    things that the KPI is kept apart by, such as ``away_time~lunch``.
    """

    kpi: Kpi
    entity: str
    policy: str
    top: tuple[Part, ...]
    bottom: tuple[Part, ...] | None
    figure: Figure
    interval: str
    apart: Mapping[str, Figure]
    #: Of a change: what it is measured against.
    base_top: tuple[Part, ...] = ()
    base_bottom: tuple[Part, ...] = ()

    @property
    def divides(self) -> bool:
        """Is the value its top over its bottom?"""
        return self.kpi.kind in ("rate", "mean") and bool(self.bottom)

    @property
    def times(self) -> str:
        """What the quotient is multiplied by, as `` × 1000``; empty where it is not."""
        times = self.kpi.formula.times
        return "" if times == 1 else f" × {times}"

    @property
    def pending(self) -> int:
        """How many of the things it is a share of have not matured."""
        return self.figure.pending


def explain(
    kpi: Kpi, entity: str, sums: Mapping[str, int], bound: Bound, policy: str, figure: Figure | None = None
) -> Explained:
    """The value of these sums, taken apart. ``bound``: the formula of the entity's side; ``policy``: the name of what is in force.

    ``figure``: the value where it is not simply that of the sums, as days have not matured.
    """
    return Explained(
        kpi,
        entity,
        policy,
        _parts(bound.top, sums),
        None if bound.bottom is None else _parts(bound.bottom, sums),
        figure or bound.figure(sums),
        interval_of(bound),
        {} if kpi.apart is None else parts(bound, kpi.apart, sums),
        _parts(bound.base_top, sums),
        _parts(bound.base_bottom, sums),
    )


def _parts(terms: Iterable[tuple[str, int]], sums: Mapping[str, int]) -> tuple[Part, ...]:
    found, families = [], distributions(sums)
    for id, times in terms:
        # What is counted a second time for VIPs has names as well, and is no part of a distribution.
        own = families.get(id, {})
        amount = total(((id, 1),), sums) + sum(own.values())
        found.append(Part(id, measure(id), times, amount, len(own)))
    return tuple(found)


def _measures(bound: Bound) -> dict[str, Any]:
    made: dict[str, Any] = {"top": dict(bound.top), "bottom": None if bound.bottom is None else dict(bound.bottom)}
    if bound.base_bottom:
        made |= {"base_top": dict(bound.base_top), "base_bottom": dict(bound.base_bottom)}
    return made


def described(kpi: Kpi, policy: Policy) -> dict[str, Any]:
    """All that is known of a KPI under a policy, as JSON."""
    values, names = policy.model_dump(mode="json"), named(kpi, policy)
    bounds = {side: kpi.bound(policy, side) for side in SIDES}
    made: dict[str, Any] = {
        "id": kpi.id,
        "area": area_of(kpi),
        **names.name.fields(),
        "kind": kpi.kind,
        "unit": kpi.unit,
        "better": kpi.better,
        "version": kpi.version,
        "scored": kpi.scored,
        **names.formula.fields("formula"),
        "measures": {side: _measures(bound) for side, bound in bounds.items()},
        "interval": interval_of(bounds["desk"]),
        "needs": list(kpi.needs),
        "policy_version": policy.version,
        "policy": {name: values[name] for name in kpi.policy_fields},
        "traps_zh": kpi.traps_zh,
        "traps": kpi.traps,
    }
    # What only some KPIs have.
    if kpi.formula.times != 1:
        made["times"] = kpi.formula.times
    if kpi.matures is not None:
        made["matures"] = kpi.matures
    if kpi.only_mature:
        made["only_mature"] = True
    return made
