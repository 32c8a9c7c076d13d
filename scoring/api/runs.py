"""Routes of runs: results, sheets, what is signed and said of them, approval and publication."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import Response

from scoring.api.access import (
    AboveAgents,
    Anybody,
    CardId,
    OfHr,
    PeriodId,
    PersonId,
    actor_of,
    allowed,
    answer_json,
    beside,
    names_of,
    only,
    reading,
    seen_by,
    visible,
    writing,
)
from scoring.api.bodies import Approval, FewDecision, Review, Saying
from scoring.runs.canonical_json import plain
from scoring.store.runs import all_runs
from scoring.workflow import lifecycle
from scoring.workflow import preview as previews
from scoring.workflow.gather import Operation
from scoring.workflow.promotions import promotions


def add(app: FastAPI, operation: Operation) -> None:
    """Routes of runs: their results, sheets, approval and publication."""

    @app.get("/api/runs")
    def runs(who: Anybody) -> Any:
        """Runs that they may see, with state and revision."""
        with reading(operation) as connection:
            return [plain(run) for run in all_runs(connection) if visible(run, who) is not None]

    @app.get("/api/runs/{card}/{period}")
    def result(card: CardId, period: PeriodId, who: Anybody) -> Response:
        """The frozen result: everybody's for HR, the team's for a supervisor, their own for an agent."""
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            body = only(result, who)
        return answer_json(
            {"run": run, **body, "names": names_of(operation, [one["person"] for one in body["scores"]])}
        )

    @app.get("/api/runs/{card}/{period}/promotions")
    def promoted(card: CardId, period: PeriodId, who: Anybody) -> Any:
        """Who may be promoted, and what the others lack to the next post: everybody for HR, as far as they may see it for others."""
        with reading(operation) as connection:
            _, result = seen_by(connection, card, period, who)
            try:
                return promotions(result, lambda one: who.may_see(one.person, one.team))
            except ValueError as error:
                raise HTTPException(404, str(error)) from error

    @app.get("/api/runs/{card}/{period}/people/{person}")
    def sheet(card: CardId, period: PeriodId, person: PersonId, who: Anybody) -> Response:
        """One person's sheet: items with figures, points and reasons; outcomes; who has signed, and whose turn it is."""
        with reading(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            own = allowed(result, person, who)
            sheet = previews.one_sheet(connection, run, person)
        prepared = run.state == "prepared"
        score, outcome = (sheet.score, None) if prepared else (own.score, own.outcome)
        told = {"score": score, "outcomes": outcome, **beside(sheet), "names": names_of(operation, [person])}
        if who.role != "hr" and not prepared and run.revision != run.published:
            told["given"] = ()  # what an appeal has changed is not published yet
        return answer_json({"run": run, **told})

    @app.post("/api/runs/{card}/{period}/approve")
    def approve(card: CardId, period: PeriodId, given: Approval, who: OfHr) -> Response:
        """Approve a reviewed run."""
        with writing(operation) as connection:
            by = actor_of(who, operation)
            return answer_json(lifecycle.approve(connection, card, period, by, given.unreviewed, given.despite))

    @app.post("/api/runs/{card}/{period}/publish")
    def publish(card: CardId, period: PeriodId, who: OfHr) -> Response:
        """Put the approved revision on the topic `scores`; a second time sends nothing."""
        with writing(operation) as connection:
            run, sent = lifecycle.publish(connection, card, period, actor_of(who, operation), operation.publish_scores)
        return answer_json({"run": run, "sent": sent})


def add_reviews(app: FastAPI, operation: Operation) -> None:
    """Routes of what is signed and said of a run before it is approved."""

    @app.post("/api/runs/{card}/{period}/people/{person}/review")
    def review(card: CardId, period: PeriodId, person: PersonId, given: Review, who: Anybody) -> Response:
        """Sign a column: an agent their own, a supervisor their team's other columns."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            allowed(result, person, who)
            if who.role == "agent" and given.column != "self":
                raise HTTPException(403, "an agent signs the column self")
            signed = lifecycle.review(
                connection,
                run.card,
                period,
                person,
                given.column,
                given.ratings,
                actor_of(who, operation),
                given.absent,
            )
        return answer_json(signed)

    @app.get("/api/runs/{card}/{period}/preview")
    def preview(card: CardId, period: PeriodId, who: AboveAgents) -> Response:
        """The run as it would be if it were approved now: everybody's sheet for HR, the team's for a supervisor, with every rating, who has
        signed what and when, what people object to; for HR also what differs from what was prepared.
        """
        with reading(operation) as connection:
            seen_by(connection, card, period, who)
            seen = previews.preview(connection, card, period)
        shown = [one for one in seen.sheets if who.may_see(one.person, one.team)]
        sheets = [
            {"person": one.person, "team": one.team, "score": one.score, "outcomes": one.outcome, **beside(one)}
            for one in shown
        ]
        changes = seen.changes if who.role == "hr" else ()
        named = names_of(operation, [one.person for one in shown])
        return answer_json({"run": seen.run, "sheets": sheets, "changes": changes, "names": named})

    @app.post("/api/runs/{card}/{period}/people/{person}/acknowledgement")
    def acknowledgement(card: CardId, period: PeriodId, person: PersonId, given: Saying, who: Anybody) -> Response:
        """Agree with one's own sheet, or object to it, before it is approved."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            allowed(result, person, who)
            said = previews.says(
                connection, run.card, period, person, actor_of(who, operation),
                agreed=given.agreed, reason=given.reason, evidence=given.evidence,
            )  # fmt: skip
        return answer_json(said)

    @app.post("/api/runs/{card}/{period}/people/{person}/few")
    def decide_few(card: CardId, period: PeriodId, person: PersonId, given: FewDecision, who: AboveAgents) -> Response:
        """Decide whether an item that rests on too few cases counts: HR, or the team's supervisor."""
        with writing(operation) as connection:
            run, result = seen_by(connection, card, period, who)
            allowed(result, person, who)
            previews.decide_few(
                connection, run.card, period, person, given.item, given.decision, given.reason, actor_of(who, operation)
            )
            return answer_json(beside(previews.one_sheet(connection, run, person)))
