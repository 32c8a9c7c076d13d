"""Measures of chats."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

CHATS = (
    Measure(
        "first_responses_due", "n", "应首次响应的会话", "chats that got a first response or waited past the threshold"
    ),
    Measure("first_responses_within_30s", "n", "阈值内首次响应", "first responses within the threshold"),
    Measure("chat_first_responses", "n", "会话首次响应", "first responses in chats"),
    Measure("chat_first_response_seconds", "s", "会话首次响应时长", "wait for the first response in chats"),
    Measure(
        "chat_first_response_seconds_squared",
        "s2",
        "会话首次响应时长平方和",
        "squares of the waits for the first response in chats",
    ),
    Measure("chat_first_response", "s", "会话首次响应时长分布", "how long first responses in chats took", family=True),
    Measure("chat_responses", "n", "会话人工回复", "human replies to customer messages in chats"),
    Measure("chat_response_seconds", "s", "会话回复时长", "wait for the human replies in chats"),
    Measure(
        "chat_response_seconds_squared",
        "s2",
        "会话回复时长平方和",
        "squares of the waits for the human replies in chats",
    ),
    Measure("chat_responses_delayed", "n", "延迟的会话回复", "human replies in chats later than the delay limit"),
    Measure(
        "bot_unanswered_chats",
        "n",
        "客户最后发言后机器人与人工均未回应的会话",
        "sessions in which the customer wrote last after a bot and got nobody",
    ),
    Measure(
        "chat_contact_seconds",
        "s",
        "会话服务时长",
        "time during which the agent had the chats, those that overlap added up",
    ),
)
