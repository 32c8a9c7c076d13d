"""Ratings in the form's own columns: who is to be rated by whoever looks, what they have in hand, and the total as it would be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from scoring.api.bodies import MOST_PARTS, Review, Sent, Short, Value, Where
from scoring.cards.model import Card, Item
from scoring.cards.profile_calendar import in_force
from scoring.inputs.requirements import allowed_of
from scoring.inputs.validation import Entry, complete, merged
from scoring.inputs.values import takes
from scoring.rules import Levels
from scoring.runs.canonical_json import plain
from scoring.runs.jsonl import Document
from scoring.store.drafts import Draft, drafts_of, keep_draft
from scoring.store.due_days import due
from scoring.store.inputs import handed
from scoring.store.runs import RefusedStepError, RunRecord, card_of, materials_of
from scoring.web.visitors import (
    SELF,
    CardId,
    Concerned,
    PeriodId,
    PersonId,
    Rater,
    Visitor,
    actor_of,
    allowed,
    answer,
    called,
    language_of,
    looks,
    reading,
    seen_by,
    sees,
    sees_outcome,
    signs,
    without_place,
    writing,
)
from scoring.workflow.acknowledgements import Acknowledged, acknowledged
from scoring.workflow.gather import Operation
from scoring.workflow.lifecycle import Signed, columns, rated_as, rating_entries, review, signatures, turn
from scoring.workflow.panels import refuse_polled
from scoring.workflow.preview import would_be

#: Sheets of one page of ratings: each total is computed.
_MOST = 50


class InHand(Sent):
    """Ratings of a column as they are typed: item (``ITEM.pick`` for picks) → points or level; an empty text is none."""

    column: Short
    ratings: dict[Where, Value] = Field(default_factory=dict, max_length=MOST_PARTS)


@dataclass(frozen=True)
class Form:
    """Where the sheets of a run stand: who has signed what, and who has said what."""

    card: Card
    signed: Mapping[str, Mapping[str, Signed]]
    said: Mapping[str, Acknowledged]

    @classmethod
    def of(cls, connection: Connection, run: RunRecord) -> Form:
        """Of a run."""
        return cls(card_of(connection, run), signatures(connection, run), acknowledged(connection, run))

    def column_for(self, visitor: Visitor, person: str, team: str | None) -> str | None:
        """The column that they may rate on a sheet now: the next one, or one of their own while the person objects; None: none."""
        signed = self.signed.get(person, {})
        said = self.said.get(person)
        if said is not None and not said.agreed:
            own = [one.column for one in signed.values() if one.author == visitor.author and one.absent is None]
            if own:
                return own[-1]
        due_ = turn(self.card, signed)
        if due_ is None or any(one.author == visitor.author and one.absent is None for one in signed.values()):
            return None  # a column that comes after one's own is for somebody else
        return due_.id if signs(visitor, self.card, due_.id, person, team) else None

    def may_pass(self, visitor: Visitor, person: str, team: str | None) -> bool:
        """May they pass over the next column, which is another's, with a reason?"""
        due_ = turn(self.card, self.signed.get(person, {}))
        if due_ is None or visitor.person == person:
            return False
        if due_.id != SELF:
            return signs(visitor, self.card, due_.id, person, team)
        return bool(visitor.roles & {"hr", "supervisor"}) and sees_outcome(visitor, person, team)


