"""Measures: sums that events add to. Only these are stored; they merge by adding, over time and over entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from streams.contracts.outputs import Sums

Unit = Literal["n", "s", "points"]

#: Stored units per unit shown: seconds and points are kept in thousandths, counts as they are.
SCALE: dict[Unit, int] = {"n": 1, "s": 1000, "points": 1000}


@dataclass(frozen=True)
class Measure:
    """A sum: its id, unit and meaning."""

    id: str
    unit: Unit
    zh: str
    en: str


MEASURES: dict[str, Measure] = {
    m.id: m
    for m in (
        Measure(
            "calls_offered", "n", "呼入（排队）通话；坐席：接听+漏接", "calls queued; of an agent: answered + missed"
        ),
        Measure("calls_answered", "n", "接听通话", "calls answered"),
        Measure("calls_answered_within_20s", "n", "阈值内接听", "calls answered within the service-level threshold"),
        Measure("calls_abandoned", "n", "放弃通话", "calls abandoned while waiting"),
        Measure("calls_abandoned_short", "n", "短时放弃", "calls abandoned within the short-abandon limit"),
        Measure("calls_missed", "n", "振铃未接", "offers an agent did not answer"),
        Measure("wait_seconds", "s", "已接听通话的等待时长", "wait of the answered calls"),
        Measure("calls_handled", "n", "处理完的通话", "calls handled to the end"),
        Measure("handle_seconds", "s", "处理时长（通话+保持+话后）", "talk, hold and wrap-up of the handled calls"),
        Measure("talk_seconds", "s", "通话时长", "talk of the handled calls"),
        Measure("hold_seconds", "s", "保持时长", "hold of the handled calls"),
        Measure("wrap_up_seconds", "s", "话后时长", "wrap-up of the handled calls"),
        Measure("contacts_handled", "n", "处理完的联络", "contacts of all channels handled to the end"),
        Measure("contacts_handled_known", "n", "已知客户的联络", "handled contacts of known customers"),
        Measure("repeat_contacts", "n", "客户再次来访的联络", "handled contacts whose customer came back in time"),
        Measure("resolution_due", "n", "应解决的联络", "contacts due to be resolved"),
        Measure("resolved", "n", "已解决的联络", "contacts resolved"),
        Measure("complaints", "n", "投诉", "complaints"),
        Measure("repeat_complaints", "n", "重复投诉", "complaints of a customer who had complained before"),
        Measure("csat_ratings", "n", "满意度评价", "satisfaction ratings"),
        Measure("csat_satisfied", "n", "满意的评价", "ratings that count as satisfied"),
        Measure("csat_ratings_1_5", "n", "1–5 分评价", "satisfaction ratings on the scale 1-5"),
        Measure("csat_score_1_5", "points", "1–5 分评价总分", "sum of the scores on the scale 1-5"),
        Measure("csat_ratings_0_10", "n", "0–10 分评价", "satisfaction ratings on the scale 0-10"),
        Measure("csat_score_0_10", "points", "0–10 分评价总分", "sum of the scores on the scale 0-10"),
        Measure("csat_ratings_0_100", "n", "0–100 分评价", "satisfaction ratings on the scale 0-100"),
        Measure("csat_score_0_100", "points", "0–100 分评价总分", "sum of the scores on the scale 0-100"),
        Measure("csat_ratings_binary", "n", "二元评价", "satisfaction ratings on the scale 0 or 1"),
        Measure("csat_score_binary", "points", "二元评价总分", "sum of the scores on the scale 0 or 1"),
        Measure(
            "first_responses_due", "n", "应首响的会话", "chats that got a first response or waited past the threshold"
        ),
        Measure("first_responses_within_30s", "n", "阈值内首响", "first responses within the threshold"),
        Measure("chat_first_responses", "n", "会话首响", "first responses in chats"),
        Measure("chat_first_response_seconds", "s", "会话首响时长", "wait for the first response in chats"),
        Measure("ticket_first_responses", "n", "工单首响", "first public replies to tickets"),
        Measure("ticket_first_response_seconds", "s", "工单首响时长", "wait for the first public reply to tickets"),
    )
}


def add(into: Sums, sums: Mapping[str, int], times: int = 1) -> None:
    """Add ``sums`` (``times`` -1: take away) to ``into`` in place; a sum of nothing is left out."""
    for measure, amount in sums.items():
        total = into.get(measure, 0) + amount * times
        if total:
            into[measure] = total
        else:
            into.pop(measure, None)


def merged(parts: Iterable[Mapping[str, int]]) -> Sums:
    """The sum of all parts."""
    total: Sums = {}
    for part in parts:
        add(total, part)
    return total


def shown(measure: str, stored: int) -> int | float:
    """A stored sum in the unit people read: a count as a whole number, seconds and points with three decimals."""
    scale = SCALE[MEASURES[measure].unit]
    return stored if scale == 1 else stored / scale
