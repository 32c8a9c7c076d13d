"""Every event that Deskpulse takes, as one typed, tagged structure per type.

An event is one flat JSON object whose ``type`` names its structure; CloudEvents attribute names are used where CloudEvents
has one (``id``, ``type``, ``source``, ``time``). Durations are seconds. ``time`` is the event time: RFC 3339 with an offset.
Unknown fields are ignored, so that a source may send more than is needed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=1024)]
Time = Annotated[datetime, Meta(tz=True)]
#: Longest believable duration of anything within one contact: 366 days, in seconds.
Seconds = Annotated[float, Meta(ge=0, le=31_622_400)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
#: The highest number that every JSON reader keeps exact.
LAST_SEQUENCE = 2**53 - 1
Sequence = Annotated[int, Meta(ge=0, le=LAST_SEQUENCE)]
#: From -1 (angry) to 1 (glad).
Emotion = Annotated[float, Meta(ge=-1, le=1)]
SpeechRate = Annotated[float, Meta(ge=0, le=10_000)]
#: Items of a review's form: was it passed?
Items = Annotated[dict[Id, bool], Meta(max_length=200)]

Sender: TypeAlias = Literal["customer", "agent", "bot"]
#: From the worst score to the best, whole numbers up to 100: 1-5, 0-10, 1-10; 3-1 where 1 is the best. ``binary``: 0 or 1.
SCALE_PATTERN = r"^(?:binary|(?:0|[1-9][0-9]?|100)-(?:0|[1-9][0-9]?|100))$"
Scale = Annotated[str, Meta(pattern=SCALE_PATTERN)]
Survey: TypeAlias = Literal["csat", "nps", "ces"]
EndedBy: TypeAlias = Literal["agent", "customer", "system"]
AgentState: TypeAlias = Literal["available", "on_contact", "wrap_up", "away", "training", "offline"]


@lru_cache(maxsize=1024)
def scale_ends(scale: str) -> tuple[int, int]:
    """Worst and best score of a scale."""
    if scale == "binary":
        return 0, 1
    worst, _, best = scale.partition("-")
    return int(worst), int(best)


_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MILLISECOND = timedelta(milliseconds=1)
#: Fixed offset → the same in ms; JSON knows no others.
_OFFSETS: dict[tzinfo | None, int] = {}


def milliseconds(time: datetime) -> int:
    """Milliseconds since 1970 UTC of a time with offset, rounded half up. (``datetime.timestamp`` takes twice as long.)"""
    zone = time.tzinfo
    offset = _OFFSETS.get(zone)
    if offset is None:
        offset = (time.utcoffset() or timedelta()) // _MILLISECOND
        if isinstance(zone, timezone):
            _OFFSETS[zone] = offset
    return (
        (time.toordinal() - _EPOCH_DAY) * 86_400_000
        + time.hour * 3_600_000
        + time.minute * 60_000
        + time.second * 1000
        + (time.microsecond + 500) // 1000
        - offset
    )


class Event(Struct, kw_only=True, tag_field="type", omit_defaults=True, gc=False):
    """What every event has. ``id`` is unique within a contact (or an agent): the same id again is a duplicate.

    ``sequence`` says which of a contact's (or an agent's) events of one ``time`` came first: the lower. It need not begin at 0 nor
    leave nothing out, and events that share one, or have none, are put in the order that makes a story.
    """

    #: Topic that carries this type; also the channel of a contact's events.
    carrier: ClassVar[str] = ""

    id: Id
    source: Id
    time: Time
    sequence: Sequence | None = None

    @property
    def at(self) -> int:
        """Event time in milliseconds since 1970 UTC."""
        return milliseconds(self.time)


class ContactEvent(Event, kw_only=True):
    """What every event of a call, chat or ticket has.

    ``customer_id`` is pseudonymous and absent where the customer is unknown; ``team_id`` and ``site_id`` are filled in from
    the roster where the source does not know them.
    """

    contact_id: Id
    customer_id: Id | None = None
    agent_id: Id | None = None
    team_id: Id | None = None
    queue_id: Id | None = None
    site_id: Id | None = None
    topic: Id | None = None
    kind: Id | None = None
    #: Absent: the source does not say.
    vip: bool | None = None
    #: Which of them are urgent, the policy says.
    priority: Id | None = None

    @property
    def key(self) -> str:
        """Message key: the customer, else the contact. Events with one key meet in one partition, in order."""
        return self.customer_id or self.contact_id


class AgentEvent(Event, kw_only=True):
    """What every event about an agent (a person) rather than a contact has."""

    carrier: ClassVar[str] = "agents"
    agent_id: Id
    team_id: Id | None = None
    site_id: Id | None = None

    @property
    def key(self) -> str:
        """Message key: the agent."""
        return self.agent_id


# -- parts that all three channels share -------------------------------------------------------------------------------


class Rated(ContactEvent, kw_only=True):
    """The customer's rating of the contact. A later rating of the same contact and survey replaces the earlier.

    ``scale`` goes from the worst score to the best. Which scores of it are satisfied and which bad, the policy says (``satisfied_from``,
    ``negative_to``).
    """

    score: float
    scale: Scale
    survey: Survey = "csat"


class Invited(ContactEvent, kw_only=True):
    """The customer was asked to rate the contact."""

    survey: Survey = "csat"


class RatingExplained(ContactEvent, kw_only=True):
    """The root cause of the customer's bad rating of the contact has been told, ``cause`` in words or as a code; the first word counts."""

    cause: Text | None = None


