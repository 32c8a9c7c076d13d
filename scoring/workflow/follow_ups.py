"""What becomes of what a result sets off: interviews in three steps that both sign, plans and trainings that are done (S0-32, S0-35).

The actions are those of a published result. Nothing of what is written here is changed or taken out: a new record of an interview stands
beside the one before, and asks for both signatures anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, insert, select

from scoring.runs.jsonl import PersonResult
from scoring.store.audit import Actor, record
from scoring.store.runs import AbsentError, RefusedStepError, RunRecord, all_runs, result_of
from scoring.store.tables import follow_ups

#: The steps of an interview: affirm what is strong, name what is to improve, agree on targets.
STEPS = ("affirm", "improve", "agree")
#: Published runs that are looked through for what is still to be done, the newest first.
_MOST_RUNS = 24
State: TypeAlias = Literal["open", "held", "done"]


@dataclass(frozen=True)
class Signature:
    """Who signed, and when."""

    author: str
    at: datetime


@dataclass(frozen=True)
class Record:
    """What was said in an interview: ``said`` has each of its steps."""

    id: int
    said: Mapping[str, str]
    author: str
    at: datetime


@dataclass
class FollowUp:
    """An action of somebody's published result, and how far it has come. ``text``: what came of it, where that is no interview."""

    card: str
    period: str
    person: str
    team: str | None
    key: str
    action: Mapping[str, Any]
    record: Record | None = None
    by_interviewer: Signature | None = None
    by_person: Signature | None = None
    text: str | None = None
    done: Signature | None = field(default=None)

    @property
    def is_interview(self) -> bool:
        """Is it an interview?"""
        return bool(self.action["kind"] == "interview")

    @property
    def state(self) -> State:
        """``held``: the record of an interview waits for a signature."""
        if self.is_interview:
            signed = self.by_interviewer is not None and self.by_person is not None
            return "open" if self.record is None else "done" if signed else "held"
        return "open" if self.done is None else "done"

    @property
    def due(self) -> date:
        """By when."""
        return date.fromisoformat(self.action["due"])


def key_of(action: Mapping[str, Any]) -> str:
    """By what an action is known within a person's result: at most one of each kind, trainings by their id."""
    return f"{action['kind']}:{action['rule']}" if action.get("rule") else str(action["kind"])


def of_person(connection: Connection, run: RunRecord, own: PersonResult) -> list[FollowUp]:
    """What a person's published result sets off."""
    return list(_of(own, run, _written(connection, run.card, run.period)))


def of_runs(connection: Connection, person: str | None = None) -> Iterator[FollowUp]:
    """The same of everybody, in the newest published runs; ``person``: of them only, and nobody else is looked at."""
    runs = [run for run in all_runs(connection) if run.published is not None]
    for run in sorted(runs, key=lambda one: (one.period, one.card), reverse=True)[:_MOST_RUNS]:
        written = _written(connection, run.card, run.period)
        result = result_of(connection, run, run.published)
        for own in result if person is None else filter(None, [result.person(person)]):
            yield from _of(own, run, written)


def find(connection: Connection, run: RunRecord, person: str, key: str) -> FollowUp:
    """One of them. Raises AbsentError."""
    own = None if run.published is None else result_of(connection, run, run.published).person(person)
    found = [] if own is None else [one for one in of_person(connection, run, own) if one.key == key]
    if not found:
        raise AbsentError("nothing of that kind is to be done; load the page anew")
    return found[0]


def hold(connection: Connection, one: FollowUp, said: Mapping[str, str], by: Actor) -> None:
    """Write down an interview. Raises ValueError where a step is missing, RefusedStepError once both have signed, and for the person."""
    _refuse_own(one, by)
    if not one.is_interview:
        raise RefusedStepError("only interviews are held; say what came of it instead")
    if one.state == "done":
        raise RefusedStepError("both have signed this interview: it stays as it is")
    told = {step: said.get(step, "").strip() for step in STEPS}
    if missing := [step for step in STEPS if not told[step]]:
        raise ValueError(f"an interview has three steps: affirm, improve, agree; {missing[0]} is missing")
    if one.record is not None and one.record.said == told:
        return
    _write(connection, one, "record", told, by)


def sign(connection: Connection, one: FollowUp, seen: int, by: Actor) -> None:
    """Sign the record of an interview: the person, and whoever held it. ``seen``: the record that was read. Raises RefusedStepError where
    there is none, or another by now.
    """
    if one.record is None or one.record.id != seen:
        raise RefusedStepError("this record has changed since you opened it; read it once more")
    if by.name not in (one.person, one.record.author):
        raise RefusedStepError("an interview is signed by the person and by whoever held it")
    before = one.by_person if by.name == one.person else one.by_interviewer
    if before is None:
        _write(connection, one, "sign", {"record": seen}, by)


def finish(connection: Connection, one: FollowUp, text: str, by: Actor) -> None:
    """Say what came of a plan or a training. Raises ValueError without a word, RefusedStepError where it is done, and for the person."""
    _refuse_own(one, by)
    if one.is_interview:
        raise RefusedStepError("an interview is over once both have signed its record")
    if one.state == "done":
        raise RefusedStepError("this is done already")
    if not text.strip():
        raise ValueError("say what came of it")
    _write(connection, one, "done", {"text": text.strip()}, by)


def _refuse_own(one: FollowUp, by: Actor) -> None:
    if by.name == one.person:
        raise RefusedStepError("this is written down by whoever leads them, or by HR")


def _write(connection: Connection, one: FollowUp, step: str, body: Mapping[str, Any], by: Actor) -> None:
    row = {"card": one.card, "period": one.period, "person": one.person, "action": one.key, "step": step}
    connection.execute(insert(follow_ups).values(**row, body=dict(body), author=by.name, at=by.at))
    record(connection, by, f"follow_up_{step}", one.card, one.period, one.person, followed=one.key, **body)


def _written(connection: Connection, card: str, period: str) -> dict[tuple[str, str], list[Any]]:
    c = follow_ups.c
    found: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(select(follow_ups).where(c.card == card, c.period == period).order_by(c.id)):
        found.setdefault((row.person, row.action), []).append(row)
    return found


def _of(own: PersonResult, run: RunRecord, written: Mapping[tuple[str, str], Iterable[Any]]) -> Iterator[FollowUp]:
    for action in (own.outcome or {}).get("actions") or ():
        made = FollowUp(run.card, run.period, own.person, own.team, key_of(action), action)
        for row in written.get((own.person, made.key), ()):
            _take(made, row)
        yield made


def _take(made: FollowUp, row: Any) -> None:
    by = Signature(row.author, row.at)
    match row.step:
        case "record":
            made.record = Record(row.id, row.body, row.author, row.at)
            made.by_interviewer = made.by_person = None
        case "sign" if made.record is not None and row.body["record"] == made.record.id:
            if row.author == made.person:
                made.by_person = by
            else:
                made.by_interviewer = by
        case "done":
            made.text, made.done = row.body["text"], by
