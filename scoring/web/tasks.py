"""What of the month is to be done by whoever is in, on one list: ratings, inputs, approvals, appeals, rules to read, interviews, plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from scoring.api.bodies import NO_NUL, Reason, Sent
from scoring.store.runs import AbsentError, RunRecord, all_runs, card_of, find_run, result_of
from scoring.web.opening import shares
from scoring.web.own import Known, ahead, noted_by
from scoring.web.sheets import MOST_RUNS, concerns
from scoring.web.visitors import (
    NO_SHEET,
    CardId,
    Concerned,
    PeriodId,
    PersonId,
    Visitor,
    actor_of,
    answer,
    called,
    looks,
    reading_if_begun,
    sees_outcome,
    writing,
)
from scoring.workflow import follow_ups
from scoring.workflow.appeals import all_appeals
from scoring.workflow.asked import run_needs
from scoring.workflow.follow_ups import FollowUp
from scoring.workflow.gather import Operation, today
from scoring.workflow.lifecycle import signatures, turn

#: Interviews, plans and trainings that are told at once.
_MOST = 300


class Step(Sent):
    """What is done: ``record`` an interview (``affirm``, ``improve``, ``agree``), ``sign`` the record that was read, or say that a plan or
    a training is ``done`` and what came of it (``text``).
    """

    action: Annotated[str, Field(min_length=1, max_length=128, pattern=NO_NUL)]
    step: Literal["record", "sign", "done"]
    affirm: Reason | None = None
    improve: Reason | None = None
    agree: Reason | None = None
    record: int | None = None
    text: Reason | None = None


def add(routes: APIRouter, operation: Operation, known: Known) -> None:
    """The routes."""

    @routes.get("/tasks")
    def tasks(visitor: Concerned, request: Request) -> Response:
        """What they are to do of the month, each with the day by which it is due, where one is set."""
        day = today(operation)
        found: list[dict[str, Any]] = []
        followed: list[FollowUp] = []
        with reading_if_begun(operation) as connection:
            if connection is not None:
                found += _of_runs(operation, connection, visitor)
                followed += [one for one in _all(connection, visitor) if _theirs(one, visitor)][:_MOST]
            found += _rules(known, connection, operation, visitor, day)
        looks(request, visitor, {one.person for one in followed})
        people = {who for one in followed for who in _people(one)}
        return answer(
            {
                "today": day,
                "tasks": found,
                "follow_ups": [_told(one, visitor) for one in followed],
                "names": called(operation, people),
            }
        )

    @routes.post("/runs/{card}/{period}/people/{person}/follow-up")
    def follow_up(card: CardId, period: PeriodId, person: PersonId, given: Step, visitor: Concerned) -> Response:
        """Hold an interview, sign it, or say what came of a plan or a training. 404 for whom somebody may not see."""
        with writing(operation) as connection:
            try:
                run = find_run(connection, card, period)
                one = follow_ups.find(connection, run, person, given.action)
            except AbsentError as error:
                raise HTTPException(404, NO_SHEET) from error
            if not sees_outcome(visitor, person, one.team):
                raise HTTPException(404, NO_SHEET)
            by = actor_of(visitor, operation)
            if given.step == "record":
                said = {"affirm": given.affirm, "improve": given.improve, "agree": given.agree}
                follow_ups.hold(connection, one, {name: text or "" for name, text in said.items()}, by)
            elif given.step == "sign":
                follow_ups.sign(connection, one, given.record or 0, by)
            else:
                follow_ups.finish(connection, one, given.text or "", by)
            after = follow_ups.find(connection, run, person, given.action)
        return answer({**_told(after, visitor), "names": called(operation, _people(after))})


def _all(connection: Connection, visitor: Visitor) -> Iterator[FollowUp]:
    """Of everybody for whoever leads somebody, else of themselves."""
    if visitor.roles & {"hr", "supervisor"}:
        return follow_ups.of_runs(connection)
    return follow_ups.of_runs(connection, visitor.person) if visitor.person is not None else iter(())


def _theirs(one: FollowUp, visitor: Visitor) -> bool:
    """Is it to be done by them, or by somebody whom they lead? What is over is left out; of an agent's own only what they are to sign."""
    if one.state == "done" or not sees_outcome(visitor, one.person, one.team):
        return False
    if one.person == visitor.person:
        return one.is_interview
    return True


