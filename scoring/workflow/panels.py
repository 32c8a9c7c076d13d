"""360-degree ratings: several raters a party, anonymous, by one-time codes (S1-35, S1-36, S4-69)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import Connection

from scoring.cards.model import Card
from scoring.cards.parties import Party, parties
from scoring.inputs.requirements import allowed_of
from scoring.inputs.validation import Entry
from scoring.inputs.values import hint
from scoring.period import Period
from scoring.rounding import shown
from scoring.store import panels
from scoring.store.audit import Actor, record
from scoring.store.database import Database, StoreError
from scoring.store.inputs import handed
from scoring.store.panels import Ask, NewPanel, Panel
from scoring.store.runs import AbsentError, RefusedStepError, look_up

_MOST_RATERS = 200
#: Of a figure that has no greatest value.
_MOST = Decimal(1_000_000)


class CodeError(ValueError):
    """A code that lets nobody rate; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """Who is to rate a person, as which party."""

    person: str
    party: str
    raters: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """A rater's code for one person and party: shown once."""

    person: str
    party: str
    rater: str
    code: str


def open_panels(
    connection: Connection, card: Card, period: Period, known: Collection[str], wanted: Sequence[Wanted], by: Actor
) -> list[Code]:
    """Open panels: all of them, or none and every fault. ``known``: who is scored on the card in the period.

    Raises RefusedStepError once the run is approved, ValueError with a line a fault.
    """
    if period.kind not in card.periods:
        raise ValueError(f"{card.id} is scored by {' or '.join(card.periods)}, and {period} is a {period.kind}")
    _refuse_approved(connection, card.id, str(period))
    there = {(one.person, one.party): one for one in panels.newest(connection, card.id, str(period))}
    given, offered = handed(connection, card.id, str(period)), parties(card)
    twice = Counter((one.person, one.party) for one in wanted)
    faults = [
        f"{one.party} of {one.person}: {fault}"
        for one in wanted
        for fault in _faults(
            one, card, offered, known, there.get((one.person, one.party)), given.get(one.person, {}), twice
        )
    ]
    if faults:
        raise ValueError("\n".join(faults))
    made = []
    for one in wanted:
        party = offered[one.party]
        new = NewPanel(card.id, str(period), one.person, one.party, one.raters, party.least, list(asks_of(party)))
        codes = panels.begin(connection, new, by)
        made += [Code(one.person, one.party, rater, code) for rater, code in codes]
        record(
            connection, by, "360 opened", card.id, str(period), one.person, party=one.party, raters=sorted(one.raters)
        )
    return made


def _faults(
    one: Wanted,
    card: Card,
    offered: Mapping[str, Party],
    known: Collection[str],
    there: Panel | None,
    given: Mapping[str, Mapping[str, str]],
    twice: Mapping[tuple[str, str], int],
) -> Iterator[str]:
    party = offered.get(one.party)
    if party is None:
        yield f"{card.id} has no such party of several raters; {hint(one.party, offered)}it has: {', '.join(offered) or 'none'}"
        return
    if one.person not in known:
        yield f"they are not scored on this card in this period; {hint(one.person, known)}correct the id, or the roster"
    if twice[one.person, one.party] > 1:
        yield "is there twice; name all its raters together"
    if one.person in one.raters:
        yield f"{one.person} does not rate themselves here; take them out"
    if repeated := sorted(rater for rater, times in Counter(one.raters).items() if times > 1):
        yield f"{', '.join(repeated)} is named twice; nobody rates twice"
    if len(one.raters) < party.least:
        yield (
            f"{len(one.raters)} raters are too few to be anonymous, {party.least} are needed: name more, or hand a rating in by name "
            "(`deskpulse score import`)"
        )
    if len(one.raters) > _MOST_RATERS:
        yield f"{len(one.raters)} raters; name at most {_MOST_RATERS}"
    if there is not None and (not there.closed or there.counts):
        yield f"has a panel already, {'closed' if there.closed else 'open'}; nobody is asked twice"
    if typed := [item.id for item, field in party.asks if field in given.get(item.id, {})]:
        yield f"{', '.join(typed)} was handed in by name; take that back first (value: none)"


def asks_of(party: Party) -> Iterator[Ask]:
    """What a party is asked, in the card's order."""
    for item, field in party.asks:
        allowed = allowed_of(item)
        high = item.max if item.rated and allowed.high is None else allowed.high
        yield Ask(item.id, field, item.name.zh, item.name.en, allowed.low, high)


def asked(connection: Connection, code: str) -> Panel:
    """What the holder of a code is asked. Raises CodeError."""
    found = panels.by_code(connection, code.strip())
    if found is None:
        raise CodeError("this code is not known, or its panel is closed; ask whoever gave it to you")
    if found[1]:
        raise CodeError("this code was used already: each is good for one rating, which nobody can take out again")
    return panels.panel_of(connection, found[0])


