"""KPIs of what analytics systems say. Shown and warned on; a model's opinion of a person is nothing to score him by."""

from __future__ import annotations

from streams.kpi.spec import Kpi

SIGNALS = (
    Kpi(
        "customer_emotion_score", "客户情绪", "Customer emotion", "mean", "points", "higher",
        lambda p, s: ({"emotion_score": 1}, {"emotions": 1}),
        "客户情绪之和 / 有情绪分析的联络（−1…1）", "sum of emotions / contacts with one (−1…1)",
        ("*.analysed",),
        traps="A model's opinion: show its source. A later analysis of the same contact replaces the earlier.",
        traps_zh="仅为模型判断，须注明来源。同一联络的后一次分析替换前一次。",
        squares=lambda p, s: {"emotion_score_squared": 1},
        within=lambda p: (-1.0, 1.0),
    ),
    Kpi(
        "customer_emotion_change", "客户情绪变化", "Change of customer emotion", "mean", "points", "higher",
        lambda p, s: ({"emotion_change": 1}, {"emotion_changes": 1}),
        "结束时情绪 − 开始时情绪（均值）", "emotion at the end − at the start (mean)",
        ("*.analysed",),
        traps="A model's opinion: show its source. Only contacts with both ends analysed.",
        traps_zh="仅为模型判断，须注明来源。只计首尾都有分析的联络。",
        squares=lambda p, s: {"emotion_change_squared": 1},
        within=lambda p: (-2.0, 2.0),
    ),
    Kpi(
        "keyword_coverage_rate", "关键词覆盖率", "Keyword coverage", "mean", "ratio", "higher",
        lambda p, s: ({"keyword_coverage": 1}, {"keyword_coverages": 1}),
        "关键词覆盖率之和 / 有此分析的联络", "sum of coverages / contacts with one",
        ("*.analysed",),
        traps="Words said are not yet help given: a sign to look at.",
        traps_zh="说到不等于做到：仅供关注。",
        squares=lambda p, s: {"keyword_coverage_squared": 1},
        within=lambda p: (0.0, 1.0),
    ),
    Kpi(
        "page_switch_count", "页面切换次数", "Page switches per contact", "mean", "n", "lower",
        lambda p, s: ({"page_switches": 1}, {"page_switch_contacts": 1}),
        "页面切换 / 有此统计的已处理联络", "page switches / handled contacts of which they were counted",
        ("*.analysed",),
        traps="Says as much of the tools as of the agent. Contacts that nobody analysed are left out, not taken for 0.",
        traps_zh="既反映工具，也反映坐席。没有分析的联络不计，不按 0 算。",
        squares=lambda p, s: {"page_switches_squared": 1},
    ),
    Kpi(
        "info_search_time", "检索时长", "Search time per contact", "mean", "s", "lower",
        lambda p, s: ({"search_seconds": 1}, {"search_contacts": 1}),
        "检索时长 / 有此统计的已处理联络", "search time / handled contacts of which it was measured",
        ("*.analysed",),
        traps="Says as much of the knowledge base as of the agent. Contacts that nobody analysed are left out, not taken for 0.",
        traps_zh="既反映知识库，也反映坐席。没有分析的联络不计，不按 0 算。",
        squares=lambda p, s: {"search_seconds_squared": 1},
    ),
)  # fmt: skip
