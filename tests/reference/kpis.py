"""Every KPI by its id: which things are looked at, and what is counted of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, exp
from typing import Any

from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy
from tests.reference.moments import begin, in_force
from tests.reference.presence import Spell
from tests.reference.thing import Thing


@dataclass(frozen=True)
class Value:
    """A KPI's value and what it is a share or mean of; ``pending``: how many things have not matured."""

    value: Fraction | None
    n: int
    pending: int = 0


@dataclass
class Recent:
    """What staffing is reckoned from: the last half hour's offers and handled calls; None: of nobody is known that he is there."""

    offers: list[Thing]
    handled: list[Thing]
    on_duty: int | None


@dataclass
class Seen:
    """What a KPI may look at: the things of one entity in one window."""

    things: list[Thing]
    #: All its things, whenever: calls wait now, in whatever window one looks.
    everything: list[Thing]
    #: Where heights are read: all things there are for a rolling window, the day's own for a day.
    standing: list[Thing]
    #: The entity's states and shifts, whenever; and those of all;
    #: and the window's first moment and the one at which it is over.
    spells: list[Spell]
    everybody: list[Spell]
    span: tuple[datetime, datetime]
    live: bool
    staff: bool
    #: By which values a figure of a day is read, and all those in force in the window.
    by: Callable[[date], Policy]
    policies: list[Policy]
    operation: AnyPolicy
    as_of: datetime
    recent: Recent

    @property
    def policy(self) -> Policy:
        """The values in force at last."""
        return self.policies[-1]

    def of(self, what: str, **about: Any) -> list[Thing]:
        """The things of one sort of which all that is asked is so."""
        return [t for t in self.things if t.what == what and all(t.about.get(k) == v for k, v in about.items())]

    def time(self, *states: str) -> Fraction:
        """Seconds that agents were in one of some states within the window."""
        return sum((exact(s.cut(*self.span)) for s in self.spells if s.what in states), Fraction())

    def told(self, name: str) -> list[Any]:
        """What analyses say of something."""
        return [t.about[name] for t in self.of("analysis") if t.about[name] is not None]


Rule = Callable[[Seen], Value]


def exact(number: float) -> Fraction:
    """A number of seconds or points, to the thousandth that sources can mean."""
    return Fraction(round(number * 1000), 1000)


def count(things: Sequence[Thing]) -> Value:
    """How many there are."""
    return Value(Fraction(len(things)), len(things))


def share(hits: Sequence[Thing], of: Sequence[Thing] | int, times: int = 1) -> Value:
    """A share: no data where there is nothing to be a share of."""
    n = of if isinstance(of, int) else len(of)
    return Value(Fraction(len(hits), n) * times, n) if n > 0 else Value(None, 0)


def mean(amounts: Sequence[float]) -> Value:
    """A mean: no data where there is nothing."""
    return Value(sum(map(exact, amounts), Fraction()) / len(amounts), len(amounts)) if amounts else Value(None, 0)


def service_level(seen: Seen) -> Value:
    offers = seen.of("offer")
    within = seen.of("offer", within=True)
    if seen.staff:
        return share(within, offers)
    asked: dict[str, Callable[[Thing], bool]] = {
        "offered": lambda offer: True,
        "answered": lambda offer: offer.answered,
        "answered_and_abandoned": lambda offer: offer.answered or offer.abandoned,
        "answered_and_flow_outs": lambda offer: offer.answered or offer.flowed_out,
        "answered_abandoned_and_flow_outs": lambda offer: offer.answered or offer.abandoned or offer.flowed_out,
        "offered_less_short_abandons": lambda offer: not offer.short,
    }
    of, good = list[Thing](), list[Thing]()
    for offer in offers:
        policy = seen.by(offer.day)
        early = policy.service_level_early_abandons if offer.early else "missed"
        if asked[policy.service_level_denominator](offer) and early != "left_out":
            of.append(offer)
            if offer.within or early == "in_time":
                good.append(offer)
    return share(good, of)


def abandonment(seen: Seen) -> Value:
    if seen.staff:
        return Value(None, 0)
    return share(seen.of("offer", abandoned=True, short=False), seen.of("offer"))


