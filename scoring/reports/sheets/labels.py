"""The words of the sheet in its two languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from scoring.fields import Words

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


LABELS: Mapping[str, Words] = {
    "sheet": Words("绩效评分单", "Score sheet"),
    "person": Words("人员", "Person"),
    "agent_id": Words("坐席编号", "Agent id"),
    "hr_number": Words("人事编号", "HR number"),
    "team": Words("班组", "Team"),
    "site": Words("门店/地点", "Site"),
    "period": Words("周期", "Period"),
    "as_of": Words("截至", "As of"),
    "total": Words("总分", "Total"),
    "grade": Words("等级", "Grade"),
    "rank": Words("排名", "Rank"),
    "item": Words("指标", "Item"),
    "figure": Words("数值", "Figure"),
    "n": Words("样本 n", "n"),
    "interval": Words("95% 区间", "95 % interval"),
    "target": Words("目标", "Target"),
    "points": Words("得分 / 满分", "Points / max"),
    "counts": Words("计入 / 权重", "Counts / weight"),
    "rule": Words("规则", "Rule"),
    "reason": Words("依据", "Reason"),
    "source": Words("出处", "Source"),
    "subtotal": Words("小计", "subtotal"),
    "radar": Words("各项得分率", "Share of points reached"),
    "trend": Words("总分走势", "Totals over time"),
    "own": Words("本人", "own"),
    "left_out": Words("未评分与剔除", "Unscored and excluded"),
    "nothing_left_out": Words("全部指标均已评分，没有剔除任何事项。", "Every item is scored; nothing was excluded."),
    "outcomes": Words("结果与后续", "What follows"),
    "basis": Words("依据版本", "Rests on"),
    "unscored": Words("未评分", "unscored"),
    "no_trend": Words("没有更早的月份", "no earlier months"),
    "no_axes": Words("有权重的指标少于三项，不画雷达图", "fewer than three items with a weight: no radar"),
    "no_weights": Words("未设权重", "no weights are set"),
    "signatures": Words("签字", "Signatures"),
    "vetoed": Words("单项否决", "vetoed"),
    "few": Words("样本不足", "small sample"),
    "pending": Words("未到期", "pending"),
    "straddles": Words("区间跨档", "straddles bands"),
    "assumed": Words("规则为假定", "rule assumed"),
    "weight_assumed": Words("权重为假定", "weight assumed"),
    "repaired": Words("规则经订正", "rule repaired"),
}


def label(name: str, language: Language) -> str:
    """A word of the sheet. Raises KeyError where it has none of that name."""
    return LABELS[name][language]
