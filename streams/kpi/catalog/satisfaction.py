"""KPIs of what customers say: ratings and surveys."""

from __future__ import annotations

from streams.kpi.policy import Policy
from streams.kpi.spec import Kpi, Side, Terms, Within


def _csat_mean(policy: Policy, _: Side) -> tuple[Terms, Terms]:
    scale = policy.csat_mean_scale.replace("-", "_")
    return {f"csat_score_{scale}": 1}, {f"csat_ratings_{scale}": 1}


def _scale_ends(policy: Policy) -> Within:
    low, dash, high = policy.csat_mean_scale.partition("-")
    return (float(low), float(high)) if dash else (0.0, 1.0)


SATISFACTION = (
    Kpi(
        "csat", "客户满意度", "Customer satisfaction", "rate", "ratio", "higher",
        lambda p, s: ({"csat_satisfied": 1}, {"csat_ratings": 1}),
        "满意的评价 / 评价", "satisfied ratings / ratings",
        ("*.rated",),
        ("satisfied_from",),
        "Credited to the agent at the end of the contact; an updated rating replaces the old one.",
        traps_zh="计给联络结束时的坐席；更新的评价取代原评价。",
    ),
    Kpi(
        "csat_mean", "满意度均分", "Mean satisfaction score", "mean", "points", "higher",
        _csat_mean,
        "某一量表评分之和 / 该量表评价数", "sum of one scale's scores / its ratings",
        ("*.rated",),
        ("csat_mean_scale",),
        "Scales are never mixed or converted.",
        traps_zh="不同量表从不混合或换算。",
        within=_scale_ends,
    ),
)  # fmt: skip
