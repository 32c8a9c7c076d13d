"""Measures of agents' work: what they are doing now, for how long, and against which schedule."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

WORK = (
    Measure("agents_available", "n", "当前空闲坐席", "agents available now", level=True),
    Measure("available_seconds", "s", "空闲时长", "time available", grows_with="agents_available"),
    Measure("agents_working", "n", "当前服务中或话后处理的坐席", "agents on a contact or wrapping up now", level=True),
    Measure("working_seconds", "s", "服务与话后处理时长", "time on contacts and wrapping up", grows_with="agents_working"),
    Measure("agents_on_contact", "n", "当前服务中的坐席", "agents on a contact now", level=True),
    Measure("on_contact_seconds", "s", "服务时长", "time on contacts", grows_with="agents_on_contact"),
    Measure("agents_away", "n", "当前小休坐席", "agents away now", level=True),
    Measure("away_seconds", "s", "小休时长", "time away", grows_with="agents_away"),
    Measure("agents_in_training", "n", "当前培训坐席", "agents in training now", level=True),
    Measure("training_seconds", "s", "培训时长", "time in training", grows_with="agents_in_training"),
    Measure("agents_scheduled", "n", "当前排班坐席", "agents whose shift it is now", level=True),
    Measure("scheduled_seconds", "s", "排班时长", "time of shifts", grows_with="agents_scheduled"),
    Measure("agents_adherent", "n", "当前遵时坐席", "agents whose shift it is and who are at it now", level=True),
    Measure("adherent_seconds", "s", "遵时时长", "time of shifts spent available, working or in training", grows_with="agents_adherent"),
    Measure("shifts", "n", "班次", "shifts that are over"),
    Measure("shifts_attended", "n", "出勤班次", "shifts that are over and were attended"),
)  # fmt: skip
