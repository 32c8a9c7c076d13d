"""Events of chats."""

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
    Seconds,
    Sender,
)


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


class ChatFollowedUp(FollowedUp, tag="chat.followed_up"):
    __doc__ = FollowedUp.__doc__
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
    | ChatFollowedUp
    | ChatReviewed
    | ChatAnalysed
    | ChatCorrected
    | ChatRetracted
)
