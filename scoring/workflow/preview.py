"""A run as it would be if it were approved now: ratings that were given are counted, and nothing is frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from scoring.cards.model import Card
from scoring.inputs.polled import Polled
from scoring.inputs.requirements import PERSONAL
from scoring.inputs.validation import Entry, checked_value, find_item, merged
from scoring.inputs.values import FEW
from scoring.runs.canonical_json import digest, written
from scoring.runs.jsonl import Document, Facts
from scoring.runs.messages import message
from scoring.runs.result import Difference, compute, differences, document
from scoring.runs.snapshot import Materials, pack
from scoring.store.audit import Actor, record
from scoring.store.inputs import Version, hand_in, handed, versions
from scoring.store.panels import polled
from scoring.store.runs import RefusedStepError, RunRecord, find_run, materials_of, result_of
from scoring.workflow.acknowledgements import Acknowledged, acknowledge, acknowledged
from scoring.workflow.lifecycle import Signed, people_of, signatures, turn
from scoring.workflow.unjudged import Unjudged, unjudged
from streams.contracts.outputs import entity


@dataclass(frozen=True)
class Sheet:
    """One person's sheet as it would be.

    ``score``, ``outcome``: as they would be frozen. ``given``: what was handed in for their items, ratings too, each with who and when.
    ``next``: the column of the form whose turn it is; None: all have signed. ``says``: what the person says of it; None: nothing yet.
    ``changed``: the sheet is another than the one that they have said it of.
    """

    person: str
    team: str | None
    score: Mapping[str, Any]
    outcome: Mapping[str, Any] | None
    given: tuple[Version, ...]
    signed: tuple[Signed, ...]
    next: str | None
    says: Acknowledged | None
    changed: bool

    @property
    def too_few(self) -> tuple[str, ...]:
        """Items that rest on too few cases, and of which nobody has decided whether they count."""
        decided = {one.item for one in self.given if one.field == FEW}
        few = (item["id"] for item in self.score["items"] if item["points"] is None and "few" in item["flags"])
        return tuple(id for id in few if id not in decided)


@dataclass(frozen=True)
class Preview:
    """Everybody's sheet, what differs from what was frozen last, and what had not matured and is judged in no run."""

    run: RunRecord
    sheets: tuple[Sheet, ...]
    changes: tuple[Difference, ...]
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def objections(self) -> tuple[Acknowledged, ...]:
        """What people object to, as they said it last."""
        return tuple(one.says for one in self.sheets if one.says is not None and not one.says.agreed)


def preview(connection: Connection, card: str, period: str) -> Preview:
    """The run as it would be; one that is approved is as it was frozen. Raises RefusedStepError where there is none."""
    run = find_run(connection, card, period)
    frozen = would = result_of(connection, run)
    materials = materials_of(connection, run)
    if run.state == "prepared":
        would = _would(materials, connection, run)
    about = _About.of(connection, run)
    sheets = tuple(about.sheet(one.person, one.team, one.score, one.outcome) for one in would)
    return Preview(run, sheets, tuple(differences(frozen, would)), unjudged(would, materials))


def one_sheet(connection: Connection, run: RunRecord, person: str) -> Sheet:
    """One person's sheet as it would be, computed from their own facts: without what depends on others, such as ranks.

    Raises RefusedStepError for who is not scored.
    """
    materials = materials_of(connection, run)
    frozen = result_of(connection, run).person(person)
    if frozen is None:
        raise RefusedStepError(f"{person!r} is not scored on {run.card} in {run.period}")
    about = _About.of(connection, run, materials.card, person)
    if run.state != "prepared":
        return about.sheet(person, frozen.team, frozen.score, frozen.outcome)
    return about.sheet(person, frozen.team, _score(materials, connection, run, person), None)


def would_be(
    connection: Connection, run: RunRecord, wanted: Mapping[str, Sequence[Entry]]
) -> dict[str, Mapping[str, Any]]:
    """Scores of these people as they would be with what is handed in, and these entries of each on top of it; nothing is kept.

    Raises RefusedStepError for who is not scored.
    """
    materials = materials_of(connection, run)
    given, panels = handed(connection, run.card, run.period), polled(connection, run.card, run.period)
    made: dict[str, Mapping[str, Any]] = {}
    for person, entries in wanted.items():
        own = merged(given.get(person, {}), list(entries))
        made[person] = _scored(materials, person, own, panels.get(person, {}))
    return made


def says(
    connection: Connection,
    card: str,
    period: str,
    person: str,
    by: Actor,
    *,
    agreed: bool,
    reason: str | None = None,
    evidence: str | None = None,
) -> Acknowledged:
    """The person agrees with their sheet, which is then reviewed to the end, or objects to it at any time before approval.

    Raises RefusedStepError after approval, for anybody else, and for agreement with a sheet that is not reviewed to the end; ValueError
    for an objection without a reason.
    """
    run = find_run(connection, card, period)
    _refuse_late(run)
    sheet = one_sheet(connection, run, person)
    if agreed and sheet.next is not None:
        raise RefusedStepError(
            f"it is the turn of {sheet.next} on {person}'s sheet; agree once all columns are signed. An objection is taken at any time"
        )
    return acknowledge(connection, run, person, agreed, reason, evidence, _digest(sheet.score), by)


