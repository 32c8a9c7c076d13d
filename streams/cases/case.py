"""A case and its life: opened once for what it is about, reminded of, overdue, told to the next superior, closed.

Moments are in ms since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

CaseKind: TypeAlias = Literal["bad_rating", "repeat_complaint", "incident", "call_back"]
CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
#: withdrawn: what it is about has been taken back (a corrected rating).
CaseStatus: TypeAlias = Literal["open", "closed", "withdrawn"]
CASE_STATUSES: tuple[CaseStatus, ...] = get_args(CaseStatus)
StepKind: TypeAlias = Literal[
    "opened", "assigned", "noted", "reminded", "overdue", "escalated", "withdrawn", "reopened", "closed", "weighed"
]
#: Kinds that are important unless somebody says otherwise: a customer is hurt twice, or an alert stood for many.
IMPORTANT: frozenset[CaseKind] = frozenset({"repeat_complaint", "incident"})
#: Longest text that people give; ``explanation`` is cut to what an event takes.
LONGEST_TEXT = 2000
LONGEST_CAUSE = 1024


class Step(Struct, omit_defaults=True, kw_only=True):
    """What happened to a case. ``by``: who did it; None: nobody, time did. ``to``: whose it is now, or who was told."""

    number: int
    at: int
    kind: StepKind
    by: str | None = None
    to: str | None = None
    text: str = ""


class About(Struct, omit_defaults=True, kw_only=True, frozen=True):
    """What a case is about: ``key`` says it once and for all. ``happened``: ms. ``customer_id`` is kept only as long as it is needed."""

    key: str
    kind: CaseKind
    happened: int
    channel: str | None = None
    contact_id: str | None = None
    customer_id: str | None = None
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    site: str | None = None
    topic: str | None = None
    #: Of a bad rating, as it was given; of an incident, what it says.
    score: float | None = None
    scale: str | None = None
    said_zh: str = ""
    said_en: str = ""
    #: Other contacts of the same matter, ``channel:id``.
    contacts: tuple[str, ...] = ()


class Case(Struct, omit_defaults=True, kw_only=True, frozen=True):
    """A case. ``due``: until when root cause and improvement plan are to be told. ``next_at``: when time does something to it.

    ``important``: as somebody has weighed it; None: as its kind is. ``answered``: who has been told so far that it is overdue, upwards.
    ``explained``: closing it is told the contact, too; ``sent``: it has been.
    """

    id: str
    about: About
    opened: int
    due: int
    status: CaseStatus = "open"
    owner: str | None = None
    closed: int | None = None
    root_cause: str = ""
    plan: str = ""
    result: str = ""
    important: bool | None = None
    next_at: int | None = None
    reminded: bool = False
    answered: tuple[str, ...] = ()
    explained: Literal["none", "waits", "sent"] = "none"
    steps: tuple[Step, ...] = ()

    @property
    def number(self) -> int:
        """Number of its newest step."""
        return self.steps[-1].number

    @property
    def matters(self) -> bool:
        """Is it important? As somebody has weighed it, else as its kind is."""
        return self.about.kind in IMPORTANT if self.important is None else self.important

    def in_time(self, now: int) -> bool | None:
        """Was it closed in time? None: that is not decided yet, or nothing is asked of anybody any more."""
        if self.status == "withdrawn":
            return None
        if self.closed is not None:
            return self.closed <= self.due
        return False if now > self.due else None


@dataclass(frozen=True)
class Terms:
    """What is asked of owners. ``after``: moment and span (ms) → the moment so much business time later."""

    after: Callable[[int, int], int]
    due_ms: int
    remind_ms: int
    call_back_ms: int

    def span(self, kind: CaseKind) -> int:
        """How long a case of this kind may take."""
        return self.call_back_ms if kind == "call_back" else self.due_ms


def case_id(key: str) -> str:
    """The id of the case about something: the same whoever opens it, however often."""
    return f"k{blake2b(key.encode(), digest_size=5).hexdigest()}"


def opened(about: About, owner: str | None, now: int, terms: Terms) -> Case:
    """A case that begins now."""
    span = terms.span(about.kind)
    due = terms.after(now, span)
    remind = terms.after(now, max(0, span - terms.remind_ms)) if span > terms.remind_ms else due
    made = Case(id=case_id(about.key), about=about, opened=now, due=due, owner=owner, next_at=remind)
    return _with(made, now, "opened", to=owner)


def assigned(case: Case, owner: str, by: str, now: int, text: str = "") -> Case:
    """Somebody else's from now on; the due time stays. Raises ValueError where it is over."""
    _require_open(case)
    return _with(replace(case, owner=owner), now, "assigned", by=by, to=owner, text=_text(text, "the note"))


