"""Alerts that know what is usual, on a manual clock, in the words of a desk: from calls of eight Mondays to who is called on the ninth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from kafka import TopicPartition

from streams.alerts.baselines import Baselines
from streams.alerts.rules import Rule
from streams.back_test.chance import Counted, chance_of
from streams.back_test.trial import try_rules
from streams.contracts import events as e
from streams.contracts.decode import encode
from streams.contracts.events.base import milliseconds
from streams.contracts.outputs import Alert
from streams.history.baselines import Publisher
from streams.history.things import things
from streams.incidents.book import IncidentBook
from streams.incidents.places import Places
from streams.pipeline import Run, contributed, run_by_second
from tests.support.desk import DAY, POLICY, Script, moment, run_events
from tests.support.fake_consumer import FakeConsumer
from tests.support.fake_producer import FakeProducer, Log
from tests.support.histories import history_of, take

#: The ninth Monday.
TODAY = DAY + timedelta(weeks=8)
_TOPIC = TopicPartition("baselines", 0)


def rule(**fields: Any) -> Rule:
    given = {
        "id": "low",
        "zh": "满意度低于平时",
        "en": "Lower than usual",
        "kpi": "csat",
        "window": "30m",
        "by": 0.1,
        "min_n": 10,
    }
    return Rule.model_validate(given | fields)


QUEUE_AS_USUAL = rule(below="usual", scope=["queue"])
AGENT_AS_OTHERS = rule(id="peers", below="peers", scope=["agent"])


class Desk:
    """What callers said, week after week, and what the history and the workers make of it."""

    def __init__(self) -> None:
        self.script = Script()
        self._calls = 0

    def rated(self, week: int, hour: int, good: int, of: int = 10, *, agent: str = "a1") -> None:
        """On the Monday of a week (0 the first) callers of an hour rate, so many of them well: one every two minutes."""
        for number in range(of):
            self._calls += 1
            call, when = f"c{self._calls}", f"+{7 * week} {hour:02}:{10 + 2 * number:02}"
            self.script.call(f"{when}:00", call, agent=agent, wait=2, talk=20, queue="orders", team_id="t")
            score = 5 if number * good // of != (number + 1) * good // of else 1
            self.script.at(
                f"{when}:30",
                e.CallRated,
                call,
                score=score,
                scale="1-5",
                agent_id=agent,
                team_id="t",
                queue_id="orders",
            )

    def usual_weeks(self, weeks: int = 8) -> None:
        """Nine of ten are satisfied at nine o'clock, five of ten at noon when the line is full; one week is a little better or worse."""
        for week in range(8 - weeks, 8):
            self.rated(week, 9, 9 - week % 2)
            self.rated(week, 12, 5 + week % 2)

    def history_tells(self, *rules: Rule) -> Baselines:
        """The history reads the weeks before today, and workers read what it writes."""
        past = [event for event in self.script.events if event.time.date() < TODAY]
        log: Log = []
        with history_of(run_events(past, POLICY, records=True), POLICY) as history:
            take(history, {}, milliseconds(moment("08:00:00", TODAY)), {})  # early on the ninth Monday
            consumer, producer = (lambda: FakeConsumer({_TOPIC: log}, 50)), (lambda: FakeProducer(log, []))
            Publisher(history, POLICY, rules, _TOPIC.topic, consumer, producer).keep_up()
        book = Baselines(POLICY)
        assert book.load({key.decode(): value for key, value in log if key is not None}) == {}
        return book

    def told(self) -> list[tuple[int, bytes]]:
        own = sorted(self.script.events, key=lambda event: event.time)
        return [(milliseconds(event.time), encode(event)) for event in own]

    def steps(self, rules: Sequence[Rule], book: Baselines | None) -> list[tuple[int, Alert]]:
        """What alerts come to on the ninth Monday, with the second of each."""
        midnight = milliseconds(moment("00:00:00", TODAY))
        told = [each for each in self.told() if each[0] >= midnight]
        lived = run_by_second(told, POLICY, tuple(rules), Run(), baselines=book)
        return [(at, alert) for at, steps in lived for alert in steps]

    def today(self, rules: Sequence[Rule], book: Baselines | None) -> list[tuple[str, str, str]]:
        """Who is called on it: when, for whom, why."""
        fired = [alert for _, alert in self.steps(rules, book) if alert.status == "firing" and not alert.update]
        return [(f"{alert.at:%H:%M}", alert.entity, alert.reason_en) for alert in fired]


