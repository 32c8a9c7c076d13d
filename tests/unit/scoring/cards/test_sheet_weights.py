"""Weights that the target sheet sets, from a day on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from scoring.analysis.weights import throughout
from scoring.cards.load import find, known
from scoring.cards.profile_calendar import in_force
from scoring.cards.profiles import ProfileError, find_profile
from scoring.cards.sheet_weights import objections, sheet_seasons
from scoring.period import Month, Quarter
from streams.contracts.outputs import Target
from streams.tabular import Row, TabularError
from streams.targets.book import Targets
from streams.targets.sheet import merged, said, told

AT = datetime(2026, 2, 27, tzinfo=UTC)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
NARRATIVE = "s4-d-supervisor-monthly-narrative"


def sheet(*rows: str) -> list[Target]:
    """Rows as people write them: item, card, weight, from when."""
    columns = ("kpi", "id", "value", "valid_from")
    given = [dict(zip(columns, row.split(), strict=True)) | {"scope": "card", "unit": "weight"} for row in rows]
    return told("targets.csv", [Row(number, cells) for number, cells in enumerate(given, 2)], "hr-1", AT)


def book(*rows: str) -> Targets:
    return Targets(sheet(*rows))


def worth(card: str, of: Targets, period: Month | Quarter) -> dict[str, Fraction]:
    one = find(card)
    return dict(in_force(one, sheet_seasons(one, of, *YEAR), period).worth)


def test_every_card_has_weights_and_says_which_are_assumed() -> None:
    without = {(id, item.id) for id in known() for item in find(id).items if item.max is None}
    # Of the damaged form nothing is invented: what is lost stays lost (AMB-41).
    assert without == {("s4-f-aftersales-supervisor-kpi", "F7")}
    assumed = {id for id in known() if any(item.max_origin == "assumed" for item in find(id).items)}
    assert {"s1-a-reception-iron-triangle", NARRATIVE, "s4-e-supervisor-work-content", "s4-i-supervisor-monthly-indicators"} < assumed  # fmt: skip


def test_from_its_day_on_and_the_others_scale() -> None:
    of = book(f"D2 {NARRATIVE} 40 2026-04-01")
    assert worth(NARRATIVE, of, Month(2026, 3)) == dict.fromkeys(("D2", "D3", "D4", "D5"), 25)
    assert worth(NARRATIVE, of, Month(2026, 4)) == {"D2": 40, "D3": 20, "D4": 20, "D5": 20}


def test_within_a_period_each_day_counts_with_its_own() -> None:
    of = book(f"D2 {NARRATIVE} 40 2026-04-16")
    assert worth(NARRATIVE, of, Month(2026, 4))["D2"] == Fraction(25 + 40, 2)


def test_a_weight_of_0_leaves_an_item_out_and_none_brings_the_card_s_back() -> None:
    of = book(f"D5 {NARRATIVE} 0 2026-03-01", f"D5 {NARRATIVE} none 2026-04-01")
    assert worth(NARRATIVE, of, Month(2026, 3)) == dict.fromkeys(("D2", "D3", "D4"), Fraction(100, 3))
    assert worth(NARRATIVE, of, Month(2026, 4)) == dict.fromkeys(("D2", "D3", "D4", "D5"), 25)


def test_a_card_by_periods_is_weighed_in_each() -> None:
    card = "s1-a-reception-iron-triangle"
    of = book(f"frt {card} 50 2026-01-01", f"csat {card} 40 2026-01-01")
    month, quarter = worth(card, of, Month(2026, 2)), worth(card, of, Quarter(2026, 1))
    assert (month["frt"], quarter["csat"], "csat" in month) == (50, 40, False)
    assert sum(month.values()) == sum(quarter.values()) == 100


def test_a_season_comes_on_top_of_the_sheet() -> None:
    card = find("s2-a-core")
    seasons = (
        throughout(find_profile("promotion"), date(2026, 4, 1), date(2026, 4, 30)),
        *sheet_seasons(card, book("fcr s2-a-core 45 2026-01-01"), *YEAR),
    )
    march, april = (in_force(card, seasons, Month(2026, month)) for month in (3, 4))
    assert march.worth["fcr"] == 45
    assert [one.profile for one in march.applied] == ["target-sheet"]
    assert (april.worth["art"], sum(april.worth.values())) == (25, 100)
    # The promotion takes from all others alike, as it does without the sheet.
    before = march.worth
    assert april.worth["fcr"] == 45 * Fraction(75) / (100 - before["art"])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([f"D2 {NARRATIVE} 90 2026-03-01", f"D3 {NARRATIVE} 20 2026-03-01"], "the changed items weigh 110 %; leave the others what is left of 100"),
        ([f"{id} {NARRATIVE} 20 2026-03-01" for id in ("D2", "D3", "D4", "D5")], "the changed items weigh 80 %"),
        ([f"D9 {NARRATIVE} 20 2026-03-01"], "has no item D9; it has: D2, D3, D4, D5"),
        (["F7 s4-f-aftersales-supervisor-kpi 20 2026-03-01"], "F7: no points are set for it"),
        (["csat s0-c-three-dimensions 90 2026-03-01"], "results would weigh"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_at_the_import(rows: list[str], fault: str) -> None:
    assert fault in "\n".join(objections(book(*rows)))
    card = find(rows[0].split()[1])
    with pytest.raises(ProfileError, match=r"correct the target sheet"):
        sheet_seasons(card, book(*rows), *YEAR)


def test_sound_weights_are_no_objection_and_others_cards_are_not_looked_at() -> None:
    assert list(objections(book(f"D2 {NARRATIVE} 40 2026-04-01", "exam ours 40 2026-04-01"))) == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"scope": "team", "id": "t1"}, "scope: only a card's items have weights; write card"),
        ({"value": "101"}, "value: '101' is no weight; write 0 to 100"),
        ({"value": "much"}, "value: 'much' is no weight"),
        ({"value": "NaN"}, "value: 'NaN' is no weight"),
        ({"op": ">="}, "op: a weight has none; leave it empty"),
        ({"id": "ours|weight"}, "id: 'ours|weight' is no card's id"),
        ({"kpi": ""}, "kpi: is empty; give the id of the card's item"),
    ],
)
def test_a_row_that_is_no_weight(cells: dict[str, str], fault: str) -> None:
    row = {"kpi": "D2", "scope": "card", "id": NARRATIVE, "value": "40", "unit": "权重", "valid_from": "2026-04-01"}
    with pytest.raises(TabularError) as refused:
        told("targets.csv", [Row(2, {name: text for name, text in {**row, **cells}.items() if text})], "hr-1", AT)
    assert fault in str(refused.value)


def test_a_target_of_a_team_with_a_strange_id_is_no_weight() -> None:
    target = Target(
        kpi="csat", of=f"team|x|card|{NARRATIVE}|weight", valid_from=date(2026, 4, 1), value="0.8", unit="ratio", author="hr-1", at=AT
    )  # fmt: skip
    assert Targets([target]).weights(NARRATIVE) == []


def test_a_target_and_a_weight_of_one_item_stand_beside_each_other() -> None:
    target = Target(
        kpi="D2", of=f"card|{NARRATIVE}", valid_from=date(2026, 4, 1), value="80", unit="pct", author="hr-1", at=AT
    )
    of = Targets([target, *sheet(f"D2 {NARRATIVE} 40 2026-04-01")])
    assert of.on(f"card|{NARRATIVE}", "D2", date(2026, 5, 1)) == target
    assert [said(one).en for one in of.in_force(date(2026, 5, 1))] == ["≥ 80 %", "weight 40 %"]
    changes = merged(of, sheet(f"D2 {NARRATIVE} 35 2026-04-01"))
    assert (changes.new, changes.changed) == (0, 1)
    (own,) = changes.versions.values()
    assert [(one.value, one.version) for one in own] == [("40", 1), ("35", 2)]
