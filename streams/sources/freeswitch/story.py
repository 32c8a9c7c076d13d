"""What a FreeSWITCH has told so far of callers in queues (members) and agents: what its next event means depends on it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

#: Members that are over are known for so long, s, and so many at most.
_KNOWN_SECONDS, _MOST = 86_400, 50_000


class Member(Struct, omit_defaults=True):
    """A caller in a queue, or with an agent. Names are the switch's; ``joined``: seconds since 1970; moments else in ms."""

    session: str
    queue: str
    number: str | None = None
    joined: int = 0
    #: They came back to the place in the queue that they had left: the switch counts from when they came first.
    resumed: bool = False
    #: The event of their answer; empty while they wait.
    answer: str = ""
    answered: int = 0
    agent: str = ""
    #: The answer was looked up after a break, and is the switch's to the second or two only.
    looked_up: bool = False
    #: The agent's channel, what they have held so far, and since when they hold; ``whole``: all of the talk was heard.
    channel: str = ""
    hold: int = 0
    holds_since: int = 0
    whole: bool = True
    #: The end of their wait, told while it was not known yet whether they had been answered.
    cancelled: dict[str, Any] | None = None
    #: Since when the switch knows them no more, without a word.
    gone: int = 0


class Agent(Struct, omit_defaults=True):
    """An agent by the switch: status, state, and what was told of them last. Moments in ms; ``wrap_up`` in s."""

    status: str = ""
    state: str = ""
    wrap_up: int = 0
    bridge_ended: int = 0
    wraps_until: int = 0
    told: tuple[str, str | None] | None = None
    told_at: int = 0


class Break(Struct, omit_defaults=True):
    """A time in which nothing was heard, ms since 1970; what was looked up of it, by kind; members of whom nobody knows what became
    of them, with what is not known.
    """

    began: int
    over: int = 0
    found: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class Story(Struct):
    """All of it, to be stored. ``heard``: when the switch was heard last (ms, its clock); ``sequence``: of the last event."""

    heard: int = 0
    sequence: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    #: Members that are over → when (s).
    done: dict[str, int] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    last_break: Break | None = None
    #: Records of calls that were written before then (ms) have been read.
    records_from: int = 0

    def over(self, member: str, second: int) -> None:
        """Nothing more is expected of them."""
        self.members.pop(member, None)
        self.done.pop(member, None)  # the newest stands last
        self.done[member] = second
        while len(self.done) > _MOST or self.done[next(iter(self.done))] < second - _KNOWN_SECONDS:
            del self.done[next(iter(self.done))]