class Reviewed(ContactEvent, kw_only=True):
    """A quality review of the contact: ``score`` 0-100. A later review by the same form replaces the earlier.

    ``items``: items of the form and whether each was passed; ``script`` is the one that KPIs know.
    """

    score: Annotated[float, Meta(ge=0, le=100)]
    passed: bool | None = None
    fatal: bool = False
    items: Items | None = None
    form: Id | None = None
    reviewer_id: Id | None = None


class Analysed(ContactEvent, kw_only=True):
    """Speech or text analytics of another system about the contact: a later analysis replaces what it states of an earlier one.

    ``emotion`` is the customer's over the whole contact, ``emotion_start`` and ``emotion_end`` at its two ends. ``speech_rate`` (words a
    minute) and ``silences`` (how many) are the agent's; ``shift_seconds`` is how long their shift had lasted when the contact began.
    """

    emotion: Emotion | None = None
    emotion_start: Emotion | None = None
    emotion_end: Emotion | None = None
    speech_rate: SpeechRate | None = None
    silences: Count | None = None
    shift_seconds: Seconds | None = None
    script_hits: Count | None = None
    keyword_coverage: Ratio | None = None
    page_switches: Count | None = None
    search_seconds: Seconds | None = None


class Corrected(ContactEvent, kw_only=True):
    """The event ``corrects`` stands with the fields given here instead of its own.

    Any field of any event of the channel can be given; what the corrected event does not have is not looked at, and null is not
    given. The event's id, time, contact and customer stay: retract it and tell it anew where these are wrong. With another
    ``agent_id`` the event moves to that agent, and leaves the team of the one before.

    Corrections and retractions are words about an event, and of several the last in time stands: a correction after a retraction
    has the event happen after all. ``corrects`` may name a correction or a retraction, too: retracted, it was never made;
    a corrected correction says what both say; a corrected retraction is a correction of what it retracted. A correction that
    would leave no sound event (a score off its scale) changes nothing.
    """

    corrects: Id
    score: float | None = None
    scale: Scale | None = None
    survey: Survey | None = None
    cause: Text | None = None
    passed: bool | None = None
    fatal: bool | None = None
    items: Items | None = None
    form: Id | None = None
    reviewer_id: Id | None = None
    emotion: Emotion | None = None
    emotion_start: Emotion | None = None
    emotion_end: Emotion | None = None
    speech_rate: SpeechRate | None = None
    silences: Count | None = None
    shift_seconds: Seconds | None = None
    script_hits: Count | None = None
    keyword_coverage: Ratio | None = None
    page_switches: Count | None = None
    search_seconds: Seconds | None = None


class Retracted(ContactEvent, kw_only=True):
    """The event ``corrects`` never happened."""

    corrects: Id


# -- calls -------------------------------------------------------------------------------------------------------------


class CallArrived(ContactEvent, tag="call.arrived", kw_only=True):
    """The call reached the voice menu or the switch; it is not yet offered to anyone."""

    carrier: ClassVar[str] = "calls"


class CallQueued(ContactEvent, tag="call.queued", kw_only=True):
    """The call entered a queue: from now on it is offered."""

    carrier: ClassVar[str] = "calls"


