"""What a person's sheet shows besides their own scores: their team's, what follows from the total, and what went before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from scoring.evaluation.scorer import ItemScore, PersonScore
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.runs.run import Run
from streams.contracts.outputs import RosterEntry
from streams.languages.text import Text
from streams.people.names import Names
from streams.people.units import UnitNames

#: A mean over fewer people would tell a colleague's score.
LEAST_PEERS = 3
#: Months that the trend shows at most, this one included.
TREND = 12


@dataclass(frozen=True)
class Excluded:
    """Something that was left out of a person's figures, such as a contact after an appeal, and why."""

    what: Text
    why: Text


@dataclass(frozen=True)
class Means:
    """What people attain on average, as shares of the maximum: by item and by section, where somebody is scored.

    ``name``: whom it is the mean of.
    """

    name: Text
    people: int
    items: Mapping[str, Fraction]
    sections: Mapping[str, Fraction]


@dataclass(frozen=True)
class Context:
    """A run and what is known around it.

    ``outcomes``: of the same month. ``roster``: person → their entry. ``totals``: person → earlier months' totals as they
    were published, period → total (None: unscored). ``excluded``: person → what was left out. ``names``: of those who may be called
    by name. ``units``: what teams and sites are called. ``appeal``: until when appeals are made.
    """

    run: Run
    outcomes: Outcomes | None = None
    roster: Mapping[str, RosterEntry] = field(default_factory=dict)
    totals: Mapping[str, Mapping[str, Decimal | None]] = field(default_factory=dict)
    excluded: Mapping[str, Sequence[Excluded]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    units: UnitNames = field(default_factory=UnitNames)
    appeal: Text | None = None

    @cached_property
    def scores(self) -> Mapping[str, PersonScore]:
        """Person → their score."""
        return {person.person: person for person in self.run.people}

    @cached_property
    def decided(self) -> Mapping[str, PersonOutcome]:
        """Person → their outcome."""
        return {one.person: one for one in self.outcomes.people} if self.outcomes else {}

    def team(self, person: str) -> Text | None:
        """What their team is called."""
        entry = self.roster.get(person)
        return self._called("team", entry.team_id if entry else None)

    def site(self, person: str) -> Text | None:
        """What their site is called."""
        entry = self.roster.get(person)
        return self._called("site", entry.site_id if entry else None)

    def _called(self, kind: str, id: str | None) -> Text | None:
        key = f"{kind}|{id}"
        return Text(self.units.shown(key, "zh"), self.units.shown(key, "en")) if id else None

    def means(self, person: str) -> Means | None:
        """Their team's means, or everybody's where their team has too few people; None where everybody is too few too."""
        entry = self.roster.get(person)
        team = self._means.get(entry.team_id) if entry and entry.team_id else None
        return team or self._means.get(None)

    def trend(self, person: str) -> list[tuple[str, Decimal | None]]:
        """Period → total, the newest last and at most `TREND` of them; this period's own is the last."""
        now, total = str(self.run.period), self.scores[person].tally.total
        before = sorted((at, known) for at, known in self.totals.get(person, {}).items() if at < now)
        return [*before[-(TREND - 1) :], (now, total)]

    @cached_property
    def _means(self) -> Mapping[str | None, Means]:
        groups: dict[str | None, list[PersonScore]] = {None: [p for p in self.run.people if _scored(p)]}
        for person in groups[None]:
            entry = self.roster.get(person.person)
            if entry and entry.team_id:
                groups.setdefault(entry.team_id, []).append(person)
        return {
            team: _mean(self._called("team", team), members)
            for team, members in groups.items()
            if len(members) >= LEAST_PEERS
        }


def attained(item: ItemScore) -> Fraction | None:
    """What share of its maximum an item has earned; None where unscored."""
    if item.points is None or not item.item.max:
        return None
    return Fraction(item.points) / Fraction(item.item.max)


def section_attained(items: Sequence[ItemScore]) -> Fraction | None:
    """What share of their worth the scored ones among the items have earned; None where not one is scored."""
    there = [(one.counted, one.worth) for one in items if one.counted is not None and one.worth]
    whole = sum((worth for _, worth in there), Fraction(0))
    return sum((counted for counted, _ in there), Fraction(0)) / whole if whole else None


def _scored(person: PersonScore) -> bool:
    return any(item.points is not None for item in person.items)


def _mean(team: Text | None, members: Sequence[PersonScore]) -> Means:
    items: dict[str, list[Fraction]] = {}
    sections: dict[str, list[Fraction]] = {}
    for person in members:
        for part in person.sections:
            if (share := section_attained(part.items)) is not None:
                sections.setdefault(part.section.id, []).append(share)
            for item in part.items:
                if (share := attained(item)) is not None:
                    items.setdefault(item.item.id, []).append(share)
    name = (
        Text(f"全体人员平均（{len(members)} 人）", f"mean of all {len(members)}")
        if team is None
        else Text(f"班组 {team.zh} 平均（{len(members)} 人）", f"mean of team {team.en} ({len(members)})")
    )
    return Means(name, len(members), _averages(items), _averages(sections))


def _averages(shares: Mapping[str, Sequence[Fraction]]) -> dict[str, Fraction]:
    return {id: sum(of, Fraction(0)) / len(of) for id, of in shares.items() if len(of) >= LEAST_PEERS}
