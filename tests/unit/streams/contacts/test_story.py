"""Events of one moment: by the source's sequence, else as the story of the contact goes on, else by their ids as people read them."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pytest

from streams.contacts.contact import Contact
from streams.contacts.fold import fold
from streams.contacts.rules import rules_of
from streams.contacts.story import LONGEST, in_turn
from streams.contracts import events as e
from streams.contracts.events import AnyContactEvent
from tests.support.desk import POLICY, all_facts, in_any_order, later, moment, run_events, sums

NINE = "09:00:00"
RULES = rules_of(POLICY)


def told(type_: type[Any], id: str, when: str = NINE, **fields: Any) -> Any:
    return type_(id=id, source="s", time=moment(when), contact_id="c", **fields)


def folded(*events: AnyContactEvent) -> Contact:
    """The contact after the events, which must be the same however those of one moment are told."""
    by_time = sorted(events, key=lambda event: event.at)
    contact = fold(Contact(), by_time, RULES)
    for seed in range(20):
        random.Random(seed).shuffle(by_time)
        assert fold(Contact(), sorted(by_time, key=lambda event: event.at), RULES) == contact
    return contact


def turns(call: Contact) -> list[tuple[str | None, str | None, bool]]:
    """Queue, agent and whether it left unanswered, of each turn of a call."""
    return [(leg.queue, leg.agent, leg.gone) for leg in call.legs]


def test_a_call_that_overflows_within_a_second_has_one_offer_of_each_queue() -> None:
    events = [
        told(e.CallQueued, "1", "08:59:30", queue_id="sales"),
        told(e.CallLeftQueue, "3", queue_id="sales"),
        told(e.CallQueued, "2", queue_id="care"),
        told(e.CallAnswered, "4", "09:00:09", queue_id="care", agent_id="a"),
    ]
    assert turns(folded(*events)) == [("sales", None, True), ("care", "a", False)]
    held = run_events([*events, *later(1)])
    assert sums(held)["calls_offered"] == 2
    assert [sums(held, f"queue|{queue}")["calls_offered"] for queue in ("sales", "care")] == [1, 1]
    assert sums(held, "queue|care")["calls_answered_within_20s"] == 1
    in_any_order(events)


@pytest.mark.parametrize("ids", list(permutations("123")))
def test_a_call_may_pass_through_a_queue_in_no_time(ids: tuple[str, ...]) -> None:
    """No order of types says this: queued, left, queued."""
    first, left, second = ids
    assert turns(
        folded(
            told(e.CallQueued, first, queue_id="sales"),
            told(e.CallLeftQueue, left, queue_id="sales"),
            told(e.CallQueued, second, queue_id="care"),
        )
    ) == [("sales", None, True), ("care", None, False)]


def test_a_call_that_times_out_and_comes_back_to_its_queue_is_offered_twice() -> None:
    call = folded(
        told(e.CallQueued, "1", "08:59:00", queue_id="q"),
        told(e.CallQueued, "2", queue_id="q"),
        told(e.CallLeftQueue, "3", queue_id="q"),
    )
    assert turns(call) == [("q", None, True), ("q", None, False)]


def test_a_call_handed_on_within_a_second_has_both_its_parts() -> None:
    call = folded(
        told(e.CallQueued, "z", "08:58:00", queue_id="q"),
        told(e.CallAnswered, "y", "08:58:10", agent_id="a"),
        told(e.CallAnswered, "a", agent_id="b", queue_id="r"),
        told(e.CallQueued, "b", queue_id="r"),
        told(e.CallEnded, "c", agent_id="a"),
        told(e.CallTransferred, "d", agent_id="a"),
    )
    assert turns(call) == [("q", "a", False), ("r", "b", False)]
    assert [(leg.transferred, leg.ended_at is not None) for leg in call.legs] == [(True, True), (False, False)]
    assert call.agent == "b"


def test_two_parts_of_a_call_within_one_minute() -> None:
    """A source of whole minutes: everything from the queueing to the second agent's end has one time."""
    call = folded(
        told(e.CallQueued, "1", queue_id="q"), told(e.CallAnswered, "2", agent_id="a"), told(e.CallTransferred, "3", agent_id="a"),
        told(e.CallEnded, "4", agent_id="a"), told(e.CallAnswered, "5", agent_id="b"), told(e.CallEnded, "6", agent_id="b"),
        told(e.CallRated, "0", score=5, scale="1-5"),
    )  # fmt: skip
    assert turns(call) == [("q", "a", False), ("q", "b", False)]
    assert [(leg.transferred, leg.ended_at is not None) for leg in call.legs] == [(True, True), (False, True)]
    assert call.slots["rating"].agent == "b"


