"""KPIs of what analytics systems say. Shown and warned on; a model's opinion of a person is nothing to score them by."""

from __future__ import annotations

from streams.kpi.notation import NOTHING, by_side, change, less, mean, plus
from streams.kpi.spec import Kpi

SIGNALS = (
    Kpi(
        id="customer_emotion_score", zh="客户情绪", en="Customer emotion", unit="points", better="higher",
        formula=mean(of="emotion_score", over="emotions", squares="emotion_score_squared", within=(-1.0, 1.0)),
        formula_zh="客户情绪之和 / 有情绪分析的联络（−1…1）", formula_en="sum of emotions / contacts with one (−1…1)",
        needs=("*.analysed",),
        traps="A model's opinion: show its source. A later analysis of the same contact replaces the earlier.",
        traps_zh="仅为模型判断，须注明来源。同一联络的后一次分析替换前一次。",
    ),
    Kpi(
        id="customer_emotion_change", zh="客户情绪变化", en="Change of customer emotion",
        unit="points", better="higher",
        formula=mean(
            of="emotion_change",
            over="emotion_changes",
            squares="emotion_change_squared",
            within=(-2.0, 2.0),
        ),
        formula_zh="结束时情绪 − 开始时情绪（均值）", formula_en="emotion at the end − at the start (mean)",
        needs=("*.analysed",),
        traps="A model's opinion: show its source. Only contacts with both ends analysed.",
        traps_zh="仅为模型判断，须注明来源。只计首尾都有分析的联络。",
    ),
    Kpi(
        id="keyword_coverage_rate", zh="关键词覆盖率", en="Keyword coverage", unit="ratio", better="higher",
        formula=mean(
            of="keyword_coverage",
            over="keyword_coverages",
            squares="keyword_coverage_squared",
            within=(0.0, 1.0),
        ),
        formula_zh="关键词覆盖率之和 / 有此分析的联络", formula_en="sum of coverages / contacts with one",
        needs=("*.analysed",),
        traps="Words said are not yet help given: a sign to look at.",
        traps_zh="提到关键词不代表已按要求处理，仅供参考。",
    ),
    Kpi(
        id="page_switch_count", zh="次均页面切换次数", en="Page switches per contact", unit="n", better="lower",
        formula=mean(of="page_switches", over="page_switch_contacts", squares="page_switches_squared"),
        formula_zh="页面切换次数 / 有此统计的已完成联络",
        formula_en="page switches / handled contacts of which they were counted",
        needs=("*.analysed",),
        traps="Says as much of the tools as of the agent. Contacts that nobody analysed are left out, not taken for 0.",
        traps_zh="受系统工具和坐席熟练度共同影响。没有分析的联络不计入，也不按 0 计。",
    ),
    Kpi(
        id="info_search_time", zh="次均信息检索时长", en="Search time per contact", unit="s", better="lower",
        formula=mean(of="search_seconds", over="search_contacts", squares="search_seconds_squared"),
        formula_zh="信息检索时长 / 有此统计的已完成联络",
        formula_en="search time / handled contacts of which it was measured",
        needs=("*.analysed",),
        traps=(
            "Says as much of the knowledge base as of the agent. Contacts that nobody analysed are left out, not "
            "taken for 0."
        ),
        traps_zh="受知识库和坐席熟练度共同影响。没有分析的联络不计入，也不按 0 计。",
    ),
    Kpi(
        id="fatigue_index", zh="疲劳指数", en="Fatigue index", unit="index", better="lower",
        formula=change(
            # Nobody's own first hour is a queue's.
            of=mean(
                of="strain_later",
                over=by_side(desk=NOTHING, staff="strain_contacts_later"),
                squares="strain_later_squared",
            ),
            since=mean(
                of="strain_first_hour", over="strain_contacts_first_hour", squares="strain_first_hour_squared"
            ),
            # Contacts of before version 2 have no squares.
            untold=less(plus("strain_contacts_first_hour", "strain_contacts_later"), "strain_contacts_squared"),
        ),
        formula_zh=(
            "静默次数 ÷（语速 ÷ 100）：班次首小时后的均值 / 首小时内的均值 − 1；语速单位：字（或词）/分钟，"
            "以数据源为准"
        ),
        formula_en="silences per 100 words a minute: mean after the first hour of the shift / mean within it − 1",
        needs=("*.analysed",),
        traps=(
            "A sign for a break, never a penalty: never scored. 0 is as in the agent's own first hour, 0.5 half as "
            "much again: more silences, slower speech, or both. Only contacts of which speech_rate, silences and "
            "shift_seconds were all told; no data without any in the first hour (before 3600 s), or where that had no "
            "silence. Longer calls have more silences: a shift whose calls grow longer looks tired, and no interval knows "
            "that. The interval needs two contacts in the first hour and two after it; days counted before version 2 "
            "have a value and no interval. Of agents only: teams, queues and sites have no first hour of their own."
        ),
        traps_zh=(
            "用于提醒安排休息，不得用于处罚，不参与计分。0 表示与本人首小时相同，0.5 表示高出一半："
            "静默更多、语速更慢或两者皆有。只计同时给出 speech_rate、silences、shift_seconds 的联络；"
            "首小时内（不足 3600 秒）没有联络或没有静默时无数据。通话越长静默越多：当班后段通话变长也会使指数升高，"
            "区间不反映这一点。区间要求首小时内外各至少2次联络；第2版之前统计的日期有值而无区间。"
            "只有坐席有此值：班组、队列、职场没有班次首小时，因此不计算。"
        ),
        scored=False, version=2,
    ),
)  # fmt: skip
