"""Contacts whose customer is told by some of their events only: what ends, what is bounded, and what stays apart."""

from __future__ import annotations

from itertools import permutations

from streams.contacts.joining import MOST_SOURCES
from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.pipeline import Run, run
from tests.support.desk import POLICY, Script, all_facts, moment, run_events
from tests.support.partly_told import with_every_customer


def held(result: Run) -> dict[str, list[str]]:
    """Customer → the contacts that are kept of them."""
    return {key: sorted(customer.contacts) for key, customer in result.customers.items() if customer.contacts}


def told(when: str, type_: type[AnyEvent], id: str, customer: str | None, source: str = "s", **own: object) -> AnyEvent:
    fields = {"contact_id": "c1", "agent_id": "a", "customer_id": customer, **own}
    return type_(id=id, source=source, time=moment(when), **fields)  # type: ignore[arg-type]


def test_more_sources_than_are_known_by_name() -> None:
    events: list[AnyEvent] = []
    for n in range(2 * MOST_SOURCES):
        events.append(told("09:00:00", e.CallAnswered, f"{n}a", f"k{n}", f"s{n}"))
        events.append(told("09:01:00", e.CallEnded, f"{n}b", None, f"s{n}"))
    result = run_events(events)
    assert held(result) == {f"k{n}": ["calls:c1"] for n in range(2 * MOST_SOURCES)}
    assert all_facts(result) == all_facts(run(with_every_customer(events), POLICY))


def test_so_long_after_its_last_event_an_id_is_another_contact() -> None:
    """Of nobody known, though the one before was k's; and of m, who gets nothing of k's."""
    first = [told("09:00:00", e.CallAnswered, "1", "k"), told("09:01:00", e.CallEnded, "2", None)]
    days = [told(f"+{day} 09:00:00", e.CallArrived, f"d{day}", f"d{day}", "other") for day in range(1, 60, 2)]
    again = told("+60 09:00:00", e.CallEnded, "3", None)
    result = run_events([*first, *days, again])
    assert held(result)["c1"] == ["calls:c1"]
    result = run_events([*first, *days, told("+60 08:59:00", e.CallAnswered, "4", "m"), again])
    assert held(result)["m"] == ["calls:c1"]
    assert "c1" not in held(result)
    assert len(result.customers["m"].contacts["calls:c1"].log) == 2


def test_a_word_that_was_taken_back_was_told_all_the_same() -> None:
    """What an event said of its contact no longer stands; that it was this customer's was no part of it."""
    script = Script().at("09:00:00", e.CallAnswered, agent_id="a").at("09:01:00", e.CallEnded, agent_id="a")
    script.at("09:02:00", e.CallRated, score=1, scale="1-5", customer_id="k")
    script.at("09:03:00", e.CallRetracted, corrects="e2").at("10:00:00", e.CallArrived, "c2", customer_id="k")
    result = script.run()
    assert held(result) == {"k": ["calls:c1", "calls:c2"]}
    assert all_facts(result) == all_facts(run(with_every_customer(script.events), POLICY))
    assert result.facts["all|all|2026-03-02"].sums["repeat_contacts"] == 1


def test_events_of_one_id_of_two_systems_are_two_whoever_is_told_first() -> None:
    events = [
        told("09:00:00", e.CallAnswered, "1", None),
        told("09:00:00", e.CallAnswered, "1", None, "o"),
        told("09:01:00", e.CallEnded, "2", None),
        told("09:01:00", e.CallEnded, "2", None, "o"),
        told("09:02:00", e.CallRated, "3", "k", score=5, scale="1-5"),
    ]
    result = run_events(events)
    assert held(result) == {"c1": ["calls:c1"], "k": ["calls:c1"]}
    assert result.facts["all|all|2026-03-02"].sums["calls_handled"] == 2


def test_whose_a_contact_is_is_told_again_though_another_system_has_told_the_same_id() -> None:
    """The customer who gave a contact back, and kept what another system had told of it, may get it back."""
    events = [
        told("09:00:00", e.ChatStarted, "1", None, contact_id="c0", agent_id=None),
        told("09:01:00", e.CallAnswered, "2", "k", "o"),
        told("09:02:00", e.CallEnded, "3", "k", sequence=2),
        told("09:02:00", e.CallInvited, "4", "m", sequence=3),
        told("09:02:00", e.CallInvited, "5", "k", sequence=4),
    ]
    for order in permutations(events):
        assert held(run_events(list(order))) == {"c0": ["chats:c0"], "k": ["calls:c1"]}, [event.id for event in order]
