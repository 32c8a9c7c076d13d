"""Cards that come with the program are sound; a card that is not is refused with file, line, item and remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scoring.cards.automation import automation_share, is_low
from scoring.cards.figures import known_figures, usual_unit
from scoring.cards.load import CardError, find, known, load
from scoring.cards.validation import warnings
from streams.kpi.catalog import KPIS
from tests.support import cards
from tests.support.cards import item, section

TEXT = (Path(__file__).parent / "score_card.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", known())
def test_cards_that_come_with_the_program(name: str) -> None:
    card = find(name)
    assert card.id == name, "a card's file is called after its id"
    assert {item.kpi for item in card.items} - {None} <= KPIS.keys()
    for id in (
        known_figures().keys() & KPIS.keys()
    ):  # handed in where nothing sends their events, else computed: the same figure
        figure, kpi = known_figures()[id], KPIS[id]
        assert (figure.zh, figure.en, figure.unit, figure.better) == (kpi.zh, kpi.en, usual_unit(id), kpi.better)


def test_core_card_as_its_source_has_it() -> None:
    card = find("s2-a-core")
    assert [(item.id, item.max, item.target_words().en, item.kpi) for item in card.items] == [
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
        ("kpi: avg_response_time", "input: art", "item art: input: no input is called 'art'; "),
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
        ("value: 30", "value: -30", "item frt: target.value: first_response_time is at least 0 (s), never -30"),
        (
            "value: 80",
            "value: 800",
            "item basic: target.value: basic_resolution_rate is at least 0, at most 100 (pct), never",
        ),
        (
            "value: 4.5",
            "value: 450",
            "item csat: target.value: csat_mean is at least 0, at most 100 (points), never 450",
        ),
        ("factor: 20", "factor: twenty", "item frt: rule.factor: Input should be a valid decimal, not 'twenty'"),
        ("factor: 20", "factor: yes", "item frt: rule.factor: Decimal input should be an integer, float, string or D"),
        ("factor: 20", "factor: .inf", "not YAML: .inf is no number that can be reckoned with"),
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
        (
            "scale: 1-5",
            "scale: 1-6",
            "item csat: requires: csat_mean_scale: of the scale 1-6 no mean is shown: it stands not in satisfied_from",
        ),
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


BANDS = "type: bands, bands: "
RULE = "rule: {type: ratio, form: target_over_actual, factor: 20, floor: 0, cap: 20}"
RATERS = "raters: [{id: a, name: {zh: 甲, en: a}, weight: 50, least: 60}, {id: a, name: {zh: 乙, en: b}, weight: 40}]"
OPTIONAL = "{id: frt, section: nowhere, name: {zh: 一, en: a}, max: 5, rule: {type: manual}, rule_origin: source}"


@pytest.mark.parametrize(
    ("stands", "instead", "faults"),
    [
        # Figures
        ("metric: basic_resolution_rate", "metric: basic_resolution", ["item basic: metric: no metric is called 'basic_resolution'; nearest: basic_resolution_rate"]),
        ("metric: basic_resolution_rate", "metric: csat", ["item basic: metric: the KPI catalogue has 'csat'; write it under `kpi`, or, where nothing sends its events"]),
        ("metric: basic_resolution_rate", "input: basic_resolution_rate", ["item basic: input: 'basic_resolution_rate' comes from events; write it under `metric`"]),
        ("metric: basic_resolution_rate", "kpi: personal_complaint_count", ["item basic: kpi: 'personal_complaint_count' is no KPI of the catalogue yet; write it under `metric`"]),
        ("metric: basic_resolution_rate", "kpi: longest_wait", ["item basic: kpi: longest_wait is a value of this moment: a period has none"]),
        ("unit: pct\n        target: {op: \">=\", value: 80}", "unit: n", ["item basic: unit: basic_resolution_rate is in pct, not in n; write `unit: pct`"]),
        ("metric: basic_resolution_rate", "metric: basic_resolution_rate\n        evidence: [gold]", ["item basic: evidence[1]: no KPI or figure is called 'gold'"]),
        ("metric: basic_resolution_rate", "metric: basic_resolution_rate\n        entity: team", ["item basic: entity: only a KPI can be the team's: hand the team's"]),
        # Bands
        (RULE, f"rule: {{{BANDS}[{{lte: 30, points: 20}}, {{gt: 31, points: 0}}]}}", ["item frt: rule.bands[2]: no band holds what lies"]),
        (RULE, f"rule: {{{BANDS}[{{lte: 30, points: 20}}, {{gte: 30, points: 0}}]}}", ["item frt: rule.bands[2]: both bands hold 30"]),
        (RULE, f"rule: {{{BANDS}[{{lte: 30, points: 0}}, {{gt: 30, points: 9}}]}}", ["item frt: rule.bands: the figure is better lower"]),
        (RULE, f"rule: {{{BANDS}[{{lte: 30, points: all}}]}}", ["item frt: rule.bands[1].points: Input should be a valid decimal, not"]),
        (RULE, f"rule: {{{BANDS}[]}}", ["item frt: rule.bands: The list should have at least 1 item after validation, not 0, not []"]),
        # What a person gives
        (RULE, "rule: {type: manual}", ["item frt: kpi: a person gives the rating: take `kpi` out, or name it under `evidence`"]),
        # Targets and references
        ("{op: <=, value: 30}", "{op: between, value: 30}", ["item frt: target.value: `between` takes two numbers, every other `op`"]),
        ("{op: <=, value: 30}", "{op: <=, value: [1]}", ["item frt: target.value: Decimal input should be", "item frt: target.value[2]: is"]),
        ("metric: basic_resolution_rate", "metric: basic_resolution_rate\n        reference: {zh: 上期, en: before}", ["item basic: reference: the value is held against the target"]),
        # Points
        ("max: 25\n", "max: 25\n        no_cases: 26\n", ["item basic: no_cases: 26 points are above the item's max 25; make them agree"]),
        ("max: 25\n", "max: 25\n        veto: {of: points}\n", ["item basic: veto: the veto has no limit; give `gte` or `lte`"]),
        # Raters
        (
            "max: 25\n",
            f"max: 25\n        {RATERS}\n",
            [
                "item basic: raters: the rater 'a' is there twice; give every rater an id of their own",
                "item basic: raters: the raters' weights add up to 90, not to 100; correct them",
                "rater a: weight: a weighs 50 %, less than its least, 60 %; correct one",
            ],
        ),
        # Shares, balances, sections and their periods
        ("max: 35\n", "max: 35\n    share: [60, 70]\n", ["section response: share: it is worth 35 % of the card, not 60 to 70 %; change"]),
        ("max: 35\n", "max: 35\n    share: [10, 10]\n", ["section response: share: it is worth 35 % of the card, not 10 %; change the"]),
        ("max: 35\n", "max: 35\n    share: [70, 60]\n", ["section response: share: the range runs from 70 down to 60; swap its ends"]),
        ("max: 15\n", "max: 15\n        share: [40, 100]\n", ["item art: share: it is worth 15 % of the card, not 40 to 100 %; change"]),
        ("sections:\n", "balance: [{of: [art], to: [csat], ratio: [1, 2]}]\nsections:\n", ["balance[1]: art : csat weigh 15 : 15, not 1 : 2"]),
        ("sections:\n", "balance: [{of: [aht], to: [csat], ratio: [1, 2]}]\nsections:\n", ["balance[1]: no item is called aht; name"]),
        ("max: 35\n", "max: 35\n    period: quarter\n", ["section response: period: the card is not scored by quarter; add it to"]),
        # Totals
        (
            "total: {method: sum_of_points, max: 100}",
            "total: {method: weighted_sections, max: 100, weights: {response: 60, quality: 40}}",
            ["total.weights: resolution: give a weight for every section, and for no other"],
        ),
        (
            "total: {method: sum_of_points, max: 100}",
            "total: {method: weighted_sections, max: 100, weights: {response: 60, quality: 40, resolution: 10}}",
            ["total.weights: the weights add up to 110, not to 100; correct them"],
        ),
        ("{method: sum_of_points, max: 100}", "{method: sum_of_points, max: null}", ["total.max: the maxima of its sections add up to 100, not"]),
        # Optional items
        ("sections:\n", f"optional: [{OPTIONAL}]\nsections:\n", ["item frt: id: the item id 'frt' is used twice", "item frt: section: the"]),
        # Columns of the form
        (
            "sections:\n",
            "evaluators: [{id: a, name: {zh: 甲, en: a}}, {id: a, name: {zh: 乙, en: b}}]\nsections:\n",
            ["evaluators: the column 'a' is there twice; give every column its own id"],
        ),
    ],
)  # fmt: skip
def test_what_else_a_card_can_get_wrong(tmp_path: Path, stands: str, instead: str, faults: list[str]) -> None:
    assert stands in TEXT
    file = tmp_path / "card.yaml"
    file.write_text(TEXT.replace(stands, instead, 1), encoding="utf-8")
    with pytest.raises(CardError) as refused:
        load(file)
    told = str(refused.value).splitlines()
    for fault in faults:
        assert any(line.partition(": ")[2].startswith(fault) for line in told), refused.value


def test_a_duration_is_never_scored_without_quality(tmp_path: Path) -> None:
    talk = item("talk", kpi="average_talk_time", rule=IN_RANGE)
    with pytest.raises(
        CardError, match="item talk: rule: average_talk_time is scored without an item of quality beside it; add"
    ):
        cards.card(section("all", talk, item("b")), folder=tmp_path)
    quality = item(
        "q", 20, kpi="qa_score", target={"op": ">=", "value": 90}, rule={"type": "ratio", "form": "actual_over_target"}
    )
    sound = cards.card(section("all", talk, quality), folder=tmp_path)
    assert [what.split(":")[0] for _, what in warnings(sound)] == [
        "people rate 0 % of the card; 10 % is advised (S0-42)",
        "a duration beside quality",
    ]
    held = cards.card(
        section("all", talk, quality), folder=tmp_path, balance=[{"of": ["talk"], "to": ["q"], "ratio": [1, 2]}]
    )
    assert [what for _, what in warnings(held)] == ["people rate 0 % of the card; 10 % is advised (S0-42)"]


IN_RANGE = {
    "type": "bands",
    "bands": [{"gte": 210, "lte": 330, "points": 10}, {"lt": 210, "points": 0}, {"gt": 330, "points": 0}],
}


def test_a_card_may_describe_figures_of_its_own(tmp_path: Path) -> None:
    figures = {"smiles": {"zh": "微笑数", "en": "smiles", "unit": "n", "better": "higher", "by": "people"}}
    rule = {"type": "ratio", "form": "actual_over_target"}
    smiles = item("s", input="smiles", unit="n", rule=rule, target={"op": ">=", "value": 5})
    assert cards.card(section("all", smiles), folder=tmp_path, figures=figures).items[0].key == "smiles"
    with pytest.raises(
        CardError, match=r"item s: rule\.form: the figure is better higher, and target_over_actual would pay more"
    ):
        cards.card(
            section("all", smiles | {"rule": rule | {"form": "target_over_actual"}}), folder=tmp_path, figures=figures
        )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("s0-a-core-indicators", ["people rate 5 % of the card; 10 % is advised (S0-42)"]),
        ("s0-c-three-dimensions", []),
        ("s0-d-qualitative-three-party", []),
        ("s1-a-reception-iron-triangle", []),
        ("s4-b-cs-supervisor-scale", []),
        (
            "s4-f-aftersales-supervisor-kpi",
            ["no weight is set: the item stays unscored until your own copy of the card sets one"],
        ),
    ],
)
def test_warnings(name: str, told: list[str]) -> None:
    assert [what for _, what in warnings(find(name))] == told


@pytest.mark.parametrize(
    ("card", "share", "low"),
    [
        ("s2-a-core", (6, 6), False),
        ("s2-d-tech-support", (2, 3), False),  # 67 %
        ("s2-e-supervisor", (2, 4), False),  # 50 %
        ("s4-c-installer", (1, 7), True),  # 14 %
        ("s1-b-360", (1, 1), False),  # what people rate is no figure
        ("s4-a-aftersales-manager", (0, 0), False),  # ratings alone
    ],
)
def test_how_much_of_a_card_comes_from_events(card: str, share: tuple[int, int], low: bool) -> None:
    assert (automation_share(find(card)), is_low(find(card))) == (share, low)


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "card.yaml"
    file.write_text(TEXT.replace("kpi: ", "kpi: my_"), encoding="utf-8")
    with pytest.raises(CardError) as refused:
        load(file)
    items = [told.split(": ")[1] for told in str(refused.value).splitlines()]
    assert items == ["item frt", "item art", "item resolution", "item csat", "item script"]


@pytest.mark.parametrize(
    ("bytes_", "fault"),
    [
        (b"", ":1: a card is a mapping that begins with"),
        (b"- 1\n", ":1: a card is a mapping that begins with"),
        (b"\xff\xfe", "give a readable file in UTF-8"),
        (b"id: a\nid: b\n", ":2: not YAML: 'id' stands here twice; keep one"),
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


def test_a_sign_for_people_to_look_at_is_never_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = replace(KPIS["repeat_contact_rate"], id="short_calls", scored=False)
    monkeypatch.setitem(KPIS, sign.id, sign)
    rule = {"type": "ratio", "form": "target_over_actual", "factor": 10, "floor": 0, "cap": 10}
    odd = item("odd", kpi=sign.id, unit="pct", target={"op": "<=", "value": 5}, rule=rule)
    with pytest.raises(
        CardError, match="short_calls is a sign for people to look at and is never scored; take the item"
    ):
        cards.card(section("s", odd), folder=tmp_path)
    assert cards.card(section("s", item("rated", evidence=[sign.id])), folder=tmp_path)