def first_responses(seen: Seen) -> list[Thing]:
    responses = [t for t in seen.of("first_response") if t.wait is not None]
    return [t for t in responses if t.channel in seen.by(t.day).first_response_channels]


def mean_satisfaction(seen: Seen) -> Value:
    scales = {values.csat_mean_scale for values in seen.policies}
    if len(scales) > 1:
        return Value(None, 0)  # scales are never mixed
    return mean([t.score for t in seen.of("rating", survey="csat", scale=scales.pop())])


def percentile(amounts: Sequence[float], percent: int) -> Value:
    """The smallest amount that so many percent of all do not exceed (nearest rank)."""
    if not amounts:
        return Value(None, 0)
    return Value(exact(sorted(amounts)[ceil(len(amounts) * percent / 100) - 1]), len(amounts))


def of_part(part: str, things: list[Thing]) -> list[Thing]:
    """Those of a contact that is of a part: a subject, pressing, in the peak."""
    return [thing for thing in things if part in thing.parts]


def resolution_of(subject: str) -> Rule:
    """How many contacts of a subject are resolved, of those that are due to be."""
    return lambda s: share(of_part(subject, s.of("resolution", resolved=True)), of_part(subject, s.of("resolution")))


def diverted(seen: Seen) -> Value:
    """What arrived in the peak and went on to somebody else."""
    moved = of_part("peak", seen.of("call_handled", transferred=True))
    if seen.staff:
        return share(moved, of_part("peak", seen.of("call_handled")))
    return share([*moved, *of_part("peak", seen.of("offer", flowed_out=True))], of_part("peak", seen.of("offer")))


def urgent_responses(seen: Seen) -> list[float]:
    """How long VIPs, and who was in a hurry, waited for people."""
    answers = [*seen.of("offer", answered=True), *first_responses(seen)]
    return [thing.wait for thing in of_part("pressing", answers)]


def waits(what: list[Thing]) -> list[float]:
    return [t.wait for t in what]


def waiting(seen: Seen) -> list[float]:
    """How long each call in the queue has waited; one that its source has lost waits no more."""
    ages = [(seen.as_of - t.at).total_seconds() for t in seen.everything if t.what == "waiting"]
    return [age for age in ages if age <= seen.policy.max_wait_seconds]


def in_state(seen: Seen) -> Fraction:
    """Seconds of shifts that agents spent in a state to work in."""
    both = Fraction()
    for shift in (s for s in seen.spells if s.what == "scheduled"):
        start, end = max(shift.start, seen.span[0]), min(shift.end, seen.span[1])
        for state in seen.everybody:  # the shift's account, whatever team or site the state names
            if state.agent == shift.agent and state.what in ("available", "on_contact", "wrap_up", "training"):
                both += exact(state.cut(start, end))
    return both


def attendance(seen: Seen) -> Value:
    """Shifts that are over, on the day on which they began, and those of which the agent was there at some moment."""
    over = [s for s in seen.spells if s.what == "shift" and s.end <= seen.as_of]
    shifts = [s for s in over if (seen.span[0] <= s.end if seen.live else seen.span[0] <= s.start < seen.span[1])]
    there = [
        s for s in shifts
        if any(o.agent == s.agent and o.what not in ("shift", "scheduled", "offline", "away") and o.cut(s.start, s.end) > 0 for o in seen.everybody)
    ]  # fmt: skip
    return Value(Fraction(len(there), len(shifts)), len(shifts)) if shifts else Value(None, 0)


def of_time(top: Fraction, bottom: Fraction) -> Value:
    return Value(top / bottom, round(bottom)) if bottom > 0 else Value(None, 0)


def pending(value: Value, things: list[Thing]) -> Value:
    return replace(value, pending=len(things))


