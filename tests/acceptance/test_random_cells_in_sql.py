"""Figures drawn by lot from a month whose policy changes on the 15th, asked of the database by SQL, are those of the daily facts: of every KPI
but four, entity and interval, percentiles, intervals and what is still to mature among them.
"""

from __future__ import annotations

from streams.history.formulas import NOT_IN_SQL
from streams.kpi.catalog import KPIS
from tests.support.histories import history_of
from tests.support.random_cells import CELLS, LEFT_OUT, cells_by_sql, month, policy


def test_figures_drawn_by_lot_are_the_same_by_sql() -> None:
    assert {id for id, kpi in KPIS.items() if kpi.live} | NOT_IN_SQL == LEFT_OUT
    with history_of(month()[1], policy()) as history:
        cells_by_sql(history, CELLS, 1)
