"""What comes of a run's materials: scores and outcomes as one document, and how two of them differ."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from scoring.outcomes import Outcomes, PersonOutcome, decide
from scoring.outcomes.terms import has_outcomes, shortest
from scoring.runs.canonical_json import plain
from scoring.runs.jsonl import Document, PersonResult, person_line
from scoring.runs.messages import message
from scoring.runs.outcome_inputs import RatedDays, known, people
from scoring.runs.run import Run
from scoring.runs.snapshot import Materials

SCHEMA = "deskpulse/result/2"
#: What a frozen outcome has beside what single rules give.
_NAMED = {field.name for field in fields(PersonOutcome)}


@dataclass(frozen=True)
class Result:
    """Scores, and what follows from them; outcomes are decided where settings are given, and not of a probation."""

    run: Run
    outcomes: Outcomes | None


@dataclass(frozen=True)
class Difference:
    """Something that two results say differently of a person. None: it is not there."""

    person: str
    what: str
    before: str | None
    after: str | None


def compute(materials: Materials, *, compared: bool = True) -> Result:
    """The result of these materials. ``compared``: also how people compare with others, which a document does not say. Raises ValueError
    where they contradict themselves.
    """
    with _without_looking_for_cycles():
        return _computed(materials, compared)


@contextmanager
def _without_looking_for_cycles() -> Iterator[None]:
    """A run of many people makes millions of objects that live to its end: searching them for garbage, again and again, finds none."""
    were_looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if were_looked_for:
            gc.enable()


def _computed(materials: Materials, compared: bool) -> Result:
    rated = RatedDays(materials.policy, materials.period.last)
    made = materials.run(rated.along, compared=compared)
    if materials.settings is None or not has_outcomes(materials.period):
        return Result(made, None)
    about = known(materials.inputs, rated)
    least = materials.settings.rescaled_from
    everybody = people(made, materials.roster, about, materials.incomplete, rescaled_from=least)
    outcomes = decide(
        materials.period,
        everybody,
        materials.settings,
        opened=materials.opened,
        history=materials.history,
        pools=materials.pools,
        closes=materials.closes,
        shortest=shortest(materials.card.periods),
    )
    return Result(made, outcomes)


def document(materials: Materials, result: Result, materials_digest: str, facts_digest: str) -> Document:
    """The result as it is frozen, with the versions and the digests of what it was made of."""
    run, outcomes = result.run, result.outcomes
    decided = outcomes and {
        "period": outcomes.period,
        "settings_version": outcomes.settings_version,
        "summary": outcomes.summary,
    }
    head = {
        "schema": SCHEMA,
        "card": run.card.id,
        "card_version": run.card.version,
        "period": run.period,
        **({} if materials.as_of is None else {"as_of": materials.as_of}),
        "policy_version": run.policy_version,
        "kpi_versions": run.kpi_versions,
        "profiles": [{"id": one.profile, "version": one.version} for one in run.weights.applied],
        "materials": materials_digest,
        "facts": facts_digest,
        "outcomes": decided,
    }
    return Document.of(plain(head), _lines(materials, result))


def _lines(materials: Materials, result: Result) -> Iterator[bytes]:
    made = {one.person: one for one in result.outcomes.people} if result.outcomes else {}
    for person in result.run.people:
        id = person.person
        entry, outcome = materials.roster.get(id), made.get(id)
        team = entry.team_id if entry else None
        score = msgspec.structs.asdict(message(result.run, person))
        del score["reviewed"]  # it is not, so far
        score |= {"hr_number": person.hr_number, "team": team}
        yield person_line(
            id, team, score, _outcome(outcome) if outcome else None, plain(_closed(outcome)) if outcome else None
        )


def _outcome(outcome: PersonOutcome) -> dict[str, Any]:
    """What was decided, as it is frozen: what single rules give stands beside the rest, stars always."""
    made: dict[str, Any] = plain(outcome)
    given = made.pop("given")
    for standing in made["standings"]:
        _only_false(standing, "whole")
        if standing["likely"] is None:
            del standing["likely"]
    return {**made, "stars": None, **given}


def _closed(outcome: PersonOutcome) -> dict[str, Any]:
    """What this period adds to a person's history, for those that come."""
    rated = outcome.stars
    past = [plain(s.past(rated.stars if rated and rated.term == s.term else None)) for s in outcome.standings]
    for term in past:
        _only_false(term, "ranked")
        _only_false(term, "whole")
    return {
        "past": past,
        "granted": {held.streak: held.granted for held in outcome.streaks if held.granted},
    }


def _only_false(made: dict[str, Any], name: str) -> None:
    """Says what is the rule only where it is not so: what was frozen before has the same bytes."""
    if made[name]:
        del made[name]


def differences(before: Document, after: Document) -> list[Difference]:
    """What the second result says otherwise than the first: totals, points, and what is decided."""
    return list(_differences(before, after))


def _differences(before: Document, after: Document) -> Iterator[Difference]:
    for old, new in _side_by_side(before, after):
        one, other = (dict(_told(result)) if result else {} for result in (old, new))
        person = old.person if old else new.person if new else ""
        for what in {**one, **other}:
            if one.get(what) != other.get(what):
                yield Difference(person, what, one.get(what), other.get(what))


def _side_by_side(before: Document, after: Document) -> Iterator[tuple[PersonResult | None, PersonResult | None]]:
    """Both results of each person, in order of person; None where one of them does not have them."""
    either = merge(
        ((one.person, True, one) for one in before), ((one.person, False, one) for one in after), key=itemgetter(0)
    )
    for _, results in groupby(either, key=itemgetter(0)):
        found = {old: result for _, old, result in results}
        yield found.get(True), found.get(False)


def _told(result: PersonResult) -> Iterator[tuple[str, str | None]]:
    yield "total", result.score.get("total")
    yield "scored_max", result.score["scored_max"]
    for item in result.score["items"]:
        yield f"item {item['id']}", item["points"]
    if result.outcome is not None:
        yield from _decided(result.outcome)


def _decided(made: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for standing in made["standings"]:
        yield from _stood(standing)
    for name in ("pay", "base_bonus"):
        if made[name]:
            yield name, made[name]["money"]
    for key in sorted(made.keys() - _NAMED):
        if given := made[key]:
            yield key, str(given.get("value", given.get(key)))
    for award in made["awards"]:
        yield f"award {award['award']}", "yes"
    for held in made["streaks"]:
        yield f"streak {held['streak']}", str(held["count"])
    for action in made["actions"]:
        yield "action " + action["kind"] + (f" {action['rule']}" if action["rule"] else ""), action["due"]


def _stood(standing: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for what in ("rank", "grade", "top", "bottom", "met"):
        if standing[what] is not None:
            yield f"{standing['term']} {what}", str(standing[what])
