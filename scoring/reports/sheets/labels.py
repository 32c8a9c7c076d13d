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
    "sheet": {"zh": "绩效评分单", "en": "Score sheet"},
    "person": {"zh": "人员", "en": "Person"},
    "agent_id": {"zh": "坐席编号", "en": "Agent id"},
    "hr_number": {"zh": "人事编号", "en": "HR number"},
    "team": {"zh": "班组", "en": "Team"},
    "site": {"zh": "门店/地点", "en": "Site"},
    "period": {"zh": "周期", "en": "Period"},
    "as_of": {"zh": "截至", "en": "As of"},
    "total": {"zh": "总分", "en": "Total"},
    "grade": {"zh": "等级", "en": "Grade"},
    "rank": {"zh": "排名", "en": "Rank"},
    "item": {"zh": "指标", "en": "Item"},
    "figure": {"zh": "数值", "en": "Figure"},
    "n": {"zh": "样本 n", "en": "n"},
    "interval": {"zh": "95% 区间", "en": "95 % interval"},
    "target": {"zh": "目标", "en": "Target"},
    "points": {"zh": "得分 / 满分", "en": "Points / max"},
    "counts": {"zh": "计入 / 权重", "en": "Counts / weight"},
    "rule": {"zh": "规则", "en": "Rule"},
    "reason": {"zh": "依据", "en": "Reason"},
    "source": {"zh": "出处", "en": "Source"},
    "subtotal": {"zh": "小计", "en": "subtotal"},
    "radar": {"zh": "各项得分率", "en": "Share of points reached"},
    "trend": {"zh": "总分走势", "en": "Totals over time"},
    "own": {"zh": "本人", "en": "own"},
    "left_out": {"zh": "未评分与剔除", "en": "Unscored and excluded"},
    "nothing_left_out": {
        "zh": "全部指标均已评分，没有剔除任何事项。",
        "en": "Every item is scored; nothing was excluded.",
    },
    "outcomes": {"zh": "结果与后续", "en": "What follows"},
    "basis": {"zh": "依据版本", "en": "Rests on"},
    "unscored": {"zh": "未评分", "en": "unscored"},
    "no_trend": {"zh": "没有更早的月份", "en": "no earlier months"},
    "no_axes": {"zh": "有权重的指标少于三项，不画雷达图", "en": "fewer than three items with a weight: no radar"},
    "no_weights": {"zh": "未设权重", "en": "no weights are set"},
    "signatures": {"zh": "签字", "en": "Signatures"},
    "vetoed": {"zh": "单项否决", "en": "vetoed"},
    "few": {"zh": "样本不足", "en": "small sample"},
    "pending": {"zh": "未到期", "en": "pending"},
    "straddles": {"zh": "区间跨档", "en": "straddles bands"},
    "assumed": {"zh": "规则为假定", "en": "rule assumed"},
    "weight_assumed": {"zh": "权重为假定", "en": "weight assumed"},
    "repaired": {"zh": "规则经订正", "en": "rule repaired"},
}


def label(name: str, language: Language) -> str:
    """A word of the sheet. Raises KeyError where it has none of that name."""
    return LABELS[name][language]
