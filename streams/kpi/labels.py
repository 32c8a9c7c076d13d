"""What the parts of the catalogue are called in both languages, and values as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from streams.contracts.outputs import Figure

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
Words: TypeAlias = Mapping[Language, str]

#: What stands where there is no data: never 0.
NONE = "—"

#: Area of the catalogue → its heading.
AREAS: Mapping[str, Words] = {
    "calls": {"zh": "电话", "en": "Calls"},
    "contacts": {"zh": "解决与重复来访", "en": "Resolution and repeats"},
    "satisfaction": {"zh": "满意度", "en": "Satisfaction"},
    "chats": {"zh": "在线会话", "en": "Chats"},
    "tickets": {"zh": "工单", "en": "Tickets"},
    "complaints": {"zh": "投诉", "en": "Complaints"},
    "quality": {"zh": "质检", "en": "Quality"},
    "work": {"zh": "工时", "en": "Work"},
    "signals": {"zh": "分析信号", "en": "Signals"},
}
KINDS: Mapping[str, Words] = {
    "count": {"zh": "总量", "en": "sum"},
    "rate": {"zh": "比率", "en": "share"},
    "mean": {"zh": "均值", "en": "mean"},
    "percentile": {"zh": "分位数", "en": "percentile"},
    "level": {"zh": "当前存量", "en": "level now"},
    "change": {"zh": "相对变化", "en": "relative change"},
}
#: How units are written behind a number, where that is not their id.
UNITS: Mapping[str, str] = {"per_hour": "/h", "per_mille": "‰", "days": "d"}
BETTER: Mapping[str, Words] = {
    "higher": {"zh": "越高越好", "en": "higher is better"},
    "lower": {"zh": "越低越好", "en": "lower is better"},
    "range": {"zh": "无高低之分，看区间", "en": "neither way by itself; watch the range"},
}
SIDES: Mapping[str, Words] = {
    "desk": {"zh": "队列、站点、全部", "en": "queue, site, all"},
    "staff": {"zh": "坐席、班组", "en": "agent, team"},
}
INTERVALS: Mapping[str, Words] = {
    "wilson": {"zh": "Wilson，95 %", "en": "Wilson, 95 %"},
    "student": {"zh": "Student t（由 n、和、平方和），95 %", "en": "Student's t of n, sum and sum of squares, 95 %"},
    "none": {"zh": "无", "en": "none"},
}


def said(unit: str, value: float | None) -> str:
    """A value with its unit: ``93.3 %``, ``272.4 s (4:32)``, ``4.35``; a dash where there is no data."""
    match unit, value:
        case _, None:
            return NONE
        case "ratio", _:
            return f"{value:.1%}".replace("%", " %")
        case "s", _ if abs(value) >= 60:
            return f"{value:.1f} s ({clock(value)})"
        case "s", _:
            return f"{value:.1f} s"
        case "n", _ if value == int(value):
            return f"{int(value)}"
        case (("n" | "points" | "ratio"), _):
            return f"{value:.2f}"
        case _:
            return f"{value:.2f} {UNITS.get(unit, unit)}"


def clock(seconds: float) -> str:
    """``272`` as ``4:32``, ``3872`` as ``1:04:32``."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{hours}:{minutes:02d}:{rest:02d}" if hours else f"{sign}{minutes}:{rest:02d}"


def interval_said(unit: str, figure: Figure) -> str:
    """A figure's interval as ``83.8 to 93.5 %``; a dash where it has none."""
    if figure.low is None or figure.high is None:
        return NONE
    low, high = said(unit, figure.low), said(unit, figure.high)
    return f"{low.removesuffix(' %')} – {high}"
