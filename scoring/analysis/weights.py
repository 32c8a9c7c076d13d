"""Weights that somebody tries: a profile of one's own, in force throughout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from scoring.cards.model import Card
from scoring.cards.profile_calendar import Entry, Season
from scoring.cards.profiles import SCHEMA, Change, Profile
from streams.languages.text import Text

_TRIED = Text(zh="试算", en="tried")


def tried(card: Card, weights: Mapping[str, Decimal], first: date, last: date) -> Season:
    """Each of these items at its weight (percent of the card), the others scaled. Raises ProfileError where that cannot be."""
    changes = tuple(Change(items=(id,), weight=weight) for id, weight in weights.items())
    body = {
        "schema": SCHEMA,
        "id": "tried",
        "version": "0",
        "name": _TRIED,
        "kind": "strategy",
        "cards": {card.id: changes},
    }
    profile = Profile.model_validate(body)
    return throughout(profile, first, last)


def throughout(profile: Profile, first: date, last: date) -> Season:
    """The profile in force on every day."""
    entry = Entry.model_validate({"profile": profile.id, "from": first, "to": last, "reason": _TRIED})
    return Season(profile=profile, entry=entry)
