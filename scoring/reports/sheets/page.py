"""A person's page in one language: every text on it, so that HTML and PDF only set it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.evaluation.scorer import PersonScore, SectionScore
from scoring.evaluation.scores import ItemScore
from scoring.outcomes.decide import PersonOutcome
from scoring.period import day_zh
from scoring.reports.sheets.charts import radar, trend
from scoring.reports.sheets.context import Context, attained
from scoring.reports.sheets.labels import label
from scoring.reports.sheets.outcomes import follows
from scoring.reports.sheets.peers import compared, next_line
from scoring.rounding import NONE, shown, some
from scoring.runs.messages import flags
from scoring.runs.run import Run
from scoring.units import said
from streams.kpi.as_of import moment_said
from streams.kpi.catalog import KPIS
from streams.kpi.compare import VERDICTS, Compared, difference_said
from streams.kpi.labels import said as kpi_said
from streams.languages import Language
from streams.languages.text import Text


@dataclass(frozen=True)
class Row:
    """An item on the page. ``share``: its points by its maximum, within 0 and 1; None: unscored. ``tags``: flags in words.

    ``beside``: how the figure compares with the rest of the team; empty where it is not compared.
    """

    number: str
    name: str
    figure: str
    n: str
    interval: str
    target: str
    points: str
    counts: str
    rule: str
    reason: str
    beside: str
    tags: tuple[str, ...]
    share: float | None


@dataclass(frozen=True)
class Block:
    """A section of the card: its name, what it adds up to, its items."""

    name: str
    subtotal: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Record:
    """The record of an interview that is due, to be filled in by hand. ``facts``: label and value; ``steps``: name and what to speak about.

    ``measures``: headings of the empty table of what is agreed. ``opinion``: what the person writes themselves.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]
    measures: tuple[str, ...]
    opinion: str
    signatures: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Everything on one person's page in one language. ``labels``: headings by name; ``facts``: label and value.

    ``radar`` and ``trend`` are SVG; ``radar`` None: the card has too few parts for one. ``left_out``: what is unscored
    or excluded, and why. ``follows``: lines on pay, stars, awards and actions. ``basis``: the versions it rests on.
    ``signatures``: who signs for the operation. ``appeal``: until when an appeal may be made; empty where nothing says it.
    ``interview``: a page of its own, where one is due.
    """

    language: Language
    title: str
    person: str
    facts: tuple[tuple[str, str], ...]
    total: str
    of: str
    grade: str
    standing: tuple[str, ...]
    labels: dict[str, str]
    radar: str | None
    trend: str
    blocks: tuple[Block, ...]
    left_out: tuple[tuple[str, str], ...]
    follows: tuple[str, ...]
    basis: str
    signatures: tuple[str, ...]
    appeal: str
    interview: Record | None


_HEADINGS = (
    *("sheet", "total", "grade", "item", "figure", "n", "interval", "target", "points", "counts", "rule", "reason"),
    *("radar", "trend", "left_out", "nothing_left_out", "outcomes", "basis", "no_axes"),
    *("read", "agreed", "objected", "own_signature", "date", "seal"),
)


def pages(context: Context, person: str, languages: Sequence[Language]) -> tuple[Page, ...]:
    """The person's page in each language. Raises KeyError for somebody whom the run does not have."""
    score = context.scores[person]
    return tuple(_page(context, score, language) for language in languages)


