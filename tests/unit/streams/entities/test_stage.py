"""The second stage by itself: who is looked at and shown in which order, and who wakes when nothing happens to him."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerts.rules import Rule
from streams.contracts.outputs import Alert, Cell, Contribution, DailyFacts, Planned, Sums
from streams.entities import daily_facts as daily
from streams.entities.day_parts import new_day
from streams.entities.entity import Entity, dump, load
from streams.entities.stage import KpisStage
from streams.kpi.measures import merged
from streams.kpi.policy.model import Policy
from streams.pipeline import DayBook, Entities
from streams.windows.rolling import ROLLING
from tests.support.desk import shown

POLICY = Policy(time_zone="UTC")
DAY = date(2026, 3, 2).toordinal()
#: 2026-03-02 09:00 UTC in minutes since 1970.
NINE = (DAY - date(1970, 1, 1).toordinal()) * 1440 + 540
RULES = (
    Rule(id="unanswered", zh="x", en="x", kpi="answer_rate", window="5m", below=0.5, for_seconds=60, min_n=2, scope=("agent", "queue")),
    Rule(id="unsatisfied", zh="x", en="x", kpi="csat", window="30m", below=0.8, clear=0.9, scope=("agent",)),
    Rule(id="complaints", zh="x", en="x", kpi="repeat_complaint_rate", window="today", above=0.2, scope=("agent",)),
    Rule(id="waits", zh="x", en="x", kpi="longest_wait", window="now", above=120, scope=("queue",)),
)  # fmt: skip


class Stage(KpisStage):
    """The stage with everything in memory; counts the offsets by itself."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        super().__init__(POLICY, rules, Entities(), DayBook())
        self._offset = 0

    def take(
        self, key: str, now: float, sums: Sums | None = None, *, minute: int | None = None, **fields: object
    ) -> None:
        """A contribution as of ``now`` (minutes), by default to the minute and the day it is."""
        cells = [Cell(int(now) if minute is None else minute, day(now), sums)] if sums else []
        self.apply(key, Contribution(cells=cells, **fields), self._offset)  # type: ignore[arg-type]
        self._offset += 1

    def windows(self, key: str, now: float) -> object:
        """What a screen would show of an entity, but for the moment."""
        shown = self.snapshot(key, round(now * 60_000))
        return shown.windows, shown.waiting, shown.longest_wait


def day(minute: float) -> int:
    return DAY + int(minute - (NINE - 540)) // 1440


def test_who_changed_first_is_shown_first() -> None:
    stage = Stage()
    for key in ("agent|c", "agent|a", "agent|b", "agent|c"):
        stage.take(key, NINE, {"calls_offered": 1})
    assert stage.showing == 3
    assert stage.take_shown(2) == ["agent|c", "agent|a"]
    stage.take("agent|c", NINE, {"calls_offered": 1})
    assert stage.take_shown(1) == ["agent|b"]
    assert stage.take_shown() == ["agent|c"]
    assert stage.take_shown(5) == []


def test_who_waits_is_shown_again_within_a_second() -> None:
    stage = Stage()
    stage.advance(NINE * 60_000)
    stage.take("queue|w", NINE, waiting={"leg": NINE * 60_000})
    stage.take("queue|x", NINE, {"calls_offered": 1})
    stage.take("queue|y", NINE, {"calls_offered": 1})
    assert stage.take_shown(2) == ["queue|w", "queue|x"]
    assert stage.take_shown(2) == ["queue|y"], "not at every tick"
    stage.advance(NINE * 60_000 + 1_000)
    assert stage.take_shown(2) == ["queue|w"]
    stage.take("queue|w", NINE, left=["leg"])
    assert stage.take_shown() == ["queue|w"]
    assert stage.take_shown() == []


def test_who_is_shown_as_of_before_while_time_passes_on_is_shown_again() -> None:
    stage = Stage()
    before = NINE * 60_000
    stage.advance(before)
    stage.take("agent|a", NINE, {"calls_offered": 1}, minute=NINE + 2)
    assert stage.take_shown() == ["agent|a"]
    stage.advance(before + 2 * 60_000)
    assert not stage.totals("agent|a", before).windows["5m"], "its minute was still to come"
    assert stage.take_shown() == ["agent|a"]
    assert stage.totals("agent|a", before + 2 * 60_000).windows["5m"] == {"calls_offered": 1}
    assert stage.take_shown() == []


def test_what_has_not_been_shown_after_all_comes_first() -> None:
    stage = Stage()
    for key in ("agent|c", "agent|a", "agent|b"):
        stage.take(key, NINE, {"calls_offered": 1})
    stage.show_again(stage.take_shown(2))
    assert stage.take_shown() == ["agent|c", "agent|a", "agent|b"]
    stage.show_all()
    assert sorted(stage.take_shown()) == ["agent|a", "agent|b", "agent|c"]


