"""What a call comes to: its offers to queues and agents, and its parts that agents handled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.reference.thing import Contact, Event, Thing, seconds


@dataclass
class Leg:
    """One offer: from the queue (or from nowhere) to an answer, a hang-up, a time-out, or nothing yet."""

    queue: str | None
    site: str | None
    since: datetime | None
    came: datetime
    outcome: str | None = None
    at: datetime | None = None
    wait: float = 0.0
    agent: str | None = None
    team: str | None = None
    known_site: str | None = None
    #: Nobody has told of its queueing: it rang, was answered or given up before.
    implied: bool = False
    ends: list[Event] = field(default_factory=list)
    #: What was said of its outcome by sources that may know no more.
    settled: list[Event] = field(default_factory=list)
    transferred: list[Event] = field(default_factory=list)


def legs(contact: Contact) -> tuple[list[Leg], list[tuple[Event, str | None, str | None]]]:
    """Every offer of a call in order, and every ring that an agent did not answer, with the queue and site it rang from."""
    found: list[Leg] = []
    missed: list[tuple[Event, str | None, str | None]] = []
    queue = site = None
    for event in contact.events:
        kind, at = event["type"], event["time"]
        queue, site = event.get("queue_id") or queue, event.get("site_id") or site
        open_ = found[-1] if found and found[-1].outcome is None else None
        if kind == "call.queued":
            own = event.get("queue_id")
            last = found[-1] if found else None
            same = last is not None and (last.queue is None or own is None or own == last.queue)
            if last is not None and same and open_ is not None:
                last.queue, last.implied = last.queue or own, False  # told twice
            elif last is not None and same and last.implied and not last.ends and not last.transferred:
                # The source's clock ran backwards.
                last.queue, last.site, last.implied = last.queue or own, last.site or site, False
            else:
                if open_ is not None:
                    open_.outcome, open_.at, open_.known_site = "overflowed", at, site
                found.append(Leg(queue, site, at, at))
        elif kind in ("call.answered", "call.abandoned", "call.left_queue"):
            outcome = kind.split(".")[1]
            if open_ is None:
                again = found and (
                    outcome != "answered"
                    or (
                        found[-1].outcome == "answered"
                        and found[-1].agent in (None, event.get("agent_id"))
                        and not found[-1].ends
                        and not found[-1].transferred
                    )
                    or (
                        found[-1].outcome == "answered"
                        and event.get("agent_id") is None
                        and not found[-1].ends
                        and not found[-1].transferred
                    )
                )
                if again:  # told twice, or said of a call that is over
                    if outcome == "answered" and found[-1].agent is None:
                        found[-1].agent, found[-1].team = event.get("agent_id"), event.get("team_id")
                    continue
                open_ = Leg(queue, site, None, at, implied=True)
                found.append(open_)
            given = event.get("wait_seconds")
            derived = seconds(at - open_.since) if open_.since else 0.0
            open_.queue = open_.queue or queue
            open_.outcome, open_.at, open_.wait = outcome, at, derived if given is None else given
            open_.known_site = site
            if outcome == "answered":
                open_.agent, open_.team = event.get("agent_id"), event.get("team_id")
        elif kind in ("call.missed", "call.offered"):
            if not found:
                found.append(
                    Leg(queue, site, at, at, implied=True)
                )  # it rang: it was offered, though nobody said that it queued
            if kind == "call.missed":
                missed.append((event, queue, site))
        elif kind in ("call.ended", "call.transferred", "call.resolved"):
            whose = [leg for leg in found if leg.outcome == "answered" and leg.agent == event.get("agent_id")]
            if kind == "call.ended" and open_ is not None and not whose:  # nobody answered, and it is over
                open_.outcome, open_.at = "over", at
                continue
            parts = [leg for leg in found if leg.outcome == "answered"]
            if whose or parts:
                part = (whose or parts)[-1]
                if part.agent is None and kind != "call.transferred":
                    part.agent, part.team = event.get("agent_id"), event.get("team_id")
                if part.agent == event.get("agent_id"):
                    part.team = part.team or event.get("team_id")
                kept = {"call.ended": part.ends, "call.resolved": part.settled}.get(kind, part.transferred)
                kept.append(event | {"_site": site, "_queue": queue})
    return found, missed


def answerer(contact: Contact, leg: Leg) -> set[str]:
    """To whose account an answer goes: the agent who gave it, the desk that had the call."""
    return contact.staff(leg.agent, leg.team) | contact.desk(leg.queue, leg.known_site or leg.site)


def said(events: list[Event], name: str) -> float | None:
    """What the last of some events that speaks of a field says of it."""
    values = [event[name] for event in events if event.get(name) is not None]
    return values[-1] if values else None


def things(contact: Contact) -> list[Thing]:
    """Everything of a call that is counted."""
    policy, day = contact.policy, contact.day
    found: list[Thing] = []
    offers, missed = legs(contact)
    for leg in offers:
        desk, staff = contact.desk(leg.queue, leg.known_site or leg.site), contact.staff(leg.agent, leg.team)
        limit = policy.service_level_seconds_by_queue.get(leg.queue or "", policy.service_level_seconds)
        about = {
            "early": leg.outcome == "abandoned" and leg.wait <= limit,
            "flowed_out": leg.outcome in ("left_queue", "overflowed"),
            "answered": leg.outcome == "answered",
            "within": leg.outcome == "answered" and leg.wait <= limit,
            "abandoned": leg.outcome == "abandoned",
            "short": leg.outcome == "abandoned" and policy.short_abandon_seconds > 0 and leg.wait <= policy.short_abandon_seconds,
            "wait": leg.wait,
        }  # fmt: skip
        at = leg.at or leg.came
        found.append(Thing("offer", at, day, desk, about))
        if leg.outcome is None:
            found.append(Thing("waiting", leg.came, day, desk, {}))
        if leg.outcome == "answered":
            found.append(Thing("offer", at, day, staff, about))
            found += handled(contact, leg, staff)
    found += menu(contact, offers)
    for event, queue, site in missed:
        who = contact.staff(event.get("agent_id"), event.get("team_id"))
        found.append(Thing("offer", event["time"], day, who, {}))
        found.append(Thing("missed", event["time"], day, who | contact.desk(queue, site)))
    return found


def menu(contact: Contact, offers: list[Leg]) -> list[Thing]:
    """Where the voice menu serves customers: did who reached it come to people, or end there?"""
    reached = any(event["type"] == "call.arrived" for event in contact.events)
    ends = [event["time"] for event in contact.events if event["type"] == "call.ended"]
    if "call" not in contact.policy.self_service_channels or not reached or not (offers or ends):
        return []
    at, where = offers[0].came if offers else ends[0], contact.desk(contact.queue, contact.last("site_id"))
    return [Thing("self_service", at, contact.day, where, {"alone": not offers})]


def handled(contact: Contact, leg: Leg, staff: set[str]) -> list[Thing]:
    """The part of a call that one agent handled: answered by him, and over."""
    day = contact.day
    over = leg.ends
    if not over or leg.at is None:  # handed on, but not known to be over: in neither sum
        return []
    where = contact.desk(leg.queue or over[0]["_queue"], over[0]["_site"]) | staff
    hold = said(leg.ends, "hold_seconds") or 0.0
    talk = said(leg.ends, "talk_seconds")
    if talk is None:
        talk = max(0.0, seconds(over[0]["time"] - leg.at) - hold)
    wrap_up = said(leg.ends, "wrap_up_seconds") or 0.0
    by = said(leg.ends, "ended_by")
    about = {
        "talk": talk,
        "hold": hold,
        "wrap_up": wrap_up,
        "held": hold > 0,
        "by": by,
        "short": talk < contact.policy.short_call_seconds,
        "transferred": bool(leg.transferred),
    }
    return [Thing("call_handled", over[0]["time"], day, where, about)]
