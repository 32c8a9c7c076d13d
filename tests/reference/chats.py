"""What a chat comes to: how long the customer waited for each human reply."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.reference.holder import agent, desk, desk_before, holder, place, takes
from tests.reference.thing import Contact, Thing, seconds


def things(contact: Contact) -> list[Thing]:
    """First responses, later responses, and customers who waited past the threshold."""
    limit = timedelta()
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
                queue = place(contact, number)[0] or ""
                limit = timedelta(
                    seconds=policy.first_response_seconds_by_queue.get(queue, policy.first_response_seconds)
                )
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
                within = wait <= limit.total_seconds()
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
    """For how long each agent had it in turn: told when he has it no longer."""
    found, since = list[Thing](), None
    for number, event in enumerate(contact.events):
        at, over = event["time"], event["type"] in ("chat.transferred", "chat.ended")
        before, now = agent(contact, number - 1) if number else (None, None), agent(contact, number)
        if since is not None and (over or before[0] != now[0]):
            about = {"seconds": seconds(at - since)}
            whose = now if before[0] == now[0] else before  # his team may have been told only now
            found.append(
                Thing("chat_time", at, contact.day, contact.staff(*whose) | desk_before(contact, number), about)
            )
            since = None
        if event["type"] == "chat.ended":
            break
        if since is None and (takes(event) or event.get("to_agent_id")):
            since = at
    return found
