"""What all events have in common, and the parts that all three channels share."""

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


class FollowedUp(ContactEvent, kw_only=True):
    """A follow-up has asked the customer whether the matter of this contact is ``resolved``; the last answer stands.

    It is told of the contact that was followed up, with its ``contact_id``: the call or ticket by which people follow up is a contact of
    its own. ``agent_id`` is whoever asked; the answer goes to the account of who handled the contact. Where nobody was reached, nothing
    is told.
    """

    resolved: bool


class Reviewed(ContactEvent, kw_only=True):
    """A quality review of the contact: ``score`` 0-100. A later review by the same form replaces the earlier.

    ``items``: items of the form and whether each was passed. KPIs know ``script``, ``process``, ``behaviour``, ``needs`` and ``policy``,
    and what the policy says means one of them (``review_items``).
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
