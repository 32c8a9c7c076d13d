"""Rules as people write them, and the life of an alert on a time axis."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.alerts.lifecycle import AlertState, next_step_at, step
from streams.alerts.rules import Rule, read_rules
from streams.contracts import events as e
from streams.contracts.outputs import Figure
from streams.operator_files import load_rules
from tests.support.desk import POLICY, Script

LOW = Rule(
    id="low", zh="低", en="low", kpi="csat", window="30m", below=0.8, clear=0.85, min_n=5, for_seconds=60, scope=("agent",)
)  # fmt: skip
LONG = Rule(
    id="long", zh="长", en="long", kpi="longest_wait", window="now", above=120, clear=90, for_seconds=10, scope=("all",)
)

PLAIN = Rule(id="plain", zh="低", en="low", kpi="csat", window="30m", below=0.8, scope=("agent",))

TODAY = Rule(id="today", zh="低", en="low", kpi="csat", window="today", below=0.8, min_n=5, scope=("agent",))
COUNT = Rule(id="count", zh="多", en="many", kpi="offered_calls", window="30m", above=3, scope=("all",))
_P, _F, _N = "pending", "firing", "no_data"


@pytest.mark.parametrize(
    ("rule", "axis"),
    [
        # (second, value, n, status after it)
        (LOW, [(0, 0.7, 10, _P), (59, 0.7, 10, _P), (60, 0.7, 10, _F), (61, 0.82, 10, _F), (62, 0.85, 10, None)]),
        (LOW, [(0, 0.7, 10, _P), (30, 0.8, 10, None), (40, 0.7, 10, _P), (99, 0.7, 10, _P), (100, 0.7, 10, _F)]),
        (LOW, [(0, 0.2, 4, None), (60, 0.2, 4, None), (61, 0.2, 5, _P)]),
        (LOW, [(0, None, 0, None)]),
        (LOW, [(0, 0.7, 9, _P), (60, 0.7, 9, _F), (70, 0.9, 4, _F), (1869, None, 0, _F), (1870, None, 0, _N), (9000, 0.9, 4, _N), (9001, 0.9, 5, None)]),
        (LOW, [(0, 0.7, 9, _P), (60, 0.7, 9, _F), (70, None, 0, _F), (1860, 0.7, 5, _F), (1870, None, 0, _F), (3670, None, 0, _N), (3671, 0.8, 5, _F)]),
        (TODAY, [(0, 0.7, 9, _F), (1, None, 0, None)]),
        (COUNT, [(0, 4, 4, _F), (1, 3, 3, None), (2, 4, 4, _F), (3, 0, 0, None)]),
        (PLAIN, [(0, 0.8, 1, None), (1, 0.79, 1, _F), (2, 0.799, 1, _F), (3, 0.8, 1, None)]),
        (LONG, [(0, 120, 1, None), (1, 121, 1, _P), (11, 131, 1, _F), (12, 95, 1, _F), (13, 90, 1, None), (14, None, 0, None)]),
    ],
    ids=["fires and clears with hysteresis", "must hold without a break", "minimum sample", "no data", "raters fall silent", "and come back", "a new day", "a count", "clears at its threshold", "above"],
)  # fmt: skip
def test_life_of_an_alert(rule: Rule, axis: list[tuple[int, float | None, int, str | None]]) -> None:
    state: AlertState | None = None
    for second, value, n, status in axis:
        state = step(rule, state, Figure(value, n), second * 1000)
        assert (state.status if state else None) == status, second


@pytest.mark.parametrize("handed_over", [False, True])
def test_chats_that_a_bot_settles_fire_nothing(handed_over: bool) -> None:
    """Two dozen chats that a bot answers within a second; where it hands them over and nobody comes, the rule for first responses fires."""
    script = Script()
    for number in range(24):
        contact, minute = f"c{number}", f"09:{number // 4:02}"
        script.at(f"{minute}:00", e.ChatStarted, contact, queue_id="chat").at(
            f"{minute}:00", e.ChatMessage, contact, sender="customer"
        )
        script.at(f"{minute}:01", e.ChatMessage, contact, sender="bot")
        if handed_over:
            script.at(f"{minute}:02", e.ChatHandedOver, contact)
        script.at(f"{minute}:50", e.ChatEnded, contact)
    script.at("09:08:00", e.CallArrived, "tick").at("09:14:00", e.CallArrived, "tock")
    told = script.run(rules=load_rules(None), look_every=1).alerts
    assert {alert.rule for alert in told} == ({"slow_first_response"} if handed_over else set())


def test_satisfaction_below_eighty_percent_fires_once_with_its_reason_and_resolves() -> None:
    script = Script()
    for number in range(5):
        script.call(f"09:0{number}:00", f"c{number}", agent="a", talk=10)
        script.at(f"09:0{number}:30", e.CallRated, f"c{number}", score=1 if number < 2 else 5, scale="1-5", team_id="t")
    script.at("09:06:00", e.CallArrived, "tick").at("09:20:00", e.CallArrived, "tock")
    for number in range(9):
        script.call(f"09:2{number}:00", f"d{number}", agent="a", talk=10)
        script.at(f"09:2{number}:30", e.CallRated, f"d{number}", score=5, scale="1-5")  # 4 of 5
    below = LOW.model_copy(update={"id": "low_satisfaction"})
    run = script.run(rules=(below,), look_every=1)
    told = [alert for alert in run.alerts if alert.entity == "agent|a" and not alert.update]
    assert [(alert.status, f"{alert.at:%H:%M:%S}") for alert in told] == [
        ("firing", "09:06:00"),
        ("resolved", "09:28:30"),
    ]
    fired = told[0]
    assert (fired.rule, fired.value, fired.n, fired.threshold) == ("low_satisfaction", 0.6, 5, 0.8)
    assert fired.reason_zh == "坐席 a 近30分钟客户满意度 60.0%（样本 5），低于告警线 80.0%，触发时已持续 90 秒。"
    assert fired.reason_en == "Customer satisfaction, agent a, in the last 30 min: 60.0 % (n=5), below 80.0 % for 90 s."


def test_a_long_wait_rings_and_stops_when_the_call_is_answered() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q")
    for minute in range(1, 8):
        script.at(f"09:0{minute}:00", e.CallArrived, f"x{minute}")
    script.at("09:08:00", e.CallAnswered, agent_id="a").at("09:08:01", e.CallArrived, "y")
    run = script.run(rules=load_rules(None), look_every=1)
    told = [alert for alert in run.alerts if alert.entity == "queue|q" and not alert.update]
    assert [(alert.rule, alert.status, f"{alert.at:%H:%M}") for alert in told] == [
        ("long_wait", "firing", "09:07"),
        ("long_wait", "resolved", "09:08"),
    ]


def test_a_backlog_stays_one_when_what_made_it_is_long_past() -> None:
    script = Script()
    for number in range(3):
        script.at(f"09:0{number}:00", e.TicketCreated, f"t{number}", queue_id="q")
    for minute in range(10, 60, 5):
        script.at(f"09:{minute}:00", e.CallArrived, f"x{minute}")
    script.at("10:00:00", e.TicketResolved, "t0").at("10:01:00", e.CallArrived, "y")
    backlog = Rule(id="backlog", zh="积压", en="backlog", kpi="open_backlog", window="30m", above=2, scope=("queue",))
    told = [(one.status, f"{one.at:%H:%M}", one.value) for one in script.run(rules=(backlog,), look_every=1).alerts]
    assert told == [("firing", "09:02", 3), ("resolved", "10:00", 2)]


def test_ratings_that_come_late_or_are_corrected_change_what_fires() -> None:
    """Five ratings, three of them good; then one of earlier comes late and is bad, and two are corrected."""
    script = Script()
    for number in range(6):
        script.call(f"09:0{number}:00", f"c{number}", agent="a", talk=10)
    for number in range(5):
        script.at(f"09:0{number}:30", e.CallRated, f"c{number}", score=5, scale="1-5")
    script.at("09:08:00", e.CallArrived, "tick")
    script.at("09:05:30", e.CallRated, "c5", score=1, scale="1-5")  # 5 of 6: still above
    rated = [event.id for event in script.events if isinstance(event, e.CallRated)]
    script.at("09:04:31", e.CallRetracted, "c4", corrects=rated[4])  # 4 of 5, no more than 80 %
    script.at("09:03:31", e.CallRetracted, "c3", corrects=rated[3])  # 3 of 4: too few
    script.at("09:09:00", e.CallRated, "c4", score=1, scale="1-5")  # 3 of 5
    script.at("09:10:00", e.CallArrived, "tock")
    script.at("09:09:30", e.CallRetracted, "c5", corrects=rated[5])
    script.at("09:09:31", e.CallRated, "c5", score=5, scale="1-5")  # 4 of 5
    run = script.run(rules=(PLAIN.model_copy(update={"min_n": 5}),), look_every=1)
    told = [(alert.status, f"{alert.at:%H:%M:%S}", alert.value, alert.n) for alert in run.alerts if not alert.update]
    assert told == [("firing", "09:09:00", 0.6, 5), ("resolved", "09:10:00", 0.8, 5)]


def test_state_of_before_is_taken_over() -> None:
    old = msgspec.msgpack.encode(["firing", 5])
    state = msgspec.msgpack.decode(old, type=AlertState)
    assert (state.status, state.since, state.value, state.n, state.short, state.told) == ("firing", 5, None, 0, 0, 0)
    after = step(LOW, state, Figure(0.7, 10), 600_000)
    assert after == AlertState("firing", 5, 0.7, 10, 0, 600_000)
    assert step(LOW, state, Figure(0.9, 10), 600_000) is None


def test_what_is_kept_of_an_alert_from_look_to_look() -> None:
    """All of it is stored: what a restart restores, and what screens and messages are told of."""
    state: AlertState | None = AlertState("pending", 0)
    for second, value, n, expected in (
        (60, 0.7, 9, AlertState("firing", 0, 0.7, 9, 0, 60_000)),
        (70, None, 0, AlertState("firing", 0, 0.7, 9, 70_000, 60_000)),
        (75, 0.6, 4, AlertState("firing", 0, 0.7, 9, 70_000, 60_000)),
        (80, 0.6, 8, AlertState("firing", 0, 0.7, 9, 0, 60_000)),  # enough again, and told a moment ago
        (120, 0.6, 8, AlertState("firing", 0, 0.6, 8, 0, 120_000)),
        (130, None, 0, AlertState("firing", 0, 0.6, 8, 130_000, 120_000)),
        (1930, None, 0, AlertState("no_data", 0, 0.6, 8, 130_000, 1_930_000)),
        (1990, None, 0, AlertState("no_data", 0, 0.6, 8, 130_000, 1_930_000)),
        (1991, 0.6, 8, AlertState("firing", 0, 0.6, 8, 0, 1_991_000)),
    ):
        state = step(LOW, state, Figure(value, n), second * 1000)
        assert state == expected, second


@pytest.mark.parametrize(
    ("state", "looked_at", "next_at"),
    [
        (AlertState("pending", 1_000), 5_000, 61_000),
        (AlertState("firing", 1_000, 0.7, 9, 70_000, 61_000), 71_000, 1_870_000),
        (AlertState("firing", 1_000, 0.7, 9, 0, 61_000), 120_999, 121_000),
        (AlertState("firing", 1_000, 0.7, 9, 0, 61_000), 121_000, None),
        (AlertState("no_data", 1_000, 0.7, 9, 70_000, 1_870_000), 1_871_000, None),
    ],
    ids=["holds long enough", "without data long enough", "told a minute ago", "nothing new", "waits for data"],
)
def test_when_time_alone_takes_an_alert_further(state: AlertState, looked_at: int, next_at: int | None) -> None:
    assert next_step_at(LOW, state, looked_at) == next_at
    if next_at is not None:
        figure = Figure(None, 0) if state.short else Figure(0.6, 9)
        assert step(LOW, state, figure, next_at - 1) == state
        assert step(LOW, state, figure, next_at) != state


def rules_file(tmp_path: Path, *changes: str) -> Path:
    entry = {"id": "r", "zh": "某", "en": "some", "kpi": "csat", "window": "30m", "below": "0.8", "scope": "[agent]"}
    for change in changes:
        name, _, value = change.partition("=")
        entry[name] = value
    text = "rules:\n  - " + "\n    ".join(f"{name}: {value}" for name, value in entry.items() if value)
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["kpi=csta"], "r: Value error, no KPI is called 'csta'"),
        (["above=0.9"], "exactly one of `below` and `above`"),
        (["below="], "exactly one of `below` and `above`"),
        (["clear=0.7"], "`clear` must lie on the good side"),
        (["below=", "above=0.5", "clear=0.6"], "`clear` must lie on the good side"),
        (["window=now"], "`window: now` is for calls_waiting, longest_wait and staffing_gap only"),
        (["kpi=fcr"], "fcr is known only after days: no window has it"),
        (["kpi=calls_waiting"], "`window: now`"),
        (["kpi=longest_wait"], "`window: now`"),
        (["kpi=longest_wait", "window=now"], "nobody waits for an agent: scope is"),
        (["kpi=longest_wait", "window=now", "scope=[queue, team]"], "nobody waits for a team: scope is"),
        (["kpi=longest_wait", "window=now", "scope=[team, agent]"], "nobody waits for an agent or a team: scope is"),
        (["window=1h"], "r.window: Input should be '5m', '30m', 'today', 'now' or 'change'"),
        (["thresold=3"], "r.thresold: Extra inputs are not permitted"),
        (["id=Bad Id"], "String should match pattern"),
        (["below=85"], "`below: 85`: csat is a share, from 0 to 1; did you mean 0.85?"),
        (["kpi=utilisation_rate", "below=85"], "utilisation_rate is a share, usually from 0 to 1; did you mean 0.85?"),
        (["below=", "above=99.5"], "`above: 99.5`: csat is a share, from 0 to 1; did you mean 0.995?"),
        (["clear=90"], "`clear: 90`: csat is a share, from 0 to 1; did you mean 0.9?"),
        (["below=-0.1"], "`below: -0.1`: csat is a share, from 0 to 1"),
        (["below=100"], "`below: 100`: csat is a share, from 0 to 1; did you mean 1?"),
        (["below=8500"], "`below: 8500`: csat is a share, from 0 to 1"),
        (["kpi=average_handle_time", "below=-1"], "average_handle_time is 0 or more (s)"),
        (["kpi=nps", "below=-101"], "nps is from -100 to 100 (points)"),
        (["kpi=csat_mean", "below=101"], "csat_mean is from 0 to 100 (points)"),
        (["kpi=keyword_coverage_rate", "below=60"], "keyword_coverage_rate is a share, from 0 to 1; did you mean 0.6?"),
    ],
)
def test_an_ambiguous_rule_is_refused_with_the_reason(tmp_path: Path, changes: list[str], says: str) -> None:
    with pytest.raises(ValueError, match="alert rules") as refused:
        load_rules(rules_file(tmp_path, *changes))
    assert says in str(refused.value)


def test_a_sound_rule_is_taken(tmp_path: Path) -> None:
    (rule,) = load_rules(rules_file(tmp_path, "for=30", "clear=0.9"))
    assert (rule.for_seconds, rule.clear, rule.scope) == (30, 0.9, ("agent",))


@pytest.mark.parametrize(
    "changes", [["clear=0.8"], ["below=1", "clear=1"], ["below=", "above=0"], ["below=", "above=0.8", "clear=0.8"]]
)
def test_what_lies_on_an_end_is_taken(tmp_path: Path, changes: list[str]) -> None:
    assert len(load_rules(rules_file(tmp_path, *changes))) == 1


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ([{"id": "r"}, "low satisfaction"], "number 2: Input should be a valid dictionary"),
        ([{"zh": "某"}], "number 1.id: Field required"),
    ],
)
def test_a_rule_without_an_id_is_told_by_its_place(raw: list[object], says: str) -> None:
    with pytest.raises(ValueError, match="Field required") as refused:
        read_rules({"rules": raw})
    assert says in str(refused.value)


def test_what_cannot_be_meant_as_a_percentage_is_not_proposed() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 1$"):
        read_rules({"rules": [PLAIN.model_dump(mode="json") | {"below": 100.5}]})


@pytest.mark.parametrize("raw", [[], {"rules": {"id": "r"}}, {}])
def test_a_file_without_a_list_of_rules_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a list under `rules`$"):
        read_rules(raw)


def test_ids_are_unique(tmp_path: Path) -> None:
    path = rules_file(tmp_path)
    path.write_text(path.read_text() + path.read_text().removeprefix("rules:"), encoding="utf-8")
    with pytest.raises(ValueError, match="ids used twice: r"):
        load_rules(path)


def test_rules_for_everybody_are_looked_at_for_everybody() -> None:
    script = Script().at("09:00:00", e.CallQueued, queue_id="q", site_id="s").at("09:10:00", e.CallArrived, "x")
    script.at("09:10:30", e.CallArrived, "y")
    told = script.run(POLICY, rules=load_rules(None), look_every=1).alerts
    assert {alert.entity for alert in told} == {"all|all", "queue|q", "site|s"}
