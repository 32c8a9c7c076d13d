"""What contacts of every channel come to: handled, resolved, complained about, rated, reviewed; and their customers' returns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import Any

from tests.reference import chats, words
from tests.reference.calls import answerer, legs
from tests.reference.credit import credited
from tests.reference.holder import agent, desk, handed_on, holder, number_of
from tests.reference.moments import after, begin, lasted
from tests.reference.pauses import due_moment, moved, pauses, without
from tests.reference.resolution import (
    accepted,
    account,
    both,
    by_acceptance,
    ended,
    finished,
    gone,
    handled_by,
    open_past,
    over,
    resolution,
    resolved,
    since_reopened,
    staff,
)
from tests.reference.telling import ends
from tests.reference.thing import Contact, Event, Thing
from tests.reference.tickets import PAST, When, moment_of, overdue_since, replier, who_at

DAY = timedelta(days=1)
#: Kinds of matter that are to be answered within a time, an hour or what the policy allows opinions.
HOURLY = {"info_relay": "info_relay", "fault": "fault_report", "opinion": "opinion"}


def things(contact: Contact, as_of: datetime) -> list[Thing]:
    """Everything that is counted of one contact, whatever its channel."""
    if contact.merged:
        # Another ticket counts for it, but what was said of it was said.
        return [*asked(contact), *explained(contact), *reviewed(contact), *analysed(contact)]
    day, found = contact.day, list[Thing]()
    end, word, due = over(contact), resolution(contact), due_moment(contact)
    if end is not None:
        found.append(
            Thing(
                "handled",
                end["time"],
                day,
                handled_by(contact, end),
                {"known": contact.customer is not None, "shared": contact.shared},
            )
        )
    if word is not None:
        found.append(Thing("resolution", word[1]["time"], day, credited(contact, word[1]), {"resolved": word[0]}))
    elif due is not None and open_past(contact, due):
        missed = overdue_since(contact, due)
        found.append(
            Thing(
                "resolution",
                moment_of(missed),
                day,
                credited(contact, None, who_at(contact, missed)),
                {"resolved": False, "plan": True},
            )
        )
    if contact.kind == "complaint":
        found += complaints(contact)
        found += held_to_a_day(contact)
    for thing in found:
        if thing.what == "resolution":
            thing.about["named"] = contact.topic in {words.plain(name) for name in contact.policy.topics}
    if contact.kind in HOURLY:
        found += held_to_an_hour(contact)
    if contact.kind == "follow_up":
        found += follow_up(contact)
        found += followed_up_soon(contact)
    if contact.kind in ("refund", "refund_dispute"):
        found += refunds(contact)
    if contact.kind == "praise":
        found.append(Thing("praise", contact.arrived, day, staff(contact) | desk(contact)))
    return found + called_back(contact) + asked(contact) + explained(contact) + reviewed(contact) + looked_at(contact)


def asked(contact: Contact) -> list[Thing]:
    """What its customer was asked, and what he said of it."""
    day, found = contact.day, list[Thing]()
    for survey in ("csat", "nps", "ces"):
        rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == survey]
        invited = [e for e in contact.events if e["type"].endswith(".invited") and e.get("survey", "csat") == survey]
        if rated:
            found.append(rating(contact, rated[-1], survey))
        if invited:
            about = {"survey": survey, "rated": bool(rated)}
            found.append(Thing("survey", invited[0]["time"], day, account(contact, invited[0]), about))
    return found


def called_back(contact: Contact) -> list[Thing]:
    """Somebody asked its customer afterwards whether it is resolved: the last answer."""
    answers = [e for e in contact.events if e["type"].endswith(".followed_up")]
    return [
        Thing("followed_up", e["time"], contact.day, credited(contact, e), {"confirmed": e["resolved"]})
        for e in answers[-1:]
    ]


def held_to_an_hour(contact: Contact) -> list[Thing]:
    """Was it answered within an hour? Missed when the hour is up, by whoever had it then."""
    reply, opened, clock = answered(contact), contact.arrived, contact.policy
    allowed = clock.opinion_reply_hours * 3600 if contact.kind == "opinion" else clock.reply_within_seconds
    shown: Event | None = None
    left = gone(contact)
    if contact.channel == "chat":  # a customer who has not come to people waits for nothing
        first = chats.first_asked(contact)
        if first is None:
            return []
        opened, shown = first[0], contact.events[first[2]]
        ends = [e["time"] for e in contact.events[first[1].numbers[0] :] if e["type"] == "chat.ended"]
        left = ends[0] if ends and ends[0] >= opened else None
    limit = opened + timedelta(seconds=allowed) if contact.channel == "call" else after(opened, allowed, clock)
    matter = {"matter": HOURLY[contact.kind or ""]}
    if reply is not None and reply[0]["time"] <= limit:
        return [Thing("hourly", reply[0]["time"], contact.day, reply[1], matter | {"within": True})]
    if (reply is None or contact.channel == "chat") and left is not None and left <= limit:
        return []  # was not kept waiting
    offers = legs(contact)[0] if contact.channel == "call" else []
    left_before = [
        leg.came for was, leg in pairwise(offers) if was.outcome != "answered" and (was.at or limit) <= limit
    ]
    back = [came for came in left_before if came > limit]  # it was gone, and came again when the hour was up
    since: When = min(back, default=limit)
    if shown is not None and shown["time"] > limit:
        since = shown  # that it waited at all was told only then
    who = who_at(contact, kind_known(contact, since))
    return [
        Thing(
            "hourly",
            limit + PAST,
            contact.day,
            who,
            matter | {"within": False, "plan": True},
        )
    ]


def follow_up(contact: Contact) -> list[Thing]:
    """Was the customer called back or written to, as was promised?"""
    made, end, due = answered(contact), over(contact), due_moment(contact)
    if end is not None and (made is None or end["time"] < made[0]["time"]):
        made = end, handled_by(contact, end)
    if made is not None:
        return [Thing("follow_up", made[0]["time"], contact.day, made[1], {"made": True})]
    left = gone(contact)
    if left is not None:
        return [Thing("follow_up", left, contact.day, desk(contact), {"made": False})]
    if due is None:
        return []
    return [
        Thing(
            "follow_up",
            due + PAST,
            contact.day,
            who_at(contact, kind_known(contact, undone_since(contact, due))),
            {"made": False, "plan": True},
        )
    ]


def followed_up_soon(contact: Contact) -> list[Thing]:
    """Was it done in so many days, nights and Sundays included? Missed when they are over, by whoever had it then."""
    limit = contact.arrived + timedelta(days=contact.policy.follow_up_days)
    made, end, left = answered(contact), over(contact), gone(contact)
    if end is not None and (made is None or end["time"] < made[0]["time"]):
        made = end, handled_by(contact, end)
    if made is not None and made[0]["time"] <= limit:
        return [Thing("follow_up_soon", made[0]["time"], contact.day, made[1], {"within": True})]
    if made is None and left is not None and left <= limit:
        return [Thing("follow_up_soon", left, contact.day, desk(contact), {"within": False})]
    who = who_at(contact, kind_known(contact, limit))
    return [Thing("follow_up_soon", limit + PAST, contact.day, who, {"within": False, "plan": True})]


def undone_since(contact: Contact, due: datetime) -> When:
    """When a ticket was due or, where it was finished later than that, what took that back."""
    since: When = due
    finished = None
    for event in contact.events:
        if event["type"] in ("ticket.resolved", "ticket.closed"):
            finished = finished or event["time"]
        elif event["type"] == "ticket.reopened":
            if finished is not None and finished > due:
                since = event
            finished = None
    return since


def given_back(contact: Contact, others: list[Contact]) -> list[Thing]:
    """Money or goods were given back and that was settled: did the customer complain afterwards?"""
    end = over(contact)
    back = contact.kind == "refund" or (contact.about("return") and contact.kind != "complaint")
    if not back or end is None or contact.customer is None or contact.merged:
        return []
    limit = contact.arrived + timedelta(days=contact.policy.repeat_complaint_days)
    complained = any(
        other.kind == "complaint"
        and not other.merged
        and other.customer == contact.customer
        and other.arrived > max(contact.arrived, end["time"])
        and other.arrived <= limit
        and same_matter(contact, other, contact.policy.same_matter)
        for other in others
    )
    return [Thing("given_back", end["time"], contact.day, handled_by(contact, end), {"complained": complained})]


def refunds(contact: Contact) -> list[Thing]:
    """A refund, a dispute about one, or both: a refund that became a dispute."""
    who = staff(contact) | desk(contact)
    told = [kind for event in contact.events if (kind := contact.kind_in(event)) is not None]
    course = [kind for kind, before in zip(told, [None, *told], strict=False) if kind != before]
    words = ["refund", "refund_dispute"] if course[-2:] == ["refund", "refund_dispute"] else course[-1:]
    return [Thing(word, contact.arrived, contact.day, who) for word in words]


def held_to_a_day(contact: Contact) -> list[Thing]:
    """A complaint: answered when, resolved within a day, and how many days late."""
    day, found, word, who = contact.day, list[Thing](), resolution(contact), staff(contact) | desk(contact)
    reply = answered(contact)
    if reply is not None:
        event, by = reply
        first = chats.first_asked(contact) if contact.channel == "chat" else None
        since = first[0] if first is not None and first[1].after_bot else contact.arrived
        about: dict[str, Any] = {"wait": lasted(since, event["time"], contact.policy)}
        found.append(Thing("complaint_response", event["time"], day, by, about))
    limit: datetime | None = after(contact.arrived, contact.policy.complaint_resolution_hours * 3600, contact.policy)
    end, word_since = ended(contact), resolved(contact)
    solved = None if word_since is None else word_since["time"]
    if by_acceptance(contact):
        end, solved = both(end, accepted(contact)), both(solved, accepted(contact))
    stops = pauses(contact, "complaint_resolution")
    limit = moved(contact, limit, stops)
    then = holder(contact) if limit is None else who_at(contact, kind_known(contact, limit))
    if solved is not None and (limit is None or solved <= limit):
        found.append(Thing("complaint_due", solved, day, who, {"within": True}))
    elif solved is None and end is not None and (limit is None or end <= limit):
        # Ended in time without a word on it: nobody knows.
        found.append(Thing("complaint_unknown" if word is None else "complaint_due", end, day, then, {"within": False}))
    elif limit is not None:
        found.append(Thing("complaint_due", limit + PAST, day, then, {"within": False, "plan": True}))
    for number in range(0 if limit is None else contact.policy.complaint_late_days_at_most):
        begins = without(limit, DAY * number, stops)
        if begins is not None and (end is None or end > begins):
            found.append(Thing("late_day", begins + PAST, day, who, {"plan": True}))
    return found


def explained(contact: Contact) -> list[Thing]:
    """The bad rating that stands, and whether its root cause was told within some hours of the first of those that were bad in a row."""
    rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == "csat"]
    in_a_row = list(takewhile(lambda e: bad(contact, e), reversed(rated)))
    if not in_a_row:
        return []
    first = contact.events.index(in_a_row[-1])
    limit = in_a_row[-1]["time"] + timedelta(hours=contact.policy.bad_rating_rca_hours)
    words = [e for e in contact.events[first:] if e["type"].endswith(".rating_explained")]
    within = bool(words) and words[0]["time"] <= limit
    about = {"within": True} if within else {"within": False, "plan": True}
    at = words[0]["time"] if within else limit + PAST
    return [Thing("bad_rating", at, contact.day, credited(contact, rated[-1]), about)]


def answered(contact: Contact) -> tuple[Event, set[str]] | None:
    """The first human answer to it, and by whom."""
    for leg in legs(contact)[0] if contact.channel == "call" else ():
        if leg.outcome == "answered" and leg.at is not None:
            return {"time": leg.at}, answerer(contact, leg)
    if contact.channel == "chat" and (number := chats.first_answered(contact)) is not None:
        return contact.events[number], holder(contact, number)
    for number, event in enumerate(contact.events):
        if event["type"] == "ticket.replied" and event.get("public", True):
            return event, replier(contact, number)
    return None


def reviews_of(contact: Contact) -> list[Event]:
    """The reviews that stand: by each form the last one."""
    return list({e.get("form"): e for e in contact.events if e["type"].endswith(".reviewed")}.values())


def passed_in(contact: Contact, review: Event, item: str) -> bool | None:
    """Was an item of the form passed, and all that mean it as well? None where the form has none."""
    told = (review.get("items") or {}).items()
    found = [well for word, well in told if words.review_item(word, contact.policy.review_items) == item]
    return all(found) if found else None


def reviewed(contact: Contact) -> list[Thing]:
    """What reviewers found in it."""
    found = list[Thing]()
    for event in reviews_of(contact):
        about = {
            "score": event["score"],
            "passed": event.get("passed"),
            "fatal": bool(event.get("fatal")),
        } | {item: passed_in(contact, event, item) for item in words.REVIEW_ITEMS}
        found.append(Thing("review", event["time"], contact.day, account(contact, event), about))
    return found


def analysed(contact: Contact) -> list[Thing]:
    """What another system found in it: of each field the last word."""
    analyses = [e for e in contact.events if e["type"].endswith(".analysed")]
    if not analyses:
        return []
    about = {name: contact.last(name) for name in ("emotion", "emotion_start", "emotion_end", "keyword_coverage")}
    who, last = account(contact, analyses[-1]), analyses[-1]["time"]
    found = [Thing("analysis", last, contact.day, who, about)]
    rate, silences, shift = (contact.last(name) for name in ("speech_rate", "silences", "shift_seconds"))
    if rate and None not in (silences, shift):
        strain = {"per_100_words": Fraction(silences) * 100 / Fraction(str(rate)), "first_hour": shift < 3600}
        own = {entity for entity in who if entity.startswith("agent|")}
        found.append(Thing("strain", last, contact.day, own, strain))
    return found


def looked_at(contact: Contact) -> list[Thing]:
    """What others found in it: whether it was reviewed at all, analyses, escalations."""
    day, found, end, done = contact.day, list[Thing](), over(contact), finished(contact)
    if end is not None:
        found.append(
            Thing("coverage", end["time"], day, handled_by(contact, end), {"reviewed": bool(reviews_of(contact))})
        )
    found += analysed(contact)
    if end is not None and any(thing.what == "analysis" for thing in found):
        about = {name: contact.last(name) for name in ("page_switches", "search_seconds")}
        found.append(Thing("search", end["time"], day, handled_by(contact, end), about))
    escalated = [e for e in contact.events if e["type"] == "ticket.escalated"]
    if escalated:
        by = replier(contact, number_of(contact, escalated[0]))
        found.append(Thing("passed", escalated[0]["time"], day, by, {"escalated": True}))
        if done is not None:
            who = finisher(contact)
            own = set[str]() if f"agent|{who[0]}" in by else contact.staff(*who)
            found.append(Thing("passed", done["time"], day, own))
            last = number_of(contact, since_reopened(contact)[-1])
            found.append(Thing("difficult", done["time"], day, own | desk(contact, last)))
    elif done is not None and contact.channel == "ticket":
        last = number_of(contact, since_reopened(contact)[-1])
        found.append(Thing("passed", done["time"], day, contact.staff(*finisher(contact)) | desk(contact, last)))
        if "difficult" in contact.parts:
            found.append(replace(found[-1], what="difficult"))
    rated = [e for e in contact.events if e["type"].endswith(".rated") and e.get("survey", "csat") == "csat"]
    if contact.kind in ("complaint", "follow_up") and rated:
        found.append(
            Thing(
                f"rated_{contact.kind}",
                rated[-1]["time"],
                day,
                credited(contact, rated[-1]),
                {"converted": good(contact, rated[-1])},
            )
        )
    return found


def finisher(contact: Contact) -> tuple[str | None, str | None]:
    """Agent and team who said the last word of a ticket's end: what becomes of it afterwards changes nothing of that."""
    return agent(contact, number_of(contact, since_reopened(contact)[-1]))


