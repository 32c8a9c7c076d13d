"""What rules can say beside a threshold: whom of their scope they watch, when they hold, by what they judge; and what is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.alerts.evaluate import Watching, watches
from streams.alerts.rules import Rule, read_rules, require_hours, rules_schema
from streams.alerts.schedule import Opening, Schedule
from streams.alerts.selectors import fits, selector
from streams.contracts.outputs import Alert, Cell, Contribution
from streams.entities.stage import KpisStage
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.pipeline import DayBook, Entities

BASE = {
    "id": "r",
    "zh": "某",
    "en": "some",
    "kpi": "csat",
    "window": "30m",
    "below": 0.8,
    "scope": ["agent", "team", "queue", "all"],
}
CUSUM = {"test": "cusum", "from": 0.85, "to": 0.7, "false_per_week": 0.5}
#: The same without what only a threshold has.
ONLY: dict[str, Any] = CUSUM | {"below": None, "window": "change"}
BERLIN = ZoneInfo("Europe/Berlin")


def rule(**fields: Any) -> Rule:
    return Rule.model_validate(BASE | fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"select": ["orders"]}, "'orders' is no selector; write it like agent:NAME"),
        ({"select": ["queue:"]}, "'queue:' is no selector"),
        ({"select": ["channel:calls"]}, "nothing is selected by 'channel'; take one of agent, queue, site, team"),
        ({"select": ["site:S"]}, "`select: site:S`: the rule watches no site; its scope is agent, team, queue, all"),
        ({"test": "average"}, "Input should be 'point', 'bound' or 'cusum'"),
        ({"test": "cusum"}, "`test: cusum` needs `from`, `to`, `false_per_week`, such as `from: 0.85"),
        (CUSUM, "`below`, `window`: `test: cusum` goes by all that has come since the change"),
        ({"from": 0.85}, "`from`: only `test: cusum` has that"),
        (ONLY | {"from": 85}, "`from: 85`: csat is a share, from 0 to 1; did you mean 0.85?"),
        (ONLY | {"from": 1}, "`from` and `to` must lie between none and all: write 0.99 instead of 1"),
        (ONLY | {"to": 0.845}, "`from` and `to` are too close to be told apart"),
        (ONLY | {"from": 0.7, "to": 0.9}, "of csat higher is better: `to` must be worse than `from`"),
        (ONLY | {"for": 60}, "`for`: `test: cusum` goes by all"),
        (ONLY | {"false_per_week": 0}, "greater than or equal to 0.001"),
        (ONLY | {"kpi": "average_handle_time", "from": 300, "to": 400}, "average_handle_time is no share of things that come one by one"),
        (ONLY | {"kpi": "occupancy"}, "occupancy is no share of things that come one by one"),
        (ONLY | {"kpi": "longest_wait"}, "longest_wait is no share of things that come one by one"),
        (ONLY | {"kpi": "repeat_contact_rate", "from": 0.1, "to": 0.2}, "repeat_contact_rate is known only later of each thing"),
        ({"kpi": "offered_calls", "test": "bound", "below": 5}, "offered_calls has no interval: leave `test: bound` out"),
        ({"escalate_to": ["boss"]}, "`escalate_to` needs `escalate_after`"),
        ({"escalate_after": 0}, "greater than 0"),
        ({"notify": ["The Floor"]}, "String should match pattern"),
        ({"no_data_for": -1}, "greater than or equal to 0"),
        ({"schedule": {"hours": "9-17"}}, "hours are written like"),
        ({"schedule": {"hours": {"monday": "09:00-17:00"}}}, "Input should be 'mon'"),
        ({"schedule": "always"}, "business_hours"),
        ({"labels": {"Shift": "day"}}, "String should match pattern"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=r"^r") as refused:
        read_rules({"rules": [BASE | fields]})
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("select", "entity", "team", "watched"),
    [
        ([], "agent|a", None, True),
        (["queue:orders"], "queue|orders", None, True),
        (["queue:orders"], "queue|refunds", None, False),
        (["queue:orders"], "agent|a", None, True),  # of queues only
        (["queue:ord*", "queue:r?funds"], "queue|refunds", None, True),
        (["team:T*"], "team|T1", None, True),
        (["team:T*"], "agent|a", "T1", True),
        (["team:T*"], "agent|a", "X", False),
        (["team:T*"], "agent|a", None, False),
        (["team:T*", "agent:b"], "agent|a", "T1", False),
        (["queue:orders"], "all|all", None, True),
        (["queue:a[1]"], "queue|a[1]", None, True),
        (["queue:a[1]"], "queue|a1", None, False),
    ],
)
def test_a_selector_narrows_the_scope_down(select: list[str], entity: str, team: str | None, watched: bool) -> None:
    assert rule(select=select).watches(entity, team) is watched
    kinds = watches([rule(select=select)], formulas(Policy()), Policy())
    assert bool(Watching(kinds).of(entity, team)) is watched


def test_an_agent_who_changes_teams_is_watched_as_one_of_the_new_one() -> None:
    watching = Watching(watches([rule(select=["team:T*"])], formulas(Policy()), Policy()))
    assert [bool(watching.of("agent|a", team)) for team in ("T1", "T1", "X", "X", "T2", None)] == [
        True, True, False, False, True, False,
    ]  # fmt: skip


def test_selectors_of_one_name_are_alternatives_those_of_others_conditions() -> None:
    names = ("queue", "rule")
    values = {"queue": ("a",), "rule": ("low",)}
    assert fits([selector("queue:a", names), selector("queue:b", names)], values)
    assert not fits([selector("queue:a", names), selector("rule:high", names)], values)
    assert not fits([selector("queue:*", names)], {"rule": ("low",)})
    assert fits([], {})


WEEK = {"mon": "09:00-18:00", "tue": "09:00-18:00", "wed": "09:00-18:00", "thu": "09:00-18:00", "fri": "09:00-18:00"}


@pytest.mark.parametrize(
    ("schedule", "moment", "open_"),
    [
        ({"hours": "09:00-17:00"}, "2026-03-02 09:00:00", True),
        ({"hours": "09:00-17:00"}, "2026-03-02 08:59:59", False),
        ({"hours": "09:00-17:00"}, "2026-03-02 17:00:00", False),
        ({"hours": "09:00-17:00"}, "2026-03-01 12:00:00", True),  # a Sunday as any day
        ({"hours": "00:00-06:00, 22:00-24:00"}, "2026-03-02 23:59:59", True),
        ({"hours": {"mon": "09:00-17:00"}}, "2026-03-02 12:00:00", True),
        ({"hours": {"mon": "09:00-17:00"}}, "2026-03-03 12:00:00", False),
        ({"hours": "09:00-17:00"}, "2026-05-01 12:00:00", True),
        ({"hours": "09:00-17:00", "holidays": "closed"}, "2026-05-01 12:00:00", False),
        ({"hours": "09:00-17:00", "holidays": "closed"}, "2999-05-01 12:00:00", True),  # nobody knows: by weekday
        ("business_hours", "2026-03-02 17:30:00", True),
        ("business_hours", "2026-03-01 12:00:00", False),
        ("business_hours", "2026-05-01 12:00:00", False),
        # Clocks go forward from 2:00 to 3:00, and back from 3:00 to 2:00.
        ({"hours": "02:30-04:00"}, "2026-03-29 03:00:00", True),
        ({"hours": "02:30-04:00"}, "2026-03-29 01:59:59", False),
        ({"hours": "02:30-04:00"}, "2026-10-25 02:30:00", True),
        ({"hours": "02:30-04:00"}, "2026-10-25 02:15:00+01:00", False),
        ({"hours": "02:30-04:00"}, "2026-10-25 02:45:00+01:00", True),
    ],
)
def test_a_rule_holds_in_its_hours(schedule: Any, moment: str, open_: bool) -> None:
    policy = Policy(time_zone="Europe/Berlin", business_hours=WEEK, calendar="DE")
    at = datetime.fromisoformat(moment)
    at = at if at.tzinfo else at.replace(tzinfo=BERLIN)
    given = schedule if isinstance(schedule, str) else Schedule.model_validate(schedule)
    assert Opening(given, policy).holds(round(at.timestamp() * 1000)) is open_


def test_hours_that_the_policy_does_not_have_are_missed_before_a_worker_starts() -> None:
    with pytest.raises(
        ValueError, match=r"^r: `schedule: business_hours`: the policy has none; give it business_hours"
    ):
        require_hours([rule(schedule="business_hours")], Policy())
    require_hours([rule(schedule="business_hours"), rule()], Policy(business_hours=WEEK))


def test_everybody_is_looked_at_again_only_when_the_hours_of_a_rule_begin_or_end() -> None:
    policy = Policy(time_zone="Europe/Berlin")
    at = round(datetime(2026, 3, 2, 8, 59, tzinfo=BERLIN).timestamp() * 1000)
    always = Watching(watches([rule()], formulas(policy), policy))
    assert not always.advance(at)
    hourly = Watching(watches([rule(schedule={"hours": "09:00-10:00"}), rule(id="always")], formulas(policy), policy))
    assert [hourly.advance(at + second * 1000) for second in (0, 30, 60, 120, 3600, 3660, 3720)] == [
        True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert [watch.rule.id for watch in hourly.of("queue|q", None)] == ["always"]


class Desk:
    """One queue with five bad ratings, all in the minute before ``START``."""

    START = round(datetime(2026, 3, 2, 8, 59, tzinfo=BERLIN).timestamp() * 1000)

    def __init__(self, *rules: Rule) -> None:
        self.stage = KpisStage(Policy(time_zone="Europe/Berlin"), rules, Entities(), DayBook())
        cell = Cell(self.START // 60_000, date(2026, 3, 2).toordinal(), {"csat_ratings": 5, "csat_satisfied": 1})
        self.stage.apply("queue|q", Contribution(cells=[cell]), 0)

    def at(self, minutes: float) -> list[Alert]:
        now = self.START + round(minutes * 60_000)
        self.stage.advance(now)
        return self.stage.alerts(now)


def test_an_entity_that_nothing_happens_to_is_woken_when_hours_begin_and_end() -> None:
    desk = Desk(rule(min_n=5, schedule={"hours": "09:00-09:10"}))
    assert desk.at(0) == []
    (fired,) = desk.at(1)
    assert (fired.status, f"{fired.since.astimezone(BERLIN):%H:%M:%S}") == ("firing", "09:00:00")
    (closed,) = desk.at(11)
    assert (closed.status, closed.value, closed.n) == ("resolved", 0.2, 5)
    assert (
        closed.reason_en
        == "Customer satisfaction, queue q, in the last 30 min: its rule does not watch it at this time, resolved."
    )
    assert desk.at(12) == []


def test_rules_are_judged_as_of_the_whole_second() -> None:
    desk = Desk(rule(min_n=5, **{"for": 10}))
    assert desk.at(0.0051) == []  # 306 ms
    assert desk.at(0.16) == []
    (fired,) = desk.at(0.1799)  # 10,794 ms
    assert fired.at.microsecond == fired.since.microsecond == 0
    assert (fired.at - fired.since).total_seconds() == 10


def test_a_rule_that_was_taken_out_or_narrowed_down_leaves_nothing_open() -> None:
    desk = Desk(rule(min_n=5), rule(min_n=5, id="other"))
    assert len(desk.at(0)) == 2
    narrow = [rule(min_n=5, select=["queue:x"])]
    later = KpisStage(Policy(time_zone="Europe/Berlin"), narrow, desk.stage.entities, desk.stage.days)
    later.adopt(["queue|q"])
    later.advance(Desk.START)
    told = later.alerts(Desk.START)
    assert sorted((one.rule, one.status, one.kpi) for one in told) == [
        ("other", "resolved", ""),
        ("r", "resolved", "csat"),
    ]
    assert later.alerts(Desk.START + 1000) == []


def test_an_edited_rule_keeps_what_fires() -> None:
    desk = Desk(rule(min_n=5))
    assert len(desk.at(0)) == 1
    later = KpisStage(Policy(), [rule(min_n=5, below=0.5, clear=0.6)], desk.stage.entities, desk.stage.days)
    later.adopt(["queue|q"])
    later.advance(Desk.START)
    assert later.alerts(Desk.START) == []
    assert later.open_alerts(Desk.START)[0].threshold == 0.5


def test_an_alert_without_data_keeps_nobody_in_memory_for_ever() -> None:
    desk = Desk(rule(min_n=5))
    assert len(desk.at(0)) == 1
    told = [one.status for minute in range(1, 80) for one in desk.at(minute)]
    assert told == ["no_data"]
    desk.stage.changed.clear()
    assert not desk.stage.quiet("queue|q", 1, Desk.START + 86_400_000)
    assert desk.stage.quiet("queue|q", 1, Desk.START + 2 * 86_400_000)


def test_the_schema_has_every_field_by_the_name_that_files_use() -> None:
    schema = rules_schema()
    told = schema["$defs"]["Rule"]
    assert schema["required"] == ["rules"]
    assert told["additionalProperties"] is False
    assert set(told["properties"]) == {field.alias or name for name, field in Rule.model_fields.items()}
    assert {"for", "select", "schedule", "no_data_for", "escalate_after"} <= set(told["properties"])
    assert told["properties"]["severity"]["enum"] == ["info", "warning", "critical"]
