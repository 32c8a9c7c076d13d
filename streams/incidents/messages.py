"""An incident as others read it: whole, and never longer than Kafka takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from streams.contracts.outputs import (
    SEVERITIES,
    Incident,
    IncidentMember,
    IncidentStatus,
    Silence,
    entity_id,
    entity_kind,
)
from streams.incidents.places import WIDTH
from streams.incidents.records import Case, Member
from streams.languages.text import Text

#: Alerts, silences and values of one label that a message has at most, and its bytes: Kafka takes 1,048,588 with key and headers.
MOST_MEMBERS, MOST_SILENCES, MOST_VALUES, MOST_BYTES = 100, 20, 100, 1_000_000
#: Steps that stay however long a message is: nobody may miss one.
_LEAST_STEPS = 10

encode = msgspec.json.Encoder().encode


def incident_of(case: Case, status: IncidentStatus, members: Sequence[Member], silences: Sequence[Silence]) -> Incident:
    """The message of an incident, with as much of its alerts and notes as it can hold."""
    if case.final is not None:
        return _shortened(
            replace(
                case.final,
                changed=case.changed,
                notes=list(case.notes),
                more_notes=case.more_notes,
                steps=list(case.steps),
            )
        )
    facts = case.facts
    name = Text(facts.name_zh, facts.name_en)
    shown = sorted(members, key=gravity)[:MOST_MEMBERS]
    widest = {member.site: member for member in sorted(members, key=gravity, reverse=True) if _fires(member)}
    whole = max(widest.values(), key=_width, default=None)
    incident = Incident(
        id=case.id,
        rule=case.rule,
        entity=case.entity,
        name_zh=name.zh,
        name_en=name.en,
        names=name.others(),
        kpi=facts.kpi,
        window=facts.window,
        severity=case.severity,
        status=status,
        opened=case.opened,
        changed=case.changed,
        resolved=case.resolved,
        merged_into=case.merged_into,
        firing=sum(map(_fires, members)),
        no_data=sum(member.alert.status == "no_data" for member in members),
        members=[_shown(member, _inhibiting(member, widest.get(member.site), whole)) for member in shown],
        more_members=len(members) - len(shown),
        acknowledged=case.acknowledged,
        escalated=case.escalated,
        silenced=list(silences[:MOST_SILENCES]),
        notes=list(case.notes),
        more_notes=case.more_notes,
        runbook_zh=facts.runbook_zh,
        runbook_en=facts.runbook_en,
        labels=_labels(case, members),
        notify=facts.notify,
        escalate_to=facts.escalate_to,
        steps=list(case.steps),
    )
    return _shortened(incident)


def _shortened(incident: Incident) -> Incident:
    """The same, cut until Kafka takes it."""
    while len(encode(incident)) > MOST_BYTES:
        members, notes, steps = incident.members, incident.notes, incident.steps
        kept, noted = len(members) // 2, len(notes) // 2
        incident = replace(
            incident,
            members=members[:kept],
            more_members=incident.more_members + len(members) - kept,
            notes=notes[len(notes) - noted :],
            more_notes=incident.more_notes + len(notes) - noted,
            steps=steps[-max(_LEAST_STEPS, len(steps) // 2) :],
            labels={name: values[: max(1, len(values) // 2)] for name, values in incident.labels.items()},
        )
    return incident


def _fires(member: Member) -> bool:
    return member.alert.status == "firing"


def _width(member: Member) -> int:
    return WIDTH[entity_kind(member.alert.entity)]


def gravity(member: Member) -> tuple[int, int, int, float, str]:
    """Sorts alerts: those that fire first, of these those about the widest places, the gravest, the oldest."""
    alert = member.alert
    status = ("firing", "no_data", "resolved").index(alert.status)
    return status, -_width(member), -SEVERITIES.index(alert.severity), member.fired.timestamp(), alert.entity


def _inhibiting(member: Member, at_site: Member | None, whole: Member | None) -> str | None:
    """The alert that says the same of a wider place: at the member's site, or of no site, which is everywhere."""
    wider = [
        one
        for one in (at_site, whole)
        if one is not None and _width(one) > _width(member) and (one.site is None or member.site in (None, one.site))
    ]
    return max(wider, key=_width).alert.key if wider else None


def _shown(member: Member, inhibited_by: str | None) -> IncidentMember:
    alert = member.alert
    return IncidentMember(
        rule=alert.rule, entity=alert.entity, status=alert.status, severity=alert.severity, since=alert.since, fired=member.fired,
        changed=alert.at, threshold=alert.threshold, fired_value=member.fired_value, fired_n=member.fired_n, value=alert.value,
        n=alert.n, team=member.team, site=member.site, inhibited_by=inhibited_by,
    )  # fmt: skip


def _labels(case: Case, members: Iterable[Member]) -> dict[str, list[str]]:
    """What an incident touches, by kind; the rule's own labels cannot hide that."""
    found: dict[str, set[str]] = {name: {value} for name, value in case.facts.labels.items()}
    touched: dict[str, set[str]] = {}
    if case.facts.channel is not None:
        touched["channel"] = {case.facts.channel}
    for member in members:
        if (kind := entity_kind(member.alert.entity)) != "all":
            touched.setdefault(kind, set()).add(entity_id(member.alert.entity))
        if member.team is not None:
            touched.setdefault("team", set()).add(member.team)
        if member.site is not None:
            touched.setdefault("site", set()).add(member.site)
    return {name: sorted(values)[:MOST_VALUES] for name, values in sorted((found | touched).items())}
