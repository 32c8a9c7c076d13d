"""A run as an XLSX workbook for HR: people, items, what is missing, outcomes, card, audit. The same run, the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from scoring.evaluation.scorer import ItemScore, PersonScore
from scoring.fields import Words
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.reports import xlsx
from scoring.reports.csv_report import NAME_COLUMN, PERSON_COLUMNS, yes_no
from scoring.reports.workbook.audit import AUDIT_COLUMNS, MISSING_COLUMNS, audit_lines, missing_lines
from scoring.reports.workbook.outcomes import ACTION_COLUMNS, OUTCOME_COLUMNS, action_lines, outcome_lines
from scoring.reports.xlsx import AS_IS, MONEY, POINTS, Column, Number, Shown
from scoring.rounding import NONE, some
from scoring.runs.messages import flags, money_of
from scoring.runs.run import Run
from scoring.units import Unit
from streams.contracts.outputs import RosterEntry
from streams.people.names import Names
from streams.people.units import UnitNames

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


def to_xlsx(
    run: Run,
    outcomes: Outcomes | None = None,
    roster: Mapping[str, RosterEntry] | None = None,
    names: Names | None = None,
    units: UnitNames | None = None,
) -> bytes:
    """The workbook. Totals stand rounded; items unrounded, shown with 2 places; a dash where something is unscored.

    ``outcomes``: of the same month. ``roster``: person → their entry, for team and site. ``names``: a column beside each person's.
    ``units``: what teams and sites are called.
    """
    known = names or Names()
    book = xlsx.begun(f"{run.card.id} v{run.card.version} {run.period}", run.period.last)
    summary = _Summary(run, outcomes, roster or {}, units or UnitNames())

    def of_people(title: str, columns: list[Column], lines: Iterable[Iterable[Shown]]) -> None:
        xlsx.sheet(book, title, *(_named(columns, lines, known) if known else (columns, lines)))

    of_people("汇总 Summary", summary.columns(), (summary.line(person) for person in run.people))
    of_people("明细 Items", _ITEM_COLUMNS, (line for person in run.people for line in _items(person)))
    of_people("待补 Missing", MISSING_COLUMNS, missing_lines(run))
    if outcomes is not None:
        of_people("考核结果应用 Outcomes", OUTCOME_COLUMNS, outcome_lines(outcomes))
        of_people("后续措施 Actions", ACTION_COLUMNS, action_lines(outcomes, known))
    xlsx.sheet(book, "评分卡 Card", _CARD_COLUMNS, _card(run))
    xlsx.sheet(book, "审计 Audit", AUDIT_COLUMNS, audit_lines(run, outcomes))
    return xlsx.saved(book)


def _named(
    columns: list[Column], lines: Iterable[Iterable[Shown]], names: Names
) -> tuple[list[Column], Iterator[Iterable[Shown]]]:
    """A sheet whose first column says whose each line is, with the name behind it."""

    def named(line: Iterable[Shown]) -> Iterator[Shown]:
        person, *more = line
        yield person
        yield names.both(str(person)) or NONE
        yield from more

    return [columns[0], (NAME_COLUMN.replace(" ", "\n"), 20), *columns[1:]], map(named, lines)


class _Summary:
    """The first sheet: a line a person. Columns that nobody has anything in are left out."""

    def __init__(
        self, run: Run, outcomes: Outcomes | None, roster: Mapping[str, RosterEntry], units: UnitNames
    ) -> None:
        self._run, self._roster, self._units = run, roster, units
        self._decided = {one.person: one for one in outcomes.people} if outcomes else None
        entries = [entry for person in run.people if (entry := roster.get(person.person))]
        self._hr = any(person.hr_number is not None for person in run.people)
        self._team = any(entry.team_id for entry in entries)
        self._site = any(entry.site_id for entry in entries)

    def columns(self) -> list[Column]:
        """Their headings and widths."""
        person, hr, *whole = zip(
            (name.replace(" ", "\n", 1) for name in PERSON_COLUMNS), (18, 16, 11, 13, 10, 13), strict=True
        )
        items = [(f"{item.name.zh}\n{item.name.en}\n/ {some(item.max)}", 20) for item in self._run.items]
        parts = [(f"{part.name.zh}\n{part.name.en}\n小计 subtotal", 18) for part in self._run.card.sections]
        return [
            person,
            *([hr] if self._hr else []),
            *([("班组\nTeam", 16)] if self._team else []),
            *([("职场\nSite", 16)] if self._site else []),
            *whole,
            *(
                [("百分制\nOf 100", 10), ("等级\nGrade", 8), ("排名\nRank", 8), ("应发金额（元）\nMoney", 12)]
                if self._decided is not None
                else []
            ),
            *items,
            *parts,
            ("未评分\nUnscored", 24),
        ]

    def line(self, person: PersonScore) -> Iterator[Shown]:
        """One person's line."""
        tally, entry = person.tally, self._roster.get(person.person)
        yield person.person
        if self._hr:
            yield person.hr_number or NONE
        if self._team:
            yield self._unit("team", entry.team_id if entry else None)
        if self._site:
            yield self._unit("site", entry.site_id if entry else None)
        yield Number(tally.total, POINTS)
        yield Number(tally.scored_max, AS_IS)
        yield Number(tally.max, AS_IS)
        yield yes_no(tally.complete)
        if self._decided is not None:
            yield from _decision(self._decided[person.person])
        for item in person.items:
            yield _points(item)
        for part in person.sections:
            yield Number(part.tally.total, POINTS)
        yield "、".join(score.item.name.zh for score in person.unscored) or NONE

    def _unit(self, kind: str, id: str | None) -> str:
        """What a person's team or site is called."""
        return self._units.beside(f"{kind}|{id}") if id else NONE


