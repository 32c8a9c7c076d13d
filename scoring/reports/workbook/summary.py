"""A run as an XLSX workbook for HR: people, items, what is missing, outcomes, card, audit. The same run, the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from scoring.evaluation.scorer import ItemScore, PersonScore
from scoring.outcomes.decide import PersonOutcome
from scoring.reports import xlsx
from scoring.reports.csv_report import yes_no
from scoring.reports.sheets.context import Context
from scoring.reports.sheets.labels import LANGUAGES
from scoring.reports.workbook.audit import AUDIT_COLUMNS, MISSING_COLUMNS, audit_lines, missing_lines
from scoring.reports.workbook.outcomes import (
    ACTION_COLUMNS,
    OUTCOME_COLUMNS,
    PROMOTION_COLUMNS,
    action_lines,
    outcome_lines,
    promotion_lines,
)
from scoring.reports.workbook.results import below, result_columns, result_line
from scoring.reports.workbook.sources import SOURCE_COLUMNS, source_lines
from scoring.reports.xlsx import AS_IS, MONEY, POINTS, Column, Number, Shown
from scoring.rounding import some
from scoring.runs.messages import flags, money_of
from scoring.runs.run import Run
from scoring.units import Unit
from streams.languages import Language
from streams.languages.text import Text
from streams.people.names import Names

_FORMATS: dict[Unit, str] = {
    "s": "0.00",
    "min": "0.00",
    "h": "0.00",
    "days": "0",
    "pct": "0.00%",
    "pp": "0.00",
    "points": "0.00",
    "n": "0",
    "ratio": "0.0000",
    "per_hour": "0.00",
    "per_mille": "0.00",
    "index": "0.00",
    "money": MONEY,
}


def to_xlsx(of: Context, languages: tuple[Language, ...] = LANGUAGES) -> bytes:
    """The workbook, in one language or in both. Totals stand rounded; items unrounded, shown with 2 places; where there is nothing
    the cell is empty.

    The first sheet is what is signed and hung out, the last two are HR's own: where everything is from, and the control figures.
    """
    run, outcomes, names = of.run, of.outcomes, of.names
    about = Text(f"{run.card.name.zh} · {run.period.zh}", f"{run.card.name.en} · {run.period}")
    book = xlsx.begun(about, run.period.last, languages)
    summary = _Summary(of)

    def of_people(
        title: Text,
        columns: list[Column],
        lines: Iterable[Iterable[Shown]],
        under: Iterable[Text] = (),
        signed: bool = False,
    ) -> None:
        xlsx.sheet(book, title, *(_named(columns, lines, names) if names else (columns, lines)), under, signed)

    results = (result_line(of, person) for person in run.people)
    of_people(Text("考核结果", "Results"), result_columns(of), results, below(of), signed=True)
    of_people(Text("汇总", "Summary"), summary.columns(), (summary.line(person) for person in run.people))
    of_people(Text("明细", "Items"), _ITEM_COLUMNS, (line for person in run.people for line in _items(person)))
    of_people(Text("待补", "Missing"), MISSING_COLUMNS, missing_lines(run))
    if outcomes is not None:
        of_people(Text("考核结果应用", "Outcomes"), OUTCOME_COLUMNS, outcome_lines(outcomes))
        of_people(Text("后续措施", "Actions"), ACTION_COLUMNS, action_lines(outcomes, names))
        if any(person.next_post is not None for person in outcomes.people):
            of_people(Text("晋升", "Promotion"), PROMOTION_COLUMNS, promotion_lines(outcomes))
    xlsx.sheet(book, Text("评分卡", "Card"), _CARD_COLUMNS, _card(run))
    xlsx.sheet(book, Text("附录 来源", "Sources"), SOURCE_COLUMNS, source_lines(run, outcomes))
    xlsx.sheet(book, Text("附录 审计", "Audit"), AUDIT_COLUMNS, audit_lines(run, outcomes))
    return xlsx.saved(book)


def _named(
    columns: list[Column], lines: Iterable[Iterable[Shown]], names: Names
) -> tuple[list[Column], Iterator[Iterable[Shown]]]:
    """A sheet whose first column says whose each line is, with the name behind it."""

    def named(line: Iterable[Shown]) -> Iterator[Shown]:
        person, *more = line
        yield person
        yield _called(names, str(person))
        yield from more

    return [columns[0], (Text("姓名", "Name"), 16), *columns[1:]], map(named, lines)


def _called(names: Names, id: str) -> Text | None:
    zh, en = names.plain(id, "zh"), names.plain(id, "en")
    return Text(zh, en) if zh and en else None


class _Summary:
    """Everybody's points, a line a person. Columns that nobody has anything in are left out."""

    def __init__(self, of: Context) -> None:
        self._of = of
        entries = [entry for person in of.run.people if (entry := of.roster.get(person.person))]
        self._hr = any(person.hr_number is not None for person in of.run.people)
        self._team = any(entry.team_id for entry in entries)
        self._site = any(entry.site_id for entry in entries)

    def columns(self) -> list[Column]:
        """Their headings and widths."""
        items: list[Column] = [
            (Text(f"{item.name.zh}（满分 {some(item.max)}）", f"{item.name.en} (of {some(item.max)})"), 15)
            for item in self._of.run.items
        ]
        parts: list[Column] = [
            (Text(f"{part.name.zh}小计", f"{part.name.en}, subtotal"), 13) for part in self._of.run.card.sections
        ]
        return [
            (Text("人员", "Person"), 13),
            *([(Text("员工编号", "HR number"), 13)] if self._hr else []),
            *([(Text("班组", "Team"), 14)] if self._team else []),
            *([(Text("职场", "Site"), 14)] if self._site else []),
            (Text("总分", "Total"), 10),
            (Text("已评满分", "Max scored"), 11),
            (Text("满分", "Max"), 8),
            (Text("完整", "Complete"), 10),
            *(
                [
                    (Text("百分制", "Of 100"), 9),
                    (Text("等级", "Grade"), 8),
                    (Text("排名", "Rank"), 8),
                    (Text("应发金额（元）", "Money"), 13),
                ]
                if self._of.outcomes is not None
                else []
            ),
            *items,
            *parts,
            (Text("未评分", "Unscored"), 26),
        ]

    def line(self, person: PersonScore) -> Iterator[Shown]:
        """One person's line."""
        tally, of = person.tally, self._of
        yield person.person
        if self._hr:
            yield person.hr_number
        if self._team:
            yield of.team(person.person)
        if self._site:
            yield of.site(person.person)
        yield Number(tally.total, POINTS)
        yield Number(tally.scored_max, AS_IS)
        yield Number(tally.max, AS_IS)
        yield yes_no(tally.complete)
        if of.outcomes is not None:
            yield from _decision(of.decided[person.person])
        for item in person.items:
            yield _points(item)
        for part in person.sections:
            yield Number(part.tally.total, POINTS)
        yield _lacking(person)


