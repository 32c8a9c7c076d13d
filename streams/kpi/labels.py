"""What the parts of the catalogue, entities and windows are called, and values as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.outputs import Figure, WatchedWindow
from streams.languages import Language
from streams.languages.text import Text

#: What stands where there is no data: never 0.
NONE = "—"

#: Area of the catalogue → its heading.
AREAS: Mapping[str, Text] = {
    "calls": Text("电话", "Calls"),
    "contacts": Text("解决与重复联络", "Resolution and repeats"),
    "satisfaction": Text("满意度", "Satisfaction"),
    "chats": Text("在线会话", "Chats"),
    "tickets": Text("工单", "Tickets"),
    "complaints": Text("投诉", "Complaints"),
    "quality": Text("质检", "Quality"),
    "work": Text("坐席工时", "Work"),
    "signals": Text("分析信号", "Signals"),
}
KINDS: Mapping[str, Text] = {
    "count": Text("总量", "sum"),
    "rate": Text("比率", "share"),
    "mean": Text("均值", "mean"),
    "percentile": Text("分位数", "percentile"),
    "level": Text("当前存量", "level now"),
    "change": Text("相对变化", "relative change"),
}
#: How units are written behind a number, where that is not their id.
UNITS: Mapping[str, Text] = {
    "s": Text("秒", "s"),
    "points": Text("分", ""),
    "index": Text("", "index"),
    "per_hour": Text("次/小时", "/h"),
    "per_mille": Text("‰", "‰"),
    "days": Text("天", "d"),
}
_NO_UNIT = Text("", "")
BETTER: Mapping[str, Text] = {
    "higher": Text("越高越好", "higher is better"),
    "lower": Text("越低越好", "lower is better"),
    "range": Text("无高低之分，看区间", "neither way by itself; watch the range"),
}
SIDES: Mapping[str, Text] = {
    "desk": Text("队列、职场、全中心", "queue, site, all"),
    "staff": Text("坐席、班组", "agent, team"),
}
INTERVALS: Mapping[str, Text] = {
    "wilson": Text("Wilson，95%", "Wilson, 95 %"),
    "student": Text("Student t（由样本数、和、平方和计算），95%", "Student's t of n, sum and sum of squares, 95 %"),
    "log_ratio": Text(
        "两均值之比取对数后按 Student t 计算，95%", "Student's t on the logarithm of the ratio of both means, 95 %"
    ),
    "none": Text("无", "none"),
}
#: An entity in a sentence, by its kind. The page puts names in behind the same words (``wallboard/static/texts.js``).
ENTITIES: Mapping[str, Text] = {
    "agent": Text("坐席 {}", "agent {}"),
    "team": Text("班组 {}", "team {}"),
    "queue": Text("队列 {}", "queue {}"),
    "site": Text("职场 {}", "site {}"),
    "all": Text("全中心", "the whole operation"),
}
#: A window as a heading, and in a sentence.
WINDOW_HEADS: Mapping[WatchedWindow, Text] = {
    "5m": Text("5分钟", "5 min"),
    "30m": Text("30分钟", "30 min"),
    "today": Text("今日", "Today"),
}
WINDOW_SPANS: Mapping[WatchedWindow, Text] = {
    "5m": Text("近5分钟", "in the last 5 min"),
    "30m": Text("近30分钟", "in the last 30 min"),
    "today": Text("今日", "today"),
    "now": Text("当前", "now"),
    "change": Text("自变化开始以来", "since it began to change"),
}


def both(text: Text) -> str:
    """A text in both languages of the code, as tables of a terminal have it: ``满意度 · CSAT``."""
    return f"{text.zh} · {text.en}"


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
            text = f"{value:.2f} {UNITS.get(unit, _NO_UNIT)[language]}".rstrip()
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
    if language != "zh":
        return f"{low.removesuffix(' %')} – {high}"
    # The unit once, and nothing in brackets: an interval stands within them.
    number, *name = high.partition("（")[0].split(" ")
    return " ".join([f"{low.split(' ')[0]}～{number}", *name])
