"""Measures of quality reviews."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

QUALITY = (
    Measure("reviews", "n", "质检", "quality reviews"),
    Measure("qa_score", "points", "质检总分", "sum of the review scores"),
    Measure("qa_score_squared", "points2", "质检得分平方和", "squares of the review scores"),
    Measure("qa_verdicts", "n", "有合格结论的质检", "reviews that say whether the contact passed"),
    Measure("qa_passed", "n", "质检合格", "reviews that the contact passed"),
    Measure("qa_fatal", "n", "致命错误", "reviews that found a fatal error"),
    Measure("script_reviews", "n", "检查话术的质检", "reviews that looked at the script"),
    Measure("script_passed", "n", "话术合格", "reviews whose script item was passed"),
    Measure("process_reviews", "n", "检查流程的质检", "reviews that looked at the process"),
    Measure("process_passed", "n", "流程合格", "reviews whose process item was passed"),
    Measure("behaviour_reviews", "n", "检查统一行为的质检", "reviews that looked at the unified behaviour"),
    Measure("behaviour_passed", "n", "统一行为合格", "reviews whose behaviour item was passed"),
    Measure("needs_reviews", "n", "检查需求识别的质检", "reviews that looked at whether the need was understood"),
    Measure("needs_passed", "n", "需求识别正确", "reviews whose needs item was passed"),
    Measure("policy_reviews", "n", "检查政策执行的质检", "reviews that looked at how the policy was applied"),
    Measure("policy_passed", "n", "政策执行合规", "reviews whose policy item was passed"),
    Measure("contacts_reviewed", "n", "被质检的联络", "handled contacts that were reviewed"),
)
