"""A large history: ``python -m tests.bench.history 10000000`` tells how fast contacts are loaded, what they take, and how long questions
of the desk's pages take, on SQLite; with a PostgreSQL of its own where ``--postgresql`` is given.

A simulated desk of one week is the pure path's; the weeks after it are the same week, later, with contacts of their own. All that a history
follows of them is loaded: contact records, presence, daily facts. Questions are of random days and entities of all weeks. Those as of a
freeze ask for the first month, which is frozen and then corrected.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from deploy.local.postgres import LocalPostgres
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.outputs import ContactRecord, Counted, DailyFacts, PresenceRecord, Sums
from streams.contracts.topics import Topic
from streams.history import frozen
from streams.history.questions import AsOf, Question, Questions
from streams.history.store import Batch, History, Part, Told, open_history
from streams.kpi.ages import SINCE
from streams.kpi.levels import heights, up
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.sources.simulated import roster, simulate
from tests.support.histories import name

_START, _WEEK = datetime(2026, 3, 1, 16, tzinfo=UTC), timedelta(days=7)  # midnight of a Monday in Shanghai
_WEEK_MS = int(_WEEK.total_seconds() * 1000)
_DAY_MS, _EIGHT_HOURS_MS = 86_400_000, 28_800_000
#: Messages of a transaction, as `deskpulse history` takes them.
_AT_ONCE = 5_000
#: Questions of each kind.
_ASKED = 200
_HOURS = 7 * 24
#: KPIs of calls, chats and tickets that pages lead from.
_KPIS = (
    "answer_rate",
    "service_level_20s",
    "csat",
    "repeat_contact_rate",
    "average_handle_time",
    "first_response_30s_rate",
)


class _Week(NamedTuple):
    """What a week tells: records of contacts and of presence by their keys, daily facts."""

    contacts: dict[str, ContactRecord]
    presence: dict[str, PresenceRecord]
    facts: list[DailyFacts]


def _week(agents: int) -> _Week:
    """A week of a desk, by the stages of workers."""
    events = takewhile(
        lambda event: event.time < _START + _WEEK, simulate(7, _START, agents=agents, teams=max(3, agents // 20))
    )
    told = run((encode(event) for event in events), Policy(), records=True)
    presence = {key: msgspec.json.decode(raw, type=PresenceRecord) for key, raw in told.presence_records.items()}
    return _Week(told.contact_records(), presence, list(told.facts.values()))


class _Later:
    """What is told of a week, as told of one ``weeks`` later."""

    def __init__(self, weeks: int) -> None:
        self._weeks, self._ms, self._days = weeks, weeks * _WEEK_MS, weeks * 7

    def contact(self, key: str, record: ContactRecord) -> Told:
        """A contact's record, under its key."""
        channel, id, _, customer = key.split("|", 3)
        moved = structs.replace(
            record,
            contact_id=self._name(record.contact_id),
            date=record.date + timedelta(days=self._days),
            arrived_at=self._at(record.arrived_at),
            heard_at=self._at(record.heard_at),
            closed_at=self._maybe(record.closed_at),
            due_at=self._maybe(record.due_at),
            passages=[
                structs.replace(
                    each,
                    queued_at=self._at(each.queued_at),
                    answered_at=self._maybe(each.answered_at),
                    ended_at=self._maybe(each.ended_at),
                    gone_at=self._maybe(each.gone_at),
                )
                for each in record.passages
            ],
            repeated_by=record.repeated_by and self._name(record.repeated_by),
            repeats=list(map(self._name, record.repeats)),
            counts=self._counts(record.counts),
        )
        return Told(f"{channel}|{self._name(id)}|{moved.date}|{customer}", msgspec.json.encode(moved))

    def presence(self, key: str, record: PresenceRecord) -> Told:
        """An interval's or a shift's."""
        moved = structs.replace(
            record, since=self._at(record.since), until=self._at(record.until), counts=self._counts(record.counts)
        )
        agent, kind, since, *rest = key.split("|")
        return Told("|".join((agent, kind, str(self._at(int(since))), *rest)), msgspec.json.encode(moved))

    def facts(self, fact: DailyFacts) -> Told:
        """An entity's day."""
        moved = structs.replace(
            fact,
            date=fact.date + timedelta(days=self._days),
            sums=self._sums(fact.sums),
            planned={self._at(at): self._sums(sums) for at, sums in fact.planned.items()},
            part=fact.part and fact.part + timedelta(days=self._days),
        )
        return Told(moved.key, msgspec.json.encode(moved))

    def _at(self, at: int) -> int:
        return at + self._ms

    def _maybe(self, at: int | None) -> int | None:
        return None if at is None else at + self._ms

    def _name(self, contact: str) -> str:
        return f"{contact}-{self._weeks}"

    def _counts(self, counts: dict[str, Counted]) -> dict[str, Counted]:
        return {
            slot: structs.replace(
                each,
                at=self._at(each.at),
                day=each.day + self._days,
                staff=self._sums(each.staff),
                desk=self._sums(each.desk),
                again=tuple((self._at(at), day + self._days) for at, day in each.again),
            )
            for slot, each in counts.items()
        }

    def _sums(self, sums: Sums) -> Sums:
        """What grows with a level has grown from another moment on, and what is open has been from another hour on."""
        moved = {
            f"{SINCE}~{int(key.partition('~')[2]) + self._weeks * _HOURS}"
            if key.startswith(f"{SINCE}~")
            else key: amount
            for key, amount in sums.items()
        }
        for level, height in (heights(sums) or {}).items():
            add(moved, {key: amount for key, amount in up(level, at=self._ms, sign=height).items() if key != level})
        return moved


