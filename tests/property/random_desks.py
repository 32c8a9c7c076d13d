"""Random desks: contacts that change hands, agents who come late and forget to log out, policies in versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import AnyPolicy, Policies
from tests.reference.thing import Event

TEAM = {"a": "t", "b": "u", "c": "t"}
#: A plain evening, one before Berlin loses an hour and a month ends, one before it has an hour twice.
STARTS = tuple(datetime(2026, *day, 22, 0, tzinfo=UTC) for day in ((3, 2), (3, 28), (10, 24)))
HOUR, DAY = 3600, 86_400

gaps = st.sampled_from([0.001, 1, 9, 10, 11, 20, 21, 30, 31, 119, 121, 600, 3600, 3601, 90_000])
#: What the clocks of sources count in, seconds.
clocks = st.sampled_from([0.001, 0.001, 1, 60, 3600])
agents = st.sampled_from(["a", "b", "c"])
words = st.sampled_from([None, True, False])
kinds = st.sampled_from(
    [
        None,
        None,
        "complaint",
        "complaint",
        "info_relay",
        "fault",
        "follow_up",
        "refund",
        "refund_dispute",
        "opinion",
        "praise",
        "order_placement",
        "下单",
        "site_visit",
        "regular_post",
        "投诉",
        " Complaint",
        "gripe",
        "inquiry",
        "换货",
        "dispute",
    ]
)
forms = st.sampled_from(
    ["script", "script", "话术", "process", "流程", "steps", "behaviour", "needs", "Policy", "tone"]
)
topics = st.sampled_from([None, "x", "y", "Ｘ", "why"])
vips = st.sampled_from([None, None, None, True, False])
priorities = st.sampled_from([None, None, None, "urgent", "ＵＲＧＥＮＴ", "normal"])
seldom = st.sampled_from([True, False, False, False])
states = st.sampled_from(
    ["available", "available", "on_contact", "on_contact", "wrap_up", "away", "training", "offline"]
)

reasons = st.sampled_from([None, "lunch", "gone fishing"])

#: What a service level is a share of, and what early hang-ups are to it.
_SERVICE_LEVELS = [
    {"service_level_denominator": of, "service_level_early_abandons": early}
    for of, what in {
        "offered": ("missed", "left_out", "in_time"),
        "answered_and_abandoned": ("missed", "left_out", "in_time"),
        "answered_abandoned_and_flow_outs": ("missed", "left_out", "in_time"),
        "answered": ("missed", "left_out"),
        "answered_and_flow_outs": ("missed", "left_out"),
        "offered_less_short_abandons": ("missed",),
    }.items()
    for early in what
]
#: Values that a version of the policy may change.
values = st.fixed_dictionaries(
    {
        "repeat_days": st.sampled_from([1, 2, 7]),
        "repeat_complaint_days": st.sampled_from([1, 3]),
        "fcr_days": st.sampled_from([1, 7]),
        "max_customer_contacts_per_day": st.sampled_from([1, 2, 20]),
        "same_matter": st.sampled_from(["topic", "any", "queue", "topic_and_queue"]),
        "service_level_seconds": st.sampled_from([10, 20]),
        "service_level_seconds_by_queue": st.sampled_from([{}, {"q": 5}, {"r": 60, "q": 10}]),
        "short_abandon_seconds": st.sampled_from([0, 10]),
        "short_call_seconds": st.sampled_from([5, 10]),
        "first_response_seconds": st.sampled_from([10, 30]),
        "first_response_from": st.sampled_from(["hand_over", "hand_over", "first_message"]),
        "chat_session_hours": st.sampled_from([0.5, 24]),
        "first_response_seconds_by_queue": st.sampled_from([{}, {"q": 9}, {"r": 120}]),
        "first_response_channels": st.sampled_from([("chat",), ("ticket",), ("chat", "ticket")]),
        "response_delay_seconds": st.sampled_from([20, 120]),
        "reply_within_seconds": st.sampled_from([600, 3600]),
        "complaint_closes": st.sampled_from(["resolved", "accepted"]),
        "urgent_priorities": st.sampled_from([("urgent",), ("Normal",)]),
        "complaint_resolution_hours": st.sampled_from([1, 24]),
        "complaint_late_days_at_most": st.sampled_from([2, 30]),
        "csat_mean_scale": st.sampled_from(["1-5", "0-10", "1-10"]),
        "satisfied_from": st.sampled_from([{"1-5": n, "5-1": 2, "1-10": 4} for n in (4, 5)]),
        "negative_to": st.sampled_from([{}, {"1-5": 1}, {"5-1": 4, "0-10": 3, "1-10": 3}]),
        "neutral_to": st.sampled_from([{}, {}, {"1-5": 2}, {"5-1": 3, "1-10": 3}]),
        "opinion_reply_hours": st.sampled_from([0.2, 24]),
        "follow_up_days": st.sampled_from([0.02, 1, 15]),
        "due_hours_by_kind": st.sampled_from([{}, {}, {"order_placement": 1, "follow_up": 2}, {"上门": 0.5}]),
        "review_items": st.sampled_from([{}, {}, {"process": ["steps"]}, {"needs": ["流程"], "taste": []}]),
        "bad_rating_rca_hours": st.sampled_from([1, 24]),
        "away_reasons": st.sampled_from([(), ("lunch",)]),
        "rating_credit": st.sampled_from(["at_end", "at_end", "resolver", "all_replied"]),
        "kinds": st.sampled_from([{}, {}, {"complaint": ["gripe"]}, {"refund": ["gripe", "投诉"]}]),
        "topics": st.sampled_from([(), ("x",), ("x", "y"), {"X": [], "y": ["why"]}, {"x": ["why", "y"]}]),
        "subjects": st.sampled_from(
            [
                {},
                {"basic": {"topics": ["x"]}, "urgent": {"kinds": ["refund"], "queues": ["r"]}},
                {"technical": {"queues": ["q"]}, "return": {"kinds": ["gripe"]}, "difficult": {"topics": ["why"]}},
            ]
        ),
        "peak_hours": st.sampled_from([{}, {"mon": "22:00-22:30, 23:00-24:00", "sat": "20:00-24:00"}]),
        "self_service_channels": st.sampled_from([("chat",), ("chat", "call"), ()]),
        "max_wait_seconds": st.sampled_from([30, 14_400]),
        "staffing_service_level": st.sampled_from([0.8, 0.5]),
        "staffing_max_occupancy": st.sampled_from([0.85, 1]),
        "staffing_patience_seconds": st.sampled_from([None, 60]),
        "response_clock": st.sampled_from(["calendar", "calendar", "business"]),
        "clock_stops_while": st.sampled_from([("pending",), ("pending",), ("pending", "resolved"), ("resolved",), ()]),
        "clocks_that_stop": st.sampled_from(
            [
                ("time_to_resolve", "complaint_resolution", "due"),
                ("time_to_resolve",),
                ("complaint_resolution",),
                ("due",),
            ]
        ),
        "business_hours": st.just(dict.fromkeys(("mon", "tue", "wed", "fri", "sat"), "08:00-12:00, 13:00-23:30")),
        "service_level": st.sampled_from(_SERVICE_LEVELS),
    }
).map(lambda own: {name: value for name, value in own.items() if name != "service_level"} | own["service_level"])
#: Values of the whole operation.
lasting = st.fixed_dictionaries(
    {
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Shanghai"]),
        "day_starts": st.sampled_from(["00:00", "00:00", "04:00"]),
        "allowed_lateness_days": st.just(60),
        "max_state_hours": st.sampled_from([16, 1.6]),
    }
)
plain_policies = st.builds(lambda own, all_: Policy.model_validate({**own, **all_}), values, lasting)


@st.composite
def policies_in_versions(draw: st.DrawFn) -> AnyPolicy:
    """Two versions: the second is in force from one of the days of the desk."""
    common, first, second = draw(lasting), draw(values), draw(values)
    since = draw(st.sampled_from(STARTS)).date() + timedelta(days=draw(st.integers(0, 3)))
    one, other = (Policy.model_validate({"version": v, **common, **own}) for v, own in (("1", first), ("2", second)))
    return Policies(((None, one), (since, other)))


class Story:
    """Tells the events of one contact, one after the other."""

    def __init__(self, draw: st.DrawFn, channel: str, number: int, start: datetime) -> None:
        self.draw, self.channel, self.told = draw, channel, list[Event]()
        self.contact = f"{channel}{number}"
        self.customer = draw(st.sampled_from([None, "A", "B"]))
        self.at = start + timedelta(seconds=draw(st.sampled_from([0, 600, 7000, 7199, 7201, 90_000, 200_000])))
        self.about = {
            "topic": draw(topics), "kind": draw(kinds), "vip": draw(vips), "priority": draw(priorities),
        }  # fmt: skip
        self.clock, self.began = timedelta(seconds=draw(clocks)), start
        self.ids = draw(st.sampled_from([1, 1, -1]))
        self.numbered = draw(st.sampled_from([(), (), (True, False), (True,)]))

    def tell(self, what: str, agent: str | None = None, **fields: Any) -> None:
        """An event some time after the last one."""
        self.at += timedelta(seconds=self.draw(gaps))
        staff = {"agent_id": agent, "team_id": TEAM[agent]} if agent else {}
        number = len(self.told)
        event = {
            "type": f"{self.channel}.{what}", "id": f"e{50 + self.ids * number}", "source": "s",
            "time": (self.at - (self.at - self.began) % self.clock).isoformat(),
            "sequence": number // 2 if self.numbered and self.draw(st.sampled_from(self.numbered)) else None,
            "contact_id": self.contact, "customer_id": self.customer, **self.about, **staff, **fields,
        }  # fmt: skip
        news = {"kind": kinds, "vip": vips, "priority": priorities}
        self.about = (
            {name: self.draw(news[name]) for name in (self.draw(st.sampled_from(list(news))),)}
            if self.draw(st.integers(0, 15)) == 15
            else {}
        )
        self.told.append({name: value for name, value in event.items() if value is not None})

    def perhaps(self) -> bool:
        """Does it happen?"""
        return self.draw(st.booleans())

    def seldom(self) -> bool:
        """Does it happen for once?"""
        return self.draw(seldom)


@st.composite
def calls(draw: st.DrawFn, number: int, start: datetime) -> list[Event]:
    story = Story(draw, "call", number, start)
    if story.perhaps():
        story.tell("arrived")
    seconds = st.sampled_from([None, 0, 5, 9.5, 60, 900])
    for _ in range(draw(st.integers(1, 3))):
        queue, agent = draw(st.sampled_from("qr")), draw(agents)
        story.tell("queued", queue_id=queue, site_id=draw(st.sampled_from([None, "s"])))
        if story.perhaps():
            story.tell(draw(st.sampled_from(["missed", "missed", "offered"])), draw(agents), ring_seconds=5)
        out = draw(st.sampled_from(["answered", "answered", "abandoned", "left_queue", None]))
        if out == "answered":
            story.tell("answered", agent, wait_seconds=draw(st.sampled_from([None, 10, 20, 20.5])))
            moved = story.perhaps()
            if moved:
                story.tell("transferred", agent)
            ends = {
                "talk_seconds": draw(seconds), "hold_seconds": draw(seconds), "wrap_up_seconds": draw(seconds),
                "ended_by": draw(st.sampled_from([None, "agent", "customer"])), "resolved": draw(words),
            }  # fmt: skip
            if moved and story.seldom():  # straight to another agent, whose end is told before the first one's
                other = draw(agents)
                story.tell("answered", other)
                story.tell("ended", other, resolved=draw(words))
            settled = draw(st.sampled_from(["no", "no", "no", "before", "after", "only"]))
            if settled == "before":
                story.tell("resolved", draw(st.sampled_from([agent, None])), resolved=draw(words))
            if settled != "only":
                story.tell("ended", agent, **ends)
            if settled in ("after", "only"):
                story.tell("resolved", draw(st.sampled_from([agent, agent, None])), resolved=draw(words))
            if not moved:
                break
        elif out is not None:
            story.tell(out, wait_seconds=draw(st.sampled_from([None, 10, 11])))
            if out == "abandoned":
                break
        else:
            break
    return spoken(draw, story)


@st.composite
def chats(draw: st.DrawFn, number: int, start: datetime) -> list[Event]:
    story = Story(draw, "chat", number, start)
    agent = draw(agents)
    story.tell("started", queue_id=draw(st.sampled_from("qr")), site_id=draw(st.sampled_from([None, "s"])))
    if story.perhaps() and story.perhaps():
        story.tell("assigned", agent)
    for _ in range(draw(st.integers(0, 9))):
        sender = draw(
            st.sampled_from(["customer", "customer", "agent", "bot", "bot", "hand over", "to people", "over"])
        )
        if sender == "to people":
            queue, known = draw(st.sampled_from([None, None, "r"])), draw(st.sampled_from([None, None, agent]))
            story.tell("handed_over", known, queue_id=queue, bot=draw(st.sampled_from([None, "robot"])))
        elif sender == "over":
            story.tell("ended", draw(st.sampled_from([agent, None])), resolved=draw(words))
            if story.seldom():
                story.tell("started", draw(st.sampled_from([agent, None])))
        elif sender == "hand over":
            other = draw(agents)
            how = draw(st.sampled_from(["to", "to", "queue", "assigned", "taken"]))
            if how == "to":
                story.tell("transferred", agent, to_agent_id=other)
            elif how == "queue":
                story.tell("transferred", agent, to_queue_id="r")
                story.tell("assigned", other, queue_id="r")
            elif how == "assigned":
                story.tell("assigned", other)
            agent = other
        else:
            story.tell("message", agent if sender == "agent" else None, sender=sender)
    if story.perhaps():
        story.tell("ended", draw(st.sampled_from([agent, agent, None])), resolved=draw(words))
        if story.seldom():
            story.tell("message", None, sender="customer")
    return spoken(draw, story)


@st.composite
def tickets(draw: st.DrawFn, number: int, start: datetime) -> list[Event]:
    story = Story(draw, "ticket", number, start)
    agent = draw(agents)
    due = draw(st.sampled_from([None, 60, 4000, 100_000]))
    story.tell("created", draw(st.sampled_from([None, agent])), queue_id=draw(st.sampled_from("qr")))
    due_at = (story.at + timedelta(seconds=due)).isoformat() if due is not None else None
    if story.perhaps():
        story.tell("assigned", agent)
    steps = ["replied", "note", "escalated", "resolved", "reopened", "closed", "handed over", "helped", "handled"]
    steps += ["pending", "pending", "resumed", "resumed", "reassigned"]
    for what in draw(st.lists(st.sampled_from(steps), max_size=8)):
        if what == "note":
            story.tell("replied", agent, public=False)
        elif what == "handed over":
            agent = draw(agents)
            story.tell("assigned", agent, queue_id=draw(st.sampled_from([None, "q", "r"])))
        elif what == "reassigned":
            other, queue = draw(st.sampled_from(["a", "b", "c", None])), draw(st.sampled_from([None, "q", "r"]))
            story.tell("reassigned", draw(st.sampled_from([agent, None])), to_agent_id=other, to_queue_id=queue)
            agent = other or agent
        elif what == "pending":
            story.tell("pending", draw(st.sampled_from([agent, None])), reason=draw(st.sampled_from([None, "papers"])))
        elif what == "helped":
            story.tell("replied", draw(agents))
        elif what == "handled":
            story.tell("resolved", draw(agents))
        elif what == "reopened" and story.told[-1]["type"] not in ("ticket.resolved", "ticket.closed"):
            continue  # nothing to reopen
        elif what in ("resolved", "closed"):
            accepted = draw(words) if draw(seldom) else None
            story.tell(
                what, draw(st.sampled_from([agent, agent, None])), resolved=draw(words), accepted_by_customer=accepted
            )
        else:
            story.tell(what, draw(st.sampled_from([agent, agent, None])))
    if story.seldom() and story.seldom():
        story.tell("merged", into="another")
    if due_at is not None:
        story.told[0]["due"] = due_at
    return spoken(draw, story)


def spoken(draw: st.DrawFn, story: Story) -> list[Event]:
    """The story with what people said of it afterwards, and what was taken back or put right."""
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        scale, survey = (
            draw(st.sampled_from(["1-5", "0-10", "1-10", "5-1"])),
            draw(st.sampled_from(["csat", "csat", "nps", "ces"])),
        )
        story.tell("rated", score=draw(st.integers(1, 5)), scale=scale, survey=survey)
    if story.seldom():
        story.tell("rating_explained")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        story.tell("followed_up", resolved=draw(st.booleans()))
    if story.seldom():
        story.tell("invited")
    if story.seldom():
        items = draw(st.dictionaries(forms, st.booleans(), max_size=3)) or None
        story.tell(
            "reviewed", score=draw(st.integers(0, 100)), passed=draw(words), fatal=draw(st.booleans()), items=items
        )
    if story.seldom():
        story.tell(
            "analysed", emotion=draw(st.sampled_from([None, -1, 0.5])), emotion_start=draw(st.sampled_from([None, 0.25])),
            speech_rate=draw(st.sampled_from([None, 150, 200])), silences=draw(st.sampled_from([0, 3, 7])),
            shift_seconds=draw(st.sampled_from([None, 600, 3600, 9000])), emotion_end=0.5, page_switches=draw(st.sampled_from([None, 3])), search_seconds=7, keyword_coverage=0.5,
        )  # fmt: skip
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2, 4]))):
        wrong = draw(st.sampled_from(story.told))
        word = draw(st.sampled_from(["retracted", "corrected"]))
        fields = dict[str, Any]()
        if word == "retracted":
            story.about = {}
            fields = draw(st.sampled_from([{}, {}, {"queue_id": "r"}]))  # of the contact, not of what is taken back
        else:
            staff = {"agent_id": "c", "team_id": "t"} if "agent_id" in wrong else {}
            others: list[dict[str, Any]] = [staff, {"kind": "complaint"}, {"topic": "y"}, {"queue_id": "r"}]
            if "score" in wrong:
                others.append({"score": 9})
            if "resolved" in wrong:
                others.append({"resolved": not wrong["resolved"]})
            if wrong["type"] in ("ticket.resolved", "ticket.closed"):
                others.append({"accepted_by_customer": not wrong.get("accepted_by_customer")})
            if "sender" in wrong:
                others.append({"sender": "bot"})
            fields = draw(st.sampled_from(others))
        story.tell(word, corrects=wrong["id"], **fields)
    return story.told


@st.composite
def people(draw: st.DrawFn, agent: str, start: datetime) -> list[Event]:
    """An agent's shifts and states over some days; log-outs get lost, words are taken back."""
    told = list[Event]()

    def tell(what: str, at: datetime, **fields: Any) -> None:
        site = draw(st.sampled_from(["s", "s", None])) if what == "state_changed" else "s"
        team = draw(st.sampled_from([TEAM[agent]] * 7 + ["v"])) if what == "state_changed" else TEAM[agent]
        event = {
            "type": f"agent.{what}", "id": f"{9 + len(told)}", "source": "s", "sequence": draw(st.sampled_from([None, None, None, 3, 1])), "time": at.isoformat(), "agent_id": agent, "team_id": team, "site_id": site, **fields,
        }  # fmt: skip
        told.append({name: value for name, value in event.items() if value is not None})

    for _ in range(draw(st.integers(0, 3))):
        begins = start + timedelta(hours=draw(st.sampled_from([0, 1, 2, 8, 24, 50])))
        ends = begins + timedelta(hours=draw(st.sampled_from([1, 4, 8])))
        when = begins - timedelta(hours=draw(st.sampled_from([-9, 0, 1, 20])))
        tell("scheduled", when, starts=begins.isoformat(), ends=ends.isoformat())
    at = start + timedelta(seconds=draw(st.sampled_from([-DAY, -HOUR, 0, 60, 7000])))
    for _ in range(draw(st.integers(0, 8))):
        tell("state_changed", at, state=draw(states), reason=draw(reasons))
        at += timedelta(seconds=draw(st.sampled_from([0, 0.001, 60, 890, 900, 3000, HOUR, 5 * HOUR, 20 * HOUR])))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2])) if told else 0):
        wrong = draw(st.sampled_from(told))
        word, fields = draw(st.sampled_from(["retracted", "corrected"])), dict[str, Any]()
        if word == "corrected" and "state" in wrong:
            fields = {"state": draw(states)}
        elif word == "corrected" and "ends" in wrong:
            least = [] if "corrects" in wrong else [-9, -2]  # one that leaves no shift, and changes nothing
            ends = datetime.fromisoformat(wrong["ends"]) + timedelta(hours=draw(st.sampled_from([*least, 1])))
            fields = {"ends": ends.isoformat()}
        at += timedelta(seconds=draw(st.sampled_from([0.001, 60, HOUR])))
        tell(word, at, corrects=wrong["id"], **fields)
    return told


