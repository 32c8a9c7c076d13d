"""What a person is compared with: their team, and the next grade or post."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from scoring.evaluation.scorer import PersonScore
from scoring.outcomes.decide import PersonOutcome
from scoring.outcomes.people import GRADES, Grade
from scoring.reports.sheets.charts import LEAST_AXES, MOST_AXES, Axis, Legend
from scoring.reports.sheets.context import Context, Means, attained, section_attained
from scoring.reports.sheets.labels import label
from scoring.rounding import shown
from streams.languages import Language
from streams.languages.text import Text


def compared(
    context: Context, score: PersonScore, outcome: PersonOutcome | None, language: Language
) -> tuple[list[Axis], Legend]:
    """An axis an item; where these are too many, an axis a section; none where those are too few."""
    means = context.means(score.person)
    ring, asked = _ring(outcome), _asked(outcome)
    weighed = [(at, item) for at, item in enumerate(score.items, 1) if item.item.max]
    axes: list[Axis] = []
    if LEAST_AXES <= len(weighed) <= MOST_AXES:
        axes = [
            Axis(
                str(at),
                item.item.name[language],
                attained(item),
                *_others(item.item.id, means, False, asked, ring),
            )
            for at, item in weighed
        ]
    elif len(weighed) > MOST_AXES and LEAST_AXES <= len(score.sections) <= MOST_AXES:
        axes = [
            Axis(
                "",
                part.section.name[language],
                section_attained(part.items),
                *_others(part.section.id, means, True, asked, ring),
            )
            for part in score.sections
        ]
    return axes, _legend(axes, means, outcome, ring, language)


def _asked(outcome: PersonOutcome | None) -> dict[str, Fraction]:
    """Dimension → what the next post asks for."""
    post = outcome and outcome.next_post
    return {gap.dimension: gap.required / 100 for gap in post.gaps} if post else {}


def _others(
    id: str, means: Means | None, of_section: bool, asked: dict[str, Fraction], ring: Fraction | None
) -> tuple[Fraction | None, Fraction | None]:
    mean = (means.sections if of_section else means.items).get(id) if means else None
    return mean, asked.get(id) if asked else ring


def _legend(
    axes: Sequence[Axis], means: Means | None, outcome: PersonOutcome | None, ring: Fraction | None, language: Language
) -> Legend:
    mean = means.name if means and any(axis.mean is not None for axis in axes) else None
    aim = _aim(outcome, ring, asked=any(axis.next is not None for axis in axes))
    return Legend(label("own", language), _said(mean, language), _said(aim, language))


def _said(words: Text | None, language: Language) -> str | None:
    return None if words is None else words[language]


def _aim(outcome: PersonOutcome | None, ring: Fraction | None, asked: bool) -> Text | None:
    """What the outer line is called: what the next post asks for, where it asks for any of it (``asked``); else the next grade's cut."""
    if asked and outcome is not None and outcome.next_post is not None:
        after = outcome.next_post.next.name
        return Text(f"{after.zh}要求", f"asked of {after.en}")
    grade = _better(outcome)
    return Text(f"{grade} 级线", f"cut of grade {grade}") if grade and ring is not None else None


def _better(outcome: PersonOutcome | None) -> Grade | None:
    """The grade after their own, where grades go by points."""
    grade = outcome.standing.grade if outcome else None
    if grade is None or grade == "A" or outcome is None or outcome.standing.to_next is None:
        return None
    return GRADES[GRADES.index(grade) - 1]


def _ring(outcome: PersonOutcome | None) -> Fraction | None:
    """The next grade's cut as a share of the card's maximum."""
    cut = _cut(outcome)
    return None if cut is None else Fraction(cut) / 100


def _cut(outcome: PersonOutcome | None) -> Decimal | None:
    """The total, of 100, that the next grade begins at."""
    if (
        outcome is None
        or _better(outcome) is None
        or outcome.standing.total is None
        or outcome.standing.to_next is None
    ):
        return None
    return outcome.standing.total + outcome.standing.to_next


def next_line(score: PersonScore, outcome: PersonOutcome | None, language: Language) -> tuple[Decimal, str] | None:
    """Where the next grade begins on the card's own scale, and how far it is in points of 100."""
    cut, grade = _cut(outcome), _better(outcome)
    if cut is None or outcome is None or outcome.standing.to_next is None:
        return None
    lacks = shown(outcome.standing.to_next)
    text = (
        f"{grade} 级线 {shown(cut)}%，还差 {lacks} 个百分点"
        if language == "zh"
        else f"cut of grade {grade}: {shown(cut)} %, {lacks} percentage points away"
    )
    return cut * score.tally.max / 100, text
