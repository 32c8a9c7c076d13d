"""Everything a run is made of, and how it is written and read back: the same materials give the same bytes and results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

import msgspec
from pydantic import BaseModel

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Season
from scoring.inputs.polled import Polled
from scoring.inputs.validation import half
from scoring.inputs.values import Given, read
from scoring.outcomes.people import History, Past
from scoring.outcomes.settings import Settings
from scoring.outcomes.terms import Kind, Term
from scoring.period import Period, parse_period
from scoring.runs.canonical_json import written
from scoring.runs.jsonl import Facts
from scoring.runs.outcome_inputs import Handed, Incomplete
from scoring.runs.resampling import RESAMPLES
from scoring.runs.run import Run, run
from scoring.runs.shifted import Span, begins, days_of, kpis_of
from streams.contracts.outputs import DailyFacts, RosterEntry, Sums, Target
from streams.kpi.catalog import KPIS
from streams.kpi.measures import add
from streams.kpi.policy import versions
from streams.kpi.policy.versions import AnyPolicy
from streams.targets.book import Targets

#: Person → item → field → what a party of several raters has given.
Panels: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Polled]]]
_Model = TypeVar("_Model", bound=BaseModel)
SCHEMA = "deskpulse/materials/3"
#: What rules of outcomes said before it could be set, by field, for runs that were frozen then.
_BEFORE: Mapping[str, Mapping[str, Any]] = {
    "deskpulse/materials/1": {"rescaled_from": 0, "ranking": {"smallest_group": 1, "least_scored": 0}},
    "deskpulse/materials/2": {},
    SCHEMA: {},
}
#: The longer terms that a month decided then.
_CLOSED_BEFORE: tuple[Kind, ...] = ("quarter", "year")


class MaterialsError(ValueError):
    """Materials that cannot be used (again); the message says why and what to do."""


@dataclass(frozen=True)
class Materials:
    """What a run is made of. ``facts``: of the period, and of rated days before it (streaks look back); asked for repeatedly.

    ``policy``: the versions in force in the period. ``kpi_versions``: the meanings that the figures had. ``opened``: the day on
    which follow-up actions open. ``as_of``: the moment as of which days have matured; None: the beginning of that day, in runs that
    were frozen before the moment was told. ``targets``: those that fill what the card leaves open.
    ``closes``: the longer kinds of term that are decided beside the period, where they end with it.
    ``panels``: what parties of several raters have given.
    ``adjusted``: what accepted appeals have changed in the facts, as facts to be added.
    """

    card: Card
    period: Period
    policy: AnyPolicy
    facts: Iterable[DailyFacts]
    opened: date
    as_of: datetime | None = None
    roster: Mapping[str, RosterEntry] = field(default_factory=dict)
    inputs: Handed = field(default_factory=dict)
    panels: Panels = field(default_factory=dict)
    seasons: tuple[Season, ...] = ()
    settings: Settings | None = None
    history: Mapping[str, History] = field(default_factory=dict)
    pools: Mapping[str, Decimal] = field(default_factory=dict)
    closes: tuple[Kind, ...] = ()
    incomplete: Incomplete = Incomplete.unscored
    adjusted: tuple[DailyFacts, ...] = ()
    kpi_versions: Mapping[str, int] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()

    def run(
        self, along: Callable[[Iterable[DailyFacts]], Iterable[DailyFacts]] = iter, *, compared: bool = True
    ) -> Run:
        """The scores. ``along``: hands on the facts that they are made of, to read along. ``compared``: as `scoring.runs.run.run` has it.

        Raises MaterialsError where this program knows a KPI by another meaning than was frozen.
        """
        for id, version in self.kpi_versions.items():
            if id not in KPIS or KPIS[id].version != version:
                have = f"version {KPIS[id].version}" if id in KPIS else "no such KPI"
                raise MaterialsError(
                    f"the run was made with version {version} of the KPI {id}, this program has {have}: "
                    "the frozen result stands; compute it anew with the program that made it"
                )
        return run(
            self.card,
            self.period,
            along(adjusted(self.facts, self.adjusted)),
            self.policy,
            self.roster,
            self.given(),
            self.seasons,
            self.as_of or datetime.combine(self.opened, time(), self.policy.zone),
            Targets(self.targets),
            shift=self.shifts,
            resamples=RESAMPLES if self.settings is not None and self.settings.ranking.sure else 0,
            compared=compared,
        )

    @property
    def shifts(self) -> bool:
        """Is what matures late taken of earlier days?"""
        return self.settings is not None and self.settings.unmatured == "shift"

    def days_of(self, kpi: str) -> Span:
        """The days that a KPI is taken of."""
        own = Span(self.period.first, self.period.last)
        return days_of(self.policy, self.period, kpi) if self.shifts else own

    @property
    def first(self) -> date:
        """The first day of which the period has anything."""
        return begins(self.policy, self.period, kpis_of(self.card)) if self.shifts else self.period.first

    def given(self) -> dict[str, dict[str, Decimal | Given]]:
        """What was handed in for the card's items, as scoring takes it. Half of a share's two counts is not there yet."""
        return with_panels(as_given(self.card, self.inputs), self.card, self.panels)


def as_given(card: Card, handed: Handed) -> dict[str, dict[str, Decimal | Given]]:
    """Person → item → what was handed in; one of two counts that make a share is no figure yet.

    Raises ValueError that names person and item for what the card does not take (any more).
    """
    items = {item.id: item for item in (*card.items, *card.optional)}
    made: dict[str, dict[str, Decimal | Given]] = {}
    for person, by_item in handed.items():
        for id, fields in by_item.items():
            if id not in items or half(card, items[id], fields):
                continue
            try:
                made.setdefault(person, {})[id] = read(card, items[id], fields)
            except ValueError as error:
                raise MaterialsError(f"{person}: {error}; hand it in anew") from error
    return made


def with_panels(
    given: dict[str, dict[str, Decimal | Given]], card: Card, panels: Panels
) -> dict[str, dict[str, Decimal | Given]]:
    """What was handed in, with the means of parties of several raters; what somebody has handed in for the same stands before it, such
    as a rating that an appeal brought.
    """
    for person, by_item in panels.items():
        for id, by_field in by_item.items():
            own = given.get(person, {}).get(id, Given())
            if card.has(id) and isinstance(own, Given):
                given.setdefault(person, {})[id] = _polled(own, by_field)
    return given


def _polled(own: Given, by_field: Mapping[str, Polled]) -> Given:
    for name, polled in by_field.items():
        if name in ("rating", "value"):
            if own.value is None:
                own = replace(own, value=polled.mean, polled={**own.polled, name: polled})
        elif name not in own.ratings:
            mean = {} if polled.mean is None else {name: str(polled.mean)}
            own = replace(own, ratings={**own.ratings, **mean}, polled={**own.polled, name: polled})
    return own


def adjusted(facts: Iterable[DailyFacts], by: Sequence[DailyFacts]) -> Iterable[DailyFacts]:
    """The facts with adjustments added to their days' sums; days that only adjustments have come last."""
    return _with(facts, by) if by else facts


