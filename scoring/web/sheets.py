"""A person's sheet: rated by themselves, seen, agreed with or objected to; and what waits for whoever is in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from scoring.api.access import beside
from scoring.api.bodies import FewDecision, Saying
from scoring.store.drafts import drafts_of
from scoring.store.due_days import due
from scoring.store.runs import RunRecord, all_runs, card_of, materials_of, result_of
from scoring.web.ratings import Form, form_items
from scoring.web.visitors import (
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
    looks,
    reading,
    reading_if_begun,
    seen_by,
    sees,
    sees_outcome,
    visible,
    writing,
)
from scoring.workflow import preview as previews
from scoring.workflow.acknowledgements import acknowledged
from scoring.workflow.appeals import all_appeals, last_day
from scoring.workflow.gather import Operation, today
from scoring.workflow.lifecycle import columns, signatures, turn

#: Runs that are looked through for what concerns somebody, the newest first.
MOST_RUNS = 60


def add(routes: APIRouter, operation: Operation) -> None:
    """Routes of sheets."""

    @routes.get("/mine")
    def mine(visitor: Concerned) -> Response:
        """Runs that concern them, the newest first: how many sheets wait for their rating, and how their own sheet stands."""
        with reading_if_begun(operation) as connection:
            if connection is None:
                return answer([])
            runs = sorted(all_runs(connection), key=lambda run: (run.period, run.card), reverse=True)[:MOST_RUNS]
            found = [one for run in runs if (one := concerns(connection, run, visitor)) is not None]
        return answer(found)

    @routes.get("/runs/{card}/{period}/people/{person}")
    def sheet(card: CardId, period: PeriodId, person: PersonId, visitor: Concerned, request: Request) -> Response:
        """One sheet: items with figures, points and reasons; who has signed; what is said of it; what hangs on it once it is decided."""
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            own = allowed(result, person, visitor)
            seen = previews.one_sheet(connection, run, person)
            body = _sheet(connection, run, seen, visitor)
            prepared = run.state == "prepared"
            outcome = own.outcome if sees_outcome(visitor, person, own.team) and not prepared else None
            told = {**beside(seen), "score": seen.score if prepared else own.score, "outcome": outcome, **body}
            if "hr" not in visitor.roles and not prepared and run.revision != run.published:
                told["given"] = ()  # what an appeal has changed is not published yet
        looks(request, visitor, [person])
        people = {person, *(one["author"] for one in told["appeals"]), *(one.author for one in seen.signed)}
        people |= {one.author for one in seen.given}
        may_name = (
            people
            if visitor.roles & {"hr", "quality", "supervisor"}
            else {*(one.author for one in seen.signed), person}
        )
        return answer({"run": run, **told, "names": called(operation, may_name), "today": today(operation)})

    @routes.post("/runs/{card}/{period}/people/{person}/acknowledgement")
    def say(card: CardId, period: PeriodId, person: PersonId, given: Saying, visitor: Concerned) -> Response:
        """Agree with one's own sheet, or object to it, before it is approved."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            allowed(result, person, visitor)
            if person != visitor.person:
                raise HTTPException(403, "what somebody says of their sheet they say themselves")
            made = previews.says(
                connection, run.card, period, person, actor_of(visitor, operation),
                agreed=given.agreed, reason=given.reason, evidence=given.evidence,
            )  # fmt: skip
        return answer(made)

    @routes.post("/runs/{card}/{period}/people/{person}/few")
    def few(card: CardId, period: PeriodId, person: PersonId, given: FewDecision, visitor: Rater) -> Response:
        """Decide whether an item that rests on too few cases counts: HR, or whoever leads the team."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, visitor)
            own = allowed(result, person, visitor)
            if not sees_outcome(visitor, person, own.team):
                raise HTTPException(403, "your role does not allow this")
            previews.decide_few(
                connection, run.card, period, person, given.item, given.decision, given.reason, actor_of(visitor, operation)
            )  # fmt: skip
            return answer(beside(previews.one_sheet(connection, run, person)))


def _sheet(connection: Connection, run: RunRecord, seen: previews.Sheet, visitor: Visitor) -> dict[str, Any]:
    """What a page needs beside the sheet: the form, whether they may rate now, until when they may appeal."""
    form = Form.of(connection, run)
    person = seen.person
    may = form.column_for(visitor, person, seen.team) if run.state == "prepared" else None
    mine = drafts_of(connection, run, visitor.author, [person]).get(person)
    own = [one for one in all_appeals(connection, run) if one.person == person]
    last = last_day(connection, run, materials_of(connection, run)) if run.published is not None else None
    return {
        "name": form.card.name,
        "columns": [{"id": one.id, "name": one.name, "counts": one.counts} for one in columns(form.card)],
        "items": form_items(connection, run),
        "may": may,
        "draft": mine.ratings if mine is not None and mine.column == may else {},
        "own": person == visitor.person,
        "due": due(connection, run.card, run.period),
        "last_day": last,
        "appeals": [
            {
                "id": one.id, "items": one.items, "reason": one.reason, "author": one.author, "at": one.at,
                "decision": one.decision and {"accepted": one.decision.accepted, "reason": one.decision.reason, "at": one.decision.at},
            }
            for one in own
        ],
    }  # fmt: skip


def concerns(connection: Connection, run: RunRecord, visitor: Visitor) -> dict[str, Any] | None:
    """How a run concerns them; None: not at all."""
    revision = visible(run, visitor)
    if revision is None:
        return None
    teams = result_of(connection, run, revision).teams()
    theirs = {
        one: team for one, team in teams.items() if one != visitor.person and sees(visitor, one, team)
    } if visitor.roles & {"supervisor", "quality", "hr"} else {}  # fmt: skip
    is_scored = visitor.person in teams
    if not theirs and not is_scored:
        return None
    card = card_of(connection, run)
    form = Form(card, signatures(connection, run), acknowledged(connection, run))
    waiting = 0
    if run.state == "prepared":
        waiting = sum(form.column_for(visitor, one, team) is not None for one, team in theirs.items())
    told: dict[str, Any] | None = None
    if is_scored and visitor.person is not None:
        due_, says = turn(card, form.signed.get(visitor.person, {})), form.said.get(visitor.person)
        told = {
            "person": visitor.person,
            "next": due_ and {"column": due_.id, "name": due_.name},
            "rate": run.state == "prepared" and due_ is not None and due_.id == "self",
            "says": says and {"agreed": says.agreed},
        }
    return {
        "card": run.card,
        "name": card.name,
        "period": run.period,
        "state": run.state,
        "published": run.published is not None,
        "people": len(theirs),
        "waiting": waiting,
        "own": told,
        "due": due(connection, run.card, run.period),
    }