def weighed(case: Case, important: bool, by: str, now: int) -> Case:
    """More or less important than its kind is, from now on. Raises ValueError where it is over."""
    _require_open(case)
    return case if case.matters == important else _with(replace(case, important=important), now, "weighed", by=by)


def noted(case: Case, text: str, by: str, now: int) -> Case:
    """A note, however the case stands. Raises ValueError where there is none."""
    if not text.strip():
        raise ValueError("the note is empty")
    return _with(case, now, "noted", by=by, text=_text(text, "the note"))


def closed(case: Case, by: str, now: int, *, root_cause: str = "", plan: str = "", result: str = "") -> Case:
    """It is over. Raises ValueError where it is over already, or where what is mandatory is missing: root cause and improvement plan, of a
    call back what came of it.
    """
    _require_open(case)
    given = {
        "root_cause": _text(root_cause, "the root cause"),
        "plan": _text(plan, "the plan"),
        "result": _text(result, "the result"),
    }
    asked = ("result",) if case.about.kind == "call_back" else ("root_cause", "plan")
    if missing := [name for name in asked if not given[name]]:
        what = {
            "root_cause": "the root cause (--root-cause)",
            "plan": "the improvement plan (--plan)",
            "result": "what came of it (--result)",
        }
        raise ValueError(f"the case {case.id} cannot be closed without {' and '.join(what[name] for name in missing)}")
    explained = "waits" if case.about.kind == "bad_rating" else "none"
    about = case.about if explained == "waits" else replace(case.about, customer_id=None)
    done = replace(case, about=about, status="closed", closed=now, next_at=None, explained=explained, **given)
    return _with(done, now, "closed", by=by, text=given["result"] or given["root_cause"])


def withdrawn(case: Case, now: int, text: str) -> Case:
    """What it is about is not so any more: an open case is over; of one that was closed it is only said."""
    if case.status == "closed":
        return (
            case if any(step.kind == "withdrawn" for step in case.steps) else _with(case, now, "withdrawn", text=text)
        )
    return _with(replace(case, status="withdrawn", next_at=None), now, "withdrawn", text=text)


def reopened(case: Case, about: About, now: int, terms: Terms) -> Case:
    """What had been taken back is so after all: it goes on, due anew. A case that was closed stays closed."""
    if case.status == "closed":
        return case
    again = opened(about, case.owner, now, terms)
    going_on = replace(again, steps=case.steps, answered=case.answered, important=case.important)
    return _with(going_on, now, "reopened", to=case.owner)


def passed(case: Case, now: int, terms: Terms, superior: Callable[[str | None, int], str | None]) -> Case:
    """What time does to a case by ``now``: a reminder before it is due, then it is overdue, and each span later the next superior is told.

    ``superior``: of whom, when → theirs; None: there is nobody.
    """
    if case.status != "open" or case.next_at is None or case.next_at > now:
        return case
    if not case.reminded and now < case.due:
        return _with(replace(case, reminded=True, next_at=case.due + 1), now, "reminded", to=case.owner)
    if now <= case.due:
        return replace(case, next_at=case.due + 1)
    told = case.answered[-1] if case.answered else case.owner
    above = superior(told, now)
    if above is not None and (above in case.answered or above == case.owner):
        above = None
    first = not any(step.kind == "overdue" for step in case.steps)
    going_on = None if above is None else terms.after(now, terms.span(case.about.kind))
    answered = case.answered if above is None else (*case.answered, above)
    after = replace(case, reminded=True, answered=answered, next_at=going_on)
    if first:
        return _with(after, now, "overdue", to=above)
    return after if above is None else _with(after, now, "escalated", to=above)


def _with(case: Case, at: int, kind: StepKind, **given: Any) -> Case:
    number = case.steps[-1].number + 1 if case.steps else 1
    return replace(case, steps=(*case.steps, Step(number=number, at=at, kind=kind, **given)))


def _require_open(case: Case) -> None:
    if case.status != "open":
        raise ValueError(
            f"the case {case.id} is {case.status} already; `deskpulse case show {case.id}` says since when"
        )


def _text(text: str, what: str) -> str:
    own = text.strip()
    if len(own) > LONGEST_TEXT:
        raise ValueError(f"{what} is {len(own)} characters long, at most {LONGEST_TEXT} are kept")
    return own