def _decision(outcome: PersonOutcome) -> Iterator[Shown]:
    yield Number(outcome.month.total, POINTS)
    yield outcome.month.grade or NONE
    yield Number(outcome.month.rank, "0")
    yield Number(money_of(outcome), MONEY)


_ITEM_COLUMNS: list[Column] = [
    ("人员\nPerson", 18),
    ("考核部分\nSection", 14),
    ("考核指标\nItem", 22),
    ("Item", 26),
    ("KPI", 24),
    ("数值\nValue", 11),
    ("样本\nn", 8),
    ("95%置信区间下限\nInterval low", 14),
    ("95%置信区间上限\nInterval high", 14),
    ("目标值\nTarget", 22),
    ("得分\nPoints", 10),
    ("满分\nMax", 8),
    ("依据", 60),
    ("Reason", 70),
    ("权重\nWeight", 10),
    ("计入总分\nCounts", 10),
    ("标记\nFlags", 20),
    ("观察期未满\nPending", 12),
]
_FLAGS = {"vetoed": "一票否决 vetoed", "few": "样本量不足 small sample", "straddles": "置信区间跨档 straddles bands"}


def _items(person: PersonScore) -> Iterator[Iterator[Shown]]:
    for part in person.sections:
        for item in part.items:
            yield _item(person.person, part.section.name.zh, item)


def _item(person: str, section: str, score: ItemScore) -> Iterator[Shown]:
    item, figure = score.item, score.figure
    style = _FORMATS[item.unit]
    yield person
    yield section
    yield item.name.zh
    yield item.name.en
    yield item.kpi or item.metric or item.input or NONE
    yield Number(_cell_value(score), style)
    yield Number(figure.n if item.kpi or figure.n else None, "0")
    yield Number(figure.low, style)
    yield Number(figure.high, style)
    yield item.target_words().zh
    yield _points(score)
    yield Number(item.max, AS_IS)
    yield score.reason_zh
    yield score.reason_en
    yield _weight(score.worth)
    yield _weight(score.counted)
    yield ", ".join(_FLAGS[flag] for flag in flags(score)) or NONE
    yield Number(figure.pending or None, "0")


def _cell_value(score: ItemScore) -> float | None:
    """The value for the sheet, which shows percentages by its number format: the KPI's own figure."""
    if score.value is None:
        return score.figure.value
    return float(score.value / 100 if score.item.unit == "pct" else score.value)


def _points(score: ItemScore) -> Number:
    return Number(None if score.points is None else float(score.points), POINTS)


_CARD_COLUMNS: list[Column] = [
    ("考核指标\nItem", 28),
    ("Item", 32),
    ("KPI", 26),
    ("KPI 版本\nVersion", 10),
    ("目标值\nTarget", 26),
    ("满分\nMax", 8),
    ("计分规则", 40),
    ("Rule", 44),
    ("规则来源\nRule origin", 13),
    ("原文\nSource", 50),
    ("说明", 50),
    ("Note", 60),
    ("原文条目\nRows", 18),
    ("权重\nWeight", 10),
    ("本期权重\nThis period", 12),
]


_NO_NOTE = Words(NONE, NONE)


def _card(run: Run) -> Iterator[Iterable[Shown]]:
    card, versions = run.card, run.kpi_versions
    document = f"{card.source.document}: {card.source.lines}" if card.source else NONE
    note = card.note or _NO_NOTE
    whole = Number(card.total.max, AS_IS)
    rows = ", ".join((*card.rows, *card.readings)) or NONE
    head = (card.name.zh, card.name.en, f"{card.id} v{card.version}", NONE, NONE, whole, NONE, NONE, NONE)
    yield (*head, document, note.zh, note.en, rows, whole, whole)
    for item in run.items:
        note = item.note or _NO_NOTE
        yield (
            item.name.zh,
            item.name.en,
            item.kpi or item.metric or item.input or NONE,
            Number(versions.get(item.kpi) if item.kpi else None, "0"),
            item.target_words().zh,
            Number(item.max, AS_IS),
            item.rule.words().zh,
            item.rule.words().en,
            item.rule_origin,
            item.source_text or NONE,
            note.zh,
            note.en,
            ", ".join((*item.rows, *item.readings)) or NONE,
            _weight(run.weights.base.get(item.id)),
            _weight(run.weights.worth.get(item.id)),
        )


def _weight(worth: Fraction | None) -> Number:
    return Number(None if worth is None else float(worth), POINTS)
