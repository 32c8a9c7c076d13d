"""The history tells workers what is usual: what its hours say, written where it has changed, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kafka import TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import delete, insert

from streams.alerts.rules import Rule
from streams.contracts.outputs import Sums
from streams.history import tables
from streams.history.baselines import Publisher, teams_of
from streams.history.store import History, open_history
from streams.history.sums import cell
from streams.kpi.policy.model import Policy
from tests.support.fake_consumer import FakeConsumer
from tests.support.fake_producer import FakeProducer, Log

POLICY = Policy(time_zone="UTC")
#: A Monday.
TODAY = date(2026, 3, 2)
TOPIC = TopicPartition("baselines", 0)
RULES = (
    Rule(id="r", zh="某", en="some", kpi="csat", window="30m", below="usual", margin=0.1, scope=("queue",)),
    Rule(id="s", zh="某", en="some", kpi="csat", window="30m", below="peers", margin=0.1, scope=("agent",)),
)


def ms(day: date, hour: int = 0) -> int:
    return ((day - date(1970, 1, 1)).days * 24 + hour) * 3_600_000


class Told:
    """A history, the topic, and who writes the one to the other."""

    def __init__(self, history: History) -> None:
        self.history, self.log, self.commits, self.fails, self.there = history, Log(), list[int](), 0, True
        self.publisher = self.started()

    def started(self, rules: Sequence[Rule] = RULES) -> Publisher:
        """Another process begins."""
        return Publisher(
            self.history, POLICY, rules, TOPIC.topic,
            lambda: FakeConsumer({TOPIC: self.log} if self.there else {}, 100), lambda: FakeProducer(self.log, self.commits, self.fails),
        )  # fmt: skip

    def at(self, day: date, hour: int) -> None:
        """It is so late."""
        with self.history.database.write() as connection:
            connection.execute(delete(tables.clock))
            connection.execute(insert(tables.clock).values(now=ms(day, hour)))

    def had(self, of: str, day: date, sums: Sums, hour: int = 9) -> None:
        """An entity had this at a quarter past the hour."""
        kind, _, id = of.partition("|")
        starts = ms(day, hour) + 900_000
        key = (kind, id, day.isoformat(), f"{day} {hour:02}:15", f"{day} {hour:02}:00", starts, starts + 900_000, 0)
        with self.history.database.write() as connection:
            connection.execute(delete(tables.quarter_hours).where(tables.quarter_hours.c.cell == cell(key)))
            names = ("kind", "id", "date", "starts", "hour", "starts_at", "ends_at", "counts_from")
            row = {**dict(zip(names, key, strict=True)), "date": day}
            connection.execute(insert(tables.quarter_hours).values(cell=cell(key), sums=json.dumps(sums), **row))
        self.history.touched.add(day.isoformat())

    def now(self) -> dict[str, Any]:
        """What the topic says."""
        newest = dict(self.log)
        return {key.decode(): msgspec.json.decode(value) for key, value in newest.items() if key and value is not None}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with open_history(None, tmp_path, POLICY) as history:
        history.begin()
        yield Told(history)


@contextmanager
def failing(told: Told) -> Iterator[None]:
    told.fails = 1
    with pytest.raises(KafkaError):
        yield
    told.fails = 0


def mondays(told: Told, *good: int, of: str = "queue|q") -> None:
    """So many good ratings of ten on each Monday before, the last first."""
    for week, each in enumerate(good, 1):
        told.had(of, TODAY - timedelta(weeks=week), {"csat_satisfied": each, "csat_ratings": 10})


KEY = "usual|csat|1|09:00|queue|q"


def test_what_is_usual_is_that_of_the_last_eight_weeks(told: Told) -> None:
    mondays(told, 9, 8, 7, 10, 9, 9, 8, 6, 1)  # the ninth is too long ago
    told.at(TODAY, 8)
    told.publisher.keep_up()
    assert told.now() == {
        KEY: {
            "against": "usual", "kpi": "csat", "kind": "queue", "id": "q", "weekday": 1, "hour": "09:00",
            "middle": pytest.approx(0.85), "low": pytest.approx(0.775), "high": 0.9, "n": 8, "through": "2026-02-23",
        }
    }  # fmt: skip


def test_nothing_is_written_twice_and_only_what_has_changed(told: Told) -> None:
    mondays(told, 9, 8, 7, 10)
    told.at(TODAY, 8)
    told.publisher.keep_up()
    told.publisher.keep_up()
    told.at(TODAY, 9)
    told.publisher.keep_up()
    told.started().keep_up()
    assert told.commits == [1]
    # A rating of three weeks ago is corrected; what comes today is usual only in a week.
    mondays(told, 9, 8, 1)
    told.had("queue|q", TODAY, {"csat_satisfied": 0, "csat_ratings": 10})
    told.at(TODAY, 10)
    told.publisher.keep_up()
    assert (told.commits, told.now()[KEY]["middle"]) == ([1, 1], pytest.approx(0.85))
    assert told.now()[KEY]["through"] == "2026-02-23"
    told.at(TODAY + timedelta(days=1), 0)
    told.publisher.keep_up()
    assert (told.now()[KEY]["n"], told.now()[KEY]["through"]) == (5, "2026-03-02")


def test_what_is_known_no_more_is_taken_back(told: Told) -> None:
    mondays(told, 9, 8, 7, 10)
    told.at(TODAY, 8)
    told.publisher.keep_up()
    told.at(TODAY + timedelta(weeks=6), 8)  # nobody has rated since
    told.publisher.keep_up()
    assert (told.now(), told.log[-1]) == ({}, (KEY.encode(), None))


def test_a_failed_transaction_is_made_good(told: Told) -> None:
    mondays(told, 9, 8, 7, 10)
    told.at(TODAY, 8)
    with failing(told):
        told.publisher.keep_up()
    assert told.now() == {}
    told.publisher.keep_up()
    assert list(told.now()) == [KEY]
    mondays(told, 1, 1)
    told.at(TODAY, 9)
    with failing(told):
        told.publisher.keep_up()
    told.publisher.keep_up()
    assert told.now()[KEY]["middle"] == pytest.approx(0.4)


def test_a_topic_that_was_made_anew_is_filled_and_one_that_is_not_there_is_waited_for(told: Told) -> None:
    mondays(told, 9, 8, 7, 10)
    told.at(TODAY, 8)
    told.there = False
    told.publisher.keep_up()
    told.there = True
    told.publisher.keep_up()
    assert list(told.now()) == [KEY]
    told.log.clear()
    told.started().keep_up()
    assert list(told.now()) == [KEY]


def test_other_rules_take_back_what_nobody_asks_for(told: Told) -> None:
    mondays(told, 9, 8, 7, 10)
    told.at(TODAY, 8)
    told.publisher.keep_up()
    told.started(RULES[1:]).keep_up()
    assert told.now() == {}


def test_peers_are_those_of_the_team_they_were_last_in(told: Told) -> None:
    names = [column.name for column in tables.counts.c]
    for number, team in enumerate(("t", "t", "t", "t", "u"), 1):
        mondays(told, 2 * number - 1, of=f"agent|a{number}")
        day = TODAY - timedelta(weeks=1)
        rows = [("u" if number == 1 else team, 8), (team, 9)]  # the first was in another team an hour before
        for own, hour in rows:
            made = dict.fromkeys(names) | {
                "date": day, "record": f"c{number}{hour}", "day": day, "starts": f"{day} {hour:02}:00", "starts_at": ms(day, hour),
                "ends_at": ms(day, hour) + 900_000, "counts_from": 0, "agent": f"a{number}", "team": own,
            }  # fmt: skip
            with told.history.database.write() as connection:
                connection.execute(insert(tables.counts).values(**made))
    assert teams_of(told.history, [TODAY - timedelta(weeks=1)]) == {
        "a1": "t",
        "a2": "t",
        "a3": "t",
        "a4": "t",
        "a5": "u",
    }
    told.at(TODAY, 8)
    told.publisher.keep_up()
    (of,) = told.now().values()
    assert (of["against"], of["kind"], of["id"], of["n"], of["middle"]) == (
        "peers",
        "agent",
        "t",
        4,
        pytest.approx(0.4),
    )