def hour(at: datetime) -> int:
    """Hours since 1970: the age of a backlog is told in whole hours."""
    return int(at.timestamp() // 3600)


def young(seen: Seen, things: list[Thing], days: Callable[[Policy], float]) -> list[Thing]:
    """The things of days that have not matured, each by its own version: in a rolling window none has."""
    if seen.live:
        return things
    return [
        t
        for t in things
        if begin(t.day + timedelta(days=1), seen.operation) + timedelta(days=days(in_force(seen.operation, t.day)))
        > seen.as_of
    ]


def nps(seen: Seen) -> Value:
    scores = [t.score for t in seen.of("rating", survey="nps", scale="0-10")]
    if not scores:
        return Value(None, 0)
    points = sum(1 for s in scores if s >= 9) - sum(1 for s in scores if s <= 6)
    return Value(Fraction(100 * points, len(scores)), len(scores))


def fcr(seen: Seen) -> Value:
    if seen.live:
        return pending(Value(None, 0), seen.of("settled"))
    ripe = seen.of("settled", matured=True)
    return pending(share(seen.of("settled", matured=True, settled=True), ripe), seen.of("settled", matured=False))


def concurrency(seen: Seen) -> Value:
    """Time of chats over time on contact, of agents and those they are of."""
    return of_time(sum((exact(t.seconds) for t in seen.of("chat_time")), Fraction()), seen.time("on_contact"))


def waits_beyond(load: float, agents: int, seconds: float, each: float) -> float:
    """Share of calls that wait for longer than so many seconds, by Erlang C: ``load`` erlangs of calls of ``each`` seconds."""
    if agents <= load:
        return 1.0
    terms = [1.0]
    for number in range(1, agents + 1):
        terms.append(terms[-1] * load / number)
    queued = terms[-1] * agents / (agents - load)
    return queued / (sum(terms[:-1]) + queued) * exp(-(agents - load) * seconds / each)


def answered_and_gone(load: float, agents: int, seconds: float, each: float, patience: float) -> tuple[float, float]:
    """Shares of calls that are answered within so many seconds, and that hang up, by Erlang A.

    Of whoever finds all agents busy the wait that lies ahead has the density λ exp(λ ∫ G − nμx) up to a factor, where G is the share of
    callers who are still there after x; so much of it as patience leaves is answered.
    """
    calls, served = load / each, agents / each

    def waits(x: float) -> float:
        return calls * exp(calls * patience * (1 - exp(-x / patience)) - served * x)

    # By Simpson's rule, over stretches that grow; by the end of the last an agent has become free for the most patient.
    edges = [0.0, min(each / agents, patience) / 20]
    while edges[-1] < max(seconds, (calls * patience + 40) / served):
        edges.append(edges[-1] * 1.5)

    def under(first: float, last: float, what: Callable[[float], float], steps: int = 12) -> float:
        total, cuts = 0.0, sorted({first, last, *(edge for edge in edges if first < edge < last)})
        for low, high in pairwise(cuts):
            width = (high - low) / steps
            inner = sum((4 if n % 2 else 2) * what(low + n * width) for n in range(1, steps))
            total += (what(low) + inner + what(high)) * width / 3
        return total

    far = edges[-1]
    terms = [1.0]
    for number in range(1, agents):
        terms.append(terms[-1] * load / number)
    at_once = sum(terms) / terms[-1]
    early = under(0, seconds, waits), under(0, seconds, lambda x: waits(x) * exp(-x / patience))
    late = under(seconds, far, waits), under(seconds, far, lambda x: waits(x) * exp(-x / patience))
    everybody = at_once + early[0] + late[0]
    return (at_once + early[1]) / everybody, (early[0] + late[0] - early[1] - late[1]) / everybody


def staffing(seen: Seen) -> Value:
    """Agents needed for the calls of the last half hour, less those on duty."""
    offers, handled, there, policy = seen.recent.offers, seen.recent.handled, seen.recent.on_duty, seen.policy
    if there is None or not offers or not handled:
        return Value(None, 0)
    each = sum((exact(t.talk + t.hold + t.wrap_up) for t in handled), Fraction()) / len(handled)
    if each == 0:
        return Value(None, 0)
    load, needed, patience = each * len(offers) / 1800, 0, policy.staffing_patience_seconds
    most, within = Fraction(str(policy.staffing_max_occupancy)), policy.service_level_seconds
    if patience is None:
        while load > needed * most or (
            1 - waits_beyond(float(load), needed, within, float(each)) < policy.staffing_service_level
        ):
            needed += 1
        return Value(Fraction(needed - there), len(offers))
    in_time, busy = 0.0, float(load)
    while in_time < policy.staffing_service_level or busy > most * needed:
        needed += 1
        in_time, gone = answered_and_gone(float(load), needed, within, float(each), patience)
        busy = float(load) * (1 - gone)
    return Value(Fraction(needed - there), len(offers))


def per_handled(seen: Seen, name: str) -> Value:
    return mean([t.about[name] for t in seen.of("search") if t.about[name] is not None])


def fatigue(seen: Seen) -> Value:
    """Silences per 100 words a minute, later in the shift against its first hour: of an agent only."""
    first, later = (
        [t.about["per_100_words"] for t in seen.of("strain") if t.about["first_hour"] is yes] for yes in (True, False)
    )
    if not later or not sum(first):
        return Value(None, 0)
    return Value(sum(later, Fraction()) / len(later) / (sum(first, Fraction()) / len(first)) - 1, len(later))


def late(due: list[Thing]) -> Value:
    """How many are late of those whose time has come; nobody knows where there are none."""
    return Value(Fraction(sum(1 for t in due if t.breached)), len(due)) if due else Value(None, 0)


def of_item(seen: Seen, item: str) -> Value:
    """Of the reviews that looked at an item those in which it was passed."""
    looked_at = [t for t in seen.of("review") if t.about[item] is not None]
    return share([t for t in looked_at if t.about[item]], looked_at)


WORKING = ("on_contact", "wrap_up")

#: Shares of time and counts of seconds: their n is no count of things, and is not compared.
OF_TIME = {
    "contacts_per_hour",
    "backlog_clearance_speed",
    "occupancy",
    "utilisation_rate",
    "adherence",
    "away_time",
    "concurrency",
    "longest_wait",
}
#: Percentiles come from a sketch of 2 % relative accuracy; strain is kept in thousandths.
APPROXIMATE = {
    "fatigue_index", "first_response_time_p50", "first_response_time_p90", "time_to_resolve_p50", "time_to_resolve_p90", "backlog_age_p90",
}  # fmt: skip

#: What is told of VIPs and of what is urgent, too.
PARTED = (
    "service_level_20s", "average_speed_of_answer", "first_response_30s_rate", "first_response_time", "time_to_resolve", "sla_breach_rate",
)  # fmt: skip
#: What has no reference: write it into ``KPIS``, then take it out here. Hand-made cases hold the kernel to them all the same.
WITHOUT: set[str] = set()

KPIS: dict[str, Rule] = {
    "offered_calls": lambda s: count(s.of("offer")),
    "answer_rate": lambda s: share(s.of("offer", answered=True), s.of("offer")),
    "service_level_20s": service_level,
    "abandonment_rate": abandonment,
    "average_speed_of_answer": lambda s: mean([t.wait for t in s.of("offer", answered=True)]),
    "average_handle_time": lambda s: mean([t.talk + t.hold + t.wrap_up for t in s.of("call_handled")]),
    "repeat_contact_rate": lambda s: pending(
        share(s.of("repeat"), s.of("handled", known=True)), young(s, s.of("handled", known=True), lambda values: values.repeat_days)
    ),
    "resolution_rate": lambda s: share(s.of("resolution", resolved=True), s.of("resolution")),
    "csat": lambda s: share(s.of("rating", survey="csat", satisfied=True), s.of("rating", survey="csat")),
    "csat_mean": mean_satisfaction,
    "first_response_30s_rate": lambda s: share(s.of("first_response", due=True, within=True), s.of("first_response", due=True)),
    "bot_unanswered_chats": lambda s: count([] if s.staff else s.of("alone")),
    "first_response_time": lambda s: mean([t.wait for t in first_responses(s)]),
    "repeat_complaint_rate": lambda s: pending(
        share(s.of("repeat_complaint"), s.of("complaint")), young(s, s.of("complaint"), lambda values: values.repeat_complaint_days)
    ),
    "complaint_after_refund_rate": lambda s: pending(
        share(s.of("given_back", complained=True), s.of("given_back")), young(s, s.of("given_back"), lambda values: values.repeat_complaint_days)
    ),
    "average_talk_time": lambda s: mean([t.talk for t in s.of("call_handled")]),
    "average_hold_time": lambda s: mean([t.hold for t in s.of("call_handled", held=True)]),
    "average_wrap_up_time": lambda s: mean([t.wrap_up for t in s.of("call_handled")]),
    "transfer_rate": lambda s: share(s.of("call_handled", transferred=True), s.of("call_handled")),
    "missed_offer_rate": lambda s: share(s.of("missed"), [*s.of("missed"), *s.of("offer", answered=True)]),
    "short_call_rate": lambda s: share([t for t in s.of("call_handled", by="agent") if t.short], s.of("call_handled")),
    "calls_waiting": lambda s: Value(Fraction(len(waiting(s))), len(waiting(s))),
    "longest_wait": lambda s: Value(exact(max(waiting(s))), len(waiting(s))) if waiting(s) else Value(None, 0),
    "first_response_time_p50": lambda s: percentile(waits(first_responses(s)), 50),
    "first_response_time_p90": lambda s: percentile(waits(first_responses(s)), 90),
    "avg_response_time": lambda s: mean(waits(s.of("response"))),
    "response_delay_rate": lambda s: share(s.of("response", delayed=True), s.of("response")),
    "time_to_resolve": lambda s: mean(waits(s.of("time_to_resolve"))),
    "time_to_resolve_p50": lambda s: percentile(waits(s.of("time_to_resolve")), 50),
    "time_to_resolve_p90": lambda s: percentile(waits(s.of("time_to_resolve")), 90),
    "fcr": fcr,
    "shared_contacts": lambda s: count(s.of("handled", shared=True)),
    "complaint_rate": lambda s: share(s.of("complaint"), s.of("handled"), 1000),
    "complaint_resolution_24h_rate": lambda s: share(s.of("complaint_due", within=True), s.of("complaint_due")),
    "complaints_unknown": lambda s: count(s.of("complaint_unknown")),
    "complaint_late_days": lambda s: count(s.of("late_day")),
    "complaint_response_time": lambda s: mean(waits(s.of("complaint_response"))),
    "info_relay_ontime_rate": lambda s: share(s.of("hourly", matter="info_relay", within=True), s.of("hourly", matter="info_relay")),
    "fault_report_reply_1h_rate": lambda s: share(s.of("hourly", matter="fault_report", within=True), s.of("hourly", matter="fault_report")),
    "opinion_feedback_ontime_rate": lambda s: share(s.of("hourly", matter="opinion", within=True), s.of("hourly", matter="opinion")),
    "late_order_count": lambda s: late(s.of("sla", kind="order_placement")),
    "onsite_dispatch_ontime_rate": lambda s: share(s.of("sla", breached=False, kind="site_visit"), s.of("sla", kind="site_visit")),
    "late_post_count": lambda s: late(s.of("sla", kind="regular_post")),
    "reopen_rate": lambda s: share(s.of("solved", again=True), s.of("solved")),
    "escalation_rate": lambda s: share(s.of("passed", escalated=True), s.of("passed")),
    "sla_breach_rate": lambda s: share(s.of("sla", breached=True), s.of("sla")),
    "open_backlog": lambda s: count([t for t in s.standing if t.what == "open"]),
    "backlog_age_p90": lambda s: percentile([3600 * (hour(s.as_of) - hour(t.since)) for t in s.standing if t.what == "open"], 90),
    "ticket_turnaround": lambda s: share(s.of("closed"), [*s.of("open_at_start"), *s.of("created")]),
    "followup_rate": lambda s: share(s.of("follow_up", made=True), s.of("follow_up")),
    "followup_15d_rate": lambda s: share(s.of("follow_up_soon", within=True), s.of("follow_up_soon")),
    "followup_csat": lambda s: share(s.of("rated_follow_up", converted=True), s.of("rated_follow_up")),
    "praise_complaint_score": lambda s: share(s.of("praise"), [*s.of("praise"), *s.of("complaint")]),
    "refund_dispute_rate": lambda s: share(s.of("refund_dispute"), s.of("refund")),
    "topic_resolution_rate": lambda s: share(s.of("resolution", named=True, resolved=True), s.of("resolution", named=True)),
    "confirmed_resolution_rate": lambda s: share(s.of("followed_up", confirmed=True), s.of("followed_up")),
    "basic_resolution_rate": resolution_of("basic"),
    "technical_resolution_rate": resolution_of("technical"),
    "return_completion_rate": resolution_of("return"),
    "dispute_handling_time": lambda s: mean(waits(of_part("dispute", s.of("time_to_resolve")))),
    "difficult_tickets_handled": lambda s: count(s.of("difficult")),
    "issue_handling_late_count": lambda s: late(s.of("sla")),
    "backlog_clearance_speed": lambda s: of_time(Fraction(3600 * len(s.of("closed"))), s.time("available", *WORKING)),
    "peak_coverage_rate": lambda s: share(of_part("peak", s.of("offer", within=True)), of_part("peak", s.of("offer"))),
    "peak_diversion_rate": diverted,
    "urgent_response_time": lambda s: mean(urgent_responses(s)),
    "transfer_accuracy_rate": lambda s: share(s.of("transfer", accurate=True), s.of("transfer")),
    "self_service_conversion_rate": lambda s: Value(None, 0) if s.staff else share(s.of("self_service", alone=True), s.of("self_service")),
    "nps": nps,
    "negative_review_rate": lambda s: share(s.of("rating", survey="csat", negative=True), [t for t in s.of("rating", survey="csat") if t.negative is not None]),
    "neutral_and_negative_review_rate": lambda s: share(
        s.of("rating", survey="csat", meagre=True), [t for t in s.of("rating", survey="csat") if t.meagre is not None]
    ),
    "survey_response_rate": lambda s: share(s.of("survey", rated=True), s.of("survey")),
    "bad_rating_rca_ontime_rate": lambda s: share(s.of("bad_rating", within=True), s.of("bad_rating")),
    "fatigue_index": fatigue,
    "complaint_conversion_rate": lambda s: share(s.of("rated_complaint", converted=True), s.of("rated_complaint")),
    "qa_score": lambda s: mean([t.score for t in s.of("review")]),
    "qa_pass_rate": lambda s: share(s.of("review", passed=True), [t for t in s.of("review") if t.passed is not None]),
    "fatal_error_rate": lambda s: share(s.of("review", fatal=True), s.of("review")),
    "script_compliance_rate": lambda s: of_item(s, "script"),
    "process_adherence_rate": lambda s: of_item(s, "process"),
    "unified_behaviour_execution_rate": lambda s: of_item(s, "behaviour"),
    "need_identification_rate": lambda s: of_item(s, "needs"),
    "policy_compliance_rate": lambda s: of_item(s, "policy"),
    "qa_coverage_rate": lambda s: share(s.of("coverage", reviewed=True), s.of("coverage")),
    "contacts_per_hour": lambda s: of_time(Fraction(3600 * len(s.of("handled"))), s.time("available", *WORKING)),
    "occupancy": lambda s: of_time(s.time(*WORKING), s.time("available", *WORKING)),
    "utilisation_rate": lambda s: of_time(s.time(*WORKING), s.time("scheduled")),
    "adherence": lambda s: of_time(in_state(s), s.time("scheduled")),
    "attendance_rate": attendance,
    "away_time": lambda s: Value(s.time("away"), round(s.time("away"))),
    "concurrency": concurrency,
    "staffing_gap": staffing,
    "customer_emotion_score": lambda s: mean(s.told("emotion")),
    "customer_emotion_change": lambda s: mean(
        [t.emotion_end - t.emotion_start for t in s.of("analysis") if None not in (t.emotion_start, t.emotion_end)]
    ),
    "keyword_coverage_rate": lambda s: mean(s.told("keyword_coverage")),
    "page_switch_count": lambda s: per_handled(s, "page_switches"),
    "info_search_time": lambda s: per_handled(s, "search_seconds"),
}  # fmt: skip
