"""How agents stand, by AMI: members whom no call has touched yet, wrap-up, telephones that cannot be reached, calls of no queue.

The log tells states, too, in whole seconds. Where both tell of one moment, what stands here wins: see ``answer``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from streams.contracts.events import AgentState, AgentStateChanged
from streams.sources.asterisk.ami.link import Message
from streams.sources.asterisk.names import Names

#: Device states, as Asterisk numbers them: in use, busy, busy and ringing, on hold; and those that cannot be called.
_BUSY, _UNREACHABLE = frozenset("2378"), frozenset("45")
#: So long a telephone must be in use without a call of a queue before that is told: AMI says "in use" some moments before the call is
#: connected, and after it is over. ms.
_SETTLES_MS = 3000
UNREACHABLE, OUTSIDE = "unreachable", "outside_queues"
#: What the log does not know of.
_ONLY_HERE = frozenset({("offline", UNREACHABLE), ("on_contact", OUTSIDE), ("wrap_up", None)})
#: A call that was there before AMI was.
_SOME_CALL = "?"
#: Of a count of seconds.
_DIGITS = 11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Told = tuple[AgentState, str | None]


class Seat(Struct):
    """A member in one queue: the reason of their pause, None where they do not pause."""

    pause: str | None = None
    #: Seconds after a call, where it is set for this member.
    wrap_up: int = 0


class Person(Struct):
    """An agent. Moments in ms since 1970 by Asterisk's clock."""

    #: (member, queue) → their seat there. An agent may be several members: a telephone on the desk, and one in the browser.
    seats: dict[tuple[str, str], Seat] = field(default_factory=dict)
    #: Member → the state of its device.
    statuses: dict[str, str] = field(default_factory=dict)
    #: The call of a queue that they have, their own channel in it, and how long they wrap up after it (ms).
    call: str | None = None
    channel: str = ""
    wrap_up: int = 0
    wraps_until: int = 0
    busy_since: int = 0
    told: _Told | None = None
    told_at: int = 0


