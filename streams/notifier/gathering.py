"""Which of the steps that wait are told next, and whether together: people get few messages, programs every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from streams.notifier.channels.channel import Gathering
from streams.notifier.notices import ASKED, CASE, DIGEST

#: Steps that are older are told together, as what happened while nobody could be told. Milliseconds.
LATE_MS = 10 * 60 * 1000

#: step: what happened to one incident. digest: to several. away: what is told late. state: how incidents stand.
MessageKind: TypeAlias = Literal["step", "digest", "away", "state"]


@dataclass(frozen=True)
class Waiting:
    """A step that a channel is still to be told, ms. ``late``: it was old already when the notifier heard of it."""

    incident: str
    step: int
    step_at: int
    late: bool
    route: str
    language: str
    called: tuple[str, ...] = ()

    @property
    def about(self) -> Literal["incident", "notice", "asked"]:
        """An incident; a case or digest; or what one reader alone is asked for. A message is about one of these."""
        if self.incident.startswith(ASKED):
            return "asked"
        return "notice" if self.incident.startswith((CASE, DIGEST)) else "incident"

    def is_late(self, now: int) -> bool:
        """Is it too old to be told as if it happened now?"""
        return self.late or now - self.step_at > LATE_MS


@dataclass(frozen=True)
class Gathered:
    """What the next message is about."""

    kind: MessageKind
    steps: tuple[Waiting, ...]


@dataclass(frozen=True)
class Bounds:
    """At most ``messages`` in ``milliseconds``."""

    messages: int
    milliseconds: int


def gather(
    waiting: Sequence[Waiting], begun: Sequence[int], now: int, how: Gathering, bounds: Bounds
) -> Gathered | int:
    """The steps of the next message, or until when there is none (ms). ``waiting``: one at least, the oldest first; ``begun``: when the
    channel's last messages were, ms, the oldest first.
    """
    if how == "state":
        return Gathered("state", tuple(waiting))
    # What one reader is asked for is theirs, however many wait and however late it is.
    asked = waiting[0].about == "asked"
    if how == "each" and waiting[0].late and not asked:
        return Gathered("away", tuple(one for one in waiting if one.late))
    if how == "each" or asked:
        return Gathered("step", (waiting[0],))
    recent = [at for at in begun if now - at < bounds.milliseconds]
    incidents = dict.fromkeys(one.incident for one in waiting)
    late = any(one.is_late(now) for one in waiting)
    if not late and len(incidents) <= bounds.messages - len(recent):
        first = waiting[0].incident
        return Gathered("step", tuple(one for one in waiting if one.incident == first))
    if recent:
        return recent[-1] + bounds.milliseconds
    return Gathered("away" if late else "digest", tuple(waiting))
