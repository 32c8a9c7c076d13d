"""A month whose policy changes on the 15th, with something of every KPI, and figures drawn by lot from it, asked of a database by SQL.

``python -m tests.support.random_cells 10000 [postgresql://…]`` asks more than the tests.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from itertools import takewhile
from typing import Any

from msgspec import structs

from streams.catalogue.examples import DAY, _raw, examples
from streams.contracts.decode import Rejected, decode_any, encode
from streams.contracts.events import AnyEvent
from streams.contracts.outputs import Figure, entity_id, entity_kind
from streams.history.store import History
from streams.kpi.catalog import KPIS
from streams.kpi.policy.versions import AnyPolicy, read
from streams.pipeline import Run, run, run_by_interval
from streams.sources.simulated import simulate
from tests.bench.events import START
from tests.support.histories import (
    BY_TOPIC,
    LEVELS,
    Cell,
    Fact,
    by_topic,
    figures_of,
    history_of,
    query,
    same,
    starts_of,
)

CHANGES = date(2026, 3, 15)
#: A worked example of a KPI comes once in so many days; the desk is simulated on these, for so many minutes.
_EVERY, _DESKS, _MINUTES = 14, (13, 14), 20
#: So many figures are asked for in tests.
CELLS = 300
#: No KPI of a stretch of the past: they are of this moment, or what they need is not stored.
LEFT_OUT = {"backlog_age_p90", "calls_waiting", "longest_wait", "staffing_gap"}
#: Interval, and what stands for it in SQL.
VIEWS = {
    "day": "CAST(date AS text)",
    "week": "CAST(week AS text)",
    "month": "month",
    "hour": "starts",
    "quarter_hour": "starts",
    "day_and_contacts": BY_TOPIC,
}


@cache
def policy() -> AnyPolicy:
    """Its formulas, and what counts, are others from the 15th on."""
    peak = dict.fromkeys(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), "10:00-12:00")
    first = {"version": "1", "time_zone": "UTC", "valid_from": None, "peak_hours": peak, "topics": ["refund"]}
    then = {
        "version": "2",
        "valid_from": CHANGES.isoformat(),
        "service_level_denominator": "answered_and_abandoned",
        "service_level_seconds": 10,
        "short_abandon_seconds": 5,
        "first_response_channels": ["chat", "ticket"],
    }
    return read({"versions": [first, then]})


def _moved(event: AnyEvent, days: int, to: str) -> AnyEvent:
    """An event of an example so many days later, of contacts and customers of its own."""
    fields: dict[str, Any] = {"id": f"{to}{event.id}", "time": event.time + timedelta(days=days)}
    for name in ("starts", "ends", "due"):
        if (at := getattr(event, name, None)) is not None:
            fields[name] = at + timedelta(days=days)
    for name in ("contact_id", "customer_id", "corrects"):
        if (id := getattr(event, name, None)) is not None:
            fields[name] = f"{to}{id}"
    return structs.replace(event, **fields)


def _events() -> Iterator[AnyEvent]:
    """Every worked example of the catalogue on some days of the month, and a simulated desk about the middle and the end."""
    told = [example for of in examples().values() for example in of]
    for number, example in enumerate(told):
        for days in range(number % _EVERY, 29, _EVERY):
            for raw in _raw(example):
                event = decode_any(raw)
                assert not isinstance(event, Rejected)
                yield _moved(event, days, f"{number}-{days}-")
    for days in _DESKS:
        begin = START + timedelta(days=days)
        end = begin + timedelta(minutes=_MINUTES)
        yield from takewhile(lambda event, end=end: event.time < end, simulate(3, begin, agents=18))  # type: ignore[misc]


@cache
def month() -> tuple[list[bytes], Run]:
    """What is told of the month, and what comes of it; as of its end."""
    last = DAY + timedelta(days=30)
    events = sorted((event for event in _events() if event.time.date() < last), key=lambda event: event.time)
    raws = [encode(event) for event in events]
    return raws, run(raws, policy(), records=True)


@cache
def figures() -> dict[str, dict[Cell, Figure]]:
    """Every figure that has data, by Python's formulas, by interval."""
    raws, result = month()

    def of(facts: Iterable[Fact], period: Callable[[Any], str]) -> dict[Cell, Figure]:
        return figures_of(facts, period, policy(), result.now)

    facts = result.daily_facts()
    found = {
        "day": of(facts, lambda fact: f"{fact.date}"),
        "week": of(facts, lambda fact: f"{fact.date - timedelta(fact.date.weekday())}"),
        "month": of(facts, lambda fact: f"{fact.date:%Y-%m}"),
        "day_and_contacts": of(by_topic(result, policy()), lambda fact: fact.about),
    }
    for view, minutes in (("hour", 60), ("quarter_hour", 15)):
        parts = run_by_interval(raws, policy(), minutes)[1]
        own = of(parts, starts_of)
        found[view] = {cell: figure for cell, figure in own.items() if cell[2] not in LEVELS}
    return {view: {cell: one for cell, one in own.items() if one.value or one.pending} for view, own in found.items()}