@pytest.mark.parametrize(
    ("at", "told", "wakes"),
    [
        (NINE, NINE, [5, 30]),
        (NINE + 0.9, NINE, [5, 30]),
        (NINE, NINE - 3, [2, 27]),
        (NINE, NINE - 4, [1, 26]),
        (NINE, NINE - 5, [25]),
        (NINE, NINE - 29, [1]),
        (NINE, NINE - 30, []),
        (NINE, NINE + 2, [2, 7, 32]),
    ],
    ids=["now", "late in the minute", "late", "about to leave", "left one window", "about to leave the last", "too late", "ahead"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 0.25])
def test_an_entity_wakes_when_its_windows_change_by_themselves(
    at: float, told: int, wakes: list[int], step: float
) -> None:
    stage = Stage(RULES)
    stage.advance(round(at * 60_000))
    stage.take("agent|a", at, {"calls_offered": 1}, minute=told)
    woke, moment = [], at
    while moment < NINE + 40:
        stage.advance(round(moment * 60_000))
        stage.alerts(round(moment * 60_000))
        if stage.take_shown() and moment > at:
            woke.append(int(moment) - NINE)
        moment += step
    assert woke == wakes


def test_midnight_wakes_everybody() -> None:
    stage, evening = Stage(), NINE + 14 * 60
    stage.advance(evening * 60_000)
    stage.take("agent|a", evening, {"calls_offered": 1})
    stage.take_shown()
    assert stage.snapshot("agent|a", evening * 60_000).figure("today", "offered_calls").value == 1
    midnight = evening + 60
    stage.advance(midnight * 60_000 - 1)
    stage.take_shown()
    stage.advance(midnight * 60_000)
    assert stage.take_shown() == ["agent|a"]
    assert stage.snapshot("agent|a", midnight * 60_000).figure("today", "offered_calls").n == 0


_KEYS = ("agent|a", "agent|b", "queue|q")
_amounts = st.dictionaries(
    st.sampled_from(
        ["calls_offered", "calls_answered", "csat_ratings", "csat_satisfied", "complaints", "repeat_complaints"]
    ),
    st.integers(1, 3),
    min_size=1,
    max_size=4,
)
#: Seconds that pass; then sums for an entity, for a minute so far from now, counting at once or in so many minutes; may be nothing.
_steps = st.lists(
    st.tuples(
        st.sampled_from([0, 5, 20, 59, 60, 61, 200, 1000, 4000]),
        st.none() | st.tuples(st.sampled_from(_KEYS), st.integers(-33, 3), st.none() | st.integers(0, 40), _amounts),
    ),
    min_size=1,
    max_size=40,
)