def rate(connection: Connection, code: str, ratings: Mapping[str, str]) -> Panel:
    """Take one rater's ratings (item → rating) by their code; who they are is asked nowhere, and nothing of it stands in the trail.

    Raises CodeError, RefusedStepError once the run is approved, and ValueError unless every item that is asked has a rating that can be.
    """
    panel = asked(connection, code)
    _refuse_approved(connection, panel.card, panel.period)
    panels.cast(connection, code.strip(), panel.id, _checked(panel.asks, ratings))
    return panel


def _checked(asks: Sequence[Ask], ratings: Mapping[str, str]) -> dict[str, Decimal]:
    ids = [ask.item for ask in asks]
    if strange := [item for item in ratings if item not in ids]:
        raise ValueError(f"{', '.join(strange)} is not asked here; asked are: {', '.join(ids)}")
    if lacking := [id for id in ids if id not in ratings]:
        raise ValueError(f"{', '.join(lacking)} is not rated; rate all that is asked, at once: {', '.join(ids)}")
    return {ask.item: _number(ask, ratings[ask.item]) for ask in asks}


def _number(ask: Ask, text: str) -> Decimal:
    try:
        value = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        raise ValueError(f"{ask.item}: {text!r} is no number; write it like 17.5") from None
    low, high = ask.low, _MOST if ask.high is None else ask.high
    if not value.is_finite() or (low is not None and value < low) or value > high:
        raise ValueError(f"{ask.item}: {text!r} is not between {low} and {high}; correct it")
    if value != round(value, 2):
        raise ValueError(f"{ask.item}: {text!r} has more than two places; round it")
    return value


def close(connection: Connection, which: Iterable[Panel], by: Actor) -> list[Panel]:
    """Close panels: no more ratings are taken, and their means count where enough have rated."""
    made = []
    for one in which:
        _refuse_approved(connection, one.card, one.period)
        closed = panels.close(connection, one, by)
        record(
            connection, by, "360 closed", one.card, one.period, one.person, party=one.party, rated=closed.rated,
            counts=closed.counts,
        )  # fmt: skip
        made.append(closed)
    return made


def to_close(
    connection: Connection, card: str, period: str, person: str | None = None, party: str | None = None
) -> list[Panel]:
    """The open panels of a card and period, of one person or party where given. Raises AbsentError where there is none."""
    found = [
        one
        for one in panels.newest(connection, card, period)
        if not one.closed and person in (None, one.person) and party in (None, one.party)
    ]
    if not found:
        raise AbsentError(f"no panel of {card} in {period} is open" + (f" for {person}" if person else ""))
    return found


def leave_nothing(database: Database) -> None:
    """Overwrite what a ballot or a closed panel has left behind in the database's own files, as far as this client may."""
    with suppress(StoreError):
        database.wipe(*panels.WIPED)


def refuse_polled(connection: Connection, card: str, period: str, entries: Iterable[Entry]) -> None:
    """Raises RefusedStepError for values by name that a panel gives: one that is open, or that enough have rated in."""
    taken = {
        (panel.person, ask.item, ask.field): panel
        for panel in panels.newest(connection, card, period)
        if not panel.closed or panel.counts
        for ask in panel.asks
    }
    for entry in entries:
        panel = taken.get((entry.person, entry.item, entry.field))
        if panel is not None and entry.value is not None:
            raise RefusedStepError(
                f"{entry.item} of {entry.person} is rated by {len(panel.raters)} anonymous raters ({panel.party}); leave it out here"
            )


def refuse_open(connection: Connection, card: str, period: str) -> None:
    """Raises RefusedStepError while panels of the run are open: their ratings would be lost."""
    if open_ := [one for one in panels.newest(connection, card, period) if not one.closed]:
        first = ", ".join(f"{one.person} ({one.party}, {one.rated} of {len(one.raters)})" for one in open_[:10])
        more = f" and {len(open_) - 10} more" if len(open_) > 10 else ""
        raise RefusedStepError(
            f"{len(open_)} panels are open: {first}{more}; close them first (`deskpulse score 360 close {card} --period {period}`)"
        )


def _refuse_approved(connection: Connection, card: str, period: str) -> None:
    run = look_up(connection, card, period)
    if run is not None and run.state != "prepared":
        raise RefusedStepError(f"the run of {card} in {period} is {run.state}: people are rated before that")


def told(panel: Panel) -> str:
    """Where a panel stands, in words."""
    have = f"{panel.rated} of {len(panel.raters)} have rated"
    if not panel.closed:
        return f"open, {have}"
    if panel.counts:
        return f"closed, {have}"
    return f"closed, {have}: fewer than {panel.least} are not anonymous, so it does not count"


def mean_of(panel: Panel, item: str) -> str | None:
    """The mean of an item, as people read it; None: there is none."""
    value = next((given.mean for id, _, given in panel.polled() if id == item), None)
    return None if value is None else shown(value)