def drawn(found: Mapping[str, Mapping[Cell, Figure]], cells: int, seed: int) -> list[tuple[str, Cell]]:
    """Interval, entity, period and KPI of so many figures: first a KPI by lot, so that each has its share, then the rest."""
    rng = random.Random(seed)
    by_kpi: defaultdict[str, defaultdict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for view, own in found.items():
        for cell in sorted(own):
            by_kpi[cell[2].partition("~")[0]][view].append(cell)
    kpis = sorted(by_kpi)
    taken: list[tuple[str, Cell]] = []
    for number in range(cells):
        of = by_kpi[kpis[number % len(kpis)]]
        view = rng.choice(sorted(of))
        taken.append((view, rng.choice(of[view])))
    return taken


def asked(history: History, view: str, cell: Cell) -> Figure:
    """What SQL says."""
    entity, period, kpi = cell
    of = "percentiles" if _is_percentile(kpi) else "kpis"
    (told,) = query(
        history,
        f"SELECT value, n, low, high, pending FROM {of}_by_{view} WHERE kind = :kind AND id = :id AND {_where(view, period)} AND kpi = :kpi",
        kind=entity_kind(entity),
        id=entity_id(entity),
        period=period,
        kpi=kpi,
    )
    return Figure(*told)


def _is_percentile(kpi: str) -> bool:
    return KPIS[kpi.partition("~")[0]].bound(policy().current(CHANGES), "desk").kind == "percentile"


def _where(view: str, period: str) -> str:
    """The period, and the day in which it lies, by which the database finds it."""
    column = "week" if view == "week" else "date"
    day = "" if view == "month" else f"{column} = '{period[:10]}' AND "
    return f"{day}{VIEWS[view]} = :period"


def cells_by_sql(history: History, cells: int, seed: int) -> Counter[str]:
    """So many figures by SQL are those of the daily facts: n and what is pending exactly, values and bounds to 1e-12. Every KPI and interval
    is among them; returns how many were of which kind.
    """
    found = figures()
    counted: Counter[str] = Counter()
    for view, cell in drawn(found, cells, seed):
        entity, _, kpi = cell
        wanted = found[view][cell]
        assert same({cell: asked(history, view, cell)}, {cell: wanted}) == 1
        counted.update((view, entity_kind(entity), f"kpi {kpi.partition('~')[0]}"))
        counted["pending"] += wanted.pending > 0
        counted["with bounds"] += wanted.low is not None
        counted["percentile"] += _is_percentile(kpi)
    asked_for = {name.removeprefix("kpi ") for name in counted if name.startswith("kpi ")}
    assert KPIS.keys() - asked_for == LEFT_OUT
    for name in (*VIEWS, "agent", "queue", "all", "pending", "with bounds", "percentile"):
        assert counted[name] >= cells // 100, (name, counted[name])
    return counted


if __name__ == "__main__":
    with history_of(month()[1], policy(), *sys.argv[2:3]) as made:
        for of, times in sorted(cells_by_sql(made, int(sys.argv[1]), 3).items()):
            print(f"{times:6} {of}")
