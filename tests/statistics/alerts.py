"""Desks in which nothing changes, and desks that collapse: how often a rule calls people for nothing, and how soon for something."""

from __future__ import annotations

from heapq import heapreplace
from random import Random
from statistics import median
from typing import Any

from streams.alerts.evaluate import Watch, watches
from streams.alerts.rules import Rule, read_rules
from streams.back_test.chance import Alone
from streams.contracts.outputs import Sums
from streams.kpi.formulas import formulas
from streams.kpi.policy.model import Policy
from streams.windows.clock import Days

_POLICY = Policy(time_zone="UTC")
_DAYS = Days(_POLICY.zone)
#: A Monday (days since 1970); a day has ten hours from eight on, a week five days; a rule has two weeks to learn.
_MONDAY, _OPENS, _HOURS, _LEARNS = 20_514 + 4, 480, 10, 2
#: What the first rule was before it was chosen by its false alarms.
NAIVE = {"kpi": "csat", "window": "30m", "below": 0.8, "clear": 0.85, "min_n": 5, "for": 60}
NAIVE_FIRST_RESPONSE = {
    "kpi": "first_response_30s_rate",
    "window": "5m",
    "below": 0.9,
    "clear": 0.93,
    "min_n": 5,
    "for": 60,
}
NAIVE_REPEATS = {"kpi": "repeat_complaint_rate", "window": "today", "above": 0.2, "clear": 0.15, "min_n": 5}
#: Other shares than satisfaction, by the measures of their hits and their cases.
FIRST_RESPONSES = "first_responses_within_30s", "first_responses_due"
REPEATS = "repeat_complaints", "complaints"
#: The rule of docs/policy-and-alerts.md that watches agents.
AGENT_FELL = {
    "kpi": "csat", "test": "cusum", "from": 0.85, "to": 0.6, "false_per_week": 0.02, "min_n": 8, "scope": ["agent"],
}  # fmt: skip
BOUND = NAIVE | {"min_n": 20, "test": "bound"}
NAIVE_LEVEL = {"kpi": "service_level_20s", "window": "5m", "below": 0.8, "clear": 0.85, "min_n": 10, "for": 60}


def ruled(fields: dict[str, Any]) -> Rule:
    """A rule of these fields."""
    (made,) = read_rules({"rules": [{"id": "r", "zh": "某", "en": "some", "scope": ["queue"]} | fields]})
    return made


def _watch(rule: Rule) -> Watch:
    kind = "queue" if "queue" in rule.scope else rule.scope[0]
    (found,) = watches([rule], formulas(_POLICY), _POLICY)[kind]
    return found


def _entity(rule: Rule) -> str:
    return "queue|q" if "queue" in rule.scope else f"{rule.scope[0]}|x"


def rated(
    random: Random,
    weeks: int,
    a_half_hour: float,
    spread: float,
    rate: float = 0.85,
    falls_to: float | None = None,
    weeks_fallen: int = 0,
    of: tuple[str, str] = ("csat_satisfied", "csat_ratings"),
) -> dict[int, Sums]:
    """Panes of weeks with so many ratings in a half hour; ``spread``: of the days' own rates. In the middle of the last day it falls, or
    so many weeks before. ``of``: another share, by the measures of its hits and its cases.
    """
    hits, cases = of
    panes: dict[int, Sums] = {}
    falls = _falls(weeks, weeks_fallen)
    for day in (day for day in range(7 * weeks) if day % 7 < 5):
        own = min(max(random.gauss(rate, spread), 0.01), 0.99)
        at = random.expovariate(a_half_hour / 30)
        while at < _HOURS * 60:
            fallen = falls_to is not None and day * 1440 + at >= falls
            sums = panes.setdefault((_MONDAY + day) * 1440 + _OPENS + int(at), {cases: 0, hits: 0})
            sums[cases] += 1
            sums[hits] += random.random() < (falls_to if fallen and falls_to is not None else own)
            at += random.expovariate(a_half_hour / 30)
    return panes