def _people(one: FollowUp) -> set[str]:
    owner = one.action.get("owner")
    signed = (one.by_interviewer, one.by_person, one.done, one.record)
    return {one.person, *([owner] if owner else ()), *(by.author for by in signed if by is not None)}


def _told(one: FollowUp, visitor: Visitor) -> dict[str, Any]:
    own = one.person == visitor.person
    may_sign = one.state == "held" and (
        one.by_person is None if own else one.by_interviewer is None and one.record is not None and one.record.author == visitor.author
    )  # fmt: skip
    action = one.action
    return {
        "card": one.card, "period": one.period, "person": one.person, "team": one.team, "action": one.key, "kind": action["kind"],
        "name": action["name"], "reason": action["reason"], "due": one.due, "owner": action.get("owner"),
        "steps": action.get("steps") or (), "choices": action.get("choices") or (), "state": one.state, "record": one.record,
        "by_interviewer": one.by_interviewer, "by_person": one.by_person, "text": one.text, "own": own,
        "may_write": not own and one.state != "done", "may_sign": may_sign,
    }  # fmt: skip


def _of_runs(operation: Operation, connection: Connection, visitor: Visitor) -> Iterator[dict[str, Any]]:
    runs = sorted(all_runs(connection), key=lambda run: (run.period, run.card), reverse=True)[:MOST_RUNS]
    for run in runs:
        one = concerns(connection, run, visitor)
        base = {"card": run.card, "name": card_of(connection, run).name, "period": run.period}
        days = one["due"] if one is not None else {}
        if one is not None and one["waiting"]:
            yield {**base, "kind": "rate", "n": one["waiting"], "due": days.get("ratings")}
        if one is not None and one["own"] is not None and run.state == "prepared":
            if one["own"]["rate"]:
                yield {**base, "kind": "self", "n": 1, "due": days.get("ratings"), "person": visitor.person}
            elif one["own"]["next"] is None and one["own"]["says"] is None:
                yield {**base, "kind": "say", "n": 1, "due": days.get("says"), "person": visitor.person}
        if run.state == "prepared" and visitor.roles & {"hr", "supervisor"}:
            yield from ({**base, **told} for told in _inputs(operation, connection, run, visitor, days.get("inputs")))
        if "hr" in visitor.roles:
            yield from ({**base, **told} for told in _of_hr(connection, run, days.get("approval")))


def _inputs(
    operation: Operation, connection: Connection, run: RunRecord, visitor: Visitor, due: date | None
) -> Iterator[dict[str, Any]]:
    """Values that are missing: for HR all, for a supervisor those that they owe."""
    asked = run_needs(connection, run)
    lacking = shares(operation, asked, asked.missing)
    mine = (
        lacking
        if "hr" in visitor.roles
        else {who: own for who, own in lacking.items() if who.person and who.person == visitor.person}
    )
    count = sum(len(needs) for own in mine.values() for needs in own.values())
    if count:
        yield {"kind": "inputs", "n": count, "due": due}


def _of_hr(connection: Connection, run: RunRecord, due: date | None) -> Iterator[dict[str, Any]]:
    if open_ := sum(one.decision is None for one in all_appeals(connection, run)):
        yield {"kind": "appeals", "n": open_, "due": None}
    if run.state != "prepared":
        if run.published != run.revision:
            yield {"kind": "publish", "n": 1, "due": due}
        return
    card, signed = card_of(connection, run), signatures(connection, run)
    people = result_of(connection, run).teams()
    if people and all(turn(card, signed.get(person, {})) is None for person in people):
        yield {"kind": "approve", "n": len(people), "due": due}


def _rules(
    known: Known, connection: Connection | None, operation: Operation, visitor: Visitor, day: date
) -> Iterator[dict[str, Any]]:
    """Rules of their own that they have not noted."""
    if visitor.person is not None and "agent" in visitor.roles:
        for rules, _ in ahead(known, connection, operation, visitor.person):
            if rules is not None and noted_by(connection, rules, visitor.person) is None:
                yield {"card": rules.card, "name": rules.body["name"], "period": str(rules.period), "kind": "rules", "n": 1,
                       "due": rules.period.first}  # fmt: skip
