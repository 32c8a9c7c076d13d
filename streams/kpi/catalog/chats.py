"""KPIs of chats."""

from __future__ import annotations

from streams.kpi.measures.parts import parts_of
from streams.kpi.notation import for_each, mean, percentile, share, sum_of
from streams.kpi.policy.model import CLOCK, FROM, SUBJECT
from streams.kpi.spec import Kpi

CHATS = (
    Kpi(
        id="first_response_30s_rate", zh="30秒首次响应率", en="First response within 30 s",
        unit="ratio", better="higher",
        formula=share(of="first_responses_within_30s", among="first_responses_due"),
        formula_zh="阈值内的人工首次响应 / 已首次响应或等待人工超过阈值的会话",
        formula_en="first human reply ≤ threshold / chats that got one or waited for people past the threshold",
        needs=("chat.message", "chat.handed_over", "chat.assigned", "chat.ended"),
        policy_fields=(
            "first_response_seconds", "first_response_seconds_by_queue", "urgent_priorities", *SUBJECT, *FROM, *CLOCK,
        ),
        traps=(
            "Bots do not answer; where one was first, it counts from the hand-over or, untold, from the customer's "
            "first message after the bot's last once people take it up. Unanswered past the threshold counts as "
            "missed at that moment; who never got to people is not due (`bot_unanswered_chats`). A chat reopened, or "
            "silent for long, begins anew. A queue may have a threshold of its own. Of VIPs and urgent contacts "
            "beside all, as `first_response_30s_rate~vip`."
        ),
        traps_zh=(
            "机器人的回复不算首次响应；先由机器人接待的，从转人工起算；未告知转人工的，在人工接起后，"
            "从机器人最后一条之后客户的第一条消息起算。超过阈值仍未回复的，在超过阈值的时刻计为未达标；"
            "从未转到人工的不计（`bot_unanswered_chats`）。重新打开或长时间无人发言的会话重新起算。队列可有单独阈值。"
            "VIP 与紧急联络另行分列，如 `first_response_30s_rate~vip`。"
        ),
        version=2, limit="first_response_seconds", apart=parts_of("first_responses_due"),
    ),
    Kpi(
        id="bot_unanswered_chats", zh="机器人接待后无人应答的会话", en="Chats left alone after a bot",
        unit="n", better="lower",
        formula=sum_of("bot_unanswered_chats"),
        formula_zh="机器人接待后由客户最后发言、始终无人工接起的会话数",
        formula_en="chats in which the customer wrote last after a bot and no person took it up",
        needs=("chat.message", "chat.ended"),
        policy_fields=FROM,
        traps=(
            "Nobody tells whether they asked for people: they are in no rate. Of the desk. Counted at the end, or "
            "when they have waited past the first-response threshold; an answer of the bot or a person takes it back. "
            "Send `chat.handed_over`, and they are due."
        ),
        traps_zh=(
            "无法判断客户是否要求人工，因此不计入任何比率；归属队列、职场等。会话结束时计入，"
            "或等待超过首次响应阈值时计入；之后机器人或人工回应的，则撤回。数据源发送 `chat.handed_over` 的，"
            "即计为应首次响应。"
        ),
    ),
    Kpi(
        id="first_response_time", zh="首次响应时长", en="First response time", unit="s", better="lower",
        formula=mean(
            of=for_each("first_response_channels", "{}_first_response_seconds"),
            over=for_each("first_response_channels", "{}_first_responses"),
            squares=for_each("first_response_channels", "{}_first_response_seconds_squared"),
        ),
        formula_zh="首次人工回复 − 客户开始等待人工（均值）",
        formula_en="first human reply − since when the customer waits for people (mean)",
        needs=("chat.message", "chat.handed_over", "chat.assigned", "ticket.replied"),
        policy_fields=("first_response_channels", "urgent_priorities", *SUBJECT, *FROM, *CLOCK),
        traps=(
            "Since their first message or, where a bot was first, the hand-over. Chats by default: tickets wait for "
            "hours, and a mean of both would say nothing about either. Of VIPs and urgent contacts beside all, as "
            "`first_response_time~urgent`."
        ),
        traps_zh=(
            "从客户首条消息起算；先由机器人接待的，从转人工起算。默认只算会话：工单等待以小时计，两者量级不同，"
            "合并求均值没有意义。VIP 与紧急联络另行分列，如 `first_response_time~urgent`。"
        ),
        version=2, apart=parts_of("chat_first_responses", "ticket_first_responses"),
    ),
    *(
        Kpi(
            id=f"first_response_time_p{percent}", zh=f"首次响应时长P{percent}", en=f"First response time, {percent} % within",
            unit="s", better="lower",
            formula=percentile(
                percent,
                of=for_each("first_response_channels", "{}_first_response"),
                among=for_each("first_response_channels", "{}_first_responses"),
            ),
            formula_zh=f"{percent}% 的首次响应不超过的时长",
            formula_en=f"what {percent} % of the first responses did not exceed",
            needs=("chat.message", "chat.handed_over", "chat.assigned", "ticket.replied"),
            policy_fields=("first_response_channels", *FROM, *CLOCK),
            traps="Right to 2 % of itself: it is read from buckets, so that days and teams add up.",
            traps_zh="按分桶估算，相对误差不超过 2%，因此可按日、按班组合并。",
            version=2,
        )
        for percent in (50, 90)
    ),
    Kpi(
        id="avg_response_time", zh="平均响应时长", en="Average response time", unit="s", better="lower",
        formula=mean(of="chat_response_seconds", over="chat_responses", squares="chat_response_seconds_squared"),
        formula_zh="每次人工回复 − 客户最早一条未答消息（均值）",
        formula_en="each human reply − the customer's first unanswered message (mean)",
        needs=("chat.message", "chat.handed_over", "chat.assigned"),
        policy_fields=(*FROM, *CLOCK),
        traps=(
            "A burst counts from its first message, the time with a bot before people had it not at all; what is "
            "never answered is in no mean; bots do not answer."
        ),
        traps_zh="连续消息从第一条算起，人工接起之前由机器人接待的时间不计；始终未回复的不计入均值；机器人不算回复。",
        version=2,
    ),
    Kpi(
        id="response_delay_rate", zh="响应延迟率", en="Delayed response rate", unit="ratio", better="lower",
        formula=share(of="chat_responses_delayed", among="chat_responses"),
        formula_zh="超过时限的人工回复 / 人工回复", formula_en="human replies later than the limit / human replies",
        needs=("chat.message", "chat.handed_over", "chat.assigned"),
        policy_fields=("response_delay_seconds", *FROM, *CLOCK),
        traps="Exactly the limit is in time; what is never answered is no reply and counts in neither.",
        traps_zh="恰好等于时限不算延迟；始终未回复的消息不计入分子和分母。",
        version=2,
    ),
)  # fmt: skip
