"""The close of a month: which periods end with it, and who still owes which inputs of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from scoring.cards.model import Card
from scoring.inputs.requirements import Need
from scoring.period import HalfYear, Month, Period, Quarter, Year
from scoring.store.runs import RunRecord
from streams.contracts.closing import Giver, Owed, Share, Words
from streams.languages.text import Text

#: Whoever is to give it, by what cards call them in English: the superior of whom it is about, or they themselves.
_SUPERIOR, _SELF = frozenset({"superior"}), frozenset({"self", "himself", "themselves"})


def ended(card: Card, month: Month) -> list[Period]:
    """The card's periods that end with the month, the shortest first."""
    quarter, half = Quarter(month.year, (month.month + 2) // 3), HalfYear(month.year, (month.month + 5) // 6)
    found: tuple[Period, ...] = (month, quarter, half, Year(month.year))
    return [one for one in found if one.kind in card.periods and one.last == month.last]


def is_ours(run: RunRecord | None, author: str | None, own: str) -> bool:
    """May the close prepare this run? ``author``: of its newest revision. Not where somebody has it in hand: what people prepare (with
    rules, pools and profiles of their own) stays as it is.
    """
    return run is None or (run.state == "prepared" and author in (None, own))


def by_giver(
    lacking: Mapping[str, Sequence[Need]], superiors: Mapping[str, str | None]
) -> dict[Giver, dict[str, list[Need]]]:
    """Giver → person → what of it they owe. ``lacking``: person → what is missing; what is not scored nobody owes."""
    found: dict[Giver, dict[str, list[Need]]] = {}
    for person, needs in lacking.items():
        for need in needs:
            if need.required:
                giver = _giver(need.whom, person, superiors)
                found.setdefault(giver, {}).setdefault(person, []).append(need)
    return found


def gathered(shares: Iterable[tuple[Giver, Share]]) -> Iterator[Owed]:
    """What each giver owes over all runs: people first, by id, then by what they are called."""
    found: dict[Giver, list[Share]] = {}
    for giver, share in shares:
        found.setdefault(giver, []).append(share)
    for giver in sorted(found, key=lambda one: (one.person is None, one.person or "", one.whom.en)):
        yield Owed(giver, tuple(found[giver]))


def _giver(whom: Text, person: str, superiors: Mapping[str, str | None]) -> Giver:
    called, words = whom.en.casefold().partition(" (")[0], Words.of(whom)  # superior (sampled recordings)
    if called in _SELF:
        return Giver(words, person)
    return Giver(words, superiors.get(person)) if called in _SUPERIOR else Giver(words)
