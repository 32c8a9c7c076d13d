"""The kernel against the brute-force reference: random desks, late, doubled, shuffled, corrected and retracted; every KPI at random moments.

``DESKPULSE_EXAMPLES=5000 pytest tests/property/test_reference.py`` looks harder, ``make hunt`` at others.
"""

from __future__ import annotations

import os
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.outputs import Figure
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import dump, read
from tests.property.found import check
from tests.property.random_desks import busy_halves, desks, plain_policies, policies_in_versions
from tests.reference import Desk
from tests.reference.kernel import Kernel
from tests.reference.kpis import APPROXIMATE, OF_TIME, WITHOUT, Value
from tests.reference.kpis import KPIS as REFERENCE
from tests.reference.thing import Event

EXAMPLES = int(os.environ.get("DESKPULSE_EXAMPLES", "60"))
#: Everybody who can have something to show.
ENTITIES = ("all|all", "agent|a", "agent|b", "agent|c", "team|t", "team|u", "team|v", "queue|q", "queue|r", "site|s")


def differences(kernel: Kernel, desk: Desk) -> list[str]:
    """Every figure in which the two differ, in words."""
    days = sorted(desk.days() | {facts.date for facts in kernel.run.facts.values()})
    found = []
    for entity in sorted({*ENTITIES, *desk.entities()}):
        windows: list[str | date] = ["5m", "30m", "today", *days, *sorted({f"{day:%Y-%m}" for day in days})]
        for window in windows:
            held, right = kernel.figures(entity, window), desk.figures(entity, window)
            # A day has no calls that wait; of VIPs and of what is urgent there is something or nothing.
            parts = {id for id in (*held, *right) if id.endswith(("~vip", "~urgent"))}
            for kpi in (held.keys() & REFERENCE.keys()) | parts:
                got, want = held.get(kpi, Figure()), right.get(kpi, Value(None, 0))
                close = 0.021 if kpi in APPROXIMATE else 1e-9
                same = (got.n == want.n or kpi in OF_TIME) and (got.value is None) == (want.value is None)
                if same and got.value is not None and want.value is not None:
                    same = abs(float(got.value) - float(want.value)) <= close * max(1.0, abs(float(want.value)))
                if not same or getattr(got, "pending", want.pending) != want.pending:
                    found.append(
                        f"{entity} {window} {kpi}: kernel {got.value} of {got.n}, right {want.value} of {want.n}"
                    )
    return found


def impossible(kernel: Kernel, desk: Desk) -> list[str]:
    """Figures that no desk can have, shares outside 0 … 1 first of all, and such of fewer than none; of whom and when ever."""
    days = sorted({facts.date for facts in kernel.run.facts.values()})
    found = []
    for entity in sorted({*ENTITIES, *desk.entities()}):
        for window in ["5m", "30m", "today", *days, *sorted({f"{day:%Y-%m}" for day in days})]:
            for kpi, got in kernel.figures(entity, window).items():
                of = KPIS[kpi.partition("~")[0]]
                outside = of.unit == "ratio" and of.formula.part and got.value is not None and not 0 <= got.value <= 1
                if got.n < 0 or outside:
                    found.append(f"{entity} {window} {kpi}: {got.value} of {got.n}")
    return found


#: What is looked at: desks with and without agents' states, busy ones, one set of values or a change of policy.
KINDS = {
    "contacts": (desks((1, 6)), plain_policies),
    "agents": (desks((0, 2), "ab"), plain_policies),
    "versions": (desks((1, 6)), policies_in_versions()),
    "busy": (busy_halves(), plain_policies),
    "everything": (desks((1, 5), "abc"), plain_policies | policies_in_versions()),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=max(1, EXAMPLES // len(KINDS)))
@given(data=st.data(), seed=st.integers(0, 1000), cut=st.floats(0, 1))
def test_every_figure_is_what_brute_force_says(kind: str, data: st.DataObject, seed: int, cut: float) -> None:
    of_events, of_policies = KINDS[kind]
    events, policy = data.draw(of_events, "events"), data.draw(of_policies, "policy")
    later = data.draw(st.sampled_from([0, 29, 60, 301, 2000, 86_400, 9 * 86_400, 40 * 86_400]), "later")
    times = sorted(datetime.fromisoformat(event["time"]) for event in events)
    as_of = times[int(cut * (len(times) - 1))] + timedelta(seconds=later)
    every_figure_is_right(events=events, policy=dump(policy), as_of=as_of.isoformat(), seed=seed)


@check
def every_figure_is_right(events: list[Event], policy: dict[str, Any], as_of: str, seed: int) -> None:
    """Whatever the order of arrival: events mixed and in part doubled by ``seed``, as of a moment."""
    told, at = read(policy), datetime.fromisoformat(as_of)
    mixed = events + random.Random(seed).choices(events, k=len(events) // 2)
    random.Random(seed).shuffle(mixed)
    kernel = Kernel(mixed, told, at, look_every=1 + seed % 9)
    assert not kernel.run.rejected
    desk = Desk(events, told, at)
    assert not differences(kernel, desk)
    assert not impossible(kernel, desk)


def test_the_reference_has_every_kpi_of_the_catalogue() -> None:
    assert KPIS.keys() - REFERENCE.keys() <= WITHOUT
    assert not WITHOUT & REFERENCE.keys()
