"""Whose figures of today differ from those of the rest of the team beyond chance: the marks in the agents' table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

import msgspec
from msgspec import Raw

from streams.contracts.outputs import Snapshot, Sums, Window
from streams.kpi.catalog import KPIS
from streams.kpi.compare import Verdict
from streams.kpi.policies import AnyPolicy, versions
from streams.kpi.regained import Regained, tells_sums
from streams.wallboard import layout
from streams.wallboard.items import Item

#: The window that is compared: a person's few minutes say nothing.
WINDOW: Window = "today"
#: A team is compared once in this time at most: of a day's figures no more is seen by looking more often. Seconds.
_REST = 5.0

#: KPI id → better, worse, higher or lower; a KPI in which nobody can tell is not there.
Marks = dict[str, Verdict]
#: Id of an agent or of a KPI → the sums behind a figure; None: they do not come back.
_Told = dict[str, Sums | None]


@dataclass(frozen=True)
class _Team:
    """A team as it was last compared: when, each agent's snapshot and what came back of it, and by KPI who was compared by what and
    who differs how.
    """

    at: float
    told: dict[str, tuple[Item[Snapshot], _Told]]
    compared: dict[str, tuple[_Told, Marks]]


_NEW = _Team(-inf, {}, {})


class Differing:
    """Compares the agents of whole teams, KPI by KPI; what has not changed is not compared again.

    One comparison is one KPI of one team, as ``deskpulse kpi compare KPI --team TEAM`` makes it. Agents without a team have no mark.
    """

    def __init__(self, policy: AnyPolicy, kpis: Iterable[str] | None = None, rest: float = _REST) -> None:
        """``kpis``: ids of the KPIs compared; those of the agents' table where not given. ``rest``: in seconds."""
        self._policy = policy
        shown = (place.kpi for place in layout.AGENT if place.part == "value")
        self._kpis = tuple(shown if kpis is None else kpis)
        self._rest = rest
        self._version = ""
        self._formulas: dict[str, Regained] = {}
        self._teams: dict[str, _Team] = {}
        self._marks: dict[str, Item[Any]] = {}

    def marks(
        self, agents: Mapping[str, Item[Snapshot]], teams: Mapping[str, Sequence[str]], version: str | None
    ) -> dict[str, Item[Any]]:
        """Agent → his ``Marks``, of those who have any. ``teams``: all agents of each team that is to be compared; ``version``:
        the name of the policy's version by which the figures were made.
        """
        self._judge_by(version)
        now = monotonic()
        due = [name for name in teams if now - self._teams.get(name, _NEW).at >= self._rest]
        if due or self._teams.keys() != teams.keys():
            compared = {name: self._compared(now, self._teams.get(name, _NEW), agents, teams[name]) for name in due}
            self._teams = {name: compared.get(name) or self._teams[name] for name in teams}
            self._marks = self._items()
        return self._marks

    def _judge_by(self, version: str | None) -> None:
        every = [policy for _, policy in versions(self._policy)]
        policy = next((one for one in every if one.version == version), every[-1])
        if policy.version == self._version and self._formulas:
            return
        self._version, self._teams = policy.version, {}
        chosen = (KPIS[id] for id in self._kpis)
        self._formulas = {
            kpi.id: Regained(kpi, policy) for kpi in chosen if tells_sums(kpi, kpi.bound(policy, "staff"))
        }

    def _compared(
        self, now: float, before: _Team, agents: Mapping[str, Item[Snapshot]], members: Sequence[str]
    ) -> _Team:
        told = {}
        for id in members:
            if (item := agents.get(id)) is not None:
                own = before.told.get(id)
                told[id] = own if own is not None and own[0] is item else (item, self._regained(item.value))
        compared = {}
        for kpi, formula in self._formulas.items():
            people = {id: sums[kpi] for id, (_, sums) in told.items() if kpi in sums}
            held = before.compared.get(kpi)
            compared[kpi] = held if held and held[0] == people else (people, _differing(formula, people))
        return _Team(now, told, compared)

    def _regained(self, snapshot: Snapshot) -> _Told:
        figures = snapshot.windows.get(WINDOW, {})
        return {kpi: formula.sums(figures[kpi]) for kpi, formula in self._formulas.items() if kpi in figures}

    def _items(self) -> dict[str, Item[Any]]:
        marks: dict[str, Marks] = {}
        for team in self._teams.values():
            for kpi, (_, differing) in team.compared.items():
                for id, verdict in differing.items():
                    marks.setdefault(id, {})[kpi] = verdict
        return {id: Item(b"", own, Raw(msgspec.json.encode(own))) for id, own in marks.items()}


def _differing(formula: Regained, people: Mapping[str, Sums | None]) -> Marks:
    """Who differs how; nobody where one's sums do not come back, as those of the others would lack his."""
    whole = {id: sums for id, sums in people.items() if sums is not None}
    if len(whole) < len(people) or len(whole) < 2:
        return {}
    return {each.who: each.verdict for each in formula.compare(whole) if each.differs}
