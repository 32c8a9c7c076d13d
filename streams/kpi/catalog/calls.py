"""KPIs of calls."""

from __future__ import annotations

from streams.kpi.measures.parts import parts_of
from streams.kpi.notation import NOTHING, by_policy, by_side, less, level_now, mean, plus, ratio, share, sum_of
from streams.kpi.policy.model import SUBJECT
from streams.kpi.spec import Kpi

_WITHIN, _EARLY = "calls_answered_within_20s", "calls_abandoned_within_20s"
#: Hang-ups within the threshold are missed, left out, or as good as answered in time.
_EARLY_IN_TIME = by_policy("service_level_early_abandons", missed=NOTHING, left_out=NOTHING, in_time=_EARLY)
_EARLY_LEFT_OUT = by_policy("service_level_early_abandons", missed=NOTHING, left_out=_EARLY, in_time=NOTHING)
_SERVICE_LEVEL = share(
    of=by_side(desk=plus(_WITHIN, _EARLY_IN_TIME), staff=_WITHIN),
    among=by_side(
        desk=by_policy(
            "service_level_denominator",
            offered=less("calls_offered", _EARLY_LEFT_OUT),
            offered_less_short_abandons=less("calls_offered", "calls_abandoned_short"),
            answered="calls_answered",
            answered_and_flow_outs=plus("calls_answered", "calls_flowed_out"),
            answered_and_abandoned=less(plus("calls_answered", "calls_abandoned"), _EARLY_LEFT_OUT),
            answered_abandoned_and_flow_outs=less(
                plus("calls_answered", "calls_abandoned", "calls_flowed_out"), _EARLY_LEFT_OUT
            ),
        ),
        staff="calls_offered",  # what happens in the queue is no agent's doing
    ),
)

