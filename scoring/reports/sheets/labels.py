"""The words of the sheet in its two languages."""

from __future__ import annotations

from collections.abc import Mapping

from scoring.fields import Words
from scoring.reports.signing import DATE, READ, SEAL, SIGNED
from streams.languages import Language
from streams.languages.text import WRITTEN

#: Those that sheets are in.
LANGUAGES: tuple[Language, ...] = WRITTEN

LABELS: Mapping[str, Words] = {
    "sheet": Words("绩效考核表", "Score sheet"),
    "person": Words("人员", "Person"),
    "agent_id": Words("坐席工号", "Agent id"),
    "hr_number": Words("员工编号", "HR number"),
    "team": Words("班组", "Team"),
    "site": Words("职场", "Site"),
    "period": Words("考核周期", "Period"),
    "as_of": Words("截至", "As of"),
    "total": Words("总分", "Total"),
    "grade": Words("等级", "Grade"),
    "rank": Words("排名", "Rank"),
    "item": Words("考核指标", "Item"),
    "figure": Words("数值", "Figure"),
    "n": Words("样本", "n"),
    "interval": Words("95%置信区间", "95 % interval"),
    "target": Words("目标值", "Target"),
    "points": Words("得分 / 满分", "Points / max"),
    "counts": Words("计入 / 权重", "Counts / weight"),
    "rule": Words("计分规则", "Rule"),
    "reason": Words("依据", "Reason"),
    "subtotal": Words("小计", "subtotal"),
    "radar": Words("各项得分率", "Share of points reached"),
    "trend": Words("总分走势", "Totals over time"),
    "own": Words("本人", "own"),
    "left_out": Words("未评分与剔除", "Unscored and excluded"),
    "nothing_left_out": Words(
        "全部考核指标均已评分，没有剔除任何事项。", "Every item is scored; nothing was excluded."
    ),
    "outcomes": Words("考核结果应用", "What follows"),
    "basis": Words("依据版本", "Rests on"),
    "unscored": Words("未评分", "unscored"),
    "no_trend": Words("暂无历史月份数据", "no earlier months"),
    "no_axes": Words("有权重的考核指标少于三项，不绘制雷达图", "fewer than three items with a weight: no radar"),
    "no_weights": Words("未设权重", "no weights are set"),
    "read": READ,
    "agreed": Words("无异议", "no objection"),
    "objected": Words("有异议（理由另附）", "objection (reason attached)"),
    "own_signature": SIGNED,
    "date": DATE,
    "seal": SEAL,
    "interview": Words("绩效面谈记录", "Appraisal interview record"),
    "interview_why": Words("面谈原因", "Why"),
    "interview_due": Words("完成期限", "To be held by"),
    "interviewer": Words("面谈人", "Interviewer"),
    "interviewed": Words("本人", "Person interviewed"),
    "measure": Words("商定的改进措施", "What is agreed"),
    "measure_due": Words("完成时限", "Until"),
    "measure_owner": Words("负责人", "By whom"),
    "opinion": Words("本人意见", "In the person's own words"),
    "vetoed": Words("一票否决", "vetoed"),
    "few": Words("样本量不足", "small sample"),
    "pending": Words("观察期未满", "pending"),
    "straddles": Words("置信区间跨档", "straddles bands"),
}


def label(name: str, language: Language) -> str:
    """A word of the sheet. Raises KeyError where it has none of that name."""
    return LABELS[name][language]
