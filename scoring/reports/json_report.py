"""Results of a run as one JSON document: what is stored beside the workbook, and what goes to HR. The same run, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from scoring.cards.weights import Applied
from scoring.evaluation.scorer import PersonScore
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.outcomes.pay import Pay
from scoring.rounding import cents, shown
from scoring.runs.messages import message
from scoring.runs.run import Run
from streams.contracts.outputs import RosterEntry, Score
from streams.languages.text import Text

SCHEMA = "deskpulse/results/1"


class ResultsError(ValueError):
    """A file of results that cannot be used; the message says what and where."""


def to_json(
    run: Run, outcomes: Outcomes | None = None, roster: Mapping[str, RosterEntry] | None = None, revision: int = 1
) -> bytes:
    """The document: what it rests on, and everybody's scores as the topic ``scores`` has them, with sections and outcome.

    Points and money are text, exact or as rounded. ``revision`` rises when a result that was given out is amended.
    """
    return b"".join(json_parts(run, outcomes, roster, revision))


def json_parts(
    run: Run, outcomes: Outcomes | None = None, roster: Mapping[str, RosterEntry] | None = None, revision: int = 1
) -> Iterator[bytes]:
    """The same piece by piece: a line a person."""
    entries = roster or {}
    decided = {one.person: one for one in outcomes.people} if outcomes else {}
    begun = json.dumps(_head(run, outcomes, revision), ensure_ascii=False, indent=1).removesuffix("\n}")
    yield f'{begun},\n "people": ['.encode()
    for number, person in enumerate(run.people):
        body = _person(run, person, entries.get(person.person), decided.get(person.person))
        yield b",\n" if number else b"\n"
        yield json.dumps(body, ensure_ascii=False).encode()
    yield b"\n ]\n}\n"


def _head(run: Run, outcomes: Outcomes | None, revision: int) -> dict[str, Any]:
    """All but the people."""
    return {
        "schema": SCHEMA,
        "card": run.card.id,
        "card_version": run.card.version,
        "card_name": _words(run.card.name),
        "period": str(run.period),
        "as_of": None if run.as_of is None else run.as_of.isoformat(),
        "revision": revision,
        "policy_version": run.policy_version,
        "kpi_versions": run.kpi_versions,
        "outcomes_version": outcomes.settings_version if outcomes else None,
        "profiles": [_applied(applied) for applied in run.weights.applied],
        "weights": {id: shown(worth) for id, worth in run.weights.worth.items()},
        "base_weights": {id: shown(worth) for id, worth in run.weights.base.items()},
    }


def _person(run: Run, person: PersonScore, entry: RosterEntry | None, outcome: PersonOutcome | None) -> dict[str, Any]:
    return {
        **_message(message(run, person)),
        "hr_number": person.hr_number,
        "team": entry.team_id if entry else None,
        "site": entry.site_id if entry else None,
        "sections": _sections(person),
        "outcome": _outcome(outcome) if outcome else None,
    }


def read_results(path: Path) -> dict[str, Any]:
    """The document in this file. Raises ResultsError for anything that is no such document."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"cannot read the results {path}: {error}; give a readable file") from error
    except ValueError as error:
        raise ResultsError(
            f"{path}: not JSON: {error}; give the .json file that `deskpulse score run` writes"
        ) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ResultsError(
            f"{path}: no results (`schema` is not {SCHEMA}); give the .json file of `deskpulse score run`"
        )
    for name, kind in (("card", str), ("card_version", str), ("period", str), ("revision", int), ("people", list)):
        if not isinstance(document.get(name), kind):
            raise ResultsError(
                f"{path}: {name}: is missing or no {kind.__name__}; write the file anew with `score run`"
            )
    for number, person in enumerate(document["people"], 1):
        if not isinstance(person, dict) or not isinstance(person.get("person"), str):
            raise ResultsError(f"{path}: people: entry {number} names no person; write the file anew with `score run`")
    return document


def earlier_totals(paths: list[Path], card: str) -> dict[str, dict[str, Decimal | None]]:
    """Person → period → the total as it was published in these files, of one card. Raises ResultsError."""
    totals: dict[str, dict[str, Decimal | None]] = {}
    for path in paths:
        document = read_results(path)
        if document["card"] != card:
            continue
        for person in document["people"]:
            text = person.get("total")
            try:
                total = None if text is None else Decimal(text)
            except (InvalidOperation, TypeError) as error:
                raise ResultsError(f"{path}: {person['person']}: total {text!r} is no number") from error
            totals.setdefault(person["person"], {})[document["period"]] = total
    return totals


def _message(score: Score) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(score)
    return {**made, "total": score.total}


def _sections(person: PersonScore) -> list[dict[str, Any]]:
    return [
        {
            "id": part.section.id,
            "name_zh": part.section.name.zh,
            "name_en": part.section.name.en,
            "total": None if part.tally.total is None else str(part.tally.total),
            "scored_max": shown(part.tally.scored_max),
            "max": shown(part.tally.max),
        }
        for part in person.sections
    ]


def _applied(applied: Applied) -> dict[str, Any]:
    return {
        "profile": applied.profile,
        "version": applied.version,
        **_words(applied.words()),
        "days": applied.days,
    }


def _outcome(outcome: PersonOutcome) -> dict[str, Any]:
    own = outcome.standing
    return {
        "total": _text(own.total),
        "grade": own.grade,
        "rank": own.rank,
        "of": own.of,
        "top": own.top,
        "bottom": own.bottom,
        "met": own.met,
        "reasons": [_words(why) for why in own.reasons],
        "terms": [
            {"term": str(one.term), "total": _text(one.total), "grade": one.grade, "rank": one.rank}
            for one in outcome.standings[1:]
        ],
        "stars": None,  # files have always had the key
        **{key: given.value for key, given in outcome.given.items()},
        "pay": _pay(outcome.pay),
        "base_bonus": _pay(outcome.base_bonus),
        "awards": [award.award for award in outcome.awards],
        "streaks": [held.streak for held in outcome.streaks if held.granted],
        "actions": [
            {"id": a.id, "kind": a.kind, "rule": a.rule, "owner": a.owner, "due": a.due.isoformat(), **_words(a.reason)}
            for a in outcome.actions
        ],
    }


def _pay(pay: Pay | None) -> dict[str, Any] | None:
    if pay is None:
        return None
    money = None if pay.money is None else cents(pay.money)
    return {"rule": pay.rule, "term": str(pay.term), "ratio": _text(pay.ratio), "money": money, **_words(pay.reason)}


def _words(words: Text) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
