"""What a queue_log has told so far of calls and agents: what its next line means depends on it."""

from __future__ import annotations

from msgspec import Struct, field


class Call(Struct, omit_defaults=True):
    """A call in a queue, or with an agent. Names are Asterisk's; ``since``: seconds since 1970, and ``sequence``, that of the line.

    ``handed_by``: the agent who had it when it came into this queue, of whose end nothing was told until then.
    """

    queue: str
    since: int
    sequence: int = 0
    customer: str | None = None
    agent: str | None = None
    handed_by: str | None = None


class Agent(Struct, omit_defaults=True):
    """An agent by the log: queue → the reason of their pause there, None where they do not pause; the call that they have."""

    queues: dict[str, str | None] = field(default_factory=dict)
    call: str | None = None
    #: State and reason as they were told last.
    told: tuple[str, str | None] | None = None

    @property
    def pause(self) -> str | None:
        """The reason (perhaps empty) where they pause in every queue that they are known in."""
        reasons = list(self.queues.values())
        return None if not reasons or None in reasons else reasons[-1]


class Story(Struct):
    """All of it, to be stored with the position in the log. ``second``: that of the last line; ``lines`` of it, and how often each thing
    was told in it.
    """

    second: int = 0
    lines: int = 0
    told: dict[str, int] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    #: Calls that are over, or between two queues → when, and whose they were.
    callers: dict[str, tuple[int, str]] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)

    def let_go(self, call: str, second: int) -> None:
        """The call is in no queue any more. It may come to another one, with another number: it stays the same caller's."""
        gone = self.calls.pop(call, None)
        if gone is not None and gone.customer is not None:
            self.callers.pop(call, None)  # the newest stands last
            self.callers[call] = second, gone.customer

    def number(self, second: int, what: str) -> int:
        """How often that has been told within this second, with this time."""
        if second != self.second:
            self.second, self.lines, self.told = second, 0, {}
        self.told[what] = self.told.get(what, 0) + 1
        return self.told[what]

    def line(self, second: int) -> int:
        """The place of this line among those of its second: the order in which Asterisk has told it. There is room for one between two."""
        if second != self.second:
            self.second, self.lines, self.told = second, 0, {}
        self.lines += 1
        return 2 * self.lines
