"""Which events are let in, by their time and by what is known under their id: the same for contacts and for agents."""

from __future__ import annotations

from streams.contracts.decode import Rejected
from streams.kpi.policy.versions import AnyPolicy
from streams.windows.clock import instant


def check_lateness(at: int, now: int, machine: int, policy: AnyPolicy) -> Rejected | None:
    """An event time that no policy lets in; ``now`` is the operation's, ``machine`` the machine's clock (ms)."""
    if at < policy.earliest_ms:
        detail = f"{instant(at).isoformat()} is before {policy.earliest_day}, the earliest_day of the policy"
        return Rejected("bad_time", detail)
    if at < now - policy.allowed_lateness_ms:
        days = (now - at) / 86_400_000
        return Rejected("too_late", f"{days:.1f} days late, at most {policy.allowed_lateness_days:g} are allowed")
    if at > machine + policy.allowed_future_seconds * 1000:
        seconds = (at - machine) / 1000
        return Rejected("future", f"{seconds:.0f} s ahead, at most {policy.allowed_future_seconds:g} are allowed")
    return None


def differs(id: str, of: str) -> Rejected:
    """An event whose id is known, and that says something else than the one that has it."""
    known = f"event {id} of {of} is known and says something else; what it said first stands until it is corrected"
    return Rejected("differs", known)
