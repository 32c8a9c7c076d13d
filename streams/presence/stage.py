"""Agents' states and shifts, whatever the order of arrival: what each agent is doing, and what their work contributes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from streams.contacts.misplaced import ElsewhereError, Misplaced
from streams.contacts.slots import Slots, Tally
from streams.contracts.decode import Rejected, decode_presence
from streams.contracts.events import (
    AgentCorrected,
    AgentRetracted,
    AgentScheduled,
    AgentStateChanged,
    PresenceEvent,
    milliseconds,
)
from streams.contracts.outputs import Contribution, Presence
from streams.kpi.policy.versions import AnyPolicy
from streams.presence.contributions import AFTER_SHIFT_MS, QUARTER_MS, Work, overlapping, when
from streams.presence.log import AgentPresence, K, Shift, Told, Word, amend, place
from streams.presence.records import PresenceRecorder
from streams.roster import Roster
from streams.windows.admission import check_lateness, differs
from streams.windows.clock import NEVER, Days, EventClock, instant

#: What lies so far behind the allowed lateness is forgotten, and not each piece as soon as it may be, ms.
_SLACK_MS = 12 * 3_600_000
#: A shift that ended so long ago changes nothing that is still kept, ms.
_SHIFT_MS = AFTER_SHIFT_MS + QUARTER_MS


@dataclass
class Outcome:
    """What a run of messages came to. ``rejected``: (index within the run, why); ``misplaced``: what belongs to another partition;
    ``touched``: agents whose state is new.
    """

    contributions: dict[str, Contribution] = field(default_factory=dict)
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    misplaced: list[Misplaced] = field(default_factory=list)
    admitted: int = 0
    duplicates: int = 0
    late: int = 0
    #: How many messages of each source were not refused.
    sources: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)


class PresenceStage:
    """Admits agents' events. Holds no state of its own: agents and the clock are handed in."""

    def __init__(self, policy: AnyPolicy, roster: Roster, days: Days | None = None) -> None:
        """``days``: the periods that facts are kept by; days where it is not given."""
        self.policy = policy
        self.roster = roster
        self._days = days or Days(policy.zone, policy.day_starts_ms)
        self._work = Work(policy, self._days)
        #: Makes records of what changes; None: nobody asks for them.
        self.recorder: PresenceRecorder | None = None

    def record(self) -> PresenceRecorder:
        """Have records made from now on."""
        self.recorder = PresenceRecorder(self._work)
        return self.recorder

    def process(  # noqa: C901, PLR0912 - once an event: the loop of stage one for agents, whose order is the order of admission
        self,
        raws: Sequence[bytes | None],
        agents: MutableMapping[str, AgentPresence],
        clock: EventClock,
        *,
        machine: int,
        event_time: bool,
        tally: Tally | None = None,
        judged: Sequence[int] | None = None,
    ) -> Outcome:
        """Admit a run of messages of one partition; arguments as for the contacts stage."""
        out, into = Outcome(), tally or Tally()
        lateness = self.policy.allowed_lateness_ms
        for index, raw in enumerate(raws):
            event = decode_presence(raw)
            if isinstance(event, Rejected):
                out.rejected.append((index, event))
                continue
            at = event.at
            if judged is not None:
                now = judged[index]
            else:
                now = machine if not event_time else at if clock.now is None else clock.now
                if (refused := check_lateness(at, now, machine, self.policy)) is not None:
                    out.rejected.append((index, refused))
                    continue
            late = judged is None and clock.now is not None and at < clock.now
            reached = max(at, now) if event_time else now
            try:
                agent = agents[event.agent_id]
            except ElsewhereError as error:
                out.late += late
                clock.advance(at, event.agent_id, lateness)
                out.misplaced.append(Misplaced(index, event.agent_id, error.number, reached))
                continue
            if isinstance(event, AgentStateChanged | AgentScheduled):
                self.roster.complete(event, at, self._days)
            horizon = reached - lateness
            if not self._admit(agent, event, at, horizon, into):
                if not agent.says(event, at):
                    out.rejected.append((index, differs(event.id, event.agent_id)))
                    continue
                out.sources[event.source] = out.sources.get(event.source, 0) + 1
                out.duplicates += 1
                continue
            out.sources[event.source] = out.sources.get(event.source, 0) + 1
            out.late += late
            if judged is None:
                clock.advance(at, event.agent_id, lateness)
            else:
                clock.advance(now)
            self._compact(event.agent_id, agent, horizon)
            out.admitted += 1
            out.touched.add(event.agent_id)
        # Of the team of their newest state: plans and the ends of older states may name others.
        for name in out.touched:
            if changes := agents[name].changes():
                into.belongs(name, changes[-1].team)
        if tally is None:
            out.contributions = into.contributions()
        return out

    def joined(self, name: str, one: AgentPresence, other: AgentPresence, tally: Tally) -> AgentPresence:
        """An agent of whom a part is kept in each of two places; what that changes goes into ``tally``."""
        both = AgentPresence(
            _in_order(one.log, other.log),
            one.before or other.before,
            _in_order(one.plans, other.plans),
            sorted({*one.taken_back, *other.taken_back}),
            _in_order(one.words, other.words),
            counted=one.counted or other.counted,
            records=max(one.records, other.records),
        )
        for part in (one, other):
            tally.difference(name, self._all(name, part), {})
        tally.difference(name, {}, self._all(name, both))
        if changes := both.changes():
            tally.belongs(name, changes[-1].team)
        return both

    def presence(self, name: str, agent: AgentPresence) -> Presence | None:
        """The newest state of an agent; None where no state is known."""
        changes = agent.changes()
        if not changes:
            return None
        last = changes[-1]
        since = last.at
        for earlier in reversed(changes):  # told again, a state has lasted since it was told first
            if (earlier.state, earlier.reason) != (last.state, last.reason):
                break
            since = earlier.at
        state = last.state or "offline"
        until = None if state == "offline" else instant(self._work.lasts_until(last, agent.schedule()))
        return Presence(
            agent_id=name, state=state, since=instant(since), reason=last.reason, team=last.team, until=until
        )

    # -- what an event changes -----------------------------------------------------------------------------------------

    def _admit(self, agent: AgentPresence, event: PresenceEvent, at: int, horizon: int, tally: Tally) -> bool:
        """Keep what an event says, and have the difference it makes sent on; False: it is known."""
        if isinstance(event, AgentStateChanged):
            return self._admit_state(agent, event, at, tally)
        if isinstance(event, AgentScheduled):
            return self._admit_shift(agent, event, at, horizon, tally)
        word = _word(event, at)
        index = place(agent.words, word)
        if index is None:
            return False
        self._insert(agent, event.agent_id, agent.words, index, word, tally)
        return True

    def _admit_state(self, agent: AgentPresence, event: AgentStateChanged, at: int, tally: Tally) -> bool:
        name = event.agent_id
        told = Told(at, event.id, event.state, event.reason, event.team_id, site=event.site_id, sequence=event.sequence)
        index = place(agent.log, told)
        if index is None:
            return False
        if index == 0 and agent.log and agent.log[0].until is not None:
            return True  # what was before that has been forgotten: it is too late for this agent
        if agent.amended or not agent.counted:
            self._insert(agent, name, agent.log, index, told, tally)
        elif index == len(agent.log):
            schedule = agent.schedule()
            for sign, slot in self._work.followed(name, agent.log, told, schedule):
                tally.put(slot, sign)
            if self.recorder is not None:
                concerned = *agent.log[-1:], told
                until = max(self._work.lasts_until(each, schedule) for each in concerned)
                self.recorder.changed(name, ((each.at, each.id) for each in concerned))
                self.recorder.changed(name, ((shift.starts, None) for shift in overlapping(schedule, at, until)))
            agent.log.append(told)
        else:
            before = self._near(name, agent, told, index, index)
            agent.log.insert(index, told)
            self._differ(name, before, self._near(name, agent, told, index, index + 1), tally)
            if self.recorder is not None:
                self.recorder.changed(name, ((each.at, each.id) for each in agent.log[max(0, index - 1) : index + 1]))
        return True

    def _differ(self, name: str, before: Slots, after: Slots, tally: Tally) -> None:
        tally.difference(name, before, after)
        if self.recorder is not None:
            self.recorder.differing(name, before, after)

    def _admit_shift(self, agent: AgentPresence, event: AgentScheduled, at: int, horizon: int, tally: Tally) -> bool:
        name = event.agent_id
        shift = Shift(
            at,
            event.id,
            milliseconds(event.starts),
            milliseconds(event.ends),
            team=event.team_id,
            site=event.site_id,
            sequence=event.sequence,
        )
        index = place(agent.plans, shift)
        if index is None:
            return False
        if shift.starts < horizon:
            return True  # it may have been told before, counted and forgotten
        if agent.amended or not agent.counted:
            self._insert(agent, name, agent.plans, index, shift, tally)
            return True
        begin, end = _reach(agent.plans, shift)
        before = self._between(name, agent, begin, end)
        agent.plans.insert(index, shift)
        self._differ(name, before, self._between(name, agent, begin, end), tally)
        return True

    def _insert(self, agent: AgentPresence, name: str, of: list[K], index: int, item: K, tally: Tally) -> None:
        """Keep an item where amendments, or what was never counted, may make any difference: of everything that is kept."""
        before, stood = self._all(name, agent), _told(agent) if self.recorder is not None else {}
        of.insert(index, item)
        agent.counted = True
        self._differ(name, before, self._all(name, agent), tally)
        if self.recorder is not None:  # what counts for nothing, offline, has no slots
            stands = _told(agent)
            own = {of for of in stood.keys() | stands.keys() if stood.get(of) != stands.get(of)}
            self.recorder.changed(name, own)

    def _near(self, name: str, agent: AgentPresence, told: Told, begin: int, end: int) -> Slots:
        """What a change of state touches: the state before it, which then lasts until ``end`` in the log, and the shifts about it."""
        log, schedule = agent.log, agent.schedule()
        first = max(0, begin - 1)
        next_at = log[end].at if end < len(log) else NEVER
        slots = self._work.states(name, log[first:end], next_at, schedule)
        if schedule:
            since = log[first].at if begin else told.at
            slots |= self._work.attendance(name, overlapping(schedule, since, next_at), log, schedule)
        return slots

    def _between(self, name: str, agent: AgentPresence, begin: int, end: int) -> Slots:
        """What the shifts between two moments (ms), which cut no other shift, have to do with."""
        log, schedule = agent.log, agent.schedule()
        first, last = max(0, bisect_right(log, begin, key=when) - 1), bisect_left(log, end, key=when)
        return {
            **self._work.states(name, log[first:last], log[last].at if last < len(log) else NEVER, schedule),
            **self._work.shifts(name, overlapping(schedule, begin, end)),
            # A state that begins within them may last into later ones.
            **self._work.attendance(name, overlapping(schedule, begin, NEVER), log, schedule),
        }

    def _all(self, name: str, agent: AgentPresence) -> Slots:
        """All that has been sent on of what is kept of an agent."""
        if not agent.counted:
            return {}
        changes, schedule = agent.changes(), agent.schedule()
        return {
            **self._work.states(name, changes, NEVER, schedule),
            **self._work.shifts(name, schedule),
            **self._work.attendance(name, schedule, changes, schedule),
        }

    # -- what no event can change any more -----------------------------------------------------------------------------

    def _compact(self, name: str, agent: AgentPresence, horizon: int) -> None:
        """Forget what no event after ``horizon`` (ms) can change: shifts that are over, and of the states before what is left all but
        the last. What is left contributes as before.
        """
        if not _may_forget(agent, horizon - _SLACK_MS):
            return
        if self.recorder is not None:
            self.recorder.make(name, agent)
        schedule, changes = agent.schedule(), agent.changes()
        matter = [shift for shift in schedule if shift.ends + _SHIFT_MS >= horizon]
        begin = min(horizon, matter[0].starts) if matter else horizon
        log = [told for told in agent.log if told.at >= begin]
        before = next((told for told in reversed(changes) if told.at < begin), None)
        if before is not None:
            log.insert(0, structs.replace(before, until=self._work.lasts_until(before, schedule)))
        agent.log = log
        # The first may begin later than it was told to, because of one that is forgotten now.
        first = {matter[0].id: matter[0]} if matter and matter[0].starts < horizon else {}
        ids = {shift.id for shift in matter}
        agent.plans = [first.get(plan.id, plan) for plan in agent.plans if plan.starts >= begin or plan.id in ids]
        if _amended_before(agent, horizon):
            about = {word.corrects for word in agent.words}.union(agent.taken_back)
            if not any(told.id in about for told in log if told.until is None):
                agent.plans = [plan for plan in amend(agent.plans, agent) if plan.starts < plan.ends]
                agent.words, agent.taken_back = [], []


