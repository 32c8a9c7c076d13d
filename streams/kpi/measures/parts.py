"""Measures that are kept apart for some contacts beside all: those of VIPs and urgent ones, of subjects, of calls in peak hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.contracts.outputs import Sums
from streams.kpi.measures.measure import Measure

VIP, URGENT = "vip", "urgent"
#: Names of the parts by which KPIs are told, in the order in which they are.
PARTS = (VIP, URGENT)
#: What has KPIs of its own: contacts that are a VIP's or urgent, tickets that are difficult, calls that arrive in peak hours. The other
#: parts are those of the policy's subjects.
PRESSING, DIFFICULT, PEAK = "pressing", "difficult", "peak"
#: Stands between a measure and a part.
_MARK = "~"
#: What is kept apart: how long people wait, and whether that is in time.
KEPT = frozenset({
    "calls_offered", "calls_answered", "calls_answered_within_20s", "calls_abandoned", "calls_abandoned_short",
    "calls_abandoned_within_20s", "calls_flowed_out", "wait_seconds", "wait_seconds_squared",
    "first_responses_due", "first_responses_within_30s",
    "chat_first_responses", "chat_first_response_seconds", "chat_first_response_seconds_squared",
    "ticket_first_responses", "ticket_first_response_seconds", "ticket_first_response_seconds_squared",
    "tickets_resolved", "time_to_resolve_seconds", "time_to_resolve_seconds_squared", "sla_due", "sla_breached",
})  # fmt: skip


def in_part(measure: str, part: str) -> str:
    """The measure of a part: ``calls_offered~vip``."""
    return f"{measure}{_MARK}{part}"


DIFFICULT_HANDLED = "difficult_tickets_handled"
#: Part → what it has measures of its own for: the measure of all contacts → that of the part.
_NAMED: Mapping[str, Mapping[str, str]] = {
    PRESSING: {
        "calls_answered": "urgent_call_responses",
        "wait_seconds": "urgent_call_response_seconds",
        "wait_seconds_squared": "urgent_call_response_seconds_squared",
        "chat_first_responses": "urgent_chat_responses",
        "chat_first_response_seconds": "urgent_chat_response_seconds",
        "chat_first_response_seconds_squared": "urgent_chat_response_seconds_squared",
        "ticket_first_responses": "urgent_ticket_responses",
        "ticket_first_response_seconds": "urgent_ticket_response_seconds",
        "ticket_first_response_seconds_squared": "urgent_ticket_response_seconds_squared",
    },
    PEAK: {
        "calls_offered": "peak_calls_offered",
        "calls_answered_within_20s": "peak_calls_answered_in_time",
        "calls_flowed_out": "peak_calls_flowed_out",
        "calls_handled": "peak_calls_handled",
        "calls_transferred": "peak_calls_transferred",
    },
    "basic": {"resolution_due": "basic_resolution_due", "resolved": "basic_resolved"},
    "technical": {"resolution_due": "technical_resolution_due", "resolved": "technical_resolved"},
    "return": {"resolution_due": "returns_due", "resolved": "returns_completed"},
    "dispute": {
        "tickets_resolved": "disputes_resolved",
        "time_to_resolve_seconds": "dispute_seconds",
        "time_to_resolve_seconds_squared": "dispute_seconds_squared",
    },
    DIFFICULT: {"tickets_passed": DIFFICULT_HANDLED},
}
#: What is kept apart → its measure, by part.
_OWN: Mapping[str, Mapping[str, str]] = {
    **{part: {measure: in_part(measure, part) for measure in KEPT} for part in PARTS},
    **_NAMED,
}
APART = (
    *(
        measure
        for channel, zh, en in (("call", "通话", "calls"), ("chat", "会话", "chats"), ("ticket", "工单", "tickets"))
        for measure in (
            Measure(
                f"urgent_{channel}_responses",
                "n",
                f"VIP 与紧急{zh}的首次响应",
                f"first responses to {en} of VIPs or urgent ones",
            ),
            Measure(
                f"urgent_{channel}_response_seconds",
                "s",
                f"VIP 与紧急{zh}的首次响应时长",
                f"wait for the first response to {en} of VIPs or urgent ones",
            ),
            Measure(
                f"urgent_{channel}_response_seconds_squared",
                "s2_whole" if channel == "ticket" else "s2",
                f"VIP 与紧急{zh}的首次响应时长平方和",
                f"squares of these waits, of {en}",
            ),
        )
    ),
    Measure(
        "peak_calls_offered",
        "n",
        "高峰时段到达的人工呼入；坐席：接听 + 振铃未接",
        "calls that arrived in peak hours and were queued; of an agent: answered + missed",
    ),
    Measure(
        "peak_calls_answered_in_time",
        "n",
        "高峰时段到达、阈值内接听的通话",
        "calls of peak hours answered within the threshold",
    ),
    Measure(
        "peak_calls_flowed_out", "n", "高峰时段到达的溢出通话", "calls of peak hours that left their queue unanswered"
    ),
    Measure("peak_calls_handled", "n", "高峰时段到达、已完成的通话", "calls of peak hours handled to the end"),
    Measure(
        "peak_calls_transferred",
        "n",
        "高峰时段到达、转接的通话",
        "handled calls of peak hours that the agent transferred",
    ),
    Measure("basic_resolution_due", "n", "应解决的基础问题", "basic questions due to be resolved"),
    Measure("basic_resolved", "n", "已解决的基础问题", "basic questions resolved"),
    Measure("technical_resolution_due", "n", "应解决的技术问题", "technical questions due to be resolved"),
    Measure("technical_resolved", "n", "已解决的技术问题", "technical questions resolved"),
    Measure("returns_due", "n", "应办结的退换货", "returns and exchanges due to be completed"),
    Measure("returns_completed", "n", "已达成的退换货", "returns and exchanges completed"),
    Measure("disputes_resolved", "n", "已解决的纠纷工单", "tickets about disputes resolved"),
    Measure("dispute_seconds", "s", "纠纷处理时长", "from creation to resolution of these"),
    Measure("dispute_seconds_squared", "s2_whole", "纠纷处理时长平方和", "squares of the handling times of disputes"),
    Measure(
        DIFFICULT_HANDLED,
        "n",
        "办结的疑难工单（不计本人升级的）",
        "difficult tickets finished, for staff those that they had not escalated themselves",
    ),
)


def keeps(part: str) -> frozenset[str]:
    """What is kept apart for a part: measures of all contacts."""
    return frozenset(_OWN[part])


def kept_apart(sums: Mapping[str, int], parts: Iterable[str]) -> Sums:
    """What of these sums is kept apart, once for each of the parts: what each has of its own."""
    found: Sums = {}
    for part in parts:
        own = _OWN[part]
        for name, amount in sums.items():
            if name in own:
                found[own[name]] = amount
    return found


@dataclass(frozen=True)
class PartsOf:
    """The parts of a KPI that divides by one of the measures ``below``: called with sums, it gives each part's own, under the names of
    those of all contacts.
    """

    below: frozenset[str]

    def __call__(self, sums: Mapping[str, int]) -> dict[str, Sums]:
        found: dict[str, Sums] = {}
        for name, amount in sums.items():
            measure, mark, part = name.partition(_MARK)
            if mark and part in PARTS:
                found.setdefault(part, {})[measure] = amount
        return {part: own for part in PARTS if not self.below.isdisjoint(own := found.get(part, {}))}


def parts_of(*below: str) -> PartsOf:
    """The parts of a KPI that divides by one of these measures."""
    return PartsOf(frozenset(below))
