"""A contact's time line and an agent's day, of what records say. Pure.

A record holds what a contact has come to, not the events that it was made of: ``NOT_KEPT`` says what therefore cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from streams.languages.text import Text

StepKind: TypeAlias = Literal[
    "arrived", "queued", "answered", "left_queue", "ended", "wrapped_up", "first_response", "due", "closed", "heard"
]
#: What is told of each step.
STEPS: Mapping[StepKind, Text] = {
    "arrived": Text("到达", "arrived"),
    "queued": Text("进入队列", "queued"),
    "answered": Text("接听", "answered"),
    "left_queue": Text("未接听，离开队列", "left the queue unanswered"),
    "ended": Text("通话结束", "the call ended"),
    "wrapped_up": Text("话后处理结束", "wrap-up ended"),
    "first_response": Text("首次响应", "first response"),
    "due": Text("应解决的时间", "due"),
    "closed": Text("结束", "closed"),
    "heard": Text("最后一条事件", "newest event"),
}
#: What records do not hold of a contact.
NOT_KEPT: tuple[Text, ...] = (
    Text(
        "记录只保存结果，不保存每条事件：各条事件及其改动，见 `deskpulse history contact`（取自 Kafka 或归档）。",
        "Records hold what came of events, not the events: `deskpulse history contact` tells those, and what each changed, from Kafka or "
        "the archive.",
    ),
    Text(
        "被拒绝的事件及原因不在记录中：见 `deskpulse dead-letters list`。重复和被更正的事件不单独保存。",
        "Events that were refused, and why, are in no record: see `deskpulse dead-letters list`. Doubled and corrected events "
        "are not kept apart.",
    ),
    Text(
        "评价、质检和再次联系只有结果，没有时间；工单和会话在各坐席之间的停留时间没有保存。",
        "Of ratings, reviews and repeats the result is kept, not the time; nor how long a chat or a ticket was with each agent.",
    ),
)


@dataclass(frozen=True)
class Step:
    """A step of a contact. ``at``: ms since 1970; ``ms``: how long what ended here lasted."""

    at: int
    kind: StepKind
    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    ms: int | None = None


@dataclass(frozen=True)
class Gap:
    """A time within a shift for which nothing says that the agent was there. Moments in ms since 1970. ``offline``: they were told to
    be; else nobody told anything.
    """

    since: int
    until: int
    offline: bool


def steps(contact: Mapping[str, Any]) -> list[Step]:
    """The steps that a contact's record says, in order of time."""
    return sorted(_steps(contact), key=lambda step: (step.at, list(STEPS).index(step.kind)))


def _steps(contact: Mapping[str, Any]) -> Iterator[Step]:
    yield Step(contact["arrived_at"], "arrived", contact["queue"] if not contact.get("passages") else None)
    for one in contact.get("passages", ()):
        who = one.get("queue"), one.get("agent"), one.get("team")
        yield Step(one["queued_at"], "queued", who[0])
        if "answered_at" in one:
            yield Step(one["answered_at"], "answered", *who, one.get("wait_ms", 0))
        if "ended_at" in one:
            yield Step(one["ended_at"], "ended", *who, one.get("talk_ms"))
            if wrap_up := one.get("wrap_up_ms"):
                yield Step(one["ended_at"] + wrap_up, "wrapped_up", *who, wrap_up)
        if "gone_at" in one:
            yield Step(one["gone_at"], "left_queue", who[0], ms=one["gone_at"] - one["queued_at"])
    if contact.get("due_at") is not None:
        yield Step(contact["due_at"], "due")
    if contact["closed_at"] is not None:
        yield Step(contact["closed_at"], "closed", agent=contact["agent"], team=contact["team"],
                   ms=contact["closed_at"] - contact["arrived_at"])  # fmt: skip
    if contact.get("heard_at") is not None:
        yield Step(contact["heard_at"], "heard")


def gaps(intervals: Iterable[Mapping[str, Any]], begin: int, end: int) -> list[Gap]:
    """The times of shifts, from ``begin`` to ``end``, in which the agent was offline or no state is known."""
    told = list(intervals)
    states = sorted((one["since"], one["until"], one["state"] == "offline") for one in told if one["kind"] == "state")
    found: list[Gap] = []
    for shift in (one for one in told if one["kind"] == "shift"):
        found += _gaps(states, max(begin, shift["since"]), min(end, shift["until"]))
    return sorted(found, key=lambda gap: gap.since)


def _gaps(states: Sequence[tuple[int, int, bool]], at: int, until: int) -> Iterator[Gap]:
    for since, ends, offline in states:
        low, high = max(since, at), min(ends, until)
        if high <= low:
            continue
        if low > at:
            yield Gap(at, low, offline=False)
        if offline:
            yield Gap(low, high, offline=True)
        at = high
    if at < until:
        yield Gap(at, until, offline=False)
