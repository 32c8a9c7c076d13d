"""Weights of a card's items that the target sheet sets, from a day on: a profile each, under which those of the calendar come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from scoring.cards.load import find, known
from scoring.cards.model import Card
from scoring.cards.profile_calendar import Entry, Season, on_part
from scoring.cards.profiles import SCHEMA, Change, Profile, ProfileError, named, under
from scoring.cards.targets import in_question
from scoring.period import day_zh
from streams.contracts.outputs import Target, entity_id, entity_kind
from streams.languages.text import Text
from streams.targets.book import Targets

_NAME = Text(zh="目标表权重", en="weights of the target sheet")


def sheet_seasons(card: Card, book: Targets, first: date, last: date) -> tuple[Season, ...]:
    """What the sheet says the card's items weigh on the days from ``first`` to ``last``, a season for each stretch; none: the card's own.

    Raises ProfileError where that does not fit the card: an item that it does not have, weights that do not add up.
    """
    made = tuple(_seasons(card, book, first, last))
    for season in made:
        fits(card, season.profile)
    return made


def fits(card: Card, profile: Profile) -> None:
    """Raises ProfileError where weights do not fit the card, for any kind of period that it is scored for."""
    try:
        named(profile, card)
        for kind in card.periods:
            part = card.at(kind)
            under(on_part(profile, part), part)
    except ProfileError as error:
        raise ProfileError(f"{error}; correct the target sheet: `deskpulse targets import`") from error


def objections(book: Targets) -> Iterator[str]:
    """What of the sheet does not fit the cards that come with the program: for import, long before a month is prepared.

    Cards of one's own are files, and are looked at when they are scored.
    """
    there = known()
    for id in sorted({entity_id(one.of) for one in book.all() if entity_kind(one.of) == "card"} & there.keys()):
        card, said = find(id), set[str]()
        days = {one.valid_from for one in book.all() if one.of == f"card|{id}"}
        for day in sorted(days):
            try:
                in_question(card, book, day)
                sheet_seasons(card, book, day, day)
            except ValueError as error:
                said |= set(str(error).splitlines()) - {"correct the target sheet: `deskpulse targets import`"}
        yield from sorted(said)


def _seasons(card: Card, book: Targets, first: date, last: date) -> Iterator[Season]:
    changes = book.weights(card.id)
    ends = [*(day - timedelta(days=1) for day, _ in changes[1:]), date.max]
    for (since, weights), end in zip(changes, ends, strict=False):
        if weights and since <= last and end >= first:
            yield _season(card.id, since, end, weights)


def _season(card: str, since: date, end: date, weights: Iterable[Target]) -> Season:
    chosen = list(weights)
    newest = max(chosen, key=lambda one: (one.valid_from, one.version, one.at))
    body = {
        "schema": SCHEMA, "id": "target-sheet", "version": f"{newest.valid_from}.{newest.version}", "name": _NAME, "kind": "sheet",
        "cards": {card: tuple(Change(items=(one.kpi,), weight=Decimal(one.value or 0)) for one in chosen)},
    }  # fmt: skip
    authors = ", ".join(sorted({one.author for one in chosen}))
    reason = Text(
        zh=f"{day_zh(newest.valid_from)}起，第 {newest.version} 版，由 {authors} 设定",
        en=f"from {newest.valid_from}, version {newest.version}, set by {authors}",
    )
    entry = Entry.model_validate({"profile": "target-sheet", "from": since, "to": end, "reason": reason})
    return Season(profile=Profile.model_validate(body), entry=entry)
