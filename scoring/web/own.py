"""What a person's own page has of the month: the rules by which they are scored, which they note to have read, and their sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from scoring.api.bodies import Sent, Short
from scoring.period import Month
from scoring.store.due_days import due
from scoring.store.rules_read import Noted, note, noted
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, all_runs, card_of, materials_of, result_of
from scoring.web.visitors import (
    NO_SHEET,
    Concerned,
    PersonId,
    Rater,
    Visitor,
    actor_of,
    answer,
    called,
    language_of,
    looks,
    reading_if_begun,
    sees,
    sees_outcome,
    visible,
    writing,
)
from scoring.web.work import card_for
from scoring.workflow.acknowledgements import acknowledged
from scoring.workflow.appeals import all_appeals, last_day
from scoring.workflow.card_rules import CardRules, Rules, period_at, seasons_of
from scoring.workflow.gather import Operation, today
from scoring.workflow.lifecycle import signatures, turn
from streams.contracts.outputs import RosterEntry
from streams.languages.translation import said

#: So long the roster and the rules stay as they were read, for whoever looks. Seconds.
KEPT = 20.0
#: Runs that are looked through for a person's sheets, the newest first, and how many are told.
_MOST_RUNS, _MOST_SHEETS = 60, 12
_T = TypeVar("_T")


class NotedRules(Sent):
    """Which rules somebody has read: as the page showed them, by their digest."""

    card: Short
    period: Short
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass
class Known:
    """The roster of a day and a card's rules, read from the operation's Kafka once in a while."""

    operation: Operation
    _kept: dict[tuple[str, ...], tuple[float, Any]] = field(default_factory=dict)

    def roster(self, day: date, fresh: bool = False) -> Mapping[str, RosterEntry]:
        """Who is on it on a day. Raises ConnectionError."""
        return self._once(("roster", str(day)), lambda: self.operation.roster(day), fresh)

    def rules(self, connection: Connection | None, card: str, day: date, fresh: bool = False) -> CardRules | None:
        """A card's rules in the period that a day lies in; None of a card without one. Raises AbsentError, ValueError, ConnectionError."""

        def read() -> CardRules | None:
            found = card_for(connection, card)
            period = period_at(found, day)
            return None if period is None else CardRules(self.operation, found, period, seasons_of(connection, card))

        return self._once(("rules", card, str(day)), read, fresh)

    def _once(self, key: tuple[str, ...], read: Callable[[], _T], fresh: bool) -> _T:
        now = monotonic()
        if fresh or key not in self._kept or now - self._kept[key][0] >= KEPT:
            self._kept = {one: had for one, had in self._kept.items() if now - had[0] < KEPT}
            self._kept[key] = now, read()
        found: _T = self._kept[key][1]
        return found


def add(routes: APIRouter, operation: Operation, known: Known) -> None:
    """The routes."""
    _rules(routes, operation, known)
    _sheets(routes, operation, known)


def _rules(routes: APIRouter, operation: Operation, known: Known) -> None:
    @routes.get("/people/{person}/rules")
    def rules(person: PersonId, visitor: Concerned, request: Request) -> Response:
        """The rules of a person's card in this period and the next, in words, and when they have noted them. ``changed``: they have noted
        others, which have changed since. ``rules`` null: the card cannot be read yet; ``trouble`` says why to those who lead them.
        404 for whom somebody may not see.
        """
        _entry(known, operation, visitor, person)
        with reading_if_begun(operation) as connection:
            told = [
                _told(connection, person, one, trouble, request, own=person == visitor.person)
                for one, trouble in ahead(known, connection, operation, person)
            ]
        looks(request, visitor, [person])
        return answer(
            {"person": person, "own": person == visitor.person, "today": today(operation), "periods": told,
             "names": called(operation, [person])}
        )  # fmt: skip

    @routes.post("/people/{person}/rules")
    def note_rules(person: PersonId, given: NotedRules, visitor: Concerned) -> Response:
        """Note to have read them. Only the person themselves; 409 where they have changed since the page was loaded."""
        _entry(known, operation, visitor, person)
        if person != visitor.person:
            raise HTTPException(403, "rules are noted by the person whom they are for")
        with writing(operation) as connection:
            for one, _ in ahead(known, connection, operation, person, fresh=True):
                if one is not None and (one.card, str(one.period)) == (given.card, given.period):
                    if one.digest != given.digest:
                        raise RefusedStepError("these rules have changed since you opened them; read them once more")
                    made = note(connection, one.card, given.period, one.digest, one.body, actor_of(visitor, operation))
                    return answer({"noted": made.at})
        raise HTTPException(404, "no such rules are yours; load the page anew")

    @routes.get("/rules")
    def who_has_noted(visitor: Rater, request: Request) -> Response:
        """Who of those whom they see has noted the rules of this period and of the next, and who has not: by card and period."""
        day = today(operation)
        with reading_if_begun(operation) as connection:
            found = list(_overview(known, connection, visitor, day, request))
        people = {one["person"] for card in found for one in card["people"]}
        return answer({"today": day, "cards": found, "names": called(operation, people)})


def _entry(known: Known, operation: Operation, visitor: Visitor, person: str) -> RosterEntry | None:
    """The person's line of the roster. Raises HTTPException 404 for whom somebody may not see."""
    entry = known.roster(today(operation)).get(person)
    if person != visitor.person and (entry is None or not sees(visitor, person, entry.team_id)):
        raise HTTPException(404, NO_SHEET)
    return entry


