"""Whose a rating and a resolution are: at the end, whoever resolved it, or all who replied; in any order of coming."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import pytest

from streams.contracts import events as e
from streams.kpi.policy.model import Policy
from streams.kpi.policy.versions import Policies
from tests.support.desk import Script, all_facts, all_live, moment, run_events, sums

ANNA = {"agent_id": "anna", "team_id": "t1"}
BEN = {"agent_id": "ben", "team_id": "t1"}
CLEO = {"agent_id": "cleo", "team_id": "t2"}
WAYS = ("at_end", "resolver", "all_replied")


def policy(way: str) -> Policy:
    return Policy.model_validate({"time_zone": "UTC", "rating_credit": way, "allowed_lateness_days": 30})


def chat() -> Script:
    """Anna and Ben write, Cleo takes it over and ends it without a word: of each team somebody has had it."""
    script = Script().at("09:00:00", e.ChatStarted, queue_id="q")
    script.at("09:00:05", e.ChatMessage, sender="customer")
    script.at("09:00:20", e.ChatMessage, sender="agent", **ANNA)
    script.at("09:05:00", e.ChatTransferred, to_agent_id="ben")
    script.at("09:06:00", e.ChatMessage, sender="agent", **BEN)
    script.at("09:06:30", e.ChatMessage, sender="bot", agent_id="bot")
    script.at("09:10:00", e.ChatAssigned, **CLEO)
    return script.at("09:20:00", e.ChatEnded, resolved=True, **CLEO).at("09:30:00", e.ChatRated, score=5, scale="1-5")


def ticket() -> Script:
    """Anna replies, Ben writes a note and resolves it, Cleo closes it the next day."""
    script = Script().at("09:00:00", e.TicketCreated, queue_id="q", **ANNA)
    script.at("09:30:00", e.TicketReplied, **ANNA)
    script.at("10:00:00", e.TicketReplied, public=False, **BEN)
    script.at("11:00:00", e.TicketResolved, **BEN)
    script.at("12:00:00", e.TicketRated, score=5, scale="1-5")
    return script.at("+1 09:00:00", e.TicketClosed, **CLEO)


def call() -> Script:
    """Anna answers and hands on, Ben answers and resolves it; then Anna's part is told."""
    script = Script().at("09:00:00", e.CallQueued, queue_id="q").at("09:00:10", e.CallAnswered, **ANNA)
    script.at("09:03:00", e.CallTransferred, **ANNA).at("09:03:10", e.CallAnswered, **BEN)
    script.at("09:10:00", e.CallEnded, resolved=True, **BEN)
    return script.at("09:11:00", e.CallEnded, **ANNA).at("09:30:00", e.CallRated, score=5, scale="1-5")


STAFF = ("anna", "ben", "cleo", "t1", "t2")


@pytest.mark.parametrize(
    ("script", "way", "credited"),
    [
        (chat, "at_end", "cleo t2"),
        (chat, "resolver", "cleo t2"),
        (chat, "all_replied", "anna ben t1"),
        (ticket, "at_end", "cleo t2"),
        (ticket, "resolver", "ben t1"),
        (ticket, "all_replied", "anna t1"),
        (call, "at_end", "ben t1"),
        (call, "resolver", "ben t1"),
        (call, "all_replied", "anna ben t1"),
    ],
)
def test_who_is_credited(script: object, way: str, credited: str) -> None:
    done = script().run(policy(way))  # type: ignore[operator]
    for measure in ("csat_ratings", "csat_satisfied", "resolved", "resolution_due"):
        held = {name: sums(done, f"{'team' if name[0] == 't' else 'agent'}|{name}").get(measure) for name in STAFF}
        assert {name for name, n in held.items() if n} == set(credited.split()), measure
        assert all(n in (None, 1) for n in held.values())
        for desk in ("all|all", "queue|q"):
            assert sums(done, desk)[measure] == 1


