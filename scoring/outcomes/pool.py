"""A bonus pool, paid out to the last cent (S1-51; AMB-13: equal split inside each group, the rest to the others)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal, TypeAlias

from scoring.outcomes.ranking import Group
from scoring.rounding import money

Split: TypeAlias = Literal["equal", "by_score"]


def shares(
    totals: Mapping[str, Decimal], top_percent: Decimal, top_share: Decimal, split: Split
) -> tuple[dict[str, Fraction], frozenset[str], bool]:
    """What part of the pool each gets (they add up to 1), who is in the top group, and whether all share as one group.

    The top group is ``top_percent`` of the people, rounded up, with ties, and has ``top_share`` percent of the pool.
    All share as one group where one of the two is empty, and where so many tie at the top that one of them would get
    less than somebody below: a better total never gets less.
    """
    if not totals:
        return {}, frozenset(), True
    group = Group(totals.values())
    seats = group.seats(top_percent)
    top = {id: total for id, total in totals.items() if group.rank(total) <= seats}
    rest = {id: total for id, total in totals.items() if id not in top}
    if top and rest:
        upper = _divided(top, Fraction(top_share) / 100, split)
        lower = _divided(rest, 1 - Fraction(top_share) / 100, split)
        if min(upper.values()) >= max(lower.values()):
            return upper | lower, frozenset(top), False
    return _divided(totals, Fraction(1), split), frozenset(top), True


def _divided(totals: Mapping[str, Decimal], whole: Fraction, split: Split) -> dict[str, Fraction]:
    weights = {id: Fraction(max(total, Decimal(0))) for id, total in totals.items()}
    together = sum(weights.values())
    if split == "equal" or not together:
        return {id: whole / len(totals) for id in totals}
    return {id: whole * weight / together for id, weight in weights.items()}


def paid_out(amount: Decimal, parts: Mapping[str, Fraction], totals: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The amount in whole cents: each part rounded down, then a cent more for the largest remainders.

    Equal remainders: the better total first, then the person's id in order of its characters.
    """
    cents = int(Fraction(amount) * 100)
    exact = {id: part * cents for id, part in parts.items()}
    whole = {id: floor(part) for id, part in exact.items()}
    left = cents - sum(whole.values())
    for id in sorted(exact, key=lambda id: (whole[id] - exact[id], -totals[id], id))[:left]:
        whole[id] += 1
    return {id: money(Fraction(part, 100)) for id, part in whole.items()}
