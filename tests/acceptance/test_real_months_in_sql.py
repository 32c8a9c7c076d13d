"""A real month in the history: every row of the references by SQL alone, every measure of the facts by its records, and from an agent's
figure to its contacts and back.

``python -m tests.acceptance.test_real_months_in_sql ../shared/data/bank-august postgresql://…`` does the same on a PostgreSQL.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from streams.contracts.decode import encode
from streams.contracts.outputs import EntityKind
from streams.entities.daily_facts import Period
from streams.history.questions import Part, Question, Questions
from streams.history.store import History
from streams.kpi.policy.model import Policy
from streams.pipeline import run
from tests.support.histories import history_of, query, sums_are_those_of_the_counts
from tests.support.real_months import (
    EVERY_ID,
    EXACT,
    SPAN_DAYS,
    Export,
    Rows,
    compare,
    compare_with_reference,
    reference,
    reference_rows,
    shuffled,
)

POLICY = Policy(allowed_lateness_days=SPAN_DAYS, max_customer_contacts_per_day=EVERY_ID)
#: KPIs that this month has data for, beside its references' own: of every form but levels.
_KPIS = (
    "offered_calls", "abandonment_rate", "service_level_20s", "average_speed_of_answer", "average_handle_time", "handled_contacts",
    "repeat_contact_rate", "fcr",
)  # fmt: skip
_PARTS: tuple[Part, ...] = ("numerator", "rest", "pending")
#: Measures that are compared as they are; one that nothing added to has no row.
SUMS = (*EXACT.values(), "calls_abandoned", "calls_missed")


def _rows(history: History, kind: EntityKind, view: str, period: str, sums: str) -> Rows:
    """KPIs by a view, and measures by sums, of what they are of."""
    rows: defaultdict[tuple[str, str], dict[str, float | None]] = defaultdict(
        lambda: defaultdict(lambda: None, dict.fromkeys(SUMS, 0.0))
    )
    told = query(
        history,
        f"SELECT id, {period}, measure, SUM(amount) FROM {sums} WHERE kind = '{kind}' GROUP BY id, {period}, measure",
    )
    told += query(
        history,
        f"SELECT id, {period}, kpi, value FROM kpis_by_{view} WHERE kind = '{kind}' AND value IS NOT NULL",
    )
    for id, of, name, value in told:
        rows[id, of][name] = float(value)
    return rows


def from_sql(history: History) -> Export:
    """What SQL says of entities; ``total``: of the one month that there is."""

    def export(kind: EntityKind, per: Period) -> Rows:
        if per == "day":
            return _rows(history, kind, "day", "CAST(date AS text)", "history_sums_by_day")
        sums = "(SELECT s.*, d.month FROM history_sums_by_day s JOIN history_days d ON d.date = s.date) s"
        return {(id, "total"): row for (id, _), row in _rows(history, kind, "month", "month", sums).items()}

    return export


def days(history: History, folder: Path, until: str) -> int:
    """Every row of the references by day, and by agent and day, before a date; returns how many were compared."""
    export = from_sql(history)
    compared = 0
    for kind, file in (("all", "reference.day.csv"), ("agent", "reference.agent_day.csv")):
        found = export(kind, "day")  # type: ignore[arg-type]
        for key, expected in reference(folder / file, *(("day",) if kind == "all" else ("agent", "day"))):
            if key[0] != "(none)" and key[-1] < until:
                compare(expected, found["all" if kind == "all" else key[0], key[-1]], key)
                compared += 1
    return compared


def hours(history: History, folder: Path, until: str) -> int:
    """The same of those by hour."""
    sums = "(SELECT s.*, s.hour AS starts FROM (SELECT kind, id, measure, amount, hour FROM history_sums_by_quarter_hour) s) s"
    found = dict(_rows(history, "all", "hour", "starts", sums))
    compared = 0
    for (hour,), expected in reference(folder / "reference.hour.csv", "hour"):
        if hour >= until:
            continue
        row = found.pop(("all", hour.replace("T", " ")[:16]), None)
        if row is None:  # contacts that left the menu only: nothing was offered, and nobody handled any
            assert not any(expected[column] for column in ("offered", "answered", "abandoned", "csat_n", "repeat7_n"))
            continue
        compare(expected, row, (hour,))
        assert row["calls_abandoned"] == expected["abandoned"], hour
        compared += 1
    assert not found
    return compared


def records_are_the_facts(history: History) -> int:
    """Each measure of each entity and day by records is that of the facts; returns how many there are."""
    each = "json_each(h.sums) j" if history.database.sqlite else "jsonb_each_text(h.sums) j(key, value)"
    number = "j.value" if history.database.sqlite else "j.value::bigint"
    by_records, by_facts = (
        {
            tuple(map(str, row[:4])): int(row[4])
            for row in query(history, f"SELECT h.kind, h.id, h.date, j.key, SUM({number}) FROM {table} h CROSS JOIN {each} GROUP BY 1, 2, 3, 4")
            if row[4]
        }
        for table in ("history_counts_by_entity", "history_facts")
    )  # fmt: skip
    assert by_records == by_facts
    return len(by_facts)


def figures_lead_to_contacts_and_back(history: History, questions: int, seed: int) -> Counter[str]:
    """An agent's or the desk's figure of a day or quarter hour, the contacts behind it, and their sum again; how many of which kind."""
    rng, asked = random.Random(seed), Counter[str]()
    cells = query(
        history,
        "SELECT kind, id, CAST(date AS text), starts, sums FROM history_quarter_hours WHERE kind IN ('agent', 'queue', 'all') ORDER BY cell",
    )
    for kind, id, day, starts, told in rng.choices(cells, k=questions):
        sums = json.loads(told) if isinstance(told, str) else told
        measure = rng.choice(sorted(sums))
        side = "staff" if kind == "agent" else "desk"
        whose = "TRUE" if kind == "all" else f"c.{kind} = :id"
        behind = query(
            history,
            f"SELECT h.record, h.outcome, c.{side} FROM history_counts c JOIN history_contacts h ON h.date = c.date AND h.record = c.record "
            f"WHERE {whose} AND c.day = CAST(:day AS {'text' if history.database.sqlite else 'date'}) AND c.starts = :starts",
            id=id,
            day=day,
            starts=starts,
        )
        parts = [(json.loads(own) if isinstance(own, str) else own or {}, outcome) for _, outcome, own in behind]
        numerator = [(own[measure], outcome) for own, outcome in parts if own.get(measure)]
        rest = [outcome for own, outcome in parts if not own.get(measure)]
        assert sum(amount for amount, _ in numerator) == sums[measure], (kind, id, starts, measure)
        assert len(numerator) + len(rest) == len(parts)
        asked.update({"questions": 1, "contacts": len(numerator), "of the rest": len(rest)})
        asked.update(f"{outcome}" for outcome in {outcome for _, outcome in numerator})
    return asked


def figures_add_up(history: History, questions: int, seed: int) -> Counter[str]:
    """Random figures of agents and of the whole, of days and of hours: the list behind each, its sum, and the figure that SQL has."""
    rng, asked, told = random.Random(seed), Questions(history.database, POLICY), Counter[str]()
    sql = {
        (f"{kind}|{id}", str(day), kpi): (value, n)
        for kind, id, day, kpi, value, n in query(history, "SELECT kind, id, date, kpi, value, n FROM kpis_by_day WHERE kind IN ('agent', 'all')")
        if kpi in _KPIS
    }  # fmt: skip
    for entity, day, kpi in rng.choices(sorted(sql), k=questions):
        at = date.fromisoformat(day)
        first = rng.randrange(23)
        hours = rng.choice((None, (f"{first:02}:00", f"{rng.randrange(first + 1, 25):02}:00")))
        answer = asked.behind(Question(kpi, entity, at, at, hours=hours))
        assert answer.adds_up, (entity, day, kpi, hours)
        own = Counter(item.part for item in answer.items)
        assert sum(item.top for item in answer.items if item.part == "numerator") == answer.top
        if hours is None:
            assert (answer.figure.value, answer.figure.n) == sql[entity, day, kpi], (entity, day, kpi)
        told.update({"questions": 1, "of hours": int(hours is not None), "contacts": len(answer.items)})
        told.update({f"contacts {part}": own[part] for part in _PARTS})
        told.update({"left out": len(asked.left_out(answer.question))} if rng.random() < 0.1 else {})
    return told


def test_a_real_month_by_sql_alone(shared_data: Path) -> None:
    """January of one of them; all of both is a minute's work: ``python -m``."""
    folder, until = shared_data / "pwc", "2021-01-15"
    events = [event for event in shuffled(folder) if event.time.date().isoformat() < until]
    result = run(map(encode, events), POLICY, records=True)
    assert not result.rejected
    with history_of(result, POLICY) as history:
        told = dict(check(history, folder, until, questions=50))
    assert told["rows by day, and by agent and day"] == 14 * 9
    assert told["rows by hour"] > 100


