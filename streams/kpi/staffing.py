"""How many agents calls need: by Erlang C, where nobody hangs up, and by Erlang A, where callers have so much patience."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import ceil, exp, expm1, log, sqrt

from streams.contracts.outputs import ROLLING, TODAY, Figure, Staffing, Sums, Window
from streams.kpi.policy.model import Policy
from streams.kpi.stats.confidence import Z95

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
    return 1.0 if agents <= load else _delayed(agents, load, _blocked(agents, load))


def service_level(
    agents: int, load: float, handle_seconds: float, within_seconds: float, patience_seconds: float | None = None
) -> float:
    """The share of calls answered within a time (≤), on average over long; of all who call, also of those who hang up.

    ``patience_seconds``: how long callers wait on average before they hang up (``with_patience``); None: nobody does.
    """
    if patience_seconds is not None:
        return with_patience(agents, load, handle_seconds, within_seconds, patience_seconds)[0]
    if agents <= load:
        return 0.0
    return 1 - waiting_probability(agents, load) * exp(-(agents - load) * within_seconds / handle_seconds)


def with_patience(
    agents: int, load: float, handle_seconds: float, within_seconds: float, patience_seconds: float
) -> tuple[float, float]:
    """The share of calls answered within a time (≤), and the share that hangs up, where callers' patience is exponential (Erlang A,
    M/M/n+M): C. Palm, Research on telephone traffic carried by full availability groups, 1957.

    By the building blocks of A. Mandelbaum and S. Zeltyn, Staffing many-server queues with impatient customers, Operations Research 57
    (2009) 1189, 3: ``tail`` is their J. In logarithms, as its terms outgrow any number where agents are far too few.
    """
    arrivals, served, leaves = load / handle_seconds, agents / handle_seconds, 1 / patience_seconds

    def tail(rate: float) -> float:
        """The logarithm of J where calls come at a rate: 1 / nμ · Σ Π rate / (nμ + jθ)."""
        total = term = 1.0
        scale, number = -log(served), 0
        while term > 1e-17 * total or rate > served + number * leaves:
            number += 1
            term *= rate / (served + number * leaves)
            total += term
            if total > 1e200:
                scale, total, term = scale + log(total), 1.0, term / total
        return scale + log(total)

    here = -arrivals * expm1(-leaves * within_seconds) / leaves - served * within_seconds
    whole, later = tail(arrivals), here + tail(arrivals * exp(-leaves * within_seconds))
    idle = -log(_blocked(agents - 1, load))
    most = max(idle, here, whole + log(arrivals), whole + log(served))
    free, waits, beyond, edge, one = (exp(each - most) for each in (idle, whole, later, here, 0.0))
    all_calls = free + arrivals * waits
    in_time = (free - one + served * (waits - beyond) + edge) / all_calls
    return in_time, max(0.0, (one + (arrivals - served) * waits) / all_calls)


def agents_needed(
    load: float,
    handle_seconds: float,
    *,
    target: float,
    within_seconds: float,
    max_occupancy: float = 1.0,
    patience_seconds: float | None = None,
) -> int | None:
    """The fewest agents who answer the share ``target`` of calls within a time and are busy for no more than ``max_occupancy`` of
    theirs, by Erlang C, or with ``patience_seconds`` by Erlang A.

    ``load`` in erlangs: calls a second times seconds a call. None: no operation has so many agents.
    """
    blocked = 1.0
    for agents in range(1, MOST_AGENTS + 1):
        blocked = load * blocked / (agents + load * blocked)
        if agents <= load or load > max_occupancy * agents:
            continue
        late = _delayed(agents, load, blocked) * exp(-(agents - load) * within_seconds / handle_seconds)
        if 1 - late >= target:
            break
    else:
        return None
    if patience_seconds is None:
        return agents

    def does(agents: int) -> bool:
        in_time, gone = with_patience(agents, load, handle_seconds, within_seconds, patience_seconds)
        return in_time >= target and load * (1 - gone) <= max_occupancy * agents

    # Who hangs up at once where a little patience would do is late for ever: then more are needed than if nobody hung up.
    while not does(agents):
        agents += 1
    low, step = agents - 1, 1
    while low > 0 and does(low):
        low, step = low - step, 2 * step
    return bisect_left(range(agents), True, lo=max(low, 1), key=does)


def to_schedule(needed: int, shrinkage: float) -> int:
    """How many are to be scheduled for so many to be there, where ``shrinkage`` is the share of the paid time in which people are not."""
    return ceil(needed / (1 - shrinkage))


def _blocked(agents: int, load: float) -> float:
    """Erlang B: the share of calls that find all agents busy where nobody waits."""
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


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
    load, patience = offered / WINDOW_SECONDS * handle_seconds, policy.staffing_patience_seconds
    wide = exp(Z95 * sqrt(1 / offered + _varied(recent, handled, handle_seconds) / handled))
    needed, low, high = (need(each, handle_seconds, policy, patience) for each in (load, load / wide, load * wide))
    if needed is None or low is None or high is None:
        return None
    known = any(sums[TODAY].get(f"{state}_seconds") for state in ("available", "working"))
    on_duty = recent.get("agents_available", 0) + recent.get("agents_working", 0) if known else None
    return Staffing(
        needed=needed,
        low=low,
        high=high,
        erlang_c=None if patience is None else need(load, handle_seconds, policy, None),
        on_duty=on_duty,
        offered=offered,
        handle_seconds=handle_seconds,
    )


def need(load: float, handle_seconds: float, policy: Policy, patience_seconds: float | None) -> int | None:
    """How many agents a load needs for what the policy promises."""
    return agents_needed(
        load,
        handle_seconds,
        target=policy.staffing_service_level,
        within_seconds=policy.service_level_seconds,
        max_occupancy=policy.staffing_max_occupancy,
        patience_seconds=patience_seconds,
    )


def _varied(sums: Sums, handled: int, mean: float) -> float:
    """The squared coefficient of variation of handle times; where it cannot be told 1, as of the exponential ones of both formulas."""
    squares = sums.get("handle_seconds_squared")
    if squares is None or handled < 2:
        return 1.0
    return max(0.0, (squares / 1000 / handled / mean**2 - 1) * handled / (handled - 1))


def gap(sums: Mapping[str, Sums], policy: Policy) -> Figure:
    """Agents needed less agents on duty (negative: more than needed), with n the calls that it rests on and the ends between which it
    lies as so few calls can tell; no data where either is not known.
    """
    return gap_of(staffing(sums, policy))


def gap_of(found: Staffing | None) -> Figure:
    """The same of what calls need."""
    if found is None or found.on_duty is None:
        return Figure()
    there = found.on_duty
    return Figure(found.needed - there, found.offered, found.low - there, found.high - there)