def at_once(contact: Contact, others: list[Contact], as_of: datetime) -> list[Thing]:
    """Was it settled the first time? Known some days after its own day only: until then it is pending."""
    end = over(contact)
    if end is None or contact.customer is None or contact.merged:
        return []
    days = timedelta(days=contact.policy.fcr_days)
    midnight = begin(contact.day + DAY, contact.versions)
    again = any(e["type"] in ("chat.transferred", "ticket.reopened") for e in contact.events)
    again = again or any(handed_on(contact, number) for number in range(len(contact.events)))
    again = again or (contact.channel == "call" and any(leg.transferred for leg in legs(contact)[0]))
    settled = not again and returned(contact, others, days) is None
    about = {"settled": settled, "matured": as_of >= midnight + days}
    return [Thing("settled", end["time"], contact.day, handled_by(contact, end), about)]


def kind_known(contact: Contact, at: When) -> When:
    """A moment (or event) or, if its kind was told only later, what told it."""
    since: Event | None = None
    for event in contact.events:
        if (kind := contact.kind_in(event)) is not None:
            since = (since or event) if kind == contact.kind else None
    if since is None or since["time"] < moment_of(at):
        return at
    if since["time"] > moment_of(at) or not isinstance(at, dict):
        return since if since["time"] > moment_of(at) else at
    return max(since, at, key=lambda event: number_of(contact, event))


