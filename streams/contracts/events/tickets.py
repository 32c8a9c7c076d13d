"""Events of tickets."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from streams.contracts.events.base import (
    Analysed,
    ContactEvent,
    Corrected,
    FollowedUp,
    Id,
    Invited,
    Rated,
    RatingExplained,
    Retracted,
    Reviewed,
    Text,
    Time,
)


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


class TicketFollowedUp(FollowedUp, tag="ticket.followed_up"):
    __doc__ = FollowedUp.__doc__
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
    | TicketFollowedUp
    | TicketReviewed
    | TicketAnalysed
    | TicketCorrected
    | TicketRetracted
)
