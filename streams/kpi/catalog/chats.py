"""KPIs of chats."""

from __future__ import annotations

from streams.kpi.policy import Policy
from streams.kpi.spec import Kpi, Side, Terms


def _first_response_time(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    channels = policy.first_response_channels
    return (
        {f"{channel}_first_response_seconds": 1 for channel in channels},
        {f"{channel}_first_responses": 1 for channel in channels},
    )


CHATS = (
    Kpi(
        "first_response_30s_rate", "30秒首响率", "First response within 30 s", "rate", "ratio", "higher",
        lambda p, s: ({"first_responses_within_30s": 1}, {"first_responses_due": 1}),
        "阈值内的人工首响 / 已首响或等待超过阈值的会话",
        "first human reply ≤ threshold / chats that got one or waited past the threshold",
        ("chat.message", "chat.ended"),
        ("first_response_seconds",),
        "Bots do not answer; unanswered past the threshold counts as missed at that moment.",
        traps_zh="机器人的回复不算首响；超过阈值仍未回复，在那一刻记为未达标。",
    ),
    Kpi(
        "first_response_time", "首次响应时间", "First response time", "mean", "s", "lower",
        _first_response_time,
        "首次人工回复 − 客户首条消息（均值）", "first human reply − customer's first message (mean)",
        ("chat.message", "ticket.replied"),
        ("first_response_channels",),
        "Chats by default: tickets wait for hours, and a mean of both would say nothing about either.",
        traps_zh="默认只算会话：工单等待以小时计，混在一起的均值对两者都没有意义。",
    ),
)  # fmt: skip
