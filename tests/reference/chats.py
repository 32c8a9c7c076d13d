"""What a chat comes to: how long the customer waited for each human reply."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from tests.reference.holder import agent, desk, holder
from tests.reference.thing import Contact, Thing, seconds


def things(contact: Contact) -> list[Thing]:
    """First responses, later responses, and customers who waited past the threshold."""
    limit = timedelta(seconds=contact.policy.first_response_seconds)
    policy, day, found = contact.policy, contact.day, list[Thing]()
    asked = first_reply = None
    first_asked: datetime | None = None
    asked_at = 0
    for number, event in enumerate(contact.events):
        if event["type"] != "chat.message":
            continue
        if event["sender"] == "customer":
            asked = asked or event["time"]
            if first_asked is None:
                first_asked, asked_at = event["time"], number
        elif event["sender"] == "agent" and asked is not None:
            wait = seconds(event["time"] - asked)
            who = holder(contact, number)
            found.append(
                Thing(
                    "response", event["time"], day, who, {"wait": wait, "delayed": wait > policy.response_delay_seconds}
                )
            )
            if first_reply is None:
                first_reply = event
                within = wait <= policy.first_response_seconds
                about = {"channel": "chat", "wait": wait, "within": within, "due": within}
                found.append(Thing("first_response", event["time"], day, who, about))
                if (
                    not within and first_asked is not None
                ):  # missed at the moment at which the threshold had passed, by who replied at last
                    late = contact.staff(*agent(contact, number)) | desk(contact, asked_at)
                    found.append(
                        Thing("first_response", first_asked + limit, day, late, {"due": True, "within": False})
                    )
            asked = None
    if first_asked is not None and first_reply is None:
        ended = [event["time"] for event in contact.events if event["type"] == "chat.ended"]
        if not ended or min(ended) > first_asked + limit:
            who = contact.staff(*agent(contact)) | desk(contact, asked_at)
            found.append(
                Thing("first_response", first_asked + limit, day, who, {"due": True, "within": False, "plan": True})
            )
    return found + time_spent(contact)


def time_spent(contact: Contact) -> list[Thing]:
    """For how long each agent had it in turn: told when it has ended."""
    ends = [number for number, event in enumerate(contact.events) if event["type"] == "chat.ended"]
    if not ends:
        return []
    end, found = contact.events[ends[0]]["time"], list[Thing]()
    for number, (event, after) in enumerate(pairwise(contact.events[: ends[0] + 1])):
        if agent(contact, number)[0]:
            spent = {"seconds": seconds(after["time"] - event["time"])}
            found.append(Thing("chat_time", end, contact.day, holder(contact, number), spent))
    return found
