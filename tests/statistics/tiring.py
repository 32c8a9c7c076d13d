"""Agents who tire and agents who do not: on how many days a rule on fatigue warns of them, and how soon."""

from __future__ import annotations

from math import exp
from random import Random
from typing import Any

from streams.alerts.evaluate import watches
from streams.alerts.rules import Rule
from streams.back_test.chance import Alone
from streams.contacts.contact import Signals
from streams.contacts.feedback import strain
from streams.contracts.outputs import Sums
from streams.kpi.formulas import formulas
from streams.kpi.measures import add
from streams.kpi.policy.model import Policy
from streams.windows.clock import Days
from tests.statistics.alerts import ruled

_POLICY = Policy(time_zone="UTC")
_DAYS = Days(_POLICY.zone)
#: A Monday (minutes since 1970), eight in the morning; a shift has eight hours.
_BEGINS, _MINUTES = (20_514 + 4) * 1440 + 480, 480
#: What docs/notify.md advises, the same without a margin, and what was advised against.
TIRED = {"kpi": "fatigue_index", "window": "today", "test": "bound", "above": 0.25, "min_n": 20, "scope": ["agent"]}
TIRED_AT_ALL = TIRED | {"above": 0}
NAIVE_TIRED = {"kpi": "fatigue_index", "window": "today", "above": 0.5, "min_n": 20, "scope": ["agent"]}


def shift(
    random: Random, silences: float, uneven: float, tires: float = 1, longer: float = 1, few: bool = False
) -> dict[int, Sums]:
    """Panes of an agent's shift: 6 to 10 contacts in its first hour (``few``: 2 to 4), 35 to 60 after it, with so many silences on average at 190 words a
    minute or so. ``uneven``: their variance over their mean, 1 or more. ``tires``: how many times as many there are after the first hour;
    ``longer``: contacts grow so much longer over the shift, silences with them.
    """
    panes: dict[int, Sums] = {}
    for first, many in ((True, random.randint(*((2, 4) if few else (6, 10)))), (False, random.randint(35, 60))):
        for _ in range(many):
            at = random.uniform(0, 60) if first else random.uniform(60, _MINUTES)
            mean = silences * (1 if first else tires) * (1 + (longer - 1) * at / _MINUTES)
            if uneven > 1:
                mean = random.gammavariate(mean / (uneven - 1), uneven - 1)
            rate = max(random.gauss(190, 18), 90)
            told = Signals(speech_rate=round(rate * 1000), silences=_poisson(random, mean), shift=round(at * 60_000))
            add(panes.setdefault(_BEGINS + int(at), {}), strain(told))
    return panes


def _poisson(random: Random, mean: float) -> int:
    still, n = random.random(), 0
    while still > exp(-mean):
        still, n = still * random.random(), n + 1
    return n


def warned(
    fields: dict[str, Any], days: int, silences: float, uneven: float, seed: int = 1, **ways: Any
) -> list[float]:
    """When it first warns on each of so many days on which it does, in minutes after the shift's begin."""
    rule, found = ruled(fields), []
    for day in range(days):
        alone = Alone(_watch(rule), "agent|x", _DAYS)
        alone.live(shift(Random(seed * 100_000 + day), silences, uneven, **ways))
        found += [at / 60_000 - _BEGINS for at in alone.fired[:1]]
    return found


def _watch(rule: Rule) -> Any:
    (found,) = watches([rule], formulas(_POLICY), _POLICY)["agent"]
    return found
