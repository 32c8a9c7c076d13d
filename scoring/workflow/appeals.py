"""Appeals against a published result: what they point at, what they want changed, what that would change, the decision.

S1-75: an appeal names items and a reason, and is decided by somebody else than who rated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from scoring.cards.model import Card, Item
from scoring.inputs.validation import Entry, checked_value, complete, find_item, merged
from scoring.inputs.values import FEW
from scoring.runs.canonical_json import digest, plain
from scoring.runs.result import Difference, compute, differences, document
from scoring.runs.snapshot import Materials, adjusted, pack
from scoring.store.audit import Actor, record
from scoring.store.inputs import hand_in, raters
from scoring.store.runs import (
    AbsentError,
    RefusedStepError,
    RunRecord,
    by_id,
    find_run,
    freeze,
    materials_of,
    move,
    result_of,
)
from scoring.store.tables import appeals, decisions
from scoring.workflow.amendments import Amendment, counted
from scoring.workflow.lifecycle import people_of, published_on
from streams.contracts.outputs import DailyFacts, entity
from streams.kpi.by_version import Judged
from streams.kpi.policy.versions import AnyPolicy
from streams.kpi.spec import side_of


@dataclass(frozen=True)
class Decision:
    """What was decided. ``revision``: the one an accepted appeal led to. ``ratings``: item → field → what whoever decided has given."""

    accepted: bool
    reason: str
    revision: int | None
    author: str
    at: datetime
    ratings: Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True)
class Appeal:
    """An objection of a person to items of a published revision.

    ``changes``: ``inputs`` (item → field → value, None takes it back), ``facts`` (day → measure → what to add) and ``events``
    (amendments of events with their effect, see `scoring.workflow.amendments`; None: none). Of an appeal that came after the last day
    also ``late``: why it was taken all the same.
    """

    id: int
    run: RunRecord
    revision: int
    person: str
    items: tuple[str, ...]
    reason: str
    changes: Mapping[str, Any]
    author: str
    at: datetime
    decision: Decision | None


def open_appeal(  # noqa: PLR0913, PLR0917 - what an appeal consists of
    connection: Connection,
    card: str,
    period: str,
    person: str,
    items: Sequence[str],
    reason: str,
    by: Actor,
    corrections: Mapping[str, str | None] | None = None,
    exclusions: Mapping[str, int] | None = None,
    amended: Callable[[AnyPolicy], Amendment] | None = None,
    late: str | None = None,
) -> Appeal:
    """File an appeal. ``corrections``: ``ITEM.FIELD`` → value; ``exclusions``: ``DATE.MEASURE`` → what to add to that day.

    ``amended``: single events taken out or put right, and what that changes under the policy that the run was frozen with.
    ``late``: why HR takes it after the last day. Raises RefusedStepError before publication, after the last day, and for who is not
    scored; ValueError for unknown items, and for changes that touch other items or that card and facts do not allow.
    """
    run = find_run(connection, card, period)
    if run.published is None:
        raise RefusedStepError(
            f"the run of {card} in {period} is {run.state}: nothing to appeal against is published yet"
        )
    known = people_of(connection, run)
    if person not in known:
        raise RefusedStepError(f"{person!r} is not scored on {card} in {period}")
    if not items or not reason.strip():
        raise ValueError("an appeal points at one item at least and gives its reason")
    materials = materials_of(connection, run)
    _in_time(connection, run, materials, person, by, late)
    scored = [find_item(materials.card, id) for id in items]
    changes: dict[str, Any] = {
        "inputs": _corrections(materials, person, items, corrections or {}),
        "facts": _exclusions(materials, person, [item.kpi for item in scored if item.kpi], exclusions or {}),
    }
    if amended is not None:
        teams = any(item.entity == "team" for item in materials.card.items)
        events = counted(amended(materials.policy), materials.period, known, teams, person, materials.first)
        _touches(materials, person, scored, events)
        changes["events"] = plain(events)
        _once(connection, run, changes)
    _changed(materials, person, changes)
    if late is not None:
        changes["late"] = late
    row = {
        "run": run.id, "revision": run.revision, "person": person, "items": list(items), "reason": reason,
        "changes": changes, "author": by.name, "at": by.at,
    }  # fmt: skip
    made = connection.execute(insert(appeals).values(**row)).inserted_primary_key
    assert made is not None
    id = int(made[0])
    record(connection, by, "appeal", card, period, person, appeal=id, items=list(items), reason=reason, changes=changes)
    return appeal_of(connection, id)


def last_day(connection: Connection, run: RunRecord, materials: Materials) -> date | None:
    """The last day of appeals against what is published of a run, which stands on its sheets; None: none, or not published."""
    days = materials.settings.appeal_days if materials.settings else None
    published = published_on(connection, run, run.published, materials.policy.zone) if run.published else None
    return None if days is None or published is None else published + timedelta(days=days)


def _in_time(
    connection: Connection, run: RunRecord, materials: Materials, person: str, by: Actor, late: str | None
) -> None:
    """Raises RefusedStepError for an appeal after the last day that HR does not let in, ValueError for one that is let in needlessly."""
    last = last_day(connection, run, materials)
    if last is None or by.at.astimezone(materials.policy.zone).date() <= last:
        if late is not None:
            raise ValueError("the appeal is in time; leave --late (`late`) out")
        return
    if late is None:
        raise RefusedStepError(
            f"the last day for an appeal against {run.card} in {run.period} was {last}; HR can take it all the same, with a reason "
            "that is kept (--late REASON; over HTTP `late`)"
        )
    if not late.strip():
        raise ValueError("--late (`late`) says why the appeal is taken after the last day")
    if by.name == person:
        raise RefusedStepError(f"{person} cannot let in an appeal of their own after the last day; HR has to")


def appeal_of(connection: Connection, id: int) -> Appeal:
    """The appeal. Raises RefusedStepError where there is none."""
    found = next(_appeals(connection, appeals.c.id == id), None)
    if found is None:
        raise AbsentError(f"there is no appeal {id}; `deskpulse score appeal list` shows them")
    return found


def all_appeals(connection: Connection, run: RunRecord | None = None) -> list[Appeal]:
    """All of them, or a run's, oldest first."""
    return list(_appeals(connection, *(() if run is None else (appeals.c.run == run.id,))))


