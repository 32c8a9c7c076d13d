"""Calls by AMI and by the log, one passage through a queue beside the other: who waits now, what agents held, and where the two differ.

The log is believed for every outcome, wait and talk. AMI is for what it does not tell; where they differ on a call, that is named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.sources.asterisk.ami.link import Message
from streams.sources.asterisk.names import Config

Outcome: TypeAlias = Literal["hung up", "left the queue", "answered", "transferred"]
#: Two entries into a queue are one where they lie no further apart; waits and talk may differ by that much, as whole seconds do. ms, s.
_SAME_MS, _SAME_SECONDS = 2000, 1
#: What a time of the log covers. ms.
_SECOND_MS = 1000
#: So long the other side may take to tell of a passage that is over. ms.
_GRACE_MS = 30_000
#: So long AMI may take to tell of the end of a call whose channel is gone. ms.
_LATE_MS = 5_000
#: Passages that are remembered of each side at most.
_MOST = 20_000
_LAST = 50


class Passage(Struct):
    """One passage of a call through a queue. Moments in ms since 1970; ``hold`` in ms; ``wait`` and ``talk`` in seconds."""

    call: str
    queue: str
    joined: int
    over: int = 0
    outcome: Outcome | None = None
    agent: str | None = None
    wait: float | None = None
    talk: float | None = None
    hung_up: bool = False
    #: AMI: the agent's channel, what they have held so far, and since when they hold.
    channel: str = ""
    hold: int = 0
    holds_since: int = 0
    #: The log: the end as it was told, for what is added to it.
    ended: e.CallEnded | None = None


class Difference(Struct, omit_defaults=True, frozen=True):
    """A passage of which the two say something else. ``what``: outcome, agent, wait, talk, log_only, ami_only. Times in ms since 1970."""

    call: str
    queue: str
    at: int
    what: str
    log: str | float | None = None
    ami: str | float | None = None

    def __str__(self) -> str:
        if self.what == "log_only":
            return f"call {self.call} in {self.queue}: it is in the log, and AMI has not told of it"
        if self.what == "ami_only":
            return f"call {self.call} in {self.queue}: AMI has told of it, and it is not in the log"
        return f"call {self.call} in {self.queue}: {self.what}: log {self.log}, AMI {self.ami}; it counts as the log has it"


class Calls:
    """Both sides of all calls. ``since``: what began before then (ms) was not heard by AMI from its beginning, and is not compared."""

    def __init__(self, config: Config) -> None:
        self.since = 0
        self.compared = 0
        self.not_compared = 0
        #: The last ones; and those that nobody has taken yet.
        self.differences: deque[Difference] = deque(maxlen=_LAST)
        self.new: list[Difference] = []
        self._config = config
        # A transferred call may be in its next queue before the end of the part before is told, by either side.
        self._ami: dict[str, list[Passage]] = {}
        self._log: dict[str, list[Passage]] = {}
        self._channels: dict[str, Passage] = {}
        self._over: dict[bool, dict[tuple[str, str], list[Passage]]] = {True: {}, False: {}}
        self._read: dict[str, Callable[[Message, int], list[AnyEvent]]] = {
            "QueueCallerJoin": self._joined,
            "QueueEntry": self._waited,
            "QueueCallerAbandon": self._unanswered,
            "AgentConnect": self._connected,
            "AgentComplete": self._completed,
            "HangupRequest": self._hung_up,
            "SoftHangupRequest": self._hung_up,
            "Hangup": self._gone,
            "Hold": lambda message, at: self._held(message.get("Uniqueid", ""), True, at),
            "Unhold": lambda message, at: self._held(message.get("Uniqueid", ""), False, at),
        }

    @property
    def waiting(self) -> dict[str, tuple[int, int]]:
        """Queue → how many wait by AMI, and since when the first of them does (ms since 1970)."""
        found: dict[str, tuple[int, int]] = {}
        for passages in self._ami.values():
            for passage in passages:
                if passage.agent is None and not passage.over:
                    count, first = found.get(passage.queue, (0, passage.joined))
                    found[passage.queue] = count + 1, min(first, passage.joined)
        return found

    # -- AMI ------------------------------------------------------------------------------------------------------------

    def begin(self, now: int) -> None:
        """AMI is connected at this moment (ms): what is under way was not heard from its beginning."""
        self.lost()
        self.log_again(now)

    def lost(self) -> None:
        """AMI is gone, and nobody knows any more who waits."""
        self._ami.clear()
        self._channels.clear()

    def log_again(self, now: int) -> None:
        """The log is read again from an earlier place: nothing that began before this moment (ms) is compared."""
        self.since = now
        self._log.clear()
        for side in self._over.values():
            self.not_compared += sum(map(len, side.values()))
            side.clear()

    def __call__(self, message: Message, at: int) -> list[AnyEvent]:
        """What AMI says, at a moment (ms since 1970); gives what it adds to what the log has told."""
        read = self._read.get(message.get("Event", ""))
        return [] if read is None else read(message, at)

    def _queue(self, message: Message) -> str:
        name = message.get("Queue", "")
        return self._config.queues.get(name, name)

    def _joined(self, message: Message, at: int) -> list[AnyEvent]:
        call = message.get("Uniqueid", "")
        _remember(self._ami, Passage(call, self._queue(message), at))
        return []

    def _waited(self, message: Message, at: int) -> list[AnyEvent]:
        """Somebody who waited before AMI was connected."""
        call, waited = message.get("Uniqueid", ""), _number(message, "Wait") or 0
        if _waiting(self._ami, call) is None:
            _remember(self._ami, Passage(call, self._queue(message), at - round(1000 * waited)))
        return []

    def _hung_up(self, message: Message, at: int) -> list[AnyEvent]:
        if (passage := _waiting(self._ami, message.get("Uniqueid", ""))) is not None:
            passage.hung_up = True
        return []

    def _gone(self, message: Message, at: int) -> list[AnyEvent]:
        """A channel is no more. Asterisk does not always tell the end of what its call was in."""
        for passage in self._ami.get(message.get("Uniqueid", ""), ()):
            self._held(passage.channel, False, at)
            passage.over = passage.over or at
        return []

    def _never_ended(self, now: int) -> list[AnyEvent]:
        """Passages whose caller is gone, and of which AMI tells no end any more: how long they talked, it has not said."""
        found: list[AnyEvent] = []
        for passage in [each for passages in self._ami.values() for each in passages if each.over]:
            if passage.over + _LATE_MS < now:
                passage.outcome = "hung up" if passage.agent is None else "answered"
                self._channels.pop(passage.channel, None)
                found += self._done(passage, passage.over, True)
        return found

    def _unanswered(self, message: Message, at: int) -> list[AnyEvent]:
        passage = _waiting(self._ami, message.get("Uniqueid", ""))
        if passage is None:
            return []
        # AMI says "abandoned" of everybody who leaves unanswered, also where their time was up.
        passage.outcome = "hung up" if passage.hung_up else "left the queue"
        passage.wait = _number(message, "HoldTime")
        return self._done(passage, at, True)

    def _connected(self, message: Message, at: int) -> list[AnyEvent]:
        if (passage := _waiting(self._ami, message.get("Uniqueid", ""))) is not None:
            name = message.get("MemberName") or message.get("Interface", "")
            passage.agent = self._config.agents.get(name, name)
            passage.wait, passage.channel = _number(message, "HoldTime"), message.get("DestUniqueid", "")
            self._channels[passage.channel] = passage
        return []

    def _completed(self, message: Message, at: int) -> list[AnyEvent]:
        passage = _talking(self._ami, message.get("Uniqueid", ""))
        if passage is None:
            return []
        passage.talk = _number(message, "TalkTime")
        passage.outcome = "transferred" if message.get("Reason") == "transfer" else "answered"
        self._held(passage.channel, False, at)
        self._channels.pop(passage.channel, None)
        return self._done(passage, at, True)

    def _held(self, channel: str, begins: bool, at: int) -> list[AnyEvent]:
        if (passage := self._channels.get(channel)) is not None:
            if begins:
                passage.holds_since = passage.holds_since or at
            elif passage.holds_since:
                passage.hold += max(0, at - passage.holds_since)
                passage.holds_since = 0
        return []

    # -- the log --------------------------------------------------------------------------------------------------------

    def log_said(self, event: AnyEvent) -> list[AnyEvent]:
        """What the log says of a call; gives what AMI adds to it."""
        if isinstance(event, e.CallQueued):
            _remember(self._log, Passage(event.contact_id, event.queue_id or "", event.at))
        elif isinstance(event, e.CallEnded | e.CallTransferred):
            return self._log_ended(event)
        elif isinstance(event, e.CallAnswered | e.CallAbandoned | e.CallLeftQueue):
            return self._log_left(event)
        return []

    def _log_left(self, event: e.CallAnswered | e.CallAbandoned | e.CallLeftQueue) -> list[AnyEvent]:
        passage = _waiting(self._log, event.contact_id)
        if passage is None:
            return []
        passage.wait = event.wait_seconds
        if isinstance(event, e.CallAnswered):
            passage.agent = event.agent_id
            return []
        passage.outcome = "hung up" if isinstance(event, e.CallAbandoned) else "left the queue"
        return self._done(passage, event.at, False)

    def _log_ended(self, event: e.CallEnded | e.CallTransferred) -> list[AnyEvent]:
        passage = _talking(self._log, event.contact_id)
        if passage is None:
            return []
        if isinstance(event, e.CallTransferred):
            passage.outcome = "transferred"
            return []
        passage.outcome, passage.talk, passage.ended = passage.outcome or "answered", event.talk_seconds, event
        return self._done(passage, event.at, False)

    # -- both -----------------------------------------------------------------------------------------------------------

    def _done(self, passage: Passage, at: int, by_ami: bool) -> list[AnyEvent]:
        """A passage is over by one side: compare it once it is by the other. Gives what AMI adds to what the log has told."""
        _drop(self._ami if by_ami else self._log, passage)
        passage.over = at
        if passage.joined + (0 if by_ami else _SECOND_MS) <= self.since:
            self.not_compared += not by_ami
            return []
        place = passage.call, passage.queue
        others = self._over[not by_ami].get(place, [])
        other = next((each for each in others if abs(each.joined - passage.joined) <= _SAME_MS), None)
        if other is None:
            self._over[by_ami].setdefault(place, []).append(passage)
            return []
        others.remove(other)
        return self._compare(*((other, passage) if by_ami else (passage, other)))

    def due(self, now: int, log_read_until: int) -> list[AnyEvent]:
        """What one side alone has told of by now is named. ``log_read_until``: the time of the log's last line; both in ms since 1970.
        Gives what AMI adds to what the log has told.
        """
        added = self._never_ended(now)
        for by_ami, limit in ((True, min(now, log_read_until)), (False, now)):
            side = self._over[by_ami]
            for place in list(side):
                alone = [passage for passage in side[place] if passage.over + _GRACE_MS < limit]
                for passage in alone:
                    side[place].remove(passage)
                    if passage.joined < self.since + _SAME_MS:  # the other side may have begun just before
                        self.not_compared += 1
                        continue
                    self._name(passage, "ami_only" if by_ami else "log_only", None, None)
                if not side[place]:
                    del side[place]
        return added

    def _compare(self, log: Passage, ami: Passage) -> list[AnyEvent]:
        self.compared += 1
        if log.outcome != ami.outcome and not (ami.talk is None and ami.agent is not None):
            self._name(log, "outcome", log.outcome, ami.outcome)
        elif log.agent != ami.agent:
            self._name(log, "agent", log.agent, ami.agent)
        elif _far(log.wait, ami.wait):
            self._name(log, "wait", log.wait, ami.wait)
        elif _far(log.talk, ami.talk):
            self._name(log, "talk", log.talk, ami.talk)
        return _hold_of(log, ami)

    def _name(self, passage: Passage, what: str, log: Any, ami: Any) -> None:
        self.differences.append(Difference(passage.call, passage.queue, passage.over, what, log, ami))
        self.new.append(self.differences[-1])


def _remember(side: dict[str, list[Passage]], passage: Passage) -> None:
    side.setdefault(passage.call, []).append(passage)
    while len(side) > _MOST:
        del side[next(iter(side))]


def _drop(side: dict[str, list[Passage]], passage: Passage) -> None:
    left = [each for each in side.get(passage.call, ()) if each is not passage]
    if left:
        side[passage.call] = left
    else:
        side.pop(passage.call, None)


def _waiting(side: dict[str, list[Passage]], call: str) -> Passage | None:
    """The passage of a call in which it still waits."""
    return next((passage for passage in reversed(side.get(call, ())) if passage.agent is None), None)


def _talking(side: dict[str, list[Passage]], call: str) -> Passage | None:
    """The oldest passage of a call in which it is with an agent."""
    return next((passage for passage in side.get(call, ()) if passage.agent is not None), None)


def _hold_of(log: Passage, ami: Passage) -> list[AnyEvent]:
    """The end that the log told, corrected by what of the talk was hold. Together they stay what the log says."""
    ended = log.ended
    if ended is None or not ami.hold or ended.talk_seconds is None or log.agent != ami.agent:
        return []
    hold = min(ami.hold / 1000, ended.talk_seconds)
    return [
        e.CallCorrected(
            id=f"{ended.id}-hold", source=ended.source, time=ended.time, sequence=None if ended.sequence is None else ended.sequence + 1,
            contact_id=ended.contact_id, customer_id=ended.customer_id, corrects=ended.id,
            talk_seconds=round(ended.talk_seconds - hold, 3), hold_seconds=round(hold, 3),
        )
    ]  # fmt: skip


def _far(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) > _SAME_SECONDS


def _number(message: Message, field: str) -> float | None:
    try:
        return float(message.get(field, ""))
    except ValueError:
        return None
