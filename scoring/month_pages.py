"""The month's end at the desk: entry point ``deskpulse.web``. Here where each run stands: states, signatures and names, no score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import Connection

from scoring.runs.canonical_json import plain
from scoring.store.runs import AbsentError, RunRecord, all_runs, card_of, find_run, result_of
from scoring.web import appeals, approval, contacts, opening, own, ratings, sheets, tasks, uploads
from scoring.web.jobs import Jobs
from scoring.web.visitors import CardId, MonthRoute, OfHr, PeriodId
from scoring.workflow.acknowledgements import acknowledged
from scoring.workflow.appeals import all_appeals
from scoring.workflow.gather import Operation, names, store
from scoring.workflow.lifecycle import signatures, turn
from streams.languages.text import LANGUAGES


def router(operation: Operation) -> APIRouter:
    """The routes: where runs stand here, what is done with them in ``scoring.web``."""
    routes = APIRouter(prefix="/api/month", route_class=MonthRoute)
    jobs = Jobs(operation)
    opening.add(routes, operation, jobs)
    opening.add_jobs(routes, jobs)
    uploads.add(routes, operation)
    ratings.add(routes, operation)
    sheets.add(routes, operation)
    known = own.Known(operation)
    own.add(routes, operation, known)
    tasks.add(routes, operation, known)
    contacts.add(routes, operation)
    approval.add(routes, operation, jobs)
    appeals.add(routes, operation, jobs)

    @routes.get("/runs")
    def runs(_: OfHr) -> list[dict[str, Any]]:
        """Every run, the newest period first: its state, who has signed, what waits."""
        with store(operation) as database:
            if not database.begun:
                return []
            with database.read() as connection:
                found = [_overview(connection, run) for run in all_runs(connection)]
        return sorted(found, key=lambda one: one["period"], reverse=True)

    @routes.get("/runs/{card}/{period}")
    def run(card: CardId, period: PeriodId, _: OfHr) -> dict[str, Any]:
        """One run: everybody on it, the columns of their form that are signed, whose turn it is, and what they say of their sheet."""
        with store(operation) as database:
            if not database.begun:
                raise HTTPException(404, "there is no such run")
            with database.read() as connection:
                try:
                    record = find_run(connection, card, period)
                except AbsentError as error:
                    raise HTTPException(404, str(error)) from error
                overview, people = _overview(connection, record), list(_people(connection, record))
        called = names(operation)
        for one in people:
            if one["person"] in called:
                one["name"] = {language: called.plain(one["person"], language) for language in LANGUAGES}
        return {**overview, "persons": people}

    return routes


def _overview(connection: Connection, run: RunRecord) -> dict[str, Any]:
    """A run and how far it has come. ``due``: columns of the form for which sheets wait; ``signed``: sheets that wait for none."""
    card = card_of(connection, run)
    signed, said = signatures(connection, run), acknowledged(connection, run)
    people = list(result_of(connection, run).teams())
    due = [column for person in people if (column := turn(card, signed.get(person, {}))) is not None]
    columns = {column.id: column.name for column in due}
    counted = Counter(column.id for column in due)
    filed = all_appeals(connection, run)
    return {
        "card": run.card,
        "name": {language: card.name[language] for language in LANGUAGES},
        "period": run.period,
        "state": run.state,
        "revision": run.revision,
        "published": run.published,
        "people": len(people),
        "signed": len(people) - len(due),
        "due": [
            {"column": id, "name": {language: columns[id][language] for language in LANGUAGES}, "people": counted[id]}
            for id in columns
        ],
        "agreed": sum(one.agreed for one in said.values()),
        "objections": sum(not one.agreed for one in said.values()),
        "appeals_open": sum(one.decision is None for one in filed),
        "appeals": len(filed),
    }


def _people(connection: Connection, run: RunRecord) -> Iterator[dict[str, Any]]:
    card = card_of(connection, run)
    signed, said = signatures(connection, run), acknowledged(connection, run)
    for person, team in result_of(connection, run).teams().items():
        own, says = signed.get(person, {}), said.get(person)
        due = turn(card, own)
        yield {
            "person": person,
            "team": team,
            "signed": [plain(one) for one in sorted(own.values(), key=lambda one: one.at)],
            "next": None if due is None else {language: due.name[language] for language in LANGUAGES},
            "says": None if says is None else {"agreed": says.agreed, "reason": says.reason, "at": plain(says.at)},
        }
