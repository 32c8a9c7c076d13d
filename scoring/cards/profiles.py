"""Profiles: weights for a strategy or a season. The other items scale, so that a card's sum stays what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from scoring.cards.model import Card
from scoring.cards.weights import own_weights
from scoring.fields import Id, NonEmpty, Part, Percent, Row
from scoring.rounding import shown
from scoring.yaml_documents import DocumentError, Fault, File, read
from streams.languages.text import Text

SCHEMA = "deskpulse/profile/1"


class ProfileError(DocumentError):
    """A profile or calendar that cannot be used; the message says what and where."""


class Change(Part):
    """A new weight for some items together, in percent of the card's total; among themselves they keep their ratio.

    The items: those of ``items`` or of ``section``. The weight: exactly ``weight``, or so many percentage points ``plus``,
    or ``at_least``. An optional item that gets a weight counts while the profile is in force.
    """

    items: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    section: Id | None = None
    weight: Percent | None = None
    plus: Percent | None = None
    at_least: Percent | None = None
    origin: Literal["source", "assumed"] = "source"


class Profile(Part):
    """Weights for a strategy or a season, by card; of the kind ``sheet``: what the target sheet sets, on top of which those come."""

    format: Annotated[Literal["deskpulse/profile/1"], Field(alias="schema")]
    id: Id
    version: NonEmpty
    name: Text
    kind: Literal["strategy", "season", "sheet"]
    rows: tuple[Row, ...] = ()
    readings: tuple[Row, ...] = ()
    note: Text | None = None
    cards: Annotated[dict[Id, Annotated[tuple[Change, ...], Field(min_length=1)]], Field(min_length=1)]


def known_profiles() -> dict[str, Traversable]:
    """The profiles that come with the program: id → file, in order of id."""
    stored = sorted((files("scoring") / "cards" / "profiles").iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".yaml"): file for file in stored if file.name.endswith(".yaml")}


def find_profile(name: str, beside: Path | None = None) -> Profile:
    """The profile with this id, or in this file (a path is read from ``beside``). Raises ProfileError for every fault."""
    built_in = known_profiles()
    if name in built_in:
        return load_profile(built_in[name])
    if Path(name).suffix in (".yaml", ".yml"):
        return load_profile((beside or Path()) / name)
    ids = ", ".join(built_in)
    raise ProfileError(
        f"no profile is called {name!r}; known: {ids}; for one of your own, give the path of its .yaml file"
    )


def load_profile(file: File) -> Profile:
    """The profile in this YAML file. Raises ProfileError that lists every fault."""
    return read(file, SCHEMA, Profile, _faults, ProfileError)


def _faults(profile: Profile) -> Iterator[Fault]:
    for card, changes in profile.cards.items():
        seen: set[str] = set()
        for number, change in enumerate(changes):
            at = ("cards", card, number)
            if (change.items is None) == (change.section is None):
                yield at, "a change is of `items` or of a `section`; give one of the two"
            if sum(way is not None for way in (change.weight, change.plus, change.at_least)) != 1:
                yield at, "a change says `weight`, `plus` or `at_least`; give exactly one of them"
            for id in change.items or ():
                if id in seen:
                    yield (*at, "items"), f"{id!r} is changed twice; keep one"
                seen.add(id)


def under(profile: Profile, card: Card, without: Mapping[str, Fraction] | None = None) -> dict[str, Fraction]:
    """What the card's items are worth under the profile. Raises ProfileError where it does not fit the card.

    ``without``: what they are worth without it, where that is not what the card itself says.
    """
    base = own_weights(card).base if without is None else without
    whole = _sum(base.values())
    if not whole:
        raise ProfileError(
            f"profile {profile.id}: the card {card.id} has no weights yet; set them in your own copy of it"
        )
    changed = _changed(profile, card, base, whole)
    rest = {id: worth for id, worth in base.items() if id not in changed}
    left, now = whole - _sum(changed.values()), _sum(rest.values())
    if left < 0 or (left > 0 and not now):
        taken = shown(_sum(changed.values()) * 100 / whole)
        raise ProfileError(
            f"profile {profile.id}, card {card.id}: the changed items weigh {taken} %; leave the others what is left of 100"
        )
    worth = {id: worth * left / now for id, worth in rest.items()} | changed
    _kept(profile, card, worth, whole)
    return worth


def _changed(profile: Profile, card: Card, base: Mapping[str, Fraction], whole: Fraction) -> dict[str, Fraction]:
    """What the items that the profile changes are worth under it."""
    changes = profile.cards.get(card.id, ())
    _refuse_pointless(profile, card, changes)
    made: dict[str, Fraction] = {}
    for change in changes:
        ids = _selected(profile, card, change)
        if twice := sorted(set(ids) & made.keys()):
            raise ProfileError(
                f"profile {profile.id}, card {card.id}: {', '.join(twice)} changed twice; keep one change"
            )
        # An optional item has no weight of its own: among several, its max is its part.
        parts = {id: base.get(id) or Fraction(card.item(id).max or 1) for id in ids}
        before = _sum(base.get(id, Fraction(0)) for id in ids) * 100 / whole
        after = _asked(change, before)
        together = _sum(parts.values())
        made |= {id: after * whole / 100 * part / together for id, part in parts.items()}
    return made


def _refuse_pointless(profile: Profile, card: Card, changes: Iterable[Change]) -> None:
    """Raises ProfileError for changes of items that the card gives no points."""
    own = {id for change in changes for id in change.items or () if card.has(id)}
    if pointless := sorted(id for id in own if card.item(id).max is None):
        raise ProfileError(
            f"profile {profile.id}, card {card.id}: {', '.join(pointless)}: no points are set for it; set them in your own copy"
        )


def _sum(parts: Iterable[Fraction]) -> Fraction:
    return sum(parts, Fraction(0))


def named(profile: Profile, card: Card) -> None:
    """Raises ProfileError where the profile names items or sections that the card does not have."""
    for change in profile.cards.get(card.id, ()):
        _selected(profile, card, change)


def _selected(profile: Profile, card: Card, change: Change) -> Sequence[str]:
    """Ids of the items that the change is of."""
    if change.section is not None:
        return _of_section(profile, card, change.section)
    ids = change.items or ()
    known = [item.id for item in (*card.items, *card.optional)]
    if unknown := [id for id in ids if id not in known]:
        raise ProfileError(
            f"profile {profile.id}: the card {card.id} has no item {', '.join(unknown)}; it has: {', '.join(known)}"
        )
    return ids


def _of_section(profile: Profile, card: Card, id: str) -> Sequence[str]:
    sections = {section.id: section for section in card.sections}
    if id not in sections:
        known = ", ".join(sections)
        raise ProfileError(f"profile {profile.id}: the card {card.id} has no section {id!r}; it has: {known}")
    return [item.id for item in sections[id].items if item.max is not None]


def _asked(change: Change, before: Fraction) -> Fraction:
    if change.weight is not None:
        return Fraction(change.weight)
    if change.plus is not None:
        return before + Fraction(change.plus)
    return max(before, Fraction(change.at_least or Decimal(0)))


def _kept(profile: Profile, card: Card, worth: Mapping[str, Fraction], whole: Fraction) -> None:
    """Raises ProfileError where shares that the card declares no longer hold."""
    parts: Iterable[tuple[str, tuple[Decimal, Decimal] | None, Sequence[str]]] = (
        *((section.id, section.share, [item.id for item in section.items]) for section in card.sections),
        *((item.id, item.share, [item.id]) for item in card.items),
    )
    for id, asked, ids in parts:
        if asked is not None:
            share = _sum(worth.get(item, Fraction(0)) for item in ids) * 100 / whole
            if not asked[0] <= share <= asked[1]:
                raise ProfileError(
                    f"profile {profile.id}, card {card.id}: {id} would weigh {shown(share)} %, outside {asked[0]} to {asked[1]} %"
                )
