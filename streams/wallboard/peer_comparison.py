"""Whose figures of today differ from those of the rest of the team beyond chance: the marks in the agents' table.

A screen is looked at all day and has many columns; whoever looks a hundred times at eight columns sees something "differ" sooner or
later. So all columns of a team are adjusted together, and a mark asks for more than a single look does: of teams whose members are all
alike, one in twenty has any mark at any time of a day, at most. That holds for contacts that are independent: how much a person's days
differ, one day cannot tell (``deskpulse kpi compare`` can, of a month).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any

import msgspec
from msgspec import Raw

from streams.contracts.outputs import TODAY, Sums, Totals
from streams.entities.snapshot import Snapshots, plain
from streams.kpi.catalog import KPIS
from streams.kpi.compare import UNDECIDED, Pairing, Sample, Verdict, adjusted, comparable, pairings, verdict_of
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Bound
from streams.wallboard import layout
from streams.wallboard.items import Item

#: The window that is compared: a person's few minutes say nothing.
WINDOW = TODAY
#: A team is compared once in this time at most: of a day's figures no more is seen by looking more often. Seconds.
_REST = 5.0

#: The greatest adjusted p-value that is marked, for a team's columns together and a day of looking.
MOST = 0.01

#: KPI id → better, worse, higher or lower; a KPI in which nobody can tell is not there.
Marks = dict[str, Verdict]
#: Id of an agent → what of their sums a KPI is made of.
_People = dict[str, Sums]


@dataclass(frozen=True)
class _Team:
    """A team as it was last compared: when, and by KPI who was compared by what, and how far they are apart."""

    at: float
    compared: dict[str, tuple[_People, list[Pairing]]]


_NEW = _Team(-inf, {})


class Differing:
    """Compares the agents of whole teams, KPI by KPI; what has not changed is not compared again.

    One comparison is one KPI of one team, as ``deskpulse kpi compare KPI --team TEAM`` makes it; verdicts are on all of a team's together.
    Agents without a team have no mark.
    """

    def __init__(self, policy: AnyPolicy, kpis: Iterable[str] | None = None, rest: float = _REST) -> None:
        """``kpis``: ids of the KPIs compared; those of the agents' table where not given. ``rest``: in seconds."""
        self._snapshots = Snapshots(policy)
        shown = (place.kpi for place in layout.AGENT if place.part == "value")
        self._kpis = tuple(shown if kpis is None else kpis)
        self._rest = rest
        self._version = ""
        self._formulas: dict[str, Bound] = {}
        self._teams: dict[str, _Team] = {}
        self._marks: dict[str, Item[Any]] = {}

    def marks(
        self, agents: Mapping[str, Item[Totals]], teams: Mapping[str, Sequence[str]], version: str | None
    ) -> dict[str, Item[Any]]:
        """Agent → their ``Marks``, of those who have any. ``teams``: all agents of each team that is to be compared; ``version``:
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
        policy = self._snapshots.policy(version)
        if policy.version == self._version and self._formulas:
            return
        self._version, self._teams = policy.version, {}
        chosen = (KPIS[id] for id in self._kpis)
        # Of today nothing has matured.
        self._formulas = {
            kpi.id: kpi.bound(policy, "staff") for kpi in chosen if comparable(kpi) and kpi.matures is None
        }

    def _compared(self, now: float, before: _Team, agents: Mapping[str, Item[Totals]], members: Sequence[str]) -> _Team:
        today = {id: plain(agents[id].value)[WINDOW] for id in members if id in agents}
        compared = {}
        for kpi, bound in self._formulas.items():
            people = {id: own for id, sums in today.items() if (own := _own(bound, sums))}
            held = before.compared.get(kpi)
            compared[kpi] = held if held and held[0] == people else (people, _pairings(kpi, bound, people))
        return _Team(now, compared)

    def _items(self) -> dict[str, Item[Any]]:
        marks: dict[str, Marks] = {}
        for team in self._teams.values():
            for kpi, id, verdict in _differing(team):
                marks.setdefault(id, {})[kpi] = verdict
        return {id: Item(b"", own, Raw(msgspec.json.encode(own))) for id, own in marks.items()}


def _own(bound: Bound, sums: Sums) -> Sums:
    """What of an agent's sums a formula is made of."""
    terms = (*bound.top, *(bound.bottom or ()), *bound.squares)
    return {measure: amount for measure, _ in terms if (amount := sums.get(measure))}


def _pairings(kpi: str, bound: Bound, people: _People) -> list[Pairing]:
    """Each beside all others."""
    return pairings(KPIS[kpi], bound, {id: Sample.of(bound, (own,)) for id, own in people.items()})


def _differing(team: _Team) -> Iterator[tuple[str, str, Verdict]]:
    """In which KPI who differs how, all columns adjusted together."""
    pairs = [(kpi, pair) for kpi, (_, own) in team.compared.items() for pair in own if pair.difference is not None]
    corrected = adjusted([pair.difference.p for _, pair in pairs if pair.difference is not None])
    for (kpi, pair), p in zip(pairs, corrected, strict=True):
        verdict = verdict_of(KPIS[kpi].better, pair.own, pair.difference, p, MOST)
        if verdict not in UNDECIDED:
            yield kpi, pair.who, verdict
