"""HR opens a month: which runs there are to prepare, preparing them, what is needed from whom and by when, what has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import Field
from sqlalchemy import Connection

from scoring.api.bodies import NO_NUL, Sent, Short
from scoring.cards.model import Card
from scoring.inputs.requirements import Need
from scoring.period import Month, parse_period
from scoring.runs.outcome_inputs import Incomplete
from scoring.store.due_days import Step, due, set_due
from scoring.store.inputs import versions
from scoring.store.runs import AbsentError, all_runs, find_run, look_up
from scoring.web.jobs import Job, Jobs
from scoring.web.visitors import (
    CardId,
    OfHr,
    PeriodId,
    actor_of,
    answer,
    called,
    language_of,
    reading,
    reading_if_begun,
    writing,
)
from scoring.web.work import card_for
from scoring.workflow.asked import Asked, run_needs
from scoring.workflow.closing import by_giver, ended
from scoring.workflow.gather import Operation, store, today
from streams.contracts.closing import Giver
from streams.languages.translation import said
from streams.people.duties import duty_book

#: Months that can be opened beside the present one.
_MONTHS_BACK = 12
#: People whose missing values are named one by one, of each who owes them.
_MOST_PEOPLE = 200
#: Imports that are listed.
_MOST_CAME = 100
_JobId = Annotated[str, InPath(max_length=32, pattern="^[0-9a-f]+$")]


class Order(Sent):
    """What is to be prepared. ``incomplete``, ``pools``, ``as_of``: as `deskpulse score prepare` has them; left out: as it was prepared
    before.
    """

    card: Short
    period: Short
    incomplete: Incomplete | None = None
    pools: dict[Short, Decimal] = Field(default_factory=dict, max_length=20)
    as_of: date | None = None


class DueDays(Sent):
    """By when each step is due; null takes a day back."""

    days: dict[Literal["inputs", "ratings", "says", "approval"], date | None]


def add(routes: APIRouter, operation: Operation, jobs: Jobs) -> None:
    """Routes of opening a month."""

    @routes.get("/opening")
    def opening(
        request: Request, _: OfHr, month: Annotated[str | None, Query(max_length=7, pattern=r"^\d{4}-\d{2}$")] = None
    ) -> Response:
        """What ends with a month (the last one where left out): the cards on which the roster has people, each with its runs."""
        day = today(operation)
        last = Month.of(day.replace(day=1) - timedelta(days=1))
        when = last if month is None else Month.parse(month)
        if when.first > day:
            raise ValueError(f"{when} has not begun: it is {day}; choose a month that has")
        held = Counter(entry.card for entry in operation.roster(when.last).values() if entry.card)
        with reading_if_begun(operation) as connection:
            cards = list(_cards(connection, when, held))
        language = language_of(request)
        cards = [{**one, "trouble": one["trouble"] and said(one["trouble"], language)} for one in cards]
        return answer(
            {
                "month": when,
                "last": when.last,
                "over": when.last < day,
                "today": day,
                "months": _months(day),
                "cards": cards,
            }
        )

    @routes.post("/runs", status_code=202)
    def prepare(given: Order, visitor: OfHr) -> Response:
        """Prepare a run, or prepare it again, by a job: everything is frozen as it stands now."""
        when = parse_period(given.period)
        with store(operation) as database:
            if database.begun:
                with database.read() as connection:
                    card_for(connection, given.card)
            else:
                card_for(None, given.card)
        job = jobs.start(
            "prepare", given.card, str(when), visitor.author,
            incomplete=given.incomplete and str(given.incomplete), as_of=given.as_of and given.as_of.isoformat(),
            pools={id: str(amount) for id, amount in given.pools.items()},
        )  # fmt: skip
        return answer(told(job), 202)

    @routes.get("/runs/{card}/{period}/needs")
    def needs(card: CardId, period: PeriodId, _: OfHr) -> Response:
        """What the run needs of people, by who is to give it and by when; what of it is missing; what has come."""
        with reading(operation) as connection:
            run = find_run(connection, card, period)
            asked = run_needs(connection, run)
            days, came = due(connection, card, period), list(_came(connection, card, period))
        givers = list(_givers(operation, asked))
        people = {one["person"] for giver in givers for one in giver["people"]}
        people |= {giver["person"] for giver in givers if giver["person"]} | {one["author"] for one in came}
        return answer(
            {
                "run": run,
                "people": len(asked.people),
                "due": days,
                "today": today(operation),
                "givers": givers,
                "came": came,
                "panels_open": asked.panels_open,
                "names": called(operation, people),
            }
        )

    @routes.put("/runs/{card}/{period}/due")
    def set_days(card: CardId, period: PeriodId, given: DueDays, visitor: OfHr) -> Response:
        """Say by when each step is due. Everybody concerned sees it; nothing is refused because of it."""
        with writing(operation) as connection:
            find_run(connection, card, period)
            days: Mapping[Step, date | None] = given.days
            set_due(connection, card, period, days, actor_of(visitor, operation))
            return answer(due(connection, card, period))


def add_jobs(routes: APIRouter, jobs: Jobs) -> None:
    """Routes of what takes long."""

    @routes.get("/jobs")
    def all_jobs(
        request: Request,
        _: OfHr,
        card: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
        period: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
    ) -> Response:
        """What is being done, and what was: without what came of it."""
        return answer([told(one, request) for one in jobs.of(card, period)])

    @routes.get("/jobs/{id}")
    def one_job(id: _JobId, request: Request, _: OfHr) -> Response:
        """How far a job has come, and what came of it."""
        job = _found(jobs, id)
        return answer({**told(job, request), "result": _said(job.result, request) if job.state == "done" else None})

    @routes.get("/jobs/{id}/files/{name}")
    def file(id: _JobId, name: Annotated[str, InPath(max_length=255)], _: OfHr) -> FileResponse:
        """A file that a job has written."""
        job = _found(jobs, id)
        names = {one["name"] for one in job.result} if job.kind == "files" and job.result else set()
        if name not in names:
            raise HTTPException(404, "there is no such file")
        return FileResponse(f"{job.folder}/{name}", filename=name)


def _said(result: Any, request: Request) -> Any:
    """What came of a job, with what HR should look at in their language."""
    if not isinstance(result, dict) or "notes" not in result:
        return result
    language = language_of(request)
    not_kept = result["not_kept"]
    return {
        **result,
        "notes": [said(one, language) for one in result["notes"]],
        "not_kept": not_kept and said(not_kept, language),
    }


def told(job: Job, request: Request | None = None) -> dict[str, Any]:
    """A job for a page, without what came of it."""
    why = job.why
    if why is not None and request is not None:
        why = said(why, language_of(request))
    return {
        "id": job.id,
        "kind": job.kind,
        "card": job.card,
        "period": job.period,
        "author": job.author,
        "begun": job.begun,
        "ended": job.ended,
        "state": job.state,
        "stage": job.stage,
        "status": job.status,
        "why": why,
        "appeal": job.arguments.get("appeal"),
    }


def _found(jobs: Jobs, id: str) -> Job:
    job = jobs.find(id)
    if job is None:
        raise HTTPException(404, "this was done by an earlier run of the server; look at the run, and do it again")
    return job


def _months(day: date) -> list[str]:
    """Those that can be opened, the newest first."""
    number = day.year * 12 + day.month - 1
    return [str(Month(one // 12, one % 12 + 1)) for one in range(number, number - _MONTHS_BACK - 1, -1)]


def _cards(connection: Connection | None, month: Month, held: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    ids = set(held)
    if connection is not None:
        ids |= {run.card for run in all_runs(connection) if run.period == str(month)}
    for id in sorted(ids):
        people = held.get(id, 0)
        try:
            card = card_for(connection, id)
        except (AbsentError, ValueError) as error:
            yield {"card": id, "name": None, "people": people, "runs": [], "trouble": str(error)}
            continue
        yield {
            "card": id,
            "name": card.name,
            "people": people,
            "runs": [_run(connection, card, str(period)) for period in ended(card, month)],
            "trouble": None,
        }


def _run(connection: Connection | None, card: Card, period: str) -> dict[str, Any]:
    run = None if connection is None else look_up(connection, card.id, period)
    return {"period": period, "state": run and run.state, "revision": run and run.revision}


def giver_key(giver: Giver) -> str:
    """By what a giver is asked for."""
    return f"{giver.person or ''}|{giver.whom.en}"


def shares(operation: Operation, asked: Asked, wanted: Mapping[str, Sequence[Need]]) -> dict[Giver, dict[str, list[Need]]]:  # fmt: skip
    """Who is to give which of these needs, as the close of a month has it."""
    book = duty_book(operation.database, operation.data_dir, operation.policy.zone)
    superiors = {person: book.superior_of(person, operation.now()) for person in asked.people}
    return by_giver(wanted, superiors)


def _givers(operation: Operation, asked: Asked) -> Iterator[dict[str, Any]]:
    needed, left = shares(operation, asked, asked.asked), shares(operation, asked, asked.missing)
    for giver, people in sorted(needed.items(), key=lambda one: (one[0] not in left, giver_key(one[0]))):
        lacking = left.get(giver, {})
        items = {need.item: need.name for own in people.values() for need in own}
        yield {
            "key": giver_key(giver),
            "whom": giver.whom,
            "person": giver.person,
            "needed": sum(map(len, people.values())),
            "missing": sum(map(len, lacking.values())),
            "items": [{"item": id, "name": name} for id, name in items.items()],
            "people": [
                {
                    "person": person,
                    "missing": [{"item": need.item, "name": need.name, "field": need.field} for need in own],
                }
                for person, own in list(lacking.items())[:_MOST_PEOPLE]
            ],
            "more": max(0, len(lacking) - _MOST_PEOPLE),
        }


def _came(connection: Connection, card: str, period: str) -> Iterator[dict[str, Any]]:
    """What was handed in, file by file or review by review, the newest first."""
    counts: Counter[tuple[str, str, Any]] = Counter()
    for one in versions(connection, card, period):
        counts[one.source, one.author, one.at] += 1
    newest = sorted(counts.items(), key=lambda pair: pair[0][2], reverse=True)
    for (source, author, at), values in newest[:_MOST_CAME]:
        yield {"source": source, "author": author, "at": at, "values": values}
