"""Lines of Asterisk's queue_log, ``time|call|queue|agent|verb|data…``, and the events that they stand for.

An event's id is made of what its line says (time, verb, queue, agent), so that a line that is read again is the same event. Asterisk's
times are whole seconds; the number of a line within its second is the ``sequence``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec

from streams.contracts import events as e
from streams.contracts.decode import FIRST_YEAR, LAST_YEAR, refuse
from streams.contracts.events import AgentState, AnyEvent
from streams.sources.asterisk.names import Names, Survey
from streams.sources.asterisk.story import Agent, Call, Story
from streams.sources.expressions.people import caller
from streams.sources.vendors.record import Pseudonym

#: A call of which nothing was told for so long is over. Seconds: nobody waits or talks for a day.
_FORGOTTEN = 86_400
#: Within so many seconds a call that left a queue may come to another one.
_COMES_AGAIN = 3600
#: Calls that are remembered at once; of more, the oldest are forgotten.
_MOST_CALLS = 10_000
_MOST_ID = 200
_NONE = ("", "NONE")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What Asterisk writes and tells nothing that counts: how the log is run, the number that was dialled, attempts that another line
#: tells the end of. Verbs that are in neither list are an operation's own (QueueLog in its dialplan).
IGNORED = frozenset({"CONFIGRELOAD", "RINGCANCELED", "SYSCOMPAT", "AGENTDUMP", "DID", "INFO", "PENALTY"})


def _moment(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)


@dataclass(frozen=True)
class Line:
    """One line, its fields as they are."""

    second: int
    call: str
    queue: str
    agent: str
    verb: str
    data: tuple[str, ...]

    @property
    def time(self) -> datetime:
        """When it was written."""
        return _moment(self.second)

    def number(self, index: int, what: str) -> float:
        """A number of the data, counted from 0, or from the end by a negative index. Raises ValueError where there is none."""
        try:
            found = float(self.data[index])
        except (IndexError, ValueError) as error:
            raise ValueError(f"{self.verb}: {what} is no number: {'|'.join(self.data)!r}") from error
        if not 0 <= found < 1e12:
            raise ValueError(f"{self.verb}: {what} is {found:g}")
        return found


def parse(text: str) -> Line:
    """A line as it is written. Raises ValueError that says what is wrong with it."""
    fields = text.split("|")
    if len(fields) < 5:
        raise ValueError(f"{len(fields)} fields where a line of queue_log has at least 5: time|call|queue|agent|event")
    whole = fields[0].split(".")[0]  # some versions write parts of a second
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 11):
        raise ValueError(f"{fields[0]!r} is no count of seconds since 1970")
    call, queue, agent, verb = fields[1:5]
    line = Line(int(whole), call, queue, agent, verb, tuple(fields[5:]))
    if not FIRST_YEAR <= line.time.year <= LAST_YEAR:
        raise ValueError(f"{fields[0]} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return line


class QueueLog:
    """Turns lines into events, in their order. ``story``: what was told before; it changes with each line that is read."""

    def __init__(
        self, source: str, pseudonym: Pseudonym, names: Names, region: str | None = None, story: Story | None = None
    ) -> None:
        """``names`` has the surveys of the dialplan, too."""
        self.story = Story() if story is None else story
        self._source, self._pseudonym, self._names, self._region = source, pseudonym, names, region
        self._verbs: dict[str, Callable[[Line], list[AnyEvent]]] = {
            "ENTERQUEUE": self._entered,
            "CONNECT": self._connected,
            "COMPLETEAGENT": lambda line: self._completed(line, "agent"),
            "COMPLETECALLER": lambda line: self._completed(line, "customer"),
            "BLINDTRANSFER": self._transferred,
            "ATTENDEDTRANSFER": self._transferred,
            "TRANSFER": self._transferred,
            "ABANDON": lambda line: self._left(line, e.CallAbandoned, 2),
            "EXITWITHKEY": lambda line: self._left(line, e.CallAbandoned, 3),
            "EXITWITHTIMEOUT": lambda line: self._left(line, e.CallLeftQueue, 2),
            "EXITEMPTY": lambda line: self._left(line, e.CallLeftQueue, 2),
            "RINGNOANSWER": self._missed,
            "QUEUESTART": self._started,
            "ADDMEMBER": self._added,
            "REMOVEMEMBER": self._removed,
            "PAUSE": self._paused,
            "UNPAUSE": self._unpaused,
            "PAUSEALL": self._paused,
            "UNPAUSEALL": self._unpaused,
            "AGENTLOGIN": self._logged_in,
            "AGENTCALLBACKLOGIN": self._logged_in,
            "AGENTLOGOFF": self._logged_off,
            "AGENTCALLBACKLOGOFF": self._logged_off,
        }
        for verb, survey in names.surveys.items():
            self._verbs[verb] = partial(self._rated, survey)
            if survey.invited is not None:
                self._verbs[survey.invited] = partial(self._invited, survey)

    def __call__(self, text: str) -> list[AnyEvent] | None:
        """The events of a line; None where it tells nothing that counts. Raises ValueError that says why it cannot be read."""
        line = parse(text)
        sequence = self.story.line(line.second)
        if line.verb in IGNORED:
            return None
        if (read := self._verbs.get(line.verb)) is None:
            self._names.unread[line.verb] += 1
            return None
        call = self.story.calls.get(line.call)
        waits_again = call is not None and call.handed_by is not None and call.handed_by == line.agent
        try:
            told = read(line)
        except msgspec.ValidationError as error:
            raise ValueError(f"{line.verb}: {error}") from error
        for event in told:
            event.sequence = sequence
            if waits_again and call is not None and isinstance(event, e.ContactEvent):
                # Asterisk writes the end of an agent's part, and that the call is in a queue again, from two threads.
                event.time, event.sequence = min(line.time, _moment(call.since)), call.sequence - 1
            if refusal := refuse(event):
                raise ValueError(f"{line.verb}: {refusal.detail}")
        return told

    # -- calls ----------------------------------------------------------------------------------------------------------

    def _entered(self, line: Line) -> list[AnyEvent]:
        written = line.data[1].strip() if len(line.data) > 1 else ""
        self._call_of(line)
        before = self.story.calls.pop(line.call, None)  # the newest stands last
        _, caller = self.story.callers.get(line.call, (0, None)) if before is None else (0, before.customer)
        self.story.calls[line.call] = Call(
            line.queue,
            line.second,
            2 * self.story.lines,
            self._customer(written) if caller is None else caller,
            handed_by=None if before is None else before.agent,
        )
        self._forget(line.second)
        return [self._of_call(line, e.CallQueued)]

    def _connected(self, line: Line) -> list[AnyEvent]:
        self._call_of(line)
        wait, agent = line.number(0, "the time in the queue"), self._agent_of(line)
        call = self.story.calls.setdefault(line.call, Call(line.queue, line.second))
        call.agent, call.queue, call.since, call.handed_by = line.agent, line.queue, line.second, None
        answered = self._of_call(line, e.CallAnswered, agent=True, wait_seconds=wait)
        agent.call = line.call
        return [answered, *self._stands(line, line.agent)]

    def _completed(self, line: Line, ended_by: str) -> list[AnyEvent]:
        ended = self._of_call(line, e.CallEnded, agent=True, talk_seconds=line.number(1, "the talk"), ended_by=ended_by)
        return [ended, *self._over(line)]

    def _transferred(self, line: Line) -> list[AnyEvent]:
        # A TRANSFER of old releases says where to, and then times if it has any. Of the others the last three are times and the position;
        # what stands before them depends on how it was transferred.
        old = line.verb == "TRANSFER"
        talk = None if old and len(line.data) < 4 else line.number(3 if old else -2, "the talk")
        handed = self._of_call(line, e.CallTransferred, agent=True)
        ended = self._of_call(line, e.CallEnded, "ended", agent=True, talk_seconds=talk)
        return [handed, ended, *self._over(line)]

    def _left(self, line: Line, how: type[Any], index: int) -> list[AnyEvent]:
        left = self._of_call(line, how, wait_seconds=line.number(index, "the wait"), reason=line.verb)
        self._call_of(line)
        self.story.let_go(line.call, line.second)
        return [left]

    def _missed(self, line: Line) -> list[AnyEvent]:
        return [self._of_call(line, e.CallMissed, agent=True, ring_seconds=line.number(0, "the ringing") / 1000)]

    def _rated(self, survey: Survey, line: Line) -> list[AnyEvent]:
        try:
            score = survey.score(line.data[0].strip() if line.data else "")
        except ValueError as error:
            raise ValueError(f"{line.verb}: {error}") from error
        return [self._of_survey(line, e.CallRated, survey, score=score, scale=survey.scale)]

    def _invited(self, survey: Survey, line: Line) -> list[AnyEvent]:
        return [self._of_survey(line, e.CallInvited, survey)]

    def _of_survey(self, line: Line, struct: type[Any], survey: Survey, **values: Any) -> AnyEvent:
        """The call is over by then, as far as its queue knows."""
        asked = self._of_call(line, struct, agent=line.agent not in _NONE, survey=survey.survey, **values)
        if asked.customer_id is None and line.call in self.story.callers:  # type: ignore[union-attr]
            asked.customer_id = self.story.callers[line.call][1]  # type: ignore[union-attr]
        return asked

    def _over(self, line: Line) -> list[AnyEvent]:
        """The agent is free again, and the call is over as far as the queue knows."""
        self.story.agents.setdefault(line.agent, Agent(queues={line.queue: None})).call = None
        call = self.story.calls.get(line.call)
        if call is not None and call.agent is None:  # it waits again
            call.handed_by = None
        else:
            self.story.let_go(line.call, line.second)
        return self._stands(line, line.agent)

    def _started(self, line: Line) -> list[AnyEvent]:
        """Asterisk has started: calls that it had are gone, and no line says when."""
        told: list[AnyEvent] = []
        for call, open_ in self.story.calls.items():
            of = Line(line.second, call, open_.queue, open_.agent or "NONE", line.verb, ())
            if open_.agent is None:
                told.append(self._of_call(of, e.CallLeftQueue, reason=line.verb))
            else:
                told.append(self._of_call(of, e.CallEnded, agent=True, ended_by="system"))
        self.story.calls.clear()
        for name, agent in self.story.agents.items():
            if agent.call is not None:
                agent.call = None
                told += self._stands(line, name)
        return told

    def _call_of(self, line: Line) -> None:
        if line.call in _NONE:
            raise ValueError(f"{line.verb} of no call")

    def _forget(self, second: int) -> None:
        calls, callers = self.story.calls, self.story.callers
        while calls and (len(calls) > _MOST_CALLS or calls[next(iter(calls))].since < second - _FORGOTTEN):
            del calls[next(iter(calls))]
        while callers and (len(callers) > _MOST_CALLS or callers[next(iter(callers))][0] < second - _COMES_AGAIN):
            del callers[next(iter(callers))]

    def _customer(self, written: str) -> str | None:
        if not written:
            return None
        # A name, or a number of a kind of its own, is who calls all the same.
        return self._pseudonym(written if self._region is None else caller(written, self._region))

    def _of_call(
        self, line: Line, struct: type[Any], what: str | None = None, *, agent: bool = False, **values: Any
    ) -> AnyEvent:
        self._call_of(line)
        if agent and line.agent in _NONE:
            raise ValueError(f"{line.verb} of no agent")
        call = self.story.calls.get(line.call)
        return _made(
            struct,
            id=self._id(line, what),
            source=self._source,
            time=line.time,
            contact_id=line.call,
            customer_id=None if call is None else call.customer,
            queue_id=None if line.queue in _NONE else self._names.queue(line.queue),
            agent_id=self._names.agent(line.agent) if agent else None,
            **values,
        )

    def _id(self, line: Line, what: str | None = None) -> str:
        parts = [line.verb, line.queue, line.agent, *([what] if what else [])]
        told = "-".join(part for part in parts if part not in _NONE)
        number = self.story.number(line.second, f"{line.call}|{told}")
        if len(told) > _MOST_ID:
            told = blake2b(told.encode(), digest_size=16).hexdigest()
        return f"{line.second}-{told}" if number == 1 else f"{line.second}-{told}-{number}"

    # -- agents ---------------------------------------------------------------------------------------------------------

    def _agent_of(self, line: Line) -> Agent:
        if line.agent in _NONE:
            raise ValueError(f"{line.verb} of no agent")
        agent = self.story.agents.setdefault(line.agent, Agent())
        if line.queue not in _NONE:
            agent.queues.setdefault(line.queue, None)
        return agent

    def _added(self, line: Line) -> list[AnyEvent]:
        agent = self._agent_of(line)
        if line.queue not in _NONE:
            agent.queues[line.queue] = "" if line.data and line.data[0] == "PAUSED" else None
        return self._stands(line, line.agent)

    def _removed(self, line: Line) -> list[AnyEvent]:
        self._agent_of(line).queues.pop(line.queue, None)
        return self._stands(line, line.agent)

    def _paused(self, line: Line) -> list[AnyEvent]:
        reason = line.data[0] if line.data else ""
        agent = self._agent_of(line)
        for queue in agent.queues if line.queue in _NONE else [line.queue]:
            agent.queues[queue] = reason
        return self._stands(line, line.agent)

    def _unpaused(self, line: Line) -> list[AnyEvent]:
        agent = self._agent_of(line)
        for queue in agent.queues if line.queue in _NONE else [line.queue]:
            agent.queues[queue] = None
        return self._stands(line, line.agent)

    def _logged_in(self, line: Line) -> list[AnyEvent]:
        self._agent_of(line).told = None
        return self._stands(line, line.agent, "available")

    def _logged_off(self, line: Line) -> list[AnyEvent]:
        self._agent_of(line).queues.clear()
        return self._stands(line, line.agent, "offline")

    def _stands(self, line: Line, name: str, as_said: AgentState | None = None) -> list[AnyEvent]:
        """How the agent stands now, where that is something else than was told before."""
        agent = self.story.agents.setdefault(name, Agent())
        pause, reason = agent.pause, None
        state: AgentState
        if as_said is not None:
            state = as_said
        elif agent.call is not None:
            state = "on_contact"
        elif not agent.queues:
            if agent.told is None:  # nobody has said yet where they are
                return []
            state = "offline"
        elif pause is not None:
            state, reason = self._names.paused(pause), pause or None
        else:
            state = "available"
        if agent.told == (state, reason):
            return []
        agent.told = state, reason
        of = Line(line.second, "NONE", "NONE", name, state, ())
        return [
            _made(
                e.AgentStateChanged,
                id=self._id(of),
                source=self._source,
                time=line.time,
                agent_id=self._names.agent(name),
                state=state,
                reason=reason,
            )
        ]


def _made(struct: Any, **values: Any) -> AnyEvent:
    """An event; what is None is left out. Raises ValidationError where it does not fit the contract."""
    made: AnyEvent = msgspec.convert({name: value for name, value in values.items() if value is not None}, struct)
    return made
