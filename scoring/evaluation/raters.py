"""Ratings by several people made into one: a weighted blend, or the last column of the form that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from scoring.cards.model import Evaluator, Rater
from scoring.rounding import shown
from scoring.rules import RefusedError
from streams.languages.text import Text


def blend(
    raters: Sequence[Rater], ratings: Mapping[str, str], most: Fraction | None
) -> tuple[Fraction, str, str] | None:
    """The weighted mean of the ratings, with its arithmetic in Chinese and in English; None without any.

    An absent rater leaves their weight to the others. Raises RefusedError where one is absent who must not be, and for a
    rating below 0 or above ``most``.
    """
    there = [(rater, Fraction(ratings[rater.id])) for rater in raters if rater.id in ratings]
    if not there:
        return None
    for rater, rating in there:
        _refuse_outside(rater, rating, most)
    absent = [rater for rater in raters if rater.id not in ratings]
    for rater in absent:
        _refuse_absence(rater)
    weighed = [(rating * Fraction(rater.weight), Fraction(rater.weight)) for rater, rating in there]
    points, weight = (sum(column, Fraction(0)) for column in zip(*weighed, strict=True))
    if not weight:
        return None
    return points / weight, *_arithmetic(there, weight, [rater.name for rater in absent])


def _arithmetic(there: Sequence[tuple[Rater, Fraction]], weight: Fraction, absent: Sequence[Text]) -> tuple[str, str]:
    """How the mean comes about, in Chinese and in English."""
    parts = [(rater.name, shown(rating), shown(Fraction(rater.weight) * 100 / weight)) for rater, rating in there]
    zh = " + ".join(f"{name.zh} {rating} × {share}%" for name, rating, share in parts)
    en = " + ".join(f"{name.en} {rating} × {share} %" for name, rating, share in parts)
    if absent:
        zh = f"{zh}；{'、'.join(name.zh for name in absent)}缺席，权重由其余各方按比例承担"
        en = f"{en}; {', '.join(name.en for name in absent)} absent: the others take over the weight"
    return zh, en


def _refuse_outside(rater: Rater, rating: Fraction, most: Fraction | None) -> None:
    if rating >= 0 and (most is None or rating <= most):
        return
    end = " 分以上" if most is None else f"～{shown(most)} 分"
    raise RefusedError(
        f"{rater.name.zh}评分 {shown(rating)} 超出范围（0{end}）",
        f"the rating {shown(rating)} by {rater.name.en} is not {'at least 0' if most is None else f'between 0 and {shown(most)}'}",
    )


def _refuse_absence(rater: Rater) -> None:
    if rater.least:
        raise RefusedError(
            f"缺少{rater.name.zh}的评分（权重不得低于 {shown(rater.least)}%）",
            f"no rating by {rater.name.en}, whose weight must be at least {shown(rater.least)} %",
        )


def last_word(columns: Sequence[Evaluator], ratings: Mapping[str, str]) -> tuple[Evaluator, str] | None:
    """The last column that counts and has rated, and what it says; None: no such column has."""
    spoken = [(column, ratings[column.id]) for column in columns if column.counts and column.id in ratings]
    return spoken[-1] if spoken else None
