"""Figures adjusted for the mix of people's work, as a page that stands alone: a funnel plot and a table, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10

from jinja2 import Environment, PackageLoader, StrictUndefined

from streams.kpi.case_mix import LIMITS, Adjusted, CaseMix, Funnel, Point
from streams.kpi.compare import VERDICTS, Compared, difference_said
from streams.kpi.labels import NONE, interval_said, said
from streams.kpi.spec import Kpi
from streams.languages import Language
from streams.languages.text import Text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860.0, 440.0, 90.0, 840.0, 16.0, 380.0
#: Points of each limit's curve.
_STEPS = 60
_TITLE = Text(zh="{name}：按工作构成调整", en="{name}, adjusted for the mix of work")
#: What stands over tables of adjusted figures.
HEADINGS = (
    Text(zh="坐席", en="agent"),
    Text(zh="样本", en="n"),
    Text(zh="实际", en="as it is"),
    Text(zh="同类工作应达", en="expected on this work"),
    Text(zh="差异（95%）", en="difference (95 %)"),
    Text(zh="调整后（95%）", en="adjusted (95 %)"),
    Text(zh="可比工作占比", en="compared with its like"),
    Text(zh="结论", en="verdict"),
)
_BY = {"queue": Text(zh="队列", en="queue"), "topic": Text(zh="业务类型", en="topic")}
_ABOUT = Text(
    zh="“同类工作应达”是其他人处理同样的工作（按{by}区分，共{count}类）会达到的数值。调整后的数值是本人在全组共同工作上的估计值："
    "与应达之差中属于偶然的部分已扣除。全部工作中有 {share} 可与同类比较。",
    en="Expected is what all others reach on the same work, told apart by {by} ({count} of them). Adjusted is what each would have on the "
    "work of all: of the difference, what chance makes is left out. {share} of all cases could be compared with their like.",
)
_HOW = Text(
    zh="每点一人：越靠右，样本越多。虚线之外为 95% 界限之外，实线之外为 99.8% 界限之外；界限已计入人员之间通常的差别（超离散）。"
    "样本按其信息量折算，因此可能与实际件数略有出入。界限之外只说明值得了解，不说明原因。",
    en="A dot a person: the further right, the more cases. Outside the dashed lines is outside 95 %, outside the solid ones outside "
    "99.8 %; how people usually differ is within the limits (over-dispersion). Cases count for what they tell, so that they may differ a "
    "little from their number. Who is outside is worth a question; the plot does not say why.",
)
_CASES = Text(zh="样本（折算）", en="cases (what they tell)")
_NOTHING = Text(zh="没有可与同类比较的数据。", en="Nobody has work that could be compared with its like.")

_environment = Environment(
    loader=PackageLoader("streams.catalogue", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def by_said(by: str) -> Text:
    """What strata are, in words."""
    return _BY[by]


def share_said(found: Adjusted, language: Language = "en") -> str:
    """How many of somebody's cases could be compared with their like."""
    return NONE if found.share is None else _percent(found.share)[language]


def _percent(share: float) -> Text:
    return Text(zh=f"{share * 100:.0f}%", en=f"{share * 100:.0f} %")


def about(mix: CaseMix, by: str) -> Text:
    """What adjusted figures are, and how many cases could be adjusted, in two sentences."""
    return _ABOUT.format(by=_BY[by], count=len(mix.strata), share=_percent(mix.share))


def cells(kpi: Kpi, found: Adjusted, compared: Compared | None, name: str, language: Language) -> tuple[str, ...]:
    """A person's line of the table, under ``HEADINGS``."""
    unit = kpi.unit
    verdict = VERDICTS["no_data" if compared is None else compared.verdict][language]
    interval = (
        f"（{interval_said(unit, found.adjusted)}）"
        if language == "zh"
        else f" ({interval_said(unit, found.adjusted)})"
    )
    return (
        name,
        str(found.figure.n),
        said(unit, found.figure.value, language),
        said(unit, found.expected.value, language),
        difference_said(unit, found.difference, language),
        NONE if found.adjusted.value is None else said(unit, found.adjusted.value, language) + interval,
        share_said(found, language),
        verdict,
    )


def page(
    kpi: Kpi,
    kpi_name: Text,
    mix: CaseMix,
    compared: Sequence[Compared],
    *,
    period: Text,
    by: str,
    name: Callable[[str], str],
    language: Language,
) -> str:
    """The page, in a language. ``by``: what strata are, as the policy has it; ``name``: what somebody is called."""
    funnel = mix.funnel()
    return _environment.get_template("funnel.html").render(
        language=language,
        title=_TITLE.format(name=kpi_name)[language],
        period=period[language],
        about=about(mix, by)[language],
        plot=None if funnel is None else _plot(funnel, kpi, name, language),
        headings=[text[language] for text in HEADINGS],
        rows=[cells(kpi, mix.of(one.who), one, name(one.who), language) for one in compared],
        words={"how": _HOW[language], "cases": _CASES[language], "nothing": _NOTHING[language]},
    )


def _plot(funnel: Funnel, kpi: Kpi, name: Callable[[str], str], language: Language) -> Mapping[str, object]:
    most = max(point.worth for point in funnel.points) * 1.05
    least = min(most / 100, min(point.worth for point in funnel.points))
    values = [point.value for point in funnel.points]
    for errors in LIMITS:
        values += funnel.limits(max(least, most / 12), errors)
    low, high = _within(min(values), max(values), kpi)

    def across(worth: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * worth / most, 1)

    def up(value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (min(max(value, low), high) - low) / ((high - low) or 1), 1)

    steps = [least + (most - least) * (step / _STEPS) ** 2 for step in range(_STEPS + 1)]
    curves = [
        [[(across(worth), up(funnel.limits(worth, errors)[end])) for worth in steps] for end in (0, 1)]
        for errors in LIMITS
    ]
    return {
        "width": _WIDTH, "height": _HEIGHT, "left": _LEFT, "right": _RIGHT, "bottom": _BOTTOM,
        "up": [{"at": up(value), "text": said(kpi.unit, value, language)} for value in _ticks(low, high)],
        "across": [{"at": across(n), "text": f"{n:,.0f}"} for n in _ticks(0.0, most)],
        "centre": up(funnel.centre),
        "inner": curves[0],
        "outer": curves[1],
        "dots": [
            {
                "x": across(one.worth), "y": up(one.value), "kind": _kind(one), "name": name(one.who),
                "title": _title(one, kpi, name, language),
            }
            for one in funnel.points
        ],
    }  # fmt: skip


def _within(low: float, high: float, kpi: Kpi) -> tuple[float, float]:
    """The values that are drawn: some room on each side, within those that there can be."""
    room = (high - low) * 0.05
    least, most = kpi.possible
    return (
        low - room if least is None else max(low - room, least),
        high + room if most is None else min(high + room, most),
    )


def _kind(point: Point) -> str:
    inner, outer = LIMITS
    return "far" if abs(point.off) > outer else "beyond" if abs(point.off) > inner else "in"


def _title(point: Point, kpi: Kpi, name: Callable[[str], str], language: Language) -> str:
    return f"{name(point.who)}: {said(kpi.unit, point.value, language)} (n {point.n})"


def _ticks(low: float, high: float) -> list[float]:
    """Round values from one to the other, five or so."""
    if high <= low:
        return [low]
    rough = (high - low) / 5
    unit = 10.0 ** floor(log10(rough))
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
    return [round(step * at, 10) for at in range(ceil(low / step), floor(high / step) + 1)]
