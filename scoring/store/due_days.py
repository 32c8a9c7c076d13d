"""By when each step of a run is due: days that HR sets, which remind and refuse nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import Connection, delete, insert, select

from scoring.store.audit import Actor, record
from scoring.store.tables import due_days

#: Sheets of inputs, ratings of all columns, what people say of their sheet, the approval.
Step: TypeAlias = Literal["inputs", "ratings", "says", "approval"]
STEPS: tuple[Step, ...] = get_args(Step)


def due(connection: Connection, card: str, period: str) -> dict[str, date]:
    """Step → the day by whose end it is due; none where nobody has set one."""
    c = due_days.c
    rows = connection.execute(select(due_days).where(c.card == card, c.period == period))
    return {row.step: date.fromisoformat(row.day) for row in rows}


def set_due(connection: Connection, card: str, period: str, days: Mapping[Step, date | None], by: Actor) -> None:
    """Set days of these steps; None takes one back. Raises ValueError where a step is due before the one that it waits for."""
    c, before = due_days.c, due(connection, card, period)
    after = {step: day for step in STEPS if (day := days[step] if step in days else before.get(step)) is not None}
    last: tuple[Step, date] | None = None
    for step in STEPS:
        if (day := after.get(step)) is None:
            continue
        if last is not None and day < last[1]:
            raise ValueError(f"{step} is due on {day}, before {last[0]} on {last[1]}; give a later day")
        last = step, day
    if after == before:
        return
    connection.execute(delete(due_days).where(c.card == card, c.period == period))
    rows = [
        {"card": card, "period": period, "step": step, "day": day.isoformat(), "author": by.name, "at": by.at}
        for step, day in after.items()
    ]
    if rows:
        connection.execute(insert(due_days), rows)
    detail: dict[str, Any] = {str(step): day for step, day in after.items()}
    record(connection, by, "due", card, period, **detail)
