"""Input sheets in the browser: the templates, and what people have filled in, with every fault where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from scoring.api.bodies import NO_NUL
from scoring.inputs.requirements import Need
from scoring.inputs.sheet import InputError, parse_sheet
from scoring.inputs.template import template
from scoring.inputs.validation import Fault, FaultyRowsError, period_of
from scoring.store.runs import find_run
from scoring.web.opening import giver_key, shares
from scoring.web.visitors import CardId, OfHr, PeriodId, Visitor, actor_of, answer, language_of, reading, without_place
from scoring.workflow.asked import Asked, run_needs
from scoring.workflow.gather import Operation, names
from scoring.workflow.import_sheet import Taken, take_sheet
from streams.languages import Language
from streams.languages.translation import said

#: Bytes of a sheet that is sent, and sheets that are read at one time.
MOST_BYTES, _AT_ONCE = 20_000_000, 2
#: Faults that a page shows; the rest is counted.
_MOST_FAULTS = 500
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FileName = Annotated[str, Query(min_length=1, max_length=200, pattern=NO_NUL)]


def add(routes: APIRouter, operation: Operation) -> None:
    """Routes of input sheets."""
    at_once = CapacityLimiter(_AT_ONCE)

    @routes.get("/runs/{card}/{period}/template")
    def sheet(
        card: CardId,
        period: PeriodId,
        _: OfHr,
        giver: Annotated[str | None, Query(max_length=600, pattern=NO_NUL)] = None,
        missing: bool = False,
    ) -> Response:
        """The sheet to be filled in: all of it, or what one giver (`giver`, a key of needs) is to give; `missing`: what is not there."""
        with reading(operation) as connection:
            asked = run_needs(connection, find_run(connection, card, period))
        wanted: Mapping[str, Sequence[Need]] = asked.required() if missing else asked.asked
        stem = f"{card}-{period}"
        if giver is not None:
            own = {giver_key(one): people for one, people in shares(operation, asked, wanted).items()}
            if giver not in own:
                raise HTTPException(404, "nothing is asked of them; load the page anew")
            wanted, stem = own[giver], f"{stem}-{giver.strip('|').replace('|', '-')}"
        return _download(f"{stem}.xlsx", _template(operation, asked, wanted))

    @routes.post("/inputs", openapi_extra={"x-most-bytes": MOST_BYTES})
    async def take(
        request: Request,
        visitor: OfHr,
        name: _FileName,
        card: Annotated[str, Query(min_length=1, max_length=64, pattern=NO_NUL)],
        period: Annotated[str, Query(min_length=1, max_length=64, pattern=NO_NUL)],
        keep: bool = True,
    ) -> Response:
        """Take a sheet (XLSX or CSV as the request's body) for a run: all of it, or nothing and every fault with row, column and value.
        `keep=false` looks only.
        """
        body, language = await request.body(), language_of(request)

        def taken() -> Response:
            try:
                return answer(_taken(operation, visitor, (card, period), (name, body), keep))
            except InputError as error:
                faults = error.faults if isinstance(error, FaultyRowsError) else ()
                return answer({"detail": _whole(error, faults, language), **_told(faults, language)}, 422)

        return await to_thread.run_sync(taken, limiter=at_once)


def _taken(
    operation: Operation, visitor: Visitor, of: tuple[str, str], file: tuple[str, bytes], keep: bool
) -> dict[str, Any]:
    with reading(operation) as connection:
        run = find_run(connection, *of)
        asked = run_needs(connection, run)
    sheet = parse_sheet(*file)
    of_sheet = period_of(sheet)
    if of_sheet is not None and of_sheet != asked.period:
        raise InputError(
            f"{sheet.name} is for {of_sheet}, and this is the run of {asked.period}; open the run of {of_sheet}, or send the sheet of "
            f"{asked.period}"
        )
    by = actor_of(visitor, operation)
    made: Taken = take_sheet(operation, sheet, by, asked.card, asked.period, keep=keep, known=asked.people)
    return {"card": made.card, "period": made.period, "values": made.values, "people": made.people, "kept": made.kept}


def _whole(error: Exception, faults: Sequence[Fault], language: Language) -> str:
    """What is said of the sheet as a whole: why it cannot be read, else that it has faults."""
    if not faults:
        return said(str(error), language)
    return said(f"{len(faults)} rows are not taken, so nothing was; correct them and send the sheet again", language)


def _told(faults: Sequence[Fault], language: Language) -> dict[str, Any]:
    first = [
        {"row": one.row, "column": one.column, "cells": one.cells, "why": without_place(one.said, language)}
        for one in faults[:_MOST_FAULTS]
    ]
    return {"faults": first, "more": max(0, len(faults) - _MOST_FAULTS)}


def _template(operation: Operation, asked: Asked, wanted: Mapping[str, Sequence[Need]]) -> bytes:
    numbers = {person: (entry.hr_number if entry else None) for person, entry in asked.people.items()}
    people = {person: (numbers[person], own) for person, own in wanted.items()}
    return template(asked.card, asked.period, people, asked.given, names(operation))


def _download(name: str, body: bytes) -> Response:
    """A file to keep, by its name in any script."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(body, media_type=_XLSX, headers={"Content-Disposition": disposition})