def _told(week: _Week, weeks: int) -> Iterator[tuple[Topic, Told]]:
    """All of a number of weeks, day after day: contacts, presence, facts."""
    told: dict[int, list[tuple[Topic, Callable[[_Later], Told]]]] = {}
    for key, record in week.contacts.items():
        day = record.date.toordinal()
        told.setdefault(day, []).append((topics.CONTACT_RECORDS, partial(_Later.contact, key=key, record=record)))
    for key, interval in week.presence.items():
        day = (interval.since + _EIGHT_HOURS_MS) // _DAY_MS + date(1970, 1, 1).toordinal()
        told.setdefault(day, []).append((topics.PRESENCE_RECORDS, partial(_Later.presence, key=key, record=interval)))
    for fact in week.facts:
        told.setdefault(fact.date.toordinal(), []).append((topics.DAILY_FACTS, partial(_Later.facts, fact=fact)))
    for number in range(weeks):
        later = _Later(number)
        for day in sorted(told):
            for topic, of in told[day]:
                yield topic, of(later)


class _Loading:
    """Takes messages in, of one topic at a time: so many a transaction as `deskpulse history` takes, with the place of each topic."""

    def __init__(self, history: History) -> None:
        self._history, self._places = history, dict[Part, int]()
        self._topic, self._held = topics.CONTACT_RECORDS, list[Told]()
        self.told, self.seconds = Counter[str](), Counter[str]()

    def give(self, topic: Topic, told: Told, now: int) -> None:
        if self._held and (topic != self._topic or len(self._held) >= _AT_ONCE):
            self.write(now)
        self._topic = topic
        self._held.append(told)

    def write(self, now: int) -> None:
        topic, told, began = self._topic, self._held, perf_counter()
        before = self._places.get((topic, 0))
        batch = Batch(told, before, (before or 0) + len(told))
        self._history.take({(topic, 0): batch}, name, now)
        self._places[topic, 0] = batch.following
        self.told[topic.name] += len(told)
        self.seconds[topic.name] += perf_counter() - began
        self._held = []

    @property
    def contacts(self) -> int:
        return self.told[topics.CONTACT_RECORDS.name]