CALLS = (
    Kpi(
        id="offered_calls", zh="人工呼入量", en="Calls offered", unit="n", better="range",
        formula=sum_of("calls_offered"),
        formula_zh="进入队列的通话；坐席与班组：接听 + 振铃未接",
        formula_en="calls queued; agent and team: answered + missed",
        needs=("call.queued", "call.answered", "call.missed"),
        traps="A re-queued transfer is a new offer to the next queue; hang-ups before the queue are not offered.",
        traps_zh="转接后重新排队的，计为目标队列的一次新呼入；排队前挂断的（只经过语音菜单）不计。",
    ),
    Kpi(
        id="answer_rate", zh="接通率", en="Answer rate", unit="ratio", better="higher",
        formula=share(of="calls_answered", among="calls_offered"),
        formula_zh="接听 / 人工呼入", formula_en="answered / offered",
        needs=("call.queued", "call.answered"),
        traps="Time-outs stay in the denominator.",
        traps_zh="超时离队的通话仍计入分母。",
    ),
    Kpi(
        id="service_level_20s", zh="20秒服务水平（20秒接通率）", en="Answered within 20 s",
        unit="ratio", better="higher",
        formula=_SERVICE_LEVEL,
        formula_zh="等待不超过阈值的接听 / 分母（按口径设置）",
        formula_en="answered with wait ≤ threshold / denominator by policy",
        needs=("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        policy_fields=(
            "service_level_seconds", "service_level_seconds_by_queue", "service_level_denominator",
            "service_level_early_abandons", "short_abandon_seconds", "urgent_priorities", *SUBJECT,
        ),
        traps=(
            "Exactly the threshold counts as within; agents: answered in time / (answered + missed). Calls of a queue "
            "with a threshold of its own are held to that wherever they are added up. What hang-ups within the "
            "threshold and calls that flow out to another queue are, vendors see differently: policy. Of VIPs and "
            "urgent contacts beside all, as `service_level_20s~vip`."
        ),
        traps_zh=(
            "恰好等于阈值算达标；坐席：阈值内接听 /（接听 + 振铃未接）。有单独阈值的队列，"
            "其通话在各级汇总中都按该阈值判定。阈值内放弃与溢出到其他队列的通话如何计，各厂商口径不同，"
            "由口径设置规定。VIP 与紧急联络另行分列，如 `service_level_20s~vip`。"
        ),
        limit="service_level_seconds", apart=parts_of("calls_offered", "calls_answered"),
    ),
    Kpi(
        id="abandonment_rate", zh="放弃率（呼损）", en="Abandonment rate", unit="ratio", better="lower",
        # Nobody's hang-up is an agent's: staff have no data here, not 0 %.
        formula=share(
            of=less("calls_abandoned", "calls_abandoned_short"),
            among=by_side(desk="calls_offered", staff=NOTHING),
        ),
        formula_zh="超过短时放弃时限的放弃 / 人工呼入",
        formula_en="abandoned after more than the short-abandon limit / offered",
        needs=("call.queued", "call.abandoned"),
        policy_fields=("short_abandon_seconds",),
        traps="Never charged to an agent.",
        traps_zh="不计入坐席个人。",
    ),
    Kpi(
        id="average_speed_of_answer", zh="平均应答时长（ASA）", en="Average speed of answer",
        unit="s", better="lower",
        formula=mean(of="wait_seconds", over="calls_answered", squares="wait_seconds_squared"),
        formula_zh="已接听通话的等待时长 / 接听", formula_en="wait of the answered / answered",
        needs=("call.answered",),
        policy_fields=("urgent_priorities", *SUBJECT),
        traps="Not over all calls. Of VIPs and urgent contacts beside all, as `average_speed_of_answer~vip`.",
        traps_zh="只算已接听的通话，不是全部通话。VIP 与紧急联络另行分列，如 `average_speed_of_answer~vip`。",
        apart=parts_of("calls_answered"),
    ),
    Kpi(
        id="peak_coverage_rate", zh="高峰服务覆盖率", en="Peak coverage", unit="ratio", better="higher",
        formula=share(of="peak_calls_answered_in_time", among="peak_calls_offered"),
        formula_zh="高峰时段到达、等待不超过阈值的接听 / 高峰时段到达的人工呼入",
        formula_en="calls of peak hours answered with wait ≤ threshold / calls of peak hours offered",
        needs=("call.queued", "call.answered", "call.missed"),
        policy_fields=("peak_hours", "service_level_seconds", "service_level_seconds_by_queue"),
        traps=(
            "No data unless the policy says which hours are peak. A call is of the peak in which it arrives. Every call "
            "counts alike, so that a fuller hour weighs more; agents: answered in time / (answered + missed)."
        ),
        traps_zh=(
            "口径设置未规定高峰时段（`peak_hours`）时没有数据。按来电到达时间判定是否属于高峰。每通来电同等计数，"
            "来电多的时段权重更大；坐席：阈值内接听 /（接听 + 振铃未接）。"
        ),
        limit="service_level_seconds",
    ),
    Kpi(
        id="peak_diversion_rate", zh="高峰分流率", en="Peak diversion", unit="ratio", better="higher",
        formula=ratio(
            of=plus("peak_calls_transferred", "peak_calls_flowed_out"),
            to=by_side(desk="peak_calls_offered", staff="peak_calls_handled"),
        ),
        formula_zh="高峰时段到达、转接或溢出的通话 / 高峰时段到达的人工呼入；坐席与班组：转接 / 已完成的通话",
        formula_en="calls of peak hours transferred or flowed out / offered; agent and team: transferred / handled",
        needs=("call.queued", "call.left_queue", "call.transferred", "call.ended"),
        policy_fields=("peak_hours",),
        traps=(
            "No data unless the policy says which hours are peak; a call is of the peak in which it arrives. What went "
            "to another queue and was queued there is one more offer. Read it beside the transfer accuracy: diverted "
            "is not helped."
        ),
        traps_zh=(
            "口径设置未规定高峰时段（`peak_hours`）时没有数据；按来电到达时间判定。转到其他队列后重新排队的，"
            "在目标队列计为一次新呼入。分流不等于解决，请与转接精准率一同使用。"
        ),
    ),
    Kpi(
        id="average_handle_time", zh="平均处理时长（AHT）", en="Average handle time", unit="s", better="lower",
        formula=mean(of="handle_seconds", over="calls_handled", squares="handle_seconds_squared"),
        formula_zh="（通话 + 保持 + 话后处理）/ 已完成的通话", formula_en="(talk + hold + wrap-up) / handled",
        needs=("call.ended",),
        traps="Wrap-up may arrive after the end.",
        traps_zh="话后处理时长的数据可能晚于通话结束上报。",
    ),
    Kpi(
        id="average_talk_time", zh="平均通话时长", en="Average talk time", unit="s", better="range",
        formula=mean(of="talk_seconds", over="calls_handled", squares="talk_seconds_squared"),
        formula_zh="通话时长 / 已完成的通话", formula_en="talk / handled",
        needs=("call.ended",),
        traps="Shorter is not better by itself: never scored without an item of quality.",
        traps_zh="并非越短越好：没有质量类指标配合时不得计分。",
    ),
    Kpi(
        id="average_hold_time", zh="平均保持时长", en="Average hold time", unit="s", better="lower",
        formula=mean(of="hold_seconds", over="calls_held", squares="hold_seconds_squared"),
        formula_zh="保持时长 / 有保持的通话", formula_en="hold / handled calls that were put on hold",
        needs=("call.ended",),
        traps="Over held calls only; several holds of one call count as one.",
        traps_zh="只计有保持的通话；一通电话多次保持合计为一次。",
    ),
    Kpi(
        id="average_wrap_up_time", zh="平均话后处理时长（ACW）", en="Average wrap-up time", unit="s", better="lower",
        formula=mean(of="wrap_up_seconds", over="calls_handled", squares="wrap_up_seconds_squared"),
        formula_zh="话后处理时长 / 已完成的通话", formula_en="wrap-up / handled",
        needs=("call.ended",),
        traps="Wrap-up may arrive after the end; a call without any counts with 0.",
        traps_zh="话后处理时长的数据可能晚于通话结束上报；没有话后处理的通话按 0 计。",
    ),
    Kpi(
        id="transfer_rate", zh="转接率", en="Transfer rate", unit="ratio", better="lower",
        formula=share(of="calls_transferred", among="calls_handled"),
        formula_zh="转接 / 已完成的通话", formula_en="transferred / handled",
        needs=("call.transferred", "call.ended"),
        traps=(
            "Each agent's part of a call is one handled call; it counts as transferred for whoever handed it on, once "
            "that part has ended."
        ),
        traps_zh="一通电话经多位坐席处理的，每位各计一通；转接归属转出的坐席，在其处理部分结束后计入。",
    ),
    Kpi(
        id="missed_offer_rate", zh="振铃未接率", en="Missed offer rate", unit="ratio", better="lower",
        # Offers to agents: a desk's own are those to its queue.
        formula=share(of="calls_missed", among=plus("calls_answered", "calls_missed")),
        formula_zh="振铃未接 / 向坐席的振铃（接听 + 振铃未接）",
        formula_en="missed / offers to agents (answered + missed)",
        needs=("call.missed", "call.answered"),
        traps="One call can be missed by many; who was offered it and saw it withdrawn is told by nobody.",
        traps_zh="同一通电话可有多位坐席振铃未接；振铃中途被撤回的不计。",
    ),
    Kpi(
        id="short_call_rate", zh="坐席挂断短通话率", en="Short call rate", unit="ratio", better="lower",
        formula=share(of="calls_short", among="calls_handled"),
        formula_zh="坐席挂断且通话短于时限 / 已完成的通话",
        formula_en="ended by the agent with talk < limit / handled",
        needs=("call.ended",),
        policy_fields=("short_call_seconds",),
        traps="A sign to look at, never scored; where the source does not say who hung up it is 0.",
        traps_zh="仅供关注，不参与计分；来源未说明由谁挂断时为 0。",
        scored=False,
    ),
    Kpi(
        id="calls_waiting", zh="当前排队量", en="Calls waiting", unit="n", better="lower",
        formula=level_now(),
        formula_zh="当前在队列中的通话", formula_en="calls in the queue now",
        needs=("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        policy_fields=("max_wait_seconds",),
        traps=(
            "Of this moment only: no window and no day has one; a call whose end never came stops counting after the "
            "limit."
        ),
        traps_zh="只有当前值，没有统计窗口值和日值；长时间未收到结束事件的通话，超过上限后不再计入排队。",
    ),
    Kpi(
        id="longest_wait", zh="最长等待时长", en="Longest wait", unit="s", better="lower",
        formula=level_now(),
        formula_zh="当前时间 − 排队最久的通话的入队时间",
        formula_en="now − when the call that has waited longest was queued",
        needs=("call.queued", "call.answered", "call.abandoned", "call.left_queue"),
        policy_fields=("max_wait_seconds",),
        traps="Grows without events.",
        traps_zh="随时间持续增长，不依赖新事件。",
    ),
)  # fmt: skip
