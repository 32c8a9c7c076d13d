"""An incident as somebody may see it: of places and people within their scope, nothing of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from streams.contracts.outputs import (
    Acknowledgement,
    Incident,
    IncidentMember,
    IncidentNote,
    IncidentStatus,
    IncidentStep,
    Severity,
    Silence,
    entity,
    entity_id,
    entity_kind,
)
from streams.kpi.labels import ENTITIES
from streams.languages import Language
from streams.languages.text import LANGUAGES, Text
from streams.web.roles import Scope

#: Entity (``agent|A17``), or the id of who acts, → what it is called; None: by its id.
Called = Callable[[str], Text | None]


class View(Struct, omit_defaults=True, kw_only=True):
    """An incident as its scope allows. ``hidden``: alerts in it that somebody else sees; ``names``: entity or author → language → name;
    ``persons``: ids of agents whose figures it shows. All else as ``Incident`` has it.
    """

    id: str
    rule: str
    entity: str
    title: dict[Language, str]
    kpi: str
    window: str
    severity: Severity
    status: IncidentStatus
    opened: str
    changed: str
    resolved: str | None = None
    escalated: str | None = None
    firing: int
    no_data: int
    members: list[IncidentMember]
    hidden: int = 0
    acknowledged: Acknowledgement | None = None
    silenced: list[Silence] = []
    notes: list[IncidentNote] = []
    runbook: dict[Language, str] = {}
    steps: list[IncidentStep] = []
    names: dict[str, dict[Language, str]] = {}
    persons: list[str] = []


def view(incident: Incident, scope: Scope, called: Called) -> View | None:
    """What is to be seen of an incident; None: nothing, or nothing has been told of it yet."""
    if not incident.steps:
        return None
    shown = [one for one in incident.members if scope.sees(one.entity, one.team)]
    about = incident.entity if scope.sees(incident.entity, _team(incident)) else None
    if about is None:
        if not shown:
            return None
        about = shown[0].entity
    teams = {one.entity: one.team for one in incident.members}
    inside = scope.inside
    steps = [step for step in incident.steps if inside and scope.sees(step.entity, teams.get(step.entity))]
    taken = incident.acknowledged
    silences = incident.silenced if inside else [_bare(one) for one in incident.silenced]
    notes = incident.notes if inside else []
    authors = {one.by for one in (*([taken] if taken else ()), *silences, *notes) if one.by}
    authors |= {step.by for step in steps if step.by}
    names = _names([about, *(one.entity for one in shown), *(step.entity for step in steps)], authors, called)
    persons = {entity_id(one) for one in (about, *(member.entity for member in shown)) if entity_kind(one) == "agent"}
    return View(
        id=incident.id, rule=incident.rule, entity=about, title=_texts(incident.name_zh, incident.name_en, incident.names),
        kpi=incident.kpi, window=incident.window, severity=incident.severity, status=incident.status,
        opened=incident.opened.isoformat(), changed=incident.changed.isoformat(),
        resolved=incident.resolved.isoformat() if incident.resolved else None,
        escalated=incident.escalated.isoformat() if incident.escalated else None,
        firing=sum(one.status == "firing" for one in shown), no_data=sum(one.status == "no_data" for one in shown),
        members=shown, hidden=len(incident.members) - len(shown) + incident.more_members,
        acknowledged=taken if taken is None or inside else Acknowledgement(by=taken.by, at=taken.at),
        silenced=silences, notes=notes, runbook=_texts(incident.runbook_zh, incident.runbook_en, {}),
        steps=[_said(step, names) for step in steps], names=names, persons=sorted(persons),
    )  # fmt: skip


def _team(incident: Incident) -> str | None:
    return next((one.team for one in incident.members if one.entity == incident.entity), None)


def _bare(silence: Silence) -> Silence:
    return Silence(id=silence.id, by=silence.by, at=silence.at, until=silence.until)


def _texts(zh: str, en: str, others: Mapping[str, str]) -> dict[Language, str]:
    return {language: said for language, said in {"zh": zh, "en": en, **others}.items() if said}


def _names(entities: Iterable[str], authors: Iterable[str], called: Called) -> dict[str, dict[Language, str]]:
    made: dict[str, dict[Language, str]] = {}
    for key in entities:
        if key not in made and (text := called(key)) is not None:
            made[key] = {language: text[language] for language in LANGUAGES}
    for author in authors:
        if (text := called(entity("agent", author))) is not None:
            made[f"by|{author}"] = {language: text[language] for language in LANGUAGES}
    return made


def _said(step: IncidentStep, names: Mapping[str, Mapping[Language, str]]) -> IncidentStep:
    """The step with names in its reasons, in place of ids."""
    reasons = {"zh": step.reason_zh, "en": step.reason_en, **step.reasons}
    kind, id = entity_kind(step.entity), entity_id(step.entity)
    for language, said in reasons.items():
        if kind in ENTITIES and kind != "all" and (name := names.get(step.entity, {}).get(language)):
            by_id, by_name = ENTITIES[kind].format(id), ENTITIES[kind].format(name)
            reasons[language] = said = said.replace(by_id[language], by_name[language], 1)
        if step.by and (name := names.get(f"by|{step.by}", {}).get(language)) and said.startswith(step.by):
            reasons[language] = name + said.removeprefix(step.by)
    return IncidentStep(
        **{field: getattr(step, field) for field in IncidentStep.__struct_fields__ if not field.startswith("reason")},
        reason_zh=reasons.pop("zh"), reason_en=reasons.pop("en"), reasons=reasons,
    )  # fmt: skip
