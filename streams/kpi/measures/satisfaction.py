"""Measures of what customers say: ratings and surveys."""

from __future__ import annotations

from functools import lru_cache

from streams.kpi.measures.measure import Measure

#: Scales whose measures have names of their own.
_NAMED = ("1-5", "0-10", "0-100", "binary")


@lru_cache(maxsize=1024)
def csat_measures(scale: str) -> tuple[str, str, str]:
    """The measures of a scale: how many ratings, the sum of their scores, and of their squares. Of scales that the policy adds they are
    named after it, like ``csat_score@1-10``.
    """
    if scale in _NAMED:
        own = scale.replace("-", "_")
        return f"csat_ratings_{own}", f"csat_score_{own}", f"csat_score_{own}_squared"
    return f"csat_ratings@{scale}", f"csat_score@{scale}", f"csat_score_squared@{scale}"


def csat_ratings(scale: str) -> str:
    """How many ratings there are on a scale."""
    return csat_measures(scale)[0]


def csat_score(scale: str) -> str:
    """The sum of a scale's scores."""
    return csat_measures(scale)[1]


def csat_score_squared(scale: str) -> str:
    """The sum of their squares."""
    return csat_measures(scale)[2]


SATISFACTION = (
    Measure("csat_ratings", "n", "满意度评价", "satisfaction ratings"),
    Measure("csat_satisfied", "n", "满意的评价", "ratings that count as satisfied"),
    Measure("csat_ratings_1_5", "n", "1–5 分评价", "satisfaction ratings on the scale 1-5"),
    Measure("csat_score_1_5", "points", "1–5 分评价总分", "sum of the scores on the scale 1-5"),
    Measure("csat_score_1_5_squared", "points2", "1–5 分评价平方和", "squares of the scores on the scale 1-5"),
    Measure("csat_ratings_0_10", "n", "0–10 分评价", "satisfaction ratings on the scale 0-10"),
    Measure("csat_score_0_10", "points", "0–10 分评价总分", "sum of the scores on the scale 0-10"),
    Measure("csat_score_0_10_squared", "points2", "0–10 分评价平方和", "squares of the scores on the scale 0-10"),
    Measure("csat_ratings_0_100", "n", "0–100 分评价", "satisfaction ratings on the scale 0-100"),
    Measure("csat_score_0_100", "points", "0–100 分评价总分", "sum of the scores on the scale 0-100"),
    Measure("csat_score_0_100_squared", "points2", "0–100 分评价平方和", "squares of the scores on the scale 0-100"),
    Measure("csat_ratings_binary", "n", "二元评价", "satisfaction ratings on the scale 0 or 1"),
    Measure("csat_score_binary", "points", "二元评价总分", "sum of the scores on the scale 0 or 1"),
    Measure("csat_score_binary_squared", "points2", "二元评价平方和", "squares of the scores on the scale 0 or 1"),
    Measure("csat_bad_1_5", "n", "1–5 分差评", "ratings of 1 or 2 on the scale 1-5"),
    Measure(
        "csat_score",
        "points",
        "其他量表评分",
        "scores on another scale, one sum for each: csat_score@1-10",
        by_scale=True,
    ),
    Measure(
        "csat_score_squared", "points2", "其他量表评分平方和", "their squares: csat_score_squared@1-10", by_scale=True
    ),
    Measure(
        "csat_judged_others",
        "n",
        "其他量表中可判差评的评价",
        "ratings on other scales of which the policy says which are bad",
    ),
    Measure("csat_bad_others", "n", "其他量表差评", "bad ratings among these"),
    Measure("csat_not_good_1_5", "n", "1–5 分中评和差评", "neutral or bad ratings on the scale 1-5"),
    Measure(
        "csat_graded_others",
        "n",
        "其他量表中可判中差评的评价",
        "ratings on other scales of which the policy says which are neutral",
    ),
    Measure("csat_not_good_others", "n", "其他量表中评和差评", "neutral or bad ratings among these"),
    Measure(
        "bad_rating_cases",
        "n",
        "应提交根因的差评",
        "bad ratings whose root cause was told in time, or whose time is up",
    ),
    Measure("bad_rating_causes_in_time", "n", "按时提交根因的差评", "bad ratings whose root cause was told in time"),
    Measure(
        "nps_ratings", "n", "净推荐值评价", "answers to the question whether one would recommend, on the scale 0-10"
    ),
    Measure("nps_promoters", "n", "推荐者", "answers of 9 or 10"),
    Measure("nps_detractors", "n", "贬损者", "answers of 0 to 6"),
    Measure("follow_ups_rated", "n", "有评价的回访", "follow-ups whose customer rated"),
    Measure("follow_ups_satisfied", "n", "满意的回访", "follow-ups whose last rating is satisfied"),
    Measure("praises", "n", "表扬", "contacts in which a customer praised"),
    Measure("surveys_invited", "n", "邀请评价", "invitations to a survey, one for each contact and survey"),
    Measure(
        "contacts_invited",
        "n",
        "受邀评价的联络",
        "handled contacts whose customer was invited to rate, once whatever the number of surveys",
    ),
    Measure("surveys_answered", "n", "受邀并评价", "invitations that were answered"),
)
