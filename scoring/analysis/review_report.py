"""A review, as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scoring.analysis.bars import Group, bars
from scoring.analysis.correlation import LEAST_PAIRS, LEAST_VALUES
from scoring.analysis.report import Report, Table, numbers
from scoring.analysis.review import GroupReview, ItemReview, Review
from scoring.reports.sheets.context import LEAST_PEERS
from scoring.rounding import NONE, shown
from scoring.units import said
from streams.people.units import UnitNames


def report(made: Review, units: UnitNames) -> Report:
    """The tables and drawings; ``units``: what teams and sites are called."""
    groups_of = (("职场 Sites", "site", made.sites), ("班组 Teams", "team", made.teams))
    charts = [*_correlations(made)]
    for name, kind, of in groups_of:
        if any(group.mean is not None for group in of):
            drawn = bars([_bar(kind, group, units) for group in of], ("得分率 share of points",))
            charts.append((f"{name}：平均得分率 mean share of points", drawn))
    tables = [_items(made), _targets(made)]
    tables += [_groups(name, kind, of, made, units) for name, kind, of in groups_of if of]
    span = str(made.periods[0]) + (f" – {made.periods[-1]}" if len(made.periods) > 1 else "")
    lead = (
        f"{made.card.name.zh} {made.card.name.en} · {made.card.id} v{made.card.version}",
        f"{made.people} 人，{len(made.periods)} 个考核周期；满意度取 {made.against}。 "
        f"{made.people} people, {len(made.periods)} periods; satisfaction is {made.against}.",
    )
    return Report(f"考核指标回顾 Review · {span}", lead, tuple(tables), tuple(charts))


def _correlations(made: Review) -> Iterator[tuple[str, str]]:
    """The drawing of how items go along with satisfaction, where any does."""
    groups = [
        Group(one.item.id, [(one.correlation.r, f"{one.correlation.r:+.2f}")])
        for one in made.items
        if one.correlation is not None
    ]
    if groups:
        yield "与满意度的相关 Correlation with satisfaction", bars(groups, ("r",))


def _bar(kind: str, group: GroupReview, units: UnitNames) -> Group:
    return Group(units.beside(f"{kind}|{group.name}"), [(_number(group.mean), _percent(group.mean))])


def _items(made: Review) -> Table:
    columns = (
        *("考核指标\nItem", "编号\nId", "有得分\nScored", "未评分\nUnscored", "平均得分率\nMean share"),
        *(
            "同分占比\nSame points",
            "区分度\nTells apart",
            "与满意度相关 r\nCorrelation r",
            "95%置信区间\n95% interval",
            "人数\nPeople",
        ),
    )
    rows = tuple(
        (
            f"{one.item.name.zh} {one.item.name.en}",
            one.item.id,
            str(one.scored),
            str(one.unscored),
            _percent(one.mean),
            _percent(one.alike),
            {None: NONE, True: "有 yes", False: "无 no"}[one.separates],
            *_correlation(one),
        )
        for one in made.items
    )
    notes = (
        "每人取各考核周期平均，一人一例；相关不等于因果。"
        f" A person counts once, by their means; fewer than {LEAST_PAIRS} people or no variation: no figure. No causes.",
        "“不显著”按全部指标一并校正；与满意度出自同一批评价的指标不计算相关。"
        " Unsure is said of all items together; figures of the same ratings as the satisfaction are left out.",
        "九成以上人员同分，该指标缺乏区分度。 Nine of ten with the same points: the item separates nobody.",
    )
    return Table("各项考核指标 Items", columns, rows, numbers(columns, (0, 1, 6)), notes)


def _correlation(one: ItemReview) -> tuple[str, str, str]:
    if one.own:
        return "同一评价 same ratings", NONE, NONE
    found = one.correlation
    if found is None:
        return NONE, NONE, NONE
    mark = "" if found.sure else "（不显著 unsure）"
    return f"{found.r:+.2f}{mark}", f"{found.low:+.2f} – {found.high:+.2f}", str(found.n)


def _targets(made: Review) -> Table:
    columns = (
        *("考核指标\nItem", "现行目标值\nTarget now", "达标占比\nMet by"),
        *("P10", "P25", "P50", "P75", "P90", "建议目标值\nProposed target"),
    )
    rows = []
    for one in made.items:
        if one.item.rated:
            continue
        words = one.item.target_words()
        quantiles = [said(value, one.item.unit).zh for value in one.quantiles] if one.quantiles else [NONE] * 5
        sign = "≥" if one.better == "higher" else "≤"
        proposed = NONE if one.proposed is None else f"{sign} {said(one.proposed, one.item.unit).zh}"
        target = words.zh if words.zh == words.en else f"{words.zh} {words.en}"
        rows.append((f"{one.item.name.zh} {one.item.name.en}", target, _percent(one.target_met), *quantiles, proposed))
    notes = (
        "建议目标值为最优四分之一人员真正能达到的数值"
        f"（各人取各周期平均，并扣除偶然波动；只有一个周期时无法扣除）；不足 {LEAST_VALUES} 个数值的不提出建议。"
        " The proposal is what the best quarter of people truly reaches, by their means less"
        f" what chance drives apart (one period alone cannot tell that); fewer than {LEAST_VALUES} values: none.",
    )
    return Table(
        "由历史数据得出的建议目标值 Targets from history", columns, tuple(rows), numbers(columns, (0, 1)), notes
    )


def _groups(name: str, kind: str, of: tuple[GroupReview, ...], made: Review, units: UnitNames) -> Table:
    ids = [one.item.id for one in made.items]
    columns = (name, "人数\nPeople", "平均得分率\nMean share", *ids)
    rows = tuple(
        (
            units.beside(f"{kind}|{group.name}"),
            str(group.people),
            _percent(group.mean),
            *(_percent(group.items.get(id)) for id in ids),
        )
        for group in of
    )
    note = (
        f"不足 {LEAST_PEERS} 人的不显示，以免推断出个人得分。"
        f" Fewer than {LEAST_PEERS} people: not shown, so that nobody's own score can be told."
    )
    return Table(f"{name} 对比 compared", columns, rows, numbers(columns, (0,)), (note,))


def _percent(share: Fraction | None) -> str:
    return NONE if share is None else f"{shown(round(share * 1000) / Fraction(10))} %"


def _number(share: Fraction | None) -> float | None:
    return None if share is None else float(share)
