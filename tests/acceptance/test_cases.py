"""The table of hand-made cases, held against the kernel and against the brute-force reference, whatever the order of the events."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.kpi.catalog import KPIS
from streams.kpi.spec import NO_DATA
from tests.acceptance.axis import Case, cases
from tests.reference import Desk
from tests.reference.kernel import Kernel
from tests.reference.kpis import APPROXIMATE, WITHOUT
from tests.reference.kpis import KPIS as REFERENCE

FOLDER = Path(__file__).parent / "cases"
FILES = sorted(FOLDER.glob("*.yaml"))
CASES = [(path.stem, case) for path in FILES for case in cases(path)]


def _doubled(events: list[Any]) -> list[Any]:
    return [event for event in events for _ in range(2)]


def _shuffled(events: list[Any]) -> list[Any]:
    return random.Random(len(events)).sample(events, len(events))


ORDERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "given": list, "reversed": lambda events: events[::-1], "shuffled": _shuffled, "doubled": _doubled,
}  # fmt: skip


def _without(id: str) -> bool:
    """The reference does not have the KPI; nor what KPIs are kept apart by names, such as ``away_time~lunch``."""
    return id in WITHOUT or ("~" in id and not id.endswith(("~vip", "~urgent")))


def wrong(case: Case, told: Kernel | Desk) -> list[str]:
    """Every figure that is not what the case expects, in words. The reference is not asked for what it does not have."""
    found = []
    for want in case.expected:
        if isinstance(told, Desk) and _without(want.kpi):
            continue
        got: Any = told.figures(want.entity, want.window).get(want.kpi, NO_DATA)
        close = 0.021 if want.kpi in APPROXIMATE else 1e-9
        same = (got.value is None) == (want.value is None) and (
            got.value is None
            or want.value is None
            or abs(float(got.value) - float(want.value)) <= close * max(1.0, abs(float(want.value)))
        )
        if (
            not same
            or (want.n is not None and got.n != want.n)
            or want.pending not in (None, getattr(got, "pending", 0))
        ):
            found.append(
                f"{want.entity} {want.window} {want.kpi}: {got.value} of {got.n}, not {want.value} of {want.n}"
            )
    return found


_PARAMS = [pytest.param(case, id=f"{area}: {case.name}") for area, case in CASES]


# The orders of a case are one test: each of them takes less than what pytest does about a test.
@pytest.mark.parametrize("case", _PARAMS)
def test_the_kernel_agrees(case: Case) -> None:
    named = {id.partition("~")[0] for id in case.kpis}
    assert named <= KPIS.keys(), "a case names a KPI that the catalogue does not have"
    kernels = {order: Kernel(ordered(case.events), case.policy, case.as_of) for order, ordered in ORDERS.items()}
    assert not {order: told.run.rejected for order, told in kernels.items() if told.run.rejected}
    assert not {order: found for order, told in kernels.items() if (found := wrong(case, told))}


@pytest.mark.parametrize("case", _PARAMS)
def test_the_reference_agrees(case: Case) -> None:
    named = {id.partition("~")[0] for id in case.kpis if not _without(id)}
    assert named <= REFERENCE.keys(), "a case names a KPI that the reference does not have"
    desks = {order: Desk(ordered(case.events), case.policy, case.as_of) for order, ordered in ORDERS.items()}
    assert not {order: found for order, told in desks.items() if (found := wrong(case, told))}


def test_there_are_cases_for_every_kpi() -> None:
    told = {want.kpi for _, case in CASES for want in case.expected if want.value is not None}
    assert sorted(KPIS.keys() - told) == [], "no case expects a value of these"
    names = [case.name for _, case in CASES]
    assert len(names) == len(set(names)), "two cases of one name"