class CallOffered(ContactEvent, tag="call.offered", kw_only=True):
    """The call rang at an agent."""

    carrier: ClassVar[str] = "calls"
    ring_seconds: Seconds | None = None


class CallMissed(ContactEvent, tag="call.missed", kw_only=True):
    """The agent at whom the call rang did not answer."""

    carrier: ClassVar[str] = "calls"
    ring_seconds: Seconds | None = None


class CallAnswered(ContactEvent, tag="call.answered", kw_only=True):
    """An agent answered; ``wait_seconds`` is queue and ring together."""

    carrier: ClassVar[str] = "calls"
    wait_seconds: Seconds | None = None


class CallAbandoned(ContactEvent, tag="call.abandoned", kw_only=True):
    """The caller hung up while waiting."""

    carrier: ClassVar[str] = "calls"
    wait_seconds: Seconds | None = None
    reason: Text | None = None


class CallLeftQueue(ContactEvent, tag="call.left_queue", kw_only=True):
    """The call left the queue unanswered and not by the caller's will: timed out or overflowed."""

    carrier: ClassVar[str] = "calls"
    wait_seconds: Seconds | None = None
    reason: Text | None = None


class CallTransferred(ContactEvent, tag="call.transferred", kw_only=True):
    """``agent_id`` handed the call on."""

    carrier: ClassVar[str] = "calls"
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None


class CallEnded(ContactEvent, tag="call.ended", kw_only=True):
    """The agent's part of the call is over. Wrap-up that is known only later comes in a second ``call.ended``."""

    carrier: ClassVar[str] = "calls"
    talk_seconds: Seconds | None = None
    hold_seconds: Seconds | None = None
    wrap_up_seconds: Seconds | None = None
    ended_by: EndedBy | None = None
    resolved: bool | None = None


class CallResolved(ContactEvent, tag="call.resolved", kw_only=True):
    """The agent has settled the matter, unless ``resolved`` says otherwise; how long it took is not said.

    For sources that know a call's outcome and no durations: the call is handled, and is in no mean of talk, hold or handle time. Where
    ``call.ended`` is told as well, before or after, the call was over then.
    """

    carrier: ClassVar[str] = "calls"
    resolved: bool | None = None


class CallRated(Rated, tag="call.rated"):
    __doc__ = Rated.__doc__
    carrier: ClassVar[str] = "calls"


class CallInvited(Invited, tag="call.invited"):
    __doc__ = Invited.__doc__
    carrier: ClassVar[str] = "calls"


class CallRatingExplained(RatingExplained, tag="call.rating_explained"):
    __doc__ = RatingExplained.__doc__
    carrier: ClassVar[str] = "calls"


class CallReviewed(Reviewed, tag="call.reviewed"):
    __doc__ = Reviewed.__doc__
    carrier: ClassVar[str] = "calls"


class CallAnalysed(Analysed, tag="call.analysed"):
    __doc__ = Analysed.__doc__
    carrier: ClassVar[str] = "calls"


class CallCorrected(Corrected, tag="call.corrected", kw_only=True):
    __doc__ = Corrected.__doc__
    carrier: ClassVar[str] = "calls"
    ring_seconds: Seconds | None = None
    wait_seconds: Seconds | None = None
    reason: Text | None = None
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None
    talk_seconds: Seconds | None = None
    hold_seconds: Seconds | None = None
    wrap_up_seconds: Seconds | None = None
    ended_by: EndedBy | None = None
    resolved: bool | None = None


class CallRetracted(Retracted, tag="call.retracted"):
    __doc__ = Retracted.__doc__
    carrier: ClassVar[str] = "calls"


# -- chats -------------------------------------------------------------------------------------------------------------


class ChatStarted(ContactEvent, tag="chat.started", kw_only=True):
    """The conversation was opened."""

    carrier: ClassVar[str] = "chats"


class ChatHandedOver(ContactEvent, tag="chat.handed_over", kw_only=True):
    """The bot handed the conversation over to people, or the customer asked for them: from now on they wait for a person.

    ``bot`` is the name of the bot that had it. Who names an ``agent_id`` says to whom it was given.
    """

    carrier: ClassVar[str] = "chats"
    bot: Id | None = None


class ChatAssigned(ContactEvent, tag="chat.assigned", kw_only=True):
    """An agent was given the conversation."""

    carrier: ClassVar[str] = "chats"