def test_messages_of_one_minute_are_read_as_their_ids_count() -> None:
    """m9 was written before m10: the customer asked and was answered; they do not wait for ever."""
    events = [
        told(e.ChatStarted, "m8", queue_id="q"),
        told(e.ChatMessage, "m9", sender="customer"),
        told(e.ChatMessage, "m10", sender="agent", agent_id="a"),
        told(e.ChatMessage, "m11", sender="customer"),
    ]
    assert sums(run_events([*events, *later(1)]))["chat_responses"] == 1
    assert folded(*events).unanswered_at == moment(NINE).timestamp() * 1000
    in_any_order(events)


def test_who_hands_a_chat_on_has_written_before() -> None:
    chat = folded(
        told(e.ChatStarted, "1", "08:59:00"),
        told(e.ChatAssigned, "2", "08:59:00", agent_id="a"),
        told(e.ChatTransferred, "3", agent_id="a", to_agent_id="b"),
        told(e.ChatMessage, "5", agent_id="b", sender="agent"),
        told(e.ChatMessage, "7", agent_id="a", sender="agent"),
        told(e.ChatEnded, "4", agent_id="b"),
    )
    assert chat.agent == "b"
    assert chat.slots["handled"].agent == "b"


def test_people_do_nothing_before_the_bot_has_written_and_handed_over() -> None:
    """Within a minute, whatever their ids: the customer asks, the bot answers and hands over, an agent is given it and writes."""
    parts: list[tuple[type[Any], dict[str, Any]]] = [
        (e.ChatMessage, {"sender": "customer"}),
        (e.ChatMessage, {"sender": "bot"}),
        (e.ChatHandedOver, {"bot": "robot"}),
        (e.ChatAssigned, {"agent_id": "a"}),
        (e.ChatMessage, {"sender": "agent", "agent_id": "a"}),
    ]
    for ids in permutations("12345"):
        chat = folded(*(told(type_, id, **fields) for id, (type_, fields) in zip(ids, parts, strict=True)))
        response = chat.slots["first_response"]
        assert (response.agent, response.staff["first_responses_within_30s"]) == ("a", 1)


@pytest.mark.parametrize(
    ("before", "of_the_moment", "is_open"),
    [
        ([], ["Closed", "Reopened"], True),
        (["Closed"], ["Closed", "Reopened"], False),
        ([], ["Resolved", "Reopened", "Closed"], False),
        (["Resolved"], ["Reopened"], True),
        (["Resolved"], ["Reopened", "Resolved", "Reopened"], True),
    ],
)
def test_a_ticket_closed_and_reopened_within_a_second(
    before: list[str], of_the_moment: list[str], is_open: bool
) -> None:
    opened = [told(e.TicketCreated, "o", "08:00:00", agent_id="a")]
    opened += [told(getattr(e, f"Ticket{what}"), f"b{n}", "08:30:00") for n, what in enumerate(before)]
    for ids in permutations("123", len(of_the_moment)):
        events = [told(getattr(e, f"Ticket{what}"), id) for id, what in zip(ids, of_the_moment, strict=True)]
        ticket = folded(*opened, *events)
        assert (ticket.finished_at is None) == is_open
        assert ticket.reopened


def test_who_resolved_a_ticket_before_it_was_given_away_has_resolved_it() -> None:
    ticket = folded(
        told(e.TicketCreated, "1", "08:00:00", agent_id="a"),
        told(e.TicketAssigned, "2", agent_id="b"),
        told(e.TicketReopened, "3"),
        told(e.TicketResolved, "4", agent_id="a"),
    )
    assert (ticket.agent, ticket.finished_at) == ("b", None)