class Floor:
    """All agents. Each message changes what is known; what comes of it are events. ``live``: AMI is connected and has told all there is."""

    def __init__(self, source: str, names: Names, wrap_up_seconds: Mapping[str, float]) -> None:
        """``wrap_up_seconds``: queue → its ``wrapuptime``, which AMI does not tell."""
        #: Agent, by the operation's id → how they stand.
        self.people: dict[str, Person] = {}
        self.live = False
        #: Agent → when AMI last told of them (ms since 1970), also before this process began.
        self.spoke: dict[str, int] = {}
        self._since = 0
        self._source, self._names, self._wrap_up = source, names, wrap_up_seconds
        #: Those whom QueueStatus has told of so far; None: it is not asked.
        self._found: dict[str, Person] | None = None
        self._met: dict[str, str] = {}
        #: Agent → the log's last word of them while AMI is connected.
        self._said: dict[str, AgentStateChanged] = {}
        #: Channels of calls of a queue, the caller's and the agent's → the agent.
        self._talking: dict[str, str] = {}
        self._number = 0
        self._read: dict[str, Callable[[Message, int], str | None]] = {
            "QueueMember": self._is_there,
            "QueueMemberAdded": self._seated,
            "QueueMemberStatus": self._seated,
            "QueueMemberPause": self._seated,
            "QueueMemberPaused": self._seated,
            "QueueMemberRemoved": self._gone,
            "AgentConnect": self._connected,
            "AgentComplete": self._completed,
            "Hangup": self._hung_up,
        }

    def __call__(self, message: Message, at: int) -> list[AgentStateChanged]:
        """What a message changes, at a moment (ms since 1970)."""
        kind = message.get("Event", "")
        if kind == "QueueStatusComplete":
            return self._all_found(at)
        if (read := self._read.get(kind)) is None:
            return []
        before = self.due(at)
        agent = read(message, at)
        return before if agent is None else [*before, *self._stands(agent, at)]

    def begin(self) -> None:
        """AMI is connected: all that is known is told anew, by QueueStatus. Until it is through nothing is told."""
        self.live, self._found = False, {}
        self._talking.clear()

    def lost(self) -> list[AgentStateChanged]:
        """AMI is gone. What was told stands until the log, or AMI again, says otherwise. What the log has said last may be newer than AMI's
        last word though it is of the same second: it is told again behind that.
        """
        self.live, self._found = False, None
        for person in self.people.values():
            person.busy_since = 0
        newer = [self._then(said) for said in self._said.values() if said.at + 1000 > self._since]
        self._said.clear()
        return [event for events in newer for event in events]

    def due(self, now: int) -> list[AgentStateChanged]:
        """What has come about by time alone until ``now`` (ms): wrap-ups that are over, telephones that stay in use."""
        told: list[AgentStateChanged] = []
        if self._found is not None:
            return told
        for name, person in self.people.items():
            if person.told == ("wrap_up", None) and person.wraps_until <= now:
                told += self._stands(name, person.wraps_until)
            elif person.busy_since and person.busy_since + _SETTLES_MS <= now:
                told += self._stands(name, person.busy_since + _SETTLES_MS)
        return told

    def answer(self, said: AgentStateChanged) -> list[AgentStateChanged]:
        """The log has told a state of an agent, in whole seconds, and knows less: where they stand in one that it does not know of, and
        have since before then, that is told again right behind. Where AMI spoke within that second, and went away, the log's word is
        the newer one, and is told again behind AMI's.
        """
        agent = said.agent_id
        person = self.people.get(agent)
        if not self.live or said.at < self._since:
            return self._then(said)
        self._said[agent] = said
        if person is None or person.told not in _ONLY_HERE or person.told_at > said.at:
            return []
        # The lines of a second have even numbers: there is room for this one.
        return [self._event(agent, person.told, said.time, (said.sequence or 0) + 1)]

    def _then(self, said: AgentStateChanged) -> list[AgentStateChanged]:
        """The log's word behind AMI's last, where both are of one second and AMI has gone since."""
        agent, spoke = said.agent_id, self.spoke.get(said.agent_id, 0)
        person = self.people.get(agent)
        if spoke >= said.at + 1000:
            return []
        if person is not None and not self.live:
            person.told, person.told_at, person.wraps_until = (said.state, said.reason), max(spoke, said.at), 0
        if spoke < said.at:
            return []
        time = _EPOCH + timedelta(milliseconds=spoke + 1)
        return [replace(said, id=f"ami-{spoke}-then-{said.id}", time=time)]

    # -- messages -------------------------------------------------------------------------------------------------------

    def _agent(self, message: Message) -> str | None:
        """Whose message it is, by the operation's id."""
        name = member_of(message)
        if name is None:
            return None
        if name not in self._met:
            self._met[name] = self._names.agent(name)
        return self._met[name]

    def _person(self, agent: str) -> Person:
        if self._found is None:
            return self.people.setdefault(agent, Person())
        before = self.people.get(agent) or Person()
        return self._found.setdefault(
            agent, Person(wraps_until=before.wraps_until, told=before.told, told_at=before.told_at)
        )

    def _seat(self, person: Person, message: Message) -> None:
        # Asterisk 13 says Paused and Reason, later ones PausedReason as well.
        pause = message.get("PausedReason", message.get("Reason", "")) if message.get("Paused") == "1" else None
        wrap_up = message.get("Wrapuptime", "")
        person.seats[_place(message)] = Seat(pause, int(wrap_up[:_DIGITS]) if wrap_up.isdigit() else 0)

    def _status(self, person: Person, at: int, message: Message | None = None) -> None:
        if message is not None and "Status" in message:
            person.statuses[member_of(message) or ""] = message["Status"]
        if person.call is None and not _BUSY.isdisjoint(person.statuses.values()):
            person.busy_since = person.busy_since or at
        else:
            person.busy_since = 0

    def _is_there(self, message: Message, at: int) -> str | None:
        """A member by QueueStatus."""
        if (agent := self._agent(message)) is not None:
            person = self._person(agent)
            self._seat(person, message)
            if message.get("InCall") == "1" and person.call is None:
                person.call = _SOME_CALL
            self._status(person, at, message)
            last = message.get("LastCall", "")
            if last.isdigit():
                until = min(int(last[:_DIGITS]) * 1000, at) + self._wrap_up_ms(person, message)
                person.wraps_until = max(person.wraps_until, until)
        return agent

    def _all_found(self, at: int) -> list[AgentStateChanged]:
        found = self._found or {}
        for name, before in self.people.items():  # whoever is in no queue any more
            found.setdefault(name, Person(told=before.told, told_at=before.told_at))
        self.people, self._found, self.live, self._since = found, None, True, at
        return [event for name in self.people for event in self._stands(name, at)]

    def _seated(self, message: Message, at: int) -> str | None:
        if (agent := self._agent(message)) is not None:
            person = self._person(agent)
            self._seat(person, message)
            self._status(person, at, message)
        return agent

    def _gone(self, message: Message, at: int) -> str | None:
        if (agent := self._agent(message)) is not None:
            person, (member, _) = self._person(agent), _place(message)
            person.seats.pop(_place(message), None)
            if not any(other == member for other, _ in person.seats):
                person.statuses.pop(member, None)
                self._status(person, at)
        return agent

    def _connected(self, message: Message, at: int) -> str | None:
        if (agent := self._agent(message)) is not None:
            person = self._person(agent)
            person.call, person.channel = message.get("Uniqueid", _SOME_CALL), message.get("DestUniqueid", "")
            person.wrap_up, person.wraps_until, person.busy_since = self._wrap_up_ms(person, message), 0, 0
            person.seats.setdefault(_place(message), Seat())
            self._talking.update(dict.fromkeys((person.call, person.channel), agent))
        return agent

    def _completed(self, message: Message, at: int) -> str | None:
        if (agent := self._agent(message)) is not None:
            person = self._person(agent)
            if person.call in (message.get("Uniqueid"), _SOME_CALL):
                person.wrap_up = self._wrap_up_ms(person, message)
                self._free(person, at)
        return agent

    def _hung_up(self, message: Message, at: int) -> str | None:
        """A channel is gone. Where it is the caller's, Asterisk does not always say AgentComplete as well."""
        agent = self._talking.pop(message.get("Uniqueid", ""), None)
        if agent is None:
            return None
        person = self._person(agent)
        if person.call is not None and message["Uniqueid"] in (person.call, person.channel):
            self._free(person, at)
        return agent

    def _free(self, person: Person, at: int) -> None:
        for channel in (person.call, person.channel):
            self._talking.pop(channel or "", None)
        person.call, person.channel, person.wraps_until = None, "", at + person.wrap_up
        self._status(person, at)

    def _wrap_up_ms(self, person: Person, message: Message) -> int:
        seat = person.seats.get(_place(message))
        own = 0 if seat is None else seat.wrap_up
        return round((own or self._wrap_up.get(message.get("Queue", ""), 0)) * 1000)

    # -- states ---------------------------------------------------------------------------------------------------------

    def _state(self, person: Person, at: int) -> _Told:
        """The first that holds."""
        pauses = [seat.pause for seat in person.seats.values()]
        pause = pauses[-1] if pauses and None not in pauses else None
        outside = bool(person.busy_since) and person.busy_since + _SETTLES_MS <= at
        rules: tuple[tuple[bool, AgentState, str | None], ...] = (
            (person.call is not None, "on_contact", None),
            (not pauses, "offline", None),
            (_UNREACHABLE.issuperset(person.statuses.values()), "offline", UNREACHABLE),
            (outside, "on_contact", OUTSIDE),
            (pause is not None, self._names.paused(pause), pause or None),
            (person.wraps_until > at, "wrap_up", None),
        )
        return next(((state, reason) for holds, state, reason in rules if holds), ("available", None))

    def _stands(self, agent: str, at: int) -> list[AgentStateChanged]:
        if self._found is not None:
            return []
        person = self.people[agent]
        state = self._state(person, at)
        if state == person.told:
            return []
        since = person.busy_since if state == ("on_contact", OUTSIDE) else at
        person.told, person.told_at = state, max(since, person.told_at)
        self._number += 1
        self.spoke[agent] = person.told_at
        return [self._event(agent, state, _EPOCH + timedelta(milliseconds=person.told_at), self._number)]

    def _event(self, agent: str, state: _Told, time: datetime, sequence: int) -> AgentStateChanged:
        known, reason = state
        return AgentStateChanged(
            id=f"ami-{time.timestamp() * 1000:.0f}-{sequence}-{known}",
            source=self._source,
            time=time,
            sequence=sequence,
            agent_id=agent,
            state=known,
            reason=reason,
        )


def member_of(message: Message) -> str | None:
    """As the log has it: old releases say Name, and have the interface where a member has no name."""
    return (
        message.get("MemberName") or message.get("Name") or message.get("Interface") or message.get("Location") or None
    )


def _place(message: Message) -> tuple[str, str]:
    return member_of(message) or "", message.get("Queue", "")
