"""The desk's pages of the history: which contacts are behind a figure, a contact's time line, an agent's day, the course of a day.

Entry point ``deskpulse.web``. An agent sees themself, a supervisor their teams, quality everybody; whose contacts were looked at is written
down. A place's figure is of all contacts: those of people whom somebody may not see stand in it without them.
"""

from __future__ import annotations

from asyncio import Semaphore
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from streams.alerts.baselines import WEEKS
from streams.archive.replaying import Told
from streams.contracts.outputs import Figure, entity, entity_id, entity_kind
from streams.history.board_pages import OpenContacts, board_pages
from streams.history.events import VERDICTS, course, since
from streams.history.questions import MOST_DAYS, Answer, Item, Part, Question, Questions
from streams.history.reasons import REASONS, Reason
from streams.history.store import history_database
from streams.history.timeline import NOT_KEPT, STEPS, gaps, steps
from streams.kpi.as_of import day_of
from streams.kpi.explained import find, measure
from streams.kpi.measures.measure import SCALE
from streams.kpi.policy.versions import AnyPolicy
from streams.languages.text import LANGUAGES, Text
from streams.roster import Roster
from streams.settings import Settings
from streams.web.access import Anybody
from streams.web.incident_routes import Known, may_name
from streams.web.roles import ALL_TEAMS, Scope, Visitor
from streams.windows.clock import instant

#: An answer's page has so many lines at most.
MOST_LINES = 200
_NO_NUL = r"^[^\x00]*$"
#: What of a contact's record says who had it.
_OF_PEOPLE = frozenset({"agent", "agents", "team", "passages", "missed"})
_WINDOWS = {"5m": 5, "30m": 30}
_QUARTERS = Text(
    "按整刻钟统计：包含该时段涉及的每个刻钟。", "By whole quarter hours: each that the time touches is in it."
)
_OF_CONTACTS = Text(
    "数值由所列联络计算；全天、全部联络的数值另与每日数据核对。",
    "The figure is worked out of the contacts in the list; that of whole days and all contacts is checked against the daily facts.",
)

Kpi = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=_NO_NUL, description="Id of a KPI, such as csat, or of a part of it"),
]
Entity = Annotated[
    str,
    Field(
        max_length=300,
        pattern=r"^(agent|team|queue|site|all)\|[^\x00]+$",
        description="agent|A17, team|T1, queue|q, site|s, all|all",
    ),
]
_Hour = Annotated[
    str, Field(pattern=r"^([01]\d:(00|15|30|45)|2[0-3]:(00|15|30|45)|24:00)$", description="A quarter hour, like 09:15")
]


class Asked(BaseModel):
    """Which figure is meant, and which of its lines. ``at`` and ``window``, as alerts have it, stand in place of the days."""

    model_config = ConfigDict(extra="forbid")

    kpi: Kpi
    entity: Entity
    first: Annotated[date | None, Field(description="A day of the operation; the first of several")] = None
    last: Annotated[date | None, Field(description="The last of several days")] = None
    hour_from: _Hour | None = None
    hour_to: _Hour | None = None
    at: Annotated[datetime | None, Field(description="The end of a window, with `window`")] = None
    window: Literal["5m", "30m", "today"] | None = None
    outcome: Annotated[
        Literal["answered", "abandoned", "flowed_out", "self_served", "handled", "merged"] | None,
        Field(description="Contacts of this outcome only"),
    ] = None
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_LINES)] = 50

    def question(self, policy: AnyPolicy) -> Question:
        """The question. Raises HTTPException where days and times do not fit together."""
        first, last, moments = self.first, self.last, None
        if (self.at is None) is not (self.window is None) or (
            self.at and (first or last or self.hour_from or self.hour_to)
        ):
            raise HTTPException(422, "give `first` and `last`, or `at` and `window`")
        if self.at is not None:
            until = self.at if self.at.tzinfo is not None else self.at.replace(tzinfo=policy.zone)
            minutes = _WINDOWS.get(self.window or "")
            begin = until - timedelta(minutes=minutes or 0)
            first, last = day_of(begin, policy), day_of(until, policy)
            moments = (round(begin.timestamp() * 1000), round(until.timestamp() * 1000)) if minutes else None
        if first is None:
            raise HTTPException(422, "say which days: `first`, and `last` where there are several")
        last = last or first
        if not 0 <= (last - first).days < MOST_DAYS:
            raise HTTPException(422, f"`last` is `first` or later; at most {MOST_DAYS} days are asked for at once")
        hours = (self.hour_from or "00:00", self.hour_to or "24:00") if self.hour_from or self.hour_to else None
        if hours is not None and hours[0] >= hours[1]:
            raise HTTPException(422, "`hour_to` is later than `hour_from`")
        return Question(self.kpi, self.entity, first, last, hours, moments, self.outcome)


