"""The words of the sheet in its two languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Both(Protocol):
    """Something that is there in Chinese and in English."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


def pick(words: Both, language: Language) -> str:
    """The words in this language."""
    return words.zh if language == "zh" else words.en


LABELS: Mapping[str, Mapping[Language, str]] = {
    "sheet": {"zh": "绩效考核表", "en": "Score sheet"},
    "person": {"zh": "人员", "en": "Person"},
    "agent_id": {"zh": "坐席工号", "en": "Agent id"},
    "hr_number": {"zh": "员工编号", "en": "HR number"},
    "team": {"zh": "班组", "en": "Team"},
    "site": {"zh": "职场", "en": "Site"},
    "period": {"zh": "考核周期", "en": "Period"},
    "as_of": {"zh": "截至", "en": "As of"},
    "total": {"zh": "总分", "en": "Total"},
    "grade": {"zh": "等级", "en": "Grade"},
    "rank": {"zh": "排名", "en": "Rank"},
    "item": {"zh": "考核指标", "en": "Item"},
    "figure": {"zh": "数值", "en": "Figure"},
    "n": {"zh": "样本", "en": "n"},
    "interval": {"zh": "95%置信区间", "en": "95 % interval"},
    "target": {"zh": "目标值", "en": "Target"},
    "points": {"zh": "得分 / 满分", "en": "Points / max"},
    "counts": {"zh": "计入 / 权重", "en": "Counts / weight"},
    "rule": {"zh": "计分规则", "en": "Rule"},
    "reason": {"zh": "依据", "en": "Reason"},
    "subtotal": {"zh": "小计", "en": "subtotal"},
    "radar": {"zh": "各项得分率", "en": "Share of points reached"},
    "trend": {"zh": "总分走势", "en": "Totals over time"},
    "own": {"zh": "本人", "en": "own"},
    "left_out": {"zh": "未评分与剔除", "en": "Unscored and excluded"},
    "nothing_left_out": {
        "zh": "全部考核指标均已评分，没有剔除任何事项。",
        "en": "Every item is scored; nothing was excluded.",
    },
    "outcomes": {"zh": "考核结果应用", "en": "What follows"},
    "basis": {"zh": "依据版本", "en": "Rests on"},
    "unscored": {"zh": "未评分", "en": "unscored"},
    "no_trend": {"zh": "暂无历史月份数据", "en": "no earlier months"},
    "no_axes": {"zh": "有权重的考核指标少于三项，不绘制雷达图", "en": "fewer than three items with a weight: no radar"},
    "no_weights": {"zh": "未设权重", "en": "no weights are set"},
    "signatures": {"zh": "签字", "en": "Signatures"},
    "vetoed": {"zh": "一票否决", "en": "vetoed"},
    "few": {"zh": "样本量不足", "en": "small sample"},
    "pending": {"zh": "观察期未满", "en": "pending"},
    "straddles": {"zh": "置信区间跨档", "en": "straddles bands"},
    "assumed": {"zh": "计分规则为系统暂定", "en": "rule assumed"},
    "weight_assumed": {"zh": "权重为系统暂定", "en": "weight assumed"},
    "repaired": {"zh": "原规则有误，已修正", "en": "rule repaired"},
}


def label(name: str, language: Language) -> str:
    """A word of the sheet. Raises KeyError where it has none of that name."""
    return LABELS[name][language]