def ahead(
    known: Known, connection: Connection | None, operation: Operation, person: str, fresh: bool = False
) -> Iterator[tuple[Rules | None, str | None]]:
    """A person's rules now and in the period that comes next; where a card cannot be told, why. Nothing: they are on no card."""
    day = today(operation)
    for _ in range(2):
        entry, following = known.roster(day, fresh).get(person), Month.of(day).last + timedelta(days=1)
        if entry is not None and entry.card is not None:
            try:
                card = known.rules(connection, entry.card, day, fresh)
            except (AbsentError, ValueError) as error:
                yield None, str(error)
            else:
                if card is not None:
                    yield card.of(person, entry), None
                    following = card.period.last + timedelta(days=1)
        day = following


def _told(
    connection: Connection | None, person: str, rules: Rules | None, trouble: str | None, request: Request, *, own: bool
) -> dict[str, Any]:
    if rules is None:
        # What is wrong with a card is for whoever can mend it.
        return {"rules": None, "trouble": None if own else said(trouble or "", language_of(request))}
    period = str(rules.period)
    before = noted(connection, rules.card, period, person).get(person, ()) if connection is not None else ()
    return {
        "card": rules.card, "period": period, "first": rules.period.first, "last": rules.period.last, "rules": rules.body,
        "digest": rules.digest, "trouble": None, **_stands(before, rules.digest),
    }  # fmt: skip


def noted_by(connection: Connection | None, rules: Rules, person: str) -> datetime | None:
    """When somebody has noted just these rules; None: they have not."""
    before = noted(connection, rules.card, str(rules.period), person).get(person, ()) if connection is not None else ()
    return next((one.at for one in before if one.digest == rules.digest), None)


def _stands(before: tuple[Noted, ...], digest: str) -> dict[str, Any]:
    """When these rules were noted, and whether only others were."""
    at = next((one.at for one in before if one.digest == digest), None)
    return {"noted": at, "changed": at is None and bool(before)}


def _overview(
    known: Known, connection: Connection | None, visitor: Visitor, day: date, request: Request
) -> Iterator[dict[str, Any]]:
    seen: set[tuple[str, str]] = set()
    for when in (day, Month.of(day).last + timedelta(days=1)):
        roster = known.roster(when)
        cards = sorted({one.card for one in roster.values() if one.card})
        for id in cards:
            people = {
                person: entry
                for person, entry in sorted(roster.items())
                if entry.card == id and person != visitor.person and sees(visitor, person, entry.team_id)
            }
            if not people:
                continue
            try:
                card = known.rules(connection, id, when)
            except (AbsentError, ValueError) as error:
                yield {
                    "card": id,
                    "name": None,
                    "period": None,
                    "people": [],
                    "trouble": said(str(error), language_of(request)),
                }
                continue
            if card is None or (id, str(card.period)) in seen:
                continue
            seen.add((id, str(card.period)))
            read = noted(connection, id, str(card.period)) if connection is not None else {}
            yield {
                "card": id, "name": card.called, "period": card.period, "first": card.period.first, "trouble": None,
                "people": [
                    {"person": person, "team": entry.team_id, **_stands(read.get(person, ()), card.of(person, entry).digest)}
                    for person, entry in people.items()
                ],
            }  # fmt: skip


def _sheets(routes: APIRouter, operation: Operation, known: Known) -> None:
    @routes.get("/people/{person}/sheets")
    def sheets(person: PersonId, visitor: Concerned, request: Request) -> Response:
        """A person's sheets, the newest first: what is to be done about each, what came of it, objections and appeals. Totals and what
        hangs on them are told once they are decided. 404 for whom somebody may not see.
        """
        _entry(known, operation, visitor, person)
        found: list[dict[str, Any]] = []
        with reading_if_begun(operation) as connection:
            if connection is not None:
                runs = sorted(all_runs(connection), key=lambda run: (run.period, run.card), reverse=True)[:_MOST_RUNS]
                for run in runs:
                    if len(found) < _MOST_SHEETS and (one := _sheet(connection, run, person, visitor)) is not None:
                        found.append(one)
        looks(request, visitor, [person])
        return answer({"person": person, "today": today(operation), "sheets": found})


def _sheet(connection: Connection, run: RunRecord, person: str, visitor: Visitor) -> dict[str, Any] | None:
    revision = visible(run, visitor)
    own = None if revision is None else result_of(connection, run, revision).person(person)
    if own is None or not sees(visitor, person, own.team):
        return None
    card, decided = card_of(connection, run), run.published is not None
    next_ = turn(card, signatures(connection, run).get(person, {}))
    says = acknowledged(connection, run).get(person)
    outcome = own.outcome if decided and sees_outcome(visitor, person, own.team) else None
    standing = outcome["standings"][0] if outcome and outcome["standings"] else None
    return {
        "card": run.card, "name": card.name, "period": run.period, "state": run.state, "published": decided,
        "total": own.score.get("total") if decided else None, "max": own.score["max"], "scored_max": own.score["scored_max"],
        "next": next_ and {"column": next_.id, "name": next_.name},
        "rate": run.state == "prepared" and next_ is not None and next_.id == "self",
        "says": says and {"agreed": says.agreed, "reason": says.reason},
        "due": due(connection, run.card, run.period),
        "last_day": last_day(connection, run, materials_of(connection, run)) if decided else None,
        "appeals": [
            {"id": one.id, "items": [card.item(id).name for id in one.items], "reason": one.reason,
             "decision": one.decision and {"accepted": one.decision.accepted, "reason": one.decision.reason}}
            for one in all_appeals(connection, run)
            if one.person == person
        ],
        "grade": standing and standing.get("grade"), "rank": standing and standing.get("rank"), "of": standing and standing.get("of"),
        "awards": [{"name": one["name"], "amount": one.get("amount")} for one in (outcome["awards"] if outcome else ()) if "name" in one],
        "actions": [{"name": one["name"], "due": one.get("due")} for one in (outcome["actions"] if outcome else ())],
    }  # fmt: skip