class AskedListed(Asked):
    """The same, and which part of the contacts. ``value``: the greatest first."""

    part: Annotated[
        Part, Field(description="Those in the numerator, in the denominator only, or still to be judged")
    ] = "all"
    order: Literal["time", "value"] = "time"


class AskedLeftOut(Asked):
    """The same, and for which reason contacts are left out."""

    reason: Reason | None = None


class AskedOne(BaseModel):
    """A contact, by the key of its record or by channel and id."""

    model_config = ConfigDict(extra="forbid")

    record: Annotated[str | None, Field(max_length=600, pattern=_NO_NUL)] = None
    contact: Annotated[str | None, Field(max_length=300, pattern=_NO_NUL, description="Such as calls:c17")] = None

    def refuse(self) -> None:
        """Raises HTTPException where not one of them is given."""
        if (self.record is None) is (self.contact is None):
            raise HTTPException(422, "give `record`, the key of a contact's record, or `contact`, such as calls:c17")

    def records(self, questions: Questions) -> list[str]:
        """The records that are meant; several where sources or days share the id."""
        if self.record is not None:
            return [self.record]
        channel, _, id = (self.contact or "").partition(":")
        return questions.records_of(id, channel)


class AskedCourse(BaseModel):
    """A KPI of an entity on a day of the operation."""

    model_config = ConfigDict(extra="forbid")

    kpi: Kpi
    entity: Entity
    day: date


class Operation(Protocol):
    """What is asked of an operation."""

    @property
    def settings(self) -> Settings:
        """Where things are."""

    def contact_events(self, since: int) -> Iterable[Told]:
        """The events of contacts that Kafka took since a moment (ms since 1970), of a partition in order. Raises ConnectionError."""

    def whole_roster(self) -> Roster:
        """The roster as of any day. Raises ConnectionError."""


@dataclass(frozen=True)
class _Desk:
    """What the routes share."""

    questions: Questions
    settings: Settings
    known: Known
    operation: Operation

    def called(self, visitor: Visitor, entities: Iterable[str]) -> dict[str, dict[str, str]]:
        """Entity → language → name, of those that have one."""
        called = self.known.called(may_name(self.settings.names, visitor))
        found = {one: name for one in dict.fromkeys(entities) if (name := called(one)) is not None}
        return {one: {language: name[language] for language in LANGUAGES} for one, name in found.items()}

    def refuse(self, visitor: Visitor, key: str, first: date, last: date) -> None:
        """Raises HTTPException for an entity whose contacts somebody may not see: 403 for whoever sees none, 404 for another's."""
        scope = _scope(visitor)
        team = self.questions.team_of(entity_id(key), first, last) if entity_kind(key) == "agent" else None
        if not _sees(scope, key, team):
            raise HTTPException(404, "there is no such figure")


def router(operation: Operation) -> APIRouter:
    """The routes."""
    settings = operation.settings
    database = history_database(settings.history or settings.database, settings.data_dir)

    questions = Questions(database, settings.policy)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.board.open_contacts = OpenContacts(database, settings.policy)
        yield
        database.close()

    routes = APIRouter(lifespan=lifespan)
    desk = _Desk(questions, settings, Known(settings), operation)
    routes.include_router(board_pages(questions, settings.policy))
    _figures(routes, desk)
    _one(routes, desk)
    _each(routes, desk)
    _day(routes, desk)
    return routes


# -- What somebody may see


