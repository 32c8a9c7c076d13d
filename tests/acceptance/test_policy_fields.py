"""A KPI names the policy fields that it depends on: no more, no less. Asked of the kernel, with every hand-made case and each field changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest

from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.kpi.policy.subjects import SUBJECTS
from tests.acceptance.axis import Case
from tests.acceptance.test_cases import CASES
from tests.reference.kernel import Kernel
from tests.reference.thing import Event

Values = Mapping[str, Any]

#: Calls of every hour are in the peak.
_PEAK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
#: All cases are asked at once, by one policy. Of topics something is told only where it names them.
COMMON: Values = {"time_zone": "UTC", "allowed_lateness_days": 3660, "topics": ["refund"], "peak_hours": _PEAK}
#: Tickets by business hours.
_HOURS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "makeup"), "08:30-12:00, 13:00-18:00")
CLOCK: Values = {
    "response_clock": "business",
    "business_hours": _HOURS,
    "first_response_channels": ["chat", "ticket"],
    "complaint_resolution_hours": 10,
}


def _queues(seconds: float) -> dict[str, float]:
    """The queue ``q`` of every case has a limit of its own; see ``apart``."""
    return {f"{number}/q": seconds for number in range(len(CASES))}


#: Field → what else must be so for it to matter, and other values for it.
CHANGED: dict[str, tuple[Values, tuple[Any, ...]]] = {
    "service_level_seconds": ({}, (0, 5, 600)),
    "service_level_denominator": (
        {"short_abandon_seconds": 10}, ("answered", "answered_and_abandoned", "answered_and_flow_outs", "answered_abandoned_and_flow_outs", "offered_less_short_abandons"),
    ),
    "service_level_seconds_by_queue": ({}, (_queues(0), _queues(600))),
    "service_level_early_abandons": ({}, ("left_out", "in_time")),
    "first_response_seconds_by_queue": ({}, (_queues(0), _queues(600))),
    "short_abandon_seconds": ({"service_level_denominator": "offered_less_short_abandons"}, (1, 600)),
    "first_response_seconds": ({}, (0, 5, 600)),
    "first_response_from": ({}, ("first_message",)),
    "chat_session_hours": ({}, (0.01, 1, 1000)),
    "first_response_channels": ({}, (["ticket"], ["chat", "ticket"])),
    "repeat_days": ({}, (0.01, 30)),
    "same_matter": ({}, ("any", "queue", "topic_and_queue")),
    "repeat_complaint_days": ({}, (0.01, 300)),
    "max_customer_contacts_per_day": ({}, (1,)),
    "csat_mean_scale": ({}, ("0-10", "binary")),
    "satisfied_from": ({"negative_to": {"1-5": 1}}, ({"1-5": 2, "0-10": 2, "0-100": 20, "binary": 0},)),
    "negative_to": ({}, ({"1-5": 1}, {"0-10": 6, "0-100": 60})),
    "kinds": (
        {"subjects": {"urgent": {"kinds": ["inquiry"]}}},
        (
            {"praise": ["complaint", "fault", "refund", "refund_dispute", "info_relay", "follow_up", "inquiry", "return", "difficult"]},
            {"inquiry": ["opinion", "praise", "order_placement", "下单", "site_visit", "上门", "regular_post", "定期公布"]},
        ),
    ),
    "subjects": ({}, ({**{name: {} for name in SUBJECTS}, "urgent": {"kinds": ["inquiry"]}},)),
    "peak_hours": ({}, ({},)),
    "self_service_channels": ({}, ([], ["call"])),
    "topics": ({"subjects": {name: {"topics": ["late"]} for name in SUBJECTS}}, ([], ["invoice"], {"late": ["price"], "late-delivery": ["latedelivery"]})),
    "urgent_priorities": ({}, ([], ["normal"])),
    "complaint_closes": ({}, ("accepted",)),
    "away_reasons": ({}, ([], ["smoke"])),
    "max_wait_seconds": ({}, (0, 60)),
    "staffing_service_level": ({}, (0.99,)),
    "staffing_max_occupancy": ({}, (0.05,)),
    "staffing_patience_seconds": ({"staffing_max_occupancy": 1}, (1,)),
    "max_state_hours": ({}, (0.25, 1)),
    "short_call_seconds": ({}, (0, 600)),
    "response_delay_seconds": ({}, (0, 7200)),
    "fcr_days": ({}, (0.01, 30)),
    "neutral_to": ({}, ({"1-5": 2},)),
    "opinion_reply_hours": ({}, (1, 100)),
    "follow_up_days": ({}, (0.01, 30)),
    "due_hours_by_kind": ({}, ({"order_placement": 1, "site_visit": 1, "regular_post": 1, "follow_up": 0.1, "fault": 1, "refund": 0.1, "inquiry": 0.1, "return": 0.1},)),
    "review_items": ({}, ({"tone": ["script", "process", "behaviour", "needs", "policy"]},)),
    "reply_within_seconds": ({}, (60, 7200)),
    "complaint_resolution_hours": ({}, (1, 100)),
    "complaint_late_days_at_most": ({}, (0, 1)),
    "bad_rating_rca_hours": ({}, (1, 100)),
    "rating_credit": ({}, ("resolver", "all_replied")),
    "clock_stops_while": ({}, ([], ["pending", "resolved"])),
    "clocks_that_stop": ({}, ([], ["time_to_resolve"])),
    "response_clock": ({**CLOCK, "response_clock": "calendar", "business_hours": {"mon": "09:15-11:00"}}, ("business",)),
    "business_hours": (CLOCK, ({"mon": "09:30-11:00", "wed": "09:00-18:00"},)),
    "holidays": (CLOCK, (["2026-03-02", "2026-03-03"],)),
    "workdays": ({**CLOCK, "business_hours": {"makeup": "08:00-20:00", "thu": "08:00-20:00"}}, (["2026-03-02", "2026-03-03"],)),
    "calendar": (CLOCK, ("ET", "BG")),  # who have a day off on the first and on the second of the cases' days
}  # fmt: skip
#: Fields that every KPI depends on: which events there are, and which day they are of. None lists them.
OF_ALL = {"version", "time_zone", "day_starts", "allowed_lateness_days", "earliest_day", "allowed_future_seconds"}
#: Fields that no KPI depends on: what people are compared by, and what `deskpulse staffing` schedules.
OF_NONE = {"case_mix_by", "staffing_shrinkage"}
#: Whose names an event has.
_NAMES = (
    "id", "corrects", "contact_id", "customer_id", "agent_id", "team_id", "queue_id", "site_id", "to_agent_id", "to_queue_id", "into",
)  # fmt: skip
#: Entity, day (or a moment), KPI → value and n.
Told = dict[tuple[str, str, str], tuple[float | None, int]]


def apart(case: Case, number: int) -> Iterator[Event]:
    """A case's events as those of a desk of its own."""
    for event in case.events:
        yield event | {name: f"{number}/{event[name]}" for name in _NAMES if name in event}


