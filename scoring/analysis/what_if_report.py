"""What if, as people read it: grades, money, and everybody who moves."""

from __future__ import annotations

from decimal import Decimal

from scoring.analysis.bars import Group, bars
from scoring.analysis.report import Report, Table
from scoring.analysis.what_if import Place, Scenario, WhatIf
from scoring.rounding import NONE, cents, total
from streams.people.names import Names

_BEFORE, _AFTER = "现行 before", "试算 after"


def report(made: WhatIf, names: Names) -> Report:
    """The tables and drawings; ``names``: of those who may be called by name."""
    first, last = made.months[0].month, made.months[-1].month
    grades = [Group(grade, [(old, str(old)), (new, str(new))]) for grade, (old, new) in made.grades().items()]
    money = [Group(str(one.month), [(float(cost), cents(cost)) for cost in one.money]) for one in made.months]
    charts = (
        ("等级人次 Grades", bars(grades, (_BEFORE, _AFTER))),
        ("各月应发金额 Money by month", bars(money, (_BEFORE, _AFTER))),
    )
    moved = sorted({move.person for _, move in made.moves})
    regraded = sum(move.regraded for _, move in made.moves)
    people = len({move.person for change in made.months for move in change.moves})
    lead = (
        f"{_BEFORE}: {_told(made.before)}",
        f"{_AFTER}: {_told(made.after)}",
        f"{people} 人中 {len(moved)} 人有变化，其中 {regraded} 人次等级变化。 "
        f"Something changes for {len(moved)} of {people} people; {regraded} grades change.",
    )
    return Report(
        f"试算 What if · {first}" + (f" – {last}" if last != first else ""),
        lead,
        (_grades(made), _money(made), _moves(made, names)),
        charts,
    )


def _told(scenario: Scenario) -> str:
    seasons = ", ".join(
        f"{s.profile.id} {s.entry.first}–{s.entry.last}" for s in scenario.seasons if s.concerns(scenario.card.id)
    )
    rules = f"考核结果应用规则 outcome rules v{scenario.settings.version}"
    return f"{scenario.card.id} v{scenario.card.version} · {rules}" + (f" · {seasons}" if seasons else "")


def _grades(made: WhatIf) -> Table:
    rows = tuple(
        (grade, str(old), str(new), f"{new - old:+d}" if new != old else "0")
        for grade, (old, new) in made.grades().items()
    )
    return Table(
        "等级人次 Grades, all months",
        ("等级\nGrade", f"{_BEFORE}", f"{_AFTER}", "差异\nDifference"),
        rows,
        frozenset({1, 2, 3}),
    )


def _money(made: WhatIf) -> Table:
    lines = [(str(m.month), m.money, m.pools) for m in made.months]
    lines.append(("合计 together", made.cost(lambda m: m.money), made.cost(lambda m: m.pools)))
    rows = tuple(
        (
            name,
            *(cents(amount) for amount in money),
            _difference(*money),
            *(cents(amount) for amount in pools),
            _difference(*pools),
        )
        for name, money, pools in lines
    )
    columns = (
        "月份\nMonth",
        "应发金额 现行\nMoney before",
        "应发金额 试算\nMoney after",
        "差异\nDifference",
        "奖金池 现行\nPools before",
        "奖金池 试算\nPools after",
        "差异\nDifference",
    )
    note = "未录入金额的规则不计入。 Rules whose amounts were not given are not in it."
    return Table("费用 Cost", columns, rows, frozenset(range(1, 7)), (note,))


def _moves(made: WhatIf, names: Names) -> Table:
    rows = tuple(
        (
            names.beside(move.person),
            str(month),
            *_place(move.before),
            *_place(move.after),
            NONE if move.by is None else f"{move.by:+}",
        )
        for month, move in made.moves
    )
    columns = (
        *("人员\nPerson", "月份\nMonth"),
        *("总分 现行\nTotal before", "排名\nRank", "等级\nGrade", "应发金额\nMoney"),
        *("总分 试算\nTotal after", "排名\nRank", "等级\nGrade", "应发金额\nMoney"),
        "变化\nMoves by",
    )
    return Table("受影响人员 Who moves", columns, rows, frozenset({2, 3, 5, 6, 7, 9, 10}))


def _place(place: Place | None) -> tuple[str, str, str, str]:
    if place is None:
        return NONE, NONE, NONE, NONE
    return (
        NONE if place.total is None else cents(place.total),
        NONE if place.rank is None else str(place.rank),
        place.grade or NONE,
        NONE if place.money is None else cents(place.money),
    )


def _difference(before: Decimal, after: Decimal) -> str:
    return f"{total([after, before.copy_negate()]):+}" if after != before else "0.00"
