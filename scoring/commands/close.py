"""``deskpulse score close``: a month that is over prepares itself, and says who still owes what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from scoring.cards.load import find
from scoring.cards.model import Card
from scoring.cards.profile_calendar import load_calendar
from scoring.commands.inputs import asked_in
from scoring.commands.options import AsJson, CalendarFile, OutcomesFile, actor, month, settings_of
from scoring.commands.output import as_json, clear, row, show, table
from scoring.inputs.requirements import Need
from scoring.inputs.template import template as sheet_of
from scoring.outcomes.terms import has_outcomes
from scoring.period import Month, Period
from scoring.store.audit import Actor
from scoring.store.runs import look_up, result_of, revision_of
from scoring.workflow import lifecycle
from scoring.workflow.closing import by_giver, ended, gathered, is_ours
from scoring.workflow.contacts import keep
from scoring.workflow.gather import Operation, beside_panels, gather, handed_in, names, store, today
from streams.contracts.closing import Closing, Giver, Share, Standing, Words
from streams.languages.translation import tell
from streams.people.duties import duty_book

#: Who has prepared a run that nobody has prepared.
CLOSER = "deskpulse"


def close(
    ctx: typer.Context,
    cards: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CARD…]",
            help="Ids, or the paths of .yaml files; those on which the roster has people where left out",
        ),
    ] = None,
    when: Annotated[
        Month | None,
        typer.Option(
            "--period", parser=month, metavar="YYYY-MM", help="A month that is over; the last one where left out"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Also write a sheet for whoever owes inputs (XLSX), one a run"),
    ] = None,
    calendar: CalendarFile = None,
    outcomes: OutcomesFile = None,
    json_: AsJson = False,
) -> None:
    """Close a month: prepare the run of each card, also of a quarter or year that ends with it, and say who still owes which inputs.

    It may be run again as often as you like, and then takes what has come since. What somebody has prepared, approved or published by
    themselves stays as it is. Nothing is approved: that is for people. A card that cannot be prepared keeps no other from it; the exit
    code is 1 where there is one. `deskpulse notifier` runs this by itself where its file has `month_end`, and tells people.
    """
    operation: Operation = ctx.obj
    with clear():
        done = _Close(operation, calendar, outcomes, out).month(when or _last(operation), cards or [])
    if json_:
        as_json(done)
    else:
        _tell(done)
        if any(one.trouble for one in done.runs):
            raise typer.Exit(1)


class _Close:
    def __init__(self, operation: Operation, calendar: Path | None, outcomes: Path | None, out: Path | None) -> None:
        self._operation, self._calendar, self._outcomes, self._out = operation, calendar, outcomes, out
        self._by: Actor = actor(operation, CLOSER)
        self._shares: list[tuple[Giver, Share]] = []
        self._numbers = count(1)

    def month(self, when: Month, cards: list[str]) -> Closing:
        """Close it. Raises ValueError where it is not over, and where no card is known to anybody."""
        if when.last >= today(self._operation):
            raise ValueError(f"{when} is not over: it ends on {when.last}; close it after that day")
        runs = [one for card in cards or self._cards(when) for one in self._card(card, when)]
        return Closing(str(when), tuple(runs), tuple(gathered(self._shares)))

    def _cards(self, when: Month) -> list[str]:
        held = Counter(entry.card for entry in self._operation.roster(when.last).values() if entry.card)
        if not held:
            raise ValueError(
                f"the roster puts nobody on a card in {when}; name the cards to close, or put people on them in the roster"
            )
        return sorted(held)

    def _card(self, name: str, when: Month) -> Iterator[Standing]:
        try:
            card = find(name)
        except ValueError as error:
            yield Standing(name, Words(name, name), str(when), trouble=str(error))
            return
        for period in ended(card, when):
            yield self._run(card, period)

    def _run(self, card: Card, period: Period) -> Standing:
        """Prepare one run. What is in the way becomes its trouble, so that the others go on."""
        name = Words.of(card.name)
        try:
            state, people, own = self._prepared(card, period)
            missing = self._owed(card, period) if state == "prepared" else 0
        except (ValueError, RuntimeError, OSError) as error:
            return Standing(card.id, name, str(period), trouble=str(error))
        return Standing(card.id, name, str(period), state, people, own, missing)

    def _prepared(self, card: Card, period: Period) -> tuple[str, int, bool]:
        operation = self._operation
        with store(operation) as database:
            run = author = None
            if database.begun:
                with database.read() as connection:
                    run = look_up(connection, card.id, str(period))
                    if run is not None and run.revision:
                        author = revision_of(connection, run, run.revision).author
                    if run is not None and not is_ours(run, author, self._by.name):
                        return run.state, result_of(connection, run).count(), False
            rules = settings_of(self._outcomes)
            materials = gather(
                operation, card, period, seasons=load_calendar(self._calendar) if self._calendar else (),
                settings=rules if has_outcomes(period) else None,
            )  # fmt: skip
            with database.write() as connection:
                made = lifecycle.prepare(connection, materials, self._by)
                digest = revision_of(connection, made.run, made.run.revision).facts
        if not_kept := keep(operation, materials, digest):
            tell(
                f"{card.id} {period}: the contacts behind the figures are not kept as they are now: {not_kept}",
                err=True,
            )
        return made.run.state, made.people, True

    def _owed(self, card: Card, period: Period) -> int:
        """Note who owes what, with the sheets; returns how many values are missing."""
        operation = self._operation
        known, asked = asked_in(operation, card, period, self._calendar, self._outcomes)
        given = beside_panels(operation, card.id, period, handed_in(operation, card.id, period))
        book = duty_book(operation.database, operation.data_dir, ZoneInfo(operation.policy.time_zone))
        superiors = {person: book.superior_of(person, self._by.at) for person in known}
        missing = 0
        for giver, people in by_giver(lifecycle.lacking(asked, given), superiors).items():
            values = sum(map(len, people.values()))
            numbers = {person: entry.hr_number if entry else None for person, entry in known.items()}
            file = self._sheet(card, period, giver, {one: (numbers[one], needs) for one, needs in people.items()})
            self._shares.append((giver, Share(card.id, Words.of(card.name), str(period), values, len(people), file)))
            missing += values
        return missing

    def _sheet(
        self, card: Card, period: Period, giver: Giver, wanted: dict[str, tuple[str | None, list[Need]]]
    ) -> str | None:
        if self._out is None:
            return None
        self._out.mkdir(parents=True, exist_ok=True)
        whose = re.sub(r"[^\w.-]+", "-", giver.person or giver.whom.en).strip("-.")
        path = self._out / f"{card.id}-{period}-{whose}-{next(self._numbers)}.xlsx"
        path.write_bytes(sheet_of(card, period, wanted, {}, names(self._operation)))
        return str(path)


def _last(operation: Operation) -> Month:
    return Month.of(today(operation).replace(day=1) - timedelta(days=1))


def _tell(done: Closing) -> None:
    made = table("评分卡 Card", "考核周期 Period", "状态 State", "人数 People", "缺少的数值 Missing")
    for one in done.runs:
        row(made, one.card, one.period, one.state or "", one.people or "", "" if one.trouble else one.missing)
    show(made)
    for one in done.runs:
        if one.trouble:
            tell(f"{one.card} {one.period}: it could not be prepared: {one.trouble}", err=True)
    for owed in done.owed:
        for share in owed.shares:
            whose = " ".join(filter(None, (owed.giver.person, owed.giver.whom.zh, owed.giver.whom.en)))
            kept = f": {share.file}" if share.file else ""
            tell(f"{whose}: {share.values} values of {share.people} people for {share.card} {share.period}{kept}")