def difference(connection: Connection, appeal: Appeal, ratings: Mapping[str, str] | None = None) -> list[Difference]:
    """What accepting it would change now, for everybody: another's rank or share of a pool may move too.

    ``ratings``: those that whoever decides would give, as `decide` takes them. Raises ValueError for what the card does not allow.
    """
    run = by_id(connection, appeal.run.id)
    materials = materials_of(connection, run)
    return _difference(
        connection, run, materials, appeal, _with(appeal.changes, _rated(materials, appeal, ratings or {}))
    )


def _difference(
    connection: Connection, run: RunRecord, materials: Materials, appeal: Appeal, changes: Mapping[str, Any]
) -> list[Difference]:
    made = _changed(materials, appeal.person, changes)
    body, facts = pack(made)
    after = document(made, compute(made, compared=False), digest(body), facts.lines.digest)
    return differences(result_of(connection, run), after)


def decide(
    connection: Connection, id: int, accepted: bool, reason: str, by: Actor, ratings: Mapping[str, str] | None = None
) -> tuple[Appeal, list[Difference]]:
    """Accept an appeal, which amends the run by a new revision that waits for publication; or refuse it.

    ``ratings``: new ones that whoever decides gives for the items of the appeal: ``ITEM`` → points or level (``ITEM.pick``; ``ITEM.RATER``
    where several raters are blended; ``ITEM.few`` of a figure on too few cases). On a form with columns they are its last word.

    Raises RefusedStepError where it is decided already, or by the appellant or somebody who rated what it is about; ValueError
    where an accepted appeal changes nothing.
    """
    appeal = appeal_of(connection, id)
    run = by_id(connection, appeal.run.id)
    _refuse_decision(connection, appeal, run, by)
    if not reason.strip():
        raise ValueError("a decision gives its reason")
    if ratings and not accepted:
        raise ValueError("a refused appeal changes nothing; take the ratings out, or accept it")
    number, changed = None, []
    given: dict[str, dict[str, str | None]] = {}
    if accepted:
        _once(connection, run, appeal.changes)
        materials = materials_of(connection, run)
        given = _rated(materials, appeal, ratings or {})
        changes = _with(appeal.changes, given)
        changed = _difference(connection, run, materials, appeal, changes)
        if not changed:
            raise ValueError(
                f"accepting the appeal {id} changes nothing: it names no correction, or one that moves no points; give the new rating "
                "with --rate ITEM=RATING where people rate, or refuse it with the reason"
            )
        if changes["inputs"]:
            entries = _corrected(appeal.person, changes, reason if given else appeal.reason)
            hand_in(connection, run.card, run.period, entries, by, f"appeal {id}")
        made = _changed(materials, appeal.person, changes)
        number, _, _ = freeze(connection, run, made, by, f"appeal {id}: {reason}")
        move(connection, run, "approved", revision=number)
    row = {
        "appeal": id,
        "accepted": accepted,
        "reason": reason,
        "revision": number,
        "author": by.name,
        "at": by.at,
        "ratings": given,
    }
    connection.execute(insert(decisions).values(**row))
    action = "amend" if accepted else "refuse"
    record(
        connection,
        by,
        action,
        run.card,
        run.period,
        appeal.person,
        appeal=id,
        reason=reason,
        revision=number,
        ratings=given,
    )
    return appeal_of(connection, id), changed