def _scope(visitor: Visitor) -> Scope:
    """What somebody sees of contacts. Raises HTTPException where their role sees none."""
    if not visitor.roles & {"agent", "supervisor", "quality"}:
        raise HTTPException(403, "your role does not allow this")
    return visitor.scope


def _sees(scope: Scope, key: str, team: str | None) -> bool:
    """Contacts of an agent and a team: of their own; of places, whoever leads somebody."""
    kind = entity_kind(key)
    if kind == "agent":
        return scope.sees(key, team)
    if kind == "team":
        return ALL_TEAMS in scope.agents_of or entity_id(key) in scope.agents_of
    return scope.places and bool(scope.agents_of)


def _people(contact: Mapping[str, Any]) -> dict[str, str | None]:
    """Agents who had a contact, with their teams, as far as its record says."""
    found: dict[str, str | None] = dict.fromkeys(contact.get("agents", ()))
    found |= {one["agent"]: one.get("team") for one in contact.get("passages", ()) if one.get("agent")}
    if contact["agent"] is not None:
        found[contact["agent"]] = contact["team"]
    return found


def _opens(scope: Scope, contact: Mapping[str, Any]) -> bool:
    """May somebody see the whole of a contact? One of theirs had it, or nobody did and they lead somebody."""
    people = _people(contact)
    if not people:
        return bool(scope.agents_of)
    return any(scope.sees(f"agent|{agent}", team) for agent, team in people.items())


def _shown(scope: Scope, agent: str | None, team: str | None) -> tuple[str | None, bool]:
    """The agent as far as somebody may see them, and whether they may not."""
    hidden = agent is not None and not scope.sees(f"agent|{agent}", team)
    return (None if hidden else agent), hidden


def _contact(scope: Scope, contact: Mapping[str, Any]) -> dict[str, Any]:
    """A contact as it stands in a list."""
    agent, hidden = _shown(scope, contact["agent"], contact["team"])
    names = ("channel", "contact_id", "customer_id", "arrived_at", "queue", "team", "site", "topic", "kind", "state", "outcome", "resolved",
             "csat_score", "csat_scale", "first_response_ms", "closed_at")  # fmt: skip
    return {name: contact[name] for name in names} | {"agent": agent, "hidden": hidden, "opens": _opens(scope, contact)}


def _interval(scope: Scope, interval: Mapping[str, Any]) -> dict[str, Any]:
    """An interval of presence as it stands in a list."""
    agent, hidden = _shown(scope, interval["agent"], interval["team"])
    names = ("kind", "team", "state", "reason", "since", "until", "attended")
    return {name: interval[name] for name in names} | {"agent": agent, "hidden": hidden}


# -- Which contacts are behind a figure


