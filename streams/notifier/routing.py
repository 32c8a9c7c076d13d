"""Who is told of a step: routes that fit an incident, the hours, the duty roster."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from streams.contracts.outputs import Incident, IncidentStep, entity_id, entity_kind
from streams.notifier.config import Config, Route
from streams.people.duty import DutyBook, parse_week

#: Steps that begin something that somebody must hear of; all others go only where the incident was told of before.
_CALLING = frozenset({"opened", "grew", "worse", "no_data", "escalated", "unsilenced"})


@dataclass(frozen=True)
class Destination:
    """One channel that is told a step. ``called``: ids of those who are called by name."""

    channel: str
    route: str
    language: str
    called: tuple[str, ...] = ()


def destinations(
    incident: Incident,
    step: IncidentStep,
    heard: Collection[str],
    config: Config,
    duties: DutyBook,
    now: datetime,
) -> list[Destination]:
    """The channels that are told of a step at ``now``, each once: by the first route that leads there, with everybody whom any of these
    calls. ``heard``: the channels that were told of the incident before; they hear how it goes on and ends whatever the hour is.
    """
    found: dict[str, Destination] = {}
    fitting = [(name, config.routes[name]) for name in _fitting(incident, step, config, duties, now)]
    for name, route in fitting:
        called = _called(incident, route, duties, now) if step.kind in _CALLING else ()
        for channel in route.to:
            if step.kind not in _CALLING and channel not in heard:
                continue
            before = found.get(channel)
            if before is None:
                found[channel] = Destination(channel, name, config.language_of(name), called)
            elif called:
                everybody = tuple(dict.fromkeys((*before.called, *called)))
                found[channel] = Destination(channel, before.route, before.language, everybody)
    for channel in heard:
        if channel in config.channels and channel not in found:
            name = next((name for name, route in config.routes.items() if channel in route.to), "")
            found[channel] = Destination(channel, name, config.language_of(name))
    return list(found.values())


def _fitting(incident: Incident, step: IncidentStep, config: Config, duties: DutyBook, now: datetime) -> Sequence[str]:
    """Names of routes that fit; those for which nothing else does where none does."""
    named = _named(incident, step)
    known = [name for name in named if name in config.routes]
    # A rule that names only routes that are not there is told by the others: better by a wrong way than by none.
    candidates = known if known else list(config.routes)
    fit = [name for name in candidates if _fits(config.routes[name], incident, step, duties, now)]
    proper = [name for name in fit if not config.routes[name].otherwise or name in known]
    if proper:
        return proper
    return [
        name for name, route in config.routes.items() if route.otherwise and _fits(route, incident, step, duties, now)
    ]


def _named(incident: Incident, step: IncidentStep) -> Sequence[str]:
    """The routes that its rule names for such a step; none: whichever fit."""
    escalated = step.status == "escalated" or (incident.escalated is not None and incident.escalated <= step.at)
    return tuple(dict.fromkeys((*incident.notify, *(incident.escalate_to if escalated else ()))))


def _fits(route: Route, incident: Incident, step: IncidentStep, duties: DutyBook, now: datetime) -> bool:
    if route.severity is not None and step.severity not in route.severity:
        return False
    if route.rule is not None and not _matches(route.rule, [incident.rule, *(one.rule for one in incident.members)]):
        return False
    for kind in ("team", "queue", "site"):
        wanted = getattr(route, kind)
        if wanted is not None and not _matches(wanted, _places(incident, kind)):
            return False
    if route.during is not None:
        return _within(route.during, now, duties)
    return route.outside is None or not _within(route.outside, now, duties)


def _matches(patterns: Sequence[str], values: Collection[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns for value in values)


def _places(incident: Incident, kind: str) -> list[str]:
    """The ids of teams, queues or sites that an incident touches."""
    own = [entity_id(incident.entity)] if entity_kind(incident.entity) == kind else []
    return [*own, *incident.labels.get(kind, ())]


def _within(week: str, now: datetime, duties: DutyBook) -> bool:
    local = now.astimezone(duties.zone)
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in parse_week(week)[local.weekday()])


def _called(incident: Incident, route: Route, duties: DutyBook, now: datetime) -> tuple[str, ...]:
    """Who is on duty for each team that it touches; where it touches none, for the operation."""
    if route.role is None:
        return ()
    return tuple(dict.fromkeys(_responsible(incident, route.role, duties, now)))


def _responsible(incident: Incident, role: str, duties: DutyBook, now: datetime) -> Iterator[str]:
    teams: Sequence[str | None] = list(dict.fromkeys(_places(incident, "team"))) or [None]
    person = entity_id(incident.entity) if entity_kind(incident.entity) == "agent" else None
    for team in teams:
        found = duties.who_is_responsible(now, team=team, person=person, role=role)
        if found is not None:
            yield found.agent_id
