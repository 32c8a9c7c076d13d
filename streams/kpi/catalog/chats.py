"""KPIs of chats."""

from __future__ import annotations

from streams.kpi.measures.parts import parts_of
from streams.kpi.policy.model import CLOCK, Policy
from streams.kpi.spec import Kpi, Side, Terms


def _first_response_time(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    channels = policy.first_response_channels
    return (
        {f"{channel}_first_response_seconds": 1 for channel in channels},
        {f"{channel}_first_responses": 1 for channel in channels},
    )


def _first_response_squares(policy: Policy, _: Side) -> Terms:
    return {f"{channel}_first_response_seconds_squared": 1 for channel in policy.first_response_channels}


def _first_response_places(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    channels = policy.first_response_channels
    return (
        {f"{channel}_first_response": 1 for channel in channels},
        {f"{channel}_first_responses": 1 for channel in channels},
    )


CHATS = (
    Kpi(
        "first_response_30s_rate", "30秒首响率", "First response within 30 s", "rate", "ratio", "higher",
        lambda p, s: ({"first_responses_within_30s": 1}, {"first_responses_due": 1}),
        "阈值内的人工首响 / 已首响或等待超过阈值的会话",
        "first human reply ≤ threshold / chats that got one or waited past the threshold",
        ("chat.message", "chat.ended"),
        ("first_response_seconds", "first_response_seconds_by_queue", "urgent_priorities"),
        "Bots do not answer; unanswered past the threshold counts as missed at that moment. A queue may have a "
        "threshold of its own. Of VIPs and urgent contacts beside all, as `first_response_30s_rate~vip`.",
        traps_zh="机器人的回复不算首响；超过阈值仍未回复，在那一刻记为未达标。队列可有单独阈值。"
        "VIP 与紧急联络另行分列，如 `first_response_30s_rate~vip`。",
        limit="first_response_seconds",
        apart=parts_of("first_responses_due"),
    ),
    Kpi(
        "first_response_time", "首次响应时间", "First response time", "mean", "s", "lower",
        _first_response_time,
        "首次人工回复 − 客户首条消息（均值）", "first human reply − customer's first message (mean)",
        ("chat.message", "ticket.replied"),
        ("first_response_channels", "urgent_priorities", *CLOCK),
        "Chats by default: tickets wait for hours, and a mean of both would say nothing about either. Of VIPs and urgent contacts "
        "beside all, as `first_response_time~urgent`.",
        traps_zh="默认只算会话：工单等待以小时计，混在一起的均值对两者都没有意义。"
        "VIP 与紧急联络另行分列，如 `first_response_time~urgent`。",
        squares=_first_response_squares,
        apart=parts_of("chat_first_responses", "ticket_first_responses"),
    ),
    *(
        Kpi(
            f"first_response_time_p{percent}", f"首次响应时间P{percent}", f"First response time, {percent} % within",
            "percentile", "s", "lower",
            _first_response_places,
            f"{percent}% 的首次响应不超过的时长", f"what {percent} % of the first responses did not exceed",
            ("chat.message", "ticket.replied"),
            ("first_response_channels", *CLOCK),
            "Right to 2 % of itself: it is read from buckets, so that days and teams add up.",
            traps_zh="由分桶读出，误差不超过自身的 2%，因而可按日、按班组合并。",
            percent=percent,
        )
        for percent in (50, 90)
    ),
    Kpi(
        "avg_response_time", "平均响应时间", "Average response time", "mean", "s", "lower",
        lambda p, s: ({"chat_response_seconds": 1}, {"chat_responses": 1}),
        "每次人工回复 − 客户最早一条未答消息（均值）", "each human reply − the customer's first unanswered message (mean)",
        ("chat.message",),
        traps="A burst counts from its first message; what is never answered is in no mean; bots do not answer.",
        traps_zh="连续消息从第一条算起；始终未答的不进入均值；机器人不算回复。",
        squares=lambda p, s: {"chat_response_seconds_squared": 1},
    ),
    Kpi(
        "response_delay_rate", "响应延迟率", "Delayed response rate", "rate", "ratio", "lower",
        lambda p, s: ({"chat_responses_delayed": 1}, {"chat_responses": 1}),
        "超过时限的人工回复 / 人工回复", "human replies later than the limit / human replies",
        ("chat.message",),
        ("response_delay_seconds",),
        "Exactly the limit is in time; what is never answered is no reply and counts in neither.",
        traps_zh="恰好等于时限不算延迟；始终未答的不是回复，分子分母都不计。",
    ),
)  # fmt: skip
