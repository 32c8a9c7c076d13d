"""KPIs of agents' work: what they do with their time, against contacts and against their schedule.

A share of time has no interval: seconds are no independent things. Its n is the seconds that it is a share of.
"""

from __future__ import annotations

from streams.kpi.measures.reasons import reasons_in
from streams.kpi.notation import level_now, mean, plus, ratio, share, sum_of
from streams.kpi.spec import Kpi
from streams.kpi.staffing import STAFFING_GAP

_LOST = (
    "A state counts until the next one, at most `max_state_hours`, and until 2 h after the shift in which it began: "
    "a log-out that got lost does not count for ever."
)
_LOST_ZH = "状态持续至下一次状态变更，最长不超过 max_state_hours；班次内开始的状态最迟计到班次结束后 2 小时，避免漏报签出导致时长虚增。"

WORK = (
    Kpi(
        id="contacts_per_hour", zh="每小时接待量", en="Contacts per hour", unit="per_hour", better="higher",
        formula=mean(of="contacts_handled", over=plus("available_seconds", "working_seconds"), times=3600),
        formula_zh="已完成的联络 /（空闲 + 服务中 + 话后处理）小时",
        formula_en="contacts handled / hours available or working",
        needs=("call.ended", "chat.ended", "ticket.resolved", "agent.state_changed"),
        policy_fields=("max_state_hours",),
        traps=(
            "Contacts of all channels count alike, however long they are; a contact counts on the day it arrived, "
            "time when it passed. Never without a quality item. " + _LOST
        ),
        traps_zh="各渠道的联络不论长短同等计数；联络计入到达日，时长计入实际发生时。须与质量指标一同使用。" + _LOST_ZH,
    ),
    Kpi(
        id="occupancy", zh="坐席占用率", en="Occupancy", unit="ratio", better="range",
        formula=share(of="working_seconds", among=plus("working_seconds", "available_seconds")),
        formula_zh="（服务中 + 话后处理）/（服务中 + 话后处理 + 空闲）时长",
        formula_en="working / (working + available) time",
        needs=("agent.state_changed",),
        policy_fields=("max_state_hours",),
        traps=(
            "Of time logged in for contacts only; away, training and the schedule do not matter (that is "
            "utilisation_rate). " + _LOST
        ),
        traps_zh="只统计可接待的时间，与小休、培训、排班无关（后者见工时利用率）。" + _LOST_ZH,
    ),
    Kpi(
        id="utilisation_rate", zh="工时利用率（不含空闲）", en="Utilisation", unit="ratio", better="higher",
        formula=ratio(of="working_seconds", to="scheduled_seconds"),
        formula_zh="（服务中 + 话后处理）/ 排班时长", formula_en="working / scheduled time",
        needs=("agent.state_changed", "agent.scheduled"),
        policy_fields=("max_state_hours",),
        traps="Work outside the shift counts, so that it can exceed 1; often mixed up with occupancy. " + _LOST,
        traps_zh=(
            "分子为服务中与话后处理，不含空闲等待。班次以外的服务也计入，因此可能超过 100%；常与坐席占用率混淆。" + _LOST_ZH
        ),
    ),
    Kpi(
        id="adherence", zh="排班遵时率", en="Schedule adherence", unit="ratio", better="higher",
        formula=share(of="adherent_seconds", among="scheduled_seconds"),
        formula_zh="班次内空闲、服务中、话后处理或培训的时长 / 排班时长",
        formula_en="time available, working or in training within shifts / scheduled time",
        needs=("agent.state_changed", "agent.scheduled"),
        policy_fields=("max_state_hours",),
        traps="Breaks that belong to the shift are no events: plan them as the gap between two shifts. " + _LOST,
        traps_zh="班次内的休息没有单独事件，请将其排为两个班次之间的间隔。" + _LOST_ZH,
    ),
    Kpi(
        id="attendance_rate", zh="班次出勤率", en="Attendance", unit="ratio", better="higher",
        formula=share(of="shifts_attended", among="shifts"),
        formula_zh="出勤班次 / 已结束班次", formula_en="shifts attended / shifts that are over",
        needs=("agent.state_changed", "agent.scheduled"),
        policy_fields=("max_state_hours",),
        traps=(
            "Attended: in any state but away and offline within the shift, however shortly; a shift counts when it "
            "ends, on the day on which it began: nobody is absent before."
        ),
        traps_zh=(
            "出勤：班次内出现过小休、离线以外的任何状态，不论多短，因此不同于人事按工时或天数计算的出勤率；"
            "班次在结束时计入其开始日，结束前不算缺勤。"
        ),
    ),
    Kpi(
        id="away_time", zh="小休时长（含就餐、会议）", en="Time away", unit="s", better="lower",
        formula=sum_of("away_seconds"),
        formula_zh="小休状态的时长；另按原因分列", formula_en="time in the state away; by reason as well",
        needs=("agent.state_changed",),
        policy_fields=("max_state_hours", "away_reasons"),
        traps=(
            "Of all reasons together: lunch is away as well. By reason it is `away_time~lunch`, …: those that the "
            "policy names, and `other` for all else, a missing reason included. " + _LOST
        ),
        traps_zh=(
            "总数不分原因：就餐、会议等均计入小休。另按原因分列为 away_time~lunch 等：仅限口径设置列明的，"
            "其余（含未填）归入 other。" + _LOST_ZH
        ),
        apart=reasons_in,
    ),
    Kpi(
        id="concurrency", zh="平均并发会话数", en="Concurrent chats", unit="n", better="range",
        formula=mean(of="chat_contact_seconds", over="on_contact_seconds"),
        formula_zh="会话服务时长 / 服务中状态时长", formula_en="time of chats / time in the state on_contact",
        needs=("chat.assigned", "chat.ended", "agent.state_changed"),
        policy_fields=("max_state_hours",),
        traps=(
            "Without states there are no data; calls make it smaller, so that it tells of agents who only chat. A "
            "chat's time counts when it ends, that of a thread with each of its conversations. " + _LOST
        ),
        traps_zh=(
            "没有坐席状态就没有数据；通话会使其偏小，因此只适用于专职在线客服坐席（文字客服）。会话时长在结束时计入，"
            "重新打开的会话每次结束各计一次。" + _LOST_ZH
        ),
        version=2,
    ),
    Kpi(
        id=STAFFING_GAP, zh="人力缺口", en="Staffing gap", unit="n", better="lower",
        formula=level_now(within=(None, None)),  # of agents on duty there may be more than needed
        formula_zh="近30分钟人工呼入所需坐席（Erlang C；设有来电耐心时长时为 Erlang A）− 当前空闲、服务中与话后处理的坐席",
        formula_en=(
            "agents that the calls of the last 30 min need (Erlang C; Erlang A with `staffing_patience_seconds`) − agents "
            "available and working now"
        ),
        needs=("call.queued", "call.ended", "agent.state_changed"),
        policy_fields=(
            "staffing_service_level", "service_level_seconds", "staffing_max_occupancy", "staffing_patience_seconds",
            "max_state_hours",
        ),
        traps=(
            "Of sites and the whole operation, now only. Half an hour is a small sample: screens show the range in which what "
            "is needed truly lies (95 %), and a rule with `test: bound` fires only where its lower end is missing. Where calls "
            "grow, it lags behind. Erlang C knows no hang-ups, so that it asks for a little too many. Agents who chat are "
            "counted as on duty, and who is away is not. A hint for who plans, never scored."
        ),
        traps_zh=(
            "只有职场与全中心的当前值。半小时的来电不多，大屏显示实际所需人数的范围（95%），告警规则用 `test: bound` 时，"
            "只有范围下限仍有缺口才告警。话务量上升时结果滞后。Erlang C 不考虑放弃，结果略偏多。"
            "在线客服坐席（文字客服）也计入在岗，离席人员不计入。仅供排班参考，不计分。"
        ),
        version=2,
    ),
)  # fmt: skip
