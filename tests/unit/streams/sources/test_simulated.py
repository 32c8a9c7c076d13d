"""The simulated desk: the same for the same seed, sound event by event, and with a noon that rings the alerts."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta

import pytest

from streams.contracts.decode import decode_any, encode
from streams.contracts.events import (
    AgentEvent,
    AgentScheduled,
    AgentStateChanged,
    AnyEvent,
    CallAnswered,
    CallArrived,
    CallEnded,
    CallQueued,
    ChatAssigned,
    ChatEnded,
    ChatMessage,
    ChatStarted,
    ContactEvent,
    Rated,
    TicketCreated,
)
from streams.kpi.formulas import figures
from streams.kpi.policy.model import Policy
from streams.operator_files import load_rules
from streams.pipeline import run
from streams.sources.simulated import ZONE, roster, simulate

MIDNIGHT = datetime(2026, 1, 5, tzinfo=ZONE)


def events(seed: int, start: float, end: float, *, agents: int = 60, teams: int = 3) -> list[AnyEvent]:
    """Events between two hours after MIDNIGHT."""
    until = MIDNIGHT + timedelta(hours=end)
    stream = simulate(seed, MIDNIGHT + timedelta(hours=start), agents=agents, teams=teams)
    return list(itertools.takewhile(lambda event: event.time < until, stream))


@pytest.fixture(scope="module")
def day() -> list[AnyEvent]:
    """A day and the morning after, of one seed."""
    return events(7, 0, 36)


def test_a_seed_gives_the_same_bytes_and_another_seed_another_day() -> None:
    once, again, other = ([encode(event) for event in events(seed, 9, 10)] for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_events_come_in_the_order_of_their_times_with_ids_of_their_own(day: list[AnyEvent]) -> None:
    assert all(earlier.time <= later.time for earlier, later in itertools.pairwise(day))
    ids = [(event.agent_id if isinstance(event, AgentEvent) else event.contact_id, event.id) for event in day]
    assert len(ids) == len(set(ids))


def test_every_event_decodes_to_itself(day: list[AnyEvent]) -> None:
    assert all(decode_any(encode(event)) == event for event in day)


def test_a_days_contacts_are_of_every_kind_and_channel(day: list[AnyEvent]) -> None:
    opened = [
        event for event in day[: len(day) * 2 // 3] if isinstance(event, CallArrived | ChatStarted | TicketCreated)
    ]
    said = {event.kind for event in opened if event.kind is not None}
    assert {"投诉", "Complaint", "complaint"} <= said, "each system has its own words"
    assert {Policy().kind_names[kind] for kind in said} == {
        "inquiry", "complaint", "refund", "refund_dispute", "fault", "return", "follow_up", "opinion", "praise", "site_visit",
        "order_placement", "regular_post", "info_relay",
    }  # fmt: skip
    assert any(event.vip for event in opened)
    assert {event.priority for event in opened} == {None, "urgent"}
    contacts = Counter(event.carrier for event in opened)
    assert contacts["calls"] > 1000
    assert contacts["chats"] > 1000
    assert contacts["tickets"] > 100
    today = [event for event in day if event.time < MIDNIGHT + timedelta(days=1)]
    assert 3000 <= len({event.contact_id for event in today if isinstance(event, ContactEvent)}) <= 6000
    missing = {
        "call.arrived", "call.queued", "call.offered", "call.missed", "call.answered", "call.abandoned",
        "call.transferred", "call.ended", "call.invited", "call.rated", "call.rating_explained", "chat.rating_explained", "chat.started", "chat.handed_over", "chat.assigned", "chat.message", "chat.transferred", "chat.invited",
        "chat.ended", "chat.rated", "ticket.created", "ticket.assigned", "ticket.replied", "ticket.resolved",
        "ticket.pending", "ticket.resumed", "ticket.reassigned", "call.resolved",
        "call.reviewed", "chat.reviewed", "ticket.reviewed", "ticket.escalated", "ticket.reopened", "ticket.closed", "ticket.rated", "agent.scheduled",
        "agent.state_changed",
    } - {str(type(event).__struct_config__.tag) for event in day}  # fmt: skip
    assert missing == set()


def test_agents_do_what_their_states_say(day: list[AnyEvent]) -> None:
    states: dict[str, str] = {}
    chats: Counter[str] = Counter()
    most = 0
    holder: dict[str, str] = {}
    for event in day:
        if isinstance(event, AgentStateChanged):
            states[event.agent_id] = event.state
        elif isinstance(event, CallAnswered | ChatAssigned):
            assert event.agent_id is not None
            assert states[event.agent_id] == "on_contact"
            if isinstance(event, ChatAssigned):
                holder[event.contact_id] = event.agent_id
                chats[event.agent_id] += 1
                most = max(most, chats[event.agent_id])
        elif isinstance(event, ChatEnded) and event.contact_id in holder:
            chats[holder[event.contact_id]] -= 1
    assert most == 3
    at_night = {event.state for event in day if isinstance(event, AgentStateChanged) and event.time.hour == 23}
    assert at_night <= {"offline"}


def test_calls_have_one_agent_at_a_time_and_waits_that_add_up(day: list[AnyEvent]) -> None:
    queued: dict[str, datetime] = {}
    for event in day:
        if isinstance(event, CallQueued):
            queued[event.contact_id] = event.time
        elif isinstance(event, CallAnswered):
            assert event.wait_seconds is not None
            waited = (event.time - queued.pop(event.contact_id)).total_seconds()
            assert waited == pytest.approx(event.wait_seconds, abs=0.002)
        elif isinstance(event, CallEnded):
            assert event.contact_id not in queued


def answered_in_time(day: list[AnyEvent], start: float, end: float) -> float:
    """Share of the calls queued between two hours that were answered within 20 s."""
    begin, until = MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=end)
    queued = {e.contact_id for e in day if isinstance(e, CallQueued) and begin <= e.time < until}
    in_time = {e.contact_id for e in day if isinstance(e, CallAnswered) and (e.wait_seconds or 0) <= 20}
    return len(queued & in_time) / len(queued)


@pytest.mark.parametrize("seed", [1, 7])
def test_mornings_go_well_and_noon_does_not(seed: int) -> None:
    told = events(seed, 9, 14)
    assert answered_in_time(told, 10, 11.5) > 0.8
    assert answered_in_time(told, 12, 13.5) < 0.8

    def satisfied(start: float, end: float) -> float:
        ratings = [e.score for e in told if isinstance(e, Rated) and start <= e.time.hour + e.time.minute / 60 < end]
        return sum(score >= 4 for score in ratings) / len(ratings)

    assert satisfied(10, 11.5) > 0.85
    assert satisfied(12.5, 13.5) < 0.8


def test_noon_sets_off_the_first_alerts_for_which_it_has_enough() -> None:
    told = events(7, 11.5, 14)
    noon = run((encode(event) for event in told), Policy(), load_rules(None), look_every=50)
    fired = {alert.rule: alert.at.astimezone(ZONE) for alert in reversed(noon.alerts) if alert.status == "firing"}
    # Of so few complaints nobody can say within a noon that more than a fifth are repeats.
    assert fired.keys() == {rule.id for rule in load_rules(None)} - {"repeat_complaints"}
    assert all(at >= MIDNIGHT + timedelta(hours=11.5) for at in fired.values())
    found = {
        id for day in noon.daily_facts() for id, figure in figures(day.entity, day.sums, Policy()).items() if figure.n
    }
    assert found >= {
        "basic_resolution_rate", "technical_resolution_rate", "return_completion_rate", "urgent_response_time",
        "transfer_accuracy_rate", "self_service_conversion_rate", "backlog_clearance_speed",
    }, "what cards score of subjects, transfers and self-service"  # fmt: skip


def test_who_joins_late_is_told_who_is_there_and_nothing_in_part(day: list[AnyEvent]) -> None:
    late = events(7, 11.5, 12)
    start = MIDNIGHT + timedelta(hours=11.5)
    present = [event for event in late if event.time == start]
    assert {event.agent_id for event in present if isinstance(event, AgentStateChanged)} == {
        event.agent_id
        for event in day
        if isinstance(event, AgentStateChanged) and event.time < start and event.state != "offline"
    }
    assert any(isinstance(event, AgentScheduled) for event in present)
    opened = {e.contact_id for e in late if isinstance(e, CallArrived | ChatStarted | TicketCreated)}
    assert opened == {event.contact_id for event in late if isinstance(event, ContactEvent)}
    # the same day, seen from later
    assert {encode(e) for e in late if e.time > start} <= {encode(e) for e in day}


def test_chats_begin_with_the_customer_and_a_bots_greeting(day: list[AnyEvent]) -> None:
    senders: dict[str, list[str]] = {}
    for event in day:
        if isinstance(event, ChatMessage):
            senders.setdefault(event.contact_id, []).append(event.sender)
    assert all(sent[0] == "customer" for sent in senders.values())
    greeted = sum("bot" in sent[:3] for sent in senders.values())
    assert greeted > 0.95 * len(senders)


def test_the_roster_is_the_desks(day: list[AnyEvent]) -> None:
    entries = {entry.agent_id: entry for entry in roster(7)}
    assert len(entries) == 60
    assert len({entry.hr_number for entry in entries.values()}) == 60
    assert roster(7) == roster(7) != roster(8)
    for event in day:
        if isinstance(event, AgentEvent):
            entry = entries[event.agent_id]
            assert (event.team_id, event.site_id) == (entry.team_id, entry.site_id)
            assert entry.valid_from <= event.time.date()
    assert Counter(entry.team_id for entry in entries.values()) == {"hotline": 30, "online": 18, "after-sales": 12}
    assert Counter(entry.role for entry in entries.values()) == {"team_leader": 3, "agent": 57}


def test_a_desk_of_another_size() -> None:
    told = events(1, 10, 10.5, agents=130, teams=4)
    teams = {event.team_id for event in told if isinstance(event, AgentStateChanged)}
    assert teams == {"hotline", "hotline-2", "online", "after-sales"}
    assert len(roster(1, 130, 4)) == 130


@pytest.mark.parametrize(
    ("agents", "teams", "reason"), [(60, 2, "teams: 2, at least 3"), (11, 3, "agents: 11, at least 4 for each")]
)
def test_a_desk_that_cannot_be_staffed_is_refused(agents: int, teams: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        simulate(1, MIDNIGHT, agents=agents, teams=teams)
    with pytest.raises(ValueError, match=reason):
        roster(1, agents, teams)


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        simulate(1, MIDNIGHT.replace(tzinfo=None))


def test_what_cards_ask_of_reviews_and_of_work_that_is_due_has_figures(day: list[AnyEvent]) -> None:
    sums: Counter[str] = Counter()
    for facts in run((encode(event) for event in day), Policy()).daily_facts():
        if facts.entity == "all|all":
            sums.update(facts.sums)
    asked = {
        *(f"{item}_{what}" for item in ("script", "process", "behaviour", "needs", "policy") for what in ("reviews", "passed")),
        "opinion_replies_due", "praises", "orders_due", "visits_due", "posts_due", "follow_ups_rated", "follow_ups_within_15d",
        "refund_disputes", "csat_not_good_1_5", "nps_promoters", "nps_detractors", "info_replies_within_1h", "transfers_accurate",
        "refunds_handled",
    }  # fmt: skip
    assert asked <= {measure for measure, amount in sums.items() if amount > 0}