def _lacking(person: PersonScore) -> Text | None:
    """The items that are unscored, by name."""
    names = [score.item.name for score in person.unscored]
    return Text("、".join(name.zh for name in names), ", ".join(name.en for name in names)) if names else None


def _decision(outcome: PersonOutcome) -> Iterator[Shown]:
    yield Number(outcome.standing.total, POINTS)
    yield outcome.standing.grade
    yield Number(outcome.standing.rank, "0")
    yield Number(money_of(outcome), MONEY)


_ITEM_COLUMNS: list[Column] = [
    (Text("人员", "Person"), 13),
    (Text("考核部分", "Section"), 14),
    (Text("考核指标", "Item"), 24),
    (Text("数值", "Value"), 11),
    (Text("样本", "n"), 8),
    (Text("95%置信区间下限", "Interval low"), 12),
    (Text("95%置信区间上限", "Interval high"), 12),
    (Text("目标值", "Target"), 22),
    (Text("得分", "Points"), 9),
    (Text("满分", "Max"), 8),
    (Text("依据", "Reason"), 60),
    (Text("权重", "Weight"), 9),
    (Text("计入总分", "Counts"), 10),
    (Text("标记", "Flags"), 16),
    (Text("观察期未满", "Pending"), 10),
]
_FLAGS = {
    "vetoed": Text("一票否决", "vetoed"),
    "few": Text("样本量不足", "small sample"),
}


def _items(person: PersonScore) -> Iterator[Iterator[Shown]]:
    for part in person.sections:
        for item in part.items:
            yield _item(person.person, part.section.name, item)


def _item(person: str, section: Text, score: ItemScore) -> Iterator[Shown]:
    item, figure = score.item, score.figure
    style = _FORMATS[item.unit]
    yield person
    yield section
    yield item.name
    yield Number(_cell_value(score), style)
    yield Number(figure.n if item.kpi or figure.n else None, "0")
    yield Number(figure.low, style)
    yield Number(figure.high, style)
    yield item.target_words() if item.target or item.reference else None
    yield _points(score)
    yield Number(item.max, AS_IS)
    yield Text(score.reason_zh, score.reason_en)
    yield _weight(score.worth)
    yield _weight(score.counted)
    told = [_FLAGS[flag] for flag in flags(score)]
    yield Text("、".join(flag.zh for flag in told), ", ".join(flag.en for flag in told)) if told else None
    yield Number(figure.pending or None, "0")


def _cell_value(score: ItemScore) -> float | None:
    """The value for the sheet, which shows percentages by its number format: the KPI's own figure."""
    if score.value is None:
        return score.figure.value
    return float(score.value / 100 if score.item.unit == "pct" else score.value)


def _points(score: ItemScore) -> Number:
    return Number(None if score.points is None else float(score.points), POINTS)


_CARD_COLUMNS: list[Column] = [
    (Text("考核指标", "Item"), 30),
    (Text("目标值", "Target"), 26),
    (Text("满分", "Max"), 8),
    (Text("计分规则", "Rule"), 50),
    (Text("权重", "Weight"), 9),
    (Text("本期权重", "This period"), 10),
]


def _card(run: Run) -> Iterator[Iterable[Shown]]:
    whole = Number(run.card.total.max, AS_IS)
    yield (run.card.name, None, whole, None, whole, whole)
    for item in run.items:
        yield (
            item.name,
            item.target_words() if item.target or item.reference else None,
            Number(item.max, AS_IS),
            item.rule.words(),
            _weight(run.weights.base.get(item.id)),
            _weight(run.weights.worth.get(item.id)),
        )


def _weight(worth: Fraction | None) -> Number:
    return Number(None if worth is None else float(worth), POINTS)