def _told(agent: AgentPresence) -> dict[tuple[int, str], tuple[Told, int]]:
    """The changes of state that stand, by moment and id, each with when the next was."""
    changes = agent.changes()
    ends = [*(told.at for told in changes[1:]), NEVER]
    return {(told.at, told.id): (told, end) for told, end in zip(changes, ends, strict=False)}


def _may_forget(agent: AgentPresence, border: int) -> bool:
    """Is there a state, an amendment or a shift that no event after ``border`` (ms) can change?"""
    return (
        (len(agent.log) > 1 and agent.log[1].at < border)
        or _amended_before(agent, border)
        or any(plan.ends + _SHIFT_MS < border for plan in agent.plans)
    )


def _amended_before(agent: AgentPresence, border: int) -> bool:
    """Was the last amendment of what is kept told before ``border`` (ms)?"""
    return agent.amended and (not agent.words or agent.words[-1].at < border)


def _in_order(one: Sequence[K], other: Sequence[K]) -> list[K]:
    told = list(one)
    for item in other:
        if (index := place(told, item)) is not None:
            told.insert(index, item)
    return told


def _reach(plans: Sequence[Shift], shift: Shift) -> tuple[int, int]:
    """From when to when (ms) a shift can change others: over all that it overlaps, and what these overlap."""
    begin, end = shift.starts, shift.ends
    while True:
        met = [plan for plan in plans if plan.starts < end and plan.ends > begin]
        reached = min([begin, *(plan.starts for plan in met)]), max([end, *(plan.ends for plan in met)])
        if reached == (begin, end):
            return reached
        begin, end = reached


def _word(event: AgentCorrected | AgentRetracted, at: int) -> Word:
    if isinstance(event, AgentRetracted):
        return Word(at, event.id, event.corrects, retracts=True, sequence=event.sequence)
    return Word(
        at,
        event.id,
        event.corrects,
        state=event.state,
        reason=event.reason,
        team=event.team_id,
        site=event.site_id,
        starts=None if event.starts is None else milliseconds(event.starts),
        ends=None if event.ends is None else milliseconds(event.ends),
        sequence=event.sequence,
    )
