"""The catalogue of KPIs as a page in each language, written from their definitions and their worked examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streams.catalogue.examples import Example, Worked, examples, whose, work
from streams.kpi.catalog import AREAS
from streams.kpi.explained import SIDES, Explained, Part, interval_of
from streams.kpi.labels import AREAS as AREA_NAMES
from streams.kpi.labels import BETTER, INTERVALS, KINDS, NONE, UNITS, interval_said, said
from streams.kpi.labels import SIDES as SIDE_NAMES
from streams.kpi.policy.model import Policy
from streams.kpi.spec import Bound, Kpi
from streams.languages import Language
from streams.languages.text import LANGUAGES, SPOKEN, Text

#: The page in each language, as a file's name.
PAGES: Mapping[Language, str] = {
    language: "kpis.md" if language == "en" else f"kpis.{spoken.tag}.md" for language, spoken in SPOKEN.items()
}
#: Where the pages of this repository lie.
DOCS = Path(__file__).parents[2] / "docs"

_HEADS: Mapping[str, Text] = {
    "formula": Text("公式", "Formula"),
    "measures": Text("度量", "Measures"),
    "unit": Text("单位", "Unit"),
    "interval": Text("区间", "Interval"),
    "needs": Text("需要的事件", "Needs"),
    "policy": Text("口径设置（默认值）", "Policy fields (default)"),
    "given": Text("口径设置", "Policy"),
    "none": Text("无", "none"),
    "traps": Text("注意", "Traps"),
    "version": Text("版本", "Version"),
    "scored": Text("计分", "Scored"),
    "never": Text("仅供查看，评分卡不接受", "a sign to look at; score cards refuse it"),
    "example": Text("算例", "Example"),
    "no_side": Text("这一侧无数据", "no data on this side"),
    "no_data": Text("无数据", "no data"),
    "day": Text("第 {} 天", "day {}"),
    "total": Text("全部日期合计", "all days together"),
    "until": Text("{}（时间推进至此）", "{} (time goes on to)"),
    "pending": Text("观察期未满", "not matured"),
    "sample": Text("样本 {}", "n {}"),
    "interval_is": Text("95%置信区间 {}", "95 % {}"),
}
_INTRO = Text(
    zh="""# 指标目录

[English](kpis.md)

每个指标的公式、所需事件、所依据的口径设置、容易弄错之处和算例。本页由 `deskpulse kpi document` \
根据 [`streams/kpi/catalog/`](../streams/kpi/catalog/) 中的定义和 \
[`streams/kpi/examples/`](../streams/kpi/examples/) 中的算例生成，每个算例都由测试在产品上实际运行。\
某个数值从何而来：`deskpulse kpi explain csat --entity agent:A17 --month 2026-10`。各项口径见[口径设置](policy-and-alerts.zh-CN.md)。

算例每行依次是时间、联络、事件和字段；`+1d` 表示次日。`2 / 3` 是上面所列度量之和相除。没有数据就是没有数据，绝不写成 0。
""",
    en="""# The catalogue of KPIs

Every KPI with its formula, what it needs, the policy that it depends on, what it is mistaken for, and a worked example. Written by
`deskpulse kpi document` from the definitions in [`streams/kpi/catalog/`](../streams/kpi/catalog/) and the examples in
[`streams/kpi/examples/`](../streams/kpi/examples/), each of which a test runs through the product. Where a value comes from:
`deskpulse kpi explain csat --entity agent:A17 --month 2026-10`. Policy fields: [policy](policy-and-alerts.md). [中文](kpis.zh-CN.md)

