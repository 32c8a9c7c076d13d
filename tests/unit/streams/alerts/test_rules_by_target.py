"""Alert rules that compare with the target of whom they watch, on the day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from streams.alerts.rules import Rule, read_rules
from streams.contracts import events as e
from streams.contracts.outputs import Alert, Target
from streams.targets.book import Targets
from tests.support.desk import Script

BY_TARGET = {"id": "csat_target", "zh": "满意度未达目标", "en": "CSAT below target", "kpi": "csat", "window": "30m", "scope": ["agent", "team"]}  # fmt: skip
RULES = read_rules({"rules": [{**BY_TARGET, "below": "target", "min_n": 5}]})


def target(value: str | None, of: str = "team|t", since: date = date(2026, 3, 2), version: int = 1) -> Target:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Target(kpi="csat", of=of, valid_from=since, version=version, value=value, unit="ratio", author="hr-1", at=at)


def rated(script: Script, day: str, good: int) -> None:
    """Ten ratings of agent a in team t from 9:00 on, so many of them good."""
    for number in range(10):
        script.at(
            f"{day}09:{number:02}:00", e.CallAnswered, f"c{day}{number}", agent_id="a", team_id="t", wait_seconds=1
        )
        script.at(
            f"{day}09:{number:02}:30", e.CallRated, f"c{day}{number}", score=5 if number < good else 1, scale="1-5"
        )
    script.at(f"{day}09:10:00", e.CallArrived, f"tick{day}").at(f"{day}09:20:00", e.CallArrived, f"tock{day}")


def alerts(script: Script, *targets: Target) -> list[Alert]:
    told = script.run(rules=RULES, look_every=1, targets=Targets(targets)).alerts
    return [alert for alert in told if not alert.update]


def test_each_day_goes_by_its_own_target() -> None:
    script = Script()
    rated(script, "", 8)
    rated(script, "+1 ", 8)
    told = alerts(script, target("0.75"), target("0.9", since=date(2026, 3, 3)))
    fired = [(alert.entity, alert.at.day, alert.threshold) for alert in told if alert.status == "firing"]
    assert fired == [("agent|a", 3, 0.9), ("team|t", 3, 0.9)]
    assert "低于告警线 90.0%" in next(alert for alert in told if alert.status == "firing").reason_zh


def test_without_a_target_the_rule_does_not_hold() -> None:
    script = Script()
    rated(script, "", 1)
    assert alerts(script) == []
    assert alerts(script, target("0.9", of="queue|q")) == []


def test_a_target_that_is_taken_back_resolves_what_it_has_fired() -> None:
    script = Script()
    for number in range(10):
        script.at(f"23:{40 + number}:00", e.CallAnswered, f"c{number}", agent_id="a", team_id="t", wait_seconds=1)
        script.at(f"23:{40 + number}:30", e.CallRated, f"c{number}", score=1, scale="1-5")
    script.at("23:51:00", e.CallArrived, "x").at("+1 00:01:00", e.CallArrived, "y").at(
        "+1 00:02:00", e.CallArrived, "z"
    )
    told = alerts(script, target("0.9"), target(None, since=date(2026, 3, 3)))
    assert [(one.entity, one.status) for one in told] == [
        ("agent|a", "firing"), ("team|t", "firing"), ("agent|a", "resolved"), ("team|t", "resolved"),
    ]  # fmt: skip
    assert told[-1].reason_en == "Customer satisfaction, team t, in the last 30 min: no target any more, resolved."


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"above": "target"}, "of csat higher is better: write `below: target`"),
        ({"below": "target", "clear": 0.9}, "`clear` goes with a number"),
        ({"kpi": "occupancy", "below": "target"}, "of occupancy neither side is better"),
        ({"below": "targets"}, "below"),
        ({"below": "target", "above": 0.3}, "exactly one"),
    ],
)
def test_an_ambiguous_rule_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_rules({"rules": [{**BY_TARGET, **changes}]})


def test_a_number_is_a_number_as_before() -> None:
    rule = Rule(**{**BY_TARGET, "below": 0.8})
    assert (rule.by_target, rule.threshold, rule.breached(0.79), rule.breached(0.8)) == (False, 0.8, True, False)