def _page(context: Context, score: PersonScore, language: Language) -> Page:
    run, tally = context.run, score.tally
    outcome = context.decided.get(score.person)
    axes, legend = compared(context, score, outcome, language)
    line = next_line(score, outcome, language)
    numbers = {item.item.id: str(at) for at, item in enumerate(score.items, 1)}
    return Page(
        language=language,
        title=run.card.name[language],
        person=context.names.plain(score.person, language) or score.person,
        facts=tuple(_facts(context, score, language)),
        total=_total(score),
        of=_of(score, language),
        grade=_grade(outcome),
        standing=_picked(outcome.standing.reasons if outcome else (), language),
        labels={name: label(name, language) for name in _HEADINGS},
        radar=radar(axes, legend, language) if axes else None,
        trend=trend(context.trend(score.person), tally.max, line, label("no_trend", language)),
        blocks=tuple(_block(part, numbers, run, score.person, language) for part in score.sections),
        left_out=tuple(_left_out(context, score, language)),
        follows=_picked(follows(outcome, context.names) if outcome else (), language),
        basis=_basis(context, language),
        signatures=_picked(run.card.signatures or _SIGN, language),
        appeal=context.appeal[language] if context.appeal else "",
        interview=_interview(context, score, outcome, language),
    )


#: Who signs a sheet where the card's form names nobody.
_SIGN = (Text("考核人", "Assessor"), Text("审核人", "Reviewer"), Text("批准人", "Approved by"))


def _interview(
    context: Context, score: PersonScore, outcome: PersonOutcome | None, language: Language
) -> Record | None:
    """The record of the interview that the month sets off; None: none is due."""
    due = next((action for action in outcome.actions if action.kind == "interview"), None) if outcome else None
    if due is None:
        return None
    facts = [
        *_facts(context, score, language),
        (label("total", language), f"{_total(score)} {_of(score, language)}"),
        (label("grade", language), _grade(outcome)),
        (label("interview_why", language), due.reason[language]),
        (label("interview_due", language), day_zh(due.due) if language == "zh" else str(due.due)),
        (label("interviewer", language), context.names.shown(due.owner, language) if due.owner else ""),
    ]
    return Record(
        title=label("interview", language),
        facts=tuple(facts),
        steps=tuple((step.name[language], step.about[language]) for step in due.steps),
        measures=tuple(label(name, language) for name in ("measure", "measure_due", "measure_owner")),
        opinion=label("opinion", language),
        signatures=tuple(label(name, language) for name in ("interviewer", "interviewed", "date")),
    )


def _total(score: PersonScore) -> str:
    return NONE if score.tally.total is None else str(score.tally.total)


def _grade(outcome: PersonOutcome | None) -> str:
    return (outcome and outcome.standing.grade) or NONE


def _picked(lines: Iterable[Text], language: Language) -> tuple[str, ...]:
    return tuple(line[language] for line in lines)


def _facts(context: Context, score: PersonScore, language: Language) -> Iterator[tuple[str, str]]:
    if score.person in context.names:
        yield label("agent_id", language), score.person
    period, as_of = context.run.period, context.run.as_of
    yield label("period", language), period.zh if language == "zh" else str(period)
    if as_of is not None:
        yield (
            label("as_of", language),
            f"{day_zh(as_of.date())} {as_of:%H:%M}" if language == "zh" else moment_said(as_of),
        )
    if score.hr_number:
        yield label("hr_number", language), score.hr_number
    for name, called in (("team", context.team(score.person)), ("site", context.site(score.person))):
        if called is not None:
            yield label(name, language), called[language]


def _of(score: PersonScore, language: Language) -> str:
    tally = score.tally
    whole, reached = shown(tally.max), shown(tally.scored_max)
    if not tally.max:
        return label("no_weights", language)
    if tally.complete or tally.total is None:
        return f"/ {whole}"
    return (
        f"/ 已评考核指标满分 {reached}，全表满分 {whole}"
        if language == "zh"
        else f"/ {reached} scored, of {whole} on the card"
    )


def _block(part: SectionScore, numbers: dict[str, str], run: Run, person: str, language: Language) -> Block:
    tally, beside = part.tally, run.beside.get(person, {})
    total = NONE if tally.total is None else str(tally.total)
    subtotal = (
        f"{label('subtotal', language)} {total} / {shown(tally.max)}" if tally.max else label("no_weights", language)
    )
    rows = tuple(_row(item, numbers[item.item.id], beside.get(item.item.id), language) for item in part.items)
    return Block(part.section.name[language], subtotal, rows)


