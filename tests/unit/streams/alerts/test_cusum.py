"""Cumulative sums: when they call people, when they take that back, what they learn, and that nothing changes by when they are looked at."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

import msgspec
import pytest

from streams.alerts.cusum import Change, Days, asked, false_a_week
from streams.alerts.rules import Rule
from streams.contracts.outputs import Alert, Cell, Contribution
from streams.entities.entity import Kept, dump, load
from streams.entities.stage import KpisStage
from streams.kpi.policy.model import Policy
from streams.pipeline import DayBook, Entities

NINE = (date(2026, 3, 2).toordinal() - date(1970, 1, 1).toordinal()) * 1440 + 9 * 60
ASKS = {
    "id": "fell", "zh": "降", "en": "fell", "kpi": "csat", "test": "cusum", "from": 0.85, "to": 0.7, "false_per_week": 0.5, "scope": ["queue"]
}  # fmt: skip
FELL = Rule.model_validate(ASKS)


@dataclass
class Desk:
    """A queue that is rated. Minutes are counted from nine o'clock on."""

    rules: tuple[Rule, ...] = (FELL,)
    entities: Entities = field(default_factory=Entities)
    sent: int = 0

    def __post_init__(self) -> None:
        self.stage = KpisStage(Policy(time_zone="UTC"), self.rules, self.entities, DayBook())
        self.stage.adopt(list(self.entities))

    def rate(self, minute: int, good: int, bad: int, about: int | None = None) -> list[Alert]:
        """Ratings that come in a minute (negative: taken back), of another minute where one is given; the steps that follow."""
        self.stage.advance((NINE + minute) * 60_000)
        at = NINE + (minute if about is None else about)
        cell = Cell(at, date(2026, 3, 2).toordinal(), {"csat_ratings": good + bad, "csat_satisfied": good})
        self.stage.apply("queue|q", Contribution(cells=[cell]), self.sent)
        self.sent += 1
        return self.look(minute)

    def look(self, minute: int) -> list[Alert]:
        now = (NINE + minute) * 60_000 + 30_000
        self.stage.advance(now)
        return [alert for alert in self.stage.alerts(now) if not alert.update]

    def restarted(self) -> Desk:
        """The same from what is stored, in another process."""
        self.stage.settle_all()
        entities = Entities({key: load(dump(entity)) for key, entity in self.entities.items()})
        return Desk(self.rules, entities, self.sent)

    @property
    def level(self) -> float:
        """How much of the evidence that is asked for there is now."""
        found = self.stage._evidence("queue|q", self.entities["queue|q"])
        return found["fell"].level if found else 0.0


def steps(alerts: list[Alert]) -> list[tuple[str, float | None, int]]:
    return [(alert.status, alert.value, alert.n) for alert in alerts]


def test_it_fires_when_enough_has_come_and_says_since_when_and_what_chance_does() -> None:
    desk = Desk()
    assert desk.rate(0, 6, 0) == []
    told = [alert for minute in range(1, 10) for alert in desk.rate(minute, 0, 1)]
    (fired,) = told
    assert (fired.status, fired.value, fired.threshold, fired.window) == ("firing", 0.0, 0.775, "change")
    assert 6 <= fired.n <= 9
    assert fired.reason_en == (
        f"Customer satisfaction, queue q, since it began to change: 0.0 % (n={fired.n}, since 09:01), on the way from the usual 85.0 % to "
        "70.0 %; where nothing changes, such an alert comes 0.5 times a week."
    )
    assert f"样本 {fired.n}，自 09:01 起" in fired.reason_zh


def test_it_is_over_when_what_comes_is_as_usual_again() -> None:
    desk = Desk()
    told = [alert for minute in range(9) for alert in desk.rate(minute, 0, 1)]
    told += [alert for minute in range(9, 40) for alert in desk.rate(minute, 2, 0)]
    assert [alert.status for alert in told] == ["firing", "resolved"]
    assert "no longer says" in told[1].reason_en
    assert desk.level < 0.5


def test_who_falls_silent_is_not_satisfied() -> None:
    desk = Desk()
    told = [alert for minute in range(9) for alert in desk.rate(minute, 0, 1)]
    told += [alert for minute in range(9, 100) for alert in desk.look(minute)]
    assert [alert.status for alert in told] == ["firing", "no_data"]
    assert steps(desk.rate(101, 0, 1)) == [("firing", 0.0, 10)]


