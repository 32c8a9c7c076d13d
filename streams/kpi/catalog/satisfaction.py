"""KPIs of what customers say: ratings and surveys."""

from __future__ import annotations

from streams.contracts.events import scale_ends
from streams.kpi.measures.satisfaction import csat_measures
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi, Side, Terms, Within


def _csat_mean(policy: Policy, side: Side) -> tuple[Terms, Terms]:
    ratings, total, _ = csat_measures(policy.csat_mean_scale)
    return {total: 1}, {ratings: 1}


def _scale_ends(policy: Policy) -> Within:
    worst, best = scale_ends(policy.csat_mean_scale)
    return float(worst), float(best)


SATISFACTION = (
    Kpi(
        "csat", "客户满意度（CSAT）", "Customer satisfaction", "rate", "ratio", "higher",
        lambda p, s: ({"csat_satisfied": 1}, {"csat_ratings": 1}),
        "满意的评价 / 评价", "satisfied ratings / ratings",
        ("*.rated",),
        ("satisfied_from", "rating_credit"),
        "Credited to the agent at the end of the contact; an updated rating replaces the old one.",
        traps_zh="归属联络结束时的坐席；修改后的评价取代原来的评价。",
    ),
    Kpi(
        "csat_mean", "满意度均分", "Mean satisfaction score", "mean", "points", "higher",
        _csat_mean,
        "某一量表评分之和 / 该量表评价数", "sum of one scale's scores / its ratings",
        ("*.rated",),
        ("csat_mean_scale", "rating_credit"),
        "Scales are never mixed or converted.",
        traps_zh="不同量表不混算，也不换算。",
        squares=lambda p, s: {csat_measures(p.csat_mean_scale)[2]: 1},
        within=_scale_ends,
    ),
    Kpi(
        "nps", "净推荐值（NPS）", "Net promoter score", "mean", "points", "higher",
        lambda p, s: ({"nps_promoters": 1, "nps_detractors": -1}, {"nps_ratings": 1}),
        "（9–10 分 − 0–6 分）/ 净推荐值评价 × 100", "(answers of 9–10 − answers of 0–6) / answers × 100",
        ("*.rated",),
        ("rating_credit",),
        "Of the survey `nps` on the scale 0–10 only; from −100 to 100; a later answer replaces the earlier.",
        traps_zh="只计 0–10 分的 nps 调查；范围 −100 到 100；后一次评价替换前一次。",
        times=100,
        squares=lambda p, s: {"nps_promoters": 1, "nps_detractors": 1},
        within=lambda p: (-100.0, 100.0),
    ),
    Kpi(
        "negative_review_rate", "差评率", "Bad rating rate", "rate", "ratio", "lower",
        lambda p, s: ({"csat_bad_1_5": 1, "csat_bad_others": 1}, {"csat_ratings_1_5": 1, "csat_judged_others": 1}),
        "差评 / 可判差评的评价（五分制：1–2 分 / 五分制评价）",
        "bad ratings / ratings on scales with a bound for them (of five points: 1 or 2 / ratings on the scale 1–5)",
        ("*.rated",),
        ("negative_to", "rating_credit"),
        "Satisfaction ratings only, on the scale 1–5 and those to which `negative_to` gives a bound: no scale is converted.",
        traps_zh="只计满意度评价：五分制，以及 `negative_to` 为其设定界限的量表；量表不换算。",
    ),
    Kpi(
        "survey_response_rate", "参评率", "Survey response rate", "rate", "ratio", "higher",
        lambda p, s: ({"surveys_answered": 1}, {"surveys_invited": 1}),
        "受邀并评价 / 邀请", "invitations answered / invitations",
        ("*.invited", "*.rated"),
        traps="A low share is a sign of cherry-picking. Each survey of a contact counts once, in the window of its first invitation; a "
        "rating without an invitation is in neither.",
        traps_zh="过低时应核查是否存在选择性邀评。每个联络的每项调查只计一次，计在首次邀请时的统计窗口；未经邀请的评价不计入分子和分母。",
    ),
    Kpi(
        "bad_rating_rca_ontime_rate", "差评根因24小时提交率", "Root causes of bad ratings told within 24 h", "rate", "ratio", "higher",
        lambda p, s: ({"bad_rating_causes_in_time": 1}, {"bad_rating_cases": 1}),
        "24小时内提交根因的差评 / 已按时提交或已满24小时的差评",
        "root causes told ≤ 24 h after the bad rating / bad ratings whose cause was told in time or that are past 24 h",
        ("*.rated", "*.rating_explained"),
        ("bad_rating_rca_hours", "negative_to", "rating_credit"),
        "Bad: 1 or 2 on the scale 1–5, of others as `negative_to` says, as in negative_review_rate. Exactly 24 hours is in time; without a "
        "word it counts as missed at that moment, and a later word changes nothing. Every second counts, nights and days off too. A rating "
        "that the customer makes better is no case any more; one that stays bad is the same case, from its first bad rating on. Of whoever "
        "the rating is.",
        traps_zh="差评：五分制 1–2 分，其他量表按 `negative_to`，与差评率同。恰好 24 小时算及时；满时限仍未提交的，"
        "在满时限的时刻计为未及时，之后补交不再改变；夜间和休息日照常计时。客户改为好评的不再计入；"
        "修改后仍为差评的视为同一件，从首次差评起算。与评价归属同一坐席。",
        limit="bad_rating_rca_hours",
    ),
    Kpi(
        "complaint_conversion_rate", "投诉转化率", "Complaint conversion rate", "rate", "ratio", "higher",
        lambda p, s: ({"complaints_satisfied": 1}, {"complaints_rated": 1}),
        "末次评价满意的投诉 / 有评价的投诉", "complaints whose last rating is satisfied / rated complaints",
        ("kind = complaint", "*.rated"),
        ("kinds", "satisfied_from", "rating_credit"),
        "Of complaints that nobody rated it says nothing.",
        version=2,
        traps_zh="未评价的投诉不计入。",
    ),
)  # fmt: skip
