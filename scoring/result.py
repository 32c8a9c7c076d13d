"""What comes of a run's materials: scores and outcomes as one document, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scoring.canonical import plain, written
from scoring.export import to_messages
from scoring.materials import Materials, adjusted
from scoring.outcomes import Outcomes, decide
from scoring.people import known, people
from scoring.period import Month
from scoring.runs import Run

SCHEMA = "deskpulse/result/1"


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
    facts = adjusted(materials.facts, materials.adjusted)
    about = known(materials.inputs, facts, materials.policy, materials.period.last)
    everybody = people(made, materials.roster, about, materials.incomplete)
    outcomes = decide(
        materials.period,
        everybody,
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
