"""From loose event dicts to contacts and agents: duplicates dropped, corrections and retractions applied, put in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import get_args

from streams.contracts.events import AnyEvent
from streams.kpi.policy.versions import AnyPolicy
from tests.reference.moments import in_force
from tests.reference.story import by_what_was_told, in_order
from tests.reference.thing import Contact, Event

#: What an event of a type can say: a correction gives it nothing else.
FIELDS = {str(type_.__struct_config__.tag): set(type_.__struct_fields__) for type_ in get_args(AnyEvent)}
#: What a correction cannot replace: it is the amendment's own.
OWN = {"id", "type", "source", "time", "sequence", "contact_id", "customer_id", "corrects"}


def moment(value: str | datetime) -> datetime:
    """A time as the contract writes it, in UTC, to the millisecond."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(UTC)


def joined(events: Iterable[Event]) -> list[Event]:
    """The events of sources that do not always tell the customer, each with the one that its contact told last, where it told any."""
    events = list(events)
    about = [event for event in events if not event["type"].startswith("agent.")]
    partly = {event["source"] for event in about if event.get("customer_id") is None}
    words: dict[tuple[str, str, str], list[Event]] = {}
    for event in about:
        if event["source"] in partly and event.get("customer_id") is not None:
            words.setdefault(of_source(event), []).append(event)
    last = {
        contact: max(said, key=lambda e: [moment(e["time"]), by_what_was_told(e), e["customer_id"]])["customer_id"]
        for contact, said in words.items()
    }
    return [
        event | {"customer_id": last[of_source(event)]} if "contact_id" in event and of_source(event) in last else event
        for event in events
    ]


def of_source(event: Event) -> tuple[str, str, str]:
    """The contact of an event as its source tells it: ids of two systems may be equal."""
    return event["source"], event["type"].split(".")[0], event["contact_id"]


def told(events: Iterable[Event]) -> list[Event]:
    """The events with times read and customers found, each only once, in order of time, sequence and id."""
    once: dict[tuple[str, str | None, str, str, str], Event] = {}
    for event in joined(events):
        subject, customer = event.get("contact_id") or event["agent_id"], event.get("customer_id")
        system = event["source"] if "contact_id" in event and customer is None else ""
        times = {name: moment(event[name]) for name in ("time", "due", "starts", "ends") if event.get(name) is not None}
        once.setdefault((event["type"].split(".")[0], customer, subject, system, event["id"]), event | times)
    return sorted(once.values(), key=lambda e: (e["time"], by_what_was_told(e)))


def amends(event: Event) -> bool:
    """Is it about another event?"""
    return str(event["type"]).endswith((".corrected", ".retracted"))


def sound(event: Event) -> bool:
    """Can it have happened? A correction that would leave what cannot changes nothing."""
    if event["type"].endswith(".rated"):
        low, high = sorted(ends(event["scale"]))
        return bool(low < high and low <= event["score"] <= high)
    return bool(event["type"] != "agent.scheduled" or event["ends"] > event["starts"])


def ends(scale: str) -> list[int]:
    """Worst and best score of a scale."""
    return [0, 1] if scale == "binary" else [int(end) for end in scale.split("-")]


def amended(events: list[Event]) -> list[Event]:
    """The events of one contact or agent as they stand after every correction and retraction; the last word stands."""

    def standing(event: Event, above: frozenset[str]) -> Event | None:
        told, stands = event, True
        for word in events:
            if not amends(word) or word["corrects"] != event["id"] or word["id"] in above:
                continue
            said = standing(word, above | {event["id"]})
            if said is None:
                continue
            stands = not said["type"].endswith(".retracted")
            if not stands:
                continue
            given = {name: value for name, value in said.items() if name not in OWN and value is not None}
            if not amends(event):
                given = {name: value for name, value in given.items() if name in FIELDS[event["type"]]}
            before = told
            if told["type"].endswith(
                ".retracted"
            ):  # corrected, it is a correction; itself it says nothing of the event
                before = {name: told[name] for name in OWN if name in told} | {"type": said["type"]}
            made = before | given
            if made.get("agent_id") != before.get("agent_id"):
                made["team_id"] = given.get("team_id")  # he leaves the team of the one before
            told = made if amends(event) or sound(made) else told
        return told if stands else None

    found = (standing(event, frozenset({event["id"]})) for event in events if not amends(event))
    return [event for event in found if event is not None]


def contacts(events: list[Event], policy: AnyPolicy) -> list[Contact]:
    """Every contact; one whose events were all taken back is none."""
    groups: dict[tuple[str, str | None, str], list[Event]] = {}
    for event in events:
        channel = event["type"].split(".")[0]
        if channel != "agent":
            groups.setdefault((channel, event.get("customer_id"), event["contact_id"]), []).append(event)
    made = [
        Contact(channel, id, customer, in_order(channel, amended(group)), policy)
        for (channel, customer, id), group in groups.items()
    ]
    merged = [contact for contact in made if contact.events]
    anonymise(merged, policy)
    return sorted(merged, key=lambda contact: (contact.arrived, contact.channel, contact.id))


def anonymise(everyone: list[Contact], policy: AnyPolicy) -> None:
    """An id that had too many contacts on one day tells no customer from that day on."""
    days = Counter((contact.customer, contact.day) for contact in everyone if contact.customer is not None)
    first: dict[str | None, date] = {}
    for (customer, day), number in days.items():
        if number > in_force(policy, day).max_customer_contacts_per_day:
            first[customer] = min(day, first.get(customer, day))
    for contact in everyone:
        if contact.customer in first and contact.day >= first[contact.customer]:
            contact.customer, contact.shared = None, True


def agents(events: list[Event]) -> dict[str, list[Event]]:
    """Every agent's events."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        if event["type"].startswith("agent."):
            groups.setdefault(event["agent_id"], []).append(event)
    return groups