def _figures(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/api/contacts")
    async def contacts(visitor: Anybody, request: Request, asked: Annotated[AskedListed, Query()]) -> dict[str, Any]:
        """The contacts behind a figure: each with its part of numerator (`top`) and denominator (`bottom`), in stored units. They add up
        to the figure (`adds_up`): value = top × up / (bottom × down). KPIs of agents' time have intervals of presence instead.
        404 for whom somebody may not see; 422 for what cannot be asked, with what can.
        """
        question = asked.question(desk.settings.policy)

        def answered() -> tuple[dict[str, Any], set[str]]:
            desk.refuse(visitor, question.entity, question.first, question.last)
            return _listed(desk, visitor, desk.questions.behind(question), asked)

        return await _told(request, visitor, question.entity, answered)

    @routes.get("/api/contacts/left-out")
    async def left_out(visitor: Anybody, request: Request, asked: Annotated[AskedLeftOut, Query()]) -> dict[str, Any]:
        """The contacts of the entity and the time that the figure does not count, and why, as far as their records say."""
        question = asked.question(desk.settings.policy)

        def answered() -> tuple[dict[str, Any], set[str]]:
            desk.refuse(visitor, question.entity, question.first, question.last)
            scope, found = _scope(visitor), desk.questions.left_out(question)
            counted = Counter(one.reason for one in found)
            wanted = [one for one in found if asked.reason in (None, one.reason)]
            page = wanted[asked.offset : asked.offset + asked.limit]
            told = desk.questions.contacts(one.record for one in page)
            lines = [
                {"record": one.record, "reason": one.reason, "contact": _contact(scope, told[one.record])}
                for one in page
                if one.record in told
            ]
            return {
                **_asked(question),
                "reasons": {one: {"contacts": counted[one], **REASONS[one].fields()} for one in REASONS if counted[one]},
                "total": len(wanted), "items": lines, "notes": [note.fields() for note in _notes(question)],
                "names": desk.called(visitor, _named(question, lines)),
            }, _persons(lines)  # fmt: skip

        return await _told(request, visitor, question.entity, answered)


def _asked(question: Question) -> dict[str, Any]:
    return {
        "kpi": question.kpi, "entity": question.entity, "first": question.first, "last": question.last, "hours": question.hours,
        "moments": question.moments, "outcome": question.outcome, "unit": find(question.kpi.partition("~")[0]).unit,
    }  # fmt: skip


def _notes(question: Question) -> list[Text]:
    """What is to be known of an answer."""
    return [*([] if question.moments is None else [_QUARTERS]), *([] if question.of_days else [_OF_CONTACTS])]


def _listed(desk: _Desk, visitor: Visitor, answer: Answer, asked: AskedListed) -> tuple[dict[str, Any], set[str]]:
    scope = _scope(visitor)
    counted = Counter(item.part for item in answer.items)
    wanted = [item for item in answer.items if asked.part in ("all", item.part)]
    if asked.order == "value":
        wanted.sort(key=lambda item: (item.value is None, -(item.value or 0.0)))
    shown = wanted[asked.offset : asked.offset + asked.limit]
    told = desk.questions.contacts(item.record for item in shown)
    lines = [_line(scope, item, told.get(item.record)) for item in shown]
    return {
        **_asked(answer.question),
        "figure": _figure(answer.figure), "as_of": instant(answer.now).isoformat(),
        "top": answer.top, "bottom": answer.bottom, "up": answer.up, "down": answer.down,
        "listed": {"top": answer.listed[0], "bottom": answer.listed[1]}, "adds_up": answer.adds_up,
        "of": "daily_facts" if answer.facts else "contacts",
        "parts": {one: counted[one] for one in ("numerator", "rest", "pending")},
        "contacts": len({item.record for item in answer.items if item.is_contact}),
        "total": len(wanted), "items": lines, "notes": [note.fields() for note in _notes(answer.question)],
        "names": desk.called(visitor, _named(answer.question, lines)),
    }, _persons(lines)  # fmt: skip


def _line(scope: Scope, item: Item, told: Mapping[str, Any] | None) -> dict[str, Any]:
    """An item with what is told of it; nothing where it has just gone."""
    of = (
        {}
        if told is None
        else {"contact": _contact(scope, told)}
        if item.is_contact
        else {"interval": _interval(scope, told)}
    )
    return {
        "record": item.record, "day": item.day, "starts": item.starts, "part": item.part, "top": item.top, "bottom": item.bottom,
        "value": item.value, **of,
    }  # fmt: skip


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "n": figure.n, "low": figure.low, "high": figure.high, "pending": figure.pending}


