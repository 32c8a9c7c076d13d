"""Who may be promoted: everybody who has a post above theirs, as a frozen result says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scoring.runs.jsonl import Document, PersonResult


def promotions(result: Document, whose: Callable[[PersonResult], bool] = lambda _: True) -> list[dict[str, Any]]:
    """The ways to the next post, those first who have all that it asks; then by how many dimensions lack, and by person.

    Each says ``person``, ``level``, ``next``, ``eligible``, ``lacks`` (dimensions), ``gaps`` (percent asked and reached) and ``reason``.
    Raises ValueError where the result has no posts at all: its outcome rules have no ladder.
    """
    found = []
    for each in result:
        way = each.outcome and each.outcome.get("next_post")
        if way and whose(each):
            lacks = sum(_lacks(gap) for gap in way["gaps"])
            found.append({"person": each.person, **way, "lacks": lacks})
    if not found and not any(each.outcome and each.outcome.get("next_post") for each in result):
        raise ValueError(
            "nobody has a post above theirs in this run: its outcome rules have no ladder, or no input says who is in which level"
        )
    return sorted(found, key=lambda way: (not way["eligible"], way["lacks"], way["person"]))


def _lacks(gap: dict[str, Any]) -> bool:
    return gap["attained"] is None or float(gap["attained"]) < float(gap["required"])
