"""Events of calls."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from streams.contracts.events.base import (
    Analysed,
    ContactEvent,
    Corrected,
    EndedBy,
    FollowedUp,
    Id,
    Invited,
    Rated,
    RatingExplained,
    Retracted,
    Reviewed,
    Seconds,
    Text,
)


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


class CallFollowedUp(FollowedUp, tag="call.followed_up"):
    __doc__ = FollowedUp.__doc__
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
    | CallFollowedUp
    | CallReviewed
    | CallAnalysed
    | CallCorrected
    | CallRetracted
)
