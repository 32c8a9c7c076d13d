"""Recomputed days in place of what was there: never of days that workers may still change, right on these days and the same on all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from kafka.errors import KafkaError, ProducerFencedError

from scoring.period import parse_period
from scoring.store import runs
from scoring.store.database import Database
from streams import rewriting
from streams.archive.recomputing import Result, Task, concerns, plain_bytes, recompute
from streams.contacts import customer as customers
from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent, milliseconds
from streams.contracts.outputs import DailyFacts
from streams.contracts.topics import Topic
from streams.entities.day_parts import decode_day, iso
from streams.entities.record_sums import of_facts
from streams.history.store import open_history
from streams.pipeline import Run, run
from streams.presence import log as presence
from streams.rewriting import (
    RECORDS,
    Change,
    Kept,
    OwnedError,
    Span,
    There,
    Writer,
    anew,
    border_of,
    changes,
    keep_agents,
    keep_contacts,
    keep_facts,
    live,
    require_not_frozen,
    require_something,
)
from streams.settings import Settings
from streams.windows.clock import Days
from tests.support.archives import Topics, archived
from tests.support.desk import DAY, POLICY, Script, moment
from tests.support.histories import messages, query, take
from tests.support.records import comparable, sums
from tests.unit.streams.archive.test_recomputing import a_month

CALENDAR = Days(POLICY.zone)
NOW = 2_000_000_000_000
#: Topic → key → value: the topics of an operation with one partition.
Standing = dict[Topic, dict[str, bytes]]


def span(first: date, last: date | None = None) -> Span:
    return Span(first, last or first, CALENDAR)


# -- Whose a day is


def kept_of(told: Iterable[AnyEvent], days: Span, recomputed: Result | None = None) -> dict[str, list[str]]:
    """Day → what of it workers keep that have taken these events in."""
    result, kept = run(map(encode, told), POLICY, records=True), Kept()
    held = [(key, customers.dump(customer)) for key, customer in result.customers.items()]
    keep_contacts(kept, held, days, recomputed.contacts if recomputed else None)
    keep_agents(kept, [(name, presence.dump(agent)) for name, agent in result.agents.items()], days, POLICY)
    return {iso(day): sorted(names) for day, names in kept.names.items()}


def test_a_day_is_the_workers_until_nothing_may_come_to_it() -> None:
    now = milliseconds(moment("12:00:00", date(2026, 4, 20)))
    border = border_of(POLICY, now)
    assert iso(border) == "2026-04-06"  # three days late, seven to return, one more, and once more three
    live(span(date(2026, 3, 1), date(2026, 4, 5)), border, Kept())
    with pytest.raises(OwnedError, match="2026-04-06 to 2026-04-07 may still change: only days before 2026-04-06"):
        live(span(date(2026, 4, 1), date(2026, 4, 7)), border, Kept())


def test_what_workers_keep_makes_its_days_live() -> None:
    days = span(DAY, DAY + timedelta(days=40))
    script = Script().call("09:00:00", "c1", agent="a1", customer_id="k1")
    script.at("10:00:00", e.TicketCreated, "t1", customer_id="k2")
    at_work = [
        e.AgentStateChanged(id=f"s{when}", source="s", time=moment(when), agent_id="a1", state=state)
        for when, state in (("+2 23:00:00", "available"), ("+3 02:00:00", "offline"))
    ]
    shift = e.AgentScheduled(
        id="p", source="s", time=moment("06:00:00"), agent_id="a2", starts=moment("+5 08:00:00"), ends=moment("+5 16:00:00")
    )  # fmt: skip
    assert kept_of([*script.events, *at_work, shift], days) == {
        "2026-03-02": ["calls:c1", "tickets:t1"],
        "2026-03-04": ["agent|a1"],
        "2026-03-05": ["agent|a1"],
        "2026-03-07": ["agent|a2"],
        "2026-04-01": ["tickets:t1"],  # open as the month begins
    }
    kept = Kept()
    kept.add("calls:c1", [DAY.toordinal()])
    with pytest.raises(
        OwnedError, match=r"workers may still change what counts on 2026-03-02 \(calls:c1\): a contact is"
    ):
        live(days, DAY.toordinal() + 100, kept)


def test_facts_in_hand_make_their_day_live() -> None:
    kept, of = Kept(), {"entity": "agent|a1", "sums": {"calls_handled": 1}}
    parts = [
        DailyFacts(date=date(2026, 1, 1), part=date(2026, 3, 1), **of),  # type: ignore[arg-type]
        DailyFacts(date=date(2026, 1, 2), part=date(2026, 4, 6), **of),  # type: ignore[arg-type]
        DailyFacts(date=date(2026, 1, 3), planned={NOW: {"sla_due": 1}}, **of),  # type: ignore[arg-type]
    ]
    keep_facts(kept, parts, date(2026, 4, 6).toordinal())
    assert {iso(day): names for day, names in kept.names.items()} == {
        "2026-01-02": ["agent|a1"],
        "2026-01-03": ["agent|a1"],
    }


def test_a_contact_that_is_kept_may_not_come_to_count_on_the_day(tmp_path: Path) -> None:
    """It was told too late that it arrived before; another contact of that id, long before, is another matter."""
    begun = Script().at("09:00:00", e.CallQueued, "c1", customer_id="k1").events
    taken = Script().call("+5 09:00:00", "c1", agent="a1", customer_id="k1").events
    for earlier, wanted in (
        (begun, {"2026-03-02": ["calls:c1"]}),
        (Script().at("09:00:00", e.CallQueued, "c1", customer_id="k9").events, {}),
    ):
        archive = Topics(partitions=1)
        archive.send([*taken, *earlier], came=milliseconds(taken[-1].time))
        folder = tmp_path / earlier[0].customer_id  # type: ignore[operator, union-attr]
        archived(archive, folder)
        found = recompute(Task(str(folder), "", POLICY, DAY, DAY, True, late=True, records=True), 1)
        assert len(found.contacts) == 1
        assert kept_of(taken, span(DAY), found) == wanted


def test_a_day_whose_scores_are_frozen_is_nobodys(tmp_path: Path) -> None:
    database = Database.of(None, tmp_path)
    require_not_frozen(span(DAY), None, tmp_path)  # no database yet
    with database.write() as connection:
        begun = runs.begin(connection, "s1-a", parse_period("2026-03"))
    require_not_frozen(span(DAY), None, tmp_path)  # nothing has come of it
    with database.write() as connection:
        runs.move(connection, begun, "prepared", revision=1)
    database.close()
    with pytest.raises(OwnedError, match=r"the scores of s1-a 2026-03 are frozen \(2026-03-01 to 2026-03-31\)"):
        require_not_frozen(span(date(2026, 2, 20), date(2026, 3, 1)), None, tmp_path)
    require_not_frozen(span(date(2026, 2, 1), date(2026, 2, 28)), None, tmp_path)


# -- What is put there


def standing(result: Run) -> Standing:
    """What topics have after a run."""
    return {topic: dict(told) for topic, told in messages(result).items()}  # type: ignore[arg-type]


def there_of(stands: Standing, found: Result, days: Span, gone: dict[Topic, set[str]] | None = None) -> There:
    facts = {key: (0, decode_day(raw)) for key, raw in stands[topics.DAILY_FACTS].items()}
    records = {
        topic: {
            (0, key): raw
            for key, raw in stands[topic].items()
            if key in anew(found, topic) or concerns(raw, days.days.start, days.days.stop - 1, CALENDAR)
        }
        for topic in RECORDS
    }
    inside = {key: fact for key, fact in facts.items() if days.first <= fact[1].date <= days.last}
    return There(1, inside, {}, records, {topic: (gone or {}).get(topic, set()) for topic in RECORDS})


def rewritten(stands: Standing, found: Result, days: Span) -> tuple[Standing, int]:
    """What topics have afterwards, and how many messages were written."""
    made = changes(there_of(stands, found, days), found, days, NOW)
    after = {topic: dict(own) for topic, own in stands.items()}
    for change in made:
        if change.value is None:
            after[change.topic].pop(change.key)
        else:
            after[change.topic][change.key] = change.value
    return after, len(made)


def summed(stands: Standing) -> dict[tuple[str, int], dict[str, int]]:
    return sums({key: raw for topic in RECORDS for key, raw in stands[topic].items()})


def facts_in(stands: Standing) -> dict[tuple[str, int], dict[str, int]]:
    return {key: own for key, own in of_facts(map(decode_day, stands[topics.DAILY_FACTS].values())).items() if own}


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[AnyEvent], Path]:
    """What workers had taken in of a month, all that happened in it, and the archive: a part came long afterwards, some of it in
    disorder.
    """
    told = a_month()
    tickets = (
        Script()
        .at("+3 11:00:00", e.TicketCreated, "long", customer_id="k1")
        .at("+27 09:00:00", e.TicketResolved, "long", agent_id="a1")
    )
    told += tickets.events
    timely = [event for number, event in enumerate(told) if number % 7]
    rest = [event for number, event in enumerate(told) if not number % 7]
    archive, folder = Topics(), tmp_path_factory.mktemp("archive")
    archive.send(timely)
    came = max(milliseconds(event.time) for event in told) + 90 * 86_400_000
    archive.send(sorted(rest[::2], key=lambda event: event.time), came=came)
    archive.send(sorted(rest[1::2], key=lambda event: event.time), came=came + 1)
    archived(archive, folder)
    return run(map(encode, sorted(timely, key=lambda event: event.time)), POLICY, records=True), told, folder


def task_of(folder: Path, days: Span, *, records: bool = True) -> Task:
    return Task(str(folder), "", POLICY, days.first, days.last, True, late=True, records=records)


def in_time(told: Sequence[AnyEvent]) -> Run:
    return run(map(encode, sorted(told, key=lambda event: event.time)), POLICY, records=True)


def test_what_came_long_afterwards_is_taken_in_as_it_happened(months: tuple[Run, list[AnyEvent], Path]) -> None:
    _, told, folder = months
    days = span(DAY, DAY + timedelta(days=60))
    found, pure = recompute(task_of(folder, days), 1), in_time(told)
    assert set(found.refused) <= {"differs"}
    assert plain_bytes(found.facts) == plain_bytes(fact for fact in pure.facts.values() if fact.date <= days.last)
    for topic, own, wanted in zip(
        RECORDS, (found.contacts, found.presence), (pure.records, pure.presence_records), strict=True
    ):
        made = {key: record.value for key, record in own.items()}
        assert made.keys() == wanted.keys()
        if topic == topics.CONTACT_RECORDS:
            assert {key: comparable(raw) for key, raw in made.items()} == {
                key: comparable(raw) for key, raw in wanted.items()
            }


@pytest.mark.parametrize(("first", "last"), [(5, 5), (0, 12), (10, 28)])
def test_the_days_are_as_recomputed_all_others_as_they_were_and_again_nothing(
    months: tuple[Run, list[AnyEvent], Path], first: int, last: int
) -> None:
    before, _, folder = standing(months[0]), months[1], months[2]
    days = span(DAY + timedelta(days=first), DAY + timedelta(days=last))
    found = recompute(task_of(folder, days), 1)
    for fact in found.facts:
        fact.planned = {}
    after, written = rewritten(before, found, days)
    assert written
    assert rewritten(after, found, days) == (after, 0)
    wanted = {key: own for key, own in facts_in(before).items() if key[1] not in days.days}
    inside = {key: own for key, own in of_facts(found.facts).items() if own}
    assert inside != {key: own for key, own in facts_in(before).items() if key[1] in days.days}
    assert facts_in(after) == wanted | inside
    assert summed(after) == wanted | summed_of(found, days)


def summed_of(found: Result, days: Span) -> dict[tuple[str, int], dict[str, int]]:
    own = sums({key: record.value for each in (found.contacts, found.presence) for key, record in each.items()})
    return {key: amounts for key, amounts in own.items() if key[1] in days.days}


def test_day_after_day_comes_to_the_same_as_all_at_once(months: tuple[Run, list[AnyEvent], Path]) -> None:
    """History is loaded a part at a time: the records of contacts that count on days of several parts grow together."""
    _, _, folder = months
    nothing: Standing = {topic: {} for topic in (*RECORDS, topics.DAILY_FACTS)}
    whole = span(DAY, DAY + timedelta(days=40))
    at_once, _ = rewritten(nothing, recompute(task_of(folder, whole), 1), whole)
    stands = nothing
    for first, last in ((0, 14), (15, 29), (30, 40)):
        days = span(DAY + timedelta(days=first), DAY + timedelta(days=last))
        stands, _ = rewritten(stands, recompute(task_of(folder, days), 1), days)
    assert facts_in(stands) == facts_in(at_once)
    assert summed(stands) == summed(at_once)
    assert stands[topics.CONTACT_RECORDS].keys() == at_once[topics.CONTACT_RECORDS].keys()


def test_parts_of_a_day_become_one_and_what_is_no_more_goes(tmp_path: Path) -> None:
    days, encoded = span(DAY), msgspec.json.encode
    one, gone = ({"entity": entity, "date": DAY, "sums": {"calls_handled": 2}} for entity in ("agent|a1", "agent|a2"))
    stands: Standing = {topic: {} for topic in RECORDS}
    stands[topics.DAILY_FACTS] = {
        fact.key: encoded(fact)
        for fact in (
            DailyFacts(revision=3, offset=7, **one),  # type: ignore[arg-type]
            DailyFacts(revision=2, offset=9, part=date(2026, 5, 1), **one),  # type: ignore[arg-type]
            DailyFacts(**gone),  # type: ignore[arg-type]
        )
    }
    new = DailyFacts(entity="agent|a1", date=DAY, sums={"calls_handled": 4})
    after, written = rewritten(stands, Result(facts=[new]), days)
    assert written == 3
    (fact,) = map(decode_day, after[topics.DAILY_FACTS].values())
    assert (fact.key, fact.sums, fact.revision, fact.offset) == ("agent|a1|2026-03-02", {"calls_handled": 4}, 6, 9)
    with pytest.raises(ValueError, match="the archive has nothing of 2026-03-02, of which there are facts"):
        require_something(there_of(stands, Result(), days), Result())


def test_what_the_history_has_and_kafka_no_more_goes_or_is_whole_again(tmp_path: Path) -> None:
    """Records are kept for 90 days, rows of the history for as long as one likes."""
    script = (
        Script()
        .call("09:00:00", "c1", agent="a1", customer_id="k1")
        .call("10:00:00", "c2", agent="a1", customer_id="k2")
    )
    script.at("11:00:00", e.TicketCreated, "t1", customer_id="k3")
    days = span(DAY)
    with open_history(None, tmp_path, POLICY) as history:
        history.begin()
        old, at = run(map(encode, script.events), POLICY, records=True), {}
        take(history, messages(old), old.now, at)
        has = history.records_of(DAY, DAY)
        assert {topic: len(keys) for topic, keys in has.items()} == {
            topics.CONTACT_RECORDS: 3,
            topics.PRESENCE_RECORDS: 0,
        }
        assert len(history.records_of(date(2026, 4, 1), date(2026, 4, 1))[topics.CONTACT_RECORDS]) == 1
        archive = Topics(partitions=1)
        archive.send([event for event in script.events if event.contact_id != "c2"])  # type: ignore[union-attr]
        archived(archive, tmp_path / "archive")
        found = recompute(Task(str(tmp_path / "archive"), "", POLICY, DAY, DAY, True, records=True), 1)
        nothing: Standing = {topic: {} for topic in (*RECORDS, topics.DAILY_FACTS)}
        made = changes(there_of(nothing, found, days, has), found, days, NOW)
        told: dict[Topic, list[tuple[str, bytes | None]]] = {}
        for change in made:
            told.setdefault(change.topic, []).append((change.key, change.value))
        take(history, told, None, at)  # type: ignore[arg-type]
        assert query(history, "SELECT contact_id FROM history_contacts ORDER BY 1") == [("c1",), ("t1",)]
        assert query(history, "SELECT DISTINCT day FROM history_counts WHERE record LIKE 'tickets%' ORDER BY 1")[
            0:2
        ] == [
            ("2026-03-02",),
            ("2026-04-01",),
        ]


# -- Writing


class Producer:
    """Takes transactions, until another has shut it out."""

    def __init__(self, transactions: int) -> None:
        self.left, self.written, self.open = transactions, list[list[str]](), list[str]()

    def begin_transaction(self) -> None:
        if not self.left:
            raise KafkaError(
                f"Cannot execute transactional method because we are in an error state: {ProducerFencedError()}"
            )
        self.open = []

    def send(self, topic: str, *, key: bytes, value: bytes | None, partition: int) -> None:
        self.open.append(f"{topic}[{partition}] {key.decode()}")

    def commit_transaction(self) -> None:
        self.left -= 1
        self.written.append(self.open)


def test_a_day_is_written_at_once_and_who_is_shut_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "_A_DAYS", 2)
    monkeypatch.setattr(rewriting, "_AT_MOST", 4)
    told = [
        Change(day, topics.DAILY_FACTS, 1, f"{day}-{number}", b"")
        for day, times in ((1, 1), (2, 2), (3, 6), (4, 1))
        for number in range(times)
    ]
    writes = Producer(9)
    assert Writer(Settings(prefix="p."), writes).write(told) == {"daily-facts": 10}
    days = [[key.split(" ")[1][0] for key in one] for one in writes.written]
    assert days == [["1", "2", "2"], ["3", "3", "3", "3"], ["3", "3"], ["4"]]
    assert writes.written[0][0] == "p.daily-facts[1] 1-0"
    with pytest.raises(RuntimeError, match=r"somebody else has begun .* 3 of 10 messages are written; run this again"):
        Writer(Settings(), Producer(1)).write(told)
