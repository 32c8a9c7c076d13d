"""How long callers wait before they hang up, of waits of which most end otherwise: with an answer, or in another queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, sqrt
from typing import NamedTuple

from streams.contracts.outputs import ContactOutcome, Passage
from streams.kpi.stats.confidence import Z95

#: Of fewer callers who waited so long nobody can tell when half of them have hung up.
_FEW = 20


class Wait(NamedTuple):
    """One wait in a queue (seconds). ``gone``: the caller hung up; else they were there still as it ended."""

    queue: str | None
    seconds: float
    gone: bool


@dataclass(frozen=True)
class Patience:
    """What waits say of callers' patience. ``seconds``: its mean, with its 95 % interval; ``half_gone``: after how many seconds half of all
    callers would have hung up; None: hardly anybody has to wait so long.
    """

    waits: int
    gone: int
    seconds: float
    low: float
    high: float
    half_gone: float | None


def waits_of(passages: Iterable[Passage], outcome: ContactOutcome | None) -> Iterator[Wait]:
    """A call's waits up to its first answer: who has been answered once waits otherwise. Those that last still are left out."""
    each = list(passages)
    for number, passage in enumerate(each, 1):
        answered = passage.answered_at is not None
        if answered or passage.gone:
            hung_up = not answered and number == len(each) and outcome == "abandoned"
            yield Wait(passage.queue, passage.wait_ms / 1000, hung_up)
        if answered:
            return


def patience(waits: Iterable[Wait]) -> Patience | None:
    """Callers' patience; None: nobody has hung up after some time, so that nobody can tell.

    The mean is all time waited by those who hung up: with exponential patience the most likely one, and the one that makes Erlang A fit
    where it is not, as what counts is who hangs up of those who wait as people do here: A. Mandelbaum and S. Zeltyn, Service engineering
    in action: the Palm/Erlang-A queue, with applications to call centers, 2007, 4.2. ``half_gone`` asks nothing of its form: E. L. Kaplan
    and P. Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958) 457.
    """
    every = list(waits)
    gone, total = sum(wait.gone for wait in every), sum(wait.seconds for wait in every)
    if not gone or total <= 0:
        return None
    wide = exp(Z95 / sqrt(gone))
    return Patience(len(every), gone, total / gone, total / gone / wide, total / gone * wide, _half_gone(every))


def _half_gone(waits: list[Wait]) -> float | None:
    ended, hung_up = Counter(wait.seconds for wait in waits), Counter(wait.seconds for wait in waits if wait.gone)
    waiting, still = len(waits), 1.0
    for seconds in sorted(ended):
        still *= 1 - hung_up[seconds] / waiting
        if still <= 0.5:
            return seconds if waiting >= _FEW else None
        waiting -= ended[seconds]
    return None