def _with(facts: Iterable[DailyFacts], by: Iterable[DailyFacts]) -> Iterator[DailyFacts]:
    changes: dict[tuple[str, date], Sums] = {}
    for change in by:
        add(changes.setdefault((change.entity, change.date), {}), change.sums)
    for fact in facts:
        yield _added(fact, changes.pop((fact.entity, fact.date), None))
    for (entity, day), sums in changes.items():
        yield DailyFacts(entity=entity, date=day, sums=sums)


def _added(fact: DailyFacts, change: Sums | None) -> DailyFacts:
    if change is None:
        return fact
    sums = dict(fact.sums)
    add(sums, change)
    return msgspec.structs.replace(fact, sums=sums)


def pack(materials: Materials) -> tuple[bytes, Facts]:
    """The materials as two documents, the facts being one of their own: many revisions share them."""
    facts = materials.facts if isinstance(materials.facts, Facts) else Facts.of(materials.facts)
    body = {
        "schema": SCHEMA,
        "card": materials.card,
        "period": materials.period,
        # Every value is written, so that a new default changes no closed month; read once, as 300 and 300.0 are one value.
        "policy": versions.dump(versions.read(versions.dump(materials.policy))),
        "opened": materials.opened,
        **({} if materials.as_of is None else {"as_of": materials.as_of}),
        "roster": dict(materials.roster),
        "inputs": materials.inputs,
        **({"panels": materials.panels} if materials.panels else {}),
        "seasons": materials.seasons,
        "settings": materials.settings,
        "history": materials.history,
        "pools": dict(materials.pools),
        "closes": materials.closes,
        "incomplete": materials.incomplete,
        "adjusted": materials.adjusted,
        "kpi_versions": dict(materials.kpi_versions),
        **({"targets": materials.targets} if materials.targets else {}),
    }
    return written(body), facts


