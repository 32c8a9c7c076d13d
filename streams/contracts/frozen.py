"""What is asked, and answered, of the contacts behind a figure whose facts were frozen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct

from streams.contracts.outputs import DailyFacts


class FrozenFigure(Struct, frozen=True, kw_only=True):
    """A figure of frozen facts.

    ``frozen``: digest of the facts of the whole run; ``facts``: the entity's own among them; ``adjusted``: what accepted appeals have added
    to these; ``as_of``: the moment as of which it was judged what had matured.
    """

    frozen: str
    kpi: str
    entity: str
    first: date
    last: date
    as_of: datetime
    facts: tuple[DailyFacts, ...]
    adjusted: tuple[DailyFacts, ...] = ()


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has become of a contact since the facts were frozen: ``gone``: it counts no more; ``new``: it did not count then. ``top``,
    ``bottom``: its part now; ``measures``: measure → amount then and now, in stored units; ``fields``: what its record says → then and now.
    """

    how: Literal["changed", "gone", "new"]
    top: int = 0
    bottom: int = 0
    measures: dict[str, tuple[int, int]] = {}
    fields: dict[str, tuple[Any, Any]] = {}


class FrozenLine(Struct, frozen=True, kw_only=True):
    """A contact or an interval of presence behind a figure, on a day on which it counts; ``appeal``: what accepted appeals have changed in
    the counts of the day, which no contact says.

    ``part``: where it counts; ``top``, ``bottom``: its part of numerator and denominator, in stored units; ``told``: what its record said;
    ``since``: what has become of it, None: nothing.
    """

    record: str
    kind: Literal["contact", "interval", "appeal"]
    day: date
    part: Literal["numerator", "rest", "pending"]
    top: int
    bottom: int
    value: float | None
    told: dict[str, Any]
    since: Change | None = None


class FrozenLeftOut(Struct, frozen=True, kw_only=True):
    """A contact of the entity and the days that did not count, and why."""

    record: str
    reason: str
    reason_zh: str
    reason_en: str
    told: dict[str, Any]


class FrozenAnswer(Struct, frozen=True, kw_only=True):
    """A frozen figure with all that was behind it: value = top × up / (bottom × down).

    ``kept``: the history kept the contacts when the facts were frozen; False: they are as they are now. ``listed``: numerator and
    denominator of the lines, which do not hold what is pending; ``adds_up``: they are those of the figure. ``now``: those of the contacts
    that count now; ``new``: contacts that count now and did not then.
    """

    kpi: str
    entity: str
    first: date
    last: date
    kept: bool
    value: float | None
    n: int
    pending: int
    top: int
    bottom: int | None
    up: int
    down: int
    listed: tuple[int, int]
    adds_up: bool
    now: tuple[int, int]
    lines: list[FrozenLine]
    new: list[FrozenLine]
    left_out: list[FrozenLeftOut]
