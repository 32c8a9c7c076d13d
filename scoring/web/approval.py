"""HR approves with everything in view, publishes, and takes the files."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from scoring.api.bodies import Approval, Reason, Sent
from scoring.store.runs import find_run, result_of
from scoring.web.jobs import Jobs
from scoring.web.opening import told
from scoring.web.visitors import CardId, OfHr, PeriodId, actor_of, answer, looks, reading, writing
from scoring.workflow import lifecycle
from scoring.workflow.gather import Operation


class Reopening(Sent):
    """Why an approval is taken back."""

    reason: Reason


class Files(Sent):
    """Which files: of which revision (what was published, else what stands now), in which language, with sheets or without."""

    revision: int | None = Field(None, ge=1)
    language: Literal["zh", "en", "both"] = "both"
    sheets: bool = False


def add(routes: APIRouter, operation: Operation, jobs: Jobs) -> None:
    """Routes of approval, publication and files."""

    @routes.post("/runs/{card}/{period}/overview", status_code=202)
    def overview(card: CardId, period: PeriodId, visitor: OfHr, request: Request) -> Response:
        """What hangs on the approval, by a job: who is missing, what is judged nowhere, ranks and money, what differs from what was
        prepared, and each total beside the one before.
        """
        with reading(operation) as connection:
            run = find_run(connection, card, period)
            people = result_of(connection, run).teams()
        looks(request, visitor, people)
        return answer(told(jobs.start("overview", card, period, visitor.author)), 202)

    @routes.post("/runs/{card}/{period}/approval", status_code=202)
    def approve(card: CardId, period: PeriodId, given: Approval, visitor: OfHr) -> Response:
        """Approve a reviewed run, by a job."""
        with reading(operation) as connection:
            find_run(connection, card, period)
        job = jobs.start(
            "approve", card, period, visitor.author, unreviewed=given.unreviewed, despite=given.despite
        )  # fmt: skip
        return answer(told(job), 202)

    @routes.post("/runs/{card}/{period}/reopening")
    def reopen(card: CardId, period: PeriodId, given: Reopening, visitor: OfHr) -> Response:
        """Take an approval back that was not published."""
        with writing(operation) as connection:
            return answer(
                lifecycle.reopen(connection, card, period, given.reason, actor_of(visitor, operation))
            )  # fmt: skip

    @routes.post("/runs/{card}/{period}/publication")
    def publish(card: CardId, period: PeriodId, visitor: OfHr) -> Response:
        """Give the approved revision out; a second time sends nothing."""
        with writing(operation) as connection:
            run, sent = lifecycle.publish(
                connection, card, period, actor_of(visitor, operation), operation.publish_scores
            )
        return answer({"run": run, "sent": sent})

    @routes.post("/runs/{card}/{period}/files", status_code=202)
    def files(card: CardId, period: PeriodId, given: Files, visitor: OfHr, request: Request) -> Response:
        """Workbook, CSV, JSON and, where asked for, everybody's sheet, by a job."""
        with reading(operation) as connection:
            run = find_run(connection, card, period)
            people = result_of(connection, run).teams()
        looks(request, visitor, people)
        job = jobs.start("files", card, period, visitor.author, **given.model_dump())
        return answer(told(job), 202)