def unpack(body: bytes, facts: Facts) -> Materials:
    """The materials in these documents. Raises MaterialsError where they are not ones that this program reads."""
    raw = json.loads(body)
    if raw.get("schema") not in _BEFORE:
        raise MaterialsError(f"frozen materials of the schema {raw.get('schema')!r}, not {SCHEMA}; update the program")
    return Materials(
        card=_model(Card, raw["card"]),
        period=parse_period(raw["period"]),
        policy=versions.read(raw["policy"]),
        facts=facts,
        opened=date.fromisoformat(raw["opened"]),
        as_of=datetime.fromisoformat(raw["as_of"]) if "as_of" in raw else None,
        roster=msgspec.convert(raw["roster"], dict[str, RosterEntry]),
        inputs=raw["inputs"],
        panels=_panels(raw.get("panels", {})),
        seasons=tuple(_model(Season, season) for season in raw["seasons"]),
        settings=None
        if raw["settings"] is None
        else _model(Settings, _beneath(_BEFORE[raw["schema"]], raw["settings"])),
        history={person: history_of(before) for person, before in raw["history"].items()},
        pools={id: Decimal(amount) for id, amount in raw["pools"].items()},
        closes=tuple(raw.get("closes", _CLOSED_BEFORE)),
        incomplete=Incomplete(raw["incomplete"]),
        adjusted=tuple(msgspec.convert(raw["adjusted"], list[DailyFacts])),
        kpi_versions=raw["kpi_versions"],
        targets=tuple(msgspec.convert(raw.get("targets", []), list[Target])),
    )


def _panels(raw: Mapping[str, Any]) -> Panels:
    return {
        person: {
            item: {
                name: Polled(**{**one, "sum": None if one["sum"] is None else Decimal(one["sum"])})
                for name, one in fields.items()
            }
            for item, fields in items.items()
        }
        for person, items in raw.items()
    }


def _beneath(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said, and where nothing is said, what was so before."""
    parts = {key: _beneath(of, said.get(key, {})) for key, of in before.items() if isinstance(of, Mapping)}
    return {**before, **said, **parts}


def card_in(body: bytes) -> Card:
    """The card in this document of materials, without reading the rest."""
    return Card.model_validate_json(bytes(msgspec.json.decode(body, type=_OfCard).card))


def settings_in(body: bytes) -> Settings | None:
    """The rules of outcomes in this document of materials, without reading the rest."""
    found = msgspec.json.decode(body, type=_OfSettings)
    said = msgspec.json.decode(bytes(found.settings))
    return None if said is None else _model(Settings, _beneath(_BEFORE[found.schema], said))


class _OfCard(msgspec.Struct):
    card: msgspec.Raw


class _OfSettings(msgspec.Struct):
    schema: str
    settings: msgspec.Raw


def history_of(raw: Mapping[str, Any]) -> History:
    """A person's history as it was written."""
    past = tuple(
        Past(
            Term.parse(one["term"]),
            None if one["total"] is None else Decimal(one["total"]),
            one["met"],
            one["grade"],
            one["top"],
            one["stars"],
            one.get("ranked", True),
            one.get("whole", True),
        )
        for one in raw["past"]
    )
    granted = {id: tuple(date.fromisoformat(day) for day in days) for id, days in raw["granted"].items()}
    return History(past, granted)


def _model(kind: type[_Model], raw: Any) -> _Model:
    # As JSON, where tuples may be lists and figures text.
    return kind.model_validate_json(json.dumps(raw))
