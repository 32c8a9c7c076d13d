"""Measures of tickets."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

TICKETS = (
    Measure("ticket_first_responses", "n", "工单首次响应", "first public replies to tickets"),
    Measure("ticket_first_response_seconds", "s", "工单首次响应时长", "wait for the first public reply to tickets"),
    Measure(
        "ticket_first_response_seconds_squared",
        "s2_whole",
        "工单首次响应时长平方和",
        "squares of the waits for the first public reply to tickets",
    ),
    Measure(
        "ticket_first_response",
        "s",
        "工单首次响应时长分布",
        "how long first public replies to tickets took",
        family=True,
    ),
    Measure("tickets_created", "n", "新建工单", "tickets created"),
    Measure("tickets_open_at_start", "n", "月初未结工单", "tickets open at the first moment of the month"),
    Measure("tickets_closed", "n", "办结工单（计在办结当日）", "tickets resolved or closed, on the day of that"),
    Measure("tickets_open", "n", "未结工单", "tickets open", level=True),
    Measure(
        "tickets_open_since",
        "n",
        "未结工单创建时点（小时）",
        "open tickets by the hour of their creation",
        level=True,
        family=True,
    ),
    Measure(
        "backlog_age",
        "s",
        "未结工单存续时长分布（整小时）",
        "how old the open tickets are, in whole hours",
        family=True,
    ),
    Measure("tickets_resolved", "n", "已解决工单（创建时间已知）", "tickets resolved whose creation is known"),
    Measure("time_to_resolve_seconds", "s", "工单解决时长", "from creation to resolution"),
    Measure("time_to_resolve_seconds_squared", "s2_whole", "工单解决时长平方和", "squares of the times to resolve"),
    Measure("time_to_resolve", "s", "工单解决时长分布", "how long resolving took", family=True),
    Measure("tickets_finished", "n", "曾办结的工单", "tickets that were resolved or closed, perhaps reopened since"),
    Measure("tickets_reopened", "n", "重开的工单", "tickets reopened, once each"),
    Measure(
        "tickets_passed",
        "n",
        "已完成或升级的工单",
        "tickets handled to the end or escalated; of an agent: their part of them",
    ),
    Measure("tickets_escalated", "n", "升级的工单", "tickets escalated, once each"),
    Measure("sla_due", "n", "到期或已办结的限期工单", "tickets with a due time that were finished by it, or past it"),
    Measure("sla_breached", "n", "超时的限期工单", "tickets not finished by their due time"),
    Measure("follow_ups_due", "n", "应回访", "follow-ups made or due"),
    Measure("follow_ups_done", "n", "已回访", "follow-ups made"),
    Measure(
        "follow_ups_due_15d", "n", "15天时限已判定的回访", "follow-ups made within 15 days, or whose 15 days are over"
    ),
    Measure("follow_ups_within_15d", "n", "15天内完成的回访", "follow-ups made within 15 days"),
    Measure("refunds", "n", "退款", "contacts about a refund"),
    Measure("refund_disputes", "n", "退款纠纷", "contacts about a refund in dispute"),
    Measure("fault_replies_due", "n", "应答复的报修", "faults reported: replied to within an hour, or the hour is up"),
    Measure("fault_replies_within_1h", "n", "1小时内答复的报修", "faults replied to within an hour"),
    Measure(
        "info_replies_due",
        "n",
        "应答复的信息传递",
        "information to pass on: replied to within an hour, or the hour is up",
    ),
    Measure("info_replies_within_1h", "n", "1小时内答复的信息传递", "information passed on within an hour"),
    Measure("opinion_replies_due", "n", "应答复的客户意见", "opinions: replied to within the time, or the time is up"),
    Measure("opinion_replies_in_time", "n", "及时答复的客户意见", "opinions replied to within the time"),
    Measure("orders_due", "n", "到期或已下的单", "orders placed by their due time, or past it"),
    Measure("orders_late", "n", "推迟下的单", "orders not placed by their due time"),
    Measure("visits_due", "n", "到期或已到场的上门", "visits made by their due time, or past it"),
    Measure("visits_in_time", "n", "按时到场的上门", "visits made by their due time"),
    Measure("posts_due", "n", "到期或已公布的定期公布", "regular posts made by their due time, or past it"),
    Measure("posts_late", "n", "未按时的定期公布", "regular posts not made by their due time"),
)
