"""The history on a real PostgreSQL: a simulated desk's figures, whose policy changes, in parts by day, for a role that can only read."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from streams.cli import app
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.outputs import DailyFacts
from streams.entities.strata import ByStratum
from streams.history import tables
from streams.history.baselines import hours_of, teams_of
from streams.history.formulas import NOT_IN_SQL
from streams.history.questions import Question, Questions
from streams.history.store import History, Told, open_history
from streams.history.strata import strata
from streams.history.things import things
from streams.kpi.policy.versions import AnyPolicy, read
from streams.pipeline import Run, run
from streams.sources.simulated import simulate
from tests.bench.events import START
from tests.support.desk import POLICY as DESK_POLICY
from tests.support.frozen import stays_as_it_was
from tests.support.histories import (
    every_view,
    figures_of,
    history_of,
    messages,
    query,
    sums_are_those_of_the_counts,
    take,
)
from tests.support.random_cells import CELLS, cells_by_sql, month
from tests.support.random_cells import policy as month_policy
from tests.support.strained import is_the_same_by_sql, strained

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


def a_policy() -> AnyPolicy:
    """One whose formulas change as the first day of the desk ends."""
    return read(
        {
            "versions": [
                {"version": "1", "time_zone": "UTC", "valid_from": None, "fcr_days": 0.01, "day_starts": "01:15"},
                {
                    "version": "2",
                    "valid_from": "2026-03-02",
                    "service_level_denominator": "answered_and_abandoned",
                    "first_response_channels": ["chat", "ticket"],
                },
            ]
        }
    )


def a_desk() -> list[bytes]:
    """Half an hour of it, a part on each day."""
    end = START + timedelta(minutes=30)
    events = takewhile(lambda event: event.time < end, simulate(3, START, agents=18, teams=3))
    return [encoded for event in events if (encoded := encode(event))]


def _by_stratum(history: History, result: Run, policy: AnyPolicy) -> None:
    """Agents' sums by stratum are those that the records of contacts make."""
    measures = {"calls_handled", "handle_seconds", "handle_seconds_squared"}
    compared = 0
    for day in sorted({fact.date for fact in result.daily_facts() if fact.sums}):
        right = ByStratum(policy, measures, day, day, result.now)
        for key, record in result.records.items():
            right.take(key.encode(), record)
        expected = {agent: own for (agent, _), own in right.sums().items()}
        with history.database.read() as connection:
            assert strata(connection, day, measures, policy.current(day)) == expected
        compared += sum(map(len, expected.values()))
    assert compared > 10


