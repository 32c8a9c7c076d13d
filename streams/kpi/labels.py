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
    "contacts": {"zh": "解决与重复联络", "en": "Resolution and repeats"},
    "satisfaction": {"zh": "满意度", "en": "Satisfaction"},
    "chats": {"zh": "在线会话", "en": "Chats"},
    "tickets": {"zh": "工单", "en": "Tickets"},
    "complaints": {"zh": "投诉", "en": "Complaints"},
    "quality": {"zh": "质检", "en": "Quality"},
    "work": {"zh": "坐席工时", "en": "Work"},
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
UNITS: Mapping[str, Words] = {
    "s": {"zh": "秒", "en": "s"},
    "points": {"zh": "分", "en": ""},
    "index": {"zh": "", "en": "index"},
    "per_hour": {"zh": "次/小时", "en": "/h"},
    "per_mille": {"zh": "‰", "en": "‰"},
    "days": {"zh": "天", "en": "d"},
}
BETTER: Mapping[str, Words] = {
    "higher": {"zh": "越高越好", "en": "higher is better"},
    "lower": {"zh": "越低越好", "en": "lower is better"},
    "range": {"zh": "无高低之分，看区间", "en": "neither way by itself; watch the range"},
}
SIDES: Mapping[str, Words] = {
    "desk": {"zh": "队列、职场、全中心", "en": "queue, site, all"},
    "staff": {"zh": "坐席、班组", "en": "agent, team"},
}
INTERVALS: Mapping[str, Words] = {
    "wilson": {"zh": "Wilson，95%", "en": "Wilson, 95 %"},
    "student": {
        "zh": "Student t（由样本数、和、平方和计算），95%",
        "en": "Student's t of n, sum and sum of squares, 95 %",
    },
    "none": {"zh": "无", "en": "none"},
}


def said(unit: str, value: float | None, language: Language = "en") -> str:
    """A value with its unit: ``93.3 %``, ``272.4 s (4:32)``, ``4.35``; in Chinese ``93.3%``, ``272.4 秒（4分32秒）``, ``4.35 分``.

    A dash where there is no data.
    """
    if value is None:
        return NONE
    zh = language == "zh"
    match unit:
        case "ratio":
            text = f"{value * 100:.1f}%" if zh else f"{value * 100:.1f} %"
        case "per_mille":
            text = f"{value:.2f}‰" if zh else f"{value:.2f} ‰"
        case "n" if value == int(value):
            text = f"{int(value)}"
        case "s":
            text = f"{value:.1f} {UNITS[unit][language]}"
            if abs(value) >= 60:
                text += f"（{in_words(value)}）" if zh else f" ({clock(value)})"
        case _:
            text = f"{value:.2f} {UNITS.get(unit, {}).get(language, '')}".rstrip()
    return text.replace("-", "−") if zh else text


def clock(seconds: float) -> str:
    """``272`` as ``4:32``, ``3872`` as ``1:04:32``."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{hours}:{minutes:02d}:{rest:02d}" if hours else f"{sign}{minutes}:{rest:02d}"


def in_words(seconds: float) -> str:
    """``272`` as ``4分32秒``, ``3872`` as ``1小时4分32秒``: a Chinese reader takes ``4:32`` for a time of day."""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    told = [(hours, "小时"), (minutes, "分"), (rest, "秒")]
    text = "".join(f"{amount}{unit}" for amount, unit in told if amount) or "0秒"
    text += "钟" if text.endswith("分") else ""
    return f"−{text}" if seconds < 0 else text


def interval_said(unit: str, figure: Figure, language: Language = "en") -> str:
    """A figure's interval as ``83.8 – 93.5 %``, in Chinese ``83.8%～93.5%``; ``0.0～441.2 秒``; a dash
    where it has none.
    """
    if figure.low is None or figure.high is None:
        return NONE
    low, high = said(unit, figure.low, language), said(unit, figure.high, language)
    if language == "en":
        return f"{low.removesuffix(' %')} – {high}"
    # The unit once, and nothing in brackets: an interval stands within them.
    number, *name = high.partition("（")[0].split(" ")
    return " ".join([f"{low.split(' ')[0]}～{number}", *name])
