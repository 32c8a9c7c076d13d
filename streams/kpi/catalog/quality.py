"""KPIs of quality reviews."""

from __future__ import annotations

from streams.kpi.notation import mean, share
from streams.kpi.spec import Kpi

QUALITY = (
    Kpi(
        id="qa_score", zh="质检得分", en="Quality score", unit="points", better="higher",
        formula=mean(of="qa_score", over="reviews", squares="qa_score_squared", within=(0.0, 100.0)),
        formula_zh="质检得分之和 / 质检", formula_en="sum of review scores / reviews",
        needs=("*.reviewed",),
        traps=(
            "n is small: always look at it. Credited to the contact's agent; a later review by the same form replaces "
            "the earlier, reviews by several forms all count."
        ),
        traps_zh=(
            "样本量通常不足，务必同时查看样本数。归属联络结束时的坐席；同一表单的后一次质检替换前一次，"
            "不同表单的都计。"
        ),
    ),
    Kpi(
        id="qa_pass_rate", zh="质检合格率", en="Quality pass rate", unit="ratio", better="higher",
        formula=share(of="qa_passed", among="qa_verdicts"),
        formula_zh="合格 / 有合格结论的质检", formula_en="passed / reviews that say whether it passed",
        needs=("*.reviewed",),
        traps="A review without a verdict is left out.",
        traps_zh="没有合格结论的质检不计。",
    ),
    Kpi(
        id="fatal_error_rate", zh="致命错误率", en="Fatal error rate", unit="ratio", better="lower",
        formula=share(of="qa_fatal", among="reviews"),
        formula_zh="致命错误 / 质检", formula_en="reviews with a fatal error / reviews",
        needs=("*.reviewed",),
        traps="One fatal error among few reviews is a high rate: look at n and the interval.",
        traps_zh="质检数量少时，一次致命错误就会使比率很高，请同时查看样本数和置信区间。",
    ),
    Kpi(
        id="script_compliance_rate", zh="话术规范执行率", en="Script compliance rate", unit="ratio", better="higher",
        formula=share(of="script_passed", among="script_reviews"),
        formula_zh="话术项合格 / 检查话术的质检",
        formula_en="reviews whose item `script` was passed / reviews that have it",
        needs=("*.reviewed",),
        policy_fields=("review_items",),
        traps="Needs the review's `items`; a review without the item `script` is left out. What a form calls it: `review_items`.",
        traps_zh="需要质检事件的 items；没有 script 项的质检不计。表单上的叫法见 `review_items`。",
    ),
    *(
        Kpi(
            id=id, zh=zh, en=en, unit="ratio", better="higher",
            formula=share(of=f"{item}_passed", among=f"{item}_reviews"),
            formula_zh=f"{what_zh}项合格 / 检查{what_zh}的质检",
            formula_en=f"reviews whose item `{item}` was passed / reviews that have it",
            needs=("*.reviewed",),
            policy_fields=("review_items",),
            traps=(
                f"Needs the review's `items`; a review without the item `{item}` is left out. What a form calls it: "
                "`review_items`; several items that mean it are one, passed where all are."
            ),
            traps_zh=(
                f"需要质检事件的 items；没有 {item} 项的质检不计。表单上的叫法见 `review_items`；"
                "同义的几项合为一项，全部合格才算合格。"
            ),
        )
        for id, item, zh, en, what_zh in (
            ("process_adherence_rate", "process", "流程遵循率", "Process adherence", "流程"),
            (
                "unified_behaviour_execution_rate", "behaviour", "统一行为模式执行率",
                "Execution of the unified service behaviour", "统一行为",
            ),
            ("need_identification_rate", "needs", "需求精准识别率", "Need-identification accuracy", "需求识别"),
            ("policy_compliance_rate", "policy", "政策执行合规率", "Policy compliance", "政策执行"),
        )
    ),
    Kpi(
        id="qa_coverage_rate", zh="质检覆盖率", en="Quality review coverage", unit="ratio", better="higher",
        formula=share(of="contacts_reviewed", among="contacts_handled"),
        formula_zh="被质检的联络 / 已完成的联络", formula_en="handled contacts that were reviewed / handled contacts",
        needs=("*.reviewed", "call.ended", "chat.ended", "ticket.closed"),
        traps="A contact counts once, however many reviews it has; in the window in which it was handled.",
        traps_zh="一个联络无论质检几次只计一次；计在完成时的统计窗口内。",
    ),
)  # fmt: skip
