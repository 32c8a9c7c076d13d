"""The contacts behind a figure, for the terminal and as JSON: from the history."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from rich.table import Table

from streams.commands.shared.context import Deployment, stop
from streams.commands.shared.facts_source import Days
from streams.history.questions import Answer, Item, LeftOut, Question, open_questions
from streams.history.reasons import REASONS
from streams.kpi.as_of import moment_said
from streams.kpi.explained import find
from streams.kpi.labels import NONE, both, said
from streams.languages.text import Text
from streams.windows.clock import instant


class Which(StrEnum):
    """Which contacts are listed."""

    all = "all"
    numerator = "numerator"
    rest = "rest"
    pending = "pending"
    left_out = "left-out"


_PARTS = {
    "numerator": Text("计入分子", "in the numerator"),
    "rest": Text("只计入分母", "in the denominator only"),
    "pending": Text("观察期未满", "not matured yet"),
}
_ADDS_UP = Text("所列联络之和等于该数值", "the contacts add up to the figure")
_ADDS_NOT = Text(
    "所列联络之和与该数值不一致：历史数据可能尚未补齐",
    "the contacts do not add up to the figure: the history may be behind",
)


class Contacts:
    """What the history says of a figure. Ends the command where no days are given, or there is no history."""

    def __init__(self, operation: Deployment, kpi: str, entity: str, when: Days, which: Which, most: int) -> None:
        if when.first == date.min or when.last == date.max:
            raise stop("--contacts needs both ends: give --from and --to, --date or --month", 2)
        self._operation, self._which, self._most = operation, which, most
        self._unit = find(kpi).unit
        settings = operation.settings
        question = Question(kpi, entity, when.first, when.last)
        with open_questions(settings.history or settings.database, settings.data_dir, operation.policy) as questions:
            self._answer: Answer = questions.behind(question)
            found: list[Item] | list[LeftOut]
            if which is Which.left_out:
                found = questions.left_out(question)
            else:
                found = [item for item in self._answer.items if which in (Which.all, item.part)]
            self._total = len(found)
            self._found = found[:most]
            self._told = questions.contacts(one.record for one in self._found)

    def as_json(self) -> dict[str, Any]:
        """For programs: which are listed, how many there are, whether they add up; each with its part, in stored units."""
        return {
            "which": self._which.value,
            "total": self._total,
            "adds_up": self._answer.adds_up,
            "figure": _figure(self._answer),
            "items": [self._line(one) for one in self._found],
        }

    def table(self) -> tuple[Table, str]:
        """For people: the list, and what is to be said below it."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in (
            "时间 when",
            "联络 contact",
            "坐席 agent",
            "队列 queue",
            "结果 outcome",
            "数值 value",
            "计入 counts",
        ):
            table.add_column(name)
        for one in self._found:
            line = self._line(one)
            counts = REASONS[one.reason] if isinstance(one, LeftOut) else _PARTS[one.part]
            outcome = line.get("outcome") or line.get("state")
            value = NONE if isinstance(one, LeftOut) else said(self._unit, one.value)
            table.add_row(
                line["at"],
                line["what"],
                line["agent"] or NONE,
                line.get("queue") or NONE,
                outcome or NONE,
                value,
                both(counts),
            )
        shown = f"{len(self._found)} / {self._total}"
        return table, f"{shown} · {both(_ADDS_UP if self._answer.adds_up else _ADDS_NOT)}"

    def _line(self, one: Item | LeftOut) -> dict[str, Any]:
        told = self._told.get(one.record, {})
        zone = self._operation.policy.zone
        at = told.get("arrived_at", told.get("since"))
        made: dict[str, Any] = {
            "record": one.record,
            "at": NONE if at is None else moment_said(instant(at).astimezone(zone)),
            "what": f"{told['channel']}:{told['contact_id']}" if "contact_id" in told else told.get("kind", NONE),
            **{name: told.get(name) for name in ("agent", "team", "queue", "outcome", "state")},
        }
        if isinstance(one, LeftOut):
            return made | {"reason": one.reason, **REASONS[one.reason].fields("reason")}
        return made | {
            "day": one.day.isoformat(),
            "part": one.part,
            "top": one.top,
            "bottom": one.bottom,
            "value": one.value,
        }


def _figure(answer: Answer) -> dict[str, Any]:
    """The figure with the sums that it is made of: value = top × up / (bottom × down)."""
    figure = answer.figure
    return {
        "value": figure.value, "n": figure.n, "pending": figure.pending, "top": answer.top, "bottom": answer.bottom,
        "up": answer.up, "down": answer.down,
    }  # fmt: skip
