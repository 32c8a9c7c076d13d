"""The figures of docs/disputed.md: one real month under every policy that people argue about.

``python -m tests.acceptance.disputed`` computes them from ../shared/data and writes the tables of the page anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from streams.contracts.decode import encode
from streams.contracts.outputs import DailyFacts
from streams.entities.daily_facts import rows
from streams.kpi.catalog import KPIS
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from streams.sources.table.mapping import load_mapping
from streams.sources.table.reader import read_table
from streams.sources.table.rows import ReadRow
from streams.windows.clock import instant
from tests.support import ROOT

PAGE = ROOT / "docs" / "disputed.md"
MAPPING = ROOT / "tests" / "mappings" / "bank-august.yaml"
DENOMINATORS = ("offered", "answered", "answered_and_abandoned", "offered_less_short_abandons")
SHORT = (0, 5, 10)
#: Just less than 20 s: waits of the file are whole seconds.
LIMITS = {"≤ 20 s": 20.0, "< 20 s": 19.999}
#: (days, what the same matter is)
RETURNS = ((1, "any"), (3, "any"), (7, "any"), (7, "queue"))


@dataclass(frozen=True)
class Month:
    """What a month came to under one policy."""

    policy: Policy
    facts: tuple[DailyFacts, ...]
    now: int

    @property
    def sums(self) -> dict[str, int]:
        """Of the whole operation, over all days."""
        total: dict[str, int] = {}
        for fact in self.facts:
            for name, amount in fact.sums.items():
                total[name] = total.get(name, 0) + amount
        return total


class Disputed:
    """The month of the anonymous bank, counted under each policy once."""

    def __init__(self, shared_data: Path) -> None:
        mapping = load_mapping(MAPPING)
        table = read_table(shared_data / "bank-august" / "calls.csv.gz", mapping)
        self._raws = [encode(event) for row in table if isinstance(row, ReadRow) for event in row.events]
        self.month = cache(self._month)

    def _month(self, seconds: float = 20.0, short: float = 0, days: float = 7, matter: str = "any") -> Month:
        # Every id is one customer, as in the reference: how many callers share one is a question of its own.
        shared = {"max_customer_contacts_per_day": 1000}
        values = {"repeat_days": days, "fcr_days": days, "same_matter": matter, **shared}
        policy = Policy.model_validate({"service_level_seconds": seconds, "short_abandon_seconds": short, **values})
        done = run(self._raws, policy)
        facts = tuple(fact for fact in done.facts.values() if fact.entity == "all|all")
        return Month(policy, facts, done.now or 0)

    def counted(self) -> Iterator[Month]:
        """Every policy under which something else is counted."""
        for (days, matter), seconds, short in zip(RETURNS, (20.0, 19.999, 20.0, 20.0), (0, 5, 10, 0), strict=True):
            yield self.month(seconds, short, days, matter)

    def service_level(self) -> list[tuple[str, str, str, int]]:
        """Denominator, short-abandon limit, then per limit of the wait the rate in per cent, and what it is a share of."""
        within, short = {}, {}
        for month in self.counted():
            within[month.policy.service_level_seconds] = month.sums["calls_answered_within_20s"]
            short[month.policy.short_abandon_seconds] = month.sums.get("calls_abandoned_short", 0)
        sums = next(self.counted()).sums
        found = []
        for denominator in DENOMINATORS:
            for limit in SHORT if denominator == "offered_less_short_abandons" else (0,):
                policy = Policy(service_level_denominator=denominator, short_abandon_seconds=limit)
                figures = [
                    KPIS["service_level_20s"].figure(
                        {**sums, "calls_answered_within_20s": within[seconds], "calls_abandoned_short": short[limit]},
                        policy,
                        "desk",
                    )
                    for seconds in LIMITS.values()
                ]
                name = f"`{denominator}`" + (f", {limit} s" if denominator == "offered_less_short_abandons" else "")
                found.append((name, *(f"{figure.value:.2%}" for figure in figures), figures[0].n))
        return found

    def abandonment(self) -> list[tuple[str, str, int]]:
        """Short-abandon limit, the rate, how many are no longer abandoned."""
        found = {}
        for month in self.counted():
            limit, sums = month.policy.short_abandon_seconds, month.sums
            value = KPIS["abandonment_rate"].figure(sums, month.policy, "desk").value
            found[limit] = (f"{limit:g} s", f"{value:.2%}", sums.get("calls_abandoned_short", 0))
        return [found[limit] for limit in SHORT]

    def returns(self) -> list[tuple[str, str, int, int]]:
        """Days and matter, share of handled contacts whose customer came back, how many, of how many."""
        found = []
        for month in self.counted():
            sums = month.sums
            figure = KPIS["repeat_contact_rate"].figure(sums, month.policy, "desk")
            found.append((_variant(month.policy), f"{figure.value:.2%}", sums["repeat_contacts"], figure.n))
        return found

    def first_contact(self) -> list[tuple[str, str, int, str, int]]:
        """Days and matter, FCR of the days that have matured and its n, FCR as if all had, and its n."""
        found = []
        for month in self.counted():
            matured, early = (_row(month, now) for now in (instant(month.now), None))
            found.append(
                (
                    _variant(month.policy),
                    f"{matured['fcr']:.2%}",
                    matured["fcr.n"],
                    f"{early['fcr']:.2%}",
                    early["fcr.n"],
                )
            )
        return found

    def tables(self) -> dict[str, str]:
        """Name → the table, as the page has it."""
        made = {
            "service-level": _table(("denominator", *LIMITS, "share of"), self.service_level()),
            "abandonment": _table(
                ("short-abandon limit", "abandonment rate", "no longer abandoned"), self.abandonment()
            ),
            "returns": _table(("days, same matter", "came back", "contacts", "of"), self.returns()),
        }
        if "fcr" in KPIS:
            head = ("days, same matter", "FCR of matured days", "contacts", "FCR as if all had matured", "contacts")
            made["fcr"] = _table(head, self.first_contact())
        return made


def shown(name: str) -> str:
    """A table as the page has it now."""
    found = re.search(_between(name), PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, name
    return found[2].strip()


def _between(name: str) -> str:
    return rf"(<!-- table: {name} -->\n)(.*?)(<!-- end -->)"


def _row(month: Month, now: datetime | None) -> dict[str, Any]:
    (row,) = rows(month.facts, "total", month.policy, now)
    return dict(row)


def _variant(policy: Policy) -> str:
    days = f"{policy.repeat_days:g} day" + ("" if policy.repeat_days == 1 else "s")
    return f"{days}, `{policy.same_matter}`"


def _table(head: tuple[str, ...], lines: list[tuple[Any, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *lines]
    return "\n".join(
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line) + " |" for line in cells
    )


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for name, table in Disputed(ROOT.parent / "shared" / "data").tables().items():
        text = re.sub(_between(name), lambda found, new=table: f"{found[1]}{new}\n{found[3]}", text, flags=re.DOTALL)
    PAGE.write_text(text, encoding="utf-8")
