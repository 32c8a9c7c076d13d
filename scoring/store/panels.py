"""Panels of a 360-degree rating in the database, so that who gave which rating stands nowhere.

Who is invited stands with the panel. Each of them has a code, of which the digest is kept beside no name. A ballot marks its code as used
and goes into the panel's one row of ratings: by item, in order of size, so that neither place nor time tells whose it is. Once a panel is
closed, only how many have rated and the sums stay, and these only where enough have rated; ratings and codes are deleted.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from scoring.inputs.polled import Polled
from scoring.rounding import shown
from scoring.runs.canonical_json import digest
from scoring.store.audit import Actor
from scoring.store.tables import panel_codes, panel_ratings, panel_results, panels

#: Tables whose deleted rows are to leave nothing behind.
WIPED = ("panel_codes", "panel_ratings")


@dataclass(frozen=True)
class Ask:
    """An item that a panel rates, and what a rating of it may be (None: no end)."""

    item: str
    field: str
    zh: str
    en: str
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class Panel:
    """A party's rating of one person in a period. ``raters``: who is invited, in order of their ids. ``rated``: how many have rated."""

    id: int
    card: str
    period: str
    person: str
    party: str
    raters: tuple[str, ...]
    least: int
    asks: tuple[Ask, ...]
    author: str
    at: datetime
    rated: int
    sums: Mapping[str, Decimal] | None

    @property
    def closed(self) -> bool:
        """Are no more ratings taken?"""
        return self.sums is not None

    @property
    def counts(self) -> bool:
        """Is it closed, with as many raters as it needs?"""
        return bool(self.sums)

    def polled(self) -> Iterator[tuple[str, str, Polled]]:
        """Item, field, and what the party has given for it."""
        for ask in self.asks:
            sum_ = (self.sums or {}).get(ask.item)
            yield ask.item, ask.field, Polled(self.rated, len(self.raters), self.least, self.closed, sum_)


@dataclass(frozen=True)
class NewPanel:
    """A panel to be opened: as `Panel` has it."""

    card: str
    period: str
    person: str
    party: str
    raters: Sequence[str]
    least: int
    asks: Sequence[Ask]


def begin(connection: Connection, new: NewPanel, by: Actor) -> list[tuple[str, str]]:
    """A new panel; gives each rater's code, which cannot be had again."""
    raters = new.raters
    row = {
        "card": new.card, "period": new.period, "person": new.person, "party": new.party, "raters": sorted(raters),
        "least": new.least, "asks": [_written(ask) for ask in new.asks], "author": by.name, "at": by.at,
    }  # fmt: skip
    made = connection.execute(insert(panels).values(**row)).inserted_primary_key
    assert made is not None
    codes = {rater: secrets.token_hex(16) for rater in raters}
    # In order of the digests, so that their places in the table do not tell whose they are.
    rows = [{"digest": one, "panel": made[0], "used": False} for one in sorted(map(_digest, codes.values()))]
    connection.execute(insert(panel_codes), rows)
    connection.execute(insert(panel_ratings).values(panel=made[0], ratings={}))
    return list(codes.items())


def by_code(connection: Connection, code: str) -> tuple[int, bool] | None:
    """The panel that a code is for, and whether it was used; None: it is not known, or its panel is closed."""
    c = panel_codes.c
    row = connection.execute(select(c.panel, c.used).where(c.digest == _digest(code))).first()
    return None if row is None else (row.panel, row.used)


def cast(connection: Connection, code: str, panel: int, ratings: Mapping[str, Decimal]) -> None:
    """Take a ballot in: the code is used, and the ratings are among the others."""
    connection.execute(update(panel_codes).where(panel_codes.c.digest == _digest(code)).values(used=True))
    there = _ratings(connection, panel)
    for item, rating in ratings.items():
        there[item] = sorted([*there.get(item, ()), shown(rating)], key=Decimal)
    connection.execute(update(panel_ratings).where(panel_ratings.c.panel == panel).values(ratings=there))


def close(connection: Connection, panel: Panel, by: Actor) -> Panel:
    """End a panel: what counts of it stays, ratings and codes are deleted."""
    enough = panel.rated >= panel.least
    sums = (
        {item: sum(map(Decimal, given), Decimal(0)) for item, given in _ratings(connection, panel.id).items()}
        if enough
        else {}
    )
    told = {item: shown(value) for item, value in sums.items()}
    connection.execute(
        insert(panel_results).values(panel=panel.id, rated=panel.rated, sums=told, author=by.name, at=by.at)
    )
    connection.execute(delete(panel_ratings).where(panel_ratings.c.panel == panel.id))
    connection.execute(delete(panel_codes).where(panel_codes.c.panel == panel.id))
    return panel_of(connection, panel.id)


def panel_of(connection: Connection, id: int) -> Panel:
    """The panel. Raises KeyError where there is none."""
    for panel in _panels(connection, panels.c.id == id):
        return panel
    raise KeyError(id)


def newest(connection: Connection, card: str, period: str) -> list[Panel]:
    """Every person's and party's panel that was opened last, in this order."""
    found = _panels(connection, panels.c.card == card, panels.c.period == period)
    last = {(panel.person, panel.party): panel for panel in found}
    return [last[key] for key in sorted(last)]


def polled(connection: Connection, card: str, period: str) -> dict[str, dict[str, dict[str, Polled]]]:
    """Person → item → field → what a party of several raters has given."""
    made: dict[str, dict[str, dict[str, Polled]]] = {}
    for panel in newest(connection, card, period):
        for item, field, given in panel.polled():
            made.setdefault(panel.person, {}).setdefault(item, {})[field] = given
    return made


def _panels(connection: Connection, *which: Any) -> Iterator[Panel]:
    used = {
        row.panel: row.n
        for row in connection.execute(
            select(panel_codes.c.panel, func.count().label("n")).where(panel_codes.c.used).group_by(panel_codes.c.panel)
        )
    }
    query = select(panels, panel_results.c.rated, panel_results.c.sums)
    query = query.join(panel_results, panel_results.c.panel == panels.c.id, isouter=True)
    for row in connection.execute(query.where(*which).order_by(panels.c.id)):
        sums = None if row.sums is None else {item: Decimal(text) for item, text in row.sums.items()}
        rated = used.get(row.id, 0) if row.rated is None else row.rated
        yield Panel(
            row.id, row.card, row.period, row.person, row.party, tuple(row.raters), row.least, tuple(map(_ask, row.asks)),
            row.author, row.at, rated, sums,
        )  # fmt: skip


def _ratings(connection: Connection, panel: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = connection.execute(
        select(panel_ratings.c.ratings).where(panel_ratings.c.panel == panel)
    ).scalar_one()
    return dict(found)


def _digest(code: str) -> str:
    return digest(code.encode())


def _written(ask: Ask) -> dict[str, str | None]:
    ends = {"low": ask.low, "high": ask.high}
    text = {name: None if end is None else format(end, "f") for name, end in ends.items()}
    return {"item": ask.item, "field": ask.field, "zh": ask.zh, "en": ask.en, **text}


def _ask(raw: Mapping[str, Any]) -> Ask:
    low, high = (None if raw[name] is None else Decimal(raw[name]) for name in ("low", "high"))
    return Ask(raw["item"], raw["field"], raw["zh"], raw["en"], low, high)
