"""Routes of 360-degree ratings."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from scoring.api.access import BALLOT, OfHr, actor_of, answer_json, holding, names_of, reading, writing
from scoring.api.bodies import NO_NUL, Ballot, Closing, NewPanels
from scoring.cards.load import known as known_cards
from scoring.cards.load import load
from scoring.cards.model import Card
from scoring.period import parse_period
from scoring.store import panels
from scoring.store.runs import AbsentError, card_of, look_up
from scoring.workflow import panels as polls
from scoring.workflow.gather import Operation, people, store


def _built_in(id: str) -> Card:
    """The card of this id that comes with the program; of others there has to be a run. Raises AbsentError."""
    if id not in known_cards():
        raise AbsentError(f"no card {id!r} comes with the program; prepare a run of a card of your own first")
    return load(known_cards()[id])


def add(app: FastAPI, operation: Operation) -> None:
    """Routes of 360-degree ratings."""

    @app.post("/api/panels", status_code=201)
    def open_(given: NewPanels, who: OfHr) -> Response:
        """Ask several people to rate somebody; answers with each rater's code, which is kept beside no name and shown once."""
        with reading(operation) as connection:
            run = look_up(connection, given.card, given.period)
            card = _built_in(given.card) if run is None else card_of(connection, run)
        period = parse_period(given.period)
        scored = people(operation, card, period)
        wanted = [polls.Wanted(one.person, one.party, tuple(one.raters)) for one in given.panels]
        with writing(operation) as connection:
            return answer_json(
                polls.open_panels(connection, card, period, scored, wanted, actor_of(who, operation)), 201
            )

    @app.get("/api/panels")
    def status(
        who: OfHr,
        card: Annotated[str, Query(max_length=64, pattern=NO_NUL)],
        period: Annotated[str, Query(max_length=64, pattern=NO_NUL)],
    ) -> Response:
        """How many of whom have rated; what they gave once a panel is closed, as a sum."""
        with reading(operation) as connection:
            found = panels.newest(connection, card, period)
        return answer_json({"panels": found, "names": names_of(operation, {one.person for one in found})})

    @app.post("/api/panels/closing")
    def close(given: Closing, who: OfHr) -> Response:
        """Close panels: their means count where enough have rated; single ratings are deleted."""
        with store(operation) as database:
            with database.write() as connection:
                found = polls.to_close(connection, given.card, given.period, given.person, given.party)
                made = polls.close(connection, found, actor_of(who, operation))
            polls.leave_nothing(database)
        return answer_json(made)

    @app.get(BALLOT)
    def asked(code: Annotated[str, Depends(holding)]) -> Response:
        """What the holder of a code is asked: whom they rate, and which items. `Authorization: Bearer CODE`."""
        with reading(operation) as connection:
            panel = polls.asked(connection, code)
        told = {name: getattr(panel, name) for name in ("card", "period", "person", "party", "asks")}
        return answer_json({**told, "names": names_of(operation, [panel.person])})

    @app.post(BALLOT, status_code=204)
    def rate(given: Ballot, code: Annotated[str, Depends(holding)]) -> Response:
        """Rate by a code, once. Nobody is asked who they are."""
        with store(operation) as database:
            with database.write() as connection:
                polls.rate(connection, code, given.ratings)
            polls.leave_nothing(database)
        return Response(status_code=204)
