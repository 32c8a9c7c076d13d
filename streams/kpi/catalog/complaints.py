"""KPIs of complaints."""

from __future__ import annotations

from streams.kpi.notation import mean, share, sum_of
from streams.kpi.policy.model import CLOCK, FROM, STOPPING, SUBJECT
from streams.kpi.spec import Kpi

COMPLAINTS = (
    Kpi(
        id="repeat_complaint_rate", zh="重复投诉率", en="Repeat complaint rate", unit="ratio", better="lower",
        formula=share(of="repeat_complaints", among="complaints"),
        formula_zh="期限内同一客户就同一业务类型再次投诉的投诉 / 投诉",
        formula_en="complaints whose customer complained again on the same topic in time / complaints",
        needs=("kind = complaint",),
        policy_fields=(
            "kinds", "complaint_closes", "topics", "repeat_complaint_days", "same_matter",
            "max_customer_contacts_per_day",
        ),
        traps=(
            "Told of the earlier complaint, on its day: at the desk where it arrived, and of whoever closed it. Never "
            "more than all. The last of several is not repeated. Pending: complaints of days within the time. Under "
            "an id that many callers share nobody repeats (`shared_contacts`)."
        ),
        traps_zh=(
            "归属前一次投诉，统计日期为前一次投诉当日：队列、职场等按其受理归属，坐席按关闭投诉者归属；"
            "不会超过 100%。连续多次投诉中的最后一次不算被重复。“观察期未满”为期限内各日的投诉数。"
            "多人共用的客户号不算重复（`shared_contacts`）。"
        ),
        version=3, matures="repeat_complaint_days",
    ),
    Kpi(
        id="complaint_after_refund_rate", zh="退款退换货后投诉率", en="Complaints after refunds and returns",
        unit="ratio", better="lower",
        formula=share(of="refunds_complained_of", among="refunds_handled"),
        formula_zh="办结后客户在期限内就同一业务类型投诉的退款、退换货 / 已办结的退款、退换货",
        formula_en="refunds and returns whose customer complained afterwards on the same topic in time / those handled to their end",
        needs=(
            "kind = refund", "kind = return", "kind = complaint", "call.ended", "chat.ended", "ticket.resolved",
            "ticket.closed",
        ),
        policy_fields=(*SUBJECT, "repeat_complaint_days", "same_matter", "max_customer_contacts_per_day"),
        traps=(
            "Refunds are of the kind refund; returns and exchanges are those of the policy's subject `return`. Told of the "
            "refund or return, on the day it arrived, of whoever handled it to its end, resolved or not; of known "
            "customers only. The complaint comes after that end and within the time, which runs from the arrival. Of a "
            "ticket that was reopened the last end counts. What became a dispute or is a complaint itself is in "
            "neither. Pending: refunds and returns of days within the time."
        ),
        traps_zh=(
            "退款为 refund 类；退换货为口径设置中 `subjects` 的 return。归属办结该笔退款、退换货的坐席（无论是否已解决），"
            "统计日期为其受理当日；仅限已识别客户。投诉须在办结之后，且在自受理起算的期限内；重开的工单以最后一次办结为准。"
            "已转为纠纷的、本身就是投诉的都不计入。“观察期未满”为期限内各日的退款、退换货数。"
        ),
        matures="repeat_complaint_days",
    ),
    Kpi(
        id="complaint_rate", zh="千次投诉率", en="Complaints per 1,000 contacts", unit="per_mille", better="lower",
        formula=share(of="complaints", among="contacts_handled", times=1000),
        formula_zh="投诉 / 已完成的联络 × 1000", formula_en="complaints / handled contacts × 1,000",
        needs=("kind = complaint", "call.ended", "chat.ended", "ticket.closed"),
        policy_fields=("kinds", "complaint_closes"),
        traps="A desk's complaint counts when it arrives, an agent's when they have closed it.",
        traps_zh="队列、职场等按投诉受理时间统计，坐席按投诉关闭时间统计。",
        version=2,
    ),
    Kpi(
        id="complaint_resolution_24h_rate", zh="投诉24小时解决率", en="Complaints resolved within 24 h",
        unit="ratio", better="higher",
        formula=share(of="complaints_resolved_24h", among="complaints_due"),
        formula_zh="24小时内解决的投诉 / 已有结论或满24小时的投诉",
        formula_en="resolved ≤ 24 h after arrival / complaints that ended with a word on it or are past 24 h",
        needs=(
            "kind = complaint", "ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending",
            "ticket.resumed", "call.ended", "call.resolved", "chat.ended",
        ),
        policy_fields=("kinds", "complaint_closes", "complaint_resolution_hours", *STOPPING),
        traps=(
            "Exactly 24 hours is in time; open past it counts as missed at that moment, for whoever had it then. One "
            "that ended within 24 hours without a word on its resolution, a call or chat that nobody answered "
            "included, is left out and counted in complaints_unknown. The 24 hours stand still while the customer is "
            "awaited, where the source says so. Policy may say that a complaint by ticket is resolved and over only "
            "once its customer accepts that."
        ),
        traps_zh=(
            "数据源告知正在等待客户时，24 小时计时暂停（可在口径设置中更改）。恰好 24 小时算及时；超过仍未解决的，"
            "在满 24 小时的时刻计为未及时，归属当时的坐席。"
            "24 小时内结束而未说明是否解决的（包括无人接听的来电和会话）不计入，另计在 complaints_unknown 中。"
            "口径设置可规定：工单类投诉须经客户认可才算解决和结束。"
        ),
        version=3, limit="complaint_resolution_hours",
    ),
    Kpi(
        id="complaints_unknown", zh="结束时未说明是否解决的投诉", en="Complaints ended without a word",
        unit="n", better="lower",
        formula=sum_of("complaints_unknown"),
        formula_zh="24小时内结束而未说明是否解决的投诉数",
        formula_en="complaints that ended ≤ 24 h after arrival without a word on whether they are resolved",
        needs=(
            "kind = complaint", "ticket.created", "ticket.closed", "ticket.pending", "ticket.resumed", "call.ended",
            "call.abandoned", "call.left_queue", "chat.ended",
        ),
        policy_fields=("kinds", "complaint_closes", "complaint_resolution_hours", *STOPPING),
        traps=(
            "They are left out of complaint_resolution_24h_rate: many of them mean that it says little. Counted when "
            "it ended, for whoever has it when 24 hours are up; a later word moves it there. One that ended later "
            "than that is missed, word or none. The 24 hours stand still while the customer is awaited (policy)."
        ),
        traps_zh=(
            "等待客户期间，24 小时计时暂停（可在口径设置中更改）。这些投诉不计入 complaint_resolution_24h_rate："
            "数量多时，该比率的参考价值有限。在结束时计入，归属满 24 小时那一刻的坐席；之后补充说明的，改计入该比率。"
            "超过 24 小时才结束的，无论有无说明，都计为未及时。"
        ),
        version=2, limit="complaint_resolution_hours",
    ),
    Kpi(
        id="complaint_late_days", zh="投诉超期天数", en="Days of late complaints", unit="days", better="lower",
        formula=sum_of("complaint_late_days"),
        formula_zh="各投诉超过24小时后开始的天数之和", formula_en="sum over complaints of the days begun past 24 h",
        needs=(
            "kind = complaint", "ticket.created", "ticket.resolved", "ticket.closed", "ticket.pending",
            "ticket.resumed", "call.ended", "call.abandoned", "call.left_queue", "chat.ended",
        ),
        policy_fields=(
            "kinds", "complaint_closes", "complaint_resolution_hours", "complaint_late_days_at_most", *STOPPING,
        ),
        traps=(
            "Open ones grow by one with each day begun, up to the limit; on the day of the complaint, for whoever has "
            "it in the end; resolved, closed or over ends it: a call or chat that nobody answered is over when the "
            "customer has left. No day begins while the customer is awaited (policy)."
        ),
        traps_zh=(
            "超过 24 小时仍未办结的，按超期天数累计，不足 1 天按 1 天计，直至上限；统计日期为投诉当日，"
            "归属最后的坐席；解决、关闭或结束后停止累计，无人接听的以客户离开为结束；"
            "等待客户期间不累计（可在口径设置中更改）。"
        ),
        version=3, limit="complaint_resolution_hours",
    ),
    Kpi(
        id="complaint_response_time", zh="投诉响应时长", en="Complaint response time", unit="s", better="lower",
        formula=mean(
            of="complaint_response_seconds",
            over="complaint_responses",
            squares="complaint_response_seconds_squared",
        ),
        formula_zh="首次答复 − 投诉到达（均值）", formula_en="first reply − arrival of the complaint (mean)",
        needs=(
            "kind = complaint", "ticket.created", "ticket.replied", "chat.message", "chat.handed_over",
            "call.answered",
        ),
        policy_fields=("kinds", *FROM, *CLOCK),
        traps=(
            "A call's reply is its answer, a ticket's one that the customer can read; a chat that a bot had first "
            "arrived when it came to people. Credited to whoever gave it. Complaints nobody has answered are in no "
            "mean."
        ),
        traps_zh=(
            "通话以接听为答复，工单以客户可见的回复为答复；先由机器人接待的会话，从转到人工起算；归属答复的坐席。"
            "尚未答复的不计入均值。"
        ),
        version=2,
    ),
)  # fmt: skip
