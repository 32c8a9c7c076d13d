"""The workbook's sheets of what is missing, and of what the results rest on."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from scoring.cards.model import Item
from scoring.outcomes.decide import Outcomes
from scoring.reports.xlsx import Column, Shown
from scoring.rounding import cents, total
from scoring.runs.messages import message
from scoring.runs.run import Run
from streams.kpi.as_of import moment_said
from streams.kpi.catalog import KPIS
from streams.languages.text import Text

MISSING_COLUMNS: list[Column] = [
    (Text("人员", "Person"), 13),
    (Text("考核指标", "Item"), 28),
    (Text("编号", "Id"), 16),
    (Text("来源", "Comes from"), 22),
    (Text("提供人", "Handed in by"), 22),
    (Text("原因", "Reason"), 60),
]

AUDIT_COLUMNS: list[Column] = [(Text("内容项", "What"), 40), (Text("内容", "Content"), 70)]


def missing_lines(run: Run) -> Iterator[tuple[Shown, ...]]:
    """A line for each unscored item of each person: where its figure comes from, who hands it in, and why it lacks."""
    for person in run.people:
        for score in person.unscored:
            item, why = score.item, Text(score.reason_zh, score.reason_en)
            yield person.person, item.name, item.id, _origin(item), item.rater, why


def _origin(item: Item) -> Text:
    if item.kpi is not None:
        return Text("业务事件", "events")
    return Text("人工评分", "rated by people") if item.rated else Text("录入", "handed in")


def audit_lines(run: Run, outcomes: Outcomes | None) -> Iterator[tuple[Shown, ...]]:
    """What the results rest on, with versions; how many people, what their totals add up to; and a digest of them all."""
    yield from _versions(run)
    yield Text("考核结果应用规则版本", "Outcome rules"), f"v{outcomes.settings_version}" if outcomes else None
    totals = [person.tally.total for person in run.people if person.tally.total is not None]
    complete = sum(person.tally.complete and person.tally.total is not None for person in run.people)
    yield Text("人数", "People"), str(len(run.people))
    yield Text("有总分人数", "People with a total"), str(len(totals))
    yield Text("全部考核指标均已评分人数", "People scored on every item"), str(complete)
    yield Text("总分合计（核对）", "Sum of totals (control)"), cents(total(totals))
    if outcomes:
        yield Text("应发金额合计（核对，元）", "Sum of money (control)"), cents(outcomes.summary.money)
    digest = sha256()
    for person in run.people:  # one by one: all of them together would take gigabytes
        digest.update(msgspec.json.encode(message(run, person)))
    yield Text("结果摘要 SHA-256", "SHA-256 of the results"), digest.hexdigest()


def _versions(run: Run) -> Iterator[tuple[Shown, ...]]:
    """The card, and by what it was scored."""
    card = run.card
    yield Text("评分卡", "Card"), f"{card.id} v{card.version}"
    if card.source:
        yield Text("评分卡原文", "Card's source"), f"{card.source.document}: {card.source.lines}"
    yield Text("考核周期", "Period"), f"{run.period} ({run.period.first} – {run.period.last})"
    if run.as_of is not None:
        yield Text("截至（判断观察期是否已满）", "As of (when days have matured)"), moment_said(run.as_of)
    yield Text("口径设置版本", "Policy version"), run.policy_version
    for id, version in sorted(run.kpi_versions.items()):
        yield Text(f"指标 {KPIS[id].zh}", f"KPI {KPIS[id].en}"), f"{id} v{version}"
    for applied in run.weights.applied:
        why = f": {applied.reason.zh} {applied.reason.en}" if applied.reason else ""
        yield applied.words(), f"{applied.profile} v{applied.version}{why}"