def rating(contact: Contact, event: Event, survey: str) -> Thing:
    """The rating that stands."""
    scale = event["scale"]
    who = credited(contact, event)
    about: dict[str, Any] = {"survey": survey, "scale": scale, "score": event["score"]}
    if survey == "csat":
        about |= {"satisfied": good(contact, event), "negative": bad(contact, event), "meagre": meagre(contact, event)}
    return Thing("rating", event["time"], contact.day, who, about)


def good(contact: Contact, event: Event) -> bool:
    """Is the rating a satisfied one? On a scale whose best score is the lowest, up to its bound."""
    scale, bound = event["scale"], contact.policy.satisfied_from[event["scale"]]
    return bool(event["score"] <= bound if best_is_least(scale) else event["score"] >= bound)


def bad(contact: Contact, event: Event) -> bool | None:
    """Is it a bad one? None where the policy does not say of its scale."""
    if (bound := contact.policy.negative_to.get(event["scale"])) is None:
        return None
    return bool(event["score"] >= bound if best_is_least(event["scale"]) else event["score"] <= bound)


def meagre(contact: Contact, event: Event) -> bool | None:
    """Is it no better than neutral? None where the policy does not say up to where its scale is neutral."""
    if (bound := contact.policy.neutral_to.get(event["scale"])) is None:
        return None
    neutral = event["score"] >= bound if best_is_least(event["scale"]) else event["score"] <= bound
    return bool(neutral and not good(contact, event))