An example's line says when, which contact, what happened, and the event's fields; `+1d` is the next day. `2 / 3` divides the sums of
the measures named above it. No data is no data, never 0.
""",
)


def write(folder: Path) -> Iterator[Path]:
    """Write both pages into a folder; gives each path once it is written. Raises ValueError where an example does not hold."""
    for language in LANGUAGES:
        path = folder / PAGES[language]
        path.write_text(page(language), encoding="utf-8")
        yield path


def page(language: Language) -> str:
    """The page in one language. Raises ValueError where an example does not come to what it states."""
    parts = [_INTRO[language], _contents(language)]
    for area, kpis in AREAS.items():
        parts.append(f"## {AREA_NAMES[area][language]}\n")
        parts += [_kpi(kpi, language) for kpi in kpis]
    return "\n".join(parts)


def _contents(language: Language) -> str:
    lines = []
    for area, kpis in AREAS.items():
        links = " · ".join(f"[{kpi.name[language]}](#{kpi.id})" for kpi in kpis)
        lines.append(f"- {AREA_NAMES[area][language]}{SPOKEN[language].colon}{links}")
    return "\n".join(lines) + "\n"


def _kpi(kpi: Kpi, language: Language) -> str:
    name, other = kpi.name[language], kpi.zh if language == "en" else kpi.en
    lines = [f"### {kpi.id}\n", f"**{name}** · {other}\n", "| | |", "|---|---|"]
    lines += [f"| {_HEADS[head][language]} | {_cell(text)} |" for head, text in _rows(kpi, language)]
    worked = [_example(example, language) for example in examples().get(kpi.id, ())]
    return "\n".join([*lines, "", *worked])


def _rows(kpi: Kpi, language: Language) -> Iterator[tuple[str, str]]:
    policy = Policy()
    bounds = {side: kpi.bound(policy, side) for side in SIDES}
    defaults = policy.model_dump(mode="json")
    yield "formula", kpi.written[language]
    yield "measures", _measures(bounds, language)
    yield "unit", f"{kpi.unit} · {KINDS[kpi.kind][language]} · {BETTER[kpi.better][language]}"
    yield "interval", INTERVALS[interval_of(bounds["desk"])][language]
    yield "needs", ", ".join(f"`{need}`" for need in kpi.needs)
    comma, default = SPOKEN[language].comma, "`{}`" + SPOKEN[language].brackets
    fields = comma.join(default.format(name, _default(defaults[name], comma)) for name in kpi.policy_fields)
    yield "policy", fields or _HEADS["none"][language]
    yield "traps", kpi.trap[language] or NONE
    yield "version", str(kpi.version)
    if not kpi.scored:
        yield "scored", _HEADS["never"][language]


def _default(value: Any, comma: str = ", ") -> str:
    if isinstance(value, dict):
        return comma.join(f"{key}: {_plain(one, comma)}" for key, one in value.items()) or NONE
    return _plain(value, comma) or NONE


def _plain(value: Any, comma: str) -> str:
    if value is None:
        return NONE
    if isinstance(value, list | tuple):
        return comma.join(_plain(one, comma) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _measures(bounds: Mapping[Any, Bound], language: Language) -> str:
    told = {side: _division(bound, language) for side, bound in bounds.items()}
    if told["desk"] == told["staff"]:
        return told["desk"]
    colon = SPOKEN[language].colon
    return "<br>".join(f"{SIDE_NAMES[side][language]}{colon}{text}" for side, text in told.items())


def _division(bound: Bound, language: Language) -> str:
    top = _terms(bound.top)
    if bound.bottom is None:
        return top
    if not bound.bottom:
        return _HEADS["no_side"][language]
    if bound.kind == "count":
        return f"{top} ({_terms(bound.bottom)} > 0)"
    whole = f"{top} / {_terms(bound.bottom)}"
    if not bound.base_bottom:
        return whole
    return f"({whole}) / ({_terms(bound.base_top)} / {_terms(bound.base_bottom)}) − 1"


def _terms(terms: tuple[tuple[str, int], ...]) -> str:
    signed = [(measure, "-" if times < 0 else "+", abs(times)) for measure, times in terms]
    text = " ".join(f"{sign} {'' if times == 1 else f'{times} × '}`{measure}`" for measure, sign, times in signed)
    text = text.removeprefix("+ ")
    return f"({text})" if len(signed) > 1 else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _example(example: Example, language: Language) -> str:
    worked = work(example)
    for one in worked:
        if one.fault:
            raise ValueError(f"the example of {example.kpi} ({example.en}) lies: {one.expected.entity}: {one.fault}")
    lines = [
        f"**{_HEADS['example'][language]}** {Text(example.zh, example.en)[language].strip()}\n",
        "```text",
        *example.events,
    ]
    if example.until is not None:
        lines.append(_HEADS["until"][language].format(example.until))
    lines.append("```\n")
    if example.policy:
        given = ", ".join(f"`{name}: {_default(value)}`" for name, value in example.policy.items())
        lines.append(f"{_HEADS['given'][language]}{SPOKEN[language].colon}{given}\n")
    lines += [f"- {_result(one, language)}" for one in worked]
    return "\n".join(lines) + "\n"


def _result(one: Worked, language: Language) -> str:
    found, figure, unit = one.found, one.found.figure, one.found.kpi.unit
    name = whose(one.expected.entity)[language]
    when = _when(one.expected.day, language)
    spoken = SPOKEN[language]
    comma, colon, aside_in = spoken.clause, spoken.colon, spoken.brackets
    subject = f"{name}{comma}{when}" if when else name
    if figure.value is None:
        waits = aside_in.format(f"{_HEADS['pending'][language]} {found.pending}") if found.pending else ""
        return f"{subject}{colon}**{_HEADS['no_data'][language]}**{waits}"
    parts = [_sum(found.top, language)]
    if found.bottom:
        parts.append(f" / {_sum(found.bottom, language)}")
    aside = _beside(found, language)
    made = "".join(parts) + f"{found.times} = " if found.divides else ""
    if found.base_bottom:
        made = f"({''.join(parts)}) / ({_sum(found.base_top, language)} / {_sum(found.base_bottom, language)}) − 1 = "
    shown = said(unit, figure.value, language)
    return f"{subject}{colon}{made}**{shown}**" + (aside_in.format(comma.join(aside)) if aside else "")


def _beside(found: Explained, language: Language) -> list[str]:
    """How many the figure is of, how sure it is, and what waits."""
    interval = interval_said(found.kpi.unit, found.figure, language)
    made = [_HEADS["sample"][language].format(found.figure.n)] if found.bottom is not None else []
    made += [_HEADS["interval_is"][language].format(interval)] if interval != NONE else []
    made += [f"{_HEADS['pending'][language]} {found.pending}"] if found.pending else []
    return made


def _sum(parts: tuple[Part, ...], language: Language) -> str:
    """Amounts with their coefficients: ``3``, ``(4 - 1)``."""
    text, seconds = "", f" {UNITS['s'][language]}"
    for part in parts:
        sign = "-" if part.times < 0 else "+"
        times = "" if abs(part.times) == 1 else f"{abs(part.times)} × "
        unit = seconds if part.measure.unit == "s" else ""
        text += f" {sign} {times}{part.shown:g}{unit}"
    text = text.removeprefix(" + ")
    return f"({text.strip()})" if len(parts) > 1 else text


def _when(day: str, language: Language) -> str:
    if day == "total":
        return _HEADS["total"][language]
    number = int(day[1:-1])
    return _HEADS["day"][language].format(number + 1) if number else ""
