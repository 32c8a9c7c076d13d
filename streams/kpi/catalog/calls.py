"""KPIs of calls."""

from __future__ import annotations

from streams.kpi.measures.parts import parts_of
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi, Side, Terms


def _service_level(policy: Policy, side: Side) -> tuple[Terms, Terms]:
    within = {"calls_answered_within_20s": 1}
    if side == "staff":  # what happens in the queue is no agent's doing
        return within, {"calls_offered": 1}
    early = policy.service_level_early_abandons
    if early == "in_time":
        within["calls_abandoned_within_20s"] = 1
    of: dict[str, int]
    match policy.service_level_denominator:
        case "offered":
            of = {"calls_offered": 1}
        case "offered_less_short_abandons":
            of = {"calls_offered": 1, "calls_abandoned_short": -1}
        case "answered":
            return within, {"calls_answered": 1}
        case "answered_and_flow_outs":
            return within, {"calls_answered": 1, "calls_flowed_out": 1}
        case "answered_and_abandoned":
            of = {"calls_answered": 1, "calls_abandoned": 1}
        case "answered_abandoned_and_flow_outs":
            of = {"calls_answered": 1, "calls_abandoned": 1, "calls_flowed_out": 1}
    if early == "left_out":
        of["calls_abandoned_within_20s"] = -1
    return within, of


def _missed_offers(_: Policy, __: Side) -> tuple[Terms, Terms]:
    # Offers to agents: a desk's own are those to its queue.
    return {"calls_missed": 1}, {"calls_answered": 1, "calls_missed": 1}


def _live(_: Policy, __: Side) -> tuple[Terms, Terms]:
    # Who waits now is known of an entity beside its windows; no sums say it.
    return {}, {}


def _abandonment(_: Policy, side: Side) -> tuple[Terms, Terms]:
    # Nobody's hang-up is an agent's: staff have no data here, not 0 %.
    return {"calls_abandoned": 1, "calls_abandoned_short": -1}, {"calls_offered": 1} if side == "desk" else {}


