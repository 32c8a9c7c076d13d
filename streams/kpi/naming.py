"""What a KPI is called under a policy: names and formulas say the limit that holds, not the usual one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from streams.kpi.policy.model import Policy
from streams.kpi.spec import Kpi

#: So many queues are named in a KPI's name.
_MOST_NAMED = 3
_UNITS = {"seconds": ("秒", " s"), "hours": ("小时", " h")}


@dataclass(frozen=True)
class Named:
    """Name and formula in Chinese and English. ``short``: without the other names that the trade has for it."""

    zh: str
    en: str
    short_zh: str
    short_en: str
    formula_zh: str
    formula_en: str


def named(kpi: Kpi, policy: Policy, queue: str | None = None) -> Named:
    """A KPI's name and formula with the limits in force: ``30秒服务水平（30秒接通率）（vip 10秒）``; of a queue, the one that it has."""
    if kpi.limit is None:
        return Named(kpi.zh, kpi.en, _short(kpi.zh), _short(kpi.en), kpi.formula_zh, kpi.formula_en)
    by_queue: dict[str, float] = getattr(policy, f"{kpi.limit}_by_queue", {})
    usual, holds = f"{getattr(Policy(), kpi.limit):g}", f"{by_queue.get(queue or '', getattr(policy, kpi.limit)):g}"
    if queue is not None:
        by_queue = {}
    unit_zh, unit_en = _UNITS[kpi.limit.rsplit("_", 1)[1]]

    def told(unit: str, comma: str) -> str:
        own = [f"{queue} {limit:g}{unit}" for queue, limit in sorted(by_queue.items())]
        return comma.join(own[:_MOST_NAMED]) + ("…" if len(own) > _MOST_NAMED else "")

    others_zh = f"（{told(unit_zh, '、')}）" if by_queue else ""
    others_en = f" ({told(unit_en, ', ')})" if by_queue else ""
    formula_zh, formula_en = kpi.formula_zh.replace(usual, holds), kpi.formula_en.replace(usual, holds)
    if usual not in kpi.formula_en:
        formula_zh, formula_en = f"{formula_zh}；阈值 {holds}{unit_zh}", f"{formula_en}; threshold {holds}{unit_en}"
    zh, en = kpi.zh.replace(usual, holds), kpi.en.replace(usual, holds)
    return Named(
        zh + others_zh,
        en + others_en,
        _short(zh) + others_zh,
        _short(en) + others_en,
        formula_zh + others_zh,
        formula_en + others_en,
    )


def names_of(kpi: Kpi) -> frozenset[str]:
    """All that people may write for it: its id, its names with and without those that stand in brackets, and each of these."""
    bracketed = re.findall("（(.+?)）", kpi.zh)
    return frozenset((kpi.id, kpi.zh, kpi.en, _short(kpi.zh), *(name for name in bracketed if "含" not in name)))


def _short(name: str) -> str:
    return name.partition("（")[0]