def test_five_of_ten_is_bad_at_nine_and_as_always_at_noon() -> None:
    desk = Desk()
    desk.usual_weeks()
    desk.rated(8, 9, 5)
    desk.rated(8, 12, 5)
    book = desk.history_tells(QUEUE_AS_USUAL)
    ((when, whom, why),) = desk.today([QUEUE_AS_USUAL], book)
    assert (when[:2], whom) == ("09", "queue|orders")
    assert "Its own usual: 85.0 %, mostly 80.0 % to 90.0 % (8 Mondays at 09:00)." in why
    assert "below 70.0 %" in why


def test_after_the_last_hour_that_has_an_usual_the_incident_keeps_what_it_was_held_against() -> None:
    desk, late = Desk(), rule(below="usual", scope=["queue"], no_data_for=3600)
    desk.usual_weeks()
    desk.rated(8, 9, 5)
    book, incidents = desk.history_tells(late), IncidentBook([late], Places(), POLICY.zone)
    desk.script.at("+56 11:30:00", e.CallArrived, "tick")
    told = desk.steps([late], book)
    assert [alert.status for _, alert in told if not alert.update] == ["firing", "no_data"]
    for at, alert in told:
        incidents.alert(alert, at)
        incidents.tick(at + 10_000)
    (incident,) = incidents.drain(told[-1][0] + 10_000).incidents
    assert (incident.steps[-1].kind, incident.members[0].threshold) == ("no_data", pytest.approx(0.7))
    assert "no data for 60 min, last 50.0 % (n=10)" in incident.steps[-1].reason_en


def test_without_a_history_the_rule_has_no_data() -> None:
    desk = Desk()
    desk.usual_weeks(3)  # of three weeks nothing is usual
    desk.rated(8, 9, 0)
    book = desk.history_tells(QUEUE_AS_USUAL)
    assert (len(book), book.knows(QUEUE_AS_USUAL)) == (0, False)
    assert desk.today([QUEUE_AS_USUAL], book) == []
    assert desk.today([QUEUE_AS_USUAL], None) == []


def test_whoever_is_far_behind_the_team_is_told_apart_from_a_bad_hour_of_all() -> None:
    desk = Desk()
    for week in range(8):
        for number, good in enumerate((9, 8, 9, 8), 1):
            desk.rated(week, 9, good, agent=f"a{number}")
    for number, good in enumerate((8, 8, 9, 4), 1):
        desk.rated(8, 9, good, agent=f"a{number}")
    told = desk.today([AGENT_AS_OTHERS], desk.history_tells(AGENT_AS_OTHERS))
    assert [whom for _, whom, _ in told] == ["agent|a4"]
    assert "Those alike: 85.0 %, mostly 80.0 % to 90.0 % (4 of them, Mondays at 09:00, 8 weeks)." in told[0][2]


def test_a_trial_on_the_past_learns_what_is_usual_from_the_weeks_before() -> None:
    desk = Desk()
    desk.usual_weeks(4)
    desk.rated(8, 9, 5)
    desk.rated(8, 12, 5)
    trial = try_rules((QUEUE_AS_USUAL,), desk.told(), POLICY)
    assert [(firing.entity, f"{firing.began:%m-%d %H}") for firing in trial.firings] == [
        ("queue|orders", f"{TODAY:%m-%d} 09")
    ]
    # Where weeks change places the bad hour comes last one time in five, on the only day that has four before it: 7 / 5 a week.
    assert trial.by_chance["low"] == pytest.approx(1.4, abs=1.3)


def test_by_chance_says_how_often_it_fires_where_nothing_has_happened() -> None:
    """From the history and from events alike; a naive rule below 80 % fires at every noon, and says nothing by it."""
    desk = Desk()
    desk.usual_weeks()
    naive = rule(id="naive", below=0.8, by=None, scope=["queue"])
    rules = (QUEUE_AS_USUAL, AGENT_AS_OTHERS, naive)
    from_events, from_history = Counted(rules, POLICY), Counted(rules, POLICY)
    for key, contribution in contributed(desk.told(), POLICY, Run()):
        from_events.hear(key, contribution)
    with history_of(run_events(desk.script.events, POLICY, records=True), POLICY) as history:
        for each in things(history.database, date.min, date.max):
            from_history.count(*each)
    told, kept = (chance_of(one, rules, date.min, date.max) for one in (from_events, from_history))
    assert told is not None
    assert kept is not None
    assert (told.of["low"], told.of["peers"]) == (0.0, None)
    assert (kept.of["low"], kept.of["peers"], kept.first, kept.last) == (0.0, None, told.first, told.last)
    assert told.of["naive"] is not None
    assert kept.of["naive"] is not None
    assert told.of["naive"] > 0.5
    assert kept.of["naive"] == pytest.approx(told.of["naive"], abs=0.4)