def best_is_least(scale: str) -> bool:
    """Is 1 the best mark, as at school?"""
    worst, best = ends(scale)
    return worst > best


def same_matter(one: Contact, other: Contact, by: str) -> bool:
    """Are two contacts about one matter, as the policy's ``same_matter`` says? What is missing on either side matches any."""

    def match(left: str | None, right: str | None) -> bool:
        return None in (left, right) or left == right

    topics, queues = match(one.topic, other.topic), match(one.queue, other.queue)
    return {"any": True, "topic": topics, "queue": queues, "topic_and_queue": topics and queues}[by]


def complaints(contact: Contact) -> list[Thing]:
    """A complaint: at the desk when it arrives, of whoever has it when it is closed."""
    found, end = [Thing("complaint", contact.arrived, contact.day, desk(contact))], over(contact)
    if end is not None:
        words = [end] if contact.channel == "call" else since_reopened(contact) or [end]
        closed = min(e["time"] for e in words)
        if by_acceptance(contact):
            closed = both(closed, accepted(contact))
        if closed is None:
            return found
        found.append(Thing("complaint", max(contact.arrived, closed), contact.day, staff(contact)))
    return found


def in_order(contact: Contact) -> tuple[datetime, str, str]:
    """Contacts by arrival; those of one moment by channel and id, as good an order as any."""
    return contact.arrived, contact.channel, contact.id