@st.composite
def desks(
    draw: st.DrawFn, contacts: tuple[int, int] = (1, 6), staff: str = "", starts: Sequence[datetime] = STARTS
) -> list[Event]:
    """Some contacts and the agents ``staff``, their events as they happened."""
    start = draw(st.sampled_from(starts))
    makers: list[Callable[..., Any]] = [calls, chats, tickets]
    kinds = draw(st.lists(st.sampled_from(makers), min_size=contacts[0], max_size=contacts[1]))
    told = [event for number, kind in enumerate(kinds) for event in draw(kind(number, start))]
    told += [event for agent in staff for event in draw(people(agent, start))]
    if not told:
        told = draw(calls(0, start))
    return told


@st.composite
def busy_halves(draw: st.DrawFn) -> list[Event]:
    """Half an hour of calls at one site and at none, and who is there to take them."""
    start, told = draw(st.sampled_from(STARTS)), list[Event]()
    for number in range(draw(st.integers(1, 12))):
        at, agent = start + timedelta(seconds=draw(st.integers(0, 1500))), draw(agents)
        talk, site = draw(st.sampled_from([0, 30, 180, 600, 1200])), draw(st.sampled_from([None, "s"]))
        steps: list[tuple[str, float, Event]] = [("queued", 0, {"queue_id": "q", "site_id": site})]
        if draw(st.sampled_from([True, True, False])):
            staff = {"agent_id": agent, "team_id": TEAM[agent]}
            steps += [("answered", 7, staff), ("ended", 7 + talk, staff | {"talk_seconds": talk})]
        for what, later, fields in steps:
            when = at + timedelta(seconds=later)
            event = {
                "type": f"call.{what}",
                "id": what,
                "source": "s",
                "time": when.isoformat(),
                "contact_id": f"c{number}",
                **fields,
            }
            told.append({name: value for name, value in event.items() if value is not None})
    for agent in "abc":
        for number in range(draw(st.integers(0, 3))):
            when, state = start + timedelta(seconds=draw(st.integers(-600, 1800))), draw(states)
            site = {"site_id": "s"} if draw(st.booleans()) else {}
            told.append(
                {
                    "type": "agent.state_changed", "id": f"{number}", "source": "s", "time": when.isoformat(), "agent_id": agent, "team_id": TEAM[agent], "state": state, **site,
                }
            )  # fmt: skip
    return told
