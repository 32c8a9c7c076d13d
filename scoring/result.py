"""What comes of a run's materials: scores and outcomes as one document, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from scoring.canonical import plain, written
from scoring.evaluate import PersonScore
from scoring.exact import decimal, total
from scoring.export import to_messages
from scoring.inputs.needs import PERSONAL
from scoring.materials import Materials, adjusted
from scoring.outcomes import Amounts, Dimension, Measured, Outcomes, Person, RatedDay, Words, decide
from scoring.period import Month
from scoring.runs import Run
from streams.contracts.outputs import entity_id, entity_kind
from streams.kpi.catalog import KPIS
from streams.kpi.spec import side_of
from streams.kpi.spec import total as summed

SCHEMA = "deskpulse/result/1"
_SATISFACTION = "csat"
_MONEY = ("base_pay", "commission", "performance_pay", "quarterly_bonus", "base_bonus")


@dataclass(frozen=True)
class Result:
    """Scores, and what follows from them; outcomes are decided by month and where settings are given."""

    run: Run
    outcomes: Outcomes | None


@dataclass(frozen=True)
class Difference:
    """Something that two results say differently of a person. None: it is not there."""

    person: str
    what: str
    before: str | None
    after: str | None


def compute(materials: Materials) -> Result:
    """The result of these materials. Raises ValueError where they contradict themselves."""
    made = materials.run()
    if materials.settings is None or not isinstance(materials.period, Month):
        return Result(made, None)
    outcomes = decide(
        materials.period,
        _people(materials, made),
        materials.settings,
        opened=materials.opened,
        history=materials.history,
        pools=materials.pools,
    )
    return Result(made, outcomes)


def document(materials: Materials, result: Result, materials_digest: str, facts_digest: str) -> bytes:
    """The result as it is frozen, with the versions and the digests of what it was made of."""
    run = result.run
    return written(
        {
            "schema": SCHEMA,
            "card": run.card.id,
            "card_version": run.card.version,
            "period": run.period,
            "policy_version": run.policy_version,
            "kpi_versions": run.kpi_versions,
            "outcomes_version": result.outcomes.settings_version if result.outcomes else None,
            "profiles": [{"id": one.profile, "version": one.version} for one in run.weights.applied],
            "materials": materials_digest,
            "facts": facts_digest,
            "scores": [
                {**plain(score), "hr_number": person.hr_number, "team": _team(materials, person.person)}
                for score, person in zip(to_messages(run), run.people, strict=True)
            ],
            "outcomes": result.outcomes,
            "closed": _closed(materials, result),
        }
    )


def differences(before: bytes, after: bytes) -> list[Difference]:
    """What the second result says otherwise than the first: totals, points, and what is decided."""
    one, other = (_told(json.loads(body)) for body in (before, after))
    return [
        Difference(person, what, one.get((person, what)), other.get((person, what)))
        for person, what in sorted({**one, **other}, key=lambda key: key[0])
        if one.get((person, what)) != other.get((person, what))
    ]


def _told(result: Mapping[str, Any]) -> dict[tuple[str, str], str | None]:
    told: dict[tuple[str, str], str | None] = {}
    for score in result["scores"]:
        person = score["person"]
        told[person, "total"] = score.get("total")
        told[person, "scored_max"] = score["scored_max"]
        for item in score["items"]:
            told[person, f"item {item['id']}"] = item["points"]
    for made in (result["outcomes"] or {}).get("people", ()):
        for what, text in _decided(made):
            told[made["person"], what] = text
    return told


def _decided(made: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for standing in made["standings"]:
        for what in ("rank", "grade", "top", "bottom", "met"):
            if standing[what] is not None:
                yield f"{standing['term']} {what}", str(standing[what])
    for name in ("pay", "base_bonus"):
        if made[name]:
            yield name, made[name]["money"]
    if made["stars"]:
        yield "stars", str(made["stars"]["stars"])
    for award in made["awards"]:
        yield f"award {award['award']}", "yes"
    for held in made["streaks"]:
        yield f"streak {held['streak']}", str(held["count"])
    for action in made["actions"]:
        yield "action " + action["kind"] + (f" {action['rule']}" if action["rule"] else ""), action["due"]


def _people(materials: Materials, run: Run) -> list[Person]:
    days = _rated_days(materials)
    return [_person(materials, run, score, days.get(score.person, ())) for score in run.people]


def _person(materials: Materials, run: Run, score: PersonScore, days: tuple[RatedDay, ...]) -> Person:
    entry = materials.roster.get(score.person)
    own = materials.inputs.get(score.person, {}).get(PERSONAL, {})
    reached, why = _of_100(materials, score)
    money = {name: Decimal(own[name]) for name in _MONEY if name in own}
    judged = [item for item in score.items if item.item.target is not None and item.met is not None]
    return Person(
        id=score.person,
        total=reached,
        why=why,
        card=run.card.id,
        role=entry.role if entry and entry.role else run.card.role,
        team=entry.team_id if entry else None,
        level=own.get("level"),
        superior=own.get("superior"),
        amounts=Amounts(**money),
        exam=Decimal(own["exam"]) if "exam" in own else None,
        bonus_percent=Decimal(own["bonus_percent"]) if "bonus_percent" in own else None,
        targets_met=sum(1 for item in judged if item.met),
        targets=len(judged),
        dimensions=tuple(
            Dimension(item.item.id, Words(item.item.name.zh, item.item.name.en), item.points, item.item.max)
            for item in score.items
            if item.item.max is not None
        ),
        figures={
            item.item.key: Measured(
                Words(item.item.name.zh, item.item.name.en),
                None if item.value is None else decimal(item.value),
                item.figure.n,
            )
            for item in score.items
            if item.item.unit == "pct" and not item.item.rated
        },
        days=days,
    )


def _of_100(materials: Materials, score: PersonScore) -> tuple[Decimal | None, Words | None]:
    """The total on the scale of 100 that grades and pay use; a partial one only where it is to be brought to scale."""
    tally = score.tally
    if tally.total is None or not tally.scored_max:
        return None, Words("没有任何项目得分", "not one item is scored")
    if not tally.complete and materials.incomplete == "unscored":
        ids = ", ".join(item.item.id for item in score.unscored)
        return None, Words(f"项目未评分：{ids}", f"items are unscored: {ids}")
    scale = Fraction(100) / Fraction(tally.scored_max)
    return total([tally.total if scale == 1 else decimal(Fraction(tally.total) * scale)]), None


def _rated_days(materials: Materials) -> dict[str, tuple[RatedDay, ...]]:
    """Person → his days with ratings, oldest first."""
    days: dict[str, list[RatedDay]] = {}
    for fact in adjusted(materials.facts, materials.adjusted):
        if entity_kind(fact.entity) == "agent" and fact.date <= materials.period.last:
            bound = KPIS[_SATISFACTION].bound(materials.policy.current(fact.date), side_of("agent"))
            n = bound.n(fact.sums)
            if n > 0:
                days.setdefault(entity_id(fact.entity), []).append(RatedDay(fact.date, n, summed(bound.top, fact.sums)))
    return {person: tuple(sorted(own, key=lambda rated: rated.day)) for person, own in days.items()}


def _closed(materials: Materials, result: Result) -> dict[str, Any]:
    """What this month adds to each person's history, for the months that come."""
    if result.outcomes is None:
        return {}
    made = {}
    for outcome in result.outcomes.people:
        rated = outcome.stars
        past = [s.past(rated.stars if rated and rated.term == s.term else None) for s in outcome.standings]
        made[outcome.person] = {
            "past": past,
            "granted": {held.streak: held.granted for held in outcome.streaks if held.granted},
        }
    return made


def _team(materials: Materials, person: str) -> str | None:
    entry = materials.roster.get(person)
    return entry.team_id if entry else None
