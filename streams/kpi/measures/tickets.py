"""Measures of tickets."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

TICKETS = (
    Measure("ticket_first_responses", "n", "工单首响", "first public replies to tickets"),
    Measure("ticket_first_response_seconds", "s", "工单首响时长", "wait for the first public reply to tickets"),
    Measure(
        "ticket_first_response_seconds_squared",
        "s2_whole",
        "工单首响时长平方和",
        "squares of the waits for the first public reply to tickets",
    ),
    Measure(
        "ticket_first_response", "n", "工单首响时长分布", "how long first public replies to tickets took", family=True
    ),
)