def decide_few(
    connection: Connection, card: str, period: str, person: str, item_id: str, decision: str, reason: str, by: Actor
) -> None:
    """Decide whether a figure that rests on too few cases counts (``count``) or moves nothing (``neutral``), and why.

    Raises RefusedStepError after approval, for the person themselves, and for an item that does not rest on too few; ValueError for
    another decision, and without a reason.
    """
    run = find_run(connection, card, period)
    _refuse_late(run)
    if by.name == person:
        raise RefusedStepError(f"{person} cannot decide on their own sheet; somebody else has to")
    if not reason.strip():
        raise ValueError("a decision gives its reason")
    materials = materials_of(connection, run)
    item = find_item(materials.card, item_id)
    if person not in people_of(connection, run):
        raise RefusedStepError(f"{person!r} is not scored on {card} in {period}")
    score = _score(materials, connection, run, person)
    found = next((one for one in score["items"] if one["id"] == item.id), None)
    if found is None or "few" not in found["flags"]:
        n = found["n"] if found else 0
        raise RefusedStepError(
            f"{item.id} of {person} does not rest on too few cases (n = {n}): there is nothing to decide"
        )
    value = checked_value(materials.card, item.id, FEW, decision)
    hand_in(connection, run.card, run.period, [Entry(person, item.id, FEW, value, reason)], by, "too few cases")
    record(connection, by, "decide", run.card, run.period, person, item=item.id, decision=value, reason=reason)


def _refuse_late(run: RunRecord) -> None:
    if run.state != "prepared":
        raise RefusedStepError(
            f"the run of {run.card} in {run.period} is {run.state}; this is said before approval, and afterwards by an appeal"
        )


def _would(materials: Materials, connection: Connection, run: RunRecord) -> Document:
    given = handed(connection, run.card, run.period)
    made = replace(materials, inputs=given, panels=polled(connection, run.card, run.period))
    body, facts = pack(made)
    return document(made, compute(made, compared=False), digest(body), facts.lines.digest)


def _score(materials: Materials, connection: Connection, run: RunRecord, person: str) -> dict[str, Any]:
    """A person's score alone, as it would be frozen."""
    given = handed(connection, run.card, run.period).get(person, {})
    return _scored(materials, person, given, polled(connection, run.card, run.period).get(person, {}))


def _scored(
    materials: Materials, person: str, given: dict[str, dict[str, str]], panels: Mapping[str, Mapping[str, Polled]]
) -> dict[str, Any]:
    entry = materials.roster.get(person)
    wanted = [entity("agent", person), *([entity("team", entry.team_id)] if entry and entry.team_id else [])]
    facts = materials.facts
    own = list(facts.about(wanted)) if isinstance(facts, Facts) else [one for one in facts if one.entity in wanted]
    roster = {person: entry} if entry else {}
    made = replace(materials, facts=own, inputs={person: given}, panels={person: panels}, roster=roster).run()
    scored = next((one for one in made.people if one.person == person), None)
    if scored is None:
        raise RefusedStepError(f"{person!r} is not scored on {materials.card.id} in {materials.period}")
    team = entry.team_id if entry else None
    return {**msgspec.to_builtins(message(made, scored)), "hr_number": scored.hr_number, "team": team}


@dataclass(frozen=True)
class _About:
    """What stands beside the scores: who has handed in, signed and said what."""

    card: Card
    given: Mapping[str, Sequence[Version]]
    signed: Mapping[str, Mapping[str, Signed]]
    said: Mapping[str, Acknowledged]

    @classmethod
    def of(cls, connection: Connection, run: RunRecord, card: Card | None = None, person: str | None = None) -> _About:
        """Of everybody, or of one person."""
        given: dict[str, list[Version]] = {}
        for one in _in_force(versions(connection, run.card, run.period, person)):
            given.setdefault(one.person, []).append(one)
        card = card or materials_of(connection, run).card
        return cls(card, given, signatures(connection, run), acknowledged(connection, run))

    def sheet(
        self, person: str, team: str | None, score: Mapping[str, Any], outcome: Mapping[str, Any] | None
    ) -> Sheet:
        """The person's sheet."""
        signed, said = self.signed.get(person, {}), self.said.get(person)
        due = turn(self.card, signed)
        return Sheet(
            person=person,
            team=team,
            score=score,
            outcome=outcome,
            given=tuple(self.given.get(person, ())),
            signed=tuple(sorted(signed.values(), key=lambda one: one.at)),
            next=due.id if due else None,
            says=said,
            changed=said is not None and said.seen != _digest(score),
        )


def _in_force(found: Iterator[Version]) -> Iterator[Version]:
    """The newest version of each value of an item, unless it was taken back."""
    newest = {(one.person, one.item, one.field): one for one in found}
    return (one for one in newest.values() if one.value is not None and one.item != PERSONAL)


def _digest(score: Mapping[str, Any]) -> str:
    return digest(written(score))
