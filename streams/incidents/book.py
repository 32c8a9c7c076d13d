"""The stage that makes incidents: alerts, what people do, and time go in; incidents and their steps come out. It reads no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2s
from zoneinfo import ZoneInfo

import msgspec

from streams.alerts.rules import Rule
from streams.contracts.outputs import (
    SEVERITIES,
    Acknowledgement,
    Alert,
    AlertAction,
    Incident,
    IncidentNote,
    IncidentStatus,
    IncidentStep,
    Severity,
    Silence,
    StepKind,
    entity_kind,
)
from streams.incidents import texts
from streams.incidents.grouping import related
from streams.incidents.messages import gravity, incident_of
from streams.incidents.places import WIDTH, Places
from streams.incidents.records import Case, Member, RuleFacts
from streams.incidents.silences import Silences
from streams.kpi.catalog import KPIS
from streams.kpi.explained import area_of
from streams.languages.text import Text
from streams.windows.clock import instant

#: How long an incident waits for further alerts of its cause before it is told, ms.
GATHER_MS = 5_000
#: More alerts of the same cause are told so often at most, ms; a wider place at once.
GROWN_MS = 300_000
#: An incident is over when nothing of it has fired for so long, ms: what comes and goes is told once.
SETTLED_MS = 120_000
#: One without data that nobody acknowledges is closed after so long, ms.
SILENT_MS = 7 * 86_400_000
#: Notes are taken of an incident that is over for so long, ms; then it is forgotten here.
KEPT_MS = 7 * 86_400_000
#: Present figures alone have an incident written so often at most, ms.
FIGURES_MS = 15_000
#: Steps and notes that an incident keeps.
MOST_STEPS, MOST_NOTES = 60, 40
#: One thing that is due may make another due at the same moment, but not for ever.
_MOST_PASSES = 5
#: Parts of the catalogue that are channels.
_CHANNELS = ("calls", "chats", "tickets")

_INCIDENT, _ALERT, _SILENCE = "incident|", "alert|", "silence|"


class Refused(msgspec.Struct, frozen=True):
    """Why nothing comes of a message: ``reason`` is one word to count by, ``detail`` says what and what to do."""

    reason: str
    detail: str


class Changes(msgspec.Struct, frozen=True):
    """What is to be written: incidents, and stored state by key (None: it goes). ``steps``: those taken: incident, rule, step."""

    incidents: list[Incident]
    state: dict[str, bytes | None]
    steps: list[tuple[str, str, IncidentStep]]


class IncidentBook:
    """Every incident, and the alerts in them. Single: it must see all alerts and all actions."""

    def __init__(self, rules: Iterable[Rule], places: Places, zone: ZoneInfo) -> None:
        """``zone``: in which people are told times."""
        self._rules = {rule.id: rule for rule in rules}
        self._places, self._zone = places, zone
        self._cases: dict[str, Case] = {}
        self._members: dict[str, Member] = {}
        #: Incident → keys of its alerts, in the order of their coming.
        self._of: dict[str, dict[str, None]] = {}
        #: Rule → its incidents that are not over.
        self._open: dict[str, dict[str, None]] = {}
        labels = {label for rule in self._rules.values() for label in rule.labels}
        self.silences = Silences(sorted(labels))
        #: What has changed since the last ``drain``: cases that are to be written, those with new figures only, alerts.
        self._dirty: set[str] = set()
        self._figures: set[str] = set()
        self._moved: set[str] = set()
        self._steps: list[tuple[str, str, IncidentStep]] = []
        #: When an incident was written last, ms.
        self._written: dict[str, int] = {}

    # -- what comes ----------------------------------------------------------------------------------------------------

    def alert(self, alert: Alert, now: int) -> None:
        """A step in the life of an alert, or its present figures."""
        key, member = alert.key, self._members.get(alert.key)
        if member is None:
            if alert.status == "firing":
                self._place(alert, now)
            return
        if alert.kpi == "":  # its rule is no more: what it was stays to be seen
            alert = msgspec.structs.replace(
                alert, kpi=member.alert.kpi, window=member.alert.window, threshold=member.alert.threshold,
                severity=member.alert.severity,
            )  # fmt: skip
        elif (
            alert.value is None or alert.status == "no_data"
        ):  # nothing is compared now: this is what it was held against
            alert = msgspec.structs.replace(alert, threshold=member.alert.threshold)
        before, member.alert = member.alert, alert
        self._moved.add(key)
        case = self._cases[member.incident]
        case.severity = self._severity(case)
        if alert.status == before.status:
            self._figures.add(case.id)
            return
        self._settle(case, now)

    def act(self, action: AlertAction, now: int) -> Refused | None:
        """Somebody does something. None: it is done, or was before."""
        match action.kind:
            case "silence":
                return self._silence(action, now)
            case "unsilence":
                return self._unsilence(action, now)
            case "acknowledge":
                return self._of_incident(action, now, self._acknowledge)
            case "unacknowledge":
                return self._of_incident(action, now, self._unacknowledge)
            case "note":
                return self._of_incident(action, now, self._note)

    def tick(self, now: int) -> None:
        """Let time pass up to ``now`` (ms): each thing happens when it is due, however late somebody comes to look."""
        last, again = None, 0
        while (due := min(self._deadlines(), default=None)) is not None and due <= now and again < _MOST_PASSES:
            at = due if last is None else max(due, last)
            again = again + 1 if at == last else 0
            self._pass(at)
            last = at

    def _deadlines(self) -> Iterator[int]:
        """When time alone changes something, ms."""
        for silence in self.silences:
            yield round(silence.until.timestamp() * 1000)
        for case in self._cases.values():
            yield from self._due(case)

    def _due(self, case: Case) -> Iterator[int]:
        if case.resolved is not None:
            if case.id not in self._dirty:
                yield round(case.resolved.timestamp() * 1000) + KEPT_MS
            return
        if not case.announced:
            yield case.placed + GATHER_MS
        elif case.cleared is None and self._width(case) > case.told_width:
            yield case.joined
        elif case.cleared is None and len(self._of[case.id]) > case.told_members:
            yield case.told_at + GROWN_MS
        if case.cleared is not None:
            yield case.cleared + SETTLED_MS
        elif case.silent is not None:
            yield case.silent if case.acknowledged is not None else case.silent + SILENT_MS
        if case.announced and (at := self._escalates(case)) is not None:
            yield at

    def _pass(self, now: int) -> None:
        for silence in self.silences.over(now):
            self.silences.end(silence.id)
            self._hush(now, texts.SILENCE_OVER)
        for case in list(self._cases.values()):
            if case.resolved is not None:
                # Who ends and is forgotten at once, as time leaps, would stand on every screen for ever: first others are told.
                if case.id not in self._dirty and now - case.resolved.timestamp() * 1000 >= KEPT_MS:
                    self._forget(case)
                continue
            self._look(case, now)

    def drain(self, now: int) -> Changes:
        """What has changed since the last call. Figures alone wait for their turn, but stored state is always as of now."""
        due = {
            id for id in self._figures if now - self._written.get(id, 0) >= FIGURES_MS or now < self._written.get(id, 0)
        }
        written = sorted(id for id in self._dirty | due if id in self._cases)
        state: dict[str, bytes | None] = {}
        for key in sorted(self._moved):
            state[_ALERT + key] = _encode(self._members[key]) if key in self._members else None
        for id in sorted(self._dirty | self._figures):
            state[_INCIDENT + id] = _encode(self._cases[id]) if id in self._cases else None
        for id in sorted(self.silences.changed):
            silence = self.silences.get(id)
            state[_SILENCE + id] = None if silence is None else _encode(silence)
        self.silences.changed.clear()
        self._written |= dict.fromkeys(written, now)
        self._figures -= due | self._dirty
        self._dirty.clear()
        self._moved.clear()
        steps, self._steps = self._steps, []
        return Changes([self.incident(id) for id in written], state, steps)

    # -- what is stored ------------------------------------------------------------------------------------------------

    def load(self, key: str, value: bytes) -> bool:
        """Take over something stored; False: it is none of ours. Raises ValueError where it cannot be read."""
        try:
            if key.startswith(_INCIDENT):
                case = _cases.decode(value)
                self._cases[case.id] = case
            elif key.startswith(_ALERT):
                self._members[key.removeprefix(_ALERT)] = _members.decode(value)
            elif key.startswith(_SILENCE):
                self.silences.restore(_silences.decode(value))
            else:
                return False
        except msgspec.DecodeError as error:
            raise ValueError(f"stored incidents: {key!r} cannot be read: {error}") from error
        return True

    def begin(self, now: int) -> None:
        """All that was stored is loaded: go on. What the rules' file says of an incident's rule holds from now on; an incident whose
        rule is no more is closed, as nobody will hear of it again.
        """
        for key, member in sorted(self._members.items(), key=lambda item: (item[1].fired, item[0])):
            self._of.setdefault(member.incident, {})[key] = None
        for case in sorted(self._cases.values(), key=lambda case: (case.placed, case.id)):
            self._of.setdefault(case.id, {})
            if case.resolved is not None:
                continue
            self._open.setdefault(case.rule, {})[case.id] = None
            rule = self._rules.get(case.rule)
            if rule is None:
                if case.facts.known:
                    self._end(case, now, texts.RULE_GONE.format(rule=case.rule))
            elif (facts := facts_of(rule)) != case.facts:
                case.facts = facts
                self._dirty.add(case.id)

    # -- what there is -------------------------------------------------------------------------------------------------

    def incident(self, id: str) -> Incident:
        """An incident as others read it. Raises KeyError where there is none."""
        case = self._cases[id]
        members = [self._members[key] for key in self._of[id]]
        return incident_of(case, self._status(case), members, self._silences_of(case))

    def open(self) -> list[str]:
        """Ids of the incidents that are not over."""
        return [case.id for case in self._cases.values() if case.resolved is None]

    def alerts(self) -> int:
        """How many alerts are in incidents that are remembered."""
        return len(self._members)

    # -- grouping ------------------------------------------------------------------------------------------------------

    def _place(self, alert: Alert, now: int) -> None:
        """An alert that has begun to fire goes to the incident of its cause, or makes one."""
        day = alert.at.astimezone(self._zone).date()
        team = self._places.team(alert.entity, alert.team, day)
        site = self._places.site(alert.entity, team, day)
        same = related(alert, team, site, now, self._candidates(alert.rule))
        case = same[0] if same else self._new(alert, now)
        self._members[alert.key] = Member(
            incident=case.id,
            alert=alert,
            fired=alert.at,
            fired_value=alert.value,
            fired_n=alert.n,
            team=team,
            site=site,
        )
        self._of[case.id][alert.key] = None
        self._moved.add(alert.key)
        case.joined = now
        for other in same[1:]:
            self._merge(other, case, now)
        case.severity = self._severity(case)
        if WIDTH[entity_kind(alert.entity)] > WIDTH[entity_kind(case.entity)]:
            case.entity = alert.entity
        self._settle(case, now)

    def _candidates(self, rule: str) -> Iterator[tuple[Case, list[Member]]]:
        """A rule's incidents that are not over, with their alerts."""
        for id in self._open.get(rule, ()):
            yield self._cases[id], [self._members[key] for key in self._of[id]]

    def _new(self, alert: Alert, now: int) -> Case:
        rule = self._rules.get(alert.rule)
        facts = (
            facts_of(rule)
            if rule is not None
            else RuleFacts(
                name_zh=alert.rule,
                name_en=alert.rule,
                kpi=alert.kpi,
                window=alert.window,
                known=False,
                channel=_channel(alert.kpi),
            )
        )
        case = Case(
            id=id_of(alert), rule=alert.rule, facts=facts, entity=alert.entity, severity=alert.severity, opened=alert.at, placed=now,
            joined=now, waits=now, changed=alert.at,
        )  # fmt: skip
        self._cases[case.id] = case
        self._of[case.id] = {}
        self._open.setdefault(case.rule, {})[case.id] = None
        self._dirty.add(case.id)
        return case

    def _merge(self, other: Case, into: Case, now: int) -> None:
        """An incident turns out to be a part of another one: its alerts go there."""
        other.merged_into = into.id
        if other.announced:
            self._step(other, "merged", texts.MERGED.format(id=into.id), now, status="resolved")
        moving = [key for key in self._of[other.id] if self._members[key].alert.status != "resolved"]
        members = [self._members[key] for key in moving]
        self._close(other, now)
        for key, member in zip(moving, members, strict=True):
            member.incident = into.id
            self._members[key] = member
            self._of[into.id][key] = None

    # -- life ----------------------------------------------------------------------------------------------------------

    def _settle(self, case: Case, now: int) -> None:
        """Something of an incident began or ceased to fire, or to have data."""
        self._dirty.add(case.id)
        statuses = {self._members[key].alert.status for key in self._of[case.id]}
        case.cleared = None if statuses & {"firing", "no_data"} else now if case.cleared is None else case.cleared
        if "firing" in statuses or "no_data" not in statuses:
            case.silent = None
        elif case.silent is None:
            case.silent = now
            self._announce(case, now)
            self._step(case, "no_data", texts.reason_of(self._lead(case).alert), now)
        if case.announced:
            self._hush_one(case, now, texts.NO_LONGER_SILENCED)

    def _look(self, case: Case, now: int) -> None:
        """What time alone does to an incident that is not over."""
        if not case.announced and now - case.placed >= GATHER_MS:
            self._announce(case, now)
        if case.announced:
            self._grow(case, now)
            self._escalate(case, now)
        if case.cleared is not None and now - case.cleared >= SETTLED_MS:
            self._announce(case, now)
            self._end(case, now, texts.reason_of(self._lead(case).alert))
        elif case.silent is not None and case.acknowledged is not None:
            self._end(case, now, texts.SILENT_AND_KNOWN.format(reason=texts.reason_of(self._lead(case).alert)))
        elif case.silent is not None and now - case.silent >= SILENT_MS:
            self._end(case, now, texts.SILENT_FOR_LONG.format(days=SILENT_MS // 86_400_000))

    def _announce(self, case: Case, now: int) -> None:
        if case.announced:
            return
        case.announced, case.waits = True, now
        case.silenced = bool(self._silences_of(case))
        reason, others = texts.reason_of(self._lead(case).alert), len(self._of[case.id]) - 1
        said = texts.OPENED_WITH_OTHERS.format(reason=reason, more=others) if others else reason
        self._step(case, "opened", said, now)
        self._told(case, now)

    def _told(self, case: Case, now: int) -> None:
        case.told_at, case.told_members, case.told_width = now, len(self._of[case.id]), self._width(case)

    def _grow(self, case: Case, now: int) -> None:
        """Tell that it has grown, if it has: at once where it reaches further. Not while nothing of it fires."""
        if case.cleared is not None:
            return
        count = len(self._of[case.id])
        reason = texts.reason_of(self._lead(case).alert)
        if self._width(case) > case.told_width:
            self._step(case, "worse", texts.WORSE.format(reason=reason), now)
        elif count > case.told_members and now - case.told_at >= GROWN_MS:
            self._step(case, "grew", texts.GREW.format(more=count - case.told_members, count=count, reason=reason), now)
        else:
            return
        self._told(case, now)

    def _width(self, case: Case) -> int:
        return WIDTH[entity_kind(case.entity)]

    def _escalate(self, case: Case, now: int) -> None:
        at = self._escalates(case)
        if at is None or at > now:
            return
        case.escalated = instant(now)
        reason = texts.reason_of(self._lead(case).alert)
        self._step(
            case, "escalated", texts.ESCALATED.format(minutes=round((now - case.waits) / 60_000), reason=reason), now
        )

    def _escalates(self, case: Case) -> int | None:
        """When it does unless somebody acknowledges it, ms; None: it does not as it stands."""
        after = case.facts.escalate_after
        if after is None or case.escalated or case.acknowledged or case.silenced:
            return None
        return None if case.cleared is not None or case.silent is not None else case.waits + round(after * 1000)

    def _end(self, case: Case, now: int, reason: Text) -> None:
        case.resolved = instant(now)
        if case.announced:
            self._step(case, "resolved", reason, now, status="resolved")
        self._close(case, now)

    def _close(self, case: Case, now: int) -> None:
        """Keep what it was; its alerts may begin another one."""
        case.resolved = case.changed = instant(now)
        case.silenced = False
        case.final = self.incident(case.id)
        for key in self._of[case.id]:
            if self._members[key].incident == case.id:
                del self._members[key]
            self._moved.add(key)
        self._of[case.id] = {}
        del self._open[case.rule][case.id]
        self._dirty.add(case.id)

    def _forget(self, case: Case) -> None:
        del self._of[case.id], self._cases[case.id]
        self._written.pop(case.id, None)
        self._figures.add(case.id)  # its stored state goes; others keep what they have read

    # -- people --------------------------------------------------------------------------------------------------------

    def _of_incident(
        self, action: AlertAction, now: int, do: Callable[[Case, AlertAction, int], None]
    ) -> Refused | None:
        case = self._cases.get(action.incident or "")
        while case is not None and case.merged_into in self._cases:
            case = self._cases[case.merged_into]
        if case is None:
            return Refused("no_incident", f"there is no incident {action.incident!r}; see `deskpulse alert list`")
        if case.resolved is not None and action.kind != "note":
            return Refused("over", f"the incident {case.id} is over; a note can still be put to it")
        do(case, action, now)
        return None

    def _acknowledge(self, case: Case, action: AlertAction, now: int) -> None:
        if (
            case.acknowledged is not None
            and case.acknowledged.by == action.by
            and case.acknowledged.note == action.note
        ):
            return
        self._announce(case, now)
        case.acknowledged = Acknowledgement(by=action.by, at=instant(now), note=action.note)
        reason = _with_note(texts.ACKNOWLEDGED, texts.ACKNOWLEDGED_WITH_NOTE, action)
        self._step(case, "acknowledged", reason, now, by=action.by)

    def _unacknowledge(self, case: Case, action: AlertAction, now: int) -> None:
        if case.acknowledged is None:
            return
        case.acknowledged, case.waits, case.escalated = None, now, None
        reason = _with_note(texts.UNACKNOWLEDGED, texts.UNACKNOWLEDGED_WITH_NOTE, action)
        self._step(case, "unacknowledged", reason, now, by=action.by)

    def _note(self, case: Case, action: AlertAction, now: int) -> None:
        if not action.note or any(note.id == action.id for note in case.notes):
            return
        self._announce(case, now)
        case.notes.append(IncidentNote(id=action.id, by=action.by, at=instant(now), note=action.note))
        case.more_notes += max(0, len(case.notes) - MOST_NOTES)
        del case.notes[:-MOST_NOTES]
        self._step(case, "noted", texts.NOTED.format(by=action.by, note=texts.cut(action.note)), now, by=action.by)

    def _silence(self, action: AlertAction, now: int) -> Refused | None:
        if action.id in self.silences:
            return None
        if action.until is None or action.until.timestamp() * 1000 <= now:
            return Refused("no_end", "a silence needs an end that is still to come: `until`")
        if (action.incident is None) == (not action.selectors):
            return Refused(
                "no_target", "a silence is about an incident, or about what its selectors say: give one of the two"
            )
        if action.incident is not None and (missing := self._of_incident(action, now, _nothing)) is not None:
            return missing
        silence = Silence(
            id=action.id, by=action.by, at=instant(now), until=action.until, note=action.note, incident=action.incident,
            selectors=list(action.selectors),
        )  # fmt: skip
        try:
            self.silences.begin(silence)
        except ValueError as error:
            return Refused("no_selector", str(error))
        self._hush(now)
        return None

    def _unsilence(self, action: AlertAction, now: int) -> Refused | None:
        if self.silences.end(action.silence or "") is None:
            return Refused("no_silence", f"there is no silence {action.silence!r} in force; see `deskpulse alert list`")
        self._hush(now, texts.UNSILENCED, action.by)
        return None

    def _hush(self, now: int, reason: Text = texts.NO_LONGER_SILENCED, by: str | None = None) -> None:
        """Silences have begun or ended, the latter for a reason: tell it of the incidents that this changes."""
        for case in self._cases.values():
            if case.resolved is None:
                self._hush_one(case, now, reason, by)

    def _hush_one(self, case: Case, now: int, reason: Text, by: str | None = None) -> None:
        silences = self._silences_of(case)
        if bool(silences) == case.silenced:
            if silences:
                self._dirty.add(case.id)  # by others, perhaps
            return
        case.silenced = bool(silences)
        self._dirty.add(case.id)
        if not case.announced:
            return
        if silences:
            newest = max(silences, key=lambda silence: (silence.at, silence.id))
            if case.cleared is None:
                self._step(case, "silenced", self._silenced_by(newest), now, by=newest.by)
            return
        case.waits = now
        if case.cleared is None:
            said = reason.format(by=by, reason=texts.reason_of(self._lead(case).alert))
            self._step(case, "unsilenced", said, now, by=by)

    def _silenced_by(self, silence: Silence) -> Text:
        until = f"{silence.until.astimezone(self._zone):%Y-%m-%d %H:%M}"
        template = texts.SILENCED_WITH_NOTE if silence.note else texts.SILENCED
        return template.format(by=silence.by, until=until, note=texts.cut(silence.note))

    # -- small things --------------------------------------------------------------------------------------------------

    def _silences_of(self, case: Case) -> list[Silence]:
        if not len(self.silences) or case.resolved is not None:
            return []
        members = [self._members[key] for key in self._of[case.id]]
        alive = [member for member in members if member.alert.status != "resolved"]
        return self.silences.about(case.id, case.facts, alive or members)

    def _severity(self, case: Case) -> Severity:
        return max((self._members[key].alert.severity for key in self._of[case.id]), key=SEVERITIES.index)

    def _lead(self, case: Case) -> Member:
        """The alert that says most: one that fires, about the widest place, the gravest, the first."""
        return min((self._members[key] for key in self._of[case.id]), key=gravity)

    def _status(self, case: Case) -> IncidentStatus:
        if case.resolved is not None:
            return "resolved"
        if case.silenced:
            return "silenced"
        if case.acknowledged is not None:
            return "acknowledged"
        return "firing" if case.escalated is None else "escalated"

    def _step(
        self,
        case: Case,
        kind: StepKind,
        reason: Text,
        now: int,
        *,
        by: str | None = None,
        status: IncidentStatus | None = None,
    ) -> None:
        case.number += 1
        case.changed = instant(now)
        members = [self._members[key] for key in self._of[case.id]]
        step = IncidentStep(
            number=case.number, at=case.changed, kind=kind, status=status or self._status(case), severity=case.severity, by=by,
            quiet=case.silenced and kind != "silenced", reason_zh=reason.zh, reason_en=reason.en, reasons=reason.others(),
            entity=case.entity,
        )  # fmt: skip
        if members:
            alert = self._lead(case).alert
            step.entity, step.value, step.n, step.threshold = alert.entity, alert.value, alert.n, alert.threshold
            step.firing = sum(member.alert.status == "firing" for member in members)
            step.no_data = sum(member.alert.status == "no_data" for member in members)
            step.members = len(members)
        elif case.steps:  # it is over
            last = case.steps[-1]
            step.entity, step.value, step.n, step.threshold = last.entity, last.value, last.n, last.threshold
            step.members = last.members
        case.steps.append(step)
        self._steps.append((case.id, case.rule, step))
        del case.steps[:-MOST_STEPS]
        self._dirty.add(case.id)


def facts_of(rule: Rule) -> RuleFacts:
    """What an incident tells of its rule."""
    return RuleFacts(
        name_zh=rule.zh, name_en=rule.en, kpi=rule.kpi, window=rule.window, channel=_channel(rule.kpi), runbook_zh=rule.runbook_zh,
        runbook_en=rule.runbook_en, labels=dict(rule.labels), notify=list(rule.notify), escalate_after=rule.escalate_after,
        escalate_to=list(rule.escalate_to),
    )  # fmt: skip


def id_of(alert: Alert) -> str:
    """The id of the incident that begins with an alert: of its cause and when it began: the same however often it is made."""
    cause = f"{alert.key}|{alert.since.timestamp()}|{alert.at.timestamp()}".encode()
    return f"{alert.rule}-{alert.at:%Y%m%dT%H%M%S}-{blake2s(cause, digest_size=3).hexdigest()}"


def _channel(kpi: str) -> str | None:
    area = area_of(KPIS[kpi]) if kpi in KPIS else ""
    return area if area in _CHANNELS else None


def _with_note(bare: Text, noted: Text, action: AlertAction) -> Text:
    return (noted if action.note else bare).format(by=action.by, note=texts.cut(action.note))


def _nothing(_: Case, __: AlertAction, ___: int) -> None:
    """Somebody only asks whether there is such an incident."""


_encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
_cases = msgspec.msgpack.Decoder(Case)
_members = msgspec.msgpack.Decoder(Member)
_silences = msgspec.msgpack.Decoder(Silence)
