"""What contacts of every channel come to: handled, resolved, complained about, rated, reviewed; and their customers' returns."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import takewhile
from typing import Any

from tests.reference.calls import answerer, legs
from tests.reference.holder import desk, holder, number_of
from tests.reference.resolution import account, finished, open_past, over, resolution, resolved, since_reopened, staff
from tests.reference.thing import Contact, Event, Thing, seconds
from tests.reference.tickets import PAST, replier

DAY = timedelta(days=1)


def things(contact: Contact, as_of: datetime) -> list[Thing]:
    """Everything that is counted of one contact, whatever its channel."""
    day, found = contact.day, list[Thing]()
    end, word, due = over(contact), resolution(contact), contact.last("due")
    if end is not None:
        found.append(Thing("handled", end["time"], day, account(contact, end), {"known": contact.customer is not None}))
    if word is not None:
        found.append(Thing("resolution", word[1]["time"], day, account(contact, word[1]), {"resolved": word[0]}))
    elif due is not None and open_past(contact, due):
        found.append(Thing("resolution", due, day, who_at(contact, due), {"resolved": False, "plan": True}))
    if contact.kind == "complaint":
        found.append(Thing("complaint", contact.arrived, day, desk(contact)))
        if end is not None:
            parts = [e for leg in legs(contact)[0] for e in leg.ends] if contact.channel == "call" else []
            closed = min(e["time"] for e in parts or since_reopened(contact) or [end])
            found.append(Thing("complaint", max(contact.arrived, closed), day, staff(contact)))
        found += held_to_a_day(contact)
    for survey in ("csat", "nps", "ces"):
        rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == survey]
        invited = [e for e in contact.events if e["type"].endswith(".invited") and e.get("survey", "csat") == survey]
        if rated:
            found.append(rating(contact, rated[-1], account(contact, rated[-1]), survey))
        if invited:
            about = {"survey": survey, "rated": bool(rated)}
            found.append(Thing("survey", invited[0]["time"], day, account(contact, invited[0]), about))
    return found + looked_at(contact) + explained(contact)


def held_to_a_day(contact: Contact) -> list[Thing]:
    """A complaint: answered when, resolved within a day, and how many days late."""
    day, found, word, who = contact.day, list[Thing](), resolution(contact), staff(contact) | desk(contact)
    reply = answered(contact)
    if reply is not None:
        event, by = reply
        about: dict[str, Any] = {"wait": seconds(event["time"] - contact.arrived)}
        found.append(Thing("complaint_response", event["time"], day, by, about))
    limit, end, solved = contact.arrived + DAY, finished(contact), resolved(contact)
    if solved is not None and solved["time"] <= limit:
        found.append(Thing("complaint_due", solved["time"], day, who, {"within": True}))
    elif solved is None and end is not None and end["time"] <= limit:
        if word is not None:  # closed in time without a word on it: nobody knows
            found.append(Thing("complaint_due", end["time"], day, who_at(contact, limit), {"within": False}))
    else:
        found.append(Thing("complaint_due", limit + PAST, day, who_at(contact, limit), {"within": False, "plan": True}))
    for number in range(getattr(contact.policy, "complaint_late_days_at_most", 30)):
        begins = limit + DAY * number
        if end is None or (open_past(contact, begins) if contact.channel == "ticket" else end["time"] > begins):
            found.append(Thing("late_day", begins + PAST, day, who, {"plan": True}))
    return found


def explained(contact: Contact) -> list[Thing]:
    """The bad rating that stands, and whether its root cause was told within some hours of the first of those that were bad in a row."""
    rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == "csat"]
    bad = list(takewhile(lambda e: e["scale"] == "1-5" and e["score"] <= 2, reversed(rated)))
    if not bad:
        return []
    first = contact.events.index(bad[-1])
    limit = bad[-1]["time"] + timedelta(hours=contact.policy.bad_rating_rca_hours)
    words = [e for e in contact.events[first:] if e["type"].endswith(".rating_explained")]
    within = bool(words) and words[0]["time"] <= limit
    about = {"within": True} if within else {"within": False, "plan": True}
    at = words[0]["time"] if within else limit + PAST
    return [Thing("bad_rating", at, contact.day, account(contact, rated[-1]), about)]


def answered(contact: Contact) -> tuple[Event, set[str]] | None:
    """The first human answer to it, and by whom."""
    for leg in legs(contact)[0] if contact.channel == "call" else ():
        if leg.outcome == "answered" and leg.at is not None:
            return {"time": leg.at}, answerer(contact, leg)
    asked = False
    for number, event in enumerate(contact.events):
        kind = event["type"]
        asked = asked or event.get("sender") == "customer"  # a greeting before the question answers nothing
        if kind == "ticket.replied" and event.get("public", True):
            return event, replier(contact, number)
        if asked and kind == "chat.message" and event["sender"] == "agent":
            return event, holder(contact, number)
    return None


def looked_at(contact: Contact) -> list[Thing]:
    """What others found in it: reviews, analyses, escalations; and whether it was settled at once."""
    day, found, end, done = contact.day, list[Thing](), over(contact), finished(contact)
    reviews = {e.get("form"): e for e in contact.events if e["type"].endswith(".reviewed")}  # by each form the last one
    for event in reviews.values():
        about = {
            "score": event["score"],
            "passed": event.get("passed"),
            "fatal": bool(event.get("fatal")),
            "script": (event.get("items") or {}).get("script"),
        }
        found.append(Thing("review", event["time"], day, account(contact, event), about))
    if end is not None:
        found.append(Thing("coverage", end["time"], day, account(contact, end), {"reviewed": bool(reviews)}))
    analyses = [e for e in contact.events if e["type"].endswith(".analysed")]
    if analyses:
        names = ("emotion", "emotion_start", "emotion_end", "keyword_coverage")
        about = {name: contact.last(name) for name in names}
        found.append(Thing("analysis", analyses[-1]["time"], day, account(contact, analyses[-1]), about))
        if end is not None:
            about = {name: contact.last(name) for name in ("page_switches", "search_seconds")}
            found.append(Thing("search", end["time"], day, account(contact, end), about))
    escalated = [e for e in contact.events if e["type"] == "ticket.escalated"]
    if escalated:
        by = replier(contact, number_of(contact, escalated[0]))
        found.append(Thing("passed", escalated[0]["time"], day, by, {"escalated": True}))
        if done is not None:
            found.append(Thing("passed", done["time"], day, staff(contact) - by))
    elif done is not None and contact.channel == "ticket":
        found.append(Thing("passed", done["time"], day, account(contact, done)))
    rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == "csat"]
    if contact.kind == "complaint" and rated:
        good = rated[-1]["score"] >= contact.policy.satisfied_from[rated[-1]["scale"]]
        found.append(Thing("rated_complaint", rated[-1]["time"], day, account(contact, rated[-1]), {"converted": good}))
    return found


def at_once(contact: Contact, others: list[Contact], as_of: datetime) -> list[Thing]:
    """Was it settled the first time? Known some days after its own day only: until then it is pending."""
    end = over(contact)
    if end is None or contact.customer is None:
        return []
    days = timedelta(days=getattr(contact.policy, "fcr_days", 7))
    midnight = datetime.combine(contact.day + timedelta(days=1), time(), contact.policy.zone)
    again = any(e["type"].endswith((".transferred", ".reopened")) for e in contact.events)
    settled = not again and returned(contact, others, days) is None
    about = {"settled": settled, "matured": as_of >= midnight + days}
    return [Thing("settled", end["time"], contact.day, account(contact, end), about)]


def who_at(contact: Contact, at: datetime) -> set[str]:
    """Who had it at a moment."""
    until = [number for number, event in enumerate(contact.events) if event["time"] <= at]
    return holder(contact, until[-1] if until else 0)


def rating(contact: Contact, event: Event, who: set[str], survey: str) -> Thing:
    """The rating that stands."""
    scale = event["scale"]
    about: dict[str, Any] = {"survey": survey, "scale": scale, "score": event["score"]}
    about["satisfied"] = event["score"] >= contact.policy.satisfied_from[scale]
    about["negative"] = event["score"] <= 2 if scale == "1-5" else None
    return Thing("rating", event["time"], contact.day, who, about)


def same_matter(one: Contact, other: Contact, by: str) -> bool:
    """Are two contacts about one matter, as the policy's ``same_matter`` says? What is missing on either side matches any."""

    def match(left: str | None, right: str | None) -> bool:
        return None in (left, right) or left == right

    topics, queues = match(one.topic, other.topic), match(one.queue, other.queue)
    return {"any": True, "topic": topics, "queue": queues, "topic_and_queue": topics and queues}[by]


