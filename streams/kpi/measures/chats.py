"""Measures of chats."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

CHATS = (
    Measure("first_responses_due", "n", "应首响的会话", "chats that got a first response or waited past the threshold"),
    Measure("first_responses_within_30s", "n", "阈值内首响", "first responses within the threshold"),
    Measure("chat_first_responses", "n", "会话首响", "first responses in chats"),
    Measure("chat_first_response_seconds", "s", "会话首响时长", "wait for the first response in chats"),
)