def check(history: History, folder: Path, until: str, questions: int) -> Iterator[tuple[str, object]]:
    """Hold what a history says to references, facts and contacts, one after the other; gives how much of each there was."""
    offered = query(
        history, "SELECT SUM(amount) FROM history_sums_by_day WHERE kind = 'all' AND measure = 'calls_offered'"
    )
    yield "offered", int(offered[0][0])
    yield "rows by day, and by agent and day", days(history, folder, until)
    yield "rows by hour", hours(history, folder, until)
    yield "measures of entities' days", records_are_the_facts(history)
    yield "cells", sums_are_those_of_the_counts(history)
    asked = figures_lead_to_contacts_and_back(history, questions, 7)
    assert asked["answered"] > questions / 3
    yield "from figures to contacts", dict(asked)
    yield "from lists to figures", dict(figures_add_up(history, questions, 7))


if __name__ == "__main__":
    of = Path(sys.argv[1])
    whole = run(map(encode, shuffled(of)), POLICY, records=True)
    with history_of(whole, POLICY, *sys.argv[2:]) as kept:
        print(dict(check(kept, of, "9999", 1000)))
        if of.name == "bank-august":  # the one month whose agents' totals are a month's
            print("rows with agents' totals", compare_with_reference(from_sql(kept), of), "of", reference_rows(of))
