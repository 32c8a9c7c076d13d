"""Days of agents with silences and speech rates: figures of fatigue by SQL are those of Python, intervals too."""

from __future__ import annotations

from itertools import chain

import pytest

from streams.contracts import events as e
from streams.history.store import History
from streams.pipeline import Run
from tests.support.desk import Script, figures
from tests.support.histories import query

#: Agent → silences at 100 words a minute of contacts in the first hour of the shift, and of those after it.
AGENTS = {
    "few": ((2, 4), (9, 3)),
    "many": ((2, 4, 3, 5, 8, 1), tuple(range(1, 45))),
    "one": ((4,), (4, 9)),
    "silent": ((4, 2), (0, 0)),
    "wide": ((0, 0, 0, 1), (0, 0, 1)),
    "odd": ((2, 4, 3), (4, 9, 1_000_000)),
}


def strained() -> Run:
    """A day of all of them."""
    script = Script()
    for agent, (first, later) in AGENTS.items():
        for number, silences in enumerate(chain(first, later)):
            contact, shift = f"{agent}-{number}", 600 if number < len(first) else 15_000
            rate = 100 if silences < 1_000_000 else 0.001
            script.call(f"09:{number:02}:00", contact, agent=agent)
            script.at("11:00:00", e.CallAnalysed, contact, speech_rate=rate, silences=silences, shift_seconds=shift)
    return script.run(records=True)


def is_the_same_by_sql(history: History, run: Run) -> None:
    """By day and by month, of each agent."""
    for view in ("day", "month"):
        found = query(
            history,
            f"SELECT id, value, n, low, high FROM kpis_by_{view} WHERE kpi = 'fatigue_index' AND kind = 'agent'",
        )
        told = {id: figure for id, *figure in found}
        assert told.keys() == AGENTS.keys()
        for agent, (value, n, low, high) in told.items():
            wanted = figures(run, f"agent|{agent}")["fatigue_index"]
            assert (value, n) == (pytest.approx(wanted.value), wanted.n)
            assert (low, high) == (pytest.approx(wanted.low), pytest.approx(wanted.high))
        assert {agent for agent, (_, _, low, _) in told.items() if low is not None} == {"few", "many", "wide"}