def returned(contact: Contact, others: list[Contact], days: timedelta) -> Contact | None:
    """The first contact with which the customer came back in time on the same matter."""
    policy = contact.policy
    back = [
        other
        for other in others
        if contact.customer is not None
        and other.customer == contact.customer
        and contact.arrived < other.arrived <= contact.arrived + days
        and same_matter(contact, other, policy.same_matter)
    ]
    return min(back, key=lambda other: other.arrived) if back else None


def repeats(contact: Contact, others: list[Contact]) -> list[Thing]:
    """The returns after a handled contact, and the complaint that this one repeats."""
    found = []
    back, end = returned(contact, others, timedelta(days=contact.policy.repeat_days)), over(contact)
    if back is not None and end is not None:
        at = end["time"]  # a share of the handled: it counts where they do
        found.append(Thing("repeat", at, contact.day, account(contact, end)))
    if contact.kind == "complaint" and contact.customer is not None:
        earlier = [
            other
            for other in others
            if other.kind == "complaint"
            and other.customer == contact.customer
            and other.arrived < contact.arrived <= other.arrived + timedelta(days=contact.policy.repeat_complaint_days)
            and same_matter(contact, other, contact.policy.same_matter)
        ]
        if earlier:
            latest = max(earlier, key=lambda other: other.arrived)
            charged = staff(latest) if over(latest) is not None else set[str]()
            found.append(Thing("repeat_complaint", contact.arrived, contact.day, charged | desk(contact)))
    return found
