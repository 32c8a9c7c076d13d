"""What a run freezes line by line: its facts, a line a day; its result, a line a person. Neither is ever in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from msgspec.structs import replace

from scoring.runs.lines import Lines
from streams.contracts.outputs import DailyFacts, Score

_fact = msgspec.json.Decoder(DailyFacts).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def _line(fact: DailyFacts) -> bytes:
    # What is planned does not count yet; and its keys, moments, cannot be sorted.
    return _encode(replace(fact, planned={}) if fact.planned else fact)


@dataclass(frozen=True)
class Facts:
    """Daily facts in order of entity and date; each time they are asked for, decoded one by one."""

    lines: Lines

    @classmethod
    def of(cls, facts: Iterable[DailyFacts]) -> Facts:
        """These facts. In order, as readers give them, they pass through; else they are sorted in memory."""
        rest: list[DailyFacts] = []
        lines = Lines.of(map(_line, _in_order(iter(facts), rest.extend)))
        if not rest:
            return cls(lines)
        return cls(Lines.of(map(_line, sorted((*cls(lines), *rest), key=_place))))

    def __iter__(self) -> Iterator[DailyFacts]:
        return map(_fact, self.lines)

    def about(self, entities: Iterable[str]) -> Iterator[DailyFacts]:
        """Those of some entities; the others are not even decoded."""
        marks = [b'"entity":' + _encode(entity) for entity in entities]
        return (_fact(line) for line in self.lines if any(mark in line for mark in marks))

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None


def _in_order(facts: Iterator[DailyFacts], left: Callable[[Iterable[DailyFacts]], None]) -> Iterator[DailyFacts]:
    """The facts as far as they are in order; the first that is not, and all behind it, go to ``left``."""
    before = ("", date.min)
    for fact in facts:
        place = _place(fact)
        if place < before:
            left([fact, *facts])
            return
        before = place
        yield fact


def _place(fact: DailyFacts) -> tuple[str, date]:
    return fact.entity, fact.date


class _Who(msgspec.Struct, array_like=True):
    person: str
    team: str | None


class _Line(_Who, array_like=True):
    score: msgspec.Raw
    outcome: msgspec.Raw
    closed: msgspec.Raw


class _Published(_Who, array_like=True):
    score: Score


class Counted(msgspec.Struct):
    """An item by what its figure rests on; ``pending``: what has not matured."""

    id: str
    name_zh: str
    name_en: str
    kpi: str | None
    n: int | None
    pending: int = 0


class _CountedScore(msgspec.Struct):
    items: list[Counted]


class _CountedLine(_Who, array_like=True):
    score: _CountedScore


@dataclass(frozen=True)
class PersonResult:
    """What a frozen result says of one person. ``closed``: what the period adds to their history."""

    person: str
    team: str | None
    score: dict[str, Any]
    outcome: dict[str, Any] | None
    closed: dict[str, Any] | None


def person_line(person: str, team: str | None, score: object, outcome: object, closed: object) -> bytes:
    """A person's line of a result, from plain data."""
    return _encode((person, team, score, outcome, closed))


@dataclass(frozen=True)
class Document:
    """A result as it is frozen: a head with the versions that it rests on, and a line a person, in order of person."""

    lines: Lines

    @classmethod
    def of(cls, head: Mapping[str, Any], people: Iterable[bytes]) -> Document:
        """The result of this head, in plain data, and these lines of people."""

        def lines() -> Iterator[bytes]:
            yield _encode(head)
            yield from people

        return cls(Lines.of(lines()))

    @property
    def head(self) -> dict[str, Any]:
        """All but the people."""
        made: dict[str, Any] = msgspec.json.decode(next(iter(self.lines)))
        return made

    def teams(self) -> dict[str, str | None]:
        """Who is scored → the team that they were in at the period's end."""
        decode = msgspec.json.Decoder(_Who).decode
        return {who.person: who.team for who in map(decode, self._people())}

    def count(self) -> int:
        """How many people it scores."""
        return len(self.lines) - 1

    def items(self) -> Iterator[list[Counted]]:
        """Each person's items by what their figures rest on."""
        decode = msgspec.json.Decoder(_CountedLine).decode
        return (line.score.items for line in map(decode, self._people()))

    def person(self, id: str) -> PersonResult | None:
        """What it says of one person; None where they are not scored."""
        begins = _encode([id])[:-1] + b","
        return next((_read(line) for line in self._people() if line.startswith(begins)), None)

    def __iter__(self) -> Iterator[PersonResult]:
        return map(_read, self._people())

    def scores(self) -> Iterator[Score]:
        """The messages that are published."""
        decode = msgspec.json.Decoder(_Published).decode
        return (line.score for line in map(decode, self._people()))

    def closed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Person → what the period adds to their history."""
        decode = msgspec.json.Decoder(_Line).decode
        for line in map(decode, self._people()):
            if (added := msgspec.json.decode(line.closed)) is not None:
                yield line.person, added

    def whole(self, keep: Callable[[PersonResult], bool] = lambda _: True) -> dict[str, Any]:
        """All of it, or of those people that are kept, as one piece of plain data."""
        head, kept = self.head, [one for one in self if keep(one)]
        outcomes = head.pop("outcomes")
        people = [one.outcome for one in kept if one.outcome is not None]
        return {
            **head,
            "outcomes": None if outcomes is None else {**outcomes, "people": people},
            "scores": [one.score for one in kept],
        }

    def _people(self) -> Iterator[bytes]:
        lines = iter(self.lines)
        next(lines)
        return lines


def _read(line: bytes) -> PersonResult:
    return PersonResult(*msgspec.json.decode(line))
