"""The words of the sheet in its two languages."""

from __future__ import annotations

from collections.abc import Mapping

from scoring.reports.signing import DATE, READ, SEAL, SIGNED
from streams.languages import Language
from streams.languages.text import WRITTEN, Text

#: Those that sheets are in.
LANGUAGES: tuple[Language, ...] = WRITTEN

LABELS: Mapping[str, Text] = {
    "sheet": Text("绩效考核表", "Score sheet"),
    "person": Text("人员", "Person"),
    "agent_id": Text("坐席工号", "Agent id"),
    "hr_number": Text("员工编号", "HR number"),
    "team": Text("班组", "Team"),
    "site": Text("职场", "Site"),
    "period": Text("考核周期", "Period"),
    "as_of": Text("截至", "As of"),
    "total": Text("总分", "Total"),
    "grade": Text("等级", "Grade"),
    "rank": Text("排名", "Rank"),
    "item": Text("考核指标", "Item"),
    "figure": Text("数值", "Figure"),
    "n": Text("样本", "n"),
    "interval": Text("95%置信区间", "95 % interval"),
    "target": Text("目标值", "Target"),
    "points": Text("得分 / 满分", "Points / max"),
    "counts": Text("计入 / 权重", "Counts / weight"),
    "rule": Text("计分规则", "Rule"),
    "reason": Text("依据", "Reason"),
    "subtotal": Text("小计", "subtotal"),
    "radar": Text("各项得分率", "Share of points reached"),
    "trend": Text("总分走势", "Totals over time"),
    "own": Text("本人", "own"),
    "left_out": Text("未评分与剔除", "Unscored and excluded"),
    "nothing_left_out": Text("全部考核指标均已评分，没有剔除任何事项。", "Every item is scored; nothing was excluded."),
    "outcomes": Text("考核结果应用", "What follows"),
    "basis": Text("依据版本", "Rests on"),
    "unscored": Text("未评分", "unscored"),
    "no_trend": Text("暂无历史月份数据", "no earlier months"),
    "no_axes": Text("有权重的考核指标少于三项，不绘制雷达图", "fewer than three items with a weight: no radar"),
    "no_weights": Text("未设权重", "no weights are set"),
    "read": READ,
    "agreed": Text("无异议", "no objection"),
    "objected": Text("有异议（理由另附）", "objection (reason attached)"),
    "own_signature": SIGNED,
    "date": DATE,
    "seal": SEAL,
    "interview": Text("绩效面谈记录", "Appraisal interview record"),
    "interview_why": Text("面谈原因", "Why"),
    "interview_due": Text("完成期限", "To be held by"),
    "interviewer": Text("面谈人", "Interviewer"),
    "interviewed": Text("本人", "Person interviewed"),
    "measure": Text("商定的改进措施", "What is agreed"),
    "measure_due": Text("完成时限", "Until"),
    "measure_owner": Text("负责人", "By whom"),
    "opinion": Text("本人意见", "In the person's own words"),
    "vetoed": Text("一票否决", "vetoed"),
    "few": Text("样本量不足", "small sample"),
    "pending": Text("观察期未满", "pending"),
}


def label(name: str, language: Language) -> str:
    """A word of the sheet. Raises KeyError where it has none of that name."""
    return LABELS[name][language]
