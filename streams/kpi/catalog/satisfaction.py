"""KPIs of what customers say: ratings and surveys."""

from __future__ import annotations

from streams.contracts.events import scale_ends
from streams.kpi.measures.satisfaction import csat_ratings, csat_score, csat_score_squared
from streams.kpi.notation import less, mean, named_by, plus, share
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi, Within


def _scale_ends(policy: Policy) -> Within:
    worst, best = scale_ends(policy.csat_mean_scale)
    return float(worst), float(best)


SATISFACTION = (
    Kpi(
        id="csat", zh="客户满意度（CSAT）", en="Customer satisfaction", unit="ratio", better="higher",
        formula=share(of="csat_satisfied", among="csat_ratings"),
        formula_zh="满意的评价 / 评价", formula_en="satisfied ratings / ratings",
        needs=("*.rated",),
        policy_fields=("satisfied_from", "rating_credit"),
        traps="Credited to the agent at the end of the contact; an updated rating replaces the old one.",
        traps_zh="归属联络结束时的坐席；修改后的评价取代原来的评价。",
    ),
    Kpi(
        id="csat_mean", zh="满意度均分", en="Mean satisfaction score", unit="points", better="higher",
        formula=mean(
            of=named_by("csat_mean_scale", csat_score),
            over=named_by("csat_mean_scale", csat_ratings),
            squares=named_by("csat_mean_scale", csat_score_squared),
            within=_scale_ends,
        ),
        formula_zh="某一量表评分之和 / 该量表评价数", formula_en="sum of one scale's scores / its ratings",
        needs=("*.rated",),
        policy_fields=("csat_mean_scale", "rating_credit"),
        traps="Scales are never mixed or converted.",
        traps_zh="不同量表不混算，也不换算。",
    ),
    Kpi(
        id="nps", zh="净推荐值（NPS）", en="Net promoter score", unit="points", better="higher",
        formula=mean(
            of=less("nps_promoters", "nps_detractors"),
            over="nps_ratings",
            times=100,
            squares=plus("nps_promoters", "nps_detractors"),
            within=(-100.0, 100.0),
        ),
        formula_zh="（9–10 分 − 0–6 分）/ 净推荐值评价 × 100",
        formula_en="(answers of 9–10 − answers of 0–6) / answers × 100",
        needs=("*.rated",),
        policy_fields=("rating_credit",),
        traps="Of the survey `nps` on the scale 0–10 only; from −100 to 100; a later answer replaces the earlier.",
        traps_zh="只计 0–10 分的 nps 调查；范围 −100 到 100；后一次评价替换前一次。",
    ),
    Kpi(
        id="negative_review_rate", zh="差评率", en="Bad rating rate", unit="ratio", better="lower",
        formula=share(
            of=plus("csat_bad_1_5", "csat_bad_others"),
            among=plus("csat_ratings_1_5", "csat_judged_others"),
        ),
        formula_zh="差评 / 可判差评的评价（五分制：1–2 分 / 五分制评价）",
        formula_en=(
            "bad ratings / ratings on scales with a bound for them (of five points: 1 or 2 / ratings on the scale "
            "1–5)"
        ),
        needs=("*.rated",),
        policy_fields=("negative_to", "rating_credit"),
        traps=(
            "Satisfaction ratings only, on the scale 1–5 and those to which `negative_to` gives a bound: no scale is "
            "converted."
        ),
        traps_zh="只计满意度评价：五分制，以及 `negative_to` 为其设定界限的量表；量表不换算。",
    ),
    Kpi(
        id="neutral_and_negative_review_rate", zh="中差评率", en="Neutral and bad rating rate", unit="ratio", better="lower",
        formula=share(
            of=plus("csat_not_good_1_5", "csat_not_good_others"),
            among=plus("csat_ratings_1_5", "csat_graded_others"),
        ),
        formula_zh="中评和差评 / 可判中差评的评价（五分制：1–3 分 / 五分制评价）",
        formula_en=(
            "neutral and bad ratings / ratings on scales with a bound for them (of five points: 1 to 3 / ratings on the "
            "scale 1–5)"
        ),
        needs=("*.rated",),
        policy_fields=("neutral_to", "satisfied_from", "rating_credit"),
        traps=(
            "Shops count so: three of five is no good review. Not negative_review_rate, which counts 1 and 2. "
            "Satisfaction ratings only, on the scale 1–5 and those to which `neutral_to` gives a bound: no scale is "
            "converted."
        ),
        traps_zh=(
            "电商口径：五分制 3 分不算好评；与差评率（只计 1–2 分）不同。只计满意度评价：五分制，"
            "以及 `neutral_to` 为其设定界限的量表；量表不换算。"
        ),
    ),
    Kpi(
        id="followup_csat", zh="售后回访服务满意度（回访满意度）", en="Satisfaction in follow-ups", unit="ratio", better="higher",
        formula=share(of="follow_ups_satisfied", among="follow_ups_rated"),
        formula_zh="末次评价满意的回访 / 有评价的回访",
        formula_en="follow-ups whose last rating is satisfied / rated follow-ups",
        needs=("kind = follow_up", "*.rated"),
        policy_fields=("kinds", "satisfied_from", "rating_credit"),
        traps="The rating of the follow-up itself, not of the contact that it follows. Of those that nobody rated it says nothing.",
        traps_zh="是对回访本身的评价，不是对被回访的那次联络的评价。未评价的回访不计入。",
    ),
    Kpi(
        id="praise_complaint_score", zh="投诉表扬工单得分（表扬占比）", en="Praise among praise and complaints",
        unit="ratio", better="higher",
        formula=share(of="praises", among=plus("praises", "complaints")),
        formula_zh="表扬 / （表扬 + 投诉）", formula_en="praises / (praises + complaints)",
        needs=("kind = praise", "kind = complaint"),
        policy_fields=("kinds", "complaint_closes"),
        traps=(
            "No data where there was neither. A praise counts when it arrives, of whoever has the contact; a complaint "
            "as in complaint_rate."
        ),
        traps_zh="两者都没有时没有数据。表扬按受理时间统计，归属该联络的坐席；投诉与投诉率同。",
    ),
    Kpi(
        id="survey_response_rate", zh="参评率", en="Survey response rate", unit="ratio", better="higher",
        formula=share(of="surveys_answered", among="surveys_invited"),
        formula_zh="受邀并评价 / 邀请", formula_en="invitations answered / invitations",
        needs=("*.invited", "*.rated"),
        traps=(
            "A low share is a sign of cherry-picking. Each survey of a contact counts once, in the window of its "
            "first invitation; a rating without an invitation is in neither."
        ),
        traps_zh=(
            "过低时应核查是否存在选择性邀评。每个联络的每项调查只计一次，计在首次邀请时的统计窗口；"
            "未经邀请的评价不计入分子和分母。"
        ),
    ),
    Kpi(
        id="bad_rating_rca_ontime_rate", zh="差评根因24小时提交率", en="Root causes of bad ratings told within 24 h",
        unit="ratio", better="higher",
        formula=share(of="bad_rating_causes_in_time", among="bad_rating_cases"),
        formula_zh="24小时内提交根因的差评 / 已按时提交或已满24小时的差评",
        formula_en=(
            "root causes told ≤ 24 h after the bad rating / bad ratings whose cause was told in time or that are past "
            "24 h"
        ),
        needs=("*.rated", "*.rating_explained"),
        policy_fields=("bad_rating_rca_hours", "negative_to", "rating_credit"),
        traps=(
            "Bad: 1 or 2 on the scale 1–5, of others as `negative_to` says, as in negative_review_rate. Exactly 24 "
            "hours is in time; without a word it counts as missed at that moment, and a later word changes nothing. "
            "Every second counts, nights and days off too. A rating that the customer makes better is no case any "
            "more; one that stays bad is the same case, from its first bad rating on. Of whoever the rating is."
        ),
        traps_zh=(
            "差评：五分制 1–2 分，其他量表按 `negative_to`，与差评率同。恰好 24 小时算及时；满时限仍未提交的，"
            "在满时限的时刻计为未及时，之后补交不再改变；夜间和休息日照常计时。客户改为好评的不再计入；"
            "修改后仍为差评的视为同一件，从首次差评起算。与评价归属同一坐席。"
        ),
        limit="bad_rating_rca_hours",
    ),
    Kpi(
        id="complaint_conversion_rate", zh="投诉转化率", en="Complaint conversion rate",
        unit="ratio", better="higher",
        formula=share(of="complaints_satisfied", among="complaints_rated"),
        formula_zh="末次评价满意的投诉 / 有评价的投诉",
        formula_en="complaints whose last rating is satisfied / rated complaints",
        needs=("kind = complaint", "*.rated"),
        policy_fields=("kinds", "satisfied_from", "rating_credit"),
        traps="Of complaints that nobody rated it says nothing.",
        traps_zh="未评价的投诉不计入。",
        version=2,
    ),
)  # fmt: skip
