"""What a KPI is called under a policy: names and formulas say the limit that holds, not the usual one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi
from streams.languages.text import SPOKEN, Text

#: So many queues are named in a KPI's name.
_MOST_NAMED = 3
_UNITS = {"seconds": Text("秒", " s"), "hours": Text("小时", " h"), "days": Text("天", " days")}
_THRESHOLD = Text("{formula}；阈值 {limit}{unit}", "{formula}; threshold {limit}{unit}")


@dataclass(frozen=True)
class Named:
    """Name and formula. ``short``: the name without the other names that the trade has for it."""

    name: Text
    short: Text
    formula: Text


def named(kpi: Kpi, policy: Policy, queue: str | None = None) -> Named:
    """A KPI's name and formula with the limits in force: ``30秒服务水平（30秒接通率）（vip 10秒）``; of a queue, the one that it has."""
    if kpi.limit is None:
        return Named(kpi.name, _short(kpi.name), kpi.written)
    by_queue: dict[str, float] = getattr(policy, f"{kpi.limit}_by_queue", {})
    usual = f"{Policy.model_fields[kpi.limit].default:g}"
    holds = f"{by_queue.get(queue or '', getattr(policy, kpi.limit)):g}"
    unit = _UNITS[kpi.limit.rsplit("_", 1)[1]]
    own_limits = by_queue if queue is None else {}
    name, formula = (
        Text(**{language: own.replace(usual, holds) for language, own in text.items()})
        for text in (kpi.name, kpi.written)
    )
    if usual not in kpi.written.en:
        formula = _THRESHOLD.format(formula=formula, limit=holds, unit=unit)
    return Named(*(_with_queues(text, own_limits, unit) for text in (name, _short(name), formula)))


def _with_queues(text: Text, limits: dict[str, float], unit: Text) -> Text:
    if not limits:
        return text
    said = {}
    for language, spoken in SPOKEN.items():
        own = [f"{queue} {limit:g}{unit[language]}" for queue, limit in sorted(limits.items())]
        listed = spoken.comma.join(own[:_MOST_NAMED]) + ("…" if len(own) > _MOST_NAMED else "")
        said[language] = text[language] + spoken.brackets.format(listed)
    return Text(**said)


def names_of(kpi: Kpi) -> frozenset[str]:
    """All that people may write for it: its id, its names with and without those that stand in brackets, and each of these."""
    bracketed = re.findall("（(.+?)）", kpi.zh)
    return frozenset((kpi.id, kpi.zh, kpi.en, _short(kpi.name).zh, *(name for name in bracketed if "含" not in name)))


def _short(name: Text) -> Text:
    return Text(**{language: said.partition("（")[0] for language, said in name.items()})
