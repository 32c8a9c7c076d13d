"""HR's appendix: where each item, its figure and its rule are from, and each rule that decided something."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.cards.figures import known_figures
from scoring.cards.model import Item
from scoring.fields import joined
from scoring.outcomes.decide import Outcomes, PersonOutcome
from scoring.reports.xlsx import Column, Shown
from scoring.runs.run import Run
from streams.kpi.catalog import KPIS
from streams.languages.text import Text

SOURCE_COLUMNS: list[Column] = [
    (Text("内容", "What"), 30),
    (Text("取数方式", "Figure from"), 32),
    (Text("规则来源", "Rule from"), 22),
    (Text("权重来源", "Weight from"), 22),
    (Text("原文", "Text of the source"), 50),
    (Text("说明", "Note"), 50),
    (Text("原文条目", "Rows of the source"), 18),
]
#: Where a rule or a weight is from, in words.
ORIGINS = {
    "source": Text("原文规定", "as the source has it"),
    "repaired": Text("原文有误，已修正", "the source's, put right"),
    "assumed": Text("系统暂定，原文未规定", "assumed: the source states none"),
}


def source_lines(run: Run, outcomes: Outcomes | None) -> Iterator[tuple[Shown, ...]]:
    """The card, its items, then each rule that decided something for somebody."""
    card = run.card
    document = f"{card.source.document}: {card.source.lines}" if card.source else None
    yield card.name, f"{card.id} v{card.version}", None, None, document, card.note, _rows(*card.rows, *card.readings)
    for item in run.items:
        rows = _rows(*item.rows, *item.readings)
        rule, weight = ORIGINS[item.rule_origin], _weight_from(run, item)
        yield item.name, origin_of(run, item), rule, weight, item.source_text, item.note, rows
    decided: dict[Text, str] = {}
    for person in outcomes.people if outcomes else ():
        for name, source in _rules(outcomes, person):
            decided.setdefault(name, source)
    for name, source in decided.items():
        yield name, None, None, None, None, None, source


def _weight_from(run: Run, item: Item) -> Text | None:
    """Where an item's weight is from: the card, or what has changed it in the period."""
    if run.weights.changed(item.id):
        return joined(applied.words() for applied in run.weights.applied)
    return ORIGINS[item.max_origin] if item.max is not None else None


def _rows(*rows: str) -> str | None:
    return ", ".join(rows) or None


def origin_of(run: Run, item: Item) -> Text:
    """Where an item's figure comes from."""
    if item.kpi is not None:
        kpi = KPIS[item.kpi]
        version = run.kpi_versions.get(item.kpi)
        return Text(f"业务事件：{kpi.zh}（{kpi.id} v{version}）", f"events: {kpi.en} ({kpi.id} v{version})")
    if item.rated:
        return Text("人工评分", "rated by people")
    figure = run.card.figures.get(item.key) or known_figures().get(item.key)
    zh, en = (figure.zh, figure.en) if figure else (item.key, item.key)
    return Text(f"录入：{zh}（{item.key}）", f"handed in: {en} ({item.key})")


def _rules(outcomes: Outcomes | None, person: PersonOutcome) -> Iterator[tuple[Text, str]]:
    assert outcomes is not None
    for pay in (person.pay, person.base_bonus):
        if pay is not None and pay.source:
            yield outcomes.pay_names[pay.rule], pay.source
    for award in person.awards:
        if award.source:
            yield award.name, award.source
    for held in person.streaks:
        if held.source:
            yield held.name, held.source
    for action in person.actions:
        if action.sources:
            yield action.name, ", ".join(action.sources)