class ChatTransferred(ContactEvent, tag="chat.transferred", kw_only=True):
    """``agent_id`` handed the conversation on."""

    carrier: ClassVar[str] = "chats"
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None


class ChatMessage(ContactEvent, tag="chat.message", kw_only=True):
    """One message. A bot's answer is no response; a burst of customer messages waits from its first.

    Where a bot had the conversation first and nobody tells ``chat.handed_over``, the customer waits for people from their first message
    after the bot's last, once a person is assigned or answers.
    """

    carrier: ClassVar[str] = "chats"
    sender: Sender


class ChatEnded(ContactEvent, tag="chat.ended", kw_only=True):
    """The conversation is over."""

    carrier: ClassVar[str] = "chats"
    resolved: bool | None = None
    wrap_up_seconds: Seconds | None = None


class ChatRated(Rated, tag="chat.rated"):
    __doc__ = Rated.__doc__
    carrier: ClassVar[str] = "chats"


class ChatInvited(Invited, tag="chat.invited"):
    __doc__ = Invited.__doc__
    carrier: ClassVar[str] = "chats"


class ChatRatingExplained(RatingExplained, tag="chat.rating_explained"):
    __doc__ = RatingExplained.__doc__
    carrier: ClassVar[str] = "chats"


class ChatReviewed(Reviewed, tag="chat.reviewed"):
    __doc__ = Reviewed.__doc__
    carrier: ClassVar[str] = "chats"


class ChatAnalysed(Analysed, tag="chat.analysed"):
    __doc__ = Analysed.__doc__
    carrier: ClassVar[str] = "chats"


class ChatCorrected(Corrected, tag="chat.corrected", kw_only=True):
    __doc__ = Corrected.__doc__
    carrier: ClassVar[str] = "chats"
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None
    sender: Sender | None = None
    bot: Id | None = None
    wrap_up_seconds: Seconds | None = None
    resolved: bool | None = None


class ChatRetracted(Retracted, tag="chat.retracted"):
    __doc__ = Retracted.__doc__
    carrier: ClassVar[str] = "chats"


# -- tickets -----------------------------------------------------------------------------------------------------------


class TicketCreated(ContactEvent, tag="ticket.created", kw_only=True):
    """The ticket was opened; ``due`` is when it must be resolved."""

    carrier: ClassVar[str] = "tickets"
    due: Time | None = None


class TicketAssigned(ContactEvent, tag="ticket.assigned", kw_only=True):
    """An agent was given the ticket."""

    carrier: ClassVar[str] = "tickets"


class TicketReassigned(ContactEvent, tag="ticket.reassigned", kw_only=True):
    """``agent_id`` handed the ticket on: to another agent, or back to a queue.

    Of a ticket that nobody had, or handed to whoever has it, it is a mere assignment.
    """

    carrier: ClassVar[str] = "tickets"
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None


class TicketEscalated(ContactEvent, tag="ticket.escalated", kw_only=True):
    """The ticket went up a level."""

    carrier: ClassVar[str] = "tickets"


class TicketReopened(ContactEvent, tag="ticket.reopened", kw_only=True):
    """The ticket was resolved or closed and is open again."""

    carrier: ClassVar[str] = "tickets"


class TicketResumed(ContactEvent, tag="ticket.resumed", kw_only=True):
    """The customer is awaited no longer: work on the ticket goes on. What the customer writes does not say so by itself."""

    carrier: ClassVar[str] = "tickets"


class TicketReplied(ContactEvent, tag="ticket.replied", kw_only=True):
    """An agent wrote; ``public``: the customer can read it."""

    carrier: ClassVar[str] = "tickets"
    public: bool = True


class TicketPending(ContactEvent, tag="ticket.pending", kw_only=True):
    """The customer is awaited: until it is resumed, resolved or closed, the ticket's clocks stand still as the policy says.

    It stays open. Of a ticket that is resolved or closed it says nothing: that has to be reopened first.
    """

    carrier: ClassVar[str] = "tickets"
    reason: Text | None = None


class TicketResolved(ContactEvent, tag="ticket.resolved", kw_only=True):
    """The matter is settled, unless ``resolved`` says otherwise."""

    carrier: ClassVar[str] = "tickets"
    resolved: bool | None = None
    accepted_by_customer: bool | None = None


class TicketClosed(ContactEvent, tag="ticket.closed", kw_only=True):
    """Work on the ticket is over."""

    carrier: ClassVar[str] = "tickets"
    resolved: bool | None = None
    accepted_by_customer: bool | None = None


