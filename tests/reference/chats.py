"""What a chat comes to: how long the customer waited for each human reply, conversation by conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.reference.holder import agent, desk, desk_before, holder, place, takes
from tests.reference.moments import after, lasted
from tests.reference.thing import Contact, Event, Thing, seconds

#: What is heard in a chat: a conversation in which nothing of it is heard for long is over.
HEARD = {"chat.started", "chat.message", "chat.handed_over", "chat.ended"}
#: What shows that people have it.
PEOPLE = {"chat.assigned", "chat.transferred", "chat.handed_over"}


@dataclass
class Conversation:
    """A part of a chat that has a first response of its own: numbers of its events, in order."""

    contact: Contact
    #: It began with a message soon after the end of the one before.
    thanks: bool = False
    numbers: list[int] = field(default_factory=list)

    def event(self, number: int) -> Event:
        """One of its events."""
        return self.contact.events[number]

    def by(self, sender: str, since: int = -1, until: int | None = None) -> list[int]:
        """The messages of a sender after one event and before another."""
        return [
            n
            for n in self.numbers
            if self.event(n).get("sender") == sender and n > since and (until is None or n < until)
        ]

    def all_of(self, kind: str) -> list[int]:
        """The events of a type."""
        return [n for n in self.numbers if self.event(n)["type"] == kind]

    @property
    def bots_count(self) -> bool:
        """Does the policy know of bots at all?"""
        return self.contact.policy.first_response_from == "hand_over"

    @property
    def taken(self) -> int | None:
        """The event from which on people have it."""
        for n in self.numbers:
            event = self.event(n)
            named = event["type"] == "chat.started" and event.get("agent_id")
            if event["type"] in PEOPLE or event.get("sender") == "agent" or named:
                return n
        return None

    @property
    def bots(self) -> list[int]:
        """What a bot wrote before people had it."""
        return self.by("bot", until=self.taken) if self.bots_count else []

    def waits(self, before: int | None = None, since: int = -1) -> tuple[datetime, int] | None:
        """Since when the customer waits for people, of what comes after one event and before another, and the event that shows it."""
        handed = [n for n in self.all_of("chat.handed_over") if n > since and (before is None or n < before)]
        if handed and self.bots_count:
            return self.event(handed[0])["time"], handed[0]
        wrote, taken = self.by("customer", since, before), self.taken
        if not wrote:
            return None
        if taken is None:
            opened = [n for n in self.all_of("chat.started") if n > wrote[0]]
            if self.bots or (self.thanks and not opened):
                return None
            return self.event(wrote[0])["time"], opened[0] if self.thanks else wrote[0]
        earlier = [n for n in wrote if n < taken]
        if since >= taken or not earlier:
            return self.event(wrote[0])["time"], wrote[0]
        if not self.bots:
            return self.event(wrote[0])["time"], self.shown(wrote[0], taken)
        before_that = [n for n in self.bots if n < earlier[-1]]
        burst = [n for n in earlier if not before_that or n > before_that[-1]]
        had_the_last_word = self.bots[-1] > earlier[-1] and self.event(taken).get("sender") != "agent"
        return self.event(taken if had_the_last_word else burst[0])["time"], taken

    def shown(self, wrote: int, taken: int) -> int:
        """Which event shows that the customer waits where no bot was: the message, unless it could be a word of thanks."""
        if not self.thanks:
            return wrote
        return min([taken, *(n for n in self.all_of("chat.started") if n > wrote)])

    def replies(self) -> list[tuple[int, datetime]]:
        """The agents' messages that answer something, and since when that had waited."""
        found, last = list[tuple[int, datetime]](), -1
        for n in self.by("agent"):
            # The agent's own message is what shows it, where nobody was given the chat.
            waited = self.waits(n, last)
            if waited is not None:
                found.append((n, waited[0]))
            last = n
        return found

    def asked(self) -> tuple[datetime, int] | None:
        """Since when the customer first waited for people, and the event that shows it."""
        replies = self.replies()
        return self.waits(replies[0][0] if replies else None)

    @property
    def after_bot(self) -> bool:
        """Had a bot had it when the customer came to people?"""
        asked = self.asked()
        return bool(self.bots) or (
            asked is not None and self.bots_count and self.event(asked[1])["type"] == "chat.handed_over"
        )


def conversations(contact: Contact) -> list[Conversation]:
    """A chat's conversations: one begins anew after an end, or when nothing was heard for longer than the policy's hours."""
    found = [Conversation(contact)]
    heard: datetime | None = None
    over = False
    for number, event in enumerate(contact.events):
        kind, sender = event["type"], event.get("sender")
        silent = (
            heard is not None
            and silence(found[-1], over, heard, event["time"]) > contact.policy.chat_session_hours * 3600
        )
        if sender == "bot" and over and not silent:
            continue  # asks for a rating, say
        begins = sender == "customer" or kind in ("chat.started", "chat.handed_over")
        if (begins and (over or silent)) or (sender == "bot" and silent):
            found.append(Conversation(contact, thanks=sender == "customer" and over and not silent))
            over = False
        found[-1].numbers.append(number)
        if kind in HEARD:
            heard = event["time"]
        over = over or kind == "chat.ended"
    return found


