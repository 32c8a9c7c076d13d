"""What contacts are judged by: the policy in force on the day of their arrival, and the operation's calendar."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Protocol

from msgspec import Struct

from streams.kpi.policy.model import Policy
from streams.kpi.policy.names import Names
from streams.kpi.policy.subjects import Subjects
from streams.kpi.policy.versions import AnyPolicy, Policies, versions
from streams.windows.business import BusinessClock
from streams.windows.clock import Days


class Dated(Protocol):
    """What is asked of a contact: when it was first heard of and when it arrived (ms since 1970), and its period."""

    first_at: int | None
    arrived_at: int | None
    day: int


class Rules(Struct, frozen=True):
    """What a fold needs beside the events: the policy and the operation's calendar."""

    policy: Policy
    days: Days
    #: The policy whose days say which contacts can concern one another: the longest of any version.
    reach: Policy
    #: How long a contact is remembered after it was last heard of.
    look_back_ms: int
    #: The fewest contacts a day that any version allows to one customer.
    least_contacts: int
    #: What sources write of kinds and topics → what it means.
    kinds: Names
    topics: Names
    #: Priorities that are urgent, folded.
    urgent: frozenset[str]
    #: What sources write of the items of reviews → the item.
    review_items: Names
    #: How long after its creation a ticket of a kind is due where no due time is told, seconds.
    due_seconds: Mapping[str, float]
    #: Kind, topic and queue → the subjects that a contact is of.
    subjects: Subjects
    #: Several versions: these rules are then nobody's, and the timeline has those of a day.
    timeline: Timeline | None = None
    #: What times of chats, tickets and complaints are measured by; None: every second counts.
    business: BusinessClock | None = None
    #: The hours of the peak; None: none are.
    peak: BusinessClock | None = None
    #: Can the queue or the hour alone have a contact counted apart?
    apart_by_place: bool = False
    #: Do customers help themselves in the voice menu of calls?
    menu_serves: bool = False
    #: Are ratings and resolutions credited to others than the agent at the end?
    credits_others: bool = False

    def of(self, contact: Dated, at: int) -> Rules | None:
        """The rules that judge a contact to which an event of the time ``at`` (ms) comes, of several versions.

        None: the event may move the contact to the day of another version. Raises NotCoveredError where no version is in force.
        """
        assert self.timeline is not None
        if contact.first_at is None:
            return self.timeline.on(self.days.day_of(at))
        found = self.timeline.on(self.days.day(contact.day))
        if contact.arrived_at is None and self.timeline.nearest(self.days.day_of(at)) is not found:
            return None
        return found

    def judging(self, contact: Dated) -> Policy:
        """The values in force on a contact's day, which is known."""
        return self.policy if self.timeline is None else self.timeline.nearest(self.days.day(contact.day)).policy

    def most_contacts(self, day: int) -> int:
        """How many contacts of one customer there can be on a day (ordinal) before their id is taken for that of many callers."""
        policy = self.policy if self.timeline is None else self.timeline.nearest(day).policy
        return policy.max_customer_contacts_per_day

    def elapsed(self, start: int, end: int) -> int:
        """What counts of the time from ``start`` to ``end``, ms: all of it, or business hours only; 0 where the end lies before."""
        return max(0, end - start) if self.business is None else self.business.elapsed(start, end)

    def after(self, start: int, seconds: float) -> int:
        """The moment (ms) at which so much of the time that counts has passed since ``start``."""
        return self.later(start, round(seconds * 1000))

    def later(self, start: int, span: int) -> int:
        """The same, of so many ms."""
        return start + span if self.business is None else self.business.after(start, span)


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


def rules_of(policy: AnyPolicy, days: Days | None = None) -> Rules:
    """What folds need of a policy. ``days``: the periods that facts are kept by; days where it is not given."""
    days = days or Days(policy.zone, policy.day_starts_ms)
    if isinstance(policy, Policy):
        return _one(policy, days, policy)
    values = [one for _, one in versions(policy)]
    reach = _reach(values)
    least = min(one.max_customer_contacts_per_day for one in values)
    last = values[-1]
    return Rules(
        last,
        days,
        reach,
        _look_back(reach),
        least,
        last.kind_names,
        last.topic_names,
        last.urgent,
        last.review_item_names,
        last.due_seconds_by_kind,
        last.subjects_of,
        timeline=Timeline(policy, days),
    )


def _one(policy: Policy, days: Days, reach: Policy) -> Rules:
    hours = policy.business_days
    business = None if hours is None else BusinessClock(policy.zone, hours)
    peak = None if (peaks := policy.peak_days) is None else BusinessClock(policy.zone, peaks)
    others = policy.rating_credit != "at_end"
    least = policy.max_customer_contacts_per_day
    return Rules(
        policy, days, reach, _look_back(reach), least, policy.kind_names, policy.topic_names, policy.urgent,
        policy.review_item_names, policy.due_seconds_by_kind, policy.subjects_of,
        business=business, peak=peak, apart_by_place=peak is not None or policy.subjects_of.by_queue,
        menu_serves="call" in policy.self_service_channels, credits_others=others,
    )  # fmt: skip


def _look_back(reach: Policy) -> int:
    return reach.allowed_lateness_ms + max(reach.repeat_ms, reach.repeat_complaint_ms, reach.fcr_ms)


def _reach(values: list[Policy]) -> Policy:
    """The longest time of each kind that any version looks over."""
    spans = ("repeat_days", "repeat_complaint_days", "fcr_days")
    return values[0].but(**{name: max(getattr(one, name) for one in values) for name in spans})
