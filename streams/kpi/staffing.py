"""How many agents the calls of the last half hour need, by Erlang C, and how many are on duty."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, exp

from streams.contracts.outputs import ROLLING, TODAY, Figure, Staffing, Sums, Window
from streams.kpi.policy.model import Policy

#: The KPI that alert rules watch: agents needed less agents on duty.
STAFFING_GAP = "staffing_gap"
#: The window that tells how many calls come and how long they take, and its length in seconds.
WINDOW: Window = "30m"
WINDOW_SECONDS = ROLLING[WINDOW] * 60.0
#: More than any operation has. What needs more is no call centre's load but a mistake in its events.
MOST_AGENTS = 100_000


def waiting_probability(agents: int, load: float) -> float:
    """The share of calls that must wait, where ``load`` (erlangs) is served by so many agents and nobody hangs up; 1 where they are
    too few ever to catch up.

    Erlang C from Erlang B by its recurrence, which does not overflow: A. K. Erlang, Solution of some problems in the theory of
    probabilities of significance in automatic telephone exchanges, 1917; R. B. Cooper, Introduction to queueing theory, 1981, 3.
    """
    if agents <= load:
        return 1.0
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return _delayed(agents, load, blocked)


def service_level(agents: int, load: float, handle_seconds: float, within_seconds: float) -> float:
    """The share of calls answered within a time (≤), on average over long."""
    if agents <= load:
        return 0.0
    return 1 - waiting_probability(agents, load) * exp(-(agents - load) * within_seconds / handle_seconds)


def agents_needed(
    load: float,
    handle_seconds: float,
    *,
    target: float,
    within_seconds: float,
    max_occupancy: float = 1.0,
    shrinkage: float = 0.0,
) -> int | None:
    """The fewest agents who answer the share ``target`` of calls within a time and are busy for no more than ``max_occupancy`` of
    theirs; more by those whom ``shrinkage`` (the share of the staff that is paid but not there) takes away.

    ``load`` in erlangs: calls a second times seconds a call. None: no operation has so many agents.
    """
    blocked = 1.0
    for agents in range(1, MOST_AGENTS + 1):
        blocked = load * blocked / (agents + load * blocked)
        if agents <= load or load > max_occupancy * agents:
            continue
        late = _delayed(agents, load, blocked) * exp(-(agents - load) * within_seconds / handle_seconds)
        if 1 - late >= target:
            return ceil(agents / (1 - shrinkage))
    return None


def _delayed(agents: int, load: float, blocked: float) -> float:
    return agents * blocked / (agents - load * (1 - blocked))


def staffing(sums: Mapping[str, Sums], policy: Policy) -> Staffing | None:
    """What an entity's calls of the last half hour need; None where none came or none was handled.

    ``sums``: window → plain sums. ``on_duty``: its agents available or working now; None where their states are not known, as for
    a queue: agents are not tied to one.
    """
    recent = sums[WINDOW]
    offered, handled = recent.get("calls_offered", 0), recent.get("calls_handled", 0)
    handle_seconds = recent.get("handle_seconds", 0) / 1000 / handled if handled > 0 else 0.0
    if offered <= 0 or handle_seconds <= 0:
        return None
    needed = agents_needed(
        offered / WINDOW_SECONDS * handle_seconds,
        handle_seconds,
        target=policy.staffing_service_level,
        within_seconds=policy.service_level_seconds,
        max_occupancy=policy.staffing_max_occupancy,
        shrinkage=policy.staffing_shrinkage,
    )
    if needed is None:
        return None
    known = any(sums[TODAY].get(f"{state}_seconds") for state in ("available", "working"))
    on_duty = recent.get("agents_available", 0) + recent.get("agents_working", 0) if known else None
    return Staffing(needed=needed, on_duty=on_duty, offered=offered, handle_seconds=handle_seconds)


def gap(sums: Mapping[str, Sums], policy: Policy) -> Figure:
    """Agents needed less agents on duty (negative: more than needed), with n the calls that it rests on; no data where either is
    not known.
    """
    found = staffing(sums, policy)
    if found is None or found.on_duty is None:
        return Figure()
    return Figure(found.needed - found.on_duty, found.offered)
