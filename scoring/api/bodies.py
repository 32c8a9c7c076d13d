"""What requests say: their bodies, and the types of their parts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from scoring.inputs.values import Few

#: Text without the character that no database takes; the longest are those of the tables.
NO_NUL = r"^[^\x00]*$"
Short: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
Who: TypeAlias = Annotated[str, Field(min_length=1, max_length=256, pattern=NO_NUL)]
Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=4_000, pattern=NO_NUL)]
#: A value as it is handed in, and the place it is for.
Value: TypeAlias = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
Where: TypeAlias = Annotated[str, Field(min_length=1, max_length=160, pattern=NO_NUL)]
#: What is added to a day's count.
Count: TypeAlias = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
#: Items, corrections and exclusions of one appeal, and ratings of one review.
MOST_PARTS = 500
Id: TypeAlias = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Refusal(BaseModel):
    """Why a request is refused: in words, or each part of it that does not fit and where."""

    detail: str | list[Any]


class Sent(BaseModel):
    """A body: nothing in it that is not known."""

    model_config = ConfigDict(extra="forbid")


class Review(Sent):
    """A column of the form as it is signed: ratings by item, or why it is passed over."""

    column: Short
    ratings: Annotated[dict[Where, Value], Field(max_length=MOST_PARTS)] = {}
    absent: Reason | None = None


class Approval(Sent):
    """``unreviewed``: why it is approved although sheets are unsigned; ``despite``: why, although people object to theirs."""

    unreviewed: Reason | None = None
    despite: Reason | None = None


class AskedContacts(Sent):
    """Which contacts behind an item. ``of``: whose figure, of an item of a team's members; ``before``: that of the period before, of an
    item that looks back.
    """

    which: Literal["all", "numerator", "rest", "pending", "changed", "left-out"] = "all"
    of: Annotated[str | None, Field(max_length=300, pattern=r"^(agent|team)\|[^\x00]+$")] = None
    before: bool = False
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Saying(Sent):
    """What somebody says of their sheet. An objection has a reason; ``evidence``: what shows it."""

    agreed: bool
    reason: Reason | None = None
    evidence: Reason | None = None


class FewDecision(Sent):
    """Whether a figure on too few cases counts all the same, or moves nothing."""

    item: Short
    decision: Few
    reason: Reason


class NewAppeal(Sent):
    """An appeal. ``corrections``: ``ITEM.FIELD`` → value (null takes it back); ``exclusions``: ``DATE.MEASURE`` → what to add.
    ``late``: why HR takes it after the last day.
    """

    card: Short
    period: Short
    person: Who
    items: Annotated[list[Short], Field(min_length=1, max_length=MOST_PARTS)]
    reason: Reason
    corrections: Annotated[dict[Where, Value | None], Field(max_length=MOST_PARTS)] = {}
    exclusions: Annotated[dict[Where, Count], Field(max_length=MOST_PARTS)] = {}
    late: Reason | None = None


class NewRatings(Sent):
    """Ratings that whoever decides on an appeal would give: ``ITEM``, ``ITEM.pick``, ``ITEM.RATER`` or ``ITEM.few`` → value."""

    ratings: Annotated[dict[Where, Value], Field(max_length=MOST_PARTS)] = {}


class DaysOff(Sent):
    """Days off that somebody takes (``used``), or is granted by hand. ``day``: when; ``expires``: the last day to take what is granted."""

    person: Who
    kind: Literal["used", "granted"]
    days: Annotated[Decimal, Field(gt=0, le=366, decimal_places=2, max_digits=5)]
    day: date
    reason: Reason | None = None
    expires: date | None = None


class PanelOf(Sent):
    """Who is to rate a person, as which party."""

    person: Who
    party: Short
    raters: Annotated[list[Who], Field(min_length=1, max_length=MOST_PARTS)]


class NewPanels(Sent):
    """Panels to be opened: all of them or none."""

    card: Short
    period: Short
    panels: Annotated[list[PanelOf], Field(min_length=1, max_length=MOST_PARTS)]


class Closing(Sent):
    """Panels to be closed: all that are open, or of one person or party."""

    card: Short
    period: Short
    person: Who | None = None
    party: Short | None = None


class Ballot(Sent):
    """Ratings by item, of every item that is asked."""

    ratings: Annotated[dict[Where, Value], Field(min_length=1, max_length=MOST_PARTS)]


class Cancellation(Sent):
    """Why an entry is taken back."""

    reason: Reason


class Verdict(NewRatings):
    """The decision on an appeal."""

    accepted: bool
    reason: Reason
