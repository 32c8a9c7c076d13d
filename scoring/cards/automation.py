"""How much of what a card scores is collected by machines: figures from events over all figures of the card."""

from __future__ import annotations

from fractions import Fraction

from scoring.cards.model import Card
from scoring.rounding import NONE, shown
from streams.languages.text import Text

#: Below this share the source calls appraisals less reliable: a warning (S1-64).
LEAST = Fraction(30, 100)


def automation_share(card: Card) -> tuple[int, int]:
    """How many of the card's figures come from events, and how many it has; optional items and ratings are none of them.

    The KPI ``automation_share`` is the ratio of the two; a card of ratings alone has no figures, and so none.
    """
    figures = [item for item in card.items if not item.rated]
    return sum(item.kpi is not None for item in figures), len(figures)


def is_low(card: Card) -> bool:
    """Is less of the card collected from events than there should be?"""
    computed, figures = automation_share(card)
    return figures > 0 and Fraction(computed, figures) < LEAST


def automation_words(card: Card) -> Text:
    """The share, the two counts that make it, and whether it is low."""
    computed, figures = automation_share(card)
    if not figures:
        return Text(
            f"采集自动化率 {NONE}（没有数据项，全部由人工评定）",
            f"automation share {NONE} (no figures: people rate it all)",
        )
    share, least = shown(Fraction(computed * 100, figures)), shown(LEAST * 100)
    low = Text(f"，低于 {least}%", f", below {least} %") if is_low(card) else Text("", "")
    return Text(
        f"采集自动化率 {share}%（{figures} 项数据中 {computed} 项来自事件）{low.zh}",
        f"automation share {share} % ({computed} of {figures} figures come from events){low.en}",
    )
