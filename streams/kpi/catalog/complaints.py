"""KPIs of complaints."""

from __future__ import annotations

from streams.kpi.spec import Kpi

COMPLAINTS = (
    Kpi(
        "repeat_complaint_rate", "重复投诉率", "Repeat complaint rate", "rate", "ratio", "lower",
        lambda p, s: ({"repeat_complaints": 1}, {"complaints": 1}),
        "期限内就同一主题再次投诉 / 投诉",
        "complaints of a customer who complained on the same topic in time / complaints",
        ("kind = complaint",),
        ("repeat_complaint_days",),
        "Charged to whoever closed the earlier one; counted on the day of the later one. Pending: complaints of days within the time.",
        traps_zh="计给关闭前一次投诉的坐席，计在后一次投诉当日；“未到期”为期限内各日的投诉数。",
        matures="repeat_complaint_days",
    ),
)  # fmt: skip