def _refuse_decision(connection: Connection, appeal: Appeal, run: RunRecord, by: Actor) -> None:
    """Raises RefusedStepError where the appeal is decided already, and for whom it or what it is about is their own."""
    if appeal.decision is not None:
        done = "accepted" if appeal.decision.accepted else "refused"
        raise RefusedStepError(f"{appeal.decision.author} has {done} the appeal {appeal.id} already; nothing was done")
    if by.name in (appeal.person, appeal.author):
        raise RefusedStepError(f"{by.name} cannot decide on an appeal of their own; somebody else has to")
    rated = raters(connection, run.card, run.period, appeal.person, appeal.items)
    if by.name in rated.values():
        what = ", ".join(sorted(key for key, author in rated.items() if author == by.name))
        raise RefusedStepError(f"{by.name} has given {what} and cannot decide on it (S1-75); somebody else has to")


def _appeals(connection: Connection, *where: Any) -> Iterator[Appeal]:
    query = select(appeals, decisions.c.accepted, decisions.c.reason.label("why"), decisions.c.revision.label("led_to"),
                   decisions.c.author.label("decider"), decisions.c.at.label("decided"), decisions.c.ratings).outerjoin(
        decisions, decisions.c.appeal == appeals.c.id).where(*where).order_by(appeals.c.id)  # fmt: skip
    for row in connection.execute(query).all():
        made = None
        if row.decider is not None:
            made = Decision(row.accepted, row.why, row.led_to, row.decider, row.decided, row.ratings or {})
        run = by_id(connection, row.run)
        yield Appeal(
            row.id, run, row.revision, row.person, tuple(row.items), row.reason, row.changes, row.author, row.at, made
        )  # fmt: skip


def _corrections(
    materials: Materials, person: str, items: Sequence[str], asked: Mapping[str, str | None]
) -> dict[str, dict[str, str | None]]:
    made: dict[str, dict[str, str | None]] = {}
    for name, text in asked.items():
        item_id, _, field = name.partition(".")
        if item_id not in items:
            raise ValueError(f"{name}: the appeal points at {', '.join(items)}; name {item_id} as an item of it too")
        if not field:
            raise ValueError(f"{name}: say which field is corrected, like {item_id}.value=98.5")
        made.setdefault(item_id, {})[field] = text and checked_value(materials.card, item_id, field, text)
    return made


