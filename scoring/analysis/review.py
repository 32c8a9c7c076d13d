"""A review of a card over past periods: which items go along with satisfaction, which separate nobody, what targets fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from scoring.analysis.correlation import Correlation, among_all, correlated, cuts, most_alike, shrunken
from scoring.cards.model import Card, Item
from scoring.evaluation.scorer import PersonScore
from scoring.evaluation.scores import ItemScore
from scoring.inputs.values import figure_spec
from scoring.period import Period
from scoring.reports.sheets.context import LEAST_PEERS, attained
from scoring.runs.run import Run
from streams.contracts.outputs import DailyFacts, RosterEntry, Sums, entity_id, entity_kind
from streams.kpi.by_version import Judged
from streams.kpi.catalog import KPIS
from streams.kpi.maturity import Maturity
from streams.kpi.policy.model import SATISFIED_FROM, Policy
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import Direction, side_of

#: Where so many earn the same points, an item separates nobody; and the scores that it takes to say so.
ALIKE, LEAST_SCORES = Fraction(9, 10), 5


@dataclass(frozen=True)
class ItemReview:
    """One item over all people and periods.

    ``mean``: of the shares of its maximum that it earned; ``alike``: how many of all earn the same points. ``own``: it
    is the satisfaction itself, or another figure of the same ratings. ``correlation``: of people's mean points with their
    satisfaction. ``better``: which way.
    ``quantiles``: of its values, 10 to 90 % (`cuts`). ``target_met``: how many of its values meet the target.
    ``proposed``: the value that the best quarter truly reaches, by people's `shrunken` means. None, throughout: too little to tell.
    """

    item: Item
    scored: int
    unscored: int
    mean: Fraction | None
    alike: Fraction | None
    own: bool
    correlation: Correlation | None
    better: Direction | None
    quantiles: tuple[Fraction, ...] | None
    target_met: Fraction | None
    proposed: Fraction | None

    @property
    def separates(self) -> bool | None:
        """Does it tell people apart? None: too few scores to say."""
        if self.alike is None or self.scored < LEAST_SCORES:
            return None
        return self.alike < ALIKE


@dataclass(frozen=True)
class GroupReview:
    """A site or team: people, their mean total as a share of what was scored, and item by item; None: too few people."""

    name: str
    people: int
    mean: Fraction | None
    items: Mapping[str, Fraction]


@dataclass(frozen=True)
class Review:
    """A card over its periods. ``against``: id of the KPI that stands for satisfaction."""

    card: Card
    periods: tuple[Period, ...]
    people: int
    against: str
    items: tuple[ItemReview, ...]
    sites: tuple[GroupReview, ...]
    teams: tuple[GroupReview, ...]


def satisfaction(
    facts: Iterable[DailyFacts], period: Period, policy: AnyPolicy, kpi: str, as_of: datetime | None = None
) -> dict[str, Fraction]:
    """Agent → the KPI over the period; those without data are absent. Raises ValueError for an unknown KPI.

    ``as_of``: the moment as of which it is judged what has matured (all where it is not given), for a KPI of matured days only.
    """
    matures = _matures(kpi)
    judged, maturity = Judged(policy, period.first, period.last), Maturity(policy, as_of)
    own = (day for day in facts if entity_kind(day.entity) == "agent" and day.date in period)
    sums: dict[str, Sums] = {}
    for day in own:
        if matures not in maturity.young(day.date):
            judged.add(sums.setdefault(entity_id(day.entity), {}), day.entity, day.date, day.sums)
    bound = judged.bound(kpi, side_of("agent"))
    found = {id: bound.exact(of) for id, of in sums.items()}
    return {id: value for id, value in found.items() if value is not None}


def _matures(kpi: str) -> str | None:
    """What must have matured for a KPI of matured days only; None: of all days. Raises ValueError for an unknown KPI."""
    if (known := KPIS.get(kpi)) is None:
        raise ValueError(
            f"no KPI is called {kpi!r}; those of satisfaction: {', '.join(id for id in KPIS if 'csat' in id)}"
        )
    return known.matures if known.only_mature else None


def review(
    runs: Sequence[Run],
    satisfied: Sequence[Mapping[str, Fraction]],
    against: str,
    rosters: Sequence[Mapping[str, RosterEntry]] = (),
) -> Review:
    """The review of one card's runs; ``satisfied`` and ``rosters`` are theirs, in the same order.

    A person counts once in a correlation, by their means over the periods: their periods are no independent cases. Raises
    ValueError without runs, or of several cards.
    """
    if not runs or len({(run.card.id, run.card.version) for run in runs}) != 1:
        raise ValueError("a review takes runs of one card in one version; give at least one")
    card = runs[0].card
    happy = _means((person, value) for period in satisfied for person, value in period.items())
    items = [_item(card, card.item(id), own, happy, against) for id, own in _scores(runs).items()]
    found = among_all([one.correlation for one in items])
    return Review(
        card,
        tuple(run.period for run in runs),
        len({person.person for run in runs for person in run.people}),
        against,
        tuple(replace(one, correlation=corrected) for one, corrected in zip(items, found, strict=True)),
        _groups(runs, rosters, lambda entry: entry.site_id),
        _groups(runs, rosters, lambda entry: entry.team_id),
    )


def _scores(runs: Sequence[Run]) -> dict[str, list[tuple[str, ItemScore]]]:
    """Item id → whose and which score, over all runs."""
    made: dict[str, list[tuple[str, ItemScore]]] = {item.id: [] for run in runs for item in run.items}
    for run in runs:
        for person in run.people:
            for item in person.items:
                made[item.item.id].append((person.person, item))
    return made


def _item(
    card: Card, item: Item, scores: Sequence[tuple[str, ItemScore]], happy: Mapping[str, Fraction], against: str
) -> ItemReview:
    shares = [(person, share) for person, score in scores if (share := attained(score)) is not None]
    reached = [share for _, share in shares]
    met = [score.met for _, score in scores if score.met is not None]
    quantiles, better = cuts(_values(item, scores)), _better(card, item)
    own = item.kpi is not None and _of_the_same(item.kpi, against)
    return ItemReview(
        item=item,
        scored=len(shares),
        unscored=len(scores) - len(shares),
        mean=_mean(reached),
        alike=most_alike(reached),
        own=own,
        correlation=None if own else _correlated(_means(shares), happy),
        better=better,
        quantiles=quantiles,
        target_met=Fraction(sum(met), len(met)) if met else None,
        proposed=None if quantiles is None else _proposed(_shrunken(scores), better),
    )


def _values(item: Item, scores: Sequence[tuple[str, ItemScore]]) -> list[Fraction]:
    """The item's figures; none of an item that people rate."""
    return [] if item.rated else [score.value for _, score in scores if score.value is not None]