def _falls(weeks: int, weeks_fallen: int = 0) -> int:
    """The minute in which it falls, as `rated` counts them: the middle of a Friday."""
    return (7 * (weeks - weeks_fallen - 1) + 4) * 1440 + _HOURS * 30


def queued(random: Random, weeks: int, a_half_hour: float, agents: int, patience: float = 180) -> dict[int, Sums]:
    """Panes of a queue in which nothing changes: calls of four minutes (log-normal) to so many agents, callers of so much patience (s)."""
    panes: dict[int, Sums] = {}
    for day in (day for day in range(7 * weeks) if day % 7 < 5):
        free = [0.0] * agents
        at = random.expovariate(a_half_hour / 30)
        while at < _HOURS * 60:
            wait = max(0.0, free[0] - at)
            gone = wait > (stays := random.expovariate(60 / patience))
            done = at + (stays if gone else wait)
            if not gone:
                heapreplace(free, at + wait + random.lognormvariate(1.066, 0.8))
            sums = panes.setdefault((_MONDAY + day) * 1440 + _OPENS + int(done), {})
            for id, counts in (("calls_offered", True), ("calls_answered_within_20s", not gone and wait <= 1 / 3)):
                sums[id] = sums.get(id, 0) + counts
            at += random.expovariate(a_half_hour / 30)
    return panes


def false_a_week(rule: Rule, panes: dict[int, Sums], weeks: int) -> float:
    """How often a week it fires, after the weeks in which it learns."""
    alone = Alone(_watch(rule), _entity(rule), _DAYS)
    alone.live(panes)
    begins = (_MONDAY + 7 * _LEARNS) * 86_400_000
    return sum(at >= begins for at in alone.fired) / (weeks - _LEARNS)


def delays(
    rule: Rule,
    times: int,
    a_half_hour: float,
    spread: float,
    falls_to: float,
    weeks: int = 3,
    seed: int = 1,
    **share: Any,
) -> list[float | None]:
    """How many minutes after each fall it fires; None: not on that day. What fired before the fall has told nobody of it."""
    found: list[float | None] = []
    for number in range(times):
        alone = Alone(_watch(rule), "queue|q", _DAYS)
        alone.live(rated(Random(seed + number), weeks, a_half_hour, spread, falls_to=falls_to, **share))
        fell = (_MONDAY * 1440 + _OPENS + _falls(weeks)) * 60_000
        found.append(next(((at - fell) / 60_000 for at in alone.fired if at >= fell), None))
    return found


def said(found: list[float | None]) -> str:
    """Median delay, and how many were found within the hour and on the day."""
    n, told = len(found), [delay for delay in found if delay is not None]
    middle = median([delay if delay is not None else float("inf") for delay in found])
    within = sum(delay <= 60 for delay in told)
    return f"median {middle:.0f} min, {100 * within / n:.0f} % within the hour, {100 * len(told) / n:.0f} % on the day"


def days_until(
    rule: Rule,
    times: int,
    a_half_hour: float,
    falls_to: float,
    weeks: int = 5,
    weeks_fallen: int = 2,
    spread: float = 0.03,
    **share: Any,
) -> list[float]:
    """How many working days after each fall that lasts it fires; infinite: not within these weeks."""
    found = []
    for number in range(times):
        alone = Alone(_watch(rule), _entity(rule), _DAYS)
        alone.live(
            rated(Random(number), weeks, a_half_hour, spread, falls_to=falls_to, weeks_fallen=weeks_fallen, **share)
        )
        fell = _MONDAY * 1440 + _OPENS + _falls(weeks, weeks_fallen)
        after = next((at / 60_000 - fell for at in alone.fired if at / 60_000 >= fell), None)
        found.append(float("inf") if after is None else _working_days(after))
    return found


def _working_days(minutes: float) -> float:
    """Working days from the middle of a Friday on."""
    whole, rest = divmod(minutes + _HOURS * 30, 1440)
    weekends = 2 * ((whole + 4) // 7)
    return max(0.0, whole - weekends + min(rest / (_HOURS * 60), 1) - 0.5)
