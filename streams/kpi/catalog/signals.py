"""KPIs of what analytics systems say. Shown and warned on; a model's opinion of a person is nothing to score him by."""

from __future__ import annotations

from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi, Side, Terms


def _strain_later(_: Policy, side: Side) -> tuple[Terms, Terms]:
    # Against his own first hour: nobody's own is a queue's.
    return {"strain_later": 1}, {"strain_contacts_later": 1} if side == "staff" else {}


def _strain_first(_: Policy, side: Side) -> tuple[Terms, Terms]:
    return {"strain_first_hour": 1}, {"strain_contacts_first_hour": 1}


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
        traps_zh="提到关键词不代表已按要求处理，仅供参考。",
        squares=lambda p, s: {"keyword_coverage_squared": 1},
        within=lambda p: (0.0, 1.0),
    ),
    Kpi(
        "page_switch_count", "次均页面切换次数", "Page switches per contact", "mean", "n", "lower",
        lambda p, s: ({"page_switches": 1}, {"page_switch_contacts": 1}),
        "页面切换次数 / 有此统计的已完成联络", "page switches / handled contacts of which they were counted",
        ("*.analysed",),
        traps="Says as much of the tools as of the agent. Contacts that nobody analysed are left out, not taken for 0.",
        traps_zh="受系统工具和坐席熟练度共同影响。没有分析的联络不计入，也不按 0 计。",
        squares=lambda p, s: {"page_switches_squared": 1},
    ),
    Kpi(
        "info_search_time", "次均信息检索时长", "Search time per contact", "mean", "s", "lower",
        lambda p, s: ({"search_seconds": 1}, {"search_contacts": 1}),
        "信息检索时长 / 有此统计的已完成联络", "search time / handled contacts of which it was measured",
        ("*.analysed",),
        traps="Says as much of the knowledge base as of the agent. Contacts that nobody analysed are left out, not taken for 0.",
        traps_zh="受知识库和坐席熟练度共同影响。没有分析的联络不计入，也不按 0 计。",
        squares=lambda p, s: {"search_seconds_squared": 1},
    ),
    Kpi(
        "fatigue_index", "疲劳指数", "Fatigue index", "change", "index", "lower",
        _strain_later,
        "静默次数 ÷（语速 ÷ 100）：班次首小时后的均值 / 首小时内的均值 − 1；语速单位：字（或词）/分钟，以数据源为准",
        "silences per 100 words a minute: mean after the first hour of the shift / mean within it − 1",
        ("*.analysed",),
        traps="A sign for a break, never a penalty: never scored. 0 is as in the agent's own first hour, 0.5 half as much again: more "
        "silences, slower speech, or both. Only contacts of which speech_rate, silences and shift_seconds were all told; no data "
        "without any in the first hour (before 3600 s), or where that had no silence. Longer calls have more silences: look at days "
        "with many calls. Of agents only: teams, queues and sites have no first hour of their own.",
        traps_zh="用于提醒安排休息，不得用于处罚，不参与计分。0 表示与本人首小时相同，0.5 表示高出一半：静默更多、语速更慢或两者皆有。"
        "只计同时给出 speech_rate、silences、shift_seconds 的联络；首小时内（不足 3600 秒）没有联络或没有静默时无数据。"
        "通话越长静默越多，应查看联络较多的日期。只有坐席有此值：班组、队列、职场没有班次首小时，因此不计算。",
        baseline=_strain_first,
        scored=False,
    ),
)  # fmt: skip
