"""What events contribute between two cycles: a tally for each partition number that causes it, and the messages it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from streams.contacts.slots import Tally
from streams.contracts.outputs import Cell, Contribution, Contributions, Planned
from streams.windows.clock import EventClock

_encode = msgspec.json.Encoder().encode

#: Events of one tally at most: whoever catches up may take in months between two cycles, of which one entity gets all.
_MOST_EVENTS = 10_000
#: Sums in a message for several entities at most, some 40 bytes each; an entity itself counts as some of them.
_SUMS_A_MESSAGE, _SUMS_AN_ENTITY = 12_000, 5


@dataclass
class _Open:
    """A tally, how many events are in it, and the highest clock among its sources then (ms)."""

    tally: Tally = field(default_factory=Tally)
    events: int = 0
    clock: int = 0


class ContributionBuffer:
    """``partition``: key of an entity → the number of the partition that it lives in."""

    def __init__(self, partition: Callable[[str], int]) -> None:
        self._partition = partition
        #: By partition number.
        self._open: dict[int, _Open] = {}
        self._messages: list[tuple[int, int, bytes]] = []

    def of(self, number: int) -> Tally:
        """Where what the events of a partition number contribute is added up."""
        return self._of(number).tally

    def record(self, number: int, events: int, clock: EventClock) -> None:
        """So many events of a partition number have been added up, as of this clock."""
        own = self._of(number)
        own.events += events
        own.clock = max(own.clock, clock.now or 0)
        if own.events > _MOST_EVENTS:
            self._messages += self._close(number)

    def drain(self) -> list[tuple[int, int, bytes]]:
        """(partition number, number of the entities' partition, message) of all that has been added up; nothing is left."""
        for number in list(self._open):
            self._messages += self._close(number)
        taken, self._messages = self._messages, []
        return taken

    def _of(self, number: int) -> _Open:
        own = self._open.get(number)
        if own is None:
            own = self._open[number] = _Open()
        return own

    def _close(self, number: int) -> Iterator[tuple[int, int, bytes]]:
        own = self._open.pop(number)
        shares: dict[int, list[tuple[str, Contribution]]] = {}
        for key, contribution in own.tally.contributions().items():
            shares.setdefault(self._partition(key), []).append((key, contribution))
        for target, share in shares.items():
            for part in _parts(share):
                yield number, target, _encode(Contributions(clock=own.clock, to=part))


def _parts(share: Iterable[tuple[str, Contribution]]) -> Iterator[dict[str, Contribution]]:
    """The contributions to entities as messages of a fair size; an entity that has more is in several."""
    message: dict[str, Contribution] = {}
    weight = 0
    for key, contribution in share:
        own = _SUMS_AN_ENTITY + sum(len(each.sums) for each in _all(contribution))
        pieces = _pieces(contribution) if own > _SUMS_A_MESSAGE else (contribution,)
        for piece in pieces:
            if message and weight + own > _SUMS_A_MESSAGE:
                yield message
                message, weight = {}, 0
            message[key] = piece
            weight += own
    if message:
        yield message


def _all(contribution: Contribution) -> tuple[Cell | Planned, ...]:
    return (*contribution.cells, *contribution.planned)


def _pieces(contribution: Contribution) -> Iterator[Contribution]:
    """A large contribution in pieces, each of no more sums than a message should have."""
    piece, weight = Contribution(waiting=contribution.waiting, left=contribution.left, team=contribution.team), 0
    for each in _all(contribution):
        if weight and weight + len(each.sums) > _SUMS_A_MESSAGE:
            yield piece
            piece, weight = Contribution(), 0
        if isinstance(each, Cell):
            piece.cells.append(each)
        else:
            piece.planned.append(each)
        weight += len(each.sums)
    yield piece