def test_postgresql_says_what_python_says_and_lets_analysts_read_alone(postgres_url: str, tmp_path: Path) -> None:
    policy = a_policy()
    raws = a_desk()
    result = run(raws, policy, records=True)
    with open_history(postgres_url, tmp_path, policy) as history:
        history.begin()
        told, at = messages(result), {}
        for number in range(3):  # in several transactions, and much of it twice
            part = {topic: own[number * len(own) // 4 :] for topic, own in told.items()}
            take(history, part, result.now, at)
        assert len({fact.date for fact in result.daily_facts() if fact.sums}) == 2
        compared = every_view(history, result, raws, policy)
        assert min(compared.values()) > 100, compared
        sums_are_those_of_the_counts(history)
        _listed(Questions(history.database, policy), result.daily_facts(), policy, result.now)
        _by_stratum(history, result, policy)
        days = sorted({fact.date for fact in result.daily_facts() if fact.sums})
        offered = sum(sums.get("calls_offered", 0) for *_, sums in hours_of(history, ["all"], days))
        assert offered == sum(
            sums.get("calls_offered", 0)
            for of, *_, sums in things(history.database, days[0], days[1])
            if of == "all|all"
        )
        assert offered == sum(f.sums.get("calls_offered", 0) for f in result.daily_facts() if f.entity == "all|all") > 0
        assert teams_of(history, days)["A102"]
        parts = query(history, "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'history_contacts'::regclass")
        assert parts == [(2,)]
        key = next(iter(result.records))
        take(history, {topics.CONTACT_RECORDS: [Told(key, None)]}, None, at)
        assert query(history, f"SELECT COUNT(*) FROM history_counts WHERE record = '{key}'") == [(0,)]
        with history.database.read() as connection:
            assert (
                compare_metadata(
                    MigrationContext.configure(connection, opts={"include_name": _is_ours}), tables.metadata
                )
                == []
            )
            connection.execute(text("CREATE ROLE analyst_of_history LOGIN"))
            connection.commit()
        granted = CliRunner().invoke(
            app, ["history", "grant", "analyst_of_history"], env={"DESKPULSE_HISTORY": postgres_url}
        )
        assert granted.exit_code == 0, granted.output
        analyst = create_engine(
            make_url(postgres_url).set(drivername="postgresql+psycopg", username="analyst_of_history")
        )
        try:
            with analyst.connect() as connection:
                assert connection.execute(text("SHOW jit")).scalar() == "off"  # whoever asks, without knowing
                assert connection.execute(text("SELECT COUNT(*) FROM kpis_by_day WHERE kpi = 'csat'")).scalar()
                with pytest.raises(ProgrammingError, match="permission denied"):
                    connection.execute(text("DELETE FROM history_contacts"))
        finally:
            analyst.dispose()
        history.forget({"contacts": 1}, date(2026, 3, 3))
        for table in ("contacts", "presence", "counts", "quarter_hours", "topic_days"):
            assert query(history, f"SELECT MIN(date) FROM history_{table}") == [(date(2026, 3, 2),)], table
        sums_are_those_of_the_counts(history)


def test_figures_drawn_by_lot_are_the_same_on_postgresql(postgres_url: str) -> None:
    with history_of(month()[1], month_policy(), postgres_url) as history:
        cells_by_sql(history, CELLS, 2)


def test_days_that_are_over_are_laid_in_order_once_and_say_the_same(postgres_url: str) -> None:
    with history_of(month()[1], month_policy(), postgres_url) as history:
        with history.database.read() as connection:
            days = list(connection.scalars(text("SELECT DISTINCT date FROM history_counts ORDER BY date")))
        today, before = days[-1], [day for day in days if day < days[-1] - timedelta(days=8)]
        with history.database.read() as reading:
            reading.execute(text(f"SELECT count(*) FROM history_counts_{before[0]:%Y%m%d}"))
            assert history.put_in_order(today, 1) == 0, "who reads is not disturbed"
        assert history.put_in_order(today, 2) == 2
        assert history.put_in_order(today, 1000) == len(before) - 2
        assert history.put_in_order(today, 1000) == 0
        with history.database.read() as connection:
            agents = list(
                connection.scalars(text(f"SELECT agent FROM history_counts_{before[0]:%Y%m%d} ORDER BY ctid"))
            )
        assert agents == sorted(agents, key=lambda agent: (agent is None, agent))
        assert len(set(agents)) > 1
        cells_by_sql(history, CELLS, 4)


def test_fatigue_has_the_same_interval_on_postgresql(postgres_url: str) -> None:
    with history_of(run := strained(), DESK_POLICY, postgres_url) as history:
        is_the_same_by_sql(history, run)


def test_postgresql_keeps_contacts_as_they_were_when_facts_were_frozen(postgres_url: str, tmp_path: Path) -> None:
    policy = read({"time_zone": "UTC", "fcr_days": 0.01})
    with open_history(postgres_url, tmp_path, policy) as history:
        history.begin()
        seen = stays_as_it_was(history, policy)
    assert min(seen.values()) > 4, seen


def _listed(asked: Questions, facts: list[DailyFacts], policy: AnyPolicy, now: int | None) -> None:
    """Every twentieth figure, of both days together, and what is behind it: the same sum."""
    figures = figures_of(facts, lambda _: "both", policy, now)
    days = [fact.date for fact in facts if fact.sums]
    for entity, _, kpi in sorted(figures)[::20]:
        if kpi in NOT_IN_SQL:
            continue
        question = Question(kpi, entity, min(days), max(days))
        answer = asked.behind(question)
        assert (answer.figure, answer.adds_up) == (figures[entity, "both", kpi], True), (entity, kpi)
        items = {item.record for item in answer.items}
        assert items.isdisjoint(one.record for one in asked.left_out(question))
        assert len(asked.contacts(sorted(items)[:20])) == min(20, len(items))
    assert asked.course("offered_calls", "all|all", max(days))[1]
    assert asked.day_of("A102", max(days))[3]


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Parts of tables, and versions, are no tables of the metadata."""
    return kind != "table" or name in tables.metadata.tables