def returned(contact: Contact, others: list[Contact], days: timedelta) -> Contact | None:
    """The first contact with which the customer came back in time on the same matter."""
    policy = contact.policy
    back = [
        other
        for other in others
        if contact.customer is not None
        and other.customer == contact.customer
        and not other.merged
        and contact.arrived < other.arrived <= contact.arrived + days
        and same_matter(contact, other, policy.same_matter)
    ]
    return min(back, key=in_order) if back else None


def repeats(contact: Contact, others: list[Contact]) -> list[Thing]:
    """The return after a handled contact, and the complaint again after one."""
    found = list[Thing]()
    if contact.merged:
        return found
    back, end = returned(contact, others, timedelta(days=contact.policy.repeat_days)), over(contact)
    if back is not None and end is not None:
        at = end["time"]  # a share of the handled: it counts where they do
        found.append(Thing("repeat", at, contact.day, handled_by(contact, end)))
    if contact.kind == "complaint" and contact.customer is not None:
        again = [
            other
            for other in others
            if other.kind == "complaint"
            and not other.merged
            and other.customer == contact.customer
            and contact.arrived
            < other.arrived
            <= contact.arrived + timedelta(days=contact.policy.repeat_complaint_days)
            and same_matter(contact, other, contact.policy.same_matter)
        ]
        if again:  # a share of the complaints: it counts where they do
            found += [replace(thing, what="repeat_complaint") for thing in complaints(contact)]
    return found
