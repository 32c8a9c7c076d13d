"""KPIs of calls."""

from __future__ import annotations

from streams.kpi.policy import Policy
from streams.kpi.spec import Kpi, Side, Terms


def _service_level(policy: Policy, side: Side) -> tuple[Terms, Terms]:
    within = {"calls_answered_within_20s": 1}
    if side == "staff":  # what happens in the queue is no agent's doing
        return within, {"calls_offered": 1}
    match policy.service_level_denominator:
        case "offered":
            return within, {"calls_offered": 1}
        case "answered":
            return within, {"calls_answered": 1}
        case "answered_and_abandoned":
            return within, {"calls_answered": 1, "calls_abandoned": 1}
        case "offered_less_short_abandons":
            return within, {"calls_offered": 1, "calls_abandoned_short": -1}


def _abandonment(_: Policy, side: Side) -> tuple[Terms, Terms]:
    # Nobody's hang-up is an agent's: staff have no data here, not 0 %.
    return {"calls_abandoned": 1, "calls_abandoned_short": -1}, {"calls_offered": 1} if side == "desk" else {}


CALLS = (
    Kpi(
        "offered_calls", "呼入量", "Calls offered", "count", "n", "range",
        lambda p, s: ({"calls_offered": 1}, None),
        "进入队列的通话；坐席与班组：接听 + 漏接", "calls queued; agent and team: answered + missed",
        ("call.queued", "call.answered", "call.missed"),
        traps="A re-queued transfer is a new offer to the next queue; hang-ups before the queue are not offered.",
        traps_zh="转接后再次排队，对下一队列是新的一次呼入；排队前挂断的不算呼入。",
    ),
    Kpi(
        "answer_rate", "接通率", "Answer rate", "rate", "ratio", "higher",
        lambda p, s: ({"calls_answered": 1}, {"calls_offered": 1}),
        "接听 / 呼入", "answered / offered",
        ("call.queued", "call.answered"),
        traps="Time-outs stay in the denominator.",
        traps_zh="超时离队的通话仍计入分母。",
    ),
    Kpi(
        "service_level_20s", "20秒接通率", "Answered within 20 s", "rate", "ratio", "higher",
        _service_level,
        "等待不超过阈值的接听 / 分母（按政策）", "answered with wait ≤ threshold / denominator by policy",
        ("call.queued", "call.answered", "call.abandoned"),
        ("service_level_seconds", "service_level_denominator", "short_abandon_seconds"),
        "Exactly the threshold counts as within; agents: answered in time / (answered + missed).",
        traps_zh="恰好等于阈值算达标；坐席：阈值内接听 /（接听 + 漏接）。",
    ),
    Kpi(
        "abandonment_rate", "放弃率", "Abandonment rate", "rate", "ratio", "lower",
        _abandonment,
        "超过短放弃时限的放弃 / 呼入", "abandoned after more than the short-abandon limit / offered",
        ("call.queued", "call.abandoned"),
        ("short_abandon_seconds",),
        "Never charged to an agent.",
        traps_zh="从不计到坐席个人。",
    ),
    Kpi(
        "average_speed_of_answer", "平均应答速度", "Average speed of answer", "mean", "s", "lower",
        lambda p, s: ({"wait_seconds": 1}, {"calls_answered": 1}),
        "已接听通话的等待 / 接听", "wait of the answered / answered",
        ("call.answered",),
        traps="Not over all calls.",
        traps_zh="只算已接听的通话，不是全部通话。",
    ),
    Kpi(
        "average_handle_time", "平均处理时长", "Average handle time", "mean", "s", "lower",
        lambda p, s: ({"handle_seconds": 1}, {"calls_handled": 1}),
        "（通话 + 保持 + 话后）/ 处理完的通话", "(talk + hold + wrap-up) / handled",
        ("call.ended",),
        traps="Wrap-up may arrive after the end.",
        traps_zh="话后时长可能在通话结束之后才到。",
    ),
)  # fmt: skip
