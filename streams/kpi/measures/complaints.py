"""Measures of complaints."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

COMPLAINTS = (
    Measure("complaints", "n", "投诉", "complaints"),
    Measure("repeat_complaints", "n", "被重复的投诉", "complaints whose customer complained again"),
    Measure("refunds_handled", "n", "已办结的退款、退换货", "refunds, returns and exchanges handled to their end"),
    Measure(
        "refunds_complained_of",
        "n",
        "办结后客户投诉的退款、退换货",
        "of these, those whose customer complained afterwards",
    ),
    Measure(
        "complaints_due", "n", "24小时时限已判定的投诉", "complaints that ended with a word on it, or past 24 hours"
    ),
    Measure("complaints_resolved_24h", "n", "24小时内解决的投诉", "complaints resolved within 24 hours"),
    Measure(
        "complaints_unknown",
        "n",
        "24小时内结束而未说明是否解决的投诉",
        "complaints that ended within 24 hours without a word on it",
    ),
    Measure("complaint_late_days", "n", "投诉超期天数", "days begun past 24 hours until the complaint was over"),
    Measure("complaint_responses", "n", "已答复的投诉", "complaints replied to"),
    Measure("complaint_response_seconds", "s", "投诉响应时长", "from the complaint to the first reply"),
    Measure(
        "complaint_response_seconds_squared",
        "s2_whole",
        "投诉响应时长平方和",
        "squares of the times to the first reply",
    ),
    Measure("complaints_rated", "n", "有评价的投诉", "complaints whose customer rated"),
    Measure("complaints_satisfied", "n", "转为满意的投诉", "complaints whose last rating is satisfied"),
)
