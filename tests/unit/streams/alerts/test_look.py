"""One look at one entity, without a desk around it: which steps are told, when, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from streams.alerts.evaluate import leave, look, next_look_at, standing, watches
from streams.alerts.lifecycle import AlertState
from streams.alerts.rules import Rule
from streams.contracts.outputs import Alert, Sums
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.windows.clock import NEVER
from streams.windows.rolling import Plain
from tests.support.desk import POLICY

_FORMULAS = formulas(POLICY)
_NOBODY = (0, None)
CSAT = {"kpi": "csat", "window": "30m", "below": 0.8}
AIMED = {"kpi": "csat", "window": "30m", "below": "target"}
WAIT = {"kpi": "longest_wait", "window": "now", "above": 60}


def rule(**fields: Any) -> Rule:
    return Rule.model_validate({"id": "r", "zh": "某", "en": "some", "scope": ["queue"]} | fields)


class Desk:
    """A queue and the states of its alerts."""

    def __init__(self, *rules: Rule) -> None:
        self.watched = watches(rules, _FORMULAS, POLICY)["queue"]
        self.states: dict[str, AlertState] = {}

    def look(
        self, now: int, sums: Sums, wait: tuple[int, float | None] = _NOBODY, aim: float | None = None
    ) -> list[str]:
        plain = Plain({"30m": sums, "today": {}}, None, now * 1000)
        told = look(self.watched, "queue|q", self.states, plain, wait, now * 1000, lambda _: aim)
        return [f"{alert.status} {alert.reason_en}" for alert in told]

    def standing(self, now: int, sums: Sums, wait: tuple[int, float | None] = _NOBODY) -> list[Alert]:
        plain = Plain({"30m": sums, "today": {}}, None, now * 1000)
        return standing(self.watched, "queue|q", self.states, plain, wait, now * 1000)


def ratings(good: int, of: int) -> Sums:
    return {"csat_satisfied": good, "csat_ratings": of}


@pytest.mark.parametrize(
    ("fields", "sums", "wait", "said"),
    [
        (CSAT, ratings(3, 5), _NOBODY, "Customer satisfaction, queue q, in the last 30 min: 60.0 % (n=5), below 80.0 % for 0 s."),
        (WAIT, {}, (2, 90.4), "Longest wait, queue q, now: 90 s (n=2), above 60 s for 0 s."),
        ({"kpi": "calls_waiting", "window": "now", "above": 3}, {}, (4, 1.0), "Calls waiting, queue q, now: 4 (n=4), above 3 for 0 s."),
        (
            {"kpi": "complaint_rate", "window": "30m", "above": 2.5}, {"complaints": 1, "contacts_handled": 300}, _NOBODY,
            "Complaints per 1,000 contacts, queue q, in the last 30 min: 3.33 ‰ (n=300), above 2.50 ‰ for 0 s.",
        ),
        (
            {"kpi": "nps", "window": "30m", "below": 10}, {"nps_promoters": 1, "nps_detractors": 2, "nps_ratings": 8}, _NOBODY,
            "Net promoter score, queue q, in the last 30 min: -12.50 (n=8), below 10.00 for 0 s.",
        ),
    ],
)  # fmt: skip
def test_a_reason_has_the_figure_in_its_unit(
    fields: dict[str, Any], sums: Sums, wait: tuple[int, float | None], said: str
) -> None:
    assert Desk(rule(**fields)).look(0, sums, wait) == [f"firing {said}"]


@pytest.mark.parametrize(
    ("kpi", "sums", "zh", "en"),
    [
        ("csat", ratings(3, 5), "60.0%", "60.0 %"),
        ("average_handle_time", {"handle_seconds": 450_000, "calls_handled": 5}, "90 秒", "90 s"),
        ("offered_calls", {"calls_offered": 4}, "4", "4"),
        ("complaint_rate", {"complaints": 1, "contacts_handled": 300}, "3.33‰", "3.33 ‰"),
        ("complaint_late_days", {"complaint_late_days": 2, "complaints_settled": 5}, "2.00 天", "2.00"),
        ("nps", {"nps_promoters": 3, "nps_detractors": 2, "nps_ratings": 8}, "12.50 分", "12.50"),
        ("contacts_per_hour", {"contacts_handled": 5, "working_seconds": 1_800_000}, "10.00 次/小时", "10.00"),
        ("fatigue_index", {"strain_later": 6, "strain_contacts_later": 2, "strain_first_hour": 4, "strain_contacts_first_hour": 2}, "0.50", "0.50"),
    ],
)  # fmt: skip
def test_figure_and_threshold_are_written_with_their_unit(kpi: str, sums: Sums, zh: str, en: str) -> None:
    (watched,) = watches([rule(kpi=kpi, window="30m", above=0, scope=["agent"])], _FORMULAS, POLICY).values()
    (told,) = look(watched, "agent|a", {}, Plain({"30m": sums, "today": {}}, None, 0), _NOBODY, 0)
    assert f" {zh}（样本 " in told.reason_zh
    assert "），高于告警线 0" in told.reason_zh
    assert f": {en} (n=" in told.reason_en


def test_each_step_is_told_once_and_with_how_long_it_has_held() -> None:
    desk = Desk(rule(**CSAT, **{"for": 60}, min_n=5))
    assert desk.look(0, ratings(3, 4)) == []
    assert desk.states == {}
    assert desk.look(10, ratings(3, 5)) == []
    assert desk.standing(10, ratings(3, 5)) == []  # pending is nothing to show
    (fired,) = desk.look(70, ratings(3, 5))
    assert fired.endswith("below 80.0 % for 60 s.")
    assert desk.look(80, ratings(2, 5)) == []
    (shown,) = desk.standing(90, ratings(2, 5))
    assert (shown.status, shown.value, shown.n) == ("firing", 0.4, 5)
    assert (shown.at - shown.since).total_seconds() == 80
    assert desk.look(100, ratings(4, 5)) == [
        "resolved Customer satisfaction, queue q, in the last 30 min: back at 80.0 % (n=5)."
    ]
    assert desk.states == {}
    assert desk.look(110, ratings(4, 5)) == []


@pytest.mark.parametrize("left", [ratings(0, 4), ratings(4, 4), {}])
def test_raters_who_fall_silent_resolve_nothing(left: Sums) -> None:
    desk = Desk(rule(**CSAT, min_n=5))
    desk.look(0, ratings(3, 5))
    assert desk.look(1, left) == []
    assert desk.look(1800, left) == []
    (said,) = desk.look(1801, left)
    assert said == "no_data Customer satisfaction, queue q, in the last 30 min: no data for 30 min, last 60.0 % (n=5)."
    assert desk.look(9999, left) == []
    (shown,) = desk.standing(9999, left)
    assert (shown.status, shown.value, shown.n) == ("no_data", 0.6, 5)
    (said,) = desk.look(10_000, ratings(2, 5))
    assert said == "firing Customer satisfaction, queue q, in the last 30 min: 40.0 % (n=5), below 80.0 % for 10000 s."
    (said,) = desk.look(10_001, ratings(5, 5))
    assert said.startswith("resolved ")


def test_when_a_day_is_over_so_are_its_alerts() -> None:
    desk = Desk(rule(kpi="csat", window="today", below=0.8, min_n=5))
    plain = Plain({"30m": {}, "today": ratings(3, 5)}, None, 0)
    look(desk.watched, "queue|q", desk.states, plain, _NOBODY, 0)
    assert desk.look(1, {}) == ["resolved Customer satisfaction, queue q, today: too little data left, resolved."]


def test_present_figures_are_told_once_a_minute_where_they_have_moved() -> None:
    desk = Desk(rule(**CSAT))
    desk.look(0, ratings(3, 5))
    plain = Plain({"30m": ratings(2, 5), "today": {}}, None, 0)
    assert look(desk.watched, "queue|q", desk.states, plain, _NOBODY, 59_000) == []
    (told,) = look(desk.watched, "queue|q", desk.states, plain, _NOBODY, 60_000)
    assert (told.status, told.update, told.value) == ("firing", True, 0.4)
    assert told.reason_en.endswith("40.0 % (n=5), below 80.0 % for 60 s.")
    assert look(desk.watched, "queue|q", desk.states, plain, _NOBODY, 200_000) == []


def test_between_threshold_and_clear_nobody_says_that_it_is_below() -> None:
    desk = Desk(rule(**CSAT, clear=0.9))
    desk.look(0, ratings(3, 5))
    (told,) = desk.look(60, ratings(4, 5))
    assert told.endswith("30 min: 80.0 % (n=5), not yet back at 90.0 %, for 60 s.")


def test_by_its_bound_a_rule_waits_for_evidence() -> None:
    desk = Desk(rule(**CSAT, test="bound", clear=0.85))
    assert desk.look(0, ratings(2, 4)) == []  # 15 to 85 %
    assert desk.look(2, ratings(10, 20)) != []  # 30 to 70 %
    assert desk.look(3, ratings(16, 20)) == []  # not yet past `clear`
    (said,) = desk.look(4, ratings(17, 20))
    assert said.startswith("resolved ")


def test_a_pending_alert_ends_without_a_word() -> None:
    desk = Desk(rule(**CSAT, **{"for": 60}))
    desk.look(0, ratings(0, 5))
    assert desk.look(1, ratings(5, 5)) == []
    assert desk.states == {}


def test_a_rule_that_is_no_more_takes_its_state_along_and_leaves_the_others() -> None:
    desk = Desk(rule(**CSAT))
    desk.look(0, ratings(0, 5))
    kept = desk.states["r"]
    desk.states["gone"] = AlertState("firing", 0, 0.5, 6)
    desk.states["waiting"] = AlertState("pending", 0)
    told = leave(desk.watched, "queue|q", desk.states, 1000, None, lambda *_: None)
    assert [(one.key, one.status, one.value, one.reason_en) for one in told] == [
        ("gone|queue|q", "resolved", 0.5, "The alert rule gone is no more, resolved.")
    ]
    assert desk.states == {"r": kept}
    (one,) = told
    assert (one.severity, one.kpi, one.window, one.threshold, one.n) == ("info", "", "", 0, 6)  # nobody knows any more


def test_one_rule_without_a_target_or_data_does_not_stop_the_next() -> None:
    desk = Desk(rule(**AIMED, id="aimed"), rule(**CSAT, id="few", min_n=9), rule(**CSAT, id="low"))
    (said,) = desk.look(0, ratings(0, 5))
    assert said.startswith("firing ")
    assert desk.states["low"].status == "firing"
    assert len(desk.states) == 1
    (said,) = desk.look(1, ratings(5, 5))
    assert said.startswith("resolved ")


def test_a_target_that_moves_is_the_threshold_from_then_on() -> None:
    desk = Desk(rule(**AIMED))
    assert desk.look(0, ratings(4, 5), aim=0.8) == []
    (said,) = desk.look(1, ratings(4, 5), aim=0.9)
    assert said.endswith("80.0 % (n=5), below 90.0 % for 0 s.")
    (said,) = desk.look(2, ratings(4, 5), aim=0.8)
    assert said.endswith("back at 80.0 % (n=5).")


def test_a_target_that_goes_while_an_alert_is_pending_says_nothing() -> None:
    desk = Desk(rule(**AIMED, **{"for": 60}))
    desk.look(0, ratings(0, 5), aim=0.8)
    assert desk.states["r"].status == "pending"
    assert desk.look(1, ratings(0, 5)) == []
    assert desk.states == {}


def test_of_a_target_that_is_not_to_be_passed_above_is_bad() -> None:
    aimed = rule(kpi="average_handle_time", window="30m", above="target").at(300.0)
    assert (aimed.above, aimed.below) == (300.0, None)
    assert (aimed.breached(300), aimed.breached(300.1), aimed.cleared(300), aimed.cleared(300.1)) == (
        False, True, True, False,
    )  # fmt: skip


def test_a_rule_of_which_nothing_is_new_does_not_stop_the_next() -> None:
    desk = Desk(rule(**CSAT, id="low"), rule(**CSAT | {"below": 0.5}, id="lower"))
    assert len(desk.look(0, ratings(3, 5))) == 1
    (said,) = desk.look(1, ratings(2, 5))
    assert said.endswith("below 50.0 % for 0 s.")


def test_an_alert_carries_its_rule_and_what_is_behind_it() -> None:
    desk = Desk(rule(**CSAT, severity="critical"))
    desk.look(0, ratings(3, 5))
    (shown,) = desk.standing(90, ratings(2, 5))
    assert (shown.rule, shown.entity, shown.severity, shown.kpi, shown.window, shown.threshold) == (
        "r", "queue|q", "critical", "csat", "30m", 0.8,
    )  # fmt: skip
    assert (shown.at.timestamp(), shown.since.timestamp()) == (90, 0)
    assert shown.reason_en.endswith("40.0 % (n=5), below 80.0 % for 90 s.")


def test_a_target_that_goes_resolves_what_it_has_fired() -> None:
    desk = Desk(rule(**AIMED))
    desk.look(0, ratings(0, 5), aim=0.8)
    assert desk.look(1, ratings(0, 5)) == [
        "resolved Customer satisfaction, queue q, in the last 30 min: no target any more, resolved."
    ]


def test_the_next_look_is_due_when_the_first_of_the_alerts_may_change() -> None:
    desk = Desk(
        rule(**CSAT, **{"for": 600}, id="later"), rule(**CSAT, **{"for": 60}, id="soon"), rule(**WAIT, id="wait")
    )
    assert next_look_at(desk.watched, desk.states, 0) == NEVER
    desk.look(10, ratings(0, 5))
    assert next_look_at(desk.watched, desk.states, 10_000) == 70_000
    desk.look(70, ratings(0, 5))
    assert next_look_at(desk.watched, desk.states, 70_000) == 130_000  # `soon` may tell a figure that has moved
    assert next_look_at(desk.watched, desk.states, 130_000) == 610_000


@pytest.mark.parametrize(("offered", "on_duty", "said"), [
    (99, 0, []),
    (100, 12, []),
    (100, 11, ["firing Staffing gap, site s, now: 3 (n=100), above 2 for 0 s."]),
])  # fmt: skip
def test_a_rule_about_missing_agents_rests_on_calls(offered: int, on_duty: int, said: list[str]) -> None:
    """100 calls of three minutes in half an hour need 14 agents."""
    (watched,) = watches(
        [rule(kpi="staffing_gap", window="now", above=2, min_n=100, scope=["site"])], _FORMULAS, POLICY
    ).values()
    recent = {"calls_offered": offered, "calls_handled": 90, "handle_seconds": 90 * 180_000, "agents_working": on_duty}
    plain = Plain({"30m": recent, "today": {"working_seconds": 1}}, None, 0)
    assert look(watched, "site|s", {}, Plain({"30m": {}, "today": {}}, None, 0), _NOBODY, 0) == []
    assert [f"{one.status} {one.reason_en}" for one in look(watched, "site|s", {}, plain, _NOBODY, 0)] == said


def test_who_reloads_a_screen_sees_every_alert_that_is_open_and_no_other() -> None:
    desk = Desk(
        rule(**CSAT, **{"for": 60}, id="pending"),
        rule(**AIMED, id="aimed"),
        rule(**CSAT, id="low"),
        rule(**CSAT, no_data_for=7200, id="patient"),
    )
    desk.look(600, ratings(2, 5), aim=0.9)
    plain = Plain({"30m": ratings(2, 5), "today": {}}, None, 0)
    shown = standing(desk.watched, "queue|q", desk.states, plain, _NOBODY, 610_000, lambda _: 0.9)
    assert [(one.rule, one.status, one.threshold) for one in shown] == [
        ("aimed", "firing", 0.9), ("low", "firing", 0.8), ("patient", "firing", 0.8),
    ]  # fmt: skip
    assert shown[0].reason_en.endswith("40.0 % (n=5), below 90.0 % for 10 s.")
    desk.look(700, {}, aim=0.9)
    desk.look(2500, {}, aim=0.9)
    assert [(one.rule, one.status, one.reason_en.partition(": ")[2]) for one in desk.standing(2600, {})] == [
        ("aimed", "no_data", "no data for 31 min, last 40.0 % (n=5)."),
        ("low", "no_data", "no data for 31 min, last 40.0 % (n=5)."),
        ("patient", "firing", "40.0 % (n=5), below 80.0 % for 2000 s."),
    ]


def test_on_a_new_day_a_few_good_ratings_are_not_said_to_be_back() -> None:
    desk = Desk(rule(kpi="csat", window="today", below=0.8, min_n=5))
    for now, sums, said in (
        (0, ratings(3, 5), "60.0 % (n=5), below 80.0 % for 0 s."),
        (1, ratings(4, 4), "too little data left, resolved."),
    ):
        plain = Plain({"30m": {}, "today": sums}, None, 0)
        (told,) = look(desk.watched, "queue|q", desk.states, plain, _NOBODY, now)
        assert told.reason_en == f"Customer satisfaction, queue q, today: {said}"


@pytest.mark.parametrize(("entity", "team"), [("agent|a", "t"), ("queue|q", None)])
def test_an_alert_of_an_agent_tells_the_team(entity: str, team: str | None) -> None:
    (one,) = watches([rule(**CSAT | {"scope": [entity.partition("|")[0]]})], _FORMULAS, POLICY).values()
    states: dict[str, AlertState] = {}
    (fired,) = look(one, entity, states, Plain({"30m": ratings(0, 5), "today": {}}, None, 0), _NOBODY, 0, team="t")
    states["gone"] = states["r"]
    told = leave((), entity, states, 0, "t", lambda _, id: one[0] if id == "r" else None)
    assert {fired.team, *(alert.team for alert in told)} == {team}
    assert len(told) == 2


def test_a_name_with_a_number_in_it_has_the_queues_own() -> None:
    policy = Policy(service_level_seconds=20, service_level_seconds_by_queue={"q": 60})
    low = rule(kpi="service_level_20s", window="30m", below=0.8, scope=["queue", "site"])
    watched = watches([low], formulas(policy), policy)
    plain = Plain({"30m": {"calls_offered": 4, "calls_answered_within_20s": 1}, "today": {}}, None, 0)
    names = []
    for entity in ("queue|q", "queue|other", "site|q"):
        (told,) = look(watched[entity.partition("|")[0]], entity, {}, plain, _NOBODY, 0)
        names.append(told.reason_en.partition(",")[0])
    assert names == ["Answered within 60 s", "Answered within 20 s", "Answered within 20 s (q 60 s)"]


def test_what_a_chinese_reader_is_told_from_the_first_word_to_the_last() -> None:
    desk = Desk(rule(**CSAT, clear=0.9), rule(kpi="csat", window="today", below=0.8, id="day"))
    texts = []
    for now, sums, today in (
        (0, ratings(3, 5), {}), (60, ratings(4, 5), {}), (61, {}, ratings(3, 5)), (1861, {}, {}), (1862, ratings(9, 9), {}),
    ):  # fmt: skip
        plain = Plain({"30m": sums, "today": today}, None, 0)
        texts += [one.reason_zh for one in look(desk.watched, "queue|q", desk.states, plain, _NOBODY, now * 1000)]
    desk.look(1900, ratings(3, 5))
    (watch, _) = desk.watched
    texts += [one.reason_zh for one in leave((), "queue|q", dict(desk.states), 1_900_000, None, lambda *_: watch)]
    texts += [one.reason_zh for one in leave((), "queue|q", dict(desk.states), 1_900_000, None, lambda *_: None)]
    aimed = Desk(rule(**AIMED))
    aimed.look(0, ratings(3, 5), aim=0.8)
    texts += [one.reason_zh for one in look(aimed.watched, "queue|q", aimed.states, plain, _NOBODY, 1)]
    (everybody,) = watches([rule(**CSAT | {"scope": ["all"]})], _FORMULAS, POLICY).values()
    plain = Plain({"30m": ratings(3, 5), "today": {}}, None, 0)
    (one,) = look(everybody, "all|all", {}, plain, _NOBODY, 0)
    assert one.reason_en.startswith("Customer satisfaction, ")
    texts.append(one.reason_zh)
    assert texts == [
        "队列 q 近30分钟客户满意度 60.0%（样本 5），低于告警线 80.0%，触发时已持续 0 秒。",
        "队列 q 近30分钟客户满意度 80.0%（样本 5），尚未恢复到 90.0%，已持续 60 秒。",
        "队列 q 今日客户满意度 60.0%（样本 5），低于告警线 80.0%，触发时已持续 0 秒。",
        "队列 q 近30分钟客户满意度：已 30 分钟没有足够数据，最近一次为 80.0%（样本 5）。",
        "队列 q 今日客户满意度：数据不足，告警关闭。",
        "队列 q 近30分钟客户满意度已恢复到 100.0%（样本 9）。",
        "队列 q 近30分钟客户满意度：该规则当前不再监测此对象，告警关闭。",
        "告警规则 r 已删除，告警关闭。",
        "队列 q 近30分钟客户满意度：目标值已取消，告警关闭。",
        "全中心近30分钟客户满意度 60.0%（样本 5），低于告警线 80.0%，触发时已持续 0 秒。",
    ]


def test_a_reader_is_told_whether_it_had_lasted_so_long_or_has_until_now() -> None:
    desk = Desk(rule(**CSAT, **{"for": 30}))
    desk.look(0, ratings(3, 5))
    told = [
        alert
        for now, good in ((30, 3), (90, 2))
        for alert in look(
            desk.watched,
            "queue|q",
            desk.states,
            Plain({"30m": ratings(good, 5), "today": {}}, None, 0),
            _NOBODY,
            now * 1000,
        )
    ]
    told += desk.standing(100, ratings(2, 5))
    assert [(one.update, one.reason_zh.rpartition("，")[2]) for one in told] == [
        (False, "触发时已持续 30 秒。"), (True, "已持续 90 秒。"), (False, "已持续 100 秒。"),
    ]  # fmt: skip


def test_of_a_count_none_at_all_is_back_and_not_too_few() -> None:
    desk = Desk(rule(kpi="offered_calls", window="30m", above=3, min_n=2))
    assert desk.look(0, {"calls_offered": 4}) == [
        "firing Calls offered, queue q, in the last 30 min: 4 (n=4), above 3 for 0 s."
    ]
    assert desk.look(1, {}) == ["resolved Calls offered, queue q, in the last 30 min: back at 0 (n=0)."]
