"""Why a step was taken, as people read it."""

from __future__ import annotations

from streams.contracts.outputs import Alert
from streams.languages.text import Text

#: Characters of a note that a reason repeats; the note itself is whole.
_NOTED = 200

OPENED_WITH_OTHERS = Text("{reason}同一原因另有 {more} 个告警。", "{reason} {more} more alerts of the same cause.")
GREW = Text(
    "同一原因的告警新增 {more} 个，共 {count} 个。{reason}",
    "{more} more alerts of the same cause, {count} by now. {reason}",
)
WORSE = Text("影响扩大。{reason}", "It reaches further. {reason}")
ACKNOWLEDGED, ACKNOWLEDGED_WITH_NOTE = (
    Text("{by} 已认领。", "{by} takes care of it."),
    Text("{by} 已认领：{note}", "{by} takes care of it: {note}"),
)
UNACKNOWLEDGED, UNACKNOWLEDGED_WITH_NOTE = (
    Text("{by} 取消认领。", "{by} takes care of it no longer."),
    Text("{by} 取消认领：{note}", "{by} takes care of it no longer: {note}"),
)
NOTED = Text("{by} 备注：{note}", "{by} notes: {note}")
ESCALATED = Text("{minutes} 分钟无人认领，已升级。{reason}", "Nobody has taken care of it for {minutes} min. {reason}")
SILENCED, SILENCED_WITH_NOTE = (
    Text("{by} 静默至 {until}。", "{by} silences it until {until}."),
    Text("{by} 静默至 {until}：{note}", "{by} silences it until {until}: {note}"),
)
UNSILENCED, SILENCE_OVER = (
    Text("{by} 解除静默。{reason}", "{by} ends its silence. {reason}"),
    Text("静默已到期，告警仍在。{reason}", "Its silence is over, and it is not. {reason}"),
)
NO_LONGER_SILENCED = Text("静默范围之外出现新的告警。{reason}", "There are alerts that no silence is about. {reason}")
MERGED = Text("与 {id} 原因相同，已并入。", "It is of one cause with {id}, and has become a part of it.")
SILENT_AND_KNOWN = Text("{reason}已有人认领，关闭。", "{reason} Somebody knows of it: closed.")
SILENT_FOR_LONG = Text(
    "{days} 天无数据，也无人认领，关闭。", "No data for {days} days, and nobody has acknowledged it: closed."
)
RULE_GONE = Text("告警规则 {rule} 已删除，关闭。", "The alert rule {rule} is no more: closed.")


def reason_of(alert: Alert) -> Text:
    """Why an alert took its last step."""
    return Text(alert.reason_zh, alert.reason_en, **alert.reasons)


def cut(note: str) -> str:
    """What of a note a reason repeats."""
    return note if len(note) <= _NOTED else f"{note[: _NOTED - 1]}…"
