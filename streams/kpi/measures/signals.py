"""Measures of what analytics systems say of contacts."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

SIGNALS = (
    Measure("emotions", "n", "有情绪分析的联络", "contacts with an emotion of the customer"),
    Measure("emotion_score", "points", "客户情绪总和", "sum of the customers' emotions"),
    Measure("emotion_score_squared", "points2", "客户情绪平方和", "squares of the customers' emotions"),
    Measure("emotion_changes", "n", "有情绪变化分析的联络", "contacts with an emotion at their start and at their end"),
    Measure("emotion_change", "points", "客户情绪变化总和", "sum of the changes of emotion from start to end"),
    Measure("emotion_change_squared", "points2", "客户情绪变化平方和", "squares of the changes of emotion"),
    Measure("keyword_coverages", "n", "有关键词分析的联络", "contacts with a coverage of keywords"),
    Measure("keyword_coverage", "points", "关键词覆盖率总和", "sum of the coverages of keywords"),
    Measure("keyword_coverage_squared", "points2", "关键词覆盖率平方和", "squares of the coverages of keywords"),
    Measure("page_switch_contacts", "n", "统计页面切换的联络", "handled contacts whose page switches were counted"),
    Measure("page_switches", "n", "页面切换次数", "page switches in them"),
    Measure("page_switches_squared", "n", "页面切换次数平方和", "squares of the page switches"),
    Measure("search_contacts", "n", "统计信息检索时长的联络", "handled contacts whose search time was measured"),
    Measure("search_seconds", "s", "信息检索时长", "time spent on searching in them"),
    Measure("search_seconds_squared", "s2", "信息检索时长平方和", "squares of the search times"),
    Measure(
        "strain_contacts_first_hour",
        "n",
        "班次首小时内分析的联络",
        "contacts analysed of the first hour of the agent's shift",
    ),
    Measure(
        "strain_first_hour",
        "points",
        "班次首小时内静默次数与语速之比的总和",
        "silences per 100 words a minute in them, added up",
    ),
    Measure("strain_first_hour_squared", "points2", "班次首小时内静默次数与语速之比的平方和", "the squares of these"),
    Measure(
        "strain_contacts_later", "n", "班次首小时后分析的联络", "contacts analysed of the rest of the agent's shift"
    ),
    Measure(
        "strain_later",
        "points",
        "班次首小时后静默次数与语速之比的总和",
        "silences per 100 words a minute in them, added up",
    ),
    Measure("strain_later_squared", "points2", "班次首小时后静默次数与语速之比的平方和", "the squares of these"),
    Measure(
        "strain_contacts_squared",
        "n",
        "班次首小时内外已计平方和的联络",
        "contacts analysed of the whole shift whose squares are kept",
    ),
)