def test_what_the_source_says_of_the_order_stands() -> None:
    """It was answered, ended and then queued once more, whatever the story would be."""
    events = [
        told(e.CallQueued, "a", sequence=7, queue_id="q"),
        told(e.CallAnswered, "b", sequence=3, agent_id="a"),
        told(e.CallEnded, "c", sequence=5, agent_id="a"),
    ]
    assert turns(folded(*events)) == [(None, "a", False), ("q", None, False)]
    in_any_order(events)


def test_messages_go_by_their_sequence_and_not_by_their_ids() -> None:
    chat = folded(
        told(e.ChatMessage, "f3", sequence=11, sender="agent", agent_id="a"),
        told(e.ChatMessage, "0a", sequence=20, sender="customer"),
        told(e.ChatMessage, "77", sequence=2, sender="customer"),
    )
    assert (chat.replies, chat.unanswered_at is not None) == (1, True)


def test_events_without_a_sequence_find_their_place_among_those_with_one() -> None:
    call = folded(
        told(e.CallQueued, "1", sequence=4, queue_id="q"),
        told(e.CallLeftQueue, "2", queue_id="q"),
        told(e.CallQueued, "3", sequence=9, queue_id="r"),
        told(e.CallAnswered, "0", queue_id="r", agent_id="a"),
    )
    assert turns(call) == [("q", None, True), ("r", "a", False)]


def test_events_that_share_a_sequence_make_a_story() -> None:
    """A row of a table tells several things at once."""
    call = folded(
        told(e.CallEnded, "1", sequence=4, agent_id="a"),
        told(e.CallAnswered, "2", sequence=4, agent_id="a"),
        told(e.CallQueued, "3", sequence=4, queue_id="q"),
        told(e.CallQueued, "0", sequence=5, queue_id="r"),
    )
    assert turns(call) == [("q", "a", False), ("r", None, False)]


def test_what_its_source_tells_later_does_not_change_the_order_of_what_it_told_before() -> None:
    """A ring in a queue that the call is said to enter only later."""
    missed = told(e.CallMissed, "12", sequence=5, agent_id="b", queue_id="p")
    row = [missed, told(e.CallTransferred, "13", sequence=5, queue_id="q")]
    queued = told(e.CallQueued, "7", sequence=9, queue_id="p")
    before = fold(Contact(), [told(e.CallMissed, "0", "08:59:00", agent_id="a")], RULES)
    assert next(in_turn(before, row)) is missed
    assert next(in_turn(before, [*row, queued])) is missed


def test_words_of_one_moment_stand_as_they_were_told() -> None:
    rating = told(e.CallRated, "r", score=1, scale="1-5")
    words = [told(e.CallCorrected, f"w{n}", "09:05:00", corrects="r", score=n) for n in (2, 5)]
    ten = told(e.CallCorrected, "w10", "09:05:00", corrects="r", score=4)
    assert sums(run_events([rating, ten, *words]))["csat_score_1_5"] == 4000
    words[0].sequence, words[1].sequence, ten.sequence = 1, 3, 2
    assert sums(run_events([rating, ten, *words]))["csat_score_1_5"] == 5000


def test_a_correction_does_not_say_when_in_its_moment_something_happened() -> None:
    queued = told(e.CallQueued, "1", sequence=1, queue_id="q")
    other = told(e.CallQueued, "2", sequence=2, queue_id="r")
    word = told(e.CallCorrected, "3", "09:05:00", corrects="1", sequence=9, queue_id="p")
    assert [leg.queue for leg in fold(Contact(), [queued, other, word], RULES).legs] == ["p", "r"]


@pytest.mark.parametrize("many", [LONGEST - 1, LONGEST, LONGEST + 1, 3 * LONGEST])
@pytest.mark.parametrize("numbered", [True, False])
def test_a_flood_of_events_of_one_moment_is_put_in_an_order_all_the_same(many: int, numbered: bool) -> None:
    events = [
        told(e.ChatMessage, f"m{n}", sequence=n if numbered or n % 3 == 0 else None, sender="customer" if n % 2 else "agent", agent_id="ab"[n % 5 == 0])
        for n in range(many)
    ]  # fmt: skip
    in_any_order(events)
    assert all_facts(run_events(events)) == all_facts(run_events(events[::-1]))