def _row(score: ItemScore, number: str, compared: Compared | None, language: Language) -> Row:
    item, figure = score.item, score.figure
    share = attained(score)
    return Row(
        number=number,
        name=item.name[language],
        figure=_figure(score, language),
        n=str(figure.n) if item.kpi or figure.n else "",
        interval=_interval(score, language),
        target=item.target_words()[language] if item.target or item.reference else "",
        points=f"{_points(score, language)} / {some(item.max)}",
        counts=_counts(score),
        rule=item.rule.words()[language],
        reason=score.reason_zh if language == "zh" else score.reason_en,
        beside=_beside(compared, score, language),
        tags=tuple(_tags(score, language)),
        share=None if share is None else float(min(max(share, Fraction(0)), Fraction(1))),
    )


def _counts(score: ItemScore) -> str:
    """What the points count in the total, where that is another figure than the points."""
    if score.weight is None or (score.weight.per_point == 1 and score.worth == Fraction(score.item.max or 0)):
        return ""
    return f"{some(score.counted)} / {some(score.worth)}"


def _tags(score: ItemScore, language: Language) -> Iterator[str]:
    for flag in flags(score):
        yield label(flag, language)
    if score.figure.pending:
        yield f"{label('pending', language)} {score.figure.pending}"


def _points(score: ItemScore, language: Language) -> str:
    return label("unscored", language) if score.points is None else shown(score.points)


def _figure(score: ItemScore, language: Language) -> str:
    if score.value is None or score.item.rated:
        return ""
    return said(score.value, score.item.unit)[language]


def _interval(score: ItemScore, language: Language) -> str:
    low, high, unit = score.figure.low, score.figure.high, score.item.unit
    if low is None or high is None:
        return ""
    times = 100 if unit == "pct" else 1
    ends = [said(Decimal(str(end)) * times, unit)[language] for end in (low, high)]
    return f"{ends[0]}～{ends[1]}" if language == "zh" else f"{ends[0].removesuffix(' %')} – {ends[1]}"


def _beside(compared: Compared | None, score: ItemScore, language: Language) -> str:
    if compared is None or compared.difference is None or score.item.kpi is None:
        return ""
    unit = KPIS[score.item.kpi].unit
    others, gap = kpi_said(unit, compared.rest.value, language), difference_said(unit, compared.difference, language)
    verdict = VERDICTS[compared.verdict][language]
    if score.item.adjusted:
        if language == "zh":
            return f"与同类工作应达值比较：{verdict}；应达 {others}，样本 {compared.own.n}；差异 {gap}"
        return f"on the same work: {verdict} (expected {others}, n {compared.own.n}; difference {gap})"
    if language == "zh":
        return f"与班组其他成员比较：{verdict}；其他成员 {others}，样本 {compared.rest.n}；差异 {gap}"
    return f"{verdict} (the others {others}, n {compared.rest.n}; difference {gap})"


def _left_out(context: Context, score: PersonScore, language: Language) -> Iterator[tuple[str, str]]:
    for item in score.unscored:
        yield item.item.name[language], item.reason_zh if language == "zh" else item.reason_en
    for item in score.items:
        if item.vetoed or (item.few and item.neutral and item.points is not None):
            yield item.item.name[language], item.reason_zh if language == "zh" else item.reason_en
    for one in context.excluded.get(score.person, ()):
        yield one.what[language], one.why[language]


def _basis(context: Context, language: Language) -> str:
    """In words that whom the sheet is about can read; versions of figures, ids and places in documents are in the workbook's appendix."""
    run = context.run
    zh = language == "zh"
    parts = [f"{run.card.name[language]} v{run.card.version}"]
    parts.append(f"{'口径设置' if zh else 'policy'} {run.policy_version}")
    parts += [f"{applied.words()[language]} v{applied.version}" for applied in run.weights.applied]
    if context.outcomes:
        parts.append(f"{'考核结果应用规则' if zh else 'outcome rules'} v{context.outcomes.settings_version}")
    return ("；" if zh else " · ").join(parts)
