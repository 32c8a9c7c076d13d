"""KPIs of quality reviews."""

from __future__ import annotations

from streams.kpi.spec import Kpi

QUALITY = (
    Kpi(
        "qa_score", "质检得分", "Quality score", "mean", "points", "higher",
        lambda p, s: ({"qa_score": 1}, {"reviews": 1}),
        "质检得分之和 / 质检", "sum of review scores / reviews",
        ("*.reviewed",),
        traps="n is small: always look at it. Credited to the contact's agent; a later review by the same form replaces the earlier, "
        "reviews by several forms all count.",
        traps_zh="样本量通常不足，务必同时查看样本数。归属联络结束时的坐席；同一表单的后一次质检替换前一次，不同表单的都计。",
        squares=lambda p, s: {"qa_score_squared": 1},
        within=lambda p: (0.0, 100.0),
    ),
    Kpi(
        "qa_pass_rate", "质检合格率", "Quality pass rate", "rate", "ratio", "higher",
        lambda p, s: ({"qa_passed": 1}, {"qa_verdicts": 1}),
        "合格 / 有合格结论的质检", "passed / reviews that say whether it passed",
        ("*.reviewed",),
        traps="A review without a verdict is left out.",
        traps_zh="没有合格结论的质检不计。",
    ),
    Kpi(
        "fatal_error_rate", "致命错误率", "Fatal error rate", "rate", "ratio", "lower",
        lambda p, s: ({"qa_fatal": 1}, {"reviews": 1}),
        "致命错误 / 质检", "reviews with a fatal error / reviews",
        ("*.reviewed",),
        traps="One fatal error among few reviews is a high rate: look at n and the interval.",
        traps_zh="质检数量少时，一次致命错误就会使比率很高，请同时查看样本数和置信区间。",
    ),
    Kpi(
        "script_compliance_rate", "话术规范执行率", "Script compliance rate", "rate", "ratio", "higher",
        lambda p, s: ({"script_passed": 1}, {"script_reviews": 1}),
        "话术项合格 / 检查话术的质检", "reviews whose item `script` was passed / reviews that have it",
        ("*.reviewed",),
        traps="Needs the review's `items`; a review without the item `script` is left out.",
        traps_zh="需要质检事件的 items；没有 script 项的质检不计。",
    ),
    Kpi(
        "qa_coverage_rate", "质检覆盖率", "Quality review coverage", "rate", "ratio", "higher",
        lambda p, s: ({"contacts_reviewed": 1}, {"contacts_handled": 1}),
        "被质检的联络 / 已完成的联络", "handled contacts that were reviewed / handled contacts",
        ("*.reviewed", "call.ended", "chat.ended", "ticket.closed"),
        traps="A contact counts once, however many reviews it has; in the window in which it was handled.",
        traps_zh="一个联络无论质检几次只计一次；计在完成时的统计窗口内。",
    ),
)  # fmt: skip
