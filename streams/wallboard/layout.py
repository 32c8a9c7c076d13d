"""What the page shows where: ids of KPIs, and the window in which each is usually watched. No formula, no threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streams.contracts.outputs import Window
from streams.languages.text import LANGUAGES, Text


@dataclass(frozen=True)
class Shown:
    """A KPI's place: its window unless the viewer picks one for all, and whether its ``value`` or its ``n`` is shown.

    ``name`` stands in for the KPI's own where there is little room. It names no limit: a queue may have its own.
    """

    kpi: str
    window: Window
    name: Text | None = None
    part: Literal["value", "n"] = "value"

    def fields(self) -> dict[str, str]:
        """As JSON; without a name of its own the languages' fields are empty."""
        name = dict.fromkeys(LANGUAGES, "") if self.name is None else self.name.fields()
        return {"kpi": self.kpi, "window": self.window, **name, "part": self.part}


#: The KPIs of this moment, in one tile: calls_waiting and longest_wait. A snapshot has them beside its windows.
WAITING = "waiting"

#: Big tiles of the whole operation, in reading order. ``WAITING`` comes in the third place.
TILES = (
    Shown("service_level_20s", "5m"),
    Shown("answer_rate", "5m"),
    Shown("abandonment_rate", "5m"),
    Shown("average_speed_of_answer", "5m"),
    Shown("average_handle_time", "30m"),
    Shown("csat", "30m"),
    Shown("first_response_30s_rate", "5m"),
    Shown("first_response_time", "30m"),
    Shown("resolution_rate", "today"),
    Shown("repeat_contact_rate", "today"),
    Shown("repeat_complaint_rate", "today"),
)
WAITING_PLACE = 2

#: Cards of teams, and of queues and sites.
TEAM = (
    Shown("service_level_20s", "30m", Text("服务水平", "SL")),
    Shown("csat", "30m", Text("满意度", "CSAT")),
    Shown("first_response_30s_rate", "5m", Text("首响达标", "Reply SL")),
)
DESK = (
    Shown("service_level_20s", "5m", Text("服务水平", "SL")),
    Shown("answer_rate", "5m", Text("接通率", "Answered")),
    Shown("abandonment_rate", "5m", Text("放弃率", "Abandoned")),
)

#: Columns of the agents' table. A person's few minutes say little: the day is the usual window.
AGENT = (
    Shown("average_speed_of_answer", "today", Text("接听", "Calls"), "n"),
    Shown("answer_rate", "today", Text("接通率", "Answer rate")),
    Shown("service_level_20s", "today", Text("服务水平", "Service level")),
    Shown("average_handle_time", "today", Text("处理时长", "Handle time")),
    Shown("csat", "today", Text("满意度", "CSAT")),
    Shown("first_response_30s_rate", "today", Text("首响达标率", "Reply in time")),
    Shown("first_response_time", "today", Text("首响时长", "First reply")),
    Shown("resolution_rate", "today", Text("解决率", "Resolved")),
    Shown("repeat_contact_rate", "today", Text("重复联络率", "Repeats")),
)
