"""Whose days are laid side by side: the agents of a team by the roster, or all there are; and what they are called."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from streams.commands.shared.context import Deployment, clear_errors, stop
from streams.commands.shared.facts_source import Days, Source
from streams.contracts.outputs import DailyFacts, entity_id
from streams.kpi.explained import near
from streams.people.names import Names
from streams.people.store import names

Team = Annotated[
    str | None, typer.Option("--team", help="Only agents of this team, by the roster; all agents where absent")
]

IdsOnly = Annotated[
    bool, typer.Option("--ids", help="Ids in place of names, also where names are known: for what others get to see")
]


def called(here: Deployment, ids: bool) -> Names:
    """What people are called, as whoever runs a command may see it; nobody by name where ids are asked for."""
    with clear_errors():
        return Names() if ids else names(here.database, here.data_dir)


def days_of_agents(source: Source, within: Days, team: str | None) -> dict[str, list[DailyFacts]]:
    """Agent id → their days, by id. The roster's entry on the period's last day says in which team they are.

    Ends the command where there are none, and where fewer than two agents could be laid side by side.
    """
    there: dict[str, list[DailyFacts]] = {}
    for fact in source.daily_facts(within, "agent"):
        there.setdefault(entity_id(fact.entity), []).append(fact)
    if not there:
        raise stop(f"no facts of any agent in {within} at {source.place}")
    if team is not None:
        members = _members(source, team, within.last)
        there = {id: own for id, own in there.items() if id in members}
    if len(there) < 2:
        who = f"of team {team} " if team else ""
        raise stop(f"{len(there)} agents {who}have facts in {within}; a comparison takes at least two")
    return there


def _members(source: Source, team: str, day: date) -> set[str]:
    """Who is in a team on a day. Ends the command for a team that the roster does not know."""
    teams: dict[str, set[str]] = {}
    for id, entry in source.roster(day).items():
        if entry.team_id:
            teams.setdefault(entry.team_id, set()).add(id)
    if not teams:
        raise stop(
            "no roster says who is in which team: import one with `deskpulse roster import` (for a --table: give "
            "--roster), or leave --team out"
        )
    if team not in teams:
        raise stop(f"the roster knows no team {team!r} on {day}; {near(team, sorted(teams))}")
    return teams[team]
