"""Cards that come with the program are sound; a card that is not is refused with file, line, item and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.load import CardError, find, known, load
from streams.kpi.catalog import KPIS

TEXT = (Path(__file__).parent / "score_card.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", known())
def test_cards_that_come_with_the_program(name: str) -> None:
    card = find(name)
    assert card.id == name, "a card's file is called after its id"
    assert {item.kpi for item in card.items} - {None} <= KPIS.keys()
    now_computed = [item.metric for item in card.items if item.metric in KPIS]
    assert not now_computed, "the catalogue has these now: write `kpi` for `metric`, and raise the card's version"


def test_core_card_as_its_source_has_it() -> None:
    card = find("s2-a-core")
    assert [(item.id, item.max, item.target_words()[1], item.kpi or item.metric) for item in card.items] == [
        ("frt", 20, "≤ 30 s", "first_response_time"),
        ("art", 15, "≤ 120 s", "avg_response_time"),
        ("fcr", 25, "≥ 80 %", "fcr"),
        ("resolution", 20, "≥ 85 %", "resolution_rate"),
        ("csat", 15, "≥ 4.5 points", "csat_mean"),
        ("script", 5, "meets the script standard (≥ 100 %)", "script_compliance_rate"),
    ]
    assert card.total.max == 100
    assert {item.rule_origin for item in card.items} == {"assumed"}


@pytest.mark.parametrize(
    ("stands", "instead", "fault"),
    [
        (
            "kpi: first_response_time",
            "kpi: first_respons_time",
            "item frt: kpi: no KPI is called 'first_respons_time'; n",
        ),
        (
            "kpi: resolution_rate",
            "kpi: profit",
            "item resolution: kpi: no KPI is called 'profit'; known: offered_calls, ",
        ),
        ("metric: avg_response_time", "input: art", "item art: input: no input is called 'art'; "),
        ("max: 20", "max: 21", "section response: max: the maxima of its items add up to 36, not to 35; correct one"),
        (
            "max: 100}",
            "max: 90}",
            "total.max: the maxima of its sections add up to 100, not to 90; correct one of them",
        ),
        (
            "method: sum_of_points",
            "method: average",
            "total.method: Input should be 'sum_of_points' or 'weighted_sections', not 'average'",
        ),
        (
            "type: ratio",
            "type: band",
            "item frt: rule: no rule type 'band'; known: bands, ratio, per_unit, levels, manual",
        ),
        ("type: ratio, ", "", "item frt: rule: a rule needs a `type`; known: bands"),
        (
            "form: target_over_actual",
            "form: actual_over_target",
            "item frt: rule.form: the figure is better lower, and ",
        ),
        (
            "form: target_over_actual",
            "form: complement",
            "item frt: rule.form: complement takes a percentage, but the ",
        ),
        ("op: <=", 'op: ">="', "item frt: target.op: target_over_actual does not go with a target of `>=`; turn one "),
        ("value: 30", "value: 0", "item frt: target.value: a target of 0 gives no attainment; give a target above 0"),
        ("factor: 20", "factor: twenty", "item frt: rule.factor: Input should be a valid decimal, not 'twenty'"),
        ("factor: 20", "factor: yes", "item frt: rule.factor: Decimal input should be an integer, float, string or D"),
        ("factor: 20", "factor: .inf", "item frt: rule.factor: Input should be a finite number, not inf"),
        ("cap: 20", "cap: 25", "item frt: rule.cap: the cap 25 is above the item's max 20; make them agree"),
        ("floor: 0", "floor: 30", "item frt: rule.floor: the floor 30 is above the cap 20; swap or correct them"),
        (
            "cap: 20",
            "cap: null",
            "item frt: rule.cap: target_over_actual grows without end towards an actual of 0: give",
        ),
        ("unit: s", "unit: pct", "item frt: unit: the KPI first_response_time is in s, which cannot be shown in pct; "),
        ("unit: s", "unit: minutes", "item frt: unit: Input should be 's', 'min', 'h', 'days', 'pct', 'pp', 'points"),
        ("target: {op: <=, value: 30}", "target: null", None),
        ("id: art", "id: frt", "item frt: id: the item id 'frt' is used twice; give every item its own"),
        ("id: quality", "id: response", "section response: id: the section id 'response' is used twice; give every "),
        ("role: agent", "roll: agent", "roll: is no field here; take it out or correct its name"),
        (
            "period: month",
            "period: week",
            "period: Input should be 'month', 'quarter', 'half_year', 'year' or 'probation', not",
        ),
        ("deskpulse/card/1", "scorecard/1", "schema: Input should be 'deskpulse/card/1', not 'scorecard/1'"),
        ("scale: 1-5", "scale: 1-6", "item csat: requires.csat_mean_scale: Input should be '1-5', '0-10', '0-100' or "),
        ("csat_mean_scale: 1-5", "repeat_days: 7", "item csat: requires: the KPI csat_mean does not depend on repeat_"),
        (", en: First response time}", "}", "item frt: name.en: is missing; add it"),
        ("rule: {type: ratio", "rule: [type", "not YAML: "),
    ],
)
def test_a_wrong_entry(tmp_path: Path, stands: str, instead: str, fault: str | None) -> None:
    """``fault`` None: the entry is allowed."""
    before, found, after = TEXT.partition(stands)
    assert found
    file = tmp_path / "card.yaml"
    file.write_text(before + instead + after, encoding="utf-8")
    if fault is None:
        load(file)
        return
    with pytest.raises(CardError) as refused:
        load(file)
    line = before.count("\n") + 1
    if " add up to " in fault:  # told at the sum, not at the part
        place = "    max: 35" if fault.startswith("section") else "total: {"
        line = TEXT.partition(place)[0].count("\n") + 1
    assert any(told.startswith(f"{file}:{line}: {fault}") for told in str(refused.value).splitlines()), refused.value


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "card.yaml"
    file.write_text(TEXT.replace("kpi: ", "kpi: my_"), encoding="utf-8")
    with pytest.raises(CardError) as refused:
        load(file)
    items = [told.split(": ")[1] for told in str(refused.value).splitlines()]
    assert items == ["item frt", "item resolution", "item csat"]


@pytest.mark.parametrize(
    ("bytes_", "fault"),
    [
        (b"", ":1: a card is a mapping that begins with"),
        (b"- 1\n", ":1: a card is a mapping that begins with"),
        (b"\xff\xfe", "give a readable file in UTF-8"),
        (b"id: a\nid: b\n", ":2: 'id' stands here twice; keep one"),
        (b"a: &a [*a]\n", ":1: a: is no field here"),
        (b"version: 2010-13-45\n", ": not YAML: month must be in 1..12"),
        (b"id: \x00\n", ": not YAML: unacceptable character"),
        (b"a: !!python/object:os.system x\n", ":1: not YAML: could not determine a constructor"),
    ],
)
def test_a_file_that_is_no_card(tmp_path: Path, bytes_: bytes, fault: str) -> None:
    file = tmp_path / "card.yaml"
    file.write_bytes(bytes_)
    with pytest.raises(CardError) as refused:
        load(file)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("kpi: first_response_time\n        metric: frt", "item frt: has `kpi` and `metric`; write exactly one of"),
        ("note: {zh: 无, en: none}", "item frt: has no source of its value; write exactly one of"),
    ],
)
def test_a_value_has_one_source(tmp_path: Path, source: str, fault: str) -> None:
    file = tmp_path / "card.yaml"
    file.write_text(TEXT.replace("kpi: first_response_time", source), encoding="utf-8")
    with pytest.raises(CardError, match=fault):
        load(file)


def test_find_takes_an_id_or_a_path(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(TEXT.replace("id: s2-a-core", "id: ours"), encoding="utf-8")
    assert find("s2-a-core").id == "s2-a-core"
    assert find(str(file)).id == "ours"
    with pytest.raises(CardError, match="no card is called 's2'; known: s0-a-core-indicators, "):
        find("s2")
    with pytest.raises(CardError, match="cannot read the card"):
        find(str(tmp_path / "absent.yaml"))