def _agents(lines: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    told = (line.get("contact") or line.get("interval") or {} for line in lines)
    return (one["agent"] for one in told if one.get("agent") is not None)


def _named(question: Question, lines: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The entities that a page speaks of."""
    yield question.entity
    for line in lines:
        one = line.get("contact") or line.get("interval") or {}
        yield from (entity(kind, one[kind]) for kind in ("agent", "team", "queue") if one.get(kind) is not None)


def _persons(lines: Iterable[Mapping[str, Any]]) -> set[str]:
    return set(_agents(lines))


async def _told(
    request: Request, visitor: Visitor, about: str | None, answered: Callable[[], tuple[dict[str, Any], set[str]]]
) -> dict[str, Any]:
    """The answer, once it is written down whose contacts are in it."""
    told, persons = await run_in_threadpool(answered)
    if about is not None and entity_kind(about) == "agent":
        persons |= {entity_id(about)}
    await request.app.state.guard.looks(visitor, persons)
    return told


# -- A contact


def _one(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/api/contacts/one")
    async def one(visitor: Anybody, request: Request, asked: Annotated[AskedOne, Query()]) -> dict[str, Any]:
        """A contact's time line: its steps, what it counts for, for whom and when; and what is not kept of it. 404 for one of others."""
        asked.refuse()

        def answered() -> tuple[dict[str, Any], set[str]]:
            scope = _scope(visitor)
            for key in asked.records(desk.questions):
                if (found := desk.questions.contact(key)) is not None and _opens(scope, found[0]):
                    return _whole(desk, visitor, *found)
            raise HTTPException(404, "there is no such contact")

        return await _told(request, visitor, None, answered)


def _each(routes: APIRouter, desk: _Desk) -> None:
    one_at_a_time = Semaphore()

    @routes.get("/api/contacts/events")
    async def events(visitor: Anybody, request: Request, asked: Annotated[AskedOne, Query()]) -> dict[str, Any]:
        """A contact's events one by one, in the order in which Kafka took them: what each changed, what was ignored and why. Read from
        Kafka, which keeps them for 90 days; on a large operation it takes a minute. 404 for one of others.
        """
        asked.refuse()

        def answered() -> tuple[dict[str, Any], set[str]]:
            scope = _scope(visitor)
            for contact in desk.questions.contacts(asked.records(desk.questions)).values():
                if "contact_id" in contact and _opens(scope, contact):
                    return _events(desk, scope, contact)
            raise HTTPException(404, "there is no such contact")

        async with one_at_a_time:
            return await _told(request, visitor, None, answered)


def _events(desk: _Desk, scope: Scope, contact: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Its events; of agents who may not be seen neither what they count for nor who they are."""
    settings, people = desk.settings, _people(contact)
    shown = {agent for agent, team in people.items() if scope.sees(f"agent|{agent}", team)}
    found = course(
        desk.operation.contact_events(since(settings.policy, contact["arrived_at"])), settings.policy, desk.operation.whole_roster(),
        f"{contact['channel']}:{contact['contact_id']}", contact["customer_id"], event_time=settings.clock == "event",
    )  # fmt: skip
    hides = shown != people.keys()
    lines = []
    for line in found.lines:
        counts = [row for row in line.counts if entity_kind(row[0]) != "agent" or entity_id(row[0]) in shown]
        lines.append({
            **asdict(line), **VERDICTS[line.verdict].fields("verdict"),
            "fields": {name: told for name, told in line.fields.items() if not hides or name not in _OF_PEOPLE},
            "counts": [{"entity": entity, "day": day, "measure": id, "before": before, "after": after}
                       for entity, day, id, before, after in counts],
        })  # fmt: skip
    return {"record": contact["record"], "events": lines, "hidden": hides}, shown


def _whole(
    desk: _Desk, visitor: Visitor, contact: Mapping[str, Any], counts: list[dict[str, Any]]
) -> tuple[dict[str, Any], set[str]]:
    scope, people = _scope(visitor), _people(contact)
    teams = dict(people)

    def agent_of(agent: str | None, team: str | None) -> tuple[str | None, bool]:
        return _shown(scope, agent, team or teams.get(agent or ""))

    course = []
    for step in steps(contact):
        agent, hidden = agent_of(step.agent, step.team)
        course.append({**asdict(step), **STEPS[step.kind].fields(), "agent": agent, "hidden": hidden})
    counted = []
    for row in counts:
        agent, hidden = agent_of(row["agent"], row["team"])
        counted.append({
            "day": row["day"], "starts": row["starts"], "counts_from": row["counts_from"] or None,
            "agent": agent, "hidden": hidden, "team": row["team"], "queue": row["queue"], "site": row["site"],
            "staff": _measures(row["staff"]), "desk": _measures(row["desk"]),
        })  # fmt: skip
    told = {
        "record": contact["record"],
        "version": contact["version"],
        "date": contact["date"],
        "contact": _contact(scope, contact),
    }
    more = ("vip", "urgent", "shared", "transferred", "reopened", "missed", "surveys", "reviews", "repeated_by", "complaint_repeated_by",
            "repeats", "queues", "due_at", "policy")  # fmt: skip
    shown = {agent for agent, team in people.items() if scope.sees(f"agent|{agent}", team)}
    entities = [entity("agent", one) for one in shown]
    entities += [entity("queue", one["queue"]) for one in (*course, *counted) if one["queue"]]
    entities += [entity("team", one["team"]) for one in (*course, *counted) if one["team"]]
    return {
        **told,
        "more": {name: contact[name] for name in more if contact.get(name) not in (None, [], {}, False, 0)},
        "steps": course, "counts": counted, "not_kept": [text.fields() for text in NOT_KEPT],
        "names": desk.called(visitor, entities),
    }, shown  # fmt: skip


def _measures(sums: Mapping[str, int]) -> list[dict[str, Any]]:
    """Sums as people read them; squares, of which only intervals are made, and buckets of distributions are left out."""
    found = []
    for id, amount in sums.items():
        with suppress(KeyError):
            one = measure(id)
            if not one.unit.startswith(("s2", "points2")) and not one.family:
                found.append({"measure": id, **one.name.fields(), "unit": one.unit, "amount": amount / SCALE[one.unit]})
    return found


# -- An agent's day, and the course of a day


def _day(routes: APIRouter, desk: _Desk) -> None:
    @routes.get("/api/agents/{agent}/day")
    async def agent_day(
        agent: Annotated[str, InPath(min_length=1, max_length=256, pattern=_NO_NUL)],
        visitor: Anybody, request: Request, day: Annotated[date, Query(description="A day of the operation")],
    ) -> dict[str, Any]:  # fmt: skip
        """An agent's day: their shifts, states, contacts and the gaps within shifts. Moments in ms since 1970."""
        key = entity("agent", agent)

        def answered() -> tuple[dict[str, Any], set[str]]:
            desk.refuse(visitor, key, day, day)
            scope = _scope(visitor)
            begin, end, now, intervals, contacts = desk.questions.day_of(agent, day)
            until = min(end, now)
            lines = [
                {"record": one["record"], "contact": _contact(scope, one), "spans": _spans(one, agent)}
                for one in contacts
            ]
            told = [
                _interval(scope, {**one, "since": max(begin, one["since"]), "until": min(until, one["until"])})
                for one in intervals
            ]
            return {
                "agent": agent, "day": day, "begin": begin, "end": end, "as_of": instant(now).isoformat(),
                "states": [one for one in told if one["kind"] == "state"],
                "shifts": [one | {"until": min(end, whole["until"])} for one, whole in zip(told, intervals, strict=True)
                           if one["kind"] == "shift"],
                "gaps": [asdict(gap) for gap in gaps(intervals, begin, until)],
                "contacts": lines, "names": desk.called(visitor, [key, *_named(Question("", key, day, day), lines)]),
            }, {agent, *_agents(lines)}  # fmt: skip

        return await _told(request, visitor, key, answered)

    @routes.get("/api/course")
    async def course(visitor: Anybody, request: Request, asked: Annotated[AskedCourse, Query()]) -> dict[str, Any]:
        """A day by quarter hours, beside the median and the quartiles of the last eight days of the same weekday that have data."""
        kpi, entity, day = asked.kpi, asked.entity, asked.day

        def answered() -> tuple[dict[str, Any], set[str]]:
            desk.refuse(visitor, entity, day, day)
            now, quarters = desk.questions.course(kpi, entity, day)
            return {
                "kpi": kpi, "entity": entity, "day": day, "as_of": instant(now).isoformat(), "unit": find(kpi.partition("~")[0]).unit,
                "weeks": WEEKS, "names": desk.called(visitor, [entity]),
                "quarters": [
                    {"starts": one.starts, **_figure(one.figure), "usual": {"median": one.usual, "low": one.low, "high": one.high,
                                                                             "days": one.days}}
                    for one in quarters
                ],
            }, set()  # fmt: skip

        return await _told(request, visitor, entity, answered)


def _spans(contact: Mapping[str, Any], agent: str) -> list[tuple[int, int]]:
    """When an agent was on a call, as far as its record says; of chats and tickets it says nothing."""
    return [
        (one["answered_at"], one["ended_at"] + one.get("wrap_up_ms", 0))
        for one in contact.get("passages", ())
        if one.get("agent") == agent and "answered_at" in one and "ended_at" in one
    ]
