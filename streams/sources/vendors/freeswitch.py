"""FreeSWITCH: events of mod_callcenter (``callcenter::info``), as its event socket writes them in JSON.

A call is its member's session; a turn in a queue is a member (``CC-Member-UUID``), from which the ids of events are made. The
moments of a call are those the module states (seconds since 1970); where it states none, when the event was fired
(``Event-Date-Timestamp``, microseconds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from streams.contracts import events as e
from streams.contracts.events import AgentState, AnyEvent, milliseconds
from streams.sources.vendors.record import Pseudonym, Record

SOURCE = "freeswitch"

_STATES: dict[str, AgentState] = {
    "Available": "available",
    "Available (On Demand)": "available",
    "On Break": "away",
    "Logged Out": "offline",
}
#: Why a member left unanswered: does the caller's own will lie behind it? The module has no word of its own for a hang-up.
_BY_THE_CALLER = {
    "NONE": True,
    "BREAK_OUT": True,
    "EXIT_WITH_KEY": True,
    "TIMEOUT": False,
    "NO_AGENT_TIMEOUT": False,
}
#: Causes of an attempt's end that are no miss: another agent was quicker, or the caller went while it rang.
_NOT_MISSED = frozenset({"LOSE_RACE", "ORIGINATOR_CANCEL", "PICKED_OFF"})


class FreeSwitch:
    """Turns records into events. It remembers the last status of each agent, and nothing else.

    A call that ends while the agent's status is On Break leaves them away, and the module only says that they wait.
    """

    def __init__(
        self,
        pseudonym: Pseudonym,
        source: str = SOURCE,
        agent: Callable[[str], str] = str,
        queue: Callable[[str], str] = str,
    ) -> None:
        """``agent``, ``queue``: from the switch's name to the operation's id."""
        self._pseudonym, self._source, self._agent, self._queue = pseudonym, source, agent, queue
        self._statuses: dict[str, AgentState] = {}
        self._actions = {
            "agent-status-change": self._status,
            "agent-state-change": self._state,
            "member-queue-start": self._queued,
            "member-queue-resume": self._queued,
            "agent-offering": self._offered,
            "bridge-agent-fail": self._missed,
            "bridge-agent-start": self._answered,
            "bridge-agent-end": self._ended,
            "member-queue-end": self._left,
        }

    def __call__(self, fields: Mapping[str, Any]) -> list[AnyEvent] | None:
        """The events that a record stands for; None where it tells nothing of a call or an agent (counts, other modules).

        Raises ValueError that names the record and the field which cannot be read.
        """
        if fields.get("Event-Subclass", "callcenter::info") != "callcenter::info":
            return None
        action = Record("mod_callcenter event", fields)
        name = action.need(action.text, "CC-Action")
        read = self._actions.get(name)
        return read(Record(name, fields)) if read is not None else None

    # -- agents ---------------------------------------------------------------------------------------------------------

    def _status(self, record: Record) -> list[AnyEvent]:
        written = record.need(record.text, "CC-Agent-Status")
        if written not in _STATES:
            raise record.wrong("CC-Agent-Status", f"{written!r} is none of {', '.join(_STATES)}")
        change = self._change(record, _STATES[written], reason=written if written == "On Break" else None)
        self._statuses[record.need(record.text, "CC-Agent")] = change.state
        return [change]

    def _state(self, record: Record) -> list[AnyEvent] | None:
        match record.need(record.text, "CC-Agent-State"):
            case "In a queue call":
                return [self._change(record, "on_contact")]
            case "Waiting":
                agent = record.need(record.text, "CC-Agent")
                return [self._change(record, self._statuses.get(agent, "available"))]
            case _:  # it rings, or nothing is to be had of them: their status tells which
                return None

    def _change(self, record: Record, state: AgentState, reason: str | None = None) -> e.AgentStateChanged:
        at = _fired(record)
        return record.event(
            e.AgentStateChanged,
            id=f"{state}-{milliseconds(at)}",
            source=self._source,
            time=at,
            agent_id=self._agent(record.need(record.text, "CC-Agent")),
            state=state,
            reason=reason,
        )

    # -- calls ----------------------------------------------------------------------------------------------------------

    def _queued(self, record: Record) -> list[AnyEvent]:
        return [self._event(record, e.CallQueued, "queued", _fired(record))]

    def _offered(self, record: Record) -> list[AnyEvent]:
        return [self._of_agent(record, e.CallOffered, "offered", _fired(record))]

    def _missed(self, record: Record) -> list[AnyEvent] | None:
        if record.text("CC-Hangup-Cause") in _NOT_MISSED:
            return None
        called, given_up = record.unix("CC-Agent-Called-Time"), record.unix("CC-Agent-Aborted-Time")
        ring = None if called is None or given_up is None else record.elapsed(called, given_up, "CC-Agent-Aborted-Time")
        return [self._of_agent(record, e.CallMissed, "missed", given_up or _fired(record), ring_seconds=ring)]

    def _answered(self, record: Record) -> list[AnyEvent]:
        joined, answered = (
            record.need(record.unix, name) for name in ("CC-Member-Joined-Time", "CC-Agent-Answered-Time")
        )
        called = record.unix("CC-Agent-Called-Time")  # nobody is called who is on the line all day (uuid-standby)
        wait = record.elapsed(joined, answered, "CC-Agent-Answered-Time")
        told = [self._event(record, e.CallQueued, "queued", joined)]
        if called is not None:
            ring = record.elapsed(called, answered, "CC-Agent-Answered-Time")
            told.append(self._of_agent(record, e.CallOffered, "rang", called, ring_seconds=ring))
        return [*told, self._of_agent(record, e.CallAnswered, "answered", answered, wait_seconds=wait)]

    def _ended(self, record: Record) -> list[AnyEvent]:
        answered = record.need(record.unix, "CC-Agent-Answered-Time")
        over = record.need(record.unix, "CC-Bridge-Terminated-Time")
        if (
            record.text("CC-Agent-Bridged") == "false"
        ):  # agent and caller never spoke: what was told as an answer was none
            answer = self._of_agent(record, e.CallAnswered, "answered", answered)
            return [self._of_agent(record, e.CallRetracted, "unbridged", over, corrects=answer.id)]
        talk = record.elapsed(answered, over, "CC-Bridge-Terminated-Time")
        return [self._of_agent(record, e.CallEnded, "ended", over, talk_seconds=talk)]

    def _left(self, record: Record) -> list[AnyEvent] | None:
        match record.need(record.text, "CC-Cause"):
            case "Terminated":  # answered: the bridge has told
                return None
            case "Cancel":
                pass
            case other:
                raise record.wrong("CC-Cause", f"{other!r} is neither Terminated nor Cancel")
        reason = record.need(record.text, "CC-Cancel-Reason")
        if reason not in _BY_THE_CALLER:
            raise record.wrong("CC-Cancel-Reason", f"{reason!r} is none of {', '.join(_BY_THE_CALLER)}")
        joined = record.need(record.unix, "CC-Member-Joined-Time")
        left = record.need(record.unix, "CC-Member-Leaving-Time")
        wait = record.elapsed(joined, left, "CC-Member-Leaving-Time")
        how = e.CallAbandoned if _BY_THE_CALLER[reason] else e.CallLeftQueue
        return [
            self._event(record, e.CallQueued, "queued", joined),
            self._event(record, how, "left", left, wait_seconds=wait, reason=reason),
        ]

    def _of_agent(self, record: Record, struct: type[Any], what: str, at: datetime, **values: Any) -> AnyEvent:
        agent = record.need(record.text, "CC-Agent")
        return self._event(
            record, struct, f"{what}-{agent}-{milliseconds(at)}", at, agent_id=self._agent(agent), **values
        )

    def _event(self, record: Record, struct: type[Any], what: str, at: datetime, **values: Any) -> AnyEvent:
        event: AnyEvent = record.event(
            struct,
            id=f"{record.need(record.text, 'CC-Member-UUID')}-{what}",
            source=self._source,
            time=at,
            contact_id=record.need(record.text, "CC-Member-Session-UUID"),
            customer_id=record.customer("CC-Member-CID-Number", self._pseudonym),
            queue_id=self._queue(record.need(record.text, "CC-Queue")),
            **values,
        )
        return event


def _fired(record: Record) -> datetime:
    at: datetime = record.need(partial(record.unix, per_second=1_000_000), "Event-Date-Timestamp")
    return at