@lru_cache(maxsize=1)
def every() -> list[Event]:
    """The events of all cases."""
    events = [event for number, (_, case) in enumerate(CASES) for event in apart(case, number)]
    return sorted(events, key=lambda event: str(event["time"]))


LIVE = [case for _, case in CASES if any(KPIS[id.partition("~")[0]].live for id in case.kpis)]


@lru_cache(maxsize=8)
def told(values: str) -> Told:
    """Every figure of every entity, by day once all is over; and those of a moment, as of the moments of their cases."""
    policy, found = Policy.model_validate_json(values), Told()
    days = Kernel(every(), policy, max(case.as_of for _, case in CASES) + timedelta(days=40))
    for facts in days.run.daily_facts():
        for id, figure in days.figures(facts.entity, facts.date).items():
            if figure.n or figure.value:
                found[facts.entity, facts.date.isoformat(), id] = figure.value, figure.n
    for number, case in enumerate(LIVE):
        now = Kernel(case.events, policy, case.as_of)
        for entity in {want.entity for want in case.expected}:
            for id, figure in now.figures(entity, "30m").items():
                found[entity, f"case {number}", id] = figure.value, figure.n
    return found


def changed(one: Told, other: Told) -> set[str]:
    """The KPIs that differ anywhere."""
    return {key[2].partition("~")[0] for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


@pytest.mark.parametrize("field", CHANGED)
def test_the_kpis_that_a_field_changes_are_those_that_list_it(field: str) -> None:
    context, values = CHANGED[field]
    base = Policy.model_validate({**COMMON, **context})
    before = told(base.model_dump_json())
    found: set[str] = set()
    for value in values:
        assert getattr(base, field) != value
        found |= changed(before, told(base.but(**{field: value}).model_dump_json()))
    listed = {kpi.id for kpi in KPIS.values() if field in kpi.policy_fields}
    assert (sorted(found - listed), sorted(listed - found)) == ([], []), (
        "changed but not listed; listed but not changed"
    )


def test_every_field_is_changed_or_is_one_that_all_depend_on() -> None:
    assert CHANGED.keys() | OF_ALL | OF_NONE == Policy.model_fields.keys()
    assert CHANGED.keys().isdisjoint(OF_ALL | OF_NONE)