@given(steps=_steps, limits=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_what_is_not_to_be_shown_has_not_changed_and_what_is_shown_is_right(
    steps: list[tuple[int, tuple[str, int, int | None, Sums] | None]], limits: list[int]
) -> None:
    stage, now = Stage(), NINE * 60_000
    told: dict[str, list[tuple[int, int, int, Sums]]] = {}  # entity → (counts from, minute, day, sums)
    last: dict[str, object] = {}
    for number, (seconds, what) in enumerate(steps):
        now += seconds * 1000
        minute = now // 60_000
        stage.advance(now)
        if what is not None:
            key, ahead, planned, sums = what
            if planned is None:
                stage.take(key, now / 60_000, sums, minute=minute + ahead)
                told.setdefault(key, []).append((now, minute + ahead, day(minute), sums))
            else:
                at = now + planned * 60_000
                stage.take(key, now / 60_000, planned=[Planned(at, day(minute), sums)])
                told.setdefault(key, []).append((at, at // 60_000, day(minute), sums))
            stage.advance(now)
        for key in stage.take_shown(limits[number % len(limits)]):
            last[key] = stage.windows(key, now / 60_000)
            expected = {
                name: shown(key, merged(part for at, of, _, part in told[key] if at <= now and minute - length < of <= minute))
                for name, length in ROLLING.items()
            }  # fmt: skip
            today = merged(part for at, _, of, part in told[key] if at <= now and of == day(minute))
            assert last[key] == ({**expected, "today": shown(key, today)}, 0, None)
        waiting_to_be_shown = stage.take_shown()
        for key in told.keys() - set(waiting_to_be_shown):
            assert stage.windows(key, now / 60_000) == last[key], key
        stage.show_again(waiting_to_be_shown)


def bare(alerts: list[Alert]) -> list[tuple[str, str, str, float | None]]:
    return sorted((alert.entity, alert.rule, alert.status, alert.value) for alert in alerts)


@given(steps=_steps, limit=st.integers(1, 2))
def test_looking_at_those_awake_is_looking_at_everybody(
    steps: list[tuple[int, tuple[str, int, int | None, Sums] | None]], limit: int
) -> None:
    """A few at a time, until nobody is left of those who were awake at first."""
    few, everybody, now = Stage(RULES), Stage(RULES), NINE * 60_000
    for number, (seconds, what) in enumerate(steps):
        now += seconds * 1000
        for stage in (few, everybody):
            stage.advance(now)
            if what is not None:
                key, ahead, _, sums = what
                waits = {f"leg {number}": now} if key.startswith("queue") and ahead > 0 else {}
                stage.take(key, now / 60_000, sums, minute=now // 60_000 + ahead, waiting=waits)
        everybody.adopt(list(everybody.entities))
        told: list[Alert] = []
        left = few.awake
        while left > 0:
            told += few.alerts(now, min(limit, left))
            left -= limit
        assert bare(told) == bare(everybody.alerts(now))
        assert bare(few.open_alerts(now)) == bare(everybody.open_alerts(now))
        assert {key: entity.alerts for key, entity in few.entities.items()} == {
            key: entity.alerts for key, entity in everybody.entities.items()
        }


def test_the_first_to_change_are_looked_at_first_and_who_waits_again_within_a_second() -> None:
    stage = Stage(RULES)
    stage.advance((NINE + 3) * 60_000)
    stage.take("queue|w", NINE, waiting={"leg": NINE * 60_000})
    for key in ("queue|b", "queue|a"):
        stage.take(key, NINE, {"calls_offered": 1})
    soon = (NINE + 3) * 60_000
    assert [alert.entity for alert in stage.alerts(soon, 1)] == ["queue|w"]
    assert stage.awake == 2
    assert stage.alerts(soon, 2) == []
    assert stage.awake == 0
    stage.advance(soon + 1_000)
    assert stage.awake == 1, "the one who waits"
    assert KpisStage.open_alerts(stage, soon)[0].rule == "waits"


def test_a_plan_counts_on_its_day_even_where_the_entity_has_lost_track_of_it() -> None:
    """After a crash an entity may be older than its day, and take back a plan that has begun to count there before it did here."""
    at = (NINE + 10) * 60_000
    planned, back = [Planned(at, DAY, {"complaints": 1})], [Planned(at, DAY, {"complaints": -1})]
    stage = KpisStage(POLICY, (), entities := Entities(), days := DayBook())
    days[f"agent|a|{date.fromordinal(DAY)}"] = ahead = new_day(f"agent|a|{date.fromordinal(DAY)}")
    for contribution in (Contribution(planned=planned), Contribution(planned=back)):
        daily.apply(ahead, daily.by_day([contribution])[DAY])
        if contribution.planned is planned:
            assert daily.due(ahead, at), "counts, and is taken back only afterwards"
    ahead.offset = 2
    for offset, plans in enumerate([planned, back], 1):
        stage.apply("agent|a", Contribution(planned=plans), offset)
    assert (ahead.sums, entities["agent|a"].planned) == ({"complaints": 1}, {})
    stage.advance(at)
    assert (ahead.sums, ahead.planned) == ({}, {})
    assert entities["agent|a"].rolling.sums == {"5m": {}, "30m": {}}
    assert set().union(*stage.changed.values()) == {ahead.key}


def test_plans_come_due_once_each_of_their_own_day() -> None:
    entity, facts = Entity(), DailyFacts(entity="agent|a", date=date.fromordinal(DAY))
    contribution = Contribution(
        planned=[Planned(60_000, DAY, {"complaints": 1}), Planned(120_000, DAY, {"complaints": 2})]
    )
    entity.apply([contribution])
    daily.apply(facts, daily.by_day([contribution])[DAY])
    assert entity.due(60_000) == [(60_000, DAY)]
    assert not entity.begin(60_000, DAY)
    assert not entity.begin(120_000, DAY + 1)
    assert daily.begin(facts, 60_000)
    assert not daily.begin(facts, 60_000)
    assert (facts.sums, facts.planned) == ({"complaints": 1}, {120_000: {"complaints": 2}})
    assert entity.begin(120_000, DAY)
    entity.rolling.advance(2)
    assert entity.rolling.sums["5m"] == {"complaints": 3}


def test_who_has_waited_for_longer_than_the_policy_allows_waits_no_more() -> None:
    entity = Entity()
    entity.waiting = {"lost": 0, "b": 50_000, "c": 20_000}
    assert entity.longest_wait(60_000, 60_000) == (3, 60.0)
    assert entity.longest_wait(60_001, 60_000) == (2, 40.001)
    assert entity.longest_wait(200_000, 60_000) == (0, None)
    entity.forget_lost(60_001, 60_000)
    assert entity.waiting.keys() == {"b", "c"}
    entity.forget_lost(200_000, 60_000)
    assert entity.waiting == {}
    entity.waiting = {"ahead": 90_000}
    assert entity.longest_wait(60_000, 60_000) == (1, 0.0)


def test_who_waits_as_a_release_before_has_stored_it_leaves_all_the_same() -> None:
    """A leg's name did not say whose the call is; of two of one name the other stays."""
    stored = Entity()
    stored.waiting = {"calls:c1/wait1": 0, "calls:c2/wait1@5e1f": 0}
    entity = load(dump(stored))
    entity.apply([Contribution(left=["calls:c1/wait1@77ab", "calls:c2/wait1@0000"])])
    assert entity.waiting == {"calls:c2/wait1@5e1f": 0}
