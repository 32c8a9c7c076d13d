"""KPIs of complaints."""

from __future__ import annotations

from streams.kpi.policy.model import CLOCK, FROM, STOPPING
from streams.kpi.spec import Kpi

COMPLAINTS = (
    Kpi(
        "repeat_complaint_rate", "重复投诉率", "Repeat complaint rate", "rate", "ratio", "lower",
        lambda p, s: ({"repeat_complaints": 1}, {"complaints": 1}),
        "期限内同一客户就同一业务类型再次投诉的投诉 / 投诉",
        "complaints whose customer complained again on the same topic in time / complaints",
        ("kind = complaint",),
        ("kinds", "complaint_closes", "topics", "repeat_complaint_days", "same_matter", "max_customer_contacts_per_day"),
        "Told of the earlier complaint, on its day: at the desk where it arrived, and of whoever closed it. Never more than all. The last "
        "of several is not repeated. Pending: complaints of days within the time. Under an id that many callers share nobody repeats "
        "(`shared_contacts`).",
        3,
        traps_zh="归属前一次投诉，统计日期为前一次投诉当日：队列、职场等按其受理归属，坐席按关闭投诉者归属；不会超过 100%。"
        "连续多次投诉中的最后一次不算被重复。“观察期未满”为期限内各日的投诉数。多人共用的客户号不算重复（`shared_contacts`）。",
        matures="repeat_complaint_days",
    ),
    Kpi(
        "complaint_rate", "千次投诉率", "Complaints per 1,000 contacts", "rate", "per_mille", "lower",
        lambda p, s: ({"complaints": 1}, {"contacts_handled": 1}),
        "投诉 / 已完成的联络 × 1000", "complaints / handled contacts × 1,000",
        ("kind = complaint", "call.ended", "chat.ended", "ticket.closed"),
        ("kinds", "complaint_closes"),
        traps="A desk's complaint counts when it arrives, an agent's when they have closed it.",
        version=2,
        traps_zh="队列、职场等按投诉受理时间统计，坐席按投诉关闭时间统计。",
        times=1000,
    ),
    Kpi(
        "complaint_resolution_24h_rate", "投诉24小时解决率", "Complaints resolved within 24 h", "rate", "ratio", "higher",
        lambda p, s: ({"complaints_resolved_24h": 1}, {"complaints_due": 1}),
        "24小时内解决的投诉 / 已有结论或满24小时的投诉",
        "resolved ≤ 24 h after arrival / complaints that ended with a word on it or are past 24 h",
        (
            "kind = complaint", "ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending", "ticket.resumed", "call.ended",
            "call.resolved", "chat.ended",
        ),
        ("kinds", "complaint_closes", "complaint_resolution_hours", *STOPPING),
        "Exactly 24 hours is in time; open past it counts as missed at that moment, for whoever had it then. One that ended within 24 "
        "hours without a word on its resolution, a call or chat that nobody answered included, is left out and counted in "
        "complaints_unknown. The 24 hours stand still while the customer is awaited, where the source says so. Policy may say "
        "that a complaint by ticket is resolved and over only once its customer accepts that.",
        3,
        traps_zh="数据源告知正在等待客户时，24 小时计时暂停（可在口径设置中更改）。"
        "恰好 24 小时算及时；超过仍未解决的，在满 24 小时的时刻计为未及时，归属当时的坐席。24 小时内结束而未说明是否解决的"
        "（包括无人接听的来电和会话）不计入，另计在 complaints_unknown 中。口径设置可规定：工单类投诉须经客户认可才算解决和结束。",
        limit="complaint_resolution_hours",
    ),
    Kpi(
        "complaints_unknown", "结束时未说明是否解决的投诉", "Complaints ended without a word", "count", "n", "lower",
        lambda p, s: ({"complaints_unknown": 1}, None),
        "24小时内结束而未说明是否解决的投诉数",
        "complaints that ended ≤ 24 h after arrival without a word on whether they are resolved",
        (
            "kind = complaint", "ticket.created", "ticket.closed", "ticket.pending", "ticket.resumed", "call.ended", "call.abandoned",
            "call.left_queue", "chat.ended",
        ),
        ("kinds", "complaint_closes", "complaint_resolution_hours", *STOPPING),
        "They are left out of complaint_resolution_24h_rate: many of them mean that it says little. Counted when it ended, for whoever has "
        "it when 24 hours are up; a later word moves it there. One that ended later than that is missed, word or none. The 24 "
        "hours stand still while the customer is awaited (policy).",
        2,
        traps_zh="等待客户期间，24 小时计时暂停（可在口径设置中更改）。"
        "这些投诉不计入 complaint_resolution_24h_rate：数量多时，该比率的参考价值有限。在结束时计入，"
        "归属满 24 小时那一刻的坐席；之后补充说明的，改计入该比率。超过 24 小时才结束的，无论有无说明，都计为未及时。",
        limit="complaint_resolution_hours",
    ),
    Kpi(
        "complaint_late_days", "投诉超期天数", "Days of late complaints", "count", "days", "lower",
        lambda p, s: ({"complaint_late_days": 1}, None),
        "各投诉超过24小时后开始的天数之和", "sum over complaints of the days begun past 24 h",
        (
            "kind = complaint", "ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending", "ticket.resumed", "call.ended",
            "call.abandoned", "call.left_queue", "chat.ended",
        ),
        ("kinds", "complaint_closes", "complaint_resolution_hours", "complaint_late_days_at_most", *STOPPING),
        "Open ones grow by one with each day begun, up to the limit; on the day of the complaint, for whoever has it in the end; "
        "resolved, closed or over ends it: a call or chat that nobody answered is over when the customer has left. No day begins "
        "while the customer is awaited (policy).",
        3,
        traps_zh="超过 24 小时仍未办结的，按超期天数累计，不足 1 天按 1 天计，直至上限；统计日期为投诉当日，归属最后的坐席；"
        "解决、关闭或结束后停止累计，无人接听的以客户离开为结束；等待客户期间不累计（可在口径设置中更改）。",
        limit="complaint_resolution_hours",
    ),
    Kpi(
        "complaint_response_time", "投诉响应时长", "Complaint response time", "mean", "s", "lower",
        lambda p, s: ({"complaint_response_seconds": 1}, {"complaint_responses": 1}),
        "首次答复 − 投诉到达（均值）", "first reply − arrival of the complaint (mean)",
        ("kind = complaint", "ticket.created", "ticket.replied", "chat.message", "chat.handed_over", "call.answered"),
        ("kinds", *FROM, *CLOCK),
        "A call's reply is its answer, a ticket's one that the customer can read; a chat that a bot had first arrived when it came to "
        "people. Credited to whoever gave it. Complaints nobody has answered are in no mean.",
        2,
        traps_zh="通话以接听为答复，工单以客户可见的回复为答复；先由机器人接待的会话，从转到人工起算；归属答复的坐席。尚未答复的不计入均值。",
        squares=lambda p, s: {"complaint_response_seconds_squared": 1},
    ),
)  # fmt: skip
