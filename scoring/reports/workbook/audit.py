"""The workbook's sheets of what is missing, and of what the results rest on."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from scoring.cards.figures import known_figures
from scoring.evaluation.scores import ItemScore
from scoring.outcomes.decide import Outcomes
from scoring.reports.xlsx import Column, Shown
from scoring.rounding import NONE, cents, total
from scoring.runs.messages import message
from scoring.runs.run import Run
from streams.kpi.as_of import moment_said
from streams.kpi.catalog import KPIS

MISSING_COLUMNS: list[Column] = [
    ("人员\nPerson", 18),
    ("考核指标\nItem", 24),
    ("Item", 28),
    ("编号\nId", 18),
    ("来源\nComes from", 24),
    ("提供人\nHanded in by", 24),
    ("原因", 50),
    ("Reason", 60),
]

AUDIT_COLUMNS: list[Column] = [("内容项\nWhat", 26), ("What", 28), ("内容\nContent", 70)]


def missing_lines(run: Run) -> Iterator[tuple[Shown, ...]]:
    """A line for each unscored item of each person: where its figure comes from, who hands it in, and why it lacks."""
    for person in run.people:
        for score in person.unscored:
            item = score.item
            rater = f"{item.rater.zh} {item.rater.en}" if item.rater else NONE
            yield (
                person.person,
                item.name.zh,
                item.name.en,
                item.id,
                _origin(run, score),
                rater,
                score.reason_zh,
                score.reason_en,
            )


def audit_lines(run: Run, outcomes: Outcomes | None) -> Iterator[tuple[Shown, ...]]:
    """What the results rest on, with versions; how many people, what their totals add up to; and a digest of them all."""
    yield from _versions(run)
    yield "考核结果应用规则版本", "Outcome rules", f"v{outcomes.settings_version}" if outcomes else NONE
    totals = [person.tally.total for person in run.people if person.tally.total is not None]
    complete = sum(person.tally.complete and person.tally.total is not None for person in run.people)
    yield "人数", "People", str(len(run.people))
    yield "有总分人数", "People with a total", str(len(totals))
    yield "全部考核指标均已评分人数", "People scored on every item", str(complete)
    yield "总分合计（核对）", "Sum of totals (control)", cents(total(totals))
    if outcomes:
        yield "应发金额合计（核对，元）", "Sum of money (control)", cents(outcomes.summary.money)
    digest = sha256()
    for person in run.people:  # one by one: all of them together would take gigabytes
        digest.update(msgspec.json.encode(message(run, person)))
    yield "结果摘要 SHA-256", "SHA-256 of the results", digest.hexdigest()


def _versions(run: Run) -> Iterator[tuple[Shown, ...]]:
    """The card, and by what it was scored."""
    card = run.card
    yield "评分卡", "Card", f"{card.id} v{card.version}"
    if card.source:
        yield "评分卡原文", "Card's source", f"{card.source.document}: {card.source.lines}"
    yield "考核周期", "Period", f"{run.period} ({run.period.first} – {run.period.last})"
    if run.as_of is not None:
        yield "截至（判断观察期是否已满）", "As of (when days have matured)", moment_said(run.as_of)
    yield "口径设置版本", "Policy version", run.policy_version
    for id, version in sorted(run.kpi_versions.items()):
        yield f"指标 {KPIS[id].zh}", f"KPI {KPIS[id].en}", f"{id} v{version}"
    for applied in run.weights.applied:
        why = f": {applied.reason.zh} {applied.reason.en}" if applied.reason else ""
        said = applied.words()
        yield said.zh, said.en, f"{applied.profile} v{applied.version}{why}"


def _origin(run: Run, score: ItemScore) -> str:
    item = score.item
    if item.kpi is not None:
        return f"KPI {item.kpi}"
    if item.rated:
        return "人工评分 rating"
    figure = run.card.figures.get(item.key) or known_figures().get(item.key)
    by = "事件 events" if item.metric is not None else "录入 handed in"
    return f"{by}: {figure.zh} {figure.en}" if figure else f"{by}: {item.key}"
