"""Policy: the values people argue about. Explicit, versioned, the same for wallboard, alert and score."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from streams.contracts.events import SCALE_PATTERN, scale_ends
from streams.kpi.policy.business_hours import BusinessDays, Weekday, parse_hours
from streams.kpi.policy.errors import NotCoveredError
from streams.kpi.policy.names import BUILT_IN_KINDS, BUILT_IN_REVIEW_ITEMS, Aliases, Names, folded
from streams.kpi.policy.subjects import USUAL, Subject, SubjectName, Subjects
from streams.kpi.policy.zones import Zone

ServiceLevelDenominator = Literal[
    "offered", "answered", "answered_and_abandoned", "answered_and_flow_outs", "answered_abandoned_and_flow_outs",
    "offered_less_short_abandons",
]  # fmt: skip
ComplaintCloses = Literal["resolved", "accepted"]
EarlyAbandons = Literal["missed", "left_out", "in_time"]
Channel = Literal["chat", "ticket"]
SelfService = Literal["chat", "call"]
CaseMix = Literal["queue", "topic"]
SameMatter = Literal["topic", "any", "queue", "topic_and_queue"]
#: What of a ticket can stand still, and when.
StoppingClock = Literal["time_to_resolve", "complaint_resolution", "due"]
Standstill = Literal["pending", "resolved"]
RatingCredit = Literal["at_end", "resolver", "all_replied"]
#: The fields that say what times of chats, tickets and complaints are measured by, and those of clocks that stop as well.
CLOCK = ("response_clock", "business_hours", "holidays", "workdays", "calendar")
STOPPING = ("clock_stops_while", "clocks_that_stop", *CLOCK)
#: The fields that say which contacts are of a subject.
SUBJECT = ("subjects", "kinds", "topics")
#: The fields that say since when a chat's customer waits for people.
FROM = ("first_response_from", "chat_session_hours")
_Seconds = Annotated[float, Field(ge=0)]
_SecondsByQueue = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=256), Field(coerce_numbers_to_str=True)],
        Annotated[float, Field(ge=0)],
    ],
    Field(max_length=1000),
]
#: A number is taken as well: many sources have codes.
_Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Field(coerce_numbers_to_str=True)
]


#: From where a score is satisfied, and up to where it is a bad one, on the usual scales.
SATISFIED_FROM = {"1-5": 4.0, "0-10": 9.0, "1-10": 9.0, "0-100": 80.0, "binary": 1.0}
NEGATIVE_TO = {"1-5": 2.0}
#: Up to where it is no better than neutral.
NEUTRAL_TO = {"1-5": 3.0}
#: Within how many hours of its creation a ticket of a kind is due.
DUE_HOURS = {"order_placement": 48.0}
#: As events have it.
Scale = Annotated[str, Field(pattern=SCALE_PATTERN)]


_BOUNDS = {"satisfied_from": SATISFIED_FROM, "negative_to": NEGATIVE_TO, "neutral_to": NEUTRAL_TO}
_BUILT_IN = {"kinds": BUILT_IN_KINDS, "review_items": BUILT_IN_REVIEW_ITEMS}


class Policy(BaseModel):
    """Every argued value with its default. Durations in the unit that the name says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field("1", description="Name of this set of values; screens and sheets name it")
    time_zone: Zone = Field("Asia/Shanghai", description="The operation's zone: borders of its days")
    service_level_seconds: _Seconds = Field(20, description="An answer within this wait (≤) is in time")
    service_level_seconds_by_queue: _SecondsByQueue = Field(
        default={}, description="The same for calls of these queues, where it is another"
    )
    service_level_denominator: ServiceLevelDenominator = Field(
        "offered",
        description="What the service level is a share of; for an agent always their own offers. A flow-out has left its queue unanswered, "
        "timed out or on to another",
    )
    service_level_early_abandons: EarlyAbandons = Field(
        "missed",
        description="What a hang-up within the wait that is in time (≤) is to the service level: missed where abandoned calls count, "
        "left out, or as good as answered in time",
    )
    short_abandon_seconds: _Seconds = Field(
        0, description="Hang-ups within this wait (≤) are not abandoned; 0: all are"
    )
    first_response_seconds: _Seconds = Field(30, description="A first response within this time (≤) is in time")
    first_response_seconds_by_queue: _SecondsByQueue = Field(
        default={}, description="The same for chats of these queues, where it is another"
    )
    first_response_channels: tuple[Channel, ...] = Field(
        ("chat",),
        description="Channels whose first responses make the mean first response time; tickets wait for hours",
    )
    first_response_from: Literal["hand_over", "first_message"] = Field(
        "hand_over",
        description="Since when a chat's customer waits for people where a bot had it first: its being handed over, or their first message",
    )
    chat_session_hours: Annotated[float, Field(gt=0, le=8784)] = Field(
        24, description="A chat in which nobody has written for longer than this (>) begins anew with the next message"
    )
    repeat_days: Annotated[float, Field(gt=0, le=366)] = Field(
        7, description="A customer who returns within this time repeats"
    )
    same_matter: SameMatter = Field(
        "topic",
        description="Which return is about the same matter: one on the same topic, any, one in the same queue, or both; "
        "what is missing on either side matches any",
    )
    repeat_complaint_days: Annotated[float, Field(gt=0, le=366)] = Field(
        30,
        description="A complaint within this time of the last repeats it; within this time of a refund or return, and after its end, it is "
        "told of that",
    )
    max_customer_contacts_per_day: Annotated[int, Field(ge=1, le=1000)] = Field(
        20,
        description="A customer id with more contacts than this (>) in one day is that of many callers: from that day on its contacts are "
        "those of unknown customers",
    )
    csat_mean_scale: Scale = Field("1-5", description="The scale whose own mean is shown; scales are never mixed")
    satisfied_from: Annotated[dict[Scale, float], Field(max_length=50)] = Field(
        default=SATISFIED_FROM,
        description="Lowest score (≥) that counts as satisfied, by scale; of a scale whose best score is the lowest, the highest (≤). "
        "Scales that are not given keep their defaults; ratings on a scale without any are refused",
    )
    negative_to: Annotated[dict[Scale, float], Field(max_length=50)] = Field(
        default=NEGATIVE_TO,
        description="Highest score (≤) that counts as a bad rating, by scale (where the best score is the lowest: the lowest, ≥). "
        "Ratings on a scale that is not here are neither bad nor not",
    )
    neutral_to: Annotated[dict[Scale, float], Field(max_length=50)] = Field(
        default=NEUTRAL_TO,
        description="Highest score (≤) that is no better than neutral, by scale (where the best score is the lowest: the lowest, ≥). "
        "Ratings on a scale that is not here are in no rate of neutral and bad ones",
    )
    kinds: Annotated[Aliases, Field(max_length=200)] = Field(
        default={},
        description="Other words for kinds of contacts, by kind, beside those built in; a kind of one's own is named with none. Case, "
        "full width and white space never matter",
    )
    topics: Annotated[Aliases, Field(max_length=50)] = Field(
        default={},
        description="Topics whose resolution is kept apart, by name, each with other words for it; a list of names where they have none",
    )
    review_items: Annotated[Aliases, Field(max_length=50)] = Field(
        default={},
        description="Other words for the items of review forms that KPIs know (script, process, behaviour, needs, policy), by item, beside "
        "those built in. Case, full width and white space never matter",
    )
    due_hours_by_kind: Annotated[dict[_Reason, Annotated[float, Field(gt=0, le=8784)]], Field(max_length=50)] = Field(
        default=DUE_HOURS,
        description="A ticket that is created with this kind and without a due time is due so many hours later (order_placement: 48 h "
        "after the second measurement); kinds that are not given keep their defaults",
    )
    subjects: dict[SubjectName, Subject] = Field(
        default=dict(USUAL),
        description="Which contacts have KPIs of their own: basic and technical questions, disputes, returns and exchanges, difficult "
        "tickets and what is urgent, each by topics, kinds and queues. Subjects that are not given keep their defaults",
    )
    peak_hours: dict[Weekday, str] = Field(
        default={},
        description="Peak hours by weekday, like 10:00-12:00, 14:00-16:00: calls that arrive in them have KPIs of their own; none: those "
        "have no data",
    )
    self_service_channels: tuple[SelfService, ...] = Field(
        ("chat",),
        description="Where customers can help themselves before people do: in chats with a bot, in the voice menu of calls",
    )
    urgent_priorities: Annotated[tuple[_Reason, ...], Field(max_length=50)] = Field(
        ("urgent", "critical", "紧急", "加急"),
        description="Priorities of which contacts are urgent; case, full width and white space never matter",
    )
    complaint_closes: ComplaintCloses = Field(
        "resolved",
        description="When a complaint by ticket is closed: once it is resolved or closed, or once its customer has accepted that, too",
    )
    away_reasons: Annotated[tuple[_Reason, ...], Field(max_length=50)] = Field(
        ("break", "lunch", "dinner", "meeting"),
        description="Reasons for which time away is kept apart, by name; all others together are `other`; none: nothing is kept apart",
    )
    max_wait_seconds: _Seconds = Field(
        14_400, description="A call in the queue for longer than this was lost by its source and waits no more"
    )
    staffing_service_level: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.8, description="Agents are needed for this share of calls to be answered within `service_level_seconds`"
    )
    staffing_max_occupancy: Annotated[float, Field(gt=0, le=1)] = Field(
        0.85, description="Agents are needed for nobody to be busy for more than this share of the time"
    )
    staffing_patience_seconds: Annotated[float, Field(gt=0, le=14_400)] | None = Field(
        None,
        description="How long callers wait on average before they hang up (`deskpulse staffing` measures it): agents needed are by "
        "Erlang A; none: by Erlang C, where nobody hangs up",
    )
    staffing_shrinkage: Annotated[float, Field(ge=0, lt=1)] = Field(
        0,
        description="Share of the paid time in which people are not there; so many more are to be scheduled. Who is needed now is not "
        "touched by it: who is away is not on duty",
    )
    case_mix_by: CaseMix = Field(
        "queue",
        description="By what figures are adjusted for the mix of somebody's work, on the wallboard's marks and where a card or a command "
        "asks for it: the queue in which they had a contact, or its topic among `topics`. It must not be what agents choose, such as a "
        "code at the end of a call",
    )
    max_state_hours: Annotated[float, Field(gt=0, le=72)] = Field(
        16,
        description="An agent's state lasts for so long at most (to the next full quarter of an hour) if nothing more is heard of them, "
        "and until 2 hours after the shift in which it began",
    )
    allowed_lateness_days: Annotated[float, Field(gt=0, le=3660)] = Field(
        3, description="An event that comes later than this is refused as too late"
    )
    earliest_day: Annotated[date, Field(ge=date(1970, 1, 1))] = Field(
        date(1970, 1, 2),
        description="An event before this day is refused: its clock was never set. On 1 January 1970 are the times of clocks at zero",
    )
    allowed_future_seconds: _Seconds = Field(
        300, description="An event further ahead of the machine's clock than this is refused"
    )

    short_call_seconds: _Seconds = Field(10, description="A call with less talk (<) that its agent ended is short")
    response_delay_seconds: _Seconds = Field(120, description="A reply later than this (>) is delayed")
    fcr_days: Annotated[float, Field(gt=0, le=366)] = Field(
        7, description="A contact is resolved at first contact only if its customer stays away for this time"
    )
    reply_within_seconds: _Seconds = Field(
        3600, description="A relayed message or a fault report answered within this time (≤) is answered in time"
    )
    opinion_reply_hours: Annotated[float, Field(gt=0, le=8784)] = Field(
        24, description="A customer's opinion answered within this time (≤) is answered in time"
    )
    follow_up_days: Annotated[float, Field(gt=0, le=366)] = Field(
        15,
        description="A follow-up made within this time of being asked for (≤) is made in time, whatever its due time",
    )
    complaint_resolution_hours: Annotated[float, Field(gt=0, le=8784)] = Field(
        24, description="A complaint resolved within this time (≤) is resolved in time"
    )
    bad_rating_rca_hours: Annotated[float, Field(gt=0, le=8784)] = Field(
        24, description="The root cause of a bad rating told within this time of it (≤) is told in time"
    )
    complaint_late_days_at_most: Annotated[int, Field(ge=0, le=366)] = Field(
        30, description="Late days of one complaint count up to this many"
    )
    rating_credit: RatingCredit = Field(
        "at_end",
        description="Whose a rating and a resolution are: the agent's at the end of the contact, the one's who resolved it "
        "(at_end where nobody has), or of all who replied",
    )
    day_starts: str = Field(
        "00:00",
        description="When the operation's day begins, on a quarter of an hour; 04:00 keeps a night shift in one day",
    )

    response_clock: Literal["calendar", "business"] = Field(
        "calendar",
        description="What times of chats, tickets and complaints are measured by: every second, or the seconds of business hours",
    )
    clock_stops_while: tuple[Standstill, ...] = Field(
        ("pending",),
        description="When the clocks of tickets stand still: while the customer is awaited (pending: from ticket.pending to "
        "ticket.resumed, or to the end), and from being resolved or closed to being reopened (resolved); none: never",
    )
    clocks_that_stop: tuple[StoppingClock, ...] = Field(
        ("time_to_resolve", "complaint_resolution", "due"),
        description="Which clocks do so: how long a ticket takes, the hours and late days of complaints, and the due time that a source "
        "gives, which moves. First and later replies and the age of the backlog always run on",
    )
    business_hours: dict[Weekday, str] = Field(
        default={},
        description="Hours that count, by weekday (mon … sun; makeup: of make-up workdays), like 09:00-12:00, 13:00-18:00",
    )
    holidays: tuple[date, ...] = Field((), description="Days off beside those of the calendar")
    workdays: tuple[date, ...] = Field((), description="Make-up workdays beside those of the calendar")
    calendar: str | None = Field(
        None,
        description="Whose official days off hold: CN (with its make-up workdays), or another country or part: DE, DE-BY",
    )

    @model_validator(mode="before")
    @classmethod
    def _old_name(cls, raw: Any) -> Any:
        # Frozen runs and older files say repeat_same_topic.
        if not isinstance(raw, dict) or "repeat_same_topic" not in raw:
            return raw
        if "same_matter" in raw:
            raise ValueError("repeat_same_topic is the old name of same_matter; give same_matter only")
        values = dict(raw)
        match values.pop("repeat_same_topic"):
            case True:
                values["same_matter"] = "topic"
            case False:
                values["same_matter"] = "any"
            case other:
                raise ValueError(f"repeat_same_topic is true or false, not {other!r}; better write same_matter: topic")
        return values

    @field_validator("topics", mode="before")
    @classmethod
    def _list_of_names(cls, value: Any) -> Any:
        return dict.fromkeys(value, ()) if isinstance(value, list | tuple) else value

    @field_validator("kinds", "topics", "review_items")
    @classmethod
    def _one_meaning(cls, value: dict[str, tuple[str, ...]], info: ValidationInfo) -> dict[str, tuple[str, ...]]:
        Names(value, _BUILT_IN.get(info.field_name or "", {}))
        return value

    @field_validator("due_hours_by_kind")
    @classmethod
    def _beside_the_usual(cls, value: dict[str, float]) -> dict[str, float]:
        return DUE_HOURS | value

    @field_validator("subjects")
    @classmethod
    def _every_subject(cls, value: dict[SubjectName, Subject]) -> dict[SubjectName, Subject]:
        return {**USUAL, **value}

    @field_validator("peak_hours")
    @classmethod
    def _hours_of_the_peak(cls, value: dict[Weekday, str]) -> dict[Weekday, str]:
        if "makeup" in value:
            raise ValueError("peak_hours go by weekday, make-up workdays or not; take makeup out")
        return {day: hours for day, hours in value.items() if parse_hours(hours)}

    @field_validator("day_starts", mode="before")
    @classmethod
    def _quarter(cls, value: Any) -> str:
        if isinstance(value, str):
            hour, colon, minute = value.partition(":")
            if colon and hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) in (0, 15, 30, 45):
                return f"{int(hour):02}:{int(minute):02}"
        raise ValueError(f'{value!r} is no time of day on a quarter of an hour; write it in quotes like "04:00"')

    @model_validator(mode="after")
    def _hours_that_hold(self) -> Policy:
        if self.response_clock == "business" and not self.business_hours:
            raise ValueError("response_clock: business needs business_hours, like {mon: 09:00-18:00, tue: 09:00-18:00}")
        _ = self.business_days  # read here, so that what is wrong with them is told at once
        return self

    @model_validator(mode="after")
    def _early_abandons_that_count(self) -> Policy:
        early, of = self.service_level_early_abandons, self.service_level_denominator
        if early != "missed" and of == "offered_less_short_abandons":
            raise ValueError(
                f"service_level_early_abandons: {early} and service_level_denominator: {of} both say what becomes of short calls; keep "
                "one: early abandons with offered, or missed"
            )
        if early == "in_time" and "abandoned" not in of and of != "offered":
            raise ValueError(
                f"service_level_early_abandons: in_time needs a service_level_denominator with abandoned calls, not {of}: they would be "
                "above the line and not below it"
            )
        return self

    @field_validator("satisfied_from", "negative_to", "neutral_to")
    @classmethod
    def _on_their_scales(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        for scale, bound in value.items():
            low, high = sorted(scale_ends(scale))
            if low == high:
                raise ValueError(f"a scale from {low} to {high} is none")
            if not low <= bound <= high:
                raise ValueError(f"{bound:g} is not on the scale {scale}")
        return _BOUNDS[info.field_name or ""] | value

    @model_validator(mode="after")
    def _scales_that_fit(self) -> Policy:
        for field in ("negative_to", "neutral_to"):
            for scale, bound in getattr(self, field).items():
                if scale not in self.satisfied_from:
                    raise ValueError(
                        f"{field}: the scale {scale} stands not in satisfied_from: say from where it is satisfied"
                    )
                # What is usually neutral may be satisfied: nobody has said otherwise.
                if self.satisfies(scale, bound) and (field, bound) != ("neutral_to", NEUTRAL_TO.get(scale)):
                    raise ValueError(f"{field}: {bound:g} on the scale {scale} is satisfied already (satisfied_from)")
        return self

    @model_validator(mode="after")
    def _neutral_above_bad(self) -> Policy:
        for scale, bound in self.neutral_to.items():
            if bound != NEUTRAL_TO.get(scale) and self.bad(scale, bound) and bound != self.negative_to[scale]:
                raise ValueError(
                    f"neutral_to: {bound:g} on the scale {scale} is worse than the best bad rating (negative_to): a bad rating would be "
                    "better than a neutral one"
                )
        worst, best = scale_ends(self.csat_mean_scale)
        if worst > best or self.csat_mean_scale not in self.satisfied_from:
            why = "its best score is the lowest" if worst > best else "it stands not in satisfied_from"
            raise ValueError(f"csat_mean_scale: of the scale {self.csat_mean_scale} no mean is shown: {why}")
        return self

    def satisfies(self, scale: str, score: float) -> bool:
        """Is a score of a scale satisfied? Raises NotCoveredError, with what to set, where the policy does not know the scale."""
        if (bound := self.satisfied_from.get(scale)) is None:
            raise NotCoveredError(
                f"the policy does not know the scale {scale}: add it to satisfied_from, and to negative_to"
            )
        worst, best = scale_ends(scale)
        return score >= bound if worst < best else score <= bound

    def bad(self, scale: str, score: float) -> bool | None:
        """Is a score of a scale a bad rating? None where the policy does not say which are."""
        return _up_to(self.negative_to.get(scale), scale, score)

    def not_good(self, scale: str, score: float) -> bool | None:
        """Is a score of a scale no better than neutral? None where the policy does not say which are."""
        neutral = _up_to(self.neutral_to.get(scale), scale, score)
        return neutral if not neutral else not self.satisfies(scale, score)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The operation's time zone."""
        return ZoneInfo(self.time_zone)

    def service_level_ms(self, queue: str | None) -> int:
        """Milliseconds within which a call of a queue is to be answered."""
        return round(self.service_level_seconds_by_queue.get(queue or "", self.service_level_seconds) * 1000)

    def first_response_ms(self, queue: str | None) -> int:
        """Milliseconds within which a chat of a queue is to get its first response."""
        return round(self.first_response_seconds_by_queue.get(queue or "", self.first_response_seconds) * 1000)

    @cached_property
    def kind_names(self) -> Names:
        """What sources write of kinds → the kind."""
        return Names(self.kinds, BUILT_IN_KINDS)

    @cached_property
    def review_item_names(self) -> Names:
        """What sources write of the items of reviews → the item, folded."""
        return Names(self.review_items, BUILT_IN_REVIEW_ITEMS)

    @cached_property
    def due_seconds_by_kind(self) -> dict[str, float]:
        """How long after its creation a ticket of a kind is due where no due time is told; a kind of one's own as it is compared."""
        return {self.kind_names[kind]: hours * 3600 for kind, hours in self.due_hours_by_kind.items()}

    @cached_property
    def topic_names(self) -> Names:
        """What sources write of topics → the topic, folded."""
        return Names(self.topics)

    @cached_property
    def subjects_of(self) -> Subjects:
        """Kind, topic and queue of a contact → the subjects that it is of."""
        return Subjects(self.subjects, self.kind_names, self.topic_names)

    @cached_property
    def peak_days(self) -> BusinessDays | None:
        """The peak hours of every date; None: no hours are."""
        return BusinessDays(self.peak_hours) if self.peak_hours else None

    @cached_property
    def urgent(self) -> frozenset[str]:
        """Priorities that are urgent, folded."""
        return frozenset(map(folded, self.urgent_priorities))

    @cached_property
    def topics_apart(self) -> dict[str, str]:
        """Topics whose resolution is kept apart, folded → as the policy writes them."""
        return {folded(name): name for name in self.topics}

    @cached_property
    def allowed_lateness_ms(self) -> int:
        """Milliseconds."""
        return round(self.allowed_lateness_days * 86_400_000)

    @cached_property
    def earliest_ms(self) -> int:
        """The first moment of which events are taken, ms since 1970: of its day in the operation's zone."""
        return round(datetime.combine(self.earliest_day, time.min, self.zone).timestamp() * 1000)

    @cached_property
    def business_days(self) -> BusinessDays | None:
        """The hours of every date that times are measured by; None: every second counts."""
        if self.response_clock == "calendar":
            return None
        return BusinessDays(self.business_hours, self.holidays, self.workdays, self.calendar)

    @property
    def day_starts_ms(self) -> int:
        """How long after midnight the operation's day begins, ms."""
        hour, minute = self.day_starts.split(":")
        return (int(hour) * 60 + int(minute)) * 60_000

    @cached_property
    def max_state_ms(self) -> int:
        """Milliseconds."""
        return round(self.max_state_hours * 3_600_000)

    @cached_property
    def chat_session_ms(self) -> int:
        """Milliseconds."""
        return round(self.chat_session_hours * 3_600_000)

    @cached_property
    def repeat_ms(self) -> int:
        """Milliseconds."""
        return round(self.repeat_days * 86_400_000)

    @cached_property
    def fcr_ms(self) -> int:
        """Milliseconds."""
        return round(self.fcr_days * 86_400_000)

    @cached_property
    def repeat_complaint_ms(self) -> int:
        """Milliseconds."""
        return round(self.repeat_complaint_days * 86_400_000)

    def but(self, **values: Any) -> Policy:
        """The same with other values. (``model_copy`` would keep what was worked out from the old ones.)"""
        return Policy.model_validate({**self.model_dump(), **values})

    # -- one set of values is in force on any day: the same questions as to ``Policies`` --------------------------------

    def on(self, day: date) -> Policy:
        """The values in force on a day."""
        return self

    def current(self, day: date) -> Policy:
        """The values that screens use on a day."""
        return self

    def between(self, first: date, last: date) -> tuple[Policy, ...]:
        """The values in force from ``first`` to ``last``, in order."""
        return (self,)


def _up_to(bound: float | None, scale: str, score: float) -> bool | None:
    """Is a score at most as good as the bound? None where there is none."""
    if bound is None:
        return None
    worst, best = scale_ends(scale)
    return score <= bound if worst < best else score >= bound
