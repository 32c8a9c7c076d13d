"""Levels and times that grow: windows, days, stored entities, who is shown again, what readers get."""

from __future__ import annotations

from datetime import date

import pytest

from streams.alerts.rules import Rule
from streams.contracts.outputs import Cell, Contribution, DailyFacts, Planned, Sums
from streams.entities import daily_facts as daily
from streams.entities.entity import dump, load
from streams.entities.stage import KpisStage
from streams.kpi.levels import as_of, grows, heights, in_window, up
from streams.kpi.measures import MEASURES, merged
from streams.kpi.policy.model import Policy
from streams.pipeline import DayBook, Entities
from streams.windows.clock import Days
from streams.windows.rolling import Plain, Rolling

POLICY = Policy(time_zone="UTC")
DAYS = Days(POLICY.zone)
DAY = date(2026, 3, 2).toordinal()
NINE = DAYS.start(DAY) + 9 * 3_600_000
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def test_every_time_that_grows_does_so_with_a_level_and_is_in_seconds() -> None:
    for measure in MEASURES.values():
        if measure.grows_with is not None:
            assert MEASURES[measure.grows_with].level, measure.id
            assert measure.unit == "s", measure.id


@pytest.mark.parametrize(
    ("sums", "now", "plain"),
    [
        pytest.param({"calls_offered": 3}, NINE, {"calls_offered": 3}, id="nothing grows"),
        pytest.param(up("agents_available", at=NINE), NINE + 90 * SECOND, {"agents_available": 1, "available_seconds": 90_000}, id="one up"),
        pytest.param(
            merged([up("agents_away", at=NINE), up("agents_away", at=NINE + 10, sign=-1)]), NINE + HOUR, {"away_seconds": 10}, id="up and down"
        ),
        pytest.param(
            merged([up("agents_away", at=NINE), up("agents_away", at=NINE + 10)]), NINE + 30, {"agents_away": 2, "away_seconds": 50}, id="two"
        ),
        pytest.param(up("agents_away", at=NINE), NINE, {"agents_away": 1}, id="as of the moment it rose"),
    ],
)  # fmt: skip
def test_sums_as_of_a_moment(sums: Sums, now: int, plain: Sums) -> None:
    before = dict(sums)
    assert as_of(sums, now) == plain
    assert sums == before, "what is stored stays as it is"


def test_a_level_may_be_one_of_a_family_and_nothing_else_is_one() -> None:
    assert heights({"agents_away~lunch": 2, "away_seconds~lunch": -5, "calls_offered": 1, "unheard_of": 1}) == {
        "agents_away~lunch": 2
    }
    assert as_of(up("agents_away~lunch", at=100), 130) == {"agents_away~lunch": 1, "away_seconds~lunch": 30}
    assert grows({"agents_away": 1})
    assert not grows({"away_seconds": 10})


def test_a_window_knows_what_rose_before_it() -> None:
    rose = up("agents_away", at=NINE)
    assert in_window({}, {"agents_away": 1}, NINE + HOUR, NINE + HOUR + 5) == {"agents_away": 1, "away_seconds": 5}
    fell = up("agents_away", at=NINE + HOUR + 7, sign=-1)
    assert in_window(fell, {}, NINE + HOUR, NINE + HOUR + MINUTE) == {"away_seconds": 7}
    assert in_window(rose, {"agents_away": 1}, NINE - MINUTE, NINE + 9) == {"agents_away": 1, "away_seconds": 9}


def plain(rolling: Rolling, now: int) -> dict[str, Sums]:
    windows = Plain(rolling.sums, rolling.levels, now)
    return {name: windows[name] for name in rolling.sums}