def _load(history: History, week: _Week, contacts: int, seconds: float) -> dict[str, Any]:
    """Load as many contacts, or for so long."""
    loading, began, said = _Loading(history), perf_counter(), 0.0
    now = round((_START + _WEEK).timestamp() * 1000)
    weeks = -(-contacts // len(week.contacts))
    for number, (topic, told) in enumerate(_told(week, weeks)):
        loading.give(topic, told, now + _WEEK_MS * weeks)
        if number % _AT_ONCE == 0:
            took = loading.seconds.total()
            if loading.contacts >= contacts or took > seconds:
                break
            if perf_counter() - said > 30:
                said = perf_counter()
                told_now = f"{loading.contacts:,} contacts in {took:,.0f} s of loading"
                print(f"{said - began:7.0f} s  {told_now}", file=sys.stderr, flush=True)
    loading.write(now + _WEEK_MS * weeks)
    return {
        "contacts": loading.contacts,
        "with_all_else_per_second": round(loading.contacts / loading.seconds.total()),
        "messages_per_second": {topic: round(told / loading.seconds[topic]) for topic, told in loading.told.items()},
    }


def _times(ask: Callable[[random.Random], object], seed: int) -> dict[str, float]:
    """Milliseconds of a question asked so often, of other days and entities each time."""
    rng, took = random.Random(seed), []
    for _ in range(_ASKED):
        began = perf_counter()
        ask(rng)
        took.append((perf_counter() - began) * 1000)
    took.sort()
    return {"median": round(median(took), 1), "p95": round(took[int(len(took) * 0.95)], 1), "most": round(took[-1], 1)}


def _questions(history: History, agents: list[str], days: int) -> dict[str, Any]:
    """How long the desk's pages wait for their answers."""
    asked, first = Questions(history.database, Policy()), (_START + timedelta(hours=8)).date()
    history.put_in_order(first + timedelta(days=days + 1), days)  # as `deskpulse history` does, some days at a time

    def day(rng: random.Random, within: int = days) -> date:
        return first + timedelta(days=rng.randrange(within))

    def listed(
        of: Questions, entity: Callable[[random.Random], str], span: int, within: int = days
    ) -> Callable[[random.Random], object]:
        def ask(rng: random.Random) -> object:
            begin = day(rng, max(1, within - span))
            answer = of.behind(Question(rng.choice(_KPIS), entity(rng), begin, begin + timedelta(days=span - 1)))
            return of.contacts(item.record for item in answer.items[:50])

        return ask

    def agent(rng: random.Random) -> str:
        return f"agent|{rng.choice(agents)}"

    def whole(_: random.Random) -> str:
        return "all|all"

    def one(rng: random.Random) -> object:
        begin = day(rng)
        items = asked.behind(Question("answer_rate", agent(rng), begin, begin)).items
        return items and asked.contact(rng.choice(items).record)

    kinds: dict[str, Callable[[random.Random], object]] = {
        "list, an agent's day": listed(asked, agent, 1),
        "list, an agent's month": listed(asked, agent, 28),
        "list, all of a day": listed(asked, whole, 1),
        "a contact": one,
        "an agent's day": lambda rng: asked.day_of(rng.choice(agents), day(rng)),
        "course of an agent's day": lambda rng: asked.course(rng.choice(_KPIS), agent(rng), day(rng)),
        "course of the whole": lambda rng: asked.course(rng.choice(_KPIS), "all|all", day(rng)),
    }
    found = {kind: _times(ask, number) for number, (kind, ask) in enumerate(kinds.items())}
    history.freeze("bench", first, first + timedelta(days=min(days, 28) - 1))
    with history.database.read() as connection:
        kept = frozen.find(connection, "bench")
    assert kept is not None
    frozen_then = Questions(history.database, Policy(), AsOf(kept.number, kept.now, kept.now, [], []))
    found["as of a freeze, an agent's month"] = _times(listed(frozen_then, agent, 28, 28), 11)
    return found


def _size(history: History, folder: Path) -> float:
    """GB of the database, written out."""
    if history.database.sqlite:
        return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9, 2)
    with history.database.read() as connection:
        size: int = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    return round(size / 1e9, 2)


def main() -> None:
    """Load and ask, and print what it came to as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contacts", type=int, help="how many are loaded")
    parser.add_argument("--postgresql", action="store_true", help="into a PostgreSQL of its own, not into SQLite")
    parser.add_argument("--agents", type=int, default=300, help="of the desk")
    parser.add_argument("--seconds", type=float, default=3600, help="of loading, at most; fewer contacts then")
    asked = parser.parse_args()
    began = process_time()
    week = _week(asked.agents)
    print(
        f"a week: {len(week.contacts):,} contacts, {process_time() - began:.0f} s of CPU", file=sys.stderr, flush=True
    )
    with ExitStack() as opened:
        place = Path(tempfile.mkdtemp(prefix="history-"))
        opened.callback(shutil.rmtree, place, ignore_errors=True)
        place.chmod(0o755)  # PostgreSQL runs as another account, if this is root's
        url = None
        if asked.postgresql:
            postgres = LocalPostgres(Path(tempfile.mkdtemp(dir=place)))
            postgres.start()
            opened.callback(postgres.stop)
            url = postgres.address
        history = opened.enter_context(open_history(url, place, Policy()))
        history.begin()
        made = _load(history, week, asked.contacts, asked.seconds)
        made |= {"gigabytes": _size(history, place)}
        made["bytes_a_contact"] = round(made["gigabytes"] * 1e9 / made["contacts"])
        people = [row.agent_id for row in roster(7, asked.agents, max(3, asked.agents // 20))]
        made["milliseconds"] = _questions(history, people, max(1, made["contacts"] * 7 // len(week.contacts)))
        made["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"on": "PostgreSQL" if asked.postgresql else "SQLite", **made}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
