"""Amounts in capital numerals (大写金额), as Chinese pay documents have them beside the figures: nobody adds a digit to these."""

from __future__ import annotations

from decimal import Decimal

import cn2an

from scoring.rounding import cents


def in_capitals(amount: Decimal) -> str:
    """The amount of yuan: 5000.5 is 伍仟元伍角, 320 is 叁佰贰拾元整."""
    return str(cn2an.an2cn(cents(amount), "rmb"))