def test_windows_carry_what_left_their_panes_and_take_in_what_comes_late() -> None:
    rolling = Rolling(now=NINE // MINUTE)
    rolling.add(NINE // MINUTE, up("agents_available", at=NINE))
    later = NINE + 2 * HOUR + 20 * SECOND
    rolling.advance(later // MINUTE)
    assert not rolling.panes
    assert rolling.growing
    assert plain(rolling, later) == {
        "5m": {"agents_available": 1, "available_seconds": 4 * MINUTE + 20 * SECOND},
        "30m": {"agents_available": 1, "available_seconds": 29 * MINUTE + 20 * SECOND},
    }
    fell = NINE + HOUR  # told late, and older than every window
    assert not rolling.add(fell // MINUTE, up("agents_available", at=fell, sign=-1))
    assert plain(rolling, later) == {"5m": {}, "30m": {}}
    assert not rolling.growing


def test_a_level_that_is_ahead_counts_when_its_minute_comes_even_if_nobody_looked_for_long() -> None:
    rolling = Rolling(now=NINE // MINUTE)
    ahead = NINE + 10 * MINUTE
    rolling.add(ahead // MINUTE, up("agents_away", at=ahead))
    assert plain(rolling, NINE) == {"5m": {}, "30m": {}}
    rolling.advance((ahead + 3 * HOUR) // MINUTE)
    assert plain(rolling, ahead + 3 * HOUR)["5m"] == {"agents_away": 1, "away_seconds": 4 * MINUTE}


def test_who_never_had_a_level_pays_nothing() -> None:
    rolling = Rolling(now=0)
    rolling.add(0, {"calls_offered": 1})
    assert rolling.levels is None
    assert Plain(rolling.sums, None, 5)["5m"] is rolling.sums["5m"]
    sums = {"calls_offered": 1}
    assert as_of(sums, 5) is sums
    assert in_window(sums, {}, 0, 5) is sums


class Stage(KpisStage):
    """The stage in memory, given contributions of one agent."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        super().__init__(POLICY, rules, Entities(), DayBook())
        self.offset = 0

    def take(self, *parts: tuple[int, Sums], planned: tuple[tuple[int, int, Sums], ...] = ()) -> None:
        cells = [Cell(at // MINUTE, DAYS.of(at), sums) for at, sums in parts]
        plans = [Planned(at, day, sums) for at, day, sums in planned]
        self.apply("agent|a", Contribution(cells=cells, planned=plans), self.offset)
        self.offset += 1


def over_midnight(stage: Stage, since: int) -> int:
    """Available since a moment, over the end of the day; returns that end."""
    midnight = DAYS.start(DAY + 1)
    closed, begun = up("agents_available", at=midnight, sign=-1), up("agents_available", at=midnight)
    stage.take((since, up("agents_available", at=since)), planned=((midnight, DAY, closed), (midnight, DAY + 1, begun)))
    return midnight


def test_a_day_is_closed_at_its_end_and_the_next_begins_at_nothing() -> None:
    stage = Stage()
    midnight = over_midnight(stage, NINE)
    stage.advance(midnight + MINUTE)
    assert stage.days["agent|a|2026-03-02"].sums == {"available_seconds": 15 * HOUR}
    assert as_of(stage.days["agent|a|2026-03-03"].sums, midnight + MINUTE) == {
        "agents_available": 1,
        "available_seconds": MINUTE,
    }
    entity = stage.entities["agent|a"]
    entity.rolling.advance((midnight + MINUTE) // MINUTE)
    assert plain(entity.rolling, midnight + MINUTE)["5m"]["available_seconds"] == 4 * MINUTE


def test_a_reader_gets_plain_sums_and_no_day_longer_than_it_was() -> None:
    stage = Stage()
    midnight = over_midnight(stage, NINE)
    stage.settle_all()
    facts = stage.days["agent|a|2026-03-02"]
    assert daily.plain(facts, NINE + HOUR, DAYS).sums == {"agents_available": 1, "available_seconds": HOUR}
    assert daily.plain(facts, midnight + 9 * HOUR, DAYS).sums == {"available_seconds": 15 * HOUR}
    assert facts.sums == up("agents_available", at=NINE), "what is stored stays as it is"
    unclosed = DailyFacts(entity="agent|a", date=date(2026, 3, 2), sums=up("agents_available", at=NINE))
    assert daily.plain(unclosed, midnight + 9 * HOUR, DAYS).sums["available_seconds"] == 15 * HOUR


def test_a_stored_entity_grows_on() -> None:
    stage = Stage()
    over_midnight(stage, NINE)
    stage.settle_all()
    entity = stage.entities["agent|a"]
    later = NINE + 2 * HOUR
    entity.rolling.advance(later // MINUTE)
    again = load(dump(entity))
    again.rolling.advance((later + MINUTE) // MINUTE)
    assert plain(again.rolling, later + MINUTE)["5m"] == {"agents_available": 1, "available_seconds": 4 * MINUTE}
    assert load(dump(again)).rolling.levels == {"agents_available": 1}


def test_an_entity_whose_figures_grow_is_shown_again_and_not_written_again() -> None:
    stage = Stage()
    over_midnight(stage, NINE)
    stage.advance(NINE + 1)
    assert stage.take_shown() == ["agent|a"]
    stage.snapshot("agent|a", NINE + 1)
    stage.changed.clear()
    stage.advance(NINE + 2 * SECOND)
    assert stage.take_shown() == [], "not at every tick"
    stage.advance(NINE + 12 * SECOND)
    assert stage.take_shown() == ["agent|a"]
    assert stage.snapshot("agent|a", NINE + 12 * SECOND).as_of
    assert not stage.changed
    stage.take((NINE + 13 * SECOND, up("agents_available", at=NINE + 13 * SECOND, sign=-1)))
    stage.take_shown()
    stage.snapshot("agent|a", NINE + 14 * SECOND)
    stage.advance(NINE + 40 * SECOND)
    assert stage.take_shown() == [], "nothing grows any more"


def test_what_is_planned_again_and_again_for_one_moment_stands_on_the_heap_once() -> None:
    stage = Stage()
    for second in range(50):
        over_midnight(stage, NINE + second * SECOND)
    assert len(stage._wakeups._plans) == 2


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("UTC", date(2026, 3, 2), 24), ("Asia/Shanghai", date(2026, 3, 2), 24), ("Europe/Berlin", date(2026, 3, 29), 23),
    ("Europe/Berlin", date(2026, 10, 25), 25), ("Pacific/Kiritimati", date(2026, 3, 2), 24), ("Pacific/Pago_Pago", date(2026, 3, 2), 24),
])  # fmt: skip
def test_days_start_where_the_zone_says(zone: str, day: date, hours: int) -> None:
    days = Days(Policy(time_zone=zone).zone)
    start, end = days.start(day.toordinal()), days.start(day.toordinal() + 1)
    assert end - start == hours * HOUR
    assert days.of(start) == days.of(end - 1) == day.toordinal()
    assert days.of(start - 1) == day.toordinal() - 1