CALLS = (
    Kpi(
        "offered_calls", "人工呼入量", "Calls offered", "count", "n", "range",
        lambda p, s: ({"calls_offered": 1}, None),
        "进入队列的通话；坐席与班组：接听 + 振铃未接", "calls queued; agent and team: answered + missed",
        ("call.queued", "call.answered", "call.missed"),
        traps="A re-queued transfer is a new offer to the next queue; hang-ups before the queue are not offered.",
        traps_zh="转接后重新排队的，计为目标队列的一次新呼入；排队前挂断的（只经过语音菜单）不计。",
    ),
    Kpi(
        "answer_rate", "接通率", "Answer rate", "rate", "ratio", "higher",
        lambda p, s: ({"calls_answered": 1}, {"calls_offered": 1}),
        "接听 / 人工呼入", "answered / offered",
        ("call.queued", "call.answered"),
        traps="Time-outs stay in the denominator.",
        traps_zh="超时离队的通话仍计入分母。",
    ),
    Kpi(
        "service_level_20s", "20秒服务水平（20秒接通率）", "Answered within 20 s", "rate", "ratio", "higher",
        _service_level,
        "等待不超过阈值的接听 / 分母（按口径设置）", "answered with wait ≤ threshold / denominator by policy",
        ("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        (
            "service_level_seconds", "service_level_seconds_by_queue", "service_level_denominator", "service_level_early_abandons",
            "short_abandon_seconds", "urgent_priorities",
        ),
        "Exactly the threshold counts as within; agents: answered in time / (answered + missed). Calls of a queue with a threshold of its "
        "own are held to that wherever they are added up. What hang-ups within the threshold and calls that flow out to another queue "
        "are, vendors see differently: policy. Of VIPs and urgent contacts beside all, as `service_level_20s~vip`.",
        traps_zh="恰好等于阈值算达标；坐席：阈值内接听 /（接听 + 振铃未接）。有单独阈值的队列，其通话在各级汇总中都按该阈值判定。"
        "阈值内放弃与溢出到其他队列的通话如何计，各厂商口径不同，由口径设置规定。VIP 与紧急联络另行分列，如 `service_level_20s~vip`。",
        limit="service_level_seconds",
        apart=parts_of("calls_offered", "calls_answered"),
    ),
    Kpi(
        "abandonment_rate", "放弃率（呼损）", "Abandonment rate", "rate", "ratio", "lower",
        _abandonment,
        "超过短时放弃时限的放弃 / 人工呼入", "abandoned after more than the short-abandon limit / offered",
        ("call.queued", "call.abandoned"),
        ("short_abandon_seconds",),
        "Never charged to an agent.",
        traps_zh="不计入坐席个人。",
    ),
    Kpi(
        "average_speed_of_answer", "平均应答时长（ASA）", "Average speed of answer", "mean", "s", "lower",
        lambda p, s: ({"wait_seconds": 1}, {"calls_answered": 1}),
        "已接听通话的等待时长 / 接听", "wait of the answered / answered",
        ("call.answered",),
        ("urgent_priorities",),
        traps="Not over all calls. Of VIPs and urgent contacts beside all, as `average_speed_of_answer~vip`.",
        traps_zh="只算已接听的通话，不是全部通话。VIP 与紧急联络另行分列，如 `average_speed_of_answer~vip`。",
        squares=lambda p, s: {"wait_seconds_squared": 1},
        apart=parts_of("calls_answered"),
    ),
    Kpi(
        "average_handle_time", "平均处理时长（AHT）", "Average handle time", "mean", "s", "lower",
        lambda p, s: ({"handle_seconds": 1}, {"calls_handled": 1}),
        "（通话 + 保持 + 话后处理）/ 已完成的通话", "(talk + hold + wrap-up) / handled",
        ("call.ended",),
        traps="Wrap-up may arrive after the end.",
        traps_zh="话后处理时长的数据可能晚于通话结束上报。",
        squares=lambda p, s: {"handle_seconds_squared": 1},
    ),
    Kpi(
        "average_talk_time", "平均通话时长", "Average talk time", "mean", "s", "range",
        lambda p, s: ({"talk_seconds": 1}, {"calls_handled": 1}),
        "通话时长 / 已完成的通话", "talk / handled",
        ("call.ended",),
        traps="Shorter is not better by itself: never scored without an item of quality.",
        traps_zh="并非越短越好：没有质量类指标配合时不得计分。",
        squares=lambda p, s: {"talk_seconds_squared": 1},
    ),
    Kpi(
        "average_hold_time", "平均保持时长", "Average hold time", "mean", "s", "lower",
        lambda p, s: ({"hold_seconds": 1}, {"calls_held": 1}),
        "保持时长 / 有保持的通话", "hold / handled calls that were put on hold",
        ("call.ended",),
        traps="Over held calls only; several holds of one call count as one.",
        traps_zh="只计有保持的通话；一通电话多次保持合计为一次。",
        squares=lambda p, s: {"hold_seconds_squared": 1},
    ),
    Kpi(
        "average_wrap_up_time", "平均话后处理时长（ACW）", "Average wrap-up time", "mean", "s", "lower",
        lambda p, s: ({"wrap_up_seconds": 1}, {"calls_handled": 1}),
        "话后处理时长 / 已完成的通话", "wrap-up / handled",
        ("call.ended",),
        traps="Wrap-up may arrive after the end; a call without any counts with 0.",
        traps_zh="话后处理时长的数据可能晚于通话结束上报；没有话后处理的通话按 0 计。",
        squares=lambda p, s: {"wrap_up_seconds_squared": 1},
    ),
    Kpi(
        "transfer_rate", "转接率", "Transfer rate", "rate", "ratio", "lower",
        lambda p, s: ({"calls_transferred": 1}, {"calls_handled": 1}),
        "转接 / 已完成的通话", "transferred / handled",
        ("call.transferred", "call.ended"),
        traps="Each agent's part of a call is one handled call; it counts as transferred for whoever handed it on, once "
        "that part has ended.",
        traps_zh="一通电话经多位坐席处理的，每位各计一通；转接归属转出的坐席，在其处理部分结束后计入。",
    ),
    Kpi(
        "missed_offer_rate", "振铃未接率", "Missed offer rate", "rate", "ratio", "lower",
        _missed_offers,
        "振铃未接 / 向坐席的振铃（接听 + 振铃未接）", "missed / offers to agents (answered + missed)",
        ("call.missed", "call.answered"),
        traps="One call can be missed by many; who was offered it and saw it withdrawn is told by nobody.",
        traps_zh="同一通电话可有多位坐席振铃未接；振铃中途被撤回的不计。",
    ),
    Kpi(
        "short_call_rate", "坐席挂断短通话率", "Short call rate", "rate", "ratio", "lower",
        lambda p, s: ({"calls_short": 1}, {"calls_handled": 1}),
        "坐席挂断且通话短于时限 / 已完成的通话", "ended by the agent with talk < limit / handled",
        ("call.ended",),
        ("short_call_seconds",),
        "A sign to look at, never scored; where the source does not say who hung up it is 0.",
        traps_zh="仅供关注，不参与计分；来源未说明由谁挂断时为 0。",
        scored=False,
    ),
    Kpi(
        "calls_waiting", "当前排队量", "Calls waiting", "level", "n", "lower",
        _live,
        "当前在队列中的通话", "calls in the queue now",
        ("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        ("max_wait_seconds",),
        "Of this moment only: no window and no day has one; a call whose end never came stops counting after the limit.",
        traps_zh="只有当前值，没有统计窗口值和日值；长时间未收到结束事件的通话，超过上限后不再计入排队。",
        live=True,
    ),
    Kpi(
        "longest_wait", "最长等待时长", "Longest wait", "level", "s", "lower",
        _live,
        "当前时间 − 排队最久的通话的入队时间", "now − when the call that has waited longest was queued",
        ("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        ("max_wait_seconds",),
        "Grows without events.",
        traps_zh="随时间持续增长，不依赖新事件。",
        live=True,
    ),
)  # fmt: skip
