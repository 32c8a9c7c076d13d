"""Measures of calls."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

CALLS = (
    Measure("calls_offered", "n", "呼入（排队）通话；坐席：接听+漏接", "calls queued; of an agent: answered + missed"),
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
)