def silence(talk: Conversation, over: bool, since: datetime, until: datetime) -> float:
    """For how many seconds nobody wrote: while a customer waits for people, only the hours count in which people work."""
    last = max(talk.by("agent"), default=-1)
    if over or talk.asked() is None or talk.waits(since=last) is None:
        return (until - since).total_seconds()
    return lasted(since, until, talk.contact.policy)


def first_asked(contact: Contact) -> tuple[datetime, Conversation, int] | None:
    """Since when the customer of a chat first waited for people, in which conversation, and the event that shows it."""
    for talk in conversations(contact):
        if (asked := talk.asked()) is not None:
            return asked[0], talk, asked[1]
    return None


def first_answered(contact: Contact) -> int | None:
    """The first human answer in a chat."""
    return next((talk.replies()[0][0] for talk in conversations(contact) if talk.replies()), None)


def things(contact: Contact) -> list[Thing]:
    """First responses, later responses, and customers who waited past the threshold, or were left alone by a bot."""
    found = list[Thing]()
    for talk in conversations(contact):
        found += first_response(talk) + alone(talk) + self_service(talk)
        for number, since in talk.replies():
            at = contact.events[number]["time"]
            wait = lasted(since, at, contact.policy)
            about = {"wait": wait, "delayed": wait > contact.policy.response_delay_seconds}
            found.append(Thing("response", at, contact.day, holder(contact, number), about))
    return found + time_spent(contact)


def threshold_of(contact: Contact, number: int) -> float:
    """Within how many seconds who waits since an event is to be answered: by the queue in which they wait then."""
    policy, queue = contact.policy, place(contact, number)[0] or ""
    return policy.first_response_seconds_by_queue.get(queue, policy.first_response_seconds)


def first_response(talk: Conversation) -> list[Thing]:
    """The first response that was due, and came or did not."""
    contact, asked, replies = talk.contact, talk.asked(), talk.replies()
    if asked is None:
        return []
    policy, day, found, (since, shown) = contact.policy, contact.day, list[Thing](), asked
    threshold = threshold_of(contact, shown)
    limit = after(since, threshold, policy)
    reply = replies[0][0] if replies else None
    if reply is not None:
        at = contact.events[reply]["time"]
        wait = lasted(since, at, policy)
        within = wait <= threshold
        about = {"channel": "chat", "wait": wait, "within": within, "due": within}
        found.append(Thing("first_response", at, day, holder(contact, reply), about))
        if within:
            return found
    ends = [n for n in talk.all_of("chat.ended") if n > shown and (reply is None or n < reply)]
    if any(contact.events[n]["time"] <= limit for n in ends):
        return found  # left before the threshold was up
    # Missed at the moment at which the threshold had passed, by who replied at last, or has it while it goes on.
    whose = contact.staff(*agent(contact, talk.numbers[-1] if reply is None else reply))
    missed = {"due": True, "within": False, "plan": True}
    return [*found, Thing("first_response", limit, day, whose | desk(contact, shown), missed)]


def alone(talk: Conversation) -> list[Thing]:
    """The customer wrote last, after a bot, and nobody came."""
    wrote = talk.by("customer", talk.bots[-1]) if talk.bots else []
    if talk.taken is not None or not wrote:
        return []
    contact = talk.contact
    first = contact.events[wrote[0]]["time"]
    limit = after(first, threshold_of(contact, wrote[0]), contact.policy)
    ends = [contact.events[n]["time"] for n in talk.all_of("chat.ended")]
    at = min([limit, *ends])
    return [Thing("alone", at, contact.day, desk(contact, wrote[0]), {"plan": at == limit})]


def self_service(talk: Conversation) -> list[Thing]:
    """Did it begin with a bot, and did it come to people, end, or fall silent for good? A word of thanks begins nothing."""
    contact, thanked = talk.contact, talk.thanks and not talk.all_of("chat.started")
    if thanked or "chat" not in contact.policy.self_service_channels or not talk.by("bot", until=talk.taken):
        return []
    ends, heard = talk.all_of("chat.ended"), [n for n in talk.numbers if talk.event(n)["type"] in HEARD]
    shown = talk.taken if talk.taken is not None else ends[0] if ends else heard[-1]
    at, silent = talk.event(shown)["time"], talk.taken is None and not ends
    if silent:
        at += timedelta(hours=contact.policy.chat_session_hours, milliseconds=1)
    return [Thing("self_service", at, contact.day, desk(contact, shown), {"alone": talk.taken is None, "plan": silent})]


def time_spent(contact: Contact) -> list[Thing]:
    """For how long each agent had it in turn: told when he has it no longer."""
    found, since, ended = list[Thing](), None, False
    begins = {talk.numbers[0] for talk in conversations(contact)}
    for number, event in enumerate(contact.events):
        ended = ended and number not in begins
        at, over = event["time"], event["type"] in ("chat.transferred", "chat.ended")
        before, now = agent(contact, number - 1) if number else (None, None), agent(contact, number)
        if since is not None and (over or before[0] != now[0]):
            about = {"seconds": seconds(at - since)}
            whose = now if before[0] == now[0] else before  # his team may have been told only now
            found.append(
                Thing("chat_time", at, contact.day, contact.staff(*whose) | desk_before(contact, number), about)
            )
            since = None
        ended = ended or event["type"] == "chat.ended"
        if since is None and not ended and (takes(event) or event.get("to_agent_id")):
            since = at
    return found
