"""Roles, and what whoever has them may see and do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from streams.contracts.outputs import entity_id, entity_kind

Role: TypeAlias = Literal["viewer", "agent", "supervisor", "quality", "hr", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
#: In place of a team: all of them.
ALL_TEAMS = "*"


@dataclass(frozen=True)
class Scope:
    """What somebody sees of the floor. ``places``: queues, sites and the whole; ``teams``: figures of these teams (``*``: all);
    ``agents_of``: figures of these teams' agents; ``person``: their own figures; ``inside``: notes and steps, which people have typed.
    """

    places: bool
    teams: frozenset[str]
    agents_of: frozenset[str]
    person: str | None = None
    inside: bool = False

    def sees(self, key: str, team: str | None) -> bool:
        """May they see what is said of an entity? ``team``: that of an agent; None: nobody knows."""
        kind, id = entity_kind(key), entity_id(key)
        if kind == "agent":
            return id == self.person or ALL_TEAMS in self.agents_of or (team is not None and team in self.agents_of)
        if kind == "team":
            return ALL_TEAMS in self.teams or id in self.teams
        return self.places


@dataclass(frozen=True)
class Visitor:
    """Somebody who is in. ``name``: as they log in; ``person``: their id on the roster; ``digest``: what their browser holds, digested;
    ``by_provider``: the single sign-on let them in; ``board``: the one that a screen shows.
    """

    name: str
    roles: frozenset[Role]
    person: str | None
    teams: frozenset[str]
    digest: str
    session: str | None = None
    by_provider: bool = False
    board: str | None = None

    @property
    def author(self) -> str:
        """Who they are in journals: ids only."""
        return self.person or self.name

    @property
    def is_screen(self) -> bool:
        """A screen on a wall, which looks and does nothing."""
        return self.session is None

    @property
    def scope(self) -> Scope:
        """What they see of the floor: a supervisor their teams, an agent themself, who has none of these no person."""
        every = frozenset({ALL_TEAMS})
        watches = self.roles & {"viewer", "quality", "hr", "administrator"}
        leads = self.teams if "supervisor" in self.roles else frozenset()
        wide = every if "quality" in self.roles or (watches and not self.teams) else self.teams
        return Scope(
            places=bool(self.roles - {"agent"}),
            teams=wide if watches else leads,
            agents_of=every if "quality" in self.roles else leads,
            person=self.person if "agent" in self.roles else None,
            inside=bool(self.roles & {"supervisor", "quality"}),
        )


def checked_roles(roles: Iterable[str], person: str | None, teams: Iterable[str]) -> list[Role]:
    """The roles, in their order. Raises ValueError for none, an unknown one, and one without whom it is for."""
    given, known = set(roles), set(teams)
    if unknown := sorted(given - set(ROLES)):
        raise ValueError(f"no role {unknown[0]!r}; give one of {', '.join(ROLES)}")
    if not given:
        raise ValueError(f"a user has a role: give --role, one of {', '.join(ROLES)}")
    if "agent" in given and not person:
        raise ValueError("an agent sees themself: give --person ID, their id on the roster")
    if "supervisor" in given and not known:
        raise ValueError("a supervisor leads teams: give --team ID, or --team '*' for all")
    return [role for role in ROLES if role in given]