def test_what_is_taken_back_within_the_half_hour_has_never_been() -> None:
    desk = Desk()
    for minute in range(9):
        desk.rate(minute, 0, 1)
    assert [alert.status for minute in range(5) for alert in desk.rate(10, 0, -1, about=minute)] == ["resolved"]
    other = Desk()
    for minute in range(5, 9):
        other.rate(minute, 0, 1)
    assert desk.level == other.level


def test_what_has_left_the_windows_stands() -> None:
    desk = Desk()
    desk.rate(0, 0, 3)
    desk.rate(20, 0, 1)
    before = desk.level
    desk.rate(45, 0, -3, about=0)  # too late: no window has that minute
    assert desk.level == before > 0
    desk.rate(46, 0, -1, about=20)
    assert 0 < desk.level < before


def test_it_does_not_matter_when_anybody_looks_nor_whether_it_was_restarted() -> None:
    draw = random.Random(4)
    ratings = [(minute, draw.random() < 0.6) for minute in range(0, 900, 3)]
    always, seldom, restarted = Desk(), Desk(), Desk()
    told: list[list[Alert]] = [[], []]
    for number, (minute, good) in enumerate(ratings):
        for between in (minute - 2, minute - 1):
            told[0] += always.look(max(between, 0))
        told[0] += always.rate(minute, int(good), int(not good))
        told[1] += restarted.rate(minute, int(good), int(not good))
        if number % 40 == 39:
            restarted = restarted.restarted()
        seldom.stage.advance((NINE + minute) * 60_000)
        cell = Cell(NINE + minute, date(2026, 3, 2).toordinal(), {"csat_ratings": 1, "csat_satisfied": int(good)})
        seldom.stage.apply("queue|q", Contribution(cells=[cell]), number)
    assert told[0] == told[1] != []
    seldom.look(899)
    always.look(899)
    assert seldom.level == always.level > 0


def test_a_rule_that_asks_for_something_else_begins_anew_and_one_that_is_gone_leaves_nothing() -> None:
    desk = Desk()
    for minute in range(5):
        desk.rate(minute, 0, 1)
    edited = Desk((FELL.model_copy(update={"bad": 0.6}),), desk.entities, desk.sent)
    edited.look(6)
    assert edited.entities["queue|q"].changes["fell"].test.bad == 0.6
    assert 0 < edited.level < 1, "with what the windows hold"
    point = Rule(id="p", zh="低", en="low", kpi="csat", window="30m", below=0.5, scope=("queue",))
    none = Desk((point,), edited.entities, edited.sent)
    none.rate(7, 1, 0)
    other = Rule.model_validate(ASKS | {"select": ["queue:other"]})
    both = Desk((point, other), none.entities, none.sent)
    both.rate(8, 1, 0)
    assert both.entities["queue|q"].changes == {}


def test_a_share_that_rises_is_watched_the_same_way() -> None:
    rose = FELL.model_copy(update={"kpi": "transfer_rate", "usual": 0.1, "bad": 0.3})
    assert (rose.falls, rose.threshold) == (False, 0.2)


def test_entities_of_a_release_before_are_read() -> None:
    old = msgspec.msgpack.encode([3, 10, {}, [], {}, None, {}, None])
    assert msgspec.msgpack.decode(old, type=Kept).changes == {}
    assert load(old).changes == {}


@pytest.mark.parametrize(("rates", "more"), [([0.85] * 12, False), ([0.95, 0.75] * 6, True)])
def test_days_that_differ_by_themselves_ask_for_more(rates: list[float], more: bool) -> None:
    test, days = Change(0.85, 0.7, 0.5), Days()
    for rate in rates:
        days = days.after(400, round(400 * rate), 1)
    assert days.usual(test)[0] == pytest.approx(0.85, abs=0.005)
    assert (asked(test, days) > 7) is more


def test_who_has_more_is_asked_for_more_and_a_better_one_is_taken_for_usual() -> None:
    test = Change(0.85, 0.7, 0.5)
    few, many, better = (
        Days().after(n, round(n * share), 1).after(n, round(n * share), 1)
        for n, share in ((30, 0.85), (3000, 0.85), (3000, 0.99))
    )
    assert asked(test, few) < asked(test, many)
    assert better.usual(test)[0] == 0.85
    assert asked(Change(0.85, 0.7, 5), many) < asked(test, many) < asked(Change(0.85, 0.7, 0.05), many)


def test_what_is_asked_for_keeps_what_was_promised() -> None:
    test = Change(0.85, 0.7, 0.5)
    days = Days()
    for _ in range(20):
        days = days.after(200, 170, 1)
    share, spread = days.usual(test)
    assert false_a_week(test, asked(test, days), share, spread, days.a_week) == pytest.approx(0.5, rel=0.1)
