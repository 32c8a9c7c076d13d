"""Which place is a part of which: an agent of a team, a team of a site, everything of the whole operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from streams.contracts.outputs import ALL, ENTITY_KINDS, entity, entity_id, entity_kind
from streams.roster import Roster

#: Kind of an entity → how wide a place it is.
WIDTH: Mapping[str, int] = {kind: width for width, kind in enumerate(ENTITY_KINDS)}


class Places:
    """Teams and sites as the roster has them. Where it has none, nobody knows of which site somebody is."""

    def __init__(self, roster: Roster | None = None) -> None:
        self._roster = roster or Roster()
        #: As of which day the sites of teams were looked up, and what they are.
        self._day: date | None = None
        self._sites: dict[str, str] = {}

    def load(self, messages: Mapping[str, bytes | None]) -> dict[str, str]:
        """Take over messages of the topic ``roster``, as ``Roster.load``."""
        self._day = None
        return self._roster.load(messages)

    def team(self, of: str, said: str | None, day: date) -> str | None:
        """The team of an agent: as the alert says, else as the roster has it; None for whoever is no agent, or where nobody knows."""
        if entity_kind(of) != "agent" or said is not None:
            return said
        entry = self._roster.on(entity_id(of), day)
        return None if entry is None else entry.team_id

    def site(self, of: str, team: str | None, day: date) -> str | None:
        """The site of an agent or team on a day, or the site itself; None: of none, or nobody knows. A team is where most of it is."""
        kind, id = entity_kind(of), entity_id(of)
        if kind == "site":
            return id
        if kind == "agent":
            entry = self._roster.on(id, day)
            if entry is not None and entry.site_id is not None:
                return entry.site_id
        own = id if kind == "team" else team
        return None if own is None else self._team_sites(day).get(own)

    def _team_sites(self, day: date) -> dict[str, str]:
        if self._day != day:
            counted: dict[str, Counter[str]] = {}
            for agent in self._roster.agents():
                entry = self._roster.on(agent, day)
                if entry is not None and entry.team_id is not None and entry.site_id is not None:
                    counted.setdefault(entry.team_id, Counter())[entry.site_id] += 1
            self._sites = {team: min(sites, key=lambda site: (-sites[site], site)) for team, sites in counted.items()}
            self._day = day
        return self._sites


def is_part(narrow: str, team: str | None, site: str | None, wide: str) -> bool:
    """Is an entity, of a team and a site, certainly a part of a wider one?"""
    return wide != narrow and (
        wide == ALL
        or (team is not None and entity_kind(narrow) == "agent" and wide == entity("team", team))
        or (site is not None and wide == entity("site", site))
    )