def _rated(materials: Materials, appeal: Appeal, ratings: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """What whoever decides gives, as inputs: item → field → value. Raises ValueError for what is not theirs to give."""
    made: dict[str, dict[str, str | None]] = {}
    for name, text in ratings.items():
        item_id, _, part = name.partition(".")
        if item_id not in appeal.items:
            raise ValueError(f"{name}: the appeal is about {', '.join(appeal.items)}; rate one of these")
        item = find_item(materials.card, item_id)
        field = _rating_field(materials.card, item, part)
        made.setdefault(item_id, {})[field] = checked_value(materials.card, item_id, field, text)
    for item_id, given in made.items():
        if materials.card.item(item_id).rated and not materials.card.item(item_id).raters:
            # What was given by another name, and a pick of the old level, do not stand beside the new rating.
            there = materials.inputs.get(appeal.person, {}).get(item_id, {})
            given |= dict.fromkeys((_BY_ITSELF & there.keys()) - given.keys())
    return made


#: Fields of a rating that stand beside no column of a form.
_BY_ITSELF = frozenset({"level", "rating", "value", "pick"})


def _rating_field(card: Card, item: Item, part: str) -> str:
    """The field of a new rating: the last column that counts, where the form has columns. Raises ValueError for another."""
    raters = [rater.id for rater in item.raters]
    if part == FEW or (part and part in raters) or (part == "pick" and item.rule.asks == "level"):
        return part
    if raters:
        raise ValueError(f"{item.id} is rated by several: write {' or '.join(f'{item.id}.{one}=…' for one in raters)}")
    if not item.rated:
        raise ValueError(
            f"{item.id} is not rated: what is wrong with its figure is put right in an appeal by --correct or --exclude"
        )
    if part:
        raise ValueError(
            f"{item.id}.{part}: write {item.id}=…" + (f" and {item.id}.pick=…" if item.rule.asks == "level" else "")
        )
    counting = [column.id for column in card.evaluators if column.counts]
    return counting[-1] if counting else "level" if item.rule.asks == "level" else "rating"


def _with(changes: Mapping[str, Any], ratings: Mapping[str, Mapping[str, str | None]]) -> dict[str, Any]:
    """The changes that an appeal asks for, with the ratings of whoever decides on top."""
    items = {**changes["inputs"], **ratings}
    return {**changes, "inputs": {item: {**changes["inputs"].get(item, {}), **ratings.get(item, {})} for item in items}}


def _exclusions(
    materials: Materials, person: str, kpis: Sequence[str], asked: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    made: dict[str, dict[str, int]] = {}
    days = {id: materials.days_of(id) for id in kpis}
    allowed = sorted({name for id in kpis for name in _measures(materials, id)})
    for name, amount in asked.items():
        day, _, measure = name.partition(".")
        try:
            on = date.fromisoformat(day)
        except ValueError:
            raise ValueError(f"{name}: write it like 2026-03-17.{allowed[0] if allowed else 'measure'}=-1") from None
        if not (any(on in own for own in days.values()) if days else on in materials.period):
            spans = sorted({f"{own.first} to {own.last}" for own in days.values()}) if materials.shifts else []
            raise ValueError(f"{name}: {day} is not in {' or '.join(spans) or materials.period}")
        if not any(on in own and measure in _measures(materials, id) for id, own in days.items()):
            known = ", ".join(allowed) or "none: these items are not computed from events, use --correct"
            raise ValueError(f"{name}: the items of this appeal count no {measure!r}; they count: {known}")
        made.setdefault(day, {})[measure] = amount
    return made


def _once(connection: Connection, run: RunRecord, changes: Mapping[str, Any]) -> None:
    """Raises RefusedStepError where an accepted appeal has amended one of these events already: it would count twice."""
    wanted = _amended(changes)
    for one in all_appeals(connection, run) if wanted else ():
        if one.decision and one.decision.accepted and (twice := sorted(wanted & _amended(one.changes))):
            contact, event = twice[0]
            raise RefusedStepError(
                f"the event {event} of the contact {contact} was amended by the appeal {one.id} already; leave it out"
            )


def _amended(changes: Mapping[str, Any]) -> set[tuple[str, str]]:
    events = (changes.get("events") or {}).get("events", ())
    return {(event["contact_id"], event["corrects"]) for event in events}


def _touches(materials: Materials, person: str, items: Sequence[Item], events: Amendment) -> None:
    """Raises ValueError where the events count for none of the items that the appeal points at."""
    wanted = [(materials.days_of(item.kpi), _measures(materials, item.kpi)) for item in items if item.kpi]
    own = [fact for fact in events.effect if fact.entity == entity("agent", person)]
    touched = {measure for fact in own for measure in fact.sums}
    if not any(fact.date in days and measures & fact.sums.keys() for fact in own for days, measures in wanted):
        named = ", ".join(item.id for item in items)
        raise ValueError(
            f"{events.file}: these events count nothing for {named}; they count: {', '.join(sorted(touched))}"
        )


def _measures(materials: Materials, kpi: str) -> set[str]:
    return Judged(materials.policy, materials.period.first, materials.period.last).measures(kpi, side_of("agent"))


def _changed(materials: Materials, person: str, changes: Mapping[str, Any]) -> Materials:
    """The materials with the changes in them. Raises ValueError where they go below what there is."""
    inputs = dict(materials.inputs)
    if changes["inputs"]:
        inputs[person] = merged(inputs.get(person, {}), _corrected(person, changes))
        for item in changes["inputs"]:
            if item in inputs[person]:
                complete(materials.card, materials.card.item(item), inputs[person][item])
    added = _added(person, changes)
    made = replace(materials, inputs=inputs, adjusted=(*materials.adjusted, *added))
    if added:
        _refuse_below_0(made, {(fact.entity, fact.date) for fact in added})
    return made


def _corrected(person: str, changes: Mapping[str, Any], note: str | None = None) -> list[Entry]:
    """What the changes hand in."""
    return [
        Entry(person, item, field, value, note) for item, of in changes["inputs"].items() for field, value in of.items()
    ]


def _added(person: str, changes: Mapping[str, Any]) -> tuple[DailyFacts, ...]:
    """What the changes add to days: what is excluded by hand, and the effect of amended events."""
    excluded = tuple(
        DailyFacts(entity=entity("agent", person), date=date.fromisoformat(day), sums=dict(sums))
        for day, sums in sorted(changes["facts"].items())
    )
    events = changes.get("events")
    return (*excluded, *msgspec.convert(tuple(events["effect"]), tuple[DailyFacts, ...])) if events else excluded


def _refuse_below_0(made: Materials, days: Collection[tuple[str, date]]) -> None:
    """Raises ValueError where a count of these days (of an entity each) has fallen below 0."""
    touched = (fact for fact in made.facts if (fact.entity, fact.date) in days)
    for fact in adjusted(touched, made.adjusted):
        below = sorted(measure for measure, count in fact.sums.items() if count < 0)
        if below and (fact.entity, fact.date) in days:
            raise ValueError(
                f"{fact.date}: {', '.join(below)} would fall below 0; exclude no more than was counted that day"
            )