def _correlated(means: Mapping[str, Fraction], happy: Mapping[str, Fraction]) -> Correlation | None:
    return correlated([(means[person], happy[person]) for person in sorted(means.keys() & happy.keys())])


def _shrunken(scores: Sequence[tuple[str, ItemScore]]) -> list[Fraction]:
    by: dict[str, list[Fraction]] = {}
    for person, score in scores:
        if score.value is not None:
            by.setdefault(person, []).append(score.value)
    return shrunken(list(by.values()))


def _proposed(people: Sequence[Fraction], better: Direction | None) -> Fraction | None:
    """The value that the best quarter reaches; None where that is not told, or no way is the better one."""
    at, quantiles = {"higher": 3, "lower": 1}.get(better or ""), cuts(people)
    return None if quantiles is None or at is None else quantiles[at]


def _of_the_same(kpi: str, other: str) -> bool:
    """Are both made of the same ratings, so that they go together whoever is rated?"""
    return kpi == other or (_is_rating(kpi) and _is_rating(other))


def _is_rating(kpi: str) -> bool:
    terms = [
        terms for policy in (Policy(csat_mean_scale=scale) for scale in SATISFIED_FROM) for terms in _below(kpi, policy)
    ]
    return bool(terms) and all(measure.startswith("csat_") for measure in terms)


def _below(kpi: str, policy: Policy) -> list[str]:
    return [measure for measure, _ in KPIS[kpi].bound(policy, "staff").bottom or ()]


def _better(card: Card, item: Item) -> Direction | None:
    if item.kpi is not None:
        return KPIS[item.kpi].better
    spec = figure_spec(card, item)
    return spec.better if spec else None


def _groups(
    runs: Sequence[Run], rosters: Sequence[Mapping[str, RosterEntry]], group_of: Callable[[RosterEntry], str | None]
) -> tuple[GroupReview, ...]:
    """Everybody who was scored, by their group in that period; in order of the group."""
    totals: dict[str, list[tuple[str, Fraction]]] = {}
    items: dict[str, dict[str, list[tuple[str, Fraction]]]] = {}
    for group, person in _by_group(runs, rosters, group_of):
        if person.tally.total is None:
            continue
        share = Fraction(person.tally.total) / Fraction(person.tally.scored_max)
        totals.setdefault(group, []).append((person.person, share))
        for item in person.items:
            if (reached := attained(item)) is not None:
                items.setdefault(group, {}).setdefault(item.item.id, []).append((person.person, reached))
    made = []
    for group in sorted(totals):
        own = {id: of for id, shares in items.get(group, {}).items() if (of := _of_enough(shares)) is not None}
        made.append(GroupReview(group, len(_means(totals[group])), _of_enough(totals[group]), own))
    return tuple(made)


def _by_group(
    runs: Sequence[Run], rosters: Sequence[Mapping[str, RosterEntry]], group_of: Callable[[RosterEntry], str | None]
) -> Iterator[tuple[str, PersonScore]]:
    """Everybody who was scored and is in a group in that period, with it."""
    for run, roster in zip(runs, rosters, strict=False):
        for person in run.people:
            entry = roster.get(person.person)
            if entry is not None and (group := group_of(entry)) is not None:
                yield group, person


def _of_enough(shares: Sequence[tuple[str, Fraction]]) -> Fraction | None:
    means = _means(shares)
    return _mean(list(means.values())) if len(means) >= LEAST_PEERS else None


def _means(values: Iterable[tuple[str, Fraction]]) -> dict[str, Fraction]:
    """Person → the mean of their values."""
    by: dict[str, list[Fraction]] = {}
    for person, value in values:
        by.setdefault(person, []).append(value)
    return {person: sum(own, Fraction(0)) / len(own) for person, own in by.items()}


def _mean(values: Sequence[Fraction]) -> Fraction | None:
    return sum(values, Fraction(0)) / len(values) if values else None
