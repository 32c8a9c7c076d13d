"""A calendar of profiles: when which is in force, and what a card's items are then worth in a period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from scoring.cards.model import Card
from scoring.cards.profiles import Profile, ProfileError, find_profile, named, under
from scoring.cards.weights import Applied, Weights, own_weights
from scoring.fields import Id, NonEmpty, Part
from scoring.period import Period, overlap
from scoring.yaml_documents import Fault, read
from streams.languages.text import Text

SCHEMA = "deskpulse/calendar/1"


class Entry(Part):
    """When a profile is in force, both days included, and why; afterwards the cards' own weights return."""

    profile: Annotated[NonEmpty, Field(description="Id of a profile that comes with the program, or the path of one")]
    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]
    cards: Annotated[
        tuple[Id, ...] | None, Field(description="Only these cards; left out: all that the profile changes")
    ] = None
    reason: Text


class Calendar(Part):
    """Which profiles are in force when."""

    format: Annotated[Literal["deskpulse/calendar/1"], Field(alias="schema")]
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]


class Season(Part):
    """An entry of a calendar with the profile that it names."""

    profile: Profile
    entry: Entry

    def concerns(self, card: str) -> bool:
        """Does it change this card's weights?"""
        return card in self.profile.cards and (self.entry.cards is None or card in self.entry.cards)


def load_calendar(path: Path) -> tuple[Season, ...]:
    """The calendar in this YAML file, each entry with its profile. Raises ProfileError that lists every fault."""
    found: dict[str, Profile] = {}

    def check(calendar: Calendar) -> Iterator[Fault]:
        for number, entry in enumerate(calendar.entries):
            if entry.last < entry.first:
                yield ("entries", number, "to"), f"it ends on {entry.last}, before it begins; swap the dates"
            try:
                found[entry.profile] = profile = find_profile(entry.profile, path.parent)
            except ProfileError as error:
                yield ("entries", number, "profile"), str(error)
                continue
            if alien := sorted(set(entry.cards or ()) - profile.cards.keys()):
                yield (
                    ("entries", number, "cards"),
                    f"the profile {profile.id} does not change {', '.join(alien)}; take it out",
                )
            for other in calendar.entries[:number]:
                yield from _clash(number, entry, other, found)

    calendar = read(path, SCHEMA, Calendar, check, ProfileError)
    return tuple(Season(profile=found[entry.profile], entry=entry) for entry in calendar.entries)


def _clash(number: int, entry: Entry, other: Entry, found: Mapping[str, Profile]) -> Iterator[Fault]:
    if entry.last < other.first or other.last < entry.first or other.profile not in found:
        return
    mine, theirs = (
        set(one.cards or found[one.profile].cards) & found[one.profile].cards.keys() for one in (entry, other)
    )
    if both := sorted(mine & theirs):
        begin, end = max(entry.first, other.first), min(entry.last, other.last)
        yield (
            ("entries", number, "from"),
            f"{other.profile} and {entry.profile} are both in force for {', '.join(both)} from {begin} to {end}; "
            "end one before the other begins, or name its `cards`",
        )


def in_force(card: Card, seasons: Sequence[Season], period: Period) -> Weights:
    """What the card's items that are due in the period are worth: each of its days counts with the weights of that day.

    A profile that is in force for 10 of 30 days moves a weight by a third of its way. Where the target sheet sets weights, other
    profiles change those. Raises ProfileError where one does not fit the card.
    """
    concerned = [season for season in seasons if season.concerns(card.id)]
    for season in concerned:
        named(season.profile, card)
    card = card.at(period.kind)
    own = own_weights(card)
    due = [season for season in concerned if overlap(period, season.entry.first, season.entry.last)]
    if not due:
        return own
    worth: dict[str, Fraction] = {}
    for weights, days in _by_days(card, own.base, due, period):
        for id, weight in weights.items():
            worth[id] = worth.get(id, Fraction(0)) + weight * days / period.days
    applied = tuple(_applied(season, period) for season in due)
    return Weights({id: value for id, value in worth.items() if value}, own.base, applied)


def _applied(season: Season, period: Period) -> Applied:
    profile, entry = season.profile, season.entry
    return Applied(
        profile.id,
        profile.version,
        profile.name,
        max(entry.first, period.first),
        min(entry.last, period.last),
        overlap(period, entry.first, entry.last),
        period.days,
        entry.reason,
    )


def _by_days(
    card: Card, own: Mapping[str, Fraction], due: Sequence[Season], period: Period
) -> Iterator[tuple[Mapping[str, Fraction], int]]:
    """What the items are worth, and on how many of the period's days, for each stretch of days with the same profiles."""
    begins = {period.first, *(max(season.entry.first, period.first) for season in due)}
    begins |= {season.entry.last + timedelta(days=1) for season in due if season.entry.last < period.last}
    days = sorted(begins)
    for first, following in zip(days, [*days[1:], period.last + timedelta(days=1)], strict=True):
        weights = own
        there = [season for season in due if season.entry.first <= first <= season.entry.last]
        for season in sorted(there, key=lambda season: season.profile.kind != "sheet"):
            weights = under(on_part(season.profile, card), card, weights)
        yield weights, (following - first).days


def on_part(profile: Profile, card: Card) -> Profile:
    """The profile without changes of items that are not due on this part of the card."""
    changes = []
    for change in profile.cards[card.id]:
        if change.items is not None:
            change = change.model_copy(update={"items": tuple(id for id in change.items if card.has(id))})
        elif change.section not in {section.id for section in card.sections}:
            continue
        if change.items != ():
            changes.append(change)
    return profile.model_copy(update={"cards": {card.id: tuple(changes)}})
