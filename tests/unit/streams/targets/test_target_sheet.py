"""The target sheet: what is taken, in which unit; what is refused, with row and remedy; versions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from streams.contracts.outputs import Target
from streams.people.names import Names
from streams.people.person import Person
from streams.tabular import TabularError
from streams.targets.book import Targets
from streams.targets.sheet import merged, owned, read_targets, said

AT = datetime(2026, 2, 27, 9, tzinfo=UTC)
HEAD = "kpi,scope,id,value,unit,op,period,owner,due,valid_from\n"


def read(folder: Path, *rows: str, author: str = "hr-1") -> list[Target]:
    path = folder / "targets.csv"
    path.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    return read_targets(path, author, AT)


@pytest.mark.parametrize(
    ("row", "of", "value", "op", "shown"),
    [
        ("csat,team,T1,90,%,,month,S1,2026-12-31,2026-03-01", "team|T1", "0.9", ">=", "≥ 90 %"),
        ("客户满意度,班组,T1,92.5%,,,月,S1,2026/12/31,2026年3月1日", "team|T1", "0.925", ">=", "≥ 92.5 %"),
        ("first_response_time,queue,web,1.5,min,,quarter,S1,2026-12-31,2026-03-01", "queue|web", "90", "<=", "≤ 90 s"),
        ("average_handle_time,all,,300,s,≤,year,S1,2026-12-31,2026-03-01", "all|all", "300", "<=", "≤ 300 s"),
        ("training,card,s0-a,85,pct,>=,month,S1,2026-12-31,2026-03-01", "card|s0-a", "85", ">=", "≥ 85 %"),
        ("csat,role,agent,none,,,,,,2026-03-01", "role|agent", None, ">=", "none"),
    ],
)
def test_targets_are_kept_exact_in_the_unit_of_the_kpi(
    tmp_path: Path, row: str, of: str, value: str | None, op: str, shown: str
) -> None:
    (target,) = read(tmp_path, row)
    assert (target.of, target.value, target.op, said(target).en) == (of, value, op, shown)
    assert (target.author, target.at, target.version) == ("hr-1", AT, 1)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("csta,team,T1,90,%,,month,S1,2026-12-31,2026-03-01", "row 2, kpi: no KPI is called 'csta'; nearest: csat"),
        (
            "csat,squad,T1,90,%,,month,S1,2026-12-31,2026-03-01",
            "row 2, scope: 'squad': write one of agent, team, queue",
        ),
        ("csat,team,,90,%,,month,S1,2026-12-31,2026-03-01", "row 2, id: is empty; say which team"),
        ("csat,all,T1,90,%,,month,S1,2026-12-31,2026-03-01", "row 2, id: scope all is the whole operation"),
        ("csat,team,T1,90,,,month,S1,2026-12-31,2026-03-01", "row 2, unit: is empty; write % or pct or ratio"),
        ("csat,team,T1,90,ratio,,month,S1,2026-12-31,2026-03-01", "9000 % is never reached; write 90 with the unit %"),
        ("csat,team,T1,90,min,,month,S1,2026-12-31,2026-03-01", "row 2, unit: 'min' is no unit of csat"),
        ("csat,team,T1,high,%,,month,S1,2026-12-31,2026-03-01", "row 2, value: 'high' is no number"),
        ("csat,team,T1,nan,%,,month,S1,2026-12-31,2026-03-01", "row 2, value: 'nan' is no number"),
        ("csat,team,T1,1e9999999,%,,month,S1,2026-12-31,2026-03-01", "row 2, value: '1e9999999' is no number"),
        ("csat,team,T1,1e-9999999,%,,month,S1,2026-12-31,2026-03-01", "row 2, value: '1e-9999999' is no number"),
        ("D2,card,s4-d,1e-9999999,weight,,,S1,,2026-03-01", "row 2, value: '1e-9999999' is no weight"),
        ("average_handle_time,all,,90%,s,,month,S1,2026-12-31,2026-03-01", "row 2, unit: 's' contradicts '90%'"),
        (
            "csat,team,T1,9.0E+01,%,,month,S1,2026-12-31,2026-03-01",
            "row 2, value: '9.0E+01' is a number that a spreadsheet has rounded",
        ),
        ("csat,team,T1,90,%,<=,month,S1,2026-12-31,2026-03-01", "row 2, op: of csat higher is better: write >="),
        ("csat,team,T1,90,%,,,S1,2026-12-31,2026-03-01", "row 2, period: is empty; write one of day, week, month"),
        ("csat,team,T1,90,%,,month,,2026-12-31,2026-03-01", "row 2, owner: is empty; say who answers for it"),
        ("csat,team,T1,90,%,,month,S1,,2026-03-01", "row 2, due: is empty; write a day"),
        ("csat,team,T1,90,%,,month,S1,2026-02-28,2026-03-01", "row 2, due: 2026-02-28 is before 2026-03-01"),
        ("csat,team,T1,90,%,,month,S1,2026-12-31,", "row 2, valid_from: is empty"),
        ("csat,team,T1,,%,,month,S1,2026-12-31,2026-03-01", "row 2, value: is empty; give a figure, or none"),
        (
            "average_handle_time,team,T1,-3,s,,month,S1,2026-12-31,2026-03-01",
            "average_handle_time is 0 or more (s), never -3",
        ),
        ("occupancy,team,T1,80,%,,month,S1,2026-12-31,2026-03-01", "row 2, op: is empty, and nobody can tell"),
    ],
)
def test_every_fault_says_row_column_and_remedy(tmp_path: Path, row: str, fault: str) -> None:
    with pytest.raises(TabularError) as refused:
        read(tmp_path, row)
    assert fault in str(refused.value)


def test_the_same_target_twice_is_refused(tmp_path: Path) -> None:
    row = "csat,team,T1,{},%,,month,S1,2026-12-31,2026-03-01"
    with pytest.raises(TabularError, match="row 3: the same target from the same day as in row 2"):
        read(tmp_path, row.format(90), row.format(91))


def test_versions_stay_and_the_day_says_which_holds(tmp_path: Path) -> None:
    row = "csat,team,T1,{},%,,month,S1,2026-12-31,{}"
    book = Targets()
    for rows in (
        [row.format(90, "2026-03-01")],
        [row.format(92, "2026-04-01")],
        [row.format(91, "2026-03-01")],
        [row.format(91, "2026-03-01")],
        ["csat,team,T1,none,,,,,,2026-06-01"],
    ):
        changes = merged(book, read(tmp_path, *rows))
        book = Targets(
            [one for key in {*book.keys(), *changes.versions} for one in changes.versions.get(key, book.versions(key))]
        )
    held = [(one.valid_from.month, one.version, one.value) for one in book.all()]
    assert held == [(3, 1, "0.9"), (3, 2, "0.91"), (4, 1, "0.92"), (6, 1, None)]
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 4, 1), date(2026, 6, 1)]
    assert [book.number("agent|A1", "T1", "csat", day.toordinal()) for day in days] == [None, 0.91, 0.92, None]
    assert [one and one.value for one in (book.on("team|T1", "csat", day) for day in days)] == [
        None,
        "0.91",
        "0.92",
        None,
    ]


def test_the_nearest_target_holds(tmp_path: Path) -> None:
    row = "csat,{},{},{},%,,month,S1,2026-12-31,2026-03-01"
    book = Targets(
        read(tmp_path, row.format("all", "", 80), row.format("team", "T1", 85), row.format("agent", "A1", 95))
    )
    day = date(2026, 3, 1).toordinal()
    asked = [
        ("agent|A1", "T1"),
        ("agent|A2", "T1"),
        ("agent|A3", None),
        ("team|T1", None),
        ("queue|q", None),
        ("all|all", None),
    ]
    assert [book.number(entity, team, "csat", day) for entity, team in asked] == [0.95, 0.85, 0.8, 0.85, 0.8, 0.8]


def test_names_of_owners_become_ids_before_any_topic_has_them() -> None:
    names = Names([Person("P1", name_zh="李娜"), Person("P2", name_zh="李娜"), Person("P3", name_zh="王伟")])

    def by(owner: str | None) -> Target:
        return Target(kpi="csat", of="all|all", valid_from=date(2026, 3, 1), unit="ratio", owner=owner, author="hr-1", at=datetime(2026, 3, 1, tzinfo=UTC))  # fmt: skip

    given = [by("王伟"), by("P1"), by("desk"), by(None)]
    assert [one.owner for one in owned(given, names.id_of)] == ["P3", "P1", "desk", None]
    with pytest.raises(
        ValueError, match=r"csat of all\|all from 2026-03-01: owner: 2 people are called 李娜; give the id: P1 or P2"
    ):
        owned([by("李娜")], names.id_of)