class TicketMerged(ContactEvent, tag="ticket.merged", kw_only=True):
    """The ticket told the same matter as the ticket ``into``, which goes on alone.

    It counts for nothing of its own any more: no ticket created, handled, resolved, due or open, no complaint, nobody's return. What
    people said and did stays theirs: first responses, ratings, invitations, reviews. Taken back, it is a ticket again.
    """

    carrier: ClassVar[str] = "tickets"
    into: Id


class TicketRated(Rated, tag="ticket.rated"):
    __doc__ = Rated.__doc__
    carrier: ClassVar[str] = "tickets"


class TicketInvited(Invited, tag="ticket.invited"):
    __doc__ = Invited.__doc__
    carrier: ClassVar[str] = "tickets"


class TicketRatingExplained(RatingExplained, tag="ticket.rating_explained"):
    __doc__ = RatingExplained.__doc__
    carrier: ClassVar[str] = "tickets"


class TicketReviewed(Reviewed, tag="ticket.reviewed"):
    __doc__ = Reviewed.__doc__
    carrier: ClassVar[str] = "tickets"


class TicketAnalysed(Analysed, tag="ticket.analysed"):
    __doc__ = Analysed.__doc__
    carrier: ClassVar[str] = "tickets"


class TicketCorrected(Corrected, tag="ticket.corrected", kw_only=True):
    __doc__ = Corrected.__doc__
    carrier: ClassVar[str] = "tickets"
    due: Time | None = None
    to_agent_id: Id | None = None
    to_queue_id: Id | None = None
    reason: Text | None = None
    public: bool | None = None
    resolved: bool | None = None
    accepted_by_customer: bool | None = None
    into: Id | None = None


class TicketRetracted(Retracted, tag="ticket.retracted"):
    __doc__ = Retracted.__doc__
    carrier: ClassVar[str] = "tickets"


# -- agents ------------------------------------------------------------------------------------------------------------


class AgentStateChanged(AgentEvent, tag="agent.state_changed", kw_only=True):
    """From now on the agent is in ``state``."""

    state: AgentState
    reason: Text | None = None


class AgentScheduled(AgentEvent, tag="agent.scheduled", kw_only=True):
    """The agent is planned to work from ``starts`` to ``ends``. The same ``starts`` again replaces the shift."""

    starts: Time
    ends: Time


class AgentCorrected(AgentEvent, tag="agent.corrected", kw_only=True):
    """The event ``corrects`` stands with the fields given here instead of its own."""

    corrects: Id
    state: AgentState | None = None
    reason: Text | None = None
    starts: Time | None = None
    ends: Time | None = None


class AgentRetracted(AgentEvent, tag="agent.retracted", kw_only=True):
    """The event ``corrects`` never happened."""

    corrects: Id


CallEvent: TypeAlias = (
    CallArrived
    | CallQueued
    | CallOffered
    | CallMissed
    | CallAnswered
    | CallAbandoned
    | CallLeftQueue
    | CallTransferred
    | CallEnded
    | CallResolved
    | CallRated
    | CallInvited
    | CallRatingExplained
    | CallReviewed
    | CallAnalysed
    | CallCorrected
    | CallRetracted
)
ChatEvent: TypeAlias = (
    ChatStarted
    | ChatHandedOver
    | ChatAssigned
    | ChatTransferred
    | ChatMessage
    | ChatEnded
    | ChatRated
    | ChatInvited
    | ChatRatingExplained
    | ChatReviewed
    | ChatAnalysed
    | ChatCorrected
    | ChatRetracted
)
TicketEvent: TypeAlias = (
    TicketCreated
    | TicketAssigned
    | TicketReassigned
    | TicketEscalated
    | TicketReopened
    | TicketResumed
    | TicketReplied
    | TicketPending
    | TicketResolved
    | TicketClosed
    | TicketMerged
    | TicketRated
    | TicketInvited
    | TicketRatingExplained
    | TicketReviewed
    | TicketAnalysed
    | TicketCorrected
    | TicketRetracted
)
PresenceEvent: TypeAlias = AgentStateChanged | AgentScheduled | AgentCorrected | AgentRetracted
AnyContactEvent: TypeAlias = CallEvent | ChatEvent | TicketEvent
AnyEvent: TypeAlias = AnyContactEvent | PresenceEvent
