"""Measures of calls."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

CALLS = (
    Measure(
        "calls_offered",
        "n",
        "人工呼入（进入队列的通话）；坐席：接听 + 振铃未接",
        "calls queued; of an agent: answered + missed",
    ),
    Measure("calls_answered", "n", "接听通话", "calls answered"),
    Measure("calls_answered_within_20s", "n", "阈值内接听", "calls answered within the service-level threshold"),
    Measure("calls_abandoned", "n", "放弃通话", "calls abandoned while waiting"),
    Measure("calls_abandoned_short", "n", "短时放弃", "calls abandoned within the short-abandon limit"),
    Measure("calls_abandoned_within_20s", "n", "阈值内放弃", "calls abandoned within the service-level threshold"),
    Measure("calls_flowed_out", "n", "溢出通话", "calls that left their queue unanswered: timed out, or on to another"),
    Measure("calls_missed", "n", "振铃未接", "offers an agent did not answer"),
    Measure("wait_seconds", "s", "已接听通话的等待时长", "wait of the answered calls"),
    Measure("calls_handled", "n", "已完成的通话", "calls handled to the end"),
    Measure("handle_seconds", "s", "处理时长（通话 + 保持 + 话后处理）", "talk, hold and wrap-up of the handled calls"),
    Measure("talk_seconds", "s", "通话时长", "talk of the handled calls"),
    Measure("hold_seconds", "s", "保持时长", "hold of the handled calls"),
    Measure("wrap_up_seconds", "s", "话后处理时长", "wrap-up of the handled calls"),
    Measure("wait_seconds_squared", "s2", "已接听通话等待时长平方和", "squares of the waits of the answered calls"),
    Measure("handle_seconds_squared", "s2", "处理时长平方和", "squares of the handle times of the handled calls"),
    Measure("talk_seconds_squared", "s2", "通话时长平方和", "squares of the talk times of the handled calls"),
    Measure("hold_seconds_squared", "s2", "保持时长平方和", "squares of the hold times of the handled calls"),
    Measure("wrap_up_seconds_squared", "s2", "话后处理时长平方和", "squares of the wrap-up times of the handled calls"),
    Measure("calls_held", "n", "有保持的通话", "handled calls that were put on hold"),
    Measure("calls_transferred", "n", "转接的通话", "handled calls that the agent transferred"),
    Measure("calls_short", "n", "坐席挂断的短通话", "handled calls that the agent ended within the short-call limit"),
)