def test_what_is_not_a_rating_stays_where_it_was() -> None:
    ends = [all_facts(chat().run(policy(way))) for way in WAYS]
    for facts in ends:
        for held in facts.values():
            for measure in [m for m in held if m.startswith(("csat", "resol"))]:
                del held[measure]
    assert all(
        {key: held for key, held in one.items() if held} == {k: h for k, h in two.items() if h}
        for one, two in pairwise(ends)
    )


@pytest.mark.parametrize("way", ["resolver", "all_replied"])
@pytest.mark.parametrize("script", [chat, ticket, call])
def test_in_any_order_of_coming(script: object, way: str) -> None:
    events = script().events  # type: ignore[operator]
    straight = run_events(events, policy(way))
    for seed in range(25):
        mixed = events + random.Random(seed).sample(events, 3)
        random.Random(seed).shuffle(mixed)
        other = run_events(mixed, policy(way), look_every=1 + seed % 5)
        assert all_facts(other) == all_facts(straight), seed
        assert all_live(other) == all_live(straight), seed


def test_nobody_has_resolved_it_or_replied_the_agent_at_the_end_is_credited() -> None:
    script = Script().at("09:00:00", e.TicketCreated, **ANNA).at("10:00:00", e.TicketResolved, resolved=False, **BEN)
    for way in WAYS:
        done = script.run(policy(way))
        assert sums(done, "agent|ben").get("resolution_due") == 1
        assert "resolution_due" not in sums(done, "agent|anna")


def test_opened_again_it_is_whose_who_resolves_it_next() -> None:
    script = ticket().at("+1 10:00:00", e.TicketReopened)
    open_ = script.run(policy("resolver"))
    assert sums(open_, "agent|ben").get("csat_ratings") is None
    assert sums(open_, "agent|cleo")["csat_ratings"] == 1  # nobody has resolved it: at the end
    again = (
        script.at("+1 11:00:00", e.TicketResolved, **ANNA)
        .at("+1 12:00:00", e.TicketClosed, **CLEO)
        .run(policy("resolver"))
    )
    assert sums(again, "agent|anna")["csat_ratings"] == 1
    assert sums(again, "agent|cleo").get("csat_ratings") is None


def test_a_retracted_reply_takes_its_credit_back() -> None:
    script = chat()
    wrong = next(event for event in script.events if isinstance(event, e.ChatMessage) and event.agent_id == "ben")
    script.events.append(
        e.ChatRetracted(id="back", source="script", time=moment("09:40:00"), contact_id="c1", corrects=wrong.id)
    )
    done = script.run(policy("all_replied"))
    assert sums(done, "agent|ben").get("csat_ratings") is None
    assert sums(done, "agent|anna")["csat_ratings"] == sums(done, "team|t1")["csat_ratings"] == 1


@pytest.mark.parametrize("way", ["resolver", "all_replied"])
def test_who_resolves_an_overdue_ticket_has_it_due_too(way: str) -> None:
    """Else he would have more resolved than due."""
    script = Script().at("09:00:00", e.TicketCreated, due=moment("10:00:00"), **ANNA)
    script.at("10:30:00", e.TicketReplied, **BEN).at("11:00:00", e.TicketResolved, **BEN)
    script.at("11:30:00", e.TicketClosed, **CLEO).at("18:00:00", e.CallArrived, "another")
    done = script.run(policy(way))
    assert [
        (sums(done, f"agent|{who}").get("resolved"), sums(done, f"agent|{who}").get("resolution_due"))
        for who in ("anna", "ben", "cleo")
    ] == [(None, None), (1, 1), (None, None)]
    assert (sums(done)["resolved"], sums(done)["resolution_due"]) == (1, 1)


def test_a_contact_of_the_old_version_keeps_its_credit() -> None:
    both = Policies(
        ((None, policy("at_end")), (date(2026, 3, 3), policy("all_replied").model_copy(update={"version": "2"})))
    )
    assert all_facts(chat().run(both)) == all_facts(chat().run(policy("at_end")))
