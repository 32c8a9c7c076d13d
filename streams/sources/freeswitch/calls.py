"""Callers in queues of mod_callcenter, by what was told of them before: each thing once, with the switch's own times.

Traps of the module (read in its source): the end of a wait may be told of a caller who is being answered at that moment; an answer whose
bridge fails was none; the start of an answer may have been missed and is told whole at its end; who comes back to their old place in the
queue is counted from their first coming.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from streams.contracts import events as e
from streams.contracts.events import AnyEvent
from streams.sources.freeswitch.agents import Agents
from streams.sources.freeswitch.story import Break, Member, Story
from streams.sources.vendors.freeswitch import FreeSwitch

_LOG = logging.getLogger(__name__)
UNHEARD = "unheard"


class Calls:
    """All callers of one switch, by its story."""

    def __init__(self, story: Story, read: FreeSwitch, agents: Agents, source: str) -> None:
        """``read`` makes events of what the module tells."""
        self._story, self._read, self._agents, self._source = story, read, agents, source
        self._actions = {
            "member-queue-start": self._joined,
            "member-queue-resume": self._joined,
            "agent-offering": self._of_agent,
            "bridge-agent-fail": self._of_agent,
            "bridge-agent-start": self._answered,
            "bridge-agent-end": self._ended,
            "member-queue-end": self._left,
        }

    def __call__(self, fields: Mapping[str, Any]) -> list[AnyEvent] | None:
        """What the module tells; None where it is of no caller. Raises ValueError for what cannot be read."""
        read = self._actions.get(str(fields.get("CC-Action")))
        return None if read is None else read(fields)

    def held(self, channel: str, begins: bool, at: int) -> None:
        """The telephone of this channel holds, or does no more, from a moment (ms) on. Either may be told twice."""
        for member in self._story.members.values():
            if member.channel and member.channel == channel:
                if begins:
                    member.holds_since = member.holds_since or at
                elif member.holds_since:
                    member.hold += max(0, at - member.holds_since)
                    member.holds_since = 0

    # -- as it is heard -------------------------------------------------------------------------------------------------

    def _joined(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        name, resumed = _member(fields), fields.get("CC-Action") == "member-queue-resume"
        if resumed:
            self._story.done.pop(name, None)
        if name in self._story.done or name in self._story.members:
            return []
        event = next(iter(self._read(fields) or ()))
        # The module's other times are whole seconds: nobody leaves before they have come.
        event.time = event.time.replace(microsecond=0)
        self._story.members[name] = Member(
            str(fields["CC-Member-Session-UUID"]),
            str(fields["CC-Queue"]),
            fields.get("CC-Member-CID-Number"),
            event.at // 1000,
            resumed,
        )
        return [event]

    def _of_agent(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        if _member(fields) in self._story.done:
            return []
        told = list(self._read(fields) or ())
        return [*self._first_heard(fields), *told]

    def _answered(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        name = _member(fields)
        if name in self._story.done:
            return []
        told = self._told_but_queued(fields)
        before = self._first_heard(fields)
        member = self._story.members[name]
        answer = told[-1]
        assert isinstance(answer, e.CallAnswered)
        if member.answer and member.looked_up:
            member.looked_up = False
            correction = e.CallCorrected(
                id=f"{member.answer}~heard",
                source=self._source,
                time=answer.time,
                contact_id=answer.contact_id,
                customer_id=answer.customer_id,
                corrects=member.answer,
                agent_id=answer.agent_id,
                wait_seconds=self._wait(member, answer),
            )
            member.channel = str(fields.get("CC-Agent-UUID", ""))
            return [*told[:-1], correction]
        if member.answer:
            return []
        answer.wait_seconds = self._wait(member, answer)
        member.answer, member.answered, member.agent = answer.id, answer.at, str(fields["CC-Agent"])
        member.channel = str(fields.get("CC-Agent-UUID", ""))
        member.gone, member.hold, member.holds_since, member.whole = 0, 0, 0, True
        return [*before, *told]

    def _ended(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        name = _member(fields)
        if name in self._story.done:
            return []
        bridged = fields.get("CC-Agent-Bridged") != "false"
        told: list[AnyEvent] = []
        member = self._story.members.get(name)
        unheard = member is None or not member.answer
        if bridged and (unheard or (member is not None and member.looked_up)):
            told = self._answered({**fields, "CC-Action": "bridge-agent-start"})
            self._story.members[name].whole = False
        elif unheard:  # nobody heard of that attempt, and nobody was answered by it
            told = self._first_heard(fields)
        member = self._story.members[name]
        end = (self._read(fields) or [])[-1]
        if not bridged:
            return [*told, *self._not_bridged(name, member, end)]
        assert isinstance(end, e.CallEnded)
        self._hold(member, end)
        self._agents.bridge_ended(str(fields["CC-Agent"]), end.at)
        self._story.over(name, end.at // 1000)
        handed = self._handed_on(fields, end)
        return [*told, *handed, end]

    def _not_bridged(self, name: str, member: Member, end: AnyEvent) -> list[AnyEvent]:
        """Agent and caller never spoke; the caller goes on waiting, unless the end of that was told meanwhile."""
        told: list[AnyEvent] = []
        if member.answer and isinstance(end, e.CallRetracted):
            end.corrects = member.answer
            told.append(end)
        member.answer, member.agent, member.channel, member.looked_up = "", "", "", False
        if member.cancelled is not None:
            told += self._left(member.cancelled)
        return told

    def _hold(self, member: Member, end: e.CallEnded) -> None:
        """What was held is no talk. Where a part of the call was not heard, nobody knows how much that was."""
        self.held(member.channel, False, end.at)
        if member.whole and member.hold and end.talk_seconds is not None:
            hold = min(member.hold / 1000, end.talk_seconds)
            end.talk_seconds, end.hold_seconds = end.talk_seconds - hold, hold

    def _handed_on(self, fields: Mapping[str, Any], end: e.CallEnded) -> list[AnyEvent]:
        """The agent's channel says that they transferred the call: by REFER of their telephone."""
        how = fields.get("variable_endpoint_disposition")
        if how not in ("BLIND_TRANSFER", "ATTENDED_TRANSFER"):
            return []
        return [
            e.CallTransferred(
                id=f"{end.id}-transferred",
                source=end.source,
                time=end.time,
                contact_id=end.contact_id,
                customer_id=end.customer_id,
                agent_id=end.agent_id,
                queue_id=end.queue_id,
            )
        ]

    def _left(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        name = _member(fields)
        if name in self._story.done:
            return []
        if fields.get("CC-Cause") == "Terminated":  # nobody heard the end of the bridge, which is told just before
            over = {"CC-Action": "bridge-agent-end", "CC-Bridge-Terminated-Time": fields.get("CC-Member-Leaving-Time")}
            return self._ended({**fields, **over})
        told = self._told_but_queued(fields)
        before = self._first_heard(fields)
        member = self._story.members[name]
        if member.answer:  # whether they spoke, the end of the bridge will tell
            member.cancelled = dict(fields)
            return before
        self._story.over(name, told[-1].at // 1000)
        return [*before, *told]

    def _told_but_queued(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        return [event for event in self._read(fields) or () if not isinstance(event, e.CallQueued)]

    def _first_heard(self, fields: Mapping[str, Any]) -> list[AnyEvent]:
        """That they came into the queue was not heard: it is told now, as far as what is told of them later says when."""
        name = _member(fields)
        if name in self._story.members:
            return []
        joined = fields.get("CC-Member-Joined-Time") or int(fields["Event-Date-Timestamp"]) // 1_000_000
        came = {"CC-Action": "member-queue-start", "Event-Date-Timestamp": str(int(joined) * 1_000_000)}
        return self._joined({**fields, **came})

    def _wait(self, member: Member, answer: e.CallAnswered) -> float | None:
        return max(0.0, answer.at / 1000 - member.joined) if member.resumed else answer.wait_seconds

    # -- looked up after a break ----------------------------------------------------------------------------------------

    def look(
        self, rows: list[dict[str, str]], queues: Mapping[str, Mapping[str, Any]], now: int, since: int, cut: Break
    ) -> list[AnyEvent]:
        """They are so by ``member list`` at this moment (ms): gives what was not heard of them. ``queues``: by ``queue list``, by name."""
        told: list[AnyEvent] = []
        for row in sorted(rows, key=lambda row: row.get("joined_epoch", "")):
            try:
                told += self._looked_up(row, queues, since, cut)
            except ValueError as error:
                _LOG.warning("a row of `member list` was left out: %s", error)
        listed = {row.get("uuid") for row in rows}
        for name, member in self._story.members.items():
            if name not in listed:
                member.gone = member.gone or now
        return told

    def _looked_up(
        self, row: dict[str, str], queues: Mapping[str, Mapping[str, Any]], since: int, cut: Break
    ) -> list[AnyEvent]:
        name = row.get("uuid", "")
        joined = _number(row, "rejoined_epoch") or _number(row, "joined_epoch") or 0
        if name in self._story.done or joined * 1000 < since:
            return []
        fields: dict[str, Any] = {
            "CC-Action": "member-queue-start",
            "CC-Member-UUID": name,
            "CC-Queue": row.get("queue"),
            "CC-Member-CID-Number": row.get("cid_number"),
            "CC-Member-Joined-Time": str(joined),
            "Event-Date-Timestamp": str(joined * 1_000_000),
        }
        known = self._story.members.get(name)
        # The session of who has hung up is struck out there: whom nobody heard of is known by their place in the queue.
        fields["CC-Member-Session-UUID"] = row.get("session_uuid") or (name if known is None else known.session)
        told: list[AnyEvent] = []
        if known is None:
            told += self._joined(fields)
            cut.found["queued"] = cut.found.get("queued", 0) + 1
        member = self._story.members[name]
        bridged, abandoned = _number(row, "bridge_epoch") or 0, _number(row, "abandoned_epoch") or 0
        state = row.get("state")
        if state == "Answered":
            member.whole = False
            if not member.answer and bridged:
                answer = {"CC-Action": "bridge-agent-start", "CC-Agent": row.get("serving_agent")}
                told += self._answered({**fields, **answer, "CC-Agent-Answered-Time": str(bridged)})
                member.looked_up, member.whole = True, False
                cut.found["answered"] = cut.found.get("answered", 0) + 1
        elif state == "Abandoned" and abandoned and not member.answer:
            if (reason := _reason(queues.get(member.queue, {}), abandoned - member.joined)) is None:
                member.gone = abandoned * 1000
                return told
            left = {"CC-Action": "member-queue-end", "CC-Cause": "Cancel", "CC-Cancel-Reason": reason}
            told += self._left(
                {
                    **fields,
                    **left,
                    "CC-Member-Joined-Time": str(member.joined),
                    "CC-Member-Leaving-Time": str(abandoned),
                }
            )
            cut.found["left"] = cut.found.get("left", 0) + 1
        return told

    def give_up(self, waits_before: int, talks_before: int, now: int, cut: Break | None) -> list[AnyEvent]:
        """Those whom the switch does not know any more since before these moments (ms), and of whom nothing came: a caller waits no more,
        and how it ended is not known; a talk is over, and nobody says when. They are named, and no figure is made up.
        """
        told: list[AnyEvent] = []
        for name, member in list(self._story.members.items()):
            if not 0 < member.gone <= (talks_before if member.answer else waits_before):
                continue
            if member.answer:
                what = f"how long {member.agent} talked"
            else:
                what = f"how the wait in {member.queue} ended"
                fields = {
                    "CC-Action": "member-queue-end",
                    "CC-Cause": "Cancel",
                    "CC-Cancel-Reason": "TIMEOUT",
                    "CC-Member-UUID": name,
                    "CC-Member-Session-UUID": member.session,
                    "CC-Queue": member.queue,
                    "CC-Member-CID-Number": member.number,
                    "CC-Member-Joined-Time": str(member.joined),
                    "CC-Member-Leaving-Time": str(max(member.joined, member.gone // 1000)),
                }
                left = (self._read(fields) or [])[-1]
                assert isinstance(left, e.CallLeftQueue)
                left.id, left.reason, left.wait_seconds = f"{name}-{UNHEARD}", UNHEARD, None
                told.append(left)
            if cut is not None:
                cut.unknown[member.session] = what
            self._story.over(name, now // 1000)
        return told


def _member(fields: Mapping[str, Any]) -> str:
    if not (name := fields.get("CC-Member-UUID")):
        raise ValueError(f"{fields.get('CC-Action')}: CC-Member-UUID: is missing")
    return str(name)


def _reason(queue: Mapping[str, Any], waited: int) -> str | None:
    """Why they left unanswered, where the queue's limits leave one reason only; None where they do not."""
    longest, no_agent = (_number(queue, name) for name in ("max_wait_time", "max_wait_time_with_no_agent"))
    if longest is None or no_agent is None:
        return None
    if longest and waited >= longest:
        return "TIMEOUT"
    return "BREAK_OUT" if not no_agent or waited < no_agent else None


def _number(queue: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(queue[name])
    except (KeyError, TypeError, ValueError):
        return None