def add(routes: APIRouter, operation: Operation) -> None:
    """Routes of ratings."""

    @routes.get("/runs/{card}/{period}/ratings")
    def ratings(
        card: CardId,
        period: PeriodId,
        visitor: Rater,
        request: Request,
        waiting: bool = False,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """The form with the people whom they rate: what they have in hand, who has signed, the total as it would be. `waiting`: only those
        whom they can rate now.
        """
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            form = Form.of(connection, run)
            people = _theirs(result, visitor)
            if not people:
                raise HTTPException(404, "there is no such run")
            turns = {person: form.column_for(visitor, person, team) for person, team in people.items()}
            shown = [person for person in people if turns[person] or not waiting]
            page = shown[offset : offset + _MOST]
            told = _page(connection, run, form, visitor, page)
            body = {
                "run": run,
                "name": form.card.name,
                "columns": [_column(one) for one in columns(form.card)],
                "items": form_items(connection, run),
                "people": [{**one, "team": people[one["person"]], "may": turns[one["person"]],
                            "may_pass": form.may_pass(visitor, one["person"], people[one["person"]])} for one in told],
                "all": len(people),
                "count": len(shown),
                "waiting": sum(turns[person] is not None for person in people),
                "offset": offset,
                "due": due(connection, card, period),
            }  # fmt: skip
        looks(request, visitor, page)
        return answer({**body, "names": called(operation, page)})

    @routes.put("/runs/{card}/{period}/people/{person}/draft")
    def in_hand(
        card: CardId, period: PeriodId, person: PersonId, given: InHand, visitor: Concerned, request: Request
    ) -> Response:
        """Keep what they have typed so far, seen by nobody else, and tell the total as it would be. What the form does not allow is not
        kept: `wrong` says why, by item.
        """
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            team = allowed(result, person, visitor).team
            form = Form.of(connection, run)
            if run.state != "prepared" or form.column_for(visitor, person, team) != given.column:
                raise RefusedStepError("this column is not yours to rate now; load the page anew")
            before = handed(connection, card, period).get(person, {})
            sound, wrong = _sorted_out(connection, run, form.card, person, given, before)
            by = actor_of(visitor, operation)
            keep_draft(connection, run, person, given.column, {name: given.ratings[name] for name in sound}, by)
            score = would_be(connection, run, {person: [one for own in sound.values() for one in own]})[person]
        language = language_of(request)
        why = {name: without_place(one, language) for name, one in wrong.items()}
        return answer({"at": by.at, "kept": len(sound), "wrong": why, **_totals(score)})

    @routes.post("/runs/{card}/{period}/people/{person}/review")
    def sign(card: CardId, period: PeriodId, person: PersonId, given: Review, visitor: Concerned) -> Response:
        """Sign a column with its ratings, or pass it over with the reason. Of somebody else's people: 404."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            team = allowed(result, person, visitor).team
            form = Form.of(connection, run)
            column = form.column_for(visitor, person, team)
            may = form.may_pass(visitor, person, team) if given.absent else column == given.column
            if not may:
                raise HTTPException(403, "this column is not yours to sign")
            made = review(
                connection, run.card, period, person, given.column, given.ratings, actor_of(visitor, operation), given.absent
            )  # fmt: skip
        return answer(made)


def form_items(connection: Connection, run: RunRecord) -> list[dict[str, Any]]:
    """The card's items that are worth something in the run, in its order, with the columns that rate them and what a rating may be."""
    made = materials_of(connection, run)
    card = made.card.at(made.period.kind)
    worth = in_force(made.card, made.seasons, made.period).worth
    shown = [
        *(item for item in card.items if item.max is not None),
        *(one for one in card.optional if worth.get(one.id)),
    ]
    sections = {item.id: section for section in card.sections for item in section.items}
    found = []
    for item in shown:
        own = [one.id for one in columns(made.card) if rates(made.card, item, one.id)]
        section = sections.get(item.id)
        found.append(
            {
                "id": item.id,
                "name": item.name,
                "section": section and section.name,
                "max": item.max,
                "kpi": item.kpi,
                "columns": own,
                "check_points": item.check_points,
                "note": item.note,
                **(_asked(item) if own else {}),
            }
        )
    return found


def rates(card: Card, item: Item, column: str) -> bool:
    """Does this column of the form rate the item?"""
    if not item.rated and column not in {rater.id for rater in item.raters}:
        return False
    return rated_as(card, item, column) in takes(card, item)


def _asked(item: Item) -> dict[str, Any]:
    may = allowed_of(item)
    levels = [
        {"level": one.level, "award": str(one.award()), "pick": one.pick, "words": getattr(one, "words", None)}
        for one in (item.rule.levels if isinstance(item.rule, Levels) else ())
    ]
    return {"words": may.words, "choices": may.choices, "low": may.low, "high": may.high, "levels": levels}


def _column(one: Any) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "counts": one.counts}


def _theirs(result: Document, visitor: Visitor) -> dict[str, str | None]:
    """Whom they rate: all whom they may see but themselves."""
    return {
        person: team
        for person, team in result.teams().items()
        if person != visitor.person and sees(visitor, person, team)
    }


def _page(
    connection: Connection, run: RunRecord, form: Form, visitor: Visitor, people: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """These people's sheets as the form has them."""
    inputs = handed(connection, run.card, run.period)
    mine = drafts_of(connection, run, visitor.author, people)
    entries = {person: _entries(form.card, person, mine.get(person)) for person in people}
    scores = would_be(connection, run, entries)
    for person in people:
        due_ = turn(form.card, form.signed.get(person, {}))
        draft, says = mine.get(person), form.said.get(person)
        yield {
            "person": person,
            "next": due_ and due_.id,
            "signed": sorted(form.signed.get(person, {}).values(), key=lambda one: one.at),
            "says": says and {"agreed": says.agreed, "reason": says.reason, "evidence": says.evidence, "at": says.at},
            "draft": draft and {"column": draft.column, "ratings": draft.ratings, "at": draft.at},
            "given": _given(form.card, inputs.get(person, {})),
            **_totals(scores[person]),
        }


def _entries(card: Card, person: str, draft: Draft | None) -> list[Entry]:
    """What somebody has in hand; of a card that was prepared otherwise since, what it still takes."""
    made: list[Entry] = []
    for name, text in (draft.ratings if draft is not None else {}).items():
        with suppress(ValueError):
            made += rating_entries(card, person, str(draft and draft.column), {name: text})
    return made


def _given(card: Card, inputs: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Column → item (``ITEM.pick``) → what was signed or handed in for it."""
    made: dict[str, dict[str, str]] = {}
    for item in (*card.items, *card.optional):
        fields = inputs.get(item.id, {})
        for one in columns(card):
            if rates(card, item, one.id) and (value := fields.get(rated_as(card, item, one.id))) is not None:
                made.setdefault(one.id, {})[item.id] = value
                if "pick" in fields:
                    made[one.id][f"{item.id}.pick"] = fields["pick"]
    return made


def _sorted_out(
    connection: Connection, run: RunRecord, card: Card, person: str, given: InHand, before: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, list[Entry]], dict[str, str]]:  # fmt: skip
    """Ratings that can be kept → their entries, and those that cannot → why."""
    sound: dict[str, list[Entry]] = {}
    wrong: dict[str, str] = {}
    for name, text in given.ratings.items():
        if not text.strip():
            continue
        try:
            own = rating_entries(card, person, given.column, {name: text.strip()})
            refuse_polled(connection, run.card, run.period, own)
            if "." not in name:
                for item_id, fields in merged(before, own).items():
                    if item_id == name:
                        complete(card, card.item(item_id), fields)
            sound[name] = own
        except ValueError as error:
            wrong[name] = str(error)
    return sound, wrong


def _totals(score: Mapping[str, Any]) -> dict[str, Any]:
    """What a sheet comes to, and each item's points."""
    return {
        "total": score.get("total"),
        "scored_max": score["scored_max"],
        "max": score["max"],
        "points": {item["id"]: item["points"] for item in score["items"]},
        "figures": {item["id"]: plain(item["value"]) for item in score["items"] if item["value"] is not None},
    }
