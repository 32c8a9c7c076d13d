"""Which version of the policy judges a contact: the one in force on its day of arrival."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date

from streams.contacts.contact import Rules
from streams.kpi.policies import AnyPolicy, Policies, versions
from streams.kpi.policy import Policy
from streams.windows.business import BusinessClock
from streams.windows.clock import Days


class Timeline:
    """The rules of every version, by the day from which on it is in force (ordinals; 0: from the beginning)."""

    def __init__(self, policies: Policies, days: Days) -> None:
        reach = _reach([policy for _, policy in policies.dated])
        self._policies = policies
        self._starts = [start.toordinal() if start else 0 for start, _ in policies.dated]
        self._rules = [_one(policy, days, reach) for _, policy in policies.dated]

    def on(self, day: int) -> Rules:
        """The rules in force on a day. Raises NotCoveredError before the first version."""
        place = bisect_right(self._starts, day) - 1
        if place < 0:
            self._policies.on(date.fromordinal(day))  # says which
        return self._rules[place]

    def nearest(self, day: int) -> Rules:
        """The same, and before the first version those of the first."""
        return self._rules[max(0, bisect_right(self._starts, day) - 1)]


def rules_of(policy: AnyPolicy) -> Rules:
    """What folds need of a policy."""
    days = Days(policy.zone, policy.day_starts_ms)
    if isinstance(policy, Policy):
        return _one(policy, days, policy)
    values = [one for _, one in versions(policy)]
    reach = _reach(values)
    return Rules(values[-1], days, reach, _look_back(reach), timeline=Timeline(policy, days))


def _one(policy: Policy, days: Days, reach: Policy) -> Rules:
    hours = policy.business_days
    business = None if hours is None else BusinessClock(policy.zone, hours)
    others = policy.rating_credit != "at_end"
    return Rules(policy, days, reach, _look_back(reach), business=business, credits_others=others)


def _look_back(reach: Policy) -> int:
    return reach.allowed_lateness_ms + max(reach.repeat_ms, reach.repeat_complaint_ms, reach.fcr_ms)


def _reach(values: list[Policy]) -> Policy:
    """The longest time of each kind that any version looks over."""
    spans = ("repeat_days", "repeat_complaint_days", "fcr_days")
    return values[0].but(**{name: max(getattr(one, name) for one in values) for name in spans})
